"""Load the model to train: quantised, and checked by the media-ablation self-test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe
from affectllm.instruct.mixture_part import Part
from affectllm.model.ablation import check_modalities_heard
from affectllm.model.encode import Encoder
from affectllm.model.heads.backbones import ENCODERS
from affectllm.model.heads.encoders import load_backbone
from affectllm.model.heads.inputs import PlainEncoder
from affectllm.model.heads.self_test import check_encoder_hears
from affectllm.model.load import Model, load_model, locate
from affectllm.train.method import Method
from affectllm.train.recipe import Recipe

if TYPE_CHECKING:
    from datasets import Dataset


def load(recipe: Recipe) -> Model:
    """Load the model of a recipe, as it is before training.

    Raises:
        BadRecipe: when the recipe puts an adapter on an adapter.
        NotFound, WrongCheckpoint: as ``load_model``.
    """
    import torch
    from accelerate import PartialState

    device = None
    if recipe.quantization is not None and torch.cuda.is_available():
        device = {"": PartialState().local_process_index}
    extra: dict[str, Any] = {"device_map": device} if device else {}
    plain = recipe.model.backbone in ENCODERS
    if recipe.peft is not None and not plain and locate(recipe.model.path).adapter is not None:
        raise BadRecipe(
            f"model.path, {recipe.model.path}, is an adapter already, and peft would put a second one on it",
            do="remove peft to go on training it, or merge it into its base model first",
        )
    model = load_backbone(
        recipe.model.path,
        recipe.model.backbone,
        recipe.head.window if recipe.head else None,
        processor=recipe.model.processor,
        dtype=recipe.model.dtype,
        quantization=recipe.quantization,
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


def self_test(
    recipe: Recipe, args: Any, model: Model, encoder: Encoder | PlainEncoder, rows: Dataset, method: Method
) -> dict[str, dict[str, float]]:
    """Run the media-ablation self-test on a few conversations of every set of modalities.

    Raises:
        ModalityUnheard: when a modality does not reach the model.
    """
    conversations = [rows[index]["messages"] for index in spread(rows["id"])]
    if isinstance(encoder, PlainEncoder):
        return check_encoder_hears(model, encoder, conversations)
    if args.deepspeed_plugin is None or args.deepspeed_plugin.zero_stage != 3:
        return check_modalities_heard(model, encoder, conversations)
    with unsharded(args):  # only the engine can run what is sharded, so a whole copy is asked
        page = recipe.model
        copy = load_model(page.path, family=page.backbone, processor=page.processor, dtype=page.dtype)
        return check_modalities_heard(copy, encoder, conversations)


@contextmanager
def unsharded(args: Any) -> Iterator[None]:
    """Load what is not trained whole on every process; under ZeRO-3 weights are sharded as they are loaded."""
    from transformers.integrations.deepspeed import set_hf_deepspeed_config, unset_hf_deepspeed_config

    if args.deepspeed_plugin is None or args.deepspeed_plugin.zero_stage != 3:
        yield
        return
    unset_hf_deepspeed_config()
    try:
        yield
    finally:
        set_hf_deepspeed_config(args.deepspeed_plugin.dschf)


def spread(names: Sequence[str]) -> list[int]:
    """Return the first and last row of every set of modalities; rows with clips may be few among many without."""
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(Part.modalities_in(name), []).append(index)
    return sorted({index for rows in groups.values() for index in (rows[0], rows[-1])})
