"""The site of the documentation: it builds without a warning, asks nobody for anything, and has every page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, ROOT / "scripts" / "site", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "No issues found" in done.stderr, done.stdout + done.stderr
    return out


def test_every_page_is_there_and_can_be_found(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    made = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    indices = {page for page in pages if page.endswith("README")}  # which are a folder's own page
    assert not pages - indices - made and {"index", "contributing", "changes", "notebooks/scores"} <= made
    found = {item["location"].partition("#")[0] for item in json.loads((site / "search.json").read_text())["items"]}
    assert {"tutorials/own-clips.html", "reference/metrics.html", "notebooks/scores.html"} <= found


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = re.compile(
        r'<(?:script|img|iframe|video|audio|source)[^>]*\ssrc="https?:|<link[^>]*stylesheet[^>]*href="https?:'
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > 100
    assert not [page for page in pages if fetched.search(page.read_text(encoding="utf-8"))]


def test_files_have_their_names_above_them(site: Path) -> None:
    page = (site / "how-to" / "several-raters.html").read_text(encoding="utf-8")
    assert "corpora/calls/affectllm.yaml" in page and "```" not in page


def test_a_link_that_leads_nowhere_stops_the_build(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("docs", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    page = copy / "docs" / "human.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[there](nowhere.md)\n", encoding="utf-8")
    command = [sys.executable, copy / "scripts" / "site", "--out", tmp_path / "site"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "human.md" in done.stdout + done.stderr and not (tmp_path / "site").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem == "scores" else [pytest.mark.thorough])
        for path in NOTEBOOKS
    ],
)
def test_notebooks_run_and_show_what_they_are_kept_with(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "scripts" / "notebooks", "--to", tmp_path, path.stem]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    kept, fresh = (json.loads(file.read_text(encoding="utf-8"))["cells"] for file in (path, tmp_path / path.name))

    def printed(cells: list[dict[str, object]]) -> list[str]:
        """What each cell printed; a slow kernel sends it in several pieces."""
        outputs = [cell.get("outputs", []) for cell in cells]
        texts = ["".join("".join(one.get("text", [])) for one in cell) for cell in outputs]  # type: ignore[attr-defined]
        return [text for text in texts if text]

    assert printed(kept) == printed(fresh) and len(printed(kept)) >= 3
