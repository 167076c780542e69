"""What is said, by a speech model of transformers: one that writes, such as Whisper, or one with a CTC head.

Only samples without words of their own are transcribed, unless ``all`` says so. What a model hears in silence or noise
is invented; the line says that a machine heard it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from affectllm.corpus import MediaRef
from affectllm.errors import WrongCheckpoint
from affectllm.hinting.kept import Kept
from affectllm.hinting.kind import Kind, Source, Work
from affectllm.hints.table import Hint
from affectllm.model.load import fingerprint
from affectllm.model.media import SAMPLING_RATE, Budget, MediaError, open_clip
from affectllm.run import digest

_RULES = 1
"""Version of the words."""


@dataclass(frozen=True)
class Options:
    """Options of hints of what is said.

    Args:
        model: Hub id or folder of the speech model.
        all: whether samples are transcribed that have words of their own.
        seconds: of a clip that are heard; the rest is left out.
        language: the language that the model is told to write, as it calls it; empty for its own choice.
        tokens: of a transcript at most.
    """

    model: str = "openai/whisper-small"
    all: bool = False
    seconds: float = 30.0
    language: str = ""
    tokens: int = 128


def find(work: Work) -> Iterator[Hint]:
    """Yield the hint of every sample."""
    options: Options = work.options
    decides = [fingerprint(options.model, None), metadata.version("transformers"), options.seconds]
    decides += [options.language, options.tokens]
    kept, source = Kept(work.kept, decides), Source("transcript", options.model, digest([_RULES, *decides]))
    for sample in work.samples:
        ref = next((one for one in sample.media if one.modality == "audio" or one.sound), None)
        if sample.text and not options.all:
            yield source.none(sample, "has_words")
        elif ref is None:
            yield source.none(sample, "no_audio")
        else:
            text, reason = kept.of(work.root, ref, lambda ref=ref: _heard(work, ref, options))  # type: ignore[misc]
            yield source.hint(sample, f'Heard by a machine: "{text}"') if text else source.none(sample, reason)


def _heard(work: Work, ref: MediaRef, options: Options) -> tuple[str, str]:
    """Return what is said in a clip, and why nothing is."""
    budget = Budget(max_seconds=options.seconds, long="trim")
    clip = open_clip(work.root / ref.path, budget, frames=False, sound=True, start=ref.start, end=ref.end)
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


@cache
def _recogniser(name: str) -> Recogniser:
    from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForCTC, AutoModelForSpeechSeq2Seq, AutoTokenizer

    with _explained(name):
        writes = type(AutoConfig.from_pretrained(name)) in AutoModelForSpeechSeq2Seq._model_mapping
        model = (AutoModelForSpeechSeq2Seq if writes else AutoModelForCTC).from_pretrained(name)
        features, tokenizer = AutoFeatureExtractor.from_pretrained(name), AutoTokenizer.from_pretrained(name)
    return Recogniser(model.eval(), features, tokenizer)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Raise ``WrongCheckpoint`` for what transformers says of a checkpoint that is no speech model, or not there."""
    try:
        yield
    except (OSError, ValueError) as error:
        message = f"{name} cannot be loaded as a speech model: {str(error).splitlines()[0]}"
        raise WrongCheckpoint(message, do="name one such as openai/whisper-small, or its folder") from error


KIND = Kind("what is said, by a speech model", Options, find)
