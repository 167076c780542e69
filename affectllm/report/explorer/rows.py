"""What one example says in full: the messages with links to their clips, every run's answer, what is known of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from affectllm.corpus.roots import locate
from affectllm.errors import NotFound
from affectllm.instruct.conversation import parts_of
from affectllm.player.links import Link, clip_link
from affectllm.player.outlines import Outlines
from affectllm.report.display import annotation
from affectllm.report.replies import Reply


class Clips:
    """Links from a page to the clips of its examples.

    Args:
        page: the folder of the page.
        roots: corpus → folder.

    Attributes:
        outlines: of their sounds.
    """

    def __init__(self, page: Path, roots: Mapping[str, Path]) -> None:
        self._page, self._given = page, roots
        self.outlines = Outlines()
        self._root = lru_cache(maxsize=None)(self._root_of)
        self._link = lru_cache(maxsize=4096)(self._link_of)

    def link(self, part: Mapping[str, Any]) -> Link:
        """Return the link to what a media part of a message refers to."""
        muted = part["type"] == "video" and not part.get("sound")
        place = (str(part["type"]), str(part["corpus"]), str(part["path"]))
        return self._link(*place, part.get("start"), part.get("end"), muted)

    def file(self, part: Mapping[str, Any]) -> Path:
        """Return the file that a link leads to which is not missing."""
        root = self._root(str(part["corpus"]))
        assert root is not None
        return root / str(part["path"])

    def _link_of(self, kind: str, corpus: str, path: str, start: float | None, end: float | None, muted: bool) -> Link:
        return clip_link(kind, path, self._root(corpus), self._page, start=start, end=end, muted=muted)

    def _root_of(self, corpus: str) -> Path | None:
        try:
            return locate(corpus, self._given)
        except NotFound:
            return None


class Chunk:
    """Examples that one file holds; texts that several have in common stand in it once."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}
        self._rows: list[list[Any]] = []
        self._heard: list[tuple[list[Any], Path, Mapping[str, Any]]] = []  # what has a sound, as it stands in a row

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, replies: Sequence[Reply | None], clips: Clips) -> None:
        """Append an example, which the runs answered with ``replies``; the first of them is never None."""
        asked = next(reply for reply in replies if reply)
        messages = [
            [self._text(message["role"]), [self._part(part, clips) for part in parts_of([message])]]
            for message in asked.messages
        ]
        prompt = self._text(asked.prompt) if asked.prompt else -1
        known = [[self._text(name), self._text(str(value))] for name, value in asked.about.items()]
        answers = [self._answer(reply) for reply in replies]
        self._rows.append([messages, prompt, self._text(annotation(asked.gold)), known, answers])

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _part(self, part: Mapping[str, Any], clips: Clips) -> Any:
        if part.get("type") == "text":
            return self._text(str(part["text"]))
        link = clips.link(part)
        shown = [link.kind, link.href, link.path, link.span, int(link.muted)]
        if link.kind == "audio" or (link.kind == "video" and not link.muted):
            self._heard.append((shown, clips.file(part), part))
        return shown

    def _answer(self, reply: Reply | None) -> list[Any] | None:
        if reply is None:
            return None
        reading = -1 if reply.reading is None else self._text(annotation(reply.reading))
        likely = [
            [self._text(choice), round(value, 4) if math.isfinite(value) else None]
            for choice, value in reply.likelihoods.items()
        ]
        return [-1 if reply.text is None else self._text(reply.text), reading, likely]

    def to_json(self, clips: Clips) -> dict[str, Any]:
        """Return the texts, and rows of (messages, prompt, gold, facts, answers) with the numbers of texts."""
        outlines = clips.outlines.of([(file, part) for _, file, part in self._heard])
        for (shown, *_), outline in zip(self._heard, outlines, strict=True):
            shown += [outline.levels, outline.seconds] if outline.levels else []
        self._heard = []
        return {"texts": list(self._texts), "rows": self._rows}


def modality_of(reply: Reply) -> str:
    """Return what an example showed, as ``video + audio + text``; a video with its sound is both."""
    parts = list(parts_of(reply.messages))
    kinds = {str(part["type"]) for part in parts} | {"audio" for part in parts if part.get("sound")}
    return " + ".join(kind for kind in ("video", "audio", "image", "text") if kind in kinds)
