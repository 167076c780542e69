"""Corpora of video in the wild: folds, encodings, lists that are not what their names say, frames instead of clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, Picture, materialise
from affectllm.errors import Malformed

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123456\n"


def read(name: str, root: Path) -> tuple[dict[str, Sample], list[tuple[str, str]]]:
    items = list(load_builder(name).samples(root))
    samples = {item.id: item for item in items if isinstance(item, Sample)}
    return samples, [(item.item, item.reason) for item in items if isinstance(item, Rejection)]


def miniature(name: str, root: Path) -> Path:
    return materialise(load_builder(name).MINIATURE, root)


def value(sample: Sample, space: str, rater: str) -> object:
    annotation = sample.annotation(space, rater)
    return annotation.value if annotation else None


# DFEW


def test_dfew_clips_have_no_zeros_and_frames_have_five_digits(tmp_path: Path) -> None:
    samples, _ = read("dfew", miniature("dfew", tmp_path))
    assert samples["00001"].media[0].path == "Clip/original/1.mp4" and samples["00001"].media[0].sound
    frames = samples["00002"]
    # 10.jpg stands behind 2.jpg, so it is the second of two.
    assert (frames.media[0].path, frames.media[0].modality) == ("Clip/clip_224x224/00002/10.jpg", "image")
    assert (frames.attributes["frames"], frames.attributes["frame_count"]) == ("Clip/clip_224x224/00002", "2")


def test_dfew_votes_and_folds(tmp_path: Path) -> None:
    samples, rejections = read("dfew", miniature("dfew", tmp_path))
    assert value(samples["00001"], "dfew_votes", "crowd") == {"happiness": 9, "neutral": 1}
    assert {identifier: sample.attributes.get("fold") for identifier, sample in samples.items()} == {
        **dict.fromkeys(("00001", "00002"), "2"),
        **dict.fromkeys(("00003", "00006"), None),
        "00012": "1",
    }
    assert ("7", "not_in_split") in rejections


def test_dfew_lists_of_other_models_count_from_zero(tmp_path: Path) -> None:
    lists = {
        "DFEW_set_1_train.txt": "Clip/jpg_256/00001 60 0\nClip/jpg_256/00002 60 6\n",
        "DFEW_set_1_test.txt": "Clip/jpg_256/00003 60 7\nClip/jpg_256/00004 60 2\n",
    }
    samples, rejections = read("dfew", materialise(lists, tmp_path))
    labels = {identifier: value(sample, "dfew_7", "majority") for identifier, sample in samples.items()}
    assert labels == {"00001": "happiness", "00002": "fear", "00004": "neutral"}
    assert rejections == [("3", "unknown_label")]


def test_dfew_workbook_that_is_none_is_named(tmp_path: Path) -> None:
    (miniature("dfew", tmp_path) / "Annotation/annotation.xlsx").write_bytes(b"a login page")
    with pytest.raises(Malformed, match=r"annotation\.xlsx"):
        read("dfew", tmp_path)


# MAFW, FERV39k


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig"])
def test_mafw_descriptions_come_from_every_encoding(encoding: str, tmp_path: Path) -> None:
    root = miniature("mafw", tmp_path)
    table = root / "Labels/single_label.txt"
    table.write_bytes(table.read_bytes().decode("gbk").encode(encoding))
    samples, _ = read("mafw", root)
    assert value(samples["00001"], "mafw_caption_zh", "describer") == "她在笑，露出牙齿。"
    assert value(samples["00001"], "mafw_caption_en", "describer") == "She laughs and shows her teeth."


def test_mafw_splits_by_the_single_set_first(tmp_path: Path) -> None:
    samples, rejections = read("mafw", miniature("mafw", tmp_path))
    # 00001 is in train of the single and in test of the compound set, 00002 the other way round.
    assert {identifier: sample.split for identifier, sample in samples.items()} == {
        "00001": "train",
        "00002": "test",
        "00003": "train",
        "00004": "train",
    }
    both = samples["00001"]
    assert value(both, "mafw_11", "annotators") == "happiness"
    assert value(both, "mafw_compound", "annotators") == ("happiness", "surprise")
    assert (both.attributes["fold"], both.attributes["fold_compound"]) == ("3", "1")
    assert ("00009", "not_in_split") in rejections


def test_mafw_emotions_have_chinese_names() -> None:
    space = load_builder("mafw").CARD.space("mafw_11")
    assert [space.resolve(word) for word in ("愤怒", "失望", "Happy")] == ["anger", "disappointment", "happiness"]


def test_ferv39k_lists_are_neither_comma_separated_nor_headed(tmp_path: Path) -> None:
    samples, rejections = read("ferv39k", miniature("ferv39k", tmp_path))
    first = samples["Interview/Happy/0001"]
    assert (first.attributes["scene"], value(first, "ferv39k_7", "annotators")) == ("Interview", "happiness")
    assert samples["Crime/Angry/0001"].source.endswith(":2")
    assert ("../../etc/0007", "unsafe_path") in rejections


def test_ferv39k_lists_of_scenes_stand_in_for_that_of_all(tmp_path: Path) -> None:
    root = miniature("ferv39k", tmp_path)
    for part in ("train", "test"):
        (root / f"4_setups/All_scenes/{part}_All.csv").unlink()
    samples, rejections = read("ferv39k", root)
    assert list(samples) == ["Crime/Angry/0001"] and ("test_All.csv", "file_missing") in rejections


# BoLD, AFEW, C-EXPR-DB


def test_bold_columns_are_in_its_own_order(tmp_path: Path) -> None:
    numbers = [index / 100 for index in range(26)]
    row = [
        "003/film.mp4/0114.mp4",
        "0",
        "10",
        "90",
        *map(str, numbers),
        "1",
        "10",
        "5.5",
        "Male",
        "Adult",
        "White",
        "1",
    ]
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/train.csv").write_text(",".join(row) + "\n")
    samples, _ = read("bold", tmp_path)
    sample = samples["003/film.mp4/0114.mp4#0@10"]
    shares = value(sample, "bold_26_share", "crowd")
    assert isinstance(shares, dict)
    assert (shares["peace"], shares["esteem"], shares["yearning"], shares["suffering"]) == (0.0, 0.02, 0.15, 0.25)
    assert value(sample, "bold_vad", "crowd") == {"valence": 1.0, "arousal": 10.0, "dominance": 5.5}
    assert value(sample, "bold_26", "crowd") == ()
    assert (sample.attributes["film"], sample.attributes["gender"]) == ("film", "Male")


def test_afew_of_faces_only(tmp_path: Path) -> None:
    faces = {
        f"AFEW_Face/{split}/Anger/0001/{frame}.jpg": Picture() for split in ("train", "validation") for frame in (1, 2)
    }
    samples, rejections = read("afew", materialise(faces, tmp_path))
    assert list(samples) == ["train/0001", "validation/0001"] and not rejections
    assert all(sample.media[0].modality == "image" for sample in samples.values())


def test_afew_clips_keep_their_aligned_faces(tmp_path: Path) -> None:
    samples, _ = read("afew", miniature("afew", tmp_path))
    first = samples["train/000000001"]
    assert first.media[0].path == "Train_AFEW/Angry/000000001.avi"
    assert first.attributes["frames"] == "Train_AFEW/AlignedFaces_LBPTOP_Points/Faces/000000001"


def test_c_expr_transcripts_keep_their_commas(tmp_path: Path) -> None:
    samples, rejections = read("c_expr_db", miniature("c_expr_db", tmp_path))
    first = samples["Sadly-Fearful/24_Sadly-Fearful_0"]
    assert first.text == "I dont know, really, what to do" and first.attributes["fold"] == "2"
    assert value(first, "c_expr_8", "annotators") == "sadly fearful"
    assert samples["Happily-Surprised/7_Happily-Surprised_1"].text is None
    assert ("videos/01", "no_annotation") in rejections


def test_c_expr_segments_of_a_video_stay_together_without_a_split(tmp_path: Path) -> None:
    lines = [f"Sadly-Angry/{video}_Sadly-Angry_{part},6,no\n" for video in range(60) for part in range(3)]
    (tmp_path / "segments.txt").write_text("".join(lines))
    samples, _ = read("c_expr_db", tmp_path)
    splits = {(sample.attributes["video"], sample.split) for sample in samples.values()}
    assert len(samples) == 180 and len(splits) == 60 and len({split for _, split in splits}) == 3


# Films and talking faces


def test_liris_accede_sets_films_and_ten_seconds(tmp_path: Path) -> None:
    samples, _ = read("liris_accede", miniature("liris_accede", tmp_path))
    assert [samples[f"ACCEDE0000{index}"].split for index in range(3)] == ["train", "validation", "test"]
    assert samples["ACCEDE00000"].attributes["film"] == "A Short Film"
    windows = [sample for identifier, sample in samples.items() if "@" in identifier]
    assert [(w.media[0].start, w.media[0].end, w.split) for w in windows] == [(0.0, 10.0, "test"), (10.0, 20.0, "test")]
    assert [value(window, "liris_accede_fear", "watchers") for window in windows] == ["no fear", "fear"]
    assert value(windows[0], "liris_accede_continuous", "watchers") == pytest.approx({"valence": 0.2, "arousal": -0.1})


def test_cognimuse_keeps_intended_and_felt_apart(tmp_path: Path) -> None:
    samples, _ = read("cognimuse", miniature("cognimuse", tmp_path))
    first = samples["BMI@0"]
    assert value(first, "cognimuse_va", "intended_1") == pytest.approx({"valence": 0.25, "arousal": -0.25})
    assert value(first, "cognimuse_va", "subject_1_2") == pytest.approx({"valence": 0.5, "arousal": 0.2})
    # 300 values at 25 a second are twelve seconds: two windows.
    assert samples["BMI@10"].media[0].start == 10.0 and "BMI@20" not in samples


def test_hdtf_is_cut_clips_or_spans_of_whole_videos(tmp_path: Path) -> None:
    samples, _ = read("hdtf", miniature("hdtf", tmp_path))
    cut, whole = samples["RD/Radio1_0"].media[0], samples["WDA/AnnaExample0_0"].media[0]
    assert (cut.path, cut.start) == ("clips/RD_Radio1_0.mp4", None)
    assert (whole.path, whole.start, whole.end) == ("videos/AnnaExample0.mp4", 5.0, 100.0)
    assert samples["WDA/AnnaExample0_0"].speaker == "AnnaExample"
    assert samples["RD/Radio1_0"].attributes["crop_wh"] == "10 200 30 200"


# Clips


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("dfew", "Clip/original/1.mp4"),
        ("mafw", "data/clips/00001.mp4"),
        ("afew", "Train_AFEW/Angry/000000001.avi"),
        ("bold", "videos/001/aaaaaaaaaaa.mp4/0001.mp4"),
        ("c_expr_db", "videos/Sadly-Fearful/24_Sadly-Fearful_0.mp4"),
        ("liris_accede", "data/ACCEDE00000.mp4"),
        ("hdtf", "clips/RD_Radio1_0.mp4"),
    ],
)
@pytest.mark.parametrize(("kind", "reason"), [("pointer", "lfs_pointer"), ("link", "unsafe_path")])
def test_pointers_and_links_are_never_taken_for_clips(
    name: str, clip: str, kind: str, reason: str, tmp_path: Path
) -> None:
    root = miniature(name, tmp_path / "corpus")
    (root / clip).unlink()
    if kind == "pointer":
        (root / clip).write_text(POINTER)
    else:
        materialise({"secret.mp4": Clip()}, tmp_path)
        (root / clip).symlink_to(tmp_path / "secret.mp4")
    samples, rejections = read(name, root)
    assert reason in {given_reason for _, given_reason in rejections}
    assert clip not in {ref.path for sample in samples.values() for ref in sample.media}


@pytest.mark.parametrize("name", ["dfew", "mafw", "bold", "ferv39k", "c_expr_db", "liris_accede", "hdtf", "cognimuse"])
def test_tables_without_clips_complain_about_none(name: str, tmp_path: Path) -> None:
    tables = {
        path: content
        for path, content in load_builder(name).MINIATURE.items()
        if not isinstance(content, (Clip, Picture)) and "._" not in path
    }
    samples, rejections = read(name, materialise(tables, tmp_path))
    assert samples and "media_missing" not in {reason for _, reason in rejections}
