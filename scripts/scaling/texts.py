"""A corpus of made-up lines, of any number."""

from __future__ import annotations

import json
import random
from pathlib import Path

LABELS = ("anger", "joy", "sadness", "fear", "surprise", "trust", "disgust", "anticipation")
_WORDS = [f"word{number}" for number in range(5_000)]


def texts(folder: Path, count: int, split: str = "train", dialogue: bool = False) -> Path:
    """Write a corpus of so many lines of about 15 words; as one dialogue where asked for."""
    dice, root = random.Random(count), folder / f"texts_{count}_{split}"
    root.mkdir(exist_ok=True)
    with (root / "rows.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(count):
            words = " ".join(dice.choices(_WORDS, k=15))
            row = {"id": number, "text": words, "who": f"speaker {number % 500}", "label": LABELS[number % 8]}
            stream.write(json.dumps({**row, "split": split, "talk": "one"}) + "\n")
    columns = {"id": "id", "text": "text", "speaker": "who", "split": "split"}
    page = {
        "name": "generic",
        "table": "rows.jsonl",
        "columns": columns | ({"dialogue": "talk"} if dialogue else {}),
        "language": "en",
        "raters": {"crowd": "made up"},
        "labels": [{"space": "plutchik_8", "rater": "crowd", "column": "label"}],
    }
    (root / "affectllm.yaml").write_text(json.dumps(page), encoding="utf-8")
    return root
