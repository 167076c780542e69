"""Format the numbers of tables: rounded as they are shown, with the full value for whoever copies or exports them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from affectllm.report import display

if TYPE_CHECKING:
    from markupsafe import Markup


def filters() -> dict[str, Callable[..., Markup]]:
    """Return the filters of the page's templates, name by name."""
    return {
        "exact": lambda value, digits=3: _data(display.number(value, digits), value),
        "exact_percent": lambda share: _data(display.percent(share), share),
        "exact_signed": lambda value: _data(display.signed(value), value),
        "exact_interval": _interval,
        "exact_difference": _difference,
        "exact_p": lambda p: _data("< 0.001" if p < 0.001 else display.number(p), p),
    }


def _interval(score: Mapping[str, Any]) -> Markup:
    return _data(display.interval(score), score["low"], score["high"])  # type: ignore[arg-type]


def _difference(row: Any) -> Markup:
    if row.low is None or row.high is None:
        return _data("none: too few")
    return _data(f"[{display.signed(row.low)}, {display.signed(row.high)}]", row.low, row.high)


def _data(text: str, *values: Any) -> Markup:
    """Return the text within an element that has the values; the text alone where one of them is no finite number."""
    from markupsafe import Markup, escape

    if not values or not all(isinstance(one, int | float) and math.isfinite(one) for one in values):
        return escape(text)
    return Markup('<data value="{}">{}</data>').format(" ".join(f"{float(one):.10g}" for one in values), text)
