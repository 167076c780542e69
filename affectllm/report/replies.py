"""Read lm-eval's samples files: questions, replies and readings, with a bounded selection of examples."""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from affectllm.errors import Malformed
from affectllm.evaluate.logged import SOURCES
from affectllm.instruct.conversation import text_of
from affectllm.report.runfolder import read_object

Outcome = Literal["correct", "wrong", "unreadable", "reply"]
OUTCOMES: tuple[Outcome, ...] = ("correct", "wrong", "unreadable", "reply")


@dataclass(frozen=True)
class Reply:
    """One question of a task, with the model's reply and its reading.

    Args:
        id: the sample's id.
        corpus: the sample's corpus.
        speaker: who speaks in it, None where unknown.
        messages: the conversation as it was put, with media parts as references.
        gold: the right answer (a label, a list of labels, or a text).
        text: the reply as it came; None for a task that compares likelihoods.
        reading: what was understood, None where nothing could be.
        unreadable: the reason why not, None where it could be read.
        outcome: ``correct``, ``wrong``, ``unreadable``; ``reply`` where no label is right or wrong.
        dialogue: in which it stands, None where unknown.
        wording: number of the paraphrase, None where each item is asked once.
        about: what the corpus knows of the sample: language, sex, level, …; its words, where they were not shown.
        prompt: the text that a model of text got, where that is more than the messages; else None.
        likelihoods: choice → its log-likelihood in nats, where these were compared.
    """

    id: str
    corpus: str
    speaker: str | None
    messages: Sequence[Mapping[str, Any]]
    gold: Any
    text: str | None
    reading: Any
    unreadable: str | None
    outcome: Outcome
    dialogue: str | None = None
    wording: int | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    prompt: str | None = None
    likelihoods: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int | None]:
        """What tells questions of a task apart: the sample and the wording."""
        return self.id, self.wording


@dataclass(frozen=True)
class Replies:
    """A task's replies: selected examples by outcome, reasons with their counts, and the total."""

    examples: Mapping[Outcome, Sequence[Reply]]
    reasons: Mapping[str, int]
    total: int


def samples_file(folder: Path, task: str) -> Path | None:
    """Return the samples file that the scores of ``task`` were computed from; None where it is missing.

    Raises:
        Malformed: when several runs have left some and nothing says which of them was scored.
    """
    if (folder / SOURCES).is_file():
        samples = read_object(folder / SOURCES).get("samples")
        if not isinstance(samples, dict):
            raise Malformed("no samples are named", where=str(folder / SOURCES), do="run the evaluation again")
        name = samples.get(task)
        return folder / name if name and (folder / name).is_file() else None
    # One task's name may begin another's, so the date is matched too.
    dated = re.compile(rf"samples_{re.escape(task)}_\d{{4}}-\d\d-\d\dT[^/]*\.jsonl")
    paths = [path for path in folder.glob("samples_*.jsonl") if dated.fullmatch(path.name)]
    if len(paths) > 1:
        message = f"{len(paths)} runs have left samples of {task}, and nothing says which was scored"
        raise Malformed(message, where=str(folder), do="run the evaluation again")
    return paths[0] if paths else None


def is_labelled(details: Mapping[str, Any]) -> bool:
    """Return whether answers can be right or wrong; details of earlier versions imply it by having labels."""
    return bool(details.get("labelled", details.get("labels")))


def read_replies(path: Path, *, labelled: bool) -> Iterator[Reply]:
    """Yield the replies of one samples file, in its order, one in memory at a time.

    Args:
        labelled: whether the task's gold answers are labels, so that a reply can be right or wrong.

    Raises:
        Malformed: when a line is not what lm-eval writes for our tasks; it says which.
    """
    chosen_filter: str | None = None
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                chosen_filter = chosen_filter or row.get("filter", "none")
                if row.get("filter", "none") == chosen_filter:
                    yield _reply(row, labelled)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Malformed(
                    f"this line is no logged sample ({error})", where=f"{path}:{number}", do="run the evaluation again"
                ) from error


def _reply(row: Mapping[str, Any], labelled: bool) -> Reply:
    doc, reading, unreadable = row["doc"], row.get("reading"), row.get("unreadable")
    messages, prompt = _asked(row, _messages(doc["messages"]))
    return Reply(
        id=str(doc["id"]),
        corpus=str(doc["corpus"]),
        speaker=doc.get("speaker"),
        messages=messages,
        gold=doc["gold"],
        text=_reply_text(row.get("filtered_resps")),
        reading=reading,
        unreadable=str(unreadable) if unreadable else None,
        outcome=_outcome(doc["gold"], reading, unreadable, row.get("right"), labelled),
        dialogue=doc.get("dialogue"),
        wording=doc.get("wording"),
        about=doc.get("about") or {},
        prompt=prompt,
        likelihoods=_likelihoods(row.get("filtered_resps"), doc.get("choices")),
    )


def _asked(row: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """Return what was asked: the messages with examples and system prompt, and the text that models of text got.

    A sample's own messages are all that a document has; what the protocol puts before them stands in the arguments.
    """
    if row["doc"].get("each"):  # asked about each label by itself: the messages are what the questions share
        return own, None
    arguments = (row.get("arguments") or {}).get("gen_args_0") or {}
    for argument in arguments.values():
        if isinstance(argument, Mapping) and argument.get("messages"):
            return _messages(argument["messages"]), None
    prompt = arguments.get("arg_0")
    if not isinstance(prompt, str) or prompt.strip() == text_of(own).strip():
        return own, None
    return own, prompt


def _likelihoods(responses: Any, choices: Any) -> dict[str, float]:
    """Return choice → log-likelihood; empty where replies were generated, or single labels were asked about."""
    if not isinstance(responses, list) or not isinstance(choices, list) or len(responses) != len(choices):
        return {}
    values = [_likelihood(one) for one in responses]
    known = {str(choice): value for choice, value in zip(choices, values, strict=True) if value is not None}
    return known if len(known) == len(choices) else {}


def _likelihood(response: Any) -> float | None:
    """Return the first of (log-likelihood, whether greedy), which lm-eval logs as texts; None of anything else."""
    if not isinstance(response, list) or len(response) != 2 or str(response[1]) not in ("True", "False"):
        return None
    try:
        return float(response[0])
    except (TypeError, ValueError):
        return None


def _messages(value: Any) -> Sequence[Mapping[str, Any]]:
    messages = json.loads(value) if isinstance(value, str) else value
    return [json.loads(message) if isinstance(message, str) else message for message in messages]


def _reply_text(responses: Any) -> str | None:
    first = responses[0] if isinstance(responses, list) and responses else responses
    if isinstance(first, list) and first and all(isinstance(one, str) for one in first) and _likelihood(first) is None:
        return "\n".join(first)  # the replies that voted
    return first if isinstance(first, str) else None


def _outcome(gold: Any, reading: Any, unreadable: Any, right: float | None, labelled: bool) -> Outcome:
    if unreadable:
        return "unreadable"
    if not labelled:
        return "reply"
    if right is not None:
        return "correct" if right == 1 else "wrong"
    return "correct" if _labels(gold) == _labels(reading) else "wrong"


def _labels(value: Any) -> set[str]:
    return set(value) if isinstance(value, list) else {value}


def choose(replies: Iterator[Reply], limits: Mapping[Outcome, int]) -> Replies:
    """Select at most ``limits`` examples of each outcome by a hash of their ids, so that none is picked by hand.

    Different gold answers come first, so that six examples are not six times the largest class.
    """
    shelves: dict[Outcome, dict[str, list[tuple[str, Reply]]]] = {outcome: {} for outcome in OUTCOMES}
    reasons: Counter[str] = Counter()
    total = 0
    for reply in replies:
        total += 1
        if reply.unreadable:
            reasons[reply.unreadable] += 1
        shelf = shelves[reply.outcome].setdefault(_shelf_name(reply), [])
        shelf.append((hashlib.sha256(reply.id.encode()).hexdigest(), reply))
        if len(shelf) > 2 * limits[reply.outcome]:
            shelf[:] = heapq.nsmallest(limits[reply.outcome], shelf, key=lambda pair: pair[0])
    examples = {outcome: _interleave(shelves[outcome], limits[outcome]) for outcome in OUTCOMES}
    return Replies(examples, dict(reasons.most_common()), total)


def _shelf_name(reply: Reply) -> str:
    # Texts are all different: one shelf for them, or memory would grow with the file.
    if reply.outcome == "reply":
        return ""
    return json.dumps(reply.gold, ensure_ascii=False, sort_keys=True) if isinstance(reply.gold, str) else "set"


def _interleave(shelves: Mapping[str, list[tuple[str, Reply]]], limit: int) -> list[Reply]:
    ranked = []
    for shelf in shelves.values():
        for rank, (key, reply) in enumerate(sorted(shelf, key=lambda pair: pair[0])):
            ranked.append((rank, key, reply))
    return [reply for _, _, reply in sorted(ranked, key=lambda entry: entry[:2])[:limit]]


def find_replies(path: Path, ids: frozenset[str], *, labelled: bool) -> dict[str, Reply]:
    """Return the replies with these ids: how another run answered the same questions."""
    return {reply.id: reply for reply in read_replies(path, labelled=labelled) if reply.id in ids}
