"""Check what a reward function does: what it raises, or returns instead of numbers, is one error that says where."""

from __future__ import annotations

import functools
import inspect
import math
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError
from affectllm.metrics.rewards import Completions, text_of

Columns = Mapping[str, Any]
Judging = Callable[..., list[float | None]]
"""A reward function that may leave replies unjudged."""
_SHOWN = 200  # characters of a reply
_NUMBERS = "return a list with one finite number for each reply, or None for a reply that it does not judge"


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether a call of the function gives a coroutine."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def checked(function: Callable[..., Any], name: str) -> Judging:
    """Return the reward function with its errors explained; its values are floats, or None for no judgement.

    Args:
        name: of the reward, as the recipe has it.

    The function that is returned raises ``AffectError``, with the row and the reply: when ``function`` raises anything,
    or returns anything but a number or None for each reply, or a number that is not finite. It is asynchronous where
    ``function`` is.
    """
    if is_async(function):

        async def judged_later(completions: Completions, **columns: Any) -> list[float | None]:
            try:
                values = await function(completions=completions, **columns)
            except (Exception, SystemExit) as error:  # an exit would end the training as if it were done
                raise _explained(error, name, *(await _first_failing_later(function, completions, columns))) from error
            return _numbers(values, name, completions, columns)

        return judged_later  # type: ignore[return-value]

    def judged(completions: Completions, **columns: Any) -> list[float | None]:
        try:
            values = function(completions=completions, **columns)
        except (Exception, SystemExit) as error:  # an exit would end the training as if it were done
            raise _explained(error, name, *_first_failing(function, completions, columns)) from error
        return _numbers(values, name, completions, columns)

    return judged


def _alone(completions: Completions, columns: Columns, row: int) -> dict[str, Any]:
    """Return the arguments for one reply alone."""
    size = len(completions)
    own = {
        key: value[row : row + 1] if isinstance(value, list) and len(value) == size else value
        for key, value in columns.items()
    }
    return {**own, "completions": completions[row : row + 1], "log_metric": None}


def _first_failing(function: Callable[..., Any], completions: Completions, columns: Columns) -> tuple[str, str]:
    """Return the id and the text of the first reply that fails alone; of the first one where none does."""
    for row in range(len(completions)):
        try:
            function(**_alone(completions, columns, row))
        except (Exception, SystemExit):  # which it raises was raised for the batch already, and is told by the caller
            return _place(completions, columns, row)
    return _place(completions, columns, 0)


async def _first_failing_later(
    function: Callable[..., Any], completions: Completions, columns: Columns
) -> tuple[str, str]:
    for row in range(len(completions)):
        try:
            await function(**_alone(completions, columns, row))
        except (Exception, SystemExit):  # as above
            return _place(completions, columns, row)
    return _place(completions, columns, 0)


def _place(completions: Completions, columns: Columns, row: int) -> tuple[str, str]:
    samples = columns.get("samples") or []
    known = samples[row].get("id") if row < len(samples) else None
    text = text_of(completions[row]) if row < len(completions) else ""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return str(known or f"row {row + 1} of the batch"), shown


def _explained(error: BaseException, name: str, where: str, reply: str) -> AffectError:
    """Return what a reward raised as an error of ours: which reward, which row, which reply."""
    given = f"it was given the reply {reply!r}"
    if isinstance(error, AffectError):
        return AffectError(f"the reward {name}: {error}", where=where, do=given)
    own = traceback.extract_tb(error.__traceback__)[1:]  # below the call itself
    lines = [frame.lineno for frame in own if frame.filename == own[0].filename]
    place = f" ({Path(own[0].filename).name}:{lines[-1]})" if own else ""
    message = f"the reward {name} raises {type(error).__name__}: {error}{place}"
    return AffectError(message, where=where, do=f"{given}; mend the function, or let it return None for such replies")


def _numbers(values: Any, name: str, completions: Completions, columns: Columns) -> list[float | None]:
    try:
        items = list(values)
    except TypeError as error:
        where, _ = _place(completions, columns, 0)
        message = f"the reward {name} returns {type(values).__name__} and no list"
        raise AffectError(message, where=where, do=_NUMBERS) from error
    if len(items) != len(completions):
        where, _ = _place(completions, columns, 0)
        message = f"the reward {name} returns {len(items)} values for {len(completions)} replies"
        raise AffectError(message, where=where, do=_NUMBERS)
    return [_number(value, name, completions, columns, row) for row, value in enumerate(items)]


def _number(value: Any, name: str, completions: Completions, columns: Columns, row: int) -> float | None:
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isfinite(number):
        return number
    where, reply = _place(completions, columns, row)
    kind = "an infinite number" if math.isinf(number) else repr(value)
    raise AffectError(f"the reward {name} gives {kind} to the reply {reply!r}", where=where, do=_NUMBERS)
