"""ms-swift: ``messages`` with ``<image>``, ``<video>`` and ``<audio>`` where files are shown, and lists of the files.

Checked against ms-swift 4.6 (``swift/dataset/preprocessor/core.py``, ``swift/template/base.py``). Whether it takes the
sound out of videos is one environment variable for a whole run, ``USE_AUDIO_IN_VIDEO``; here each row says itself what
is heard: the sound is an ``<audio>`` behind its ``<video>``. A video without it holds no sound at all, so that the
variable cannot bring back what was to be withheld. A worse answer is its ``rejected_response``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from affectllm.instruct.exports.exported import Exported, Kind, Turn
from affectllm.instruct.exports.page import Format, Page, fills
from affectllm.instruct.exports.tokens import TAGS as CLIPS

TAGS: dict[Kind, str] = {"image": "<image>", "video": "<video>", "audio": "<audio>"}


def write(page: Page) -> list[str]:
    """Write ``<split>.jsonl`` with ``id``, ``corpus``, ``messages`` and the lists of files that the export has."""
    for split, conversations in page.conversations.items():
        with page.lines(split) as lines:
            for one in conversations:
                worse = {"rejected_response": one.rejected.tagged(TAGS)} if one.rejected else {}
                row = {**tagged(one, one.turns), **worse, **one.columns(page.kinds)}
                lines.write(row, fills(one))
    return _advice(page)


def tagged(one: Exported, turns: Sequence[Turn]) -> dict[str, Any]:
    """Return ``id``, ``corpus`` and ``messages`` with a tag in the place of each file."""
    messages = [{"role": turn.role, "content": turn.tagged(TAGS)} for turn in turns]
    return {"id": one.id, "corpus": one.corpus, "messages": messages}


def refuse(one: Exported) -> str | None:
    """Return ``same_answers`` where the worse answer is the better one, which ends its preprocessing."""
    return "same_answers" if one.rejected and one.rejected.tagged(TAGS) == one.turns[-1].tagged(TAGS) else None


def _advice(page: Page) -> list[str]:
    start = "swift rlhf --rlhf_type dpo" if page.pairs else "swift sft"
    command = f"{start} --dataset {page.place('train.jsonl')}"
    if page.rows["validation"]:
        command += f" --val_dataset {page.place('validation.jsonl')}"
    if page.heard:
        return [command, "leave USE_AUDIO_IN_VIDEO unset: the sound of a video is written as its own <audio>"]
    return [command]


# swift/template/base.py: Template.special_tokens, and <img>path</img> of its older files
_TAGS = (*CLIPS, "<bbox>", "<ref-object>", "<cot-process>", "<start-image>", "<img>", "</img>")
FORMAT = Format(
    "ms-swift",
    "messages, images, videos and audios as JSON Lines",
    write,
    silences=True,
    pairs=True,
    tags=_TAGS,
    refuse=refuse,
)
