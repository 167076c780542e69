"""Affection: 526,749 times somebody looked at one of 85,007 photographs and said what they felt, and why.

The sequel of ArtEmis: the same question about photographs of COCO, Visual Genome, Flickr30k Entities, EmotioNet and
others instead of paintings. A row is one response: the picture, the emotion (eight, or something else) and the words.

No public loader or file of it was seen when this was written. What is known is the paper and that the authors' code
reads a table like that of ArtEmis; so every name under which a column of it has been seen elsewhere is accepted, the
table is any csv whose name begins with ``affection``, and a header with none of these names is an error that says what
is missing. Pictures are looked for by the path that the table gives, below the table's folder and its ``images/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.images._responses import Responses, emotion_space

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import Row, folder_of, media_path
from affectllm.labels import LabelSpace

_SOURCE = "Achlioptas et al., Affection, CVPR 2023"
EMOTION = emotion_space("affection_9", _SOURCE)
WORDS = LabelSpace("affection_explanation", "open", (), source=_SOURCE)
COLUMNS = {
    "picture": ("image_file", "image_file_name", "image_path", "image_name", "image", "img", "file_name", "image_id"),
    "emotion": ("emotion_name", "grounded_emotion", "emotion_choice"),
    "words": ("utterance", "explanation", "grounded_explanation", "caption", "response"),
    "split": ("subset", "partition"),
    "source": ("image_dataset", "dataset", "image_source", "dataset_name"),
    "annotator": ("worker_id", "worker", "annotator_id"),
}
CARD = CorpusCard(
    name="affection",
    title="Affection",
    citation="Achlioptas, Ovsjanikov, Guibas, Tulyakov: Affection: Learning Affective Explanations for Real-World "
    "Visual Data. CVPR 2023",
    url="https://affective-explanations.org",
    obtain="the table by the form at https://affective-explanations.org , as affection.csv; the pictures from the "
    "corpora that they come from, in images/",
    licence="Affection terms of use (non-commercial research)",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("image", "text"),
    spaces=(EMOTION, WORDS),
    raters={"viewer": "one of 6,283 crowd workers who looked at the picture; about six looked at each"},
    counts={},
    total=526749,
    split_policy="the table's own where it has a split column, else ours: 85, 5 and 10 percent of the pictures by a "
    "hash of their name",
    notes=(
        "The names of the columns were not verified on a real file; several are accepted, and a header without any of "
        "them is an error with its words.",
        "A sample is one response; those to one picture share `picture` and are in one split.",
        "The words explain the answer and are an annotation, not the text of the sample.",
        "Some pictures are in COCO, which EMOTIC uses too.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "affection.csv": "image_file,emotion,utterance,image_dataset\n"
    'coco/0001.jpg,contentment,"A calm lake, nothing moves.",coco\n'
    "coco/0001.jpg,something else,It could be anywhere.,coco\n"
    "flickr30k/0002.jpg,rage,Too loud.,flickr30k\n"
    "../0003.jpg,fear,Dark.,flickr30k\n"
    "coco/0004.jpg\n" + "".join(f"coco/1{index:03d}.jpg,awe,High.,coco\n" for index in range(60)),
    "images/coco/0001.jpg": Picture(),
    "images/coco/._0001.jpg": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per response, in the order of the table."""
    base = folder_of(root, CARD, lambda folder: bool(_tables(folder)), "affection.csv")
    find = _finder(base, root)
    for path in _tables(base):
        facts = ("source", "annotator")
        yield from Responses(CARD, EMOTION, WORDS, COLUMNS, _picture, find, facts).read(path, root)


def _tables(folder: Path) -> list[Path]:
    """Return the prepared table where there is one, else the released one."""
    tables = sorted(path for path in folder.glob("[Aa]ffection*.csv") if path.is_file())
    return [path for path in tables if "preprocessed" in path.name][:1] or tables[:1]


def _picture(row: Row) -> str:
    return row.fields.get("picture", "").strip()


def _finder(base: Path, root: Path) -> Callable[[str, str], str | Rejection | None]:
    places = [base / name for name in ("images", "image", "img") if (base / name).is_dir()]

    def find(picture: str, where: str) -> str | Rejection | None:
        tried = [media_path(place, root, picture, where) for place in (*places, base)]
        best = next((path for path in tried if isinstance(path, str)), tried[0])
        missing = isinstance(best, Rejection) and best.reason == "media_missing"
        return None if missing and not places else best

    return find
