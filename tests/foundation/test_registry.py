"""Names → files: built in, installed, local; one name in two places is refused, and what is broken is shown by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from affectllm import registry
from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.errors import Malformed, NotFound

ROOT = Path(__file__).parents[2]


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "kind",
    [
        "data_builders",
        "eval_tasks",
        "recipes",
        "recipes/mixtures",
        "recipes/compositions",
        "recipes/hints",
        "recipes/linear",
    ],
)
def test_what_is_listed_is_what_lies_in_the_folder(kind: registry.Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFECTLLM_PATH", raising=False)
    there = {path.relative_to(ROOT / kind) for path in (ROOT / kind).rglob(f"*{registry.SUFFIX[kind]}")}
    others = ("launch", "mixtures", "compositions", "hints", "linear") if kind == "recipes" else ()
    members = [path.with_suffix("") for path in there if path.name[0] != "_" and path.parts[0] not in others]
    listed = {path.as_posix() if kind.startswith("recipes") else path.name for path in members}
    assert set(registry.names(kind)) == listed and len(listed) == len(members) > 0


def test_a_local_folder_adds_its_files_and_subfolders_name_them(local: Path) -> None:
    mine = put(local / "recipes" / "my_family_7b" / "sft.yaml")
    put(local / "data_builders" / "mine.py")
    put(local / "eval_tasks" / "mine_emotion.yaml")
    assert registry.names("recipes")["my_family_7b/sft"] == mine == registry.find("recipes", "my_family_7b/sft")
    assert "mine" in registry.names("data_builders") and "mine_emotion" in registry.names("eval_tasks")


def test_several_local_folders_are_searched_and_absent_ones_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a" / "recipes" / "first.yaml")
    put(tmp_path / "b" / "recipes" / "second.yaml")
    places = [tmp_path / "a", tmp_path / "nowhere", tmp_path / "b"]
    monkeypatch.setenv("AFFECTLLM_PATH", os.pathsep.join(map(str, places)) + os.pathsep)
    assert {"first", "second"} <= set(registry.names("recipes"))


@pytest.mark.parametrize("name", [".hidden.py", "._meld.py", "_shared.py", "__init__.py", "notes.txt", "old.py.bak"])
def test_hidden_files_helpers_and_other_kinds_are_no_entries(name: str, local: Path) -> None:
    before = set(registry.names("data_builders"))
    put(local / "data_builders" / name, "raise SystemExit")
    assert set(registry.names("data_builders")) == before


def test_launch_configurations_are_no_recipes(local: Path) -> None:
    put(local / "recipes" / "launch" / "cluster.yaml")
    assert not any("cluster" in name or "ddp" in name for name in registry.names("recipes"))


def test_a_name_in_two_places_is_refused_with_both(local: Path) -> None:
    mine = put(local / "data_builders" / "meld.py")
    with pytest.raises(Malformed) as caught:
        registry.names("data_builders")
    assert str(mine) in str(caught.value) and str(ROOT / "data_builders" / "dialogue" / "meld.py") in str(caught.value)


def test_listing_runs_nothing_of_the_files(local: Path) -> None:
    put(local / "data_builders" / "exploding.py", "raise RuntimeError('imported')")
    assert "exploding" in registry.names("data_builders")


@pytest.mark.parametrize(
    ("kind", "typed", "meant"),
    [
        ("data_builders", "crema-d", "crema_d"),
        ("eval_tasks", "emodb_emotions", "emodb_emotion"),
        ("recipes", "quickstrat", "quickstart"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(kind: registry.Folder, typed: str, meant: str) -> None:
    with pytest.raises(NotFound) as caught:
        registry.find(kind, typed)
    assert typed in caught.value.what and meant in caught.value.do


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("import no_such_module_at_all\n", 1, "no_such_module_at_all"),
        ("x = 1\ny = (\n", 2, "SyntaxError"),
        ("\n\nraise ValueError('half an edit')\n", 3, "half an edit"),
    ],
)
def test_a_broken_builder_is_shown_as_broken_and_hides_no_other(
    text: str, line: int, message: str, local: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = put(local / "data_builders" / "unfinished.py", text)
    with pytest.raises(Malformed, match=message) as caught:
        load_builder("unfinished")
    assert caught.value.where == f"{broken}:{line}"
    assert main(["ls", "corpora"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("unfinished" in row and "BROKEN" in row and message in row for row in lines)
    assert any(row.startswith("meld ") for row in lines)


def test_an_installed_package_brings_its_own(tmp_path: Path) -> None:
    put(tmp_path / "their_affect" / "__init__.py")
    put(tmp_path / "their_affect" / "recipes" / "theirs.yaml", "# A recipe of an installed package.\n")
    put(
        tmp_path / "their_affect-1.0.dist-info" / "METADATA",
        "Metadata-Version: 2.1\nName: their-affect\nVersion: 1.0\n",
    )
    put(tmp_path / "their_affect-1.0.dist-info" / "entry_points.txt", "[affectllm.folders]\ntheirs = their_affect\n")
    done = subprocess.run(
        [sys.executable, "-m", "affectllm.cli", "ls", "recipes"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "A recipe of an installed package." in done.stdout
