"""Distillation: what student and teacher are compared on, with clips, and which teachers are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tuning import PAGE, losses, page_of, teacher_of

from affectllm.errors import BadRecipe, NotFound, WrongCheckpoint
from affectllm.instruct.conversation import Conversation
from affectllm.instruct.stage import build_mixture
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model
from affectllm.report.html import render_report
from affectllm.train.arguments import arguments
from affectllm.train.data import load_rows
from affectllm.train.distilling.student import last_answer
from affectllm.train.distilling.teacher import check_teacher, load_teacher
from affectllm.train.loading import load
from affectllm.train.method import Ready, find_method
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train
from affectllm.train.trainer import trainer_class

PART = PAGE["data"]["mixture"][0]
WORDS = {**PART, "modalities": ["text"], "rater": "words"}
TEXT = {"model": {"path": "tiny:qwen2", "backbone": "qwen2"}, "data": {"mixture": [WORDS]}}
STEPS = {"lmbda": 1.0, "max_completion_length": 6, "per_device_train_batch_size": 4, "save_strategy": "no"}


@pytest.fixture(scope="module")
def built(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[dict[str, Any]]]:
    """A trainer whose teacher is another model, and rows of which every other one has no clip."""
    folder = tmp_path_factory.mktemp("built")
    page = page_of("distil", folder, trainer=STEPS, data={"mixture": [PART, WORDS]})
    recipe = load_recipe(str(page))
    build_mixture(recipe.data, recipe.seed, {"demo_affect": small_demo}, folder / "run")
    model = load(recipe)
    encoder = Encoder(
        model.processor, model.family, model.model.config, recipe.model.budget, {"demo_affect": small_demo}
    )
    rows = load_rows(folder / "run" / "build", "train")
    method = find_method("distil")
    args = arguments(recipe, folder / "own")
    ready = Ready(model, False, lambda: load(recipe), encoder, teacher=lambda: load_teacher(recipe, args))
    trainer = trainer_class(method)(
        model=model.model,
        args=args,
        train_dataset=rows,
        processing_class=encoder.tokenizer,
        **method.extra(ready),
    )
    shown = [row for row in rows if "/text/" not in row["id"]][:2]
    plain = [row for row in rows if "/text/" in row["id"]][:2]
    return trainer, [shown[0], plain[0], shown[1], plain[1]]


def log_shares(network: Any, prompt: Any, media: Any, reply: torch.Tensor) -> torch.Tensor:
    """The log-probabilities of all tokens at every place of a reply, of one whole conversation without padding."""
    inputs = {"input_ids": torch.cat([prompt.input_ids, reply])[None], **media}
    after = prompt.positions.max() + 1 + torch.arange(len(reply))
    inputs["position_ids"] = torch.cat([prompt.positions, after.expand(3, -1)], dim=1)[:, None]
    with torch.no_grad():
        return torch.log_softmax(network(**inputs).logits[0, len(prompt.input_ids) - 1 : -1].double(), -1)


def divergence(student: torch.Tensor, teacher: torch.Tensor, beta: float) -> torch.Tensor:
    """The generalised divergence of Jensen and Shannon at every token (Agarwal et al., equation 1)."""
    p, q = teacher.exp(), student.exp()
    if beta == 0.0:
        return (p * (teacher - student)).sum(-1)
    if beta == 1.0:
        return (q * (student - teacher)).sum(-1)
    middle = (beta * p + (1 - beta) * q).log()
    return beta * (p * (teacher - middle)).sum(-1) + (1 - beta) * (q * (student - middle)).sum(-1)


@pytest.mark.slow
def test_the_loss_is_the_divergence_of_single_conversations(built: tuple[Any, list[dict[str, Any]]]) -> None:
    """Of replies of the student, and of given answers; the teacher hears and sees what the student does."""
    trainer, rows = built
    trainer.model.eval()  # nothing is dropped out, and all replies are sampled
    for beta, share in ((0.0, 1.0), (0.3, 1.0), (1.0, 0.0)):
        trainer.beta, trainer.args.lmbda = beta, share
        result = trainer._generate_and_score_completions(rows)
        replies = [
            ids[mask.bool()] for ids, mask in zip(result["completion_ids"], result["completion_mask"], strict=True)
        ]
        if share == 0.0:
            words = [trainer.encoder.tokenizer.decode(reply, skip_special_tokens=True) for reply in replies]
            assert words == [Conversation.from_row(row).answer for row in rows]
        order = [2, 1, 0, 3]  # as TRL shuffles them
        batch = {key: value[order] if value.ndim else value for key, value in result.items()}
        loss = float(trainer.compute_loss(trainer.model, batch))
        values = [
            divergence(*(log_shares(one, held, media, reply) for one in (trainer.model, trainer.teacher_model)), beta)
            for held, reply in zip(trainer._held, replies, strict=True)
            for media in [trainer.encoder.numbers(held.media)]
        ]
        assert loss == pytest.approx(float(torch.cat(values).mean()), rel=1e-4) and loss > 0.01
        trainer._held[0].media["input_features"] = torch.zeros_like(trainer._held[0].media["input_features"])
        assert abs(float(trainer.compute_loss(trainer.model, batch)) - loss) > 1e-6


def test_the_last_answer_is_what_the_student_would_write(built: tuple[Any, list[dict[str, Any]]]) -> None:
    trainer, rows = built
    asked = Conversation.from_row(rows[1])
    earlier = [
        *asked.answered(),
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": "The same."},
    ]
    tokens = last_answer(trainer.encoder.encode(earlier))
    assert tokens[-1] in trainer.eos_token_ids
    assert trainer.encoder.tokenizer.decode(tokens, skip_special_tokens=True) == "The same."


CLIPS = [pytest.mark.thorough]
NEARER = {"max_steps": 6, "per_device_train_batch_size": 16, "lr_scheduler_type": "constant"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "peft", "rate"),
    [
        pytest.param(TEXT, None, 1.0e-3, id="words"),
        pytest.param({}, None, 1.0e-3, marks=CLIPS, id="full"),
        pytest.param({}, {"r": 8, "lora_alpha": 32}, 1.0e-2, marks=CLIPS, id="lora"),
    ],
)
def test_a_student_comes_nearer_on_its_own_replies(
    shown: dict[str, Any], peft: dict[str, Any] | None, rate: float, small_demo: Path, tmp_path: Path
) -> None:
    page = page_of("distil", tmp_path, **shown, trainer={**STEPS, **NEARER, "learning_rate": rate}, peft=peft)
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    values = losses(tmp_path / "run")
    assert len(values) == 6 and max(values[-2:]) < 0.85 * min(values[:2])
    rows = [json.loads(line) for line in (tmp_path / "run" / "train" / "replies.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 7)) and rows[0]["rewards"] == {}
    written = render_report([tmp_path / "run"]).read_text(encoding="utf-8")
    assert "Loss by optimisation step" in written and rows[0]["id"] in written


@pytest.mark.slow
def test_rows_of_a_head_that_no_token_has_are_cut_off(tmp_path: Path) -> None:
    """A larger model of a family fills up its head to more rows; the first ones are those of the student's tokens."""
    model = load_model("tiny:qwen2")
    model.model.resize_token_embeddings(model.model.config.vocab_size + 64, mean_resizing=False)
    model.model.save_pretrained(tmp_path / "wide")
    model.processor.save_pretrained(tmp_path / "wide")
    recipe = load_recipe(
        str(page_of("distil", tmp_path, **TEXT, teacher={"path": str(tmp_path / "wide"), "adapter": None}))
    )
    teacher, student = load_teacher(recipe, arguments(recipe, tmp_path / "out")).model, load_model("tiny:qwen2").model
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        assert torch.equal(teacher(input_ids=ids).logits, student(input_ids=ids).logits)
    assert teacher.config.get_text_config().vocab_size == student.config.vocab_size
    model_page = {**TEXT["model"], "path": str(tmp_path / "wide")}
    page = page_of("distil", tmp_path, **{**TEXT, "model": model_page, "teacher": {"path": "tiny:qwen2"}})
    turned = load_recipe(str(page))
    with pytest.raises(BadRecipe, match="the head of the teacher tiny:qwen2 has"):
        check_teacher(turned)


def test_an_adapter_is_part_of_the_teacher(tmp_path: Path) -> None:
    recipe = load_recipe(str(page_of("distil", tmp_path, **TEXT)))
    ids = torch.tensor([[5, 6, 7, 8]])
    adapted = load_model("tiny:qwen2", adapter=teacher_of("tiny:qwen2")).model
    with torch.no_grad():
        teacher, expected = (
            load_teacher(recipe, arguments(recipe, tmp_path / "out")).model(input_ids=ids).logits,
            adapted(input_ids=ids).logits,
        )
        assert torch.allclose(teacher, expected, atol=1e-4)
        assert not torch.allclose(teacher, load_model("tiny:qwen2").model(input_ids=ids).logits, atol=1e-2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "nowhere/at/all"}, "there is no checkpoint folder"),
        ({"path": "tiny:qwen2_audio"}, "not qwen2"),
        ({"path": "tiny:qwen2", "adapter": "./nowhere"}, "no adapter folder"),
    ],
)
def test_a_teacher_that_cannot_be_had_is_refused_before_any_work(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    recipe = load_recipe(str(page_of("distil", tmp_path, **TEXT, teacher={"adapter": None, **changes})))
    with pytest.raises((NotFound, WrongCheckpoint), match=message):
        check_teacher(recipe)


def test_a_teacher_with_other_tokens_is_refused(tmp_path: Path) -> None:
    model = load_model("tiny:qwen2")
    model.processor.add_tokens(["emotional"])
    model.model.save_pretrained(tmp_path / "other")
    model.processor.save_pretrained(tmp_path / "other")
    recipe = load_recipe(
        str(page_of("distil", tmp_path, **TEXT, teacher={"path": str(tmp_path / "other"), "adapter": None}))
    )
    with pytest.raises(BadRecipe, match="have other tokens, for example 'emotional'"):
        check_teacher(recipe)


def test_a_teacher_that_prepares_clips_otherwise_is_refused(tmp_path: Path) -> None:
    model = load_model("tiny:qwen2_5_omni")
    model.processor.feature_extractor.hop_length = 80
    model.model.save_pretrained(tmp_path / "other")
    model.processor.save_pretrained(tmp_path / "other")
    recipe = load_recipe(str(page_of("distil", tmp_path, teacher={"path": str(tmp_path / "other"), "adapter": None})))
    with pytest.raises(BadRecipe, match="prepare clips differently"):
        check_teacher(recipe)
    model.processor.feature_extractor.hop_length = 160
    model.processor.feature_extractor.dither = 0.0
    model.processor.feature_extractor.unused = "something that another release wrote"
    model.processor.save_pretrained(tmp_path / "other")
    check_teacher(recipe)


@pytest.mark.parametrize(
    ("method", "changes", "message", "line"),
    [
        ("sft", {"teacher": {"path": "tiny:qwen2"}}, "sft learns from no teacher", "teacher:"),
        ("distil", {"teacher": None}, "distil learns from a teacher", "method: distil"),
        ("distil", {"teacher": {"pth": "tiny:qwen2"}}, "unknown key 'pth'", "  pth:"),
        ("distil", {"trainer": {"lmbda": 1.5}}, "lmbda must be from 0 to 1", "  lmbda:"),
        ("distil", {"trainer": {"beta": -0.5}}, "beta must be from 0 to 1", "  beta:"),
        ("distil", {"trainer": {"temperature": 0.0}}, "temperature must be above 0", "  temperature:"),
        ("distil", {"peft": {"target_modules": ["lm_head"]}}, "without an adapter on it", "  target_modules:"),
        ("distil", {"rewards": [{"reward": "format"}]}, "rewards no replies, so it takes no rewards", "rewards:"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_page_is_refused_with_its_line(
    method: str, changes: dict[str, Any], message: str, line: str, tmp_path: Path
) -> None:
    page = page_of(method, tmp_path, **{**TEXT, **changes})
    with pytest.raises(BadRecipe, match=message) as caught:
        load_recipe(str(page))
    assert page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1].startswith(line)


def test_more_conversations_in_a_step_than_there_are_is_refused(small_demo: Path, tmp_path: Path) -> None:
    """The library takes whole batches only, and would train on none."""
    page = page_of("distil", tmp_path, **TEXT, trainer={**STEPS, "per_device_train_batch_size": 64, "max_steps": 1})
    with pytest.raises(BadRecipe, match="a step takes 64 conversations, and there are"):
        train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
