"""MME-Emotion: 6,500 clips of older corpora in eight tasks, each clip with the labels of which a model has to choose.

``MME-Emotion-Dataset/{task}/question/{task}.json`` (``ER_Wild.json`` in ``ER-Wild``) is a list of ``video_id`` (a path
such as ``CAER/video/test_Fear_0006.avi``), ``label`` (several between commas where more than one holds) and
``label_set``. Which labels are offered differs by the corpus that a clip is from. The release has no wording of the
questions in these files; those here are ours.

The published scores come from judges: GPT-4.1 cuts a free answer into steps, and GPT-4o, which sees frames and hears
nothing, marks each; the last step is taken for recognition, the others for reasoning, so that a direct answer gets no
reasoning at all. Here the labels are options that are shuffled, and answers are right or wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from affectllm.data_builders.benchmarks._questions import answered, media_folders, medium, names_all, options_of

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import first_sight, folder_of, list_media, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import LabelSpace

FOLDER, MEMBERS = "MME-Emotion-Dataset", ("video_id", "label", "label_set")
_SOURCE = "Zhang et al., MME-Emotion: A Holistic Evaluation Benchmark for Emotional Intelligence in MLLMs, 2025"
ANSWER = LabelSpace("mme_emotion_answer", "options", (), source=_SOURCE)
ANSWERS = LabelSpace("mme_emotion_answers", "options", (), source=_SOURCE, several=True)
_EMOTION = "Which emotion does the person in the video show?"
QUESTIONS = {
    "ER-Lab": _EMOTION,
    "ER-Wild": _EMOTION,
    "Noise-ER": _EMOTION,
    "FG-ER": "Which emotion, or emotions, does the body of the person in the video express?",
    "ML-ER": "Which emotions does the person in the video show?",
    "SA": "Which sentiment does the person in the video express?",
    "FG-SA": "Which sentiment does the person in the video express, and how strongly?",
    "IR": "What does the person in the video want to do by speaking?",
}
"""Task → what is asked, in our words."""
SEVERAL = ("FG-ER", "ML-ER")
CARD = CorpusCard(
    name="mme_emotion",
    title="MME-Emotion",
    citation="Zhang, Cheng, Deng, Li, Lian, Chen, Liu, Wang, Zhang, Zhang, et al.: MME-Emotion: A Holistic Evaluation "
    "Benchmark for Emotional Intelligence in Multimodal Large Language Models. arXiv 2508.09210, 2025",
    url="https://github.com/FunAudioLLM/MME-Emotion",
    obtain="git clone https://github.com/FunAudioLLM/MME-Emotion ; the clips from "
    "https://huggingface.co/datasets/Karl28/MME-Emotion, in folders such as CAER/video/, beside MME-Emotion-Dataset/ "
    "or in videos/",
    licence="not stated; the clips have the terms of their sources",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(ANSWER, ANSWERS),
    raters={"source": "the label, or labels, of the corpus that a clip is from"},
    counts={},
    total=6500,
    split_policy="everything is test: a benchmark drawn from older corpora",
    built_from=("bold", "ch_sims_v2", "cmu_mosei", "cmu_mosi", "dfew", "iemocap", "mafw", "meld", "mer2024"),
    max_seconds=600.0,
    notes=(
        "The task of a clip is the attribute `task`, the corpus that it is from `source`.",
        "The files of questions were read; how the clips lie in their own release was not, so they are looked for at "
        "the paths that the questions name.",
        "Clues that a model heard in the sound (audio_clue/) are not read.",
    ),
)
_OFFERED = {"SA": ["positive", "negative", "neutral"], "IR": ["agreeing", "wishing", "neutral"]}
_MOODS = ["Anger", "Sadness", "Other"]


def _rows(task: str) -> list[dict[str, object]]:
    offered = _OFFERED.get(task, _MOODS)
    labels = [f"{offered[0]},{offered[1].lower()}", offered[2]] if task in SEVERAL else [offered[0].upper(), offered[1]]
    clips = [f"MELD/video/{task}_{number}.mp4" for number in (0, 1)]
    return [{"video_id": clip, "label": label, "label_set": offered} for clip, label in zip(clips, labels, strict=True)]


_BAD: list[dict[str, object]] = [
    {"video_id": "MELD/video/SA_0.mp4", "label": "positive", "label_set": ["positive", "negative"]},
    {"video_id": "MELD/video/SA_2.mp4", "label": "mixed", "label_set": ["positive", "negative"]},
    {"video_id": "../SA_3.mp4", "label": "negative", "label_set": ["positive", "negative"]},
    {"video_id": "MELD/video/SA_4.mp4", "label": "", "label_set": []},
]
_FILES = {task: f"{FOLDER}/{task}/question/{task.replace('-', '_')}.json" for task in QUESTIONS}
MINIATURE: Mapping[str, Content] = {
    **{file: json.dumps(_rows(task) + (_BAD if task == "SA" else []), indent=1) for task, file in _FILES.items()},
    f"{FOLDER}/SA/audio_clue/SA_qwen2_audio_clues.json": "[]",
    **{f"videos/MELD/video/{task}_{number}.mp4": Clip() for task in QUESTIONS for number in (0, 1)},
    "videos/MELD/video/._SA_0.mp4": b"\x00\x05\x16\x07",
}


@dataclass(frozen=True)
class _Place:
    """Where the clips of a task may lie, and which of its clips were met."""

    task: str
    folders: tuple[Path, ...]
    root: Path
    seen: set[str]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip of a task, task by task."""
    base = folder_of(root, CARD, _is_ours, _FILES["ER-Lab"])
    folders = tuple(media_folders(base, ("videos", "video", FOLDER)))
    has_media = any(any(list_media(folder, FILMS, depth=3)) for folder in folders)
    for task, file in _FILES.items():
        if not (base / file).is_file():
            yield missing_file(file, CARD)
            continue
        place = _Place(task, folders if has_media else (), root, set())
        for item in read_json(base / file, root):
            if isinstance(item, Rejection):
                yield item
            else:
                yield from _sample(item, place)


def _is_ours(folder: Path) -> bool:
    return any(names_all(folder / file, MEMBERS) for file in _FILES.values())


def _sample(item: Item, place: _Place) -> Iterator[Sample | Rejection]:
    value = item.value if isinstance(item.value, dict) else {}
    named, label = (str(value.get(name) or "").strip() for name in MEMBERS[:2])
    options = options_of(value.get("label_set"))
    if not named or not label or not options:
        yield Rejection(named or item.where, "broken_row", item.where, "no clip, no label, or no labels to choose from")
        return
    space = ANSWERS if place.task in SEVERAL else ANSWER
    spelt = {option.lower(): option for option in options.values()}
    parts = label.split(",") if space.several else [label]
    right = [spelt.get(part.strip().lower(), "") for part in parts]
    if (annotation := answered(space, "source", options, tuple(dict.fromkeys(right)))) is None:
        yield Rejection(named, "unknown_label", item.where, f"{label[:60]!r} of {len(options)} labels")
        return
    identifier = f"{place.task}/{named}"
    if again := first_sight(place.seen, identifier, item.where):
        yield again
        return
    clip = medium(named, place.folders, place.root, item.where) if place.folders else None
    if isinstance(clip, Rejection):
        yield clip
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(annotation,),
        source=item.where,
        text=QUESTIONS[place.task],
        language="en",
        media=(clip,) if isinstance(clip, MediaRef) else (),
        attributes={"task": place.task, "source": named.split("/")[0]},
    )
