"""Trainers of heads: mixins that adapt the backbone, and save a head's folder in place of a model's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from affectllm.model.heads.folder import HeadFolder, save_head
from affectllm.train.checkpoints import FINAL
from affectllm.train.methods.dpo import RowsAsTheyAre

_NOT_SCORES = ("runtime", "per_second", "num_tokens")  # ends of what a validation logs beside its scores


class _Saved:
    """Writes the folder of a head where the trained model goes; checkpoints are the trainer's own.

    Args:
        head: the page of the folder.
    """

    head: HeadFolder

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if not str(output_dir).endswith(FINAL):
            super()._save(output_dir, state_dict)  # type: ignore[misc]
            return
        args: Any = self.args  # type: ignore[attr-defined]
        if not args.should_save:
            return
        folder = Path(str(output_dir))
        folder.mkdir(parents=True, exist_ok=True)
        network: Any = self.accelerator.unwrap_model(self.model)  # type: ignore[attr-defined]
        head = replace(self.head, held_out=self._held_out())
        if head.adaptation == "lora":
            network.save_pretrained(str(folder), state_dict=state_dict)
            head.write(folder)
        else:
            save_head(folder, head, network, network.state_dict() if state_dict is None else state_dict)

    def _held_out(self) -> dict[str, float]:
        """Return the scores of the last validation, or of that of the best checkpoint where it is taken."""
        state: Any = self.state  # type: ignore[attr-defined]
        validations = [entry for entry in state.log_history if "eval_loss" in entry]
        if not validations:
            return {}
        best = state.best_model_checkpoint if self.args.load_best_model_at_end else None  # type: ignore[attr-defined]
        step = int(Path(best).name.rpartition("-")[2]) if best else validations[-1]["step"]
        entry = next((one for one in validations if one["step"] == step), validations[-1])
        named = {key.removeprefix("eval_"): value for key, value in entry.items() if key.startswith("eval_")}
        return {key: float(value) for key, value in named.items() if not key.endswith(_NOT_SCORES)}

    def _name_base(self) -> None:
        for config in getattr(self.model, "peft_config", {}).values():  # type: ignore[attr-defined]
            config.base_model_name_or_path = self.head.base


class Answering(_Saved):
    """Comes before ``transformers.Trainer``, which knows nothing of adapters.

    Args:
        peft_config: of the adapter that is put on the model; None for none.
        head: the page of the folder that is saved.
    """

    def __init__(self, *args: Any, head: HeadFolder, peft_config: Any = None, **options: Any) -> None:
        if peft_config is not None:
            from peft import get_peft_model
            from transformers import set_seed

            set_seed(options["args"].seed)
            options["model"] = get_peft_model(options["model"], peft_config)
            if options["args"].gradient_checkpointing:
                options["model"].enable_input_require_grads()
        super().__init__(*args, **options)
        self.head = head
        self._name_base()


class Rewarding(_Saved, RowsAsTheyAre):
    """Comes before ``trl.RewardTrainer``.

    Args:
        head: the page of the folder that is saved.
    """

    def __init__(self, *args: Any, head: HeadFolder, **options: Any) -> None:
        processor = options["processing_class"]
        options["processing_class"] = getattr(processor, "tokenizer", processor)  # its vocabulary is looked at
        super().__init__(*args, **options)
        self.head = head
        self._name_base()
