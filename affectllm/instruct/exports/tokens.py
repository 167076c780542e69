"""Texts that a trainer or a tokenizer takes for a control token. A corpus row that holds one is not exported.

Our own path takes such texts apart before it tokenises them; other trainers do not, so that an utterance with
``<video>`` in it asks them for a clip that is not there, and one with ``<|im_end|>`` ends the turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from affectllm.instruct.unsafe import TOKENIZERS

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


def control_tokens(name: str) -> re.Pattern[str]:
    """What may not be in a text of an export in the format ``name``."""
    return re.compile("|".join([TOKENIZERS, *map(re.escape, TOKENS[name])]))
