"""Hints of prosody: a voice beside its speaker's usual voice in TRAIN; measured by Praat, openSMILE or numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectllm.corpus import TEST, TRAIN, MediaRef, Sample
from affectllm.errors import AffectError
from affectllm.hinting import voice_measures
from affectllm.hinting.kept import Kept
from affectllm.hinting.kind import Work
from affectllm.hinting.kinds import prosody
from affectllm.hinting.voice_measures import MEASURES, Tool, installed, measured
from affectllm.hints.table import Hint
from affectllm.model.media import SAMPLING_RATE


def voice(hertz: float, seconds: float = 1.2, loud: float = 0.3, pause: float = 0.0) -> np.ndarray:
    """A buzz of harmonics, as a voice has, with a pause in its middle."""
    times = np.arange(int(seconds * SAMPLING_RATE)) / SAMPLING_RATE
    sound = loud * sum(np.sin(2 * np.pi * hertz * n * times) / n for n in range(1, 6))
    middle = np.abs(times - seconds / 2) < pause / 2
    return np.where(middle, 0.0, sound).astype(np.float32)


@pytest.mark.parametrize("tool", ["numpy", "praat", "opensmile"])
def test_pitch_loudness_and_pauses_are_what_was_made(tool: Tool) -> None:
    if not installed(tool):
        pytest.skip(f"{tool} is an extra")
    low, high, quiet, paused = (
        measured(sound, tool) for sound in (voice(110), voice(220), voice(110, loud=0.03), voice(110, pause=0.5))
    )
    assert low and high and quiet and paused and tuple(low) == MEASURES
    assert low["pitch"] == pytest.approx(24, abs=0.5) and high["pitch"] == pytest.approx(36, abs=0.5)
    assert low["loudness"] - quiet["loudness"] == pytest.approx(20, abs=3)
    assert paused["pauses"] > low["pauses"] + 0.2
    assert measured(np.zeros(SAMPLING_RATE, np.float32), tool) is None


def test_a_voice_is_not_taken_for_an_octave_below() -> None:
    for hertz in (90, 130, 180, 240, 320, 410):
        result = measured(voice(hertz), "numpy")
        assert result and result["pitch"] == pytest.approx(12 * np.log2(hertz / 27.5), abs=0.3)


def _made(tmp_path: Path, recordings: list[tuple[str, str, float]], **options: object) -> list[Hint]:
    import soundfile

    samples = []
    for number, (speaker, split, hertz) in enumerate(recordings):
        soundfile.write(tmp_path / f"{number}.wav", voice(hertz), SAMPLING_RATE)
        ref = (MediaRef(f"{number}.wav", "audio"),)
        samples.append(Sample(f"{number}", "made_up", split, (), "x", speaker=speaker, media=ref))
    wanted = prosody.Options(by="numpy", **options)  # type: ignore[arg-type]
    return list(prosody.find(Work(samples, tmp_path, wanted, tmp_path / "kept", tmp_path, tmp_path)))


TRAINED = [("deep", TRAIN, 100.0 + n) for n in range(6)] + [("high", TRAIN, 250.0 + n) for n in range(6)]


def test_a_speaker_is_compared_with_himself_and_a_new_one_with_all(tmp_path: Path) -> None:
    asked = [("deep", TEST, 140.0), ("high", TEST, 230.0), ("new", TEST, 400.0)]
    *_, deep, high, new = _made(tmp_path, [*TRAINED, *asked], clips=3)
    assert "pitch higher (much)" in str(deep.words) and str(deep.words).endswith("usual for this speaker")
    assert "pitch lower (much)" in str(high.words)
    assert "pitch higher" in str(new.words) and str(new.words).endswith("usual for the speakers of this corpus")


def test_what_is_usual_is_learned_from_train_alone(tmp_path: Path) -> None:
    few, many = (
        _made(tmp_path, [*TRAINED, *[("deep", TEST, 140.0 + n) for n in range(count)]], clips=3) for count in (1, 9)
    )
    assert few[12] == many[12] and few[0] == many[0]


def test_a_training_clip_is_compared_with_the_others(tmp_path: Path) -> None:
    odd = [("deep", TRAIN, 200.0), *TRAINED]
    first = _made(tmp_path, odd, clips=3)[0]
    # Were it among those that it is compared with, it could be at most √(n − 1) deviations away: here 2.4.
    assert first.values["scores"]["pitch"] > 10


def test_what_cannot_be_heard_has_no_hint_but_a_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    refs = {"gone": MediaRef("gone.wav", "audio"), "broken": MediaRef("broken.wav", "audio"), "none": None}
    samples = [Sample(n, "made_up", TRAIN, (), "x", media=(ref,) if ref else ()) for n, ref in refs.items()]
    options = prosody.Options(by="numpy", clips=2)
    hints = list(prosody.find(Work(samples, tmp_path, options, tmp_path / "kept", tmp_path, tmp_path)))
    assert [hint.words for hint in hints] == [None] * 3
    assert hints[0].reason == "missing" and hints[1].reason and hints[2].reason == "no_audio"


def test_without_a_train_nothing_is_heard_and_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(AffectError, match=r"2 clips of TRAIN have sound, and at least clips \(3\) say"):
        _made(tmp_path, [*TRAINED[:2], *[("deep", TEST, 140.0 + n) for n in range(3)]], clips=3)
    assert not (tmp_path / "kept").exists() or not any((tmp_path / "kept").iterdir())


def test_a_silent_clip_has_no_hint_and_is_no_part_of_the_usual(tmp_path: Path) -> None:
    import soundfile

    recordings = [("deep", TRAIN, 100.0 + n) for n in range(3)]
    before = _made(tmp_path, recordings, clips=2)
    soundfile.write(tmp_path / "3.wav", np.zeros(SAMPLING_RATE), SAMPLING_RATE)
    samples = [
        Sample(str(n), "made_up", TRAIN, (), "x", speaker="deep", media=(MediaRef(f"{n}.wav", "audio"),))
        for n in range(4)
    ]
    work = Work(samples, tmp_path, prosody.Options("numpy", 2), tmp_path / "kept", tmp_path, tmp_path)
    *voiced, silent = prosody.find(work)
    assert silent.words is None and silent.reason == "silent" and voiced == before


def test_a_clip_is_heard_once_and_half_a_line_of_a_killed_run_is_cut_off(tmp_path: Path) -> None:
    _made(tmp_path, TRAINED[:3], clips=2)
    (file,) = (tmp_path / "kept").glob("*.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    kept = Kept(tmp_path / "kept", ["numpy", voice_measures.version_of("numpy")])
    for number in range(3):
        kept.of(tmp_path, MediaRef(f"{number}.wav", "audio"), lambda: "again")
    assert kept.computed == 1 and len(file.read_text(encoding="utf-8").splitlines()) == 3
