"""HumanVBench, emotion perception: questions about the people of a video, with options of their own.

One JSONL file a task: ``Question_id``, ``Question``, ``choices`` (a text: ``Option A: {anger}``, an empty line,
``Option B: {joy}`` …), ``Answer`` (a letter) and ``Video``, a path below the folder of videos. Of the tasks of the
release the five on emotion are read. Questions and options were made by models. The authors' script takes the first
option whose words occur in a reply, then the first letter that is one, so that "Based" answers B.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.benchmarks._questions import answered, media_folders, medium

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, list_media, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import LabelSpace

TASKS = {
    "Emotion_Recognition": "recognition",
    "Emotion_Temporal_Analysis": "course",
    "Attitude_Recognition": "attitude",
    "Emotion_Intensity_Compare": "intensity",
    "Emotion_Recognition_in_Conversation": "conversation",
}
"""Name of a file without its ending → what its questions are about."""
SPACE = LabelSpace(
    "humanvbench_answer", "options", (), source="Zhou et al., HumanVBench, CVPR 2026 (datajuicer/HumanVBench)"
)
CARD = CorpusCard(
    name="humanvbench",
    title="HumanVBench (emotion perception)",
    citation="HumanVBench: Probing Human-Centric Video Understanding in MLLMs with Automatically Synthesized "
    "Benchmarks. CVPR 2026",
    url="https://huggingface.co/datasets/datajuicer/HumanVBench",
    obtain="the JSONL files and the videos from https://huggingface.co/datasets/datajuicer/HumanVBench ; the videos "
    "lie beside the files or in videos/, in a folder a task",
    licence="Apache-2.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(SPACE,),
    raters={"authors": "the option that the authors' pipeline of models holds to be right"},
    counts={},
    split_policy="everything is test: a benchmark",
    max_seconds=600.0,
    notes=(
        "The members were read in the authors' evaluation script, and the names of the files there, too; the files "
        "themselves were not. The release was changed since (17 files, later 16): files that are not there are told.",
        "What a question is about is the attribute `subject`; tasks on other things than emotion are not read.",
    ),
)
_OPTION = re.compile(r"Option\s+([A-Z])\b[^{}]{0,20}\{([^{}]*)\}")


def _line(task: str, number: int, answer: str, **more: Any) -> str:
    choices = "\n\nOption A: {She grows calm}\n\nOption B: {She grows angry}\n\nOption C: {Nothing changes}"
    row = {"Question_id": f"{task}_{number}", "Question": f"What do you see in scene {number}?", "choices": choices}
    return json.dumps({**row, "Answer": answer, "Video": f"{task}/{number % 2}.mp4", **more})


def _lines(task: str) -> str:
    lines = [_line(task, number, "ABC"[number % 3]) for number in range(9)]
    return "\n".join([*lines, lines[0], _line(task, 9, "D"), _line(task, 10, "A", choices="Option A: yes")])


MINIATURE: Mapping[str, Content] = {
    **{f"{task}.jsonl": _lines(task) for task in [*TASKS][:-1]},
    "Emotion_Recognition_in_Conversation.jsonl": _line("Emotion_Recognition_in_Conversation", 1, "B"),
    "Text2Human.jsonl": _line("Text2Human", 1, "A"),
    **{f"videos/{task}/{number}.mp4": Clip() for task in TASKS for number in (0, 1)},
    "videos/Emotion_Recognition/._0.mp4": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question on emotion, task by task."""
    base = folder_of(
        root, CARD, lambda folder: any((folder / f"{task}.jsonl").is_file() for task in TASKS), "its JSONL"
    )
    folders = media_folders(base, ("videos", "HumanVBench_videos"))
    places = [place for folder in folders for place in (folder, *filter(Path.is_dir, folder.iterdir()))]
    has_media = any(any(list_media(place, (".mp4",))) for place in places)
    seen: set[str] = set()
    for task in TASKS:
        path = find_file(base, f"{task}.jsonl")
        if path is None:
            yield missing_file(f"{task}.jsonl", CARD)
            continue
        for item in read_json(path, root):
            yield (
                item if isinstance(item, Rejection) else _question(item, task, folders if has_media else [], root, seen)
            )


def _question(item: Item, task: str, folders: list[Path], root: Path, seen: set[str]) -> Sample | Rejection:
    fields = item.value if isinstance(item.value, dict) else {}
    named = str(fields.get("Question_id") or "").strip()
    identifier = f"{task}/{named}"
    words, options = str(fields.get("Question") or "").strip(), _options(fields.get("choices"))
    if not named or not words or len(options) < 2:
        return Rejection(named or item.where, "broken_row", item.where, "no id, no question or no options")
    right = options.get(str(fields.get("Answer") or "").strip().upper())
    annotation = answered(SPACE, "authors", options, (right,) if right else ())
    if annotation is None:
        return Rejection(identifier, "unknown_label", item.where, f"{fields.get('Answer')!r} of {len(options)} options")
    if again := first_sight(seen, identifier, item.where):
        return again
    video = str(fields.get("Video") or "").strip()
    clip = medium(video, folders, root, item.where) if folders else None
    if isinstance(clip, Rejection):
        return clip
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(annotation,),
        source=item.where,
        text=words,
        language="en",
        dialogue=video or None,
        media=(clip,) if isinstance(clip, MediaRef) else (),
        attributes={"subject": TASKS[task]},
    )


def _options(choices: Any) -> dict[str, str]:
    return {letter: option.strip() for letter, option in _OPTION.findall(str(choices or ""))}
