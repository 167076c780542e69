"""Mixtures built by the command line from corpora of the tests' own, for the tests of what a build ends with."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_corpus import toy_corpus

from affectllm.cli import main

HOSTILE = "<script>alert(1)</script></textarea>\u202egnp.exe| `x` \n# [a](javascript:1) {{ 7*7 }}"
PAGE = """
description: {description}
seed: {seed}
missing: skip
validation_rows: 4
expected: 77000
order: shuffled
mixture:
  - {{corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [{modalities}], weight: 1.5}}
  - {{corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text], language: zh, cap: 5}}
  - {{corpus: toy, template: empathetic_reply, space: toy_reply, rater: writer, modalities: [text]}}
  - {{corpus: iemocap, template: emotion_choice, space: iemocap_10, rater: majority, modalities: [audio]}}
"""


def built_mixture(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    media: str = "()",
    modalities: str = "text",
    description: str = "made for a test",
    seed: int = 5,
    edits: dict[str, str] | None = None,
) -> Path:
    """Build ``PAGE`` in ``folder`` and return its ``build`` folder; a second call builds beside the first.

    Args:
        media, modalities: of the samples and of the first part; clips lie below ``roots/toy``.
        edits: changes to the text of the toy corpus, the same for all builds in a folder.
    """
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    classes = ("joy", "joy", "joy", "anger", "fear")
    root = toy_corpus(
        folder, monkeypatch, counts={"train": 30, "validation": 9, "test": 5}, classes=classes, media=media
    )
    builder = folder / "data_builders" / "toy.py"
    text = builder.read_text(encoding="utf-8")
    for old, new in (edits or {}).items():
        assert old in text
        text = text.replace(old, new)
    builder.write_text(text, encoding="utf-8")
    page = folder / "small.yaml"
    page.write_text(PAGE.format(modalities=modalities, description=description, seed=seed), encoding="utf-8")
    out = folder / f"run{len(list(folder.glob('run*')))}"
    assert main(["build", str(page), "--root", f"toy={root}", "--out", str(out)]) == 0
    return out / "build"


def hostile() -> dict[str, str]:
    """Edits that put the worst words into every field of a corpus that a page shows."""
    return {
        'title="Toy"': f"title={HOSTILE!r}",
        'citation="nobody"': f"citation={HOSTILE!r}, notes=({HOSTILE!r},)",
        '"one reader"': repr(HOSTILE),
        'text=f"words number {number}"': f"text={HOSTILE!r}, dialogue={HOSTILE!r}",
        'id=f"{split}{number}"': f'id=f"{{split}}{{number}}" + {HOSTILE!r}',
        'speaker=f"{split}-{number % 3}"': f"speaker={HOSTILE!r}",
        'f"Reply {number}."': repr(HOSTILE),
    }
