"""Prototypes: given vectors of classes, or of places in valence and arousal, to which representations are drawn.

After NeuroGaze-Distill (Li et al., arXiv 2509.11916), whose 25 prototypes, 5 by 5 over valence and arousal, come from a
network that reads EEG. Here they are a file of the user's: a JSON list of ``{"label": …, "vector": […]}``, or of
``{"valence": …, "arousal": …, "vector": […]}`` with both from -1 to 1. A label may have several; the nearest counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F

from affectllm.errors import Malformed, NotFound
from affectllm.model.heads.answers import Answers

if TYPE_CHECKING:
    from torch import Tensor

_PLACE = ("valence", "arousal")


class Prototypes(nn.Module):
    """The pull to prototypes: ``1 - cos(h, m)``, the mean over rows that have one.

    Args:
        vectors: ``[prototypes, width]``.
        owned: ``[outputs, prototypes]``, whether a prototype is one of a label; None where places say it.
        places: ``[prototypes, 2]``, valence and arousal from 0 to 1; None where labels say it.
        columns: of valence and arousal among the outputs.
    """

    vectors: Tensor
    owned: Tensor | None
    places: Tensor | None

    def __init__(
        self,
        vectors: Tensor,
        owned: Tensor | None = None,
        places: Tensor | None = None,
        columns: Sequence[int] = (0, 1),
    ) -> None:
        super().__init__()
        # They follow the model to its device, and belong to the training, not to the head.
        self.register_buffer("vectors", F.normalize(vectors, dim=-1), persistent=False)
        self.register_buffer("owned", owned, persistent=False)
        self.register_buffer("places", places, persistent=False)
        self._columns = list(columns)

    def forward(self, states: Tensor, targets: Tensor) -> Tensor:
        """Return the pull of a batch.

        Args:
            states: ``[rows, width]``.
            targets: classes ``[rows]``, labels or numbers ``[rows, outputs]``: see ``Answers.targets``.
        """
        cosines = F.normalize(states, dim=-1) @ self.vectors.to(states.dtype).T
        if self.owned is None:
            nearest, has = self._by_place(cosines, targets)
        else:
            nearest, has = self._by_label(cosines, targets, self.owned)
        return ((1 - nearest) * has).sum() / has.sum().clamp(min=1)

    def _by_place(self, cosines: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return each row's cosine to the prototype nearest in valence and arousal, and whether it has one."""
        assert self.places is not None
        felt = targets[:, self._columns].to(cosines.dtype)
        has = felt.isfinite().all(1)
        felt = felt.where(has[:, None], 0.0)
        nearest = torch.cdist(felt, self.places.to(cosines.dtype)).argmin(1)
        return cosines.gather(1, nearest[:, None])[:, 0], has

    @staticmethod
    def _by_label(cosines: Tensor, targets: Tensor, owned: Tensor) -> tuple[Tensor, Tensor]:
        """Return each row's cosine to the nearest prototype of its label, the mean over its labels."""
        best = cosines[:, None].masked_fill(~owned, -torch.inf).amax(-1)  # [rows, outputs]
        held = F.one_hot(targets, len(owned)).bool() if targets.ndim == 1 else targets > 0.5
        counts = held & owned.any(1)
        number = counts.sum(1)
        return best.where(counts, 0.0).sum(1) / number.clamp(min=1), number > 0


def load_prototypes(path: str, answers: Answers) -> Prototypes:
    """Read the prototypes of a head's outputs from a file.

    Raises:
        NotFound: when there is no file.
        Malformed: when it is none, or a label or place is missing, or vectors are 0, not finite or of unlike widths.
    """
    entries = _entries(Path(path).expanduser(), path)
    vectors = torch.tensor([_vector(entry, path, n) for n, entry in enumerate(entries, 1)])
    if answers.kind == "numbers":
        if missing := [name for name in _PLACE if name not in answers.names]:
            message = f"the head gives no {missing[0]}, and prototypes of numbers lie in valence and arousal"
            raise Malformed(message, where=path, do=f"it gives {', '.join(answers.names)}")
        places = [[_coordinate(entry, name, path, n) for name in _PLACE] for n, entry in enumerate(entries, 1)]
        columns = [answers.names.index(name) for name in _PLACE]
        return Prototypes(vectors, places=(torch.tensor(places) + 1) / 2, columns=columns)
    owned = torch.zeros(len(answers.names), len(entries), dtype=torch.bool)
    for number, entry in enumerate(entries):
        if entry.get("label") not in answers.names:
            message = f"the prototype {number + 1} is of the label {entry.get('label')!r}, which the head does not give"
            raise Malformed(message, where=path, do=f"write label: one of {', '.join(answers.names)}")
        owned[answers.names.index(entry["label"]), number] = True
    return Prototypes(vectors, owned=owned)


def _entries(file: Path, path: str) -> list[Mapping[str, Any]]:
    if not file.is_file():
        raise NotFound(f"there is no file of prototypes {path}", do="give the path of a JSON file")
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Malformed(
            f"this is not JSON: {error}", where=path, do='write [{"label": …, "vector": […]}, …]'
        ) from error
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        message = "prototypes are a list of objects with a vector each"
        raise Malformed(message, where=path, do='write [{"label": …, "vector": […]}, …]')
    widths = {len(entry["vector"]) for entry in entries if isinstance(entry.get("vector"), list)}
    if len(widths) > 1:
        raise Malformed(
            f"the vectors have {' and '.join(map(str, sorted(widths)))} numbers", where=path, do="make them alike"
        )
    return entries


def _vector(entry: Mapping[str, Any], path: str, number: int) -> list[float]:
    vector = entry.get("vector")
    right = isinstance(vector, list) and all(
        isinstance(one, int | float) and abs(one) <= sys.float_info.max for one in vector
    )
    if not isinstance(vector, list) or not right or not any(vector):
        message = f"the vector of prototype {number} is no list of finite numbers, or has no direction"
        raise Malformed(message, where=path, do="write its numbers, not all of them 0")
    return [float(one) for one in vector]


def _coordinate(entry: Mapping[str, Any], name: str, path: str, number: int) -> float:
    value = entry.get(name)
    if not isinstance(value, int | float) or not -1.0 <= value <= 1.0:
        message = f"{name} of prototype {number} is {value!r}"
        raise Malformed(message, where=path, do="write valence and arousal, both from -1 to 1")
    return float(value)
