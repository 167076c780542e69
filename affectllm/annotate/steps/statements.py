"""Make true and false statements about labelled clips in four dimensions: emotion statement judgement, as in MVEI.

A text is false of one clip exactly as often as it is true of others, so that nothing but the clip tells: the false
statement about a clip is the true one about a clip with another label. A text-only model checks that.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, NamedTuple

from affectllm.annotate.row import Item, Row
from affectllm.annotate.shortcuts import without_shortcuts
from affectllm.annotate.step import VERDICT, Context, Read, Step
from affectllm.annotate.steps.agrees import given_labels
from affectllm.errors import Malformed

POLARITY, EMOTION, SCENE, SUBJECTIVITY = (
    "sentiment polarity",
    "emotion interpretation",
    "scene context",
    "perception subjectivity",
)
JUDGEMENTS = ("correct", "incorrect")
_BLOCKS, _MANY = 5, 100  # blocks of clips, and how many clips there must be for more than one
_POSITIVE = "happiness joy amusement awe contentment excitement love surprise_positive trust gratitude pride relief"
_NEGATIVE = "anger sadness fear disgust contempt grief disappointment embarrassment remorse nervousness annoyance"
POLARITIES = {
    **dict.fromkeys(_POSITIVE.split(), "positive"),
    **dict.fromkeys(_NEGATIVE.split(), "negative"),
    "neutral": "neutral",
}
WORDINGS = {
    POLARITY: ("The feeling here is {0}.", "What is conveyed is {0} on the whole.", "The mood of this is {0}."),
    EMOTION: (
        "The person shown most likely feels {0}.",
        "Of all feelings, {0} is what this expresses.",
        "Behaviour of this kind is a sign of {0}.",
    ),
    SUBJECTIVITY: (
        "Somebody who feels with the person shown would share their {0}.",
        "A close friend would say afterwards: that was {0}.",
        "To a stranger who passes by, this looks like {0}.",
    ),
}


class _Claim(NamedTuple):
    """What is true of a row in one dimension: a class, and a text that says so."""

    row: Row
    label: str
    text: str


@dataclass(frozen=True)
class Statements(Step):
    """Args:
    space, rater: of the labels that clips have; those with several labels are left out.
    scene: step whose descriptions are the statements on the scene; empty for none of this dimension.
    polarity: label → its polarity, where the usual one does not hold; labels without one make no such statement.
    shortcuts: what is done where a text-only model is above chance: ``refuse`` or ``rebalance``.
    """

    space: str
    rater: str
    scene: str = ""
    polarity: dict[str, Literal["positive", "negative", "neutral"]] = field(default_factory=dict)
    shortcuts: Literal["refuse", "rebalance"] = "refuse"

    whole: ClassVar[bool] = True
    leaves: ClassVar[str] = VERDICT

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.scene, key="scene"),) if self.scene else ()

    def check(self, context: Context) -> None:
        space = context.labels(self.space)
        context.check_given(self.space, self.rater)
        if strange := [label for label in self.polarity if label not in space.names]:
            do = f"its labels: {', '.join(space.names)}"
            raise Malformed(f"polarity: {self.space} has no label {strange[0]!r}", where="polarity", do=do)
        context.own_space(self, "category", JUDGEMENTS, "template: statement_judgement")
        context.forget_given()
        context.new_raters[self.name] = (
            f"built from the labels of {self.rater}: a text is true of one clip, false of others"
        )

    def over(self, rows: Sequence[Row], context: Context) -> list[Item]:
        labelled: list[tuple[Row, str]] = []
        items: list[Item] = []
        for row in rows:
            given = row.sample.annotation(self.space, self.rater)
            labels = given_labels(given) if given else set()
            if len(labels) == 1:
                labelled.append((row, labels.pop()))
            else:
                items.append(row.rejected("no_single_label", f"{self.space} by {self.rater}"))
        statements: list[Row] = []
        surplus = Counter[str]()
        for block in _blocks(labelled):
            for dimension, claims in self._claims(block).items():
                balanced, dropped = _balanced(claims)
                surplus[dimension] += dropped
                statements += self._judged(dimension, balanced, context)
        return items + self._controlled(statements, surplus, context)

    def _claims(self, labelled: Sequence[tuple[Row, str]]) -> dict[str, list[_Claim]]:
        claims: dict[str, list[_Claim]] = defaultdict(list)
        polarities: dict[str, str] = {**POLARITIES, **self.polarity}
        for row, label in labelled:
            classes = {POLARITY: polarities.get(label, ""), EMOTION: label, SUBJECTIVITY: label}
            for dimension, name in classes.items():
                if name:
                    wordings = WORDINGS[dimension]
                    words = wordings[_draw(row, dimension) % len(wordings)].format(name)
                    claims[dimension].append(_Claim(row, name, words))
            if self.scene and self.scene in row.notes:
                claims[SCENE].append(_Claim(row, label, str(row.notes[self.scene])))
        return claims

    def _judged(self, dimension: str, claims: Sequence[_Claim], context: Context) -> list[Row]:
        """Return two statements about each clip: its own, and that of a clip of another class."""
        ordered = sorted(claims, key=lambda one: (one.label, _draw(one.row, dimension)))
        shift = max(Counter(one.label for one in ordered).values(), default=0)
        others = ordered[shift:] + ordered[:shift]
        rows: list[Row] = []
        for own, other in zip(ordered, others, strict=True):
            rows += [self._statement(own, own.text, dimension, "correct", context)]
            rows += [self._statement(own, other.text, dimension, "incorrect", context)]
        return rows

    def _statement(self, claim: _Claim, text: str, dimension: str, judgement: str, context: Context) -> Row:
        sample = claim.row.sample
        mark = f"{dimension.replace(' ', '_')}-{judgement}"
        facts = {**sample.attributes, "dimension": dimension, "image": sample.id}
        own = replace(sample, id=f"{sample.id}#{mark}", text=text, context=(), annotations=(), attributes=facts)
        row = replace(claim.row, sample=own).noted(self.name, judgement)
        return row.annotated(context.own_space(self).name, self.name, judgement)

    def _controlled(self, rows: Sequence[Row], surplus: Counter[str], context: Context) -> list[Item]:
        texts, clips = [row.sample.text or "" for row in rows], [row.sample.attributes["image"] for row in rows]
        truths = [row.notes[self.name] == "correct" for row in rows]
        block_of = {row.sample.attributes["image"]: str(_block(row.sample.attributes["image"])) for row in rows}
        blocks = [block_of[clip] for clip in clips] if len(block_of) >= _MANY else ()
        rebalance = self.shortcuts == "rebalance"
        kept, before, after = without_shortcuts(texts, truths, clips, rebalance, self.name, blocks)
        context.facts[self.name] = {
            "text_only": after.to_json(),
            "text_only_before": before.to_json(),
            "statements": dict(
                Counter(f"{rows[p].sample.attributes['dimension']}: {rows[p].notes[self.name]}" for p in kept)
            ),
            "unbalanced": dict(surplus),
        }
        left = set(kept)
        return [row if place in left else row.rejected("told_by_text_alone") for place, row in enumerate(rows)]


def _draw(row: Row, salt: str) -> int:
    return _hash(f"{salt}/{row.sample.id}")


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _block(identifier: str) -> int:
    return _hash(f"block/{identifier}") % _BLOCKS


def _blocks(labelled: Sequence[tuple[Row, str]]) -> list[list[tuple[Row, str]]]:
    """Return the clips in blocks, within which statements are exchanged.

    A text that is true of a clip that is held out, and false of one that is not, would be expected wrongly: in blocks
    that are held out whole, what is left to learn from is as balanced as the whole.
    """
    if len({row.sample.id for row, _ in labelled}) < _MANY:
        return [list(labelled)]
    return [[one for one in labelled if _block(one[0].sample.id) == number] for number in range(_BLOCKS)]


def _balanced(claims: Sequence[_Claim]) -> tuple[list[_Claim], int]:
    """Return the claims without those of a class that is more than half of them, and how many these are."""
    counts = Counter(one.label for one in claims)
    if len(counts) < 2:
        return [], len(claims)
    (label, most), *_ = counts.most_common(1)
    others = len(claims) - most
    surplus = max(0, most - others)
    ordered = sorted((one for one in claims if one.label == label), key=lambda one: _draw(one.row, "surplus"))
    gone = {one.row.sample.id for one in ordered[:surplus]}
    return [one for one in claims if one.row.sample.id not in gone or one.label != label], surplus


STEP = Statements
