"""Files that a training writes: checkpoints to resume from, and the result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import gcd
from pathlib import Path
from typing import Any

from affectllm.errors import BadRecipe, explained
from affectllm.run import write_json

FINAL = "final"
"""Folder of the tuned model or adapter, in that of the training."""
REPLIES = "replies.jsonl"
"""Some of the replies that a training sampled, with their rewards, a line each."""


class ReplyLog:
    """The file of sampled replies; those of steps that an attempt which was cut off had done already are left out.

    Args:
        path: of the file.
        step: the first that is logged now.
    """

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        with explained(path):
            lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
            earlier = [line for line in lines if json.loads(line)["step"] < step]
            path.write_text("".join(f"{line}\n" for line in earlier), encoding="utf-8")

    def add(self, row: dict[str, Any]) -> None:
        """Append a reply."""
        with explained(self._path), self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def last_whole_checkpoint(out: Path) -> str | None:
    """Return the latest complete checkpoint: its ``trainer_state.json`` is written last."""
    for folder in sorted(out.glob("checkpoint-*"), key=lambda path: -int(path.name.rpartition("-")[2])):
        try:
            json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # cut off while it was being written
            continue
        return str(folder)
    return None


def refuse_cut_cycles(args: Any, recipe: str) -> None:
    """Raise ``BadRecipe`` where a checkpoint would fall between two samplings of replies.

    TRL samples replies for ``steps_per_generation`` batches, learns from them ``num_iterations`` times, and keeps them
    in memory alone, so a run that went on from there would sample others and end with other weights.
    """
    if not hasattr(args, "steps_per_generation") or str(args.save_strategy.value) != "steps":
        return
    batches = args.steps_per_generation * args.num_iterations
    cycle = batches // gcd(batches, args.gradient_accumulation_steps)  # in optimisation steps
    if cycle > 1 and args.save_steps % cycle and not 0 < args.max_steps <= args.save_steps:
        raise BadRecipe(
            f"replies are sampled for {cycle} steps, and a checkpoint after {args.save_steps:g} would lack them",
            where=f"{recipe}: trainer.save_steps",
            do=f"save after a multiple of {cycle} steps, or by epoch",
        )


def tokens_before(checkpoint: str) -> int:
    """Return the number of tokens that earlier attempts trained on, as far as they were logged."""
    from transformers import TrainerState

    log = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json")).log_history
    return next((int(entry["num_tokens"]) for entry in reversed(log) if "num_tokens" in entry), 0)


def finish(trainer: Any, out: Path, processor: Any) -> dict[str, Any]:
    """Save the model with its processor, and the log, and return the outputs for the manifest."""
    trainer.save_model(str(out / FINAL))
    state, model = trainer.state, trainer.model
    # The Trainer's summary speaks of this process only: after a resume, of the steps that were left.
    state.log_history = [dict(sorted(entry.items())) for entry in state.log_history if "train_runtime" not in entry]
    trainer.save_state()
    if trainer.is_world_process_zero():
        processor.save_pretrained(str(out / FINAL))
        write_json(
            out / "losses.json", [entry for entry in state.log_history if "loss" in entry or "eval_loss" in entry]
        )
    return {
        "steps": state.global_step,
        "epochs": state.epoch,
        "best": _best(trainer.args, state),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }


def _best(args: Any, state: Any) -> dict[str, Any] | None:
    """Return which checkpoint the result is, and by which metric; None where it is what the last step left."""
    if not (args.load_best_model_at_end and state.best_model_checkpoint):
        return None
    metric = str(args.metric_for_best_model).removeprefix("eval_")
    return {"checkpoint": Path(state.best_model_checkpoint).name, "metric": metric, "value": state.best_metric}


def trained(out: Path, outputs: Mapping[str, Any]) -> str:
    """Return in a line where the result of a training lies and which of its steps it is, from ``finish``'s outputs."""
    steps, best = f"{outputs['steps']:,} steps", outputs.get("best")
    if best is None:
        return f"model: {out / FINAL} (after {steps})"
    return f"model: {out / FINAL} ({best['checkpoint']} of {steps}, by {best['metric']} {best['value']:.3f})"
