"""`affectllm empathy` on what evaluations have logged: items are joined, dialogue and emotion come from the corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.roots import Roots
from affectllm.empathy.evaluated import read_evaluations
from affectllm.empathy.replies_page import read_empathy
from affectllm.errors import Malformed


def evaluated(folder: Path, task: str, *docs: dict[str, Any]) -> None:
    """What `affectllm eval --output_path` leaves of one task."""
    folder.mkdir()
    name = f"samples_{task}_2026-01-01T00-00-00.000000.jsonl"
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in docs))
    (folder / "scores.json").write_text(json.dumps({task: {}}))
    (folder / "sources.json").write_text(json.dumps({"samples": {task: name}}))


def logged(corpus: str, item: str, gold: Any, reply: str, reading: Any = None) -> dict[str, Any]:
    doc = {"id": item, "corpus": corpus, "messages": [], "gold": gold}
    return {"doc": doc, "filtered_resps": [reply], "reading": reply if reading is None else reading}


@pytest.fixture
def dialogues(tmp_path: Path) -> Path:
    """Two systems on the small EmpatheticDialogues; one of them was asked once more."""
    (tmp_path / "replies.yaml").write_text(
        "evaluations: {plain: plain, hef: hef}\nmetrics: [bleu_1]\n"
        "emotion: {space: empathetic_dialogues_32, rater: speaker}\n"
    )
    for system, items in (("plain", (2, 4)), ("hef", (4,))):
        docs = [
            logged("empathetic_dialogues", f"train/hit:0_conv:1/{n}", "Where has she gone?", f"{system} {n}?")
            for n in items
        ]
        evaluated(tmp_path / system, "empathetic_dialogues_reply", *docs)
    return materialise(load_builder("empathetic_dialogues").MINIATURE, tmp_path / "ed")


def test_replies_of_two_evaluations_are_joined_by_item(dialogues: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = dialogues.parent
    roots = Roots({"empathetic_dialogues": dialogues})
    (row,) = read_evaluations(read_empathy(folder / "replies.yaml"), folder, roots).rows
    assert row.context.splitlines() == [
        "speaker: I remember the fireworks.",
        'listener: Was this a "friend", or more?',
        "A best friend.",
    ]
    assert (row.reference, row.emotion, row.cluster) == ("Where has she gone?", "sentimental", "train/hit:0_conv:1")
    assert row.replies == {"plain": "plain 4?", "hef": "hef 4?"}
    words = ["empathy", str(folder / "replies.yaml"), "--root", f"empathetic_dialogues={dialogues}"]
    assert main([*words, "--out", str(folder / "run")]) == 0
    assert "1 items were asked of some systems alone" in capsys.readouterr().out
    assert set(json.loads((folder / "run/scores.json").read_text())["systems"]) == {"plain", "hef"}


def test_the_reply_of_a_chain_is_one_of_its_slots(tmp_path: Path) -> None:
    root = materialise(load_builder("avamerg").MINIATURE, tmp_path / "avamerg")
    gold = {"emotion": "proud", "reply": "How wonderful!"}
    said = {"emotion": "joyful", "reply": "Well done!"}
    evaluated(tmp_path / "ours", "avamerg_chain", logged("avamerg", "train/00001/0", gold, "1. … 5. Well done!", said))
    (tmp_path / "page.yaml").write_text("evaluations: {ours: ours}\n")
    (row,) = read_evaluations(read_empathy(tmp_path / "page.yaml"), tmp_path, Roots({"avamerg": root})).rows
    assert (row.reference, row.emotion, row.replies) == ("How wonderful!", "proud", {"ours": "Well done!"})


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("evaluations: {a: plain}\ntable: t.csv", "either table: or evaluations:"),
        ("description: nothing", "either table: or evaluations:"),
        ("evaluations: {a: plain}\nsystems: {a: b}", "those of a table"),
        ("evaluations: {a: plain}\nemotion: {space: x}", "has space: and rater:"),
        ("evaluations: {a: nowhere}", "has no scores"),
        ("evaluations: {a: plain}\ntasks: {a: other}", "no logged replies to other"),
    ],
)
def test_evaluations_that_cannot_be_joined_are_told(dialogues: Path, lines: str, message: str) -> None:
    page = dialogues.parent / "wrong.yaml"
    page.write_text(lines + "\n")
    with pytest.raises(Malformed, match=message):
        read_evaluations(read_empathy(page), page.parent, Roots({"empathetic_dialogues": dialogues}))
