"""Mixtures: which samples are asked which questions, how often, with what seed. TRAIN only.

One pass over each corpus writes its samples and the conversations of every part that draws on it; a pass before it
counts classes where a part balances or caps. Memory does not grow with rows.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from affectllm.corpus import SPLITS, TRAIN, VALIDATION, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.store import Writer, sample_features
from affectllm.errors import AffectError, Malformed
from affectllm.instruct.template import Template, load_template

if TYPE_CHECKING:
    from datasets import Features


@dataclass(frozen=True)
class Part:
    """One source of a mixture: samples of a corpus asked one question.

    Args:
        corpus: name of the builder.
        template: name of the wording.
        space: label space asked about, as declared on the corpus card.
        rater: whose answer is the target.
        modalities: what the model is given, a subset of ``video``, ``audio``, ``image``, ``text``.
        weight: copies of each sample; 0.5 keeps a random half, 2 writes each twice with different paraphrases.
        cap: at most this many samples, drawn by seed; None for all.
        balance: ``none``, ``oversample`` (every class as frequent as the largest) or ``undersample`` (as the smallest).
        budget: fields of the recipe's ``model.budget`` that are others for the clips of this part.
    """

    corpus: str
    template: str
    space: str
    rater: str
    modalities: tuple[str, ...]
    weight: float = 1.0
    cap: int | None = None
    balance: Literal["none", "oversample", "undersample"] = "none"
    budget: dict[str, Any] | None = None

    def bind(self) -> Template:
        """The template bound to this part's question.

        Raises:
            Malformed: when the corpus card declares no such space or rater, or a number is out of range.
        """
        card = load_builder(self.corpus).CARD
        spaces = {space.name: space for space in card.spaces}
        if self.space not in spaces:
            raise Malformed(f"{self.corpus} has no label space {self.space!r}", do=f"choose among {', '.join(spaces)}")
        if self.rater not in card.raters:
            raise Malformed(f"{self.corpus} has no rater {self.rater!r}", do=f"choose among {', '.join(card.raters)}")
        if self.weight <= 0 or (self.cap is not None and self.cap < 1):
            raise Malformed("weight must be above 0 and cap at least 1", where=f"mixture of {self.corpus}")
        template = load_template(
            self.template, space=spaces[self.space], rater=self.rater, modalities=tuple(self.modalities)
        )
        if self.balance != "none" and template.form == "reply":
            raise Malformed("replies have no classes to balance", where=f"mixture of {self.corpus}")
        return template

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def conversation_features() -> Features:
    """Columns of a conversations file."""
    from datasets import Features, Json, List, Value

    text = Value("string")
    plain = ("id", "sample", "corpus", "split", "template", "answer", "space", "rater", "speaker", "dialogue")
    return Features(
        {**dict.fromkeys(plain, text), "paraphrase": Value("int32"), "messages": List(Json()), "value": Json()}
    )


def build(
    parts: Sequence[Part], roots: Mapping[str, Path], out: Path, seed: int, validation_rows: int | None = None
) -> dict[str, Any]:
    """Write ``samples/<corpus>/<split>.parquet``, ``conversations/<split>.parquet`` and ``rejected.jsonl``.

    Args:
        parts: the mixture.
        roots: corpus name → folder, for every corpus of the mixture.
        out: folder to write into.
        seed: decides which samples a weight below 1, a cap or undersampling keeps.
        validation_rows: at most this many validation conversations per part; None for all.

    Returns:
        Counts: ``samples`` per corpus and split, ``conversations`` per split, ``rejected`` per reason.

    Raises:
        AffectError: when the mixture yields no training conversation at all.
    """
    plans = [_Plan(part, seed, validation_rows) for part in parts]
    samples: dict[str, dict[str, int]] = {}
    rejected: Counter[str] = Counter()
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        log = stack.enter_context((out / "rejected.jsonl").open("w", encoding="utf-8"))
        talks = {
            split: stack.enter_context(Writer(out / "conversations" / f"{split}.parquet", conversation_features()))
            for split in (TRAIN, VALIDATION)
        }
        for corpus in dict.fromkeys(part.corpus for part in parts):
            own = [plan for plan in plans if plan.part.corpus == corpus]
            samples[corpus] = _build_corpus(corpus, roots[corpus], own, out, talks, log, rejected)
        counts = {split: writer.rows for split, writer in talks.items()}
    if not counts[TRAIN]:
        reasons = ", ".join(f"{n} × {reason}" for reason, n in rejected.most_common(5)) or "no sample in TRAIN"
        raise AffectError(f"the mixture has no training conversation ({reasons})", do=f"see {out / 'rejected.jsonl'}")
    return {"samples": samples, "conversations": counts, "rejected": dict(rejected.most_common())}


def _build_corpus(
    corpus: str,
    root: Path,
    plans: Sequence[_Plan],
    out: Path,
    talks: Mapping[str, Writer],
    log: IO[str],
    rejected: Counter[str],
) -> dict[str, int]:
    for plan in plans:
        plan.look_ahead(_samples(corpus, root))
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(Writer(out / "samples" / corpus / f"{split}.parquet", sample_features()))
            for split in SPLITS
        }
        for item in _progress(load_builder(corpus).samples(root), corpus):
            if isinstance(item, Rejection):
                _reject(log, rejected, corpus, item)
                continue
            writers[item.split].write(item.to_json())
            for plan in plans if item.split in talks else ():
                for row in plan.rows(item):
                    if isinstance(row, Rejection):
                        _reject(log, rejected, corpus, row, plan.part.template)
                    else:
                        talks[item.split].write(row)
        return {split: writer.rows for split, writer in writers.items()}


def _samples(corpus: str, root: Path) -> Iterator[Sample]:
    return (item for item in load_builder(corpus).samples(root) if isinstance(item, Sample))


def _progress(items: Iterable[Any], corpus: str) -> Iterable[Any]:
    from tqdm import tqdm

    return tqdm(items, desc=f"building {corpus}", unit=" rows", mininterval=0.5)


def _reject(log: IO[str], counts: Counter[str], corpus: str, item: Rejection, template: str | None = None) -> None:
    counts[item.reason] += 1
    record = {"corpus": corpus, **item.to_json(), **({"template": template} if template else {})}
    log.write(json.dumps(record, ensure_ascii=False) + "\n")


class _Plan:
    """A part with what it needs to decide about one sample at a time."""

    def __init__(self, part: Part, seed: int, validation_rows: int | None) -> None:
        self.part, self.seed, self.template = part, seed, part.bind()
        self._rates: dict[str, float] = {}
        self._threshold = {TRAIN: 1.0, VALIDATION: 1.0}
        self._caps = {TRAIN: part.cap, VALIDATION: validation_rows}
        self._given = "+".join(self.template.modalities)
        # Beside the questions, so that two parts on the same samples do not keep the same half.
        self._salt = f"{seed}/{part.corpus}/{part.template}/{part.space}/{part.rater}/{','.join(part.modalities)}"

    def look_ahead(self, samples: Iterable[Sample]) -> None:
        """Count classes and find the draw below which a cap's samples lie; reads nothing when neither is asked for."""
        if self.part.balance == "none" and not any(self._caps.values()):
            return
        classes: Counter[str] = Counter()
        lowest: dict[str, list[float]] = {TRAIN: [], VALIDATION: []}
        for sample in samples:
            if sample.split not in lowest or self.template.reject(sample):
                continue
            if sample.split == TRAIN:
                classes[self._class(sample)] += 1
            _keep_lowest(lowest[sample.split], self._draw(sample, "cap"), self._caps[sample.split])
        for split, kept in lowest.items():
            if self._caps[split] is not None and kept:
                self._threshold[split] = -kept[0]
        self._rates = _balanced(classes, self.part.balance)

    def rows(self, sample: Sample) -> Iterator[dict[str, Any] | Rejection]:
        """Conversations for one sample, or one rejection with its reason (``over_cap``, ``not_drawn``, …)."""
        if reason := self.template.reject(sample):
            yield Rejection(sample.id, reason, sample.source)
            return
        threshold = self._threshold[sample.split]
        if threshold < 1.0 and self._draw(sample, "cap") > threshold:
            yield Rejection(sample.id, "over_cap", sample.source)
            return
        if not (copies := self._copies(sample)):
            yield Rejection(sample.id, "not_drawn", sample.source, "by weight or balance")
        for copy in range(copies):
            yield self._row(sample, copy)

    def _copies(self, sample: Sample) -> int:
        if sample.split != TRAIN:
            return 1
        rate = self.part.weight * self._rates.get(self._class(sample), 1.0) if self._rates else self.part.weight
        whole = int(rate)
        return whole if rate == whole else whole + (self._draw(sample, "weight") < rate - whole)

    def _row(self, sample: Sample, copy: int) -> dict[str, Any]:
        template = self.template
        number = (template.paraphrase(sample) + copy) % len(template.questions)
        gold = template.gold(sample)
        answer = template.worded(gold)
        said = {"role": "assistant", "content": [{"type": "text", "text": answer}]}
        asked = template.ask(sample, number)
        if self.part.budget:
            for part in asked[0]["content"]:
                part.update({} if part["type"] == "text" else self.part.budget)
        return {
            "id": f"{sample.corpus}/{sample.id}/{template.name}/{template.rater}/{self._given}/{copy}",
            "sample": sample.id,
            "corpus": sample.corpus,
            "split": sample.split,
            "template": template.name,
            "paraphrase": number,
            "messages": [*asked, said],
            "answer": answer,
            "value": gold,
            "space": template.space.name,
            "rater": template.rater,
            "speaker": sample.speaker,
            "dialogue": sample.dialogue,
        }

    def _class(self, sample: Sample) -> str:
        gold = self.template.gold(sample)
        return gold if isinstance(gold, str) else ",".join(gold)

    def _draw(self, sample: Sample, purpose: str) -> float:
        """A number in (0, 1] that depends on nothing but seed, part, purpose and sample."""
        data = f"{self._salt}/{purpose}/{sample.id}".encode()
        return (int.from_bytes(hashlib.blake2b(data, digest_size=7).digest(), "big") + 1) / 2**56


def _keep_lowest(heap: list[float], draw: float, cap: int | None) -> None:
    if cap is None:
        return
    if len(heap) < cap:
        heapq.heappush(heap, -draw)
    else:
        heapq.heappushpop(heap, -draw)


def _balanced(classes: Counter[str], balance: str) -> dict[str, float]:
    if balance == "none" or not classes:
        return {}
    aim = max(classes.values()) if balance == "oversample" else min(classes.values())
    return {name: aim / count for name, count in classes.items()}
