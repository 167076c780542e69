"""The labels of CMU-MOSI and CMU-MOSEI as computational sequences: joined by time, by place, or not at all."""

from __future__ import annotations

import json
import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from reading_corpora import answer, read, write

from affectllm.corpus import Rejection
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, materialise
from affectllm.errors import Malformed, NotFound

NAMES = ["sentiment", "happy", "sad", "anger", "surprise", "disgust", "fear"]
JOY, CALM = [1.0, 2.0, 0, 0, 0.5, 0, 0], [-2.0, 0, 1.0, 0, 0, 0, 0.3333333]
FOLDS = {"cmu_mosei_std_folds.py": "standard_train_fold = ['-aB']\nstandard_test_fold=['00012']\n"}
TRANSCRIPT = "Raw/Transcript/Segmented/Combined/-aB.txt"

Videos = dict[str, tuple[object, object]]


def csd(path: Path, videos: Videos, names: object = NAMES, top: str = "All Labels") -> Path:
    """A file as the SDK writes it: a group of videos, and metadata as JSON in an array of one text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for video, (features, intervals) in videos.items():
            file[f"{top}/data/{video}/features"] = np.array(features, np.float32)
            file[f"{top}/data/{video}/intervals"] = np.array(intervals, np.float64)
        text = h5py.special_dtype(vlen=str)
        file.create_dataset(f"{top}/metadata/dimension names", (1,), dtype=text)[0] = json.dumps(names)
    return path.parent


def why(name: str, root: Path) -> dict[str, str]:
    items = load_builder(name).samples(root)
    return {item.item: item.detail for item in items if isinstance(item, Rejection)}


def test_rows_find_their_clips_by_time(tmp_path: Path) -> None:
    spoken = ["0___-0.2___2.5___It is fine.", "3___2.5___6.0___It was ___ not.", "4___6.0___9.0___Nobody rated me."]
    spoken.append("5___10.0___10.12___Oh.")
    write(tmp_path, FOLDS | {TRANSCRIPT: "".join(f"-aB___{line}\n" for line in spoken)})
    rows = [CALM, JOY, JOY, JOY, CALM]
    times = [[2.9, 6.1], [-0.15, 2.42], [20.0, 22.0], [0.0, 2.5], [10.08, 10.2]]
    csd(tmp_path / "CMU_MOSEI_Labels.csd", {"-aB": (rows, times)})
    samples, rejected = read("cmu_mosei", tmp_path)
    assert list(samples) == ["-aB_0", "-aB_3", "-aB_5"]
    assert samples["-aB_3"].text == "It was ___ not." and samples["-aB_3"].split == "train"
    assert answer(samples["-aB_3"], "mosei_sentiment", "crowd") == {"sentiment": -2.0}
    emotions = answer(samples["-aB_3"], "mosei_emotions", "crowd")
    assert isinstance(emotions, dict) and (emotions["sadness"], emotions["fear"]) == (1.0, 0.333333)
    assert sorted(rejected) == [("-aB[2]", "text_missing"), ("-aB[3]", "duplicate_id"), ("-aB_4", "no_annotation")]
    assert "20.00 to 22.00 s" in why("cmu_mosei", tmp_path)["-aB[2]"]


def test_without_a_transcript_a_moment_is_a_span_of_the_whole_video(tmp_path: Path) -> None:
    materialise({"Raw/Videos/Full/Combined/00012.mp4": Clip()}, write(tmp_path, FOLDS))
    videos = {"00012": ([JOY, CALM], [[-0.1, 0.2], [0.2, 0.5]]), "-aB": ([JOY], [[1, 2]]), "zZ": ([JOY], [[1, 2]])}
    csd(tmp_path / "cmumosei_labels" / "CMU_MOSEI_Labels.csd", videos)
    samples, rejected = read("cmu_mosei", tmp_path)
    assert {name: sample.split for name, sample in samples.items()} == {
        **{"-aB[0]": "train", "00012[0]": "test", "00012[1]": "test"}
    }
    spans = [(ref.path, ref.start, ref.end) for name in ("00012[0]", "00012[1]") for ref in samples[name].media]
    film = "Raw/Videos/Full/Combined/00012.mp4"
    assert spans == [(film, 0.0, 0.2), (film, 0.2, 0.5)] and samples["00012[0]"].text is None
    assert sorted(rejected) == [("-aB[0]", "media_missing"), ("zZ[0]", "no_split")]


def test_transcripts_with_numbers_only_are_joined_in_order_where_they_are_as_many(tmp_path: Path) -> None:
    folds = "standard_train_fold = ['one', 'two']\nstandard_valid_fold = []\n"
    spoken = {"one": "2_DELIM_SECOND\n10_DELIM_TENTH\n1_DELIM_FIRST\n", "two": "1_DELIM_ONLY\n"}
    write(tmp_path, {f"Raw/Transcript/Segmented/{video}.annotprocessed": text for video, text in spoken.items()})
    write(tmp_path, {"cmu_mosi_std_folds.py": folds})
    rows = ([[0.4], [-1.2], [3.0]], [[0, 1], [1, 2], [2, 3]])
    videos: Videos = {"one": rows, "two": ([[1.0], [2.0]], [[0, 1], [1, 2]])}
    csd(tmp_path / "CMU_MOSI_Opinion_Labels.csd", videos, ["opinion"], "Opinion Segment Labels")
    samples, rejected = read("cmu_mosi", tmp_path)
    means = {s.text: answer(s, "mosi_sentiment", "crowd") for s in samples.values()}
    assert means == {"FIRST": {"sentiment": 0.4}, "SECOND": {"sentiment": -1.2}, "TENTH": {"sentiment": 3.0}}
    assert sorted(rejected) == [("two[0]", "text_missing"), ("two[1]", "text_missing"), ("two_1", "no_annotation")]


def test_a_label_file_gets_its_emotions_and_no_moment_comes_twice(tmp_path: Path) -> None:
    header = "video_id,clip_id,text,label,mode\n"
    write(tmp_path, {"label.csv": f"{header}-aB,0,Fine.,0.9,train\n00012,7,Well.,0,test\n"})
    write(tmp_path, {TRANSCRIPT: "-aB___0___0.0___2.0___Fine.\n"})
    csd(tmp_path / "CMU_MOSEI_Labels.csd", {"-aB": ([JOY], [[0, 2]]), "00012": ([CALM], [[0, 2]])})
    samples, rejected = read("cmu_mosei", tmp_path)
    first = samples["-aB_0"]
    assert answer(first, "mosei_sentiment", "crowd") == {"sentiment": 0.9}, "the label file speaks first"
    emotions = answer(first, "mosei_emotions", "crowd")
    assert isinstance(emotions, dict) and emotions["happiness"] == 2.0
    assert list(samples) == ["-aB_0", "00012_7"] and rejected == [("00012[0]", "text_missing")]


def test_values_that_are_none_cost_themselves(tmp_path: Path) -> None:
    rows = [[math.nan, *JOY[1:]], [7.0, math.inf, 0, 0, 0, 0, -1], [math.nan] * 7, JOY]
    times = [[0, 1], [1, 2], [2, 3], [4, math.nan]]
    videos: Videos = {"-aB": (rows, times), "00012": ([JOY[:3]], [[0, 1]]), "odd": ([JOY], [[0, 1], [1, 2]])}
    csd(write(tmp_path, FOLDS) / "CMU_MOSEI_Labels.csd", videos)
    samples, rejected = read("cmu_mosei", tmp_path)
    assert [answer(s, "mosei_sentiment", "crowd") for s in samples.values()] == [None, None]
    assert answer(samples["-aB[1]"], "mosei_emotions", "crowd") == dict.fromkeys(
        ("sadness", "anger", "surprise", "disgust"), 0.0
    )
    assert sorted(set(rejected)) == [
        *(("-aB[0]", "out_of_range"), ("-aB[1]", "out_of_range"), ("-aB[2]", "no_annotation")),
        *(("-aB[2]", "out_of_range"), ("-aB[3]", "broken_row"), ("00012[0]", "broken_row"), ("odd", "broken_row")),
    ]
    assert "3 values for 7 labels" in why("cmu_mosei", tmp_path)["00012[0]"]


def test_columns_are_taken_by_name_and_in_the_documented_order_without_names(tmp_path: Path) -> None:
    write(tmp_path, FOLDS)
    for names, row in ((["fear", "sentiment", *NAMES[1:6]], [0.5, 1.0, 2.0, 0, 0, 0, 0]), (None, JOY)):
        csd(tmp_path / "CMU_MOSEI_Labels.csd", {"-aB": ([row], [[0, 1]])}, names)
        sample = read("cmu_mosei", tmp_path)[0]["-aB[0]"]
        emotions = answer(sample, "mosei_emotions", "crowd")
        assert isinstance(emotions, dict) and emotions["happiness"] == 2.0
        assert answer(sample, "mosei_sentiment", "crowd") == {"sentiment": 1.0}
    csd(tmp_path / "CMU_MOSEI_Labels.csd", {"-aB": ([[0.1, 0.2]], [[0, 1]])}, ["F0", "loudness"])
    with pytest.raises(Malformed, match=r"CMU_MOSEI_Labels\.csd: the column 'F0'"):
        read("cmu_mosei", tmp_path)


def test_a_sequence_without_folds_cannot_be_split(tmp_path: Path) -> None:
    csd(tmp_path / "CMU_MOSEI_Labels.csd", {"-aB": ([JOY], [[0, 1]])})
    with pytest.raises(NotFound, match=r"no cmu_\*_std_folds\.py(?s:.*)CMU-MultimodalSDK"):
        read("cmu_mosei", tmp_path)


@pytest.mark.parametrize("size", [0.0, 0.5, 0.95])
def test_a_file_cut_short_is_named(size: float, tmp_path: Path) -> None:
    path = csd(write(tmp_path, FOLDS) / "CMU_MOSEI_Labels.csd", {"-aB": ([JOY], [[0, 1]])}) / "CMU_MOSEI_Labels.csd"
    path.write_bytes(path.read_bytes()[: int(size * path.stat().st_size)])
    with pytest.raises(Malformed, match=r"CMU_MOSEI_Labels\.csd: not a readable computational sequence"):
        read("cmu_mosei", tmp_path)


def test_a_pointer_and_a_file_of_something_else_say_so(tmp_path: Path) -> None:
    path = write(tmp_path, FOLDS) / "CMU_MOSEI_Labels.csd"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 9\n")
    with pytest.raises(Malformed, match="git lfs pull"):
        read("cmu_mosei", tmp_path)
    with h5py.File(path, "w") as file:
        file["All Labels/else"] = [1, 2]
    with pytest.raises(Malformed, match="no group data"):
        read("cmu_mosei", tmp_path)
