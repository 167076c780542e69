"""Batches by tokens in place of rows: ``pack_tokens`` and ``batch_tokens`` of a recipe, and where they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe
from affectllm.instruct.conversations import CURRICULA
from affectllm.yaml_page import Page

if TYPE_CHECKING:
    from affectllm.model.family import Family
    from affectllm.train.method import Method

_SIZE = "per_device_train_batch_size"
PACK, BATCH = "pack_tokens", "batch_tokens"


def check_batching(recipe: Any, method: Method, family: Family, page: Page) -> None:
    """Raise ``BadRecipe`` where tokens cannot decide what a batch is, or both keys would.

    Args:
        recipe: with the fields ``pack_tokens`` and ``batch_tokens``, ``method``, ``trainer`` and ``data``.
    """
    if recipe.pack_tokens is not None and recipe.batch_tokens is not None:
        message = f"{PACK} and {BATCH} both say what a batch is"
        raise BadRecipe(message, where=page.where((BATCH,)), do=f"keep {PACK}, or {BATCH} for rows of their own")
    rows, curriculum = f"{recipe.method} weighs conversations row by row", recipe.data.order in CURRICULA
    lost = f"the order {recipe.data.order} would be lost"
    if recipe.pack_tokens is not None:
        reasons = {
            "must be 1 or more": recipe.pack_tokens < 1,
            f"{family.name} would let conversations of a row see each other": not family.packs,
            rows: not method.packs,
            lost: curriculum,
        }
        _refuse(PACK, reasons, page)
        if recipe.trainer.get(_SIZE, 1) != 1:
            raise BadRecipe(f"{PACK}: a row is a batch", where=page.where((PACK,)), do=f"set {_SIZE} to 1")
    if recipe.batch_tokens is not None:
        _refuse(BATCH, {"must be 1 or more": recipe.batch_tokens < 1, rows: not method.packs, lost: curriculum}, page)
        if _SIZE in recipe.trainer:
            message = f"{BATCH}: a batch has as many rows as there is room for"
            raise BadRecipe(message, where=page.where(("trainer", _SIZE)), do=f"leave {_SIZE} out")


def _refuse(key: str, reasons: dict[str, bool], page: Page) -> None:
    for reason, holds in reasons.items():
        if holds:
            raise BadRecipe(f"{key}: {reason}", where=page.where((key,)), do=f"leave {key} out")
