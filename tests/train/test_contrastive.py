"""The contrastive objective: golden values, what is no negative, and what a page or a row must have."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tuning import PAGE, page_of

from affectllm.errors import BadRecipe, Malformed
from affectllm.model.clips.media import Budget
from affectllm.model.embedding.views import fused, needed_view, view
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model
from affectllm.train.contrastive import _shares, contrastive_logits, sentiment_likeness, symmetric_loss
from affectllm.train.data import look
from affectllm.train.method import find_method
from affectllm.train.recipe import load_recipe

FILM = {"type": "video", "corpus": "demo_affect", "path": "a.mp4", "sound": True, "end": 2.0}
ASKED = {"role": "user", "content": [FILM, {"type": "text", "text": "What is felt?"}]}
NUMBERS = {
    **{"corpus": "semeval2018_task1", "template": "sentiment_score", "space": "semeval2018_valence", "rater": "crowd"},
    "modalities": ["text"],
}
ROW = {"id": "a", "messages": [ASKED, {"role": "assistant", "content": [{"type": "text", "text": "joy"}]}]}


def unit(rows: int, seed: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_it_is_the_library_s_loss_where_all_rows_differ() -> None:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    left, right = unit(5, 0), unit(5, 1)
    directions: Any = ("query_to_doc", "doc_to_query")
    theirs = MultipleNegativesRankingLoss(None, scale=7.0, directions=directions, partition_mode="per_direction")
    logits = contrastive_logits(left, right, 7.0, torch.eye(5, dtype=torch.bool), None)
    expected = theirs.compute_loss_from_embeddings([left, right], torch.empty(0))
    assert float(symmetric_loss(logits)) == pytest.approx(float(expected), rel=1e-6)


def test_a_row_with_the_same_answer_is_no_negative() -> None:
    left, right = unit(3, 0), unit(2, 1)[[0, 1, 0]]  # the third row is described as the first
    same = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=torch.bool)
    loss = symmetric_loss(contrastive_logits(left, right, 1.0, same, None))
    s = (left @ right.T).tolist()

    def entropy(own: float, other: float) -> float:
        return math.log(math.exp(own) + math.exp(other)) - own

    rows = [entropy(s[0][0], s[0][1]), None, entropy(s[2][2], s[2][1])]
    columns = [entropy(s[0][0], s[1][0]), None, entropy(s[2][2], s[1][2])]
    rows[1] = math.log(sum(math.exp(s[1][j]) for j in range(3))) - s[1][1]
    columns[1] = math.log(sum(math.exp(s[j][1]) for j in range(3))) - s[1][1]
    expected = (sum(map(float, filter(None, rows))) + sum(map(float, filter(None, columns)))) / 6
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_negatives_of_like_sentiment_count_less() -> None:
    shares = torch.tensor([[0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
    weights = sentiment_likeness(shares)

    def divergence(p: list[float], q: list[float]) -> float:
        return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))

    rows = shares.tolist()
    for i in range(3):
        for j in range(3):
            expected = 0.0 if i == j else 1 / abs(divergence(rows[j], rows[i]))
            assert float(weights[i, j]) == pytest.approx(expected, rel=1e-4)
    assert weights[0, 1] > 10 * weights[0, 2]
    same = torch.eye(3, dtype=torch.bool)
    logits = contrastive_logits(unit(3, 0), unit(3, 1), 5.0, same, 0.1 * weights)
    plain = contrastive_logits(unit(3, 0), unit(3, 1), 5.0, same, None)
    assert torch.allclose(plain - logits, 0.1 * weights, rtol=1e-4)


def test_equal_sentiments_are_taken_out_and_not_infinite() -> None:
    weights = sentiment_likeness(torch.tensor([[0.5, 0.5], [0.5, 0.5]]))
    assert weights.isfinite().all() and float(weights[0, 1]) == pytest.approx(1e4)


def test_sets_of_labels_are_sentiments_that_overlap() -> None:
    both, joy, fear, none, shares = _shares([["joy", "fear"], ["joy"], "fear", [], {"joy": 3, "fear": 1}])
    assert all(float(row.sum()) == pytest.approx(1.0) for row in (both, joy, fear, none, shares))
    assert torch.allclose(both, (joy + fear) / 2) and torch.allclose(shares, 0.75 * joy + 0.25 * fear)
    assert not torch.allclose(none, joy)


def test_views_are_what_is_asked_shown_seen_heard_said_and_answered() -> None:
    silent = {key: value for key, value in FILM.items() if key != "sound"}
    parts = {name: needed_view(ROW, name)[0]["content"] for name in ("clips", "video", "audio", "text", "answer")}
    assert parts["clips"] == [FILM] and parts["video"] == [silent]
    assert parts["audio"] == [{**silent, "type": "audio"}]
    assert [part["text"] for part in (*parts["text"], *parts["answer"])] == ["What is felt?", "joy"]
    assert needed_view(ROW, "asked") == [ASKED] and view([ASKED], "answer") is None
    assert fused([ASKED], ()) == [[ASKED]] and len(fused([ASKED], ("video", "audio", "image"))) == 2
    with pytest.raises(Malformed, match="the row a has no view image"):
        needed_view(ROW, "image")


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"pairs": [["asked", "asked"]]}, "a list of pairs of"),
        ({"pairs": [["asked", "smell"]]}, "a list of pairs of"),
        ({"pairs": []}, "a list of pairs of"),
        ({"pairs": "asked"}, "a list of list of str"),
        ({"scale": 0.0}, "above 0"),
        ({"pooling": "max"}, "one of mean, lasttoken"),
        ({"sentiment_weight": -1.0}, "0 or more"),
        ({"per_device_train_batch_size": 1}, "2 or more"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(trainer: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=message):
        load_recipe(str(page_of("contrastive", tmp_path, trainer=trainer)))


@pytest.mark.parametrize(
    ("trainer", "part", "message"),
    [
        ({"pairs": [["video", "audio"]]}, {"modalities": ["video", "text"]}, "view audio, which takes audio"),
        ({"pairs": [["clips", "answer"]]}, {"modalities": ["text"], "rater": "words"}, "view clips, which takes audio"),
        ({"pairs": [["image", "answer"]]}, {}, "view image, which takes image"),
        ({"sentiment_weight": 0.5}, NUMBERS, "compares labels"),
    ],
)
def test_a_part_that_never_has_a_view_is_refused_at_once(trainer: Any, part: Any, message: str, tmp_path: Path) -> None:
    mixture = [PAGE["data"]["mixture"][0], *([{**PAGE["data"]["mixture"][0], **part}] if part else [])]
    page = page_of("contrastive", tmp_path, trainer=trainer, data={"mixture": mixture})
    with pytest.raises(BadRecipe, match=message) as caught:
        load_recipe(str(page))
    lines = page.read_text().splitlines()
    starts = [number for number, text in enumerate(lines, 1) if text.startswith("  - corpus")]
    assert int(caught.value.where.rpartition(":")[2]) == starts[-1]


def test_a_row_without_a_view_is_dropped_and_counted_before_the_training(small_demo: Path, tmp_path: Path) -> None:
    from datasets import Dataset, Features, Json, List, Value

    clip = next(path.relative_to(small_demo).as_posix() for path in sorted(small_demo.rglob("*.mp4")))
    film = {**FILM, "path": clip}
    asked = [[film, {"type": "text", "text": "What is felt?"}], [{"type": "text", "text": "And in these words?"}]]
    answer = {"role": "assistant", "content": [{"type": "text", "text": "joy"}]}
    rows = [{"id": str(n), "messages": [{"role": "user", "content": parts}, answer]} for n, parts in enumerate(asked)]
    data = Dataset.from_list(rows, features=Features({"id": Value("string"), "messages": List(Json())}))
    model = load_model("tiny:qwen2_5_omni", dtype="float32")
    budget = Budget(fps=1.0, max_frames=2, max_pixels=3136, min_pixels=3136)
    encoder = Encoder(model.processor, model.family, model.model.config, budget, {"demo_affect": small_demo})
    views = find_method("contrastive").looked
    assert views is not None
    looked = look(data, encoder, tmp_path / "look.json", 0, views(SimpleNamespace(pairs=[["video", "answer"]])))
    assert list(looked.kept) == [0] and looked.rejected == {"no_view": 1}
    assert "trainer.pairs" in (tmp_path / "look.rejected.jsonl").read_text(encoding="utf-8")
