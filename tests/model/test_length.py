"""A text beyond the budget costs its row or its item, with a reason; it is never given to the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lm_eval.api.instance import Instance
from tuning import write_page

from affectllm.corpus.miniature import Clip, materialise
from affectllm.errors import AffectError, BadRecipe
from affectllm.evaluate.media_error import media_error_reason
from affectllm.evaluate.models.lm import AffectLM
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.length import DEFAULT_TEXT, BoundedEncoder, TokenBudget, budget_of
from affectllm.model.load import load_model
from affectllm.train.data import look, measured
from affectllm.train.recipe import load_recipe

SMALL = Budget(fps=1.0, max_frames=2, max_pixels=3136, min_pixels=3136, max_seconds=4.0)


def row(text: str, *parts: dict[str, Any], number: int = 0) -> dict[str, Any]:
    question = [*parts, {"type": "text", "text": text}]
    answer = [{"type": "text", "text": "joy"}]
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": f"toy/{number}", "messages": messages}


def bounded(text: int | None = DEFAULT_TEXT, root: Path | None = None) -> BoundedEncoder:
    model = load_model("tiny:qwen2_5_omni")
    encoder = Encoder(model.processor, model.family, model.model.config, SMALL, {"toy": root} if root else {})
    return BoundedEncoder(encoder, budget_of(model, text))


LONG = {
    "20,000 characters": "I am so glad you came, I had hoped for it. " * 480,
    "one word": "x" * 20_000,
    "Chinese": "我很高兴你来了" * 3_000,
    "megabytes": "so glad " * 1_000_000,
}


@pytest.mark.parametrize("kind", LONG)
def test_a_long_text_is_rejected_and_counted_before_training(kind: str, tmp_path: Path) -> None:
    rows = [row(LONG[kind] if n == 1 else "How do they feel?", number=n) for n in range(3)]
    looked = look(rows, bounded(), tmp_path / "looked_train.json", workers=0)  # type: ignore[arg-type]
    assert list(looked.kept) == [0, 2] and looked.rejected == {"too_many_tokens": 1}
    (line,) = (tmp_path / "looked_train.rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["item"] == "toy/1" and f"{DEFAULT_TEXT} are allowed" in json.loads(line)["detail"]


def test_a_mixture_of_long_texts_alone_says_so(tmp_path: Path) -> None:
    rows = [row(LONG["one word"])]
    looked = look(rows, bounded(), tmp_path / "looked_train.json", workers=0)  # type: ignore[arg-type]
    with pytest.raises(AffectError, match="1 × too_many_tokens"):
        measured(rows, looked)  # type: ignore[arg-type]


def test_the_budget_of_words_does_not_count_clips(tmp_path: Path) -> None:
    materialise({"clip.mp4": Clip(seconds=2.0)}, tmp_path)
    clip = {"type": "video", "corpus": "toy", "path": "clip.mp4", "sound": True}
    messages = row("How do they feel?", clip)["messages"]
    alone = bounded(root=tmp_path).encode(row("How do they feel?")["messages"])
    whole = bounded(root=tmp_path).encode(messages)
    assert isinstance(alone, Encoded) and isinstance(whole, Encoded) and whole.length > alone.length + 20
    words = alone.length + 8  # the marks around a clip are words
    assert isinstance(bounded(words, tmp_path).encode(messages), Encoded)
    encoder = bounded(words, tmp_path)
    encoder.budget = TokenBudget(words, whole.length - 1)
    error = encoder.encode(messages)
    assert isinstance(error, MediaError) and error.reason == "too_many_tokens" and "of clips" in error.detail


def test_the_last_token_that_is_allowed_is_allowed() -> None:
    messages = row("How do they feel? " * 50)["messages"]
    encoded = bounded().encode(messages)
    assert isinstance(encoded, Encoded)
    assert isinstance(bounded(encoded.length).encode(messages), Encoded)
    assert isinstance(bounded(encoded.length - 1).encode(messages), MediaError)


def test_the_budget_comes_from_the_model_and_the_recipe(tmp_path: Path) -> None:
    model = load_model("tiny:qwen2")
    assert budget_of(model) == TokenBudget(32_768, 32_768)
    assert budget_of(model, 100) == TokenBudget(100, 32_768) and budget_of(model, 99_999) == TokenBudget(32_768, 32_768)
    assert load_recipe(str(write_page(tmp_path))).model.max_text_tokens == DEFAULT_TEXT
    assert load_recipe(str(write_page(tmp_path, model={"max_text_tokens": 77}))).model.max_text_tokens == 77
    for wrong in (0, -1, "many"):
        with pytest.raises(BadRecipe):
            load_recipe(str(write_page(tmp_path, model={"max_text_tokens": wrong})))


def test_a_question_longer_than_the_context_costs_one_item() -> None:
    model = AffectLM("tiny:qwen2", batch_size=2, media_cache="none")
    texts = ["How do you feel?", "so glad " * 100_000, "And now?"]
    settings = {"max_gen_toks": 4, "until": [], "do_sample": False}
    asked = [Instance("generate_until", {}, (text, settings), n, ("t", n, 1)) for n, text in enumerate(texts)]
    replies = model.generate_until(asked)
    assert [media_error_reason(reply) for reply in replies] == [None, "too_many_tokens", None]
    scored = [Instance("loglikelihood", {}, (text, " yes"), n, ("t", n, 1)) for n, text in enumerate(texts)]
    values = model.loglikelihood(scored)
    assert [media_error_reason(value) for value, _ in values] == [None, "too_many_tokens", None]
    assert isinstance(values[0][0], float) and isinstance(values[2][0], float)
