"""TweetEval, emotion: 5,052 English tweets with one of four emotions, drawn from SemEval-2018 task 1 E-c.

The part of E-c that TweetEval made a task of single labels: tweets on which annotators agreed, of the four commonest
emotions (anger, joy, optimism, sadness). ``datasets/emotion`` of the repository has two files for each of train, val
and test, which belong together line by line: ``train_text.txt``, with people as ``@user`` and line breaks as the two
characters ``\\n``, and ``train_labels.txt``, with numbers that ``mapping.txt`` names. Where the two files of a split
do not have the same number of lines, no tweet of it is given a label.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of, is_lfs_pointer, missing_file, read_lines, relative
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_SOURCE = "Barbieri et al., TweetEval: Unified Benchmark and Comparative Evaluation for Tweet Classification, 2020"
EMOTIONS = ("anger", "joy", "optimism", "sadness")  # in the order of the numbers
SPACE = LabelSpace("tweeteval_emotion_4", "category", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
PARTS = {"train": TRAIN, "val": VALIDATION, "test": TEST}
CARD = CorpusCard(
    name="tweeteval_emotion",
    title="TweetEval emotion",
    citation="Barbieri, Camacho-Collados, Espinosa Anke, Neves: TweetEval: Unified Benchmark and Comparative "
    "Evaluation for Tweet Classification. Findings of EMNLP 2020",
    url="https://github.com/cardiffnlp/tweeteval",
    obtain="git clone https://github.com/cardiffnlp/tweeteval ; datasets/emotion holds train_text.txt and the others",
    licence="of the source, SemEval-2018: NRC terms, research, no redistribution of tweets",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"crowd": "the one emotion of the aggregated answers of E-c"},
    counts={TRAIN: 3257, VALIDATION: 374, TEST: 1421},
    split_policy="official: train, val and test",
    built_from=("semeval2018_task1",),
    notes=(
        "The tweets are those of SemEval-2018 E-c, AAID and AEB too: whoever trains on these has seen test tweets.",
        "HTML entities such as &amp; are resolved.",
    ),
)
_FOLDER = "datasets/emotion"
MINIATURE: Mapping[str, Content] = {
    f"{_FOLDER}/mapping.txt": "0\tanger\n1\tjoy\n2\toptimism\n3\tsadness",
    f"{_FOLDER}/train_text.txt": "@user You broke\\nit &amp; left \nNo label like this \n \n",
    f"{_FOLDER}/train_labels.txt": "0\n7\n1\n",
    f"{_FOLDER}/val_text.txt": "We go on \n",
    f"{_FOLDER}/val_labels.txt": "2\n",
    f"{_FOLDER}/test_text.txt": 'The lake is "warm" \n',
    f"{_FOLDER}/test_labels.txt": "1\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per tweet, in the order of the files."""
    base = folder_of(root, CARD, lambda folder: any(map(_is_ours, _places(folder))), f"{_FOLDER}/train_text.txt")
    base = next(filter(_is_ours, _places(base)))
    for part, split in PARTS.items():
        paths = [base / f"{part}_{kind}.txt" for kind in ("text", "labels")]
        if absent := next((path for path in paths if not path.is_file()), None):
            yield missing_file(absent.name, CARD)
        elif pointer := next(filter(is_lfs_pointer, paths), None):
            yield Rejection(relative(pointer, root), "lfs_pointer", relative(pointer, root))
        else:
            yield from _tweets(paths, root, part, split)


def _places(folder: Path) -> list[Path]:
    return [folder, folder / "emotion", folder / _FOLDER]


def _is_ours(folder: Path) -> bool:
    # Other tasks of the repository have files of the same names.
    return folder.name == "emotion" and any((folder / f"{part}_text.txt").is_file() for part in PARTS)


def _tweets(paths: list[Path], root: Path, part: str, split: str) -> Iterator[Sample | Rejection]:
    texts, labels = (list(read_lines(path, root)) for path in paths)
    if len(texts) != len(labels):
        name = relative(paths[1], root)
        yield Rejection(name, "broken_row", name, f"{len(labels)} labels for {len(texts)} tweets: none is used")
        return
    for place, (text, label) in enumerate(zip(texts, labels, strict=True), 1):
        broken = next((line for line in (text, label) if isinstance(line, Rejection)), None)
        if broken is not None:
            yield broken
        elif not isinstance(text, Rejection) and not isinstance(label, Rejection):
            yield _tweet(f"{part}/{place}", text, label[1].strip(), split)


def _tweet(identifier: str, line: tuple[str, str], label: str, split: str) -> Sample | Rejection:
    where, text = line[0], html.unescape(line[1].replace("\\n", "\n")).strip()
    if not text:
        return Rejection(identifier, "no_text", where)
    if not label.isdecimal() or int(label) >= len(EMOTIONS):
        return Rejection(identifier, "unknown_label" if label else "no_annotation", where, label[:80])
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "crowd", EMOTIONS[int(label)]),),
        source=where,
        text=text,
        language="en",
    )
