"""Causes of emotions: RECCON's spans and entailment, on its own files where they are there, and pairs of both."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import string
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from affectllm.errors import Malformed
from affectllm.labels.form import find_form
from affectllm.labels.reading import Unreadable
from affectllm.labels.space import LabelSpace
from affectllm.metrics import pair_f1, pair_micro_f1, pair_proportional_f1
from affectllm.metrics.texts.cause import NO_ANSWER, reccon_entailment, reccon_span, squad_items, token_f1


def squad_f1(truth: str, answer: str) -> float:
    """Precision and recall of tokens, one by one, as SQuAD describes them."""
    sides = []
    for text in (truth, answer):
        cleaned = "".join(char for char in text.lower() if char not in string.punctuation)
        sides.append([word for word in cleaned.split() if word not in ("a", "an", "the")])
    words, given_words = sides
    if not words or not given_words:
        return float(words == given_words)
    left = list(words)
    common = 0
    for word in given_words:
        if word in left:
            left.remove(word)
            common += 1
    if not common:
        return 0.0
    precision, recall = common / len(given_words), common / len(words)
    return 2 * precision * recall / (precision + recall)


def longest_common(one: str, two: str) -> str:
    pieces = {one[i:j] for i in range(len(one)) for j in range(i + 1, len(one) + 1)}
    return max((piece for piece in pieces if piece in two), key=len, default="")


def published(gold: list[str], predicted: list[str]) -> dict[str, float]:
    """The script's counting with its three buckets and the variable that outlives its loop."""
    buckets: dict[str, list[tuple[str, str]]] = {"correct": [], "similar": [], "incorrect": []}
    for truth, answer in zip(gold, predicted, strict=True):
        text = truth or NO_ANSWER
        same, inside = answer.strip() == text.strip(), answer.strip() in text.strip() or text.strip() in answer.strip()
        buckets["correct" if same else "similar" if inside else "incorrect"].append((truth, answer))
    f1, lcs, exact, empty = [], [], 0, 0
    for truth, _ in buckets["correct"]:
        exact += bool(truth)
        f1, lcs = [*f1, 1.0], [*lcs, 1.0]
    last = ""
    similar = [answer for truth, answer in buckets["similar"] if truth]
    for truth, answer in buckets["similar"]:
        if truth and answer:
            common = len(longest_common(truth, answer).split())
            precision, recall = common / len(answer.split()), common / len(truth.split())
            f1, lcs = [*f1, squad_f1(truth, answer)], [*lcs, 2 * precision * recall / (precision + recall)]
        elif truth:
            empty += 1
            f1, lcs = [*f1, 0.0], [*lcs, 0.0]
    for truth, _ in buckets["incorrect"]:
        if truth:
            last = similar[-1] if similar else "?"
            empty += last == ""
            f1, lcs = [*f1, 0.0], [*lcs, 0.0]
    right = sum(not truth for truth, _ in buckets["similar"])
    negative = right + sum(not truth for truth, _ in buckets["incorrect"])
    recall, precision = right / max(negative, 1), right / max(right + empty, 1)
    return {
        "em_pos": exact / max(len(f1), 1),
        "f1_pos": sum(f1) / max(len(f1), 1),
        "lcs_f1": sum(lcs) / max(len(lcs), 1),
        "f1_neg": 2 * precision * recall / (precision + recall) if right else 0.0,
        "f1": (sum(f1) + right) / len(gold),
    }


words = st.lists(st.sampled_from(["I", "lost", "the", "dog", "answer", "!", "do"]), max_size=4).map(" ".join)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=8)


@given(pairs)
@settings(max_examples=200)
def test_compat_is_the_published_script(items: list[tuple[str, str]]) -> None:
    gold, predicted = map(list, zip(*items, strict=True))
    expected = published(gold, predicted)
    statistic = reccon_span.statistic(gold, predicted, compat="reccon")
    assert dict(statistic.details) == pytest.approx(expected)
    assert statistic.value() == pytest.approx(expected["f1"])


@given(pairs)
@settings(max_examples=200)
def test_strict_is_plain_squad(items: list[tuple[str, str]]) -> None:
    gold, predicted = map(list, zip(*items, strict=True))
    each = [squad_f1(g, p) if g and p else float(g == p) for g, p in items]
    statistic = reccon_span.statistic(gold, predicted)
    assert statistic.value() == pytest.approx(sum(each) / len(each)) and 0 <= statistic.value() <= 1
    negatives, empty = sum(not g for g in gold), sum(not p for p in predicted)
    right = sum(not g and not p for g, p in items)
    assert statistic.details["f1_neg"] == pytest.approx(2 * right / (negatives + empty) if right else 0)
    assert reccon_span.statistic(gold[::-1], predicted[::-1]).value() == pytest.approx(statistic.value())
    assert reccon_span.statistic(gold, gold).value() == 1


@given(words, words)
@settings(max_examples=100)
def test_token_f1_by_another_way(truth: str, answer: str) -> None:
    assert token_f1(truth, answer) == pytest.approx(squad_f1(truth, answer))


def test_hand_worked_spans() -> None:
    gold = ["I lost the dog", "it rained", "", "", "my exam"]
    predicted = ["lost my dog", "it rained", "", "it rained", None]
    result = reccon_span(gold, predicted)
    # "i lost dog" and "lost my dog" share two of three tokens; the longest run is "lost", 1 of 4 and of 3 words
    assert result.details["f1_pos"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert result.details["lcs_f1"] == pytest.approx((2 / 7 + 1 + 0) / 3)
    assert result.details["em_pos"] == pytest.approx(1 / 3)
    assert result.details["f1_neg"] == pytest.approx(2 / 3)  # one of one claims is right, one of two found
    assert result.value == pytest.approx((2 / 3 + 1 + 1) / 5)
    assert result.unreadable == 0.2 and result.per_class["neg"]["support"] == 2


def test_edge_cases_have_values() -> None:
    only_spans = reccon_span(["a dog"], [""])
    assert (only_spans.value, only_spans.details["f1_neg"]) == (0, 0)
    only_none = reccon_span([NO_ANSWER, ""], ["", None])  # the corpus's own words for "impossible" are the empty span
    assert (only_none.value, only_none.details["f1_pos"]) == (0.5, 0)
    assert float(reccon_span(["the"], [""])) == 0  # no token on either side, but an empty answer claims "none"
    assert 0 < float(reccon_span(["the dog ran off"], ["the dog ran off " + "x " * 500_000])) < 1e-4


def test_defect_d12_the_empty_answer_lies_in_every_string() -> None:
    gold, predicted = ["", ""], ["", "answer"]
    published_value = reccon_span(gold, predicted, compat="reccon")
    assert published_value.value == 1  # "answer" is part of the corpus's words for "impossible", so it is similar too
    assert float(reccon_span(gold, predicted)) == 0.5


def test_defect_d12_partial_overlap_counts_nothing() -> None:
    gold, predicted = ["I lost my dog", "I lost my dog"], ["lost my keys", "lost my dog"]
    assert reccon_span(gold, predicted, compat="reccon").details["f1_pos"] == pytest.approx((0 + 6 / 7) / 2)
    assert reccon_span(gold, predicted).details["f1_pos"] == pytest.approx((4 / 7 + 6 / 7) / 2)


def test_defect_d12_a_stale_variable_decides_what_counts_as_empty() -> None:
    gold = ["my dog", "my cat", "my cat", ""]
    empty_last, full_last = ["", "fox", "bus", ""], ["dog", "fox", "bus", ""]
    # two wrong but non-empty answers count as empty because the last similar answer was: precision 1/4 instead of 1/2
    assert reccon_span(gold, empty_last, compat="reccon").details["f1_neg"] == pytest.approx(2 * 0.25 / 1.25)
    assert reccon_span(gold, empty_last).details["f1_neg"] == pytest.approx(2 * 0.5 / 1.5)
    assert reccon_span(gold, full_last, compat="reccon").details["f1_neg"] == 1


# --- entailment -------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("01"), st.sampled_from("01")), min_size=1, max_size=20))
@settings(max_examples=100)
def test_entailment_is_sklearns_macro_f1(items: list[tuple[str, str]]) -> None:
    gold, predicted = map(list, zip(*items, strict=True))
    statistic = reccon_entailment.statistic(gold, predicted)
    assert statistic.value() == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
    negative, positive = f1_score(gold, predicted, average=None, labels=["0", "1"], zero_division=0)
    assert (statistic.details["pos_f1"], statistic.details["neg_f1"]) == (
        pytest.approx(positive),
        pytest.approx(negative),
    )
    assert reccon_entailment.statistic(gold, gold).value() == 1


def test_entailment_edge_cases() -> None:
    result = reccon_entailment([1, 0, 1, 0], [1, None, 0.0, "0"])
    assert result.details["pos_f1"] == pytest.approx(2 / 3) and result.details["neg_f1"] == pytest.approx(1 / 2)
    assert result.controls["majority"] is not None and result.unreadable == 0.25
    with pytest.raises(Malformed, match="answer 1 is 'yes', not 0 or 1"):
        reccon_entailment([1], ["yes"])


# --- files ------------------------------------------------------------------------------------------------------------


def test_squad_records_are_read_and_others_refused() -> None:
    questions: list[dict[str, Any]] = [
        {
            "id": "d_span_1",
            "is_impossible": False,
            "question": "?",
            "answers": [{"text": "so late", "answer_start": 0}],
        },
        {"id": "d_impossible_2", "is_impossible": True, "question": "?", "answers": [{"text": NO_ANSWER}]},
        {"id": 3, "is_impossible": False, "question": "?", "answers": []},
    ]
    assert squad_items([{"context": "…", "qas": questions}]) == [
        ("d_span_1", "so late"),
        ("d_impossible_2", ""),
        ("3", ""),
    ]
    for broken in ({"context": "…"}, {"qas": [{"id": 1}]}, {"qas": 3}, "text"):
        with pytest.raises(Malformed, match="record 1 is no SQuAD record"):
            squad_items([broken])  # type: ignore[list-item]


def _corpus() -> Path:
    folder = os.environ.get("AFFECTLLM_CORPORA", "")
    if not folder or not (folder_of_data := Path(folder) / "reccon" / "data").is_dir():
        pytest.skip("AFFECTLLM_CORPORA has no reccon")
    return folder_of_data


def test_real_spans_and_their_controls() -> None:
    paths = sorted(_corpus().glob("subtask1/fold1/*_qa_*.json"))
    assert paths
    for path in paths:
        records = json.loads(path.read_text(encoding="utf-8"))
        ids, gold = map(list, zip(*squad_items(records), strict=True))
        assert Counter("impossible" in name for name in ids) == Counter(not answer for answer in gold)
        assert {question["answers"][0]["text"] for record in records for question in record["qas"]} >= {NO_ANSWER}
        assert float(reccon_span(gold, gold)) == 1
        never = reccon_span(gold, [""] * len(gold))
        assert never.value == pytest.approx(gold.count("") / len(gold)) and never.details["em_pos"] == 0
        answers = [re.sub(r"^\S+ ?", "", answer) for answer in gold]  # the first word left out
        assert 0 < reccon_span(gold, answers, compat="reccon").details["f1_pos"] < 1


def test_real_entailment() -> None:
    paths = sorted(_corpus().glob("subtask2/fold1/*.csv"))
    assert paths
    with paths[0].open(encoding="utf-8", newline="") as file:
        gold = [row["labels"] for row in csv.DictReader(file)]
    assert float(reccon_entailment(gold, gold)) == 1
    assert reccon_entailment(gold, ["0"] * len(gold)).details["pos_f1"] == 0


EMOTIONS = ("anger", "joy", "sadness")
Placed = tuple[int, str, int, int, int]  # turn, emotion, cause, first token and the one behind the last


def _dialogue(draw: random.Random) -> list[Placed]:
    def passage() -> tuple[int, int]:
        first = draw.randrange(8)
        return first, draw.randrange(first + 1, 10)

    return [(draw.randrange(1, 4), draw.choice(EMOTIONS), draw.randrange(1, 3), *passage()) for _ in range(4)]


def _in_words(pairs: list[Placed], mark: str = "") -> list[dict[str, object]]:
    """The pairs with words in place of tokens; each word occurs once in an utterance."""
    return [
        {"turn": t, "emotion": e, "cause": c, "span": mark + " ".join(f"w{n}" for n in range(first, last)) + mark}
        for t, e, c, first, last in pairs
    ]


def _weighted(gold: list[list[Placed]], given: list[list[Placed]], proportional: bool) -> float:
    """Count by places: overlap, length of gold, length of what is given, and gold pairs, of each emotion."""
    share: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    for right, claimed in zip(map(set, gold), map(set, given), strict=True):
        missed = set(right)
        for t, e, c, first, last in claimed:
            share[e][2] += last - first if proportional else 1
            own = [one for one in right if one[:3] == (t, e, c)]
            if not proportional:
                share[e][0] += (t, e, c, first, last) in right
                continue
            best = max(own, key=lambda one: _matched(one, first, last), default=None)
            if best and _matched(best, first, last)[1] > 0:
                share[e][0] += _matched(best, first, last)[1]
                share[e][1] += best[4] - best[3]
                missed.discard(best)
        for one in right:
            share[one[1]][3] += 1
            if not proportional:
                share[one[1]][1] += 1
            elif one in missed:
                share[one[1]][1] += one[4] - one[3]
    total = sum(own[3] for own in share.values())
    return sum(2 * own[0] / (own[1] + own[2]) * own[3] for own in share.values() if own[1] + own[2]) / total


def _matched(one: Placed, first: int, last: int) -> tuple[float, int]:
    overlap = min(one[4], last) - max(one[3], first)
    return overlap / (one[4] - one[3]), overlap


@pytest.mark.parametrize("seed", range(12))
def test_they_are_what_counting_places_gives(seed: int) -> None:
    draw = random.Random(seed)
    gold, given = ([_dialogue(draw) for _ in range(6)] for _ in range(2))
    given[0] = gold[0][:3]
    for metric, proportional in ((pair_f1, False), (pair_proportional_f1, True)):
        value = metric([_in_words(one) for one in gold], [_in_words(one) for one in given], labels=EMOTIONS).value
        assert value == pytest.approx(_weighted(gold, given, proportional))


def test_punctuation_at_the_ends_and_pairs_given_twice_change_nothing() -> None:
    gold = [[(1, "joy", 1, 0, 3)], [(2, "anger", 1, 1, 2)]]
    given = [_in_words(one, mark=" . ") * 2 for one in gold]
    for metric in (pair_f1, pair_proportional_f1):
        assert metric([_in_words(one) for one in gold], given, labels=EMOTIONS).value == 1


def test_micro_f1_counts_all_pairs_together() -> None:
    def pairs(*turns: tuple[int, str, int]) -> list[dict[str, object]]:
        return [{"turn": turn, "emotion": emotion, "cause": cause} for turn, emotion, cause in turns]

    gold = [pairs((1, "joy", 1), (2, "anger", 1), (3, "anger", 1)), pairs((2, "joy", 1))]
    given = [pairs((1, "joy", 1), (2, "anger", 2)), None]
    assert pair_micro_f1(gold, given, labels=EMOTIONS).value == pytest.approx(2 * 1 / (4 + 2))
    assert pair_f1(gold, given, labels=EMOTIONS).value == pytest.approx(2 / 4 * 2 / 3)
    assert pair_micro_f1([[], []], [[], None], labels=EMOTIONS).value == 0.5


def test_half_of_the_words_are_half_right_and_no_strict_hit() -> None:
    gold, given = [_in_words([(1, "joy", 1, 0, 4)])], [_in_words([(1, "joy", 1, 0, 2)])]
    assert pair_f1(gold, given).value == 0
    assert pair_proportional_f1(gold, given).value == pytest.approx(2 * 2 / (4 + 2))


def test_turns_alone_and_dialogues_without_pairs() -> None:
    gold = [[(1, "joy", 1)], []]
    assert pair_f1(gold, [[(1, "joy", 1)], []]).value == 1
    assert pair_f1(gold, [[(1, "joy", 1)], [(2, "joy", 1)]]).value == pytest.approx(2 / 3)
    assert pair_f1([[], []], [[], []]).value == 1 and pair_f1([[], []], [[], None]).value == 0.5
    assert pair_f1(gold, [None, None]).value == 0


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("[]", ()),
        ("none", ()),
        ('```json\n[{"turn": "Turn 3", "emotion": "Happy", "cause": 1, "span": "ring"}]\n```', [(3, "joy", 1, "ring")]),
        ('{"pairs": [{"turn": 2, "emotion": "anger", "cause": 2}]}', [(2, "anger", 2, None)]),
        ('[{"turn": 1, "emotion": "neutral", "cause": 1}]', []),
        ('[{"turn": 1, "emotion": "joy"}]', None),
        ('[{"turn": 1, "emotion": "envy", "cause": 1}]', None),
        ("The first speaker is glad.", None),
    ],
)
def test_answers_are_read_pair_by_pair(text: str, pairs: list[tuple[object, ...]] | None) -> None:
    space = LabelSpace("pairs", "pairs", EMOTIONS, source="test", aliases={"happy": "joy"})
    reading = find_form("pairs").read(text, space, "en")
    if pairs is None:
        assert isinstance(reading, Unreadable)
    else:
        keys = ("turn", "emotion", "cause", "span")
        assert [tuple(pair.get(key) for key in keys) for pair in reading] == list(pairs)
