"""Rows of conversations as readers of Parquet give them."""

from __future__ import annotations

import json

from affectllm.instruct.conversation import Conversation
from affectllm.labels import Annotation


def test_a_row_is_read_whether_its_json_is_text_or_values() -> None:
    asked_by = {"page": "emotion_choice", "version": 3, "slots": {"answer": ["emodb_7", "actor", []]}}
    messages = [
        {"role": who, "content": [{"type": "text", "text": text}]}
        for who, text in (("user", "?"), ("assistant", "fear"))
    ]
    row = {
        "id": "one",
        "corpus": "emodb",
        "language": "en",
        "asked_by": asked_by,
        "value": "fear",
        "messages": messages,
    }
    text = {"asked_by": json.dumps(asked_by), "value": json.dumps("fear"), "messages": [*map(json.dumps, messages)]}
    values, texts = Conversation.from_row(row), Conversation.from_row({**row, **text})
    assert texts == values and texts.text == "?" and texts.answer == "fear" and texts.gold == "fear"
    assert texts.read("Answer: fear") == Annotation("emodb_7", "actor", "fear")
