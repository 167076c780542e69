"""``affectllm speak``: a checkpoint's own talker speaks replies, into a table that ``affectllm fidelity`` takes."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from affectllm.corpus import MediaRef
from affectllm.corpus.render import write_sound
from affectllm.corpus.roots import Roots
from affectllm.empathy.speak_page import SpeakPage, read_speak
from affectllm.empathy.to_speak import ToSpeak, facts_of, replies_to_speak
from affectllm.errors import explained
from affectllm.hinting.kept import Kept
from affectllm.hinting.kinds.transcript import Options, deciding, heard, writes
from affectllm.metrics import METRICS
from affectllm.model.cache import MediaCache
from affectllm.model.clips.container import duration_of, opened
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoder
from affectllm.model.load import fingerprint, locate, weights_digest
from affectllm.model.speech import Talking, Unspoken, check_talks, load_talking, speak, voices_digest
from affectllm.model.talker import SAMPLING_RATE
from affectllm.predict.answering import Answering, content_of
from affectllm.predict.models import weights_of
from affectllm.report.exports.tables import file_name
from affectllm.respond.batch_size import AUTO
from affectllm.respond.in_process import InProcess
from affectllm.respond.responder import Ask, Reply, Unanswered
from affectllm.run import RUNS, Run, cache_folder, digest
from affectllm.voice import LOG, bar, divert, hushed, kept

STAGE, SPOKEN, VOICES = "speak", "spoken.jsonl", "voices"
_VERSION = 1  # of how a sound comes about
_CUT = ".cut"
_ERRORS, _TOKENS = "word_error_rate", 440  # of a transcript: as many as Whisper writes of its 30 s


def run_speak(path: Path, out: Path | None = None, roots: Roots | None = None) -> Path:
    """Speak the replies of a page; return the run folder with ``spoken.jsonl`` and a WAV for each reply.

    Replies of the model and sounds are kept as they come, so a run that was killed goes on, and speaks nothing twice.

    Raises:
        AffectError: for a page, replies or a checkpoint that cannot be used, or one that does not speak.
    """
    page = read_speak(path)
    if page.heard:
        writes(page.heard)  # before anything is spoken
    place = locate(weights_of(page.model), page.adapter or None)
    with hushed():
        base, family = check_talks(place.base)
    items, found = replies_to_speak(page, path.parent, roots or Roots(), family)
    adapter = str(place.adapter) if place.adapter else None
    inputs = {
        "page": {name: value for name, value in asdict(page).items() if name != "answers"},
        "model": [weights_digest(base, adapter), voices_digest(base, family)],
        "heard": fingerprint(page.heard, None) if page.heard else "",
        "replies": digest([[facts_of(one), content_of(one.messages, found)] for one in items]),
    }
    answers = path.parent / Path(page.answers).expanduser() if page.answers else cache_folder() / STAGE
    with Run(out or RUNS / STAGE / path.stem, STAGE, inputs) as run, kept(run.folder / LOG):
        if not run.done:
            divert()  # what has been imported by now
            talking = load_talking(base, adapter=adapter, device=_device())
            divert()
            speaking = Speaking(page, talking, talking.voice(page.voice), found, answers)
            with explained(run.folder):
                (run.folder / VOICES).mkdir(exist_ok=True)
                rows = list(speaking.rows(items, run.folder))
                lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
                (run.folder / SPOKEN).write_text("".join(lines), encoding="utf-8")
            run.outputs |= {"replies": counted(rows), **(intelligible(rows, page.heard) if page.heard else {})}
    return run.folder


def counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many replies were spoken, how many of these were cut off, and how many were not, by reason."""
    spoken = [row for row in rows if row["clip"]]
    cut = sum(bool(row["cut"]) for row in spoken)
    lost = Counter(str(row["reason"]) for row in rows if not row["clip"])
    return {"spoken": len(spoken), **({"cut": cut} if cut else {}), **lost}


def intelligible(rows: Sequence[Mapping[str, Any]], model: str) -> dict[str, Any]:
    """Return the word error rate of what a speech model heard in the sounds, against the replies."""
    spoken = [row for row in rows if row["clip"]]
    if not spoken:
        return {}
    said, got = [[row["reply"]] for row in spoken], [row["heard"] for row in spoken]
    score = METRICS[_ERRORS](said, got, clusters=[row["item"] for row in spoken], controls=False)
    return {_ERRORS: {**{name: getattr(score, name) for name in ("value", "low", "high", "n")}, "heard_by": model}}


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Speaking:
    """Speaks the replies of a page.

    Args:
        voice: of the checkpoint.
        roots: corpus → folder of the clips that were shown.
        answers: folder in which replies and sounds are kept.
    """

    page: SpeakPage
    talking: Talking
    voice: str
    roots: Mapping[str, Path]
    answers: Path

    @cached_property
    def answering(self) -> Answering:
        """The thinker, which answers where there is no reply."""
        responder = InProcess(self.talking.model, budget=Budget(long="trim"), batch_size=AUTO)
        return Answering(responder, self.roots, self.answers)

    @cached_property
    def _encoder(self) -> Encoder:
        model, budget = self.talking.model, Budget(long="trim")
        return Encoder(model.processor, model.family, model.model.config, budget, self.roots, MediaCache())

    @cached_property
    def _how(self) -> dict[str, Any]:
        voices = voices_digest(self.talking.place, self.talking.model.family)
        how = {"spoken": _VERSION, "voice": self.voice, "voices": voices}
        return {**how, "seed": self.page.seed, "max_seconds": self.page.max_seconds}

    def rows(self, items: Sequence[ToSpeak], folder: Path) -> Iterator[dict[str, Any]]:
        """Yield the row of each reply; its WAV lies below ``folder``."""
        left = [one for one in items if one.reply is None and not one.reason]
        answers = iter(self.answering.replies([Ask(one.messages, self.page.max_new_tokens) for one in left]))
        replies = [next(answers) if one.reply is None and not one.reason else one.reply for one in items]
        for one, reply in bar(zip(items, replies, strict=True), total=len(items), desc="speak", unit=" replies"):
            yield self._row(one, reply, folder)

    def _row(self, one: ToSpeak, reply: Reply | None, folder: Path) -> dict[str, Any]:
        sound = self._sound(one, reply)
        row = {
            "id": one.id,
            "clip": None,
            "reply": reply if isinstance(reply, str) else None,
            **dict.fromkeys(("seconds", "sampling_rate", "cut", *(["heard"] if self.page.heard else []))),
            **dict.fromkeys(("reason", "detail")),
            **{name: getattr(one, name) or None for name in ("target", "reference", "language")},
            **{"item": one.item or one.id, "speaker": self.voice, "system": self.page.name or self.page.model},
        }
        if isinstance(sound, Unspoken):
            return {**row, **asdict(sound)}
        plain = file_name(one.id)
        clip = f"{VOICES}/{plain if plain == one.id else f'{plain}-{digest(one.id)[:8]}'}.wav"
        scratch = folder / VOICES / ".part"
        shutil.copyfile(sound, scratch)
        scratch.replace(folder / clip)
        with opened(sound) as container:
            seconds = round(duration_of(container, sound, math.inf), 3)
        cut = sound.stem.endswith(_CUT)
        words = {"heard": self._heard(sound)} if self.page.heard else {}
        return {**row, "clip": clip, "seconds": seconds, "sampling_rate": SAMPLING_RATE, "cut": cut, **words}

    def _heard(self, sound: Path) -> str:
        options, kept_words = self._listening
        ref = MediaRef(sound.name, "audio")
        text, _ = kept_words.of(sound.parent, ref, lambda: heard(sound.parent, ref, options))
        return str(text)

    @cached_property
    def _listening(self) -> tuple[Options, Kept]:
        options = Options(self.page.heard, seconds=self.page.max_seconds, tokens=_TOKENS)
        return options, Kept(self.answers / "heard", deciding(options))

    def _sound(self, one: ToSpeak, reply: Reply | None) -> Path | Unspoken:
        """Return the WAV of a reply, spoken now or before; nothing is kept of one that could not be."""
        if one.reason:
            return Unspoken(one.reason, one.detail)
        if isinstance(reply, Unanswered):
            return Unspoken(reply.reason, reply.detail)
        sounds, key = self.answers / "sounds", self.answering.key(one.messages, {**self._how, "reply": reply})
        for path in (sounds / f"{key}.wav", sounds / f"{key}{_CUT}.wav"):
            if path.is_file():
                return path
        longest, seed = self.page.max_seconds, self.page.seed
        sound = speak(
            self.talking, self._encoder, one.messages, reply or "", voice=self.voice, seed=seed, max_seconds=longest
        )
        if isinstance(sound, Unspoken):
            return sound
        sounds.mkdir(parents=True, exist_ok=True)
        scratch, path = sounds / f".{key}.wav", sounds / f"{key}{_CUT if sound.cut else ''}.wav"
        write_sound(scratch, sound.samples, SAMPLING_RATE)
        return scratch.replace(path)
