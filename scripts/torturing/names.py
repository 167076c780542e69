"""Clips and pictures of hostile names, in folders of hostile names, and what the commands make of each of them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import tarfile
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from clip_making import scene as frames
from clip_making import tones, write
from PIL import Image
from pyarrow import parquet
from stand_in_server import MODEL, StandIn, label_of

from torturing.opened import opened
from torturing.scene import Scene
from torturing.written import Refused, ran

NAMES = (
    *(b"new\nline", b"tab\tbed", b"carriage\rreturn", b"-dash", b"--out", b"'single' \"double\"", b"100%41", b"%2e%2e"),
    *(b"a#1", b"a?b=1", b"a&b;c", b"back\\slash", b"a, b", b"=1+1", b"$HOME `id` $(id)", b"~", b"CON", b"a|b>c<d"),
    *(b"<img src=x class=pwned onerror=1>", b"x:y", b"@file", b"a*b[c]{d}?", b"\x1b[31mred\x07", b"a\x7fb", b"a..b"),
    *("\u202egnp.exe".encode(), "a\u2028b\u200b".encode(), "\U0001f600\u200d\U0001f525".encode(), b"bad \xff\xfe"),
    *(b"twin", b"Twin", b"TWIN", b"twin ", b" twin", b"twin.", "caf\u00e9".encode(), "cafe\u0301".encode()),
    *(b"x" * 246, "\u00e9".encode() * 123, b"C:\\clip", b"a::b", b"constructor", b"null"),
)
FOLDERS = (
    *(
        b"joy",
        b" joy",
        b"a#b?c&d",
        b"100%41 'q\"",
        b"-dash",
        b"back\\slash",
        "\u202eodd".encode(),
        b"new\nline",
        b"ends.",
    ),
    *("caf\u00e9".encode(), "cafe\u0301".encode(), b"[a-z]*", b"<b class=pwned>", "\U0001f600".encode(), b"__proto__"),
)
CORPUS, SPACE = "names", "mood"
_ENDINGS = {"audio": b".wav", "image": b".png", "video": b".mp4"}
_EXPORTS = ("webdataset", "ms-swift", "trl", "llama-factory", "axolotl")
_BUILDER = """from affectllm.data_builders.generic import described

CARD, samples, MINIATURE = described({root!r})
"""
Files = dict[bytes, str]


def names(scene: Scene) -> str:
    """A corpus, or inputs of ``predict``, with hostile names: each file is used under its name, or counted."""
    kind = list(KINDS)[int(scene.dice.integers(0, len(KINDS)))]
    return called(scene, kind, list(_ENDINGS)[int(scene.dice.integers(0, len(_ENDINGS)))])


def called(scene: Scene, kind: str, modality: str) -> str:
    """One of ``KINDS`` of uses of such clips; return what is wrong, or nothing."""
    folder = scene.scratch / "names"
    shutil.rmtree(os.fsencode(folder), ignore_errors=True)
    folder.mkdir()
    files = _files(scene, folder / "clips", modality)
    try:
        fault = KINDS[kind](scene, folder, files, modality)
    except Refused as error:
        fault = str(error)
    return f"{kind} of {modality}: {fault}" if fault else ""


def _files(scene: Scene, root: Path, modality: str) -> Files:
    """Write clips in class folders; return path below ``root`` → class."""
    original = scene.scratch / f"original{_ENDINGS[modality].decode()}"
    if not original.is_file():
        _original(original, modality)
    files: Files = {}
    for _ in range(16):
        place = FOLDERS[int(scene.dice.integers(0, len(FOLDERS)))]
        name = NAMES[int(scene.dice.integers(0, len(NAMES)))] + _ENDINGS[modality]
        path = os.path.join(os.fsencode(root), place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(original, path)
        files[os.path.join(place, name)] = os.fsdecode(place).strip().lower()
    return files


def _original(path: Path, modality: str) -> None:
    if modality == "audio":
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes((8_000 * np.sin(np.arange(3_200) / 10)).astype("<i2").tobytes())
    elif modality == "image":
        Image.fromarray(np.full((24, 32, 3), 90, np.uint8)).save(path)
    else:
        write(path, ("libx264", "aac"), frames(0.4, 48, 64), tones(0.4)[None])


def _corpus(scene: Scene, folder: Path, files: Files, modality: str, *, listed: bool) -> None:
    """Write the page of the clips in ``folder``, which are ``listed`` in a table or not, and a builder."""
    labels = list(dict.fromkeys(files.values()))
    page: dict[str, Any] = {"name": CORPUS, "raters": {"crowd": "somebody"}, "split_by": "id"}
    page |= {"spaces": {SPACE: {"kind": "category", "names": [*labels, "another"], "aliases": {}}}}
    page |= {"media": [{"column": "path", "modality": modality, "folder": "."}], "language": "en"}
    page |= {"labels": [{"space": SPACE, "rater": "crowd", "column": "class"}]}
    if listed:
        # A table is UTF-8, in which the bytes of some names cannot be written.
        told = {name: label for name, label in files.items() if _decodes(name)}
        rows = [{"path": name.decode(), "class": label, "split": "train"} for name, label in told.items()]
        (folder / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        page |= {"table": "table.jsonl", "columns": {"split": "split", "id": "path"}}
        del page["split_by"]
    else:
        page |= {"folder": "."}
    (folder / "affectllm.yaml").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    (scene.scratch / "data_builders" / f"{CORPUS}.py").write_text(_BUILDER.format(root=str(folder)), encoding="utf-8")


def _shown(scene: Scene, folder: Path, files: Files, modality: str, *, listed: bool) -> str:
    """Samples of a corpus and their gallery, in which every clip loads."""
    clips_folder = folder / "clips"
    _corpus(scene, clips_folder, files, modality, listed=listed)
    root, out = f"{CORPUS}={clips_folder}", folder / "run"
    ran(scene, ["build", CORPUS, "--root", root, "--out", str(out)])
    rows = [row for path in sorted(out.rglob("*.parquet")) for row in parquet.read_table(path).to_pylist()]
    clips = {os.fsencode(ref["path"]): row for row in rows for ref in _media(row)}
    lost = {text for path in out.rglob("rejected.jsonl") for row in _lines(path) for text in map(str, row.values())}
    for path, label in files.items():
        if listed and not _decodes(path):
            continue
        told = os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
        if path not in clips and not any(told[:100] in text for text in lost):
            return f"{path!r} is neither a sample nor counted"
        if path in clips and label not in json.dumps(clips[path], ensure_ascii=False, default=str):
            answers = json.dumps(clips[path], ensure_ascii=False, default=str)
            if json.dumps(label, ensure_ascii=False)[1:-1] not in answers.replace("\\\\", "\\"):
                return f"{path!r} is not a sample of {label!r}"
    if strange := [path for path in clips if not os.path.isfile(os.path.join(os.fsencode(clips_folder), path))]:
        return f"{strange[0]!r} is in a sample, and not on the disk"
    page = folder / "gallery.html"
    ran(scene, ["gallery", CORPUS, "--root", root, "--out", str(page)])
    return opened([page], "twin", [], scene.scratch)


def _media(row: dict[str, Any]) -> list[dict[str, Any]]:
    media = row["media"]
    return [
        json.loads(ref) if isinstance(ref, str) else ref
        for ref in (json.loads(media) if isinstance(media, str) else media)
    ]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _folders(scene: Scene, folder: Path, files: Files, modality: str) -> str:
    return _shown(scene, folder, files, modality, listed=False)


def _table(scene: Scene, folder: Path, files: Files, modality: str) -> str:
    return _shown(scene, folder, files, modality, listed=True)


def _exported(scene: Scene, folder: Path, files: Files, modality: str) -> str:
    """A mixture of the clips for another trainer: every file that a row names is there."""
    _corpus(scene, folder / "clips", files, modality, listed=True)
    part = {"corpus": CORPUS, "template": "emotion_choice", "space": SPACE, "rater": "crowd", "modalities": [modality]}
    (folder / "mix.yaml").write_text(json.dumps({"mixture": [part], "seed": 1}), encoding="utf-8")
    root, to = f"{CORPUS}={folder / 'clips'}", _EXPORTS[int(scene.dice.integers(0, len(_EXPORTS)))]
    ran(scene, ["build", str(folder / "mix.yaml"), "--root", root, "--out", str(folder / "run")])
    out, how = folder / "out [1]", ("link", "copy", "path")[int(scene.dice.integers(0, 3))]
    told = ran(scene, ["export", str(folder / "run"), "--to", to, "--out", str(out), "--root", root, "--media", how])
    if fault := opened([folder / "run" / "build" / "gallery.html"], "twin", [], scene.scratch):
        return fault
    rows = sum(parquet.read_metadata(path).num_rows for path in (folder / "run/build/conversations").glob("*.parquet"))
    counts = re.findall(r"^ +(?:rows|rejected)  .* (\d+)$", told, re.MULTILINE)
    if sum(map(int, counts)) != rows:
        return f"{to}: {rows} conversations, but {counts}"
    return f"{to}: {fault}" if (fault := "; ".join(_unlike(out, to))) else ""


def _unlike(out: Path, to: str) -> Iterator[str]:
    """Yield what the rows of an export name that is not there."""
    if to == "webdataset":
        for path in out.glob("*.tar"):
            with tarfile.open(path) as tar:
                members = tar.getnames()
                keys = {name.partition(".")[0] for name in members}
                if len(members) != 2 * len(keys):
                    yield f"{path.name} has {len(members)} files of {len(keys)} samples"
        return
    for path in (*out.glob("*.jsonl"), *out.glob("*train*.json"), *out.glob("*validation*.json")):
        text = path.read_text(encoding="utf-8")
        content = (
            json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.split("\n") if line]
        )
        for named in _strings(content):
            at = [named.find(f"/{part}/{CORPUS}/") for part in ("clips", "cut")]
            if (max(at) >= 0 or named.startswith(("clips/", "cut/"))) and not (out / named).exists():
                yield f"{named!r} is in a row, and not on the disk"
                return


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _asked(scene: Scene, folder: Path, files: Files, modality: str) -> str:
    """``predict`` of the folder, or of a table that names the clips: a line for each, however it is written."""
    given, count = [str(folder / "clips")], len(files)
    if scene.dice.random() < 0.5:
        told = [name for name in files if _decodes(name)]
        table = folder / "clips" / "table.csv"
        with table.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([["clip"], *([name.decode()] for name in told)])
        given, count = [str(table)], len(told)
    how = ([], ["--json"], ["--csv"])[int(scene.dice.integers(0, 3))]
    with StandIn(answer=label_of) as server:
        model = ["--model", "affectllm-api", "--model_args", f"base_url={server.url},model={MODEL},selftest=false"]
        errors = folder / "errors.txt"
        with errors.open("w") as stream:
            output = ran(scene, ["predict", *given, *model, *how, "--answers", str(folder / "kept")], stderr=stream)
    if "Traceback" in errors.read_text(errors="replace"):
        return f"a traceback: {errors.read_text(errors='replace')[-400:]}"
    lines: Sequence[Any] = output.splitlines() if how else output.split("\n")[:-1]
    if how == ["--csv"]:
        lines = list(csv.reader(io.StringIO(output)))[1:]
    elif how:
        lines = [json.loads(line) for line in output.split("\n") if line]
        if silent := [line for line in lines if line["answer"] is None and not line["reason"]]:
            return f"neither an answer nor a reason: {silent[0]}"
    return "" if len(lines) == count else f"{' '.join(how) or 'in lines'}: {len(lines)} lines of {count} clips"


def _decodes(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


KINDS: dict[str, Callable[[Scene, Path, Files, str], str]] = {
    "folders": _folders,
    "table": _table,
    "exported": _exported,
    "asked": _asked,
}
