"""Shared reader of questions that are kept as a conversation for training, their answer being its reply. Not a corpus.

EmoBench-M has this shape, and HitEmotion after it: ``{"id", "video" or "image", "conversations": [{"from": "human",
"value": …}, {"from": "gpt", "value": …}]}``. The question of the person holds a mark of the media, mostly what is said
in them, the question itself, and then orders: to explain nothing, to choose one of some labels, to answer as a dict of
Python. The reply is a label, an object, or the text of such a dict, which is searched and never run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.data_builders.benchmarks._questions import answered, medium, options_of

from affectllm.corpus import TEST, MediaRef, Rejection, Sample, Turn
from affectllm.corpus.reading import first_sight, list_media
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.word_forms import aliases

MEMBERS = ("conversations", "from", "value")
MEDIA = ("video", "image")
_SOURCE = "Hu et al., EmoBench-M: Benchmarking Emotional Intelligence for Multimodal LLMs, arXiv 2502.04424, 2025"
_MARK = re.compile(r"<(?:video|image|audio)>\s*")
_ORDERS = re.compile(
    r"\s*(?:Do not (?:provide any (?:additional )?explanations|explain\. Choose)|Choose one (?:of the following labels|"
    r"emotion:)|Choose zero or more labels|Respond (?:EXACTLY )?in the format|Answer with the option from).*",
    re.DOTALL,
)
_OFFERED = re.compile(r"from the given choices directly:\s*(.+?)\.?\s*(?:\nAnswer:|$)", re.DOTALL)


def _category(name: str, *labels: str) -> LabelSpace:
    return LabelSpace(f"emobench_m_{name}", "category", labels, source=_SOURCE, aliases=aliases(*labels))


SENTIMENT_3 = _category("sentiment_3", "neutral", "negative", "positive")
SENTIMENT_5 = _category(
    "sentiment_5", "weak negative", "strong negative", "neutral", "strong positive", "weak positive"
)
MER_6 = _category("mer_6", "happy", "sad", "neutral", "angry", "worried", "surprise")
SONG_6 = _category("song_6", "neutral", "calm", "happy", "sad", "angry", "fearful")
SPEECH_8 = _category("speech_8", *SONG_6.names, "surprised", "disgust")
MELD_7 = _category("meld_7", "neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")
EMOTION_7 = _category("emotion_7", "happy", "surprise", "sad", "disgust", "anger", "fear", "neutral")
INTENT_8 = LabelSpace(
    "emobench_m_intent_8",
    "category",
    ("questioning", "agreeing", "acknowledging", "encouraging", "consoling", "suggesting", "wishing", "neutral"),
    source=_SOURCE,
)
TRUTH = LabelSpace("emobench_m_truth", "category", ("true", "false"), source=_SOURCE)


@dataclass(frozen=True)
class Part:
    """One set of a benchmark.

    Args:
        name: the attribute ``set`` of its samples.
        file: the file of its questions, below the folder of the release.
        spaces: member of the reply → label space; the member is empty where the reply is the answer itself.
        group: the attribute ``group`` of its samples.
        reader: what makes questions of a row and a rater; None where a row is a question with an answer of its own.
    """

    name: str
    file: str
    spaces: Mapping[str, LabelSpace]
    group: str
    reader: Reader | None = None


@dataclass(frozen=True)
class Row:
    """A row of a file of questions: its name, where it stands, what the person asks and what is replied."""

    id: str
    where: str
    asked: str
    reply: Any


@dataclass(frozen=True)
class Question:
    """What becomes a sample, beside the media and attributes of its row.

    Args:
        text: the words.
        annotations: the answers.
        ending: what the id of the sample has after that of the row.
        speaker: who says the words.
        context: the turns before them.
    """

    text: str
    annotations: tuple[Annotation, ...]
    ending: str = ""
    speaker: str | None = None
    context: tuple[Turn, ...] = ()


Reader = Callable[[Part, Row, str], Iterator[Question | Rejection]]


def read_part(
    part: Part, path: Path, folders: Sequence[Path], root: Path, corpus: str, rater: str
) -> Iterator[Sample | Rejection]:
    """Yield one sample per question of a file, and a rejection for each that cannot be asked.

    Args:
        folders: where the media may lie; without a film or picture in one of them the questions are read without.
    """
    has_media = any(
        any(list_media(folder, (".mp4", ".avi", ".mkv", ".jpg", ".jpeg", ".png"), depth=4)) for folder in folders
    )
    seen: set[str] = set()
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
        else:
            yield from _sample(part, item, folders if has_media else (), root, corpus, rater, seen)


def _sample(
    part: Part, item: Item, folders: Sequence[Path], root: Path, corpus: str, rater: str, seen: set[str]
) -> Iterator[Sample | Rejection]:
    value = item.value if isinstance(item.value, dict) else {}
    identifier = f"{part.name}/{value.get('id', '')}"
    asked, reply = _turns(value.get("conversations"))
    asked = _MARK.sub("", asked)
    row = Row(identifier, item.where, asked, reply)
    if "id" not in value or not asked.strip() or reply in (None, ""):
        yield Rejection(identifier, "broken_row", item.where, "no question, no answer, or no number")
        return
    named = [str(value[kind]).strip() for kind in MEDIA if value.get(kind)]
    shown: list[MediaRef | Rejection] | None = None
    for question in (part.reader or _whole)(part, row, rater):
        if isinstance(question, Rejection):
            yield question
            continue
        if again := first_sight(seen, identifier + question.ending, item.where):
            yield again
            continue
        if shown is None:
            shown = [medium(name, folders, root, item.where) for name in named] if folders else []
            yield from (one for one in shown if isinstance(one, Rejection))
        yield Sample(
            id=identifier + question.ending,
            corpus=corpus,
            split=TEST,
            annotations=question.annotations,
            source=item.where,
            text=question.text,
            language="en",
            speaker=question.speaker,
            context=question.context,
            media=tuple(one for one in shown if isinstance(one, MediaRef)),
            attributes={"set": part.name, "group": part.group, **({"clip": named[0]} if named else {})},
        )


def _whole(part: Part, row: Row, rater: str) -> Iterator[Question | Rejection]:
    """Yield the row as one question, without the orders on how to answer."""
    text = _ORDERS.sub("", row.asked).strip()
    if not text:
        yield Rejection(row.id, "broken_row", row.where, "no question")
        return
    annotations = [
        _annotation(space, rater, answer_of(row.reply, member), row.asked) for member, space in part.spaces.items()
    ]
    whole = tuple(one for one in annotations if one is not None)
    if len(whole) < len(annotations):
        yield Rejection(row.id, "unknown_label", row.where, str(row.reply)[:80])
        return
    yield Question(text, whole)


def _turns(value: Any) -> tuple[str, Any]:
    """Return what the person asks and what is replied; empty where a turn is missing or is somebody else's."""
    turns = [turn for turn in value if isinstance(turn, dict)] if isinstance(value, list) else []
    if len(turns) < 2 or (turns[0].get("from"), turns[1].get("from")) != ("human", "gpt"):
        return "", None
    return str(turns[0].get("value") or ""), turns[1].get("value")


def answer_of(reply: Any, member: str) -> Any:
    """Return a member of the reply, whose name may go on (``emotion label``); the reply itself for the empty member.

    One release has a comma where a colon should be (``'intent', 'agreeing'``), which is read as well.
    """
    if not member:
        return reply
    if isinstance(reply, dict):
        return next((value for name, value in reply.items() if str(name).startswith(member)), None)
    match = re.search(rf"['\"]{member}[^'\"]*['\"]\s*[:,]\s*['\"]([^'\"]+)['\"]", str(reply))
    return match[1] if match else None


def _annotation(space: LabelSpace, rater: str, answer: Any, asked: str) -> Annotation | None:
    """Return the annotation, None where the answer is none of the space or of the options that are offered."""
    if space.kind == "open":
        return Annotation(space.name, rater, answer.strip()) if isinstance(answer, str) and answer.strip() else None
    if space.kind == "options":
        offered = _OFFERED.search(asked)
        options = options_of(offered[1].split(", ") if offered else [])
        return answered(space, rater, options, (str(answer).strip(),))
    given = answer if isinstance(answer, list) else [answer]
    names = [name for one in given if (name := space.resolve(str(one))) is not None]
    if len(names) < len(given) or (space.kind == "set") != isinstance(answer, list):
        return None
    ordered = tuple(name for name in space.names if name in names)
    return Annotation(space.name, rater, ordered if space.kind == "set" else names[0])
