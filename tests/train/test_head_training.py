"""Training a head: what is saved answers as it did, on frozen, adapted and tuned backbones, and tasks are scored."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from tuning import PAGE, logged, losses, page_of

from affectllm.cli import main
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate.run import evaluate
from affectllm.instruct.conversation import Conversation
from affectllm.model.heads.folder import LoadedHead, load_head
from affectllm.model.load import load_model
from affectllm.respond.heads import HeadResponder
from affectllm.respond.responder import Ask
from affectllm.train.data import load_rows
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train

WORDS = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words"}
STEPS = {"max_steps": 4, "per_device_train_batch_size": 8, "eval_strategy": "steps", "eval_steps": 2}
LANGUAGE = {"path": "tiny:qwen2", "backbone": "qwen2"}


def trained(root: Path, out: Path, **changes: Any) -> Path:
    """The folder of a head, trained on the words of synthetic clips where nothing else is said."""
    page = {"data": {"mixture": [WORDS]}, "model": LANGUAGE, **changes}
    out.mkdir(exist_ok=True)
    train(str(page_of("head", out, **page)), [], [f"demo_affect={root}"], out)
    return out / "train" / "final"


def outputs(head: LoadedHead, build: Path, root: Path) -> tuple[list[Any], list[Any]]:
    """What a head makes of the validation rows, and their gold values."""
    rows = [Conversation.from_row(row) for row in load_rows(build, "validation")]
    answered = dict(HeadResponder(head).outputs([row.asked for row in rows], {"demo_affect": root}))
    return [answered[number] for number in range(len(rows))], [row.gold for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "files", "batch"),
    [
        ({"peft": {"r": 4, "lora_alpha": 8}}, {"adapter_model.safetensors"}, "tokens"),
        ({"model": {**LANGUAGE, "freeze": ["language"]}, "head": {"hidden": [16]}}, {"head.safetensors"}, "8 vectors"),
        ({}, {"head.safetensors", "model.safetensors"}, "tokens"),
        (
            {"model": {"path": "tiny:text_encoder", "backbone": "text_encoder"}, "head": {"pooling": "first"}},
            {"head.safetensors", "model.safetensors"},
            "tokens",
        ),
    ],
    ids=("lora", "frozen", "full", "encoder"),
)
def test_what_is_saved_answers_as_what_was_trained(
    how: dict[str, Any],
    files: set[str],
    batch: str,
    small_demo: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The loss of the loaded head on the validation rows is that of the last validation of the training.

    What the training needs was told before.
    """
    folder = trained(small_demo, tmp_path / "run", trainer={**STEPS, "load_best_model_at_end": False}, **how)
    assert re.search(rf"memory: about .* \(a batch of [\d,]* ?{batch}\)", capsys.readouterr().err)
    assert {path.name for path in folder.glob("*.safetensors")} == files
    head = load_head(str(folder))
    shares, gold = outputs(head, tmp_path / "run" / "build", small_demo)
    own = [float(row[head.head.answers.names.index(name)]) for row, name in zip(shares, gold, strict=True)]
    logs = logged(tmp_path / "run", "eval_loss")
    assert -sum(map(math.log, own)) / len(own) == pytest.approx(logs[-1], abs=2e-4)
    assert head.head.held_out["loss"] == pytest.approx(logs[-1]) and set(head.head.held_out) == {
        "loss",
        "uar",
        "accuracy",
    }
    with pytest.raises(AffectError, match="a head, which writes nothing"):
        load_model(str(folder))


@pytest.mark.slow
def test_heads_are_scored_by_the_tasks_of_language_models(small_demo: Path, tmp_path: Path) -> None:
    """By reply and by likelihood alike, on a head that has learned the words."""
    frozen = {"model": {**LANGUAGE, "freeze": ["language"]}, "head": {"pooling": "mean"}}
    steps = {"max_steps": 120, "per_device_train_batch_size": 16, "learning_rate": 1.0e-2, "logging_steps": 60}
    folder = trained(small_demo, tmp_path / "run", trainer=steps, **frozen)
    assert losses(tmp_path / "run")[-1] < 0.5 * losses(tmp_path / "run")[0]
    tasks = ["demo_affect_emotion", "demo_affect_emotion_choice"]
    common: dict[str, Any] = {"model_args": {"pretrained": str(folder)}, "roots": {"demo_affect": small_demo}}
    scores = evaluate(tasks, "affectllm-head", tmp_path / "eval", modalities=["text"], **common)
    by_reply, by_choice = (scores[task]["accuracy"]["value"] for task in tasks)
    assert by_reply == by_choice >= 0.6
    responder = HeadResponder(load_head(str(folder)))
    row = Conversation.from_row(load_rows(tmp_path / "run" / "build", "validation")[0])
    assert main(["predict", "--text", row.text, "--model", str(folder), "--labels", "joy,calm"]) == 2
    (reply,) = dict(responder.replies([Ask(row.asked, 8)], {})).values()
    names = list(responder.head.head.answers.names)
    (values,) = dict(responder.likelihoods([(row.asked, names)], {})).values()
    assert reply == names[values.index(max(values))] and sum(map(math.exp, values)) == pytest.approx(1.0)
    with pytest.raises(Malformed, match="'boredom' is none of the classes of this head"):
        list(responder.likelihoods([(row.asked, ["boredom"])], {}))


@pytest.mark.slow
@pytest.mark.thorough  # the contracts of methods train one
def test_a_reward_puts_the_better_answer_above_the_worse_one(
    small_demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By more and more, and more than the margin on the rows that it has learned; loaded again it does the same."""
    part = {**WORDS, "rejected": "other_label"}
    trainer = {"max_steps": 30, "per_device_train_batch_size": 16, "save_strategy": "no", "learning_rate": 3.0e-3}
    page = {"data": {"mixture": [part]}, "model": LANGUAGE, "head": {"margin": 0.5}, "trainer": trainer}
    train(str(page_of("reward", tmp_path, **page)), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    assert "memory: about" in capsys.readouterr().err
    margins = logged(tmp_path / "run", "margin")
    assert abs(margins[0]) < 0.5 < margins[-1] and losses(tmp_path / "run")[-1] < losses(tmp_path / "run")[0]
    head = load_head(str(tmp_path / "run" / "train" / "final"))
    rows = [Conversation.from_row(row) for row in load_rows(tmp_path / "run" / "build", "train")]
    pairs = [messages for row in rows for messages in (row.answered(), row.answered_worse())]
    scores = dict(HeadResponder(head).outputs(pairs, {}))
    above = [float(scores[2 * number][0] - scores[2 * number + 1][0]) for number in range(len(rows))]
    assert sum(above) / len(above) > 0.5
    with pytest.raises(Malformed, match="a head of rewards scores answers"):
        list(HeadResponder(head).replies([Ask(pairs[0], 8)], {}))


@pytest.mark.slow
def test_accumulated_batches_are_one_batch(small_demo: Path, tmp_path: Path) -> None:
    """The loss of a head is a mean; the trainer must not take it for a sum over all of them."""
    whole = {"max_steps": 1, "save_strategy": "no", "train_sampling_strategy": "sequential"}
    for name, size, parts in (("one", 8, 1), ("four", 2, 4)):
        trainer = {**whole, "per_device_train_batch_size": size, "gradient_accumulation_steps": parts}
        model = {**LANGUAGE, "freeze": ["language"]}
        trained(small_demo, tmp_path / name, trainer=trainer, model=model, head={"dropout": 0.0})
    one, four = (logged(tmp_path / name, key)[0] for name in ("one", "four") for key in ("grad_norm",))
    assert four == pytest.approx(one, rel=1e-3)
    assert losses(tmp_path / "four")[0] == pytest.approx(losses(tmp_path / "one")[0], rel=1e-3)


@pytest.mark.slow(minutes=2)
@pytest.mark.thorough
def test_a_head_reaches_the_score_of_the_language_model(tmp_path: Path) -> None:
    """The page of the tiny head against that of the quickstart, on the same clips with all that they show."""
    from affectllm.data_builders.video import demo_affect

    root, part = tmp_path / "demo", f"[{json.dumps(PAGE['data']['mixture'][0])}]"
    demo_affect.generate(root, 0)
    scores = {}
    for name, model in (("head_tiny", "affectllm-head"), ("quickstart", "affectllm")):
        out = tmp_path / name
        train(name, [f"data.mixture={part}", "trainer.disable_tqdm=true"], [f"demo_affect={root}"], out)
        common: dict[str, Any] = {"roots": {"demo_affect": root}, "lm_eval_args": ["--batch_size", "32"]}
        budget = {} if name == "head_tiny" else load_recipe(name).model.budget.to_json()
        given = {"pretrained": str(out / "train" / "final"), **budget}
        scored = evaluate(["demo_affect_emotion"], model, out / "eval", model_args=given, **common)
        scores[name] = scored["demo_affect_emotion"]["uar"]["value"]
    assert scores["head_tiny"] >= max(0.9, scores["quickstart"] - 0.08)
