"""Pooled representations of a frozen encoder: what a linear model is fitted on to see what the encoder knows.

The last hidden states, or those of a named layer of an encoder of sounds, are averaged over time (tokens, patches and
frames of a video), the usual linear-probe protocol of speech (Yang et al., SUPERB, Interspeech 2021, there with learned
weights of all layers) and of vision (He et al., MoCo, CVPR 2020).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from affectllm.errors import WrongCheckpoint
from affectllm.model.clips.budget import SAMPLING_RATE
from affectllm.model.composite.encoders import check_layer, load_audio, load_vision, loading

_TOKENS = 512


class PooledEncoder:
    """An encoder of sounds, pictures or words, and vectors of what it is given.

    Args:
        path: Hub id or folder.
        layer: of an encoder of sounds, whose outputs are normalised as a composite's are; None for the last.

    Raises:
        NotFound, WrongCheckpoint: when there is none, it cannot be loaded, or it has no such layer.
    """

    def __init__(self, path: str, layer: int | None = None) -> None:
        self.path, self.kind, self._layer = path, _kind(path), layer
        if layer is not None and self.kind != "audio":
            raise WrongCheckpoint(f"{path} encodes no sounds: of others the last layer is taken", do="leave layer out")
        if self.kind == "audio":
            self._audio = load_audio(path)
            if layer is not None:
                check_layer(self._audio, layer)
        elif self.kind == "vision":
            self._tower, self._prepare = load_vision(path)
        else:
            import transformers

            with loading(path, "a text encoder"):
                self._tower = transformers.AutoModel.from_pretrained(path).eval()
                self._prepare = transformers.AutoTokenizer.from_pretrained(path)

    def sound(self, sound: np.ndarray) -> np.ndarray:
        """Describe a sound, float32 ``[samples]`` at 16 kHz, as float64 ``[width]``."""
        import torch

        size = round(self._audio.window * SAMPLING_RATE)
        pieces = [sound[start : start + size] for start in range(0, max(len(sound), 1), size)]
        heard = []
        for piece in pieces:
            full = np.pad(piece, (0, size - len(piece)))
            features = self._audio.extractor([full], sampling_rate=SAMPLING_RATE, return_tensors="pt")
            tower = self._audio.tower
            inputs = {tower.main_input_name: features[self._audio.extractor.model_input_names[0]]}
            with torch.no_grad():
                result = tower(**inputs, output_hidden_states=self._layer is not None)
            outputs = result.last_hidden_state[0] if self._layer is None else _normalised(result, self._layer)
            # what pads the window is not heard
            heard.append(outputs[: max(1, round(len(piece) / SAMPLING_RATE * self._audio.rate))])
        return np.asarray(torch.cat(heard).mean(0), dtype=np.float64)

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """Describe frames, uint8 ``[time, height, width, 3]``, as float64 ``[width]``."""
        import torch

        inputs = self._prepare(images=list(frames), return_tensors="pt")
        with torch.no_grad():
            return np.asarray(self._tower.eval()(**inputs).last_hidden_state.mean((0, 1)), dtype=np.float64)

    def words(self, text: str) -> np.ndarray:
        """Describe a text as float64 ``[width]``; of a long one the first 512 tokens count."""
        import torch

        tokens = self._prepare(text or " ", return_tensors="pt", truncation=True, max_length=_TOKENS)
        with torch.no_grad():
            return np.asarray(self._tower(**tokens).last_hidden_state[0].mean(0), dtype=np.float64)


def _normalised(result: Any, layer: int) -> Any:
    from affectllm.model.composite.fusion import OneLayer

    return OneLayer(layer)(result.hidden_states)[0]


def _kind(path: str) -> str:
    """Return ``audio``, ``vision`` or ``text``, by the preprocessor that the checkpoint brings."""
    from transformers.utils.hub import cached_file

    page = cached_file(path, "preprocessor_config.json", _raise_exceptions_for_missing_entries=False)
    keys: dict[str, Any] = json.loads(Path(page).read_text(encoding="utf-8")) if page else {}
    if "feature_extractor_type" in keys and "image_processor_type" not in keys:
        return "audio"
    return "vision" if "image_processor_type" in keys else "text"
