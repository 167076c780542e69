"""AIR-Bench, foundation part: questions with up to four options about sounds; here those about emotion and mood.

``Foundation_meta.json`` is a list of questions of 19 tasks, with ``path``, ``question``, ``choice_a`` to ``choice_d``
(the last two may be missing), ``answer_gt`` (the words of the right choice), ``task_name``, ``dataset_name`` and
``uniq_id``. A sound is ``{task_name}_{dataset_name}/{path}``. The emotion of a speaker is asked about utterances of
IEMOCAP and MELD (the task is spelt Speaker_Emotion_Recontion), the mood of music about MTG-Jamendo.

The authors' script takes the first character of a reply for its letter, so that "Anger" is A and "Disgust" D, and
leaves replies without one out of the score.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.benchmarks._questions import answered, medium, names_all, right_of

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import first_sight, folder_of
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import LabelSpace

FILE = "Foundation_meta.json"
CHOICES = {letter: f"choice_{letter.lower()}" for letter in "ABCD"}
SUBJECTS = {"emotion": "emotion", "mood": "music_mood"}
"""Word in the name of a task → what it is about."""
SPACE = LabelSpace(
    "air_bench_answer", "options", (), source="Yang et al., AIR-Bench, ACL 2024 (OFA-Sys/AIR-Bench, foundation part)"
)
CARD = CorpusCard(
    name="air_bench",
    title="AIR-Bench (emotion and mood)",
    citation="Yang, Xu, Liu, Chu, Jiang, Zhou, Leng, Lv, Zhao, Zhou, Zhou: AIR-Bench: Benchmarking Large "
    "Audio-Language Models via Generative Comprehension. ACL 2024",
    url="https://github.com/OFA-Sys/AIR-Bench",
    obtain="the foundation part as https://github.com/OFA-Sys/AIR-Bench says; Foundation_meta.json and the folders "
    "{task}_{dataset}/ side by side",
    licence="not stated; the sounds have the terms of IEMOCAP, MELD and MTG-Jamendo",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("audio", "text"),
    spaces=(SPACE,),
    raters={"source": "the label of the corpus that a sound is from, among other labels as options"},
    counts={},
    split_policy="everything is test: a benchmark",
    built_from=("iemocap", "meld", "mtg_jamendo"),
    max_seconds=600.0,
    notes=(
        "The members were read in the authors' inference and scoring scripts; the file itself was not.",
        "Questions of tasks other than emotion and mood are rejected as other_task.",
        "What a question is about is the attribute `subject`, its source `dataset`.",
    ),
)
_ITEM = {
    **{"path": "a.wav", "question": "What does the speaker feel?", "choice_a": "anger", "choice_b": "joy"},
    **{"choice_c": "neutral", "choice_d": "sadness", "answer_gt": "joy", "task_name": "Speaker_Emotion_Recontion"},
    **{"dataset_name": "meld", "uniq_id": 1},
}
_MOOD = {
    **{"path": "b.wav", "question": "Which mood has the music?", "choice_a": "dark", "choice_b": "calm"},
    **{"answer_gt": "dark", "task_name": "Music_Mood_Recognition", "dataset_name": "MTJ-Jamendo", "uniq_id": 2},
}
MINIATURE: Mapping[str, Content] = {
    FILE: json.dumps(
        [
            _ITEM,
            _MOOD,
            _MOOD,
            {**_ITEM, "uniq_id": 3, "answer_gt": "glee"},
            {**_ITEM, "uniq_id": 4, "task_name": "Speaker_Gender_Recognition"},
            {**_ITEM, "uniq_id": 5, "path": "../../a.wav"},
            {"uniq_id": 6, "task_name": "Speaker_Emotion_Recontion"},
        ],
        indent=1,
    ),
    "Speaker_Emotion_Recontion_meld/a.wav": Tone(),
    "Speaker_Emotion_Recontion_meld/._a.wav": b"\x00\x05\x16\x07",
    "Music_Mood_Recognition_MTJ-Jamendo/b.wav": Tone(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question about emotion or mood, in the order of the file."""
    base = folder_of(root, CARD, lambda folder: names_all(folder / FILE, ("task_name", "answer_gt")), FILE)
    seen: set[str] = set()
    for item in read_json(base / FILE, root):
        if isinstance(item, Rejection):
            yield item
        else:
            yield from _question(item, base, root, seen)


def _question(item: Item, base: Path, root: Path, seen: set[str]) -> Iterator[Sample | Rejection]:
    value = item.value if isinstance(item.value, dict) else {}
    texts = {name: str(value.get(name) or "").strip() for name in ("path", "question", "task_name", "dataset_name")}
    identifier = f"{texts['task_name']}/{value.get('uniq_id', '')}"
    subject = next((name for word, name in SUBJECTS.items() if word in texts["task_name"].lower()), None)
    if subject is None:
        yield Rejection(identifier, "other_task", item.where, texts["task_name"][:60])
        return
    if not all(texts.values()):
        yield Rejection(identifier, "broken_row", item.where, "no path, question or dataset")
        return
    if again := first_sight(seen, identifier, item.where):
        yield again
        return
    given = {letter: str(value.get(member) or "").strip() for letter, member in CHOICES.items()}
    options = {letter: words for letter, words in given.items() if words}
    annotation = answered(SPACE, "source", options, right_of(value.get("answer_gt"), options))
    if annotation is None:
        yield Rejection(identifier, "unknown_label", item.where, f"{str(value.get('answer_gt'))[:60]!r} is no choice")
        return
    folder = base / f"{texts['task_name']}_{texts['dataset_name']}"
    sound = medium(texts["path"], [folder], root, item.where) if folder.is_dir() else None
    if isinstance(sound, Rejection):
        yield sound
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(annotation,),
        source=item.where,
        text=texts["question"],
        language="en",
        media=(sound,) if isinstance(sound, MediaRef) else (),
        attributes={"subject": subject, "dataset": texts["dataset_name"].lower(), "task": texts["task_name"]},
    )
