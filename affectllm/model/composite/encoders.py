"""Encoders of sound and of pictures from checkpoints of any kind that the Auto classes know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm import voice
from affectllm.errors import NotFound, WrongCheckpoint

WINDOW = 2.0
"""Seconds of sound that an encoder without a length of its own hears at once."""


@dataclass(frozen=True)
class AudioEncoder:
    """An encoder of sounds.

    Args:
        tower: the network; of a model with a decoder its encoder alone.
        extractor: its feature extractor.
        window: seconds of sound that it hears at once.
        rate: its outputs per second.
    """

    tower: Any
    extractor: Any
    window: float
    rate: float


def load_vision(path: str) -> tuple[Any, Any]:
    """Return the vision encoder of a checkpoint (CLIP, SigLIP, DINOv2, ViT) and its image processor.

    Raises:
        NotFound, WrongCheckpoint: when there is none, or it is none.
    """
    import torch
    import transformers

    with loading(path, "a vision encoder"):
        config: Any = transformers.AutoConfig.from_pretrained(path)
        config = getattr(config, "vision_config", config)
        tower = transformers.AutoModel.from_pretrained(path, config=config, dtype=torch.float32)
        return tower, transformers.AutoImageProcessor.from_pretrained(path)


def load_audio(path: str, window: float | None = None) -> AudioEncoder:
    """Return the audio encoder of a checkpoint (Whisper, HuBERT, WavLM, wav2vec 2.0).

    Args:
        window: seconds that it hears at once; None for its own (Whisper: 30), or ``WINDOW``.

    Raises:
        NotFound, WrongCheckpoint: when there is none, it is none, or its own window is another.
    """
    import numpy as np
    import torch
    import transformers

    with loading(path, "an audio encoder"):
        model: Any = transformers.AutoModel.from_pretrained(path, dtype=torch.float32)
        extractor: Any = transformers.AutoFeatureExtractor.from_pretrained(path)
        tower = model.get_encoder() if model.config.is_encoder_decoder else model
    own = getattr(extractor, "chunk_length", None)
    if own is not None and window not in (None, own):
        message = f"{path} hears windows of {own} s, not {window}"
        raise WrongCheckpoint(message, do=f"write window: {own}, or leave it out")
    seconds = float(own or window or WINDOW)
    silence = np.zeros(round(seconds * extractor.sampling_rate), dtype=np.float32)
    features = extractor([silence], sampling_rate=extractor.sampling_rate, return_tensors="pt")
    with torch.no_grad():
        outputs = tower.eval()(**{tower.main_input_name: features[extractor.model_input_names[0]]}).last_hidden_state
    return AudioEncoder(tower, extractor, seconds, outputs.shape[1] / seconds)


def check_layer(encoder: AudioEncoder, layer: int | str) -> None:
    """Make sure that an encoder has a layer, where one is named by its number.

    Raises:
        WrongCheckpoint: with the numbers that it has.
    """
    last = encoder.tower.config.num_hidden_layers
    if isinstance(layer, int) and not 0 <= layer <= last:
        message = f"the audio encoder has layers 1 to {last}, and 0 is what goes into the first; there is no {layer}"
        raise WrongCheckpoint(message, do="name one of them")


@contextmanager
def loading(path: str, what: str) -> Iterator[None]:
    """Say which of the checkpoints cannot be loaded."""
    voice.without_bars()
    try:
        yield
    except (OSError, ValueError, KeyError, AttributeError) as error:
        reason = str(error).splitlines()[0][:200]
        if not Path(path).expanduser().is_dir() and path.count("/") != 1:
            raise NotFound(f"there is no checkpoint {path}", do="give a folder or a Hub id") from error
        hint = "name another: a folder or a Hub id, --set PART=CHECKPOINT"
        raise WrongCheckpoint(f"{path} cannot be loaded as {what}: {reason}", do=hint) from error
