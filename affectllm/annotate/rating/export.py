"""Export items for people to rate: a table, and a static page that works from a folder, without network."""

from __future__ import annotations

import base64
import csv
import html
import json
import mimetypes
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.annotate.row import Row
from affectllm.corpus.files.links import inside_root
from affectllm.corpus.sample import MediaRef
from affectllm.run import digest

TABLE, PAGE, MEDIA = "items.csv", "index.html", "media"
_CLIP_BYTES, _PAGE_BYTES = 1_000_000, 16_000_000  # of clips within the page; larger ones lie beside it
_TEMPLATE = Path(__file__).with_name("page.html")


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
    words = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    page = _TEMPLATE.read_text(encoding="utf-8").replace("%TITLE%", html.escape(form.name))
    (folder / PAGE).write_text(page.replace("%DATA%", words), encoding="utf-8")
    return {"items": len(items), "clips_missing": clips.missing}


def text_of(row: Row, note: str) -> str:
    """Return what is rated."""
    value: Any = row.notes.get(note, "") if note else row.sample.text
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


class _Clips:
    """Puts clips into the page while it is small, and beside it from then on."""

    def __init__(self, roots: Mapping[str, Path], folder: Path) -> None:
        self._roots, self._folder, self._bytes, self.missing = roots, folder, 0, 0

    def of(self, row: Row, ref: MediaRef) -> dict[str, str] | None:
        root = self._roots[row.sample.corpus]
        path = root / ref.path
        if not inside_root(root, ref.path) or not path.is_file():
            self.missing += 1
            return None
        size = path.stat().st_size
        if size <= _CLIP_BYTES and self._bytes + size <= _PAGE_BYTES:
            self._bytes += size
            mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            return {"kind": ref.modality, "src": f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"}
        copy = self._folder / MEDIA / f"{digest(ref.path)}{path.suffix}"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
        return {"kind": ref.modality, "src": f"{MEDIA}/{copy.name}"}
