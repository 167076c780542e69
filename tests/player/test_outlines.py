"""Outlines of sounds: what is loud is high, each clip is opened once, and a page opens only so many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.model.clips.media import SAMPLING_RATE
from affectllm.player import outlines
from affectllm.player.outlines import COLUMNS, LEVELS, SILENT, Outlines, outline, outline_of, points


def test_the_loudest_moment_fills_the_box_and_half_as_loud_half_of_it() -> None:
    sound = np.concatenate([np.full(SAMPLING_RATE, level, np.float32) for level in (0.0, -0.1, 0.2)])
    found = outline(sound)
    assert found.seconds == 3.0 and len(found.levels) == COLUMNS
    assert (found.levels[0], found.levels[-1]) == (LEVELS[0], LEVELS[-1])
    assert LEVELS.index(found.levels[COLUMNS // 2]) == pytest.approx((len(LEVELS) - 1) / 2, abs=1)
    drawn = points(found.levels).split()
    assert len(drawn) == 2 * COLUMNS and drawn[0] == "0,1.00" and drawn[COLUMNS - 1] == "160,0.00"


def test_a_short_sound_has_a_column_a_sample_and_none_no_outline() -> None:
    assert outline(np.array([0.5, -1.0], np.float32)).levels == LEVELS[32] + LEVELS[-1]
    assert outline(np.zeros(0, np.float32)) == SILENT and set(outline(np.zeros(400, np.float32)).levels) == {LEVELS[0]}


def test_a_span_is_outlined_alone_and_what_cannot_be_opened_has_none(tmp_path: Path) -> None:
    materialise({"a.wav": Tone(2.0), "b.mp4": Clip(seconds=1.0)}, tmp_path)
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    assert outline_of(tmp_path / "a.wav", {"type": "audio", "start": 0.5, "end": 1.5}).seconds == 1.0
    assert outline_of(tmp_path / "b.mp4", {"type": "video"}).levels
    assert outline_of(tmp_path / "torn.wav", {"type": "audio"}) == SILENT


def test_a_clip_is_opened_once_and_beyond_the_most_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    materialise({f"{n}.wav": Tone(0.2) for n in range(3)}, tmp_path)
    opened: list[str] = []
    real = outlines.outline_of
    monkeypatch.setattr(outlines, "outline_of", lambda path, part: opened.append(path.name) or real(path, part))
    page, part = Outlines(most=2), {"type": "audio"}
    first = page.of([(tmp_path / "0.wav", part), (tmp_path / "0.wav", part)])
    assert first[0].levels and first[0] == first[1] and opened == ["0.wav"]
    rest = page.of([(tmp_path / f"{n}.wav", part) for n in range(3)])
    assert [bool(one.levels) for one in rest] == [True, True, False] and page.left_out == 1
    assert sorted(opened) == ["0.wav", "1.wav"]
