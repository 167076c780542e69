"""Models behind hints of emotions that a recipe trains, one for each fold: a head on any backbone, or an LLM.

Each is an ordinary run of the recipe (``build`` and ``train`` in a folder of its own), whose mixture is narrowed to the
samples of the fold by ``ids``; a command that is killed goes on where it stopped.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affectllm import voice
from affectllm.corpus import Sample
from affectllm.errors import AffectError
from affectllm.evaluate.answers import Answers
from affectllm.hinting.small_model import Finding
from affectllm.instruct import Template
from affectllm.instruct.conversation import Conversation, Messages
from affectllm.instruct.mixture_part import Part
from affectllm.lock import LOCK, held
from affectllm.respond.responder import Unanswered
from affectllm.run import digest, read_manifest
from affectllm.train.checkpoints import FINAL
from affectllm.train.method import find_method
from affectllm.train.recipe import Recipe, data_override, load_recipe
from affectllm.train.whole import train

IDS = "ids.txt"


@dataclass(frozen=True)
class RecipeModel:
    """How models are trained; each call of ``findings`` trains its own.

    Args:
        recipe: learns one question about one corpus.
        name, overrides: of ``recipe``.
        root: folder of the corpus.
        folder: where the runs lie, each under a digest of what it learns from.
    """

    recipe: Recipe
    name: str
    overrides: tuple[str, ...]
    root: Path
    folder: Path

    @classmethod
    def of(cls, name: str, overrides: tuple[str, ...], root: Path, folder: Path) -> RecipeModel:
        """Read a recipe whose models can give the shares of labels.

        Raises:
            AffectError: when it learns more than one question, or what gives no shares; as ``load_recipe``.
        """
        recipe = load_recipe(name, overrides)
        parts, method = recipe.data.mixture, find_method(recipe.method)
        answers = method.answers_as in ("affectllm", "affectllm-head")
        if len(parts) > 1 or recipe.matrix or recipe.teacher or not answers:
            message = f"{name} cannot make hints: it has several parts, a matrix or a teacher, or answers nothing"
            raise AffectError(message, do="choose a recipe of one part of a mixture that trains an LLM or a head")
        (part,) = parts
        if part.ids or part.hints or part.pairs or part.person:
            raise AffectError(f"the mixture of {name} has ids, hints, pairs or person", do="take them out of a copy")
        return cls(recipe, name, overrides, root, folder)

    @property
    def part(self) -> Part:
        """What is asked of whom."""
        return self.recipe.data.mixture[0]

    @property
    def template(self) -> Template:
        """What asks."""
        return self.part.bind()

    def findings(
        self, learned: Sequence[Sample], labels: Sequence[str], asked: Sequence[Sample]
    ) -> list[Finding | None]:
        """Train on ``learned`` alone, and return what the model says of ``asked``; None where it has no answer."""
        place = self._trained([sample.id for sample in learned])
        scores, names = self._scores(place, asked), self.template.space.names
        return [None if its is None else Finding(_shares(names, its)) for its in scores]

    def _scores(self, place: Path, asked: Sequence[Sample]) -> list[list[float] | None]:
        """Return the likelihoods of the labels of each sample, asking for those that are not kept yet."""
        weights = (read_manifest(place / "train") or {}).get("inputs_digest")
        kept, choices = Answers(place / "answers"), self._choices()
        keys = [digest([weights, sample.id]) for sample in asked]
        asks: dict[str, tuple[Messages, Sequence[str]]] = {}
        for key, sample in zip(keys, asked, strict=True):
            conversation = Conversation.unlabelled(sample, self.template)
            if kept.get(key) is None and isinstance(conversation, Conversation):
                asks[key] = conversation.asked, choices
        if asks:
            order, roots = list(asks), {self.part.corpus: self.root}
            answers = self._responder(place / "train" / FINAL).likelihoods(list(asks.values()), roots)
            for number, scores in voice.bar(answers, total=len(asks), desc="likelihoods", unit=" samples"):
                if not isinstance(scores, Unanswered):
                    kept.add({order[number]: list(map(float, scores))})
            gc.collect()  # before the next fold needs the memory
        return [kept.get(key) for key in keys]

    def _choices(self) -> list[str]:
        template = self.template
        return [template.worded({template.slots[0].name: name}) for name in template.space.names]

    def _trained(self, ids: Sequence[str]) -> Path:
        """Build and train on the samples with these ids, and return the folder of the run."""
        place = self.folder / digest(sorted(ids))[:12]
        place.mkdir(parents=True, exist_ok=True)
        listed = place / IDS
        listed.write_text("".join(f"{one}\n" for one in sorted(ids)), encoding="utf-8")
        mixture = replace(self.recipe.data, mixture=(replace(self.part, ids=str(listed)),))
        overrides = [*self.overrides, data_override(mixture)]
        voice.tell(f"{self.name}: learning from {len(ids):,} samples")
        with held(place / LOCK), voice.kept(place / voice.LOG):
            train(self.name, load_recipe(self.name, overrides), overrides, {self.part.corpus: self.root}, place)
        return place

    def _responder(self, weights: Path) -> Any:
        import torch

        from affectllm.model.heads.folder import is_head, load_head
        from affectllm.model.load import load_model
        from affectllm.respond.heads import HeadResponder
        from affectllm.respond.in_process import InProcess

        device, size = "cuda" if torch.cuda.is_available() else "cpu", self.recipe.eval.batch_size
        if is_head(str(weights)):
            return HeadResponder(load_head(str(weights), device), batch_size=size)
        loaded = load_model(str(weights), processor=self.recipe.model.processor, device=device)
        loaded.model.eval()
        return InProcess(loaded, budget=self.recipe.model.budget, batch_size=size, end_of_turn=True)


def _shares(names: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
    """Return name → its share by a softmax of log-likelihoods, the largest first."""
    most = max(scores)
    weights = {name: math.exp(score - most) for name, score in zip(names, scores, strict=True)}
    total = math.fsum(weights.values())
    return {name: weights[name] / total for name in sorted(names, key=lambda name: (-weights[name], name))}
