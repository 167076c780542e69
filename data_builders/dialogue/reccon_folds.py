"""RECCON's two tasks as their authors evaluate them: cause span extraction and causal entailment, in three folds.

The folds are derived from the annotation that the corpus ``reccon`` reads, and differ in how the pairs without a cause
were drawn. ``data/subtask2/fold1/dailydialog_classification_test_with_context.csv`` has a pair of utterances a row:
``emotion <SEP> target <SEP> earlier utterance <SEP> conversation`` (the file without context lacks the last), 1 where
the earlier utterance causes the emotion of the target, else 0, and an id. ``data/subtask1/…_qa_….json`` has the same
ids as questions in the form of SQuAD 2, with the words that are the cause; what is no cause has a placeholder for an
answer. A pair with several causal passages has a row for each, so it is asked more than once. IEMOCAP is tested only.

Emotions are as in the release, with its outliers (``happines``): they are shown, and are no answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file, read_csv
from affectllm.corpus.records.json_reading import read_json
from affectllm.labels import Annotation, LabelSpace

FOLDS, SPLITS, CONTEXTS = ("1", "2", "3"), {"train": TRAIN, "valid": VALIDATION, "test": TEST}, ("with", "without")
_SOURCE = "Poria et al., Recognizing Emotion Cause in Conversations, Cognitive Computation 13, 2021"
ENTAILS = LabelSpace("reccon_entailment", "category", ("correct", "incorrect"), source=_SOURCE)
SPAN = LabelSpace("reccon_span", "open", (), source=_SOURCE)
CARD = CorpusCard(
    name="reccon_folds",
    title="RECCON, subtasks 1 and 2",
    citation="Poria, Majumder, Hazarika, Ghosal, Bhardwaj, Jian, Hong, Ghosh, Roy, Chhaya, Gelbukh, Mihalcea: "
    "Recognizing Emotion Cause in Conversations. Cognitive Computation 13, 2021",
    url="https://github.com/declare-lab/RECCON",
    obtain="git clone https://github.com/declare-lab/RECCON ; data/subtask1 and data/subtask2 hold fold1, fold2 and "
    "fold3 (the same folder as that of reccon)",
    licence="no licence is stated; the words are DailyDialog's (CC-BY-NC-SA-4.0) and IEMOCAP's (agreement)",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(ENTAILS, SPAN),
    raters={
        "annotators": "two annotators who read the dialogue and marked what caused the emotion; pairs that they "
        "did not mark are no cause"
    },
    counts={},
    split_policy="official, by dialogue as in DailyDialog; IEMOCAP is test only; folds, contexts and origins are "
    "attributes, and each pair occurs in several of them",
    built_from=("reccon", "dailydialog", "iemocap"),
    notes=(
        "Take one fold, one origin and one of the contexts. Fold 1 tests 7,224 pairs of DailyDialog (1,894 causes) and "
        "12,385 of IEMOCAP, each other fold 6,290 and 8,490.",
        "Some dialogues of the test have the ids of training dialogues (tr_9686); they are the release's own.",
    ),
)
_ID = re.compile(
    r"(?P<dialogue>\w+?)_utt_(?P<target>\d+)_(?P<kind>true|impossible)_cause_utt_(?P<cause>\d+)(_span_\d+)?"
)
_TEXT = " <SEP> "


def _table(fold: int, origin: str, split: str, context: str) -> str:
    return f"data/subtask2/fold{fold}/{origin}_classification_{split}_{context}_context.csv"


def _questions(fold: int, origin: str, split: str, context: str) -> str:
    return f"data/subtask1/fold{fold}/{origin}_qa_{split}_{context}_context.json"


def _miniature(fold: int, origin: str, split: str, names: tuple[str, str]) -> dict[str, Content]:
    """Three pairs of a dialogue of two turns, one of them a cause, with the words that are it."""
    turns = ("I found your lost ring .", "You are wonderful !")
    pairs = [
        (0, f"{names[0]}_utt_2_impossible_cause_utt_1", turns[0], ""),
        (1, f"{names[0]}_utt_2_true_cause_utt_2_span_0", turns[1], "wonderful"),
        (1, f"{names[1]}_utt_2_true_cause_utt_1_span_0", turns[0], "found your lost ring"),
    ]
    files: dict[str, Content] = {}
    for context in CONTEXTS:
        shown = f"{_TEXT}{' '.join(turns)}" if context == "with" else ""
        rows = [f'{n},"happines{_TEXT}{turns[1]}{_TEXT}{said}{shown}",{label},{key}' for n, (label, key, said, _) in
                enumerate(pairs)]  # fmt: skip
        files[_table(fold, origin, split, context)] = "\n".join([",text,labels,id", *rows]) + "\n"
        asked = [
            {
                "context": " ".join(turns) if context == "with" else said,
                "qas": [{"id": key, "is_impossible": not label, "question": "?", "answers": [{"text": span or "Imp"}]}],
            }
            for label, key, said, span in pairs
        ]
        files[_questions(fold, origin, split, context)] = json.dumps(asked, indent=1)
    return files


MINIATURE: Mapping[str, Content] = {
    **_miniature(1, "dailydialog", "train", ("dailydialog_tr_1", "dailydialog_tr_2")),
    **_miniature(1, "dailydialog", "valid", ("dailydialog_va_1", "dailydialog_va_2")),
    **{
        name: content
        for fold in (1, 2, 3)
        for origin, names in (
            ("dailydialog", ("dailydialog_te_1", "dailydialog_tr_9")),
            ("iemocap", ("iemocap_train_Ses09X_impro01", "iemocap_test_Ses09X_impro02")),
        )
        for name, content in _miniature(fold, origin, "test", names).items()
    },
    _table(2, "dailydialog", "valid", "without"): ",text,labels,id\n0,happiness <SEP> Oh !,0,dailydialog_va_1\n"
    "1,fear <SEP> Oh ! <SEP> Ah .,2,dailydialog_va_3_utt_2_impossible_cause_utt_1\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per row, fold by fold, first those with the conversation."""
    base = folder_of(root, CARD, _is_ours, "data/subtask2/fold1")
    for fold in FOLDS:
        if not any((base / "data" / part / f"fold{fold}").is_dir() for part in ("subtask1", "subtask2")):
            yield missing_file(f"data/subtask2/fold{fold}", CARD)
            continue
        for origin, splits in (("dailydialog", SPLITS), ("iemocap", {"test": TEST})):
            for name, split in splits.items():
                for context in CONTEXTS:
                    facts = {"fold": fold, "origin": origin, "shown": context}
                    yield from _file(base, root, name, split, facts)


def _is_ours(folder: Path) -> bool:
    return any((folder / "data" / part / f"fold{fold}").is_dir() for part in ("subtask1", "subtask2") for fold in FOLDS)


def _file(base: Path, root: Path, name: str, split: str, facts: dict[str, str]) -> Iterator[Sample | Rejection]:
    place = (int(facts["fold"]), facts["origin"], name, facts["shown"])
    table, questions = (find_file(base, one(*place)) for one in (_table, _questions))
    yield from (
        missing_file(one(*place), CARD) for one, path in ((_table, table), (_questions, questions)) if path is None
    )
    spans: dict[str, str] = {}
    for item in _spans(questions, root) if questions else ():
        if isinstance(item, Rejection):
            yield item
        else:
            spans |= item
    seen: set[str] = set()
    for row in read_csv(table, root, ("text", "labels", "id")) if table else ():
        if isinstance(row, Rejection):
            yield row
        elif again := first_sight(seen, str(row["id"]), row.where):
            yield again
        else:
            yield _sample(row.fields, row.where, split, facts, spans)


def _spans(path: Path, root: Path) -> Iterator[dict[str, str] | Rejection]:
    """Yield id → the words that are the cause, empty where there are none."""
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
            continue
        try:
            (question,) = item.value["qas"]
            answers = [] if question["is_impossible"] else question["answers"]
            yield {str(question["id"]): str(answers[0]["text"]).strip() if answers else ""}
        except (KeyError, TypeError, ValueError, IndexError):
            yield Rejection(item.where, "broken_row", item.where, "no question with an answer")


def _sample(
    row: Mapping[str, Any], where: str, split: str, facts: Mapping[str, str], spans: Mapping[str, str]
) -> Sample | Rejection:
    key, (emotion, *texts) = str(row["id"]), str(row["text"]).split(_TEXT)
    named = _ID.fullmatch(key)
    if named is None or len(texts) != 2 + (facts["shown"] == "with") or not all(text.strip() for text in texts):
        return Rejection(key, "broken_row", where, "not emotion <SEP> target <SEP> cause")
    if str(row["labels"]) != str(int(named["kind"] == "true")):
        return Rejection(key, "unknown_label", where, f"{row['labels']!r} for {named['kind']}")
    annotations = [Annotation(ENTAILS.name, "annotators", ENTAILS.names[named["kind"] != "true"])]
    if key in spans:
        annotations.append(Annotation(SPAN.name, "annotators", spans[key]))
    return Sample(
        id=f"{facts['fold']}/{facts['shown']}/{key}",
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=where,
        text=texts[1].strip(),
        language="en",
        dialogue=named["dialogue"],
        context=tuple(Turn("", text.strip()) for text in texts[2:]),
        attributes={**facts, "emotion": emotion.strip(), "target": texts[0].strip()},
    )
