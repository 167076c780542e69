"""Whether a model beats the shallow one is said from the paired difference, with its interval, on the same items."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from made_run import score, write, write_lines

from affectllm.evaluate.scoring.paired import difference
from affectllm.report.html import render_report
from affectllm.report.runfolder import read_run
from affectllm.report.views import panels

LABELS = ("anger", "joy")
FACTS = {
    **{"space": "toy_2", "form": "choice", "labels": list(LABELS), "metrics": ["uar", "accuracy"]},
    "cluster": "speaker",
}


def evaluation(folder: Path, right: list[bool], *, gold: int = 0, facts: dict[str, Any] = FACTS) -> None:
    """An evaluation of items of twelve speakers, with the files that lm-eval leaves and ours beside them."""
    rows = []
    for number, hit in enumerate(right):
        truth = LABELS[(number + gold) % 2]
        answer = truth if hit else LABELS[(number + gold + 1) % 2]
        doc = {"id": str(number), "corpus": "toy", "speaker": f"s{number % 12}", "dialogue": None, "messages": []}
        row = {"doc_id": number, "doc": {**doc, "gold": truth}, "reading": answer, "unreadable": None}
        rows.append({**row, "filtered_resps": [answer], "filter": "none"})
    write_lines(folder / "samples_toy.jsonl", rows)
    write(folder / "results.json", {"configs": {"toy": {"metadata": {"affectllm": facts}}}})
    write(folder / "sources.json", {"results": "results.json", "samples": {"toy": "samples_toy.jsonl"}})
    share = sum(right) / len(right)
    write(folder / "scores.json", {"toy": {name: score(share, len(right), 0, 0.08) for name in facts["metrics"]}})
    write(folder / "details.json", {"toy": {"corpus": "toy", "cluster": "speaker", "n": len(right), "rejected": {}}})


def run(folder: Path, ours: list[bool], shallow: list[bool], **options: Any) -> Path:
    evaluation(folder / "eval", ours)
    evaluation(folder / "eval" / "reference" / "shallow", shallow, **options)
    return folder


def answers(share: float, seed: int, count: int = 240) -> list[bool]:
    draw = random.Random(seed)
    return [draw.random() < share for _ in range(count)]


def standing(folder: Path) -> Any:
    return panels([read_run(folder)], "toy")[0].rows[0].verdicts[0]


def test_a_small_steady_gain_is_seen_although_the_intervals_overlap(tmp_path: Path) -> None:
    shallow = answers(0.6, 1)
    ours = [hit or number % 12 == number // 12 % 12 for number, hit in enumerate(shallow)]  # never worse
    one = standing(run(tmp_path, ours, shallow))
    assert one.how == "beats" and one.words == "beats shallow" and one.difference.startswith("+0.0")


@pytest.mark.parametrize(
    ("ours", "shallow", "how", "words"),
    [
        (answers(0.4, 1), answers(0.8, 2), "does_not_beat", "does not beat shallow"),
        (answers(0.6, 1), answers(0.6, 2), "untold", "cannot be told from shallow"),
        (answers(0.6, 1), answers(0.6, 1), "does_not_beat", "does not beat shallow"),
        (answers(0.9, 1, 6), answers(0.2, 2, 6), None, None),
    ],
)
def test_the_interval_of_the_difference_decides(
    ours: list[bool], shallow: list[bool], how: str | None, words: str | None, tmp_path: Path
) -> None:
    folder = run(tmp_path, ours, shallow)
    one = standing(folder)
    if how is None:
        assert one.how in ("beats", "untold", "unknown")
        return
    assert (one.how, one.words) == (how, words)
    html = render_report([folder]).read_text()
    assert words in html and one.difference in html


def test_the_difference_is_that_of_the_metric_and_of_a_lower_one_the_lower_is_better(tmp_path: Path) -> None:
    folder = run(tmp_path, answers(0.7, 1), answers(0.5, 2))
    result = difference(folder / "eval", folder / "eval" / "reference" / "shallow", "toy", "accuracy")
    assert result is not None
    assert result.value == pytest.approx((sum(answers(0.7, 1)) - sum(answers(0.5, 2))) / 240)
    assert result.low is not None and result.low <= result.value
    from affectllm.report.display import verdict

    assert verdict(-0.3, -0.1, "lower") == "beats" and verdict(0.1, 0.3, "lower") == "does_not_beat"


def test_other_items_are_not_paired(tmp_path: Path) -> None:
    folder = run(tmp_path, answers(0.9, 1), answers(0.2, 2), gold=1)
    assert difference(folder / "eval", folder / "eval" / "reference" / "shallow", "toy", "uar") is None
    fewer = run(tmp_path / "fewer", answers(0.9, 1), answers(0.2, 2, 120))
    assert standing(fewer).how == "other_items"
    assert difference(fewer / "eval", tmp_path / "nowhere", "toy", "uar") is None


def test_the_human_ceiling_is_drawn_beside_and_is_no_rival(tmp_path: Path) -> None:
    folder = run(tmp_path, answers(0.6, 1), answers(0.5, 2))
    human = folder / "eval" / "reference" / "human"
    evaluation(human, answers(0.8, 3))
    details = json.loads((human / "details.json").read_text())
    details["toy"]["human"] = {"ratings": 720, "items": 240, "raters": 3, "unused": {"others_tie": 4}}
    write(human / "details.json", details)
    rows = panels([read_run(folder)], "toy")[0].rows
    assert [one.name for one in rows[0].verdicts] == ["shallow"]
    assert "human" in [row.label for row in rows]
    html = render_report([folder]).read_text()
    assert "720 ratings of 240 items by 3 raters" in html and "others_tie 4" in html
