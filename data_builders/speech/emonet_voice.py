"""EmoNet-Voice Bench: 12,600 synthetic voices, and how strongly psychologists hear one of forty emotions in each.

Language models wrote scenes, a speech model spoke them, and at least two experts with a degree in psychology said of
each snippet how present its emotion is: 0 not at all, 1 weakly, 2 strongly. The Hub has Parquet files with ``audioId``
(the sound itself, inside) and ``label``, a Python list with one entry an expert: ``[{'annotator_1': {'Amusement': 1}},
…]``. A reader of files cannot play what lies inside a table, so the sounds have to be written out beside it, under the
name that the table gives them or as row numbers (``audio/000042_amusement.mp3``); CSV and JSON lines with the columns
audio and label are read too. The training corpus, EmoNet-Voice Big, is ``emonet_voice_big``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.speech._emonet import ALIASES, EMOTIONS

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.suffixes import SOUNDS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.panel import Panel, mean
from affectllm.corpus.reading import first_sight, folder_of, inside, is_lfs_pointer, list_media, read_csv, relative
from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.tables import number, plain_name
from affectllm.errors import Malformed
from affectllm.labels import Annotation, LabelSpace

EXTRA = ("authenticity", "arousal")
EXPERTS = range(1, 6)
COLUMNS = {"audio": ("audioid", "audio", "file", "filename", "path", "audiopath"), "label": ("label", "labels")}
"""What is read → the names that a table may give it."""
_SOURCE = "Schuhmann et al., EmoNet-Voice: A Fine-Grained, Expert-Verified Benchmark for Speech Emotion Detection, 2025"
SPACE = LabelSpace(
    "emonet_voice_intensity",
    "dimension",
    (*EMOTIONS, *EXTRA),
    source=_SOURCE,
    aliases=ALIASES,
    bounds=(0.0, 2.0),
)
CARD = CorpusCard(
    name="emonet_voice",
    title="EmoNet-Voice Bench",
    citation="Schuhmann, Kaczmarczyk, Rabby, Friedrich, Kraus, Nadi, Nguyen, Kersting, Auer: EmoNet-Voice: A "
    "Fine-Grained, Expert-Verified Benchmark for Speech Emotion Detection. arXiv:2506.09827, 2025",
    url="https://huggingface.co/datasets/laion/emonet-voice-bench",
    obtain="the Parquet files of https://huggingface.co/datasets/laion/emonet-voice-bench , and their sounds written "
    "out to audio/",
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en", "de", "es", "fr"),
    modalities=("audio",),
    spaces=(SPACE,),
    raters={
        **{f"expert_{n}": f"expert {n} of the snippet, in the order of the table" for n in EXPERTS},
        "mean": "the mean of the experts",
    },
    counts={TEST: 12600},
    panels=(Panel(SPACE.name, "mean", mean, of=tuple(f"expert_{n}" for n in EXPERTS)),),
    split_policy="official: a benchmark, all of it is test",
    max_seconds=60.0,
    notes=(
        "Each snippet is judged for one of the forty emotions only; the others are unknown, not absent.",
        "Authenticity and arousal are judged for some snippets and are no emotions.",
        "Voices are synthetic.",
        "Names of columns are not the same in all copies: COLUMNS in the builder lists those that are known.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "bench.csv": "audioId,label\n"
    "clip_a.mp3,\"[{'annotator_1': {'Amusement': 2}}, {'annotator_2': {'Amusement': 1}}]\"\n"
    "clip_b.mp3,\"[{'annotator_1': {'Jealousy & Envy': 0}}, {'annotator_2': {'Jealousy & Envy': 3}}]\"\n"
    "clip_c.mp3,\"[{'annotator_1': {'Boredom': 1}}]\"\n"
    'clip_d.mp3,"[{"\n'
    "../clip_e.mp3,\"[{'annotator_1': {'Fear': 1}}]\"\n",
    "audio/clip_a.mp3": Tone(rate=24_000),
    "audio/clip_b.wav": Tone(rate=24_000),
    "audio/clip_z.mp3": Tone(rate=24_000),
}
_Row = tuple[str, str, Any, Any]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per snippet, in the order of the tables."""
    base = folder_of(root, CARD, _looks_right, "*.parquet, *.csv or *.jsonl with the columns audioId and label")
    clips = Clips(base, root, suffixes=SOUNDS)
    yield from clips.odd()
    numbered = {key.partition("_")[0]: key for key in clips.files if re.match(r"\d{5,6}_", key)}
    seen: set[str] = set()
    row = -1
    for item in _rows(base, root):
        if isinstance(item, Rejection):
            yield item
            continue
        row += 1
        identifier, where, audio, label = item
        if isinstance(audio, str) and audio and not inside(audio):
            yield Rejection(audio, "unsafe_path", where, "absolute, or outside the corpus")
            continue
        name = _name(audio) or numbered.get(f"{row:06d}", numbered.get(f"{row:05d}", ""))
        if again := first_sight(seen, name or identifier, where):
            yield again
        else:
            yield from _snippet(name or identifier, where, label, clips)
    yield from clips.left()


def _looks_right(folder: Path) -> bool:
    return any(_is_ours(path) for place in (folder, folder / "data") for path in _tables(place))


def _tables(folder: Path) -> list[Path]:
    return list(list_media(folder, (".parquet", ".csv", ".jsonl"))) if folder.is_dir() else []


def _is_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        start = stream.read(4096)
        if path.suffix.lower() == ".parquet":
            stream.seek(-min(path.stat().st_size, 65536), 2)
            start = stream.read()
    start = start.replace(b"\0", b"")  # of UTF-16 only the letters
    return (b"audioId" in start and b"label" in start) or (path.suffix == ".parquet" and is_lfs_pointer(path))


def _rows(base: Path, root: Path) -> Iterator[_Row | Rejection]:
    for path in (path for place in (base, base / "data") for path in _tables(place) if _is_ours(path)):
        if path.suffix.lower() == ".parquet":
            yield from _parquet(path, root)
        elif path.suffix.lower() == ".csv":
            for row in read_csv(path, root, ()):
                yield row if isinstance(row, Rejection) else _picked(row.fields, row.where)
        else:
            for item in read_json(path, root):
                fields = {} if isinstance(item, Rejection) or not isinstance(item.value, dict) else item.value
                yield item if isinstance(item, Rejection) else _picked(fields, item.where)


def _picked(fields: Mapping[str, Any], where: str) -> _Row:
    by_name = {plain_name(name): value for name, value in fields.items()}
    audio, label = (
        next((by_name[name] for name in COLUMNS[kind] if name in by_name), None) for kind in ("audio", "label")
    )
    return where.replace("/", "_"), where, audio, label


def _parquet(path: Path, root: Path) -> Iterator[_Row]:
    """Yield rows of a Parquet file without the sounds in it: of ``audioId`` only the name is read."""
    import pyarrow as arrow
    from pyarrow import parquet

    where, row = relative(path, root), 0
    try:
        with parquet.ParquetFile(path) as file:
            leaves = [file.schema.column(place).path for place in range(len(file.schema))]
            for batch in file.iter_batches(columns=[leaf for leaf in leaves if not leaf.endswith(".bytes")]):
                for fields in batch.to_pylist():
                    _, _, audio, label = _picked(fields, where)
                    yield f"{path.stem}_{row:06d}", where, audio, label
                    row += 1
    except (arrow.ArrowException, OSError) as error:
        todo = "run `git lfs pull`" if is_lfs_pointer(path) else "fetch the file again"
        raise Malformed(f"not a readable Parquet file ({error})", where=where, do=todo) from error


def _name(audio: Any) -> str:
    """Return the name of a sound without folders and suffix; "" where the table has none."""
    named = audio.get("path") if isinstance(audio, dict) else audio
    return re.sub(r"\.\w+$", "", str(named or "").replace("\\", "/").rpartition("/")[2])


def _snippet(identifier: str, where: str, label: Any, clips: Clips) -> Iterator[Sample | Rejection]:
    answers: list[Annotation] = []
    yield from _answers(identifier, where, label, answers)
    media: tuple[MediaRef, ...] = clips.media(identifier)
    if not answers:
        yield Rejection(identifier, "no_annotation", where)
        return
    yield from clips.missing(identifier, identifier, where)
    intensities = [annotation.value for annotation in answers if isinstance(annotation.value, dict)]
    names = dict.fromkeys(name for value in intensities for name in value)
    means = {name: sum(v := [value[name] for value in intensities if name in value]) / len(v) for name in names}
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=TEST,
        annotations=(*answers, Annotation(SPACE.name, "mean", means)),
        source=where,
        media=media,
        attributes={"emotion": ", ".join(names)},
    )


def _answers(identifier: str, where: str, label: Any, answers: list[Annotation]) -> Iterator[Rejection]:
    """Add one annotation per expert; ``label`` is a list of ``{expert: {emotion: intensity}}``, also as text."""
    try:
        listed = ast.literal_eval(label) if isinstance(label, str) else label
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        listed = None
    if not isinstance(listed, list):
        yield Rejection(identifier, "broken_row", where, str(label)[:80])
        return
    for place, entry in enumerate(listed, 1):
        inner = next(iter(entry.values()), None) if isinstance(entry, dict) and len(entry) == 1 else None
        for word, score in inner.items() if isinstance(inner, dict) else ():
            name, strength = SPACE.resolve(" ".join(str(word).split())), number(score, *SPACE.bounds or ())
            if name is None or strength is None or place not in EXPERTS:
                yield Rejection(identifier, "unknown_label", where, f"expert {place}: {word} {score}")
            else:
                answers.append(Annotation(SPACE.name, f"expert_{place}", {name: strength}))
