"""Load plain encoders of text, sound, pictures and films by the Auto classes of transformers, as backbones of heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from affectllm import voice
from affectllm.errors import WrongCheckpoint
from affectllm.folders import made_once
from affectllm.model.composite.encoders import load_audio, load_vision, loading
from affectllm.model.heads.backbones import ENCODER, ENCODERS, IMAGE, SPEECH, TEXT, VIDEO
from affectllm.model.load import Model, check_model, fingerprint, load_model
from affectllm.model.tiny import PREFIX
from affectllm.model.weights.checkpoint import WEIGHTS, check_tokens, folder_named
from affectllm.run import cache_folder

WINDOW = 5.0
"""Seconds that an encoder of sounds without a length of its own hears at once, where the recipe does not say."""
_LAYOUT = 1  # of the tiny encoders
_SIZES: dict[str, Any] = {
    **{"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
}


class EncoderNetwork(nn.Module):
    """An encoder under the name ``encoder``, as the owner of a head's backbone."""

    base_model_prefix = ENCODER

    def __init__(self, tower: Any, path: str) -> None:
        super().__init__()
        self.encoder, self.name_or_path = tower, path
        self.config = tower.config
        self._no_split_modules = getattr(tower, "_no_split_modules", None)

    @property
    def base_model(self) -> Any:
        """The encoder."""
        return self.encoder

    @property
    def device(self) -> Any:
        """Where it lies."""
        return next(self.parameters()).device


def load_backbone(path: str, backbone: str, window: float | None = None, **options: Any) -> Model:
    """Load what a head stands on.

    Args:
        path: Hub id, folder or ``tiny:<backbone>``.
        backbone: name of a family or of a kind of encoder.
        window: seconds that an encoder of sounds hears at once.
        options: of ``load_model``; of an encoder only ``processor`` and ``dtype`` matter.

    Raises:
        NotFound, WrongCheckpoint: when there is none, or it is another.
    """
    if backbone not in ENCODERS:
        return load_model(path, family=backbone, **options)
    import torch

    folder = encoder_folder(path)
    tower, processor = _LOADERS[backbone](folder, window)
    kind = ENCODERS[backbone]
    kind = replace(kind, tensors=dict.fromkeys(kind.tensors, tower.main_input_name))
    dtype = options.get("dtype", "auto")
    network = EncoderNetwork(tower if dtype == "auto" else tower.to(getattr(torch, dtype)), path)
    if device := options.get("device"):
        network = network.to(device)
    return Model(network, processor, kind, path, fingerprint(folder, None))


def check_backbone(path: str, backbone: str, processor: str | None = None) -> None:
    """Check a checkpoint before any work is done; the weights are not loaded.

    Raises:
        NotFound, WrongCheckpoint: as ``load_backbone``.
    """
    if backbone not in ENCODERS:
        check_model(path, backbone, processor)
        return
    import transformers

    folder = encoder_folder(path)
    with loading(folder, f"a {backbone.replace('_', ' ')}"):
        transformers.AutoConfig.from_pretrained(folder)


def load_tuned_encoder(folder: Path, backbone: str, window: float | None) -> Model:
    """Load an encoder that was tuned with its head, from the head's folder.

    Raises:
        WrongCheckpoint: when its weights do not fit.
    """
    from safetensors.torch import load_file

    model = load_backbone(str(folder), backbone, window)
    try:
        # Of a model with a decoder the encoder alone was saved, which the Auto classes do not expect.
        model.model.encoder.load_state_dict(load_file(folder / WEIGHTS))
    except RuntimeError as error:
        message = f"the weights are not those of the encoder: {str(error).splitlines()[-1].strip()[:200]}"
        raise WrongCheckpoint(message, where=str(folder / WEIGHTS), do="copy the folder again") from error
    return model


def encoder_folder(path: str) -> str:
    """Return the folder of ``tiny:<encoder>``, built on first use; other names as they are.

    Raises:
        WrongCheckpoint: when there is no such tiny encoder.
    """
    if not path.startswith(PREFIX):
        return str(folder_named(path)) if folder_named(path).is_dir() else path
    kind = path.removeprefix(PREFIX)
    if kind not in _TINY:
        names = ", ".join(f"{PREFIX}{one}" for one in _TINY)
        raise WrongCheckpoint(f"{path} is no encoder", do=f"choose among {names}")

    def fill(folder: Path) -> None:
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(0)
            for part in _TINY[kind]():
                voice.without_bars()
                part.save_pretrained(folder)

    return str(made_once(cache_folder() / "tiny" / f"{kind}-{_LAYOUT}", fill))


def _text(folder: str, _: float | None) -> tuple[Any, Any]:
    import transformers

    with loading(folder, "a text encoder"):
        tower = transformers.AutoModel.from_pretrained(folder)
        tower = tower.get_encoder() if tower.config.is_encoder_decoder else tower
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    check_tokens(tokenizer, tower.config, folder)
    return tower, tokenizer


def _speech(folder: str, window: float | None) -> tuple[Any, Any]:
    own = _own_window(folder)
    heard = load_audio(folder, window or own or WINDOW)
    heard.extractor.window_seconds, heard.extractor.outputs_per_second = heard.window, heard.rate
    return heard.tower, heard.extractor


def _own_window(folder: str) -> float | None:
    import transformers

    with loading(folder, "an audio encoder"):
        return getattr(transformers.AutoFeatureExtractor.from_pretrained(folder), "chunk_length", None)


def _picture(folder: str, _: float | None) -> tuple[Any, Any]:
    return load_vision(folder)


_LOADERS: dict[str, Callable[[str, float | None], tuple[Any, Any]]] = {
    TEXT: _text,
    SPEECH: _speech,
    IMAGE: _picture,
    VIDEO: _picture,
}


def _tiny_text() -> list[Any]:
    import transformers

    from affectllm.model.tiny import _tokenizer

    tokenizer = _tokenizer()
    config = transformers.BertConfig(vocab_size=len(tokenizer), max_position_embeddings=1024, **_SIZES)
    return [transformers.BertModel(config), tokenizer]


def _tiny_speech() -> list[Any]:
    import transformers

    convolutions: dict[str, Any] = {
        "conv_dim": (32,) * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
    }
    config = transformers.Wav2Vec2Config(vocab_size=32, mask_time_prob=0.0, layerdrop=0.0, **_SIZES, **convolutions)
    return [transformers.Wav2Vec2Model(config), transformers.Wav2Vec2FeatureExtractor()]


def _tiny_picture() -> list[Any]:
    import transformers

    config = transformers.ViTConfig(image_size=56, patch_size=14, **_SIZES)
    size = {"height": 56, "width": 56}
    return [transformers.ViTModel(config, add_pooling_layer=False), transformers.ViTImageProcessor(size=size)]


def _tiny_film() -> list[Any]:
    import transformers

    config = transformers.VideoMAEConfig(image_size=56, patch_size=14, num_frames=4, use_mean_pooling=False, **_SIZES)
    side = {"height": 56, "width": 56}
    processor = transformers.VideoMAEImageProcessor(size={"shortest_edge": 56}, crop_size=side)
    return [transformers.VideoMAEModel(config), processor]


_TINY: dict[str, Callable[[], list[Any]]] = {
    TEXT: _tiny_text,
    SPEECH: _tiny_speech,
    IMAGE: _tiny_picture,
    VIDEO: _tiny_film,
}
