"""The builders on the real files below $AFFECTLLM_CORPORA; each test is left out where its corpus is not there."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.audit import audit, wav_header
from affectllm.corpus.builder import load_builder
from affectllm.corpus.splits import shared_speakers
from affectllm.evaluate.shelf import all_tasks

BASE = os.environ.get("AFFECTLLM_CORPORA")


def folder(name: str) -> Path:
    if not BASE or not (Path(BASE) / name).is_dir():
        pytest.skip(f"$AFFECTLLM_CORPORA/{name} is not there")
    return Path(BASE) / name


@cache
def items(name: str) -> list[Sample | Rejection]:
    return list(load_builder(name).samples(folder(name)))


def samples_of(name: str) -> list[Sample]:
    return [item for item in items(name) if isinstance(item, Sample)]


def reasons(name: str) -> Counter[str]:
    return Counter(item.reason for item in items(name) if isinstance(item, Rejection))


def labels(name: str, space: str, rater: str, split: str | None = None) -> Counter[object]:
    annotations = [sample.annotation(space, rater) for sample in samples_of(name) if split in (None, sample.split)]
    return Counter(annotation.value for annotation in annotations if annotation)


@pytest.mark.parametrize("name", ["meld", "emodb", "ravdess", "crema_d", "goemotions", "empathetic_dialogues"])
def test_every_real_sample_keeps_the_contract(name: str) -> None:
    card, samples = load_builder(name).CARD, samples_of(name)
    assert len({sample.id for sample in samples}) == len(samples)
    for sample in samples:
        for annotation in sample.annotations:
            card.space(annotation.space).check(annotation.value)
            assert annotation.rater in card.raters
        assert all((folder(name) / ref.path).is_file() for ref in sample.media)
        assert not any("\x80" <= char <= "\x9f" for char in sample.text or "")
    assert not card.speaker_disjoint or shared_speakers(samples) == {}


# MELD


def test_meld_has_every_utterance() -> None:
    assert Counter(sample.split for sample in samples_of("meld")) == {"train": 9989, "validation": 1109, "test": 2610}
    assert reasons("meld") == {}, "a download without clips is complete as text"
    dialogues = Counter(dialogue.split("/")[0] for dialogue in {str(sample.dialogue) for sample in samples_of("meld")})
    assert dialogues == {"train": 1038, "validation": 114, "test": 280}


def test_meld_labels_are_those_of_the_paper() -> None:
    expected = {"neutral": 1256, "joy": 402, "anger": 345, "surprise": 281, "sadness": 208, "disgust": 68, "fear": 50}
    assert labels("meld", "meld_7", "annotators", "test") == expected
    sentiment = {"neutral": 1256, "negative": 833, "positive": 521}
    assert labels("meld", "sentiment_3", "annotators", "test") == sentiment


def test_meld_reads_the_same_from_the_clean_and_the_mojibake_release(tmp_path: Path) -> None:
    if not (folder("meld") / "mojibake_2019").is_dir():
        pytest.skip("the release of 2019 is not there")
    shutil.copytree(folder("meld") / "mojibake_2019", tmp_path / "MELD.Raw")
    raw = (tmp_path / "MELD.Raw" / "train_sent_emo.csv").read_bytes().decode()
    assert raw.count("\x92") > 3000, "this is the release with C1 controls"
    old = list(load_builder("meld").samples(tmp_path))
    assert all(isinstance(item, Sample) for item in old)
    strip = [replace(item, source="") for item in old if isinstance(item, Sample)]
    assert strip == [replace(sample, source="") for sample in samples_of("meld")]


def test_meld_context_is_the_dialogue_so_far() -> None:
    by_id = {sample.id: sample for sample in samples_of("meld")}
    third = by_id["train/dia0_utt2"]
    assert [turn.speaker for turn in third.context] == ["Chandler", "The Interviewer"]
    assert third.context[1].text == by_id["train/dia0_utt1"].text == "You must’ve had your hands full."
    assert by_id["train/dia1_utt0"].context == ()
    assert max(len(sample.context) for sample in samples_of("meld")) > 20


# EMO-DB


def test_emodb_letters_are_german() -> None:
    for sample in samples_of("emodb"):
        letter = Path(sample.media[0].path).stem[5]
        german = {"W": "anger", "A": "fear", "E": "disgust", "L": "boredom", "F": "happiness", "T": "sadness"}
        assert sample.annotations[0].value == german.get(letter, "neutral")


def test_emodb_finds_every_recording_and_names_the_missing() -> None:
    on_disk = list((folder("emodb") / "wav").glob("*.wav"))
    assert len(samples_of("emodb")) == len(on_disk)
    assert len(on_disk) + reasons("emodb")["media_missing"] == 535
    assert sum(load_builder("emodb").CARD.counts.values()) == 535
    for split in ("train", "validation", "test"):
        sexes = {sample.attributes["sex"] for sample in samples_of("emodb") if sample.split == split}
        assert sexes == {"male", "female"}


def test_emodb_card_counts_are_those_of_the_release() -> None:
    split = load_builder("emodb").SPLIT  # type: ignore[attr-defined]
    released = [path.stem for path in (folder("emodb") / "silb").glob("*.silb")]
    if len(released) != 535:
        pytest.skip("not all syllable labels are there")
    assert Counter(split[name[:2]] for name in released) == load_builder("emodb").CARD.counts


def test_emodb_has_what_listeners_thought() -> None:
    sample = next(sample for sample in samples_of("emodb") if sample.id == "03a01Fa")
    assert (sample.attributes["recognised"], sample.attributes["naturalness"]) == ("90.00", "75.00")
    assert all(float(sample.attributes["recognised"]) >= 80 for sample in samples_of("emodb"))


# RAVDESS


def test_ravdess_splits_are_all_there_in_half_of_the_actors() -> None:
    assert len(samples_of("ravdess")) == len(list(folder("ravdess").rglob("*.wav")))
    for split in ("train", "validation", "test"):
        part = [sample for sample in samples_of("ravdess") if sample.split == split]
        assert {sample.attributes["sex"] for sample in part} == {"male", "female"}
        assert len({sample.annotations[0].value for sample in part}) == 8
    for sample in samples_of("ravdess"):
        assert (sample.annotations[0].value == "neutral") <= (sample.attributes["intensity"] == "normal")


# CREMA-D


def test_crema_d_votes_are_those_of_the_summary_table() -> None:
    by_id = {sample.id: sample for sample in samples_of("crema_d")}
    letters = {"A": "anger", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness"}
    columns = {"VoiceVote": "crowd_voice", "FaceVote": "crowd_face", "MultiModalVote": "crowd_both"}
    with (folder("crema_d") / "processedResults" / "summaryTable.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(by_id) == 7442
    ties = 0
    for row in rows:
        for column, rater in columns.items():
            vote = by_id[row["FileName"]].annotation("crema_d_6", rater)
            expected = tuple(letters[letter] for letter in row[column].split(":"))
            assert vote is not None and vote.value == (expected if len(expected) > 1 else expected[0])
            ties += vote.tied
    assert ties == sum(":" in row[column] for row in rows for column in columns) > 1000


def test_crema_d_keeps_every_count_and_level() -> None:
    total = 0.0
    for sample in samples_of("crema_d"):
        for rater, channel in (("crowd_voice", "voice"), ("crowd_face", "face"), ("crowd_both", "both")):
            votes = sample.annotation("crema_d_votes", rater)
            levels = sample.annotation("crema_d_level", rater)
            assert votes and levels and len(votes.value) == 6
            counts = dict(votes.value)  # type: ignore[arg-type]
            assert sum(counts.values()) == int(sample.attributes[f"{channel}_responses"])
            assert set(levels.value) == {emotion for emotion, count in counts.items() if count}
            total += sum(counts.values())
    assert total > 200_000


def test_crema_d_acted_and_perceived_emotion_are_two_answers() -> None:
    assert labels("crema_d", "crema_d_6", "actor")["neutral"] == 1087
    assert labels("crema_d", "crema_d_6", "crowd_both")["neutral"] == 1972


def test_crema_d_tasks_ask_every_clip_of_the_test_actors_without_a_tie() -> None:
    raters = {"acted": "actor", "voice": "crowd_voice", "face": "crowd_face", "both": "crowd_both"}
    for shown, rater in raters.items():
        votes = labels("crema_d", "crema_d_6", rater, "test")
        released = all_tasks()[f"crema_d_emotion_{shown}"].config["n"]
        assert sum(count for vote, count in votes.items() if isinstance(vote, str)) == released


def test_crema_d_takes_picture_and_best_sound() -> None:
    media = {sample.id: sample.media for sample in samples_of("crema_d") if sample.media}
    files = {path.stem for path in folder("crema_d").rglob("*") if re.fullmatch(r"\.(flv|wav|mp3)", path.suffix)}
    assert set(media) == files
    for name, refs in media.items():
        assert [ref.modality for ref in refs] == (["video", "audio"] if name.startswith("1001") else ["audio"])
        assert refs[0].sound == (refs[0].modality == "video") and refs[-1].path.endswith(".wav")
    assert reasons("crema_d")["media_missing"] == 7442 - len(files) - 4


# GoEmotions


def test_goemotions_has_every_comment_and_all_its_labels() -> None:
    assert Counter(sample.split for sample in samples_of("goemotions")) == load_builder("goemotions").CARD.counts
    several = Counter(sample.split for sample in samples_of("goemotions") if len(sample.annotations[0].value) > 1)
    assert several == {"train": 7102, "validation": 878, "test": 837}
    assert reasons("goemotions") == {}
    assert any(sample.text and sample.text.startswith('"') for sample in samples_of("goemotions")), "quotes are kept"


# EmpatheticDialogues


def test_empathetic_dialogues_are_turns_to_reply_to() -> None:
    samples = samples_of("empathetic_dialogues")
    assert len({sample.annotation("empathetic_dialogues_32", "speaker").value for sample in samples}) == 32  # type: ignore[union-attr]
    for sample in samples:
        assert len(sample.context) % 2 == 0, "the speaker begins, so an even number of turns precedes"
        assert "_comma_" not in f"{sample.text}{sample.context}{sample.annotations}{sample.attributes}"
    rows = list((folder("empathetic_dialogues") / "test.csv").read_text().splitlines())[1:]
    replies = [row for row in rows if int(row.split(",")[1]) % 2 == 0]
    assert len([sample for sample in samples if sample.split == "test"]) == len(replies)


# Audits


@pytest.mark.parametrize("name", ["meld", "emodb", "ravdess", "crema_d", "goemotions", "empathetic_dialogues"])
def test_the_audit_matches_the_card_or_names_each_difference(name: str) -> None:
    report = audit(name, folder(name))
    differences = "\n".join(report.differences)
    for split, promised in report.promised.items():
        assert (f"{split}: " in differences and f"promises {promised:,}" in differences) or report.counts[
            split
        ] == promised
    for reason, count in report.rejections.items():
        if reason not in ("known_defect", "no_reply"):
            assert f"{reason}: {count:,} " in differences
    assert report.ok == (name == "goemotions")


def test_the_audit_reads_sample_rates_of_real_recordings() -> None:
    rates = {wav_header(path)[0] for path in (folder("ravdess")).rglob("*.wav")}  # type: ignore[index]
    assert rates == {48_000}
    assert audit("ravdess", folder("ravdess")).media_problems == {}
