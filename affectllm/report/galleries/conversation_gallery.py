"""Write an HTML gallery of built conversations: questions, their clips, and answers."""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import locate
from affectllm.corpus.splits import draw
from affectllm.corpus.store import opened
from affectllm.errors import Malformed, NotFound
from affectllm.instruct.conversations import conversation_files
from affectllm.instruct.pairs import COMPARISON
from affectllm.instruct.sampling import ASKED_SPLITS
from affectllm.player.links import Link, clip_link
from affectllm.report.display import annotation
from affectllm.report.galleries.composition import Kind
from affectllm.report.galleries.gallery import LIMIT
from affectllm.report.html import write_page

PAGE = "gallery.html"
_FILTERS = ("corpus", "template", "language", "split")


class _Place(NamedTuple):
    """The position of a row: number of the file over all splits, of its row group, of the row in that."""

    file: int
    group: int
    row: int


def render_conversations(
    name: str, build: Path, roots: Mapping[str, Path], limit: int = LIMIT, out: Path | None = None
) -> Path:
    """Write the gallery of the conversations in ``build``; clips stay where they are and are linked.

    Args:
        name: what the page is called.
        build: folder with ``conversations/``.
        roots: corpus → folder; others are looked for as always, and clips of a corpus that is nowhere are missing.
        limit: how many conversations are shown, drawn by a hash of their ids, so that a rebuild shows the same ones.
            Every kind (corpus, template, space, rater, language) gets an even share, so that small ones are seen too.
        out: the page; None for ``gallery.html`` in ``build``.

    Raises:
        NotFound: when a split has no file.
        Malformed: when nothing is to be shown.
        WriteFailed: when the page cannot be written.
    """
    if limit < 1:
        raise Malformed("a gallery shows at least one conversation", do="give a larger -n")
    page = out or build / PAGE
    files = [(split, path) for split in ASKED_SPLITS for path in conversation_files(build, split)]
    kinds, places = _drawn(files, limit)
    views = [_view(row, roots, page.parent) for row in _rows(files, places)]
    view = {
        "name": name,
        "kinds": [(kind, kinds[kind], _shown(views, kind)) for kind in sorted(kinds)],
        "splits": {split: sum(counts[split] for counts in kinds.values()) for split in ASKED_SPLITS},
        "talks": views,
        "filters": {key: sorted({talk["row"][key] for talk in views}) for key in _FILTERS},
        "labels": _by_frequency(label for talk in views for label in talk["labels"]),
    }
    return write_page("conversation_gallery.html", view, page)


def _drawn(files: Iterable[tuple[str, Path]], limit: int) -> tuple[Mapping[Kind, Counter[str]], list[_Place]]:
    """Count kind → split → conversations, and locate those with the lowest draws of each kind, at most ``limit``."""
    kinds: defaultdict[Kind, Counter[str]] = defaultdict(Counter)
    heaps: defaultdict[Kind, list[tuple[float, _Place]]] = defaultdict(list)
    for number, (split, path) in enumerate(files):
        with opened(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=["id", *Kind._fields])
                columns = [table[name].to_pylist() for name in ("id", *Kind._fields)]
                for row, (identifier, *values) in enumerate(zip(*columns, strict=True)):
                    kind = Kind(*values)
                    kinds[kind][split] += 1
                    _keep(heaps[kind], (-draw(identifier), _Place(number, group, row)), limit)
    return kinds, _shared(heaps.values(), limit)


def _keep(heap: list[tuple[float, _Place]], entry: tuple[float, _Place], limit: int) -> None:
    if len(heap) < limit:
        heapq.heappush(heap, entry)
    else:
        heapq.heappushpop(heap, entry)


def _shared(heaps: Iterable[list[tuple[float, _Place]]], limit: int) -> list[_Place]:
    """Choose the first of every kind, then the second of every kind, and so on; in the order of the files."""
    ranked = [(rank, -low, place) for heap in heaps for rank, (low, place) in enumerate(sorted(heap, reverse=True))]
    return sorted(place for _, _, place in heapq.nsmallest(limit, ranked))


def _rows(files: list[tuple[str, Path]], places: Iterable[_Place]) -> Iterator[dict[str, Any]]:
    """Yield the rows at ``places``, which are in order, with JSON decoded; one row group in memory at a time."""
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for place in places:
        groups[place.file, place.group].append(place.row)
    for (number, group), rows in groups.items():
        split, path = files[number]
        with opened(path) as file:
            drawn = file.read_row_group(group).take(rows).to_pylist()
        for row in drawn:
            messages = [json.loads(message) for message in row["messages"]]
            yield {**row, "split": split, "messages": messages, "value": json.loads(row["value"])}


def _view(row: Mapping[str, Any], roots: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    """Return the template's values for a conversation."""
    asked = [part for message in row["messages"][:-1] for part in message["content"]]
    value = annotation(row["value"])
    return {
        "row": row,
        "kind": Kind(*(row[name] for name in Kind._fields)),
        "media": [_link(part, roots, folder) for part in asked if part["type"] != "text"],
        "asked": [part["text"] for part in asked if part["type"] == "text"],
        "value": value if _bare(value) != _bare(row["answer"]) else "",
        "labels": sorted(set(_labels(row["value"], _names(row["corpus"])))),
    }


def _link(part: Mapping[str, Any], roots: Mapping[str, Path], folder: Path) -> Link:
    try:
        root = locate(part["corpus"], roots)
    except NotFound:
        root = None
    silent = part["type"] == "video" and not part.get("sound")
    span = {"start": part.get("start"), "end": part.get("end")}
    return clip_link(part["type"], part["path"], root, folder, muted=silent, **span)


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _names(corpus: str) -> frozenset[str]:
    """Return the labels of a corpus; none where its builder no longer exists."""
    try:
        spaces = load_builder(corpus).CARD.spaces
    except NotFound:
        return frozenset()
    named = (space.names for space in (*spaces, COMPARISON) if space.kind != "dimension")
    return frozenset(name for names in named for name in names)


def _labels(value: Any, names: frozenset[str]) -> Iterator[str]:
    """Yield the labels in a gold value: of shares the largest ones; of several answers those of each."""
    if isinstance(value, str):
        yield from {value} & names
    elif isinstance(value, list):
        yield from (name for name in value if name in names)
    elif all(isinstance(number, (int, float)) for number in value.values()):
        largest = max(value.values(), default=0)
        yield from (name for name, share in value.items() if name in names and share == largest)
    else:
        for each in value.values():
            yield from _labels(each, names)


def _shown(views: Iterable[Mapping[str, Any]], kind: Kind) -> int:
    return sum(view["kind"] == kind for view in views)


def _by_frequency(labels: Iterable[str]) -> list[str]:
    return [label for label, _ in sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))]
