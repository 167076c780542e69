"""What a recipe says of towers, checked as it is read: which are frozen, which adapted, and at which learning rate."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from affectllm.errors import BadRecipe
from affectllm.model.family import Family
from affectllm.yaml_page import Page


def check_tower_names(named: Mapping[str, Iterable[str]], family: Family, page: Page) -> None:
    """Make sure that every tower is one of the family's.

    Args:
        named: key under ``model`` → towers.

    Raises:
        BadRecipe: with the line and the towers that there are.
    """
    for key, towers in named.items():
        for tower in towers:
            if tower not in family.towers:
                choices = f"choose among {', '.join(family.towers)}"
                raise BadRecipe(f"{family.name} has no tower {tower!r}", where=page.where(("model", key)), do=choices)


def check_rates(
    rates: Mapping[str, float], frozen: Collection[str], adapted: Collection[str] | None, page: Page
) -> None:
    """Make sure that every tower with a learning rate is trained.

    Args:
        rates: tower → learning rate.
        frozen: towers that stay as they are.
        adapted: towers that LoRA adapts; None where other layers are named, or whole towers are tuned.

    Raises:
        BadRecipe: with the line.
    """
    for tower, rate in rates.items():
        where = page.where(("model", "learning_rates", tower))
        if not rate > 0 or not math.isfinite(rate):
            raise BadRecipe(f"model.learning_rates.{tower} must be above 0", where=where, do="see model.freeze")
        if tower in frozen:
            told = f"the tower {tower} is frozen and has a learning rate"
            raise BadRecipe(told, where=where, do="remove one of the two")
        if adapted is not None and tower not in adapted:
            told = f"the tower {tower} has a learning rate, but LoRA adapts {', '.join(adapted)} alone"
            raise BadRecipe(told, where=where, do="name it in model.adapt too")
