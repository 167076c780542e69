"""MUStARD: 690 utterances of four television comedies, half of them sarcastic, each with what was said before it.

``data/sarcasm_data.json`` maps an id (``1_60``) to the utterance, who says it, the turns before it (``context``,
``context_speakers``), the show and whether it is sarcastic. ``data/split_indices.p`` is a pickle with five pairs of
positions in that file, train and test of a stratified cross-validation; it is read as plain data, so that no code in it
can run. The authors' other setting keeps speakers apart: utterances of Friends are tested, those of the other shows
trained on. Clips of utterances are ``utterances_final/1_60.mp4``, those of contexts ``context_final/1_60_c.mp4``.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file, relative
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.errors import Malformed
from affectllm.labels import Annotation, LabelSpace
from affectllm.safe_pickle import load_plain_pickle

DATA, FOLDS = "sarcasm_data.json", "split_indices.p"
TESTED_SHOW = "FRIENDS"
_SOURCE = "Castro et al., Towards Multimodal Sarcasm Detection (An _Obviously_ Perfect Paper), ACL 2019"
SPACE = LabelSpace(
    "mustard_2",
    "category",
    ("sarcastic", "sincere"),
    source=_SOURCE,
    aliases={"sarcasm": "sarcastic", "non-sarcastic": "sincere", "not sarcastic": "sincere"},
)
CARD = CorpusCard(
    name="mustard",
    title="MUStARD",
    citation="Castro, Hazarika, Perez-Rosas, Zimmermann, Mihalcea, Poria: Towards Multimodal Sarcasm Detection (An "
    "_Obviously_ Perfect Paper). ACL 2019",
    url="https://github.com/soujanyaporia/MUStARD",
    obtain="git clone https://github.com/soujanyaporia/MUStARD for data/sarcasm_data.json and data/split_indices.p; "
    "the clips, linked there, as utterances_final/ beside data/",
    licence="MIT (annotations); words and clips are from television",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text", "video"),
    spaces=(SPACE,),
    raters={"annotators": "two annotators who saw the utterance in its context, and a third where they differed"},
    counts={},
    total=690,
    split_policy="theirs, by speaker: Friends is test, the other shows are train; the fold of the authors' "
    "cross-validation is the attribute fold",
    max_seconds=60.0,
    notes=(
        "345 utterances are sarcastic and 345 are not, by selection: the share says nothing of real talk.",
        "The folds divide utterances at random, so all speakers are on both sides of each.",
        "Some releases of the table lack the show; then everything is test.",
        "Scenes of Friends are in MELD and EmoryNLP, too.",
    ),
)


def _entry(utterance: str, speaker: str, sarcasm: Any, show: str = "BBT", **more: Any) -> dict[str, Any]:
    before = {"context": ["How was it?"], "context_speakers": ["PERSON"]}
    return {"utterance": utterance, "speaker": speaker, **before, "show": show, "sarcasm": sarcasm, **more}


MINIATURE: Mapping[str, Content] = {
    f"data/{DATA}": json.dumps(
        {
            "1_7": _entry("Oh, splendid, it rains.", "ANNA", True),
            "1_8": _entry("It rained.", "BEN", False),
            "2_9": _entry("I loved the queue.", "CLEO", True, TESTED_SHOW),
            "2_10": _entry("I liked the soup.", "DORA", False, TESTED_SHOW, context=["Well?", "And?"]),
            "2_11": _entry("Hm.", "DORA", "perhaps", TESTED_SHOW),
            "2_12": "nothing",
        },
        indent=1,
    ),
    f"data/{FOLDS}": pickle.dumps([([2, 3], [0, 1]), ([0, 1], [2, 3])], protocol=2),
    "utterances_final/2_9.mp4": Clip(),
    "utterances_final/2_10.mp4": Clip(),
    "utterances_final/1_7.mp4": Clip(),
    "utterances_final/1_8.mp4": Clip(),
    "utterances_final/9_9.mp4": Clip(),
    "context_final/2_9_c.mp4": Clip(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, in the order of the table."""
    base = folder_of(root, CARD, _looks_right, f"data/{DATA}")
    path = find_file(base, DATA)
    if path is None:
        yield missing_file(DATA, CARD)
        return
    pickled = find_file(base, FOLDS)
    if pickled is None:
        yield missing_file(FOLDS, CARD)
    folds = dict(_folds(pickled, root)) if pickled else {}
    clips = Clips(base, root, without=("context_final",))
    yield from clips.odd()
    seen: set[str] = set()
    for place, item in enumerate(read_json(path, root)):
        if isinstance(item, Rejection):
            yield item
        elif again := first_sight(seen, item.key, item.where):
            yield again
        else:
            yield from _sample(item, folds.get(place), clips)
    yield from clips.left()


def _looks_right(folder: Path) -> bool:
    return any((folder / place / DATA).is_file() for place in (".", "data"))


def _folds(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield position in the table → number of the fold that tests it, from 1."""
    content = load_plain_pickle(path)
    try:
        tested = [[int(place) for place in test] for _, test in content]
    except (TypeError, ValueError) as error:
        raise Malformed("no pairs of positions", where=relative(path, root), do="fetch the file again") from error
    for number, places in enumerate(tested, 1):
        yield from ((place, str(number)) for place in places)


def _sample(item: Item, fold: str | None, clips: Clips) -> Iterator[Sample | Rejection]:
    row = item.value if isinstance(item.value, dict) else {}
    text = str(row.get("utterance") or "").strip()
    if not text:
        yield Rejection(item.key or item.where, "broken_row", item.where, "no utterance")
        return
    if not isinstance(row.get("sarcasm"), bool):
        yield Rejection(item.key, "unknown_label", item.where, str(row.get("sarcasm"))[:60])
        return
    media = clips.media(item.key)
    yield from clips.missing(item.key, item.key, item.where)
    show, speaker = (str(row.get(name) or "").strip() for name in ("show", "speaker"))
    yield Sample(
        id=item.key,
        corpus=CARD.name,
        split=TEST if show in ("", TESTED_SHOW) else TRAIN,
        annotations=(Annotation(SPACE.name, "annotators", SPACE.names[0] if row["sarcasm"] else SPACE.names[1]),),
        source=item.where,
        text=text,
        language="en",
        speaker=f"{show}/{speaker}" if speaker else None,
        context=tuple(_context(row)),
        media=media,
        attributes={**({"fold": fold} if fold else {}), **({"show": show} if show else {})},
    )


def _context(row: Mapping[str, Any]) -> Iterator[Turn]:
    said, speakers = (row[name] if isinstance(row.get(name), list) else [] for name in ("context", "context_speakers"))
    for place, text in enumerate(said):
        yield Turn(str(speakers[place]).strip() if place < len(speakers) else "", str(text).strip())
