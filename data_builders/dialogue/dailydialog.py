"""DailyDialog: 13,118 everyday conversations from websites for learners of English, every utterance judged.

The release holds parallel files, one dialogue a line: the words (every utterance ends with ``__eou__``), the emotions
and the dialogue acts as numbers, for each split in a folder of its own; the topics exist only for the whole corpus in
one file, so they are found again by the words of the dialogue. Two people take turns: the first is A, the second B.

XDailyDialog keeps the layout and adds translations into German, Italian and Chinese: as files side by side
(``dialogues_text_De.txt`` …), or with all four columns on one line (``en_dev_human.txt``). Translations are samples of
their own, in the same split as their English dialogue, because they carry the labels of the English words.

On a few lines the files do not agree on how many utterances there are. Nothing says which label is too many, so such
a dialogue is rejected whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, folder_of, missing_file, read_lines
from affectllm.corpus.splits import by_hash
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

NAMES = ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise")  # in the order of the numbers
ACT_NAMES = ("inform", "question", "directive", "commissive")  # 1 to 4
TOPICS = (
    *("ordinary life", "school life", "culture and education", "attitude and emotion", "relationship", "tourism"),
    *("health", "work", "politics", "finance"),
)
_SOURCE = "Li et al., DailyDialog, IJCNLP 2017"
SPACE = LabelSpace("dailydialog_7", "category", NAMES, source=_SOURCE, aliases=aliases(*NAMES))
ACTS = LabelSpace("dailydialog_act", "category", ACT_NAMES, source=_SOURCE)
SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
LANGUAGES = {"": "en", "_En": "en", "_De": "de", "_It": "it", "_Zh": "zh"}
CARD = CorpusCard(
    name="dailydialog",
    title="DailyDialog",
    citation="Li, Su, Shen, Li, Cao, Niu: DailyDialog: A Manually Labelled Multi-turn Dialogue Dataset. IJCNLP 2017. "
    "Translations: Liu et al., XDailyDialog, ACL 2023",
    url="http://yanran.li/dailydialog.html",
    obtain="ijcnlp_dailydialog.zip from http://yanran.li/dailydialog.html, with train.zip, validation.zip and test.zip "
    "in it unpacked beside dialogues_text.txt and dialogues_topic.txt",
    licence="CC-BY-NC-SA-4.0",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("en", "de", "it", "zh"),
    modalities=("text",),
    spaces=(SPACE, ACTS),
    raters={"annotators": "three annotators who read the dialogue and agreed on one label"},
    counts={TRAIN: 87170, VALIDATION: 8069, TEST: 7740},
    split_policy="official: train, validation and test folder (11,118, 1,000 and 1,000 dialogues). A copy without "
    "them is split by a hash of the English words of the dialogue: 80, 10 and 10 percent",
    notes=(
        "About 83 percent of the utterances are neutral (no emotion).",
        "Dialogues whose files disagree on the number of utterances are rejected whole as broken_row; in the parallel "
        "part of XDailyDialog these are lines 28, 182, 724, 817, 866 and 999 of 1,000.",
        "The counts are those of the English release. XDailyDialog's parallel part has 1,000 dialogues in four "
        "languages and no splits, so all its counts differ.",
        "Some dialogues of the official test split are nearly the same as ones in train; they stay where they are.",
        "The words are tokenised (a blank before punctuation), and are given as they stand.",
    ),
)
_EN = "Did you lose the key again ? __eou__ Yes , and I am sorry . __eou__ Here is mine . __eou__\n"
_DOOR = "The door is open . __eou__ Then close it ! __eou__\n"
_NEWS = "We won ! __eou__ What a surprise ! __eou__\n"
MINIATURE: Mapping[str, Content] = {
    "ijcnlp_dailydialog/dialogues_text.txt": _DOOR + _EN + _NEWS,
    "ijcnlp_dailydialog/dialogues_topic.txt": "1\n5\n4\n",
    "ijcnlp_dailydialog/train/dialogues_train.txt": _EN
    + "One . __eou__ Two . __eou__\n"
    + "Odd . __eou__ Fine . __eou__\n",
    "ijcnlp_dailydialog/train/dialogues_act_train.txt": "2 1 4 \n1 1 1 \n1 7 \n",
    "ijcnlp_dailydialog/train/dialogues_emotion_train.txt": "1 5 0 \n0 0 0 \n0 9 \n",
    "ijcnlp_dailydialog/validation/dialogues_validation.txt": _DOOR,
    "ijcnlp_dailydialog/validation/dialogues_act_validation.txt": "1 3 \n",
    "ijcnlp_dailydialog/validation/dialogues_emotion_validation.txt": "0 2 \n",
    "ijcnlp_dailydialog/test/dialogues_test.txt": _NEWS,
    "ijcnlp_dailydialog/test/dialogues_act_test.txt": "1 1 \n",
    "ijcnlp_dailydialog/test/dialogues_emotion_test.txt": "4 6 \n",
}
_FLAT = tuple(f"dialogues_text{suffix}.txt" for suffix in LANGUAGES)
_EMOTIONS, _ACTS = ("dialogues_emotion",), ("dialogues_act", "dialogues_action")


@dataclass(frozen=True, slots=True)
class _Dialogue:
    """One line of the parallel files, still as text; ``split`` is None where the release has none."""

    where: str
    identifier: str
    text: str
    emotions: str
    acts: str
    topic: str
    language: str = "en"


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, with the utterances before it as context, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, "train/dialogues_train.txt, or dialogues_text.txt")
    paths = {split: find_file(base, f"dialogues_{split}.txt") for split in SPLITS}
    if any(paths.values()):
        topics = _topics(base, root)
        if not topics:
            yield missing_file("dialogues_topic.txt", CARD)
        for name, split in SPLITS.items():
            path = paths[name]
            yield from (
                _read(_official(path, root, name, topics), split)
                if path
                else (missing_file(f"dialogues_{name}.txt", CARD),)
            )
    elif any((base / name).is_file() for name in _FLAT):
        yield from _flat(base, root)
    for path in sorted(base.glob("??_*_human.txt")):
        language, name = path.stem.split("_")[:2]
        if role := {"dev": VALIDATION, "valid": VALIDATION, **SPLITS}.get(name):
            yield from _read(_one_line(path, root, language), role)


def _is_ours(folder: Path) -> bool:
    names = [f"{split}/dialogues_{split}.txt" for split in SPLITS] + [f"dialogues_{split}.txt" for split in SPLITS]
    return any((folder / name).is_file() for name in (*_FLAT, *names)) or any(folder.glob("??_*_human.txt"))


def _beside(path: Path, stems: tuple[str, ...], ending: str) -> Path | None:
    """Return the parallel file of ``path``; copies call the acts ``act`` or ``action``."""
    return next((path.with_name(stem + ending) for stem in stems if path.with_name(stem + ending).is_file()), None)


def _parallel(paths: list[Path | None], root: Path) -> Iterator[tuple[str, list[str]] | Rejection]:
    """Read parallel files line by line; a file that is not there gives empty lines."""
    streams = [iter(read_lines(path, root)) if path else iter(()) for path in paths]
    for lines in zip_longest(*streams, fillvalue=("", "")):
        rejected = [line for line in lines if isinstance(line, Rejection)]
        read = [line for line in lines if not isinstance(line, Rejection)]
        if rejected:
            yield rejected[0]
        elif any(text.strip() for _, text in read):
            yield next(where for where, _ in read if where), [text.strip() for _, text in read]


def _official(path: Path, root: Path, split: str, topics: Mapping[str, str]) -> Iterator[_Dialogue | Rejection]:
    files = [path, _beside(path, _EMOTIONS, f"_{split}.txt"), _beside(path, _ACTS, f"_{split}.txt")]
    for name, file in zip(("emotion", "act"), files[1:], strict=True):
        if file is None:
            yield missing_file(f"dialogues_{name}_{split}.txt", CARD)
    for item in _parallel(files, root):
        if isinstance(item, Rejection):
            yield item
            continue
        where, (text, emotions, acts) = item
        yield _Dialogue(where, f"{split}/{_number(where)}", text, emotions, acts, topics.get(_plain(text), ""))


def _number(where: str) -> str:
    return where.rpartition(":")[2]


def _plain(text: str) -> str:
    return "".join(text.lower().split())


def _topics(base: Path, root: Path) -> dict[str, str]:
    """Return the words of a dialogue → its topic number, from the files of the whole corpus."""
    path = find_file(base, "dialogues_text.txt")
    topic = _beside(path, ("dialogues_topic",), ".txt") if path else None
    if path is None or topic is None:
        return {}
    lines = (item for item in _parallel([path, topic], root) if not isinstance(item, Rejection))
    return {_plain(text): number for _, (text, number) in lines}


def _flat(base: Path, root: Path) -> Iterator[Sample | Rejection]:
    """Read files without splits: the English words decide the split of a dialogue and its translations."""
    files = {suffix: base / f"dialogues_text{suffix}.txt" for suffix in LANGUAGES}
    texts = {suffix: path for suffix, path in files.items() if path.is_file()}
    key = next(iter(texts.values()))
    labels = [_beside(key, stems, ".txt") for stems in (_EMOTIONS, _ACTS, ("dialogues_topic",))]
    for name, file in zip(("emotion", "act"), labels, strict=False):
        if file is None:
            yield missing_file(f"dialogues_{name}.txt", CARD)
    for suffix, path in texts.items():
        language = LANGUAGES[suffix]
        prefix = "" if language == "en" else f"{language}/"
        for item in _parallel([path, key, *labels], root):
            if isinstance(item, Rejection):
                yield item
                continue
            where, (text, english, emotions, acts, topic) = item
            dialogue = _Dialogue(where, prefix + _number(where), text, emotions, acts, topic, language)
            yield from _utterances(dialogue, by_hash(_plain(english), salt=CARD.name))


def _one_line(path: Path, root: Path, language: str) -> Iterator[_Dialogue | Rejection]:
    """Read XDailyDialog's form: words, topic, acts and emotions on one line, between tabs."""
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        fields = line[1].split("\t")
        if len(fields) == 4:
            text, topic, acts, emotions = (field.strip() for field in fields)
            identifier = f"{path.stem}/{_number(line[0])}"
            yield _Dialogue(line[0], identifier, text, emotions, acts, topic, language)
        elif line[1].strip():
            yield Rejection(line[0], "broken_row", line[0], line[1][:120])


def _read(dialogues: Iterator[_Dialogue | Rejection], split: str) -> Iterator[Sample | Rejection]:
    for dialogue in dialogues:
        yield from (dialogue,) if isinstance(dialogue, Rejection) else _utterances(dialogue, split)


def _utterances(dialogue: _Dialogue, split: str) -> Iterator[Sample | Rejection]:
    words = [text.strip() for text in dialogue.text.split("__eou__") if text.strip()]
    emotions, acts = dialogue.emotions.split(), dialogue.acts.split()
    if not words or any(len(labels) not in (0, len(words)) for labels in (emotions, acts)):
        detail = f"{len(words)} utterances, {len(emotions)} emotions, {len(acts)} acts"
        yield Rejection(dialogue.identifier, "broken_row", dialogue.where, detail)
        return
    turns = [Turn("AB"[place % 2], text) for place, text in enumerate(words)]
    for place, turn in enumerate(turns):
        identifier = f"{dialogue.identifier}/{place + 1}"
        annotations = []
        for space, labels, first in ((SPACE, emotions, 0), (ACTS, acts, 1)):
            if not labels:
                continue
            if name := _name(labels[place], space, first):
                annotations.append(Annotation(space.name, "annotators", name))
            else:
                yield Rejection(identifier, "unknown_label", dialogue.where, f"{space.name} {labels[place]!r}")
        if annotations:
            yield _sample(dialogue, split, identifier, turns[: place + 1], annotations)
        elif not emotions and not acts:
            yield Rejection(identifier, "no_annotation", dialogue.where, turn.text[:80])


def _name(label: str, space: LabelSpace, first: int) -> str | None:
    place = int(label) - first if label.isdecimal() else -1
    return space.names[place] if 0 <= place < len(space.names) else None


def _sample(
    dialogue: _Dialogue, split: str, identifier: str, turns: list[Turn], annotations: list[Annotation]
) -> Sample:
    topic = dialogue.topic
    has_name = topic.isdecimal() and 1 <= int(topic) <= len(TOPICS)
    facts = {"speaker": turns[-1].speaker, "topic": TOPICS[int(topic) - 1] if has_name else topic}
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=dialogue.where,
        text=turns[-1].text,
        language=dialogue.language,
        dialogue=dialogue.identifier,
        context=tuple(turns[:-1]),
        attributes={key: value for key, value in facts.items() if value},
    )
