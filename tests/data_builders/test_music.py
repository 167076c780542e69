"""Corpora of music: rows of any length, blanks and tabs in odd places, scales, traces; and real files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.audit import audit
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise

REAL = Path(os.environ.get("AFFECTLLM_CORPORA", "/nowhere"))


def read(name: str, root: Path) -> tuple[dict[str, Sample], list[tuple[str, str]]]:
    items = list(load_builder(name).samples(root))
    samples = {item.id: item for item in items if isinstance(item, Sample)}
    return samples, [(item.item, item.reason) for item in items if isinstance(item, Rejection)]


def miniature(name: str, root: Path) -> Path:
    return materialise(load_builder(name).MINIATURE, root)


@pytest.mark.skipif(not (REAL / "mtg_jamendo").is_dir(), reason="the real files are not there")
def test_mtg_jamendo_has_the_published_counts_and_all_its_tags() -> None:
    report = audit("mtg_jamendo", REAL / "mtg_jamendo")
    assert report.counts == {"train": 9949, "validation": 3802, "test": 4231}
    assert report.rejections == {"not_in_split": 504}
    assert report.differences == ["no clip of any modality is on disk, only text"]
    tags = report.labels["mtg_jamendo_59 by uploader"]
    assert all(len(counts) == 59 for counts in tags.values())
    # A tag of the published table, over the tracks of the split.
    assert sum(counts["happy"] for counts in report.labels["mtg_jamendo_56 by uploader"].values()) == 1657


def test_mtg_jamendo_reads_every_tag_column_and_the_other_folds(tmp_path: Path) -> None:
    samples, _ = read("mtg_jamendo", miniature("mtg_jamendo", tmp_path))
    one, two = samples["track_0000011"], samples["track_0000012"]
    assert [(a.space, a.value) for a in one.annotations] == [
        ("mtg_jamendo_56", ("happy",)),
        ("mtg_jamendo_59", ("happy", "mellow")),
    ]
    assert two.annotations[0].value == ("sad", "slow")
    assert (one.split, one.attributes["fold_0"], one.attributes["fold_1"]) == ("train", "train", "test")
    assert [ref.path for ref in (*one.media, *two.media)] == ["audio/11/11.mp3", "audio/12/12.low.mp3"]


def test_deam_columns_with_blanks_and_traces_of_any_length(tmp_path: Path) -> None:
    samples, _ = read("deam", miniature("deam", tmp_path))
    song = samples["2"]
    assert next((a.space, a.value) for a in song.annotations) == ("deam_va", {"valence": 3.1, "arousal": 3.0})
    means = song.annotations[1].value
    assert isinstance(means, dict) and means == {"valence": pytest.approx(0.15), "arousal": -0.5}
    assert song.attributes["valence_std"] == "0.94"
    assert samples["2001"].attributes["valence_trace"] == "-0.1 - 0.3"
    assert samples["2001"].split == "test" and {s.split for s in samples.values() if s.id != "2001"} >= {"train"}


def test_deam_in_folders_with_underscores(tmp_path: Path) -> None:
    files = {path.replace(" ", "_"): content for path, content in load_builder("deam").MINIATURE.items()}
    spaced = read("deam", miniature("deam", tmp_path / "a"))[0]
    plain = read("deam", materialise(files, tmp_path / "b"))[0]
    assert list(spaced) == list(plain) and len(plain["2"].annotations) == 2


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("musicId,Arousal(mean),Valence(mean)\n1,0.25,0.5\n", {"valence": 0.5, "arousal": 0.25}),
        ("song_id,valence_mean,arousal_mean\n1,5.0,3.0\n", {"valence": 0.5, "arousal": 0.25}),
        ("song_id,valence_mean,arousal_mean\n1,1.0,9.0\n", {"valence": 0.0, "arousal": 1.0}),
    ],
)
def test_pmemo_is_put_on_one_scale(table: str, expected: dict[str, float], tmp_path: Path) -> None:
    root = miniature("pmemo", tmp_path)
    (root / "annotations/static_annotations.csv").write_text(table)
    samples, _ = read("pmemo", root)
    assert samples["1"].annotations[0].value == expected


def test_pmemo_has_words_traces_and_artists(tmp_path: Path) -> None:
    samples, _ = read("pmemo", miniature("pmemo", tmp_path))
    song = samples["1"]
    assert (song.text, song.speaker, song.attributes["title"]) == ("Hello\nWorld", "Ann Example", "One, Two")
    assert song.attributes["arousal_trace"] == "0.3 0.4" and song.attributes["valence_std"] == "0.2"


def test_emomusic_strips_the_tabs_inside_its_quotes(tmp_path: Path) -> None:
    samples, rejections = read("emomusic", miniature("emomusic", tmp_path))
    assert {identifier: sample.split for identifier, sample in samples.items()} == {"2": "train", "3": "test"}
    assert samples["2"].attributes["title"] == "A Song, Slowly" and samples["2"].attributes["artist"] == "Ann Example"
    assert ("5", "not_in_split") in rejections
    assert samples["2"].annotations[1].value == {"valence": 0.2, "arousal": -0.5}


def test_songs_info_of_somebody_else_is_not_emomusic(tmp_path: Path) -> None:
    from affectllm.errors import MissingCorpus

    (tmp_path / "songs_info.csv").write_text("song_id,title\n1,Mine\n")
    with pytest.raises(MissingCorpus):
        read("emomusic", tmp_path)


def test_a_song_that_is_a_link_out_of_the_corpus_is_refused(tmp_path: Path) -> None:
    root = miniature("deam", tmp_path / "corpus")
    (tmp_path / "secret.mp3").write_bytes(b"not for you")
    (root / "MEMD_audio/2.mp3").unlink()
    (root / "MEMD_audio/2.mp3").symlink_to(tmp_path / "secret.mp3")
    samples, rejections = read("deam", root)
    assert ("2", "unsafe_path") in rejections and not samples["2"].media
