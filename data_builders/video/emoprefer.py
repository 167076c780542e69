"""EmoPrefer: which of two descriptions of what somebody in a clip feels do people prefer?

``preference_emoprefer.csv`` has 574 pairs on which all annotators agreed: the clip, two descriptions written by models,
and the preference (a1, a2 or same). The second version, ``preference_emopreferv2.csv``, has 2,096 more pairs with what
each of 14 annotators said. Files ending in ``_reverse`` hold the same pairs swapped, to see whether a judge is
consistent: they follow from the first and are not read. Files ending in ``_with_modelnames`` say which model wrote
which description.

Clips lie in ``video/`` and ``audio/`` and are those of MER2025, which one gets for an agreement. It is a benchmark:
everything is test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS, SOUNDS
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.panel import Panel, majority
from affectllm.corpus.reading import (
    Row,
    find_file,
    folder_of,
    folders_below,
    inside,
    is_lfs_pointer,
    list_media,
    missing_file,
    relative,
)
from affectllm.corpus.tables import plain_name, read_table
from affectllm.labels import Annotation, LabelSpace

FILES = {"v1": "preference_emoprefer", "v2": "preference_emopreferv2"}
CHOICES = ("a1", "a2", "same")
_SOURCE = "Lian et al., EmoPrefer: Can Large Language Models Understand Human Emotion Preferences?, ICLR 2026"
_ALIASES = {"1": "a1", "2": "a2", "tie": "same", "equal": "same", "0": "same", "both": "same"}
SPACE = LabelSpace("emoprefer_3", "category", CHOICES, source=_SOURCE, aliases=_ALIASES)
VOTES = LabelSpace("emoprefer_votes", "distribution", CHOICES, source=_SOURCE, aliases=_ALIASES)
CARD = CorpusCard(
    name="emoprefer",
    title="EmoPrefer",
    citation="Lian, Sun, Chen, Chen, Cheng, Zhang, Jia, Ma, Ma, Peng et al.: EmoPrefer: Can Large Language Models "
    "Understand Human Emotion Preferences? ICLR 2026",
    url="https://github.com/zeroQiaoba/AffectGPT/tree/master/EmoPrefer",
    obtain="the folder EmoPrefer/dataset of https://github.com/zeroQiaoba/AffectGPT ; the clips (video, audio) are "
    "those of MER2025, for an agreement at https://huggingface.co/datasets/MERChallenge/MER2025",
    licence="Apache-2.0 for the annotation, non-commercial; an agreement for the clips",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("en", "zh"),
    modalities=("text", "video", "audio"),
    spaces=(SPACE, VOTES),
    raters={"annotators": "people who watched the clip: all of them in version 1, the majority of 14 in version 2"},
    counts={TEST: 2670},
    panels=(Panel(SPACE.name, "annotators", majority, votes="annotators", ratings=VOTES.name),),
    split_policy="everything is test: a benchmark; 574 pairs of version 1 and 2,096 of version 2",
    built_from=("mer_caption_plus",),
    max_seconds=120.0,
    notes=(
        "The two descriptions are the attributes a1 and a2; they are English, the clips are Chinese.",
        "How version 2 writes down the 14 answers was not checked on a real file: several answers in the column "
        "preference or in columns of their own are counted.",
        "A tie of the votes stays a tie.",
        "Version 1 has 275 a1, 288 a2 and 11 same.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "dataset/preference_emoprefer.csv": "name,a1,a2,preference\n"
    + 'clip_1,"She laughs, she is glad.",She is afraid.,a1\n'
    + "clip_1,She is tired.,She laughs.,a2\n"
    + "clip_2,He waits.,He is bored.,neither\n"
    + "../clip_3,He waits.,He is bored.,same\n",
    "dataset/preference_emoprefer_with_modelnames.csv": "name,a1,a2,preference\nclip_1,model-x,model-y,a1\n"
    + "clip_1,model-z,model-y,a2\n",
    "dataset/preference_emoprefer_reverse.csv": "name,a1,a2,preference\nclip_1,b,a,a2\n",
    "dataset/preference_emopreferv2.csv": "name,a1,a2,preference\n"
    + "clip_2,He waits.,He is bored.,\"['a1', 'a1', 'a2']\"\n"
    + "clip_9,He sings.,He is bored.,\"['a1', 'a2']\"\n",
    "dataset/video/clip_1.mp4": Clip(),
    "dataset/video/clip_2.mp4": Clip(),
}
_COLUMNS: dict[str, tuple[str, ...]] = {"name": ("video", "clip", "filename"), "a1": (), "a2": (), "preference": ()}
_VOTER = re.compile(r"(?:annotator|rater|preference|user|p)\d+")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per pair of descriptions, in the order of the tables."""
    base = folder_of(root, CARD, _is_ours, "dataset/preference_emoprefer.csv")
    clips = _clips(base, root)
    for version, stem in FILES.items():
        path = find_file(base, f"{stem}.csv")
        if path is None:
            yield missing_file(f"{stem}.csv", CARD)
            continue
        names = find_file(base, f"{stem}_with_modelnames.csv")
        if names is None:
            yield missing_file(f"{stem}_with_modelnames.csv", CARD)
        models = _models(names, root)
        met: Counter[str] = Counter()
        for row in read_table(path, root, _COLUMNS, optional=("preference",)):
            if isinstance(row, Rejection):
                yield row
                continue
            met[row["name"].strip()] += 1
            yield from _pair(row, version, met[row["name"].strip()], models, clips)


def _is_ours(folder: Path) -> bool:
    places = [f"{inner}{stem}.csv" for stem in FILES.values() for inner in ("", "dataset/", "EmoPrefer/dataset/")]
    return any((folder / place).is_file() for place in places)


def _clips(base: Path, root: Path) -> dict[str, list[MediaRef]]:
    """Return clip name → its video and its sound; a Git LFS pointer is no clip."""
    clips: dict[str, list[MediaRef]] = {}
    for folder in folders_below(base):
        for path in list_media(folder, (*FILMS, *SOUNDS)):
            if not is_lfs_pointer(path):
                name, is_sound = relative(path, root), path.suffix.lower() in SOUNDS
                ref = MediaRef(name, "audio") if is_sound else MediaRef(name, "video", sound=True)
                clips.setdefault(path.stem, []).append(ref)
    return clips


def _models(path: Path | None, root: Path) -> dict[tuple[str, int], dict[str, str]]:
    """Return (clip, its number of occurrences so far) → which model wrote which description."""
    models: dict[tuple[str, int], dict[str, str]] = {}
    met: Counter[str] = Counter()
    for row in read_table(path, root, _COLUMNS, optional=("preference",)) if path else ():
        if not isinstance(row, Rejection):
            name = row["name"].strip()
            met[name] += 1
            models[name, met[name]] = {"a1_model": row["a1"].strip(), "a2_model": row["a2"].strip()}
    return models


def _pair(
    row: Row,
    version: str,
    place: int,
    models: Mapping[tuple[str, int], dict[str, str]],
    clips: Mapping[str, list[MediaRef]],
) -> Iterator[Sample | Rejection]:
    name, first, second = (row[column].strip() for column in ("name", "a1", "a2"))
    identifier = f"{version}/{name}/{place}"
    if not inside(name):
        yield Rejection(name or row.where, "unsafe_path", row.where, "absolute, or outside the corpus")
        return
    votes, strange = _votes(row)
    if strange:
        yield Rejection(identifier, "unknown_label", row.where, ", ".join(strange)[:80])
    if not votes or not first or not second:
        if not strange:
            yield Rejection(identifier, "no_annotation" if first and second else "broken_row", row.where)
        return
    media = tuple(clips.get(Path(name).stem, clips.get(name, ())))
    if clips and not media:
        yield Rejection(identifier, "media_missing", row.where)
    most = max(votes.values())
    best = tuple(choice for choice in CHOICES if votes[choice] == most)
    annotations = [Annotation(SPACE.name, "annotators", best if len(best) > 1 else best[0])]
    if votes.total() > 1:
        annotations.append(Annotation(VOTES.name, "annotators", dict(votes)))
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=tuple(annotations),
        source=row.where,
        media=media,
        attributes={"version": version, "clip": name, "a1": first, "a2": second, **models.get((name, place), {})},
    )


def _votes(row: Row) -> tuple[Counter[str], list[str]]:
    """Return every answer, from the column preference (one, or a list) and from columns of single annotators."""
    cells = [row.fields.get("preference", "")]
    cells += [field for name, field in row.fields.items() if _VOTER.fullmatch(plain_name(name))]
    words = [word for cell in cells for word in re.findall(r"[\w-]+", cell)]
    read = [(word, SPACE.resolve(word)) for word in words]
    return Counter(choice for _, choice in read if choice), [word for word, choice in read if choice is None]
