"""MTMEUR: 5,101 questions about the emotions in 1,451 videos of the web, asked one after the other, with four options.

A JSON file is a list of videos: ``video_path``, and ``questions`` with a question each, its ``options`` by letter and
``correct_answer``, a letter, or several between commas. The questions of a video go from what is seen to why somebody
feels so and what follows from it; each is a sample here, and the video is its dialogue. Videos lie beside the file, or
in ``videos/``. The authors' script reads the first of A, B, C, D that occurs anywhere in a reply and counts every
question with several right options as wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.benchmarks._questions import (
    answered,
    media_folders,
    medium,
    names_all,
    options_of,
    right_of,
)

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import first_sight, folder_of, list_media
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import LabelSpace

MEMBERS = ("video_path", "questions", "correct_answer")
SPACE = LabelSpace(
    "mtmeur_answer",
    "options",
    (),
    source="Hu et al., Beyond Emotion Recognition: A Multi-Turn Multimodal Emotion Understanding and Reasoning "
    "Benchmark, arXiv 2508.16859, 2025",
    several=True,
)
CARD = CorpusCard(
    name="mtmeur",
    title="MTMEUR",
    citation="Hu, Shi, Dai, Li, Song, Wang: Beyond Emotion Recognition: A Multi-Turn Multimodal Emotion "
    "Understanding and Reasoning Benchmark. arXiv 2508.16859, 2025",
    url="https://github.com/MindIntLab-HFUT/MTMEUR",
    obtain="the JSON file and the videos from https://huggingface.co/datasets/MindIntLab/MTMEUR ; the videos lie "
    "beside the file or in videos/",
    licence="Apache-2.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(SPACE,),
    raters={"authors": "the option, or options, that the authors' pipeline and its reviewers hold to be right"},
    counts={TEST: 5101},
    split_policy="everything is test: a benchmark",
    max_seconds=600.0,
    notes=(
        "The members were read in the example of the repository and in its script; the whole file was not.",
        "Some questions have several right options: an answer is a set of them.",
        "The number of a question among those of its video is the attribute `turn`.",
    ),
)
_OPTIONS = {"A": "She is relieved.", "B": "She is bored.", "C": "She is ashamed.", "D": "She is angry."}
_VIDEOS = [
    {
        "video_path": "101.mp4",
        "questions": [
            {"question": "What does the woman feel?", "options": _OPTIONS, "correct_answer": "A"},
            {"question": "Which of these does she not show?", "options": _OPTIONS, "correct_answer": "B, D"},
            {"question": "And the man?", "options": _OPTIONS, "correct_answer": "E"},
            {"question": "", "options": _OPTIONS, "correct_answer": "A"},
        ],
    },
    {"video_path": "102.mp4", "questions": [{"question": "Why?", "options": _OPTIONS, "correct_answer": "C"}]},
    {"video_path": "102.mp4", "questions": [{"question": "Why?", "options": _OPTIONS, "correct_answer": "C"}]},
    {"video_path": "../103.mp4", "questions": []},
]
MINIATURE: Mapping[str, Content] = {
    "MTMEUR.json": json.dumps(_VIDEOS, indent=1),
    "videos/101.mp4": Clip(),
    "videos/._101.mp4": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, in the order of the file."""
    base = folder_of(root, CARD, lambda folder: bool(_files(folder)), "a JSON file of video_path and questions")
    folders = media_folders(base, ("videos", "video"))
    has_media = any(any(list_media(folder, (".mp4",))) for folder in folders)
    seen: set[str] = set()
    for path in _files(base):
        for item in read_json(path, root):
            if isinstance(item, Rejection):
                yield item
                continue
            value = item.value if isinstance(item.value, dict) else {}
            named, questions = str(value.get("video_path") or "").strip(), value.get("questions")
            if not named or not isinstance(questions, list) or not questions:
                yield Rejection(named or item.where, "broken_row", item.where, "no video, or no questions")
                continue
            clip = medium(named, folders, root, item.where) if has_media else None
            if isinstance(clip, Rejection):
                yield clip
            for turn, question in enumerate(questions, start=1):
                yield _question(question, turn, named, item, clip, seen)


def _files(folder: Path) -> list[Path]:
    places = (folder, folder / "data")
    paths = (path for place in places if place.is_dir() for path in sorted(place.glob("*.json")))
    return [path for path in paths if not path.name.startswith(".") and names_all(path, MEMBERS)]


def _question(
    value: Any, turn: int, named: str, item: Item, clip: MediaRef | Rejection | None, seen: set[str]
) -> Sample | Rejection:
    video = Path(named.replace("\\", "/")).stem
    identifier = f"{video}#{turn}"
    fields = value if isinstance(value, dict) else {}
    words, options = str(fields.get("question") or "").strip(), options_of(fields.get("options"))
    right = right_of(fields.get("correct_answer"), options)
    if not words or not options:
        return Rejection(identifier, "broken_row", item.where, "no question, or no options")
    if (annotation := answered(SPACE, "authors", options, right)) is None:
        detail = f"{str(fields.get('correct_answer'))[:40]!r} of {len(options)} options"
        return Rejection(identifier, "unknown_label", item.where, detail)
    if again := first_sight(seen, identifier, item.where):
        return again
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(annotation,),
        source=item.where,
        text=words,
        language="en",
        dialogue=video,
        media=(clip,) if isinstance(clip, MediaRef) else (),
        attributes={"turn": str(turn), "right": str(len(right))},
    )
