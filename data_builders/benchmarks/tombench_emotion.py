"""ToMBench, emotion: what people in short stories feel and why, as multiple choice in Chinese and English.

The part of ToMBench (2,860 questions on theory of mind) whose ability begins with *Emotion*: typical and atypical
reactions, discrepant, mixed, hidden and moral emotions, regulation. Beside it, with another value of the attribute
``part``, are the questions on what people do and feel by what they believe (``Belief: Beliefs based action/emotions``).
``data`` of the repository has a file of JSON lines a task, with bilingual keys that hold a line break
(``能力\\nABILITY``); each line has the story, the question and the options in both languages and one letter as the
answer. Some questions have two options, and null for the others. Options in Chinese often repeat their letter, which is
taken away.

The questions of one story number themselves, so a question is known by its file and line. It is a benchmark: everything
is test, and its authors ask that nobody trains on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of, is_debris, is_lfs_pointer, relative
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace

_SOURCE = "Chen et al., ToMBench: Benchmarking Theory of Mind in Large Language Models, ACL 2024"
SPACE = LabelSpace("tombench_answer", "options", (), source=_SOURCE)
PARTS = {"Emotion": "emotion", "Belief: Beliefs based action/emotions": "belief"}
ABILITY, ANSWER = "能力\nABILITY", "答案\nANSWER"
# Language → keys of the story and the question, and what the options are called.
KEYS = {"en": ("STORY", "QUESTION", "OPTION-{}"), "zh": ("故事", "问题", "选项{}")}
LETTERS = "ABCD"
CARD = CorpusCard(
    name="tombench_emotion",
    title="ToMBench emotion",
    citation="Chen, Wu, Zhou, Wen, Bi, Jiang, Cao, Hu, Lai, Xiong, Huang: ToMBench: Benchmarking Theory of Mind in "
    "Large Language Models. ACL 2024",
    url="https://github.com/zhchen18/ToMBench",
    obtain="git clone https://github.com/zhchen18/ToMBench ; data holds Hidden Emotions.jsonl and the others",
    licence="see LICENSE of the repository; the authors ask to use it for evaluation only",
    access="open",
    redistribution=False,
    commercial=False,
    languages=tuple(KEYS),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"authors": "the answer that the authors' annotators agreed on"},
    counts={TEST: 1124},
    split_policy="everything is test: a benchmark; 420 questions on emotions and 142 on what follows from beliefs, "
    "each in English and Chinese",
    notes=(
        "Questions of other abilities are not used, and not counted as rejected.",
        "The English questions are translations of the Chinese ones: an item and its translation are not two.",
        "The questions of one story are related: the story is the dialogue that intervals resample.",
        "A question that has the right option twice is rejected as unknown_label.",
    ),
)


def _item(ability: str, answer: Any, *options: str | None) -> str:
    record: dict[str, Any] = {ABILITY: ability, "序号\nINDEX": 1}
    for story, question, option in KEYS.values():
        record |= {story: "Ko lost a shoe.", question: "How does Ko feel?"}
        for letter, words in zip(LETTERS, (*options, None, None), strict=False):
            zh = option == KEYS["zh"][2]
            record[option.format(letter)] = words and (f"{letter}. {words}" if zh else words)
    return json.dumps({**record, ANSWER: answer}, ensure_ascii=False) + "\n"


MINIATURE: Mapping[str, Content] = {
    "data/Hidden Emotions.jsonl": _item("Emotion: Hidden emotions", "B", "Glad", "Sad", "Proud", "Calm")
    + _item("Emotion: Hidden emotions", "E", "Glad", "Sad", "Proud", "Calm")
    + _item("Emotion: Hidden emotions", "A", "Sad", "Sad", "Proud", "Calm")
    + "{not json\n",
    "data/False Belief Task.jsonl": _item("Belief: Location false beliefs", "A", "Here", "There"),
    "data/Ambiguous Story Task.jsonl": _item(
        "Belief: Beliefs based action/emotions", "B", "Glad", "Sad", "Proud", "Calm"
    ),
    "data/Unexpected Outcome Test.jsonl": _item("Emotion: Atypical emotional reactions", "A", "Glad", "Sad"),
}
_LETTER = re.compile(r"[A-D]\s*[.．、]\s*")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question and language, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, "data/Hidden Emotions.jsonl")
    for path in _files(base):
        if is_lfs_pointer(path):
            yield Rejection(relative(path, root), "lfs_pointer", relative(path, root))
            continue
        for item in read_json(path, root):
            if isinstance(item, Rejection):
                yield item
            elif not isinstance(item.value, dict):
                yield Rejection(item.where, "broken_row", item.where, "no question")
            elif part := _part(item.value):
                for language in KEYS:
                    yield _question(item, path.stem, language, part)


def _files(folder: Path) -> list[Path]:
    return sorted(p for inner in ("", "data") for p in (folder / inner).glob("*.jsonl") if not is_debris(p.name))


def _is_ours(folder: Path) -> bool:
    return any((folder / inner / "Hidden Emotions.jsonl").is_file() for inner in ("", "data"))


def _part(value: Mapping[str, Any]) -> str:
    """Return the part to which a question belongs by its ability; empty for those that are not used."""
    ability = str(value.get(ABILITY) or "")
    return next((part for start, part in PARTS.items() if ability.startswith(start)), "")


def _question(item: Item, file: str, language: str, part: str) -> Sample | Rejection:
    value: Mapping[str, Any] = item.value
    story, question, option = KEYS[language]
    identifier = f"{file}/{item.where.rpartition(':')[2]}/{language}"
    words = [str(value.get(key) or "").strip() for key in (story, question)]
    if not all(words):
        return Rejection(identifier, "broken_row", item.where, "no story or no question")
    answer = str(value.get(ANSWER) or "").strip()
    options = {letter: _option(value.get(option.format(letter))) for letter in LETTERS}
    offered = tuple(one for one in options.values() if one)
    right = options.get(answer, "")
    if not right or offered.count(right) != 1:
        return Rejection(identifier, "unknown_label", item.where, f"the answer {answer!r} is not one of the options")
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(Annotation(SPACE.name, "authors", {"options": tuple(dict.fromkeys(offered)), "right": (right,)}),),
        source=item.where,
        text="\n".join(words),
        language=language,
        dialogue=words[0][:200],
        attributes={"part": part, "ability": str(value[ABILITY]).partition(":")[2].strip().lower()},
    )


def _option(words: Any) -> str:
    return _LETTER.sub("", str(words or "").strip(), count=1) if words else ""
