"""ESD: twenty people say 350 sentences each in five emotions, half of them in Mandarin and half in English.

Made for voice conversion, so all say the same: speakers 0001 to 0010 read Mandarin, 0011 to 0020 English.
``0001/Angry/0001_000351.wav`` may lie in ``train/``, ``evaluation/`` or ``test/`` or, in the newer archive, in the
emotion's folder; numbers run through the emotions (1 Neutral, 351 Angry, 701 Happy, 1051 Sad, 1401 Surprise), and of
each 350 the first 20 are for evaluation, the next 30 for test. ``0001/0001.txt`` has number, words and emotion,
separated by tabs or blanks, in a different encoding for nearly every speaker: UTF-8, UTF-16, GB 2312 or Latin-1, and
some lines are broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.suffixes import SOUNDS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import folder_of, folders_below, read_lines
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("neutral", "anger", "happiness", "sadness", "surprise")
"""In the order of the numbers of the recordings."""
SENTENCES = 350
SPLITS = {"train": TRAIN, "evaluation": VALIDATION, "eval": VALIDATION, "test": TEST}
MEN = ("0004", "0005", "0006", "0008", "0010", "0011", "0012", "0013", "0014", "0020")
SPEAKERS = tuple(f"{number:04d}" for number in range(1, 21))
CHINESE = {
    **{"中立": "neutral", "中性": "neutral", "生气": "anger", "愤怒": "anger", "快乐": "happiness"},
    **{"开心": "happiness", "高兴": "happiness", "伤心": "sadness", "悲伤": "sadness"},
    **{"惊喜": "surprise", "惊讶": "surprise"},
}
SPACE = LabelSpace(
    "esd_5",
    "category",
    EMOTIONS,
    source="Zhou et al., Seen and Unseen Emotional Style Transfer for Voice Conversion, ICASSP 2021",
    aliases={**aliases(*EMOTIONS), **CHINESE},
)
CARD = CorpusCard(
    name="esd",
    title="ESD",
    citation="Zhou, Sisman, Liu, Li: Seen and Unseen Emotional Style Transfer for Voice Conversion with a New "
    "Emotional Speech Dataset. ICASSP 2021",
    url="https://hltsingapore.github.io/ESD/",
    obtain="sign the form at https://hltsingapore.github.io/ESD/download.html ; 'Emotion Speech Dataset' holds 0001/ "
    "to 0020/",
    licence="ESD licence, research only",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("zh", "en"),
    modalities=("audio", "text"),
    spaces=(SPACE,),
    raters={"actor": "the emotion that the speaker was asked to express"},
    counts={TRAIN: 30000, VALIDATION: 2000, TEST: 3000},
    split_policy="official: the folders train, evaluation and test; where there are none, the same by number: of each "
    "emotion's 350 the first 20 are validation, the next 30 test",
    max_seconds=20.0,
    notes=(
        "All speakers are in all splits; the sentences are not.",
        "The words are the same for all emotions, so they say nothing about the emotion.",
        "Each transcript is read in its own encoding; about fifteen lines are malformed and lose their words.",
        "16 kHz mono.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "Emotion Speech Dataset/0001/0001.txt": (
        "0001_000001\t今天下雨了。\t中立\r\n0001_000371 你怎么才来？ 生气\r\n".encode("gb2312")
    ),
    "Emotion Speech Dataset/0001/Neutral/evaluation/0001_000001.wav": Tone(),
    "Emotion Speech Dataset/0001/Angry/test/0001_000371.wav": Tone(),
    "Emotion Speech Dataset/0012/0012.txt": "0012_000751\tThe door is green.\tHappy\n0012_001101\n".encode("utf-16"),
    "Emotion Speech Dataset/0012/Happy/0012_000751.wav": Tone(),
    "Emotion Speech Dataset/0012/Sad/0012_001101.wav": Tone(),
    "Emotion Speech Dataset/0012/Sad/notes.wav": Tone(),
    "Emotion Speech Dataset/0016/0016.txt": "0016_001451\tIt was a caf\xe9 by the sea.\tSurprise\n"
    "0016_001452\tI know.\tSad\n".encode("latin-1"),
    "Emotion Speech Dataset/0016/Surprise/train/0016_001451.wav": Tone(),
}
_NAME = re.compile(r"(?P<speaker>\d{4})_(?P<number>\d{6})")
_LINE = re.compile(r"\ufeff?\s*(\d{4}_\d{6})\s+(.*?)\s+(\S+)\s*")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a transcript."""

    where: str
    text: str
    emotion: str | None


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per recording, by speaker and number."""
    base = folder_of(root, CARD, _looks_right, "0001/0001.txt and 0001/Angry/…/0001_000351.wav and so on")
    for speaker in SPEAKERS:
        folder = base / speaker
        if not folder.is_dir():
            yield Rejection(speaker, "file_missing", speaker, f"the folder of a speaker, expected by {CARD.title}")
            continue
        lines: dict[str, _Line] = {}
        for path in (folder / f"{speaker}.txt", base / f"{speaker}.txt"):
            if path.is_file():
                yield from _transcript(path, root, lines)
                break
        else:
            yield Rejection(f"{speaker}.txt", "file_missing", f"{speaker}/{speaker}.txt", "the words of a speaker")
        clips = Clips(folder, root, lambda path: path.stem if _NAME.fullmatch(path.stem) else None, SOUNDS)
        yield from clips.odd()
        for key in sorted(clips.files.keys() | clips.pointers.keys() | lines.keys()):
            yield from _sample(key, clips, lines.get(key))


def _looks_right(folder: Path) -> bool:
    return any(
        (place / f"{place.name}.txt").is_file() or (place / "Angry").is_dir()
        for place in folders_below(folder, 1)
        if place.name in SPEAKERS and place != folder
    )


def _transcript(path: Path, root: Path, lines: dict[str, _Line]) -> Iterator[Rejection]:
    for line in read_lines(path, root, _encoding(path)):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        if not (match := _LINE.fullmatch(text)):
            if text.strip("\ufeff \t"):
                yield Rejection(where, "broken_row", where, text[:120])
            continue
        emotion = SPACE.resolve(match[3])
        # A last word that is no emotion is a word: the line lost its emotion, which the folder has too.
        words = match[2] if emotion else f"{match[2]} {match[3]}"
        if emotion is None:
            yield Rejection(match[1], "unknown_label", where, match[3][:60])
        lines.setdefault(match[1], _Line(where, words.strip(), emotion))


def _encoding(path: Path) -> str | None:
    """Detect the encoding of a transcript by its bytes; None leaves it to the reader, line by line."""
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\x00" in raw[:400]:
        return "utf-16-le"
    lines = [line for line in raw.split(b"\n") if not line.isascii()]
    if sum(map(_is_utf8, lines)) * 2 >= len(lines):  # a file of UTF-8 with a broken line is still one of UTF-8
        return None
    return "gb18030" if path.stem <= "0010" else "latin-1"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _sample(key: str, clips: Clips, line: _Line | None) -> Iterator[Sample | Rejection]:
    place = line.where if line else ""
    media = clips.media(key)
    if clips and not media:
        yield from clips.missing(key, key, place)
        return
    speaker, number = key.split("_")
    where = media[0].path if media else place
    folders = [part.lower() for part in where.split("/")[:-1]]
    numbered = EMOTIONS[(int(number) - 1) // SENTENCES] if 0 < int(number) <= SENTENCES * len(EMOTIONS) else None
    emotion = next((label for part in reversed(folders) if (label := SPACE.resolve(part))), numbered)
    if emotion is None:
        yield Rejection(key, "unknown_label", where, "in no folder of an emotion, and numbered beyond the five")
        return
    if line and line.emotion not in (None, emotion):
        yield Rejection(key, "contradiction", line.where, f"{line.emotion} in the transcript, {emotion} by its folder")
    sentence = (int(number) - 1) % SENTENCES + 1
    by_number = VALIDATION if sentence <= 20 else TEST if sentence <= 50 else TRAIN
    yield Sample(
        id=key,
        corpus=CARD.name,
        split=next((SPLITS[part] for part in reversed(folders[-2:]) if part in SPLITS), by_number),
        annotations=(Annotation(SPACE.name, "actor", emotion),),
        source=where,
        text=line.text or None if line else None,
        language="zh" if speaker <= "0010" else "en",
        speaker=speaker,
        media=media,
        attributes={
            "sentence": str(sentence),
            "sex": "male" if speaker in MEN else "female",
            "sample_rate": "16000",
        },
    )
