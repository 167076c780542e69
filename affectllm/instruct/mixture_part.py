"""Parts of a mixture: each asks samples of one corpus one question."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from affectllm.corpus import CorpusCard, Sample
from affectllm.corpus.builder import load_builder
from affectllm.errors import Malformed, NotFound
from affectllm.hints.attach import NO_FRAME
from affectllm.instruct.pairs import COMPARISON
from affectllm.instruct.rejected import PREFERRED, Rejected, check_preference, check_rejected
from affectllm.instruct.template import Template, load_template
from affectllm.labels import LabelSpace
from affectllm.labels.language import asking

MOST_COPIES = 1_000


@dataclass(frozen=True)
class Also:
    """The binding of another slot of a wording.

    Args:
        space: label space of the corpus.
        rater: whose answer; None for that of the part.
    """

    space: str
    rater: str | None = None


@dataclass(frozen=True)
class Pairs:
    """Options for comparing samples two by two, on one dimension of the part's space.

    Args:
        dimension: what is compared.
        margin: pairs that differ by less than this, in the units of the space, are not asked.
    """

    dimension: str
    margin: float


@dataclass(frozen=True)
class Part:
    """One source of a mixture: samples of a corpus asked one question.

    Args:
        corpus: name of the builder.
        template: name of the wording, or path of a YAML page.
        space: label space asked about, as declared on the corpus card.
        rater: whose answer is the target.
        modalities: what the model is given, a subset of ``video``, ``audio``, ``image``, ``text``.
        also: slot of the wording → what it is bound to, for wordings with several.
        language: BCP-47 tag of question and answer.
        languages: BCP-47 tags of the samples that are asked, for corpora in several; None for all.
        focus: names of a dimension space that are asked about; None for all that are annotated.
        weight: copies of each sample; 0.5 keeps a random half, 2 writes each twice with different paraphrases.
        share: of all training conversations that this part makes up, in place of ``weight``: a tenth of a general set
            beside what is trained for (replay) is 0.1. None for what ``weight`` gives.
        cap: at most this many samples, drawn by seed; None for all.
        cap_per_class, cap_per_speaker: at most this many samples of a class or a speaker, drawn by seed.
        balance: ``none``, ``oversample`` (every class as frequent as the largest) or ``undersample`` (as the smallest).
        dropout: probability with which each modality is left out of a conversation, while another one is left.
        pairs: compare samples two by two instead of asking about each.
        stage: place in a curriculum, for mixtures that are ordered by stages.
        rejected: a worse answer beside each, for training on preferences: ``other_label`` or ``not_preferred`` (see
            ``instruct/rejected.py``).
        person: how the person is shown whom a sample's attribute ``box`` marks in its picture (left, top, right, bottom
            in pixels): ``beside`` the whole picture as a second one, or ``alone`` in its place. A sample without a
            box is then rejected as ``no_box``. None shows the picture as it is.
        hints: tables of what small models found (``affectllm hint``), whose words stand in the prompt; a sample without
            a hint is asked without it.
        budget: fields of the recipe's ``model.budget`` that are others for the clips of this part.
        ids: a text file with the ids of the training samples that are taken, one a line; those of no line are left
            out as ``not_listed``. None takes all.
    """

    corpus: str
    template: str
    space: str
    rater: str
    modalities: tuple[str, ...]
    also: dict[str, Also] | None = None
    language: str = "en"
    languages: tuple[str, ...] | None = None
    focus: tuple[str, ...] | None = None
    weight: float = 1.0
    share: float | None = None
    cap: int | None = None
    cap_per_class: int | None = None
    cap_per_speaker: int | None = None
    balance: Literal["none", "oversample", "undersample"] = "none"
    dropout: float = 0.0
    pairs: Pairs | None = None
    stage: int = 0
    rejected: Rejected | None = None
    person: Literal["beside", "alone"] | None = None
    budget: dict[str, Any] | None = None
    hints: tuple[str, ...] = ()
    ids: str | None = None

    @cached_property
    def key(self) -> str:
        """A short identifier of what is asked of whom, distinct from every other part on its corpus."""
        fields: tuple[object, ...] = (self.space, self.also, self.focus, self.pairs, self.template, self.dropout)
        fields += (self.stage, self.languages, *([self.rejected] if self.rejected else []))
        fields += (self.person,) if self.person else ()
        fields += (self.hints,) if self.hints else ()
        rest = hashlib.blake2b(repr(fields).encode(), digest_size=3).hexdigest()
        modalities = "+".join(self.modalities)
        return f"{Path(self.template).stem}/{self.space}/{self.rater}/{modalities}/{self.language}/{rest}"

    @staticmethod
    def modalities_in(name: str) -> str:
        """Return the modalities of the part that a conversation's id names, joined by ``+``: the inverse of ``key``."""
        return name.rsplit("/", 4)[1]  # …/<modalities>/<language>/<rest>/<copy>

    def questions(self, sample: Sample) -> list[str]:
        """Return identifiers of a sample's questions: wording and, for numbers, dimension; none without annotation.

        Two parts that ask copies of one clip or text the same are recognised by this, whatever their corpora call it.
        """
        annotation = sample.annotation(self.space, self.rater)
        if annotation is None or not self.speaks(sample):
            return []
        wording = Path(self.template).stem
        if not self._dimensions or not isinstance(annotation.value, Mapping):
            return [wording]
        return [f"{wording}/{name}" for name in annotation.value if name in self._dimensions]

    @cached_property
    def listed(self) -> frozenset[str] | None:
        """The ids of the training samples that are taken; None for all.

        Raises:
            NotFound: when there is no such file.
        """
        if self.ids is None:
            return None
        path = Path(self.ids).expanduser()
        if not path.is_file():
            raise NotFound(f"there is no list of ids {self.ids}", do="give a text file with an id a line")
        return frozenset(path.read_text(encoding="utf-8").splitlines())

    def speaks(self, sample: Sample) -> bool:
        """Whether the sample is in a language that the part asks about, as far as it is known."""
        return not self.languages or sample.language in (None, *self.languages)

    @cached_property
    def _dimensions(self) -> tuple[str, ...]:
        space = self._focused(load_builder(self.corpus).CARD)
        if self.pairs is not None:
            return (self.pairs.dimension,)
        return space.names if space.kind == "dimension" else ()

    def bind(self) -> Template:
        """Return the template bound to this part's question.

        Raises:
            Malformed: when the corpus card declares no such space or rater, or a number is out of range.
        """
        card = load_builder(self.corpus).CARD
        self._check_numbers()
        space = self._focused(card)
        card.rater(self.rater)
        self._check_hints()
        _ = self.listed  # which must be there
        if self.pairs is not None:
            self._check_pairs(space)
            space = COMPARISON
        elif self.rejected == "not_preferred":
            check_preference(space)
            space = PREFERRED
        template = load_template(
            self.template,
            space=space,
            rater=self.rater,
            modalities=tuple(self.modalities),
            also=self._also(card),
            language=self.language,
        )
        if self.rejected is not None:
            check_rejected(self.rejected, template)
        if self._needs_classes and not has_classes(template):
            raise Malformed(
                f"{template.form} answers have no classes to balance or cap", where=f"mixture of {self.corpus}"
            )
        return template

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def _needs_classes(self) -> bool:
        return self.balance != "none" or self.cap_per_class is not None

    def _check_numbers(self) -> None:
        caps = (self.cap, self.cap_per_class, self.cap_per_speaker)
        where = f"mixture of {self.corpus}"
        if not 0 < self.weight <= MOST_COPIES or any(cap is not None and cap < 1 for cap in caps):
            raise Malformed(f"weight must be above 0 and at most {MOST_COPIES}, and cap at least 1", where=where)
        if self.share is not None and not (0 < self.share < 1 and self.weight == 1):
            message = f"share is above 0 and below 1, and stands in place of weight, not {self.share:g} beside it"
            raise Malformed(message, where=where, do="leave out weight, or share")
        if not 0 <= self.dropout < 1:
            raise Malformed(f"dropout is a probability below 1, not {self.dropout:g}", where=where)
        if len(set(self.modalities)) < len(self.modalities):
            raise Malformed("a modality is named twice", where=where)
        if self.person and (self.pairs is not None or "image" not in self.modalities):
            message = "a person is cut out of a picture, so the modalities name image, and no pairs are compared"
            raise Malformed(message, where=where, do="remove person, or show image")
        if self.dropout and len(self.modalities) < 2:
            raise Malformed("dropout needs a second modality that is left", where=where, do="remove the key")

    def _check_hints(self) -> None:
        if self.hints and self.pairs is not None:
            message = "a pair of samples has no hints of its own"
            raise Malformed(message, where=f"mixture of {self.corpus}", do="leave out hints, or pairs")
        if self.hints and not asking(self.language).hints:
            raise Malformed(f"prompts in {self.language!r} have no hints", do=NO_FRAME)

    def _focused(self, card: CorpusCard) -> LabelSpace:
        space = card.space(self.space)
        return space if self.focus is None else space.focused(self.focus)

    def _check_pairs(self, space: LabelSpace) -> None:
        assert self.pairs is not None
        if space.kind != "dimension" or self.pairs.dimension not in space.names:
            names = ", ".join(space.names) if space.kind == "dimension" else "a dimension space"
            raise Malformed(f"{space.name} has no dimension {self.pairs.dimension!r}", do=f"choose among {names}")
        if not 0 < self.pairs.margin < math.inf:
            raise Malformed(
                "a margin is above 0, or equal samples would be compared", where=f"mixture of {self.corpus}"
            )

    def _also(self, card: CorpusCard) -> Mapping[str, tuple[LabelSpace, str]]:
        bindings = {}
        for slot, bound in (self.also or {}).items():
            bindings[slot] = (card.space(bound.space), card.rater(bound.rater or self.rater))
        return bindings


def has_classes(template: Template) -> bool:
    """Whether the gold answer of the first slot is one label or a set of labels."""
    return template.slots[0].how.classes
