"""Hints of a task: whose are shown, and how many of its items have one."""

from __future__ import annotations

import sys
from typing import Any

from affectllm.errors import AffectError, Malformed, placed
from affectllm.evaluate.documents import AnyDocuments
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.protocol import Protocol
from affectllm.hints.attach import NO_FRAME, Hints, counted
from affectllm.labels.language import asking


def checked_hints(page: TaskPage, protocol: Protocol, where: str) -> Hints:
    """Return the hints that a task shows.

    Raises:
        NotFound: when a table is nowhere.
        Malformed: when its words, or what frames them, are not there in the language of the task.
    """
    hints = Hints(page.hints, protocol.hints)
    if not page.hints:
        return hints
    if not asking(page.language).hints:
        raise Malformed(f"prompts in {page.language!r} have no hints", where=where, do=NO_FRAME)
    with placed(where):
        hints.check(page.language)
    return hints


def asked_by_protocol(page: TaskPage, protocol: Protocol) -> dict[str, Any]:
    """Return what the protocol changes of a task: whose hints are shown is nothing to one that has none."""
    changed = protocol.to_json()
    return changed if page.hints else {key: value for key, value in changed.items() if key != "hints"}


def hints_given(documents: AnyDocuments, hints: Hints, task: str) -> dict[str, int]:
    """Return ``table: given`` or ``table: <why not>`` → how many documents; says on stderr what is missing.

    Raises:
        AffectError: when a table has no hint for any of them.
    """
    counts = counted(mark for document in documents for mark in document.get("hints", ()))
    for table in hints.tables:
        if not counts[f"{table}: given"]:
            message = f"the table of hints {table} has none for the items of this task"
            raise AffectError(message, where=task, do="make it of the same corpus: affectllm hint PAGE")
    if missing := {key: count for key, count in counts.items() if not key.endswith(": given")}:
        listed = ", ".join(f"{count:,} × {key}" for key, count in missing.items())
        print(f"{task}: items without a hint: {listed}", file=sys.stderr)
    return dict(counts)
