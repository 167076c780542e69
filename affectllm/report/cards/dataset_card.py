"""Write the dataset card (README.md) of a built mixture, from its page, its files and the cards of its corpora."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import TRAIN, VALIDATION, CorpusCard
from affectllm.corpus.builder import load_builder
from affectllm.corpus.tally import ranked
from affectllm.errors import explained
from affectllm.instruct.conversations import FOLDER
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_page import MixturePage, load_mixture
from affectllm.instruct.mixture_part import Part
from affectllm.instruct.template import MODALITIES
from affectllm.report.cards.licence import MEANING, OTHER, Verdict, licence_of, verdict
from affectllm.report.cards.modelcard import pipeline_tag
from affectllm.report.galleries.composition import Composition, Kind, Layer, Summary, compose, kinds_of
from affectllm.report.galleries.gallery import draw_labels
from affectllm.report.html import environment
from affectllm.report.scoretable import TURNING, cell_text
from affectllm.report.trained import family
from affectllm.run import digest, file_digest

CARD, FIGURE = "README.md", "labels.png"
TOP = 12
_SIZES = ((1_000, "1K"), (10_000, "10K"), (100_000, "100K"), (1_000_000, "1M"), (10_000_000, "10M"))
_ASKED = ("corpus", "template", "space", "rater", "modalities", "also", "language", "budget")


@dataclass(frozen=True)
class MixtureFacts:
    """The facts that the dataset card states.

    Args:
        page: the mixture as asked for.
        counts: what ``instruct.building.build`` returned.
        missing: corpora that were not on disk.
        composition: counts of what the files hold.
        digest: of the files.
    """

    page: MixturePage
    counts: Mapping[str, Any]
    missing: Sequence[str]
    composition: Composition
    digest: str

    @cached_property
    def built(self) -> tuple[Part, ...]:
        """The parts whose corpora were present and not filtered out."""
        return _built(self.page, self.counts)

    @property
    def asking(self) -> list[Part]:
        """The parts that have conversations."""
        return [
            part for kind, parts in kinds_of(self.built).items() if kind in self.composition.kinds for part in parts
        ]

    @cached_property
    def family(self) -> tuple[tuple[CorpusCard, ...], tuple[str, ...]]:
        """Cards of the corpora and of what they were built from; and ancestors without a card."""
        return family(set(self.counts["samples"]))

    @property
    def cards(self) -> list[CorpusCard]:
        """Cards of the corpora themselves."""
        return [card for card in self.family[0] if card.name in self.counts["samples"]]

    @cached_property
    def licence(self) -> Verdict:
        return verdict(self.family[0])

    @property
    def languages(self) -> list[str]:
        """BCP-47 tags of the corpora's texts and of the questions."""
        asked = {kind.language for kind in self.composition.kinds}
        spoken = {tag for card in self.cards for tag in card.languages}
        return sorted(asked | (spoken & set(self.page.languages) if self.page.languages else spoken))


def write_dataset_card(
    page: MixturePage, counts: Mapping[str, Any], missing: Mapping[str, str], build: Path
) -> list[Path]:
    """Write ``README.md`` and, where there are labels to draw, ``labels.png``.

    Args:
        page: the mixture as asked for, with the parts that are missing.
        counts: what ``instruct.building.build`` returned.
        missing: corpora that were not on disk → why.
        build: folder with ``conversations/``.

    Returns:
        The files written.

    Raises:
        NotFound: when a split has no file.
        WriteFailed: when the file system refuses.
    """
    files = {path.name: file_digest(path) for path in sorted((build / FOLDER).glob("*.parquet"))}
    facts = MixtureFacts(page, counts, tuple(missing), compose(build, _built(page, counts)), digest(files))
    card, figure = build / CARD, build / FIGURE
    with explained(card):
        drawn = _draw(facts.composition, figure, page.name)
        scratch = card.with_name(f".{card.name}.part")
        scratch.write_text(dataset_card(facts, FIGURE if drawn else None), encoding="utf-8", newline="\n")
        scratch.replace(card)
    return [card, *([figure] if drawn else [])]


def _built(page: MixturePage, counts: Mapping[str, Any]) -> tuple[Part, ...]:
    return tuple(part for part in page.mixture if part.corpus in counts["samples"])


def _draw(composition: Composition, path: Path, title: str) -> bool:
    """Draw the label figure; the layers with the most conversations come first, since it has room for a few."""
    largest = sorted(composition.tally.labels, key=lambda key: -composition.layers[key].conversations)
    labels = {key: composition.tally.labels[key] for key in largest}
    composition.tally.labels.clear()
    composition.tally.labels.update(labels)
    return draw_labels(composition.tally, path, title)


def dataset_card(facts: MixtureFacts, figure: str | None) -> str:
    """Render the card as Markdown with its YAML header.

    Args:
        figure: file beside the card; None where there is none.
    """
    from huggingface_hub import DatasetCard

    body = environment().get_template("dataset_card.md").render(**_context(facts), figure=figure)
    return str(DatasetCard(f"---\n{_header(facts).to_yaml()}\n---\n\n{body}"))


def _header(facts: MixtureFacts) -> Any:
    from huggingface_hub import DatasetCardData

    other = facts.licence.hub == OTHER
    named: dict[str, Any] = {"license_name": "see-licence-section", "license_link": f"{CARD}#licence"} if other else {}
    files = [{"split": split, "path": f"{FOLDER}/{split}-*.parquet"} for split in (TRAIN, VALIDATION)]
    tags = ["affectllm", "emotion-recognition", "affective-computing", "instruction-tuning"]
    return DatasetCardData(
        language=_hub_languages(facts.languages) or None,
        license=facts.licence.hub,
        **named,
        pretty_name=facts.page.name,
        size_categories=[size_category(sum(facts.composition.splits.values()))],
        task_categories=sorted({pipeline_tag(part.modalities) for part in facts.asking}),
        tags=[*tags, *(f"corpus:{card.name}" for card in facts.cards)],
        # The digest keeps builds apart: datasets caches a local folder by its name and by what is written here.
        configs=[{"config_name": "default", "description": f"content {facts.digest}", "data_files": files}],
    )


def _hub_languages(tags: Sequence[str]) -> list[str]:
    """Convert BCP-47 tags to the Hub's languages, which have no regions and no undetermined one."""
    return sorted({tag.partition("-")[0].lower() for tag in tags} - {"und", "mul", "zxx"})


def size_category(rows: int) -> str:
    """Return the Hub's size category of a number of rows: ``n<1K``, ``1K<n<10K`` and so on."""
    below = next((number for number, (size, _) in enumerate(_SIZES) if rows < size), len(_SIZES))
    if below == len(_SIZES):
        return f"n>{_SIZES[-1][1]}"
    return f"{_SIZES[below - 1][1]}<n<{_SIZES[below][1]}" if below else f"n<{_SIZES[0][1]}"


def _context(facts: MixtureFacts) -> dict[str, Any]:
    page = facts.page
    return {
        "page": page,
        "counts": facts.counts,
        "splits": facts.composition.splits,
        "rows": list(_composition(facts)),
        "missing": [load_builder(name).CARD for name in facts.missing],
        "corpora": len(page.corpora()),
        "settings": {name: _plain(getattr(page, name)) for name in _defaults(Mixture)},
        "yaml": _yaml(page),
        "command": _command(page),
        "cards": facts.family[0],
        "own": facts.cards,
        "unread": facts.family[1],
        "licence": facts.licence,
        "meaning": MEANING,
        "licence_of": licence_of,
        "raters": _raters(facts.built),
        "defects": {card.name: Counter(card.defects.values()).most_common() for card in facts.cards},
        "layers": [_layer(facts.composition, layer) for layer in facts.composition.layers.values()],
        "languages": facts.languages,
        "cell": cell_text,
    }


def _composition(facts: MixtureFacts) -> Iterator[tuple[Kind, str, str, Counter[str]]]:
    """Yield kind, modalities, settings and conversations by split, in the order of the page."""
    for kind, parts in kinds_of(facts.built).items():
        modalities = (" + ".join(m for m in MODALITIES if m in part.modalities) for part in parts)
        settings = [_written(_changed(part, Part, _ASKED)) for part in parts]
        counts = facts.composition.kinds.get(kind, Counter())
        # A temperature and a balance may ask a few samples very often.
        often = counts[TRAIN] / max(1, facts.composition.samples[kind])
        settings += [f"each sample {often:.1f} times"] if often > 1 else []
        yield kind, _joined(modalities), _joined(settings), counts


def _raters(parts: Sequence[Part]) -> dict[str, set[str]]:
    """Return corpus → the raters whose answers are asked for or given in questions."""
    raters: dict[str, set[str]] = {}
    for part in parts:
        template = part.bind()
        raters.setdefault(part.corpus, set()).update(slot.rater for slot in (*template.slots, *template.given))
    return raters


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, texts)))


def _defaults(kind: type) -> dict[str, Any]:
    fields = dataclasses.fields(kind)
    return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}


def _changed(instance: Any, kind: type, without: Sequence[str]) -> dict[str, Any]:
    """Return the settings that differ from the defaults of ``kind``."""
    values = {name: getattr(instance, name) for name in _defaults(kind) if name not in without}
    return {name: value for name, value in values.items() if value != _defaults(kind)[name]}


def _written(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in settings.items())


def _plain(value: Any) -> str:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _written(dataclasses.asdict(value))
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value)) or "none"
    return "all" if value is None else str(value)


def _yaml(page: MixturePage) -> str:
    """Return the page as YAML, without settings left at their default."""
    import yaml

    parts = [
        {"corpus": part.corpus, "template": part.template, "space": part.space, "rater": part.rater}
        | {"modalities": part.modalities, **_changed(part, Part, ())}
        for part in page.mixture
    ]
    whole = {"description": page.description, **_changed(page, MixturePage, ("name", "description")), "mixture": parts}
    text = yaml.safe_dump(_json(whole), sort_keys=False, allow_unicode=True, width=100)
    turns = any(code in TURNING for code in map(ord, text))
    return yaml.safe_dump(_json(whole), sort_keys=False, width=100) if turns else text


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=dataclasses.asdict))


def _command(page: MixturePage) -> str:
    # A page that was changed on the command line is no longer the one that ships under its name.
    shipped = page.name in registry.names("recipes/mixtures") and load_mixture(page.name) == page
    return f"affectllm build {shlex.quote(page.name if shipped else f'{page.name}.yaml')}"


def _layer(composition: Composition, layer: Layer) -> dict[str, Any]:
    """Summarise the answers of a layer: the most frequent labels, the numbers by name, or the length of texts."""
    named = layer.space.kind in ("category", "set", "options")
    labels = ranked(composition.tally, layer.key) if named else []
    if named and layer.empty:
        labels = sorted([*labels, ("(none)", layer.empty)], key=lambda item: (-item[1], item[0]))
    return {
        "layer": layer,
        "labels": [(name, count, count / layer.conversations) for name, count in labels[:TOP]],
        "others": labels[TOP:],
        "numbers": [(name, _figures(summary)) for name, summary in layer.numbers.items()],
        "lengths": layer.lengths if layer.lengths.count else None,
    }


def _figures(summary: Summary) -> tuple[str, str, str]:
    """Format mean, minimum and maximum."""
    return f"{summary.mean:.3f}", f"{summary.low:g}", f"{summary.high:g}"
