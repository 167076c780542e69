"""The public Python API: from a corpus on disk to conversations, replies and scores, in a notebook or a script.

A corpus is bound to a template, the template makes conversations of its samples, a model answers them, and the answers
are read and scored as the conversations were asked; the README shows it in ten lines.

The commands do the same. ``evaluate`` runs whole tasks through lm-eval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import locate
from affectllm.errors import Malformed
from affectllm.evaluate.models.requests import kept_replies
from affectllm.evaluate.run import evaluate
from affectllm.evaluate.scoring.slots import JOINT, Pair, scored_slots
from affectllm.evaluate.scoring.task_scoring import Item, Scoring, check_metrics
from affectllm.instruct import template as templates
from affectllm.instruct.conversation import Conversation
from affectllm.instruct.reader import Reading
from affectllm.instruct.template import Template
from affectllm.labels import Annotation
from affectllm.labels.annotation import plain
from affectllm.labels.reading import Unreadable
from affectllm.metrics.core.result import Result
from affectllm.model.load import Model, load_model
from affectllm.respond.in_process import InProcess
from affectllm.respond.responder import Reply, Responder, Unanswered, asks_of, places_of

__all__ = ["ask", "evaluate", "load_corpus", "load_model", "load_template", "read", "score"]


@dataclass
class Corpus:
    """A corpus on disk.

    Args:
        name: of its builder.
        root: its folder.

    Attributes:
        rejected: reason → how many samples the last call left out.
    """

    name: str
    root: Path
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def card(self) -> CorpusCard:
        """The corpus card: authors, licence, label spaces, raters and known defects."""
        return load_builder(self.name).CARD

    def samples(self, split: str | None = None) -> Iterator[Sample]:
        """Yield the samples of one split, or of all; count those left out in ``rejected``."""
        self.rejected = Counter()
        for item in load_builder(self.name).samples(self.root):
            if isinstance(item, Rejection):
                self.rejected[item.reason] += 1
            elif split in (None, item.split):
                yield item

    def conversations(self, template: Template, split: str | None = None) -> list[Conversation]:
        """Make a conversation of each sample with ``template``; count the samples that it cannot ask in ``rejected``.

        Raises:
            Malformed: when not a single sample can be asked; it says why.
        """
        conversations = []
        for sample in self.samples(split):
            if reason := template.reject(sample):
                self.rejected[reason] += 1
            else:
                conversations.append(Conversation.of(sample, template))
        if not conversations:
            reasons = ", ".join(f"{count:,} × {reason}" for reason, count in self.rejected.most_common())
            raise Malformed(f"no sample can be asked ({reasons or f'there is none in {split}'})", where=str(self.root))
        return conversations


def load_corpus(name: str, root: str | Path | None = None) -> Corpus:
    """Return a corpus that is on disk; nothing is read until its samples are asked for.

    Args:
        name: of a builder, see ``affectllm ls corpora``.
        root: its folder; None looks in ``AFFECTLLM_CORPORA``.

    Raises:
        NotFound: when there is no such builder.
        MissingCorpus: when the folder is not there.
    """
    return Corpus(name, locate(name, {} if root is None else {name: Path(root).expanduser()}))


def load_template(
    name: str,
    corpus: Corpus,
    *,
    space: str,
    rater: str,
    modalities: Sequence[str],
    also: Mapping[str, tuple[str, str]] | None = None,
    language: str = "en",
    held_out: bool = False,
) -> Template:
    """Bind a wording to a label space and a rater of a corpus: the question, and whose answer is the gold one.

    Args:
        name: of a wording, see ``affectllm ls templates``, or the path of a YAML page.
        space: name of a label space of the corpus.
        rater: name of one of its raters.
        modalities: what is shown, of ``video``, ``audio``, ``image`` and ``text``.
        also: the wording's other slots → (label space, rater).
        language: BCP-47 tag of question and answer.
        held_out: whether the paraphrases are asked that no training set uses.

    Raises:
        NotFound: when there is no such wording, space or rater.
        Malformed: when they do not fit each other.
    """
    bound = {slot: (corpus.card.space(one), corpus.card.rater(who)) for slot, (one, who) in (also or {}).items()}
    return templates.load_template(
        name,
        space=corpus.card.space(space),
        rater=corpus.card.rater(rater),
        modalities=modalities,
        also=bound,
        language=language,
        held_out=held_out,
    )


def ask(
    model: Model | Responder,
    conversations: Sequence[Conversation],
    corpus: Corpus | None = None,
    *,
    answers: str | Path | None = None,
    max_new_tokens: int | None = None,
    progress: bool = True,
    **options: Any,
) -> list[Reply]:
    """Generate a model's reply to each conversation.

    Args:
        model: from ``load_model``, or a ``Responder`` such as ``affectllm.respond.endpoint.Endpoint``.
        corpus: where the clips lie; None looks in ``AFFECTLLM_CORPORA``.
        answers: folder in which greedy replies are kept one by one; asked again, only what is missing is asked.
        max_new_tokens: longest answer; None takes what the forms of the answers need.
        progress: whether a bar is shown.
        options: for a loaded model ``budget`` and ``batch_size`` (a number or ``auto``); fields of
            ``GenerationConfig``, of which an endpoint takes the temperature and its like. Greedy search unless they
            say otherwise.

    Returns:
        Texts; ``Unanswered`` with the reason where a clip is broken, the model declines, or its outputs are no numbers.

    Raises:
        EndpointFailed: when a server breaks off; what it answered is kept in ``answers``.
    """
    roots = {corpus.name: corpus.root} if corpus else None
    if isinstance(model, Model):
        own = {name: options.pop(name) for name in ("budget", "batch_size") if name in options}
        model = InProcess(model, **own)
    asks = asks_of(conversations, max_new_tokens, **options)
    return kept_replies(model, asks, places_of(conversations, roots or {}), answers, progress)


def read(conversation: Conversation, reply: Reply) -> Reading:
    """Parse a reply into an annotation, as the conversation asked; or ``Unreadable`` with the reason."""
    if isinstance(reply, Unanswered):
        return Unreadable(f"media_error:{reply.reason}", "")
    return conversation.read(reply)


def score(
    metric: str,
    conversations: Sequence[Conversation],
    replies: Sequence[Reply],
    *,
    slot: str | None = None,
    clusters: str | None = None,
    **options: Any,
) -> Result:
    """Compute a metric over all replies, with its interval, its controls and the share of unreadable replies.

    Args:
        metric: its name, see ``affectllm ls metrics``.
        slot: of several answers the one that is scored, or ``joint`` for all of them together.
        clusters: ``speaker`` or ``dialogue``, which the interval is over; None takes single items.
        options: the metric's own, ``compat``, ``invalid``, ``resamples`` and ``seed`` among them.

    Raises:
        Malformed: when the conversations were not asked by one template, or there is not one reply for each.
        NotFound: when the metric does not score such answers; names those that do.
    """
    if not conversations or len(conversations) != len(replies):
        raise Malformed(f"{len(replies)} replies for {len(conversations)} conversations", do="give one for each")
    if clusters not in (None, "speaker", "dialogue"):
        raise Malformed(f"clusters are speaker or dialogue, not {clusters!r}", do="leave it out for single items")
    if any(one.by != conversations[0].by for one in conversations):
        raise Malformed("the conversations were asked by different templates", do="score each kind on its own")
    scoring = Scoring(scored_slots(conversations[0].reader.slots))
    key = f"{slot}.{metric}" if slot else metric
    check_metrics([key], scoring, JOINT if slot == JOINT else conversations[0].corpus)
    items = [Item(*_pair(one, reply)) for one, reply in zip(conversations, replies, strict=True)]
    over = [getattr(one, clusters) or f"item {one.id}" for one in conversations] if clusters else None
    return scoring.result(key, items, over, **options)


def _pair(one: Conversation, reply: Reply) -> Pair:
    if isinstance(reply, Unanswered):
        return one.gold, None
    values = {
        slot: plain(reading.value) if isinstance(reading, Annotation) else None
        for slot, reading in one.reader.read_slots(reply, one.gold).items()
    }
    return one.gold, next(iter(values.values())) if len(values) == 1 else values
