"""Composing: three checkpoints into one folder that loads like any other."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from affectllm import registry, voice
from affectllm.errors import Malformed
from affectllm.model.composite.encoders import WINDOW, check_layer, load_audio, load_vision, loading
from affectllm.model.family import find_family
from affectllm.page_schema import build
from affectllm.yaml_page import PageKind, read_page

COMPOSITION = PageKind("composition")
_CHATML = ("<|im_start|>", "<|im_end|>")
_VOCABULARY = 64  # a multiple of it, so that ZeRO can split the embedding evenly


@dataclass(frozen=True)
class Composition:
    """A page that says what a composite is made of.

    Args:
        description: a sentence, for people.
        language: Hub id or folder of a causal language model.
        vision: Hub id or folder of a vision encoder, or of a model with one (CLIP, SigLIP, DINOv2, ViT).
        audio: Hub id or folder of an audio encoder, or of a model with one (Whisper, HuBERT, WavLM, wav2vec 2.0).
        fusion: ``projector``, ``prefusion`` or ``qformer``.
        tokens_per_frame: tokens of a frame (projector).
        frames_per_token: outputs of the audio encoder that a token is made of (projector).
        audio_pooling: ``stack`` or ``mean`` of these outputs (projector).
        audio_norm: ``layer``, or ``standardised`` over the sounds trained on (projector).
        audio_layers: ``last``, the number of one layer of the audio encoder, or ``all`` for a learned mean of them.
        window: seconds of sound that the audio encoder hears at once; None for its own (Whisper: 30), or 2.
        dtype: of the weights that are written.
        seed: of the fusion's weights and of new embeddings.
    """

    description: str
    language: str
    vision: str | None = None
    audio: str | None = None
    fusion: Literal["projector", "prefusion", "qformer"] = "projector"
    tokens_per_frame: int = 4
    frames_per_token: int = 8
    audio_pooling: Literal["stack", "mean"] = "stack"
    audio_norm: Literal["layer", "standardised"] = "layer"
    audio_layers: Literal["last", "all"] | int = "last"
    window: float | None = None
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    seed: int = 0

    @property
    def family(self) -> str:
        """The name of the family that the composite belongs to."""
        towers = {(True, True): "composite", (False, True): "speech", (True, False): "vision"}
        return f"affect_{towers[self.vision is not None, self.audio is not None]}"


def load_composition(name: str, overrides: Iterable[str] = ()) -> Composition:
    """Read a page.

    Args:
        name: in ``recipes/compositions/``, or path of a YAML file.
        overrides: ``key=value`` texts that replace what the page says.

    Raises:
        NotFound: when there is no such page.
        Malformed: with file and line; also when it names no encoder.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else registry.find("recipes/compositions", name)
    page = read_page(path, COMPOSITION)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise Malformed(f"{override!r} is not KEY=VALUE", do="write --set audio=DIR")
        page.set(key, value)
    composition: Composition = build(Composition, page)
    if composition.vision is None and composition.audio is None:
        raise Malformed("names neither vision nor audio", where=page.where(()), do="name one encoder or both")
    for key in ("tokens_per_frame", "frames_per_token"):
        if getattr(composition, key) < 1:
            raise Malformed(f"{key} is at least 1", where=page.where((key,)))
    return composition


def compose(composition: Composition, folder: Path) -> list[str]:
    """Write the composite of three checkpoints into ``folder``, which appears when it is whole.

    Returns:
        What is new in it and has to be trained, a line each.

    Raises:
        Malformed: when the folder holds something.
        NotFound, WrongCheckpoint: when one of the checkpoints is nowhere, is of another kind, or lacks the layer.
    """
    import torch

    from affectllm.model.torchvision_ops import install

    install()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Malformed("there is something already", where=str(folder), do="name a new folder")
    with torch.random.fork_rng():
        torch.manual_seed(composition.seed)
        model, processor, notes = _assembled(composition)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        voice.without_bars()
        model.save_pretrained(scratch)
        processor.save_pretrained(scratch)
        scratch.chmod(0o755)
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return notes


def _assembled(composition: Composition) -> tuple[Any, Any, list[str]]:
    """Return model, processor, and what is new."""
    import torch

    family = find_family(composition.family)
    language, tokenizer, notes = _language(composition)
    vision, image_processor = (None, None) if composition.vision is None else load_vision(composition.vision)
    heard = None if composition.audio is None else load_audio(composition.audio, composition.window)
    audio, extractor = (heard.tower, heard.extractor) if heard else (None, None)
    if heard is not None:
        check_layer(heard, composition.audio_layers)
    window, rate = (heard.window, heard.rate) if heard else (WINDOW, 1.0)
    ids = {f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in _names()}
    config = family.network_class().config_class(
        text_config=language.config.to_dict(),
        vision_config=vision.config.to_dict() if vision is not None else None,
        audio_config=audio.config.to_dict() if audio is not None else None,
        fusion=composition.fusion,
        tokens_per_frame=composition.tokens_per_frame,
        frames_per_token=composition.frames_per_token,
        audio_pooling=composition.audio_pooling,
        audio_norm=composition.audio_norm,
        audio_layers=composition.audio_layers,
        tie_word_embeddings=language.config.tie_word_embeddings,
        composed_of={
            key: value for key, value in asdict(composition).items() if key != "description" and value is not None
        },
        **ids,
    )
    model = family.network_class()(config)
    for name, tower in (("vision_tower", vision), ("audio_tower", audio), ("language_model", language.base_model)):
        if tower is not None:
            getattr(model.model, name).load_state_dict(tower.state_dict())
    model.lm_head.load_state_dict(language.lm_head.state_dict())
    model.tie_weights()
    model.generation_config = copy.deepcopy(language.generation_config)
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids(_CHATML[1])
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    sizes = {"tokens_per_frame": composition.tokens_per_frame, "frames_per_token": composition.frames_per_token}
    pieces = [piece for piece in (image_processor, extractor) if piece is not None]
    processor = family.processor_type()(
        *pieces, tokenizer, family.chat_template(), composition.fusion, **sizes, window=window, outputs_per_second=rate
    )
    weights = sum(parameter.numel() for parameter in model.model.fusion.parameters())
    notes.append(f"model.fusion: {weights:,} weights between encoders and language model are random")
    return model.to(getattr(torch, composition.dtype)), processor, notes


def _names() -> tuple[str, ...]:
    return "video", "image", "audio", "multi"


def _language(composition: Composition) -> tuple[Any, Any, list[str]]:
    """Return the language model and its tokenizer with the placeholders, and what is new in them."""
    import torch
    import transformers

    with loading(composition.language, "a causal language model"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(composition.language)
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(composition.language, dtype=torch.float32)
    vocabulary = tokenizer.get_vocab()
    turns = [token for token in _CHATML if token not in vocabulary]
    placeholders = [f"<|{name}|>" for name in _names()]
    tokenizer.add_special_tokens(
        {"additional_special_tokens": [*turns, *placeholders]}, replace_extra_special_tokens=False
    )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    size = max(len(tokenizer), model.config.vocab_size)
    model.resize_token_embeddings(-(-size // _VOCABULARY) * _VOCABULARY, mean_resizing=False)
    with torch.no_grad():  # so that an untrained model does not answer with placeholders
        model.get_output_embeddings().weight[tokenizer.convert_tokens_to_ids(placeholders)] = 0
    note = f"{', '.join(turns)}: not known to {composition.language}; train the embeddings too (modules_to_save)"
    return model, tokenizer, [note] if turns else []
