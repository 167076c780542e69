"""Write an HTML gallery of a corpus: its counts, and samples with their clips and every annotation layer."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.splits import draw
from affectllm.corpus.tally import Tally, names_of, ranked
from affectllm.errors import Malformed
from affectllm.labels import LabelSpace
from affectllm.player.links import clip_link
from affectllm.report.display import annotation
from affectllm.report.html import write_page

LIMIT = 200


def render_gallery(name: str, root: Path, out: Path, limit: int = LIMIT) -> Path:
    """Write the gallery of a corpus; its clips stay where they are and are linked.

    Args:
        name: the corpus.
        root: its folder.
        out: the page to write; links to clips are relative to it.
        limit: how many samples are shown, drawn by a hash of their ids, so that a rebuild shows the same ones.

    Raises:
        Malformed: when nothing is to be shown.
        WriteFailed: when the page cannot be written.
    """
    if limit < 1:
        raise Malformed("a gallery shows at least one sample", do="give a larger -n")
    card = load_builder(name).CARD
    tally = Tally({space.name: space for space in card.spaces})
    chosen, examples = _chosen(load_builder(name).samples(root), tally, root, limit)
    view = {
        "card": card,
        "tally": tally,
        "samples": [_view(sample, tally.spaces, root, out.parent) for sample in chosen],
        "rejections": examples,
        "total": tally.splits.total(),
        "labels": dict(_shares(tally)),
    }
    return write_page("gallery.html", view, out)


def _chosen(
    items: Iterable[Sample | Rejection], tally: Tally, root: Path, limit: int
) -> tuple[list[Sample], dict[str, list[Rejection]]]:
    """Choose the samples with the lowest draws, in the corpus's order, and the first few rejections of each reason."""
    heap: list[tuple[float, int, Sample]] = []
    examples: dict[str, list[Rejection]] = {}
    for number, item in enumerate(items):
        tally.add(item, root)
        if isinstance(item, Rejection):
            if len(few := examples.setdefault(item.reason, [])) < 5:
                few.append(item)
            continue
        entry = (-draw(item.id), number, item)
        if len(heap) < limit:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    return [sample for _, _, sample in sorted(heap, key=lambda entry: entry[1])], examples


def _view(sample: Sample, spaces: Mapping[str, LabelSpace], root: Path, folder: Path) -> dict[str, Any]:
    labels = sorted({name for a in sample.annotations for name in names_of(a.value, spaces[a.space])})
    return {
        "sample": sample,
        "media": [
            clip_link(ref.modality, ref.path, root, folder, start=ref.start, end=ref.end) for ref in sample.media
        ],
        "annotations": [
            (a.space, a.rater, annotation(a.value, zeros=spaces[a.space].kind != "distribution"))
            for a in sample.annotations
        ],
        "labels": "\n".join(labels),
    }


def _shares(tally: Tally) -> Iterator[tuple[str, list[tuple[str, int, float]]]]:
    """Yield each layer with its most frequent labels, their counts and their shares of the most frequent one."""
    for key in tally.labels:
        if labels := ranked(tally, key)[:40]:
            most = max(number for _, number in labels)
            yield key, [(label, number, 100 * number / most) for label, number in labels]


def write_stats(tally: Tally, folder: Path, title: str) -> list[Path]:
    """Write ``stats.json`` and ``stats.png``, the label distributions per layer and split."""
    numbers, figure = folder / "stats.json", folder / "stats.png"
    numbers.write_text(json.dumps(tally.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [numbers, *([figure] if draw_labels(tally, figure, title) else [])]


def draw_labels(tally: Tally, path: Path, title: str) -> bool:
    """Draw one panel per layer with one bar per label, coloured by split; False where no layer has labels."""
    from matplotlib.figure import Figure

    layers = [(key, by_split) for key, by_split in tally.labels.items() if any(by_split.values())][:8]
    if not layers:
        return False
    figure = Figure(figsize=(9, 3.2 * len(layers)), layout="constrained")
    figure.suptitle(title, parse_math=False)
    for axes, (key, by_split) in zip(figure.subplots(len(layers), 1, squeeze=False)[:, 0], layers, strict=True):
        names = [name for name, _ in ranked(tally, key)[:40]]
        left = [0] * len(names)
        for split, counts in by_split.items():
            # A dollar would begin a formula.
            ticks = [name.replace("$", r"\$") for name in names]
            axes.bar(ticks, [counts[name] for name in names], bottom=left, label=split)
            left = [base + counts[name] for base, name in zip(left, names, strict=True)]
        axes.set_title(key, fontsize=10, parse_math=False)
        axes.tick_params(axis="x", rotation=60, labelsize=8)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    return True
