"""Bad input: each gets a clear error or a counted rejection with file and line, and costs nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.errors import Malformed, MissingCorpus

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123456\n"
HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
ROW = '{0},"Word {0}, “yes”.",Ross,joy,positive,0,{0},1,2,"00:00:0{0},000","00:00:0{0},900"'
ROWS = [ROW.format(number) for number in range(6)]


def read(name: str, root: Path) -> tuple[list[Sample], list[Rejection]]:
    items = list(load_builder(name).samples(root))
    samples = [item for item in items if isinstance(item, Sample)]
    return samples, [item for item in items if isinstance(item, Rejection) and item.reason != "file_missing"]


def meld(root: Path, rows: list[str], encoding: str = "utf-8", header: str = HEADER) -> Path:
    root.mkdir(exist_ok=True)
    (root / "train_sent_emo.csv").write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return root


def numbers(samples: list[Sample]) -> list[int]:
    return [int(sample.id.rpartition("utt")[2]) for sample in samples]


LOST = {
    "meld": {
        ("train/dia0_utt2", "media_missing"),
        ("train/dia125_utt3", "known_defect"),
        ("train/dia309_utt0", "known_defect"),
        ("train_splits/dia0_utt1.mp4", "no_annotation"),
        ("output_repeated_splits_test/final_videos_testdia0_utt0.mp4", "duplicate_file"),
    },
    "emodb": {("wav/14b10Xc.wav", "unknown_label"), ("14a05Tc", "media_missing")},
    "ravdess": {
        ("Actor_12/notes.mp4", "unknown_name"),
        ("Audio_Speech_Actors_01-24/audio_speech_actors_01-24/Actor_01/03-01-05-01-02-01-01.wav", "duplicate_file"),
        ("01-09-01-02-01-12", "unknown_label"),
    },
    "crema_d": {
        ("1004_TIE_SAD_HI", "lfs_pointer"),
        ("1076_MTI_SAD_XX", "known_defect"),
        ("1009_ITS_NEU_XX", "no_annotation"),
    },
    "goemotions": {("train.tsv:3", "broken_row"), ("eezlyga", "unknown_label")},
    "empathetic_dialogues": {
        ("empatheticdialogues/train.csv:6", "broken_row"),
        ("hit:1_conv:3", "unknown_label"),
        ("hit:3_conv:7", "no_reply"),
    },
    "demo_affect": {("validation_0000", "media_missing")},
}


@pytest.mark.parametrize("name", LOST)
def test_exactly_what_is_broken_in_a_miniature_is_rejected(name: str, tmp_path: Path) -> None:
    _, rejections = read(name, materialise(load_builder(name).MINIATURE, tmp_path))
    assert sorted((rejection.item, rejection.reason) for rejection in rejections) == sorted(LOST[name])


# Rows


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('2,"An unclosed quote,Ross,joy,positive,0,2,1,2,"00:00:02,000","00:00:02,900"', "broken_row"),
        ('2,"Cut off in the mid', "broken_row"),
        ("2,Too few,Ross", "broken_row"),
        ('2,Too,many,Ross,joy,positive,0,2,1,2,"00:00:02,000","00:00:02,900"', "broken_row"),
        ('2,Hi,Ross,joy,positive,zero,2,1,2,"00:00:02,000","00:00:02,900"', "broken_row"),
        ('2,Hi,Ross,joy,positive,0,1,1,2,"00:00:02,000","00:00:02,900"', "duplicate_id"),
    ],
)
def test_a_broken_row_costs_one_row(broken: str, reason: str, tmp_path: Path) -> None:
    samples, rejections = read("meld", meld(tmp_path, [*ROWS[:2], broken, *ROWS[3:]]))
    assert numbers(samples) == [0, 1, 3, 4, 5]
    assert [(rejection.reason, rejection.where) for rejection in rejections] == [(reason, "train_sent_emo.csv:4")]
    assert [turn.text for turn in samples[-1].context] == [f"Word {number}, “yes”." for number in (0, 1, 3, 4)]


def test_a_broken_last_row_and_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    samples, rejections = read("meld", meld(tmp_path, [*ROWS, '6,"The end']))
    assert numbers(samples) == [0, 1, 2, 3, 4, 5]
    assert [rejection.where for rejection in rejections] == ["train_sent_emo.csv:8"]


def test_line_breaks_in_quotes_are_one_record(tmp_path: Path) -> None:
    split = '2,"First line\nsecond ""line""",Ross,joy,positive,0,2,1,2,"00:00:02,000","00:00:02,900"'
    samples, rejections = read("meld", meld(tmp_path, [*ROWS[:2], split, *ROWS[3:]]))
    assert numbers(samples) == [0, 1, 2, 3, 4, 5] and not rejections
    assert samples[2].text == 'First line\nsecond "line"'
    assert (samples[2].source, samples[3].source) == ("train_sent_emo.csv:4", "train_sent_emo.csv:6")


def test_an_unknown_label_is_counted_and_the_other_answer_kept(tmp_path: Path) -> None:
    odd = ROWS[2].replace("joy", "happines")
    samples, rejections = read("meld", meld(tmp_path, [*ROWS[:2], odd, *ROWS[3:]]))
    assert numbers(samples) == [0, 1, 2, 3, 4, 5]
    assert [annotation.space for annotation in samples[2].annotations] == ["sentiment_3"]
    assert [(r.reason, r.where, "happines" in r.detail) for r in rejections] == [
        ("unknown_label", "train_sent_emo.csv:4", True)
    ]


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_same_words_come_from_every_encoding(encoding: str, tmp_path: Path) -> None:
    samples, rejections = read("meld", meld(tmp_path, ROWS, encoding))
    assert [sample.text for sample in samples] == [f"Word {number}, “yes”." for number in range(6)]
    assert not rejections


@pytest.mark.parametrize(
    "garbage",
    [b"\x81\x8d\xff\xfe", pytest.param("caf\u00e9 \u201c".encode()[:-1], id="utf-8 that reads as Windows-1252")],
)
def test_a_line_in_no_encoding_costs_one_line(garbage: bytes, tmp_path: Path) -> None:
    path = meld(tmp_path, ROWS) / "train_sent_emo.csv"
    lines = path.read_bytes().split(b"\n")
    lines[3] = lines[3].replace("“yes”".encode(), garbage)
    path.write_bytes(b"\n".join(lines))
    samples, rejections = read("meld", tmp_path)
    assert numbers(samples) == [0, 1, 3, 4, 5]
    assert [(r.reason, r.where) for r in rejections] == [("bad_encoding", "train_sent_emo.csv:4")]


def test_line_ends_of_windows_change_nothing(tmp_path: Path) -> None:
    unix, _ = read("meld", meld(tmp_path / "unix", ROWS))
    windows, _ = read("meld", meld(tmp_path / "windows", [row + "\r" for row in ROWS], header=HEADER + "\r"))
    assert unix == windows


# Files


@pytest.mark.parametrize("header", ["<!DOCTYPE html><html><head>", HEADER.replace("Emotion", "Label"), ""])
def test_a_table_that_is_another_is_named(header: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"train_sent_emo\.csv:1.*Emotion"):
        read("meld", meld(tmp_path, ROWS, header=header))


def test_a_table_that_is_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    (tmp_path / "train_sent_emo.csv").write_text(POINTER)
    with pytest.raises(Malformed, match=r"(?s)train_sent_emo\.csv.*LFS.*git lfs pull"):
        read("meld", tmp_path)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("meld", "dev_sent_emo.csv"),
        ("goemotions", "train.tsv"),
        ("goemotions", "emotions.txt"),
        ("empathetic_dialogues", "empatheticdialogues/train.csv"),
        ("crema_d", "processedResults/tabulatedVotes.csv"),
        ("crema_d", "VideoDemographics.csv"),
        ("crema_d", "SentenceFilenames.csv"),
    ],
)
def test_half_a_corpus_is_read_and_the_other_half_named(name: str, lost: str, tmp_path: Path) -> None:
    root = materialise(load_builder(name).MINIATURE, tmp_path)
    whole = {item.id for item in load_builder(name).samples(root) if isinstance(item, Sample)}
    (root / lost).unlink()
    items = list(load_builder(name).samples(root))
    named = [item for item in items if isinstance(item, Rejection) and item.reason == "file_missing"]
    assert [rejection.item for rejection in named] == [Path(lost).name]
    left = {item.id for item in items if isinstance(item, Sample)}
    assert left, "the rest is there"
    if lost in (
        "SentenceFilenames.csv",
        "processedResults/tabulatedVotes.csv",
        "VideoDemographics.csv",
        "emotions.txt",
    ):
        assert left >= whole - {"1004_TIE_SAD_HI"}, "a table of facts costs no clip that is on disk"


def test_media_without_tables_still_have_their_acted_emotion(tmp_path: Path) -> None:
    materialise({"AudioWAV/1001_DFA_ANG_XX.wav": Tone(), "AudioWAV/readme.wav": Tone()}, tmp_path)
    samples, _ = read("crema_d", tmp_path)
    assert [(sample.id, sample.annotations[0].value) for sample in samples] == [("1001_DFA_ANG_XX", "anger")]


def test_tables_without_media_are_no_seven_thousand_complaints(tmp_path: Path) -> None:
    mini = {path: text for path, text in load_builder("crema_d").MINIATURE.items() if path.endswith(".csv")}
    samples, rejections = read("crema_d", materialise(mini, tmp_path))
    assert len(samples) == 4 and {rejection.reason for rejection in rejections} == {"known_defect"}


def test_goemotions_with_other_label_names_is_refused(tmp_path: Path) -> None:
    root = materialise(load_builder("goemotions").MINIATURE, tmp_path)
    names = (root / "emotions.txt").read_text().splitlines()
    (root / "emotions.txt").write_text("\n".join(sorted(names)))
    with pytest.raises(Malformed, match=r"emotions\.txt"):
        read("goemotions", root)


def test_a_torn_conversation_loses_only_the_reply_to_the_torn_turn(tmp_path: Path) -> None:
    lines = [f"hit:0_conv:0,{number},sad,I lost.,{number % 2},Turn {number}.,5,\n" for number in range(1, 7)]
    lines[2] = "hit:0_conv:0,3,sad\n"
    header = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
    (tmp_path / "test.csv").write_text(header + "".join(lines) + lines[1])
    samples, rejections = read("empathetic_dialogues", tmp_path)
    assert [sample.id for sample in samples] == ["test/hit:0_conv:0/2", "test/hit:0_conv:0/6"]
    reasons = {(rejection.reason, rejection.where) for rejection in rejections}
    assert reasons == {("broken_row", "test.csv:4"), ("turn_missing", "test.csv:5"), ("duplicate_id", "test.csv:8")}


# Places


@pytest.mark.parametrize(
    ("name", "inner"),
    [("meld", "train_splits"), ("crema_d", "AudioWAV"), ("demo_affect", "clips"), ("goemotions", "empty")],
)
def test_a_root_one_level_too_low_is_explained(name: str, inner: str, tmp_path: Path) -> None:
    root = materialise(load_builder(name).MINIATURE, tmp_path / "corpus")
    (root / inner).mkdir(exist_ok=True)
    with pytest.raises(MissingCorpus) as caught:
        read(name, root / inner)
    assert f"--root {name}={root}" in str(caught.value)


def test_emodb_may_be_given_as_its_wav_folder(tmp_path: Path) -> None:
    root = materialise(load_builder("emodb").MINIATURE, tmp_path)
    assert [s.id for s in read("emodb", root / "wav")[0]] == [s.id for s in read("emodb", root)[0]]


@pytest.mark.parametrize(
    "layout",
    [
        ("train_splits", "dev_splits_complete", "output_repeated_splits_test"),
        ("train", "dev", "test"),
        ("MELD.Raw/train/train_splits", "MELD.Raw/dev/dev_splits_complete", "MELD.Raw/output_repeated_splits_test"),
    ],
)
def test_meld_clips_are_found_in_every_layout(layout: tuple[str, str, str], tmp_path: Path) -> None:
    root = materialise(load_builder("meld").MINIATURE, tmp_path / "plain")
    for old in ("train_splits", "output_repeated_splits_test"):
        shutil.rmtree(root / old)
    materialise({f"{folder}/dia0_utt0.mp4": Clip() for folder in layout}, root)
    samples, _ = read("meld", root)
    paths = {sample.split: sample.media[0].path for sample in samples if sample.media}
    assert paths == {
        split: f"{folder}/dia0_utt0.mp4" for split, folder in zip(("train", "validation", "test"), layout, strict=True)
    }


def test_a_nested_copy_is_not_counted_twice(tmp_path: Path) -> None:
    clip = "Actor_01/03-01-05-01-02-01-01.wav"
    materialise({clip: Tone(), f"audio_speech_actors_01-24/{clip}": Tone()}, tmp_path)
    samples, rejections = read("ravdess", tmp_path)
    assert len(samples) == 1 and samples[0].media[0].path == clip
    assert [(r.reason, r.item) for r in rejections] == [("duplicate_file", f"audio_speech_actors_01-24/{clip}")]


@pytest.mark.parametrize("path", ["../secret.mp4", "/etc/passwd", "clips/../../secret.mp4", "C:\\secret.mp4"])
def test_a_path_that_leaves_the_corpus_is_refused(path: str, tmp_path: Path) -> None:
    root = materialise(load_builder("demo_affect").MINIATURE, tmp_path / "corpus")
    (tmp_path / "secret.mp4").write_bytes(b"not for you")
    table = root / "labels.csv"
    table.write_text(table.read_text().replace("clips/train_0000.mp4", path))
    samples, rejections = read("demo_affect", root)
    assert "unsafe_path" in {rejection.reason for rejection in rejections}
    assert len(samples) == 3 and all(not ref.path.startswith((".", "/")) for s in samples for ref in s.media)


@pytest.mark.parametrize("name", ["../../1001_DFA_ANG_XX", "1001_DFA_ANG_XX/../x", "1001_DFA_XXX_XX"])
def test_a_clip_name_that_is_none_is_rejected(name: str, tmp_path: Path) -> None:
    (tmp_path / "SentenceFilenames.csv").write_text(f'"Stimulus_Number","Filename"\n1,"{name}"\n2,"1001_DFA_SAD_XX"\n')
    samples, rejections = read("crema_d", tmp_path)
    assert [sample.id for sample in samples] == ["1001_DFA_SAD_XX"]
    assert rejections[0].item == name and rejections[0].where == "SentenceFilenames.csv:2"


def test_the_order_of_the_disk_changes_nothing(tmp_path: Path) -> None:
    names = [
        f"{speaker}{text}N{version}" for speaker in ("16", "03", "10") for text in ("b10", "a01") for version in "cab"
    ]
    materialise({f"wav/{name}.wav": b"" for name in names}, tmp_path)
    assert [sample.id for sample in read("emodb", tmp_path)[0]] == sorted(names)


# Clips


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("emodb", "wav/09a02Nb.wav"),
        ("meld", "output_repeated_splits_test/dia0_utt0.mp4"),
        ("crema_d", "AudioWAV/1009_ITS_NEU_XX.wav"),
        ("ravdess", "Audio_Song_Actors_01-24/Actor_09/03-02-02-01-01-02-09.wav"),
    ],
)
def test_a_clip_that_is_a_git_lfs_pointer_is_never_taken_for_one(name: str, clip: str, tmp_path: Path) -> None:
    root = materialise(load_builder(name).MINIATURE, tmp_path)
    (root / clip).write_text(POINTER)
    samples, rejections = read(name, root)
    assert clip not in {ref.path for sample in samples for ref in sample.media}
    if name != "crema_d":  # there the clip is in no table, so there is nothing to reject
        assert "lfs_pointer" in {rejection.reason for rejection in rejections}
    else:
        assert ("1004_TIE_SAD_HI", "lfs_pointer") in {(rejection.item, rejection.reason) for rejection in rejections}


def test_meld_clips_last_as_long_as_their_row_says(tmp_path: Path) -> None:
    rows = [
        '1,Long,Ross,joy,positive,0,0,1,2,"00:00:01,000","00:00:04,250"',
        '2,Backwards,Ross,joy,positive,0,1,1,2,"00:00:09,000","00:00:01,000"',
        '3,Blink,Ross,joy,positive,0,2,1,2,"0:0:1,000","0:0:1,006"',
        "4,Unknown,Ross,joy,positive,0,3,1,2,soon,later",
    ]
    materialise({f"train_splits/dia0_utt{number}.mp4": b"clip" for number in range(4)}, meld(tmp_path, rows))
    samples, _ = read("meld", tmp_path)
    assert [sample.media[0].end for sample in samples] == [3.25, None, 0.5, None]
    assert all(sample.media[0].start is None and sample.media[0].sound for sample in samples)


@pytest.mark.parametrize("name", ["goemotions", "empathetic_dialogues", "demo_affect"])
def test_files_of_another_corpus_with_the_same_names_are_not_taken(name: str, tmp_path: Path) -> None:
    materialise(
        {f"a/{file}": "id,label\n1,joy\n" for file in ("train.tsv", "train.csv", "test.csv", "labels.csv")}, tmp_path
    )
    with pytest.raises(MissingCorpus):
        read(name, tmp_path)
    materialise(load_builder(name).MINIATURE, tmp_path / "b")
    assert read(name, tmp_path)[0]
