"""Dolly: 15,011 instructions of every kind with answers, written by the employees of a company; nothing of affect.

A general set to replay beside a training on affect (``share`` of a mixture's part), so that a model keeps what it knew.
One JSON object a line: ``instruction``, a passage in ``context`` where the question is about one, ``response`` and
``category``. The passage stands before the instruction here, and nothing else is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace

NAME = "databricks-dolly-15k.jsonl"
_SOURCE = "Conover et al., Free Dolly, 2023"
REPLY = LabelSpace("dolly_reply", "open", (), source=_SOURCE)
CARD = CorpusCard(
    name="dolly",
    title="databricks-dolly-15k",
    citation="Conover, Hayes, Mathur et al.: Free Dolly: Introducing the world's first truly open instruction-tuned "
    "LLM. Databricks, 2023",
    url="https://huggingface.co/datasets/databricks/databricks-dolly-15k",
    obtain=f"{NAME} from the page on the Hub",
    licence="CC-BY-SA-3.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("text",),
    spaces=(REPLY,),
    raters={"employee": "whoever wrote the answer to the instruction"},
    counts={},
    total=15_011,
    split_policy="all of it is for training, as published",
    notes=(
        "Answers to questions about a passage have the passage, from Wikipedia, before the instruction.",
        "The attribute category is one of eight: brainstorming, classification, closed and open questions, …",
    ),
)
MINIATURE: Mapping[str, Content] = {
    NAME: "".join(
        json.dumps(row) + "\n"
        for row in (
            {
                "instruction": "Name three uses of a barrel.",
                "context": "",
                "response": "To hold water, to roll, to sit on.",
                "category": "brainstorming",
            },
            {
                "instruction": "Where does the ferry land?",
                "context": "The ferry crosses the sound and lands at the old pier.",
                "response": "At the old pier.",
                "category": "closed_qa",
            },
            {"instruction": "Is a tomato a fruit?", "context": "", "response": "", "category": "general_qa"},
        )
    )
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per instruction, in the order of the file."""
    base = folder_of(root, CARD, lambda folder: (folder / NAME).is_file(), NAME)
    for number, item in enumerate(read_json(base / NAME, root), 1):
        yield item if isinstance(item, Rejection) else _sample(item, f"{number:05d}")


def _sample(item: Item, identifier: str) -> Sample | Rejection:
    row = item.value if isinstance(item.value, dict) else {}
    instruction, passage, answer = (_text(row.get(key)) for key in ("instruction", "context", "response"))
    if not instruction:
        return Rejection(identifier, "broken_row", item.where, "no instruction")
    if not answer:
        return Rejection(identifier, "no_reply", item.where, "no response")
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=TRAIN,
        source=item.where,
        text=f"{passage}\n\n{instruction}" if passage else instruction,
        language="en",
        annotations=(Annotation(REPLY.name, "employee", answer),),
        attributes={"category": _text(row.get("category"))},
    )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
