"""The teacher of a distillation: checked against the student before any work, and loaded frozen beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe
from affectllm.model.clips.media import SAMPLING_RATE, Clip
from affectllm.model.encode import Encoder, processor_digest
from affectllm.model.load import Model, check_model, config_and_processor, load_model, locate
from affectllm.train.loading import unsharded

if TYPE_CHECKING:
    from affectllm.train.recipe import Recipe

_TOKENS = "the divergence compares the two models token by token"


def check_teacher(recipe: Recipe) -> None:
    """Check that the teacher of a recipe is there, and that its tokens and clips are the student's; loads no weights.

    A recipe without a teacher passes.

    Raises:
        NotFound, WrongCheckpoint: when the teacher cannot be had, or is of another family.
        BadRecipe: when its vocabulary or its preparation of clips is another one.
    """
    if (page := recipe.teacher) is None:
        return
    student = recipe.model
    locate(page.path, page.adapter)
    family = check_model(page.path, student.backbone)
    config, processor = config_and_processor(page.path, family)
    own_config, own_processor = config_and_processor(student.path, family, student.processor)
    tokens, own_tokens = (getattr(one, "tokenizer", one).get_vocab() for one in (processor, own_processor))
    named = f"the teacher {page.path} and the student {student.path}"
    if other := {*tokens.items()} ^ {*own_tokens.items()}:
        token, number = min(other, key=lambda pair: (pair[1], pair[0]))
        message = f"{named} have other tokens, for example {token!r} with the number {number} in one of them; {_TOKENS}"
        raise BadRecipe(message, where="teacher", do="choose a teacher with the student's vocabulary")
    rows, own_rows = (one.get_text_config().vocab_size for one in (config, own_config))
    if rows < own_rows:
        message = (
            f"the head of the teacher {page.path} has {rows:,} rows, and that of the student {own_rows:,}; {_TOKENS}"
        )
        raise BadRecipe(message, where="teacher", do="choose a teacher with as many rows or more")
    theirs, ours = (
        Encoder(its_processor, family, its_config, student.budget, {})
        for its_processor, its_config in ((processor, config), (own_processor, own_config))
    )
    if processor_digest(processor) != processor_digest(own_processor) and not _alike(theirs, ours):
        message = f"{named} prepare clips differently, and each clip is prepared once for both"
        raise BadRecipe(message, where="teacher", do="choose a teacher with the student's processor")


def _alike(one: Encoder, other: Encoder) -> bool:
    """Return whether two encoders make the same of each kind of clip: processors may differ in what is not used."""
    import numpy as np
    import torch

    drawn, kinds = np.random.default_rng(0), one.family.modalities
    side = 4 * one.family.frame_factor
    frames = drawn.integers(0, 256, (4, side, side, 3), dtype=np.uint8)
    wave = drawn.uniform(-0.5, 0.5, 2 * SAMPLING_RATE).astype(np.float32)
    clips = [Clip(frames, 2.0, wave if one.family.sound else None)] if "video" in kinds else []
    clips += [Clip(None, 0.0, wave)] if "audio" in kinds else []
    pairs = [(one.processed(clip), other.processed(clip)) for clip in clips]
    pairs += [(one.processed_image(frames[0]), other.processed_image(frames[0]))] if "image" in kinds else []
    return all(
        left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)
        for left, right in pairs
    )


def load_teacher(recipe: Recipe, args: Any) -> Model:
    """Load the teacher of a recipe, frozen, its adapter merged, its head cut to the rows of the student's.

    Families fill up their heads to a multiple of something, larger models of a family to a larger one: the rows beyond
    the student's belong to no token.

    Args:
        args: of the trainer, which shards the teacher where it shards the student.

    Raises:
        NotFound, WrongCheckpoint, BadRecipe: as ``check_teacher``.
    """
    page = recipe.teacher
    assert page is not None
    check_teacher(recipe)
    student = recipe.model
    with unsharded(args):  # an adapter cannot be merged into shards
        model = load_model(
            page.path,
            family=student.backbone,
            adapter=page.adapter,
            dtype=student.dtype,
            attn_implementation=student.attn_implementation,
        )
    network = model.model.merge_and_unload() if hasattr(model.model, "merge_and_unload") else model.model
    config, _ = config_and_processor(student.path, model.family, student.processor)
    model.model = _cut(network, config.get_text_config().vocab_size).requires_grad_(False).eval()
    return model


def _cut(network: Any, rows: int) -> Any:
    """Cut the head that writes to its first rows."""
    from torch import nn

    head, config = network.get_output_embeddings(), network.config.get_text_config()
    if config.vocab_size == rows:
        return network
    narrow = nn.Linear(head.in_features, rows, bias=head.bias is not None, device="meta")
    narrow.weight = nn.Parameter(head.weight[:rows].detach().clone())
    if head.bias is not None:
        narrow.bias = nn.Parameter(head.bias[:rows].detach().clone())
    network.set_output_embeddings(narrow)
    config.vocab_size = rows
    return network
