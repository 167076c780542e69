"""IntentBench: questions about what people in a video mean and feel, put together of three older corpora.

``qa.json`` is a list of questions with ``problem``, ``problem_type``, ``options``, ``solution`` (letters in tags)
and the file of the video as ``video`` or ``path``. Three types are scored: ``multiple choice`` (after Social-IQ 2.0),
``emer_ov_mc`` (after EMER: all emotions that fit, of many options) and ``judge`` (after MDPE: yes or no, whether
somebody deceives). Videos lie in ``videos/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.benchmarks._questions import (
    answered,
    media_folders,
    medium,
    names_all,
    options_of,
    right_of,
)

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import folder_of, list_media
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import LabelSpace

FILE = "qa.json"
_SOURCE = "Yang et al., HumanOmniV2: From Understanding to Omni-Modal Reasoning with Context, arXiv 2506.21277, 2025"
ANSWER = LabelSpace("intentbench_answer", "options", (), source=_SOURCE)
EMOTIONS = LabelSpace("intentbench_emotions", "options", (), source=_SOURCE, several=True)
TYPES = {"multiple choice": ANSWER, "emer_ov_mc": EMOTIONS, "judge": ANSWER}
CARD = CorpusCard(
    name="intentbench",
    title="IntentBench",
    citation="Yang, Yao, Chen, Fu, Bai, Zhao, Sun, Yin, Wei, Zhou: HumanOmniV2: From Understanding to Omni-Modal "
    "Reasoning with Context. arXiv 2506.21277, 2025",
    url="https://huggingface.co/datasets/PhilipC/IntentBench",
    obtain="qa.json and videos/ from https://huggingface.co/datasets/PhilipC/IntentBench",
    licence="not stated; the videos have the terms of Social-IQ 2.0, MER2023 and MDPE",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(ANSWER, EMOTIONS),
    raters={"authors": "the answer of the source, as the authors turned it into options"},
    counts={},
    split_policy="everything is test: a benchmark",
    built_from=("emer",),
    max_seconds=600.0,
    notes=(
        "The members were read in the authors' evaluation script; the file itself was not.",
        "The type of a question is the attribute `type`.",
        "Questions of other types than the three that the script scores are rejected as other_task.",
    ),
)
_CHOICES = ["A. He is proud.", "B. He is worried.", "C. He is tired."]
MINIATURE: Mapping[str, Content] = {
    FILE: json.dumps(
        [
            {
                **{"problem": "How does he feel?", "problem_type": "multiple choice", "options": _CHOICES},
                **{"solution": "<answer>B</answer>", "video": "siq/a.mp4", "data_type": "video"},
            },
            {
                **{"problem": "Which emotions fit?", "problem_type": "emer_ov_mc", "solution": "<answer>A,C</answer>"},
                **{"options": ["A: proud", "B: bored", "C: glad"], "path": "emer/b.mp4", "data_type": "video"},
            },
            {
                **{"problem": "Does she lie?", "problem_type": "judge", "solution": "<answer>No</answer>"},
                **{"video": "mdpe/c.mp4", "data_type": "video"},
            },
            {"problem": "How many?", "problem_type": "numerical", "solution": "<answer>3</answer>", "video": "x.mp4"},
            {"problem": "Who?", "problem_type": "multiple choice", "options": _CHOICES, "solution": "B"},
            {
                **{"problem": "Why?", "problem_type": "multiple choice", "options": _CHOICES},
                **{"solution": "<answer>Z</answer>", "video": "../a.mp4"},
            },
        ],
        indent=1,
    ),
    "videos/siq/a.mp4": Clip(),
    "videos/siq/._a.mp4": b"\x00\x05\x16\x07",
    "videos/emer/b.mp4": Clip(),
    "videos/mdpe/c.mp4": Clip(),
}
_ANSWER = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.DOTALL)
_YES_OR_NO = {"A": "Yes", "B": "No"}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, in the order of the file."""
    base = folder_of(root, CARD, lambda folder: names_all(folder / FILE, ("problem_type", "solution")), FILE)
    folders = media_folders(base, ("videos", "video"))
    has_media = any(any(list_media(folder, FILMS, depth=2)) for folder in folders)
    for number, item in enumerate(read_json(base / FILE, root)):
        if isinstance(item, Rejection):
            yield item
        else:
            yield from _question(item, number, folders if has_media else [], root)


def _question(item: Item, number: int, folders: list[Path], root: Path) -> Iterator[Sample | Rejection]:
    value = item.value if isinstance(item.value, dict) else {}
    kind, words = str(value.get("problem_type") or "").strip(), str(value.get("problem") or "").strip()
    identifier, named = f"question/{number}", str(value.get("video") or value.get("path") or "").strip()
    space, said = TYPES.get(kind), _ANSWER.search(str(value.get("solution") or ""))
    if not (words and named and said):
        yield Rejection(identifier, "broken_row", item.where, "no question, no video, or no answer in tags")
        return
    if space is None:
        yield Rejection(identifier, "other_task", item.where, kind[:60])
        return
    options = _YES_OR_NO if kind == "judge" else options_of(value.get("options"))
    right = right_of(said[1].capitalize() if kind == "judge" else said[1], options)
    if (annotation := answered(space, "authors", options, right)) is None:
        yield Rejection(identifier, "unknown_label", item.where, f"{said[1][:40]!r} of {len(options)} options")
        return
    clip = medium(named, folders, root, item.where) if folders else None
    if isinstance(clip, Rejection):
        yield clip
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(annotation,),
        source=item.where,
        text=words,
        language="en",
        media=(clip,) if isinstance(clip, MediaRef) else (),
        attributes={"type": kind, "clip": named},
    )
