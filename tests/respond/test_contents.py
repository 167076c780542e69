"""What is sent of a clip: the frames and seconds of the budget, as each profile wants them; and the media self-test."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from stand_in_server import MODEL, StandIn

from affectllm.corpus import render
from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.errors import AffectError, ModalityUnheard
from affectllm.model.clips.media import Budget, MediaError, open_clip
from affectllm.respond.contents import Contents, contents_of
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.estimate import estimate
from affectllm.respond.first_token import choice_likelihoods
from affectllm.respond.media_test import check_modalities_heard, requests_needed
from affectllm.respond.profiles import profile_of
from affectllm.respond.responder import Ask, Unanswered
from affectllm.respond.spending import Limits

BUDGET = Budget(fps=4.0, max_frames=6, max_seconds=20.0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sounds = {f"{n}.wav": Tone(1.0 + n, pitch=200 + 90 * n) for n in range(4)}
    twins = {"same.mp4": Clip(1.0), "twin.mp4": Clip(1.0, size=96)}
    root = materialise({**sounds, **twins, "broken.wav": b"RIFF"}, tmp_path_factory.mktemp("clips"))
    for n in range(3):
        frames = np.full((10, 64 + 32 * n, 64, 3), 60 * n, np.uint8)
        tone = [0.3 * math.sin(moment * (n + 1) / 50) for moment in range(16_000)]
        render.write_clip(root / f"{n}.mp4", frames, 10, tone, 16_000)
    return root


def _messages(path: str, **more: Any) -> list[dict[str, Any]]:
    kind = "video" if path.endswith("mp4") else "audio"
    clip = {"type": kind, "corpus": "x", "path": path, **more}
    return [{"role": "user", "content": [clip, {"type": "text", "text": "What is felt?"}]}]


def _contents(root: Path, profile: str, path: str, **more: Any) -> Contents:
    contents = contents_of(_messages(path, **more), profile_of(profile), BUDGET, {"x": root})
    assert isinstance(contents, Contents)
    return contents


def _wave(part: dict[str, Any]) -> tuple[np.ndarray, int]:
    assert part["type"] == "input_audio" and part["input_audio"]["format"] == "wav"
    wave, rate = soundfile.read(io.BytesIO(base64.b64decode(part["input_audio"]["data"])), dtype="float32")
    return wave, rate


def test_a_sound_is_sent_as_it_would_be_heard_in_this_process(root: Path) -> None:
    contents = _contents(root, "frames", "2.wav", start=0.5, end=1.5)
    sound, text = contents.messages[0]["content"]
    wave, rate = _wave(sound)
    clip = open_clip(root / "2.wav", BUDGET, frames=False, sound=True, start=0.5, end=1.5)
    assert not isinstance(clip, MediaError) and clip.sound is not None
    assert rate == 16_000 and np.array_equal(wave, clip.sound) and len(wave) == 16_000
    assert text == {"type": "text", "text": "What is felt?"} and contents.seconds == 1.0


def test_a_video_is_sent_as_the_frames_of_the_budget_with_its_sound_apart(root: Path) -> None:
    clip = open_clip(root / "1.mp4", BUDGET, frames=True, sound=True)
    assert not isinstance(clip, MediaError) and clip.frames is not None
    contents = _contents(root, "frames", "1.mp4", sound=True)
    note, *frames, sound, _ = contents.messages[0]["content"]
    assert note["text"] == "4 frames of one video, 4 per second:" and len(frames) == len(clip.frames) == 4
    for part, frame in zip(frames, clip.frames, strict=True):
        data = base64.b64decode(part["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
        shown = np.asarray(Image.open(io.BytesIO(data)))
        assert shown.shape == frame.shape and np.abs(shown.astype(int) - frame).mean() < 4
    assert len(_wave(sound)[0]) == pytest.approx(16_000, abs=1600)
    assert "input_audio" not in str(_contents(root, "frames", "1.mp4").messages)
    (one, *_), _ = _contents(root, "vllm", "1.mp4").messages[0]["content"], None
    assert one["type"] == "video_url" and one["video_url"]["url"].startswith("data:video/jpeg;base64,")
    assert one["video_url"]["url"].count(",") == 4


def test_a_broken_clip_is_named_and_a_clip_that_a_profile_does_not_take_is_refused(root: Path) -> None:
    broken = contents_of(_messages("broken.wav"), profile_of("frames"), BUDGET, {"x": root})
    assert isinstance(broken, MediaError) and broken.path == "x:broken.wav"
    deaf = profile_of("frames", {"sound": "none"})
    with pytest.raises(AffectError, match="takes no sound"):
        contents_of(_messages("1.mp4", sound=True), deaf, BUDGET, {"x": root})


def _check(root: Path, suffix: str, profile: str = "frames", **server: Any) -> list[str]:
    conversations = [_messages(f"{n}.{suffix}", **({"sound": True} if suffix == "mp4" else {})) for n in range(3)]
    with StandIn(**server) as stand_in:
        endpoint = Endpoint(MODEL, profile, stand_in.url, BUDGET)
        unsure = check_modalities_heard(endpoint, conversations, {"x": root})
        assert len(stand_in.bodies) == requests_needed(conversations)
    return unsure


@pytest.mark.parametrize("profile", ["frames", "vllm"])
@pytest.mark.parametrize("suffix", ["wav", "mp4"])
def test_a_server_that_hears_and_sees_passes(root: Path, suffix: str, profile: str) -> None:
    assert _check(root, suffix, profile) == []


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize(
    ("suffix", "profile", "deaf", "modality"),
    [
        ("wav", "frames", "input_audio", "audio"),
        ("mp4", "frames", "input_audio", "audio"),  # the sound of videos alone
        ("mp4", "frames", "image_url", "video"),
        ("mp4", "vllm", "video_url", "video"),
    ],
)
def test_a_server_that_drops_clips_in_silence_is_stopped(
    root: Path, suffix: str, profile: str, deaf: str, modality: str, counts: bool
) -> None:
    message = f"{modality} does not reach the model through the profile {profile}: removing it changes neither"
    with pytest.raises(ModalityUnheard, match=message):
        _check(root, suffix, profile, deaf=[deaf], counts=counts)


def test_a_server_that_tells_only_that_there_is_a_clip_is_stopped(root: Path) -> None:
    def answer(body: Any) -> str:
        return str([part["type"] for part in body["messages"][0]["content"] if isinstance(part, dict)])

    with pytest.raises(ModalityUnheard, match="with another clip in its place"):
        _check(root, "wav", answer=answer)


def test_clips_that_sound_the_same_are_no_reason_to_stop(root: Path) -> None:
    twins = [_messages(f"{name}.mp4", sound=True) for name in ("same", "twin")]
    with StandIn() as server:
        assert check_modalities_heard(Endpoint(MODEL, "frames", server.url, BUDGET), twins, {"x": root}) == []


def test_replies_that_vary_prove_nothing(root: Path) -> None:
    numbers = iter(range(1000))
    assert _check(root, "wav", answer=lambda body: f"reply {next(numbers)}") == ["audio"]
    with pytest.raises(ModalityUnheard):
        _check(root, "wav", answer=lambda body: f"reply {next(numbers)}", deaf=["input_audio"])


def test_an_estimate_asks_nothing_and_counts_what_is_then_asked(root: Path) -> None:
    asks = [Ask(_messages(f"{n % 4}.wav"), 10) for n in range(100)] + [Ask(_messages("broken.wav"), 10)]
    with StandIn() as server:
        limits = Limits(price_in=2.0, price_out=10.0)
        endpoint = Endpoint(MODEL, "frames", server.url, BUDGET, limits=limits)
        expected = estimate(endpoint, asks, {"x": root})
        assert server.bodies == []
    assert expected.requests == 101 or expected.requests == 100
    assert expected.reply == pytest.approx(1000, rel=0.02)
    assert expected.prompt == pytest.approx(100 * (2.5 * 25 + 8 + 13 / 3), rel=0.1)
    assert expected.cost == pytest.approx((expected.prompt * 2 + expected.reply * 10) / 1e6)


def test_choices_are_told_apart_by_their_first_tokens() -> None:
    scores = choice_likelihoods({"hap": -0.5, " Hap": -3.0, "sad": -2.0, "x": -4.0}, ["happy", "sad", "angry"])
    happy = np.log(np.exp(-0.5) + np.exp(-3))  # whether it begins with a capital is no part of an answer
    assert scores == [pytest.approx(happy), pytest.approx(-2.0), pytest.approx(-5.0)]
    both = choice_likelihoods({"hap": -1.0, " ha": -2.0}, ["happy", "sad"])
    assert not isinstance(both, Unanswered) and both[0] == pytest.approx(np.log(np.exp(-1) + np.exp(-2)))
    shared = choice_likelihoods({"s": -0.1, "sad": -2.0}, ["sad", "surprised"])
    assert isinstance(shared, Unanswered) and shared.reason == "ambiguous_choice"
    none = choice_likelihoods({"The": -0.1}, ["sad", "happy"])
    assert isinstance(none, Unanswered) and none.reason == "no_choice_likely"
