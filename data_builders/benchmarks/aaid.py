"""AAID, the Affective Analysis Instruction Dataset of EmoLLMs: SemEval-2018 task 1 as instructions.

``train.json``, ``dev.json`` and ``test.json`` hold conversations of two turns: a question in lines (``Task:``,
``Text:``, perhaps ``Emotion:``, and an empty slot such as ``Intensity Score:``), and the answer. Five tasks are asked,
in several wordings each: intensity of an emotion as a number (EI-reg) or a class (EI-oc), valence as a number (V-reg)
or a class (V-oc), and which emotions a tweet holds (E-c). Which one it is can be told from the slot and from whether an
emotion is named.

The answer is kept as it stands, and read into the label spaces of the task where it can be read. The files in the
GitHub repository are Git LFS pointers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, folder_of, is_lfs_pointer, missing_file
from affectllm.corpus.records.instruction_records import Asked, read_asked
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.reading import says_nothing
from affectllm.labels.reading.text import bare
from affectllm.labels.taxonomies import aliases

FILES = {
    TRAIN: ("train.json", "train.jsonl"),
    VALIDATION: ("dev.json", "valid.json", "val.json", "validation.json", "dev.jsonl", "val.jsonl"),
    TEST: ("test.json", "test.jsonl"),
}
_SOURCE = "Liu et al., EmoLLMs, KDD 2024; Mohammad et al., SemEval-2018 Task 1, 2018"
EMOTIONS = (
    *("anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism", "sadness", "surprise"),
    "trust",
)
FOUR = ("anger", "fear", "joy", "sadness")
ANSWER = LabelSpace("aaid_answer", "open", (), source=_SOURCE)
SPACE = LabelSpace("aaid_11", "set", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
INTENSITY = LabelSpace("aaid_intensity", "dimension", FOUR, source=_SOURCE, bounds=(0.0, 1.0), aliases=aliases(*FOUR))
CLASS = LabelSpace("aaid_intensity_class", "dimension", FOUR, source=_SOURCE, bounds=(0.0, 3.0))
VALENCE = LabelSpace("aaid_valence", "dimension", ("valence",), source=_SOURCE, bounds=(0.0, 1.0))
VALENCE_CLASS = LabelSpace("aaid_valence_class", "dimension", ("valence",), source=_SOURCE, bounds=(-3.0, 3.0))
CARD = CorpusCard(
    name="aaid",
    title="AAID (EmoLLMs)",
    citation="Liu, Yang, Xie, Zhang, Ananiadou: EmoLLMs: A Series of Emotional Large Language Models and Annotation "
    "Tools for Comprehensive Affective Analysis. KDD 2024",
    url="https://huggingface.co/datasets/lzw1008/EmoLLMs_data",
    obtain="train.json, dev.json and test.json of https://huggingface.co/datasets/lzw1008/EmoLLMs_data , in a folder "
    "called AAID or as they come; the GitHub repository has only Git LFS pointers",
    licence="MIT for the instructions; NRC terms for the tweets",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(ANSWER, SPACE, INTENSITY, CLASS, VALENCE, VALENCE_CLASS),
    raters={"crowd": "the annotators of SemEval-2018 task 1; the answer is their label put into words"},
    counts={TRAIN: 234040, VALIDATION: 47120, TEST: 13269},
    split_policy="official: train, dev and test",
    built_from=("semeval2018_task1",),
    notes=(
        "The same tweet occurs many times in train, in other wordings and for other tasks.",
        "The task (EI-reg, EI-oc, V-reg, V-oc, E-c, or other) is an attribute, told from the slot of the answer.",
        "An answer that cannot be read is kept as aaid_answer and counted as unknown_label.",
        "A tweet without any of the eleven emotions is annotated with the empty set.",
    ),
)


def _asked(key: str, answer: str, *lines: str) -> dict[str, object]:
    question = "Human: \n" + "\n".join(("Task: Judge the tweet.", *lines)) + "\n\nAssistant: \n"
    return {"id": key, "conversations": [{"from": "human", "value": question}, {"from": "agent", "value": answer}]}


MINIATURE: Mapping[str, Content] = {
    "AAID/train.json": json.dumps(
        [
            _asked("a", "0.896", "Text: Note: so angry\nAgain: angry", "Emotion: anger", "Intensity Score:"),
            _asked("b", "2: moderate amount of joy", "Text: Sun!", "Emotion: joy", "Intensity Class:"),
            _asked("c", "joy, love", "Text: Sun!", "This tweet contains emotions:"),
            _asked("d", "envy", "Text: Rain!", "This tweet contains emotions:"),
            {"id": "e", "conversations": []},
        ],
        indent=1,
    ),
    "AAID/dev.json": json.dumps([_asked("a", "0.5", "Text: Well.", "Intensity Score:")]),
    "AAID/test.json": json.dumps([_asked("a", "-2: moderately negative", "Text: No.", "Intensity Class:")]),
}
_WORDS = re.compile(r"\s*(?:,|;|/|\band\b)\s*")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, "train.json with conversations")
    for split, names in FILES.items():
        path = find_file(base, *names)
        if path is None:
            yield missing_file(names[0], CARD)
            continue
        # Ids repeat across the tasks of one file, so the place in the file is the id.
        for place, item in enumerate(read_asked(path, root), 1):
            yield from (item,) if isinstance(item, Rejection) else _question(item, f"{split}/{place}", split)


def _is_ours(folder: Path) -> bool:
    """Whether train.json is of this corpus: it begins with conversations, or is a pointer in a folder of its name."""
    for path in (folder / name for names in FILES.values() for name in names):
        if path.is_file():
            with path.open("rb") as stream:
                head = stream.read(4000).replace(b"\0", b"")
            if (b'"conversations"' in head and b"Task:" in head) or (is_lfs_pointer(path) and folder.name == "AAID"):
                return True
    return False


def _question(item: Asked, identifier: str, split: str) -> Iterator[Sample | Rejection]:
    text = item.fields.get("text") or item.fields.get("tweet") or item.question
    task, answer = _task(item), _answer(item)
    annotations = [Annotation(ANSWER.name, "crowd", item.answer)]
    if answer is not None:
        annotations.append(answer)
    elif task != "other":
        yield Rejection(f"{identifier} {task}", "unknown_label", item.where, item.answer[:80])
    facts = {"task": task, "instruction": item.fields.get("task", ""), "emotion": item.fields.get("emotion", "")}
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=item.where,
        text=text,
        language="en",
        attributes={name: fact for name, fact in facts.items() if fact},
    )


def _task(item: Asked) -> str:
    """Return which of the five tasks a question asks, by its slot and whether it names an emotion."""
    about = "EI" if item.fields.get("emotion") else "V"
    if "score" in item.slot:
        return f"{about}-reg"
    if "class" in item.slot:
        return f"{about}-oc"
    return "E-c" if "emotions" in item.slot else "other"


def _answer(item: Asked) -> Annotation | None:
    task = _task(item)
    if task == "E-c":
        nothing = says_nothing(item.answer) or bare(item.answer) == "neutral"
        words = [] if nothing else [word for word in _WORDS.split(item.answer.strip(" .")) if word]
        names = {SPACE.resolve(word.strip("'\"[] ")) for word in words}
        return None if None in names else Annotation(SPACE.name, "crowd", tuple(n for n in EMOTIONS if n in names))
    space = {"EI-reg": INTENSITY, "EI-oc": CLASS, "V-reg": VALENCE, "V-oc": VALENCE_CLASS}.get(task)
    if space is None:
        return None
    low, high = space.bounds or (0.0, 0.0)
    about = INTENSITY.resolve(item.fields.get("emotion", "")) if task.startswith("EI") else "valence"
    score = number(item.answer.partition(":")[0].strip(), low, high)
    return Annotation(space.name, "crowd", {about: score}) if about and score is not None else None
