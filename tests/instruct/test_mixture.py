"""Mixtures: weights, caps, balance and seed do what they say, TRAIN only, and nothing vanishes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from toy_corpus import toy_corpus

from affectllm.corpus import shards
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.store import read_rows
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.instruct.build import build
from affectllm.instruct.conversations import conversation_files
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_part import Part

# 60 joy, 20 anger, 10 fear: every class divides the largest, so that oversampling is exact.
SKEWED = ("joy",) * 6 + ("anger",) * 2 + ("fear",)


class Built:
    """What one build left, read back from its files."""

    def __init__(self, out: Path, counts: dict[str, Any]) -> None:
        self.out, self.counts = out, counts
        self.train, self.validation = (
            [row for file in conversation_files(out, split) for row in read_rows(file)]
            for split in ("train", "validation")
        )
        self.rejected = [json.loads(line) for line in (out / "rejected.jsonl").read_text(encoding="utf-8").splitlines()]

    def classes(self) -> Counter[str]:
        return Counter(row["value"] for row in self.train)

    def digests(self) -> dict[str, str]:
        files = sorted(path for path in self.out.rglob("*") if path.is_file())
        return {str(path.relative_to(self.out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = toy_corpus(tmp_path, monkeypatch, counts={"train": 90, "validation": 30, "test": 20}, classes=SKEWED)
    runs = iter(range(100))

    def make(*parts: dict[str, Any], seed: int = 0, validation_rows: int | None = None, **options: Any) -> Built:
        whole = {
            "corpus": "toy",
            "template": "emotion_choice",
            "space": "toy_3",
            "rater": "reader",
            "modalities": ("text",),
        }
        out = tmp_path / f"out{next(runs)}"
        mixture = Mixture(tuple(Part(**{**whole, **part}) for part in parts), validation_rows, **options)
        return Built(out, build(mixture, {"toy": root}, out, seed))

    return make


def test_only_listed_training_samples_are_taken_and_validation_stays(make, tmp_path: Path) -> None:
    whole = make({})
    wanted = sorted(row["sample"] for row in whole.train)[::3]
    listed = tmp_path / "ids.txt"
    listed.write_text("\n".join([*wanted, "of nobody"]), encoding="utf-8")
    part = make({"ids": str(listed)})
    assert sorted(row["sample"] for row in part.train) == wanted
    assert len(part.validation) == len(whole.validation) == 30
    assert part.counts["rejected"]["not_listed"] == len(whole.train) - len(wanted)
    with pytest.raises(NotFound, match="no list of ids"):
        make({"ids": str(tmp_path / "nowhere.txt")})


def test_a_plain_part_asks_every_training_sample_once(make) -> None:
    built = make({})
    assert [row["sample"] for row in built.train] == [f"train{n}" for n in range(90)]
    assert [row["sample"] for row in built.validation] == [f"validation{n}" for n in range(30)]
    assert built.counts["conversations"] == {"train": 90, "validation": 30}
    assert built.counts["samples"] == {"toy": {"train": 90, "validation": 30, "test": 20}}


def test_a_row_is_a_question_with_its_answer(make) -> None:
    row = make({}).train[0]
    question, answer = row["messages"]
    assert (question["role"], answer["role"]) == ("user", "assistant")
    assert "words number 0" in question["content"][-1]["text"]
    assert answer["content"] == [{"type": "text", "text": "joy"}] and row["answer"] == row["value"] == "joy"
    assert (row["corpus"], row["split"], row["space"], row["rater"]) == ("toy", "train", "toy_3", "reader")


def test_test_samples_are_stored_but_never_asked(make) -> None:
    built = make({"weight": 3.0}, {"balance": "oversample", "template": "emotion_description"})
    assert not any(row["split"] == "test" or row["sample"].startswith("test") for row in built.train + built.validation)
    assert {row["split"] for row in built.train} == {"train"}
    assert {row["split"] for row in built.validation} == {"validation"}
    assert len(list(read_rows(built.out / "samples" / "toy" / "test.parquet"))) == 20


def test_a_weight_of_two_asks_twice_in_different_words(make) -> None:
    built = make({"weight": 2.0})
    assert len(built.train) == 180 and len(built.validation) == 30
    pairs = Counter((row["sample"], row["paraphrase"]) for row in built.train)
    assert set(pairs.values()) == {1}
    assert len({row["id"] for row in built.train}) == 180


def test_a_weight_below_one_keeps_a_part_of_the_samples_and_counts_the_others(make) -> None:
    built = make({"weight": 0.5})
    assert 30 <= len(built.train) <= 60
    assert built.counts["rejected"]["not_drawn"] == 90 - len(built.train)


def of_templates(built: Built) -> Counter[str]:
    """How many training conversations each template asks."""
    return Counter(row["template"] for row in built.train)


@pytest.mark.parametrize(("share", "others"), [(0.1, {}), (0.5, {}), (0.25, {"weight": 2.0}), (0.8, {"weight": 0.5})])
def test_a_part_with_a_share_makes_up_that_share_of_all(make, share: float, others: dict[str, float]) -> None:
    counts = of_templates(make(others, {"share": share, "template": "emotion_description"}))
    whole, kept = sum(counts.values()), counts["emotion_description"]
    assert kept / whole == pytest.approx(share, abs=3 * (share * (1 - share) / whole) ** 0.5)
    assert counts["emotion_choice"] == of_templates(make(others))["emotion_choice"]


def test_two_shares_are_of_the_whole(make) -> None:
    parts = [{"share": 0.2, "template": "emotion_description"}, {"share": 0.3, "template": "emotion_word"}]
    counts = of_templates(make({"weight": 4.0}, *parts))
    whole = sum(counts.values())
    assert counts["emotion_choice"] == 360 and whole == pytest.approx(720, rel=0.08)
    assert counts["emotion_word"] > counts["emotion_description"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"share": 0.5}], "leave nothing"),
        (
            [{}, {"share": 0.6, "template": "emotion_word"}, {"share": 0.5, "template": "emotion_description"}],
            "sum to 1.1",
        ),
        ([{}, {"share": 1.5, "template": "emotion_word"}], "sum to 1.5"),
        ([{}, {"share": 0.2, "weight": 2.0, "template": "emotion_word"}], "in place of weight"),
        ([{"weight": 1000.0}, {"share": 0.999, "template": "emotion_word"}], "lower it, or add samples"),
    ],
)
def test_shares_that_cannot_be_are_refused(make, parts: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        make(*parts)


def test_two_parts_do_not_keep_the_same_half(make) -> None:
    built = make({"weight": 0.5}, {"weight": 0.5, "template": "emotion_description"})
    halves = [
        {r["sample"] for r in built.train if r["template"] == t} for t in ("emotion_choice", "emotion_description")
    ]
    assert halves[0] != halves[1] and halves[0] & halves[1]


@pytest.mark.parametrize("cap", [1, 7, 90, 1000])
def test_a_cap_keeps_that_many_and_counts_the_others(make, cap: int) -> None:
    built = make({"cap": cap})
    assert len(built.train) == min(cap, 90) and len(built.validation) == 30
    assert built.counts["rejected"].get("over_cap", 0) == 90 - len(built.train)


def test_a_cap_draws_over_the_whole_corpus_and_by_seed(make) -> None:
    first, again, other = (make({"cap": 10}, seed=seed) for seed in (0, 0, 1))
    numbers = [{row["sample"] for row in built.train} for built in (first, again, other)]
    assert numbers[0] == numbers[1] != numbers[2]
    assert numbers[0] != {f"train{n}" for n in range(10)}


def test_oversampling_makes_every_class_as_frequent_as_the_largest(make) -> None:
    assert make({}).classes() == {"joy": 60, "anger": 20, "fear": 10}
    assert make({"balance": "oversample"}).classes() == {"joy": 60, "anger": 60, "fear": 60}


def test_undersampling_makes_every_class_about_as_frequent_as_the_smallest(make) -> None:
    classes = make({"balance": "undersample"}).classes()
    assert classes["fear"] == 10
    assert all(3 <= classes[name] <= 20 for name in ("joy", "anger"))


def test_validation_is_neither_weighted_nor_balanced_but_bounded(make) -> None:
    built = make({"weight": 2.0, "balance": "oversample"}, validation_rows=5)
    assert len(built.validation) == 5 and len(built.train) == 360
    assert built.counts["rejected"]["over_cap"] == 25


def test_every_sample_that_is_not_asked_is_in_the_log(make) -> None:
    built = make({"weight": 0.3, "cap": 40}, validation_rows=4)
    asked = {row["sample"] for row in built.train + built.validation}
    logged = {row["item"] for row in built.rejected}
    every = {f"train{n}" for n in range(90)} | {f"validation{n}" for n in range(30)}
    assert asked | logged == every | {"bad.wav"} and not asked & logged
    assert Counter(row["reason"] for row in built.rejected) == built.counts["rejected"]


def test_ties_and_missing_modalities_are_counted_under_their_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = ("joy", ("joy", "fear"))
    root = toy_corpus(tmp_path, monkeypatch, counts={"train": 10, "validation": 4}, classes=classes)
    parts = (
        Part("toy", "emotion_choice", "toy_3", "reader", ("text",)),
        Part("toy", "emotion_choice", "toy_3", "reader", ("audio", "text")),
    )
    built = Built(tmp_path / "out", build(Mixture(parts), {"toy": root}, tmp_path / "out", seed=0))
    assert built.counts["rejected"] == {"tie": 14, "no_audio": 7, "media_missing": 1}
    assert len(built.train) == 5
    (missing,) = (row for row in built.rejected if row["reason"] == "media_missing")
    assert missing["where"] == "here.txt:0" and missing["corpus"] == "toy"


@pytest.mark.parametrize("options", [{}, {"weight": 0.5}, {"cap": 20, "balance": "undersample"}, {"weight": 1.7}])
def test_the_same_build_gives_the_same_bytes_and_another_seed_other_rows(make, options: dict[str, Any]) -> None:
    first, again, other = make(options), make(options), make(options, seed=1)
    assert first.digests() == again.digests()
    assert ([r["id"] for r in first.train] == [r["id"] for r in other.train]) == (not options)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"space": "toy_4"}, "toy_3"),
        ({"rater": "actor"}, "reader"),
        ({"weight": 0.0}, "weight"),
        ({"cap": 0}, "cap"),
        ({"template": "emotion_set"}, "category space"),
        ({"modalities": ("text", "touch")}, "touch"),
        (
            {"template": "empathetic_reply", "space": "toy_reply", "rater": "writer", "balance": "oversample"},
            "no classes",
        ),
    ],
)
def test_a_part_that_makes_no_sense_is_explained_before_anything_is_written(
    make, part, message, tmp_path: Path
) -> None:
    with pytest.raises((Malformed, NotFound), match=message):
        make(part)
    assert not list(tmp_path.glob("out*"))


def test_a_mixture_without_training_conversations_says_why(make) -> None:
    with pytest.raises(AffectError, match="120 × no_audio"):
        make({"modalities": ("audio",)})


def test_samples_alone_are_built_without_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = toy_corpus(tmp_path, monkeypatch)
    counts = shards.build("toy", root, tmp_path / "out")
    assert counts == {"samples": {"train": 6, "validation": 3, "test": 3}, "rejected": {"media_missing": 1}}
    assert not (tmp_path / "out" / "conversations").exists()


def test_a_shipped_corpus_builds_with_its_clips_as_references(tmp_path: Path) -> None:
    root = materialise(load_builder("demo_affect").MINIATURE, tmp_path / "demo_affect")
    part = Part("demo_affect", "emotion_choice", "demo_affect_5", "face", ("video", "audio"))
    built = Built(tmp_path / "out", build(Mixture((part,)), {"demo_affect": root}, tmp_path / "out", seed=0))
    for row in built.train:
        clip, text = row["messages"][0]["content"]
        assert clip["type"] == "video" and clip["sound"] is True and (root / clip["path"]).is_file()
        assert set(clip) == {"type", "corpus", "path", "sound"} and set(text) == {"type", "text"}


def test_the_budget_of_a_part_goes_with_its_clips(tmp_path: Path) -> None:
    root = materialise(load_builder("demo_affect").MINIATURE, tmp_path / "demo_affect")
    part = Part("demo_affect", "emotion_choice", "demo_affect_5", "face", ("video",), budget={"max_frames": 2})
    built = Built(tmp_path / "out", build(Mixture((part,)), {"demo_affect": root}, tmp_path / "out", seed=0))
    assert built.train
    for row in built.train:
        clip, text = row["messages"][0]["content"]
        assert clip["max_frames"] == 2 and "max_frames" not in text


def test_the_budget_of_a_part_goes_with_its_clips_under_a_system_prompt(tmp_path: Path) -> None:
    root = materialise(load_builder("demo_affect").MINIATURE, tmp_path / "demo_affect")
    questions = [f"What is felt in this {{stimulus}}? {number} {{labels}}" for number in range(7)]
    words = {"system": "You look closely.", "questions": questions[:5], "held_out": questions[5:]}
    page = tmp_path / "watched.yaml"
    page.write_text(json.dumps({"version": 1, "form": "choice", "en": words}), encoding="utf-8")
    part = Part("demo_affect", str(page), "demo_affect_5", "face", ("video",), budget={"max_frames": 2})
    built = Built(tmp_path / "out", build(Mixture((part,)), {"demo_affect": root}, tmp_path / "out", seed=0))
    for row in built.train:
        system, question, _ = row["messages"]
        assert system["role"] == "system" and question["content"][0]["max_frames"] == 2
