"""Sampling of a part, one sample at a time: whether it is asked, how often, with which words and modalities.

Every decision is a hash of seed, part and sample, so that it is the same wherever and whenever it is made.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from affectllm.corpus import TRAIN, VALIDATION, Rejection, Sample
from affectllm.hints.attach import Hints, provenance_of
from affectllm.instruct.content_parts import box_of, missing_modality, with_person
from affectllm.instruct.conversation import AskedBy, answered
from affectllm.instruct.dropped import Copy
from affectllm.instruct.mixture_part import Part, has_classes
from affectllm.instruct.pairs import Pairing
from affectllm.instruct.rejected import preferred, worse_answer
from affectllm.instruct.template import Asked, Template
from affectllm.labels.form import Refused

ASKED_SPLITS = (TRAIN, VALIDATION)


@dataclass
class Census:
    """Counts over the samples of a part, for decisions that depend on all of them; those of several blocks add up.

    Args:
        asked: training samples that can be asked.
        classes: class → training samples that can be asked.
        lowest: group that a cap bounds → its lowest draws, negated, as a heap of at most ``cap`` numbers.
    """

    asked: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    lowest: dict[str, list[float]] = field(default_factory=dict)

    def add(self, other: Census, caps: Mapping[str, int]) -> None:
        """Add another block's; ``caps`` are those of ``Plan.caps``."""
        self.asked += other.asked
        self.classes.update(other.classes)
        for group, draws in other.lowest.items():
            for draw in draws:
                self.keep(group, -draw, caps[group.partition(":")[0]])

    def keep(self, group: str, draw: float, cap: int) -> None:
        """Keep a draw when it is among the lowest of its group."""
        heap = self.lowest.setdefault(group, [])
        if len(heap) < cap:
            heapq.heappush(heap, -draw)
        else:
            heapq.heappushpop(heap, -draw)


@dataclass(frozen=True)
class Decision:
    """Decisions from a census: copies by class, and the highest draw that each group's cap keeps."""

    rate: float = 1.0
    rates: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


class Plan:
    """A part with what it needs to decide about one sample at a time.

    Args:
        part: the part.
        seed: of all draws.
        validation_rows: at most this many validation samples; None for all.
        decision: what the census of the whole corpus led to.
        copies: training samples of the corpus that repeat another one.
    """

    def __init__(
        self,
        part: Part,
        seed: int,
        validation_rows: int | None,
        decision: Decision | None = None,
        copies: Mapping[str, Copy] | None = None,
    ) -> None:
        self.part, self.template, self.decision = part, part.bind(), decision or Decision()
        self._copies_of = copies or {}
        self._validation_rows = validation_rows
        # Beside the questions, so that two parts on the same samples do not keep the same half.
        self._salt = f"{seed}/{part.key}"

    @cached_property
    def caps(self) -> dict[str, int]:
        """Kind of group → how many samples each group of the kind may have."""
        part = self.part
        caps = {TRAIN: part.cap, VALIDATION: self._validation_rows}
        caps |= {"class": part.cap_per_class, "speaker": part.cap_per_speaker}
        return {kind: cap for kind, cap in caps.items() if cap is not None}

    def bounded(self, corpus: str, split: str) -> bool:
        """Whether a cap bounds the samples of a split of ``corpus``."""
        train = bool(self.caps.keys() - {VALIDATION})
        return self.part.corpus == corpus and (train if split == TRAIN else split in self.caps)

    def weighed(self, corpus: str, counted: bool) -> bool:
        """Whether the copies of a training sample of ``corpus`` depend on the others; ``counted``: those of all do."""
        return self.part.corpus == corpus and (counted or self.part.balance != "none")

    def census(self, samples: Iterator[Sample]) -> Census:
        """Count one block of samples: those that the caps keep, where they are decided."""
        census = Census()
        for item in self.asked(samples):
            if isinstance(item, Rejection) or self._over_cap(item):
                continue
            if item.sample.split == TRAIN:
                census.asked += 1
                if has_classes(self.template):
                    census.classes[self._class(item)] += 1
            for group in self._groups(item):
                census.keep(group, self._draw(item.sample, "cap"), self.caps[group.partition(":")[0]])
        return census

    def cap(self, census: Census) -> Decision:
        """Return the highest draw that each group's cap keeps, from the census of all samples."""
        full = {g: -heap[0] for g, heap in census.lowest.items() if len(heap) == self.caps[g.partition(":")[0]]}
        return Decision(thresholds=full)

    def expected(self, decision: Decision, census: Census) -> float:
        """Return how many training conversations a decision is expected to give."""
        by_class = sum(count * decision.rates.get(name, 1.0) for name, count in census.classes.items())
        return self.part.weight * decision.rate * (by_class if decision.rates else census.asked)

    def weigh(self, capped: Decision, census: Census, rate: float) -> Decision:
        """Return the copies of each class from the census after caps; ``rate`` is the part's in its mixture."""
        return replace(capped, rate=rate, rates=_balanced(census.classes, self.part.balance))

    def rows(self, samples: Iterator[Sample]) -> Iterator[dict[str, Any] | Rejection]:
        """Yield conversations for a block of samples, or rejections with a reason (``over_cap``, ``not_drawn``, …)."""
        for item in self.asked(samples):
            if isinstance(item, Rejection):
                yield item
            else:
                yield from self._rows(item)

    def _rows(self, asked: Asked) -> Iterator[dict[str, Any] | Rejection]:
        sample = asked.sample
        if self._over_cap(asked):
            yield Rejection(sample.id, "over_cap", sample.source)
            return
        if not (copies := self._copies(asked)):
            yield Rejection(sample.id, "not_drawn", sample.source, "by weight or balance")
        for copy in range(copies):
            yield self._row(asked, copy)

    def _over_cap(self, asked: Asked) -> bool:
        thresholds = self.decision.thresholds
        if not thresholds:
            return False
        draw = self._draw(asked.sample, "cap")
        return any(draw > thresholds.get(group, 1.0) for group in self._groups(asked))

    def asked(self, samples: Iterator[Sample]) -> Iterator[Asked | Rejection]:
        """Yield the samples, or pairs of them, with their answers; or why one cannot be asked."""
        prepare, fresh = self.template.prepare, self._fresh(samples)
        for sample in self._hinted(self._combined(fresh)):
            if isinstance(sample, Rejection):
                yield sample
                continue
            result = prepare(sample)
            yield Rejection(sample.id, result.reason, sample.source) if isinstance(result, Refused) else result

    def _fresh(self, samples: Iterator[Sample]) -> Iterator[Sample | Rejection]:
        """Yield the samples without those not listed, in other languages, and of which a copy is asked the same."""
        listed = self.part.listed
        for sample in samples:
            if listed is not None and sample.split == TRAIN and sample.id not in listed:
                yield Rejection(sample.id, "not_listed", sample.source, str(self.part.ids))
                continue
            if not self.part.speaks(sample):
                yield Rejection(sample.id, "other_language", sample.source, sample.language or "")
                continue
            of, left = self._copies_of.get(sample.id, ("", ())) if sample.split == TRAIN else ("", ())
            if of and not set(left).intersection(self.part.questions(sample)):
                yield Rejection(sample.id, "duplicate", sample.source, f"of {of}")
            else:
                yield sample

    def _hinted(self, samples: Iterator[Sample | Rejection]) -> Iterator[Sample | Rejection]:
        if not self.part.hints:
            return samples
        return (one if isinstance(one, Rejection) else self._hints.attached(one) for one in samples)

    @cached_property
    def _hints(self) -> Hints:
        hints = Hints(self.part.hints)
        hints.check(self.part.language)
        return hints

    def _combined(self, samples: Iterator[Sample | Rejection]) -> Iterator[Sample | Rejection]:
        """Yield samples in the form that is asked about: unchanged, paired, or with the better of their answers."""
        if self.part.pairs is not None:
            yield from self._paired(samples)
            return
        for sample in samples:
            if self.part.person and isinstance(sample, Sample) and box_of(sample) is None:
                yield Rejection(sample.id, "no_box", sample.source)
            elif self.part.rejected == "not_preferred" and isinstance(sample, Sample):
                yield preferred(sample, self.part.space, self.part.rater)
            else:
                yield sample

    def _paired(self, samples: Iterator[Sample | Rejection]) -> Iterator[Sample | Rejection]:
        pairs, part = self.part.pairs, self.part
        assert pairs is not None
        pairing = Pairing(part.space, part.rater, pairs.dimension, pairs.margin)
        for sample in samples:
            if isinstance(sample, Rejection):
                yield sample
                continue
            # A pair of which one half lacks its clip would show one clip for two.
            if reason := missing_modality(sample, part.modalities):
                yield Rejection(sample.id, reason, sample.source)
            elif (pair := pairing.add(sample)) is not None:
                yield pair
        yield from pairing.rest()

    def _groups(self, asked: Asked) -> list[str]:
        sample = asked.sample
        groups = [sample.split] if sample.split in self.caps else []
        if sample.split == TRAIN and "class" in self.caps:
            groups.append(f"class:{self._class(asked)}")
        if sample.split == TRAIN and "speaker" in self.caps and sample.speaker:
            groups.append(f"speaker:{sample.speaker}")
        return groups

    def _copies(self, asked: Asked) -> int:
        if asked.sample.split != TRAIN:
            return 1
        rate = self.part.weight * self.decision.rate
        if self.decision.rates:
            rate *= self.decision.rates.get(self._class(asked), 1.0)
        whole = int(rate)
        return whole if rate == whole else whole + (self._draw(asked.sample, "weight") < rate - whole)

    def _row(self, asked: Asked, copy: int) -> dict[str, Any]:
        sample, template = asked.sample, self._with_dropout(asked, copy)
        number = (template.paraphrase(sample) + copy) % len(template.questions)
        answer = template.answer_of(asked)
        question = template.message(asked, number)
        if self.part.person:
            question = with_person(question, sample, beside=self.part.person == "beside")
        if self.part.budget:
            for part in question[-1]["content"]:  # before it there may be a system prompt
                part.update({} if part["type"] == "text" else self.part.budget)
        return {
            "id": f"{sample.corpus}/{sample.id}/{self.part.key}/{copy}",
            "sample": sample.id,
            "corpus": sample.corpus,
            "split": sample.split,
            "template": template.name,
            "language": template.language,
            "paraphrase": number,
            "messages": [*question, answered(answer)],
            "answer": answer,
            "asked_by": {**self._asked_by, "hints": hints} if (hints := provenance_of(sample)) else self._asked_by,
            "rejected": self._rejected(asked, copy),
            "value": template.gold_of(asked),
            "space": template.space.name,
            "rater": template.rater,
            "speaker": sample.speaker,
            "dialogue": sample.dialogue,
            "stage": self.part.stage,
        }

    @cached_property
    def _asked_by(self) -> dict[str, Any]:
        return AskedBy.of(self.template).to_json()

    def _rejected(self, asked: Asked, copy: int) -> str | None:
        kind = self.part.rejected
        draw = self._draw(asked.sample, f"rejected/{copy}") if kind else 0.0
        return worse_answer(asked, self.template, kind, draw) if kind else None

    def _with_dropout(self, asked: Asked, copy: int) -> Template:
        """Return the template with the modalities that dropout leaves, at least one."""
        drop, all_of_them = self.part.dropout, self.template.modalities
        if not drop or asked.sample.split != TRAIN:
            return self.template
        needed = self.template.needs
        modalities = tuple(
            m for m in all_of_them if m in needed or self._draw(asked.sample, f"dropout/{copy}/{m}") > drop
        )
        modalities = modalities or (
            all_of_them[int(self._draw(asked.sample, f"kept/{copy}") * 2**20) % len(all_of_them)],
        )
        return self._with(modalities)

    def _with(self, modalities: tuple[str, ...]) -> Template:
        if modalities not in self._variants:
            self._variants[modalities] = replace(self.template, modalities=modalities)
        return self._variants[modalities]

    @cached_property
    def _variants(self) -> dict[tuple[str, ...], Template]:
        return {self.template.modalities: self.template}

    def _class(self, asked: Asked) -> str:
        gold = asked.gold[self.template.slots[0].name]
        return gold if isinstance(gold, str) else ",".join(gold)

    def _draw(self, sample: Sample, purpose: str) -> float:
        """Return a number in (0, 1] that depends on nothing but seed, part, purpose and sample."""
        data = f"{self._salt}/{purpose}/{sample.id}".encode()
        return (int.from_bytes(hashlib.blake2b(data, digest_size=7).digest(), "big") + 1) / 2**56


def _balanced(classes: Counter[str], balance: str) -> dict[str, float]:
    if balance == "none" or not classes:
        return {}
    aim = max(classes.values()) if balance == "oversample" else min(classes.values())
    return {name: aim / count for name, count in classes.items()}
