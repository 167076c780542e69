"""Convert messages into the content parts of OpenAI's chat completions; clips are decoded here, by the budget."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.instruct.conversation import Messages, Part
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip, open_image
from affectllm.respond.profiles import Profile

if TYPE_CHECKING:
    import numpy as np

_LETTERS_PER_TOKEN = 3.0  # English has about four; other languages and numbers have fewer


@dataclass
class Contents:
    """Messages as a server takes them, and their size.

    Args:
        messages: with content parts of OpenAI's form.
        letters: of all texts.
        pixels: of all pictures and frames.
        seconds: of all sounds.
        trimmed: how many clips were cut to what the budget allows.
    """

    messages: list[dict[str, Any]]
    letters: int = 0
    pixels: int = 0
    seconds: float = 0.0
    trimmed: int = 0

    def tokens(self, profile: Profile) -> int:
        """Estimate the tokens of the prompt."""
        media = self.pixels / profile.pixels_per_token + self.seconds * profile.tokens_per_second
        return round(self.letters / _LETTERS_PER_TOKEN + media) + 8 * len(self.messages)


def contents_of(
    messages: Messages, profile: Profile, budget: Budget, roots: Mapping[str, Path], *, noted: bool = True
) -> Contents | MediaError:
    """Return the contents of messages, or the error of the first clip that cannot be used.

    Args:
        noted: whether a line before the frames of a video says what they are.
    """
    contents = Contents([])
    for message in messages:
        given = message["content"]
        parts = [{"type": "text", "text": given}] if isinstance(given, str) else given
        sent: list[dict[str, Any]] = []
        for part in parts:
            converted = _Converter(profile, budget, roots, contents, noted).convert(part)
            if isinstance(converted, MediaError):
                return converted
            sent += converted
        contents.messages.append({"role": message["role"], "content": _plain(sent)})
    return contents


def _plain(parts: list[dict[str, Any]]) -> list[dict[str, Any]] | str:
    # Every server takes a string; some take no list where there is nothing but text.
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


@dataclass(frozen=True)
class _Converter:
    profile: Profile
    budget: Budget
    roots: Mapping[str, Path]
    contents: Contents
    noted: bool

    def convert(self, part: Part) -> list[dict[str, Any]] | MediaError:
        if part["type"] == "text":
            self.contents.letters += len(part["text"])
            return [{"type": "text", "text": part["text"]}]
        taken = self._take(part)
        if isinstance(taken, MediaError):
            return MediaError(taken.reason, f"{part['corpus']}:{part['path']}", taken.detail)
        return taken

    def _take(self, part: Part) -> list[dict[str, Any]] | MediaError:
        path = self.roots[part["corpus"]] / part["path"]
        budget = replace(self.budget, **{name: part[name] for name in self.budget.to_json() if name in part})
        sees, hears = part["type"] in ("video", "image"), part["type"] == "audio" or bool(part.get("sound"))
        if (sees and self.profile.image == "none") or (hears and self.profile.sound == "none"):
            lacking = "sound" if hears and self.profile.sound == "none" else "pictures"
            raise AffectError(f"the profile {self.profile.name} takes no {lacking}", do="choose other --modalities")
        if part["type"] == "image":
            picture = open_image(path, budget)
            return picture if isinstance(picture, MediaError) else [self._picture(picture)]
        clip = open_clip(path, budget, frames=sees, sound=hears, start=part.get("start"), end=part.get("end"))
        if isinstance(clip, MediaError):
            return clip
        self.contents.trimmed += bool(clip.trimmed)
        return [*self._frames(clip), *self._sound(clip)]

    def _frames(self, clip: Clip) -> list[dict[str, Any]]:
        if clip.frames is None:
            return []
        if self.profile.video == "jpeg_video":
            self.contents.pixels += clip.frames[..., 0].size
            jpegs = ",".join(_jpeg(frame, self.profile.jpeg_quality) for frame in clip.frames)
            return [{"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{jpegs}"}}]
        note = f"{len(clip.frames)} frames of one video, {clip.fps:.3g} per second:"
        frames = [self._picture(frame) for frame in clip.frames]
        return [{"type": "text", "text": note}, *frames] if self.noted else frames

    def _picture(self, picture: np.ndarray) -> dict[str, Any]:
        self.contents.pixels += picture[..., 0].size
        url = f"data:image/jpeg;base64,{_jpeg(picture, self.profile.jpeg_quality)}"
        return {"type": "image_url", "image_url": {"url": url}}

    def _sound(self, clip: Clip) -> list[dict[str, Any]]:
        if clip.sound is None:
            return []
        self.contents.seconds += len(clip.sound) / SAMPLING_RATE
        return [{"type": "input_audio", "input_audio": {"data": _wav(clip.sound), "format": "wav"}}]


def _jpeg(frame: np.ndarray, quality: int) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=quality)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _wav(sound: np.ndarray) -> str:
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, sound, SAMPLING_RATE, format="WAV", subtype="PCM_16")
    return base64.b64encode(stream.getvalue()).decode("ascii")
