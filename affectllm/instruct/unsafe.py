"""Refuse texts of a corpus that must not reach a chat template: they would be read as control tokens, not words.

A tokenizer turns ``<|im_end|>`` in a message into the token that ends it, and a trainer counts ``<video>`` in a message
as a clip. Such rows are rejected and counted, never repaired in silence. Template syntax, HTML and marks of
writing direction are words like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 100_000  # characters of one text; longer ones are no utterance, and no context window holds them
TOKENIZERS = (
    r"<\|[^|<>\n]{1,40}\|>"  # Qwen, Llama 3, Phi, GLM
    r"|<\|[a-z_]{1,30}>|<[a-z_]{1,30}\|>"  # Gemma 4
    r"|<｜[^｜<>\n]{1,40}｜>"  # DeepSeek
    r"|</?s>|<(?:unk|pad|bos|eos|mask|sep|cls)>"  # SentencePiece models
    r"|\[/?INST\]|<</?SYS>>|\[(?:IMG|IMG_BREAK|IMG_END|AUDIO|BEGIN_AUDIO|TRANSCRIBE|TOOL_CALLS|/?THINK"
    r"|/?SYSTEM_PROMPT|/?AVAILABLE_TOOLS|/?TOOL_RESULTS|ARGS|CALL_ID)\]|<SPECIAL_\d{1,4}>"  # Mistral
    r"|\[(?:g|s)?MASK\]|<sop>|<eop>|<IMG_CONTEXT>|</?img>|<unused\d{1,4}>"  # GLM, InternVL, Gemma
    r"|</?(?:box|ref|quad)>|<im_(?:start|end|patch)>|<(?:BOS|EOS|PAD|UNK)_TOKEN>"  # InternVL, LLaVA, Cohere
    r"|<reserved_\d{1,4}>|<extra_id_\d{1,4}>"  # Baichuan, Nemotron
    r"|<end_of_utterance>|<fake_token_around_image>|<image_pad>|<video_pad>|<audio_pad>"  # SmolVLM, Qwen
    r"|<(?:start|end)_of_(?:turn|image|audio)>|<(?:image|audio)_soft_token>"  # Gemma
)
"""Whole tokens of tokenizers in use, as a regular expression."""
CONTROL_TOKEN = re.compile(
    TOKENIZERS + r"|</?(?:think|thinking|answer|tool_call|tool_response|tools)>"
    r"|</?(?:image|video|audio|img|vid|speech|sound)>"  # placeholders of trainers
    r"|<(?:image|video|audio|feature|face|frame|multi)here>"  # MiniGPT, AffectGPT
    r"|###\s?(?:human|assistant|instruction|response|system)\s?:",  # Vicuna, Alpaca
    re.IGNORECASE,
)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def refusal(texts: Iterable[str]) -> str | None:
    """Return ``control_token``, ``control_character`` or ``too_long`` for the first text that is one, or None."""
    for text in texts:
        if len(text) > LONGEST:
            return "too_long"
        if not text.isprintable() and _CONTROL_CHARACTER.search(text):
            return "control_character"
        if ("<" in text or "[" in text or "###" in text) and CONTROL_TOKEN.search(text):
            return "control_token"
    return None
