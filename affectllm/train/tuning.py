"""Train by any method: load, adapt, check the rows, self-test the model, train or resume, save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate import PartialState
from transformers import EarlyStoppingCallback

from affectllm.corpus import TRAIN, VALIDATION
from affectllm.errors import AffectError, BadRecipe
from affectllm.model.cache import MediaCache
from affectllm.model.encode import Encoder
from affectllm.model.heads.folder import encoder_for
from affectllm.model.length import BoundedEncoder
from affectllm.model.prepared.tokens import KeptTokens, discard_tokens, tokens_file
from affectllm.model.quantised import Quantised, described
from affectllm.model.weights.weight_files import check_finite
from affectllm.train import memory
from affectllm.train.adapted import freeze, lora
from affectllm.train.by_answers import Answered, check_shareable
from affectllm.train.checkpoints import finish, last_whole_checkpoint, tokens_before
from affectllm.train.collator import Collator
from affectllm.train.data import load_rows, look, measured, packs
from affectllm.train.distilling.teacher import load_teacher
from affectllm.train.head_rows import FeatureCollator, Prompts, head_arguments
from affectllm.train.loading import load, self_test, unsharded
from affectllm.train.method import Method, Ready, as_it_is, find_method
from affectllm.train.pages.best_page import LOSS
from affectllm.train.pages.reward_page import reward_functions
from affectllm.train.ranks.filling import Filling, check_alike
from affectllm.train.ranks.sharding import reduce_head, shared_by
from affectllm.train.recipe import Recipe
from affectllm.train.rewards.untaught import untaught
from affectllm.train.shown.bar import show_bar
from affectllm.train.shown.last import LastStep
from affectllm.train.towers import Towers, check_named, say, trained_towers
from affectllm.train.trainer import trainer_class
from affectllm.voice import tell

if TYPE_CHECKING:
    from datasets import Dataset

    from affectllm.model.load import Model


def tune(recipe: Recipe, args: Any, build: Path, out: Path, roots: Mapping[str, Path]) -> dict[str, Any]:
    """Train ``recipe`` on the conversations in ``build``; an interrupted run resumes from its last checkpoint.

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
        NoGradient: when a trained tower has none though its clips are in the batch.
        NotFinite: at the first loss, gradient or weight that is not finite; it is not saved.
        AffectError: when no clip can be used.
    """
    with unsharded(args):
        rewards = reward_functions(recipe.rewards, roots)
    method, model = find_method(recipe.method), load(recipe)
    encoder, bounded = _encoders(recipe, model, roots)
    if model.quantised and PartialState().is_main_process:
        tell(described(model.quantised))
    adapter = lora(recipe, model)
    freeze(model, recipe)
    looks = Prompts(bounded) if method.heads == "answers" else bounded
    files = _token_files(out, encoder, method)
    train, validation, counts = _datasets(build, looks, args, out, method, files)
    heard = self_test(recipe, args, model, encoder, train, method)
    check_named(recipe, model.family, heard)
    _check_clips_are_kept(method, heard)
    reads = Prompts(encoder) if method.heads == "answers" else encoder
    if method.heads:
        given = head_arguments(recipe, method, model, reads, adapter, (train, validation), out, args)
    else:
        assert isinstance(encoder, Encoder)
        teacher = (lambda: load_teacher(recipe, args)) if method.taught else None
        ready = Ready(model, adapter is not None, lambda: load(recipe), encoder, rewards, teacher)
        given = _writing(recipe, method, ready, adapter, (train, validation), _filling(args, encoder, heard), files)
    trainer = trainer_class(method)(args=args, **given)
    show_bar(trainer)
    if not method.heads and shared_by(args) == "weights":
        reduce_head(trainer.model)
    trainer.add_callback(LastStep())
    _choose_best(trainer, recipe, method, model, encoder, validation)
    trainer.batch_tokens = recipe.batch_tokens
    trainer.towers = Towers(model.family, recipe.model.learning_rates or {})
    trained = trained_towers(trainer.model, trainer.towers, args.learning_rate)
    if not method.packs and _wait_for_towers(args, trained):
        check_alike(chain(train, validation or ()), recipe.method)
    if trainer.is_world_process_zero():
        say(trained)
        _tell_memory(trainer, recipe, method, reads, train, model)
    trainer.train(resume_from_checkpoint=_checkpoint(trainer, out, model))
    discard_tokens(files.values() if trainer.is_world_process_zero() else ())
    told = {**_told(model.quantised), **_untaught(trainer, recipe), **finish(trainer, out, model.processor)}
    return {**counts, "modalities_heard": heard, "towers": trained, **told}


def _checkpoint(trainer: Any, out: Path, model: Model) -> str | None:
    """Return the last whole checkpoint, of which the numbers are finite, and count its tokens; None at the start."""
    if (checkpoint := last_whole_checkpoint(out)) is not None:
        check_finite(Path(checkpoint), model.family.unbounded)
        trainer._total_train_tokens = tokens_before(checkpoint)  # TRL counts those of one process from 0
    return checkpoint


def _encoders(recipe: Recipe, model: Model, roots: Mapping[str, Path]) -> tuple[Any, Any]:
    """Return the encoder of a model, and the one that refuses a conversation which no batch has room for."""
    encoder, bounded = encoder_for(model, recipe.model.budget, roots, MediaCache(), recipe.model.max_text_tokens)
    if recipe.batch_tokens is not None and isinstance(bounded, BoundedEncoder):
        bounded.budget = replace(bounded.budget, whole=min(bounded.budget.whole, recipe.batch_tokens))
    return encoder, bounded


def _token_files(out: Path, encoder: Any, method: Method) -> dict[str, Path]:
    """Return where the tokens of each split are kept for later epochs, where our collator reads them."""
    if not isinstance(encoder, Encoder) or method.heads or not method.collates:
        return {}
    return {split: tokens_file(out, split, encoder) for split in (TRAIN, VALIDATION)}


def _choose_best(
    trainer: Any, recipe: Recipe, method: Method, model: Model, encoder: Any, validation: Dataset | None
) -> None:
    """Let the trainer choose its best checkpoint as the recipe says."""
    if recipe.best is None or validation is None:
        return
    if recipe.best.metric != LOSS and method.validated is None:
        check_shareable(trainer.accelerator)
        trainer.answered = Answered(recipe.best, model, encoder, validation, trainer.args.per_device_eval_batch_size)
    if recipe.best.patience:
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=recipe.best.patience))


def _tell_memory(trainer: Any, recipe: Recipe, method: Method, encoder: Any, rows: Dataset, model: Model) -> None:
    """Print what the training will need, and what to change where the device hardly has it.

    Args:
        encoder: of what the method reads of ``rows``.
        model: of which the backbone stays on the device where a head is trained on what it has pooled.
    """
    if isinstance(trainer.data_collator, FeatureCollator):
        its = (trainer.data_collator, trainer.train_dataset, 1)
        needed = memory.of_training(trainer, *its, beside=model.model.base_model)
    else:
        collator = Collator(encoder, method.conversations, method.batch if method.heads else as_it_is)
        conversations = len(collator.conversations(rows[0]))
        needed = memory.of_training(trainer, collator, rows, conversations, recipe.pack_tokens or recipe.batch_tokens)
    if needed is not None:
        adapted, quantised = recipe.peft is not None, recipe.quantization is not None
        memory.say(needed, trainer.args, adapted=adapted, quantised=quantised)


def _filling(args: Any, encoder: Encoder, heard: Mapping[str, Any]) -> Filling | None:
    """Return what fills up batches where several processes share gradients or weights, and some rows have clips."""
    return Filling(encoder, heard) if heard and shared_by(args) else None


def _wait_for_towers(args: Any, trained: Mapping[str, Any]) -> bool:
    """Return whether a process that runs no media tower would stop the others.

    Where weights are sharded each is gathered by all; else the gradients of towers that are trained are.
    """
    shared = shared_by(args)
    return shared == "weights" or (shared == "gradients" and bool(set(trained) - {"language", "head"}))


def _check_clips_are_kept(method: Method, heard: Mapping[str, Any]) -> None:
    """Raise ``BadRecipe`` where a library's trainer would make the batches itself, and lose the clips in silence."""
    from affectllm.train.sampled import Sampled

    if heard and not method.collates and not issubclass(method.mixin(), Sampled):
        message = f"{method.trainer} would train on the tokens of clips without the clips"
        raise BadRecipe(
            message, do="give the method overrides = affectllm.train.sampled.Grouped, or rows without clips"
        )


def _writing(
    recipe: Recipe,
    method: Method,
    ready: Ready,
    adapter: Any,
    datasets: tuple[Dataset, Dataset | None],
    filling: Filling | None,
    files: Mapping[str, Path],
) -> dict[str, Any]:
    """Return the arguments by which the trainer of a model that writes gets it, its rows and its batches."""
    train, encoder, packed = datasets[0], ready.encoder, recipe.pack_tokens
    given: dict[str, Any] = {
        "model": ready.model.model,
        "train_dataset": packs(train, packed) if packed else train,
        "eval_dataset": datasets[1],
        "peft_config": adapter,
        **method.extra(ready),
    }
    if not method.collates:
        return {**given, "processing_class": encoder.tokenizer}  # with a processor it would look for tokens of pictures
    rows = train if packed else None
    collator = Collator(
        encoder,
        method.conversations,
        method.batch,
        rows,
        filling if method.packs else None,
        tokens={split: KeptTokens(path, encoder) for split, path in files.items() if path.is_file()},
        levels=True,
    )
    return {**given, "data_collator": collator, "processing_class": ready.model.processor}


def _untaught(trainer: Any, recipe: Recipe) -> dict[str, Any]:
    """Say, and return for the manifest, what the rewards of a finished training did not teach."""
    if not recipe.rewards:
        return {}
    begins = {page.reward: page.from_step for page in recipe.rewards if page.from_step}
    masked = bool(trainer.args.mask_truncated_completions)
    lines = untaught(trainer.state.log_history, trainer.state.global_step, begins, masked)
    for line in lines if trainer.is_world_process_zero() else ():
        tell(f"warning: {line}")
    return {"untaught": lines}


def _told(quantised: Mapping[str, Quantised]) -> dict[str, Any]:
    return {"quantised": {tower: asdict(its) for tower, its in quantised.items()}} if quantised else {}


def _datasets(
    build: Path, encoder: Any, args: Any, out: Path, method: Method, files: Mapping[str, Path]
) -> tuple[Dataset, Dataset | None, dict[str, Any]]:
    state, datasets, counts = PartialState(), {}, {}
    workers = args.dataloader_num_workers
    conversations = method.conversations if method.looked is None else method.looked(args)
    with state.main_process_first():  # the others then read what the first has noted
        for split in (TRAIN, VALIDATION):
            rows = load_rows(build, split)
            note = out / f"looked_{split}.json"
            looked = look(rows, encoder, note, workers, conversations, files.get(split))
            counts[split] = {"rows": len(looked.kept), "rejected": looked.rejected, "trimmed": looked.trimmed}
            if looked.kept or split == TRAIN:
                datasets[split] = measured(rows, looked)
    if args.eval_strategy != "no" and VALIDATION not in datasets:
        raise AffectError(
            "the mixture has no validation row, but the recipe evaluates while it trains",
            do="add a corpus with a validation split, or set trainer.eval_strategy: no",
        )
    return datasets[TRAIN], datasets.get(VALIDATION) if args.eval_strategy != "no" else None, counts
