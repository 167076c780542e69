"""What the page asks a model: the same as `affectllm predict`, and again without each thing that it was given."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from affectllm.cli import main
from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.demo.asking import Contender, ablation_rows, ablations, bars, moment, question_of
from affectllm.demo.command import askable_templates
from affectllm.errors import AffectError
from affectllm.model.load import load_model
from affectllm.predict.answering import Answering
from affectllm.predict.items import ROOTS
from affectllm.predict.predicting import Prediction
from affectllm.respond.in_process import InProcess

OMNI = "tiny:qwen2_5_omni"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    materialise({"film.mp4": Clip(), "a.wav": Tone(), "notes.md": b"words"}, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_answers_are_those_of_predict_with_fewer_modalities(folder: Path, capsys) -> None:
    contender = Contender(OMNI, Answering(InProcess(load_model(OMNI), end_of_turn=True), ROOTS))
    sample, question = moment([str(folder / "film.mp4"), None, None], ""), question_of("emotion_choice", "", "en")
    full = contender.ask(sample, question)
    without = dict(ablations(contender, sample, question, full))
    assert full.shown == ("video", "audio") and list(without) == ["saw no film", "heard nothing"]
    shown = {"video,audio": full, "audio": without["saw no film"], "video": without["heard nothing"]}
    for modalities, one in shown.items():
        capsys.readouterr()
        assert main(["predict", "film.mp4", "--model", OMNI, "--modalities", modalities, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["likelihoods"] == pytest.approx(dict(one.likelihoods), abs=1e-4)
    (label,) = full.answer.values()
    best = max(full.likelihoods.values())
    rows = ablation_rows(full, list(without.items()))
    assert rows[0] == ["given everything", label, f"{best:.3f}"]
    assert [row[0] for row in rows[1:]] == list(without)
    assert rows[2][2] == f"{without['heard nothing'].likelihoods[label]:.3f}"


def test_one_thing_alone_is_not_taken_away(folder: Path) -> None:
    one = Prediction("moment", {"emotion": "joy"}, {"joy": 0.7, "fear": 0.3}, shown=("audio",))
    assert list(ablations(None, None, None, one)) == []  # type: ignore[arg-type]  # nobody is asked
    assert bars(one) == {"joy": 0.7, "fear": 0.3}


def test_a_model_that_tells_no_likelihoods_has_no_bars() -> None:
    assert bars(Prediction("moment", {"emotion": "joy"}, reply="joy", shown=("text",))) == "joy"
    assert bars(Prediction("moment", reason="model_takes_no_video")) == "no answer: model_takes_no_video"


@pytest.mark.parametrize(
    ("clips", "words", "message"),
    [([None, None, None], "  ", "nothing to ask about"), (["notes.md"], "", r"notes\.md is no film, sound or picture")],
)
def test_what_cannot_be_shown_is_said(clips: list[str | None], words: str, message: str) -> None:
    with pytest.raises(AffectError, match=message):
        moment(clips, words)


def test_questions_that_need_more_than_a_moment_are_not_offered() -> None:
    names = askable_templates()
    assert "emotion_choice" in names and "comparison" not in names
    for template, labels, language in (("comparison", "", "en"), ("emotion_choice", "one", "en"), ("none", "", "en")):
        with pytest.raises(AffectError):
            question_of(template, labels, language)


def test_without_gradio_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)  # as Python marks what cannot be imported
    assert main(["demo", OMNI]) == 2
    assert capsys.readouterr().err == (
        "error: this needs gradio, which is not installed\n  → pip install 'affectllm[demo]'\n"
    )


def test_a_demo_without_a_model_and_standings_without_votes_say_what_to_do(capsys) -> None:
    for words, what in ((["demo"], "no model is named"), (["demo", "--standings", "none.jsonl"], "there are no votes")):
        assert main(words) == 2
        assert what in capsys.readouterr().err
