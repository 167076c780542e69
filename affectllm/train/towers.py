"""Towers while they are trained: a learning rate for each, and a gradient from the first step that gives one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe, NoGradient
from affectllm.model.family import Family
from affectllm.model.media_dtypes import converted, media_dtypes
from affectllm.model.weights.spelling import bare
from affectllm.train.ranks.filling import FILLED
from affectllm.voice import tell

if TYPE_CHECKING:
    import torch

    from affectllm.train.recipe import Recipe

_RANK = "tower"  # key of an optimiser's group


@dataclass(frozen=True)
class Towers:
    """What a trainer is told of the towers of its model.

    Args:
        family: of the model.
        rates: tower → its learning rate; the others have ``trainer.learning_rate``.
    """

    family: Family
    rates: Mapping[str, float]

    def of(self, weight: str) -> str | None:
        """The tower of a trained weight, whatever PEFT and wrappers have made of its name."""
        return self.family.tower_of(bare(weight))


class ByTower:
    """A part of a ``transformers.Trainer`` that knows the towers of its model; without ``towers`` it does nothing.

    Raises:
        NoGradient: on the first step whose batches carry what a trained tower takes, where it has no gradient all the
            same. Steps that leave every weight as it is (all rewards alike) say nothing, and the next is looked at.
    """

    towers: Towers | None = None
    _formats: Mapping[str, torch.dtype] | None = None  # of the media tensors
    _waiting: set[str] | None = None  # trained towers that no step has been seen to reach
    _carried: set[str]  # tensors in the batches of the optimiser step that is going on
    _reached: set[str]  # towers with a gradient that is gone before it can be looked at

    def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        optimizer = super().create_optimizer(*args, **kwargs)  # type: ignore[misc]
        if self.towers is not None and self.towers.rates:
            names = {id(weight): name for name, weight in self.model.named_parameters()}  # type: ignore[attr-defined]
            set_rates(optimizer, names, self.towers)
        return optimizer

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        filled = inputs.pop(FILLED, ())  # of these nothing is asked, so they bring no gradient
        if self.towers is not None:
            if self._formats is None:
                self._formats = media_dtypes(self.model, self.towers.family)  # type: ignore[attr-defined]
            inputs = converted(inputs, self._formats)
        if model.training and self.towers is not None:
            if self._waiting is None:
                self._begin_to_wait(self.towers)
            self._carried |= set(inputs) - set(filled)
        return super().compute_loss(model, inputs, *args, **kwargs)  # type: ignore[misc]

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        if self._waiting and self.towers is not None:
            self._look(self.towers, self._waiting)
        return super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[misc]

    def _begin_to_wait(self, towers: Towers) -> None:
        self._carried, self._reached = set(), set()
        owned = [(tower, weight) for name, weight in self._trained() if (tower := towers.of(name)) is not None]
        self._waiting = {tower for tower, _ in owned}
        if str(self.accelerator.distributed_type).endswith("DEEPSPEED"):  # type: ignore[attr-defined]
            # Its engine steps and drops the gradients within the backward pass.
            for tower, weight in owned:
                weight.register_hook(self._note(tower))

    def _note(self, tower: str) -> Any:
        def note(gradient: torch.Tensor) -> None:
            if self._waiting and tower in self._waiting and tower not in self._reached and bool(gradient.any()):
                self._reached.add(tower)

        return note

    def _look(self, towers: Towers, waiting: set[str]) -> None:
        import torch

        accelerator: Any = self.accelerator  # type: ignore[attr-defined]
        order = sorted(waiting)
        reached = self._reached | _with_gradient(self._trained(), towers, waiting)
        there = [not (needed := towers.family.carriers(tower)) or bool(self._carried & set(needed)) for tower in order]
        own = [[float(present), float(tower in reached)] for tower, present in zip(order, there, strict=True)]
        sums = accelerator.reduce(torch.tensor(own, device=accelerator.device), reduction="sum").tolist()
        self._carried, self._reached = set(), set()
        if not any(count for _, count in sums):
            return
        for tower, (present, count) in zip(order, sums, strict=True):
            if present and not count:
                raise _without_gradient(tower, self.state.global_step + 1)  # type: ignore[attr-defined]
            if count:
                waiting.discard(tower)

    def _trained(self) -> Iterable[tuple[str, torch.nn.Parameter]]:
        named = self.model.named_parameters()  # type: ignore[attr-defined]
        return ((name, weight) for name, weight in named if weight.requires_grad)


def set_rates(optimizer: Any, names: Mapping[int, str], towers: Towers) -> None:
    """Give every tower with a rate of its own a group of the optimiser; what has none comes first.

    Args:
        names: ``id`` of a weight → its name in the model.
    """
    groups = []
    for group in optimizer.param_groups:
        parts: dict[str, list[Any]] = {}
        for weight in group["params"]:
            tower = towers.of(names[id(weight)]) or ""
            parts.setdefault(tower if tower in towers.rates else "", []).append(weight)
        for tower, weights in parts.items():
            rate = {"lr": towers.rates[tower]} if tower else {}
            groups.append({**group, "params": weights, _RANK: tower, **rate})
    optimizer.param_groups[:] = sorted(groups, key=lambda group: bool(group[_RANK]))


def trained_towers(model: Any, towers: Towers, default: float) -> dict[str, dict[str, float]]:
    """Tower → how many of its weights are trained, and at which learning rate at the most.

    Raises:
        BadRecipe: when a tower has a learning rate of its own, but nothing in it is trained.
    """
    counts: dict[str, int] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            tower = towers.of(name) or "head"
            counts[tower] = counts.get(tower, 0) + int(getattr(weight, "ds_numel", weight.numel()))
    if idle := sorted(set(towers.rates) - set(counts)):
        raise BadRecipe(
            f"model.learning_rates names the tower {idle[0]}, but nothing in it is trained",
            do="name it in model.adapt, take it out of model.freeze, or leave its rate out",
        )
    return {
        tower: {"parameters": count, "learning_rate": towers.rates.get(tower, default)}
        for tower, count in sorted(counts.items())
    }


def check_named(recipe: Recipe, family: Family, heard: Iterable[str]) -> None:
    """Make sure that every tower that the recipe names for training is reached by some row.

    Args:
        heard: modalities of the training rows beside text.

    Raises:
        BadRecipe: with the tower and what it takes.
    """
    tensors = {family.tensors[modality] for modality in heard}
    page = recipe.model
    for key, named in (("adapt", page.adapt), ("learning_rates", page.learning_rates)):
        for tower in named or ():
            needed = family.carriers(tower)
            if needed and not tensors & set(needed):
                raise BadRecipe(
                    f"model.{key} names the tower {tower}, but no row of the mixture has a clip for it",
                    do="add a part with its modality, or leave the tower out",
                )


def _with_gradient(weights: Iterable[tuple[str, torch.nn.Parameter]], towers: Towers, waiting: set[str]) -> set[str]:
    reached: set[str] = set()
    for name, weight in weights:
        tower = towers.of(name)
        if tower in waiting and tower not in reached and weight.grad is not None:
            gradient = weight.grad.to_local() if hasattr(weight.grad, "to_local") else weight.grad
            if bool(gradient.any()):
                reached.add(tower)
    return reached


def _without_gradient(tower: str, step: int) -> NoGradient:
    return NoGradient(
        f"the tower {tower} has no gradient at step {step}, though what it takes is in the batch: it would not learn",
        do="check that its layers are those that the model uses, or freeze it or take it out of model.adapt",
    )


def say(trained: Mapping[str, Mapping[str, float]]) -> None:
    """Print what is trained, a tower a line."""
    for tower, facts in trained.items():
        rate, count = facts["learning_rate"], int(facts["parameters"])
        tell(f"trained: {tower}, {count:,} parameters at a learning rate of {rate:g}")
