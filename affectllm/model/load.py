"""Load a model: one code path for tiny models, folders and the Hub, with or without an adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm import voice
from affectllm.errors import NotFound, WrongCheckpoint
from affectllm.model.composite import register
from affectllm.model.family import Family, family_of, find_family
from affectllm.model.quantised import Quantised, by_tower
from affectllm.model.tiny import PREFIX, tiny_folder
from affectllm.model.torchvision_ops import install
from affectllm.model.weights.adapters import base_of, check_adapter, fitted, local_adapter, put_on
from affectllm.model.weights.checkpoint import (
    ADAPTER_CONFIG,
    CONFIG,
    HEAD,
    INDEX,
    NAMING,
    ORIGINAL,
    WEIGHTS,
    check_folder,
    check_processor,
    check_texts,
    check_tokens,
    check_weights,
    first_words,
    folder_named,
    made_by,
    read_by_libraries,
    read_object,
)
from affectllm.model.weights.weight_files import check_finite


@dataclass
class Model:
    """A loaded model with its processor and family.

    Args:
        model: the network (a ``PeftModel`` when an adapter was given).
        processor: processor, or tokenizer for a text model, with our chat template.
        family: its family.
        path: where it came from.
        fingerprint: digest of configuration, weights' names and sizes or revision, and adapter weights.
        quantised: tower → what was quantised in it; empty where nothing was.
    """

    model: Any
    processor: Any
    family: Family
    path: str
    fingerprint: str
    quantised: dict[str, Quantised] = field(default_factory=dict)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer, also inside a processor."""
        return getattr(self.processor, "tokenizer", self.processor)


def load_model(
    path: str,
    *,
    family: str | None = None,
    adapter: str | None = None,
    processor: str | None = None,
    dtype: str = "auto",
    device: str | None = None,
    quantization: Mapping[str, Any] | None = None,
    trainable: bool = False,
    reading: Callable[..., Any] | None = None,
    **from_pretrained: Any,
) -> Model:
    """Load weights and processor.

    Args:
        path: Hub id, folder, folder of an adapter (its base model is loaded too), or ``tiny:<family>``.
        family: the family that the checkpoint must belong to; found from its configuration when None.
        adapter: folder or Hub id of a PEFT adapter.
        processor: model whose processor and tokenizer are used, where the checkpoint has none of its own.
        dtype: torch dtype name, or ``auto`` for the checkpoint's own.
        device: where to put the model; None leaves it to the caller.
        quantization: fields of ``transformers.BitsAndBytesConfig``. The language model alone is quantised, unless they
            name other ``llm_int8_skip_modules``: towers that hear and see lose most by few bits, and weigh least.
        trainable: whether the weights of an adapter are to be trained on.
        reading: what reads the network in place of ``whole_network``, with the same arguments.

    Raises:
        NotFound: when the folder does not exist, is no checkpoint, or lacks its processor.
        WrongCheckpoint: when it holds another architecture, lacks weights of this one, or holds some that do not fit,
            are broken or not finite.
    """
    import transformers

    install()
    place = locate(path, adapter)
    folder = _local(place.base)
    kind = _family(folder, place.base, family)
    loaded = _processor(folder, kind, place.base, processor)
    kind = kind.speaking(getattr(loaded, "tokenizer", loaded).get_vocab())
    _check(folder, kind)
    if quantization is not None:
        fields = {"llm_int8_skip_modules": kind.beside_the_language_model(), **quantization}
        from_pretrained["quantization_config"] = transformers.BitsAndBytesConfig(**fields)
    model_class = kind.network_class()
    if kind.eager and isinstance(kernel := from_pretrained.get("attn_implementation"), str):
        kernels = {"": kernel, **dict.fromkeys(model_class.config_class.sub_configs, kernel)}
        from_pretrained["attn_implementation"] = {**kernels, **dict.fromkeys(kind.eager, "eager")}
    network = (reading or whole_network)(model_class, folder, dtype=dtype, **from_pretrained)
    check_tokens(loaded, network.config, place.base)
    if snapshot := _snapshot(folder):  # of the Hub, downloaded by now
        check_finite(snapshot, kind.unbounded)
    quantised = by_tower(network, kind) if getattr(network, "is_quantized", False) else {}
    if place.adapter is not None:
        network = put_on(network, place.adapter, kind, trainable=trainable)
    if device is not None and not getattr(network, "is_quantized", False):  # those of bitsandbytes lie where they are
        network = network.to(device)
    digest = fingerprint(folder, str(place.adapter) if place.adapter else None, processor)
    return Model(network, loaded, kind, path, digest, quantised)


@dataclass(frozen=True)
class Place:
    """The location of weights.

    Args:
        base: Hub id, folder or ``tiny:<family>``.
        adapter: folder of the adapter on it, or None.
    """

    base: str
    adapter: Path | None


def locate(path: str, adapter: str | None = None) -> Place:
    """Resolve a name to a base model and an adapter, whose files are checked.

    Raises:
        NotFound: when the adapter is nowhere.
        WrongCheckpoint: when the adapter's files are broken, hold numbers that are not finite, or name no base model.
    """
    folder = folder_named(path)
    if (folder / HEAD).is_file():
        message = f"{path} is the folder of a head, which writes nothing"
        raise WrongCheckpoint(message, do="score it with --model affectllm-head --model_args pretrained=FOLDER")
    is_adapter = _is_adapter(folder)
    if adapter is not None:
        if is_adapter:
            message = f"{path} is an adapter itself, and only one can be put on a model"
            raise WrongCheckpoint(message, do="give its base model as pretrained, or merge it first")
        adapter_folder = local_adapter(adapter)
    elif is_adapter:
        adapter_folder, path = folder, base_of(folder)
        if _is_adapter(folder_named(path)):
            message = f"the base model of this adapter, {path}, is an adapter itself"
            raise WrongCheckpoint(message, where=str(folder), do="merge that one into its base model first")
    else:
        return Place(path, None)
    check_adapter(adapter_folder)
    return Place(path, adapter_folder)


def _is_adapter(folder: Path) -> bool:
    """Return whether ``folder`` holds an adapter; it may have the configuration of its base model beside it.

    Raises:
        WrongCheckpoint: when it holds a whole model as well: transformers would load neither that nor, with certainty,
            the adapter, but the base model that the adapter names.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        return False
    if whole := next((name for name in (WEIGHTS, INDEX) if (folder / name).is_file()), None):
        raise WrongCheckpoint(
            f"the folder holds a whole model ({whole}) and an adapter ({ADAPTER_CONFIG}), and only one can be meant",
            where=str(folder),
            do=f"move {ADAPTER_CONFIG} away for the whole model, or say pretrained=MODEL,adapter={folder}",
        )
    return True


def weights_digest(path: str, adapter: str | None = None, processor: str | None = None) -> str:
    """Return the digest of everything on this machine that determines a model's outputs, without loading it."""
    place = locate(path, adapter)
    return fingerprint(_local(place.base), str(place.adapter) if place.adapter else None, processor)


def check_model(path: str, family: str | None = None, processor: str | None = None) -> Family:
    """Check a checkpoint and its processor before any work is done; the weights are not loaded.

    Raises:
        NotFound, WrongCheckpoint: as ``load_model``.
    """
    base = locate(path).base
    folder = _local(base)
    kind = _family(folder, base, family)
    _processor(folder, kind, base, processor)
    _check(folder, kind)
    return kind


def has_family(path: str) -> bool:
    """Return whether a checkpoint, or the base of an adapter, belongs to one of our families; as ``model_type``."""
    return family_of(model_type(path)) is not None


def model_type(path: str) -> str:
    """Return what transformers calls the architecture of a checkpoint, or of the base model of an adapter.

    Raises:
        NotFound: when there is none.
    """
    base = locate(path).base
    return _model_type(_local(base), base)


def check_saved(folder: Path, base: str) -> str:
    """Check that what a training has saved can be loaded, without the weights of its base model.

    Args:
        folder: with a model, or an adapter of ``base``.
        base: Hub id, folder or ``tiny:<family>``.

    Returns:
        What could not be looked at, in a sentence; empty otherwise.

    Raises:
        NotFound: when the folder holds neither a model nor an adapter.
        WrongCheckpoint: when weights are missing, broken, not finite, or do not fit.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        check_finite(folder, _family(str(folder), str(folder), None).unbounded)
        return ""
    check_adapter(folder)
    try:
        name = locate(base).base
        source = _local(name)
        family = _family(source, name, None)
    except NotFound as error:
        return f"whether the adapter fits {base} was not looked at: {error.what}"
    fitted(_hollow(source, family), folder, family)
    return ""


def _hollow(folder: str, family: Family) -> Any:
    """Build the network on the meta device, without weights."""
    import torch

    model_class = family.network_class()
    with torch.device("meta"):
        return model_class(model_class.config_class.from_pretrained(folder))


def _check(folder: str, family: Family) -> None:
    if Path(folder).is_dir():  # a folder; what comes from the Hub is checked by those who download it
        check_weights(Path(folder), family)
        check_finite(Path(folder), family.unbounded)


def whole_network(model_class: Any, folder: str, **from_pretrained: Any) -> Any:
    """Load a network by its class, with options of ``from_pretrained``.

    Raises:
        WrongCheckpoint: when a weight is missing, which would be random.
    """
    voice.reading(folder, sum(path.stat().st_size for path in Path(folder).glob("*.safetensors")))
    with read_by_libraries(f"{folder} cannot be loaded", "its files may be damaged, or an option may not suit them"):
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


def config_and_processor(path: str, family: Family, processor: str | None = None) -> tuple[Any, Any]:
    """Load the configuration of a checkpoint's network and its processor, without the weights; see ``load_model``."""
    base = locate(path).base
    folder = _local(base)
    config = family.network_class().config_class.from_pretrained(folder)
    return config, _processor(folder, family, base, processor)


def _processor(folder: str, family: Family, label: str, source: str | None) -> Any:
    """Load the checkpoint's own processor, or that of ``source``."""
    if source is not None:
        place = locate(source)
        folder, label = _local(place.base), source
    if Path(folder).is_dir():
        check_texts(Path(folder))
        check_processor(Path(folder), family, label)
    with read_by_libraries(f"the processor of {label} cannot be loaded", ORIGINAL):
        processor = load_processor(folder, family)
        getattr(processor, "tokenizer", processor)("a word")  # some settings are used only then
    vocabulary = getattr(processor, "tokenizer", processor).get_vocab()
    if lost := [token for token in family.placeholders.values() if token not in vocabulary]:
        message = f"the tokenizer of {label} does not know {lost[0]}, which {family.name} needs"
        raise WrongCheckpoint(message, do=f"name the model that the checkpoint was made of: {NAMING}")
    return processor


def load_processor(folder: str, family: Family) -> Any:
    """Load the processor or tokenizer of a checkpoint, with our chat template in place of its own."""
    install()
    processor = family.processor_type().from_pretrained(folder)
    tokenizer = getattr(processor, "tokenizer", processor)
    template = family.speaking(tokenizer.get_vocab()).chat_template()
    processor.chat_template = tokenizer.chat_template = template
    if tokenizer.pad_token is None:  # what fills up a batch is masked, whatever it is
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def fingerprint(folder: str, adapter: str | None, processor: str | None = None) -> str:
    """Return the digest of what determines outputs: config, weights and tokenizer, those of the adapter, processor."""
    hasher = hashlib.sha256()
    for place in filter(None, (folder, adapter, processor and _local(processor))):
        root = Path(place)
        if not root.is_dir():
            snapshot = _snapshot(place)
            hasher.update(f"{place}@{snapshot.name if snapshot else 'unknown'}".encode())
            continue
        for file in sorted([*root.glob("*.json"), *root.glob("*.safetensors"), *root.glob("*.jinja")]):
            hasher.update(file.name.encode())
            with file.open("rb") as stream:
                hasher.update(hashlib.file_digest(stream, "sha256").digest())
    return hasher.hexdigest()[:16]


def _snapshot(repo: str) -> Path | None:
    """Return the cached folder of a Hub model; None for other folders, and where it has not been downloaded."""
    if Path(repo).is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(repo, CONFIG)
    return Path(cached).parent if isinstance(cached, str) else None


def _local(path: str) -> str:
    if path.startswith(PREFIX):
        return str(tiny_folder(path.removeprefix(PREFIX)))
    folder = folder_named(path)
    if folder.is_dir():
        return str(folder)
    if path.startswith((".", "/", "~")) or path.count("/") != 1:
        do = f"{made_by(path)}give a folder, a Hub id or tiny:<family>"
        raise NotFound(f"there is no checkpoint folder {path}", do=do)
    return path


def _family(folder: str, label: str, expected: str | None) -> Family:
    if Path(folder).is_dir():
        check_folder(Path(folder), label)
        read_object(Path(folder) / CONFIG)
    model_type = _model_type(folder, label)
    family = family_of(model_type)
    if expected is not None and (family is None or family.name != find_family(expected).name):
        raise WrongCheckpoint(
            f"{label} is a {model_type} checkpoint, not {expected}",
            do=f"choose a checkpoint of type {' or '.join(find_family(expected).model_types)}",
        )
    if family is None:
        raise WrongCheckpoint(
            f"{label} is a {model_type} checkpoint, which no family reads", do="see `affectllm ls families`"
        )
    return family


def _model_type(folder: str, label: str) -> str:
    import transformers
    from huggingface_hub.errors import StrictDataclassError

    register()
    try:
        config = transformers.AutoConfig.from_pretrained(folder)
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        StrictDataclassError,
    ) as error:
        hub = "check the name, your connection (HF_HUB_OFFLINE) and, for gated models, `hf auth login`"
        do = f"correct its {CONFIG}, or copy or download it again" if Path(folder).is_dir() else hub
        raise NotFound(f"{label} cannot be read as a checkpoint: {first_words(error)}", do=do) from error
    return str(config.model_type)
