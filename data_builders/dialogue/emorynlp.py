"""EmoryNLP emotion detection: 97 episodes of the TV series Friends, every utterance with one of seven emotions.

The original release is JSON (``emotion-detection-trn.json``, ``-dev``, ``-tst``): episodes of scenes of utterances,
with an id such as ``s01_e15_c01_u001``, the speakers, the words and the emotion (joyful, neutral, powerful, mad, sad,
scared, peaceful). A smaller multimodal copy is csv, quoted, one row an utterance: there the speakers are the ``repr``
of a Python list, and the clips are called ``sea1_ep2_sc6_utt3.mp4``.

The two number utterances differently, so they are not joined: a split that has its JSON is read from it, the csv is
used where there is none.
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample, Turn
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import (
    Row,
    first_sight,
    folder_of,
    folders_below,
    is_debris,
    is_lfs_pointer,
    list_media,
    missing_file,
    relative,
)
from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.tables import read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

SPLITS = {
    **dict.fromkeys(("trn", "train"), TRAIN),
    **dict.fromkeys(("dev", "valid", "val"), VALIDATION),
    **dict.fromkeys(("tst", "test"), TEST),
}
NAMES = ("joyful", "neutral", "powerful", "mad", "sad", "scared", "peaceful")
SPACE = LabelSpace(
    "emorynlp_7",
    "category",
    NAMES,
    source="Zahiri and Choi, Emotion Detection on TV Show Transcripts, AffCon 2018; primary emotions of Willcox 1982",
    aliases=aliases(*NAMES),
)
COLUMNS: dict[str, tuple[str, ...]] = {
    name: () for name in ("Utterance", "Speaker", "Emotion", "Scene_ID", "Utterance_ID", "Season", "Episode")
}
CARD = CorpusCard(
    name="emorynlp",
    title="EmoryNLP",
    citation="Zahiri, Choi: Emotion Detection on TV Show Transcripts with Sequence-based Convolutional Neural "
    "Networks. AAAI Workshop on Affective Content Analysis 2018",
    url="https://github.com/emorynlp/emotion-detection",
    obtain="git clone https://github.com/emorynlp/emotion-detection ; json holds emotion-detection-trn.json, -dev and "
    "-tst; the csv form is in data/emorynlp of https://github.com/declare-lab/MELD",
    licence="Apache-2.0",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text", "video", "audio"),
    spaces=(SPACE,),
    raters={"annotators": "vote of four annotators who read the scene"},
    counts={TRAIN: 9934, VALIDATION: 1344, TEST: 1328},
    split_policy="official: trn, dev and tst, by episode; the main cast is in all three",
    max_seconds=60.0,
    notes=(
        "Counts are those of the JSON; the csv form has 7,551, 954 and 984 rows, and clips.",
        "Some utterances have no speaker or several; then they are an attribute only.",
        "The repository is Apache-2.0, but the words are those of a television series: nothing derived is published.",
        "MELD annotates clips of the same series with other emotions.",
    ),
)


def _scene(scene: str, *utterances: tuple[str, list[str], str]) -> dict[str, Any]:
    records = [
        {"utterance_id": f"{scene}_u{place:03}", "speakers": speakers, "transcript": text, "emotion": emotion}
        for place, (text, speakers, emotion) in enumerate(utterances, 1)
    ]
    return {"scene_id": scene, "utterances": records}


def _season(*scenes: dict[str, Any]) -> str:
    return json.dumps({"season_id": "s01", "episodes": [{"episode_id": "s01_e90", "scenes": list(scenes)}]}, indent=1)


_HEADER = "Utterance,Speaker,Emotion,Scene_ID,Utterance_ID,Season,Episode,Start_Time,End_Time\n"
MINIATURE: Mapping[str, Content] = {
    "json/emotion-detection-trn.json": _season(
        _scene("s01_e90_c01", ("Who ate it?", ["Ross Geller"], "Mad"), ("Not us!", ["Joey", "Chandler"], "Scared")),
        _scene("s01_e90_c02", ("", ["Ross Geller"], "Sad"), ("Hm.", ["Ross Geller"], "Puzzled")),
    ),
    "json/emotion-detection-dev.json": _season(_scene("s01_e91_c01", ("Done.", ["Monica"], "Powerful"))),
    "emorynlp_test_final.csv": _HEADER
    + "\"So, tea?\",['Rachel Green'],Peaceful,6,3,1,92,00:00:02.877,00:00:03.100\n"
    + "Yes.,\"['Ross Geller', 'Joey']\",Joyful,6,4,1,92,00:00:03.877,00:00:04.100\n",
    "clips/sea1_ep92_sc6_utt3.mp4": Clip(),
}
_FILE = re.compile(r"(?:emotion-detection|emorynlp)[-_](trn|train|dev|val|valid|tst|test)([-_]\w+)?\.(json|csv)", re.I)
_CLIP = re.compile(r"sea\d+_ep\d+_sc\d+_utt\d+")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, with the utterances before it in the scene as context, in file order."""
    base = folder_of(root, CARD, _is_ours, "json/emotion-detection-trn.json, or emorynlp_train_final.csv")
    files: defaultdict[str, list[Path]] = defaultdict(list)
    for path in _files(base):
        files[SPLITS[_part(path)]].append(path)
    clips = {path.stem: relative(path, root) for path in list_media(base, FILMS, 4) if _is_clip(path)}
    for split, part in ((TRAIN, "trn"), (VALIDATION, "dev"), (TEST, "tst")):
        copies = sorted(files[split], key=lambda path: (path.suffix.lower() != ".json", str(path)))
        if not copies:
            yield missing_file(f"emotion-detection-{part}.json", CARD)
            continue
        for extra in copies[1:]:
            name = relative(extra, root)
            yield Rejection(name, "duplicate_file", name, f"{relative(copies[0], root)} is used")
        seen: set[str] = set()
        for item in _json(copies[0], root) if copies[0].suffix.lower() == ".json" else _csv(copies[0], root, clips):
            yield item if isinstance(item, Rejection) else first_sight(seen, item[0], item[1]) or _sample(split, *item)


_Utterance = tuple[str, str, str, str, tuple[Turn, ...], list[str], str, tuple[MediaRef, ...]]


def _files(base: Path) -> Iterator[Path]:
    for folder in folders_below(base):
        for path in sorted(folder.iterdir()):
            if _FILE.fullmatch(path.name) and not is_debris(path.name) and path.is_file():
                yield path


def _is_ours(folder: Path) -> bool:
    inner = (folder, folder / "json", folder / "data" / "emorynlp", folder / "emorynlp")
    return any(_FILE.fullmatch(path.name) for place in inner if place.is_dir() for path in place.glob("*"))


def _part(path: Path) -> str:
    name = _FILE.fullmatch(path.name)
    return name[1].lower() if name else ""


def _is_clip(path: Path) -> bool:
    return bool(_CLIP.fullmatch(path.stem)) and not is_lfs_pointer(path)


def _json(path: Path, root: Path) -> Iterator[_Utterance | Rejection]:
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
            continue
        for scene in _scenes(item.value):
            yield from _utterances(scene, item.where)


def _scenes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield scenes at any depth: the file is a season, a list of seasons, or episodes."""
    if isinstance(value, list):
        for element in value:
            yield from _scenes(element)
    elif isinstance(value, dict) and isinstance(value.get("utterances"), list):
        yield value
    elif isinstance(value, dict):
        for key in ("episodes", "scenes"):
            yield from _scenes(value.get(key, []))


def _utterances(scene: Mapping[str, Any], where: str) -> Iterator[_Utterance | Rejection]:
    context: list[Turn] = []
    name = str(scene.get("scene_id") or "")
    for place, utterance in enumerate(scene["utterances"], 1):
        value = utterance if isinstance(utterance, dict) else {}
        identifier = str(value.get("utterance_id") or f"{name}_u{place:03}")
        text = str(value.get("transcript") or "").strip()
        speakers = [str(speaker) for speaker in value.get("speakers") or []]
        if not text:
            yield Rejection(identifier, "no_text", where, "no words")
            continue
        yield identifier, where, text, str(value.get("emotion") or ""), tuple(context), speakers, name, ()
        context.append(Turn(" and ".join(speakers), text))


def _csv(path: Path, root: Path, clips: Mapping[str, str]) -> Iterator[_Utterance | Rejection]:
    context: defaultdict[str, list[Turn]] = defaultdict(list)
    for row in read_table(path, root, COLUMNS):
        if isinstance(row, Rejection):
            yield row
            continue
        numbers = [row[name].strip() for name in ("Season", "Episode", "Scene_ID", "Utterance_ID")]
        if not (all(number.isdecimal() for number in numbers) and row["Utterance"].strip()):
            yield Rejection(row.where, "broken_row", row.where, "no words, or ids that are no numbers")
            continue
        season, episode, scene, number = (int(number) for number in numbers)
        name = f"sea{season}_ep{episode}_sc{scene}"
        key, speakers, text = f"{name}_utt{number}", _speakers(row), row["Utterance"].strip()
        media = (MediaRef(clips[key], "video", sound=True),) if key in clips else ()
        if clips and not media:
            yield Rejection(key, "media_missing", row.where)
        yield key, row.where, text, row["Emotion"], tuple(context[name]), speakers, name, media
        context[name].append(Turn(" and ".join(speakers), text))


def _speakers(row: Row) -> list[str]:
    """Parse speakers: ``['Monica Geller']`` is a list as Python writes it; anything else is a name."""
    text = row["Speaker"].strip()
    try:
        value = ast.literal_eval(text) if text.startswith("[") else [text]
    except (ValueError, SyntaxError):
        value = [text.strip("[]'\" ")]
    return [str(name).strip() for name in value if str(name).strip()]


def _sample(
    split: str,
    identifier: str,
    where: str,
    text: str,
    emotion: str,
    context: tuple[Turn, ...],
    speakers: list[str],
    scene: str,
    media: tuple[MediaRef, ...],
) -> Sample | Rejection:
    label = SPACE.resolve(emotion)
    if label is None:
        reason = "unknown_label" if emotion.strip() else "no_annotation"
        return Rejection(identifier, reason, where, emotion[:80])
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "annotators", label),),
        source=where,
        text=text,
        language="en",
        speaker=speakers[0] if len(speakers) == 1 else None,
        dialogue=scene or None,
        context=context,
        media=media,
        attributes={"speakers": ", ".join(speakers)} if len(speakers) != 1 and speakers else {},
    )
