"""Shared readers of questions whose reply has an answer for each of several things. Not a corpus.

HitEmotion has two: the turns of a scene, ``{'2': {'emotion': 'joy', 'cause_utterance_id': '1'}}``, and the targets of a
post, ``{'NFL': 'neutral'}``. A scene stays one question; a post is asked once for each of its targets. The replies are
Python's own notation, which is parsed and never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from affectllm.data_builders.benchmarks._chats import Part, Question, Row

from affectllm.corpus import Rejection, Turn
from affectllm.labels import Annotation, LabelSpace

_LINE = re.compile(r"\[(\d+)\] ([^:\n]+): (.*)")
_ORDER = re.compile(r"\n\s*Task: ")
_TARGETS = re.compile(r"\s*\nTargets: [^\n]*\n.*", re.DOTALL)
_LONGEST = 100_000  # characters of a reply that is parsed


def scene_pairs(part: Part, row: Row, rater: str) -> Iterator[Question | Rejection]:
    """Yield the scene with its last turn as the words and those before it as context, and all of its pairs."""
    lines = [_LINE.fullmatch(line) for line in _ORDER.split(row.asked)[0].strip().splitlines()[1:]]
    turns = [Turn(line[2].strip(), line[3].strip()) for line in lines if line is not None]
    if not turns or [line and int(line[1]) for line in lines] != [*range(1, len(lines) + 1)]:
        yield Rejection(row.id, "broken_row", row.where, "its turns are not numbered from 1")
        return
    (space,) = part.spaces.values()
    pairs = _pairs(literal(row.reply), space, len(turns))
    if pairs is None:
        yield Rejection(row.id, "unknown_label", row.where, f"no pairs of its turns: {str(row.reply)[:80]}")
        return
    answer = Annotation(space.name, rater, pairs)
    yield Question(turns[-1].text, (answer,), speaker=turns[-1].speaker, context=tuple(turns[:-1]))


def _pairs(reply: dict[str, Any] | None, space: LabelSpace, last: int) -> tuple[dict[str, Any], ...] | None:
    """Return the pairs of a reply; None where one of them has no such turn, emotion or cause."""
    pairs = []
    for turn, answer in (reply or {}).items():
        cause = str(answer.get("cause_utterance_id", "")) if isinstance(answer, dict) else ""
        emotion = space.resolve(str(answer.get("emotion", ""))) if isinstance(answer, dict) else None
        if emotion is None or not all(one.isdecimal() and 1 <= int(one) <= last for one in (str(turn), cause)):
            return None
        pairs.append({"turn": int(turn), "emotion": emotion, "cause": int(cause)})
    return tuple(pairs) or None


def targets(part: Part, row: Row, rater: str) -> Iterator[Question | Rejection]:
    """Yield one question for each target of a post; the id of its sample ends in the place of the target."""
    (space,) = part.spaces.values()
    post, reply = _TARGETS.sub("", row.asked).strip(), literal(row.reply)
    if not reply or post == row.asked.strip() or not all(str(target).strip() for target in reply):
        yield Rejection(row.id, "broken_row", row.where, "no targets, or no answer for each")
        return
    for place, (target, answer) in enumerate(reply.items(), 1):
        label = space.resolve(str(answer))
        if label is None:
            yield Rejection(f"{row.id}/{place}", "unknown_label", row.where, str(answer)[:80])
            continue
        text = f"{post}\nTarget: {target.strip()}\nDetermine the sentiment toward the target."
        yield Question(text, (Annotation(space.name, rater, label),), ending=f"/{place}")


def literal(reply: Any) -> dict[str, Any] | None:
    """Return an object, or the one that a text spells in Python's notation; None for all else, and for a key twice."""
    if isinstance(reply, dict):
        return reply
    text = str(reply).strip()
    if len(text) > _LONGEST:
        return None
    try:
        tree = ast.parse(text, mode="eval").body
        value = ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    is_whole = (
        isinstance(tree, ast.Dict) and len(value) == len(tree.keys) and all(isinstance(key, str) for key in value)
    )
    return value if is_whole else None
