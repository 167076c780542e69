"""Give samples an answer in another label space.

IEMOCAP's four classes, GoEmotions' seven and the sign of a sentiment are maps of what the corpora hold. What has no
counterpart is left out under a reason of its own, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from affectllm.corpus.sample import Rejection, Sample
from affectllm.labels import Annotation
from affectllm.labels.gold_maps import GoldMap

NO_COUNTERPART = "no_counterpart"


def mapped(
    items: Iterable[Sample | Rejection], gold_map: GoldMap, rater: str, asked: str
) -> Iterator[Sample | Rejection]:
    """Yield the samples with what ``rater`` answered as the target space of the map has it, too.

    A sample whose answer has no counterpart becomes a rejection, ``no_counterpart``; one without an answer stays as it
    is, since the question will say so.

    Args:
        asked: for the detail of a rejection, what was asked for.
    """
    for item in items:
        annotation = None if isinstance(item, Rejection) else item.annotation(gold_map.source.name, rater)
        if isinstance(item, Rejection) or annotation is None:
            yield item
        elif (value := gold_map.value(annotation.value)) is None:
            yield Rejection(item.id, NO_COUNTERPART, item.source, f"{asked}: {gold_map.name}")
        else:
            own = Annotation(gold_map.target.name, rater, value)
            yield replace(item, annotations=(*item.annotations, own))
