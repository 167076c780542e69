"""Clips that sound or look the same whatever their codec, rate, size, level or length, and clips that only resemble."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from clip_making import write
from kindred import kindred
from PIL import Image, ImageDraw

from affectllm.corpus import MediaRef, Sample
from affectllm.corpus.leaks.overlap import Example, find_shared
from affectllm.model.fingerprints.alike import Fingerprints

RATE = 16_000


def speech(seed: int, seconds: float = 2.5) -> np.ndarray:
    """Syllables of a voice with three formants, each of its own pitch and length, over a hum that all of them share."""
    dice = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * RATE:
        moments = np.arange(int(dice.uniform(0.08, 0.25) * RATE)) / RATE
        pitch = dice.uniform(100, 240) * (1 + dice.uniform(-0.3, 0.3) * moments)
        wave = sum(
            np.exp(-(((n * pitch.mean() - formant) / 150) ** 2)) * np.sin(2 * np.pi * n * np.cumsum(pitch) / RATE)
            for n in range(1, 25)
            for formant in dice.uniform([300, 900, 2000], [800, 1800, 3200])
        )
        parts += [wave * np.hanning(len(moments)), np.zeros(int(dice.uniform(0, 0.06) * RATE))]
    sound = np.concatenate(parts)[: int(seconds * RATE)]
    hum = 0.002 * np.sin(2 * np.pi * 200 * np.arange(len(sound)) / RATE)
    return (0.5 * sound / np.abs(sound).max() + hum).astype(np.float32)


def film(seed: int, seconds: float = 3.0) -> np.ndarray:
    """A face before the wall of a studio: the same face and wall in every film, its mouth and head moving otherwise."""
    dice = np.random.default_rng(seed)
    frames = []
    course = np.cumsum(dice.normal(0, 2.2, (int(seconds * 25), 4)), axis=0)
    course -= course.mean(axis=0)
    for x, y, mouth, brow in course * 0.8:
        frame = Image.new("RGB", (160, 120), (90, 110, 130))
        draw = ImageDraw.Draw(frame)
        draw.rectangle((0, 90, 160, 120), fill=(60, 50, 40))
        draw.ellipse((50 + x, 15 + y, 110 + x, 100 + y), fill=(220, 180, 150))
        for eye in (68, 92):
            draw.ellipse((eye - 5 + x, 45 + y, eye + 5 + x, 51 + y + abs(brow) % 6), fill=(40, 30, 30))
        draw.ellipse((66 + x, 72 + y, 94 + x, 75 + y + abs(3 * mouth) % 16), fill=(150, 40, 50))
        frames.append(np.asarray(frame))
    return np.stack(frames)


def face(seed: int) -> Image.Image:
    """A portrait before one wall: other features, another pose, other clothes."""
    dice = np.random.default_rng(seed)
    picture = Image.new("RGB", (320, 240), (90, 110, 130))
    draw = ImageDraw.Draw(picture)
    x, y = dice.uniform(-8, 8, 2)
    draw.rectangle((90, 190, 230, 240), fill=tuple(dice.integers(30, 220, 3)))
    draw.ellipse((110 + x, 40 + y, 210 + x, 200 + y), fill=(220, 180, 150))
    draw.chord((105 + x, 30 + y, 215 + x, 120 + y), 180, 360, fill=tuple(dice.integers(20, 120, 3)))
    for eye in (138, 182):
        wide, high = dice.uniform([7, 3], [13, 10])
        draw.ellipse((eye - wide + x, 110 - high + y, eye + wide + x, 110 + high + y), fill=(40, 30, 30))
    open_, smile = dice.uniform([4, -10], [20, 10])
    draw.ellipse((138 + x, 160 + y, 182 + x, 160 + y + open_), fill=(150, 40, 50))
    draw.line((138 + x, 160 + y, 130 + x, 160 + y + smile), fill=(90, 20, 30), width=4)
    noise = dice.normal(0, 2, (240, 320, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def sample(corpus: str, name: str, modality: str) -> Sample:
    return Sample(name, corpus, "train", (), f"list.csv:{name}", media=(MediaRef(name, modality),))  # type: ignore[arg-type]


@pytest.fixture
def compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Example]]:
    """Writes files to train on and files to be scored, and says which of them were taken for the same."""
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "cache"))
    roots = kindred(tmp_path, monkeypatch)

    def compare(train: dict[str, Any], scored: dict[str, Any], modality: str) -> list[Example]:
        for corpus, files in (("stranger", train), ("base", scored)):
            for name, save in files.items():
                save(roots[corpus] / name)
        sides = [
            {corpus: partial(iter, [sample(corpus, name, modality) for name in files])}
            for corpus, files in (("stranger", train), ("base", scored))
        ]
        shared = find_shared(*sides, roots=roots, fingerprints=Fingerprints())["base"]
        assert {one.kind for one in shared} <= {"re-encoded clip"}
        return [example for one in shared for example in one.examples]

    return compare


def wave(sound: np.ndarray, rate: int = RATE, **form: str) -> Callable[[Path], None]:
    return lambda path: soundfile.write(path, sound, rate, **form)


def coded(sound: np.ndarray, codec: str, rate: int = 48_000) -> Callable[[Path], Path]:
    import soxr

    return lambda path: write(path, ("", codec), None, soxr.resample(sound, RATE, rate)[None], rate=rate)


SAID = speech(1)
HEARD: dict[str, tuple[str, Any]] = {
    "lossless": ("x.flac", wave(SAID)),
    "mp3": ("x.mp3", coded(SAID, "libmp3lame")),
    "opus": ("x.mka", coded(SAID, "libopus")),
    "aac": ("x.m4a", coded(SAID, "aac")),
    "telephone": ("x.wav", wave(SAID[::2], 8_000, subtype="ULAW")),
    "8 bits": ("x.wav", wave(SAID, subtype="PCM_U8")),
    "float": ("x.wav", wave(SAID, subtype="FLOAT")),
    "other rate": ("x.wav", wave(np.interp(np.arange(110250) / 44100, np.arange(40000) / RATE, SAID), 44_100)),
    "stereo": ("x.wav", wave(np.stack([SAID, SAID * 0.3], axis=1))),
    "one of two channels": ("x.wav", wave(np.stack([SAID, SAID * 0], axis=1))),
    "quiet": ("x.wav", wave(SAID * 0.05)),
    "loud": ("x.wav", wave(np.clip(SAID * 3, -1, 1))),
    "start cut": ("x.wav", wave(SAID[13_001:])),
    "end cut": ("x.wav", wave(SAID[:-13_003])),
    "both cut": ("x.wav", wave(SAID[11_111:-12_345])),
    "cut and coded": ("x.mka", coded(SAID[9_999:], "libopus")),
}


@pytest.mark.parametrize(("name", "save"), HEARD.values(), ids=HEARD)
def test_the_same_sound_is_heard(compared: Callable[..., list[Example]], name: str, save: Any) -> None:
    scored = {f"{number}.wav": wave(speech(number)) for number in range(4)}
    (example,) = compared({name: save}, scored, "audio")
    assert (example.scored.id, example.sameness) == ("1.wav", "same sound")
    assert 0.05 <= (example.similarity or 0) <= 1


def test_other_words_over_the_same_hum_are_another_sound(compared: Callable[..., list[Example]]) -> None:
    train = {f"{number}.wav": wave(speech(number)) for number in range(20, 40)}
    assert compared(train, {f"{number}.wav": wave(speech(number)) for number in range(20)}, "audio") == []


def test_sounds_that_cannot_be_known_are_counted(tmp_path: Path) -> None:
    from affectllm.corpus.leaks.media_content import Clip

    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing")
    fingerprints = Fingerprints(tmp_path / "cache")
    names = ("silent.wav", "broken.wav", "gone.wav")
    fingerprints.prints([Clip("c", MediaRef(name, "audio"), str(tmp_path / name)) for name in names])
    assert fingerprints.unknown["silent"] == fingerprints.unknown["missing"] == 1
    assert sum(fingerprints.unknown.values()) == 3


def test_a_fingerprint_is_kept_by_content_and_made_again_where_it_is_damaged(tmp_path: Path) -> None:
    from affectllm.corpus.leaks.media_content import Clip

    soundfile.write(tmp_path / "a.wav", SAID, RATE)
    clip = Clip("c", MediaRef("a.wav", "audio"), str(tmp_path / "a.wav"))
    first = Fingerprints(tmp_path / "cache").prints([clip])
    (kept,) = (tmp_path / "cache").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    again = Fingerprints(tmp_path / "cache").prints([clip])
    assert kept.read_bytes() == whole
    for one, other in ((first, again), (first, Fingerprints(tmp_path / "cache").prints([clip]))):
        assert [np.array_equal(a.pairs, b.pairs) for a, b in zip(one[0].sound, other[0].sound, strict=True)] == [
            True
        ] * 2


SEEN = film(1)


@pytest.mark.parametrize(
    ("name", "codecs", "frames"),
    [
        ("x.mkv", ("mpeg4", ""), SEEN),
        ("x.webm", ("libvpx-vp9", ""), SEEN[:, ::2, ::2]),
        ("x.mp4", ("libx264", ""), SEEN[23:]),
        ("x.mp4", ("libx264", ""), SEEN[:-24]),
        ("x.mkv", ("mpeg4", ""), SEEN[17:-22]),
        ("x.mp4", ("libx264", ""), SEEN[:, 2:116, 6:158]),  # cropped by a twentieth
        ("x.mp4", ("libx264", ""), SEEN[20:, 10:118, 2:146]),  # cropped by a tenth, and cut
        ("x.mp4", ("libx264", ""), SEEN[:, :, ::-1]),
        ("x.mp4", ("libx264", ""), np.pad(SEEN, ((0, 0), (20, 20), (0, 0), (0, 0)))),
        ("x.mp4", ("libx264", ""), np.concatenate([SEEN[:, :100], 0 * SEEN[:, 100:]], axis=1)),  # drawn over
        ("x.mp4", ("libx264", ""), SEEN // 2 + 20),
    ],
)
def test_the_same_film_is_seen_though_it_is_mute(
    compared: Callable[..., list[Example]], name: str, codecs: tuple[str, str], frames: np.ndarray
) -> None:
    scored = {f"{n}.mp4": lambda p, n=n: write(p, ("libx264", ""), film(n), None) for n in range(3)}
    (example,) = compared({name: lambda path: write(path, codecs, frames, None)}, scored, "video")
    assert (example.scored.id, example.sameness) == ("1.mp4", "same picture")


def test_one_face_in_one_studio_is_another_film(compared: Callable[..., list[Example]]) -> None:
    train, scored = (
        {f"{n}.mp4": lambda p, n=n: write(p, ("libx264", ""), film(n), None) for n in numbers}
        for numbers in (range(5, 10), range(5))
    )
    assert compared(train, scored, "video") == []


SHOWN = {
    "compressed": ("x.jpg", lambda p: face(1).save(p, quality=30)),
    "small": ("x.png", lambda p: face(1).resize((100, 75)).save(p)),
    "large": ("x.webp", lambda p: face(1).resize((640, 480)).save(p, quality=60)),
    "cropped": ("x.png", lambda p: face(1).crop((9, 6, 310, 233)).save(p)),
    "cropped and compressed": ("x.jpg", lambda p: face(1).crop((0, 8, 306, 240)).save(p, quality=50)),
    "grey": ("x.png", lambda p: face(1).convert("L").save(p)),
    "brighter": ("x.png", lambda p: face(1).point(lambda value: value * 1.1 + 5).save(p)),
    "16 bits": ("x.png", lambda p: Image.fromarray(np.asarray(face(1).convert("L")).astype(np.uint16) * 257).save(p)),
    "black bars": ("x.png", lambda p: Image.fromarray(np.pad(face(1), ((40, 40), (0, 0), (0, 0)))).save(p)),
}


@pytest.mark.parametrize(("name", "save"), SHOWN.values(), ids=SHOWN)
def test_the_same_picture_is_seen(compared: Callable[..., list[Example]], name: str, save: Any) -> None:
    (example,) = compared({name: save}, {f"{n}.png": face(n).save for n in range(12)}, "image")
    assert (example.scored.id, example.sameness) == ("1.png", "same picture")


def test_faces_before_one_wall_are_other_pictures(compared: Callable[..., list[Example]]) -> None:
    assert (
        compared(
            {f"{n}.png": face(n).save for n in range(50, 80)}, {f"{n}.png": face(n).save for n in range(50)}, "image"
        )
        == []
    )
