"""EmoBank: 10,062 English sentences of many genres, rated for valence, arousal and dominance from two perspectives.

Each sentence was rated 1 to 5 on three scales: what its *writer* expresses, and what a *reader* feels, by five people
each. ``emobank.csv`` has the text, the split and the mean of both perspectives; ``reader.csv`` and ``writer.csv`` the
mean of each, ``individual_reader_ratings.csv`` and ``individual_writer_ratings.csv`` every single rating without the
name of the rater, ``meta.tsv`` the genre. All csv files are quoted. The headlines among the sentences are those of
SemEval-2007 Affective Text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, find_file, first_sight, folder_of, is_lfs_pointer, missing_file
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace

DIMENSIONS = {"V": "valence", "A": "arousal", "D": "dominance"}
_SOURCE = "Buechel and Hahn, EmoBank, EACL 2017"
SPACE = LabelSpace(
    "emobank_vad",
    "dimension",
    tuple(DIMENSIONS.values()),
    source=_SOURCE,
    aliases={"v": "valence", "a": "arousal", "d": "dominance"},
    bounds=(1.0, 5.0),
)
POINTS = ("1", "2", "3", "4", "5")
VOTES = {
    name: LabelSpace(f"emobank_{name}_votes", "distribution", POINTS, source=_SOURCE) for name in DIMENSIONS.values()
}
SPLITS = {"train": TRAIN, "dev": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}
# Rater → the tables with its mean and with its single ratings.
PERSPECTIVES = {
    "readers": (("reader.csv", "reader_refined.csv"), "individual_reader_ratings.csv"),
    "writers": (("writer.csv", "writer_refined.csv"), "individual_writer_ratings.csv"),
}
CARD = CorpusCard(
    name="emobank",
    title="EmoBank",
    citation="Buechel, Hahn: EmoBank: Studying the Impact of Annotation Perspective and Representation Format on "
    "Dimensional Emotion Analysis. EACL 2017",
    url="https://github.com/JULIELab/EmoBank",
    obtain="git clone https://github.com/JULIELab/EmoBank ; corpus holds emobank.csv and the other tables",
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE, *VOTES.values()),
    raters={
        "mean": "mean of both perspectives, as emobank.csv has it",
        "readers": "about five raters who judged what a reader feels",
        "writers": "about five raters who judged what the writer expresses",
    },
    counts={TRAIN: 8062, VALIDATION: 1000, TEST: 1000},
    split_policy="official: the column split of emobank.csv",
    built_from=("semeval2007_affective_text",),
    notes=(
        "The layout is taken from the repository's own notes and public loaders, not from a specification.",
        "The individual tables do not name raters, so single ratings are a count per point of the scale.",
        "Sentences that only one perspective rated enough are not in emobank.csv and are not used.",
        "The genre of meta.tsv is an attribute.",
    ),
)
_RATINGS = "id,V,A,D\n{0},3,2,3\n{0},4,2,3\n{0},3,9,3\n"
MINIATURE: Mapping[str, Content] = {
    "corpus/emobank.csv": "id,split,V,A,D,text\n"
    + 'doc_1_20,train,3.2,2.0,3.1,"The lake, they say, is ""warm""."\n'
    + "doc_21_40,dev,3.0,3.0,3.0,Then it rained.\n"
    + "SemEval_9,test,1.5,4.0,2.5,Roof falls\n"
    + "doc_41_50,train,7.0,3.0,3.0,Off the scale.\n"
    + "doc_51_60,train,3.0,3.0,3.0\n",
    "corpus/reader.csv": "id,V,A,D,stdV,stdA,stdD,N\ndoc_1_20,3.4,2.0,3.0,0.1,0.2,0.3,5\n",
    "corpus/writer.csv": "id,V,A,D,stdV,stdA,stdD,N\ndoc_1_20,3.0,2.0,3.2,0.1,0.2,0.3,5\n",
    "corpus/individual_reader_ratings.csv": _RATINGS.format("doc_1_20"),
    "corpus/individual_writer_ratings.csv": _RATINGS.format("doc_1_20"),
    "corpus/meta.tsv": "id\tdocument\tcategory\tsubcategory\ndoc_1_20\tdoc\tfiction\tshort story\n",
}
_COLUMNS: dict[str, tuple[str, ...]] = {"id": ("unnamed: 0", "sentence_id"), "V": (), "A": (), "D": ()}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per sentence, in the order of emobank.csv."""
    base = folder_of(root, CARD, lambda folder: any(map(_is_ours, _places(folder))), "emobank.csv")
    path = next(path for path in _places(base) if _is_ours(path))
    extra: defaultdict[str, list[Annotation]] = defaultdict(list)
    for rater, (means, ratings) in PERSPECTIVES.items():
        yield from _read_means(find_file(base, *means), root, rater, means[0], extra)
        yield from _read_ratings(find_file(base, ratings), root, rater, ratings, extra)
    meta = find_file(base, "meta.tsv")
    if meta is None:
        yield missing_file("meta.tsv", CARD)
    genres = _genres(meta, root)
    seen: set[str] = set()
    for row in read_table(path, root, {**_COLUMNS, "split": (), "text": ("sentence",)}):
        if isinstance(row, Rejection):
            yield row
        else:
            yield first_sight(seen, row["id"].strip(), row.where) or _sentence(row, extra, genres)


def _places(folder: Path) -> tuple[Path, Path]:
    return folder / "emobank.csv", folder / "corpus" / "emobank.csv"


def _is_ours(path: Path) -> bool:
    return path.is_file()


def _vad(row: Row) -> dict[str, float]:
    scores = {name: number(row[column], 1, 5) for column, name in DIMENSIONS.items()}
    return {name: score for name, score in scores.items() if score is not None}


def _read_means(
    path: Path | None, root: Path, rater: str, name: str, extra: defaultdict[str, list[Annotation]]
) -> Iterator[Rejection]:
    if path is None or is_lfs_pointer(path):
        yield missing_file(name, CARD)
        return
    for row in read_table(path, root, _COLUMNS):
        if isinstance(row, Rejection):
            yield row
        elif len(scores := _vad(row)) == len(DIMENSIONS):
            extra[row["id"].strip()].append(Annotation(SPACE.name, rater, scores))
        else:
            yield Rejection(f"{row['id']} {rater}", "broken_row", row.where, "not three numbers from 1 to 5")


def _read_ratings(
    path: Path | None, root: Path, rater: str, name: str, extra: defaultdict[str, list[Annotation]]
) -> Iterator[Rejection]:
    """Count every rating: sentence → dimension → point → number of raters."""
    if path is None or is_lfs_pointer(path):
        yield missing_file(name, CARD)
        return
    counts: defaultdict[str, dict[str, Counter[str]]] = defaultdict(lambda: {name: Counter() for name in VOTES})
    for row in read_table(path, root, _COLUMNS):
        if isinstance(row, Rejection):
            yield row
            continue
        scores = _vad(row)
        for dimension, score in scores.items():
            counts[row["id"].strip()][dimension][f"{score:.0f}"] += 1
        if len(scores) < len(DIMENSIONS):
            yield Rejection(f"{row['id']} {rater}", "unknown_label", row.where, "a rating that is not from 1 to 5")
    for sentence, votes in counts.items():
        for dimension, counted in votes.items():
            if counted:
                value = {point: counted[point] for point in POINTS if counted[point]}
                extra[sentence].append(Annotation(VOTES[dimension].name, rater, value))


def _genres(path: Path | None, root: Path) -> dict[str, dict[str, str]]:
    if path is None or is_lfs_pointer(path):
        return {}
    optional = ("document", "category", "subcategory")
    genres: dict[str, dict[str, str]] = {}
    for row in read_table(path, root, {"id": (), **{name: () for name in optional}}, "\t", optional=optional):
        if not isinstance(row, Rejection):
            genres[row["id"].strip()] = {name: row.fields.get(name, "").strip() for name in optional}
    return genres


def _sentence(
    row: Row, extra: Mapping[str, list[Annotation]], genres: Mapping[str, dict[str, str]]
) -> Sample | Rejection:
    identifier, text = row["id"].strip(), row["text"].strip()
    split, scores = SPLITS.get(row["split"].strip().lower()), _vad(row)
    if not identifier or not text or split is None:
        return Rejection(row.where, "broken_row", row.where, f"no id, no words, or the split {row['split']!r}")
    if len(scores) < len(DIMENSIONS):
        return Rejection(identifier, "broken_row", row.where, "not three numbers from 1 to 5")
    facts = genres.get(identifier, {})
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "mean", scores), *extra.get(identifier, ())),
        source=row.where,
        text=text,
        language="en",
        attributes={name: fact for name, fact in facts.items() if fact},
    )
