"""XED: lines of film subtitles in English and Finnish with Plutchik's eight emotions, projected to many languages.

``AnnotatedData/en-annotated.tsv`` and ``fi-annotated.tsv`` have a line and its emotions as numbers from 1 to 8, in
alphabetical order (``8, 1``); ``neu_en.txt`` and ``neu_fi.txt`` have lines without emotion in their second column.
``Projections/de-projections.tsv`` and its like hold subtitles that are aligned with the annotated ones, and their
emotions as a set of quoted numbers (``{'8', '5'}``); nobody judged these translations. Files are separated by tabs and
not quoted, but projected lines that hold a quotation mark are.

There is no official split. Names of people and places are masked as ``[PERSON]`` and ``[LOCATION]`` in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of, is_debris, is_lfs_pointer, missing_file, read_lines, relative
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import unquoted
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_SOURCE = "Öhman et al., XED: A Multilingual Dataset for Sentiment Analysis and Emotion Detection, COLING 2020"
EMOTIONS = ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust")  # 1 to 8
SPACE = LabelSpace("xed_8", "set", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
ANNOTATED = ("en", "fi")
# File name → BCP-47 tag: the 31 languages that the README lists, by the codes of OPUS.
PROJECTED = {
    **{"ar": "ar", "bg": "bg", "br": "pt-BR", "bs": "bs", "cn": "zh", "cs": "cs", "da": "da", "de": "de", "el": "el"},
    **{"es": "es", "et": "et", "fi": "fi", "fr": "fr", "he": "he", "hr": "hr", "hu": "hu", "is": "is", "it": "it"},
    **{"mk": "mk", "nl": "nl", "no": "no", "pl": "pl", "pt": "pt", "ro": "ro", "ru": "ru", "sk": "sk", "sl": "sl"},
    **{"sr": "sr", "sv": "sv", "tr": "tr", "vi": "vi"},
}
CARD = CorpusCard(
    name="xed",
    title="XED",
    citation="Öhman, Pàmies, Kajava, Tiedemann: XED: A Multilingual Dataset for Sentiment Analysis and Emotion "
    "Detection. COLING 2020",
    url="https://github.com/Helsinki-NLP/XED",
    obtain="git clone https://github.com/Helsinki-NLP/XED ; it holds AnnotatedData and Projections",
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=tuple(dict.fromkeys((*ANNOTATED, *PROJECTED.values()))),
    modalities=("text",),
    spaces=(SPACE,),
    raters={
        "annotators": "what annotators agreed on",
        "projection": "what annotators agreed on about the aligned line in English or Finnish",
    },
    counts={},
    split_policy="ours, as there is no official one: by a hash of the words, 80, 10 and 10 percent; the same scene may "
    "be in train in one language and in test in another",
    notes=(
        "The attribute kind is annotated, neutral or projected, code the language in the name of the file. A neutral "
        "line has the empty set.",
        "Counts are not asserted: files and README differ (17,528 lines of English and 9,674 neutral ones were seen, "
        "17,530 and 6,420 are told).",
        "The same line may stand in a file several times, with other emotions: all of them go to one split.",
        "Files of projections in other languages than the README lists are rejected as unknown_name.",
    ),
)
_PLACE = "AnnotatedData"


def _spread(line: str) -> str:
    """Return ten different lines, so that the miniature has some in each split."""
    return "".join(line.format(number) for number in range(10))


MINIATURE: Mapping[str, Content] = {
    f"{_PLACE}/en-annotated.tsv": _spread("Look out , [PERSON] number {0} !\t8, 4\n") + '"Never ...\t9\nAlone\n',
    f"{_PLACE}/neu_en.txt": "9\tThe bus is blue .\n\t\t\t\t\n",
    f"{_PLACE}/fi-annotated.tsv": "Varo !\t4\n",
    f"{_PLACE}/neu_fi.txt": "1620\tNiin .\t2\t428\tfi/1.xml.gz\n",
    "Projections/de-projections.tsv": "\"Er sagt \"\"nein\"\".\"\t{'1', '3'}\nHallo.\t{'x'}\n",
    "Projections/tr-projections2.tsv": "Hayir\t{'1'}\n",
}
_PROJECTION = "-projections.tsv"
_NUMBERS = re.compile(r"\{?\s*'?\d'?(?:\s*,\s*'?\d'?)*\s*\}?")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per line, in the order of kinds and languages."""
    base = folder_of(root, CARD, _is_ours, f"{_PLACE}/en-annotated.tsv")
    for code in ANNOTATED:
        for name, kind in ((f"{code}-annotated.tsv", "annotated"), (f"neu_{code}.txt", "neutral")):
            yield from _read(base / _PLACE / name, root, kind, code)
    for code in PROJECTED:
        yield from _read(base / "Projections" / f"{code}{_PROJECTION}", root, "projected", code)
    for path in sorted((base / "Projections").glob("*-projections*.tsv")):
        if path.name.removesuffix(_PROJECTION) not in PROJECTED and not is_debris(path.name):
            yield Rejection(relative(path, root), "unknown_name", relative(path, root), "no language of the README")


def _is_ours(folder: Path) -> bool:
    names = [f"{_PLACE}/{code}-annotated.tsv" for code in ANNOTATED] + ["Projections/de-projections.tsv"]
    return any((folder / name).is_file() for name in names)


def _read(path: Path, root: Path, kind: str, code: str) -> Iterator[Sample | Rejection]:
    if not path.is_file():
        yield missing_file(path.name, CARD)
    elif is_lfs_pointer(path):
        yield Rejection(relative(path, root), "lfs_pointer", relative(path, root))
    else:
        for line in read_lines(path, root):
            if isinstance(line, Rejection):
                yield line
            elif line[1].strip():
                yield _line(line[0], line[1].split("\t"), kind, code)


def _line(where: str, cells: list[str], kind: str, code: str) -> Sample | Rejection:
    identifier = f"{kind}/{code}/{where.rpartition(':')[2]}"
    if len(cells) < 2:
        return Rejection(identifier, "broken_row", where, cells[0][:120])
    words, stated = (cells[1], "") if kind == "neutral" else (cells[0], cells[1].strip())
    text = (unquoted(words) if kind == "projected" else words).strip()
    numbers = re.findall(r"\d", stated) if _NUMBERS.fullmatch(stated) else []
    if not text:
        return Rejection(identifier, "no_text", where)
    if kind != "neutral" and (not numbers or not set(numbers) <= set("12345678")):
        return Rejection(identifier, "unknown_label" if stated else "no_annotation", where, stated[:80])
    rater = "projection" if kind == "projected" else "annotators"
    names = tuple(name for place, name in enumerate(EMOTIONS, 1) if str(place) in numbers)
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=by_hash("".join(text.lower().split()), salt=f"{CARD.name}/{code}"),
        annotations=(Annotation(SPACE.name, rater, names),),
        source=where,
        text=text,
        language=PROJECTED.get(code, code),
        attributes={"kind": kind, "code": code},
    )
