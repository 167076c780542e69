"""Mixin for ``trl.DistillationTrainer``: student and teacher read the same conversations, with the same clips.

The student's replies are sampled as in ``train/sampled.py``. TRL's trainer compares the two models on them from the
last hidden states of both, for which it would pass the features of pictures alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError, WrongCheckpoint
from affectllm.instruct.conversation import Conversation
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.media_dtypes import converted, media_dtypes
from affectllm.train.sampled import IGNORED, Sampled, continued

if TYPE_CHECKING:
    import torch


class Distilled(Sampled):
    """Comes before ``trl.DistillationTrainer``, whose configuration is a ``DistilConfig``.

    Args:
        teacher_encoder: of the teacher, by which it is made sure once that clips are the same for both.
    """

    def __init__(self, *args: Any, teacher_encoder: Encoder, **options: Any) -> None:
        super().__init__(*args, **options)
        self._teacher_encoder = teacher_encoder
        self._compared: set[frozenset[str]] = set()  # kinds of clips of which both encoders have made the same
        self._rows: Sequence[dict[str, Any]] = ()
        self._beside: dict[str, torch.Tensor] = {}  # what both models take beside tokens

    def _generate_and_score_completions(self, inputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
        self._rows = inputs
        return super()._generate_and_score_completions(inputs)

    def _generate_single_turn(self, *_: Any, **__: Any) -> list[list[int]]:
        return self.sampled() if self._samples() else [self._given(row) for row in self._rows]

    def _samples(self) -> bool:
        """Return whether the student answers itself: of a step on all processes alike, also after a kill."""
        import torch

        share, training = self.args.lmbda, self.model.training  # type: ignore[attr-defined]
        if not training or share in (0.0, 1.0):
            return bool(share > 0)
        step = self.state.global_step  # type: ignore[attr-defined]
        drawn = torch.Generator().manual_seed(self.args.seed * 100_003 + step)  # type: ignore[attr-defined]
        return float(torch.rand((), generator=drawn)) < share

    def _given(self, row: dict[str, Any]) -> list[int]:
        """Return the tokens of the answer of a row, with its end of turn."""
        item = self.encoder.encode(Conversation.from_row(row).answered())
        if isinstance(item, MediaError):
            message = f"a clip that was readable before training is {item.reason} now ({item.detail or item.path})"
            raise AffectError(message, where=row["id"], do="restore the file and start the same command again")
        return last_answer(item)

    def _keep_one(self, result: dict[str, Any]) -> None:
        if self._samples():
            super()._keep_one(result)

    def _one(self, prompt: Any, name: str) -> Encoded:
        item = super()._one(prompt, name)
        if (kinds := frozenset(item.media)) not in self._compared:
            self._compared.add(kinds)
            if not same(item, self._teacher_encoder.encode(prompt, generation_prompt=True)):
                message = "the teacher's processor makes other tokens, clips or positions of a conversation"
                raise WrongCheckpoint(message, where=name, do="choose a teacher with the student's processor")
        return item

    def _compute_loss(self, student: Any, inputs: dict[str, Any], *args: Any) -> Any:
        assert self._scored is not None
        replied = inputs["completion_ids"].shape[1]
        width = inputs["prompt_ids"].shape[1] + replied
        self._beside = continued(self.encoder, [self._held[row] for row in self._scored], width, replied)
        return super()._compute_loss(student, inputs, *args)  # type: ignore[misc]

    def _get_last_hidden_state(
        self, network: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, logits_to_keep: int, **_: Any
    ) -> torch.Tensor:
        """Return the hidden states from which the tokens of the replies follow, ``[rows, logits_to_keep, width]``."""
        owner = network.get_base_model() if hasattr(network, "get_base_model") else network
        device = self.accelerator.device  # type: ignore[attr-defined]
        beside = {name: tensor.to(device) for name, tensor in self._beside.items()}
        beside = converted(beside, media_dtypes(owner, self.encoder.family))
        with self.accelerator.autocast():  # type: ignore[attr-defined]
            out = owner.base_model(input_ids=input_ids, attention_mask=attention_mask, **beside, use_cache=False)
        states: torch.Tensor = out.last_hidden_state
        return states[:, :-1][:, -logits_to_keep:]


def last_answer(item: Encoded) -> list[int]:
    """Return the tokens of the last answer of a conversation."""
    answered = (item.labels != IGNORED).int()
    begins = answered.diff(prepend=answered.new_zeros(1)) == 1
    start = int(begins.nonzero()[-1])
    tokens = item.labels[start:]
    return [int(token) for token in tokens[tokens != IGNORED]]


def same(one: Encoded, other: Encoded | MediaError) -> bool:
    """Return whether two encoders have made the same of a conversation."""
    import torch

    if isinstance(other, MediaError) or one.media.keys() != other.media.keys():
        return False
    pairs = [(one.input_ids, other.input_ids), *((one.media[name], other.media[name]) for name in one.media)]
    if one.positions is not None and other.positions is not None:
        pairs.append((one.positions, other.positions))
    return all(torch.equal(left, right) for left, right in pairs)
