"""Words that mean something to pages, YAML, Markdown, tables and terminals, and a corpus that is full of them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torturing.scene import Scene

# Markup that comes through shows as an element of this class, as a script that ran, or as a request.
WORDS = (
    "</script><script>document.title=window.pwned='pwned'</script>",
    "</title></style></textarea></select></option><b class=pwned>",
    "<img class=pwned src=http://example.invalid/a.png onerror=\"document.title=window.pwned='pwned'\">",
    "\"><svg class=pwned onload=document.title='pwned'>",
    "' onmouseover='window.pwned=1' class='pwned",
    "javascript:document.title='pwned'",
    "--><!--<script>]]><b class=pwned>",
    "&lt;b class=pwned&gt; &#60;b class=pwned&#62;",
    "<style>@import 'http://example.invalid/a.css'; * { display: none }</style>",
    "[link](javascript:window.pwned=1) ![a](http://example.invalid/b.png) <javascript:window.pwned=1>",
    "\n\n# pwned\n\n| a | b |\n|---|---|\n| pwned | `|` |\n",
    "# pwned",
    "```\n<b class=pwned>\n~~~\n---\npwned: true\n---\n",
    "- [} : * & !!python/object/apply:os.system [pwned] # @%`",
    "{{7*7}} {% raw %} ${7*7} #{7*7} `\\u0000",
    "%s %(x)d {0} {x.__class__} $x_{$ \\frac{",
    "\u202eesrever\u202c\u2066 isolate\u200f\u200b\ufeff",
    "a\u2028b\u2029c\x07\x1b[31m\r\x08",
    "nul\x00nul",
    "__proto__",
    "constructor",
    "../../../etc/passwd",
    '=HYPERLINK("http://example.invalid")',
    "=1+1,\"a\";'b'\tc|d",
    "null",
    "1e999",
    "é" * 300,
    "\U0001f600" * 50,
    "x" * 3000,
)
LABELS = ("<b class=pwned>joy</b>", "\"anger\" & 'rage'", "__proto__", "# pwned | `sad`")
CORPUS, SPACE, RATER = "hostile", "m\"o'od <b class=pwned>", "<i class=pwned>crowd</i> | `x`"
_ROWS = 24
_BUILDER = """from affectllm.data_builders.generic import described

CARD, samples, MINIATURE = described({root!r})
"""


@dataclass(frozen=True)
class Hostile:
    """A corpus.

    Args:
        root: its folder.
        texts: what is said in it.
        card: what its card says.
    """

    root: Path
    texts: tuple[str, ...]
    card: tuple[str, ...]

    @property
    def named(self) -> str:
        """What ``--root`` takes."""
        return f"{CORPUS}={self.root}"


def pick(scene: Scene) -> str:
    """One or two of the words, which begin alike as often as not."""
    return "".join(WORDS[int(scene.dice.integers(0, len(WORDS)))] for _ in range(int(scene.dice.integers(1, 3))))


def line(scene: Scene) -> str:
    """The same, as a page of YAML can hold it: no control characters but in escapes of JSON, and never empty."""
    return pick(scene).replace("\ufeff", "").replace("\x00", "")


def hostile(scene: Scene) -> Hostile:
    """Write a corpus of texts, and a builder of it, whose card is as hostile as its rows."""
    root = scene.scratch / CORPUS
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    rows = [_row(scene, number) for number in range(_ROWS)]
    # Numbered, so that no two are the same text, which mixtures take once.
    (root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page = _page(scene)
    (root / "affectllm.yaml").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    builder = scene.scratch / "data_builders" / f"{CORPUS}.py"
    builder.write_text(_BUILDER.format(root=str(root)), encoding="utf-8")
    card = (page["title"], page["citation"], *page["notes"])
    return Hostile(root, tuple(row["text"] for row in rows), card)


def _row(scene: Scene, number: int) -> dict[str, str]:
    split = ("train", "train", "validation", "test")[number % 4]
    return {
        "id": "__proto__" if number == 1 else f"{pick(scene)} {number}",
        "text": f"{number} {pick(scene)}",
        "speaker": f"{pick(scene)} {number % 5}",
        "dialogue": f"{pick(scene)} {split} {number // 8}",
        "split": split,
        "label": LABELS[number % len(LABELS)],
        "note": pick(scene),
    }


def _page(scene: Scene) -> dict[str, Any]:
    return {
        "name": CORPUS,
        "title": line(scene),
        "citation": line(scene),
        "url": f"https://example.invalid/{line(scene)}",
        "obtain": line(scene),
        "notes": [line(scene), line(scene)],
        "licence": {"name": line(scene), "access": "open", "redistribution": True, "commercial": True},
        "table": "rows.jsonl",
        "columns": {name: name for name in ("id", "text", "speaker", "dialogue", "split")},
        "language": ("en", line(scene))[int(scene.dice.integers(0, 2))],
        "attributes": ["note"],
        "raters": {RATER: line(scene)},
        "spaces": {SPACE: {"kind": "category", "names": list(LABELS), "source": line(scene)}},
        "labels": [{"space": SPACE, "rater": RATER, "column": "label"}],
    }
