"""ECF 2.0 (SemEval-2024 Task 3): scenes of Friends, the emotion of every utterance and what caused it.

The training part is ECF 1.0, built from MELD, the test part was annotated for the competition. ``Subtask_1_train.json``
and ``Subtask_1_test.json`` are lists of conversations with numbered utterances and pairs ``["3_surprise", "1_I realize
that …"]``: utterance 3 is surprised, because of these words of utterance 1. ``Subtask_2_train.json`` and
``Subtask_2_test.json`` have the pairs of those who also saw the scene, as numbers of utterances (``["3_surprise",
"1"]``), and the names of clips (``dia1utt3.mp4``), which are not released: one cuts them from the episodes.

A sample is an utterance with those before it. Its causes are annotated in both ways, by number and, of the first, with
the words; a cause may lie in a later utterance. The last utterance of a conversation has all of its pairs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

PARTS = {"train": TRAIN, "test": TEST}
FILES = {f"Subtask_{task}_{part}.json": (split, task) for part, split in PARTS.items() for task in (1, 2)}
READ, SEEN = "readers", "watchers"
_NAMES = ("neutral", "anger", "disgust", "fear", "joy", "sadness", "surprise")
_SOURCE = "Wang et al., SemEval-2024 Task 3: Multimodal Emotion Cause Analysis in Conversations, SemEval 2024"
SPACE = LabelSpace("ecf_7", "category", _NAMES, source=_SOURCE, aliases=aliases(*_NAMES))
TURNS = LabelSpace("ecf_cause_turns", "spans", (), source=_SOURCE)
SPANS = LabelSpace("ecf_cause_spans", "spans", (), source=_SOURCE)
PAIRS = LabelSpace("ecf_pairs", "pairs", _NAMES[1:], source=_SOURCE, aliases=aliases(*_NAMES[1:]))
CARD = CorpusCard(
    name="ecf",
    title="ECF 2.0",
    citation="Wang, Ma, Yu, Xia, Cambria: SemEval-2024 Task 3: Multimodal Emotion Cause Analysis in Conversations. "
    "SemEval 2024",
    url="https://github.com/NUSTM/SemEval-2024_ECAC",
    obtain="the JSON files of data/ of https://github.com/NUSTM/SemEval-2024_ECAC ; clips as dia1utt1.mp4 beside them",
    licence="research use; the words are from television",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text", "video"),
    spaces=(SPACE, TURNS, SPANS, PAIRS),
    raters={
        "annotators": "the emotion on which annotators agreed",
        READ: "who marked causes as words of the conversation",
        SEEN: "who marked causes as utterances that were seen and heard",
    },
    counts={TRAIN: 13619, TEST: 3101},
    split_policy="official: the files of train and test",
    max_seconds=60.0,
    built_from=("meld",),
    notes=(
        "1,374 conversations with 9,364 pairs of words are train, 341 with 2,256 are test.",
        "Train holds dialogues of MELD's own test part: what is trained on ECF cannot be scored on MELD.",
        "Neutral utterances have no causes.",
        "ecf_pairs has all pairs of a conversation, as an annotation of its last utterance.",
    ),
)


def _scene(number: int, *said: tuple[str, str], pairs: list[list[str]], clips: bool = False) -> dict[str, Any]:
    turns = [
        {"utterance_ID": place, "text": text, "speaker": "Ross", "emotion": emotion}
        | ({"video_name": f"dia{number}utt{place}.mp4"} if clips else {})
        for place, (text, emotion) in enumerate(said, 1)
    ]
    return {"conversation_ID": number, "conversation": turns, "emotion-cause_pairs": pairs}


_ONE = (("I won !", "joy"), ("You did not .", "bored"), ("", "neutral"))
_TWO = (("My cat ran off .", "sadness"), ("Oh no , again !", "surprise"), ("It is back .", "neutral"))
MINIATURE: Mapping[str, Content] = {
    "data/Subtask_1_train.json": json.dumps(
        [_scene(1, *_ONE, pairs=[["1_joy", "1_I won !"], ["9_joy", "1_I won !"], ["x", "y"]]), _scene(1, pairs=[])]
    ),
    "data/Subtask_2_train.json": json.dumps([_scene(1, *_ONE[:1], pairs=[["1_joy", "1"]], clips=True)]),
    "data/Subtask_1_test.json": json.dumps(
        [_scene(7, *_TWO, pairs=[["1_sadness", "1_My cat ran off ."], ["2_surprise", "1_ran off"]])]
    ),
    "data/Subtask_2_test.json": json.dumps(
        [_scene(7, *_TWO, pairs=[["1_sadness", "1"], ["2_surprise", "1"], ["2_surprise", "2"]], clips=True)]
    ),
    **{f"videos/dia7utt{place}.mp4": Clip() for place in (1, 2, 3)},
}


@dataclass
class _Utterance:
    """What the files say of one utterance."""

    where: str
    split: str
    conversation: str
    number: int
    row: Mapping[str, Any]
    clip: str
    causes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pairs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


_Utterances = dict[str, _Utterance]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, with those before it as context, in the order of the files."""
    base = folder_of(root, CARD, _looks_right, "data/Subtask_1_train.json and so on")
    utterances: _Utterances = {}
    for name, (split, task) in FILES.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
            continue
        seen: set[str] = set()
        for item in read_json(path, root):
            yield from [item] if isinstance(item, Rejection) else _conversation(item, split, task, utterances, seen)
    clips = Clips(base, root)
    yield from clips.odd()
    context: dict[str, list[Turn]] = {}
    for identifier, utterance in utterances.items():
        earlier = context.setdefault(utterance.conversation, [])
        yield from _sample(identifier, utterance, tuple(earlier), clips)
        earlier.append(Turn(_said(utterance, "speaker"), _said(utterance, "text")))
    yield from clips.left()


def _looks_right(folder: Path) -> bool:
    return any((folder / place / name).is_file() for place in (".", "data") for name in FILES)


def _said(utterance: _Utterance, name: str) -> str:
    return str(utterance.row.get(name) or "").strip()


def _conversation(item: Item, split: str, task: int, utterances: _Utterances, seen: set[str]) -> Iterator[Rejection]:
    scene = item.value if isinstance(item.value, dict) else {}
    number, turns = scene.get("conversation_ID"), scene.get("conversation")
    if number is None or not isinstance(turns, list):
        yield Rejection(item.where, "broken_row", item.where, "no conversation")
        return
    dialogue = f"{split}/{number}"
    if again := first_sight(seen, dialogue, item.where):
        yield again
        return
    for place, row in enumerate(turns, 1):
        if not isinstance(row, dict):
            yield Rejection(f"{dialogue}/{place}", "broken_row", item.where, "an utterance that is no object")
            continue
        own = row.get("utterance_ID")
        turn = own if isinstance(own, int) else place
        clip = str(row.get("video_name") or f"dia{number}utt{turn}").removesuffix(".mp4")
        utterances.setdefault(f"{dialogue}/{turn}", _Utterance(item.where, split, dialogue, turn, row, clip))
    pairs: list[dict[str, Any]] = []
    for pair in scene.get("emotion-cause_pairs") or ():
        yield from _pair(pair, dialogue, item.where, task, utterances, pairs)
    if ours := [one for one in utterances.values() if one.conversation == dialogue]:
        ours[-1].pairs[READ if task == 1 else SEEN] = pairs


def _pair(
    pair: Any, dialogue: str, where: str, task: int, utterances: _Utterances, own: list[dict[str, Any]]
) -> Iterator[Rejection]:
    """Add the cause of a pair to the utterance whose emotion it caused, and the pair to those of its conversation."""
    felt, cause = (str(side) for side in pair) if isinstance(pair, list) and len(pair) == 2 else ("", "")
    effect, source = felt.partition("_")[0], cause.partition("_")
    utterance = utterances.get(f"{dialogue}/{effect}")
    if utterance is None or not source[0].isdecimal() or f"{dialogue}/{source[0]}" not in utterances:
        yield Rejection(dialogue, "broken_row", where, f"a pair of no utterances: {str(pair)[:80]}")
        return
    passage = {"turn": int(source[0])} | ({"span": source[2].strip()} if task == 1 else {})
    listed = utterance.causes.setdefault(READ if task == 1 else SEEN, [])
    if passage not in listed:
        listed.append(passage)
    emotion = PAIRS.resolve(felt.partition("_")[2])
    if emotion is None:
        yield Rejection(dialogue, "unknown_label", where, f"a pair of {felt[:60]}")
        return
    span = {"span": passage["span"]} if task == 1 else {}
    whole = {"turn": int(effect), "emotion": emotion, "cause": passage["turn"], **span}
    if whole not in own:
        own.append(whole)


def _sample(
    identifier: str, utterance: _Utterance, context: tuple[Turn, ...], clips: Clips
) -> Iterator[Sample | Rejection]:
    text, emotion = _said(utterance, "text"), SPACE.resolve(_said(utterance, "emotion"))
    if not text:
        yield Rejection(identifier, "broken_row", utterance.where, "no words")
        return
    if emotion is None:
        yield Rejection(identifier, "unknown_label", utterance.where, _said(utterance, "emotion")[:60])
        return
    media = clips.media(utterance.clip)
    yield from clips.missing(utterance.clip, identifier, utterance.where)
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=utterance.split,
        annotations=(Annotation(SPACE.name, "annotators", emotion), *_causes(utterance)),
        source=utterance.where,
        text=text,
        language="en",
        speaker=_said(utterance, "speaker") or None,
        dialogue=utterance.conversation,
        context=context,
        media=media,
    )


def _causes(utterance: _Utterance) -> Iterator[Annotation]:
    yield from (Annotation(PAIRS.name, rater, tuple(pairs)) for rater, pairs in utterance.pairs.items())
    for rater, passages in utterance.causes.items():
        turns = tuple({"turn": turn} for turn in dict.fromkeys(passage["turn"] for passage in passages))
        yield Annotation(TURNS.name, rater, turns)
        if rater == READ:
            yield Annotation(SPANS.name, rater, tuple(passages))
