"""Mixin of every method's trainer.

It stops at numbers that are not finite and at towers that cannot learn, has a learning rate for each tower, and resumes
to the same losses.
"""

from __future__ import annotations

import functools
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from transformers import EarlyStoppingCallback, PreTrainedModel

from affectllm.errors import WrongCheckpoint
from affectllm.train.by_answers import ByAnswers
from affectllm.train.checkpoints import FINAL
from affectllm.train.collator import Collator
from affectllm.train.data import LENGTH
from affectllm.train.finite import FiniteOnly
from affectllm.train.head import answered_positions_only
from affectllm.train.method import Method
from affectllm.train.ranks.sharding import without_state_of_unused
from affectllm.train.sampling import LengthGroups, TokenBatches
from affectllm.train.towers import ByTower

if TYPE_CHECKING:
    from datasets import Dataset
    from torch.utils.data import Sampler


class Resumable(ByAnswers, ByTower, FiniteOnly):
    """Trainer mixin whose checkpoints can be resumed to the same losses.

    The order of batches depends on seed and epoch alone. Checkpoints keep the modules' own parameter names: the
    trainer reads them back by name and only warns about what it misses, so with the Hub's names, which differ in
    multimodal families, a resumed run would go on from untrained weights.
    """

    batch_tokens: int | None = None
    """Most tokens of a batch, padding included; None for batches of so many rows."""
    _order: LengthGroups | TokenBatches | None = None

    def _prepare_inputs(self, inputs: Any) -> Any:
        prepared = super()._prepare_inputs(inputs)  # type: ignore[misc]
        collator: Any = self.data_collator  # type: ignore[attr-defined]
        return collator.numbers(prepared) if isinstance(collator, Collator) else prepared

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        uncounted = _uncounted(inputs)
        with answered_positions_only():
            result = super().compute_loss(model, inputs, *args, **kwargs)
        if uncounted and model.training:
            self._count(uncounted)
        return result

    def _count(self, tokens: int) -> None:
        """Add tokens to those that TRL says it has trained on."""
        import torch

        own = torch.tensor(tokens, device=self.accelerator.device)  # type: ignore[attr-defined]
        self._total_train_tokens += int(self.accelerator.gather_for_metrics(own).sum())  # type: ignore[attr-defined]
        self._metrics["train"]["num_tokens"] = [self._total_train_tokens]  # type: ignore[attr-defined]

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        model: Any = self.model  # type: ignore[attr-defined]
        if isinstance(model, PreTrainedModel) and not str(output_dir).endswith(FINAL):
            vars(model)["save_pretrained"] = functools.partial(model.save_pretrained, save_original_format=False)
        try:
            super()._save(output_dir, state_dict)  # type: ignore[misc]
        finally:
            vars(model).pop("save_pretrained", None)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write none: the card is made of the run, by ``affectllm publish``; TRL's knows neither data nor scores."""

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        model: Any = self.model  # type: ignore[attr-defined]
        # A tied head is not stored beside the embedding that it is.
        tied = set(getattr(model, "_keys_to_ignore_on_save", None) or ()) | set(
            getattr(model, "all_tied_weights_keys", None) or ()
        )
        missing = set(load_result.missing_keys) - tied
        if missing or load_result.unexpected_keys:
            named = ", ".join(sorted(missing or load_result.unexpected_keys)[:3])
            raise WrongCheckpoint(
                f"the checkpoint does not fit the model ({len(missing)} parameters missing, for example {named})",
                do="delete the checkpoint folder and start again",
            )
        if tied:
            model.tie_weights()

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        with without_state_of_unused() if self.is_fsdp_enabled else nullcontext():  # type: ignore[attr-defined]
            super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[misc]

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[Any] | None:
        args: Any = self.args  # type: ignore[attr-defined]
        rows: Any = self.train_dataset if train_dataset is None else train_dataset  # type: ignore[attr-defined]
        seed = args.data_seed or args.seed
        if self.batch_tokens is not None:
            batches = TokenBatches(rows[LENGTH], self.batch_tokens, seed, args.world_size, args.process_index)
            if self.is_world_process_zero():  # type: ignore[attr-defined]
                print(batches, file=sys.stderr)
            self._order = batches
        elif args.train_sampling_strategy == "group_by_length":
            group = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
            self._order = LengthGroups(rows[LENGTH], group, seed)
        else:
            sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)  # type: ignore[misc]
            return sampler
        return self._order

    def _run_epoch(self, *args: Any, **kwargs: Any) -> Any:
        # Of a run that goes on within a later epoch, with several processes, the library tells its samplers no epoch.
        if self._order is not None:
            self._order.set_epoch(kwargs["epoch"])
        if self._had_ended():
            return self._end_epoch(kwargs)
        return super()._run_epoch(*args, **kwargs)  # type: ignore[misc]

    def _had_ended(self) -> bool:
        """Return whether the training was over when its last checkpoint was written.

        The library looks at the last step and at the early stop after a step, so a run that was killed behind that
        checkpoint would take one step more.
        """
        if self.state.global_step >= self.state.max_steps:  # type: ignore[attr-defined]
            return True
        callbacks: Any = self.callback_handler.callbacks  # type: ignore[attr-defined]
        patient = [one for one in callbacks if isinstance(one, EarlyStoppingCallback)]
        return any(one.early_stopping_patience_counter >= one.early_stopping_patience for one in patient)

    def _end_epoch(self, epoch: dict[str, Any]) -> None:
        """Stop, and evaluate as the end of an epoch does, unless that was done."""
        trainer: Any = self
        state = trainer.state
        if not any("eval_loss" in entry and entry["step"] == state.global_step for entry in state.log_history):
            trainer.control = trainer.callback_handler.on_epoch_end(trainer.args, state, trainer.control)
            named = {key: epoch[key] for key in ("model", "trial", "epoch", "ignore_keys_for_eval", "start_time")}
            trainer._maybe_log_save_evaluate(trainer._tr_loss, None, **named)
        trainer.control.should_training_stop = True


def _uncounted(inputs: dict[str, Any]) -> int:
    """Return how many tokens of a packed row TRL misses: it takes the second dimension of the positions for them."""
    positions = inputs.get("position_ids")
    if positions is None or positions.ndim < 3 or "attention_mask" in inputs:
        return 0
    return int(inputs["input_ids"].numel() - positions.shape[1])


def trainer_class(method: Method) -> Any:
    """Return the library's trainer of a method, with the method's mixin and the one of all methods."""
    theirs = method.trainer_class()
    mixin = method.mixin()
    ours = () if mixin is object else (mixin,)
    return type(theirs.__name__, (*ours, Resumable, theirs), {})
