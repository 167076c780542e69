"""The configuration of distillation: TRL's, and the share of replies that the student gives itself."""

from __future__ import annotations

from dataclasses import dataclass

from trl import DistillationConfig


@dataclass
class DistilConfig(DistillationConfig):  # type: ignore[misc]
    """Fields of ``trl.DistillationConfig``, and one of ``trl.experimental.gkd.GKDConfig``.

    Args:
        lmbda: share of the steps whose replies the student samples itself; the others, and with 0 all of them, compare
            the two models on the given answers. GKD's λ (Agarwal et al., ICLR 2024).
    """

    lmbda: float = 1.0
