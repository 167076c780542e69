"""What holds of every model family on the shelf: its towers, adapters, quantisation, training and saving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from family_clips import NAMES, encoded, encoder_of, mixes_for, talk, talks_for, tiny_model

from affectllm.model.family import find_family
from affectllm.model.load import Model, load_model


def skip_experts(name: str) -> None:
    if getattr(tiny_model(name).model.config.get_text_config(), "num_experts", None):
        pytest.skip("experts are single weights, which nothing quantises")


def logits(model: Model, clips: Path) -> torch.Tensor:
    encoder = encoder_of(model, clips)
    model.model.eval()
    with torch.no_grad():
        return model.model(
            **encoder.collate([encoded(encoder, messages) for messages in talks_for(model.family)])
        ).logits


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_but_the_head_lies_in_one_tower(name: str) -> None:
    family = find_family(name)
    for weight, _ in tiny_model(name).model.named_parameters():
        assert (family.tower_of(weight) is None) == weight.startswith("lm_head."), weight
    weights = [weight for weight, _ in tiny_model(name).model.named_parameters()]
    for prefix in (*family.towers.values(), *family.apart):
        assert any(f"{weight}.".startswith(f"{prefix}.") for weight in weights), prefix
    assert set(family.targets) == set(family.towers)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_is_the_same_when_it_is_loaded(name: str, clips: Path, tmp_path: Path) -> None:
    model = tiny_model(name)
    model.model.save_pretrained(tmp_path)
    model.processor.save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path), dtype="float32", attn_implementation="sdpa")  # as recipes ask for
    assert loaded.family.name == name and loaded.model.config._attn_implementation == "sdpa"
    assert torch.equal(logits(loaded, clips), logits(model, clips))


@pytest.mark.parametrize("name", NAMES)
def test_four_bits_are_for_the_language_model_alone(name: str) -> None:
    from bitsandbytes.nn import Linear4bit

    skip_experts(name)
    family = find_family(name)
    model = load_model(f"tiny:{name}", dtype="float32", quantization={"load_in_4bit": True}).model
    small = [name for name, module in model.named_modules() if isinstance(module, Linear4bit)]
    assert len(small) >= 7 and all(name.startswith(f"{family.towers['language']}.") for name in small)


def tuned(name: str, clips: Path, out: Path, towers: dict[str, Any], **load: Any) -> tuple[list[float], Path]:
    """Losses of a few steps on conversations with clips, and the folder of the adapter."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig

    from affectllm.train.adapted import adapting
    from affectllm.train.collator import Collator
    from affectllm.train.method import find_method
    from affectllm.train.trainer import trainer_class

    model = load_model(f"tiny:{name}", dtype="float32", **load)
    model.model.requires_grad_(False)
    for module in model.model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):  # else the look before training makes it untrainable
            module.support_avx512bf16_for_cpu = False
    talks = [talk(*parts) for parts in mixes_for(model.family)]
    collate = Collator(encoder_of(model, clips))
    whole = collate([{"id": str(number), "messages": messages} for number, messages in enumerate(talks)])
    whole.pop("rows")
    with torch.no_grad():
        before = float(model.model.eval()(**whole).loss)
    args = SFTConfig(
        str(out),
        max_steps=4,
        per_device_train_batch_size=len(talks),
        learning_rate=1e-2,
        lr_scheduler_type="constant",
        logging_steps=1,
        save_strategy="no",
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        remove_unused_columns=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=False,
        disable_tqdm=True,
    )
    trainer = trainer_class(find_method("sft"))(
        model=model.model,
        args=args,
        data_collator=lambda rows: collate(
            [{"id": str(row["number"]), "messages": talks[row["number"]]} for row in rows]
        ),
        train_dataset=Dataset.from_dict({"number": list(range(len(talks)))}),
        processing_class=model.processor,
        peft_config=LoraConfig(r=4, lora_alpha=8, task_type="CAUSAL_LM", **adapting(model, towers)),
    )
    trainer.train()
    trainer.save_model(str(out))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[0] == pytest.approx(before, rel=2e-3)  # the trainer's head has seen and heard all of it
    return losses, out


def layers_that_are_read(name: str, clips: Path) -> set[str]:
    """Layers on which the loss depends: the last of some vision towers are computed and left."""
    model = load_model(f"tiny:{name}", dtype="float32")
    encoder = encoder_of(model, clips)
    model.model(
        **encoder.collate([encoded(encoder, talk(*parts)) for parts in mixes_for(model.family)])
    ).loss.backward()
    return {weight.rpartition(".")[0] for weight, its in model.model.named_parameters() if its.grad is not None}


UNLIKE = (  # one of each kind of classes; those that share their code with one of these are thorough
    "affect_composite",
    "affect_speech",
    "audio_flamingo_3",
    "gemma4",
    "internvl",
    "llava_onevision",
    "qwen2",
    "qwen2_5_omni",
    "qwen2_audio",
    "qwen3_moe",
    "qwen3_vl",
    "video_llama_3",
)
BITS = ("affect_composite", "llava_onevision", "qwen2", "qwen2_5_omni")


def first(always: Sequence[str]) -> list[Any]:
    """All families, of which those that are not named are thorough."""
    return [pytest.param(name, marks=[] if name in always else [pytest.mark.thorough]) for name in NAMES]


@pytest.mark.slow
@pytest.mark.parametrize("name", first(UNLIKE))
def test_steps_on_clips_lower_the_loss_and_what_they_leave_is_the_same_when_loaded(
    name: str, clips: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    towers = find_family(name).towers
    losses, folder = tuned(name, clips, tmp_path, dict.fromkeys(towers))
    assert losses[-1] < losses[0]
    saved = load_file(folder / "adapter_model.safetensors")
    ends = {
        key.removeprefix("base_model.model.").split(".lora_B.")[0]: weight
        for key, weight in saved.items()
        if ".lora_B." in key
    }
    moved = {layer for layer, weight in ends.items() if bool(weight.any())}
    assert moved == layers_that_are_read(name, clips) & set(ends)
    assert {find_family(name).tower_of(layer) for layer in moved} == set(towers)
    loaded = load_model(str(folder), dtype="float32")
    assert not torch.equal(logits(loaded, clips), logits(tiny_model(name), clips))
    again = load_model(f"tiny:{name}", adapter=str(folder), dtype="float32")
    assert torch.equal(logits(loaded, clips), logits(again, clips))


@pytest.mark.slow
@pytest.mark.parametrize("name", first(BITS))
def test_steps_on_clips_lower_the_loss_in_four_bits(name: str, clips: Path, tmp_path: Path) -> None:
    skip_experts(name)
    quantization = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": "float32"}
    losses, _ = tuned(name, clips, tmp_path, {"language": None}, quantization=quantization)
    assert losses[-1] < losses[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if find_family(name).parameters.get("language")])
def test_experts_are_adapted_where_they_are_named(name: str, clips: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    family = find_family(name)
    losses, folder = tuned(name, clips, tmp_path, {"language": ["q_proj", *family.parameters["language"]]})
    assert losses[-1] < losses[0]
    saved = load_file(folder / "adapter_model.safetensors")
    assert all(f"model.{family.towers['language']}." in key for key in saved)
    layers = tiny_model(name).model.config.get_text_config().num_hidden_layers
    ends = [weight for key, weight in saved.items() if ".mlp.experts." in key and ".lora_B." in key]
    assert len(ends) == 2 * layers and all(bool(weight.any()) for weight in ends)
    assert {weight.shape[1] for weight in ends} == {4 * tiny_model(name).model.config.get_text_config().num_experts}
    loaded = load_model(str(folder), dtype="float32")
    again = load_model(f"tiny:{name}", adapter=str(folder), dtype="float32")
    assert torch.equal(logits(loaded, clips), logits(again, clips))
    assert not torch.equal(logits(loaded, clips), logits(tiny_model(name), clips))


def test_a_whole_checkpoint_with_its_talker_loads_as_its_thinker(tmp_path: Path) -> None:
    """Hub checkpoints of the omni families hold more than what answers; only that is loaded, with its weights."""
    import transformers
    from safetensors.torch import save_file

    for name in ("qwen2_5_omni", "qwen3_omni"):
        model = tiny_model(name)
        whole = transformers.AutoConfig.for_model(find_family(name).model_types[0])
        whole.thinker_config = model.model.config
        folder = tmp_path / name
        whole.save_pretrained(folder)
        model.processor.save_pretrained(folder)
        weights = {f"thinker.{key}": value.clone() for key, value in model.model.state_dict().items()}
        save_file({**weights, "talker.codec_head.weight": torch.zeros(2, 2)}, folder / "model.safetensors")
        loaded = load_model(str(folder))
        assert loaded.family.name == name
        for key, weight in model.model.state_dict().items():
            assert torch.equal(loaded.model.state_dict()[key], weight), key
