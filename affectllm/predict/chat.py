"""Talk with a model in the terminal: clips by their paths inside the line, the history kept."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus import MediaRef
from affectllm.corpus.files.suffixes import MEDIA
from affectllm.errors import AffectError
from affectllm.instruct.conversation import answered
from affectllm.model.length import TOO_MANY_TOKENS
from affectllm.predict.answering import Answering, Takes
from affectllm.predict.items import CORPUS, clip_ref
from affectllm.respond.responder import Ask, Reply, Unanswered

HELP = """\
Write a question; a path in it shows that clip: What does she feel in film.mp4? ("in quotes" where it has blanks)
  /look CLIP [WORDS]   show a clip, with or without a question
  /reset               forget everything said so far
  /system TEXT         another system prompt; forgets everything said so far
  /quit                leave, as the end of the input does"""
_WORD = re.compile(r'"([^"]+)"|\'([^\']+)\'|(\S+)')
_AROUND = ".,;:!?()[]"
_REMEDIES = {
    TOO_MANY_TOKENS: "/reset, and ask less at once",
    "only_reasoning": "raise --max-new-tokens: all of them went into reasoning",
}
_NO_SOUND = ("no_audio_stream", "silent")
Part = dict[str, Any]


@dataclass
class Chat:
    """A conversation with a model.

    Args:
        answering: the model.
        system: the system prompt; empty for the family's own.
        max_new_tokens: longest reply.
        generation: further fields of ``GenerationConfig``.

    Attributes:
        messages: what was said so far; a line that could not be asked leaves no trace.
    """

    answering: Answering
    system: str = ""
    max_new_tokens: int = 256
    generation: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, line: str) -> str:
        """Return the model's reply to a line with paths of clips in it.

        Raises:
            AffectError: when a clip is missing, broken or of a kind that the model does not take, the conversation is
                too long, or the model's outputs are no numbers.
        """
        clips, words = parts_of_line(line)
        parts = [shown(clip, self.answering.takes) for clip in clips]
        reply = self._reply(parts, words)
        if isinstance(reply, Unanswered) and reply.reason in _NO_SOUND and any(part.get("sound") for part in parts):
            parts = [{key: value for key, value in part.items() if key != "sound"} for part in parts]
            reply = self._reply(parts, words)
        if isinstance(reply, Unanswered):
            what = f"{reply.reason} ({reply.detail})" if reply.detail else reply.reason
            do = _REMEDIES.get(reply.reason, "try another clip" if parts else "ask in other words")
            raise AffectError(what, where=reply.path.removeprefix(f"{CORPUS}:"), do=do)
        self.messages += [self._turn(parts, words), answered(reply)]
        return reply

    def _reply(self, parts: list[Part], words: str) -> Reply:
        system = [{"role": "system", "content": [{"type": "text", "text": self.system}]}] if self.system else []
        messages = [*system, *self.messages, self._turn(parts, words)]
        (reply,) = self.answering.replies([Ask(messages, self.max_new_tokens, (), self.generation)])
        return reply

    def _turn(self, parts: list[Part], words: str) -> dict[str, Any]:
        return {"role": "user", "content": [*parts, *([{"type": "text", "text": words}] if words else [])]}

    def obey(self, line: str) -> str | None:
        """Do what a line beginning with / says, and return what to print; None ends the conversation."""
        command, _, rest = line.partition(" ")
        if command in ("/quit", "/exit", "/q"):
            return None
        if command in ("/reset", "/system"):
            self.messages.clear()
            self.system = rest.strip() if command == "/system" else self.system
            return "(everything said so far is forgotten)"
        if command in ("/look", "/listen", "/show"):
            return self.ask(_quoted_first(rest.strip()))
        return HELP if command in ("/help", "/?") else f"there is no {command}\n{HELP}"


def parts_of_line(line: str) -> tuple[list[MediaRef], str]:
    """Return the clips that a line names by their paths, and its other words.

    Raises:
        AffectError: when a word looks like a clip's path and there is no such file.
    """
    clips: list[MediaRef] = []
    words: list[str] = []
    for match in _WORD.finditer(line):
        quoted, name = match[3] is None, next(filter(None, match.groups()))
        after = re.sub(r"[()\[\]]", "", name[len(name.rstrip(_AROUND)) :])
        candidates = [(name, "")] if quoted else [(name, ""), (name.strip(_AROUND), after)]
        ref, after = next(((ref, after) for one, after in candidates if (ref := _clip(one))), (None, ""))
        if ref is not None:
            clips.append(ref)
            words += [after] if after else []
        else:
            _refuse_missing(candidates[-1][0])
            words.append(match[0])
    return clips, re.sub(r"\s+([.,;:!?])", r"\1", " ".join(words))


def _clip(name: str) -> MediaRef | None:
    path = Path(name).expanduser() if name else Path()
    return clip_ref(path) if _is_file(path) else None


def shown(ref: MediaRef, takes: Takes) -> Part:
    """Return the content part that shows a clip to a model, of a film what the model takes of it.

    Raises:
        AffectError: when it takes nothing of it.
    """
    part: Part = {"type": ref.modality, "corpus": CORPUS, "path": ref.path}
    if ref.modality == "video" and "video" not in takes.modalities and "audio" in takes.modalities:
        return {**part, "type": "audio"}
    if ref.modality not in takes.modalities:
        modalities = ", ".join(sorted(takes.modalities))
        raise AffectError(f"{takes.name} does not take {ref.modality}", where=ref.path, do=f"it takes {modalities}")
    return {**part, "sound": True} if ref.modality == "video" and takes.sound else part


def talk(chat: Chat, lines: Iterable[str], tell: Callable[[str], None]) -> None:
    """Answer every line; what cannot be answered is said, and the conversation goes on."""
    for line in map(str.strip, lines):
        if not line:
            continue
        try:
            reply = chat.obey(line) if _is_command(line) else chat.ask(line)
        except AffectError as error:
            reply = f"error: {error}"
        if reply is None:
            return
        tell(reply)


def typed() -> Iterator[str]:
    """Yield the lines of the standard input, with a prompt where somebody is typing them."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    import readline  # noqa: F401  # arrows and a history for input()

    while True:
        try:
            yield input("> ")
        except EOFError:
            return


def _is_command(line: str) -> bool:
    """Whether a line begins with a command, and not with the path of a file."""
    first = line.split()[0]
    return first.startswith("/") and not _is_file(Path(first)) and "/" not in first[1:]


def _quoted_first(words: str) -> str:
    """Put the longest beginning of a line that is a file into quotes: /look takes paths with blanks as they are."""
    if words[:1] in ('"', "'"):
        return words
    ends = [match.start() for match in re.finditer(r"\s|$", words)]
    longest = next((words[:end] for end in reversed(ends) if end and _is_file(Path(words[:end]).expanduser())), None)
    if longest is None:
        _refuse_missing(words.split()[0] if words else "", always=True)
        return words
    return f'"{longest}"{words[len(longest) :]}'


def _refuse_missing(name: str, always: bool = False) -> None:
    if always or name.lower().endswith(MEDIA):
        what = f"there is no clip {name}" if name else "/look is followed by the path of a clip"
        raise AffectError(what, do=f"give its path from {Path.cwd()}, in quotes where it has blanks")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a sentence too long for a name
        return False
