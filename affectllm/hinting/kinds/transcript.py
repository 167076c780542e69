"""What is said, by a speech model of transformers: one that writes, such as Whisper, or one with a CTC head.

Only samples without words of their own are transcribed, unless ``all`` says so. What a model hears in silence or noise
is invented; the line says that a machine heard it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from affectllm import voice
from affectllm.corpus import MediaRef
from affectllm.errors import AffectError, WrongCheckpoint, placed
from affectllm.hinting.kept import Kept
from affectllm.hinting.kind import Kind, Source, Work
from affectllm.hints.table import Hint
from affectllm.model.load import fingerprint
from affectllm.model.media import SAMPLING_RATE, Budget, MediaError, open_clip
from affectllm.run import digest
from affectllm.train.method import ABOVE_0, FROM_1

_RULES = 1
"""Version of the words."""


@dataclass(frozen=True)
class Options:
    """Options of hints of what is said.

    Args:
        model: Hub id or folder of the speech model.
        all: whether samples are transcribed that have words of their own.
        seconds: of a clip that are heard; the rest is left out.
        language: the language that a model that writes is told to write, as it calls it; empty for its own choice.
        tokens: of a transcript at most, of a model that writes.
    """

    model: str = "openai/whisper-small"
    all: bool = False
    seconds: float = 30.0
    language: str = ""
    tokens: int = 128


def find(work: Work) -> Iterator[Hint]:
    """Yield the hint of every sample."""
    options: Options = work.options
    _refuse_unfit(work)
    decides = deciding(options)
    kept, source = Kept(work.kept, decides), Source("transcript", options.model, digest([_RULES, *decides]))
    for sample in work.samples:
        ref = next((one for one in sample.media if one.modality == "audio" or one.sound), None)
        if sample.text and not options.all:
            yield source.none(sample, "has_words")
        elif ref is None:
            yield source.none(sample, "no_audio")
        else:
            text, reason = kept.of(work.root, ref, lambda ref=ref: heard(work.root, ref, options))  # type: ignore[misc]
            yield source.hint(sample, f'Heard by a machine: "{text}"') if text else source.none(sample, reason)


def deciding(options: Options) -> list[Any]:
    """Return all that decides what is heard in a clip."""
    own = [options.seconds, options.language, options.tokens]
    return [fingerprint(options.model, None), metadata.version("transformers"), *own]


def _refuse_unfit(work: Work) -> None:
    """Refuse a model that is not there or no speech model, and what it cannot be told, before a clip is opened."""
    options: Options = work.options
    with placed(work.where("model")):
        writing = writes(options.model)
    told = [key for key in ("language", "tokens") if getattr(options, key) != getattr(Options, key)]
    if told and not writing:
        message = f"{told[0]} is not read: {options.model} has a CTC head and writes what it hears"
        raise AffectError(message, where=work.where(told[0]), do="take it out, or choose a model such as Whisper")
    if options.language:
        try:
            _recogniser(options.model).write(np.zeros(SAMPLING_RATE, np.float32), replace(options, tokens=1))
        except ValueError as error:
            message = f"{options.model} cannot be told to write {options.language!r}: {str(error).splitlines()[0]}"
            raise AffectError(message, where=work.where("language"), do="take it out, or name one it knows") from error


def heard(root: Path, ref: MediaRef, options: Options) -> tuple[str, str]:
    """Return what is said in a clip below ``root``, and why nothing is."""
    budget = Budget(max_seconds=options.seconds, long="trim")
    clip = open_clip(root / ref.path, budget, frames=False, sound=True, start=ref.start, end=ref.end)
    if isinstance(clip, MediaError):
        return "", clip.reason
    # A hint is one line.
    text = " ".join(_recogniser(options.model).write(clip.sound, options).split())
    return text, "" if text else "nothing_said"


@dataclass(frozen=True)
class Recogniser:
    """A speech model with what prepares its sounds and spells its tokens."""

    model: Any
    features: Any
    tokenizer: Any

    def write(self, sound: Any, options: Options) -> str:
        """Return what is said in a sound, float32 ``[samples]`` at 16 kHz."""
        import torch

        inputs = self.features(sound, sampling_rate=SAMPLING_RATE, return_tensors="pt")
        with torch.no_grad():
            if self.model.can_generate():
                told = {"language": options.language} if options.language else {}
                tokens = self.model.generate(**inputs, max_new_tokens=options.tokens, do_sample=False, **told)
            else:
                tokens = self.model(**inputs).logits.argmax(-1)
        return str(self.tokenizer.batch_decode(tokens, skip_special_tokens=True)[0])


def writes(name: str) -> bool:
    """Return whether a speech model writes, as Whisper does, or has a CTC head.

    Raises:
        WrongCheckpoint: when there is none, or it is neither.
    """
    from transformers import AutoConfig, AutoModelForCTC, AutoModelForSpeechSeq2Seq

    with _explained(name):
        kind = type(AutoConfig.from_pretrained(name))
        if kind in AutoModelForSpeechSeq2Seq._model_mapping:
            return True
        if kind not in AutoModelForCTC._model_mapping:
            raise ValueError(f"{kind.__name__} is none")
    return False


@cache
def _recogniser(name: str) -> Recogniser:
    from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoModelForSpeechSeq2Seq, AutoTokenizer

    writing = writes(name)
    with _explained(name):
        model = (AutoModelForSpeechSeq2Seq if writing else AutoModelForCTC).from_pretrained(name)
        features, tokenizer = AutoFeatureExtractor.from_pretrained(name), AutoTokenizer.from_pretrained(name)
    return Recogniser(model.eval(), features, tokenizer)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Raise ``WrongCheckpoint`` for what transformers says of a checkpoint that is no speech model, or not there."""
    voice.without_bars()
    try:
        yield
    except (OSError, ValueError) as error:
        message = f"{name} cannot be loaded as a speech model: {str(error).splitlines()[0]}"
        raise WrongCheckpoint(message, do="name one such as openai/whisper-small, or its folder") from error


KIND = Kind("what is said, by a speech model", Options, find, bounds={"seconds": ABOVE_0, "tokens": FROM_1})
