"""Axolotl: ``messages`` for ``type: chat_template``, and the part of a configuration that reads them.

Checked against axolotl 0.19 (``axolotl/prompt_strategies/chat_template.py``, ``processing_strategies.py``). Texts alone
are tokenised beforehand and stay texts. With files the rows go to the processor's chat template as they are, so a file
is a content part with its path; the sound of a video is a part of its own, as processors take none out of a video
unless told to.
"""

from __future__ import annotations

from typing import Any

from affectllm.errors import explained
from affectllm.instruct.exports.exported import Exported, File, Turn
from affectllm.instruct.exports.page import Format, Page, fills

CONFIGURATION = "axolotl.yaml"


def write(page: Page) -> list[str]:
    """Write ``<split>.jsonl`` and ``axolotl.yaml``."""
    for split, conversations in page.conversations.items():
        with page.lines(split) as lines:
            for one in conversations:
                lines.write({"id": one.id, "corpus": one.corpus, **_row(one, bool(page.kinds))}, fills(one))
    _configure(page)
    advice = [f"put {page.place(CONFIGURATION)} into your configuration, then: axolotl train CONFIGURATION"]
    if page.kinds:
        advice.append("with clips it masks the questions only for models that it knows; for others set role_boundaries")
    return advice


def _row(one: Exported, parts: bool) -> dict[str, Any]:
    messages = [{"role": turn.role, "content": _content(turn, parts)} for turn in one.turns]
    if one.rejected is None:
        return {"messages": messages}
    worse = {"role": one.rejected.role, "content": _content(one.rejected, parts)}
    return {"messages": messages[:-1], "chosen": messages[-1], "rejected": worse}


def refuse(one: Exported) -> str | None:
    """Return ``pair_with_media``: its preference strategies render texts, and a clip would be lost on the way."""
    return "pair_with_media" if one.rejected and one.files() else None


def _content(turn: Turn, parts: bool) -> Any:
    return turn.parts(_part) if parts else turn.tagged({})


def _part(file: File) -> dict[str, str]:
    return {"type": file.kind, "path": file.name}


def _configure(page: Page) -> None:
    import yaml

    settings: dict[str, Any] = {"rl": "dpo"} if page.pairs else {}
    settings["datasets"] = [_source(page, "train")]
    if page.rows["validation"]:
        settings["test_datasets"] = [{**_source(page, "validation"), "split": "train"}]
    if page.kinds:
        settings |= {"processor_type": "AutoProcessor", "skip_prepare_dataset": True}
        settings |= {"remove_unused_columns": False, "sample_packing": False}
    target = page.scratch / CONFIGURATION
    with explained(target):
        target.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _source(page: Page, split: str) -> dict[str, str]:
    place = page.place(f"{split}.jsonl")
    kind = "chat_template.default" if page.pairs else "chat_template"
    return {"path": place, "ds_type": "json", "type": kind, "field_messages": "messages"}


FORMAT = Format(
    "axolotl", "messages as JSON Lines, with the datasets section of a configuration", write, pairs=True, refuse=refuse
)
