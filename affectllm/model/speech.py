"""Speak replies with a checkpoint's own talker and vocoder: the words are given, the voice is the model's.

The library's ``generate`` answers and speaks in one go. Its thinker is held to the words of a reply, token by token, so
that what is said does not depend on whether it is spoken, and a reply of anyone can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from affectllm.errors import NotFound, WrongCheckpoint
from affectllm.instruct.conversation import answered, media_parts
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder, Messages
from affectllm.model.family import Family, families, family_of
from affectllm.model.generate import model_inputs
from affectllm.model.length import DEFAULT_TEXT, BoundedEncoder, budget_of
from affectllm.model.load import Model, load_model, locate, model_type, whole_network
from affectllm.model.talker import Talker
from affectllm.model.tiny import PREFIX, tiny_whole_folder
from affectllm.model.weights.checkpoint import folder_named
from affectllm.run import digest, file_digest

if TYPE_CHECKING:
    import numpy as np
    import torch

# What talkers take of a conversation beside the thinker's states; all else is the thinker's alone.
_SHARED = ("attention_mask", "feature_attention_mask", "image_grid_thw", "video_grid_thw", "video_second_per_grid")


@dataclass(frozen=True)
class Sound:
    """A spoken reply.

    Args:
        samples: float32 ``[samples]`` from -1 to 1, at ``SAMPLING_RATE``.
        cut: whether the talker was still speaking when it had to end.
    """

    samples: np.ndarray
    cut: bool


@dataclass(frozen=True)
class Unspoken:
    """A reply of which there is no sound.

    Args:
        reason: of a clip (see ``MediaError``), ``too_many_tokens``, or one of

            - ``no_reply``: there are no words to be spoken
            - ``empty_sound``: the talker ended before it began
            - ``not_finite``: the outputs of the talker or the vocoder are no numbers
            - ``mixed_sounds``: a video with its sound beside other sounds, for which talkers have no positions

        detail: what exactly.
    """

    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Talking:
    """A whole model: the thinker, which is a ``Model`` like any other, with its talker and its voices.

    Args:
        model: the thinker, with the adapter on it.
        whole: the network that holds the thinker's.
        talker: how it speaks.
        voices: their names, the usual one first.
        place: folder or Hub id of the whole checkpoint.
    """

    model: Model
    whole: Any
    talker: Talker
    voices: Sequence[str]
    place: str

    def voice(self, name: str) -> str:
        """Return a voice by its name; the usual one where none is named.

        Raises:
            NotFound: when the checkpoint has no such voice.
        """
        known = {voice.lower(): voice for voice in self.voices}
        if not name:
            return self.voices[0]
        if name.lower() not in known:
            near = get_close_matches(name.lower(), known, n=1)
            do = f"did you mean {known[near[0]]}?" if near else f"choose among {', '.join(self.voices)}"
            raise NotFound(f"the checkpoint has no voice {name!r}", do=do)
        return known[name.lower()]


def load_talking(path: str, *, adapter: str | None = None, dtype: str = "auto", device: str | None = None) -> Talking:
    """Load a whole checkpoint; arguments as of ``load_model``.

    Raises:
        NotFound, WrongCheckpoint: as ``load_model``, and when the checkpoint cannot speak.
    """
    place = locate(path, adapter)
    base, family = check_talks(place.base)
    assert family.talker is not None  # it would have been refused
    talker, wholes = family.talker, list[Any]()

    def thinker(_: Any, folder: str, **options: Any) -> Any:
        whole = whole_network(talker.whole_class(), folder, **options)
        wholes.append(whole)
        part = getattr(whole, family.whole)
        part.generation_config = whole.generation_config  # as the thinker has it that is loaded alone
        # Inner parts of a whole are made in the dtype that their own configuration names, whatever is asked for.
        dtype = part.get_output_embeddings().weight.dtype
        for weight in part.parameters():
            weight.data = weight.data.to(dtype)
        return part

    on_it = str(place.adapter) if place.adapter else None
    model = load_model(base, adapter=on_it, dtype=dtype, device=device, reading=thinker)
    (whole,) = wholes
    whole = whole.to(model.model.device).eval()
    return Talking(model, whole, talker, talker.voices(whole, base), base)


def check_talks(path: str) -> tuple[str, Family]:
    """Return the folder or Hub id of a whole checkpoint and its family, by its configuration alone.

    Raises:
        NotFound: when there is no checkpoint.
        WrongCheckpoint: when its family has no talker, it holds the thinker alone, or it is kept without speech.
    """
    import transformers

    family = family_of(model_type(path))
    if family is None or family.talker is None:
        able = ", ".join(name for name, one in families().items() if one.talker)
        message = f"{path} does not speak: {family.name if family else model_type(path)} has no talker"
        raise WrongCheckpoint(message, do=f"families that speak: {able}")
    if path.startswith(PREFIX):
        path = str(tiny_whole_folder(path.removeprefix(PREFIX)))
    folder = folder_named(path)
    config = transformers.AutoConfig.from_pretrained(folder if folder.is_dir() else path)
    if config.model_type != family.talker.whole_class().config_class.model_type:
        do = "name the whole checkpoint that it was made of, and what was tuned as adapter:"
        raise WrongCheckpoint(f"{path} holds the thinker alone, without a talker", do=do)
    if not config.enable_audio_output:
        message = f"{path} is kept without speech: its config.json says enable_audio_output: false"
        raise WrongCheckpoint(message, do="name a checkpoint with its talker")
    return path, family


def voices_digest(base: str, family: Family) -> str:
    """Return the digest of a checkpoint's voices, as far as they lie in files beside its weights."""
    assert family.talker is not None
    folder = folder_named(base)
    return digest([file_digest(folder / name) for name in family.talker.files if (folder / name).is_file()])


def speak(
    talking: Talking,
    encoder: Encoder,
    messages: Messages,
    reply: str,
    *,
    voice: str,
    seed: int = 0,
    max_seconds: float = 30.0,
) -> Sound | Unspoken:
    """Speak a reply to a conversation.

    Args:
        encoder: of the thinker.
        messages: what was said before.
        voice: one of the checkpoint's.
        seed: of the talker's draws and the vocoder's noise; the same one gives the same sound.
        max_seconds: longest sound.
    """
    import torch

    if not reply.strip():
        return Unspoken("no_reply")
    heard = [part for part in media_parts(messages) if part["type"] != "image"]
    in_video = any(part.get("sound") for part in heard)
    if in_video and not all(part.get("sound") for part in heard):
        return Unspoken("mixed_sounds")
    bounded = BoundedEncoder(encoder, budget_of(talking.model, DEFAULT_TEXT))
    prompt, words = _encoded(talking.model, bounded, messages, reply)
    if isinstance(prompt, MediaError):
        return Unspoken(prompt.reason, prompt.detail or prompt.path)
    codes = max(1, round(max_seconds * talking.talker.codes_per_second))
    arguments = _arguments(talking, encoder, prompt, words)
    ends = list(talking.talker.ends(talking.whole.config))
    watch = _Watch(ends)
    device = torch.device(talking.model.model.device)
    devices = [device] if device.type == "cuda" else []
    with torch.inference_mode(), torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        try:
            _, sound = talking.whole.generate(
                **arguments,
                speaker=voice,
                use_audio_in_video=in_video,
                talker_eos_token_id=ends,
                talker_max_new_tokens=codes,
                talker_logits_processor=[watch.logits],
                talker_stopping_criteria=[watch.codes],
            )
        except _NoSoundError as error:
            return Unspoken(str(error))
    samples = sound.reshape(-1).float().cpu().numpy()
    return _checked(samples, cut=watch.steps >= codes and not watch.ended)


def _checked(samples: np.ndarray, *, cut: bool) -> Sound | Unspoken:
    import numpy as np

    if not len(samples):
        return Unspoken("empty_sound")
    return Sound(np.clip(samples, -1, 1), cut) if np.isfinite(samples).all() else Unspoken("not_finite")


def _encoded(
    model: Model, encoder: BoundedEncoder, messages: Messages, reply: str
) -> tuple[Encoded | MediaError, list[int]]:
    """Return the conversation, and the tokens of the reply with its end as the chat template writes them."""
    prompt = encoder.encode(messages, generation_prompt=True)
    whole = encoder.encode([*messages, answered(reply)])
    if isinstance(prompt, MediaError) or isinstance(whole, MediaError):
        return (prompt if isinstance(prompt, MediaError) else whole), []
    words = whole.input_ids[prompt.length :].tolist()
    end = model.tokenizer.convert_tokens_to_ids(model.family.end_of_turn)
    return prompt, words[: words.index(end) + 1]


def _arguments(talking: Talking, encoder: Encoder, prompt: Encoded, words: list[int]) -> Mapping[str, Any]:
    """Return the arguments of ``generate`` that give the thinker a conversation, and hold it to the reply."""
    batch = model_inputs(talking.model, encoder, [prompt], side="left")
    ids = batch.pop("input_ids")
    begin = ids.shape[1]
    own = {name if name in _SHARED else f"thinker_{name}": tensor for name, tensor in batch.items()}
    return {
        **own,
        "input_ids": ids,
        "thinker_prefix_allowed_tokens_fn": lambda _, said: [words[len(said) - begin]],
        "thinker_max_new_tokens": len(words),
        "thinker_eos_token_id": words[-1],
        "thinker_do_sample": False,
    }


class _NoSoundError(Exception):
    """Ends the talker; its text is the reason."""


class _Watch:
    """Looks at each step of a talker, and ends one that makes no sound."""

    def __init__(self, ends: Sequence[int]) -> None:
        self._ends, self.steps, self.ended = ends, 0, False

    def logits(self, _: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        if bool(logits.isnan().any()):
            raise _NoSoundError("not_finite")
        return logits

    def codes(self, codes: torch.Tensor, _: Any) -> torch.Tensor:
        self.steps += 1
        self.ended = int(codes[0, -1]) in self._ends
        if self.ended and self.steps == 1:
            raise _NoSoundError("empty_sound")
        return codes[:, -1] < 0  # goes on
