"""WASSA 2023 shared task: essays about news, and the conversations that two of their writers then had.

*Essay level*: 792 train essays with empathy and distress (1 to 7), one or more of eight emotions joined by ``/``
(``Hope/Sadness``), personality and reactivity of the writer, demographics. *Conversation level*: turns of the
conversations, each with emotional polarity (0 negative, 1 neutral, 2 positive), emotion intensity and empathy (0 to 5)
as means of annotators. Tables are separated by tabs; those of dev and test have no labels, and their gold is in tables
of its own without a header, in the same order.

Essays are samples of their own; a turn has the turns before it as context.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.text._wassa import IRI, QUESTIONS, TRAITS, read_articles, read_scores

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import (
    Row,
    find_file,
    first_sight,
    folder_of,
    folders_below,
    missing_file,
    read_lines,
    relative,
)
from affectllm.corpus.tables import read_table, unquoted
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_SOURCE = "Barriere et al., Findings of WASSA 2023 Shared Task on Empathy, Emotion and Personality Detection, 2023"
EMOTIONS = ("sadness", "anger", "neutral", "fear", "surprise", "disgust", "joy", "hope")
EMOTION = LabelSpace("wassa2023_8", "set", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
SCORES = LabelSpace("wassa2023_empathy", "dimension", ("empathy", "distress"), source=_SOURCE, bounds=(1.0, 7.0))
PERSONALITY = LabelSpace("wassa2023_personality", "dimension", tuple(TRAITS), source=_SOURCE, bounds=(1.0, 7.0))
REACTIVITY = LabelSpace("wassa2023_iri", "dimension", tuple(IRI), source=_SOURCE, bounds=(1.0, 5.0))
POLARITY = LabelSpace("wassa2023_polarity", "dimension", ("polarity",), source=_SOURCE, bounds=(0.0, 2.0))
TURN = LabelSpace("wassa2023_turn", "dimension", ("emotion", "empathy"), source=_SOURCE, bounds=(0.0, 5.0))
PARTS = {"train": TRAIN, "dev": VALIDATION, "test": TEST}
DEMOGRAPHICS = ("conversation_id", "article_id", "gender", "education", "race", "age", "income")
_ESSAY: dict[str, tuple[str, ...]] = {
    **{name: () for name in ("essay", "speaker_id", "essay_id", *DEMOGRAPHICS, "empathy", "distress", "emotion")},
    **TRAITS,
    **IRI,
}
_CONV: dict[str, tuple[str, ...]] = {
    "text": ("turn_text", "utterance"),
    "turn_id": ("turn",),
    **{name: () for name in ("conversation_id", "speaker_id", "speaker_number", "article_id", "essay_id")},
    "polarity": ("EmotionalPolarity", "emotional_polarity"),
    "turn_emotion": ("Emotion", "emotion_intensity"),
    "turn_empathy": ("Empathy",),
}
# Columns of the gold tables by their number: essays with and without questionnaires, and turns.
_GOLD: dict[str, dict[int, tuple[str, ...]]] = {
    "essay": {12: ("empathy", "distress", "emotion", *TRAITS, *IRI), 3: ("empathy", "distress", "emotion")},
    "conv": {3: ("polarity", "turn_emotion", "turn_empathy")},
}
CARD = CorpusCard(
    name="wassa2023",
    title="WASSA 2023 empathy, emotion and personality",
    citation="Barriere, Sedoc, Tafreshi, Giorgi: Findings of WASSA 2023 Shared Task on Empathy, Emotion and "
    "Personality Detection in Conversation and Reactions to News Articles. WASSA 2023",
    url="https://codalab.lisn.upsaclay.fr/competitions/11167",
    obtain="WASSA23_essay_level_with_labels_train.tsv, WASSA23_conv_level_with_labels_train.tsv, the dev and test "
    "tables and their gold, from the task's page",
    licence="for research",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(EMOTION, SCORES, PERSONALITY, REACTIVITY, POLARITY, TURN),
    raters={
        "writer": "the person who wrote the essay: own scores and questionnaires",
        "annotators": "emotions of the essay as annotators read it, and the mean of annotators for a turn",
    },
    counts={TRAIN: 9568, VALIDATION: 2608, TEST: 1561},
    split_policy="official: train, dev and test of both levels",
    notes=(
        "Counts are essays (792, 208, 136) and turns (8,776, 2,400, 1,425) together.",
        "Without a table of gold, dev and test rows are rejected as no_annotation.",
        "The columns of the gold tables are not documented; they are read by their number: 12 or 3 for essays, 3 for "
        "turns (polarity, emotion, empathy).",
        "The article an essay reacts to is the attribute article, where articles_adobe_AMT.csv is there.",
    ),
)
_FEATURES = "conversation_id\tarticle_id\tessay\tspeaker_id\tgender\tage\tessay_id\n"
_TURNS = "conversation_id\tturn_id\ttext\tEmotionalPolarity\tEmotion\tEmpathy\tspeaker_number\tarticle_id\tspeaker_id\n"
MINIATURE: Mapping[str, Content] = {
    "WASSA23_essay_level_with_labels_train.tsv": "conversation_id\tarticle_id\tessay\tempathy\tdistress\tspeaker_id\t"
    + f"gender\tage\tsplit\tessay_id\temotion\t{QUESTIONS}\n"
    + '1\t7\t"They ""say"" so."\t6.0\t2.5\t30\t1\t33\ttrain\t0\tHope/Sadness\t5\t4.5\t3\t6\t5\t3\t2\t4\t3.5\n'
    + "2\t8\tIt rained.\t8.0\t2.5\t31\t1\t33\ttrain\t1\tJoy/Glee\t5\t4.5\t3\t6\t5\t3\t2\t4\t3.5\n",
    "WASSA23_essay_level_dev.tsv": _FEATURES + "3\t7\tA dam broke.\t32\t2\t40\t5\n",
    "goldstandard_essay_dev.tsv": "4.0\t3.0\tAnger\n",
    "WASSA23_essay_level_test.tsv": _FEATURES + "4\t7\tNo gold here.\t33\t2\t40\t6\n",
    "WASSA23_conv_level_with_labels_train.tsv": _TURNS
    + "1\t0\tDid you read it?\t0.667\t1.333\t0.0\t1\t7\t30\n"
    + "1\t1\tYes, poor people.\t0.0\t2.667\t3.333\t2\t7\t31\n",
    "WASSA23_conv_level_test.tsv": "conversation_id\tturn_id\ttext\tspeaker_id\n9\t0\tHello.\t40\n",
    "goldstandard_conv_test.tsv": "1\t0.5\t2\n",
}
_TABLE = re.compile(r"WASSA(?:20)?23_(essay|conv)_level_\w*?(train|dev|test)\w*\.tsv", re.I)
_GOLD_NAME = re.compile(r"gold_?standard_(?:\w*?(essay|conv)\w*?_)?(?:level_)?(dev|test)\w*\.tsv", re.I)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per essay and per turn, in the order of the tables."""
    base = folder_of(root, CARD, _is_ours, "WASSA23_essay_level_with_labels_train.tsv")
    tables, golds = _tables(base, _TABLE), _tables(base, _GOLD_NAME)
    articles = read_articles(find_file(base, "articles_adobe_AMT.csv"), root)
    if not articles:
        yield missing_file("articles_adobe_AMT.csv", CARD)
    for level, columns in (("essay", _ESSAY), ("conv", _CONV)):
        for part, split in PARTS.items():
            path = tables.get((level, part))
            if path is None:
                yield missing_file(f"WASSA23_{level}_level_{part}.tsv", CARD)
                continue
            needed = "essay" if level == "essay" else "text"
            rows = list(read_table(path, root, columns, "\t", optional=tuple(key for key in columns if key != needed)))
            if part != "train" and (level, part) not in golds:
                yield missing_file(f"gold of {path.name}", CARD)
            gold, trouble = _gold(golds.get((level, part)), root, level, len(rows))
            yield from trouble
            labelled = [
                row if isinstance(row, Rejection) else Row({**row.fields, **more}, row.where)
                for row, more in zip(rows, gold, strict=True)
            ]
            yield from _essays(labelled, part, split, articles) if level == "essay" else _turns(labelled, part, split)


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and any(_TABLE.fullmatch(path.name) for path in folder.glob("*"))


def _tables(base: Path, pattern: re.Pattern[str]) -> dict[tuple[str, str], Path]:
    """Return (level, part) → its table, one with labels before one without."""
    tables: dict[tuple[str, str], Path] = {}
    for folder in folders_below(base):
        for path in sorted(folder.iterdir(), key=lambda path: ("label" not in path.name, path.name)):
            if (name := pattern.fullmatch(path.name)) and path.is_file():
                tables.setdefault(((name[1] or "essay").lower(), name[2].lower()), path)
    return tables


def _gold(path: Path | None, root: Path, level: str, count: int) -> tuple[list[dict[str, str]], list[Rejection]]:
    """Return labels row by row; none, and the reason, where they cannot belong to the rows."""
    none: list[dict[str, str]] = [{} for _ in range(count)]
    if path is None:
        return none, []
    rows = []
    for line in read_lines(path, root):
        fields = [] if isinstance(line, Rejection) else [unquoted(field) for field in line[1].split("\t")]
        if any(fields) or isinstance(line, Rejection):
            rows.append(dict(zip(_GOLD[level].get(len(fields), ()), fields, strict=False)))
    if len(rows) == count:
        return rows, []
    name = relative(path, root)
    return none, [Rejection(name, "broken_row", name, f"{len(rows)} labels for {count} rows: none is used")]


def _essays(
    rows: list[Row | Rejection], part: str, split: str, articles: Mapping[str, str]
) -> Iterator[Sample | Rejection]:
    seen: set[str] = set()
    for row in rows:
        if isinstance(row, Rejection):
            yield row
            continue
        key = row.fields.get("essay_id", "").strip() or row.where.rpartition(":")[2]
        identifier, essay = f"{part}/essay/{key}", row["essay"].strip()
        annotations, trouble = read_scores(
            row.fields, identifier, row.where, "writer", (SCORES, PERSONALITY, REACTIVITY)
        )
        stated = row.fields.get("emotion", "").strip()
        names = [EMOTION.resolve(word) for word in stated.split("/")] if stated else []
        if stated and None not in names:
            chosen = tuple(name for name in EMOTIONS if name in names)
            annotations.append(Annotation(EMOTION.name, "annotators", chosen))
        elif stated:
            trouble.append(Rejection(identifier, "unknown_label", row.where, stated[:80]))
        yield from trouble
        facts = {name: row.fields.get(name, "").strip() for name in DEMOGRAPHICS}
        facts |= {"level": "essay", "article": articles.get(facts["article_id"], "")}
        again = first_sight(seen, identifier, row.where)
        yield again or _sample(row, identifier, split, essay, annotations, facts, None, ())


def _turns(rows: list[Row | Rejection], part: str, split: str) -> Iterator[Sample | Rejection]:
    seen: set[str] = set()
    context: defaultdict[str, list[Turn]] = defaultdict(list)
    names = {"turn_emotion": "emotion", "turn_empathy": "empathy"}
    for row in rows:
        if isinstance(row, Rejection):
            yield row
            continue
        fields = {**row.fields, **{new: row.fields.get(old, "") for old, new in names.items()}}
        dialogue = f"{part}/{row.fields.get('conversation_id', '').strip()}"
        identifier = f"{dialogue}/{row.fields.get('turn_id', '').strip() or row.where.rpartition(':')[2]}"
        annotations, trouble = read_scores(fields, identifier, row.where, "annotators", (POLARITY, TURN))
        yield from trouble
        facts = {name: row.fields.get(name, "").strip() for name in ("speaker_number", "article_id", "essay_id")}
        facts["level"] = "conversation"
        earlier, text = context[dialogue], row["text"].strip()
        again = first_sight(seen, identifier, row.where)
        yield again or _sample(row, identifier, split, text, annotations, facts, dialogue, tuple(earlier))
        earlier.append(Turn(row.fields.get("speaker_id", "").strip(), text))


def _sample(
    row: Row,
    identifier: str,
    split: str,
    text: str,
    annotations: list[Annotation],
    facts: Mapping[str, str],
    dialogue: str | None,
    context: tuple[Turn, ...],
) -> Sample | Rejection:
    if not text or not annotations:
        return Rejection(identifier, "no_annotation" if text else "broken_row", row.where, text[:80])
    person = row.fields.get("speaker_id", "").strip()
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=row.where,
        text=text,
        language="en",
        speaker=person or None,
        dialogue=dialogue,
        context=context,
        attributes={name: fact for name, fact in facts.items() if fact},
    )
