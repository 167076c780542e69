"""AEB, the Affective Evaluation Benchmark of EmoLLMs: fourteen tasks of affect, asked as instructions.

The five tasks of SemEval-2018 task 1 (EI-reg, EI-oc, V-reg, V-oc, E-c) and nine others that EmoLLMs was not trained on:
target-dependent tweets (TDT), SST with five classes and as a number, GoEmotions, the VADER sets of Amazon reviews,
films, New York Times and tweets (V-A, V-M, V-NYT, V-T), and EmoBank. A file a task, named after it, holds
conversations of two turns: a question in lines (``Task:``, ``Text:``, a slot) and its answer.

It is a benchmark: everything is test. Answers are kept as they stand; where one begins with a number, the number is
kept too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of, folders_below, is_debris, is_lfs_pointer, missing_file, relative
from affectllm.corpus.records.instruction_records import Asked, read_asked
from affectllm.corpus.tables import number, plain_name
from affectllm.labels import Annotation, LabelSpace

_SOURCE = "Liu et al., EmoLLMs, KDD 2024"
ANSWER = LabelSpace("aeb_answer", "open", (), source=_SOURCE)
SCORE = LabelSpace("aeb_score", "dimension", ("score",), source=_SOURCE, bounds=(-4.0, 5.0))
TASKS = (
    *("EI-reg", "EI-oc", "V-reg", "V-oc", "E-c", "TDT", "SST5", "SST", "GoEmotions", "V-A", "V-M", "V-NYT", "V-T"),
    "EmoBank",
)
CARD = CorpusCard(
    name="aeb",
    title="AEB (EmoLLMs)",
    citation="Liu, Yang, Xie, Zhang, Ananiadou: EmoLLMs: A Series of Emotional Large Language Models and Annotation "
    "Tools for Comprehensive Affective Analysis. KDD 2024",
    url="https://huggingface.co/datasets/lzw1008/EmoLLMs_data",
    obtain="the folder AEB of https://huggingface.co/datasets/lzw1008/EmoLLMs_data , with a JSON file a task",
    licence="MIT for the instructions; each source keeps its own",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(ANSWER, SCORE),
    raters={"source": "the label of the corpus that the task was made from, put into words"},
    counts={},
    split_policy="everything is test: a benchmark",
    built_from=("semeval2018_task1", "goemotions", "emobank"),
    notes=(
        "Names of files were not checked on a real copy; a file is read when its name, or that of its folder, holds "
        "the name of a task, or when the folder is called AEB.",
        "The authors publish no size; 13,269 items are of SemEval-2018.",
        "The answers of EmoBank and of the class tasks are words or several numbers; read them with the task's scorer.",
        "The instruction and the task are attributes.",
    ),
)


def _asked(key: str, answer: str, *lines: str) -> dict[str, object]:
    question = "\n".join(("Task: Judge the text.", *lines))
    return {"id": key, "conversations": [{"from": "human", "value": question}, {"from": "agent", "value": answer}]}


MINIATURE: Mapping[str, Content] = {
    "AEB/SST5.json": json.dumps([_asked("1", "0: very negative", "Text: A long film.", "Sentiment class:")]),
    "AEB/V-M/test.json": json.dumps([_asked("1", "-2.5", "Text: Never again.", "Sentiment strength:")]),
    "AEB/GoEmotions.jsonl": json.dumps(_asked("1", "joy, relief", "Text: At last!", "This text contains emotions:"))
    + "\n{broken\n",
}
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?::.*)?", re.DOTALL)
_PLAIN = {plain_name(task): task for task in TASKS}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, in the order of folders and files."""
    base = folder_of(root, CARD, _is_ours, "AEB with a JSON file a task")
    files = list(_files(base))
    yield from (missing_file(task, CARD) for task in TASKS if task not in map(_task, files))
    for path in files:
        task = _task(path)
        name = relative(path, root)
        if is_lfs_pointer(path):
            yield Rejection(name, "lfs_pointer", name)
        elif not _has_questions(path) or (task is None and "aeb" not in map(str.lower, path.parts[-3:])):
            yield Rejection(name, "unknown_name", name, "no task of this benchmark")
        else:
            for place, item in enumerate(read_asked(path, root), 1):
                key = f"{relative(path, base)}/{place}"
                yield item if isinstance(item, Rejection) else _question(item, key, task or path.stem)


def _files(base: Path) -> Iterator[Path]:
    for folder in folders_below(base):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in (".json", ".jsonl") and not is_debris(path.name) and path.is_file():
                yield path


def _task(path: Path) -> str | None:
    """Return the task after which a file or its folder is named; ``SST5_test.json`` is SST5, not SST."""
    for word in (path.stem, path.parent.name):
        parts = [plain_name(part) for part in re.split(r"[_. ]", word)]
        if task := next((_PLAIN[part] for part in (plain_name(word), *parts) if part in _PLAIN), None):
            return task
    return None


def _has_questions(path: Path) -> bool:
    with path.open("rb") as stream:
        return b'"conversations"' in stream.read(4000).replace(b"\0", b"")


def _is_ours(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    if folder.name.lower() == "aeb":
        return any(_files(folder))
    files = [path for path in folder.glob("*") if path.suffix.lower() in (".json", ".jsonl") and path.is_file()]
    return any(_task(path) and _has_questions(path) for path in files)


def _question(item: Asked, identifier: str, task: str) -> Sample:
    annotations = [Annotation(ANSWER.name, "source", item.answer)]
    match = _NUMBER.fullmatch(item.answer)
    score = number(match[1], -4, 5) if match else None
    if score is not None:
        annotations.append(Annotation(SCORE.name, "source", {"score": score}))
    facts = {"task": task, "instruction": item.fields.get("task", ""), "emotion": item.fields.get("emotion", "")}
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=tuple(annotations),
        source=item.where,
        text=item.fields.get("text") or item.fields.get("tweet") or item.question,
        language="en",
        attributes={name: fact for name, fact in facts.items() if fact},
    )
