"""A MELD of invented utterances, whose emotion is in one of their words, for the tests of hints."""

from __future__ import annotations

from pathlib import Path

WORDS = {"joy": "wonderful", "anger": "outrageous", "sadness": "gloomy"}
_HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
_SENTIMENT = {"joy": "positive", "anger": "negative", "sadness": "negative"}


def write_meld(root: Path, train: int = 24, test: int = 12) -> Path:
    """Write dialogues of two utterances each."""
    root.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", train), ("dev", 3), ("test", test)):
        rows = [_row(name, number) for number in range(count)]
        (root / f"{name}_sent_emo.csv").write_text(_HEADER + "".join(rows), encoding="utf-8")
    return root


def _row(name: str, number: int) -> str:
    emotion = list(WORDS)[number % 3]
    words = f"What a {WORDS[emotion]} {name} {number}"
    times = f'"00:00:{number % 50:02d},000","00:00:{number % 50:02d},900"'
    return f"{number},{words},Ross,{emotion},{_SENTIMENT[emotion]},{number // 2},{number % 2},1,1,{times}\n"
