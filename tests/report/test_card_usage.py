"""The model card: its code runs with transformers alone, its header is what the Hub reads, its gaps are computed."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from adapting import edit_config, make_adapter
from logged_run import logged, make_logged
from made_run import make_builder, make_run

from affectllm.corpus.miniature import Picture, Tone, materialise
from affectllm.model.load import load_model
from affectllm.report.cards.licence import verdict
from affectllm.report.cards.modelcard import CardFacts, model_card
from affectllm.report.cards.usage import question_asked, transformers_code, widget
from affectllm.report.publish import publish
from affectllm.report.runfolder import read_run
from affectllm.report.trained import Trained


def trained(weights: Path, family: str, modalities: Sequence[str], **fields: object) -> Trained:
    page = {"model": {"path": f"tiny:{family}", "backbone": family}, **fields}
    adapter = (weights / "adapter_config.json").is_file()
    return Trained(weights, adapter, f"tiny:{family}", {}, (), (), tuple(modalities), "", page)


def saved(folder: Path, family: str) -> Path:
    model = load_model(f"tiny:{family}")
    model.model.save_pretrained(folder)
    model.processor.save_pretrained(folder)
    return folder


def run_code(code: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert len(code.splitlines()) <= 10 and "affectllm" not in code
    capsys.readouterr()
    exec(code, {"__name__": "card"})
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("family", "modalities"),
    [
        pytest.param("qwen2", ["text"], marks=pytest.mark.thorough),
        ("qwen2_audio", ["audio", "text"]),
        pytest.param("qwen2_5_vl", ["image", "text"], marks=pytest.mark.thorough),
    ],
)
def test_the_code_of_a_card_runs_with_transformers_alone(
    family: str, modalities: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    materialise({"clip.wav": Tone(), "clip.png": Picture()}, tmp_path)
    monkeypatch.chdir(tmp_path)
    weights = saved(tmp_path / "model", family)
    code = transformers_code("model", trained(weights, family, modalities))
    assert code is not None and ("clip." in code) == (family != "qwen2")
    assert run_code(code, capsys)


def test_an_adapter_is_put_on_its_base_by_the_same_code(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "base", "qwen2")
    adapter = make_adapter(tmp_path / "adapter", "tiny:qwen2")
    edit_config(adapter, base_model_name_or_path=str(tmp_path / "base"))
    load_model("tiny:qwen2").processor.save_pretrained(adapter)
    code = transformers_code("adapter", trained(adapter, "qwen2", ["text"]))
    assert code is not None
    alone = code.replace('CausalLM.from_pretrained("adapter"', 'CausalLM.from_pretrained("base"')
    assert alone != code and run_code(code, capsys) != run_code(alone, capsys)


def test_what_transformers_does_not_know_has_no_such_code(tmp_path: Path) -> None:
    assert transformers_code("me/x", trained(tmp_path, "no_such_family", ["text"])) is None


def test_the_question_is_that_of_the_training_about_words_of_ours(tmp_path: Path) -> None:
    part = {
        "corpus": "meld",
        "template": "emotion_choice",
        "space": "meld_7",
        "rater": "annotators",
        "modalities": ["text"],
    }
    asked = trained(tmp_path, "qwen2", ["text"], data={"mixture": [part]})
    question = question_asked(asked)
    assert "I lost my keys" in question and "surprise" in question
    assert widget(asked) == [{"messages": [{"role": "user", "content": question}]}]
    for page in ({}, {"data": {"mixture": "everything"}}, {"data": {"mixture": [{**part, "corpus": "gone"}]}}):
        assert question_asked(trained(tmp_path, "qwen2", ["text"], **page)).startswith("Which emotion")
    assert widget(trained(tmp_path, "qwen2_audio", ["audio", "text"])) is None


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECTLLM_PATH", str(make_builder(tmp_path / "local")))
    sys.modules.pop("affectllm.data_builders.toy", None)
    return make_run(tmp_path / "run")


def test_the_results_in_the_header_are_what_the_hub_reads(run: Path) -> None:
    from huggingface_hub import ModelCard

    folder = publish(run, "me/toy", dry_run=True)
    assert isinstance(folder, Path)
    data = ModelCard.load(folder / "README.md").data
    scores = read_run(run).evaluation.scores["toy_emotion"]  # type: ignore[union-attr]
    assert [result.metric_value for result in data.eval_results] == [round(s["value"], 6) for s in scores.values()]
    assert {result.dataset_type for result in data.eval_results} == {"toy"} and data.model_name == "toy"
    assert {result.metric_type for result in data.eval_results} == {"accuracy", "f1", "recall"}
    assert all("95 % interval [" in result.metric_name for result in data.eval_results)


def test_a_value_that_is_no_number_is_on_the_card_and_not_in_the_header(run: Path) -> None:
    from huggingface_hub import ModelCard

    path = run / "eval" / "scores.json"
    path.write_text(re.sub(r'"value": [\d.]+', '"value": NaN', path.read_text(), count=1))
    folder = publish(run, "me/toy", dry_run=True)
    assert isinstance(folder, Path)
    data = ModelCard.load(folder / "README.md").data
    assert len(data.eval_results) == 2 and all(math.isfinite(result.metric_value) for result in data.eval_results)


def test_the_card_says_how_far_groups_are_apart_and_whom_to_cite(run: Path, tmp_path: Path) -> None:
    rows = logged(240, skill=lambda about: 0.9 if about["sex"] == "male" else 0.3)
    evaluation = make_logged(tmp_path / "scored", rows)
    weights = trained(run / "train" / "final", "qwen2_5_omni", ["audio", "text"])
    card = model_card(CardFacts("me/toy", weights, read_run(evaluation), verdict([])))
    (line,) = [line for line in card.splitlines() if line.startswith("| sex |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1] == "2" and cells[4:6] == ["male", "female"]
    low, high = map(float, re.findall(r"-?\d\.\d+", cells[3]))
    assert low < float(cells[2]) < high and float(cells[2]) > 0.3
    assert "@misc{toy," in card and "https://huggingface.co/me/toy" in card
