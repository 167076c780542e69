"""CH-SIMS v2: 4,402 judged clips of Chinese shows, talks and films in which voice and face say more than the words.

The second CH-SIMS keeps the annotation of the first: the whole, the words, the voice and the face were each judged by
annotators from -1 to 1, so each has its rater. The supervised part (``ch-simsv2s/meta.csv`` with
``Raw/{video_id}/{clip_id}.mp4``) is read; the unsupervised part (``ch-simsv2u``, 10,161 clips without labels) is
counted under its reason where it is there. Clip numbers are text (``0001``); zeros that a spreadsheet took away are
put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _mmsa

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import folder_of, folders_below, read_csv
from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import SENTIMENT_3

SPACE = LabelSpace(
    "sims_v2_sentiment",
    "dimension",
    ("sentiment",),
    source="Liu et al., Make Acoustic and Visual Cues Matter: CH-SIMS v2.0 Dataset and AV-Mixup Consistent Module, "
    "ICMI 2022",
    bounds=(-1.0, 1.0),
)
CARD = CorpusCard(
    name="ch_sims_v2",
    title="CH-SIMS v2.0",
    citation="Liu, Yuan, Mao, Liang, Yang, Qiu, Cheng, Li, Xu, Gao: Make Acoustic and Visual Cues Matter: CH-SIMS v2.0 "
    "Dataset and AV-Mixup Consistent Module. ICMI 2022",
    url="https://github.com/thuiar/ch-sims-v2",
    obtain="request it as https://github.com/thuiar/ch-sims-v2 says; ch-simsv2s holds meta.csv and Raw/",
    licence="research use; the clips are from films and television",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("zh",),
    modalities=("text", "video", "audio"),
    spaces=(SPACE, SENTIMENT_3),
    raters={
        "multimodal": "annotators who saw and heard the clip, and the sign of their mean as a word",
        "text": "annotators who read the words",
        "audio": "annotators who heard the voice",
        "video": "annotators who saw the clip without sound",
    },
    counts={TRAIN: 2722, VALIDATION: 647, TEST: 1034},
    split_policy="official: the column mode of meta.csv",
    max_seconds=60.0,
    notes=(
        "The unsupervised part has no labels and is rejected as no_annotation.",
        "Parts of CH-SIMS were labelled anew for it: what is trained on one is not to be scored on the other.",
        "The video is an attribute; clips of one video may lie in several splits.",
    ),
    built_from=("ch_sims",),
)
LAYOUT = _mmsa.Layout(CARD, SPACE, "multimodal", "zh", parts=True, width=4)
MINIATURE: Mapping[str, Content] = {
    "ch-simsv2s/meta.csv": "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\n"
    "aqgy3,0001,真的吗,0.6,0.2,0.8,0.6,Positive,train\n"
    "aqgy3,0002,随便你,-0.2,0.0,-0.4,-0.2,Negative,train\n"
    "tvshow_12,0003,好的,0.0,0.0,0.0,0.0,Neutral,valid\n"
    "movie_7,00011,不要过来,-1.0,-0.6,-1.0,,Negative,test\n"
    "movie_7,,不要过来,-1.0,-0.6,-1.0,,Negative,test\n",
    "ch-simsv2s/Raw/aqgy3/0001.mp4": Clip(),
    "ch-simsv2s/Raw/aqgy3/0001.wav": Tone(),
    "ch-simsv2s/Raw/movie_7/00011.mp4": Clip(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the table."""
    base = folder_of(root, CARD, lambda folder: _mmsa.has_labels(folder, "simsv2"), "ch-simsv2s/meta.csv and Raw/")
    yield from _mmsa.samples(_mmsa.segments(base, root, LAYOUT), Clips(base, root, _mmsa.clip_key), LAYOUT)
    for folder in folders_below(root, 1):
        table = folder / "meta.csv"
        if folder != base and "simsv2u" in folder.name.lower().replace("-", "") and table.is_file():
            yield from _unsupervised(table, root)


def _unsupervised(table: Path, root: Path) -> Iterator[Rejection]:
    for row in read_csv(table, root, ("video_id", "clip_id")):
        if isinstance(row, Rejection):
            yield row
        else:
            name = f"{row['video_id']}_{row['clip_id']}"
            yield Rejection(name, "no_annotation", row.where, "of the unsupervised part")
