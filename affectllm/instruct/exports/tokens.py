"""Detect texts that a trainer or tokenizer takes for control tokens. A row that holds one is not exported.

Our own path takes such texts apart before it tokenises them; other trainers do not, so that an utterance with
``<video>`` in it asks them for a clip that is not there, and one with ``<|im_end|>`` ends the turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from affectllm.instruct.unsafe import TOKENIZERS

TAGS = ("<image>", "<video>", "<audio>")
"""What most readers look for in a text."""


def control_tokens(tags: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of control tokens for an export whose reader looks for ``tags``."""
    return re.compile("|".join([TOKENIZERS, *map(re.escape, tags)]))
