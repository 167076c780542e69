"""ESConv: 1,300 conversations in which a trained supporter helps a person with an emotional problem.

``ESConv.json`` is a list of dialogues: the seeker's emotion and problem, the situation in the seeker's words, a survey
after the conversation, and the turns. Supporters named the strategy of each of their turns; seekers now and then scored
how helpful the last turns were. All numbers are strings. ``FailedESConv.json`` has 196 conversations that did not help,
with other names for the two people (speaker and listener) and for some strategies.

A sample is a turn of the supporter: ``text`` is what was said just before (nothing, where the supporter opens the
conversation), ``context`` what was said before that. It is annotated with the seeker's emotion, the strategy, the reply
itself, the score that the seeker gave next, and the survey. What a supporter of a failed conversation said has a rater
of its own, so that nobody learns from it by accident.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

FILES = {"ESConv.json": None, "FailedESConv.json": None}
SPLIT_FILES = {
    **dict.fromkeys(("train.txt", "train.json", "train.jsonl"), TRAIN),
    **dict.fromkeys(("valid.txt", "valid.json", "validation.jsonl", "valid.jsonl", "dev.json"), VALIDATION),
    **dict.fromkeys(("test.txt", "test.json", "test.jsonl"), TEST),
}
_SOURCE = "Liu et al., Towards Emotional Support Dialog Systems, ACL 2021"
EMOTIONS = (
    *("anxiety", "depression", "sadness", "anger", "fear", "shame", "disgust", "nervousness", "pain", "jealousy"),
    "guilt",
)
SPACE = LabelSpace("esconv_11", "category", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
STRATEGIES = (
    *("question", "restatement or paraphrasing", "reflection of feelings", "self-disclosure"),
    *("affirmation and reassurance", "providing suggestions", "information", "others"),
)
STRATEGY = LabelSpace(
    "esconv_strategy",
    "category",
    STRATEGIES,
    source=_SOURCE,
    aliases={
        "questions": "question",
        "other": "others",
        "restatement": "restatement or paraphrasing",
        "self disclosure": "self-disclosure",
        "approval and reassurance": "affirmation and reassurance",
        "direct guidance": "providing suggestions",
        "providing suggestions or information": "providing suggestions",
        "greeting": "others",
    },
)
REPLY = LabelSpace("esconv_reply", "open", (), source=_SOURCE)
FEEDBACK = LabelSpace("esconv_feedback", "dimension", ("helpfulness",), source=_SOURCE, bounds=(1.0, 5.0))
SURVEY_NAMES = ("initial_emotion_intensity", "final_emotion_intensity", "empathy", "relevance")
SURVEY = LabelSpace("esconv_survey", "dimension", SURVEY_NAMES, source=_SOURCE, bounds=(1.0, 5.0))
CARD = CorpusCard(
    name="esconv",
    title="ESConv",
    citation="Liu, Zheng, Demasi, Sabour, Li, Yu, Jiang, Huang: Towards Emotional Support Dialog Systems. ACL 2021",
    url="https://github.com/thu-coai/Emotional-Support-Conversation",
    obtain="ESConv.json and FailedESConv.json from https://github.com/thu-coai/Emotional-Support-Conversation",
    licence="CC-BY-NC-4.0",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE, STRATEGY, REPLY, FEEDBACK, SURVEY),
    raters={
        "seeker": "the person who sought support: own emotion, scores and survey",
        "supporter": "the person who gave it: the reply and its strategy, and how relevant the seeker stayed",
        "failed_supporter": "the supporter of a conversation that did not help",
    },
    counts={},
    total=20753,
    split_policy="ours, as there is no official one: by a hash of the situation, 80, 10 and 10 percent, so that a "
    "situation told twice stays in one split; files called train, valid and test keep their split",
    notes=(
        "The total is of supporter turns, 18,376 of ESConv and 2,377 of the failed conversations.",
        "First release 1,053 dialogues, since then 1,300.",
        "Questions, Other, Restatement, Approval and Reassurance and Direct Guidance are other names of strategies; "
        "the raw name is kept as the attribute strategy_raw.",
        "A seeker's score is given to the last supporter turn before it.",
    ),
)


def _dialogue(situation: str, emotion: str, dialog: list[dict[str, Any]], **survey: str) -> dict[str, Any]:
    scores = {"seeker": survey, "supporter": {"relevance": "5"} if survey else {}}
    facts = {"experience_type": "Previous Experience", "emotion_type": emotion, "problem_type": "job crisis"}
    return {**facts, "situation": situation, "survey_score": scores, "dialog": dialog, "seeker_question1": ""}


def _turn(speaker: str, content: str, **annotation: str) -> dict[str, Any]:
    return {"speaker": speaker, "annotation": annotation, "content": content}


MINIATURE: Mapping[str, Content] = {
    "ESConv.json": json.dumps(
        [
            _dialogue(
                "My shop has to close.",
                "anxiety",
                [
                    _turn("supporter", "Hello there.\n", strategy="Others"),
                    _turn("seeker", "I will lose my shop.\n"),
                    _turn("supporter", "Since when do you know?", strategy="Question"),
                    _turn("supporter", "And who knows?", strategy="Question"),
                    _turn("seeker", "Since May.", feedback="4"),
                    _turn("supporter", "That is long.", strategy="Juggling"),
                ],
                initial_emotion_intensity="5",
                final_emotion_intensity="2",
                empathy="4",
            ),
            _dialogue("I was robbed.", "rage", [_turn("seeker", "Hi."), _turn("supporter", "Hi.", strategy="Others")]),
            "not a dialogue",
        ],
        indent=1,
    ),
    "FailedESConv.json": json.dumps(
        [
            _dialogue(f"Case {case}.", "guilt", [_turn("speaker", "Hm."), _turn("listener", "So?", strategy="Other")])
            for case in (1, 2, 21)
        ]
    ),
}
_SEEKERS, _SUPPORTERS = ("seeker", "speaker", "usr", "user"), ("supporter", "listener", "sys", "system")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per turn of the supporter, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, "ESConv.json")
    plain = [name for name in FILES if (base / name).is_file()]
    split_files = [name for name in SPLIT_FILES if _has_dialogues(base / name)]
    for name in FILES:
        if name not in plain and not split_files:
            yield missing_file(name, CARD)
    for name in [*plain, *(split_files if "ESConv.json" not in plain else ())]:
        failed = name.startswith("Failed")
        prefix = "failed" if failed else Path(name).stem.lower()
        count = 0
        for item in read_json(base / name, root):
            if isinstance(item, Rejection):
                yield item
                continue
            count += 1
            yield from _replies(item, f"{prefix}/{count}", SPLIT_FILES.get(name), failed)


def _is_ours(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES) or any(
        _has_dialogues(folder / name) for name in SPLIT_FILES
    )


def _has_dialogues(path: Path) -> bool:
    """Whether a file is of this corpus: many have a test.json; ours names seekers' problems early."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return b'"problem_type"' in stream.read(4000)


def _replies(item: Item, dialogue: str, split: str | None, failed: bool) -> Iterator[Sample | Rejection]:
    value = _record(item.value)
    if value is None:
        yield Rejection(dialogue, "broken_row", item.where, "no dialogue")
        return
    situation = str(value.get("situation") or "").strip()
    turns = list(_turns(value["dialog"]))
    split = split or by_hash(situation.lower() or " ".join(turn.text for turn in turns), salt=CARD.name)
    emotion = SPACE.resolve(str(value.get("emotion_type") or ""))
    if emotion is None:
        yield Rejection(dialogue, "unknown_label", item.where, f"emotion {value.get('emotion_type')!r}")
    shared = [Annotation(SPACE.name, "seeker", emotion)] if emotion else []
    shared += _survey(value.get("survey_score"))
    facts = {"situation": situation, **_facts(value, failed)}
    for place, turn in enumerate(turns):
        identifier = f"{dialogue}/{place + 1}"
        if turn.speaker == "unknown" or not turn.text:
            yield Rejection(identifier, "broken_row", item.where, "no words, or neither seeker nor supporter")
        elif turn.speaker == "supporter":
            word = _strategy(value["dialog"][place])
            rater = "failed_supporter" if failed else "supporter"
            strategy = STRATEGY.resolve(word)
            if word and strategy is None:
                yield Rejection(identifier, "unknown_label", item.where, f"strategy {word!r}")
            own = [Annotation(STRATEGY.name, rater, strategy)] if strategy else []
            own += [Annotation(REPLY.name, rater, turn.text), *_feedback(value["dialog"], turns, place)]
            raw = {"strategy_raw": word} if word.lower() != strategy else {}
            earlier = [before for before in turns[:place] if before.text]
            yield Sample(
                id=identifier,
                corpus=CARD.name,
                split=split,
                annotations=(*shared, *own),
                source=item.where,
                text=earlier[-1].text if earlier else None,
                language="en",
                dialogue=dialogue,
                context=tuple(earlier[:-1]),
                attributes={key: fact for key, fact in {**facts, **raw}.items() if fact},
            )


def _record(value: Any) -> dict[str, Any] | None:
    """Return the dialogue; some copies hold every dialogue as JSON within a JSON string."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    dialog = value.get("dialog") if isinstance(value, dict) else None
    return value if isinstance(dialog, list) and all(isinstance(turn, dict) for turn in dialog) else None


def _turns(dialog: list[dict[str, Any]]) -> Iterator[Turn]:
    for turn in dialog:
        who = str(turn.get("speaker") or "").strip().lower()
        role = "seeker" if who in _SEEKERS else "supporter" if who in _SUPPORTERS else "unknown"
        yield Turn(role, str(turn.get("content") or turn.get("text") or "").strip())


def _strategy(turn: Mapping[str, Any]) -> str:
    annotation = turn.get("annotation")
    inner = annotation.get("strategy") if isinstance(annotation, dict) else None
    return str(inner or turn.get("strategy") or "").strip()


def _feedback(dialog: list[dict[str, Any]], turns: list[Turn], place: int) -> Iterator[Annotation]:
    """Yield the score that the seeker gives before the supporter speaks again."""
    for turn, raw in zip(turns[place + 1 :], dialog[place + 1 :], strict=True):
        if turn.speaker != "seeker":
            return
        annotation = raw.get("annotation")
        raw_score = annotation.get("feedback") if isinstance(annotation, dict) else raw.get("feedback")
        score = number(raw_score, 1, 5)
        if score is not None:
            yield Annotation(FEEDBACK.name, "seeker", {"helpfulness": score})
            return


def _survey(scores: Any) -> Iterator[Annotation]:
    for rater in ("seeker", "supporter"):
        by_name = scores.get(rater) if isinstance(scores, dict) else None
        answers = {name: number(by_name.get(name), 1, 5) for name in SURVEY_NAMES} if isinstance(by_name, dict) else {}
        if scored := {name: score for name, score in answers.items() if score is not None}:
            yield Annotation(SURVEY.name, rater, scored)


def _facts(value: Mapping[str, Any], failed: bool) -> dict[str, str]:
    questions = [f"{role}_question{number}" for role in ("seeker", "supporter") for number in (1, 2)]
    facts = {name: str(value.get(name) or "").strip() for name in ("experience_type", "problem_type", *questions)}
    return {**facts, "outcome": "failed" if failed else ""}
