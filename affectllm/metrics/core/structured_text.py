"""Parse mappings and lists that a table holds as text."""

from __future__ import annotations

import ast
import json
from typing import Any


def structured(value: Any) -> Any:
    """Parse a text that is a mapping or list in JSON or Python notation; return anything else unchanged."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            return read(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return value
