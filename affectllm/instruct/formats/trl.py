"""TRL: conversations for the stock ``SFTTrainer``, pairs of answers for the stock ``DPOTrainer`` (read in TRL 1.16).

Texts become ``prompt`` and ``completion``, on which the trainer takes the loss of the completion alone. Pictures stand
in ``images``, with a part without a payload at their place. Sound and video the trainer knows in one way only: as
content parts with a path in ``messages``, which its vision collator hands to the processor as long as there is an
``images`` column; in ``prompt`` it would leave their placeholders empty without a word. So an export with any clip has
``messages``, and the loss is limited to answers by ``assistant_only_loss``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affectllm.instruct.exports.exported import Exported, File, Kind, Turn
from affectllm.instruct.exports.page import Format, Page, fills


def write(page: Page) -> list[str]:
    """Write ``<split>.jsonl`` with ``id``, ``corpus`` and what the trainer reads."""
    row = _pair if page.pairs else _row
    for split, conversations in page.conversations.items():
        with page.lines(split) as lines:
            for one in conversations:
                lines.write(
                    {"id": one.id, "corpus": one.corpus, **row(one, page.kinds)},
                    fills(one),
                )
    return _advice(page)


def _row(one: Exported, kinds: frozenset[Kind]) -> dict[str, Any]:
    messages = [{"role": turn.role, "content": _content(turn, kinds)} for turn in one.turns]
    images = {"images": [file.name for file in one.files("image")]} if kinds else {}
    if kinds & {"audio", "video"}:
        return {**images, "messages": messages}
    return {**images, "prompt": messages[:-1], "completion": messages[-1:]}


def _pair(one: Exported, kinds: frozenset[Kind]) -> dict[str, Any]:
    """Return the row that its ``DPOTrainer`` and ``RewardTrainer`` read; clips stay content parts with a path."""
    assert one.rejected is not None  # others are left out where there are pairs
    turns = (*one.turns, one.rejected)
    *before, chosen, rejected = [{"role": turn.role, "content": _content(turn, kinds)} for turn in turns]
    images = {"images": [file.name for file in one.files("image")]} if kinds else {}
    return {**images, "prompt": before, "chosen": [chosen], "rejected": [rejected]}


def _content(turn: Turn, kinds: frozenset[Kind]) -> Any:
    # One form in one file: a column of texts and lists has no type.
    return turn.parts(_part) if kinds else turn.tagged({})


def _part(file: File) -> Mapping[str, Any]:
    return {"type": "image"} if file.kind == "image" else {"type": file.kind, "path": file.name}


def _advice(page: Page) -> list[str]:
    lines = [
        "from datasets import Image, List, load_dataset",
        f'rows = load_dataset("json", data_files="{page.place("train.jsonl")}", split="train")',
    ]
    if "image" in page.kinds:
        lines.append('rows = rows.cast_column("images", List(Image()))')
    options = "max_length=None"
    if page.pairs:
        if page.kinds & {"audio", "video"}:
            lines.append("# the stock trainer takes pictures only: sound and video need a collator of your own")
        return [*lines, f"DPOTrainer(model, train_dataset=rows, args=DPOConfig({options}))"]
    if page.kinds & {"audio", "video"}:
        options += ", assistant_only_loss=True"
        lines.append("# the chat template has to mark answers with {% generation %}; clips are decoded by torchcodec")
    return [*lines, f"SFTTrainer(model, train_dataset=rows, args=SFTConfig({options}))"]


FORMAT = Format("trl", "prompt and completion (messages where there are clips) as JSON Lines", write, pairs=True)
