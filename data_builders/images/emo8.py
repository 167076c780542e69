"""Emo8: 8,930 pictures in eight emotions and five styles: cartoon, natural, realistic, science fiction, advertising.

Made for a study of emotions that are the same in every style. It is distributed as folders, ``train/``, ``val/`` and
``test/`` with a folder for every emotion, named in any case; where an emotion's folder has folders in it, they are
taken for the styles. Without folders of splits, the emotions' folders alone are read, and the split is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.images._image_folder import read_folders

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content, Picture
from affectllm.labels.taxonomies import MIKELS_8

CARD = CorpusCard(
    name="emo8",
    title="Emo8",
    citation="Chen, Sun, Liu: UniEmoX: Cross-modal Semantic-Guided Large-Scale Pretraining for Universal Scene Emotion "
    "Perception (which brings Emo8). arXiv 2409.18877, 2024",
    url="https://github.com/chincharles/u-emo",
    obtain="from the authors' drive; train/, val/ and test/ with a folder for every emotion",
    licence="not stated; research use",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("image",),
    spaces=(MIKELS_8,),
    raters={"annotators": "the annotators of the release"},
    counts={},
    total=8930,
    split_policy="the folders train, val and test where they are there; without them 80, 10 and 10 percent by a hash "
    "of the name",
    notes=(
        "The style is known only where an emotion's folder has folders of styles in it.",
        "A folder whose name is none of the eight emotions is rejected picture by picture as unknown_label.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "train/Amusement/cartoon/0001.jpg": Picture(),
    "train/Amusement/cartoon/._0001.jpg": b"\x00\x05\x16\x07",
    "train/Excitement/0001.png": Picture(300, 300),
    "train/joy/0001.jpg": Picture(),
    "val/Fear/0001.jpg": Picture(),
    "val/Anger/0001.jpg": Picture(),
    "test/sadness/0001.jpg": Picture(),
    "test/awe/0001.jpg": Picture(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per picture, by split, emotion and name."""
    yield from read_folders(root, CARD, MIKELS_8, "annotators")
