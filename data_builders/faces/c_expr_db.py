"""C-EXPR-DB: 400 videos from the web in compound expressions such as sadly fearful, the corpus of the ABAW challenges.

What circulates besides the videos are lists of segments for folds of training and testing, one a line:
``Sadly-Fearful/24_Sadly-Fearful_0,5,what is said, with commas``: the file of the segment, the number of its expression
and the transcript, from which apostrophes are gone. The challenge uses seven expressions; lists name an eighth, other.
The 56 videos of the challenge itself stand in its list as ``videos/01,0,…`` with a number that means nothing.

Lists are known by their lines, not by their names: any txt or csv of such lines is one. Of its name, ``train``,
``val`` or ``test`` says the split and a number the fold; without these words the split is ours, by video.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import folder_of, folders_below, read_lines, relative
from affectllm.corpus.splits import by_hash
from affectllm.labels import Annotation, LabelSpace

EXPRESSIONS = (  # in the order of the numbers
    *("fearfully surprised", "happily surprised", "sadly surprised", "disgustedly surprised", "angrily surprised"),
    *("sadly fearful", "sadly angry", "other"),
)
_SOURCE = "Kollias, Multi-Label Compound Expression Recognition: C-EXPR Database and Network, CVPR 2023"
SPACE = LabelSpace(
    "c_expr_8",
    "category",
    EXPRESSIONS,
    source=_SOURCE,
    aliases={name.replace(" ", "-"): name for name in EXPRESSIONS if " " in name},
)
CARD = CorpusCard(
    name="c_expr_db",
    title="C-EXPR-DB",
    citation="Kollias: Multi-Label Compound Expression Recognition: C-EXPR Database and Network. CVPR 2023",
    url="https://ibug.doc.ic.ac.uk/resources/c-expr-db/",
    obtain="by the agreement of the ABAW challenge (e-mail to its organisers); the videos, and lists of segments with "
    "lines like Sadly-Fearful/24_Sadly-Fearful_0,5,words",
    licence="C-EXPR-DB agreement (academic research only)",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(SPACE,),
    raters={"annotators": "experts who annotated the frames of the videos, by the expression of the segment"},
    counts={},
    split_policy="that of a list whose name says train, val or test (the first fold where there are several), else "
    "ours: 80, 10 and 10 percent by a hash of the video; the lists "
    "name segments of 400 videos",
    max_seconds=120.0,
    notes=(
        "Only the first two commas of a line separate fields.",
        "Number and folder must name the same expression; where they do not, the number is used and the segment "
        "counted as label_conflict.",
        "The challenge's own videos have no public label and are rejected as no_annotation.",
        "Frame by frame annotations of the original release are not read: their format was not seen.",
        "`fold` names the folds in which a segment is tested.",
    ),
)
_TRAIN_LINES = (
    "Sadly-Fearful/24_Sadly-Fearful_0,5,I dont know, really, what to do\n"
    "Happily-Surprised/7_Happily-Surprised_1,1,\n"
    "Happily-Surprised/7_Happily-Surprised_1,1,\n"
    "Sadly-Angry/9_Sadly-Angry_0,9,no\n"
    "Sadly-Angry/9_Sadly-Angry_2,0,no\n"
    "broken\n"
)
MINIATURE: Mapping[str, Content] = {
    "folds/fold1_train.txt": _TRAIN_LINES,
    "folds/fold1_val.txt": "Sadly-Surprised/11_Sadly-Surprised_0,2,oh\n",
    "folds/fold1_test.txt": "Angrily-Surprised/3_Angrily-Surprised_0,4,what\nvideos/01,0,hello\n",
    "folds/fold2_test.txt": "Sadly-Fearful/24_Sadly-Fearful_0,5,I dont know, really, what to do\n",
    "videos/Sadly-Fearful/24_Sadly-Fearful_0.mp4": Clip(),
    "videos/Sadly-Fearful/._24_Sadly-Fearful_0.mp4": b"\x00\x05\x16\x07",
    "videos/Angrily-Surprised/3_Angrily-Surprised_0.mp4": Clip(),
}
_LINE = re.compile(
    r"(?P<path>[\w-]+/(?P<clip>(?P<video>\d+_[A-Za-z-]+)_\d+)|videos/\d+)(?:\.\w{3,4})?,(?P<label>\d+),(?P<words>.*)"
)
_WORDS = {"train": TRAIN, "val": VALIDATION, "test": TEST}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per segment, by list and line."""
    base = folder_of(root, CARD, lambda folder: bool(_lists(folder)), "a list of segments in folds/")
    lists = _lists(base)
    folds = sorted({fold for _, _, fold in lists if fold})
    first = [entry for entry in lists if not folds or entry[2] in ("", folds[0])]
    tested = dict(_tested([entry for entry in lists if entry[1] == TEST and entry[2]], root))
    clips = _clips(base, root)
    seen: set[str] = set()
    for path, split, _ in first:
        for line in read_lines(path, root):
            if isinstance(line, Rejection):
                yield line
            elif line[1].strip():
                yield from _segment(line[1].strip(), line[0], split, seen, clips, tested, root)


def _lists(folder: Path) -> list[tuple[Path, str | None, str]]:
    """Return (file, split, fold) of every list here or in a folder of folds; split and fold as far as the name says."""
    lists = []
    for place in (folder, folder / "folds", folder / "annotations"):
        for path in sorted((*place.glob("*.txt"), *place.glob("*.csv"))):
            if _LINE.match(_first_line(path)):
                name = path.stem.lower()
                split = next((split for word, split in _WORDS.items() if word in name), None)
                number = re.search(r"\d+", name)
                lists.append((path, split, number[0] if number else ""))
    order = [TRAIN, VALIDATION, TEST, None]
    return sorted(lists, key=lambda entry: (entry[2], order.index(entry[1]), entry[0]))


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        return stream.readline(2000).strip()


def _tested(lists: list[tuple[Path, str | None, str]], root: Path) -> Iterator[tuple[str, str]]:
    for path, _, fold in lists:
        for line in read_lines(path, root):
            if not isinstance(line, Rejection) and (parts := _LINE.fullmatch(line[1].strip())):
                yield parts["path"], fold


def _clips(base: Path, root: Path) -> dict[str, str]:
    """Return ``Sadly-Fearful/24_Sadly-Fearful_0`` → its file, in whatever folder the folders of the expressions lie."""
    clips: dict[str, str] = {}
    for folder in folders_below(base, 2):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in FILMS and not path.name.startswith(".") and path.is_file():
                clips.setdefault(f"{folder.name}/{path.stem}", relative(path, root))
    return clips


def _segment(
    line: str,
    where: str,
    split: str | None,
    seen: set[str],
    clips: Mapping[str, str],
    tested: Mapping[str, str],
    root: Path,
) -> Iterator[Sample | Rejection]:
    parts = _LINE.fullmatch(line)
    if parts is None:
        yield Rejection(where, "broken_row", where, line[:120])
        return
    name = parts["path"]
    if name in seen or parts["clip"] is None:
        reason = "duplicate_id" if name in seen else "no_annotation"
        yield Rejection(name, reason, where)
        return
    seen.add(name)
    if int(parts["label"]) >= len(EXPRESSIONS):
        yield Rejection(name, "unknown_label", where, parts["label"])
        return
    expression = EXPRESSIONS[int(parts["label"])]
    if (named := SPACE.resolve(name.partition("/")[0])) and named != expression:
        yield Rejection(name, "label_conflict", where, f"{named} by its folder, {expression} by its number")
    clip = clips.get(name)
    if clip and (trouble := unusable(root, clip, name)):
        yield trouble
        clip = None
    elif clip is None and clips:
        yield Rejection(name, "media_missing", where)
    yield Sample(
        id=name,
        corpus=CARD.name,
        split=split or by_hash(parts["video"], salt=CARD.name),
        annotations=(Annotation(SPACE.name, "annotators", expression),),
        source=where,
        text=parts["words"].strip() or None,
        language="en",
        media=(MediaRef(clip, "video", sound=True),) if clip else (),
        attributes={"video": parts["video"], **({"fold": tested[name]} if name in tested else {})},
    )
