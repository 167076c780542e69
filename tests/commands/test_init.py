"""A project of one's own: what is begun runs as it stands, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from tuning import command

from affectllm.cli import main
from affectllm.evaluate.shelf import task_sources
from affectllm.train.recipe import load_recipe


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The commands that `affectllm init` says, in its folder, where its environment holds."""
    assert main(["init", str(tmp_path / "mine"), "--name", "calls"]) == 0
    place, variables, *commands = capsys.readouterr().out.splitlines()
    assert place == f"cd {tmp_path / 'mine'}" and ".env" in variables
    monkeypatch.chdir(tmp_path / "mine")
    for name, value in re.findall(r"^(\w+)=(.+)$", Path(".env").read_text(), re.MULTILINE):
        monkeypatch.setenv(name, value)
    return commands


def test_its_pages_are_found_and_its_corpus_is_as_promised(project: list[str], capsys) -> None:
    assert [line.split()[1] for line in project] == ["audit", "run", "eval"]
    assert main(shlex.split(project[0])[1:]) == 0
    assert "as the card promises" in capsys.readouterr().out
    assert load_recipe("calls").eval.tasks == ("calls_mood",) and set(task_sources(["calls_mood"])) == {"calls_mood"}
    readme = Path("README.md").read_text()
    assert all(line in readme for line in project) and "NAME" not in readme.replace("--name", "")


@pytest.mark.slow(minutes=1)
@pytest.mark.thorough  # the line itself is tried in test_pipeline
def test_its_commands_run_as_they_stand(project: list[str]) -> None:
    for line in project:
        done = subprocess.run(
            command(*shlex.split(line)[1:]), capture_output=True, text=True, env=dict(os.environ), check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
    again = subprocess.run(command("run", "calls", "--json"), capture_output=True, text=True, check=True)
    ((report, scores),) = [one.values() for one in json.loads(again.stdout)]
    tuned, majority = (scores[name]["calls_mood"]["uar"]["value"] for name in ("tuned model", "reference: majority"))
    assert tuned > 0.9 > majority and Path(report).is_file()


@pytest.mark.parametrize("words", [["--name", "Calls!"], ["--name", "emodb"], []])
def test_nothing_is_overwritten_and_a_name_is_a_name(tmp_path: Path, capsys, words: list[str]) -> None:
    if not words:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.tex").write_text("five years")
    before = sorted(tmp_path.rglob("*"))
    assert main(["init", str(tmp_path / "mine"), *words]) == 2
    assert sorted(tmp_path.rglob("*")) == before and "→" in capsys.readouterr().err
