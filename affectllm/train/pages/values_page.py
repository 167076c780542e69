"""Values of a recipe's page, held against the types, choices and bounds that they can have.

The libraries' own classes are made at the start of training, since making one initialises devices and process groups,
and much of what they refuse is refused once the model is loaded.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from affectllm.errors import BadRecipe
from affectllm.extras import EXTRAS, missing
from affectllm.train.method import Bound, Method
from affectllm.train.pages.bounds import BUDGET, LORA, SEED, TRAINER
from affectllm.yaml_page import Page

_DTYPES = ("auto", "bfloat16", "float16", "float32", "float64")
_SCALARS = (int, float, bool, str)
Path = tuple[str | int, ...]


def check_trainer(method: Method, trainer: Mapping[str, Any], page: Page) -> None:
    """Raise ``BadRecipe`` for the first field under ``trainer`` with a value that it cannot have."""
    config = method.config_class()
    hints = typing.get_type_hints(config)
    offered = {field.name: list(field.metadata["choices"]) for field in dataclasses.fields(config) if _offers(field)}
    choices = {**offered, **method.choices}
    for key, value in trainer.items():
        if not _admits(hints[key], value):
            _refuse(("trainer", key), _words(hints[key]), value, page)
        known = choices.get(key) or [one for kind in _enums(hints[key]) for one in (member.value for member in kind)]
        if isinstance(value, str) and known and value not in known:
            _refuse(("trainer", key), f"one of {', '.join(map(str, known))}", value, page)
    _check_bounds(trainer, {**TRAINER, **method.bounds}, page, ("trainer",))
    _check_trackers(trainer.get("report_to"), page)


def check_model(recipe: Any, page: Page) -> None:
    """Raise ``BadRecipe`` for a seed, a dtype, a budget, an attention kernel or LoRA's numbers that cannot be.

    Args:
        recipe: with the fields ``seed``, ``model``, ``peft`` and ``data``.
    """
    model = recipe.model
    _check_bounds({"seed": recipe.seed}, {"seed": SEED}, page, ())
    if model.dtype not in _DTYPES:
        _refuse(("model", "dtype"), f"one of {', '.join(_DTYPES)}", model.dtype, page)
    if (kernel := model.attn_implementation) not in (known := _kernels()) and "/" not in kernel:  # one of the Hub's
        _refuse(("model", "attn_implementation"), f"one of {', '.join(known)}", kernel, page)
    places: dict[Path, Any] = {("model", "budget"): model.budget}
    places |= {("data", "mixture", number, "budget"): part.budget for number, part in enumerate(recipe.data.mixture)}
    for place, budget in places.items():
        if budget is not None:
            values = {key: getattr(budget, key) for key in BUDGET if getattr(budget, key, None) is not None}
            _check_bounds(values, BUDGET, page, place)
    _check_bounds(recipe.peft or {}, LORA, page, ("peft",))


def _kernels() -> list[str]:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    return ["eager", *sorted(ALL_ATTENTION_FUNCTIONS.valid_keys())]


def _offers(field: dataclasses.Field[Any]) -> bool:
    return bool(field.metadata.get("choices"))


def _check_bounds(values: Mapping[str, Any], bounds: Mapping[str, Bound], page: Page, path: Path) -> None:
    for key, bound in bounds.items():
        given = values.get(key)
        for value in given if isinstance(given, list) else [given]:
            if value is not None and not bound.admits(value):
                _refuse((*path, key), bound.expected(value), value, page)


def _check_trackers(given: str | Sequence[str] | None, page: Page) -> None:
    """Refuse trackers that transformers does not know, and those whose library is not installed."""
    from transformers.integrations.integration_utils import (
        INTEGRATION_TO_CALLBACK,
        get_available_reporting_integrations,
    )

    where = page.where(("trainer", "report_to"))
    names = [] if given in (None, "none", "all", ["none"], ["all"]) else [given] if isinstance(given, str) else given
    for name in names or ():
        if name not in INTEGRATION_TO_CALLBACK:
            _refuse(("trainer", "report_to"), f"none, all, or of {', '.join(INTEGRATION_TO_CALLBACK)}", name, page)
        if name in get_available_reporting_integrations() or name == "flyte":  # which is not asked for
            continue
        if name in EXTRAS:
            error = missing(name)
            raise BadRecipe(error.what, where=where, do=error.do)
        ours = ", ".join(package for package, extra in EXTRAS.items() if extra == "trackers")
        hint = f"install what its documentation names, or take one of {ours}: pip install 'affectllm[trackers]'"
        raise BadRecipe(f"the library of the tracker {name} is not installed", where=where, do=hint)


def _refuse(path: Path, expected: str, value: Any, page: Page) -> typing.NoReturn:
    hint = ""
    if isinstance(value, str) and expected.startswith("float"):
        hint = "YAML 1.1 reads 1e-4 as text; write 1.0e-4"
    if isinstance(value, bool):
        hint = "YAML 1.1 reads no, off and yes as false and true; put words in quotes"
    name = ".".join(map(str, path))
    raise BadRecipe(f"{name} must be {expected}, not {value!r}", where=page.where(path), do=hint)


def _parts(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union; the hint itself where it is none."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _enums(hint: Any) -> list[type[enum.Enum]]:
    return [one for one in _parts(hint) if isinstance(one, type) and issubclass(one, enum.Enum)]


def _admits(hint: Any, value: Any) -> bool:
    """Return whether a value of a page is of a type; a whole number is a float, a word alone a list of words."""
    return any(_is(one, value) for one in _parts(hint))


def _is(hint: Any, value: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS:
        kinds = (int, float) if hint is float else (hint,)
        return isinstance(value, kinds) and (hint is bool or not isinstance(value, bool))
    if hint is type(None):
        return value is None
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return False  # a word of it is admitted by the str that stands beside it
    if origin is typing.Literal:
        return value in arguments
    if origin is list:
        items = value if isinstance(value, list) else [value] if arguments == (str,) else None
        return items is not None and all(_admits(arguments[0], item) for item in items)
    if origin is tuple:
        return isinstance(value, list) and all(map(_admits, arguments, value)) and len(value) == len(arguments)
    if hint is dict or origin is dict:
        return isinstance(value, dict)
    return True


def _words(hint: Any) -> str:
    named = [_word(one) for one in _parts(hint) if one is not type(None) and one not in _enums(hint)]
    return " or ".join(dict.fromkeys(named))


def _word(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return f"a list of {_word(arguments[0]).removeprefix('a ')}"
    if origin is tuple:
        return f"a list of {len(arguments)} {_word(arguments[0])}"
    return "a mapping" if hint is dict or origin is dict else str(getattr(hint, "__name__", hint))
