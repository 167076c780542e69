"""Caps, dropout, pairs, temperature, order, duplicates, filters, pages and restarts of mixtures."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from affectllm.cli import main
from affectllm.corpus import shards
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.store import read_rows
from affectllm.errors import AffectError, BadRecipe, Malformed
from affectllm.instruct import blocks, conversations
from affectllm.instruct.build import build
from affectllm.instruct.conversations import conversation_files
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_page import load_mixture
from affectllm.instruct.mixture_part import Pairs, Part

BUILDER = '''"""A corpus of one test: words, a clip, a class, a number, a language."""
from affectllm.corpus import CorpusCard, MediaRef, Sample
from affectllm.labels import Annotation, LabelSpace

CLASS = LabelSpace("c_3", "category", ("joy", "anger", "fear"), source="made up")
NUMBER = LabelSpace("n_1", "dimension", ("valence",), source="made up", bounds=(0.0, 100.0))
CARD = CorpusCard(
    name="@NAME@", title="Toy", citation="nobody", url="", obtain="made by the test", licence="CC0-1.0", access="open",
    redistribution=True, commercial=@COMMERCIAL@, languages=("en", "zh"), modalities=("text", "audio"),
    spaces=(CLASS, NUMBER), raters={"r": "one rater"}, counts={"train": @ROWS@}, split_policy="made up",
)
MINIATURE = {"here.txt": "yes"}


def samples(root):
    for number in range(@ROWS@):
        yield Sample(
            id=f"s{number}", corpus="@NAME@", split="train", source=f"here.txt:{number + 1}",
            annotations=(
                Annotation("c_3", "r", ("joy", "joy", "anger", "fear")[number % 4]),
                Annotation("n_1", "r", {"valence": float(number % 100)}),
            ),
            text=@TEXT@, language="zh" if number % 5 == 0 else "en", speaker=f"p{number % 10}", media=@MEDIA@,
        )
'''
UNLIKE = '" ".join(f"w{(number * 7 + k * k) % 997}x{number}" for k in range(12))'


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "own"))

    def add(name: str, rows: int = 200, text: str = UNLIKE, media: str = "()", commercial: bool = True) -> Path:
        written = BUILDER.replace("@NAME@", name).replace("@ROWS@", str(rows)).replace("@TEXT@", text)
        written = written.replace("@MEDIA@", media).replace("@COMMERCIAL@", str(commercial))
        place = tmp_path / "own" / "data_builders" / f"{name}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(written, encoding="utf-8")
        root = tmp_path / "roots" / name
        root.mkdir(parents=True)
        (root / "here.txt").write_text("yes", encoding="utf-8")
        return root

    return add


def part(corpus: str = "one", **options: Any) -> Part:
    options = {"template": "emotion_choice", "space": "c_3", "rater": "r", "modalities": ("text",), **options}
    return Part(corpus, **options)


class Built:
    """A build and its training rows."""

    def __init__(self, out: Path, roots: dict[str, Path], *parts: Part, seed: int = 0, **options: Any) -> None:
        self.out = out
        self.counts = build(Mixture(parts, None, **options), roots, out, seed)
        self.rows = [row for file in conversation_files(out, "train") for row in read_rows(file)]
        self.rejected = [json.loads(line) for line in (out / "rejected.jsonl").read_text("utf-8").splitlines()]


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return hashlib.sha256(b"".join(str(p.relative_to(folder)).encode() + p.read_bytes() for p in files)).hexdigest()


def test_caps_bound_every_class_and_every_speaker(corpora, tmp_path: Path) -> None:
    roots = {"one": corpora("one")}
    by_class = Built(tmp_path / "a", roots, part(cap_per_class=20))
    assert Counter(row["value"] for row in by_class.rows) == {"joy": 20, "anger": 20, "fear": 20}
    by_speaker = Built(tmp_path / "b", roots, part(cap_per_speaker=7))
    assert set(Counter(row["speaker"] for row in by_speaker.rows).values()) == {7}
    assert by_speaker.counts["rejected"] == {"over_cap": 130} == dict(Counter(r["reason"] for r in by_speaker.rejected))


def test_dropout_leaves_out_modalities_but_never_all(corpora, tmp_path: Path) -> None:
    root = corpora("one", rows=400, media='(MediaRef("a.wav", "audio"),)')
    rows = Built(tmp_path / "a", {"one": root}, part(modalities=("audio", "text"), dropout=0.4)).rows
    counts = Counter((heard(row), question(row).startswith(("What is said:", "The text:"))) for row in rows)
    assert len(rows) == 400 and counts[(False, False)] == 0
    assert all(counts[key] > 40 for key in ((True, True), (True, False), (False, True)))
    assert all(map(heard, Built(tmp_path / "b", {"one": root}, part(modalities=("audio", "text"))).rows))


def heard(row: dict[str, Any]) -> bool:
    return any(part["type"] == "audio" for part in row["messages"][0]["content"])


def question(row: dict[str, Any]) -> str:
    return str(row["messages"][0]["content"][-1]["text"])


def test_pairs_are_compared_and_the_answer_is_the_larger_one(corpora, tmp_path: Path) -> None:
    text = '"value " + str(number % 100) + " of it"'
    one = part(template="comparison", space="n_1", pairs=Pairs("valence", 10.0))
    result = Built(tmp_path / "a", {"one": corpora("one", text=text)}, one)
    assert len(result.rows) > 90
    for row in result.rows:
        text_asked = question(row)
        first, second = (float(text_asked.split(f"{letter}: value ")[1].split()[0]) for letter in ("First", "Second"))
        assert row["value"] == ("first" if first > second else "second") and abs(first - second) >= 10
        assert "valence" in text_asked
    assert Counter(row["value"] for row in result.rows).keys() == {"first", "second"}
    asked = {half for row in result.rows for half in row["sample"].split("|")}
    logged = {record["item"] for record in result.rejected}
    assert asked | logged == {f"s{n}" for n in range(200)}, "nothing vanishes"


def test_a_temperature_brings_sizes_nearer_and_keeps_the_whole(corpora, tmp_path: Path) -> None:
    roots = {"one": corpora("one", rows=1600), "two": corpora("two", rows=100, text='f"other {number} " * 3')}
    rows = Built(tmp_path / "a", roots, part(), part("two"), temperature=2.0).rows
    count = Counter(row["corpus"] for row in rows)
    # 40 : 10 of 1,700
    assert abs(count["one"] - 1360) < 80 and abs(count["two"] - 340) < 20


@pytest.mark.parametrize("order", ["shuffled", "short_first", "stages"])
def test_orders_hold_every_row_once(corpora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Any) -> None:
    monkeypatch.setattr(conversations, "ROWS_PER_FILE", 150)
    roots = {"one": corpora("one", text='"word " * (1 + number % 50)')}
    parts = (part(stage=1), part(template="emotion_word", stage=0))
    unordered = Built(tmp_path / "a", roots, *parts).rows
    ordered = Built(tmp_path / "b", roots, *parts, order=order)
    assert [len(list(read_rows(file))) for file in conversation_files(ordered.out, "train")] == [150, 150, 100]
    assert sorted(row["id"] for row in ordered.rows) == sorted(row["id"] for row in unordered)
    assert [row["id"] for row in ordered.rows] != [row["id"] for row in unordered]
    if order == "stages":
        assert [row["stage"] for row in ordered.rows] == [0] * 200 + [1] * 200
    if order == "short_first":
        lengths = [sum(len(p["text"]) for m in row["messages"] for p in m["content"]) for row in ordered.rows]
        assert lengths[0] < lengths[200] < lengths[-1]
        assert sum(a > b + 3 for a, b in itertools.pairwise(lengths)) == 0
    other = Built(tmp_path / "c", roots, *parts, order=order, seed=1).rows
    assert [row["id"] for row in other] != [row["id"] for row in ordered.rows]


def test_repeated_words_are_dropped_across_corpora_and_the_first_stays(corpora, tmp_path: Path) -> None:
    near = UNLIKE.replace("for k in range(12))", 'for k in range(12)) + (" indeed" if number % 2 else "")')
    far = '" ".join(f"v{(number * 3 + k * k) % 991}y{number}" for k in range(12)) if number < 30 else ' + near
    roots = {"one": corpora("one", rows=60), "two": corpora("two", rows=60, text=far)}
    exact = Built(tmp_path / "a", roots, part(), part("two"), deduplicate=("text",))
    assert exact.counts["rejected"] == {"duplicate": 15}
    assert all(record["corpus"] == "two" and record["detail"].startswith("of one/s") for record in exact.rejected)
    similar = Built(tmp_path / "b", roots, part(), part("two"), deduplicate=("near_text",))
    assert similar.counts["rejected"] == {"duplicate": 30}
    assert Counter(row["corpus"] for row in similar.rows) == {"one": 60, "two": 30}


def test_one_sentence_said_in_many_moods_is_no_duplicate_but_a_copied_clip_is(corpora, tmp_path: Path) -> None:
    media = '(MediaRef(f"{number}.wav", "audio"),)'
    roots = {
        name: corpora(name, rows=20, text='"Kids are talking by the door"', media=media) for name in ("one", "two")
    }
    for number in range(20):
        (roots["one"] / f"{number}.wav").write_bytes(bytes([number]) * 500)
        (roots["two"] / f"{number}.wav").write_bytes(bytes([number if number < 5 else 100 + number]) * 500)
    parts = (part(modalities=("audio",)), part("two", modalities=("audio",)))
    result = Built(tmp_path / "a", roots, *parts, deduplicate=("near_text", "media"))
    assert result.counts["rejected"] == {"duplicate": 5} and len(result.rows) == 35
    assert {record["item"] for record in result.rejected} == {f"s{n}" for n in range(5)}


@pytest.mark.parametrize("kind", ["near_text", "media"])
def test_a_copy_goes_only_where_it_is_asked_the_same_again(corpora, tmp_path: Path, kind: Any) -> None:
    media = '(MediaRef(f"{number}.wav", "audio"),)' if kind == "media" else "()"
    roots = {name: corpora(name, rows=20, media=media) for name in ("one", "two")}
    for name, number in itertools.product(roots, range(20)):
        (roots[name] / f"{number}.wav").write_bytes(bytes([number]) * 500)
    modalities = ("audio",) if kind == "media" else ("text",)
    scores = part("two", template="dimension_scores", space="n_1", modalities=modalities)
    parts = (part(modalities=modalities), scores, part("two", modalities=modalities))
    result = Built(tmp_path / "a", roots, *parts, deduplicate=(kind,))
    assert Counter(row["space"] for row in result.rows) == {"c_3": 20, "n_1": 20}
    assert result.counts["rejected"] == {"duplicate": 20}
    assert {record["template"] for record in result.rejected} == {"emotion_choice"}


def test_filters_by_language_and_licence_say_what_they_leave_out(corpora, tmp_path: Path) -> None:
    roots = {"one": corpora("one"), "two": corpora("two", text='f"other {number} " * 3', commercial=False)}
    chinese = Built(tmp_path / "a", roots, part(), part("two"), languages=("zh",))
    assert len(chinese.rows) == 80 and chinese.counts["rejected"] == {"other_language": 320}
    free = Built(tmp_path / "b", roots, part(), part("two"), only="commercial")
    assert {row["corpus"] for row in free.rows} == {"one"} and free.counts["left_out"] == {"two": "licence"}
    with pytest.raises(AffectError, match="every corpus of the mixture is left out"):
        Built(tmp_path / "c", roots, part("two"), only="commercial")


PARTS = (part(cap=90), part("two", template="emotion_word", weight=1.5))
OPTIONS: dict[str, Any] = {"temperature": 2.0, "order": "shuffled", "deduplicate": ("near_text",)}


def test_any_number_of_workers_and_any_kill_lead_to_the_same_bytes(
    corpora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "GROUPS_PER_BLOCK", 1)
    roots = {"one": corpora("one", rows=4_500), "two": corpora("two", rows=2_500)}
    mixture = Mixture(PARTS, None, **OPTIONS)
    build(mixture, roots, tmp_path / "one", 3)
    expected = digest(tmp_path / "one")
    with shards.pool(2) as processes:
        build(mixture, roots, tmp_path / "two", 3, processes, 2)
    assert digest(tmp_path / "two") == expected

    render = blocks.render
    for stop in (0, 2, 4):
        monkeypatch.setattr(blocks, "render", killed(render, stop))
        with pytest.raises(KeyboardInterrupt):
            build(mixture, roots, tmp_path / "three", 3)
    monkeypatch.setattr(blocks, "render", render)
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "three" / ".work" / "blocks").iterdir()}
    assert len(done) == 4, "what was finished is kept"
    build(mixture, roots, tmp_path / "three", 3)
    assert digest(tmp_path / "three") == expected


def killed(render: Callable[..., Any], stop: int) -> Callable[..., Any]:
    calls = iter(range(100))

    def rendered(*arguments: Any) -> Any:
        if next(calls) == stop:
            raise KeyboardInterrupt
        return render(*arguments)

    return rendered


PAGE = """\
description: One for the test.
seed: 4
missing: skip
expected: 300
mixture:
  - {corpus: one, template: emotion_choice, space: c_3, rater: r, modalities: [text]}
  - {corpus: meld, template: emotion_choice, space: meld_7, rater: annotators, modalities: [text]}
"""


@pytest.mark.parametrize(
    ("old", "new", "said", "line"),
    [
        (
            "modalities: [text]}\n  - {corpus: meld",
            "modalities: [text], weight: -1}\n  - {corpus: meld",
            "weight must be",
            6,
        ),
        ("corpus: one", "corpus: onee", "no corpus called 'onee'", 6),
        ("rater: r,", "rater: r, split: test,", "training split only, not 'test'", 6),
        ("rater: r,", "rater: r, wieght: 2,", "did you mean 'weight'", 6),
        ("rater: r,", "rater: r, dropout: 0.5,", "second modality", 6),
        ("rater: r,", "rater: r, language: eu,", "does not speak 'eu'", 6),
        ("rater: r,", "rater: r, focus: [joy],", "focus chooses dimensions", 6),
        ("rater: r,", "rater: r, pairs: {dimension: valence, margin: 1},", "no dimension 'valence'", 6),
        (
            "template: emotion_choice, space: c_3",
            "template: dimension_scores, space: n_1, balance: oversample",
            "no classes",
            6,
        ),
        ("missing: skip", "missing: maybe", "one of error, skip", 3),
        ("seed: 4", "seed: 4\ntemperature: hot", "must be a number", 3),
        ("mixture:", "name: x\nmixture:", "called as its file is", 5),
    ],
)
def test_a_wrong_page_is_explained_with_its_line(
    corpora, tmp_path: Path, old: str, new: str, said: str, line: int
) -> None:
    corpora("one")
    page = tmp_path / "page.yaml"
    page.write_text(PAGE, encoding="utf-8")
    load_mixture(str(page))
    assert PAGE.replace(old, new) != PAGE
    page.write_text(PAGE.replace(old, new), encoding="utf-8")
    with pytest.raises(BadRecipe) as caught:
        load_mixture(str(page))
    assert said in str(caught.value) and f"page.yaml:{line}" in str(caught.value)


def test_build_says_what_is_missing_and_how_large_it_would_be(
    corpora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    root, page = corpora("one"), tmp_path / "page.yaml"
    page.write_text(PAGE, encoding="utf-8")
    words = ["build", str(page), "--root", f"one={root}", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "200 training conversations; about 300 when all 2 corpora" in out
    assert "missing  meld" in out
    assert main([*words, "--languages", "zh", "--only", "commercial"]) == 0
    assert "40 training conversations" in capsys.readouterr().out
    page.write_text(PAGE.replace("missing: skip", "missing: error"), encoding="utf-8")
    assert main(words) == 2
    assert "meld" in capsys.readouterr().err
    assert main(["build", "one", "--only", "commercial", "--root", f"one={root}", "--out", str(tmp_path / "s")]) == 2


def test_focus_asks_about_some_dimensions_alone(tmp_path: Path) -> None:
    root = materialise(load_builder("emobank").MINIATURE, tmp_path / "emobank")
    fields = {"template": "dimension_scores", "space": "emobank_vad", "rater": "mean", "modalities": ("text",)}
    rows = Built(tmp_path / "a", {"emobank": root}, Part("emobank", **fields, focus=("valence",))).rows
    assert rows and all(set(row["value"]) == {"valence"} for row in rows)
    assert all(row["answer"].replace(".", "").isdigit() and "arousal" not in question(row) for row in rows)
    whole = Built(tmp_path / "b", {"emobank": root}, Part("emobank", **fields)).rows
    assert all("arousal" in question(row) and len(row["value"]) == 3 for row in whole)


def test_balance_and_temperature_weigh_what_the_caps_keep(corpora, tmp_path: Path) -> None:
    roots = {"one": corpora("one", rows=800), "two": corpora("two", rows=60, text='f"other {number} " * 3')}
    balanced = Built(tmp_path / "a", roots, part(cap_per_class=40, balance="oversample"))
    assert Counter(row["value"] for row in balanced.rows) == {"joy": 40, "anger": 40, "fear": 40}
    tempered = Built(tmp_path / "b", roots, part(cap=60), part("two"), temperature=3.0)
    assert Counter(row["corpus"] for row in tempered.rows) == {"one": 60, "two": 60}


def test_every_conversation_has_an_id_of_its_own(corpora, tmp_path: Path) -> None:
    media = '(MediaRef("a.wav", "audio"),)'
    parts = (
        *(
            part(weight=3),
            part(template="dimension_scores", space="n_1"),
            part(template="sentiment_score", space="n_1"),
        ),
        *(part(modalities=("audio", "text"), dropout=0.5), part(modalities=("audio",)), part(language="zh")),
        *(part(template="comparison", space="n_1", pairs=Pairs("valence", margin)) for margin in (1.0, 30.0)),
    )
    rows = Built(tmp_path / "a", {"one": corpora("one", media=media)}, *parts).rows
    assert len({row["id"] for row in rows}) == len(rows)
    with pytest.raises(Malformed, match="two parts ask one the same"):
        Built(tmp_path / "b", {"one": tmp_path}, part(), part(weight=2))


def test_training_samples_that_repeat_validation_or_are_not_asked_in_its_stead(corpora, tmp_path: Path) -> None:
    root = corpora("one", rows=40, text=UNLIKE)
    place = tmp_path / "own" / "data_builders" / "one.py"
    split = place.read_text(encoding="utf-8").replace('split="train"', 'split="validation" if number < 4 else "train"')
    place.write_text(split, encoding="utf-8")
    roots = {"one": root, "two": corpora("two", rows=40)}
    result = Built(tmp_path / "a", roots, part("two"), part(), deduplicate=("near_text",))
    assert {row["sample"] for row in result.rows if row["corpus"] == "two"} == {f"s{n}" for n in range(4, 40)}
    chinese = Built(tmp_path / "b", roots, part("two"), deduplicate=("text",), languages=("zh",))
    assert [row["sample"] for row in chinese.rows] == [f"s{n}" for n in range(0, 40, 5)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        *[({"weight": value}, "weight must be") for value in (float("inf"), float("nan"), 1e300)],
        ({"modalities": ("text", "text")}, "named twice"),
        ({"template": "comparison", "space": "n_1", "pairs": Pairs("valence", float("nan"))}, "margin"),
        ({"template": "emotion_in_dialogue", "modalities": ("audio",)}, "speaks of text"),
    ],
)
def test_numbers_without_sense_are_refused(corpora, tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(Malformed, match=said):
        Built(tmp_path / "a", {"one": corpora("one")}, part(**wrong))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("mixture: 5\n", 1),
        ("seed: 2024-13-45\nmixture: []\n", 1),
        ("? [a, b]\n: 1\nmixture: []\n", 1),
        ("mixture: []\n", 1),
        ("mixture:\n  - 5\n", 2),
    ],
)
def test_a_page_of_another_shape_is_explained(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "page.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadRecipe, match=f"page.yaml:{line}"):
        load_mixture(str(tmp_path / "page.yaml"))
