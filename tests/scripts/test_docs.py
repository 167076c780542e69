"""The documents: generated pages are fresh, links lead somewhere, commands parse, the walk-throughs work as written."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from affectllm import __version__, cli, registry
from affectllm.cli import main
from affectllm.evaluate import harness
from affectllm.evaluate.shelf import all_tasks
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_part import Part
from affectllm.train.recipe import ModelPage, Recipe
from affectllm.train.rewards.named import NAMED

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_KEY = re.compile(r"`(?:data\.|model\.|…)?(\w+)`")
_BLOCK = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """(language, file name or "", text) of every fenced block."""
    return _BLOCK.findall(path.read_text(encoding="utf-8"))


def shell_lines(path: Path) -> Iterator[list[str]]:
    """Words of every command of ours in the document's shell blocks."""
    for language, _, text in blocks(path):
        if language == "bash":
            for line in text.replace("\\\n", " ").splitlines():
                if line.startswith("affectllm "):
                    words = shlex.split(line, comments=True)[1:]
                    yield list(takewhile(lambda word: word not in (">", "|", "||"), words))


def docs(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "docs"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# ── generated pages ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_generated_pages_are_fresh() -> None:
    done = docs("--check")
    assert done.returncode == 0, f"run scripts/docs\n{done.stdout}{done.stderr}"


@pytest.mark.thorough  # scripts/check compares the pages
def test_a_stale_a_missing_and_a_leftover_page_are_named(tmp_path: Path) -> None:
    assert docs("--folder", str(tmp_path)).returncode == 0
    assert docs("--check", "--folder", str(tmp_path)).returncode == 0
    page = tmp_path / "corpora" / "speech" / "emodb.md"
    page.write_text(page.read_text(encoding="utf-8").replace("Burkhardt", "Burckhardt"), encoding="utf-8")
    (tmp_path / "tasks.md").unlink()
    (tmp_path / "models.md").write_text("of last year")
    done = docs("--check", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert {Path(line.removeprefix("stale: ")).name for line in done.stdout.splitlines()} == {
        "emodb.md",
        "tasks.md",
        "models.md",
    }
    assert "Burckhardt" in page.read_text(encoding="utf-8")  # a check writes nothing
    docs("--folder", str(tmp_path))
    assert docs("--check", "--folder", str(tmp_path)).returncode == 0


@pytest.mark.parametrize(
    ("page", "kind"), [("corpora.md", "data_builders"), ("tasks.md", "eval_tasks"), ("recipes.md", "recipes")]
)
def test_everything_that_ships_is_in_the_lists(page: str, kind: registry.Folder) -> None:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    for name in registry.names(kind):
        assert f"`{name}`" in text


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(path: Path) -> None:
    for link in _LINK.findall(path.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, link


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "CITATION.cff"], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_path_of_one_persons_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"(?<![\w.~])/(?:home|Users|root|tmp|work|mnt)/\S*|[A-Z]:\\", text)


_TRAINING = ROOT / "docs" / "training.md"
_GUIDES = [*(ROOT / "docs" / "tutorials").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md"), _TRAINING]
_OWN = {"moods_mood", "calls_mood", "two_moods_mood", "two_moods_mood_choice"}
"""Tasks and recipes that documents make themselves."""


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(_GUIDES)], ids=lambda path: path.name
)
def test_commands_are_commands_and_name_what_exists(path: Path) -> None:
    lines = list(shell_lines(path))
    assert lines
    for words in lines:
        if words[0] == "eval":
            _, theirs = harness.parser().parse_known_args(words[1:])
            assert "--tasks" in theirs and not any(word.startswith("--root") for word in theirs), words
            named = theirs[theirs.index("--tasks") + 1]
            assert named in all_tasks() or named in _OWN
            continue
        arguments = cli.parser().parse_args(words)
        if words[0] in ("run", "train"):
            own = ("two_moods_tiny", "moods", "small.yaml")
            assert arguments.recipe in registry.names("recipes") or arguments.recipe in own


def test_the_page_on_training_has_every_method_reward_and_recipe_that_there_is() -> None:
    text = _TRAINING.read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| \[?`(\w+)`", text, re.MULTILINE))
    assert {*registry.names("methods"), *NAMED} <= rows
    named = re.findall(r"`((?:qwen\w+|affect_composite_7b|heads|small)/\w+)`", text)
    assert len(named) > 10 and set(named) <= set(registry.names("recipes"))
    (page,) = [content for _, name, content in blocks(_TRAINING) if name == "small.yaml"]
    parts = {field.name for kind in (Recipe, Part, Mixture) for field in fields(kind)}
    cells = re.findall(r"^\| (`(?:data|model|…).+?) \|", text, re.MULTILINE)
    written = {key for cell in cells for key in _KEY.findall(cell)}
    assert len(written) > 20 and written <= {*parts, *(field.name for field in fields(ModelPage))}, written
    assert yaml.safe_load(page)["trainer"]["max_steps"] <= 60  # every example is a matter of seconds


def test_the_readme_names_the_two_commands_and_they_are_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for script in ("scripts/quickstart", "scripts/test"):
        assert re.search(rf"^{script}\b", text, re.MULTILINE)
        assert os.access(ROOT / script, os.X_OK)
        assert "scripts/setup" in (ROOT / script).read_text(encoding="utf-8")


def test_every_decision_has_its_parts_and_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert len(pages) >= 9
    for number, path in enumerate(pages, 1):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ") and path.name in listed
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_the_log_points_at_files_that_exist() -> None:
    text = (ROOT / "docs" / "log.md").read_text(encoding="utf-8")
    named = re.findall(r"\(?`([a-z_]+(?:/[a-z_]+)*\.py)`", text)
    assert named and all((ROOT / "affectllm" / file).is_file() for file in named)


def test_the_citation_file_is_valid_and_of_this_version() -> None:
    """The required keys of the Citation File Format 1.2.0, and types of those we use."""
    page = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert page["cff-version"] == "1.2.0" and page["version"] == __version__
    assert all(isinstance(page[key], str) and page[key] for key in ("message", "title", "license", "type"))
    assert page["authors"] and all("name" in author or "family-names" in author for author in page["authors"])
    optional = {"keywords", "abstract", "date-released", "url", "repository-code", "doi", "identifiers", "references"}
    allowed = {
        "cff-version",
        "message",
        "type",
        "title",
        "version",
        "license",
        "authors",
        "preferred-citation",
    } | optional
    assert set(page) <= allowed


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(__version__)}\]", text, re.MULTILINE)
    sections = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


# ── the walk-throughs of CONTRIBUTING.md ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the walk-throughs, as a reader would write them."""
    for _, name, text in blocks(ROOT / "CONTRIBUTING.md"):
        if name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


_WRITTEN: dict[registry.Folder, str] = {
    **{"data_builders": "two_moods", "eval_tasks": "two_moods_mood", "recipes": "two_moods_tiny"},
    **{"recipes/mixtures": "two_moods_set", "families": "olmo2", "forms": "verdicts"},
    **{"methods": "sft_dft", "exports": "chat_lines", "lexicon": "eo", "reproductions": "two_moods_listeners"},
}
"""Shelf → the one file that its walk-through adds to it."""


def test_there_is_a_walk_through_for_each_kind(walked: Path) -> None:
    written = {path.relative_to(walked) for path in walked.rglob("*") if path.is_file()}
    for kind, name in _WRITTEN.items():
        path = registry.find(kind, name).relative_to(walked)
        mine = {
            one for one in written if one.is_relative_to(kind) and not (kind == "recipes" and "mixtures" in one.parts)
        }
        assert mine == {path}, "one file, and no other"


def test_the_metric_of_the_walk_through_is_one(walked: Path) -> None:
    """It lies in the package itself, so it is run from where the walk-through writes it."""
    lines = [
        f"exec(open({str(walked / 'metrics/labels/first_letter.py')!r}).read())",
        "from affectllm.metrics import METRICS",
        "found = METRICS['first_letter'](['joy', 'anger'], ['jest', None])",
        "assert found.value == 0.5 and found.unreadable == 0.5 and found.low is None",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_reproduction_of_the_walk_through_is_equal(walked: Path, capsys) -> None:
    words = ["two_moods_listeners", "--root", f"two_moods_votes={walked / 'two_moods_votes'}", "--json"]
    assert cli.main(["reproduce", *words]) == 0
    (page,) = json.loads(capsys.readouterr().out)
    assert [check["status"] for check in page["checks"]] == ["equal"] and page["checks"][0]["n"] == 12


def test_the_form_and_the_method_of_the_walk_throughs_are_found(walked: Path) -> None:
    lines = [
        "from affectllm.labels import LabelSpace",
        "from affectllm.labels.form import find_form",
        "from affectllm.train.method import find_method",
        "space = LabelSpace('s', 'set', ('joy', 'fear'), source='test')",
        "form = find_form('verdicts')",
        "assert form.worded(['joy'], space, 'en', 'none') == '{\"joy\": true, \"fear\": false}'",
        "assert form.read('joy: no, fear: yes', space, 'en') == ('fear',)",
        "assert find_method('sft_dft').fixed['loss_type'] == 'dft'",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_corpus_of_the_walk_through_is_as_its_card_promises(
    walked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from affectllm.corpus.builder import load_builder
    from affectllm.corpus.miniature import materialise

    root = f"two_moods={materialise(load_builder('two_moods').MINIATURE, walked / 'two_moods')}"
    assert main(["audit", "two_moods", "--root", root]) == 0
    assert main(["build", "two_moods", "--root", root]) == 0
    assert "as the card promises" in capsys.readouterr().out


_FAMILIES = sorted(str(path) for path in (ROOT / "tests" / "contracts").glob("test_families*.py"))


@pytest.mark.slow
def test_the_family_of_the_walk_through_holds_the_contract(walked: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *_FAMILIES, "-k", "olmo2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\d{2} passed", done.stdout)


def test_the_language_of_the_walk_through_holds_the_contract(walked: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/contracts/test_languages.py"]
    done = subprocess.run([*command, "-k", "eo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"1\d passed", done.stdout)


_CONTRACT = "tests/contracts/test_builders.py tests/contracts/test_tasks.py tests/contracts/test_reference_models.py"


@pytest.mark.slow
@pytest.mark.thorough  # each file of the walk-throughs is always tried, by the tests above
def test_every_block_of_the_walk_throughs_runs_as_it_is_written(walked: Path) -> None:
    script = "\n".join(text for language, _, text in blocks(ROOT / "CONTRIBUTING.md") if language == "bash")
    # The same tests, without installing anything and without starting workers of workers.
    test = f"(cd {shlex.quote(str(ROOT))} && {shlex.quote(sys.executable)} -m pytest -p no:cacheprovider {_CONTRACT} "
    forms = f"(cd {shlex.quote(str(ROOT))} && {shlex.quote(sys.executable)} -m pytest -p no:cacheprovider "
    script = script.replace("scripts/test tests/", f"{forms}tests/").replace("scripts/test ", test)
    script = re.sub(r"(-k (?:two_moods|verdicts))$", r"\1)", script, flags=re.MULTILINE)
    place = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=walked,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert re.search(r"\d+ passed", done.stdout) and " failed" not in done.stdout
    oracle, mute = (json.loads((walked / "scores" / name / "scores.json").read_text()) for name in ("oracle", "mute"))
    assert oracle["two_moods_mood"]["uar"]["value"] == 1.0
    choice = json.loads((walked / "scores/choice/scores.json").read_text())
    assert choice["two_moods_mood_choice"]["uar"]["value"] == 1.0
    assert mute["two_moods_mood"]["uar"]["unreadable"] == 1.0
    assert (walked / "runs/two_moods_tiny/report.html").stat().st_size > 10_000
    assert (walked / "runs/two_moods_tiny/train/final/adapter_model.safetensors").is_file()
