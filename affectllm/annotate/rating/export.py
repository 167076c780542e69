"""Export items for people to rate: a table, and a static page that works from a folder, without network."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import mimetypes
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.annotate.row import Row
from affectllm.annotate.steps.agrees import labels_of
from affectllm.corpus.files.links import inside_root
from affectllm.corpus.sample import MediaRef
from affectllm.errors import Malformed
from affectllm.model.clips.media import MediaError
from affectllm.player import pages
from affectllm.player.links import clip_link, fragment
from affectllm.player.previews import LONGEST, MIME, preview
from affectllm.player.stills import stills
from affectllm.run import digest

RATED, TABLE, PAGE, MEDIA = "rate", "items.csv", "index.html", "media"
_CLIP_BYTES, _PAGE_BYTES = 1_000_000, 16_000_000  # of clips within the page; larger ones lie beside it


@dataclass(frozen=True)
class Form:
    """What people are asked.

    Args:
        name: of the check, in the names of the saved files.
        question: about each item.
        scale: the answers, at most nine, from the keys 1 to 9.
    """

    name: str
    question: str
    scale: tuple[str, ...]


def export(rows: Sequence[Row], note: str, form: Form, roots: Mapping[str, Path], folder: Path) -> dict[str, int]:
    """Write table, page and clips, and return how many items there are, and clips that were not there.

    Args:
        note: step whose note is rated; empty for the text of the sample.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = _Clips(roots, folder)
    items = [
        {
            "id": row.sample.id,
            "text": text_of(row, note),
            "media": [c for ref in row.sample.media if (c := clips.of(row, ref))],
            "said": str(row.sample.text or "") if note else "",  # without a note it is what is rated
        }
        for row in rows
    ]
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["item", "text", "clips", "rater", "rating", "remark"])
        for row, item in zip(rows, items, strict=True):
            paths = " ".join(ref.path for ref in row.sample.media)
            writer.writerow([row.sample.id, item["text"], paths, "", "", ""])
    data = {"name": form.name, "question": form.question, "scale": form.scale, "items": items}
    data["mark"] = digest([form.name, form.question, form.scale, [[i["id"], i["text"]] for i in items]])
    (folder / PAGE).write_text(_page(form.name, data), encoding="utf-8")
    return {"items": len(items), "clips_missing": clips.missing}


def of_people(folder: Path) -> list[Path]:
    """Return what lies in the folder of a run beside the items, their page and clips: what people saved there.

    Args:
        folder: in which ``RATED`` has a folder a step.

    Raises:
        Malformed: when ratings are written into a table of items itself, which the next export would replace.
    """
    found = [path for path in sorted((folder / RATED).rglob("*")) if path.is_file()]
    tables = [path for path in found if path.name == TABLE and path.parent.parent == folder / RATED]
    for table in tables:
        with table.open(encoding="utf-8-sig", newline="", errors="replace") as stream:
            if any(row.get("rating") for row in csv.DictReader(stream)):
                do = "save it under another name, such as anna.csv, beside it; and this one is made anew"
                raise Malformed("somebody wrote ratings into this table", where=str(table), do=do)
    own = {path.parent / name for path in tables for name in (TABLE, PAGE)}
    media = {path.parent / MEDIA for path in tables}
    return [path for path in found if path not in own and path.parent not in media]


def _page(title: str, data: Mapping[str, Any]) -> str:
    templates = pages.environment("affectllm.annotate", "rating")
    script = templates.get_template("page.js").render()
    words = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    facts = {"title": title, "data": words, "script": script, "digest": pages.digest(script)}
    return templates.get_template("page.html").render(facts)


def text_of(row: Row, note: str) -> str:
    """Return what is rated."""
    value: Any = row.notes.get(note, "") if note else row.sample.text
    return ", ".join(labels_of(value)) if isinstance(value, list | dict) else str(value or "")


class _Clips:
    """Puts clips into the page while it is small, and beside it from then on."""

    def __init__(self, roots: Mapping[str, Path], folder: Path) -> None:
        self._roots, self._folder, self._bytes, self.missing = roots, folder, 0, 0

    def of(self, row: Row, ref: MediaRef) -> dict[str, Any] | None:
        """Return what the player is told about a clip; None where its file is not there."""
        root = self._roots[row.sample.corpus]
        path = root / ref.path
        if not inside_root(root, ref.path) or not path.is_file():
            self.missing += 1
            return None
        part = {"type": ref.modality, "start": ref.start, "end": ref.end, "sound": ref.sound}
        link = clip_link(ref.modality, ref.path, root, self._folder, start=ref.start, end=ref.end)
        shown = {"kind": ref.modality, "path": ref.path, "span": link.span, "muted": _muted(ref)}
        if link.kind == "link":
            return shown | self._copy(path, part)
        content = path.read_bytes() if path.stat().st_size <= _CLIP_BYTES and not link.span else b""
        src = (
            self._placed(content, path.suffix) if content else self._beside(path, digest([row.sample.corpus, ref.path]))
        )
        return shown | {"src": src + fragment(ref.start, ref.end)} | _pictures(path, part)

    def _copy(self, path: Path, part: Mapping[str, Any]) -> dict[str, Any]:
        """Return a small copy of a clip of a kind that browsers do not play, or what is said in its place."""
        if part["type"] == "image":
            return {"kind": "missing", "src": "", "note": "is of a kind that browsers do not show"}
        copy = preview(path, part)
        if isinstance(copy, MediaError):
            return {"kind": "missing", "src": "", "note": f"cannot be opened ({copy.reason})"}
        suffix, content = copy
        told = {"span": "", "note": f"a small copy; at most {LONGEST:.0f} s"}
        return told | {"src": self._placed(content, suffix)} | _pictures(path, part)

    def _placed(self, content: bytes, suffix: str) -> str:
        """Return the address of a clip within the page, or of a file beside it once the page is full."""
        if self._bytes + len(content) <= _PAGE_BYTES:
            self._bytes += len(content)
            mime = MIME.get(suffix.lower()) or mimetypes.guess_type(f"clip{suffix}")[0] or "application/octet-stream"
            return f"data:{mime};base64,{base64.b64encode(content).decode()}"
        copy = self._folder / MEDIA / f"{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(content)
        return f"{MEDIA}/{copy.name}"

    def _beside(self, path: Path, name: str) -> str:
        copy = self._folder / MEDIA / f"{name}{path.suffix}"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
        return f"{MEDIA}/{copy.name}"


def _muted(ref: MediaRef) -> bool:
    return ref.modality == "video" and not ref.sound


def _pictures(path: Path, part: Mapping[str, Any]) -> dict[str, Any]:
    """Return poster, frames and waveform of a clip; a spectrogram tells raters nothing."""
    if part["type"] == "image":
        return {}
    seen = stills(path, part)
    shown = {"poster": seen.poster, "shape": seen.shape, "strip": seen.strip}
    return shown | {"wave": seen.wave.levels, "seconds": seen.wave.seconds}
