"""VADER's ratings: how negative or positive 20 people found tweets and sentences of reviews and editorials.

The archive ``hutto_ICWSM_2014.tar.gz`` of VADER's package has a table for each of four sets, such as
``tweets_GroundTruth.txt``: an id, the mean rating from -4 to 4, and the text, with tabs between them, no header, and
bytes of Windows. The single ratings lie in ``*_anonDataRatings.txt`` and are not read. There is no split: the ratings
were made to test VADER, and AEB of EmoLLMs drew its tasks V-T, V-A, V-M and V-NYT from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import first_sight, folder_of, missing_file
from affectllm.corpus.records.lines import read_lines
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace

_SOURCE = "Hutto and Gilbert, VADER, ICWSM 2014"
SPACE = LabelSpace("vader_valence", "dimension", ("valence",), source=_SOURCE, bounds=(-4.0, 4.0))
SETS = {
    "tweets": "tweets",
    "amazon": "amazonReviewSnippets",
    "movies": "movieReviewSnippets",
    "nyt": "nytEditorialSnippets",
}
CARD = CorpusCard(
    name="vader",
    title="VADER's ratings",
    citation="Hutto, Gilbert: VADER: A Parsimonious Rule-Based Model for Sentiment Analysis of Social Media Text. "
    "ICWSM 2014",
    url="https://github.com/cjhutto/vaderSentiment",
    obtain="pip download --no-deps vaderSentiment==0.5 , and in it additional_resources/hutto_ICWSM_2014.tar.gz",
    licence="MIT for the package; the texts have the terms of their sources",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"mean": "mean of at least 20 people, who were trained and checked"},
    counts={TEST: 23703},
    split_policy="everything is test: ratings made to test a lexicon",
    notes=(
        "The attribute `set` names the set: 4,200 tweets, 3,708 sentences of Amazon, 10,605 of films, 5,190 of news.",
        "An id such as 12_3 is the third sentence of review or editorial 12, which is the dialogue of the sample.",
        "The films are those of Pang and Lee (2004), which SST and many others are made of.",
    ),
)
_FOLDER = "hutto_ICWSM_2014"
MINIATURE: Mapping[str, Content] = {
    f"{_FOLDER}/tweets_GroundTruth.txt": '1\t2.75\tUp early, "and" glad!\r\n2\t-1.5\tLate again.\r\n3\t0.1\tA bus.\r\n'
    + "4\t9.0\tOff the scale.\r\n5\tNo number.\r\n3\t0.2\tA bus once more.\r\n",
    f"{_FOLDER}/amazonReviewSnippets_GroundTruth.txt": b"1_1\t1.5\tCaf\xe9 mill.\r\n1_2\t-2.0\tIt broke.\r\n",
    f"{_FOLDER}/movieReviewSnippets_GroundTruth.txt": "1\t3.0\tA joy.\r\n2\t-3.0\tA bore.\r\n3\t0.0\t\r\n",
    f"{_FOLDER}/nytEditorialSnippets_GroundTruth.txt": "1_1\t0.5\tThe vote is today.\r\n2_1\t-0.5\tIt rained.\r\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per sentence, set by set."""
    base = folder_of(
        root, CARD, lambda folder: any(_table(folder, one).is_file() for one in SETS), "tweets_GroundTruth.txt"
    )
    for name in SETS:
        path = _table(base, name)
        if not path.is_file():
            yield missing_file(path.name, CARD)
            continue
        seen: set[str] = set()
        for line in read_lines(path, root, "cp1252"):
            if isinstance(line, Rejection):
                yield line
            elif line[1].strip():
                yield _sample(name, *line, seen)


def _table(folder: Path, name: str) -> Path:
    return folder / f"{SETS[name]}_GroundTruth.txt"


def _sample(name: str, where: str, line: str, seen: set[str]) -> Sample | Rejection:
    own, rating, text = (part.strip() for part in [*line.split("\t", 2), "", ""][:3])
    identifier, valence = f"{name}/{own}", number(rating, -4, 4)
    if not own or not text or valence is None:
        return Rejection(identifier, "broken_row", where, "no id, no words, or no rating from -4 to 4")
    return first_sight(seen, identifier, where) or Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(Annotation(SPACE.name, "mean", {"valence": valence}),),
        source=where,
        text=text,
        language="en",
        dialogue=identifier.rpartition("_")[0] or None,
        attributes={"set": name},
    )
