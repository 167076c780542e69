"""RENh-4k: four thousand news headlines, and how strongly their readers felt each of five emotions.

The small sister of REN-20k, by the same group and behind the same form: headlines instead of articles. Its layout is
not documented publicly. The builder takes every csv or tsv file below the root that has a column of headlines and
columns for the five emotions, under the usual names and in any case, with shares from 0 to 1 or percentages from 0 to
100; both are kept as they stand, as weights. Everything else that it finds is named and not used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, folder_of, folders_below, is_debris, relative
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number, plain_name, read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("anger", "fear", "joy", "sadness", "surprise")
SPACE = LabelSpace(
    "renh4k_5",
    "distribution",
    EMOTIONS,
    source="Anoop et al., Readers' affect: predicting and understanding readers' emotions with deep learning, "
    "Journal of Big Data 9, 2022",
    aliases=aliases(*EMOTIONS),
)
COLUMNS: dict[str, tuple[str, ...]] = {
    "headline": ("headlines", "title", "text", "news headline", "news", "content", "sentence"),
    "id": ("instance id", "sl no", "no"),
    **{name: tuple(word for word, meant in SPACE.aliases.items() if meant == name) for name in EMOTIONS},
}
SPLITS = {"train": TRAIN, "dev": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "test": TEST}
CARD = CorpusCard(
    name="renh4k",
    title="RENh-4k",
    citation="Anoop, Deepak, Manjary, Savitha Sam, Lajish: Readers' affect: predicting and understanding readers' "
    "emotions with deep learning. Journal of Big Data 9, 2022",
    url="https://dcs.uoc.ac.in/cida/resources/renh-4k.html",
    obtain="the form at https://dcs.uoc.ac.in/cida ; a folder with RENh-4k in its name or that of its csv file",
    licence="CC-BY-NC",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"readers": "share of the readers who felt each emotion"},
    counts={},
    total=4000,
    split_policy="ours, as there is no official one: by a hash of the headline, 80, 10 and 10 percent; files called "
    "train, dev or test keep their split",
    notes=(
        "Layout, columns and scale are not documented publicly and were not checked on a real file: the builder takes "
        "the usual names.",
        "The total is what the name promises.",
        "A headline that occurs twice is used once.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "RENh-4k/RENh-4k.csv": "ID,Headline,Anger,Fear,Happy,Sad,Surprise\n"
    + '1,"Rain falls, on day 0",0.5,0.1,0,0.4,0\n'
    + "2,Rain falls on day 5,50,10,0,40,0\n"
    + "3,Rain falls on day 9,0,0,100,0,0\n"
    + "4,Rain falls on day 9,0,0,100,0,0\n"
    + "5,Rain falls on day 3,much,0,100,0,0\n"
    + "6,Rain falls on day 4,0,0,0,0,0\n",
}
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per headline, in the order of folders and files."""
    base = folder_of(root, CARD, lambda folder: any(_tables(folder, 1)), "a csv file called RENh-4k…")
    seen: dict[str, str] = {}
    for path in _tables(base, 4):
        for row in read_table(path, root, COLUMNS, _SEPARATORS[path.suffix.lower()], optional=("id",)):
            if isinstance(row, Rejection):
                yield row
                continue
            item = _headline(row, path, base)
            if isinstance(item, Sample) and (first := seen.setdefault(_plain(item.text or ""), row.where)) != row.where:
                yield Rejection(item.id, "duplicate_id", row.where, f"the headline of {first}")
            else:
                yield item


def _tables(base: Path, depth: int) -> Iterator[Path]:
    """Yield the tables of this corpus: by their own name, or by the name of the folder that they lie in."""
    for folder in folders_below(base, depth) if base.is_dir() else ():
        for path in sorted(folder.glob("*")):
            if path.suffix.lower() in _SEPARATORS and not is_debris(path.name) and path.is_file():
                names = plain_name(path.name) + plain_name(folder.name if folder != base or depth > 1 else "")
                if "renh4k" in names:
                    yield path


def _headline(row: Row, path: Path, base: Path) -> Sample | Rejection:
    name = relative(path, base)
    line = row.where.rpartition(":")[2]
    identifier, text = f"{name}:{line}", row["headline"].strip()
    if not text:
        return Rejection(identifier, "no_text", row.where)
    weights = {emotion: number(row[emotion].strip().rstrip("% ") or "0", 0, 100) for emotion in EMOTIONS}
    read = {emotion: weight for emotion, weight in weights.items() if weight is not None}
    if len(read) < len(EMOTIONS):
        strange = ", ".join(f"{emotion} {row[emotion]!r}" for emotion in EMOTIONS if emotion not in read)
        return Rejection(identifier, "unknown_label", row.where, strange[:120])
    if not any(read.values()):
        return Rejection(identifier, "no_annotation", row.where, "no reader felt anything")
    part = next((split for word, split in SPLITS.items() if word in path.stem.lower()), None)
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=part or by_hash(_plain(text), salt=CARD.name),
        annotations=(Annotation(SPACE.name, "readers", read),),
        source=row.where,
        text=text,
        language="en",
    )


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
