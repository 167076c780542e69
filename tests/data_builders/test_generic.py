"""One's own data: every kind of table, pages that are wrong by file and line, paths that leave the folder, splits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from affectllm.data_builders.generic.generic import described

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.corpus.splits import shared_speakers
from affectllm.errors import AffectError, Malformed, NotFound

PAGE: dict[str, Any] = {
    "name": "mine",
    "table": "rows.csv",
    "raters": {"crowd": "three friends"},
    "spaces": {"mood": {"kind": "category", "names": ["calm", "tense"], "aliases": {"relaxed": "calm"}}},
    "labels": [{"space": "mood", "rater": "crowd", "column": "mood"}],
}


def own(root: Path, page: dict[str, Any], files: dict[str, Any]) -> tuple[list[Sample], list[tuple[str, str]]]:
    materialise({"affectllm.yaml": json.dumps(page, indent=1), **files}, root)
    items = list(described(root)[1](root))
    samples = [item for item in items if isinstance(item, Sample)]
    return samples, [(item.item, item.reason) for item in items if isinstance(item, Rejection)]


def changed(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**PAGE, **changes}.items() if value is not None}


ROWS = [{"id": "a", "words": "Good, you.", "mood": "Calm"}, {"id": "b", "words": "No.", "mood": "relaxed"}]


def parquet() -> bytes:
    import io

    import pyarrow as pa
    from pyarrow import parquet as pq

    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "separator"),
    [
        ("rows.csv", 'id,words,mood\na,"Good, you.",Calm\nb,No.,relaxed\n', None),
        ("rows.tsv", "id\twords\tmood\na\tGood, you.\tCalm\r\nb\tNo.\trelaxed\r\n", None),
        ("rows.csv", "id;words;mood\na;Good, you.;Calm\nb;No.;relaxed\n", ";"),
        ("rows.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS), None),
        ("rows.json", json.dumps(ROWS), None),
        ("rows.parquet", parquet, None),
    ],
)
def test_the_same_samples_come_from_every_kind_of_table(
    name: str, content: Any, separator: str | None, tmp_path: Path
) -> None:
    page = changed(table=name, separator=separator, columns={"id": "id", "text": "words"})
    samples, rejections = own(tmp_path, page, {name: content})
    assert [(s.id, s.text, s.annotations[0].value) for s in samples] == [
        ("a", "Good, you.", "calm"),
        ("b", "No.", "calm"),
    ]
    assert {sample.corpus for sample in samples} == {"mine"} and not rejections


def test_class_folders_with_and_without_splits(tmp_path: Path) -> None:
    labels = [{"space": "mood", "rater": "crowd", "column": "class"}]
    media = [{"column": "path", "modality": "audio"}]
    page = changed(table=None, folder="clips", labels=labels, media=media)
    plain = {"clips/calm/1.wav": Tone(), "clips/tense/2.wav": Tone(), "clips/tense/._2.wav": b"", "clips/3.wav": Tone()}
    samples, rejections = own(tmp_path / "a", page, plain)
    assert [(s.id, s.media[0].path) for s in samples] == [
        (f"clips/{n}", f"clips/{n}") for n in ("calm/1.wav", "tense/2.wav")
    ]
    assert rejections == [("clips/3.wav", "no_annotation")]
    split = {"clips/train/calm/1.wav": Tone(), "clips/test/tense/2.wav": Tone(), "clips/test/rage/3.wav": Tone()}
    samples, rejections = own(tmp_path / "b", {**page, "columns": {"split": "split"}}, split)
    assert {(s.id, s.split) for s in samples} == {
        ("clips/train/calm/1.wav", "train"),
        ("clips/test/tense/2.wav", "test"),
    }
    assert ("clips/test/rage/3.wav", "unknown_label") in rejections


def test_every_kind_of_answer(tmp_path: Path) -> None:
    spaces = {
        "tags": {"kind": "set", "names": ["joy", "fear", "awe"]},
        "flags": {"kind": "set", "names": ["joy", "fear"]},
        "va": {"kind": "dimension", "names": ["valence", "arousal"], "bounds": [1, 9]},
        "votes": {"kind": "distribution", "names": ["joy", "fear"]},
        "why": {"kind": "open"},
    }
    labels = [
        {"space": "tags", "rater": "crowd", "column": "tags", "separator": "|"},
        {"space": "flags", "rater": "crowd", "columns": {"joy": "is_joy", "fear": "is_fear"}},
        {"space": "va", "rater": "crowd", "columns": {"valence": "v", "arousal": "a"}},
        {"space": "votes", "rater": "crowd", "column": "votes"},
        {"space": "why", "rater": "crowd", "column": "why"},
    ]
    head = "tags,is_joy,is_fear,v,a,votes,why\n"
    rows = 'awe|happy,1,0,2,7.5,"{""joy"": 2, ""fear"": 1}",Because.\nrage,0,0,12,1,oops,\n,,,,,,\n'
    samples, rejections = own(tmp_path, changed(spaces=spaces, labels=labels), {"rows.csv": head + rows})
    assert {annotation.space: annotation.value for annotation in samples[0].annotations} == {
        "tags": ("joy", "awe"),
        "flags": ("joy",),
        "va": {"valence": 2.0, "arousal": 7.5},
        "votes": {"joy": 2.0, "fear": 1.0},
        "why": "Because.",
    }
    assert [annotation.space for annotation in samples[1].annotations] == ["flags"]
    assert [reason for _, reason in rejections] == ["unknown_label"] * 3 + ["no_annotation"]


def test_dialogues_have_context_and_clips_have_spans(tmp_path: Path) -> None:
    page = changed(
        columns={"id": "id", "text": "words", "speaker": "who", "dialogue": "call", "language": "lang"},
        media=[{"column": "file", "modality": "video", "folder": "av", "sound": True, "start": "from", "end": "to"}],
        attributes=["room"],
    )
    table = (
        "id,words,who,call,lang,file,from,to,room,mood\n1,Hi.,Ann,c,de,x.mp4,0.5,2,7,calm\n2,No!,Ben,c,de,,,,,tense\n"
    )
    samples, _ = own(tmp_path, page, {"rows.csv": table, "av/x.mp4": Clip()})
    ref = samples[0].media[0]
    assert (ref.path, ref.start, ref.end, ref.sound) == ("av/x.mp4", 0.5, 2.0, True)
    assert [(turn.speaker, turn.text) for turn in samples[1].context] == [("Ann", "Hi.")]
    assert samples[0].attributes == {"room": "7"} and samples[0].language == "de"
    assert samples[0].split == samples[1].split or samples[0].speaker != samples[1].speaker


@pytest.mark.parametrize("by", ["speaker", "dialogue", "id"])
def test_the_split_keeps_together_what_it_is_by(by: str, tmp_path: Path) -> None:
    rows = "".join(f"{row},{row % 30},{row % 40},calm\n" for row in range(600))
    page = changed(columns={"id": "id", "speaker": "who", "dialogue": "call"}, split_by=by)
    samples, _ = own(tmp_path, page, {"rows.csv": "id,who,call,mood\n" + rows})
    keys = {(getattr(sample, by), sample.split) for sample in samples}
    assert len(keys) == len({key for key, _ in keys}) and {split for _, split in keys} == {
        "train",
        "validation",
        "test",
    }
    assert bool(shared_speakers(samples)) == (by != "speaker")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../secret.wav", "unsafe_path"),
        ("/etc/passwd", "unsafe_path"),
        ("C:\\secret.wav", "unsafe_path"),
        ("wav/link.wav", "unsafe_path"),
        ("wav/absent.wav", "media_missing"),
    ],
)
def test_paths_that_leave_the_folder_are_refused(path: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"not for you")
    (tmp_path / "mine/wav").mkdir(parents=True)
    (tmp_path / "mine/wav/link.wav").symlink_to(tmp_path / "secret.wav")
    page = changed(columns={"id": "id"}, media=[{"column": "file", "modality": "audio"}])
    samples, rejections = own(tmp_path / "mine", page, {"rows.csv": f"id,file,mood\na,{path},calm\n"})
    assert rejections == [(path, reason)] and not samples[0].media


@pytest.mark.parametrize("table", ["../rows.csv", "/etc/passwd", "link.csv"])
def test_a_table_outside_the_folder_is_refused(table: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("mood\ncalm\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/link.csv").symlink_to(tmp_path / "rows.csv")
    with pytest.raises(Malformed, match=r"affectllm\.yaml.*outside"):
        own(tmp_path / "mine", changed(table=table), {})


GOOD = """name: mine
table: rows.csv
raters: {crowd: friends}
spaces:
  mood: {kind: category, names: [calm, tense]}
labels:
  - {space: mood, rater: crowd, column: mood}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("table: rows.csv", "tabel: rows.csv", 2, "unknown key 'tabel'"),
        ("table: rows.csv", "table: rows.csv\nfolder: clips", 1, "not both"),
        ("name: mine", "title: Mine", 1, "missing: name"),
        ("name: mine", "name: mine\nname: yours", 2, "twice"),
        ("kind: category", "kind: choice", 5, "'choice' is none of"),
        ("names: [calm, tense]", "names: [calm, calm]", 5, "twice"),
        (", names: [calm, tense]", "", 5, "needs names"),
        ("space: mood", "space: moods", 7, "no space is called 'moods'"),
        ("rater: crowd", "rater: me", 7, "not under raters"),
        ("column: mood", "colum: mood", 7, "unknown key 'colum'"),
        (", column: mood", "", 7, "either column or columns"),
        ("crowd: friends", "crowd: friends}}", 3, "not YAML"),
        ("labels:\n", "split_by: film\nlabels:\n", 6, "'film' is none of"),
        ("labels:\n", "splits: {train: [a]}\nlabels:\n", 6, "name it under columns"),
        ("labels:\n", "counts: {training: 3}\nlabels:\n", 6, "unknown key 'training'"),
        ("labels:\n", "licence: {commercial: maybe}\nlabels:\n", 6, "'maybe' is none of"),
        ("labels:\n", "media: [{column: f, modality: smell}]\nlabels:\n", 6, "'smell' is none of"),
    ],
)
def test_a_page_that_is_wrong_is_named_by_its_line(old: str, new: str, line: int, said: str, tmp_path: Path) -> None:
    assert old in GOOD
    (tmp_path / "affectllm.yaml").write_text(GOOD.replace(old, new, 1))
    (tmp_path / "rows.csv").write_text("mood\ncalm\n")
    with pytest.raises(Malformed) as caught:
        list(described(tmp_path)[1](tmp_path))
    assert f"affectllm.yaml:{line}:" in str(caught.value) and said in str(caught.value)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"(?s)rows\.csv has no column who.*mood"):
        own(tmp_path, changed(columns={"speaker": "who"}), {"rows.csv": "mood\ncalm\n"})


def test_a_table_that_is_not_there_or_unknown_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"rows\.csv"):
        own(tmp_path, PAGE, {})
    with pytest.raises(Malformed, match="xyz"):
        own(tmp_path, changed(table="rows.xyz"), {"rows.xyz": "x"})


def test_generic_itself_has_the_spaces_of_its_card_only(tmp_path: Path) -> None:
    own(tmp_path, PAGE, {"rows.csv": "mood\ncalm\n"})
    with pytest.raises(AffectError, match=r"(?s)mood is not on the card.*described"):
        list(load_builder("generic").samples(tmp_path))


def test_a_builder_of_ones_own_has_a_card(tmp_path: Path) -> None:
    licence = {"name": "CC-BY-4.0", "access": "open", "redistribution": True, "commercial": False}
    page = changed(licence=licence, counts={"train": 1}, url="https://example.org", language="ja")
    own(tmp_path, page, {"rows.csv": "mood\ncalm\n"})
    card, _, miniature = described(tmp_path)
    assert (card.name, card.licence, card.access, card.redistribution) == ("mine", "CC-BY-4.0", "open", True)
    assert [space.name for space in card.spaces] == ["mood"] and card.counts == {"train": 1} and not miniature
    assert card.languages == ("ja",) and dict(card.raters) == {"crowd": "three friends"}


@pytest.mark.parametrize("content", ["", "id,mood\n", "\n \n"])
def test_a_table_without_rows_is_no_corpus(content: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"rows\.csv has no rows"):
        own(tmp_path, PAGE, {"rows.csv": content})


def test_a_folder_without_clips_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "clips/calm").mkdir(parents=True)
    with pytest.raises(Malformed, match="clips has no clips"):
        own(tmp_path, {**changed(table=None), "folder": "clips"}, {})


def test_options_and_passages_of_a_table(tmp_path: Path) -> None:
    page = changed(
        columns={"id": "id", "text": "words"},
        spaces={"best": {"kind": "options"}, "fitting": {"kind": "options", "several": True}, "why": {"kind": "spans"}},
        labels=[
            {"space": "best", "rater": "crowd", "columns": {"options": "choices", "right": "answer"}, "separator": "|"},
            {"space": "fitting", "rater": "crowd", "column": "both"},
            {"space": "why", "rater": "crowd", "column": "cause"},
        ],
        table="rows.jsonl",
    )
    rows = [
        {
            "id": "a",
            "words": "Hm.",
            "choices": "Wait|Go home",
            "answer": "B",
            "both": None,
            "cause": [{"turn": 1, "span": "Hm"}],
        },
        {"id": "b", "words": "So.", "choices": ["Wait", "Run"], "answer": "Run", "cause": '[{"turn": "background"}]'},
        {"id": "c", "words": "No.", "both": {"options": ["Wait", "Run", "Call"], "right": ["Call", "A"]}},
        {"id": "d", "words": "Eh.", "choices": "Wait|Go", "answer": "Fly", "cause": [{"turn": 1, "span": "Eh"}]},
        {"id": "e", "words": "Oh.", "choices": "Wait|Go", "answer": "Go", "cause": [{"turn": "later"}]},
    ]
    samples, rejected = own(tmp_path, page, {"rows.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    answers = {sample.id: {a.space: a.value for a in sample.annotations} for sample in samples}
    assert answers["a"] == {
        "best": {"options": ("Wait", "Go home"), "right": ("Go home",)},
        "why": ({"turn": 1, "span": "Hm"},),
    }
    assert answers["b"]["best"] == {"options": ("Wait", "Run"), "right": ("Run",)}
    assert answers["b"]["why"] == ({"turn": "background"},)
    assert answers["c"] == {"fitting": {"options": ("Wait", "Run", "Call"), "right": ("Call", "Wait")}}
    assert sorted(rejected) == [("d", "unknown_label"), ("e", "unknown_label")]


# ── several raters ───────────────────────────────────────────────────────────────────────────────────────────────────

RATERS = ("ana", "ben", "cleo")
RATED = {
    "spaces": {
        **PAGE["spaces"],
        "va": {"kind": "dimension", "names": ["valence"], "bounds": [1, 5]},
    },
    "raters": {**dict.fromkeys(RATERS, "a friend"), "crowd": "the three friends"},
    "labels": [
        *({"space": "mood", "rater": name, "column": name} for name in RATERS),
        *({"space": "va", "rater": name, "columns": {"valence": f"{name}_v"}} for name in RATERS[:2]),
    ],
    "panels": [
        {"space": "mood", "rater": "crowd", "rule": "majority", "of": list(RATERS)},
        {"space": "va", "rater": "crowd", "rule": "mean", "of": list(RATERS[:2])},
    ],
}
_RATED_ROWS = "ana,ben,cleo,ana_v,ben_v\ncalm,calm,tense,1,4\ncalm,tense,,2,\n,,relaxed,,\n"


def test_several_raters_are_kept_and_their_rule_makes_the_answer_that_stands_for_them(tmp_path: Path) -> None:
    samples, rejected = own(tmp_path, changed(**RATED), {"rows.csv": _RATED_ROWS})
    answers = [{one.rater: one.value for one in sample.annotations if one.space == "mood"} for sample in samples]
    assert answers == [
        {"ana": "calm", "ben": "calm", "cleo": "tense", "crowd": "calm"},
        {"ana": "calm", "ben": "tense", "crowd": ("calm", "tense")},
        {"cleo": "calm", "crowd": "calm"},
    ]
    means = [sample.annotation("va", "crowd") for sample in samples]
    assert [one and one.value for one in means] == [{"valence": 2.5}, {"valence": 2.0}, None] and not rejected
    assert [panel.rater for panel in described(tmp_path)[0].panels] == ["crowd", "crowd"]


def test_an_answer_of_the_table_itself_is_not_replaced_by_the_rule(tmp_path: Path) -> None:
    labels = [*RATED["labels"], {"space": "mood", "rater": "crowd", "column": "all"}]
    rows = "ana,ben,cleo,ana_v,ben_v,all\ncalm,calm,tense,,,tense\n"
    (sample,), _ = own(tmp_path, changed(**{**RATED, "labels": labels}), {"rows.csv": rows})
    answer = sample.annotation("mood", "crowd")
    assert answer is not None and answer.value == "tense"


@pytest.mark.parametrize(
    ("panel", "message"),
    [
        ({"of": ["ana", "dora"]}, "dora: no labels"),
        ({"of": ["ana"]}, "two raters"),
        ({"rater": "nobody"}, "under raters"),
        ({"rule": "mean"}, "of the kind dimension"),
        ({"rule": "best"}, "none of majority"),
    ],
)
def test_a_panel_that_cannot_be_is_named_by_its_line(tmp_path: Path, panel: dict[str, Any], message: str) -> None:
    wrong = {**RATED, "panels": [{**RATED["panels"][0], **panel}]}
    with pytest.raises(Malformed, match=message) as caught:
        own(tmp_path, changed(**wrong), {"rows.csv": _RATED_ROWS})
    assert caught.value.where and "affectllm.yaml:" in caught.value.where
