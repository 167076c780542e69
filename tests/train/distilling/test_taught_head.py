"""Heads that learn from the stored answers of a large model: how these are read, and that they are what is learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tuning import PAGE, losses, page_of

from affectllm.commands.parts.pipeline import train_only
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, BadRecipe, Malformed, NotFound
from affectllm.evaluate.run import evaluate
from affectllm.instruct.conversation import Conversation
from affectllm.instruct.slots import Slot
from affectllm.instruct.stage import build_mixture
from affectllm.labels import LabelSpace
from affectllm.model.heads.answers import Answers
from affectllm.model.heads.folder import load_head
from affectllm.predict.lines import as_json
from affectllm.predict.predicting import Prediction
from affectllm.respond.heads import HeadResponder
from affectllm.train.data import load_rows
from affectllm.train.distilling import answers as reading
from affectllm.train.distilling.answers import read_answers, taught
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train, train_inputs

PART = PAGE["data"]["mixture"][0]
WORDS = {**PART, "modalities": ["text"], "rater": "words"}
FROZEN = {"model": {"path": "tiny:qwen2", "backbone": "qwen2", "freeze": ["language"]}, "data": {"mixture": [WORDS]}}
NAMES = ("neutral", "happiness", "sadness", "anger", "fear")
TASK = """# demo_affect: all of its words, to be labelled by a large model.
task: all_words
class: !function affectllm.evaluate.task.AffectTask
corpus: demo_affect
split: all
template: emotion_choice
gold: {space: demo_affect_5, rater: words}
modalities: [text]
metrics: [accuracy]
metadata: {version: 1}
matrix:
  by: {reply: {}, choice: {output_type: multiple_choice}}
"""


def written(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def rows(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Training rows about words."""
    folder = tmp_path_factory.mktemp("rows")
    recipe = load_recipe(str(page_of("head", folder, **FROZEN)))
    build_mixture(recipe.data, recipe.seed, {"demo_affect": small_demo}, folder / "run")
    return list(load_rows(folder / "run" / "build", "train"))


@pytest.mark.slow
def test_answers_and_likelihoods_of_an_evaluation_are_read(
    rows: list[dict[str, Any]], small_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page with ``split: all`` asks about the training rows too; a model that writes nothing teaches nothing."""
    (tmp_path / "eval_tasks").mkdir()
    (tmp_path / "eval_tasks" / "all_words.yaml").write_text(TASK)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    answers = Answers("classes", NAMES)
    gold = torch.tensor([NAMES.index(row["value"]) for row in rows])
    for task in ("all_words", "all_words_choice"):
        evaluate([task], "affectllm-oracle", tmp_path / task, roots={"demo_affect": small_demo})
        shares = taught(str(tmp_path / task), answers, rows)
        assert shares.argmax(1).equal(gold) and shares.sum(1).tolist() == pytest.approx([1.0] * len(rows))
        # The oracle's likelihoods are 0 for the right label and -1 for the others.
        assert float(shares.max()) == pytest.approx(1.0 if task == "all_words" else 1 / (1 + 4 / 2.718281828))
    evaluate(["all_words"], "affectllm-mute", tmp_path / "mute", roots={"demo_affect": small_demo})
    with pytest.raises(BadRecipe, match=f"none of the {len(rows)} rows has an answer among the 0"):
        taught(str(tmp_path / "mute"), answers, rows)
    (results,) = (tmp_path / "all_words_choice").glob("results_*.json")
    results.unlink()
    with pytest.raises(NotFound, match="the results that name their labels are not beside it"):
        read_answers(str(tmp_path / "all_words_choice"))


def test_lines_of_every_kind_are_read(rows: list[dict[str, Any]], tmp_path: Path, capsys: Any) -> None:
    """Predictions with and without likelihoods, lines of one's own, several answers about one sample."""
    first, second, third, fourth, *_ = (row["sample"] for row in rows)
    predictions = [
        Prediction(first, {"answer": "fear"}, {"fear": 0.6, "anger": 0.4}, shown=("text",)),
        Prediction(second, {"answer": "anger"}, reply="anger", shown=("text",)),
        Prediction(third, {"answer": None}, reply="hm", shown=("text",), reason="unreadable:no_label"),
    ]
    lines = [json.loads(as_json(one)) for one in predictions]
    own = [
        {"id": fourth, "corpus": "demo_affect", "answer": "fear"},
        {"id": fourth, "answer": "anger"},
        {"corpus": "another", "id": third, "answer": "fear"},
    ]
    path = written(tmp_path / "answers.jsonl", [*lines, *own])
    shares = taught(path, Answers("classes", NAMES), rows)
    assert shares[:2].tolist() == [pytest.approx([0, 0, 0, 0.4, 0.6]), [0, 0, 0, 1, 0]]
    assert shares[2].isnan().all() and shares[3].tolist() == [0, 0, 0, 0, 1]  # its own corpus comes first
    shown = capsys.readouterr().err
    assert f"answers about 3 of {len(rows)} training rows" in shown and "1 × unreadable:no_label" in shown


def test_sets_scores_numbers_and_shares_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def read(kind: Any, names: tuple[str, ...], slot: Slot, value: Any) -> list[float]:
        monkeypatch.setattr(reading, "slot_of", lambda row: slot)
        path = written(tmp_path / "one.jsonl", [{"id": "s", "answer": value}])
        values: list[float] = taught(path, Answers(kind, names), [{"sample": "s", "corpus": "c"}], tell=False)[
            0
        ].tolist()
        return values

    joy_fear = Slot("answer", "set", LabelSpace("two", "set", ("joy", "fear"), source="x"), "r")
    assert read("labels", ("fear", "joy"), joy_fear, ["joy"]) == [0.0, 1.0]
    assert read("labels", ("fear", "joy"), joy_fear, []) == [0.0, 0.0]
    assert read("labels", ("fear", "joy"), joy_fear, {"joy": 0.25, "fear": 1.0}) == [1.0, 0.25]
    felt = Slot(
        "answer", "scores", LabelSpace("va", "dimension", ("valence", "arousal"), bounds=(1.0, 9.0), source="x"), "r"
    )
    assert read("numbers", ("valence", "arousal"), felt, {"valence": 3.0, "arousal": 9.0}) == [0.25, 1.0]
    shared = Slot("answer", "shares", LabelSpace("d", "distribution", ("joy", "fear"), source="x"), "r")
    assert read("shares", ("joy", "fear"), shared, {"joy": 3.0, "fear": 1.0}) == [0.75, 0.25]
    for kind, slot, value, message in (
        ("labels", joy_fear, {"joy": 1.5}, "probabilities are"),
        ("classes", joy_fear, ["joy", "fear"], "the head gives classes"),
        ("classes", joy_fear, {"joy": 0.0}, "all 0"),
        ("classes", joy_fear, {"joy": True}, "joy is True"),
        ("numbers", felt, "valence", "the head gives numbers"),
        ("classes", joy_fear, "envy", "answers 'envy', which the head does not give"),
    ):
        with pytest.raises(Malformed, match=message):
            read(kind, slot.space.names, slot, value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "no JSON object"),
        ('{"id": "a"}', "names no sample"),
        ('{"answer": "a"}', "no sample"),
    ],
)
def test_a_line_that_is_no_answer_is_named(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"id": "x", "answer": "joy"}}\n\n{line}\n')
    with pytest.raises(Malformed, match=message) as caught:
        read_answers(str(tmp_path / "a.jsonl"))
    assert caught.value.where.endswith("a.jsonl:3")


@pytest.mark.slow
def test_a_head_learns_what_the_teacher_says(rows: list[dict[str, Any]], small_demo: Path, tmp_path: Path) -> None:
    """Of a teacher that takes each emotion for the next one: it is believed, and a validation says that it is wrong."""
    wrong = [{"id": row["sample"], "answer": NAMES[(NAMES.index(row["value"]) + 1) % 5]} for row in rows]
    path = written(tmp_path / "wrong.jsonl", wrong)
    steps = {"max_steps": 100, "per_device_train_batch_size": 16, "learning_rate": 1.0e-2}
    trainer = {**steps, "eval_strategy": "steps", "eval_steps": 100, "load_best_model_at_end": False}
    page = page_of(
        "head",
        tmp_path,
        **FROZEN,
        trainer=trainer,
        head={"pooling": "mean", "teacher": {"answers": path, "weight": 1.0}},
    )
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    head = load_head(str(tmp_path / "run" / "train" / "final"))
    outputs = dict(HeadResponder(head).outputs([Conversation.from_row(row).asked for row in rows], {}))
    names = head.head.answers.names
    said = [names[int(outputs[number].argmax())] for number in range(len(rows))]
    assert sum(one == line["answer"] for one, line in zip(said, wrong, strict=True)) > 0.9 * len(rows)
    assert head.head.held_out["loss"] > 2.0 and losses(tmp_path / "run")[-1] < 0.5
    before = train_inputs(load_recipe(str(page)), tmp_path / "run")
    written(tmp_path / "wrong.jsonl", wrong[:-1])
    assert train_inputs(load_recipe(str(page)), tmp_path / "run") != before  # so that it is trained again


@pytest.mark.slow
@pytest.mark.parametrize(
    "peft",
    [pytest.param(None, marks=pytest.mark.thorough, id="full"), pytest.param({"r": 4, "lora_alpha": 8}, id="lora")],
)
def test_teacher_and_prototypes_move_a_head_with_clips(
    peft: dict[str, Any] | None, rows: list[dict[str, Any]], small_demo: Path, tmp_path: Path
) -> None:
    shares = [{"id": row["sample"], "likelihoods": {name: 0.2 for name in NAMES} | {row["value"]: 0.9}} for row in rows]
    grid = torch.nn.functional.one_hot(torch.arange(5), 8).float().tolist()
    vectors = [{"label": name, "vector": vector} for name, vector in zip(NAMES, grid, strict=True)]
    (tmp_path / "p.json").write_text(json.dumps(vectors))
    head = {
        "hidden": [8],
        "teacher": {"answers": written(tmp_path / "shares.jsonl", shares), "weight": 0.5, "temperature": 2.0},
        "prototypes": {"path": str(tmp_path / "p.json"), "weight": 0.5},
    }
    trainer = {
        "max_steps": 3,
        "per_device_train_batch_size": 16,
        "save_strategy": "no",
        "lr_scheduler_type": "constant",
        "learning_rate": 3.0e-4,
    }
    page = page_of("head", tmp_path, head=head, trainer=trainer, peft=peft)
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    first, second, third = losses(tmp_path / "run")
    assert third < second < first
    assert load_head(str(tmp_path / "run" / "train" / "final")).head.page.teacher is not None


@pytest.mark.parametrize(
    ("head", "message", "line"),
    [
        ({"teacher": {"answers": "x", "weight": 2.0}}, "head.teacher.weight must be above 0", "    weight:"),
        ({"teacher": {"answers": "x", "temperature": 0.0}}, "head.teacher.temperature must be", "    temperature:"),
        ({"teacher": {"weight": 0.5}}, "head.teacher lacks answers", "  teacher:"),
        ({"teacher": {"answers": "x", "heat": 2.0}}, "unknown key 'heat'", "    heat:"),
        ({"prototypes": {"path": "x", "weight": 0.0}}, "head.prototypes.weight must be above 0", "    weight:"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_page_is_refused_with_its_line(head: dict[str, Any], message: str, line: str, tmp_path: Path) -> None:
    page = page_of("head", tmp_path, **FROZEN, head=head)
    with pytest.raises(BadRecipe, match=message) as caught:
        load_recipe(str(page))
    assert page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1].startswith(line)


def test_numbers_have_no_temperature_and_rewards_no_teacher(tmp_path: Path) -> None:
    scores = {
        "corpus": "deam",
        "template": "music_scores",
        "space": "deam_va",
        "rater": "mean",
        "modalities": ["audio"],
    }
    speech = {"model": {"path": "tiny:speech_encoder", "backbone": "speech_encoder"}, "data": {"mixture": [scores]}}
    page = page_of("head", tmp_path, **speech, head={"teacher": {"answers": "x", "temperature": 2.0}})
    with pytest.raises(BadRecipe, match="have no temperature"):
        load_recipe(str(page))
    with pytest.raises(BadRecipe, match="is for classes or labels or numbers or shares, and this head gives reward"):
        load_recipe(str(page_of("reward", tmp_path, head={"teacher": {"answers": "x"}})))
    tiny = load_recipe(str(page), ["head.teacher.temperature=1.0", "model=tiny"])
    assert tiny.head is not None and tiny.head.teacher is None


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"teacher": {"answers": "nowhere.jsonl"}}, "there are no answers of a teacher at nowhere.jsonl"),
        ({"prototypes": {"path": "nowhere.json"}}, "there is no file of prototypes nowhere.json"),
    ],
)
def test_a_file_that_is_missing_is_named_before_any_work(
    head: Any, message: str, small_demo: Path, tmp_path: Path
) -> None:
    page = page_of("head", tmp_path, **FROZEN, head=head)
    with pytest.raises(NotFound, match=message):
        train_only(str(page), [], Roots.parse([f"demo_affect={small_demo}"]), tmp_path / "run", None)
    assert not (tmp_path / "run" / "build").exists()


@pytest.mark.parametrize(
    ("hidden", "message"),
    [
        ([], "a frozen model nothing can be drawn"),
        ([4], "the prototypes have 2 numbers, and what the last layer takes has 4"),
    ],
)
def test_prototypes_that_draw_nothing_are_refused(
    hidden: list[int], message: str, small_demo: Path, tmp_path: Path
) -> None:
    (tmp_path / "p.json").write_text('[{"label": "fear", "vector": [1, 2]}]')
    page = page_of(
        "head", tmp_path, **FROZEN, head={"hidden": hidden, "prototypes": {"path": str(tmp_path / "p.json")}}
    )
    with pytest.raises(AffectError, match=message):
        train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
