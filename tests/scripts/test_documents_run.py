"""Tutorials, how-tos and two more pages work as written: every block, in its order, in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from newcomer import foreign, mood, of_newcomer
from stand_in_server import MODEL, StandIn

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for name in ("tutorials", "how-to") for path in (ROOT / "docs" / name).glob("*.md"))
PAGES += [ROOT / "docs" / name for name in ("training.md", "empathy.md")]
CHEAP = {"several-raters"}
"""The others make hundreds of clips or train."""
_ADDRESS = "http://localhost:8000/v1"
_BLOCK = re.compile(r"(<!-- needs [^>]+: parsed, not run -->\n)?^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script(text: str) -> Iterator[str]:
    """The page as one shell script: files are written, commands run, what needs another machine is left out."""
    for number, (needs, language, name, content) in enumerate(_BLOCK.findall(text)):
        if needs:
            continue
        if name:
            yield f"mkdir -p '{Path(name).parent}'\ncat > '{name}' <<'BLOCK{number}'\n{content}BLOCK{number}"
        elif language == "bash":
            yield content
        elif language == "python":
            yield f"python - <<'BLOCK{number}'\n{content}BLOCK{number}"


def test_lines_of_libraries_are_known_from_ours() -> None:
    theirs = [
        "FutureWarning: x is deprecated",
        "[2026-01-01] [INFO] [real.py:1:get] x",
        "100%|##| 3/3 [00:00, 9.1it/s]",
    ]
    ours = [
        "training: 4%| 3/72 [00:01<00:03, 15.7 steps/s, loss 0.3]",
        "moods_mood  UAR  1.000  [1.000, 1.000]  45  0 %",
    ]
    assert foreign("\n".join([*theirs, *ours])) == theirs


def run(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = of_newcomer(folder)
    with StandIn(answer=mood) as server:
        text = "\n".join(script(page.read_text(encoding="utf-8"))).replace(_ADDRESS, server.url)
        text = text.replace("model=my-model", f"model={MODEL}")
        (folder / "work").mkdir()
        command = ["bash", "-euo", "pipefail", "-c", text]
        return subprocess.run(
            command, cwd=folder / "work", env=environment, capture_output=True, text=True, check=False
        )


def _case(page: Path) -> Any:
    return pytest.param(page, id=page.stem, marks=[] if page.stem in CHEAP else [pytest.mark.thorough])


@pytest.mark.slow
@pytest.mark.parametrize("page", [_case(page) for page in PAGES])
def test_every_block_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if "~/data" in text.replace("-v ~/data", "") and not os.environ.get("AFFECTLLM_CORPORA"):
        pytest.skip("AFFECTLLM_CORPORA is not set")
    done = run(page, tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not foreign(done.stdout + done.stderr)


def test_a_block_that_fails_fails_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```bash\naffectllm ls nothing_is_called_this\n```\n", encoding="utf-8")
    assert run(page, tmp_path).returncode == 2
