"""CMU-MOSEI: a thousand people talk to a camera on YouTube; sentiment and six emotions of 23,000 sentences.

Three workers of Mechanical Turk rated each segment: the sentiment from -3 to 3, and from 0 (not there) to 3 (strongly)
each of happiness, sadness, anger, disgust, surprise and fear, so that a segment may have several emotions or none.
MMSA's redistribution (``label.csv`` or ``Processed/unaligned_50.pkl``) and MERBench's ``label.npz`` have the mean
sentiment only. The emotions are in ``Raw/Labels/*.csv`` of the raw release, one row a worker; they are read where they
are there, with their mean, which ``CMU_MOSEI_Labels.csd`` of CMU-MultimodalSDK has too, and the words from
``Raw/Transcript/Segmented/Combined/{video}.txt``, whose fields are separated by three underscores. Where a segment has
no clip of its own, the whole video is used for its span.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _cmu_csd, _cmu_raw, _mmsa

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import folder_of
from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import SENTIMENT_3, aliases

_SOURCE = "Zadeh et al., Multimodal Language Analysis in the Wild: CMU-MOSEI Dataset, ACL 2018"
_EMOTIONS = ("happiness", "sadness", "anger", "surprise", "disgust", "fear")
SPACE = LabelSpace("mosei_sentiment", "dimension", ("sentiment",), source=_SOURCE, bounds=(-3.0, 3.0))
EMOTIONS = LabelSpace(
    "mosei_emotions", "dimension", _EMOTIONS, source=_SOURCE, aliases=aliases(*_EMOTIONS), bounds=(0.0, 3.0)
)
CARD = CorpusCard(
    name="cmu_mosei",
    title="CMU-MOSEI",
    citation="Zadeh, Liang, Poria, Cambria, Morency: Multimodal Language Analysis in the Wild: CMU-MOSEI Dataset and "
    "Interpretable Dynamic Fusion Graph. ACL 2018",
    url="http://multicomp.cs.cmu.edu/resources/cmu-mosei-dataset/",
    obtain="the folder MOSEI of MMSA's download (https://github.com/thuiar/MMSA): label.csv, Raw/ and Processed/; for "
    "the emotions also Labels/ and Transcript/ of the raw release of CMU, in Raw/; or CMU_MOSEI_Labels.csd of "
    "CMU-MultimodalSDK with its cmu_mosei_std_folds.py beside it",
    licence="research use; the videos are YouTube's",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text", "video", "audio"),
    spaces=(SPACE, EMOTIONS, SENTIMENT_3),
    raters={
        "crowd": "the mean of the workers of Amazon Mechanical Turk who saw the segment, and its sign as a word",
        **{f"worker_{n}": f"worker {n} of the segment, in the order of the label files" for n in _cmu_raw.WORKERS},
    },
    counts={TRAIN: 16326, VALIDATION: 1871, TEST: 4659},
    split_policy="official: the standard folds of CMU-MultimodalSDK, by video, which label.csv has as mode",
    max_seconds=120.0,
    notes=(
        "Emotions are intensities, not classes: a segment with all zeros shows none of the six.",
        "Some spans of the transcripts begin before zero and are moved to zero.",
        "The rows of CMU_MOSEI_Labels.csd have times and no clip numbers: they are matched to the times of the "
        "transcripts, to a tenth of a second or by more than half of the longer span; the others are rejected as "
        "text_missing. Without a transcript a moment is called video[row] and has no words. Its means go before ours.",
        "The layout of the computational sequences is that of the SDK's code; no published file was at hand.",
        "Segments of the raw release that no fold names are rejected as no_split.",
        "Video ids are text: some are all digits, some begin with a hyphen.",
    ),
)
LAYOUT = _mmsa.Layout(CARD, SPACE, "crowd", "en", grouped=True)
_HEADER = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\n"
_WORKERS = "HITId,WorkerId,Input.VIDEO_ID,Input.CLIP,Answer.sentiment," + ",".join(
    f"Answer.{emotion}" for emotion in _EMOTIONS
)
MINIATURE: Mapping[str, Content] = {
    "label.csv": _HEADER
    + "-aAbBcCdDeE,0,I like this bank.,1.0,,,,Positive,train\n"
    + "-aAbBcCdDeE,1,I do not like its fees.,-0.6666667,,,,Negative,train\n"
    + "100200,4,It opens at nine.,0.0,,,,Neutral,valid\n"
    + "fFgGhHiIjJk,0,,?,,,,,test\n"
    + "fFgGhHiIjJk,2,What a day!,2.3333333,,,,Positive,test\n",
    "Raw/Labels/batch_1.csv": _WORKERS
    + "\nH1,W1,-aAbBcCdDeE,0,1,2,0,0,0,0,0\nH2,W2,-aAbBcCdDeE,0,1,1,0,0,1,0,9\nH3,W1,lLmMnNoOpPq,3,1,0,0,0,0,0,0\n",
    "Raw/Transcript/Segmented/Combined/-aAbBcCdDeE.txt": "-aAbBcCdDeE___0___-0.2___2.5___I like this bank.\n"
    "-aAbBcCdDeE___1___2.5___6.0___I do not like _____ its fees.\n-aAbBcCdDeE___2___6.0\n",
    "Raw/Transcript/Segmented/Combined/lLmMnNoOpPq.txt": "lLmMnNoOpPq___3___0.0___2.0___No fold names me.\n",
    "Raw/Videos/Full/Combined/-aAbBcCdDeE.mp4": Clip(seconds=1.0),
    "Raw/Videos/Segmented/Combined/100200_4.mp4": Clip(),
    "Raw/Audio/Full/WAV_16000/-aAbBcCdDeE.wav": Tone(seconds=1.0),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per segment, in the order of the label file; then those that only the raw release has."""
    base = folder_of(root, CARD, _looks_right, "label.csv, Raw/Transcript/Segmented or CMU_MOSEI_Labels.csd")
    raw = _cmu_raw.Raw()
    yield from _cmu_raw.read(base, root, SPACE, EMOTIONS, raw)
    yield from _cmu_csd.read(base, root, "mosei", (SPACE, EMOTIONS), raw)
    segments = _cmu_raw.combined(_mmsa.segments(base, root, LAYOUT), SPACE, EMOTIONS, raw)
    films = Clips(_cmu_raw.full_folders(base), root)
    yield from _mmsa.samples(segments, Clips(base, root, _mmsa.clip_key, without=("Full",)), LAYOUT, films)


def _looks_right(folder: Path) -> bool:
    return any(has(folder, "mosei") for has in (_mmsa.has_labels, _cmu_raw.has_raw, _cmu_csd.has_csd))
