"""Loading a model: one path for tiny models, folders and the Hub, with or without an adapter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import NotFound, WrongCheckpoint
from affectllm.model.backbones import BACKBONES, Backbone, find_backbone
from affectllm.model.tiny import PREFIX, tiny_folder
from affectllm.model.torchvision_ops import install


@dataclass
class Model:
    """A loaded model with what is needed to talk to it.

    Args:
        model: the network (a ``PeftModel`` when an adapter was given).
        processor: processor, or tokenizer for a text backbone, with our chat template.
        backbone: its family.
        path: where it came from.
        fingerprint: digest of configuration, weights' names and sizes or revision, and adapter weights.
    """

    model: Any
    processor: Any
    backbone: Backbone
    path: str
    fingerprint: str

    @property
    def tokenizer(self) -> Any:
        """The tokenizer, also inside a processor."""
        return getattr(self.processor, "tokenizer", self.processor)


def load_model(
    path: str,
    *,
    backbone: str | None = None,
    adapter: str | None = None,
    dtype: str = "auto",
    device: str | None = None,
    quantization: Mapping[str, Any] | None = None,
    **from_pretrained: Any,
) -> Model:
    """Load weights and processor.

    Args:
        path: Hub id, folder, folder of an adapter (its base model is loaded too), or ``tiny:<backbone>``.
        backbone: family the checkpoint must belong to; found from its configuration when None.
        adapter: folder or Hub id of a PEFT adapter.
        dtype: torch dtype name, or ``auto`` for the checkpoint's own.
        device: where to put the model; None leaves it to the caller.
        quantization: fields of ``transformers.BitsAndBytesConfig``.

    Raises:
        NotFound: when the folder does not exist or is no checkpoint.
        WrongCheckpoint: when it holds another architecture, or lacks weights of this one.
    """
    import transformers

    install()
    base, adapter = _base_of(path, adapter)
    folder = _local(base)
    family = _family(folder, base, backbone)
    if quantization is not None:
        from_pretrained["quantization_config"] = transformers.BitsAndBytesConfig(**quantization)
    network = _whole_network(getattr(transformers, family.model_class), folder, dtype=dtype, **from_pretrained)
    if adapter is not None:
        from peft import PeftModel

        network = PeftModel.from_pretrained(network, adapter)
    if device is not None and quantization is None:
        network = network.to(device)
    return Model(network, load_processor(folder, family), family, path, fingerprint(folder, adapter))


def _whole_network(model_class: Any, folder: str, **from_pretrained: Any) -> Any:
    network, info = model_class.from_pretrained(folder, output_loading_info=True, **from_pretrained)
    if missing := sorted({*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"])}):
        raise WrongCheckpoint(
            f"{folder} lacks {len(missing)} of the weights of {model_class.__name__}, for example {missing[0]}",
            do="they would be random: save the model again, or name the checkpoint that has them",
        )
    # Loading under ZeRO-3 notes every renaming that could have been needed, and saving would undo them all.
    if conversions := getattr(network, "_weight_conversions", None):
        network._weight_conversions = [entry for entry in conversions if entry.was_used()]
    return network


def load_processor(folder: str, family: Backbone) -> Any:
    """Processor or tokenizer of a checkpoint, with our chat template in place of its own."""
    import transformers

    install()
    processor = getattr(transformers, family.processor_class).from_pretrained(folder)
    processor.chat_template = family.chat_template()
    tokenizer = getattr(processor, "tokenizer", processor)
    tokenizer.chat_template = family.chat_template()
    return processor


def resolve_backbone(path: str, backbone: str | None = None) -> Backbone:
    """The family of a checkpoint without loading its weights."""
    base, _ = _base_of(path, None)
    return _family(_local(base), base, backbone)


def fingerprint(folder: str, adapter: str | None) -> str:
    """Digest of what decides the outputs: configuration, weight files (size and first bytes) and adapter weights."""
    hasher = hashlib.sha256()
    for place in filter(None, (folder, adapter)):
        root = Path(place)
        if not root.is_dir():
            hasher.update(f"{place}@{_revision(place)}".encode())
            continue
        for file in sorted([*root.glob("*.json"), *root.glob("*.safetensors"), *root.glob("*.jinja")]):
            hasher.update(file.name.encode())
            with file.open("rb") as stream:
                hasher.update(hashlib.file_digest(stream, "sha256").digest())
    return hasher.hexdigest()[:16]


def _revision(repo: str) -> str:
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(repo, "config.json") or try_to_load_from_cache(repo, "adapter_config.json")
    return Path(cached).parent.name if isinstance(cached, str) else "unknown"


def _base_of(path: str, adapter: str | None) -> tuple[str, str | None]:
    config = Path(path) / "adapter_config.json"
    if adapter is None and config.is_file():
        base = json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]
        return base, path
    return path, adapter


def _local(path: str) -> str:
    if path.startswith(PREFIX):
        return str(tiny_folder(path.removeprefix(PREFIX)))
    folder = Path(path).expanduser()
    if folder.is_dir():
        return str(folder)
    if path.startswith((".", "/", "~")) or path.count("/") != 1:
        raise NotFound(f"there is no checkpoint folder {path}", do="give a folder, a Hub id or tiny:<backbone>")
    return path


def _family(folder: str, shown: str, wanted: str | None) -> Backbone:
    model_type = _model_type(folder, shown)
    family = next((b for b in BACKBONES.values() if model_type in b.model_types), None)
    if wanted is not None and (family is None or family.name != find_backbone(wanted).name):
        raise WrongCheckpoint(
            f"{shown} is a {model_type} checkpoint, not {wanted}",
            do=f"choose a checkpoint of type {' or '.join(find_backbone(wanted).model_types)}",
        )
    if family is None:
        raise WrongCheckpoint(
            f"{shown} is a {model_type} checkpoint, which no backbone reads", do=f"backbones: {', '.join(BACKBONES)}"
        )
    return family


def _model_type(folder: str, shown: str) -> str:
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise NotFound(
            f"{shown} cannot be read as a checkpoint: {str(error).splitlines()[0]}",
            do="check the name, your connection (HF_HUB_OFFLINE) and, for gated models, `hf auth login`",
        ) from error
    return str(config.model_type)
