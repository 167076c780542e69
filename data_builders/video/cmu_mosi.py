"""CMU-MOSI: 93 videos in which somebody gives an opinion of a film, sentence by sentence, from bad to good.

Five workers of Mechanical Turk rated each of the 2,199 segments from -3 to 3; the mean is the sentiment. It circulates
in four forms, and the first that is found is read: ``label.csv`` of MMSA (beside ``Raw/{video_id}/{clip_id}.mp4``),
its pickles (``Processed/unaligned_50.pkl``), ``label.npz`` of MERBench, ``CMU_MOSI_Opinion_Labels.csd`` of the SDK of
CMU. The raw release (``Raw/Transcript/Segmented/``, ``Raw/Labels/``) is read in addition where it is there: words, and
every worker's rating. Video ids are text and begin with a hyphen or have zeros in front (``-3g5yACwYnA``); a
spreadsheet that makes numbers of them breaks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _cmu_csd, _cmu_raw, _mmsa

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.panel import Panel, mean
from affectllm.corpus.reading import folder_of
from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import SENTIMENT_3

SPACE = LabelSpace(
    "mosi_sentiment",
    "dimension",
    ("sentiment",),
    source="Zadeh et al., Multimodal Sentiment Intensity Analysis in Videos, IEEE Intelligent Systems 31(6), 2016",
    bounds=(-3.0, 3.0),
)
CARD = CorpusCard(
    name="cmu_mosi",
    title="CMU-MOSI",
    citation="Zadeh, Zellers, Pincus, Morency: Multimodal Sentiment Intensity Analysis in Videos: Facial Gestures and "
    "Verbal Messages. IEEE Intelligent Systems 31(6), 2016",
    url="http://multicomp.cs.cmu.edu/resources/cmu-mosi-dataset/",
    obtain="the folder MOSI of MMSA's download (https://github.com/thuiar/MMSA): label.csv, Raw/ and Processed/; or "
    "the raw release of CMU, or CMU_MOSI_Opinion_Labels.csd of CMU-MultimodalSDK, with its cmu_mosi_std_folds.py "
    "beside it",
    licence="research use; the videos are YouTube's",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text", "video", "audio"),
    spaces=(SPACE, SENTIMENT_3),
    raters={
        "crowd": "the mean of five workers of Amazon Mechanical Turk who saw the segment, and its sign as a word",
        **{f"worker_{n}": f"worker {n} of the segment, in the order of the label files" for n in _cmu_raw.WORKERS},
    },
    counts={TRAIN: 1284, VALIDATION: 229, TEST: 686},
    panels=(Panel(SPACE.name, "crowd", mean, of=tuple(f"worker_{n}" for n in _cmu_raw.WORKERS)),),
    split_policy="official: the standard folds of CMU-MultimodalSDK, by video, which label.csv has as mode",
    max_seconds=60.0,
    notes=(
        "The words are in capitals and without punctuation.",
        "Of the computational sequences (CMU_MOSI_*.csd) the labels are read, the features are not. Their rows have no "
        "clip numbers: where the transcript of a video has as many clips as there are rows, they are joined in order; "
        "where there is none, a moment is called video[row] and has no words.",
        "The layout of the computational sequences is that of the SDK's code; no published file was at hand.",
        "Clip numbers are not padded; a video is one monologue of one speaker.",
    ),
)
LAYOUT = _mmsa.Layout(CARD, SPACE, "crowd", "en", grouped=True)
_HEADER = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\n"
MINIATURE: Mapping[str, Content] = {
    "label.csv": _HEADER
    + '-9aBcDeFgHi,1,"IT WAS, WELL, FINE",0.8,,,,Positive,train\n'
    + "-9aBcDeFgHi,2,I LEFT EARLY,-2.4,,,,Negative,train\n"
    + "-9aBcDeFgHi,2,I LEFT EARLY,-2.4,,,,Negative,train\n"
    + "00012kLmNoP,1,NOTHING SPECIAL,0.0,,,,Neutral,valid\n"
    + "00012kLmNoP,2,FAR OUT,3.4,,,,,valid\n"
    + "00012kLmNoP,3,ONE FIELD TOO FEW,3\n"
    + "qRsTuVwXyZ0,10,SEE IT TWICE,2.6,,,,Great,test\n",
    "Raw/-9aBcDeFgHi/1.mp4": Clip(),
    "Raw/-9aBcDeFgHi/7.mp4": Clip(),
    "Raw/qRsTuVwXyZ0/10.mp4": Clip(),
    "Raw/Audio/WAV_16000/Segmented/qRsTuVwXyZ0_10.wav": Tone(),
    "Raw/Transcript/Segmented/-9aBcDeFgHi.annotprocessed": "1_DELIM_IT WAS, WELL, FINE\n2_DELIM_I LEFT EARLY\n3 SO\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per segment, in the order of the label file."""
    base = folder_of(root, CARD, _looks_right, "label.csv, Raw/Transcript/Segmented or CMU_MOSI_Opinion_Labels.csd")
    raw = _cmu_raw.Raw()
    yield from _cmu_raw.read(base, root, SPACE, None, raw)
    yield from _cmu_csd.read(base, root, "mosi", (SPACE,), raw)
    segments = _cmu_raw.combined(_mmsa.segments(base, root, LAYOUT), SPACE, None, raw)
    films = Clips(_cmu_raw.full_folders(base), root)
    yield from _mmsa.samples(segments, Clips(base, root, _mmsa.clip_key, without=("Full",)), LAYOUT, films)


def _looks_right(folder: Path) -> bool:
    return any(has(folder, "mosi") for has in (_mmsa.has_labels, _cmu_raw.has_raw, _cmu_csd.has_csd))
