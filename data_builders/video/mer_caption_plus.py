"""MER-Caption+: 31,327 clips of Chinese films with emotions in free words and a description of how they show.

Made for AffectGPT and given out with the MER2025 challenge: models described unlabelled clips of the MER collection
from picture, sound and words, people chose the models and filtered the results, and the emotions were read off the
descriptions. ``track2_train_mercaptionplus.csv`` has a name and a Python list of words (an empty one means neutral),
``track3_train_mercaptionplus.csv`` a name and the description, ``subtitle_chieng.csv`` the words in two languages.
Clips are ``video/{name}.mp4`` and ``audio/{name}.wav``, beside those of a hundred thousand clips without labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _mer

from affectllm.corpus import TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import folder_of
from affectllm.labels import LabelSpace

FILES = {"openset": "track2_train_mercaptionplus.csv", "reason": "track3_train_mercaptionplus.csv"}
_SOURCE = "Lian et al., AffectGPT: A New Dataset, Model, and Benchmark for Emotion Understanding with MLLMs, ICML 2025"
OPEN = LabelSpace("mer_caption_plus_openset", "open", (), source=_SOURCE)
REASON = LabelSpace("mer_caption_plus_reason", "open", (), source=_SOURCE)
CARD = CorpusCard(
    name="mer_caption_plus",
    title="MER-Caption+",
    citation="Lian, Chen, Chen, Sun, Sun, Ren, Cheng, Liu, Liu, Peng, Yi, Tao: AffectGPT: A New Dataset, Model, and "
    "Benchmark for Emotion Understanding with Multimodal Large Language Models. ICML 2025",
    url="https://huggingface.co/datasets/MERChallenge/MER2025",
    obtain="sign the agreement of MER2025 at https://huggingface.co/datasets/MERChallenge/MER2025 ; mer2025-dataset/ "
    "holds the tables, video/ and audio/",
    licence="MER end user licence agreement",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("zh", "en"),
    modalities=("video", "audio", "text"),
    spaces=(OPEN, REASON),
    raters={"model": "a language model that described the clip; people filtered what it wrote"},
    counts={TRAIN: 31327},
    split_policy="official: all of it is train",
    max_seconds=60.0,
    built_from=("mer2024",),
    notes=(
        "Emotions and descriptions are English, the speech is Chinese.",
        "The answers are a model's, not an annotator's.",
        "An empty list of words means neutral, as the official loader reads it.",
        "video/ holds all 132,171 clips of MER2025; those without a row are rejected as no_annotation.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "mer2025-dataset/track2_train_mercaptionplus.csv": "name,openset\nsamplenew_00000005,\"['worried', 'Anxious']\"\n"
    "samplenew_00000006,[]\nsamplenew_00000006,[]\nsamplenew_00000007\n",
    "mer2025-dataset/track3_train_mercaptionplus.csv": 'name,reason\nsamplenew_00000005,"He frowns, and his voice '
    'trembles."\nsamplenew_00000008,"She says ""well"" and smiles."\n',
    "mer2025-dataset/subtitle_chieng.csv": "name,chinese,english\nsamplenew_00000005,怎么办呢,What now?\n"
    "samplenew_00000006,,\n",
    "mer2025-dataset/video/samplenew_00000005.mp4": Clip(),
    "mer2025-dataset/audio/samplenew_00000005.wav": Tone(),
    "mer2025-dataset/video/samplenew_00000099.mp4": Clip(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the words' table, then of the descriptions'."""
    base = folder_of(root, CARD, _looks_right, " and ".join(FILES.values()))
    entries: _mer.Entries = {}
    yield from _mer.described(FILES, base, root, CARD, (OPEN, REASON, "model", TRAIN), entries)
    yield from _mer.samples(CARD, entries, base, root)


def _looks_right(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES.values())
