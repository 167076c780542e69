"""EEmo-Bench: what 1,960 pictures evoke, asked in questions about one picture or two.

``EEmo-Bench(single).json`` and ``EEmo-Bench(pair).json`` are lists of questions: ``question``, ``question_type``
(Yes-or-No, What/How, Open_ended), ``options`` as the text of a Python dict by letter, ``correct_answer`` (a letter, or
for open questions a text), and the pictures as ``image_url``, or ``image1_url`` and ``image2_url``. Beside a picture
stands what people said of it in one line of text: the three emotions that most of them chose of seven, with their votes
(``Ranking:{'Joy': 60, …}``), a category, and valence, arousal and dominance from 1 to 9. Every picture that has such a
line is a sample of its own here. Pictures lie in ``images/``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.benchmarks._questions import answered, media_folders, medium, options_of, right_of

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import PICTURES
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import first_sight, folder_of, list_media
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_SOURCE = "Gao et al., EEmo-Bench, ACM Multimedia 2025"
EMOTIONS = ("joy", "anger", "disgust", "sadness", "surprise", "fear", "neutral")
AXES = ("valence", "arousal", "dominance")
ANSWER = LabelSpace("eemo_answer", "options", (), source=_SOURCE)
DESCRIPTION = LabelSpace("eemo_description", "open", (), source=_SOURCE)
RANKING = LabelSpace("eemo_ranking", "distribution", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
VAD = LabelSpace("eemo_vad", "dimension", AXES, source=_SOURCE, bounds=(1.0, 9.0))
TYPES = {"yes-or-no": "yes_no", "what/how": "what_how", "open_ended": "open"}
PARTS = {"single": ("image",), "pair": ("image1", "image2")}
CARD = CorpusCard(
    name="eemo_bench",
    title="EEmo-Bench",
    citation="Gao, Jia, Zeng, Sun, Zhang, Zhou, Zhai, Min: EEmo-Bench: A Benchmark for Multi-modal Large Language "
    "Models on Image Evoked Emotion Assessment. ACM Multimedia 2025",
    url="https://github.com/workerred/EEmo-Bench",
    obtain="EEmo-Bench(single).json, EEmo-Bench(pair).json and images/ from "
    "https://huggingface.co/datasets/Workerred/EEmo-Bench_single and …_pair, in one folder",
    licence="not stated; research use",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("image", "text"),
    spaces=(ANSWER, DESCRIPTION, RANKING, VAD),
    raters={
        "authors": "the answer that the authors made of what people said of the pictures",
        "viewers": "people who looked at the picture: how many chose each emotion, and their mean scores",
    },
    counts={},
    total=6773,
    split_policy="everything is test: a benchmark",
    notes=(
        "The total is that of the questions; pictures that are judged are samples besides, called image/….",
        "The members were read in published results on pairs and in the authors' scripts; how the file of single "
        "pictures writes down what people said was not, so a picture may be known from the pairs only.",
        "The options are the text of a Python dict and are read as a literal, never run.",
        "Part (single or pair), type of the question, what it is about and how are attributes.",
        "2,312 of the questions are about pairs: 1,006 of yes or no, 1,006 of what or how, 300 open.",
    ),
)
_SAID = (
    "[Image{}] Ranking:{{'Joy': 60, 'Surprise': 35, 'Neutral': {}}}     category:Animal     Valence:{}  Arousal:6.67"
)
_SAID += "  Dominance:5.5"
_PAIR = {
    **{"image1_url": "1.jpg", "image1": "images\\1.jpg", "image1_label": _SAID.format(1, 13, 7.44)},
    **{"image2_url": "2.jpg", "image2": "images\\2.jpg", "image2_label": _SAID.format(2, 14, 2.5)},
    **{"perceptual_dimension": "Valence perception", "question_concern": "Similarity perception"},
}
_ONE = {"image_url": "3.jpg", "image_label": _SAID.format("", 35, 4.5).replace("6.67", "high")}
MINIATURE: Mapping[str, Content] = {
    "EEmo-Bench(pair).json": json.dumps(
        [
            {
                **{"id": 0, **_PAIR, "question": "Are both pleasant?", "options": "{'A': 'No.', 'B': 'Yes.'}"},
                **{"correct_answer": "A", "question_type": "Yes-or-No"},
            },
            {
                **{"id": 1, **_PAIR, "question": "Which is more pleasant?", "question_type": "What/How"},
                **{"options": "{'A': 'The first picture.', 'B': 'The second picture.'}", "correct_answer": "A"},
            },
            {
                **{"id": 2, **_PAIR, "question": "Why is the first one so pleasant?", "question_type": "Open_ended"},
                "correct_answer": "Because a dog rests in the sun.",
            },
            {
                **{"id": 3, **_PAIR, "question": "Which?", "question_type": "What/How", "correct_answer": "A"},
                "options": "__import__('os')",
            },
            {"id": 4, **_PAIR, "question": "Which?", "question_type": "Guess", "correct_answer": "A"},
        ]
    ),
    "EEmo-Bench(single).json": json.dumps(
        [
            {
                **{"id": 0, **_ONE, "question": "Is it pleasant?", "options": "{'A': 'Yes.', 'B': 'No.'}"},
                **{"correct_answer": "B", "question_type": "Yes-or-No"},
            },
            {
                **{"id": 1, **_ONE, "question": "What does it evoke?", "question_type": "What/How"},
                **{"options": "{'A': 'Fear', 'B': 'Joy', 'C': 'Anger'}", "correct_answer": "B"},
            },
            {"id": 1, **_ONE, "question": "Why?", "correct_answer": "So.", "question_type": "Open_ended"},
            {
                "id": 2,
                "image_url": "../3.jpg",
                "question": "Why?",
                "correct_answer": "So.",
                "question_type": "Open_ended",
            },
        ]
    ),
    **{f"images/{n}.jpg": Picture() for n in (1, 2, 3)},
    "images/._1.jpg": b"\x00\x05\x16\x07",
}
_FILE = re.compile(r"EEmo-Bench.*?(single|pair)\)?\.json", re.IGNORECASE)
_VOTES = re.compile(r"Ranking:\s*(\{[^{}]*\})")
_AXIS = re.compile(r"(Valence|Arousal|Dominance):\s*([\d.]+)")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, in the order of the files, and before it one per picture that is new."""
    base = folder_of(
        root, CARD, lambda folder: bool(_files(folder)), "EEmo-Bench(single).json or EEmo-Bench(pair).json"
    )
    folders = media_folders(base, ("images", "image"))
    has_media = any(any(list_media(folder, PICTURES)) for folder in folders)
    seen: set[str] = set()
    for part, path in _files(base).items():
        for item in read_json(path, root):
            if isinstance(item, Rejection):
                yield item
                continue
            value = item.value if isinstance(item.value, dict) else {}
            named = [str(value.get(f"{image}_url") or "").strip() for image in PARTS[part]]
            shown = [medium(name, folders, root, item.where) for name in named] if has_media else []
            yield from (one for one in shown if isinstance(one, Rejection))
            media = tuple(one for one in shown if isinstance(one, MediaRef))
            yield from _pictures(value, part, named, dict(zip(named, shown, strict=False)), item.where, seen)
            yield from _question(value, part, media if len(media) == len(named) else (), item, seen)


def _files(folder: Path) -> dict[str, Path]:
    """Return single and pair → the file."""
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    named = [(match[1].lower(), path) for path in paths if (match := _FILE.fullmatch(path.name))]
    return {part: path for part, path in sorted(named, reverse=True)}


def _pictures(
    value: Mapping[str, Any],
    part: str,
    named: list[str],
    shown: Mapping[str, MediaRef | Rejection],
    where: str,
    seen: set[str],
) -> Iterator[Sample]:
    for image, name in zip(PARTS[part], named, strict=True):
        said = str(value.get(f"{image}_label") or "")
        identifier = f"image/{Path(name).stem}"
        annotations = tuple(_said(said))
        if annotations and identifier not in seen:
            seen.add(identifier)
            picture = shown.get(name)
            category = re.search(r"category:\s*(.*?)\s*(?:Valence|$)", said)
            yield Sample(
                id=identifier,
                corpus=CARD.name,
                split=TEST,
                annotations=annotations,
                source=where,
                media=(picture,) if isinstance(picture, MediaRef) else (),
                attributes={"part": "image", "category": category[1] if category else ""},
            )


def _said(said: str) -> Iterator[Annotation]:
    votes = _literal(match[1]) if (match := _VOTES.search(said)) else {}
    counts = {RANKING.resolve(str(name)): number(count, 0.0) for name, count in votes.items()}
    chosen = {name: count for name, count in counts.items() if name and count}
    if chosen and len(chosen) == len(votes):
        yield Annotation(RANKING.name, "viewers", chosen)
    axes = {axis.lower(): number(level, 1.0, 9.0) for axis, level in _AXIS.findall(said)}
    levels = {axis: level for axis, level in axes.items() if level is not None}
    if set(levels) == set(AXES):
        yield Annotation(VAD.name, "viewers", levels)


def _literal(text: Any) -> Mapping[Any, Any]:
    """Read the text of a Python dict; empty where it is none."""
    if isinstance(text, Mapping):
        return text
    try:
        value = ast.literal_eval(str(text))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    return value if isinstance(value, dict) else {}


def _question(
    value: Mapping[str, Any], part: str, media: tuple[MediaRef, ...], item: Item, seen: set[str]
) -> Iterator[Sample | Rejection]:
    identifier = f"{part}/{value.get('id', '')}"
    words, answer = (str(value.get(name) or "").strip() for name in ("question", "correct_answer"))
    kind = TYPES.get(str(value.get("question_type") or "").strip().lower())
    if kind is None or not words or not answer:
        yield Rejection(identifier, "broken_row", item.where, f"a question of type {value.get('question_type')!r}"[:80])
        return
    options = options_of(_literal(value.get("options")))
    if kind == "open":
        annotation: Annotation | None = Annotation(DESCRIPTION.name, "authors", answer)
    else:
        annotation = answered(ANSWER, "authors", options, right_of(answer, options))
    if annotation is None:
        yield Rejection(identifier, "unknown_label", item.where, f"{answer[:40]!r} of {len(options)} options")
        return
    if again := first_sight(seen, identifier, item.where):
        yield again
        return
    about = {"dimension": "perceptual_dimension", "concern": "question_concern", "describes": "describing_dimension"}
    facts = {name: str(value.get(member) or "").strip().lower() for name, member in about.items()}
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(annotation,),
        source=item.where,
        text=words,
        language="en",
        media=media,
        attributes={"part": part, "type": kind, **{name: fact for name, fact in facts.items() if fact}},
    )
