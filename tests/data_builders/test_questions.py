"""Questions with options of their own: what each layout says is right, and what it costs when it is not."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from affectllm.data_builders.benchmarks._questions import options_of, right_of

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.labels.gold_maps import find_gold_map


def read(name: str, folder: Path) -> tuple[dict[str, Sample], Counter[str]]:
    items = list(load_builder(name).samples(materialise(load_builder(name).MINIATURE, folder)))
    reasons = Counter(item.reason for item in items if isinstance(item, Rejection))
    return {item.id: item for item in items if isinstance(item, Sample)}, reasons


def right(sample: Sample) -> tuple[str, ...]:
    return tuple(sample.annotations[0].value["right"])


def test_options_lose_the_letters_that_a_list_writes_before_them_and_no_others() -> None:
    assert options_of(["A. He is proud.", "(B) He waits."]) == {"A": "He is proud.", "B": "He waits."}
    assert options_of(["B. Goodman", "A. Miller"]) == {"A": "B. Goodman", "B": "A. Miller"}
    assert options_of({"a": " Yes "}) == {"A": "Yes"}
    assert options_of("A. Yes") == {}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("B", ("bored",)), ("a, C", ("glad", "cross")), ("cross", ("cross",)), ("A,Z", ()), ("", ()), (None, ())],
)
def test_what_is_right_is_told_by_letters_or_words(answer: str | None, expected: tuple[str, ...]) -> None:
    assert right_of(answer, {"A": "glad", "B": "bored", "C": "cross"}) == expected


def test_mtmeur_keeps_several_right_options_and_the_turns_of_a_video(tmp_path: Path) -> None:
    samples, reasons = read("mtmeur", tmp_path)
    assert right(samples["101#2"]) == ("She is bored.", "She is angry.")
    assert samples["101#2"].dialogue == "101" and samples["101#2"].attributes["turn"] == "2"
    assert reasons["unknown_label"] == 1 and reasons["duplicate_id"] == 1 and reasons["media_missing"] == 2


def test_intentbench_reads_tags_and_counts_other_tasks(tmp_path: Path) -> None:
    samples, reasons = read("intentbench", tmp_path)
    assert right(samples["question/1"]) == ("proud", "glad") and right(samples["question/2"]) == ("No",)
    assert reasons["other_task"] == 1 and reasons["broken_row"] == 1 and reasons["unknown_label"] == 1


def test_eemo_bench_never_runs_its_options_and_takes_pictures_from_their_lines(tmp_path: Path) -> None:
    samples, reasons = read("eemo_bench", tmp_path)
    assert len(samples["pair/0"].media) == 2 and right(samples["pair/0"]) == ("No.",)
    ranking, levels = samples["image/1"].annotations
    assert ranking.value == {"joy": 60, "surprise": 35, "neutral": 13} and levels.value["valence"] == 7.44
    assert [one.space for one in samples["image/3"].annotations] == ["eemo_ranking"]  # its arousal is no number
    assert reasons["unknown_label"] == 1 and reasons["unsafe_path"] == 1


def test_air_bench_keeps_emotion_and_mood(tmp_path: Path) -> None:
    samples, reasons = read("air_bench", tmp_path)
    assert {one.attributes["subject"] for one in samples.values()} == {"emotion", "music_mood"}
    assert reasons["other_task"] == 1 and reasons["unknown_label"] == 1 and reasons["duplicate_id"] == 1


def test_words_through_a_map_are_those_of_the_published_gold() -> None:
    iemocap = load_builder("iemocap").CARD.space("iemocap_10")
    four = find_gold_map(iemocap, "mer_unibench_iemocap_words")
    assert four.target.kind == "open"
    assert [four.value(name) for name in ("excitement", "happiness", "anger", "frustration")] == [
        *("happy", "happy", "anger", None)
    ]
    swapped = find_gold_map(load_builder("emoprefer").CARD.space("emoprefer_3"), "emoprefer_3_swapped")
    assert [swapped.value(name) for name in ("a1", "a2", "same")] == ["a2", "a1", "same"]


def test_real_ferplus_has_the_pictures_of_its_test_part() -> None:
    root = Path(os.environ.get("AFFECTLLM_CORPORA", "")) / "ferplus"
    if not (root / "fer2013new.csv").is_file():
        pytest.skip("$AFFECTLLM_CORPORA/ferplus is not there")
    test = [one for one in load_builder("ferplus").samples(root) if isinstance(one, Sample) and one.split == "test"]
    spaces = Counter((note.space, note.rater) for one in test for note in one.annotations)
    assert spaces["ferplus_votes", "crowd"] == 3573
    assert spaces["ekman_6_contempt_neutral", "crowd"] == MAJORITY


MAJORITY = 3153
"""Of 3,573 pictures: those whose votes have a majority for an emotion."""
