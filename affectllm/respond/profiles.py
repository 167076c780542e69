"""What servers with an OpenAI-compatible interface take: one row for each, the only place that knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Literal

from affectllm.errors import AffectError


@dataclass(frozen=True)
class Profile:
    """How a server wants its requests, and what it gives back.

    Args:
        name: by which it is chosen.
        video: how the frames of a clip travel. ``frames``: each as an ``image_url`` part with a JPEG, after a line that
            says what they are. ``jpeg_video``: all in one ``video_url`` part of type ``video/jpeg``, which vLLM reads
            as the frames of one video. Either way the server sees the frames that the budget chose.
        sound: ``input_audio`` sends WAV, 16 bits, one channel, 16 kHz, in a part of its own after the frames;
            ``none`` for servers that take no sound.
        image: ``image_url``, or ``none`` for servers that see nothing.
        logprobs: how many alternatives of the first token may be asked for; 0 where the server gives none.
        tokens: the request's field for the longest reply.
        greedy: ``temperature`` sends temperature 0; ``omit`` sends none, which reasoning models of OpenAI demand.
        stops: how many stop strings a request may have; further ones are applied here.
        seeds: whether a request may have the seed of a reply that is drawn.
        names_model: whether a response names the model that was asked for.
        url: address where none is given.
        key: environment variable with the key, which is sent to the host of ``url`` only; empty for none.
        jpeg_quality: of frames and pictures, 1 to 95.
        pixels_per_token, tokens_per_second: what a picture and a sound cost; for estimates and limits only.
    """

    name: str
    video: Literal["frames", "jpeg_video"] = "frames"
    sound: Literal["input_audio", "none"] = "input_audio"
    image: Literal["image_url", "none"] = "image_url"
    logprobs: int = 0
    tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    greedy: Literal["temperature", "omit"] = "temperature"
    stops: int = 4
    seeds: bool = True
    names_model: bool = True
    url: str = ""
    key: str = ""
    jpeg_quality: int = 90
    pixels_per_token: float = 28 * 28
    tokens_per_second: float = 25.0

    def to_json(self) -> dict[str, Any]:
        """Return what decides an answer: what belongs to the server or to single questions is left out."""
        asides = ("url", "key", "seeds", "pixels_per_token", "tokens_per_second", "names_model")
        return {name: value for name, value in asdict(self).items() if name not in asides}


_OPENAI = Profile(
    "openai",
    logprobs=20,
    tokens="max_completion_tokens",
    url="https://api.openai.com/v1",
    key="OPENAI_API_KEY",
    tokens_per_second=10.0,
)
_GEMINI = Profile(
    "gemini",
    stops=5,
    seeds=False,
    url="https://generativelanguage.googleapis.com/v1beta/openai",
    key="GEMINI_API_KEY",
    pixels_per_token=384 * 384 / 258,
    tokens_per_second=32.0,
)
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("frames"),  # any server that is none of the others
        _OPENAI,
        _GEMINI,
        Profile("vllm", video="jpeg_video", logprobs=20, stops=16),
        Profile("sglang", logprobs=20, stops=16),  # drops the sound of a video_url: frames and sound go apart
        Profile("llama_cpp", logprobs=20, stops=16, names_model=False),
        Profile("transformers", stops=16),  # takes the fields for log-probabilities, and ignores them
    )
}


def profile_of(name: str, changes: Mapping[str, Any] | None = None) -> Profile:
    """Return the profile called ``name`` with some of its fields changed.

    Raises:
        AffectError: for an unknown profile, or a value that a field does not take.
    """
    if name not in PROFILES:
        near = get_close_matches(str(name), PROFILES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise AffectError(f"there is no profile {name!r}", do=f"{hint}choose among {', '.join(PROFILES)}")
    for field_name, value in (changes or {}).items():
        if field_name in _ALLOWED and value not in _ALLOWED[field_name]:
            allowed = ", ".join(map(str, _ALLOWED[field_name]))
            raise AffectError(f"the profile's field {field_name} is not {value!r}", do=f"choose among {allowed}")
    return replace(PROFILES[name], **(changes or {}))


FIELDS = frozenset(field.name for field in fields(Profile)) - {"name", "url", "key"}
"""Fields that may be changed by name beside a profile."""
_ALLOWED: dict[str, tuple[str, ...]] = {
    "video": ("frames", "jpeg_video"),
    "sound": ("input_audio", "none"),
    "image": ("image_url", "none"),
    "tokens": ("max_tokens", "max_completion_tokens"),
    "greedy": ("temperature", "omit"),
}
