"""Parse the arguments of the lm-eval model ``affectllm-api`` from command-line strings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from affectllm.errors import AffectError
from affectllm.model.clips.media import Budget
from affectllm.respond import profiles
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.keys import refuse_secret_words, refuse_secrets
from affectllm.respond.spending import Limits

_LIMITS = frozenset(field.name for field in fields(Limits))
_BUDGET = frozenset(Budget().to_json())
_NUMBERS = ("timeout", "patience", "backoff")
_COUNTS = ("concurrency", "retries")
_WORDS = ("model", "base_url", "api_key_env")
_OWN = frozenset((*_WORDS, *_NUMBERS, *_COUNTS, "profile", "extra"))
OPERATION = frozenset(
    (*_LIMITS, *_NUMBERS, *_COUNTS, "api_key_env", "selftest", "dry_run", "pixels_per_token", "tokens_per_second")
)
"""Arguments that decide how, and not what, is asked."""


def parsed(words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of ``--model_args``, as lm-eval reads them: JSON objects, or ``name=value,name=value``.

    Raises:
        AffectError: for what is neither, or holds a key; which is not quoted.
    """
    refuse_secret_words(words)
    options: dict[str, Any] = {}
    for word in words:
        if word.lstrip().startswith("{"):
            options |= _object(word)
            continue
        for pair in filter(None, map(str.strip, word.split(","))):
            name, equals, value = pair.partition("=")
            if not equals:
                raise AffectError(f"--model_args {name!r} has no value", do="write name=value,name=value, or JSON")
            options[name.strip()] = _plain(value.strip())
    return options


def _plain(value: str) -> Any:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def endpoint_of(options: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint that arguments describe.

    Args:
        options: ``model``, ``base_url``, ``profile``, ``api_key_env``, ``concurrency``, ``retries``, ``timeout``,
            ``patience``, ``backoff`` and ``extra`` (a JSON object) of ``respond.endpoint.Endpoint``; fields of
            ``respond.spending.Limits``, ``model.media.Budget`` and ``respond.profiles.Profile``.

    Raises:
        AffectError: for an unknown argument, one that would hold a key, or a value of another type.
    """
    refuse_secrets(options)
    known = _OWN | _LIMITS | _BUDGET | profiles.FIELDS
    if strange := sorted(set(options) - known):
        near = get_close_matches(strange[0], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose of {', '.join(sorted(known))}"
        raise AffectError(f"the model affectllm-api takes no argument {strange[0]!r}", do=hint)
    changes = {name: value for name, value in options.items() if name in profiles.FIELDS}
    own: dict[str, Any] = {name: str(options[name]) for name in _WORDS if options.get(name)}
    own |= {name: _number(name, options[name], float) for name in _NUMBERS if name in options}
    own |= {name: _number(name, options[name], int) for name in _COUNTS if name in options}
    return Endpoint(
        **{"model": "", **own},
        profile=profiles.profile_of(str(options.get("profile", "frames")), changes),
        budget=Budget(**{name: value for name, value in options.items() if name in _BUDGET}),
        limits=Limits(**{name: value for name, value in options.items() if name in _LIMITS}),
        extra=_object(options.get("extra")),
    )


def _number(name: str, value: Any, kind: type) -> Any:
    try:
        number = kind(value)
    except (TypeError, ValueError):
        number = -1
    if isinstance(value, bool) or number < 0:
        raise AffectError(f"{name} is no number: {value!r}", do=f"write for example {name}=4")
    return number


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
        if value is None:
            raise AffectError("extra is no JSON object", do='pass all arguments as JSON: \'{"extra": {"seed": 1}}\'')
    if not isinstance(value, dict | None):
        raise AffectError("extra is no JSON object", do='pass all arguments as JSON: \'{"extra": {"seed": 1}}\'')
    return value or {}
