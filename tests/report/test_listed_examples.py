"""The list of all examples beside a report: what its files hold, and that no text in them becomes a program."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from logged_run import HOSTILE, LABELS, TASK, logged, make_logged

from affectllm.labels.pictures import matrix, of_dimension, to_json
from affectllm.report.explorer import index as indices
from affectllm.report.explorer.columns import Answered, slot_of
from affectllm.report.html import render_report
from affectllm.report.replies import read_replies


def values(path: Path) -> Any:
    """What a data file hands to the page: the file is one call, in ASCII, without a mark that could end a script."""
    text = path.read_text(encoding="ascii")
    call = re.fullmatch(r"affectllmExamples\((.*)\);\n", text)
    assert call is not None and "<" not in text
    return json.loads(call[1])


def test_every_example_is_listed_and_said_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indices, "CHUNK", 16)
    rows = logged(40, text=HOSTILE)
    page = render_report([make_logged(tmp_path / "run", rows)])
    folder = page.with_suffix("") / "examples" / "0"
    assert {path.name for path in folder.iterdir()} == {"index.js", "0.js", "1.js", "2.js"}
    index = values(folder / "index.js")
    assert index["ids"] == [row["doc"]["id"] for row in rows] and index["count"] == 40
    gold = index["gold"]
    assert [gold["values"][number] for number in gold["rows"]] == [row["doc"]["gold"] for row in rows]
    (answers,) = index["answers"]
    right = [row["reading"] == row["doc"]["gold"] for row in rows]
    unread = [row["reading"] is None for row in rows]
    assert answers["outcomes"] == "".join("2" if no else "01"[not yes] for yes, no in zip(right, unread, strict=True))
    facts = dict(index["facts"])
    assert [facts["sex"]["values"][n] for n in facts["sex"]["rows"]] == [row["doc"]["about"]["sex"] for row in rows]
    assert set(facts) == {"speaker", "sex", "level"}, "what all have alike, lengths and long texts are no choice"
    chunks = [values(folder / f"{number}.js") for number in range(3)]
    told = [(chunk["texts"], row) for chunk in chunks for row in chunk["rows"]]
    assert [texts[row[4][0][0]] for texts, row in told] == [row["filtered_resps"][0] for row in rows]
    assert all(HOSTILE in texts[row[0][0][1][1]] for texts, row in told), "what was asked"


def test_no_text_of_an_example_becomes_markup_or_a_script_of_the_page(tmp_path: Path) -> None:
    page = render_report([make_logged(tmp_path / "run", logged(40, text=HOSTILE))])
    html = page.read_text(encoding="utf-8")
    assert html.count("<script>") == 1 and "<script>document.title" not in html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None and "'unsafe-inline'" not in policy[1].partition("script-src")[2].partition(";")[0]


def test_an_earlier_report_leaves_no_example_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indices, "CHUNK", 4)
    folder = render_report([make_logged(tmp_path / "run", logged(40))]).with_suffix("") / "examples"
    (tmp_path / "run" / "report" / ".examples.part").mkdir()
    make_logged(tmp_path / "run", logged(8))
    render_report([tmp_path / "run"])
    assert {path.name for path in (folder / "0").iterdir()} == {"index.js", "0.js", "1.js"}
    assert not (folder.parent / ".examples.part").exists()


def test_runs_are_joined_by_question_and_one_that_was_not_asked_says_nothing(tmp_path: Path) -> None:
    rows = logged(30)
    other = [{**row, "reading": "joy"} for row in reversed(rows[:20])]
    page = render_report([make_logged(tmp_path / "one", rows), make_logged(tmp_path / "two", other)], tmp_path / "out")
    index = values(page.with_suffix("") / "examples" / "0" / "index.js")
    _, second = index["answers"]
    assert second["outcomes"][20:] == "-" * 10
    assert [second["values"][number] for number in second["rows"][:20]] == ["joy"] * 20


def test_every_count_of_the_tables_leads_to_its_examples(tmp_path: Path) -> None:
    rows = logged(60)
    html = render_report([make_logged(tmp_path / "run", rows)]).read_text(encoding="utf-8")
    links = {
        (href, int(count)) for href, count in re.findall(r'<a href="(#examples[^"]*)"[^>]*><data[^>]*>(\d+)<', html)
    }
    for href, count in links:
        asked = {key: one for key, (one,) in parse_qs(href.partition("?")[2].replace("&amp;", "&")).items()}
        given = None if asked["given"] == " unreadable" else asked["given"]
        matching = [r for r in rows if r["doc"]["gold"] == asked["right"] and r["reading"] == given]
        assert asked["task"] == TASK and len(matching) == count
    assert len(links) == sum(
        any(r["doc"]["gold"] == gold and r["reading"] == given for r in rows)
        for gold in LABELS
        for given in (*LABELS, None)
    )
    for needed in ("reason=no_label", "is%3Asex=female", "speaker=s3", "outcome=wrong"):
        assert needed in html


def test_what_was_asked_is_what_the_model_got(tmp_path: Path) -> None:
    rows = logged(3)
    shots = [{"role": "system", "content": "Be brief."}, *rows[0]["doc"]["messages"]]
    rows[0]["arguments"] = {"gen_args_0": {"arg_0": "…", "arg_1": {}, "arg_2": {"messages": shots}}}
    rows[1]["arguments"] = {"gen_args_0": {"arg_0": "<|user|>Which mood is number 1?", "arg_1": {}}}
    rows[2]["arguments"] = {"gen_args_0": {"arg_0": "Which mood is number 2?", "arg_1": {}}}
    folder = make_logged(tmp_path / "run", rows)
    first, second, third = read_replies(folder / f"samples_{TASK}.jsonl", labelled=True)
    assert [message["role"] for message in first.messages] == ["system", "user"] and first.prompt is None
    assert second.prompt == "<|user|>Which mood is number 1?" and third.prompt is None


@pytest.mark.parametrize(
    ("gold", "slot"),
    [
        ("joy", ""),
        (["joy"], ""),
        ({"valence": 0.2, "mood": "joy"}, "mood"),
        ({"why": "rain", "moods": ["joy"]}, "moods"),
    ],
)
def test_the_labels_of_an_answer_are_those_of_the_slot_that_has_them(gold: Any, slot: str) -> None:
    assert slot_of(gold, LABELS) == slot
    column = Answered(LABELS, slot)
    column.add(gold)
    column.add(None)
    assert column.to_json()["labels"] == [[1]] and column.to_json()["rows"] == [0, -1]


def test_the_cells_of_a_dimension_lead_to_its_examples_and_those_of_other_matrices_nowhere(tmp_path: Path) -> None:
    rows = logged(24)
    for number, row in enumerate(rows):
        row["doc"]["gold"] = {"valence": float(number % 3), "arousal": 1.0}
        row["reading"] = row["reading"] and {"valence": float(number // 2 % 3), "arousal": 1.0}
    golds, readings = [row["doc"]["gold"] for row in rows], [row["reading"] for row in rows]
    pairs = of_dimension(golds, readings, "valence")
    pictures = [to_json(matrix(title, pairs, range(3), "unreadable")) for title in ("valence", "Words of an item")]
    folder = make_logged(tmp_path / "run", rows, pictures=[{"slot": "", **one} for one in pictures], labelled=False)
    (folder / "results.json").write_text('{"configs": {}}', encoding="utf-8")  # its metric is of labels
    details = json.loads((folder / "details.json").read_text(encoding="utf-8"))
    for key in ("confusion", "per_class"):
        del details[TASK][key]
    (folder / "details.json").write_text(json.dumps(details), encoding="utf-8")
    html = render_report([folder]).read_text(encoding="utf-8")
    links = re.findall(r'<a href="(#examples[^"]*)"[^>]*><data[^>]*>(\d+)<', html)
    assert sum(int(count) for _, count in links) == 24, "the other matrix has no links"
    index = values(folder / "report" / "examples" / "0" / "index.js")
    parts = {
        key: [dict(part) for part in own["parts"]]
        for key, own in (("right", index["gold"]), ("given", index["answers"][0]))
    }
    for href, count in links:
        asked = {key: one for key, (one,) in parse_qs(href.partition("?")[2].replace("&amp;", "&")).items()}
        given = None if asked["part-given"] == " unreadable" else asked["part-given"]
        listed = [
            (parts["right"][right]["valence"], parts["given"][other]["valence"] if other >= 0 else None)
            for right, other in zip(index["gold"]["rows"], index["answers"][0]["rows"], strict=True)
        ]
        assert asked["part"] == "valence" and listed.count((asked["part-right"], given)) == int(count)


def test_the_replies_that_voted_are_shown(tmp_path: Path) -> None:
    rows = logged(1)
    rows[0]["filtered_resps"] = [["joy", "fear", "joy"]]
    (reply,) = read_replies(make_logged(tmp_path / "run", rows) / f"samples_{TASK}.jsonl", labelled=True)
    assert reply.text == "joy\nfear\njoy" and reply.likelihoods == {}
