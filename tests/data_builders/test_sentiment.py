"""Beyond the contract of builders, clips with a sentiment: MOSI, MOSEI, CH-SIMS and CH-SIMS v2."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from reading_corpora import answer, miniature, read, write

from affectllm.corpus.builder import load_builder
from affectllm.corpus.files.label_archives import archive
from affectllm.corpus.miniature import materialise
from affectllm.errors import Malformed, MissingCorpus

LOST = {
    "cmu_mosi": {
        ("-9aBcDeFgHi_2", "duplicate_id"),
        ("-9aBcDeFgHi_2", "media_missing"),
        ("00012kLmNoP_1", "media_missing"),
        ("00012kLmNoP_2", "out_of_range"),
        ("00012kLmNoP_2", "no_annotation"),
        ("label.csv:7", "broken_row"),
        ("qRsTuVwXyZ0_10", "unknown_label"),
        ("Raw/Transcript/Segmented/-9aBcDeFgHi.annotprocessed:3", "broken_row"),
        ("Raw/-9aBcDeFgHi/7.mp4", "no_annotation"),
    },
    "cmu_mosei": {
        ("-aAbBcCdDeE_0", "out_of_range"),
        ("Raw/Transcript/Segmented/Combined/-aAbBcCdDeE.txt:3", "broken_row"),
        ("fFgGhHiIjJk_0", "broken_row"),
        ("fFgGhHiIjJk_0", "no_annotation"),
        ("fFgGhHiIjJk_2", "media_missing"),
        ("lLmMnNoOpPq_3", "no_split"),
    },
    "ch_sims": {
        ("video_0002_0003", "out_of_range"),
        ("video_0002_0003", "media_missing"),
        ("video_0002_0004", "broken_row"),
        ("video_0002_0004", "no_annotation"),
        ("SIMS/Raw/video_0002/0009.mp4", "no_annotation"),
    },
    "ch_sims_v2": {
        ("aqgy3_0002", "media_missing"),
        ("tvshow_12_0003", "media_missing"),
        ("ch-simsv2s/meta.csv:6", "broken_row"),
    },
}
PARTS = ("T", "A", "V")


@pytest.mark.parametrize("name", LOST)
def test_exactly_what_is_broken_in_a_miniature_is_rejected(name: str, tmp_path: Path) -> None:
    _, rejected = miniature(name, tmp_path)
    assert sorted(rejected) == sorted(LOST[name])


def test_ids_stay_text(tmp_path: Path) -> None:
    samples, _ = miniature("cmu_mosi", tmp_path)
    assert "00012kLmNoP_1" in samples and samples["-9aBcDeFgHi_1"].dialogue == "-9aBcDeFgHi"
    assert samples["-9aBcDeFgHi_1"].text == "IT WAS, WELL, FINE"
    assert [ref.path for ref in samples["qRsTuVwXyZ0_10"].media] == [
        "Raw/qRsTuVwXyZ0/10.mp4",
        "Raw/Audio/WAV_16000/Segmented/qRsTuVwXyZ0_10.wav",
    ]


def test_mosei_keeps_every_worker_and_the_mean_of_the_emotions(tmp_path: Path) -> None:
    samples, _ = miniature("cmu_mosei", tmp_path)
    first = samples["-aAbBcCdDeE_0"]
    assert answer(first, "mosei_sentiment", "crowd") == {"sentiment": 1.0}
    assert answer(first, "mosei_emotions", "worker_1") == {
        **{"happiness": 2.0, "sadness": 0.0, "anger": 0.0, "surprise": 0.0},
        **{"disgust": 0.0, "fear": 0.0},
    }
    crowd = answer(first, "mosei_emotions", "crowd")
    assert isinstance(crowd, dict) and (crowd["happiness"], crowd["surprise"], crowd["fear"]) == (1.5, 0.5, 0.0)


def test_mosei_uses_a_span_of_the_whole_video_where_a_segment_has_no_clip(tmp_path: Path) -> None:
    samples, _ = miniature("cmu_mosei", tmp_path)
    spans = [(ref.modality, ref.start, ref.end) for ref in samples["-aAbBcCdDeE_0"].media]
    assert spans == [("video", 0.0, 2.5), ("audio", 0.0, 2.5)], "a start before zero is zero"
    assert [ref.path for ref in samples["100200_4"].media] == ["Raw/Videos/Segmented/Combined/100200_4.mp4"]


def test_the_raw_release_alone_needs_the_folds(tmp_path: Path) -> None:
    files = {
        "Raw/Transcript/Segmented/Combined/aB_c.txt": "aB_c___0___0.0___2.0___One ___ two.\n",
        "Raw/Labels/one.csv": "Input.VIDEO_ID,Input.CLIP,Answer.sentiment,Answer.anger\naB_c,0,-2,1\naB_c,0,-1,\n",
    }
    samples, rejected = read("cmu_mosei", write(tmp_path, files))
    assert not samples and rejected == [("aB_c_0", "no_split")]
    write(tmp_path, {"cmu_mosei_std_folds.py": "standard_train_fold = ['x']\nstandard_test_fold = ['aB_c']\n"})
    samples, rejected = read("cmu_mosei", tmp_path)
    assert (samples["aB_c_0"].text, samples["aB_c_0"].split) == ("One ___ two.", "test")
    assert answer(samples["aB_c_0"], "mosei_sentiment", "crowd") == {"sentiment": -1.5}
    assert answer(samples["aB_c_0"], "mosei_emotions", "crowd") == {"anger": 1.0}


def features(names: list[str]) -> dict[str, dict[str, object]]:
    count = len(names)
    part: dict[str, object] = {
        "raw_text": np.array([f"text {name}" for name in names]),
        "id": names,
        "audio": np.zeros((count, 2, 2), np.float32),
        "annotations": ["Positive"] * count,
        "regression_labels": np.full(count, 0.6, np.float32),
        **{f"regression_labels_{part}": np.full(count, 0.2) for part in PARTS},
    }
    return {"train": part, "valid": {**part, "id": ["v$_$1"]}, "other": part}


def test_pickles_of_mmsa_are_read_where_there_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "Processed" / "unaligned_39.pkl"
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(features(["video_0001$_$0001", "video_0001$_$2", "broken"])))
    samples, rejected = read("ch_sims", tmp_path)
    assert list(samples) == ["video_0001_0001", "video_0001_0002", "v_0001"]
    first = samples["video_0001_0001"]
    assert first.text == "text video_0001$_$0001"
    assert answer(first, "sims_sentiment", "audio") == {"sentiment": 0.2}
    assert answer(first, "sentiment_3", "multimodal") == "positive"
    assert sorted(rejected) == [("Processed/unaligned_39.pkl/other", "unknown_name"), ("broken", "broken_row")]


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "unaligned_50.pkl"
    path.write_bytes(pickle.dumps({"train": Path("/etc/passwd")}))
    with pytest.raises(Malformed, match="pathlib"):
        read("cmu_mosi", tmp_path)


def test_the_preparation_of_merbench_is_read_where_nothing_else_is_there(tmp_path: Path) -> None:
    labels = {"test_corpus": {"-ab_c_3": {"emo": 0, "val": -2.5}}, "train_corpus": {}, "extra": {}}
    write(tmp_path, {"transcription-engchi-polish.csv": "name,chinese,english\n-ab_c_3,不好,Not good.\n"})
    (tmp_path / "label.npz").write_bytes(archive(labels))
    samples, rejected = read("cmu_mosi", tmp_path)
    sample = samples["-ab_c_3"]
    assert (sample.split, sample.text, sample.dialogue) == ("test", "Not good.", "-ab_c")
    assert sample.attributes["chinese"] == "不好"
    assert rejected == [("label.npz/extra", "unknown_name")]


def test_corpora_that_lie_side_by_side_are_told_apart(tmp_path: Path) -> None:
    for name, folder in {"cmu_mosi": "MOSI", "cmu_mosei": "MOSEI", "ch_sims_v2": "SIMSv2"}.items():
        materialise(load_builder(name).MINIATURE, tmp_path / folder)
    materialise(load_builder("ch_sims").MINIATURE, tmp_path)
    assert "qRsTuVwXyZ0_10" in read("cmu_mosi", tmp_path)[0]
    assert "100200_4" in read("cmu_mosei", tmp_path)[0]
    assert "video_0001_0001" in read("ch_sims", tmp_path)[0]
    assert "aqgy3_0001" in read("ch_sims_v2", tmp_path)[0]
    with pytest.raises(MissingCorpus):
        read("cmu_mosi", tmp_path / "MOSEI")


def test_the_first_release_of_sims_joins_its_tables_by_clip_and_by_row(tmp_path: Path) -> None:
    rows = "video_0001,1,0.4\nvideo_0001,2,-0.8\nvideo_0002,1,0\n"
    files = {f"metadata/sentiment/label_{part}.csv": f"video_id,clip_id,label\n{rows}" for part in ("M", *PARTS)}
    indices = {"train": "0", "val": "2", "test": "9"}
    files |= {f"metadata/{split}_index.csv": f"index\n{row}\n" for split, row in indices.items()}
    files["metadata/Translation.csv"] = "video_id,clip_id,Chinese,English\nvideo_0001,1,好的,All right\n"
    samples, rejected = read("ch_sims", write(tmp_path, files))
    assert {name: sample.split for name, sample in samples.items()} == {
        "video_0001_0001": "train",
        "video_0002_0001": "validation",
    }
    first = samples["video_0001_0001"]
    assert (first.text, first.attributes["english"]) == ("好的", "All right")
    assert answer(first, "sims_sentiment", "video") == {"sentiment": 0.4}
    assert sorted(rejected) == [("metadata/test_index.csv:2", "broken_row"), ("video_0001_0002", "no_split")]


def test_the_unsupervised_part_of_sims_v2_is_counted(tmp_path: Path) -> None:
    materialise(load_builder("ch_sims_v2").MINIATURE, tmp_path)
    write(tmp_path, {"ch-simsv2u/meta.csv": "video_id,clip_id,text\nu,0001,嗯\n"})
    assert ("u_0001", "no_annotation") in read("ch_sims_v2", tmp_path)[1]
