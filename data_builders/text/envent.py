"""crowd-enVENT: 6,600 events told by those whom they happened to, with emotion and appraisals, and what readers guess.

People were given one of twelve emotions, or none, and told an event that made them feel so; then they rated it on 21
appraisals (how sudden, how pleasant, who was responsible …), 1 to 5 each. Five readers did the same for 1,200 of the
texts: they guessed the emotion and the appraisals. ``crowd-enVent_generation.tsv`` has a row a text,
``crowd-enVent_validation.tsv`` a row a reader and text; both are separated by tabs without quoting. The reader does
not see ``generated_text`` but ``hidden_emo_text``, where the words for emotions are hidden, and neither should a model:
that is the text of a sample, the other an attribute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, find_file, first_sight, folder_of, missing_file
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

GENERATION = ("crowd-enVent_generation.tsv", "crowd-enVent-generation.tsv")
VALIDATED = ("crowd-enVent_validation.tsv", "crowd-enVent-validation.tsv")
_SOURCE = "Troiano et al., Dimensional Modeling of Emotions in Text with Appraisal Theories, CL 49(1), 2023"
EMOTIONS = (
    *("anger", "boredom", "disgust", "fear", "guilt", "joy", "pride", "relief", "sadness", "shame", "surprise"),
    *("trust", "no-emotion"),
)
APPRAISALS = (
    *("suddenness", "familiarity", "predict_event", "pleasantness", "unpleasantness", "goal_relevance"),
    *("chance_responsblt", "self_responsblt", "other_responsblt", "predict_conseq", "goal_support", "urgency"),
    *("self_control", "other_control", "chance_control", "accept_conseq", "standards", "social_norms"),
    *("attention", "not_consider", "effort"),
)
EMOTION = LabelSpace(
    "envent_13",
    "category",
    EMOTIONS,
    source=_SOURCE,
    aliases={**aliases(*EMOTIONS), "no emotion": "no-emotion", "no_emotion": "no-emotion", "neutral": "no-emotion"},
)
VOTES = LabelSpace("envent_votes", "distribution", EMOTIONS, source=_SOURCE, aliases=EMOTION.aliases)
APPRAISAL = LabelSpace("envent_appraisals", "dimension", APPRAISALS, source=_SOURCE, bounds=(1.0, 5.0))
READERS = tuple(f"reader_{place}" for place in range(1, 11))
CARD = CorpusCard(
    name="envent",
    title="crowd-enVENT",
    citation="Troiano, Oberländer, Klinger: Dimensional Modeling of Emotions in Text with Appraisal Theories: Corpus "
    "Creation, Annotation Reliability, and Prediction. Computational Linguistics 49(1), 2023",
    url="https://www.romanklinger.de/data-sets/",
    obtain="https://www.romanklinger.de/data-sets/crowd-enVent2023.zip , unpacked: corpus holds "
    "crowd-enVent_generation.tsv and crowd-enVent_validation.tsv",
    licence="free for research",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(EMOTION, VOTES, APPRAISAL),
    raters={
        "writer": "the person who told the event: the emotion asked for, and own appraisals",
        "readers": "how many readers guessed each emotion",
        **{rater: f"reader {place} of a text, not the same person for each" for place, rater in enumerate(READERS, 1)},
    },
    counts={},
    total=6600,
    split_policy="as in the authors' experiments, the 1,200 texts that readers judged are test; the others are train "
    "or validation by a hash of the text id, 90 and 10 percent. A writer may be in all of them",
    notes=(
        "The layout is taken from the authors' modelling code and public loaders, not from a specification.",
        "The text is the one with hidden words for emotions, as readers saw it; the other is the attribute "
        "generated_text.",
        "Other columns (durations, intensity, confidence, age, gender, personality …) are attributes as they stand.",
    ),
)
_FIRST = ("round_number", "emotion", "text_id", "prolific_id", "generated_text", "hidden_emo_text")
_HEADER = "\t".join((*_FIRST, *APPRAISALS)) + "\n"
_ROW = "round-1\t{1}\t{0}\tw1\tI felt {1} when {2}\tI felt ... when {2}\t" + "\t".join(["3"] * 20) + "\t{3}\n"
_READ = "original_emotion\temotion\ttext_id\tprolific_id\ttext\t" + "\t".join(APPRAISALS) + "\n"
_READ_ROW = "joy\t{1}\t{0}\tr{2}\tI felt ...\t" + "\t".join(["2"] * 21) + "\n"
MINIATURE: Mapping[str, Content] = {
    "corpus/crowd-enVent_generation.tsv": _HEADER
    + _ROW.format(1, "joy", 'the "letter came', 5)
    + _ROW.format(4, "no-emotion", "I ate", 1)
    + _ROW.format(15, "anger", "they left", 1)
    + _ROW.format(7, "envy", "she won", 1)
    + _ROW.format(8, "guilt", "I lied", 9)
    + "round-1\tjoy\n",
    "corpus/crowd-enVent_validation.tsv": _READ
    + _READ_ROW.format(1, "joy", 1)
    + _READ_ROW.format(1, "relief", 2)
    + _READ_ROW.format(99, "joy", 1),
}
_TEXT: dict[str, tuple[str, ...]] = {"generated_text": ("text",), "hidden_emo_text": ()}
_COLUMNS: dict[str, tuple[str, ...]] = {"emotion": (), "text_id": ("id",), **{name: () for name in APPRAISALS}}
_SKIPPED = {"emotion", "text_id", "prolific_id", "hidden_emo_text", *APPRAISALS}
_Reading = tuple[str, str | None, dict[str, float]]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per text, in the order of the generation table."""
    base = folder_of(root, CARD, _is_ours, f"corpus/{GENERATION[0]}")
    path, validation = find_file(base, *GENERATION), find_file(base, *VALIDATED)
    readings: defaultdict[str, list[_Reading]] = defaultdict(list)
    if validation is None:
        yield missing_file(VALIDATED[0], CARD)
    else:
        yield from _read(validation, root, readings)
    seen: set[str] = set()
    for row in read_table(path, root, {**_COLUMNS, **_TEXT}, "\t", optional=("hidden_emo_text",)) if path else ():
        if isinstance(row, Rejection):
            yield row
        else:
            yield from _text(row, readings, seen)
    for key in sorted(set(readings) - seen):
        yield Rejection(key, "text_missing", readings[key][0][0], "read, but not among the texts")


def _is_ours(folder: Path) -> bool:
    return any((folder / inner / name).is_file() for name in GENERATION for inner in ("", "corpus"))


def _appraisals(row: Row) -> dict[str, float]:
    scores = {name: number(row[name], 1, 5) for name in APPRAISALS}
    return {name: score for name, score in scores.items() if score is not None}


def _read(path: Path, root: Path, readings: defaultdict[str, list[_Reading]]) -> Iterator[Rejection]:
    for row in read_table(path, root, _COLUMNS, "\t"):
        if isinstance(row, Rejection):
            yield row
            continue
        emotion, key = EMOTION.resolve(row["emotion"]), row["text_id"].strip()
        if emotion is None:
            yield Rejection(f"{key} reader", "unknown_label", row.where, row["emotion"][:80])
        if len(readings[key]) == len(READERS):
            yield Rejection(f"{key} reader", "duplicate_id", row.where, f"more than {len(READERS)} readers")
        else:
            readings[key].append((row.where, emotion, _appraisals(row)))


def _text(row: Row, readings: Mapping[str, list[_Reading]], seen: set[str]) -> Iterator[Sample | Rejection]:
    key = row["text_id"].strip()
    text = row.fields.get("hidden_emo_text", "").strip() or row["generated_text"].strip()
    if not key or not text:
        yield Rejection(row.where, "broken_row", row.where, "no id or no words")
        return
    if again := first_sight(seen, key, row.where):
        yield again
        return
    annotations: list[Annotation] = []
    if emotion := EMOTION.resolve(row["emotion"]):
        annotations.append(Annotation(EMOTION.name, "writer", emotion))
    else:
        yield Rejection(key, "unknown_label", row.where, row["emotion"][:80])
    scores = _appraisals(row)
    if len(scores) < len(APPRAISALS):
        strange = ", ".join(name for name in APPRAISALS if name not in scores)
        yield Rejection(key, "unknown_label", row.where, f"not from 1 to 5: {strange}")
    if scores:
        annotations.append(Annotation(APPRAISAL.name, "writer", scores))
    read = readings.get(key, [])
    rest = by_hash(key, validation=0.1, test=0.0, salt=CARD.name)
    if annotations:
        yield Sample(
            id=key,
            corpus=CARD.name,
            split=TEST if read else rest,
            annotations=(*annotations, *_guesses(read)),
            source=row.where,
            text=text,
            language="en",
            speaker=row.fields.get("prolific_id", "").strip() or None,
            attributes={key: fact.strip() for key, fact in row.fields.items() if fact.strip() and key not in _SKIPPED},
        )


def _guesses(readings: list[_Reading]) -> Iterator[Annotation]:
    """Yield what each reader guessed, and how many guessed the same."""
    votes: defaultdict[str, int] = defaultdict(int)
    for rater, (_, emotion, scores) in zip(READERS, readings, strict=False):
        if emotion:
            votes[emotion] += 1
            yield Annotation(EMOTION.name, rater, emotion)
        if scores:
            yield Annotation(APPRAISAL.name, rater, scores)
    if votes:
        yield Annotation(VOTES.name, "readers", dict(votes))
