"""`affectllm empathy`: a judge in both orders and several runs, known for its whims; words and emotions beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from judging import Answer, said, served, words_of

from affectllm.cli import main
from affectllm.empathy.replies import markdown
from affectllm.empathy.replies_page import read_empathy
from affectllm.errors import Malformed

ROWS = [
    {"id": f"d{n}", "context": f"I lost my job {n} days ago.", "reference": "I am so sorry, that is hard.",
     "ours": "I am so sorry, how hard that is.", "theirs": "Fine weather today.", "none": None}
    for n in range(8)
]  # fmt: skip


def fair(request: dict[str, Any]) -> tuple[int, bytes]:
    """Likes sorrow, wherever it stands."""
    words = words_of(request)
    if "Reply 1" not in words:
        return said(json.dumps({"score": 5 if "sorry" in words else 2, "reason": "so"}))
    first, second = re.findall(r"Reply [12]:\n<<<\n(.*)\n>>>", words)
    liked = ("sorry" in first) - ("sorry" in second)
    return said(json.dumps({"score": {1: 1, 0: 0, -1: 2}[liked], "reason": "so"}))


def first_place(request: dict[str, Any]) -> tuple[int, bytes]:
    """Likes what it reads first."""
    return said(json.dumps({"score": 1 if "Reply 1" in words_of(request) else 3, "reason": "so"}))


def scored(folder: Path, judge: Answer, runs: int = 3) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    (folder / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    with served(judge) as server:
        (folder / "page.yaml").write_text(
            f"table: replies.jsonl\nsystems: {{ours: ours, theirs: theirs}}\nmetrics: [bleu_1, distinct_2, rouge_l]\n"
            f"judge: {{url: '{server.url}', model: m, runs: {runs}, store: kept.jsonl}}\n"
        )
        assert main(["empathy", str(folder / "page.yaml"), "--out", str(folder / "run")]) == 0
        return json.loads((folder / "run/scores.json").read_text()), server.asked


def test_a_fair_judge_is_asked_in_both_orders_and_several_times(tmp_path: Path) -> None:
    result, asked = scored(tmp_path, fair)
    pair = result["pairs"]["ours over theirs"]
    assert pair["value"] == 1 and pair["same_in_both_orders"] == 1 and pair["first_place"] == 0.5
    assert pair["low"] is not None and pair["n"] == 8
    ours, theirs = (result["systems"][name] for name in ("ours", "theirs"))
    assert ours["empathy_judge"]["value"] == 5 and theirs["empathy_judge"]["value"] == 2
    assert ours["empathy_judge"]["runs"] == [5, 5, 5]
    assert ours["bleu_1"]["value"] > theirs["bleu_1"]["value"]
    assert len(asked) == 3 * (8 * 2 + 8 * 2)  # runs × (two systems, and one pair in two orders)
    assert {one.get("seed") for one in asked} == {None, 1, 2}


def test_a_judge_that_likes_a_place_decides_nothing(tmp_path: Path) -> None:
    pair = scored(tmp_path, first_place)[0]["pairs"]["ours over theirs"]
    assert pair["value"] == 0.5 and pair["same_in_both_orders"] == 0 and pair["first_place"] == 1


def test_verdicts_are_kept_and_not_asked_for_twice(tmp_path: Path) -> None:
    first, asked = scored(tmp_path, fair, runs=2)
    kept = (tmp_path / "kept.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "kept.jsonl").write_bytes(b"".join(kept[:-3]) + kept[-3][:15])  # killed while it wrote
    again, second = scored(tmp_path, fair, runs=2)
    assert again == first and len(second) == 3 < len(asked)


def test_what_the_judge_does_not_decide_is_counted_and_no_tie(tmp_path: Path) -> None:
    def wavers(request: dict[str, Any]) -> tuple[int, bytes]:
        return said("both are fine in their way") if "Reply 1" in words_of(request) else fair(request)

    pair = scored(tmp_path, wavers, runs=1)[0]["pairs"]["ours over theirs"]
    assert pair["undefined"] == "no pair was judged" and pair["failures"] == {"no_number": 16}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("metrics: [accuracy]", "'accuracy' is no metric of texts"),
        ("judge: {model: m}", "path: or url:"),
        ("columns: {contxt: a}", "'contxt' is no role"),
        ("judge: {url: 'http://localhost:9', model: m, temperature: -1.0}", "a temperature is 0 or more"),
        ("judge: {url: 'http://localhost:9', model: m, temperature: .nan}", "a temperature is 0 or more"),
    ],
)
def test_a_wrong_page_is_refused_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "page.yaml").write_text(f"table: t.csv\nsystems: {{a: b}}\n{line}\n")
    with pytest.raises(Malformed, match=message) as error:
        read_empathy(tmp_path / "page.yaml")
    assert "page.yaml:3" in str(error.value)


def test_a_judge_that_nobody_reaches_ends_no_run_and_is_asked_again(tmp_path: Path, capsys) -> None:
    def lost(request: dict[str, Any]) -> tuple[int, bytes]:
        return (400, b"") if "3 days" in words_of(request) else fair(request)

    (tmp_path / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    words = ["empathy", str(tmp_path / "page.yaml"), "--out", str(tmp_path / "run")]
    for judge, status in ((lost, 2), (fair, 0)):
        with served(judge) as server:
            (tmp_path / "page.yaml").write_text(
                "table: replies.jsonl\nsystems: {ours: ours, theirs: theirs}\n"
                f"judge: {{url: '{server.url}', model: m, runs: 1, store: kept.jsonl}}\n"
            )
            assert main(words) == status
            count = len(server.asked)
        if status:
            assert "questions unanswered: http_400" in capsys.readouterr().err
            assert not (tmp_path / "run/scores.json").exists()
    assert 0 < count < 8 * 2 + 8 * 2, "what was answered is kept"
    assert json.loads((tmp_path / "run/scores.json").read_text())["systems"]["ours"]["empathy_judge"]["n"] == 8


def test_what_a_judge_says_without_a_score_is_counted_beside_the_scores(tmp_path: Path) -> None:
    def vague(request: dict[str, Any]) -> tuple[int, bytes]:
        return said("hard to say") if "3 days" in words_of(request) else fair(request)

    result, _ = scored(tmp_path, vague, runs=1)
    assert result["systems"]["ours"]["empathy_judge"]["n"] == 7
    table = (tmp_path / "run/scores.md").read_text(encoding="utf-8")
    assert "Not judged, and in no value:" in table and "- theirs, Empathy judge: 12 % no_number" in table


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        ([*ROWS, ROWS[2]], "", r"replies.jsonl:9: the id 'd2' is there before, in replies.jsonl:3"),
        (None, "", r"there is no file replies.jsonl"),
        (ROWS, "judge: {path: gone}", r"there is no folder of a model at .*gone"),
        (ROWS, "classifier: gone", r"there is no folder of a model at .*gone"),
    ],
)
def test_what_is_there_twice_or_nowhere_is_told(tmp_path: Path, capsys, rows: Any, more: str, message: str) -> None:
    if rows:
        (tmp_path / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "page.yaml").write_text(f"table: replies.jsonl\nsystems: {{ours: ours}}\n{more}\n")
    assert main(["empathy", str(tmp_path / "page.yaml"), "--out", str(tmp_path / "run")]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_names_of_systems_are_words_in_markdown() -> None:
    score = {"value": 3.0, "low": 1.0, "high": 4.0, "n": 2}
    text = markdown({"description": "", "systems": {"<i>|one": {"bleu_1": score}}, "pairs": {}, "left_out": 0})
    assert "| &lt;i&gt;\\|one | BLEU-1 | 3.000 | [1.000, 4.000] | 2 |" in text
