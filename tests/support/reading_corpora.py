"""For tests of builders: read a folder or a miniature, and look up answers and rejections."""

from __future__ import annotations

from pathlib import Path

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise


def read(name: str, root: Path) -> tuple[dict[str, Sample], list[tuple[str, str]]]:
    items = list(load_builder(name).samples(root))
    samples = {item.id: item for item in items if isinstance(item, Sample)}
    return samples, [(item.item, item.reason) for item in items if isinstance(item, Rejection)]


def miniature(name: str, root: Path) -> tuple[dict[str, Sample], list[tuple[str, str]]]:
    return read(name, materialise(load_builder(name).MINIATURE, root))


def answer(sample: Sample, space: str, rater: str) -> object:
    annotation = sample.annotation(space, rater)
    return annotation.value if annotation else None


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root
