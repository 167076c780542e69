"""AvaMERG: 33,000 empathetic conversations with voices and talking faces, made from EmpatheticDialogues.

The conversations of EmpatheticDialogues were cleaned and continued with a language model, each person got a profile
(age, gender, timbre) and each utterance a synthetic voice and a talking face. ``train.json`` and ``test.json`` list
the conversations; a turn has the history up to what the speaker says, the listener's response, and a *chain of
empathy*: the speaker's emotion (one of the 32 of EmpatheticDialogues, or one of the seven that the avatars show), the
event, the cause of the emotion, and what the response is to achieve. Clips are ``dia00001utt_0_….mp4`` and ``.wav``,
counted from 0; the official script renames them to ``dia1utt1.wav``, counted from 1. A sample is a turn at which the
listener responds. Where the clips of train and test lie in folders of their own (``train_audio/`` …), they are kept
apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.dialogue.empathetic_dialogues import SPACE as EMOTIONS_32

from affectllm.corpus import TEST, TRAIN, CorpusCard, MediaRef, Rejection, Sample, Turn
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import first_sight, folder_of, is_lfs_pointer, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

FILES = {"train.json": TRAIN, "test.json": TEST}
_SEVEN = ("happiness", "surprise", "anger", "fear", "sadness", "disgust", "contempt")
_SOURCE = "Zhang et al., Towards Multimodal Empathetic Response Generation, WWW 2025"
EMOTIONS_7 = LabelSpace("avamerg_7", "category", _SEVEN, source=_SOURCE, aliases=aliases(*_SEVEN))
REPLY = LabelSpace("avamerg_reply", "open", (), source=_SOURCE)
CHAIN = {
    key: LabelSpace(f"avamerg_{key}", "open", (), source=_SOURCE)
    for key in ("event_scenario", "emotion_cause", "goal_to_response")
}
CARD = CorpusCard(
    name="avamerg",
    title="AvaMERG",
    citation="Zhang, Meng, Luo, Han, Liao, Cambria, Fei: Towards Multimodal Empathetic Response Generation: A Rich "
    "Text-Speech-Vision Avatar-based Benchmark. WWW 2025",
    url="https://huggingface.co/datasets/ZhangHanXD/AvaMERG",
    obtain="train.json, test.json and the archives of https://huggingface.co/datasets/ZhangHanXD/AvaMERG , unpacked "
    "beside them",
    licence="MIT, as its repository states; the conversations are EmpatheticDialogues' (CC-BY-NC-4.0)",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text", "video", "audio"),
    spaces=(EMOTIONS_32, EMOTIONS_7, REPLY, *CHAIN.values()),
    raters={
        "chain": "a language model that explained the conversation step by step",
        "listener": "the response of the conversation, by a person or a language model",
    },
    counts={},
    split_policy="official: train.json and test.json",
    max_seconds=120.0,
    built_from=("empathetic_dialogues",),
    notes=(
        "Published are 33,048 conversations and 152,021 utterances, not how they are split, so no counts are promised.",
        "The official loader takes the last turn of a conversation only; here every turn is a sample.",
        "Voices and faces are synthetic. The clips of the response are attributes, not media: they are the answer.",
    ),
)
_PROFILE = '{"age": "young", "gender": "female", "timbre": "high", "ID": "12"}'
MINIATURE: Mapping[str, Content] = {
    "train.json": '[{"conversation_id": "00001", "speaker_profile": '
    + _PROFILE
    + ', "listener_profile": '
    + _PROFILE
    + ', "topic": "work",\n"turns": [{"turn_id": "0", "context": "She got the job.", "dialogue_history": [{"index": 0, '
    '"role": "speaker", "utterance": "I got the job!"}], "response": "How wonderful!", "chain_of_empathy": {'
    '"speaker_emotion": "proud", "event_scenario": "She got a job.", "emotion_cause": "Her effort paid off.", '
    '"goal_to_response": "Share her joy."}},\n{"turn_id": "1", "dialogue_history": [{"index": 0, "role": "speaker", '
    '"utterance": "I got the job!"}, {"index": 1, "role": "listener", "utterance": "How wonderful!"}, {"index": 2, '
    '"role": "speaker", "utterance": "I start on Monday."}], "response": "So soon?", "chain_of_empathy": {'
    '"speaker_emotion": "happy"}}, {"turn_id": "2", "dialogue_history": [], "response": "?"}]},\n'
    '{"conversation_id": "00002"}]',
    "test.json": '[{"conversation_id": "00003", "turns": [{"dialogue_history": [{"role": "speaker", "utterance": "My '
    'dog is lost."}], "response": "Oh no.", "chain_of_empathy": {"speaker_emotion": "blue"}}]}]',
    "video/dia00001utt_0_12.mp4": Clip(),
    "audio/dia00001utt_0_12.wav": Tone(),
    "audio/dia00001utt_1_12.wav": Tone(),
    "audio/dia00009utt_0_12.wav": Tone(),
}
_CLIP = re.compile(r"dia(?P<dialogue>\d+)utt(?P<mark>_?)(?P<place>\d+)(?P<rest>_.*)?")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per turn of the listener, in the order of the JSON files."""
    base = folder_of(root, CARD, _looks_right, "train.json and test.json")
    clips = Clips(base, root, lambda path: _key(path, base))
    yield from clips.odd()
    for name, split in FILES.items():
        if not (base / name).is_file():
            yield missing_file(name, CARD)
            continue
        seen: set[str] = set()
        for item in read_json(base / name, root):
            if isinstance(item, Rejection):
                yield item
            else:
                yield from _conversation(item, split, clips, seen)
    yield from clips.left()


def _looks_right(folder: Path) -> bool:
    for name in FILES:
        if (folder / name).is_file():
            with (folder / name).open("rb") as stream:
                if b"conversation_id" in stream.read(4000).replace(b"\0", b"") or is_lfs_pointer(folder / name):
                    return True
    return False


def _key(path: Path, base: Path) -> str | None:
    """Return the key of a clip: ``/1/0`` for utterance 1 of dialogue 1 in either naming, ``train/1/0`` below train."""
    name = _CLIP.fullmatch(path.stem)
    if name is None:
        return None
    folders = "/".join(path.parent.relative_to(base).parts).lower()
    split = next((split for split in (TRAIN, TEST) if split in folders), "")
    renamed = not (name["mark"] or name["rest"] or name["dialogue"].startswith("0"))
    return f"{split}/{int(name['dialogue'])}/{int(name['place']) - renamed}"


def _conversation(item: Item, split: str, clips: Clips, seen: set[str]) -> Iterator[Sample | Rejection]:
    conversation = item.value if isinstance(item.value, dict) else {}
    number, turns = str(conversation.get("conversation_id") or ""), conversation.get("turns")
    if not number or not isinstance(turns, list):
        yield Rejection(number or item.where, "broken_row", item.where, "no id, or no turns")
        return
    if again := first_sight(seen, number, item.where):
        yield again
        return
    facts = {"topic": str(conversation.get("topic") or "")}
    for person in ("speaker", "listener"):
        profile = conversation.get(f"{person}_profile")
        for key, value in profile.items() if isinstance(profile, dict) else ():
            facts[f"{person}_{key.lower()}"] = str(value)
    for place, turn in enumerate(turns):
        yield from _turn(turn if isinstance(turn, dict) else {}, f"{split}/{number}/{place}", item.where, facts, clips)


def _history(turn: Mapping[str, Any]) -> list[Turn]:
    listed = turn.get("dialogue_history")
    turns = []
    for place, utterance in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(utterance, dict):
            who = str(utterance.get("role") or ("listener" if place % 2 else "speaker")).lower()
            turns.append(Turn(who, str(utterance.get("utterance") or utterance.get("text") or "").strip()))
        else:
            turns.append(Turn("listener" if place % 2 else "speaker", str(utterance).strip()))
    return turns


def _turn(
    turn: Mapping[str, Any], identifier: str, where: str, facts: Mapping[str, str], clips: Clips
) -> Iterator[Sample | Rejection]:
    turns, reply = _history(turn), str(turn.get("response") or "").strip()
    if not turns or not turns[-1].text:
        yield Rejection(identifier, "turn_missing", where, "nothing is said before the response")
        return
    split, number, _ = identifier.split("/")
    annotations: list[Annotation] = [Annotation(REPLY.name, "listener", reply)] if reply else []
    yield from _explained(turn.get("chain_of_empathy"), identifier, where, annotations)
    dialogue = int(number) if number.isdecimal() else number
    keys = [f"{folder}/{dialogue}/{{}}" for folder in (split, "")]
    answer = next((refs for key in keys if (refs := clips.media(key.format(len(turns))))), ())
    media = next((refs for key in keys if (refs := clips.media(key.format(len(turns) - 1)))), ())
    if not annotations:
        yield Rejection(identifier, "no_annotation", where)
        return
    yield from () if media else clips.missing(keys[0].format(len(turns) - 1), identifier, where)
    scene = {"situation": str(turn.get("context") or ""), **facts, **_response(answer)}
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=where,
        text=turns[-1].text,
        language="en",
        dialogue=f"{split}/{number}",
        context=tuple(turns[:-1]),
        media=media,
        attributes={key: value for key, value in scene.items() if value},
    )


def _response(answer: tuple[MediaRef, ...]) -> dict[str, str]:
    return {f"response_{ref.modality}": ref.path for ref in answer}


def _explained(chain: Any, identifier: str, where: str, annotations: list[Annotation]) -> Iterator[Rejection]:
    """Add the chain of empathy; an emotion that two spaces have is one of the 32."""
    if not isinstance(chain, dict):
        return
    word = str(chain.get("speaker_emotion") or "").strip()
    space = next((space for space in (EMOTIONS_32, EMOTIONS_7) if word.lower() in space.names), None)
    space = space or next((space for space in (EMOTIONS_7, EMOTIONS_32) if space.resolve(word)), None)
    if space:
        annotations.append(Annotation(space.name, "chain", space.resolve(word) or word))
    elif word:
        yield Rejection(identifier, "unknown_label", where, word[:60])
    for key, text in CHAIN.items():
        if answer := str(chain.get(key) or "").strip():
            annotations.append(Annotation(text.name, "chain", answer))
