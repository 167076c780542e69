"""WASSA 2022 shared task: messages about news, with empathy, distress, an emotion, and who wrote them.

Train is Empathic Reactions (1,860 messages) with an emotion added; dev and test were written for the task. The train
table has everything: the scores (1 to 7), the emotion, demographics as codes, five traits of personality and four
scales of the interpersonal reactivity index. The dev and test tables have only the words and demographics; their gold
is in tables of its own without a header, row by row in the same order (``goldstandard_dev_2022.tsv``). Where gold and
features do not have the same number of rows, no row is given a label.

Column names are misspelled in the release (``openess``, ``empathatic``); the spaces here spell them right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.text._wassa import IRI, QUESTIONS, TRAITS, read_articles, read_scores

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
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

_SOURCE = "Barriere et al., WASSA 2022 Shared Task: Predicting Empathy, Emotion and Personality, 2022"
EMOTIONS = ("sadness", "anger", "neutral", "fear", "surprise", "disgust", "joy")
EMOTION = LabelSpace("wassa2022_7", "category", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
SCORES = LabelSpace("wassa2022_empathy", "dimension", ("empathy", "distress"), source=_SOURCE, bounds=(1.0, 7.0))
PERSONALITY = LabelSpace("wassa2022_personality", "dimension", tuple(TRAITS), source=_SOURCE, bounds=(1.0, 7.0))
REACTIVITY = LabelSpace("wassa2022_iri", "dimension", tuple(IRI), source=_SOURCE, bounds=(1.0, 5.0))
GOLD = ("empathy", "distress", "emotion", *TRAITS, *IRI)  # columns of the tables without a header
PARTS = {"train": TRAIN, "dev": VALIDATION, "test": TEST}
DEMOGRAPHICS = ("article_id", "gender", "education", "race", "age", "income")
CARD = CorpusCard(
    name="wassa2022",
    title="WASSA 2022 empathy and emotion",
    citation="Barriere, Tafreshi, Sedoc, Alqahtani: WASSA 2022 Shared Task: Predicting Empathy, Emotion and "
    "Personality in Reaction to News Stories. WASSA 2022",
    url="https://codalab.lisn.upsaclay.fr/competitions/834",
    obtain="messages_train_ready_for_WS.tsv, messages_dev_features_ready_for_WS_2022.tsv, "
    "messages_test_features_ready_for_WS_2022.tsv, goldstandard_dev_2022.tsv and articles_adobe_AMT.csv of the task",
    licence="for research; the messages of train are CC-BY-4.0",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(EMOTION, SCORES, PERSONALITY, REACTIVITY),
    raters={
        "writer": "the person who wrote the message: own scores and questionnaires",
        "annotators": "emotion of the message as annotators read it",
    },
    counts={TRAIN: 1860, VALIDATION: 270, TEST: 525},
    split_policy="official: train, dev and test",
    built_from=("empathic_reactions",),
    notes=(
        "The test gold was not given to participants; without goldstandard_test_2022.tsv every test row is rejected as "
        "no_annotation.",
        "The article that a message reacts to is the attribute article, where articles_adobe_AMT.csv is there.",
        "Demographics are codes and stay attributes.",
    ),
)
_HEADER = "message_id\tresponse_id\tarticle_id\tempathy\tdistress\temotion\tgender\tage\tessay\t" + QUESTIONS
_TAIL = "\t5\t4.5\t3\t6\t5.0\t3.2\t2\t4\t3.667000000000001\n"
_FEATURES = "message_id\tresponse_id\tarticle_id\tgender\tage\tessay\n"
_GOLD = "4.5\t1.0\tsadness\t5\t4.5\t3\t6\t5\t3\t2\t4\t3\n"
MINIATURE: Mapping[str, Content] = {
    "messages_train_ready_for_WS.tsv": _HEADER
    + '\nR_1_1\tR_1\t7\t5.667000000000001\t2.5\tanger\t1\t33\tThey knew "all" of it.\t'
    + _TAIL.lstrip("\t")
    + "R_1_2\tR_1\t8\t9\t2.5\tmeh\t1\t33\tNobody came.\t"
    + _TAIL.lstrip("\t"),
    "messages_dev_features_ready_for_WS_2022.tsv": _FEATURES + 'R_2_1\tR_2\t7\t2\t41\t"I ""felt"" it too."\n',
    "goldstandard_dev_2022.tsv": _GOLD,
    "messages_test_features_ready_for_WS_2022.tsv": "\ufeff" + _FEATURES + "R_3_1\tR_3\t7\t2\t41\tSo sad.\n",
    "goldstandard_test_2022.tsv": _GOLD,
    "articles_adobe_AMT.csv": 'article_id,text\n7,"A dam broke, they say."\n',
}
_COLUMNS: dict[str, tuple[str, ...]] = {
    **{name: () for name in ("message_id", "response_id", "essay", *DEMOGRAPHICS, "empathy", "distress", "emotion")},
    **TRAITS,
    **IRI,
}
_NEEDED = ("essay",)
_TABLE = re.compile(r"messages_(train|dev|test)_\w*ready_for_WS\w*\.tsv", re.I)
_GOLD_NAME = re.compile(r"gold_?standard_(dev|test)\w*\.tsv", re.I)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per message, in the order of the tables."""
    base = folder_of(root, CARD, _is_ours, "messages_train_ready_for_WS.tsv")
    tables, golds = _newest(base, _TABLE), _newest(base, _GOLD_NAME)
    articles = read_articles(find_file(base, "articles_adobe_AMT.csv"), root)
    if not articles:
        yield missing_file("articles_adobe_AMT.csv", CARD)
    for part, split in PARTS.items():
        path = tables.get(part)
        if path is None:
            yield missing_file(f"messages_{part}_ready_for_WS.tsv", CARD)
            continue
        optional = tuple(name for name in _COLUMNS if name not in _NEEDED)
        rows = list(read_table(path, root, _COLUMNS, "\t", optional=optional))
        gold = _gold(golds[part], root) if part in golds else []
        if part not in golds and part != "train":
            yield missing_file(f"goldstandard_{part}_2022.tsv", CARD)
        if gold and len(gold) != len(rows):
            name = relative(golds[part], root)
            yield Rejection(name, "broken_row", name, f"{len(gold)} labels for {len(rows)} messages: none is used")
            gold = []
        seen: set[str] = set()
        for place, row in enumerate(rows):
            if isinstance(row, Rejection):
                yield row
            else:
                labels = {**row.fields, **(gold[place] if gold else {})}
                yield from _message(row, labels, part, split, seen, articles)


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and any(_TABLE.fullmatch(path.name) for path in folder.glob("*"))


def _newest(base: Path, pattern: re.Pattern[str]) -> dict[str, Path]:
    """Return part → its table; where files of two years lie together, the one that names the later year."""
    tables: dict[str, Path] = {}
    for folder in folders_below(base):
        for path in sorted(folder.iterdir()):
            if (name := pattern.fullmatch(path.name)) and path.is_file():
                part = name[1].lower()
                if part not in tables or ("2022" in path.name and "2022" not in tables[part].name):
                    tables[part] = path
    return tables


def _gold(path: Path, root: Path) -> list[dict[str, str]]:
    """Read the labels of a table without a header, row by row; a line that cannot be read gives no labels."""
    rows = []
    for line in read_lines(path, root):
        fields = [] if isinstance(line, Rejection) else [unquoted(field) for field in line[1].split("\t")]
        if isinstance(line, Rejection) or line[1].strip():
            rows.append(dict(zip(GOLD, fields, strict=False)))
    return rows


def _message(
    row: Row, labels: Mapping[str, str], part: str, split: str, seen: set[str], articles: Mapping[str, str]
) -> Iterator[Sample | Rejection]:
    identifier = f"{part}/{row.fields.get('message_id', '').strip() or row.where.rpartition(':')[2]}"
    essay = row["essay"].strip()
    if not essay:
        yield Rejection(identifier, "broken_row", row.where, "no words")
        return
    if again := first_sight(seen, identifier, row.where):
        yield again
        return
    annotations, trouble = read_scores(labels, identifier, row.where, "writer", (SCORES, PERSONALITY, REACTIVITY))
    yield from trouble
    if given_emotion := labels.get("emotion", "").strip():
        if emotion := EMOTION.resolve(given_emotion):
            annotations.append(Annotation(EMOTION.name, "annotators", emotion))
        else:
            yield Rejection(identifier, "unknown_label", row.where, given_emotion[:80])
    if annotations:
        yield _sample(row, identifier, split, essay, annotations, articles)
    else:
        yield Rejection(identifier, "no_annotation", row.where, essay[:80])


def _sample(
    row: Row, identifier: str, split: str, essay: str, annotations: list[Annotation], articles: Mapping[str, str]
) -> Sample:
    facts = {name: row.fields.get(name, "").strip() for name in DEMOGRAPHICS}
    facts["article"] = articles.get(facts["article_id"], "")
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=row.where,
        text=essay,
        language="en",
        speaker=row.fields.get("response_id", "").strip() or None,
        attributes={name: fact for name, fact in facts.items() if fact},
    )
