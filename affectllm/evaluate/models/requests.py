"""Convert lm-eval's requests into questions to a multimodal model: messages, settings, and a key for the answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from lm_eval.api.instance import Instance

from affectllm.evaluate.answers import Answers
from affectllm.instruct.conversation import media_parts
from affectllm.respond.responder import Ask, Reply, Responder
from affectllm.run import digest, file_digest
from affectllm.voice import bar

Messages = list[dict[str, Any]]
T = TypeVar("T")
_SEEDS = 2**31  # the largest number that every server takes as a seed


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the model.

    Args:
        ask: returns the conversation so far, with references to clips; of a million questions, few are at hand at once.
        template: name and version of the wording; empty for tasks that are not ours.
        settings: generation settings, or the choices to score.
        key: digest of everything that decides the answer.
        weight: rough length, for putting like with like: characters, and bytes of clips.
        seed: of a reply that is drawn; None where it is not.
    """

    ask: Callable[[], Messages]
    template: str
    settings: Mapping[str, Any]
    key: str
    weight: int
    seed: int | None = None

    @property
    def messages(self) -> Messages:
        """The conversation so far."""
        return self.ask()


def user_message(text: str) -> Messages:
    """Return the messages of a text-only question."""
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]


def from_history(history: Sequence[Mapping[str, str]]) -> Messages:
    """Convert lm-eval's chat history, whose contents are strings, into messages of parts."""
    return [{"role": turn["role"], "content": [{"type": "text", "text": turn["content"]}]} for turn in history]


class Asker:
    """Makes questions of requests.

    Args:
        identity: what distinguishes this model from others: weights, adapter, media budget, versions.
        roots: corpus name → folder; looked up at every question, so it may grow.
    """

    def __init__(self, identity: Mapping[str, Any], roots: Mapping[str, Path]) -> None:
        self._identity, self._roots = dict(identity), roots
        self._settings: dict[str, Mapping[str, Any]] = {}  # each kind of them once

    def question(
        self, messages: Messages, template: str, settings: Mapping[str, Any], ask: Callable[[], Messages] | None = None
    ) -> Question:
        """Make a question with its key, for which every clip is hashed once.

        Args:
            ask: returns the same messages again; None keeps them.
        """
        parts = media_parts(messages)
        clips = [self._roots[part["corpus"]] / part["path"] for part in parts]
        decides = {
            "model": self._identity,
            "template": template,
            "messages": messages,
            "media": [content_digest(clip) for clip in clips],
            "settings": settings,
        }
        settings = self._settings.setdefault(json.dumps(dict(settings), sort_keys=True), settings)
        weight = len(json.dumps(messages)) + sum(clip.stat().st_size for clip in clips if clip.is_file())
        return Question(ask or (lambda: messages), template, settings, digest(decides), weight)


def kept_replies(
    responder: Responder, asks: Sequence[Ask], roots: Mapping[str, Path], answers: str | Path | None, progress: bool
) -> list[Reply]:
    """Ask a responder, and keep each greedy reply as it comes; only what is not kept yet is asked.

    Args:
        answers: folder of the kept replies; None keeps nothing.
        progress: whether a bar is shown.
    """
    store = Answers(Path(answers) if answers else None)
    keys = _keys(responder, asks, roots) if answers else [None] * len(asks)
    replies: dict[int, Reply] = {}
    for number, key in enumerate(keys):
        if key is not None and (kept := store.get(key)) is not None:
            replies[number] = kept
    left = [number for number in range(len(asks)) if number not in replies]
    arriving = responder.replies([asks[number] for number in left], roots)
    for place, reply in bar(arriving, total=len(left), desc="ask", unit=" questions", unwanted=not progress):
        replies[left[place]] = reply
        if (key := keys[left[place]]) is not None and isinstance(reply, str):
            store.add({key: reply})
    return [replies[number] for number in range(len(asks))]


def _keys(responder: Responder, asks: Sequence[Ask], roots: Mapping[str, Path]) -> list[str | None]:
    """Return the keys of greedy questions, None for sampled ones."""
    asker, keys = Asker(responder.identity(), roots), []
    for ask in asks:
        settings = {"until": list(ask.until), "max_gen_toks": ask.max_new_tokens, **ask.generation}
        sampled = ask.generation.get("do_sample") or ask.generation.get("temperature")
        messages = [dict(message) for message in ask.messages]
        keys.append(None if sampled else asker.question(messages, "", settings).key)
    return keys


def content_digest(path: Path) -> str:
    """Return the digest of a clip's bytes, computed once per version of the file; ``missing`` where there is none."""
    if not path.is_file():
        return "missing"
    facts = path.stat()
    return _digest(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=100_000)
def _digest(path: Path, _changed: int, _size: int) -> str:
    return file_digest(path)


def with_draws(questions: Iterable[Question], seed: int) -> list[Question]:
    """Give every sampled question a key and a seed of its own: equal ones share a greedy answer, and not a drawn one.

    Args:
        seed: of the whole evaluation.
    """
    counts: Counter[str] = Counter()
    numbered = []
    for question in questions:
        if question.settings.get("do_sample"):
            counts[question.key] += 1
            key = f"{question.key}/seed {seed}/draw {counts[question.key]}"
            question = replace(question, key=key, seed=int(digest(key), 16) % _SEEDS)
        numbered.append(question)
    return numbered


def by_settings(questions: Sequence[Question]) -> list[list[Question]]:
    """Group questions that can share a batch, the heaviest first."""
    groups: dict[str, list[Question]] = {}
    for question in sorted(questions, key=lambda question: -question.weight):
        groups.setdefault(json.dumps(dict(question.settings), sort_keys=True), []).append(question)
    return list(groups.values())


def families_of(asked: Iterable[tuple[Question, Instance]]) -> dict[str, tuple[Any, ...]]:
    """Return key of a question → the item whose labels it asks about one by one, for questions of such items."""
    return {one.key: (request.task_name, request.doc_id) for one, request in asked if "each" in (request.doc or {})}


def in_families(
    pairs: Iterable[tuple[Question, T]], family: Callable[[Question], tuple[Any, ...] | None]
) -> Iterator[list[tuple[Question, T]]]:
    """Yield questions that follow each other and are of one family together, any other one alone."""
    numbered = enumerate(pairs)

    def key(item: tuple[int, tuple[Question, T]]) -> Any:
        own = family(item[1][0])
        return item[0] if own is None else (own, item[1][0].settings["choices"])

    for _, together in groupby(numbered, key):
        yield [pair for _, pair in together]
