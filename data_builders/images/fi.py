"""FI (Flickr and Instagram): 23,308 pictures from the web in the eight emotions of Mikels, judged by five people each.

Pictures were found by the name of an emotion and kept where at least three of five people agreed with it. The authors
gave lists of addresses with the votes, many of which are gone; what circulates, and what is read here, is folders:
``train/``, ``val/`` and ``test/`` with a folder for every emotion, named in any case. Without folders of splits, the
emotions' folders alone are read, and the split is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.images._image_folder import read_folders

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content, Picture
from affectllm.labels.taxonomies import MIKELS_8

CARD = CorpusCard(
    name="fi",
    title="FI",
    citation="You, Luo, Jin, Yang: Building a Large Scale Dataset for Image Emotion Recognition: The Fine Print and "
    "the Benchmark. AAAI 2016",
    url="https://qzyou.github.io/",
    obtain="from the authors by e-mail (https://qzyou.github.io/); train/, val/ and test/ with a folder an emotion",
    licence="research use; the pictures belong to their authors",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("image",),
    spaces=(MIKELS_8,),
    raters={"crowd": "five people, of whom at least three agreed with the emotion by which the picture was found"},
    counts={},
    total=23308,
    split_policy="the folders train, val and test, as they circulate; without them 80, 10 and 10 percent by a hash of "
    "the name; most papers divide 80, 5 and 15",
    notes=(
        "Copies differ by some pictures: an address that is gone is a picture less.",
        "The votes of the single people are in the lists of addresses only and are not read.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "train/Amusement/amusement_0001.jpg": Picture(),
    "train/Amusement/._amusement_0001.jpg": b"\x00\x05\x16\x07",
    "train/awe/awe_0001.jpg": Picture(),
    "train/boredom/boredom_0001.jpg": Picture(),
    "val/Fear/fear_0001.jpg": Picture(),
    "val/Anger/anger_0001.jpg": Picture(),
    "test/sadness/sadness_0001.jpg": Picture(),
    "test/awe/awe_0001.jpg": Picture(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per picture, by split, emotion and name."""
    yield from read_folders(root, CARD, MIKELS_8, "crowd")
