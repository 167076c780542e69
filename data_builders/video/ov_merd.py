"""OV-MERD: 332 clips of Chinese films whose emotions people wrote down in as many words as fit.

The open-vocabulary corpus of the MER challenges: annotators listed clues in picture, sound and words, a language model
and the annotators together wrote a description, and every emotion in it was collected, three a clip on average.
MER2025 gives it out to train on (``track2_train_ovmerd.csv`` with a Python list of words, ``track3_train_ovmerd.csv``
with the description). OV-MERD+, the extension by which MER-UniBench tests, is ``ovlabel.csv``; a clip that is in both
is test. Clips are ``video/{name}.mp4`` and ``audio/{name}.wav`` of MER2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _mer

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import find_file, folder_of
from affectllm.labels import LabelSpace

FILES = {"openset": "track2_train_ovmerd.csv", "reason": "track3_train_ovmerd.csv"}
PLUS = "ovlabel.csv"
_SOURCE = "Lian et al., OV-MER: Towards Open-Vocabulary Multimodal Emotion Recognition, ICML 2025"
OPEN = LabelSpace("ov_merd_openset", "open", (), source=_SOURCE)
REASON = LabelSpace("ov_merd_reason", "open", (), source=_SOURCE)
CARD = CorpusCard(
    name="ov_merd",
    title="OV-MERD",
    citation="Lian, Sun, Sun, Chen, Chen, Gu, Wen, Chen, Zhang, Yao, Liu, Liu, Liang, Li, Yi, Tao: OV-MER: Towards "
    "Open-Vocabulary Multimodal Emotion Recognition. ICML 2025",
    url="https://huggingface.co/datasets/MERChallenge/MER2025",
    obtain="sign the agreement of MER2025 at https://huggingface.co/datasets/MERChallenge/MER2025 ; mer2025-dataset/ "
    "holds the tables, video/ and audio/; ovlabel.csv of MER-UniBench may lie beside them",
    licence="MER end user licence agreement",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("zh", "en"),
    modalities=("video", "audio", "text"),
    spaces=(OPEN, REASON),
    raters={"annotators": "people who corrected and completed what a model had written, word by word"},
    counts={TRAIN: 332, TEST: 532},
    split_policy="official: MER2025's tables are train, OV-MERD+ (ovlabel.csv of MER-UniBench) is test; a clip that is "
    "in both is test",
    max_seconds=60.0,
    built_from=("mer2023", "mer2024"),
    notes=(
        "OV-MERD+ (532 clips) is a download of its own; without it there is no test, and where it holds clips of "
        "OV-MERD train is smaller than 332.",
        "Emotions and descriptions are English, the speech is Chinese.",
        "An empty list of words means neutral, as the official loader reads it.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "track2_train_ovmerd.csv": "name,openset\nsample_00000042,\"['sad', 'lonely', 'sad']\"\n"
    "sample_00000043,\"['moved']\"\nsample_00000043,\"['moved']\"\n",
    "track3_train_ovmerd.csv": 'name,reason\nsample_00000042,"His eyes are\nwet."\n',
    "ovlabel.csv": 'name,openset\nsample_00000043,"[moved, grateful]"\nsample_00000050,\n',
    "video/sample_00000042.mp4": Clip(),
    "audio/sample_00000042.wav": Tone(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the words' tables."""
    base = folder_of(root, CARD, _looks_right, f"{' and '.join(FILES.values())}, or {PLUS}")
    entries: _mer.Entries = {}
    if find_file(base, PLUS):
        yield from _mer.described({"openset": PLUS}, base, root, CARD, (OPEN, REASON, "annotators", TEST), entries)
    if any(find_file(base, name) for name in FILES.values()) or not entries:
        yield from _mer.described(FILES, base, root, CARD, (OPEN, REASON, "annotators", TRAIN), entries)
    yield from _mer.samples(CARD, entries, base, root)


def _looks_right(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (*FILES.values(), PLUS))
