"""Without a command, and with a misspelt one: what is at hand, and what to do next."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from affectllm.cli import main
from affectllm.run import Run


def stage(folder: Path, *, finished: bool) -> None:
    """A stage's folder as a run leaves it, or as one that was cut off does."""
    with suppress(KeyboardInterrupt), Run(folder, folder.name, {}):
        if not finished:
            raise KeyboardInterrupt


def test_what_is_at_hand_is_said_with_the_commands_that_go_on(tmp_path: Path, monkeypatch, capsys) -> None:
    for name in ("emodb", "meld", "not_a_corpus"):
        (tmp_path / "corpora" / name).mkdir(parents=True)
    stage(tmp_path / "runs/small/speech_tiny/build", finished=True)
    stage(tmp_path / "runs/small/speech_tiny/train", finished=False)
    stage(tmp_path / "runs/done/build", finished=True)
    (tmp_path / "runs/done/report.html").write_text("")
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(tmp_path / "corpora"))
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "corpora here: emodb, meld\n" in out and "not_a_corpus" not in out
    assert "cut off: runs/small/speech_tiny\n" in out and "finished: runs/done\n" in out
    assert "affectllm run small/speech_tiny --out runs/small/speech_tiny" in out
    assert "affectllm report runs/done" in out and "affectllm audit emodb" in out


def test_where_nothing_is_at_hand_it_says_how_to_begin(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert "no corpus is named" in (out := capsys.readouterr().out) and "affectllm init DIR" in out


@pytest.mark.parametrize(
    ("word", "meant"), [("traim", "`affectllm train`"), ("predcit", "`affectllm predict`"), ("xyz", "lists them")]
)
def test_a_misspelt_command_is_answered_with_the_nearest(word: str, meant: str, capsys) -> None:
    assert main([word]) == 2
    assert meant in capsys.readouterr().err
