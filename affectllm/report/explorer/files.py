"""Write the files beside a page that hold its examples: scripts, since a page from a disk can load nothing else.

A browser lets no page from ``file:`` read JSON, but lets it run a script. So each file is one call of a function of the
page with one JSON value. All of it is ASCII without ``<``: no text of a corpus or a model can end a script or a string.
Keys are ours; what comes from elsewhere stands as values only, since a key ``__proto__`` means something to JavaScript.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CALL = "affectllmExamples"
"""The function of the page that takes what a file holds."""


def write_script(path: Path, value: Any) -> None:
    """Write a value as a script that hands it to the page."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    path.write_text(f"{CALL}({text.replace('<', chr(92) + 'u003c')});\n", encoding="ascii")
