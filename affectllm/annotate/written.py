"""Write annotated samples as a corpus that a mixture can train on: Parquet, a card, a builder, parts of a mixture."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from affectllm.annotate.page import Annotated
from affectllm.annotate.row import Row
from affectllm.annotate.source import Source
from affectllm.annotate.step import Context
from affectllm.corpus import SPLITS, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.shards import REJECTED, SHARDS, fill, merge
from affectllm.corpus.store import read_rows
from affectllm.folders import whole
from affectllm.labels import LabelSpace
from affectllm.run import digest, file_digest, write_json

CARD, MIXTURE = "card.json", "mixture.yaml"
KEPT = (
    "samples/**/*",
    "steps/*.jsonl",
    "data_builders/*.py",
    "rate/*/items.csv",
    "rate/*/index.html",
    "rate/*/media/*",
    REJECTED,
    CARD,
    MIXTURE,
)
"""What a finished annotation vouches for."""
_BUILDER = '''"""{title}. Written by `affectllm annotate`; the samples lie in the run folder above this one."""

from pathlib import Path

from affectllm.annotate.written import annotated

CARD, samples, MINIATURE = annotated(Path(__file__).parents[1], "{digest}")
'''


def write_corpus(
    page: Annotated, source: Source, rows: Sequence[Row], rejections: Sequence[Rejection], context: Context
) -> None:
    """Write the samples in the builds' own store, and what a mixture needs to train on them."""
    out = context.folder
    items: list[Sample | Rejection] = [replace(row.sample, corpus=page.name) for row in rows]
    items += rejections
    with whole(out / SHARDS / "00000") as scratch:
        fill(page.name, iter(items), scratch)
    counts = merge(page.name, out, 1)
    write_json(out / CARD, _card(page, source, context, counts["samples"]))
    files = [out / "samples" / page.name / f"{split}.parquet" for split in SPLITS]
    mark = digest([file_digest(path) for path in [*files, out / CARD]])
    builder = out / "data_builders" / f"{page.name}.py"
    builder.parent.mkdir(exist_ok=True)
    builder.write_text(_BUILDER.format(title=f"{page.name}: annotated by models", digest=mark), encoding="utf-8")
    (out / MIXTURE).write_text(_mixture(page, rows, context), encoding="utf-8")


def annotated(
    folder: Path, mark: str
) -> tuple[CorpusCard, Callable[[Path], Iterator[Sample | Rejection]], Mapping[str, Content]]:
    """Return card, ``samples`` and an empty miniature of an annotated corpus, as a builder has them.

    The root of the corpus is the folder of its clips: that of the corpus that was annotated.

    Args:
        folder: of the run.
        mark: digest of the samples; in the builder's code, so that other samples are another state of the corpus.

    Raises:
        Malformed: when the samples are damaged.
    """
    facts = json.loads((folder / CARD).read_text(encoding="utf-8"))
    spaces = tuple(_space(one) for one in facts.pop("spaces"))
    lists = {field.name for field in fields(CorpusCard) if str(field.type).startswith("tuple")}
    known: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in facts.items()}
    card = CorpusCard(**known, spaces=spaces)

    def samples(root: Path) -> Iterator[Sample | Rejection]:
        for split in SPLITS:
            for row in read_rows(folder / "samples" / card.name / f"{split}.parquet"):
                yield Sample.from_json(row)
        for line in (folder / REJECTED).read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            yield Rejection(**{key: value for key, value in record.items() if key != "corpus"})

    return card, samples, {}


def _space(facts: Mapping[str, Any]) -> LabelSpace:
    bounds = tuple(facts["bounds"]) if facts["bounds"] else None
    return LabelSpace(**{**facts, "names": tuple(facts["names"]), "bounds": bounds})


def _card(page: Annotated, source: Source, context: Context, counts: Mapping[str, int]) -> dict[str, Any]:
    samples = [item for item in source.items if isinstance(item, Sample)]
    kinds = {ref.modality for sample in samples for ref in sample.media}
    languages = {sample.language for sample in samples if sample.language}
    spaces = {space.name: space for space in (*source.spaces, *context.new_spaces.values())}
    raters = {**source.raters, **context.new_raters}
    where = f"the clips of {page.corpus}" if page.corpus else f"the clips in {source.root}"
    return {
        "name": page.name,
        "title": f"{page.name} (annotated by models)",
        "citation": f"none: {page.description or page.name}, annotated by {', '.join(context.new_raters)}",
        "url": "",
        "obtain": f"pass --root {page.name}=DIR with {where}",
        "licence": "as of what was annotated, and the terms of the models",
        "access": "request",
        "redistribution": False,
        "commercial": False,
        "languages": sorted(languages) or ["und"],
        "modalities": ["text", *sorted(kinds)],
        "spaces": [asdict(space) for space in spaces.values()],
        "raters": raters,
        "counts": {split: count for split, count in counts.items() if count},
        "split_policy": "that of what was annotated",
        "built_from": [page.corpus] if page.corpus else [],
        "notes": ["No person has seen these annotations unless a rater says so."],
    }


def _mixture(page: Annotated, rows: Sequence[Row], context: Context) -> str:
    """Return parts of a mixture that trains on the new annotations."""
    given = Counter((one.space, one.rater) for row in rows for one in row.sample.annotations)
    clips = [ref for row in rows for ref in row.sample.media]
    heard = any(ref.sound or ref.modality == "audio" for ref in clips)
    seen = sorted({ref.modality for ref in clips} - {"audio"})
    said = any(row.sample.text for row in rows) or not clips
    modalities = [*seen, *(["audio"] if heard else []), *(["text"] if said else [])]
    lines = ["# Parts of a mixture: what this annotation gave, by whom, and how often.", "mixture:"]
    for (space, rater), count in given.items():
        if space not in context.new_spaces:
            continue
        how = context.parts.get(space, "template: emotion_choice")
        fields = f"corpus: {page.name}, {how}, space: {space}, rater: {rater}"
        fields += "" if "modalities:" in how else f", modalities: [{', '.join(modalities)}]"
        lines.append(f"  - {{{fields}}}  # {count:,}")
    return "\n".join(lines) + "\n"
