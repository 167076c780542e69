"""docs/annotation.md lists every step, and every key of steps and models with what it is when it is left out."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from affectllm import registry
from affectllm.annotate.page import ModelOptions
from affectllm.imported import member

PAGE = (Path(__file__).parents[2] / "docs/annotation.md").read_text(encoding="utf-8")


def keys_of(kind: type, without: tuple[str, ...] = ()) -> str:
    """Return the keys of a dataclass as the tables have them: those that are needed, and the others with defaults."""
    needed, usual = list[str](), list[str]()
    for field in fields(kind):
        if field.name in without:
            continue
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if default is MISSING:
            needed.append(f"`{field.name}`")
        elif not default and default is not False:
            usual.append(f"`{field.name}`")
        else:
            usual.append(f"`{field.name}: {default if isinstance(default, str) else json.dumps(default)}`")
    return "; ".join(", ".join(one) for one in (needed or ["none"], usual) if one)


@pytest.mark.parametrize("name", registry.names("steps"))
def test_the_table_of_steps_has_their_keys(name: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1, f"one row of the table is about {name}"
    expected = keys_of(member("steps", name, "STEP", type), ("step", "name"))
    assert rows[0].split(" | ")[1] == expected, f"write | `{name}` | {expected} |"


def test_the_keys_of_a_model_are_listed() -> None:
    assert f"keys are {keys_of(ModelOptions)}." in " ".join(PAGE.split())
