"""Templates: the one that asks is the one that reads.

Law, for every template, paraphrase and language: ``read(answer(sample))`` is the sample's own annotation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from affectllm.corpus import Sample
from affectllm.errors import Malformed, NotFound
from affectllm.instruct import reading
from affectllm.instruct.parts import media_parts, missing_modality
from affectllm.labels import LabelSpace

Form = Literal["choice", "set", "description", "reply"]
Message = dict[str, Any]
PROMPTS = Path(__file__).parent / "prompts"
MODALITIES = ("video", "audio", "image", "text")
# The prompt names what the model is given, so that a text-only question does not speak of a clip.
_STIMULUS = {"video": "video", "audio": "recording", "image": "image", "text": "text"}
_READERS: Mapping[str, Callable[[str, LabelSpace, str], reading.Reading]] = {
    "choice": reading.read_choice,
    "set": reading.read_set,
    "description": reading.read_description,
    "reply": reading.read_reply,
}
_KINDS: Mapping[str, tuple[str, ...]] = {
    "choice": ("category",),
    "set": ("set",),
    "description": ("category", "set"),
    "reply": ("open",),
}


@dataclass(frozen=True)
class Template:
    """A question about one label space as one rater answered it, and the reading of its answers.

    Args:
        name: file name of the wording in ``prompts/``.
        version: number that changes whenever wording or reading changes.
        form: ``choice`` (one of a closed set), ``set`` (several), ``description`` (prose) or ``reply`` (a turn).
        questions: paraphrases with ``{labels}`` and ``{stimulus}``.
        frame: wording around dialogue context and words: keys ``context``, ``words``.
        answer_form: sentence with ``{answer}`` for descriptions.
        space: the label space asked about.
        rater: whose answer is the gold one.
        modalities: what the model is given, a subset of ``video``, ``audio``, ``image``, ``text``.
    """

    name: str
    version: int
    form: Form
    questions: tuple[str, ...]
    frame: Mapping[str, str]
    answer_form: str
    space: LabelSpace
    rater: str
    modalities: tuple[str, ...]

    def reject(self, sample: Sample) -> str | None:
        """Why this sample cannot be asked (``no_annotation``, ``tie``, ``no_<modality>``), or None when it can."""
        annotation = sample.annotation(self.space.name, self.rater)
        if annotation is None:
            return "no_annotation"
        if self.form == "choice" and annotation.tied:
            return "tie"
        if self.form == "description" and annotation.value == ():
            return "no_label"
        return missing_modality(sample, self.modalities)

    def ask(self, sample: Sample, paraphrase: int | None = None) -> list[Message]:
        """The user's message: media parts first, then one text part (a video must precede its question)."""
        number = self.paraphrase(sample) if paraphrase is None else paraphrase
        parts = media_parts(sample, self.modalities)
        return [{"role": "user", "content": [*parts, {"type": "text", "text": self._wording(sample, number)}]}]

    def paraphrase(self, sample: Sample) -> int:
        """The paraphrase chosen by a hash of the sample's id, the same on every build."""
        key = f"{self.name}/{sample.corpus}/{sample.id}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=4).digest(), "big") % len(self.questions)

    def answer(self, sample: Sample) -> str:
        """The text that a perfect model would write."""
        return self.worded(self.gold(sample))

    def worded(self, gold: str | list[str]) -> str:
        """The answer that states ``gold``."""
        if self.form == "set":
            return ", ".join(gold) or "none"
        if self.form == "description":
            return self.answer_form.format(answer=" and ".join([gold] if isinstance(gold, str) else gold))
        return str(gold)

    def gold(self, sample: Sample) -> str | list[str]:
        """The annotation's value as JSON: a name, a list of names, or the reply.

        Raises:
            Malformed: when ``reject(sample)`` is not None because of its annotation.
        """
        annotation = sample.annotation(self.space.name, self.rater)
        if annotation is None:
            raise Malformed(f"{sample.id} has no answer by {self.rater} in {self.space.name}", where=sample.source)
        return list(annotation.value) if not isinstance(annotation.value, str) else annotation.value

    def read(self, text: str) -> reading.Reading:
        """The annotation that ``text`` states, or why it cannot be read."""
        return _READERS[self.form](text, self.space, self.rater)

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers of a closed question, in the order of the prompt; empty for open ones."""
        return self.space.names if self.form == "choice" else ()

    def _wording(self, sample: Sample, number: int) -> str:
        blocks = []
        if "text" in self.modalities:
            if sample.context:
                turns = "\n".join(f"{turn.speaker}: {turn.text}" for turn in sample.context)
                blocks.append(self.frame["context"].format(turns=turns))
            blocks.append(self.frame["words"].format(words=_spoken(sample)))
        blocks.append(self._asked[number])
        return "\n\n".join(blocks)

    @cached_property
    def _asked(self) -> tuple[str, ...]:
        """The paraphrases with labels and stimulus filled in, which are the same for all samples."""
        labels, shown = ", ".join(self.space.names), next(m for m in MODALITIES if m in self.modalities)
        return tuple(question.format(labels=labels, stimulus=_STIMULUS[shown]) for question in self.questions)


def _spoken(sample: Sample) -> str:
    # A dialogue turn needs its speaker, or the context cannot be followed; elsewhere the name says nothing.
    return f"{sample.speaker}: {sample.text}" if sample.context and sample.speaker else str(sample.text)


def template_names() -> list[str]:
    """Every wording that ships."""
    return sorted(path.stem for path in PROMPTS.glob("*.yaml"))


def load_template(name: str, *, space: LabelSpace, rater: str, modalities: tuple[str, ...]) -> Template:
    """Bind the wording ``name`` to a question.

    Raises:
        NotFound: when there is no such wording.
        Malformed: when the wording does not fit the kind of the space, or a modality is unknown or none is given.
    """
    page = _page(name)
    if space.kind not in _KINDS[page["form"]]:
        raise Malformed(f"the template {name} asks for a {page['form']}, but {space.name} is a {space.kind} space")
    if strange := sorted(set(modalities) - set(MODALITIES)):
        raise Malformed(f"unknown modalities {strange}", do=f"choose among {', '.join(MODALITIES)}")
    if not modalities:
        raise Malformed(f"the template {name} is to show nothing", do=f"choose among {', '.join(MODALITIES)}")
    return Template(space=space, rater=rater, modalities=tuple(m for m in MODALITIES if m in modalities), **page)


@cache
def _page(name: str) -> dict[str, Any]:
    import yaml

    path = PROMPTS / f"{name}.yaml"
    if not path.is_file():
        raise NotFound(f"there is no template called {name!r}", do=f"choose among {', '.join(template_names())}")
    page = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        "name": name,
        "version": page["version"],
        "form": page["form"],
        "questions": tuple(page["questions"]),
        "frame": page["frame"],
        "answer_form": page.get("answer", "{answer}"),
    }
