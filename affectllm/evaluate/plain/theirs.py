"""Whether a name may be a task of lm-eval's own, without indexing them, which takes many seconds."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import lm_eval.tasks

_PAGES = ("", ".yaml", ".yml", ".py")
_PATTERN = frozenset("*?[")
_NEARLY = 0.9


def may_be_theirs(name: str) -> bool:
    """Return whether lm-eval may have a task, group or tag called ``name``, or a page that is nearly called so.

    A name that stands in none of its pages is none of its tasks. Patterns and paths may be anything.
    """
    found, near = looked_up(name)
    return found or bool(difflib.get_close_matches(name, near, n=1, cutoff=_NEARLY))


def looked_up(name: str, further: str | None = None) -> tuple[bool, list[str]]:
    """Return whether a name stands in a page of lm-eval's tasks, and if not, the pages that are called most like it.

    Args:
        further: a folder of pages beside lm-eval's own.
    """
    if _PATTERN & set(name) or os.sep in name:
        return True, []
    letters, stems = name.encode(), set[str]()
    folders = [Path(lm_eval.tasks.__file__).parent, *([Path(further).expanduser()] if further else [])]
    for folder, _, files in (place for top in folders for place in os.walk(top)):
        for file in files:
            stem, suffix = os.path.splitext(file)
            if suffix not in _PAGES:
                continue
            stems.add(stem)
            if letters in Path(folder, file).read_bytes():
                return True, []
    return False, difflib.get_close_matches(name, stems)
