"""MERR: 28,618 clips with an emotion and a description put together by tools and models, for Emotion-LLaMA.

The unlabelled clips of MER2023, described without an annotator: the strongest facial movements at the peak frame give
a preliminary emotion, other models describe voice and picture, and a text joins them. ``MERR_coarse_grained.txt`` has
a line ``name frames emotion`` each; ``MERR_coarse_grained.json`` maps a name to its ``caption`` and the clues
(``AU_list``, ``visual_prior_list``, ``audio_prior_list``, ``text`` …). For 4,487 of them a larger model wrote a reason
from all clues (``MERR_fine_grained.json``: ``smp_reason_caption``). Words are in ``transcription_en_all.csv``. There
are nine emotions: the six of MER2023, fear, contempt and doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.video import _mer

from affectllm.corpus import TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file, read_lines
from affectllm.corpus.records.json_reading import read_json
from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import aliases

GRAINS = ("coarse", "fine")
LABELS = ("pseu_emotion", "emotion", "label")
CAPTIONS = {"caption": "caption", "smp_reason_caption": "reason"}
_NINE = (*_mer.SIX, "fear", "contempt", "doubt")
_SOURCE = "Cheng et al., Emotion-LLaMA: Multimodal Emotion Recognition and Reasoning, NeurIPS 2024"
SPACE = LabelSpace("merr_9", "category", _NINE, source=_SOURCE, aliases={**aliases(*_NINE), **_mer.CHINESE})
TEXTS = {kind: LabelSpace(f"merr_{kind}", "open", (), source=_SOURCE) for kind in CAPTIONS.values()}
CARD = CorpusCard(
    name="merr",
    title="MERR",
    citation="Cheng, Cheng, He, Sun, Wang, Lin, Lian, Peng, Hauptmann: Emotion-LLaMA: Multimodal Emotion Recognition "
    "and Reasoning with Instruction Tuning. NeurIPS 2024",
    url="https://github.com/ZebangCheng/Emotion-LLaMA",
    obtain="MERR_coarse_grained.txt, .json and MERR_fine_grained.txt, .json as "
    "https://github.com/ZebangCheng/Emotion-LLaMA links them; clips by the agreement of MER2023",
    licence="MER end user licence agreement",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("zh", "en"),
    modalities=("text", "video", "audio"),
    spaces=(SPACE, *TEXTS.values()),
    raters={
        "coarse": "tools and models that described face, voice and picture one by one",
        "fine": "a larger model that reasoned over their clues, filtered by people",
    },
    counts={TRAIN: 28618},
    split_policy="official: all of it is train",
    max_seconds=60.0,
    built_from=("mer2023",),
    notes=(
        "No person labelled the coarse part.",
        "Clues (action units, descriptions of voice and picture) are attributes.",
        "Words are a translation into English of Chinese speech.",
        "The fine part describes clips that the coarse part has too; where it does not, there are more than 28,618.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "MERR_coarse_grained.txt": "samplenew_00000001 86 happy\nsamplenew_00000002 40 doubt -10\n"
    "samplenew_00000003 worried\nsamplenew_00000004 12 bliss\nsamplenew_00000001 86 happy\n",
    "MERR_coarse_grained.json": '{"samplenew_00000001": {"AU_list": ["AU06", "AU12"], "peak_index": "31", "text": "I '
    'won.",\n"audio_prior_list": "a bright voice", "caption": "He smiles and speaks brightly."},\n'
    '"samplenew_00000002": {"caption": "She narrows her eyes."}}',
    "MERR_fine_grained.txt": "samplenew_00000001 86 happy\n",
    "MERR_fine_grained.json": '{"samplenew_00000001": {"smp_reason_caption": "His raised cheeks and bright voice show '
    'joy."}, "samplenew_00000005": {"AU_list": []}}',
    "transcription_en_all.csv": "name,sentence\nsamplenew_00000001,I won the race.\n",
    "video/samplenew_00000001.mp4": Clip(scene=2),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the coarse list; then what only the JSON files name."""
    base = folder_of(root, CARD, _looks_right, "MERR_coarse_grained.txt or MERR_coarse_grained.json")
    entries: _mer.Entries = {}
    for grain in GRAINS:
        for suffix, read in ((".txt", _lines), (".json", _descriptions)):
            name = f"MERR_{grain}_grained{suffix}"
            path = find_file(base, name)
            yield from read(path, root, grain, entries) if path else (missing_file(name, CARD),)
    yield from _mer.samples(CARD, entries, base, root)


def _looks_right(folder: Path) -> bool:
    return any((folder / f"MERR_{grain}_grained{suffix}").is_file() for grain in GRAINS for suffix in (".txt", ".json"))


def _lines(path: Path, root: Path, grain: str, entries: _mer.Entries) -> Iterator[Rejection]:
    seen: set[str] = set()
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        fields = text.split()
        if len(fields) < 3:
            if fields:
                yield Rejection(where, "broken_row", where, text[:120])
        elif again := first_sight(seen, _mer.stem(fields[0]), where):
            yield again
        else:
            entry = entries.setdefault(_mer.stem(fields[0]), _mer.Entry(_mer.stem(fields[0]), TRAIN, where))
            entry.facts["frames"] = fields[1]
            yield from _emotion(entry, fields[2], grain, where)


def _emotion(entry: _mer.Entry, word: str, grain: str, where: str) -> Iterator[Rejection]:
    if label := SPACE.resolve(word):
        yield from entry.add(SPACE, grain, label)
    else:
        yield Rejection(entry.name, "unknown_label", where, f"{grain}: {word[:60]!r}")


def _descriptions(path: Path, root: Path, grain: str, entries: _mer.Entries) -> Iterator[Rejection]:
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
            continue
        name = _mer.stem(item.key)
        if not name or not isinstance(item.value, dict):
            yield Rejection(item.key or item.where, "broken_row", item.where, "not a name with its description")
            continue
        entry = entries.setdefault(name, _mer.Entry(name, TRAIN, item.where))
        for key, value in item.value.items():
            if key in CAPTIONS and str(value).strip():
                yield from entry.add(TEXTS[CAPTIONS[key]], grain, str(value).strip())
            elif key in LABELS and (SPACE.name, grain) not in entry.answers:
                yield from _emotion(entry, str(value), grain, item.where)
            elif key in ("text", "subtitle"):
                entry.facts.setdefault("english", _mer.filled(str(value)))
            elif key not in (*CAPTIONS, *LABELS) and value:
                entry.facts.setdefault(key, _as_text(value))


def _as_text(value: Any) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
