"""Mixins for TRL's trainers that sample replies (GRPO, RLOO, distillation): prompts are conversations with clips.

TRL's own trainers would tokenise the conversations without the clips of audio and video, and train on tokens without
features. Here each prompt is encoded once for a group of replies, its clips are kept aside, and found again by the
number of the row when the replies are scored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trl.models.utils import unwrap_model_for_generation
from trl.trainer.utils import RepeatSampler

from affectllm.errors import AffectError, BadRecipe
from affectllm.instruct.conversation import Conversation
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.media_dtypes import converted, media_dtypes
from affectllm.train.checkpoints import REPLIES, ReplyLog
from affectllm.train.finite import ROWS
from affectllm.train.rewards.by_reading import sample_of

if TYPE_CHECKING:
    import torch
    from datasets import Dataset

IGNORED = -100
_ROW = "row"  # of a scored batch: which of the prompts that are held each reply continues


class Sampled:
    """Comes before a trainer of TRL that samples replies; a row of its data set is one of a conversations file.

    Args:
        encoder: of the model that is trained.
    """

    eos_token_ids: list[int]

    def __init__(self, *args: Any, encoder: Encoder, **options: Any) -> None:
        super().__init__(*args, **options)
        self.encoder = encoder
        self._held: list[Encoded] = []  # the prompts of the replies that were sampled last
        self._ids: list[str] = []
        self._scored: list[int] | None = None  # rows of the batch whose loss is computed; None for all
        self._replies: ReplyLog | None = None
        tokenizer, family = encoder.tokenizer, encoder.family
        ends = sorted({*self.eos_token_ids, tokenizer.convert_tokens_to_ids(family.end_of_turn)})
        # A sampled placeholder would be a clip without features in the next forward pass.
        own = {
            "eos_token_id": ends,
            "suppress_tokens": sorted(map(tokenizer.convert_tokens_to_ids, family.placeholders.values())),
        }
        self.eos_token_ids = ends
        self.generation_kwargs.update(own)  # type: ignore[attr-defined]
        self.generation_config.update(**own)  # type: ignore[attr-defined]

    def _get_train_sampler(self, dataset: Dataset | None = None) -> RepeatSampler:
        theirs: Any = super()._get_train_sampler(dataset)  # type: ignore[misc]
        if len(theirs.data_source) < theirs.batch_size:
            message = f"a step takes {theirs.batch_size:,} conversations, and there are {len(theirs.data_source):,}"
            raise BadRecipe(message, do="lower trainer.per_device_train_batch_size, or add data")
        return _ByEpoch(
            theirs.data_source,
            theirs.mini_repeat_count,
            theirs.batch_size,
            theirs.repeat_count,
            theirs.shuffle,
            theirs.seed,
        )

    def _generate_and_score_completions(self, inputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
        self._scored = None
        self._ids = [row["id"] for row in inputs]
        asked = [{"prompt": list(Conversation.from_row(row).asked), "samples": sample_of(row)} for row in inputs]
        result: dict[str, Any] = super()._generate_and_score_completions(asked)  # type: ignore[misc]
        result[_ROW] = _numbers(len(inputs))
        if self.model.training:  # type: ignore[attr-defined]
            self._keep_one(result)
        return result

    def _rewards_of_first(self) -> dict[str, float | None]:
        """Return what the first of the replies that were just sampled is rewarded with; nothing without rewards."""
        return {}

    def _keep_one(self, result: dict[str, Any]) -> None:
        """Write the first of the replies that were just sampled, with its rewards: one a step is enough to see."""
        if not self.accelerator.is_main_process:  # type: ignore[attr-defined]
            return
        tokens = result["completion_ids"][0][result["completion_mask"][0].bool()]
        reply = self.encoder.tokenizer.decode(tokens.tolist(), skip_special_tokens=True)
        step = self.state.global_step + 1  # type: ignore[attr-defined]
        if self._replies is None:
            self._replies = ReplyLog(Path(self.args.output_dir) / REPLIES, step)  # type: ignore[attr-defined]
        self._replies.add({"step": step, "id": self._ids[0], "reply": reply, "rewards": self._rewards_of_first()})

    def _tokenize_prompts(self, prompts: Sequence[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        self._held = list(self._encoded(prompts))
        return [prompt.input_ids.tolist() for prompt in self._held], None, {}

    def _encoded(self, prompts: Sequence[Any]) -> Iterable[Encoded]:
        """Encode prompts; those of one group follow each other and are equal."""
        before, item = None, None
        for prompt, name in zip(prompts, self._ids, strict=True):
            if item is None or prompt != before:
                before, item = prompt, self._one(prompt, name)
            yield item

    def _one(self, prompt: Any, name: str) -> Encoded:
        item = self.encoder.encode(prompt, generation_prompt=True)
        if isinstance(item, MediaError):
            message = f"a clip that was readable before training is {item.reason} now ({item.detail or item.path})"
            raise AffectError(message, where=name, do="restore the file and start the same command again")
        return item

    def sampled(self) -> list[list[int]]:
        """Sample a reply to each prompt that is held; up to and with its first end of turn."""
        import torch

        args: Any = self.args  # type: ignore[attr-defined]
        batch = self.encoder.collate(self._held, side="left")
        del batch["labels"]
        unwrapped = unwrap_model_for_generation(
            self.model_wrapped,  # type: ignore[attr-defined]
            self.accelerator,  # type: ignore[attr-defined]
            gather_deepspeed3_params=args.ds3_gather_for_generation,
            generation_kwargs=self.generation_kwargs,  # type: ignore[attr-defined]
            gradient_checkpointing_kwargs=args.gradient_checkpointing_kwargs,
        )
        with unwrapped as network, torch.no_grad(), self.accelerator.autocast():  # type: ignore[attr-defined]
            out = network.generate(**self._here(batch), generation_config=self.generation_config)  # type: ignore[attr-defined]
        replies = out[:, batch["input_ids"].shape[1] :].tolist()
        return [_until(reply, self.eos_token_ids) for reply in replies]

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **options: Any) -> Any:
        self._scored = inputs[_ROW].tolist()
        carried = {name: None for row in self._scored for name in self._held[row].media}
        batch = {**carried, **inputs, ROWS: [self._ids[row] for row in self._scored]}
        return super().compute_loss(model, batch, *args, **options)  # type: ignore[misc]

    def _here(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        device = self.accelerator.device  # type: ignore[attr-defined]
        formats = media_dtypes(self.model, self.encoder.family)  # type: ignore[attr-defined]
        return converted({name: tensor.to(device) for name, tensor in batch.items()}, formats)


def continued(encoder: Encoder, prompts: Sequence[Encoded], width: int, replied: int) -> dict[str, torch.Tensor]:
    """Return what the model takes beside tokens and mask where each prompt is followed by a reply.

    Args:
        width: of the whole, which is padded on the left before the prompts.
        replied: tokens of the longest reply.

    Returns:
        Clips, and where the family has them positions ``[3, prompts, width]`` and kinds of tokens ``[prompts, width]``.
    """
    import torch

    batch = encoder.collate(prompts, side="left")
    before = width - replied - batch["input_ids"].shape[1]
    for name in ("input_ids", "attention_mask", "labels"):
        del batch[name]
    if encoder.family.kinds:
        batch[encoder.family.kinds] = torch.nn.functional.pad(batch[encoder.family.kinds], (before, replied))
    if "position_ids" in batch:
        # Words go on after the last position of the prompt, whatever clips have made of it.
        ends = torch.stack([one.positions.max() for one in prompts if one.positions is not None])
        after = ends[:, None] + 1 + torch.arange(replied)
        positions = torch.nn.functional.pad(batch["position_ids"], (before, 0), value=1)
        batch["position_ids"] = torch.cat([positions, after.expand(len(positions), -1, -1)], dim=-1)
    return batch


class _ByEpoch(RepeatSampler):  # type: ignore[misc]
    """Draws the order of an epoch from its number, so that a run that was cut off goes on in the same order."""

    def set_epoch(self, epoch: int) -> None:
        if self.shuffle:
            self.generator.manual_seed((self.seed or 0) * 100_003 + epoch)


def _until(reply: list[int], ends: Sequence[int]) -> list[int]:
    first = next((place for place, token in enumerate(reply) if token in ends), len(reply))
    return reply[: first + 1]


def _numbers(count: int) -> torch.Tensor:
    import torch

    return torch.arange(count)


class Rewarded(Sampled):
    """Comes before ``trl.GRPOTrainer`` or ``trl.RLOOTrainer``.

    Reward functions get a column ``samples`` with ``sample_of`` each row.
    """

    def _rewards_of_first(self) -> dict[str, float | None]:
        logs: Any = self._logs  # type: ignore[attr-defined]
        values = {name: values[0] for name, values in logs["rewards"].items()}
        return {name: value if math.isfinite(value) else None for name, value in values.items()}

    def _calculate_rewards(self, *args: Any, **options: Any) -> torch.Tensor:
        """Return the rewards ``[replies of all processes, functions]``; NaN where a function does not judge a reply.

        Raises:
            AffectError: when none judges any reply: the step would train on nothing.
        """
        rewards: torch.Tensor = super()._calculate_rewards(*args, **options)  # type: ignore[misc]
        if rewards.isnan().all():
            do = "return a number for each; None is for replies that another reward judges"
            raise AffectError(f"no reward gives a number for any of {len(rewards)} replies", where=self._ids[0], do=do)
        return rewards

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        **_: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        """Return the log-probabilities of the replies' tokens ``[rows, logits_to_keep]``, and entropies if asked."""
        import torch

        rows = list(range(len(input_ids))) if self._scored is None else self._scored
        size = batch_size or len(rows)
        outs = []
        for begin in range(0, len(rows), size):
            part = slice(begin, begin + size)
            prompts = [self._held[row] for row in rows[part]]
            outs.append(self._forward(model, prompts, input_ids[part], attention_mask[part], logits_to_keep))
        logs = torch.cat([out.log_probs[:, -logits_to_keep:] for out in outs])
        entropy = torch.cat([out.entropy[:, -logits_to_keep:] for out in outs]) if compute_entropy else None
        return logs, entropy, None

    def _forward(
        self, model: Any, prompts: Sequence[Encoded], ids: torch.Tensor, mask: torch.Tensor, replied: int
    ) -> Any:
        batch = continued(self.encoder, prompts, ids.shape[1], replied)
        labels = ids.masked_fill(mask == 0, IGNORED)
        labels[:, :-replied] = IGNORED
        with self.accelerator.autocast():  # type: ignore[attr-defined]
            return model(
                input_ids=ids,
                attention_mask=mask,
                **self._here(batch),
                labels=labels,
                fused_lm_head=True,
                use_cache=False,
            )


class Grouped(Rewarded):
    """For ``trl.GRPOTrainer``."""

    def _generate_single_turn(self, *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        return self.sampled(), None


class LeaveOneOut(Rewarded):
    """For ``trl.RLOOTrainer``."""

    def _generate_single_turn(self, *_: Any, **__: Any) -> list[list[int]]:
        return self.sampled()
