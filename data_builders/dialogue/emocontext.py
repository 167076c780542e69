"""EmoContext (SemEval-2019 task 3): what somebody feels in the third turn of a short chat with a machine.

``train.txt``, ``dev.txt`` and ``test.txt`` have a number, three turns and a label, separated by tabs without quoting,
with Windows line ends: a quote sign is a quote sign, and many are never closed. The first and third turn are the
person's, the second the machine's. Labels are happy, sad, angry and others; half of train is emotional, but only about
15 percent of dev and test, as in real chats. Numbers start again in each file.

``devwithoutlabels.txt`` and ``testwithoutlabels.txt`` are used only to say what is missing where the labelled files are
not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, find_file, first_sight, folder_of, is_lfs_pointer, missing_file
from affectllm.corpus.tables import read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

FILES = {
    "train": (TRAIN, ("train.txt", "train.tsv")),
    "dev": (VALIDATION, ("dev.txt", "dev.tsv", "devwithoutlabels.txt")),
    "test": (TEST, ("test.txt", "test.tsv", "testwithoutlabels.txt")),
}
COLUMNS: dict[str, tuple[str, ...]] = {"id": (), "turn1": (), "turn2": (), "turn3": (), "label": ("emotion",)}
_SOURCE = "Chatterjee et al., SemEval-2019 Task 3: EmoContext, 2019"
NAMES = ("others", "happiness", "sadness", "anger")
SPACE = LabelSpace("emocontext_4", "category", NAMES, source=_SOURCE, aliases={**aliases(*NAMES), "other": "others"})
CARD = CorpusCard(
    name="emocontext",
    title="EmoContext",
    citation="Chatterjee, Narahari, Joshi, Agrawal: SemEval-2019 Task 3: EmoContext Contextual Emotion Detection in "
    "Text. SemEval 2019",
    url="https://www.humanizing-ai.com/emocontext.html",
    obtain="train.txt, dev.txt and test.txt of SemEval-2019 task 3, linked at "
    "https://www.humanizing-ai.com/emocontext.html",
    licence="for research (Microsoft)",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"majority": "majority of judges who read the three turns"},
    counts={TRAIN: 30160, VALIDATION: 2755, TEST: 5509},
    split_policy="official: train, dev and test",
    notes=(
        "About half of train is emotional, but about 15 percent of dev and test; the task scores the micro-averaged "
        "F1 of the three emotions without others.",
        "happy, sad and angry of the release are happiness, sadness and anger here.",
        "Emoticons and emojis are part of the words.",
    ),
)
_HEADER = "id\tturn1\tturn2\tturn3\tlabel\r\n"
MINIATURE: Mapping[str, Content] = {
    "train.txt": _HEADER
    + '0\tWhere is my cake\tI have it\t"mine now :(\tsad\r\n'
    + "1\tHello\tHello\tI won 😀\thappy\r\n"
    + "2\tOne\tTwo\tThree\tbored\r\n"
    + "2\tOne\tTwo\tThree\tangry\r\n"
    + "4\tOne\tTwo\r\n",
    "dev.txt": _HEADER + "0\tOk\tOk?\tOk.\tothers\r\n",
    "test.txt": _HEADER + "0\tStop\tWhy\tBecause!!\tangry\r\n",
    "testwithoutlabels.txt": "id\tturn1\tturn2\tturn3\r\n0\tStop\tWhy\tBecause!!\r\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per chat: the third turn, with the first two as context; in the order of the files."""
    expected = "train.txt with the columns id, turn1, turn2, turn3, label"
    base = folder_of(root, CARD, lambda folder: any(_is_ours(folder / name) for name in _names()), expected)
    for part, (split, names) in FILES.items():
        path = next((base / name for name in names if _is_ours(base / name)), None) or find_file(base, *names)
        if path is None or not _is_ours(path):
            yield missing_file(names[0], CARD)
            continue
        seen: set[str] = set()
        for row in read_table(path, root, COLUMNS, "\t", optional=("label",)):
            yield row if isinstance(row, Rejection) else _chat(row, part, split, seen)


def _names() -> list[str]:
    return [name for _, names in FILES.values() for name in names]


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return b"turn1" in stream.read(400).replace(b"\0", b"") or is_lfs_pointer(path)


def _chat(row: Row, part: str, split: str, seen: set[str]) -> Sample | Rejection:
    identifier = f"{part}/{row['id'].strip()}"
    turns = [row[name].strip() for name in ("turn1", "turn2", "turn3")]
    label = row.fields.get("label", "").strip()
    if not (row["id"].strip() and turns[2]):
        return Rejection(row.where, "broken_row", row.where, "no number or no third turn")
    if not label:
        return Rejection(identifier, "no_annotation", row.where)
    emotion = SPACE.resolve(label)
    if emotion is None:
        return Rejection(identifier, "unknown_label", row.where, label[:80])
    return first_sight(seen, identifier, row.where) or Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "majority", emotion),),
        source=row.where,
        text=turns[2],
        language="en",
        dialogue=identifier,
        context=tuple(Turn(who, text) for who, text in zip(("person", "machine"), turns[:2], strict=True) if text),
        attributes={"speaker": "person"},
    )
