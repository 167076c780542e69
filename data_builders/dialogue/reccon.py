"""RECCON: why a speaker feels so — causes of emotions in dialogues from DailyDialog and IEMOCAP.

Four JSON files (``data/original_annotation/``) map a dialogue id to a list that holds one list of utterances. Each has
an emotion; where it is not neutral also the turns that caused it (numbers from 1, or ``"b"`` for something outside the
conversation), the words in those turns that did, and the type of the cause: *no-context* (in the utterance itself),
*inter-personal* (the other speaker), *self-contagion* (an earlier mood of the speaker), *hybrid*, *latent* (unsaid).
Some carry the annotators' explanation.

The dialogues are those of DailyDialog and IEMOCAP: train here is train there, but a model that saw the other corpora
has seen these words. The question-answering and entailment files of the repository (``subtask1``, ``subtask2``) are
derived from the same annotation and are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

FILES = {
    "dailydialog_train.json": TRAIN,
    "dailydialog_valid.json": VALIDATION,
    "dailydialog_test.json": TEST,
    "iemocap_test.json": TEST,
}
_SOURCE = "Poria et al., Recognizing Emotion Cause in Conversations, Cognitive Computation 13, 2021"
NAMES = ("neutral", "happiness", "surprise", "anger", "sadness", "disgust", "fear", "excitement", "frustration")
SPACE = LabelSpace(
    "reccon_emotion", "category", NAMES, source=_SOURCE, aliases={**aliases(*NAMES), "happines": "happiness"}
)
TYPES = LabelSpace(
    "reccon_cause_type",
    "set",
    ("no-context", "inter-personal", "self-contagion", "hybrid", "latent"),
    source=_SOURCE,
    aliases={"no context": "no-context", "interpersonal": "inter-personal", "self contagion": "self-contagion"},
)
TURNS = LabelSpace("reccon_cause_turns", "spans", (), source=_SOURCE)
SPANS = LabelSpace("reccon_cause_spans", "spans", (), source=_SOURCE)
EXPLANATION = LabelSpace("reccon_explanation", "open", (), source=_SOURCE)
BACKGROUND = "background"
CARD = CorpusCard(
    name="reccon",
    title="RECCON",
    citation="Poria, Majumder, Hazarika, Ghosal, Bhardwaj, Jian, Hong, Ghosh, Roy, Chhaya, Gelbukh, Mihalcea: "
    "Recognizing Emotion Cause in Conversations. Cognitive Computation 13, 2021",
    url="https://github.com/declare-lab/RECCON",
    obtain="git clone https://github.com/declare-lab/RECCON ; data/original_annotation holds the four json files",
    licence="no licence is stated; the words are DailyDialog's (CC-BY-NC-SA-4.0) and IEMOCAP's (agreement)",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE, TYPES, TURNS, SPANS, EXPLANATION),
    raters={
        "source": "the emotion label of DailyDialog or IEMOCAP",
        "annotators": "two annotators who read the dialogue and marked what caused the emotion",
    },
    counts={TRAIN: 8206, VALIDATION: 493, TEST: 3070},
    split_policy="official: DailyDialog's train, valid and test (834, 47 and 225 dialogues); the 16 dialogues of "
    "IEMOCAP are all test (665 of its utterances)",
    built_from=("dailydialog", "iemocap"),
    notes=(
        "Outliers among the labels (happy, sad, angry, surprised, happines) are read as the emotion they mean; the "
        "raw word is kept as the attribute emotion_raw. excited is an emotion of its own, as in IEMOCAP.",
        "A dialogue is a list of one list of utterances; more than one list is read one after another.",
        "Cause turns may lie after the utterance; in the release two do.",
        "reccon_cause_turns has the numbers of the turns and background, reccon_cause_spans the words in them too; "
        "neither is annotated where the release gives no cause.",
        "Speakers are called A and B in every dialogue, so they are an attribute and not the speaker.",
    ),
)
_FOLDER = "data/original_annotation/"
_EVIDENCE, _SPAN = "expanded emotion cause evidence", "expanded emotion cause span"


def _record(turn: int, speaker: str, utterance: str, emotion: str, **more: Any) -> dict[str, Any]:
    named = {_EVIDENCE: more.pop("evidence", None), _SPAN: more.pop("span", None), **more}
    plain = {"turn": turn, "speaker": speaker, "utterance": utterance, "emotion": emotion}
    return plain | {key: value for key, value in named.items() if value is not None}


MINIATURE: Mapping[str, Content] = {
    f"{_FOLDER}dailydialog_train.json": json.dumps(
        {
            "tr_1": [
                [
                    _record(1, "A", "I found your lost ring .", "neutral"),
                    _record(
                        2,
                        "B",
                        "You are wonderful !",
                        "happines",
                        evidence=[1, "b"],
                        span=["found your lost ring", "b"],
                        type=["inter-personal", "latent"],
                        explanation="The ring was a gift.",
                        flag="F",
                    ),
                    _record(3, "A", "Whatever .", "meh"),
                ]
            ],
            "tr_2": [],
        },
        indent=1,
    ),
    f"{_FOLDER}dailydialog_valid.json": json.dumps(
        {"va_1": [[_record(1, "A", "It broke .", "sadness", evidence=[1], span=["broke"], type=["no-context"])]]}
    ),
    f"{_FOLDER}dailydialog_test.json": json.dumps({"te_1": [[_record(1, "A", "Good day .", "neutral")]]}),
    f"{_FOLDER}iemocap_test.json": json.dumps(
        {"train.Ses09X_impro01": [[_record(1, "A", "No !", "frustrated", evidence=["b"], span=["b"], type=["latent"])]]}
    ),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, with the turns before it as context, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, f"{_FOLDER}{next(iter(FILES))}")
    seen: set[str] = set()
    for name, split in FILES.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
            continue
        for item in read_json(path, root):
            if isinstance(item, Rejection):
                yield item
            elif again := first_sight(seen, item.key, item.where):
                yield again
            else:
                yield from _dialogue(item, split, name.partition("_")[0])


def _is_ours(folder: Path) -> bool:
    return any((folder / inner / name).is_file() for name in FILES for inner in ("", "original_annotation", _FOLDER))


def _dialogue(item: Item, split: str, origin: str) -> Iterator[Sample | Rejection]:
    utterances = _utterances(item.value)
    if not utterances:
        yield Rejection(item.key, "broken_row", item.where, "no list of utterances")
        return
    turns: list[Turn] = []
    seen: set[str] = set()
    for place, utterance in enumerate(utterances, 1):
        identifier = f"{item.key}/{utterance.get('turn', place)}"
        text = str(utterance.get("utterance") or "").strip()
        if not text:
            yield Rejection(identifier, "broken_row", item.where, "no words")
            continue
        turn = Turn(str(utterance.get("speaker") or "").strip(), text)
        if again := first_sight(seen, identifier, item.where):
            yield again
            continue
        emotion = SPACE.resolve(str(utterance.get("emotion") or ""))
        if emotion is None:
            yield Rejection(identifier, "unknown_label", item.where, str(utterance.get("emotion")))
        trouble, causes = _causes(utterance, identifier, item.where)
        yield from trouble
        annotations = (Annotation(SPACE.name, "source", emotion), *causes) if emotion else tuple(causes)
        if annotations:
            facts = {"origin": origin, "speaker": turn.speaker, **_raw(utterance, emotion)}
            yield _sample(item, split, identifier, turn, tuple(turns), annotations, facts)
        turns.append(turn)


def _utterances(value: Any) -> list[dict[str, Any]]:
    """Return the utterances of a dialogue, which lie in a list of one list; a plain list is accepted too."""
    if not isinstance(value, list):
        return []
    flat = [one for inner in value for one in (inner if isinstance(inner, list) else [inner])]
    return flat if all(isinstance(one, dict) for one in flat) else []


def _raw(utterance: Mapping[str, Any], emotion: str | None) -> dict[str, str]:
    word = str(utterance.get("emotion") or "").strip()
    facts = {"emotion_raw": word if word != emotion else "", "flag": str(utterance.get("flag") or "")}
    return {key: value for key, value in facts.items() if value}


def _causes(utterance: Mapping[str, Any], identifier: str, where: str) -> tuple[list[Rejection], list[Annotation]]:
    """Read the causes of the emotion: types, turns, words and the explanation, as far as they are given."""
    trouble, annotations = [], []
    listed = utterance.get("type") or []
    words = [listed] if isinstance(listed, str) else list(listed)
    types = [TYPES.resolve(str(word)) for word in words]
    if None in types:
        trouble.append(Rejection(identifier, "unknown_label", where, f"type {listed!r}"))
    elif types:
        annotations.append(Annotation(TYPES.name, "annotators", tuple(name for name in TYPES.names if name in types)))
    evidence = [BACKGROUND if turn == "b" else turn for turn in utterance.get(_EVIDENCE) or []]
    if evidence:
        turns = tuple({"turn": turn} for turn in dict.fromkeys(evidence))
        annotations.append(Annotation(TURNS.name, "annotators", turns))
    spans = ["" if span == "b" else str(span) for span in utterance.get(_SPAN) or []]
    if len(spans) != len(evidence):
        trouble.append(Rejection(identifier, "broken_row", where, f"{len(evidence)} turns, {len(spans)} spans"))
    elif spans:
        once = dict.fromkeys(zip(evidence, spans, strict=True))  # some are marked by both annotators
        passages = tuple({"turn": turn, "span": span} for turn, span in once)
        annotations.append(Annotation(SPANS.name, "annotators", passages))
    if explanation := str(utterance.get("explanation") or "").strip():
        annotations.append(Annotation(EXPLANATION.name, "annotators", explanation))
    return trouble, annotations


def _sample(
    item: Item,
    split: str,
    identifier: str,
    turn: Turn,
    context: tuple[Turn, ...],
    annotations: tuple[Annotation, ...],
    facts: Mapping[str, str],
) -> Sample:
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=annotations,
        source=item.where,
        text=turn.text,
        language="en",
        dialogue=item.key,
        context=context,
        attributes=facts,
    )
