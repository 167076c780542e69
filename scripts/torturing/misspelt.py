"""Pages as nobody should write them: what ships, changed by the dice, and the command that reads it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError
from affectllm.yaml_page import read_nodes
from torturing.pages_at_hand import KINDS, MODULES, Kind
from torturing.scene import Scene, unexplained

_PAYLOAD = "was_run_by_a_tag"
_TAGS = (
    '!!python/object/apply:os.system ["touch @"]',
    '!!python/object/new:os.system ["touch @"]',
    "!!python/name:os.system",
    "!!python/module:os",
    "!function os.system",
    "!include /etc/passwd",
    "!!binary aGVsbG8=",
    "!!set {a, b}",
    "!!timestamp x",
)
_VALUES = (
    *(
        "null",
        "[]",
        "{}",
        "[1, two]",
        "[[[[a]]]]",
        "{a: 1}",
        "{a: {b: [c]}}",
        ".nan",
        ".inf",
        "-.inf",
        "-1",
        "0",
        "0.5",
    ),
    *("1" + "0" * 400, "1e999", "-1e999", "true", "2026-01-01", "2026-01-01 10:00:00", "1:30:00", "0x1f", "''", "' '"),
    *(
        '"\\0"',
        '"\\e[31mred"',
        '"\\u202e\\u2066"',
        '"line\\nline"',
        "x" * 100_000,
        "'" + "é" * 3_000 + "'",
        "'{'",
        "'{}'",
    ),
    *("../../../etc/passwd", "/", ".", "~", "$HOME", "con", "'%s%n'", "'{labels!r:>99999}'", "'{0.__class__}'", "'[' "),
    *("&a [*a]", "&a {b: *a}", "*nothing", "? [a]", "'a': b: c", "|\n  x", ">", "@x", "`x`", "%x", "- x"),
    *_TAGS,
)


def pages(scene: Scene) -> str:
    """A page that ships is changed in one or two of many ways; the command that reads it works, or names the page."""
    kind: Kind = scene.pick(KINDS)
    number = int(scene.dice.integers(0, len(sources := kind.sources(scene))))
    payload = scene.scratch / _PAYLOAD
    scene.patch.chdir(scene.scratch)
    how: list[str] = []

    def whole() -> tuple[int, str]:
        return _end(scene, kind, sources[number], lambda path, text: path.write_text(text))

    status, output = _end(scene, kind, sources[number], lambda path, text: how.append(_spoil(scene, path, text)))
    told = f"{kind.name} {number}, {'; '.join(how)}"
    if payload.exists():
        payload.unlink()
        return f"{told}: a tag was run"
    if kind.excused(output):
        status = 0
    if fault := unexplained(status, output):
        return f"{told}: {fault}"
    named = (kind.file, f"of {Path(kind.file).stem}:", "table.csv")  # recipes are called by their stem
    to_blame = any(name in output for name in named) or re.search(r"^error: /\S*: ", output, re.MULTILINE)
    if status and not to_blame and (status, output) != whole():
        return f"{told}: the error does not name the page: {output[-500:]}"
    return ""


def _end(scene: Scene, kind: Kind, text: str, write: Callable[[Path, str], Any]) -> tuple[int, str]:
    """How the command ends over the page that ``write`` leaves."""
    folder = scene.scratch / "written"
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir()
    words = kind.words(scene, folder)
    path = folder / kind.file if not kind.shelf else scene.place.page.parent / kind.shelf / kind.file
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    write(path, text)
    end = scene.forked([word.replace("PAGE", str(path)) for word in words], MODULES)
    _remove(path)
    return end


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _spoil(scene: Scene, path: Path, text: str) -> str:
    """Write the page, changed; in words, how."""
    if scene.dice.random() < 0.7:
        changed, how = text, []
        for _ in range(int(scene.dice.integers(1, 3))):
            changed, one = _other_content(scene, changed)
            how.append(one)
        path.write_text(changed, encoding="utf-8")
        return "; ".join(how)
    return str(scene.pick(_FILES)(scene, path, text.encode()))


def _other_content(scene: Scene, text: str) -> tuple[str, str]:
    """Change one key or value, where it stands."""
    places = _places(scene.scratch, text)
    if not places:
        return text + "\nx: [", "a bracket that nobody closes"
    start, end, is_key = scene.pick(places)
    old = text[start:end].rstrip()
    after = text[start + len(old) :]
    shown = repr(old[:40])
    if not is_key:
        new = scene.pick(_VALUES).replace("@", str(scene.scratch / _PAYLOAD))
        return text[:start] + new + after, f"{new[:60]!r} for {shown}"
    how = scene.pick(("misspelt", "as a number", "as a tag", "twice", "empty", "nested", "removed", "merged"))
    line_end = text.find("\n", start) + 1 or len(text)
    line_start = text.rfind("\n", 0, start) + 1
    new = {
        "misspelt": text[:start] + old[:1] + old + after,
        "as a number": text[:start] + "7" + after,
        "as a tag": text[:start] + f"!!python/name:os.system {old}" + after,
        "twice": text[:line_end] + text[line_start:line_end] + text[line_end:],
        "empty": text[:start] + "''" + after,
        "nested": text[:start] + f"{old}: {{{old}: 1}}" + after.partition("\n")[1] + after.partition("\n")[2],
        "removed": text[:line_start] + text[line_end:],
        "merged": text[:start] + "<<" + after,
    }[how]
    return new, f"{shown} {how}"


def _places(scratch: Path, text: str) -> list[tuple[int, int, bool]]:
    """Where each key and each value begins and ends; none where it is no YAML any more."""
    copy = scratch / "copy.yaml"
    copy.write_text(text, encoding="utf-8")
    try:
        nodes = [read_nodes(copy, "copy")]
    except AffectError:
        return []
    places = []
    while nodes:
        node = nodes.pop()
        if node is None:
            continue
        if node.id == "mapping":
            for key, value in node.value:
                places.append((key.start_mark.index, key.end_mark.index, True))
                nodes.append(value)
        elif node.id == "sequence":
            nodes += node.value
        places.append((node.start_mark.index, node.end_mark.index, False))
    return sorted(places)


def _bytes(change: Callable[[Scene, bytes], bytes], how: str) -> Callable[[Scene, Path, bytes], str]:
    def write(scene: Scene, path: Path, data: bytes) -> str:
        path.write_bytes(change(scene, data))
        return how

    return write


def _within(scene: Scene, data: bytes, new: bytes) -> bytes:
    place = int(scene.dice.integers(0, len(data)))
    return data[:place] + new + data[place:]


def _instead(make: Callable[[Path], None], how: str) -> Callable[[Scene, Path, bytes], str]:
    return lambda scene, path, data: make(path) or how


def _bomb() -> bytes:
    levels = [b"z0: &z0 [x, x, x, x, x, x, x, x, x]"]
    levels += [b"z%d: &z%d [%s]" % (n, n, b", ".join([b"*z%d" % (n - 1)] * 9)) for n in range(1, 30)]
    return b"\n" + b"\n".join(levels) + b"\n"


_FILES: Sequence[Callable[[Scene, Path, bytes], str]] = (
    *(
        _bytes(lambda scene, data, new=new: _within(scene, data, new), f"{new[:8]!r} somewhere in it")
        for new in (
            b"\xff\xfe",
            b"\x00",
            b"\t",
            b"\n\t",
            b'"',
            b"'",
            b"{",
            b"]",
            b"\xc2\x85",
            b"\xe2\x80\xa8",
            b"\x1b[2J",
        )
    ),
    _bytes(lambda scene, data: data.decode().encode("utf-16"), "UTF-16"),
    _bytes(lambda scene, data: data.decode().encode("utf-32"), "UTF-32"),
    _bytes(lambda scene, data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"), "with a mark and CRLF"),
    _bytes(lambda scene, data: data.replace(b"\n", b"\r"), "CR"),
    _bytes(lambda scene, data: data[: int(scene.dice.integers(0, len(data)))], "cut"),
    _bytes(lambda scene, data: data + data, "twice in one file"),
    _bytes(lambda scene, data: data + b"\n---\n" + data, "two documents"),
    _bytes(lambda scene, data: data + _bomb(), "an alias bomb"),
    _bytes(lambda scene, data: data + b"\nx: " + b"[" * 100_000, "100,000 brackets"),
    _bytes(lambda scene, data: data + b"\nx: " + b"{a: " * 20_000, "20,000 braces"),
    _bytes(lambda scene, data: data + b"\n? " * 20_000, "20,000 question marks"),
    _bytes(lambda scene, data: b"", "empty"),
    _bytes(lambda scene, data: b"# nothing\n", "a comment only"),
    _bytes(lambda scene, data: b"- a\n- b\n", "a list"),
    _bytes(lambda scene, data: b"x" * (2 << 20), "two million letters"),
    _bytes(lambda scene, data: bytes(scene.dice.integers(0, 256, 3_000, dtype="uint8")), "noise"),
    _instead(lambda path: path.mkdir(), "a folder"),
    _instead(lambda path: os.mkfifo(path), "a pipe"),
    _instead(lambda path: path.symlink_to(path), "a link to itself"),
    _instead(lambda path: path.symlink_to("/dev/zero"), "a device"),
    _instead(lambda path: path.symlink_to(Path(sys.executable).resolve()), "a program"),
)
