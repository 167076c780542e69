"""The human ceiling: each rater in turn is held against the others, by the rule of the corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluating import real_corpora, use

from affectllm import registry
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Tone, materialise
from affectllm.corpus.panel import Panel, agreed, chosen_by, majority, mean
from affectllm.errors import AffectError
from affectllm.evaluate.environment import HUMAN
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.left_out import without_ceiling
from affectllm.evaluate.models.reference import HumanLM
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.labels import Annotation
from affectllm.metrics.core.metric import find_metric
from affectllm.metrics.core.over_raters import mean_over_raters

VOICE = "crema_d_emotion_voice"
NAMES = "ADFHNS"


def crema_d(folder: Path, votes: dict[str, tuple[int, ...]]) -> Path:
    """Clips of two test actors with votes: anger, disgust, fear, happiness, neutral, sadness."""
    miniature = load_builder("crema_d").MINIATURE
    header = str(miniature["processedResults/tabulatedVotes.csv"]).splitlines()[0]
    rows = [header]
    for number, (name, counts) in enumerate(votes.items()):
        best = ":".join(letter for letter, count in zip(NAMES, counts, strict=True) if count == max(counts))
        cells = ",".join(map(str, counts))
        rows.append(f'"1{number:05}",{cells},"{name}",{sum(counts)},0.5,"{best}",60,{",".join(["50"] * 6)}')
    listed = "\n".join(f'{number},"{name}"' for number, name in enumerate(votes))
    files: dict[str, Any] = {
        "SentenceFilenames.csv": f'"Stimulus_Number","Filename"\n{listed}\n',
        "processedResults/tabulatedVotes.csv": "\n".join(rows) + "\n",
        **{f"AudioWAV/{name}.wav": Tone(0.1) for name in votes},
    }
    return materialise(files, folder)


def loaded(name: str) -> AffectTask:
    task: AffectTask = AffectTaskManager().load([name])["tasks"][name]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    return task


VOTES = {
    "1002_DFA_ANG_XX": (3, 1, 0, 0, 0, 0),  # all four are scored: one against A, three for it
    "1002_IEO_HAP_LO": (2, 1, 0, 0, 0, 0),  # without an A, A and D tie: only the D is scored
    "1002_TIE_SAD_HI": (0, 0, 0, 0, 0, 1),  # nobody else
    "1002_MTI_SAD_XX": (2, 2, 0, 0, 0, 0),  # a tie is not asked at all
}


def test_counted_votes_are_held_against_the_majority_of_the_others(tmp_path: Path, monkeypatch: Any) -> None:
    use(monkeypatch, {"crema_d": crema_d(tmp_path, VOTES)})
    monkeypatch.setenv(HUMAN, "1")
    task = loaded(VOICE)
    pairs = [(one["id"], one["gold"], one["human"]) for one in task.task_docs]
    assert sorted(pairs) == [
        *[("1002_DFA_ANG_XX", "anger", "anger")] * 3,
        ("1002_DFA_ANG_XX", "anger", "disgust"),
        ("1002_IEO_HAP_LO", "anger", "disgust"),
    ]
    assert {one.reason for one in task.rejected} >= {"one_rating", "tie"}
    assert task.unused_ratings == {"others_tie": 2, "no_other_rating": 1}
    assert HumanLM().generate_until(task.instances) == [one["human"] for one in task.task_docs]


def test_the_command_scores_them_and_says_on_how_many_ratings(tmp_path: Path, monkeypatch: Any) -> None:
    use(monkeypatch, {})
    many = {
        f"10{actor:02}_{sentence}_ANG_XX": (7 + actor % 3, 2, 0, 0, 1, 0)
        for actor in (2, 15, 20)
        for sentence in ("DFA", "IEO", "MTI")
    }
    root = crema_d(tmp_path / "corpus", many)
    out = tmp_path / "out"
    command = ["--model", "affectllm-human", "--tasks", VOICE, "--root", f"crema_d={root}", "--output_path", str(out)]
    scores = lm_eval_main(command)[VOICE]
    details = json.loads((out / "details.json").read_text())[VOICE]
    asked = details["human"]
    assert asked["ratings"] == scores["accuracy"]["n"] == details["n"] > asked["items"] > 0
    assert asked["raters"] == 0, "votes are counted, and nobody knows whose they are"
    names = [name for name in many if name.startswith(("1002", "1015", "1020"))]
    right, total = sum(max(many[name]) for name in names), sum(sum(many[name]) for name in names)
    if asked["items"] == len(names):  # every one of these actors is in the test split
        assert scores["accuracy"]["value"] == pytest.approx(right / total)


PAGE = """task: readers
class: !function affectllm.evaluate.task.AffectTask
corpus: wrime
split: test
template: sentiment_score
gold: {space: wrime_sentiment, rater: readers_mean}
modalities: [text]
metrics: [mae]
metadata: {version: 1}
"""


@pytest.fixture
def wrime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Posts of version 2 with the sentiments of three readers, and a task of their rounded mean."""
    from affectllm.data_builders.text import wrime as builder

    rows = [builder._HEADER_2.rstrip("\n")]
    for number, (one, two, three) in enumerate([(2, 1, 0), (-1, -1, 2), (0, 0, 0)]):
        row = builder._ROW.format(f"文 {number}", number, "test", 0).rstrip("\n")
        rows.append(f"{row}\t0\t{one}\t{two}\t{three}\t{round((one + two + three) / 3)}")
    root = materialise({"wrime-ver2.tsv": "\n".join(rows) + "\n"}, tmp_path / "wrime")
    (tmp_path / "local" / "eval_tasks").mkdir(parents=True)
    (tmp_path / "local" / "eval_tasks" / "readers.yaml").write_text(PAGE)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "local"))
    use(monkeypatch, {"wrime": root})
    yield


def test_named_raters_are_held_against_the_rule_of_the_others(wrime: None, monkeypatch: Any) -> None:
    monkeypatch.setenv(HUMAN, "1")
    task = loaded("readers")
    first = {one["rater"]: (one["gold"], one["human"]) for one in task.task_docs[:3]}
    # The released means are whole: of 1 and 0 that is 0, as Python rounds to even.
    golds = {rater: gold["sentiment"] for rater, (gold, _) in first.items()}
    assert golds == {"reader_1": 0.0, "reader_2": 1.0, "reader_3": 2.0}
    errors = [abs(task.process_results(one, [one["human"]])["mae"][1]["sentiment"] - one["gold"]["sentiment"])
              for one in task.task_docs]  # fmt: skip
    assert errors == [2, 0, 2, 1, 1, 3, 0, 0, 0]


def test_the_score_is_the_mean_over_raters_by_their_ratings() -> None:
    gold = ["a", "a", "b", "b", "a", "b"]
    answers = ["a", "a", "b", "a", "b", None]
    raters = ["one", "one", "one", "one", "two", "two"]
    score = mean_over_raters(find_metric("accuracy"), gold, answers, raters, [0, 1, 2, 3, 0, 1], labels=["a", "b"])
    assert score["value"] == pytest.approx((4 * 0.75 + 2 * 0.0) / 6)
    assert (score["n"], score["clusters"], score["unreadable"]) == (6, 4, pytest.approx(1 / 6))
    uar = mean_over_raters(find_metric("uar"), gold, answers, raters, [0, 1, 2, 3, 0, 1], labels=["a", "b"])
    assert uar["value"] == pytest.approx((4 * (1 + 0.5) / 2 + 2 * 0.0) / 6), "a mean of values, not one pooled table"


def test_its_interval_resamples_items_and_covers_as_it_should() -> None:
    draw, covered = np.random.default_rng(0), 0
    for _ in range(12):
        truth = draw.normal(size=60)
        noisy = [truth + draw.normal(size=60) for _ in range(2)]
        gold = [str(value > 0) for value in truth] * 2
        answers = [str(value > 0) for one in noisy for value in one]
        raters = [str(rater) for rater in range(2) for _ in range(60)]
        score = mean_over_raters(find_metric("accuracy"), gold, answers, raters, [*range(60)] * 2)
        assert score["low"] is not None and score["high"] is not None
        covered += score["low"] <= 0.75 <= score["high"]  # of two signs of normal numbers that correlate by 1/√2
    assert covered >= 10


def test_a_metric_that_is_no_function_of_sums_is_averaged_too() -> None:
    gold, answers = [1.0, 2.0, 3.0, 4.0] * 2, [1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0]
    raters = ["one"] * 4 + ["two"] * 4
    score = mean_over_raters(find_metric("spearman"), gold, answers, raters, [*range(4)] * 2)
    assert score["value"] == pytest.approx(0.0) and score["low"] is None


def test_a_corpus_of_one_rater_says_that_there_is_no_ceiling(tmp_path: Path, monkeypatch: Any) -> None:
    use(monkeypatch, {"emodb": materialise({"wav/03a01Fa.wav": Tone(0.1), "wav/14a01Wa.wav": Tone(0.1)}, tmp_path)})
    assert "no human ceiling" in loaded("emodb_emotion").facts()["no_ceiling"]
    monkeypatch.setenv(HUMAN, "1")
    with pytest.raises(AffectError, match=r"emodb_emotion: .* one answer an item"):
        loaded("emodb_emotion")
    reasons = without_ceiling(["crema_d_emotion", "emodb_emotion", "reccon_spans"])
    assert set(reasons) == {"crema_d_emotion_acted", "emodb_emotion", "reccon_spans"}


def test_it_answers_only_documents_of_raters(tmp_path: Path, monkeypatch: Any) -> None:
    use(monkeypatch, {"emodb": materialise({"wav/14a01Wa.wav": Tone(0.1)}, tmp_path)})
    with pytest.raises(AffectError, match="affectllm eval"):
        HumanLM().generate_until(loaded("emodb_emotion").instances)


def test_rules_by_hand() -> None:
    assert majority(["a", "b", "a"]) == "a" and majority(["b", "a"]) == ("a", "b")
    assert majority([("a", "b"), ("b",)]) == "b"
    assert agreed(0.6)(["a"] * 6 + ["b"] * 4) == "a" and agreed(0.6)(["a"] * 5 + ["b"] * 4) is None
    assert mean([{"v": 1.0, "a": 2.0}, {"v": 2.0}]) == {"v": 1.5, "a": 2.0}
    assert chosen_by(2)([("a", "b"), ("b",), ()]) == ("b",)


def test_weights_that_count_nobody_are_no_ratings() -> None:
    sample = Sample("x", "c", "test", (Annotation("votes", "crowd", {"a": 0.5, "b": 0.5}),), "x")
    assert Panel("s", "crowd", majority, votes="crowd", ratings="votes").of_sample(sample) == []


PANELS = [name for name in registry.names("data_builders") if load_builder(name).CARD.panels]


def agreement(name: str, root: Path) -> list[bool]:
    """Whether the rule makes of all ratings what the release says, sample by sample."""
    same = []
    for sample in load_builder(name).samples(root):
        for panel in load_builder(name).CARD.panels if isinstance(sample, Sample) else ():
            answer, ratings = sample.annotation(panel.space, panel.rater), panel.of_sample(sample)
            if len(ratings) > 1 and answer is not None:
                ours = panel.rule([one.value for one in ratings])
                same.append(_alike(ours, answer.value))
    return same


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(abs(one[name] - number) < 0.01 for name, number in other.items() if name in one)
    return (sorted(one) == sorted(other)) if isinstance(one, tuple) else one == other


@pytest.mark.parametrize("name", PANELS)
def test_panels_name_what_the_card_declares(name: str) -> None:
    card = load_builder(name).CARD
    for panel in card.panels:
        assert {panel.space, panel.ratings or panel.space} <= {space.name for space in card.spaces}
        assert {panel.rater, *panel.of, *filter(None, [panel.votes])} <= set(card.raters)
        assert bool(panel.of) != bool(panel.votes)


@pytest.mark.parametrize("name", ["crema_d", "ferplus"])
@pytest.mark.thorough
def test_the_rules_are_those_of_the_real_release(name: str) -> None:
    same = agreement(name, real_corpora() / name)
    assert len(same) > 1000 and all(same)
