"""The dataset card of a built mixture: its counts are the files', it says what is forbidden, and it loads."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from built_mixture import HOSTILE, built_mixture, hostile

from affectllm.corpus.store import read_rows
from affectllm.instruct.conversations import conversation_files
from affectllm.report.cards.dataset_card import size_category
from affectllm.report.galleries.composition import Summary


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return built_mixture(tmp_path, monkeypatch)


def card_of(build: Path) -> str:
    return (build / "README.md").read_text(encoding="utf-8")


def header(build: Path) -> dict[str, Any]:
    fields = yaml.safe_load(card_of(build).split("---\n")[1])
    assert isinstance(fields, dict)
    return fields


def rows(build: Path, split: str) -> list[dict[str, Any]]:
    return [row for path in conversation_files(build, split) for row in read_rows(path)]


def table(text: str, first: str) -> list[list[str]]:
    """The body of the table whose head begins with ``first``."""
    body = text.split(f"\n| {first} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_it_loads_in_datasets_with_its_splits_and_no_others(build: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    dataset = load_dataset(str(build), cache_dir=str(tmp_path / "cache"))
    assert {split: len(data) for split, data in dataset.items()} == {
        split: len(rows(build, split)) for split in ("train", "validation")
    }
    assert dataset["train"][0]["messages"][1]["role"] == "assistant"


def test_a_build_is_not_taken_for_another_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import load_dataset

    builds = [built_mixture(tmp_path, monkeypatch, seed=seed) for seed in (5, 6)]
    loaded = [load_dataset(str(build), cache_dir=str(tmp_path / "cache"))["train"]["id"][:] for build in builds]
    assert loaded == [[row["id"] for row in rows(build, "train")] for build in builds] and loaded[0] != loaded[1]


def test_the_composition_is_that_of_the_files(build: Path) -> None:
    lines = table(card_of(build), "corpus | template")
    for split, column in (("train", 6), ("validation", 7)):
        counted = Counter((row["corpus"], row["template"], row["language"]) for row in rows(build, split))
        stated = {(line[0], line[1].replace("\\", ""), line[4]): number(line[column]) for line in lines[:-1]}
        assert stated == dict(counted)
        assert number(lines[-1][column]) == sum(counted.values())
    own = (lines[0][0], lines[0][1].replace("\\", ""), lines[0][4])
    asked = [row["sample"] for row in rows(build, "train") if (row["corpus"], row["template"], row["language"]) == own]
    often = f"each sample {len(asked) / len(set(asked)):.1f} times"
    assert [line[8] for line in lines] == [f"weight 1.5; {often}", "cap 5", "", ""] and often != "each sample 1.0 times"
    assert [line[5] for line in lines[:3]] == ["text"] * 3


def test_what_was_rejected_is_counted_by_reason(build: Path) -> None:
    lines = (build / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    logged = Counter(json.loads(line)["reason"] for line in lines)
    assert {reason: number(count) for reason, count in table(card_of(build), "reason")} == dict(logged)
    assert len(logged) > 1


def test_labels_are_counted_with_their_share_and_words_by_their_length(build: Path) -> None:
    text = card_of(build)
    both = rows(build, "train") + rows(build, "validation")
    labels = Counter(row["value"] for row in both if row["space"] == "toy_3")
    lines = table(text, "label")
    assert {name: number(count) for name, count, _ in lines} == dict(labels)
    assert [float(share.split()[0]) for *_, share in lines] == [
        round(100 * count / labels.total(), 1) for _, count in labels.most_common()
    ]
    replies = [len(row["value"]) for row in both if row["space"] == "toy_reply"]
    assert f"Free text of {min(replies)} to {max(replies)} characters" in text
    assert (build / "labels.png").read_bytes()[:4] == b"\x89PNG" and "](labels.png)" in text


def test_missing_corpora_settings_and_the_way_back_are_on_it(build: Path) -> None:
    text = card_of(build)
    assert "IEMOCAP (`iemocap`" in text and "about 77,000 training conversations" in text
    assert "Seed 5. validation_rows: 4; temperature: 1.0; order: shuffled" in text
    assert "`affectllm build small.yaml`" in text
    page = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    assert page["seed"] == 5 and len(page["mixture"]) == 4 and page["mixture"][1]["cap"] == 5
    assert "as published: nothing was corrected" in text


def test_the_header_is_the_hubs(build: Path) -> None:
    fields = header(build)
    assert fields["license"] == "cc0-1.0" and fields["language"] == ["en", "zh"]
    assert fields["size_categories"] == ["n<1K"] and fields["task_categories"] == ["text-generation"]
    assert [size_category(n) for n in (999, 1000, 99_999, 10**6, 10**7)] == [
        *("n<1K", "1K<n<10K", "10K<n<100K", "1M<n<10M", "n>10M"),
    ]


def test_the_header_names_no_task_that_no_conversation_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = built_mixture(tmp_path, monkeypatch, modalities="audio")
    assert header(build)["task_categories"] == ["text-generation"], "no sample has a sound"
    assert table(card_of(build), "corpus | template")[0][5:7] == ["audio", "0"]


def test_a_forbidding_licence_is_said_first_and_in_its_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = {'licence="CC0-1.0", access="open"': 'licence="Toy agreement", access="eula"'}
    build = built_mixture(
        tmp_path,
        monkeypatch,
        edits={**closed, "redistribution=True, commercial=True": "redistribution=False, commercial=False"},
    )
    text = card_of(build)
    assert header(build)["license"] == "other" and header(build)["license_link"] == "README.md#licence"
    assert "This folder must not be published" in text.split("## What is in it")[0]
    licence = text.split("## Licence")[1]
    assert "**not to be passed on**: Toy (Toy agreement, under a signed agreement)" in licence
    assert "**no** | no |" in licence


def test_a_corpus_that_another_contains_brings_its_terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = built_mixture(tmp_path, monkeypatch, edits={"built_from=()": 'built_from=("iemocap", "nowhere")'})
    text = card_of(build)
    assert "IEMOCAP (IEMOCAP release agreement" in text.split("## What is in it")[0]
    assert "(contained in another)" in text and "without a card in affectllm: nowhere" in text


def test_hostile_words_stay_within_their_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    plain = built_mixture(tmp_path / "plain", monkeypatch)
    evil = built_mixture(tmp_path / "evil", monkeypatch, description=json.dumps(HOSTILE), edits=hostile())
    shapes = []
    for build in (plain, evil):
        text = card_of(build).split("---\n", 2)[2]
        html = markdown_it.MarkdownIt("commonmark").enable("table").render(text)
        assert "<script" not in html and "</textarea" not in html and 'href="javascript' not in html
        body = text.split("## Known biases")[0].split("```yaml")[0]
        assert "<script" not in body
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block
        # Sections are ordered by their size, which hangs on draws: their number counts.
        tags = Counter(re.findall(r"<(h\d|t[hdr]|table)\b", html.split("<code class")[0]))
        shapes.append((tags, body.count("\n## ")))
    assert shapes[0] == shapes[1], "no heading, row or cell more than with harmless words"
    assert "\u202e" not in card_of(evil)
    assert "(U+202E)" in card_of(evil)


def test_the_same_build_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (built_mixture(tmp_path, monkeypatch) for _ in range(2))
    assert one != two
    for name in ("README.md", "labels.png", "gallery.html"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_numbers_are_summed_up() -> None:
    summary = Summary()
    for value, times in ((1.0, 3), (5.0, 1)):
        summary.add(value, times)
    assert (summary.count, summary.mean, summary.low, summary.high) == (4, 2.0, 1.0, 5.0)


def test_numbers_and_shares_are_told_by_name(tmp_path: Path) -> None:
    from affectllm.corpus.builder import load_builder
    from affectllm.instruct.template import load_template
    from affectllm.report.galleries.composition import Composition

    card, composition = load_builder("crema_d").CARD, Composition()
    votes = load_template(
        "emotion_shares", space=card.space("crema_d_votes"), rater="crowd_voice", modalities=["audio"]
    )
    level = load_template(
        "intensity_scores", space=card.space("crema_d_level"), rater="crowd_voice", modalities=["audio"]
    )
    for value, times in (({"anger": 0.5, "fear": 0.5}, 1), ({"anger": 1.0}, 3)):
        composition.add(votes.slots[0], value, "train", times)
    composition.add(level.slots[0], {"anger": 0.0}, "train", 2)
    shares = composition.layers["crema_d_votes by crowd_voice"].numbers
    assert shares["anger"].mean == 0.875 and (shares["fear"].low, shares["fear"].count) == (0.0, 4)
    assert composition.tally.labels["crema_d_votes by crowd_voice"]["train"] == {"anger": 4, "fear": 1}
    numbers = composition.layers["crema_d_level by crowd_voice"].numbers
    assert {name: summary.count for name, summary in numbers.items()} == {"anger": 2}


def test_sets_without_a_label_are_counted_as_none() -> None:
    from affectllm.corpus.builder import load_builder
    from affectllm.instruct.template import load_template
    from affectllm.report.cards.dataset_card import _layer
    from affectllm.report.galleries.composition import Composition

    space = load_builder("goemotions").CARD.space("goemotions_28")
    asked, composition = load_template("emotion_set", space=space, rater="crowd", modalities=["text"]), Composition()
    composition.tally.spaces = {space.name: space}
    for value, times in (([], 3), (["joy", "love"], 1)):
        composition.add(asked.slots[0], value, "train", times)
    labels = _layer(composition, composition.layers["goemotions_28 by crowd"])["labels"]
    assert labels == [("(none)", 3, 0.75), ("joy", 1, 0.25), ("love", 1, 0.25)]


def test_a_dollar_in_a_label_is_no_formula(tmp_path: Path) -> None:
    from affectllm.corpus.tally import Tally
    from affectllm.labels import LabelSpace
    from affectllm.report.galleries.gallery import draw_labels

    tally = Tally({"odd": LabelSpace("odd", "category", (r"$\bad$",), source="a test")})
    tally.labels["odd by $\\worse$"]["train"][r"$\bad$"] += 1
    assert draw_labels(tally, tmp_path / "labels.png", r"$\worst$")
