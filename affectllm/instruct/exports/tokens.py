"""Texts that a trainer or a tokenizer takes for a control token. A corpus row that holds one is not exported.

Our own path takes such texts apart before it tokenises them; other trainers do not, so that an utterance with
``<video>`` in it asks them for a clip that is not there, and one with ``<|im_end|>`` ends the turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

EVERYWHERE = (
    *("<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>", "<mask>"),
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[IMG]", "[AUDIO]", "[BEGIN_AUDIO]"),
    *("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>"),
    *("<audio_soft_token>", "<start_of_audio>", "<end_of_audio>"),
)
"""Whole tokens of tokenizers in use (SentencePiece, Llama 2, Mistral, Gemma); those in ``<|…|>`` are a pattern."""

_TAGS = ("<image>", "<video>", "<audio>")
TOKENS: Mapping[str, tuple[str, ...]] = {
    "trl": ("<image>", "<video>", "<audio>"),
    # swift/template/base.py: Template.special_tokens, and <img>path</img> of its older files
    "ms-swift": (*_TAGS, "<bbox>", "<ref-object>", "<cot-process>", "<start-image>", "<img>", "</img>"),
    # llamafactory/extras/constants.py: IMAGE_, VIDEO_ and AUDIO_PLACEHOLDER; a count that differs is an error there
    "llama-factory": _TAGS,
    "axolotl": _TAGS,
    "webdataset": _TAGS,
}
"""Format → the tags that its reader looks for in a text."""

_PIPED = r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>\s]{1,40}｜>"  # Qwen, Llama 3, Phi; DeepSeek


def control_tokens(name: str) -> re.Pattern[str]:
    """What may not be in a text of an export in the format ``name``."""
    return re.compile("|".join([_PIPED, *map(re.escape, (*TOKENS[name], *EVERYWHERE))]))
