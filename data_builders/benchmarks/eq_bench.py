"""EQ-Bench: dialogues that end in tension, and how strongly one person in them feels each of four emotions.

One JSON file a version: a question number, the prompt as models get it, and two references: ``reference_answer``
(scaled so that the four scores sum to about ten) and ``reference_answer_fullscale`` (0 to 10 each), whose scores are
numbers in one place and strings in another. Version 1 has 60 questions, version 2 has 171, and there is a German
translation of version 2. The four emotions differ from question to question; they are called emotion1 to emotion4 in
the label spaces, and the attributes of the same names say which words they are.

It is a benchmark: everything is test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace

# File → version and language.
FILES = {
    "eq_bench_v1_questions_60.json": ("v1", "en"),
    "eq_bench_v2_questions_171.json": ("v2", "en"),
    "eq_bench_v2_questions_171_de.json": ("v2", "de"),
}
_SOURCE = "Paech, EQ-Bench: An Emotional Intelligence Benchmark for Large Language Models, 2023"
PLACES = ("emotion1", "emotion2", "emotion3", "emotion4")
REFERENCE = LabelSpace("eq_bench_reference", "dimension", PLACES, source=_SOURCE, bounds=(0.0, 10.0))
FULLSCALE = LabelSpace("eq_bench_fullscale", "dimension", PLACES, source=_SOURCE, bounds=(0.0, 10.0))
WORDS = {
    space.name: LabelSpace(space.name.replace("eq_bench", "eq_bench_words"), "open", (), source=_SOURCE)
    for space in (REFERENCE, FULLSCALE)
}
_ANSWERS = {"reference_answer": REFERENCE, "reference_answer_fullscale": FULLSCALE}
CARD = CorpusCard(
    name="eq_bench",
    title="EQ-Bench",
    citation="Paech: EQ-Bench: An Emotional Intelligence Benchmark for Large Language Models. arXiv 2312.06281, 2023",
    url="https://github.com/EQ-bench/EQ-Bench",
    obtain="git clone https://github.com/EQ-bench/EQ-Bench ; data holds eq_bench_v2_questions_171.json and the others",
    licence="MIT",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en", "de"),
    modalities=("text",),
    spaces=(REFERENCE, FULLSCALE, *WORDS.values()),
    raters={"author": "the reference that the author of the benchmark set"},
    counts={TEST: 402},
    split_policy="everything is test: a benchmark; 60 questions of version 1, 171 of version 2 and 171 of its German "
    "translation",
    notes=(
        "Versions share dialogues: score one version at a time, as the attributes version and language tell.",
        "The published score of version 2 compares with eq_bench_fullscale, that of version 1 with eq_bench_reference.",
        "The spaces eq_bench_words_… have the same scores as lines with the emotions of the question, which is how a "
        "model is asked to answer.",
        "Some full-scale scores are strings; they are read as the numbers they hold.",
        "The text is the whole prompt of the release; the attribute dialogue_text is the dialogue alone.",
    ),
)


def _reference(*scores: object) -> dict[str, object]:
    words = dict(zip(PLACES, ("Bitter", "Calm", "Proud", "Lost"), strict=True))
    return words | {f"{place}_score": score for place, score in zip(PLACES, scores, strict=True)}


def _item(*scores: object) -> dict[str, Any]:
    prompt = "\nYour task is to predict feelings in this dialogue:\n\nAda: I sold it.\nBo: All?\n[End dialogue]\n\nBo …"
    return {
        "prompt": prompt,
        "reference_answer": _reference(1, 2, 3, 4),
        "reference_answer_fullscale": _reference(*scores),
    }


MINIATURE: Mapping[str, Content] = {
    "data/eq_bench_v1_questions_60.json": json.dumps({"1": _item("2", "3", "3", "7")}),
    "data/eq_bench_v2_questions_171.json": json.dumps({"1": _item(0, "6", 0, "7"), "2": _item(0, "much", 0, 11)}),
    "data/eq_bench_v2_questions_171_de.json": json.dumps({"1": _item(0, "6", 0, "7"), "2": 3}, indent=1),
}
_DIALOGUE = re.compile(r"dialog\w*[^\n]*:\s*\n(.*?)\n\[(?:End|Ende)\b", re.IGNORECASE | re.DOTALL)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, "data/eq_bench_v2_questions_171.json")
    seen: set[str] = set()
    for name, (version, language) in FILES.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
            continue
        for item in read_json(path, root):
            if isinstance(item, Rejection):
                yield item
            else:
                yield from _question(item, version, language, seen)


def _is_ours(folder: Path) -> bool:
    return any((folder / inner / name).is_file() for name in FILES for inner in ("", "data"))


def _question(item: Item, version: str, language: str, seen: set[str]) -> Iterator[Sample | Rejection]:
    identifier = f"{version}/{language}/{item.key}"
    value = item.value if isinstance(item.value, dict) else {}
    prompt = str(value.get("prompt") or "").strip()
    if not prompt:
        yield Rejection(identifier, "broken_row", item.where, "no prompt")
        return
    if again := first_sight(seen, identifier, item.where):
        yield again
        return
    annotations, words = [], {}
    for key, space in _ANSWERS.items():
        reference = value.get(key)
        reference = reference if isinstance(reference, dict) else {}
        scores = {place: number(reference.get(f"{place}_score"), 0, 10) for place in PLACES}
        read = {place: score for place, score in scores.items() if score is not None}
        if len(read) == len(PLACES):
            annotations.append(Annotation(space.name, "author", read))
            words.update({place: str(reference.get(place) or "").strip() for place in PLACES})
            lines = (f"{words[place]}: {score:g}" for place, score in read.items())
            annotations.append(Annotation(WORDS[space.name].name, "author", "\n".join(lines)))
        else:
            yield Rejection(identifier, "broken_row", item.where, f"{key} has no four scores from 0 to 10")
    if annotations:
        dialogue = _DIALOGUE.search(prompt)
        facts = {"version": version, "dialogue_text": dialogue[1].strip() if dialogue else "", **words}
        yield Sample(
            id=identifier,
            corpus=CARD.name,
            split=TEST,
            annotations=tuple(annotations),
            source=item.where,
            text=prompt,
            language=language,
            attributes={name: fact for name, fact in facts.items() if fact},
        )
