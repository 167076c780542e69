"""The audit compares the card with what is there, and names every difference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectllm.corpus import MediaRef
from affectllm.corpus.audit import audit, wav_header
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.errors import MissingCorpus, NotFound

TINY = '''"""A corpus of as many recordings as its folder has, promised to be two."""
from affectllm.corpus import CorpusCard, MediaRef, Sample
from affectllm.labels import Annotation, LabelSpace
SPACE = LabelSpace("mood", "category", ("up", "down"), "here")
CARD = CorpusCard(name="tiny", title="Tiny", citation="2024", url="", obtain="-", licence="CC0-1.0", access="open",
    redistribution=True, commercial=True, languages=("en",), modalities=("audio",), spaces=(SPACE,),
    raters={"actor": "me"}, counts={"train": 1, "test": 1}, split_policy="-", speaker_disjoint=True, max_seconds=2.0)
MINIATURE = {}
def samples(root):
    for path in sorted(root.glob("*.wav")):
        split, speaker, mood = path.stem.split("_")
        yield Sample(path.stem, "tiny", split, (Annotation("mood", "actor", mood),), path.name, speaker=speaker,
                     media=(MediaRef(path.name, "audio"),), attributes={"sample_rate": "16000"})
'''


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "local" / "data_builders").mkdir(parents=True)
    code = TINY.replace('("up", "down")', '("up",)')
    (tmp_path / "local" / "data_builders" / "tiny.py").write_text(code)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "local"))
    (tmp_path / "clips").mkdir()
    record(tmp_path / "clips" / "train_anna_up.wav")
    record(tmp_path / "clips" / "test_ben_up.wav")
    return tmp_path / "clips"


def record(path: Path, seconds: float = 0.5, rate: int = 16_000) -> None:
    soundfile.write(path, np.zeros(int(seconds * rate), np.float32), rate, subtype="PCM_16")


def test_a_corpus_as_promised_is_ok(tiny: Path) -> None:
    seen: list[int] = []
    report = audit("tiny", tiny, progress=seen.append)
    assert report.ok and report.differences == [] and report.counts == {"train": 1, "test": 1}
    assert seen == [1, 2]
    assert "as the card promises" in report.render() and "differences" not in report.render()


def test_what_a_card_knows_of_the_release_is_no_difference_and_more_of_it_is(tiny: Path) -> None:
    page = tiny.parent / "local" / "data_builders" / "tiny.py"
    code = page.read_text().replace("max_seconds=2.0", 'max_seconds=2.0, known={"duplicate_id": 1, "no_text": 9}')
    code = code.replace("import CorpusCard", "import Rejection, CorpusCard")
    page.write_text(
        code + '    for path in sorted(root.glob("*.txt")):\n        yield Rejection(path.name, "duplicate_id")\n'
    )
    (tiny / "one.txt").touch()
    assert audit("tiny", tiny).ok
    (tiny / "two.txt").touch()
    assert audit("tiny", tiny).differences == ["duplicate_id: 2 items, the card knows of 1: one.txt, two.txt"]


def test_the_card_of_isear_knows_the_rows_without_text() -> None:
    card = load_builder("isear").CARD
    assert card.total == 7666 - card.known["no_text"]


@pytest.mark.parametrize(
    ("name", "seconds", "rate", "difference"),
    [
        ("train_carl_up", 0.5, 16_000, "train: 2 samples, the card promises 1 (1 more)"),
        ("validation_carl_up", 0.5, 16_000, "validation: 1 samples, the card promises 0 (1 more)"),
        ("test_anna_up", 0.5, 16_000, "speaker anna is in train and test, the card promises disjoint speakers"),
        ("train_anna_up", 0.5, 22_050, "wrong_sample_rate: 1 clips: train_anna_up (train_anna_up.wav)"),
        ("train_anna_up", 2.5, 16_000, "too_long: 1 clips: train_anna_up (train_anna_up.wav)"),
    ],
)
def test_each_difference_is_named(name: str, seconds: float, rate: int, difference: str, tiny: Path) -> None:
    record(tiny / f"{name}.wav", seconds, rate)
    report = audit("tiny", tiny)
    assert difference in report.differences and not report.ok
    assert difference in report.render()


def test_a_lost_clip_and_an_empty_one_are_named(tiny: Path) -> None:
    (tiny / "test_ben_up.wav").unlink()
    (tiny / "train_anna_up.wav").write_bytes(b"")
    report = audit("tiny", tiny)
    assert "test: 0 samples, the card promises 1 (1 missing)" in report.differences
    assert report.media_problems == {"empty_file": 1}


def test_the_probe_of_the_caller_is_heard_and_may_be_left_out(tiny: Path) -> None:
    def listen(path: Path, ref: MediaRef) -> str | None:
        sound, _ = soundfile.read(path)
        return "silent" if ref.modality == "audio" and not np.any(sound) else None

    report = audit("tiny", tiny, probe=listen)
    assert report.probed and report.media_problems == {"silent": 2}
    assert audit("tiny", tiny).ok and not audit("tiny", tiny).probed
    (tiny / "train_anna_up.wav").write_bytes(b"")
    assert audit("tiny", tiny, probe_media=False, probe=listen).media_problems == {}


def test_miniatures_are_audited_with_their_rejections(tmp_path: Path) -> None:
    root = materialise(load_builder("crema_d").MINIATURE, tmp_path)
    report = audit("crema_d", root)
    assert report.rejections == {"known_defect": 1, "lfs_pointer": 1, "no_annotation": 1}
    assert report.media == {"video": 1, "audio": 2}
    assert report.labels["crema_d_6 by crowd_voice"]["train"] == {"tie": 1}
    differences = "\n".join(report.differences)
    assert "train: 2 samples, the card promises 5,229 (5,227 missing)" in differences
    assert "1 Git LFS pointers instead of files, run `git lfs pull`: 1004_TIE_SAD_HI" in differences
    assert "train: crema_d_6 by actor has no disgust, fear, happiness, neutral" in differences


def test_several_labels_of_one_comment_all_count(tmp_path: Path) -> None:
    report = audit("goemotions", materialise(load_builder("goemotions").MINIATURE, tmp_path))
    assert report.labels["goemotions_28 by crowd"]["train"] == {"neutral": 1, "anger": 1, "realization": 1}


def test_a_report_is_json_and_text(tmp_path: Path) -> None:
    report = audit("meld", materialise(load_builder("meld").MINIATURE, tmp_path))
    record = json.loads(json.dumps(report.to_json()))
    assert record["name"] == "meld" and record["ok"] is False and record["promised"]["train"] == 9989
    text = report.render()
    for word in ("9,989", "meld_7 by annotators", "known_defect", "final_videos_testdia0_utt0.mp4", "media_missing"):
        assert word in text
    assert max(len(line) for line in text.splitlines()) < 400


def test_a_corpus_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingCorpus):
        audit("meld", tmp_path)
    with pytest.raises(NotFound):
        audit("nosuch", tmp_path)


def test_wav_headers_are_read_without_the_sound(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", 1.5, 8_000)
    assert wav_header(tmp_path / "a.wav") == (8_000, 1.5)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    rate, seconds = wav_header(tmp_path / "cut.wav") or (0, 0.0)
    assert rate == 8_000 and seconds == pytest.approx(0.75, abs=0.01), "a truncated file is as long as its bytes"
    for junk in (b"", b"RIFF", whole[:20], b"\x00" * 100):
        (tmp_path / "junk.wav").write_bytes(junk)
        assert wav_header(tmp_path / "junk.wav") is None
