"""SemEval-2018 task 1, Affect in Tweets: emotions and valence of tweets in English, Arabic and Spanish.

Five subtasks, each with files of its own: E-c (which of eleven emotions), EI-reg and EI-oc (how strong is anger, fear,
joy or sadness, as a number from 0 to 1 and as a class from 0 to 3), V-reg and V-oc (valence, 0 to 1 and -3 to 3).
Files are separated by tabs without quoting and come under several names (``2018-EI-reg-En-anger-train.txt``,
``EI-reg-En-anger-train.txt``, ``2018-Valence-oc-Es-test-gold.txt``); a test file exists with and without gold.

The English test files of EI-reg and V-reg also hold 16,937 *mystery* sentences from templates, with 0.000 as a dummy
gold: 94 percent of the file would be wrong zeros, so they are rejected by name. A tweet without any of the eleven
emotions is annotated with the empty set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, first_sight, folder_of, folders_below, is_debris, missing_file
from affectllm.corpus.tables import number, plain_name, read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_SOURCE = "Mohammad et al., SemEval-2018 Task 1: Affect in Tweets, 2018"
EMOTIONS = (
    *("anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism", "sadness", "surprise"),
    "trust",
)
FOUR = ("anger", "fear", "joy", "sadness")
SPACE = LabelSpace("semeval2018_11", "set", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
INTENSITY = LabelSpace("semeval2018_intensity", "dimension", FOUR, source=_SOURCE, bounds=(0.0, 1.0))
CLASS = LabelSpace("semeval2018_intensity_class", "dimension", FOUR, source=_SOURCE, bounds=(0.0, 3.0))
VALENCE = LabelSpace("semeval2018_valence", "dimension", ("valence",), source=_SOURCE, bounds=(0.0, 1.0))
VALENCE_CLASS = LabelSpace("semeval2018_valence_class", "dimension", ("valence",), source=_SOURCE, bounds=(-3.0, 3.0))
SPLITS = {"train": TRAIN, "dev": VALIDATION, "test": TEST}
LANGUAGES = ("en", "ar", "es")
SCORED = {"EI-reg": INTENSITY, "EI-oc": CLASS, "V-reg": VALENCE, "V-oc": VALENCE_CLASS}
CARD = CorpusCard(
    name="semeval2018_task1",
    title="SemEval-2018 Task 1",
    citation="Mohammad, Bravo-Marquez, Salameh, Kiritchenko: SemEval-2018 Task 1: Affect in Tweets. SemEval 2018",
    url="https://competitions.codalab.org/competitions/17751",
    obtain="SemEval2018-Task1-all-data.zip from https://saifmohammad.com/WebDocs/AIT-2018/AIT2018-DATA/ , unpacked",
    licence="NRC terms: research, no redistribution of tweets",
    access="open",
    redistribution=False,
    commercial=False,
    languages=LANGUAGES,
    modalities=("text",),
    spaces=(SPACE, INTENSITY, CLASS, VALENCE, VALENCE_CLASS),
    raters={"crowd": "crowd annotators: best-worst scaling for intensity and valence, an aggregated vote for emotions"},
    counts={TRAIN: 50079, VALIDATION: 9618, TEST: 28755},
    split_policy="official: train, dev and test of each subtask; a tweet may have one split in one subtask and another "
    "in the next, so train on the subtask that is scored",
    notes=(
        "Counts are rows of all subtasks and languages, without the mystery rows. E-c: English 6,838, 886 and 3,259; "
        "Arabic 2,278, 585 and 1,518; Spanish 3,561, 679 and 2,854.",
        "Mystery rows (template sentences with a dummy gold of 0.000) are rejected as mystery_row.",
        "The test files without gold hold NONE; they are read only where the gold file is not there, and their rows "
        "are rejected as no_annotation.",
        "Line breaks of tweets are the two characters \\n in the files.",
        "The subtask, the emotion of an EI file and the tweet id are attributes.",
    ),
)
_EC = "ID\tTweet\t" + "\t".join(EMOTIONS) + "\n"
_REG = "ID\tTweet\tAffect Dimension\tIntensity Score\n"
_OC = "ID\tTweet\tAffect Dimension\tIntensity Class\n"
MINIATURE: Mapping[str, Content] = {
    "E-c/English/2018-E-c-En-train.txt": _EC
    + '2017-En-90001\t"Best day\\never #sun\t0\t1\t0\t0\t1\t0\t1\t0\t0\t0\t0\n'
    + "2017-En-90002\tThe bus left at nine\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\n"
    + "2017-En-90003\tBroken\t0\t0\n"
    + "2017-En-90004\tOdd\t0\t2\t0\t0\t0\t0\t0\t0\t0\t0\t0\n",
    "E-c/English/2018-E-c-En-test-gold.txt": _EC + "2018-En-90008\tOn my way\t0\t1\t0\t0\t1\t0\t1\t0\t0\t0\t0\n",
    "E-c/Arabic/2018-E-c-Ar-train.txt": _EC
    + "2017-Ar-90001\tصباح سعيد\t0\t0\t0\t0\t1\t1\t1\t0\t0\t0\t0\n"
    + "2017-Ar-90002\tهذا محزن\t1\t0\t0\t0\t0\t0\t0\t0\t1\t0\t0\n",
    "E-c/Arabic/2018-E-c-Ar-test-gold.txt": _EC + "2018-Ar-90003\tليلة طويلة\t0\t0\t0\t1\t0\t0\t0\t0\t0\t0\t0\n",
    "EI-reg/Arabic/dev/2018-EI-reg-Ar-joy-dev.txt": _REG + "2018-Ar-90001\tصباح جميل\tjoy\t0.750\n",
    "EI-reg/English/test/2018-EI-reg-En-anger-test-gold.txt": _REG
    + "2018-En-90005\tNot again.\tanger\t0.812\n"
    + "2018-En-mystery-90001\tThe weather makes Kim feel angry.\tanger\t0.000\n",
    "EI-reg/English/test/2018-EI-reg-En-anger-test.txt": _REG + "2018-En-90005\tNot again.\tanger\tNONE\n",
    "EI-oc/Spanish/EI-oc-Es-fear-train.txt": _OC + "2018-Es-90001\tOigo pasos\tfear\t2: moderate amount of fear\n",
    "V-reg/Spanish/2018-Valence-reg-Es-train.txt": _REG + "2018-Es-90002\tGanamos\tvalence\t0.9\n",
    "V-oc/English/2018-Valence-oc-En-test.txt": _OC + "2018-En-90006\tHm\tvalence\tNONE\n",
    "V-oc/English/2018-Valence-oc-En-dev.txt": _OC + "2018-En-90007\tHm!\tvalence\t-2: moderately negative\n",
}
_NAME = re.compile(
    r"(?:2018-)?(E-c|EI-reg|EI-oc|V-reg|V-oc|Valence-reg|Valence-oc)-(En|Ar|Es)(?:-(anger|fear|joy|sadness))?"
    r"-(train|dev|test)(-gold)?\.(?:txt|tsv)",
    re.IGNORECASE,
)
_TASKS = {plain_name(name): name for name in ("E-c", *SCORED)} | {"valencereg": "V-reg", "valenceoc": "V-oc"}


@dataclass(frozen=True, slots=True, order=True)
class _File:
    """Facts from the name of a file; ``key`` is the same for a test file with and without gold."""

    task: str
    language: str
    emotion: str
    part: str
    no_gold: bool
    path: Path

    @property
    def key(self) -> str:
        return "-".join(filter(None, (self.task, self.language, self.emotion, self.part)))


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per row of each file, in the order of subtask, language, emotion and split."""
    base = folder_of(root, CARD, _is_ours, "2018-E-c-En-train.txt")
    files = sorted(_files(base))
    yield from _missing({file.key for file in files})
    read: set[str] = set()
    for file in files:
        if file.key in read:  # the same rows: a test file without gold beside the one with, or a second copy
            if not file.no_gold:
                yield Rejection(_below(file.path, root), "duplicate_file", _below(file.path, root), file.key)
            continue
        read.add(file.key)
        yield from _rows(file, root)


def _is_ours(folder: Path) -> bool:
    """Whether files of the task lie here: releases sort them by subtask and language, in either order."""
    inner = [f"{language}{task}" for language in ("", "English/", "Arabic/", "Spanish/") for task in ("E-c", *SCORED)]
    if any((folder / name).is_dir() for name in inner):
        return True
    return folder.is_dir() and any(_NAME.fullmatch(path.name) for path in folder.glob("*"))


def _missing(present: set[str]) -> Iterator[Rejection]:
    """Yield a rejection for each missing file; one for a subtask and language of which nothing is there."""
    for language in LANGUAGES:
        for task in ("E-c", *SCORED):
            about = [f"{task}-{language}-{emotion}" for emotion in FOUR] if task[:2] == "EI" else [f"{task}-{language}"]
            absent = [key for name in about for part in SPLITS if (key := f"{name}-{part}") not in present]
            for key in absent if len(absent) < len(about) * len(SPLITS) else (f"{task}-{language}",):
                yield missing_file(key, CARD)


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _files(base: Path) -> Iterator[_File]:
    for folder in folders_below(base):
        for path in sorted(folder.iterdir()):
            name = None if is_debris(path.name) else _NAME.fullmatch(path.name)
            if name and path.is_file():
                task, language, emotion, part, gold = (word or "" for word in name.groups())
                no_gold = part.lower() == "test" and not gold
                yield _File(_TASKS[plain_name(task)], language.lower(), emotion.lower(), part.lower(), no_gold, path)


def _rows(file: _File, root: Path) -> Iterator[Sample | Rejection]:
    columns: dict[str, tuple[str, ...]] = {"ID": (), "Tweet": ("text",)}
    if file.task == "E-c":
        columns |= {name: () for name in EMOTIONS}
    else:
        columns |= {"Affect Dimension": ("dimension",), "Score": ("Intensity Score", "Intensity Class")}
    seen: set[str] = set()
    for row in read_table(file.path, root, columns, "\t"):
        if isinstance(row, Rejection):
            yield row
            continue
        tweet = row["ID"].strip()
        identifier = f"{file.key}/{tweet}"
        if "-mystery-" in tweet.lower():
            yield Rejection(identifier, "mystery_row", row.where, row["Tweet"][:80])
        elif not tweet or not row["Tweet"].strip():
            yield Rejection(row.where, "broken_row", row.where, "no id or no words")
        else:
            yield first_sight(seen, identifier, row.where) or _tweet(file, row, identifier)


def _tweet(file: _File, row: Row, identifier: str) -> Sample | Rejection:
    answer = _emotions(row) if file.task == "E-c" else _score(row, file)
    if answer is None:
        cells = [row[name] for name in EMOTIONS] if file.task == "E-c" else [row["Affect Dimension"], row["Score"]]
        reason = "no_annotation" if "NONE" in cells or not any(cells) else "unknown_label"
        return Rejection(identifier, reason, row.where, " ".join(cells)[:80])
    facts = {"subtask": file.task, "emotion": file.emotion, "tweet": row["ID"].strip()}
    if file.task.endswith("-oc"):
        facts["intensity_class"] = row["Score"].strip()
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=SPLITS[file.part],
        annotations=(answer,),
        source=row.where,
        text=row["Tweet"].replace("\\n", "\n").strip(),
        language=file.language,
        attributes={name: fact for name, fact in facts.items() if fact},
    )


def _emotions(row: Row) -> Annotation | None:
    marks = {name: row[name].strip() for name in EMOTIONS}
    if not set(marks.values()) <= {"0", "1"}:
        return None
    return Annotation(SPACE.name, "crowd", tuple(name for name in EMOTIONS if marks[name] == "1"))


def _score(row: Row, file: _File) -> Annotation | None:
    """Parse a number, or a class such as ``2: moderate amount of anger can be inferred``."""
    space = SCORED[file.task]
    low, high = space.bounds or (0.0, 0.0)
    dimension = row["Affect Dimension"].strip().lower()
    score = number(row["Score"].partition(":")[0], low, high)
    if dimension not in space.names or score is None:
        return None
    return Annotation(space.name, "crowd", {dimension: score})
