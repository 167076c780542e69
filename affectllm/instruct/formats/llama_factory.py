"""LLaMA-Factory: its ShareGPT form as JSON Lines, and the ``dataset_info.json`` that names columns and tags.

Checked against LLaMA-Factory 0.9.5 (``llamafactory/data/parser.py``, ``converter.py``, ``mm_plugin.py``). Sound comes
from ``audios`` alone, with or without ``use_audio_in_video``; with it, a video and the sound behind it are interleaved
as Qwen-Omni was trained. Files are looked for below ``media_dir``, which is the folder of ``dataset_info.json`` unless
told otherwise.
"""

from __future__ import annotations

import json
from typing import Any

from affectllm.errors import explained
from affectllm.instruct.exports.exported import COLUMNS, KINDS, Exported, Turn
from affectllm.instruct.exports.page import Format, Page, fills
from affectllm.instruct.formats.ms_swift import TAGS, tagged

PREFIX = "affectllm"


def write(page: Page) -> list[str]:
    """Write ``<split>.jsonl`` and ``dataset_info.json`` with a data set ``affectllm_<split>`` for each."""
    for split, conversations in page.conversations.items():
        with page.lines(split) as lines:
            for one in conversations:
                lines.write({**_row(one), **one.columns(page.kinds)}, fills(one))
    info = {f"{PREFIX}_{split}": _entry(page, split) for split in page.conversations if page.rows[split]}
    target = page.scratch / "dataset_info.json"
    with explained(target):
        target.write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    return _advice(page)


def _row(one: Exported) -> dict[str, Any]:
    if one.rejected is None:
        return tagged(one, one.turns)
    return {**tagged(one, one.turns[:-1]), "chosen": _message(one.turns[-1]), "rejected": _message(one.rejected)}


def _message(turn: Turn) -> dict[str, str]:
    return {"role": turn.role, "content": turn.tagged(TAGS)}


def refuse(one: Exported) -> str | None:
    """Return ``turns`` where its converter would skip the row: roles must alternate, and a user begins."""
    roles = [turn.role for turn in one.turns]
    roles = roles[1:] if roles[0] == "system" else roles
    alternating = ["user", "assistant"] * (len(roles) // 2)
    return None if roles and roles == alternating else "turns"


def _entry(page: Page, split: str) -> dict[str, Any]:
    columns = {"messages": "messages", **{COLUMNS[kind]: COLUMNS[kind] for kind in KINDS if kind in page.kinds}}
    columns |= {"chosen": "chosen", "rejected": "rejected"} if page.pairs else {}
    roles = {f"{role}_tag": role for role in ("user", "assistant", "system")}
    tags = {"role_tag": "role", "content_tag": "content", **roles}
    ranking = {"ranking": True} if page.pairs else {}
    return {"file_name": f"{split}.jsonl", "formatting": "sharegpt", **ranking, "columns": columns, "tags": tags}


def _advice(page: Page) -> list[str]:
    lines = [f"dataset_dir: {page.final.as_posix()}", f"dataset: {PREFIX}_train"]
    if page.pairs:
        lines.insert(0, "stage: dpo")
    if page.rows["validation"]:
        lines.append(f"eval_dataset: {PREFIX}_validation")
    if page.heard and not page.silent:
        lines.append("use_audio_in_video: true  # for the Qwen omni models: sound interleaved with the pictures")
    elif page.heard:
        lines.append("use_audio_in_video: false  # some videos are silent, and the option is for all rows")
    return lines


FORMAT = Format(
    "llama-factory",
    "ShareGPT messages as JSON Lines, with dataset_info.json",
    write,
    relative=True,
    pairs=True,
    refuse=refuse,
)
