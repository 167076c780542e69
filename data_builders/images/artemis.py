"""ArtEmis: 454,684 times somebody looked at one of 80,031 paintings and said what they felt, and why.

``artemis_dataset_release_v0.csv`` has a response a row: style, painting (the name of the picture in WikiArt without
suffix), emotion (eight, or something else), the words, and how many responses the painting has. The authors' script
makes ``artemis_preprocessed.csv`` of it, which has the columns again and more (corrected spelling, tokens) and a split
by painting; it is read instead where it is there. Rows that it calls ``rest`` (paintings with very many responses) are
in no split. ArtEmis v2 adds responses to pairs of similar paintings in ``contrastive.csv`` and
``ola_dataset_release_v0.csv``, with the same columns.

Pictures are ``wikiart/{style}/{painting}.jpg``. Their names have letters of many languages, which file systems encode
in two ways; both are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.images._responses import Responses, emotion_space

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.files.media_files import Stems
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import Row, folder_of, folders_below, inside, media_path
from affectllm.labels import LabelSpace

RAW, PREPARED = "artemis_dataset_release_v0.csv", "artemis_preprocessed.csv"
SECOND = {"contrastive.csv": "contrastive/", "ola_dataset_release_v0.csv": "ola/"}
_SOURCE = "Achlioptas et al., ArtEmis, CVPR 2021"
EMOTION = emotion_space("artemis_9", _SOURCE)
WORDS = LabelSpace("artemis_explanation", "open", (), source=_SOURCE)
COLUMNS = {
    "art_style": ("style",),
    "painting": ("image", "art_work"),
    "emotion": ("emotion_name",),
    "words": ("utterance", "explanation"),
    "split": (),
}
CARD = CorpusCard(
    name="artemis",
    title="ArtEmis",
    citation="Achlioptas, Ovsjanikov, Haydarov, Elhoseiny, Guibas: ArtEmis: Affective Language for Visual Art. CVPR "
    "2021; v2: Mohamed, Khan, Haydarov, Elhoseiny: It is Okay to Not Be Okay. CVPR 2022",
    url="https://www.artemisdataset.org/",
    obtain="artemis_dataset_release_v0.csv by the form at https://www.artemisdataset.org/ (or artemis_preprocessed.csv "
    "made of it); the pictures from WikiArt in wikiart/{style}/{painting}.jpg",
    licence="ArtEmis terms of use (non-commercial research)",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("image", "text"),
    spaces=(EMOTION, WORDS),
    raters={"viewer": "one crowd worker who looked at the picture; about six looked at each"},
    counts={},
    total=454684,
    split_policy="that of artemis_preprocessed.csv (85, 5 and 10 percent of the paintings) where it is there, else "
    "ours: the same shares by a hash of the painting",
    notes=(
        "A sample is one response; those to one painting share `picture` and are in one split.",
        "About a tenth of the responses is something else, with words that say what.",
        "Rows whose split is `rest` are rejected as not_in_split.",
        "The words explain the answer and are an annotation, not the text of the sample.",
        "Responses of v2 are called contrastive/… and ola/… and are not in the counts.",
    ),
)
_HEADER = "art_style,painting,emotion,utterance,repetition\n"
MINIATURE: Mapping[str, Content] = {
    RAW: _HEADER
    + 'Impressionism,a-painter_the-café-1890,awe,"So much light, and ""quiet"".",2\n'
    + "Impressionism,a-painter_the-café-1890,Sadness,Nobody is there.,2\n"
    + "Cubism,b-painter_guitar-2,something else,I feel nothing,1\n"
    + "Cubism,b-painter_guitar-2,hunger,Like bread.,1\n"
    + "Cubism,b-painter_guitar-7,fear,It looks at me.,1\nCubism,b-painter_guitar-3,fear\n"
    + "".join(f"Realism,c-painter_field-{index},amusement,Cows.,1\n" for index in range(20)),
    "wikiart/Impressionism/a-painter_the-cafe\u0301-1890.jpg": Picture(),
    "wikiart/Impressionism/._a-painter_the-cafe\u0301-1890.jpg": b"\x00\x05\x16\x07",
    "wikiart/Cubism/b-painter_guitar-2.jpg": Picture(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per response, in the order of the table."""
    base = folder_of(root, CARD, lambda folder: bool(_tables(folder)), f"{RAW}, or {PREPARED}")
    find = _finder(base, root)
    for path, prefix in _tables(base).items():
        facts = ("art_style", "repetition")
        yield from Responses(CARD, EMOTION, WORDS, COLUMNS, _picture, find, facts, prefix).read(path, root)


def _tables(folder: Path) -> dict[Path, str]:
    """Return the tables to read → prefix of their ids; the prepared one replaces the raw one."""
    first = next((folder / name for name in (PREPARED, RAW) if (folder / name).is_file()), None)
    return ({first: ""} if first else {}) | {
        folder / name: prefix for name, prefix in SECOND.items() if (folder / name).is_file()
    }


def _picture(row: Row) -> str:
    style, painting = row.fields.get("art_style", "").strip(), row.fields.get("painting", "").strip()
    return f"{style}/{painting}" if style and painting else ""


def _finder(base: Path, root: Path) -> Callable[[str, str], str | Rejection | None]:
    folder = next((place for place in folders_below(base, 1) if place.name.lower() == "wikiart"), None)
    stems = Stems()

    def find(picture: str, where: str) -> str | Rejection | None:
        if not inside(picture):
            return Rejection(picture, "unsafe_path", where, "absolute, or outside the corpus")
        if folder is None:
            return None
        style, _, painting = picture.rpartition("/")
        path = stems.find(folder / style, painting)
        return media_path(folder, root, f"{style}/{path.name}" if path else f"{picture}.jpg", where)

    return find
