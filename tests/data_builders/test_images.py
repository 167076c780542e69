"""Corpora of pictures: votes, repaired splits, arrays, names in two encodings, and the real files where they are."""

from __future__ import annotations

import io
import json
import os
import unicodedata
from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.audit import audit
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Picture, materialise
from affectllm.corpus.splits import shared_speakers
from affectllm.errors import MissingCorpus

REAL = Path(os.environ.get("AFFECTLLM_CORPORA", "/nowhere"))


def read(name: str, root: Path) -> tuple[dict[str, Sample], list[tuple[str, str]]]:
    items = list(load_builder(name).samples(root))
    samples = {item.id: item for item in items if isinstance(item, Sample)}
    return samples, [(item.item, item.reason) for item in items if isinstance(item, Rejection)]


def miniature(name: str, root: Path) -> Path:
    return materialise(load_builder(name).MINIATURE, root)


def value(sample: Sample, space: str, rater: str) -> object:
    annotation = sample.annotation(space, rater)
    return annotation.value if annotation else None


# FER+


@pytest.mark.skipif(not (REAL / "ferplus").is_dir(), reason="the real files are not there")
def test_ferplus_has_the_published_counts_and_majorities() -> None:
    report = audit("ferplus", REAL / "ferplus")
    assert report.counts == {"train": 28558, "validation": 3579, "test": 3573}
    assert report.rejections == {"no_face": 173, "duplicate_id": 4}
    majorities = report.labels["ekman_6_contempt_neutral by crowd_label_csv"]
    # The sizes that papers report for training by majority.
    assert [sum(majorities[split].values()) for split in ("train", "validation", "test")] == [25045, 3191, 3137]


FERPLUS = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


@pytest.mark.parametrize(
    ("votes", "majority"),
    [
        ("1,8,1,0,0,0,0,0,0,0", "happiness"),
        ("4,0,0,0,1,1,1,1,1,1", "neutral"),  # single votes are dropped, so four of four
        ("5,5,0,0,0,0,0,0,0,0", None),
        ("4,3,3,0,0,0,0,0,0,0", None),
        ("0,0,0,2,0,0,0,0,8,0", None),
        ("0,0,0,2,0,0,0,0,0,8", None),
    ],
)
def test_ferplus_majority_is_that_of_its_authors(votes: str, majority: str | None, tmp_path: Path) -> None:
    (tmp_path / "fer2013new.csv").write_text(f"{FERPLUS}Training,fer0000000.png,{votes}\n")
    samples, _ = read("ferplus", tmp_path)
    assert value(samples["fer0000000"], "ekman_6_contempt_neutral", "crowd") == majority
    counts = value(samples["fer0000000"], "ferplus_votes", "crowd")
    assert isinstance(counts, dict) and sum(counts.values()) == 10


def test_ferplus_keeps_both_rounds_of_votes_and_the_first_label(tmp_path: Path) -> None:
    samples, _ = read("ferplus", miniature("ferplus", tmp_path))
    first = samples["fer0000000"]
    assert value(first, "ferplus_votes", "crowd") == {"neutral": 1, "happiness": 8, "surprise": 1}
    assert value(first, "ferplus_votes", "crowd_label_csv") == {"happiness": 10}
    assert value(first, "ekman_6_neutral", "fer2013") == "happiness"
    # fer2013.csv is matched by row, not by the number in the name: the row without a name shifts it.
    assert value(samples["fer0000001"], "ekman_6_neutral", "fer2013") == "neutral"
    assert value(samples["fer0000006"], "ekman_6_neutral", "fer2013") is None


def test_ferplus_is_read_from_its_label_tables_alone(tmp_path: Path) -> None:
    (miniature("ferplus", tmp_path) / "fer2013new.csv").unlink()
    samples, rejections = read("ferplus", tmp_path)
    assert list(samples) == ["fer0000000", "fer0000009"] and ("fer2013new.csv", "file_missing") in rejections


# EmoSet, ArtEmis, statements


def test_emoset_takes_lists_of_three_and_of_four(tmp_path: Path) -> None:
    samples, rejections = read("emoset", miniature("emoset", tmp_path))
    assert samples["awe_00001"].attributes == {"brightness": "0.4", "scene": "lake", "object": "boat, sky"}
    assert value(samples["fear_00002"], "mikels_8", "crowd") == "fear"
    assert ("annotation/fear/fear_00002.json", "label_conflict") in rejections


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_artemis_finds_paintings_however_their_accents_are_encoded(form: str, tmp_path: Path) -> None:
    painting = unicodedata.normalize("NFC", "josé-pintor_niña-1901")
    table = f"art_style,painting,emotion,utterance,repetition\nRealism,{painting},awe,Tall.,1\n"
    stored = unicodedata.normalize(form, painting)
    materialise({"artemis_dataset_release_v0.csv": table, f"wikiart/Realism/{stored}.jpg": Picture()}, tmp_path)
    samples, rejections = read("artemis", tmp_path)
    assert [len(sample.media) for sample in samples.values()] == [1] and not rejections


def test_artemis_prepared_table_has_the_split_and_stands_for_the_raw_one(tmp_path: Path) -> None:
    root = miniature("artemis", tmp_path)
    head = "art_style,painting,emotion,utterance,repetition,split,tokens\n"
    rows = [
        f"Cubism,p{index},fear,Dark.,1,{split},[]\n" for index, split in enumerate(("train", "val", "test", "rest"))
    ]
    (root / "artemis_preprocessed.csv").write_text(head + "".join(rows))
    samples, rejections = read("artemis", root)
    assert [sample.split for sample in samples.values()] == ["train", "validation", "test"]
    assert ("Cubism/p3#1", "not_in_split") in rejections


def test_responses_to_one_picture_are_in_one_split(tmp_path: Path) -> None:
    rows = [f"coco/{index % 50}.jpg,awe,High.\n" for index in range(400)]
    (tmp_path / "affection.csv").write_text("Image_File,Emotion,Utterance\n" + "".join(rows))
    samples, _ = read("affection", tmp_path)
    splits: dict[str, set[str]] = {}
    for sample in samples.values():
        splits.setdefault(sample.attributes["picture"], set()).add(sample.split)
    assert len(samples) == 400 and all(len(of_picture) == 1 for of_picture in splits.values())
    assert {split for of_picture in splits.values() for split in of_picture} == {"train", "validation", "test"}


def test_mvei_statements_are_samples_with_their_dimension(tmp_path: Path) -> None:
    samples, _ = read("mvei", miniature("mvei", tmp_path))
    second = samples["awe_00001#2"]
    assert second.text == "The mood is negative." and second.attributes["dimension"] == "sentiment polarity"
    assert value(second, "mvei_judgement", "people") == "incorrect"
    assert value(second, "mvei_emotions", "people") == "wonder, calm"


# AffectNet, EMOTIC, CK+


@pytest.mark.parametrize("header", [True, False])
def test_affectnet_tables_are_read_with_and_without_a_header(header: bool, tmp_path: Path) -> None:
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal\n"
    rows = "689/a.jpg,1,2,3,4,5;6,1,0.5,-0.25\n1/b.jpg,1,2,3,4,5;6,10,-2,-2\n1/b.jpg,1,2,3,4,5;6,10,-2,-2\n"
    image = {"Manually_Annotated/Manually_Annotated_Images/689/a.jpg": Picture()}
    materialise({"validation.csv": head * header + rows, **image}, tmp_path)
    samples, rejections = read("affectnet", tmp_path)
    assert [len(sample.annotations) for sample in samples.values()] == [2, 1]
    assert value(samples["689/a.jpg"], "affectnet_va", "annotator") == {"valence": 0.5, "arousal": -0.25}
    assert value(samples["1/b.jpg"], "affectnet_11", "annotator") == "no face"
    assert samples["689/a.jpg"].split == "validation" and samples["689/a.jpg"].media
    assert rejections == [("1/b.jpg", "media_missing"), ("1/b.jpg", "duplicate_id")]


def test_affectnet_arrays_of_strings_that_hold_objects_are_not_opened(tmp_path: Path) -> None:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.array([{"run": "me"}], dtype=object), allow_pickle=True)
    (miniature("affectnet", tmp_path) / "train_set/annotations/0_exp.npy").write_bytes(stream.getvalue())
    samples, rejections = read("affectnet", tmp_path)
    assert "train_set/0" not in samples and ("train_set/0", "broken_row") in rejections


def test_emotic_keeps_every_annotator_and_cuts_boxes(tmp_path: Path) -> None:
    samples, _ = read("emotic", miniature("emotic", tmp_path))
    person = samples["val/mscoco/images/b.jpg#0"]
    assert value(person, "emotic_26", "combined") == ("esteem", "fear")
    assert [value(person, "emotic_26", f"annotator_{index}") for index in (1, 2, 3)] == [("esteem",), ("fear",), None]
    assert value(person, "emotic_vad", "combined") == {"valence": 3.5, "arousal": 5.0, "dominance": 6.0}
    assert person.attributes["box"] == "0,2,64,60"
    nan = samples["train/mscoco/images/a.jpg#1"]
    assert value(nan, "emotic_vad", "combined") == {"arousal": 5.0, "dominance": 6.0}


def test_ck_plus_takes_the_last_frame_and_the_facial_actions(tmp_path: Path) -> None:
    samples, _ = read("ck_plus", miniature("ck_plus", tmp_path))
    first = samples["S005/001"]
    assert first.media[0].path.endswith("S005_001_00000002.png") and first.attributes["action_units"] == "9:0 17:2"
    assert first.attributes["neutral_frame"].endswith("S005_001_00000001.png")
    assert value(first, "ck_plus_8", "facs") == "happiness"


def test_ck48_is_split_by_person(tmp_path: Path) -> None:
    frames = {
        f"CK+48/{emotion}/S{person:03d}_004_0000001{frame}.png": Picture(300, 300)
        for person in range(40)
        for frame in range(3)
        for emotion in ("anger", "happy")[person % 2 :][:1]
    }
    samples, rejections = read("ck_plus", materialise({**frames, "CK+48/joyride/S001_001_00000001.png": b""}, tmp_path))
    assert len(samples) == 120 and not shared_speakers(samples.values())
    assert [reason for _, reason in rejections] == ["unknown_label"]


def test_image_folders_without_splits_get_one(tmp_path: Path) -> None:
    materialise({f"fi/{emotion}/{index}.jpg": b"x" for emotion in ("Awe", "fear") for index in range(60)}, tmp_path)
    samples, _ = read("fi", tmp_path)
    assert len(samples) == 120 and {sample.split for sample in samples.values()} == {"train", "validation", "test"}


def test_the_folder_of_one_split_is_not_divided_again(tmp_path: Path) -> None:
    root = miniature("fi", tmp_path / "fi")
    with pytest.raises(MissingCorpus, match=f"--root fi={root}"):
        read("fi", root / "train")


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("ferplus", "data/FER2013Train/fer0000000.png"),
        ("fi", "train/awe/awe_0001.jpg"),
        ("mvei", "images/awe_00001.jpg"),
    ],
)
def test_a_link_that_leaves_the_corpus_is_refused(name: str, picture: str, tmp_path: Path) -> None:
    root = miniature(name, tmp_path / "corpus")
    (tmp_path / "secret.jpg").write_bytes(b"not for you")
    (root / picture).unlink()
    (root / picture).symlink_to(tmp_path / "secret.jpg")
    samples, rejections = read(name, root)
    assert "unsafe_path" in {reason for _, reason in rejections}
    assert picture not in {ref.path for sample in samples.values() for ref in sample.media}


def test_a_truncated_list_costs_what_follows_the_cut(tmp_path: Path) -> None:
    root = miniature("emoset", tmp_path)
    whole = json.dumps([["awe", f"awe_{index}", "x.jpg", "x.json"] for index in range(5)])
    (root / "train.json").write_text(whole[: whole.index("awe_3")])
    samples, rejections = read("emoset", root)
    assert [identifier for identifier in samples if identifier.startswith("awe_")] == ["awe_0", "awe_1", "awe_2"]
    assert ("train.json:1", "broken_row") in rejections
