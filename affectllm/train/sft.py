"""Supervised fine-tuning through TRL's SFTTrainer: full, LoRA or QLoRA, on one process or many."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from accelerate import PartialState
from torch.utils.data import Sampler
from transformers import PreTrainedModel, TrainerState
from transformers.integrations.deepspeed import set_hf_deepspeed_config, unset_hf_deepspeed_config
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTConfig, SFTTrainer

from affectllm.corpus import TRAIN, VALIDATION
from affectllm.errors import AffectError, BadRecipe, WrongCheckpoint
from affectllm.instruct.conversations import CURRICULA
from affectllm.model.ablation import check_modalities_heard
from affectllm.model.cache import MediaCache
from affectllm.model.encode import Encoder
from affectllm.model.family import find_family
from affectllm.model.length import BoundedEncoder, budget_of
from affectllm.model.load import Model, load_model, locate
from affectllm.model.weight_files import check_finite
from affectllm.run import write_json
from affectllm.train.adapted import freeze, lora
from affectllm.train.collator import Collator
from affectllm.train.data import LENGTH, load_rows, look, measured
from affectllm.train.finite import FiniteOnly
from affectllm.train.head import answered_positions_only
from affectllm.train.recipe import Recipe
from affectllm.train.stage import FINAL

if TYPE_CHECKING:
    from datasets import Dataset


def tune(recipe: Recipe, args: SFTConfig, build: Path, out: Path, roots: Mapping[str, Path]) -> dict[str, Any]:
    """Train ``recipe`` on the conversations in ``build``; a run that was cut off goes on from its last checkpoint.

    Args:
        recipe: the page.
        args: from ``arguments``.
        build: folder of a finished build run.
        out: folder of the train run; the result is in ``final/``.
        roots: corpus name → folder.

    Returns:
        Outputs for the manifest (the same on every process).

    Raises:
        ModalityUnheard: when a modality does not reach the model.
        NotFinite: at the first loss, gradient or weight that is not finite; it is not saved.
        AffectError: when no clip can be used.
    """
    model = _load(recipe)
    encoder = Encoder(model.processor, model.family, model.model.config, recipe.model.budget, roots, MediaCache())
    adapter = lora(recipe, model)
    freeze(model, recipe)
    bounded = BoundedEncoder(encoder, budget_of(model, recipe.model.max_text_tokens))
    train, validation, counts = _datasets(build, bounded, args, out)
    heard = _self_test(recipe, args, model, encoder, train)
    trainer = AffectTrainer(
        model=model.model,
        args=args,
        data_collator=Collator(encoder),
        train_dataset=train,
        eval_dataset=validation,
        processing_class=model.processor,
        peft_config=adapter,
    )
    if (checkpoint := last_whole_checkpoint(out)) is not None:
        check_finite(Path(checkpoint), model.family.unbounded)
        trainer._total_train_tokens = _tokens_before(checkpoint)  # TRL counts those of one process from 0
    trainer.train(resume_from_checkpoint=checkpoint)
    return {**counts, "modalities_heard": heard, **_finish(trainer, out)}


class AffectTrainer(FiniteOnly, SFTTrainer):
    """SFTTrainer whose checkpoints can be resumed to the same losses.

    The order of batches depends on seed and epoch alone. Checkpoints keep the modules' own parameter names: the
    trainer reads them back by name and only warns about what it misses, so with the Hub's names, which differ in
    multimodal families, a resumed run would go on from untrained weights.
    """

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        with answered_positions_only():
            return super().compute_loss(*args, **kwargs)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        model: Any = self.model
        if isinstance(model, PreTrainedModel) and not str(output_dir).endswith(FINAL):
            vars(model)["save_pretrained"] = functools.partial(model.save_pretrained, save_original_format=False)
        try:
            super()._save(output_dir, state_dict)
        finally:
            vars(model).pop("save_pretrained", None)

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        model: Any = self.model
        # A tied head is not stored beside the embedding that it is.
        tied = set(model._keys_to_ignore_on_save or ()) | set(getattr(model, "all_tied_weights_keys", None) or ())
        missing = set(load_result.missing_keys) - tied
        if missing or load_result.unexpected_keys:
            named = ", ".join(sorted(missing or load_result.unexpected_keys)[:3])
            raise WrongCheckpoint(
                f"the checkpoint does not fit the model ({len(missing)} parameters missing, for example {named})",
                do="delete the checkpoint folder and start again",
            )
        if tied:
            model.tie_weights()

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int] | None:
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        group = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        return LengthGroups(rows[LENGTH], group, self.args.data_seed or self.args.seed)


class LengthGroups(Sampler[int]):
    """Batches of like length in an order decided by seed and epoch.

    The library's own sampler draws from the global generator, whose state after a resume is not what it was.

    Args:
        lengths: tokens per row.
        group: rows per optimiser step over all processes.
        seed: of the order.
    """

    def __init__(self, lengths: list[int], group: int, seed: int) -> None:
        self.lengths, self.group, self.seed, self.epoch = list(lengths), group, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.group, generator=generator))


def arguments(recipe: Recipe, out: Path) -> SFTConfig:
    """TRL's configuration for a recipe; making it also joins the process group of a launch."""
    fields: dict[str, Any] = {
        "gradient_checkpointing": torch.cuda.is_available(),
        "bf16": torch.cuda.is_available(),
        # A curriculum is trained on in its order; otherwise rows of like length share a batch.
        "train_sampling_strategy": "sequential" if recipe.data.order in CURRICULA else "group_by_length",
        "report_to": "none",
        "logging_steps": 10,
        "save_total_limit": 2,
        **recipe.trainer,
        "output_dir": str(out),
        "seed": recipe.seed,
        "max_length": None,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "remove_unused_columns": False,
        "length_column_name": LENGTH,
    }
    if not torch.cuda.is_available():
        fields |= {"dataloader_pin_memory": False}
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            # Without a backend accelerate sees one process, and DeepSpeed's batch arithmetic fails.
            fields |= {"ddp_backend": "gloo"}
    if fields.get("eval_strategy", "no") != "no":
        fields = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", **fields}
        fields.setdefault("save_strategy", fields["eval_strategy"])
        if fields["save_strategy"] == fields["eval_strategy"] == "steps":
            # The library's 500 may be more than the run has, and then a kill would lose all of it.
            fields.setdefault("save_steps", fields.get("eval_steps") or fields["logging_steps"])
    return SFTConfig(**fields)


def last_whole_checkpoint(out: Path) -> str | None:
    """The latest checkpoint that was written to its end: its ``trainer_state.json`` comes last."""
    for folder in sorted(out.glob("checkpoint-*"), key=lambda path: -int(path.name.rpartition("-")[2])):
        try:
            json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # cut off while it was being written
            continue
        return str(folder)
    return None


def _tokens_before(checkpoint: str) -> int:
    """The tokens that the attempts before this one were trained on, as far as they were logged."""
    log = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json")).log_history
    return next((int(entry["num_tokens"]) for entry in reversed(log) if "num_tokens" in entry), 0)


def _load(recipe: Recipe) -> Model:
    device = None
    if recipe.quantization is not None and torch.cuda.is_available():
        device = {"": PartialState().local_process_index}
    extra: dict[str, Any] = {"device_map": device} if device else {}
    if recipe.peft is not None and locate(recipe.model.path).adapter is not None:
        raise BadRecipe(
            f"model.path, {recipe.model.path}, is an adapter already, and peft would put a second one on it",
            do="remove peft to go on training it, or merge it into its base model first",
        )
    model = load_model(
        recipe.model.path,
        family=recipe.model.backbone,
        processor=recipe.model.processor,
        dtype=recipe.model.dtype,
        quantization=_quantization(recipe),
        trainable=True,
        attn_implementation=recipe.model.attn_implementation,
        **extra,
    )
    if recipe.peft is not None:
        model.model.requires_grad_(False)  # PEFT does this too, but only after the self-test
    for module in model.model.modules():
        # On some CPUs bitsandbytes repacks 4-bit weights at the first evaluation into a form that cannot train on.
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model


def _quantization(recipe: Recipe) -> dict[str, Any] | None:
    if recipe.quantization is None:
        return None
    # The towers that hear and see lose most by four bits and weigh least, so only the language model is quantised,
    # unless the page says otherwise.
    kept = find_family(recipe.model.backbone).beside_the_language_model()
    return {"llm_int8_skip_modules": kept, **recipe.quantization}


def _datasets(
    build: Path, encoder: BoundedEncoder, args: SFTConfig, out: Path
) -> tuple[Dataset, Dataset | None, dict[str, Any]]:
    state, found, counts = PartialState(), {}, {}
    workers = args.dataloader_num_workers
    with state.main_process_first():  # the others then read what the first has noted
        for split in (TRAIN, VALIDATION):
            rows = load_rows(build, split)
            looked = look(rows, encoder, out / f"looked_{split}.json", workers)
            counts[split] = {"rows": len(looked.kept), "rejected": looked.rejected, "trimmed": looked.trimmed}
            if looked.kept or split == TRAIN:
                found[split] = measured(rows, looked)
    if args.eval_strategy != "no" and VALIDATION not in found:
        raise AffectError(
            "the mixture has no validation row, but the recipe evaluates while it trains",
            do="add a corpus with a validation split, or set trainer.eval_strategy: 'no'",
        )
    return found[TRAIN], found.get(VALIDATION) if args.eval_strategy != "no" else None, counts


def _self_test(
    recipe: Recipe, args: SFTConfig, model: Model, encoder: Encoder, rows: Dataset
) -> dict[str, dict[str, float]]:
    """Run the media-ablation self-test on a few conversations of every set of modalities."""
    conversations = [rows[index]["messages"] for index in _spread(rows["id"])]
    if args.deepspeed_plugin is None or args.deepspeed_plugin.zero_stage != 3:
        return check_modalities_heard(model, encoder, conversations)
    # Under ZeRO-3 weights are sharded as they are loaded and only the engine can run them, so a whole copy is asked.
    unset_hf_deepspeed_config()
    try:
        page = recipe.model
        copy = load_model(page.path, family=page.backbone, processor=page.processor, dtype=page.dtype)
        return check_modalities_heard(copy, encoder, conversations)
    finally:
        set_hf_deepspeed_config(args.deepspeed_plugin.hf_ds_config)


def _spread(names: Sequence[str]) -> list[int]:
    """The first and the last row of every set of modalities; rows with clips may be few among many without."""
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(name.rsplit("/", 2)[1], []).append(index)  # …/<modalities>/<copy>
    return sorted({index for found in groups.values() for index in (found[0], found[-1])})


def _finish(trainer: SFTTrainer, out: Path) -> dict[str, Any]:
    trainer.save_model(str(out / FINAL))
    state, model, processor = trainer.state, cast(Any, trainer.model), cast(Any, trainer.processing_class)
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
        "best_checkpoint": Path(state.best_model_checkpoint).name if state.best_model_checkpoint else None,
        "best_eval_loss": state.best_metric,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }
