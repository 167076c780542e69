"""The contract of a step of an annotation page.

A step is a frozen dataclass whose fields are its keys on the page. It is of one of two sorts:

- row by row: ``asks`` says what is asked about a row, and ``take`` makes rows of it and the replies. Both are pure
  functions, so that a run that was killed, one in shards, and an estimate go through the same code;
- ``whole``: ``over`` takes all rows at once, where one depends on the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from affectllm.annotate.row import Item, Row
from affectllm.errors import Malformed
from affectllm.labels import LabelSpace
from affectllm.respond.responder import Ask, Reply, Unanswered

SUPPOSED = "a calm voice with a faint smile, as of somebody who is glad to be asked but would rather wait"

WORDS, LABELS, VERDICT, NOTHING = "words", "labels", "a verdict", "no note"
"""What a step leaves in a row, for the steps behind it."""
NAMED = ("category", "set")
"""Kinds of label space of which an annotation is a name, or names."""


class Read(NamedTuple):
    """A note of an earlier step that a step reads.

    Args:
        name: of the earlier step.
        kinds: what it may be, of ``WORDS``, ``LABELS`` and so on.
        key: of the page, for errors.
    """

    name: str
    kinds: tuple[str, ...] = (WORDS,)
    key: str = "of"


@dataclass(frozen=True)
class Question:
    """A question to one of the page's models.

    Args:
        model: its name on the page.
        ask: what it is asked.
        choices: of which the likeliest is its answer; empty where it writes one.
    """

    model: str
    ask: Ask
    choices: tuple[str, ...] = ()


@dataclass
class Context:
    """What steps know besides their rows.

    Args:
        corpus: name of the annotated corpus, with which the names of new label spaces begin.
        spaces: the label spaces of the corpus that is annotated, and the shared ones.
        raters: name of a model on the page → its rater: the name and version of the model.
        roots: corpus → folder of the clips.
        folder: of the run.
        given: label space and rater of the annotations that samples bring to a step; None where they are not known.
        takes: name of a model on the page → the modalities that it can be shown; without models that are not loaded.
        unscored: names of models that tell no likelihoods.
        labelled: name of a step that notes labels → the label space that they are of.
        voters: name of a step that extracts labels → the raters whose labels it notes.
        new_spaces, new_raters: what annotations were given in, and by whom, for the card of the annotated corpus.
        parts: name of a new label space → how a part of a mixture asks about it.
        facts: name of a step → what it counted or measured, for the manifest and the terminal.
    """

    corpus: str
    spaces: Mapping[str, LabelSpace]
    raters: Mapping[str, str]
    roots: Mapping[str, Path]
    folder: Path
    given: frozenset[tuple[str, str]] | None = None
    takes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unscored: frozenset[str] = frozenset()
    labelled: dict[str, str] = field(default_factory=dict)
    voters: dict[str, list[str]] = field(default_factory=dict)
    new_spaces: dict[str, LabelSpace] = field(default_factory=dict)
    new_raters: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def space(self, name: str, where: str) -> LabelSpace:
        """Return a label space by its name.

        Raises:
            Malformed: when neither the corpus nor the shared spaces have it.
        """
        if name not in self.spaces:
            raise Malformed(f"there is no label space {name!r}", where=where, do=f"known: {', '.join(self.spaces)}")
        return self.spaces[name]

    def labels(self, name: str, kinds: Sequence[str] = NAMED) -> LabelSpace:
        """Return a label space by its name, for a step whose key ``space`` names it.

        Raises:
            Malformed: when it is not there, or of another kind.
        """
        space = self.space(name, "space")
        if space.kind not in kinds:
            known = ", ".join(one.name for one in self.spaces.values() if one.kind in kinds)
            message = f"{name} is a {space.kind} space, and labels of a {' or '.join(kinds)} space are needed"
            raise Malformed(message, where="space", do=f"such are {known}")
        return space

    def check_given(self, space: str, rater: str) -> None:
        """Raise ``Malformed`` for the key ``rater`` when no sample has an annotation in a space by a rater."""
        if self.given is None or (space, rater) in self.given or rater in self.new_raters:
            return
        pairs = ", ".join(f"{one} by {who}" for one, who in sorted(self.given))
        do = (
            f"they have {pairs}"
            if pairs
            else "they have no labels: files, statements and texts that are written have none"
        )
        raise Malformed(f"no sample has a label in {space} by {rater!r}", where="rater", do=do)

    def forget_given(self) -> None:
        """Say that the samples behind a step have none of their own annotations any more."""
        self.given = None if self.given is None else frozenset()

    def check_shown(self, model: str, see: Sequence[str]) -> None:
        """Raise ``Malformed`` when a model does not take what it is shown, for the key ``see`` of a step."""
        takes = self.takes.get(model, frozenset(see))
        if unseen := [modality for modality in see if modality not in takes]:
            message = f"the model {model} does not take {unseen[0]}"
            raise Malformed(message, where="see", do=f"it takes {', '.join(sorted(takes))}")

    def own_space(
        self, step: Step, kind: Any = "open", names: tuple[str, ...] = (), part: str = "template: affect_reasoning"
    ) -> LabelSpace:
        """Return the label space of a step's annotations, which goes onto the card.

        Args:
            part: how a part of a mixture asks about it.
        """
        name = f"{self.corpus}_{step.name}"
        if name not in self.new_spaces:
            self.parts[name] = part
            self.new_spaces[name] = LabelSpace(name, kind, names, f"the step {step.step} of an annotation by models")
        return self.new_spaces[name]


@dataclass(frozen=True)
class Step:
    """One step of a page.

    Args:
        step: the kind, which is the name of a file on the shelf.
        name: of this step, under which its notes are kept; unique on the page.
    """

    step: str
    name: str

    whole: ClassVar[bool] = False
    leaves: ClassVar[str] = ""
    """What its note is, such as ``WORDS``; empty where that is not said, so that any step may read it."""

    def asked_models(self) -> tuple[str, ...]:
        """Return the models of the page that this step asks."""
        return ()

    def reads(self) -> tuple[Read, ...]:
        """Return the earlier steps whose notes are read."""
        return ()

    def follows(self, earlier: Mapping[str, Step]) -> None:
        """Raise ``Malformed`` for what does not fit the steps before it, when the page is read.

        Here and in ``check``, ``where`` of the error is the key that is wrong; whoever calls them makes a line of it.
        """

    def check(self, context: Context) -> None:
        """Raise ``Malformed`` for what cannot work, before anything is asked."""

    def asks(self, row: Row, context: Context) -> list[Question]:
        """Return what is asked about a row."""
        return []

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        """Return the rows, mostly one, or the rejection that a row becomes with the replies to its questions."""
        raise NotImplementedError

    def over(self, rows: Sequence[Row], context: Context) -> list[Item]:
        """Return what becomes of all rows; of ``whole`` steps."""
        raise NotImplementedError

    def supposed(self, row: Row, context: Context) -> list[Row]:
        """Return the rows as they would be had the model answered, for an estimate of what the later steps cost."""
        return [row.noted(self.name, SUPPOSED)]


def text_ask(parts: Sequence[Mapping[str, Any]], words: str, tokens: int) -> Ask:
    """Return a question with clips before its words."""
    content = [*parts, {"type": "text", "text": words}]
    return Ask([{"role": "user", "content": content}], tokens)


def filled(row: Row, name: str, reply: Reply) -> Row:
    """Return the row with a reply as a note, or with the reason why there is none."""
    if isinstance(reply, Unanswered):
        return row.lacking(name, reply.reason)
    return row.noted(name, reply.strip()) if reply.strip() else row.lacking(name, "empty_reply")
