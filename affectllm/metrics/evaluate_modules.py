"""Write every metric as a module of Hugging Face ``evaluate``: one folder each, which loads offline.

``write_modules(folder)`` writes ``folder/NAME/NAME.py`` and a card; ``evaluate.load("folder/NAME")`` gives a module
whose ``compute`` returns ``{NAME: value, NAME_low: …, NAME_high: …, …}`` and takes the metric's own options. The
folders can be pushed to the Hub as they are: they need nothing but this package.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.metrics.core.metric import METRICS, Metric, find_metric
from affectllm.metrics.core.table_values import to_value

if TYPE_CHECKING:
    import evaluate

_SCRIPT = '''\
"""{definition}"""

from affectllm.metrics.evaluate_modules import module

{class_name} = module("{name}")
'''
_CARD = """\
---
title: {name}
sdk: gradio
tags:
- evaluate
- metric
---
# {name}

{doc}

Range {low} to {high}; better: {better}. Source: {source}.

```python
import evaluate

evaluate.load("{name}").compute(predictions=…, references=…)
```
"""


def write_modules(folder: Path, names: Iterable[str] = ()) -> list[Path]:
    """Write a module folder for each metric of ``names`` (all, where none is named) and return the folders.

    Raises:
        NotFound: when a name is no metric.
    """
    return [_write(folder / chosen.name, chosen) for chosen in map(find_metric, list(names) or METRICS)]


def _write(place: Path, chosen: Metric) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    fields = {"name": chosen.name, "definition": chosen.definition, "class_name": _class_name(chosen.name)}
    (place / f"{chosen.name}.py").write_text(_SCRIPT.format(**fields), encoding="utf-8")
    facts = {"doc": chosen.__doc__ or "", "low": chosen.range[0], "high": chosen.range[1], "source": chosen.source}
    card = _CARD.format(name=chosen.name, better=chosen.better, **facts)
    (place / "README.md").write_text(card, encoding="utf-8")
    return place


def module(name: str) -> type[evaluate.Metric]:
    """Return the ``evaluate.Metric`` class of the metric called ``name``.

    Raises:
        NotFound: when there is none.
    """
    import evaluate

    chosen = find_metric(name)

    class AffectMetric(evaluate.Metric):
        """One metric of affectllm."""

        def _info(self) -> evaluate.MetricInfo:
            return evaluate.MetricInfo(
                description=chosen.definition,
                citation=chosen.source,
                inputs_description=chosen.__doc__ or "",
                features=_features(chosen),
            )

        def _compute(self, references: Any = None, predictions: Any = None, **options: Any) -> dict[str, Any]:
            gold, predicted = (_values(chosen, side, gold=g) for side, g in ((references, True), (predictions, False)))
            result = chosen(gold, predicted, **options).to_json()
            keys = ("low", "high", "n", "unreadable", "controls", "coverage", "settings", "details")
            return {name: result["value"], **{f"{name}_{key}": result[key] for key in keys}}

    AffectMetric.__name__ = AffectMetric.__qualname__ = _class_name(name)
    return AffectMetric


def _values(chosen: Metric, side: list[Any] | None, *, gold: bool) -> list[Any] | None:
    """Convert values to what the metric takes; mappings arrive as JSON text, since Arrow's structs cannot hold them."""
    return None if side is None else [to_value(chosen.form.name, value, gold=gold) for value in side]


def _features(chosen: Metric) -> Any:
    """Return the features of both sides; a list of alternatives where the metric takes single labels and sets."""
    from datasets import Features, List, Value

    text = Value("string")
    kinds = {"set": List(text), "number": Value("float64"), "text": List(text)}
    gold, predicted = kinds.get(chosen.form.name, text), kinds.get(chosen.form.name, text)
    if chosen.form.name == "text":
        predicted = text
    elif chosen.form.name == "ranked":
        predicted = List(text)
    sides = {"pair": ("predictions", "references"), "gold": ("references",), "predicted": ("predictions",)}
    by_side = {"predictions": predicted, "references": gold}
    features = [Features({side: by_side[side] for side in sides[chosen.takes]})]
    if chosen.sets:
        features.append(Features({"predictions": List(text), "references": List(text)}))
    if chosen.form.name == "text" and chosen.takes == "pair":
        features.append(Features({"predictions": text, "references": text}))
    return features if len(features) > 1 else features[0]


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
