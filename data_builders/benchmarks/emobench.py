"""EmoBench: 400 questions, each in English and Chinese, about understanding emotions and acting on them.

``data/EU.jsonl`` (emotional understanding) tells a scenario and asks what one person in it feels, out of six options,
and why, out of four. ``data/EA.jsonl`` (emotional application) asks for the most effective action or response, out of
four. The options differ from question to question and stand beside the right one in the annotation. Labels are texts,
equal to one of the options once blanks around them are gone.

It is a benchmark: everything is test. Question numbers start again in each file and language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace

_SOURCE = "Sabour et al., EmoBench, ACL 2024"
EMOTION = LabelSpace("emobench_emotion", "options", (), source=_SOURCE)
CAUSE = LabelSpace("emobench_cause", "options", (), source=_SOURCE)
ACTION = LabelSpace("emobench_action", "options", (), source=_SOURCE)
FILES = {"EA.jsonl": "EA", "EU.jsonl": "EU"}
# Options and label of each question of a file → where the answer goes.
QUESTIONS = {
    "EA": (("choices", "label", ACTION),),
    "EU": (("emotion_choices", "emotion_label", EMOTION), ("cause_choices", "cause_label", CAUSE)),
}
CARD = CorpusCard(
    name="emobench",
    title="EmoBench",
    citation="Sabour, Liu, Zhang, Liu, Zhou, Sunaryo, Li, Lee, Mihalcea, Huang: EmoBench: Evaluating the Emotional "
    "Intelligence of Large Language Models. ACL 2024",
    url="https://github.com/Sahandfer/EmoBench",
    obtain="git clone https://github.com/Sahandfer/EmoBench ; data holds EA.jsonl and EU.jsonl",
    licence="MIT",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en", "zh"),
    modalities=("text",),
    spaces=(EMOTION, CAUSE, ACTION),
    raters={"authors": "the answer that the authors wrote and annotators confirmed"},
    counts={TEST: 800},
    split_policy="everything is test: a benchmark; 400 questions each of understanding and application, half English "
    "and half Chinese translations of the same questions",
    notes=(
        "The Chinese questions are translations of the English ones: an item and its translation are not two.",
        "An answer that is none of its options is rejected as unknown_label.",
    ),
)
_EA = {
    "qid": "1",
    "language": "en",
    "category": "Personal-Self",
    "question type": "Action",
    "scenario": "Kim's bicycle was stolen twice this week.",
    "subject": "Kim",
    "choices": ["Buy a third one", "Call the police", "Walk", "Weep"],
    "label": "Call the police ",
}
_EU = {
    "qid": "1",
    "language": "zh",
    "coarse_category": "complex_emotions",
    "finegrained_category": "emotion_transition",
    "scenario": "小金的自行车找到了。",
    "subject": "小金",
    "emotion_choices": ["高兴", "生气", "害怕", "羞愧", "厌恶", "无聊"],
    "emotion_label": "高兴",
    "cause_choices": ["车回来了", "车丢了", "下雨了", "没有原因"],
    "cause_label": "车回来了",
}
MINIATURE: Mapping[str, Content] = {
    "data/EA.jsonl": json.dumps(_EA) + "\n" + json.dumps({**_EA, "qid": "2", "label": "Sing"}) + "\n{not json\n",
    "data/EU.jsonl": json.dumps(_EU, ensure_ascii=False) + "\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, "data/EA.jsonl and data/EU.jsonl")
    seen: set[str] = set()
    for name, part in FILES.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
            continue
        for item in read_json(path, root):
            yield from (item,) if isinstance(item, Rejection) else _question(item, part, seen)


def _is_ours(folder: Path) -> bool:
    return any((folder / inner / name).is_file() for name in FILES for inner in ("", "data"))


def _question(item: Item, part: str, seen: set[str]) -> Iterator[Sample | Rejection]:
    value = item.value if isinstance(item.value, dict) else {}
    language, number = str(value.get("language") or "en").strip(), str(value.get("qid") or "").strip()
    scenario = str(value.get("scenario") or "").strip()
    if not (number and scenario):
        yield Rejection(item.where, "broken_row", item.where, "no number or no scenario")
        return
    identifier = f"{part}/{language}/{number}"
    if again := first_sight(seen, identifier, item.where):
        yield again
        return
    annotations = []
    for options, label, space in QUESTIONS[part]:
        answer, offered = str(value.get(label) or "").strip(), _options(value.get(options))
        if answer in offered:
            annotations.append(Annotation(space.name, "authors", {"options": offered, "right": (answer,)}))
        else:
            yield Rejection(identifier, "unknown_label", item.where, f"{label} {answer!r} is no option")
    if annotations:
        yield Sample(
            id=identifier,
            corpus=CARD.name,
            split=TEST,
            annotations=tuple(annotations),
            source=item.where,
            text=scenario,
            language=language,
            attributes={"part": part, **_facts(value)},
        )


def _options(value: Any) -> tuple[str, ...]:
    """Return the options without repetitions."""
    return tuple(dict.fromkeys(str(option).strip() for option in value)) if isinstance(value, list) else ()


def _facts(value: Mapping[str, Any]) -> dict[str, str]:
    names = ("subject", "category", "question type", "coarse_category", "finegrained_category")
    return {name.replace(" ", "_"): str(value[name]).strip() for name in names if value.get(name)}
