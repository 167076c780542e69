"""Worse answers: every format has a place for them, and says to its trainer that the rows are pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from exporting import ROWS, Exporter, make_clips, row
from toy_corpus import toy_corpus

from affectllm.instruct.exports import format_names


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exporter:
    return Exporter(tmp_path, make_clips(toy_corpus(tmp_path, monkeypatch)))


def worded(content: Any) -> str:
    """The texts of a message, of content parts, or of a plain answer."""
    content = content["content"] if isinstance(content, dict) else content
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


PAIRS = {
    "ms-swift": lambda row: (row["messages"][-1], row["rejected_response"]),
    "llama-factory": lambda row: (row["chosen"], row["rejected"]),
    "axolotl": lambda row: (row["chosen"], row["rejected"]),
    "trl": lambda row: (row["chosen"][0], row["rejected"][0]),
    "webdataset": lambda row: (row["messages"][-1], row["rejected"]),
}


def test_every_format_is_asked_for_pairs() -> None:
    assert set(PAIRS) == set(format_names())


@pytest.mark.parametrize("to", PAIRS)
def test_a_worse_answer_stands_beside_the_better_one(exporter: Exporter, to: str) -> None:
    exporter([{**ROWS[0], "rejected": "fear"}, {**row("none", "Again."), "rejected": None}], to)
    (item,) = exporter.by_id().values()
    assert [worded(answer) for answer in PAIRS[to](item)] == ["joy", "fear"]
    question = item["prompt"] if to == "trl" else item["messages"]
    assert [message["role"] for message in question if worded(message) == "Say it. Again."] == ["user"]
    assert exporter.summary.rejected == {"no_rejected": 1}  # the trainer would stop at a row without


def test_other_trainers_are_told_that_the_rows_are_pairs(exporter: Exporter) -> None:
    pairs = [{**ROWS[0], "rejected": "fear"}, {**ROWS[1], "rejected": "fear"}, {**ROWS[2], "rejected": "joy"}]
    exporter(pairs, "llama-factory")
    entry = json.loads((exporter.out / "dataset_info.json").read_text())["affectllm_train"]
    assert entry["ranking"] is True and entry["columns"]["chosen"] == "chosen"
    assert all(len(item["messages"]) % 2 for item in exporter.by_id().values())  # its converter skips others
    exporter(pairs, "ms-swift")
    assert exporter.summary.advice[0].startswith("swift rlhf --rlhf_type dpo")
    assert exporter.summary.rejected == {"same_answers": 1}
    exporter(pairs, "axolotl")
    assert exporter.summary.rejected == {"pair_with_media": 2}
    page = yaml.safe_load((exporter.out / "axolotl.yaml").read_text())
    assert page["rl"] == "dpo" and page["datasets"][0]["type"] == "chat_template.default"
