"""Kept tokens: a later epoch reads what the first one encoded, and encodes anew what is not kept any more."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from family_clips import BUDGET, HEARD, PICTURE, SEEN_AND_HEARD, encoded, encoder_of, make_clips, talk, tiny_model

from affectllm.model.cache import MediaCache
from affectllm.model.encode import Encoded
from affectllm.model.prepared.tokens import KeptTokens, TokensWriter, as_numbers, discard_tokens, tokens_file
from affectllm.train.collator import Collator

ROWS = [
    (talk(SEEN_AND_HEARD), talk(SEEN_AND_HEARD, answer="fear")),
    (talk(), talk(answer="fear")),
    (talk(HEARD, PICTURE),),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("made"))


def same(one: Encoded, other: Encoded) -> bool:
    tensors = [(one.input_ids, other.input_ids), (one.labels, other.labels)]
    tensors += [(one.media[name], other.media[name]) for name in one.media | other.media]
    if one.positions is not None and other.positions is not None:
        tensors.append((one.positions, other.positions))
    alike = all(a.dtype == b.dtype and torch.equal(a, b) for a, b in tensors)
    places = (one.positions is None) == (other.positions is None)
    return alike and places and (one.of_clips, one.trimmed, one.keys) == (other.of_clips, other.trimmed, other.keys)


def kept(folder: Path, encoder: Any, rows: Any = ROWS) -> KeptTokens:
    writer = TokensWriter(tokens_file(folder, "train", encoder))
    for row in rows:
        writer.add([as_numbers(encoded(encoder, messages)) for messages in row])
    assert not writer.path.exists()
    writer.finish()
    return KeptTokens(writer.path, encoder)


@pytest.mark.parametrize("family", ["qwen2_5_omni", "gemma4"])  # with positions of its own, and without
def test_a_row_is_read_as_it_was_encoded(family: str, root: Path, tmp_path: Path) -> None:
    encoder = encoder_of(tiny_model(family), root, MediaCache(tmp_path / "media"))
    tokens = kept(tmp_path, encoder)
    for number, row in enumerate(ROWS):
        items = tokens.conversations(number)
        assert items is not None and len(items) == len(row)
        assert all(same(item, encoded(encoder, messages)) for item, messages in zip(items, row, strict=True))


def test_another_process_maps_the_file_and_takes_no_copy_of_it(root: Path, tmp_path: Path) -> None:
    encoder = encoder_of(tiny_model("qwen2"), root, MediaCache(tmp_path / "media"))
    tokens = kept(tmp_path, encoder, [(talk(question="why? " * 2_000),)])
    sent = pickle.dumps(tokens)
    assert len(sent) - len(pickle.dumps(encoder)) < 2_000
    (item,) = pickle.loads(sent).conversations(0)
    assert item.length > 4_000


def test_a_clip_that_left_the_cache_is_encoded_anew(root: Path, tmp_path: Path) -> None:
    encoder = encoder_of(tiny_model("qwen2_5_omni"), root, MediaCache(tmp_path / "media"))
    tokens = kept(tmp_path, encoder, [row[:1] for row in ROWS])
    rows = [{"id": str(n), "split": "train", "number": n, "messages": row[0]} for n, row in enumerate(ROWS)]
    collate = Collator(encoder, tokens={"train": tokens})
    before = collate(rows)
    for entry in (tmp_path / "media").glob("??/*.safetensors"):
        entry.unlink()
    assert tokens.conversations(0) is None and tokens.conversations(1) is not None
    after = collate(rows)
    assert all(torch.equal(after[name], before[name]) for name in before if name != "rows")


def test_rows_are_read_without_their_words(root: Path, tmp_path: Path) -> None:
    encoder = encoder_of(tiny_model("qwen2_5_omni"), root, MediaCache(tmp_path / "media"))
    tokens = kept(tmp_path, encoder, [row[:1] for row in ROWS])
    rows = [{"id": str(n), "split": "train", "number": n} for n in range(len(ROWS))]
    batch = Collator(encoder, tokens={"train": tokens})(rows)
    whole = encoder.collate([encoded(encoder, row[0]) for row in ROWS])
    assert all(torch.equal(batch[name], whole[name]) for name in whole)


def test_a_conversation_without_a_cache_is_not_kept(root: Path, tmp_path: Path) -> None:
    encoder = encoder_of(tiny_model("qwen2_5_omni"), root)
    tokens = kept(tmp_path, encoder, [(talk(), talk(HEARD)), (talk(),)])
    assert tokens.conversations(0) is None and tokens.conversations(1) is not None


def test_another_template_tokenizer_or_budget_has_a_file_of_its_own(root: Path, tmp_path: Path) -> None:
    model = tiny_model("qwen2_5_omni")
    encoder = encoder_of(model, root)
    names = {tokens_file(tmp_path, "train", encoder), tokens_file(tmp_path, "train", encoder_of(model, root))}
    assert len(names) == 1
    names.add(tokens_file(tmp_path, "validation", encoder))
    names.add(tokens_file(tmp_path, "train", encoder_of(tiny_model("qwen2"), root)))
    template = model.tokenizer.chat_template
    try:
        model.tokenizer.chat_template = template + " "
        names.add(tokens_file(tmp_path, "train", encoder))
    finally:
        model.tokenizer.chat_template = template
    names.add(tokens_file(tmp_path, "train", encoder_of(model, root, budget=replace(BUDGET, fps=3))))
    assert len(names) == 5


def test_nothing_of_the_tokens_is_left_behind(root: Path, tmp_path: Path) -> None:
    encoder = encoder_of(tiny_model("qwen2"), root, MediaCache(tmp_path / "media"))
    discard_tokens([kept(tmp_path, encoder, [(talk(),)])._path, tmp_path / "absent.bin"])
    assert not list(tmp_path.glob("*tokens*"))
