"""Pooled representations of a frozen encoder: what a linear model is fitted on to see what the encoder knows.

The last hidden states, or those of a named layer of an encoder of sounds, are averaged over time (tokens, patches and
frames of a video), the usual linear-probe protocol of speech (Yang et al., SUPERB, Interspeech 2021, there with learned
weights of all layers) and of vision (He et al., MoCo, CVPR 2020).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
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
        take = _last if self._layer is None else partial(_normalised, layer=self._layer)
        return _mean(self._heard(sound, take))

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """Describe frames, uint8 ``[time, height, width, 3]``, as float64 ``[width]``."""
        return _mean(self._seen(frames, _last))

    def words(self, text: str) -> np.ndarray:
        """Describe a text as float64 ``[width]``; of a long one the first 512 tokens count."""
        return _mean(self._read(text, _last))

    def layers(self, given: np.ndarray | str, pool: str = "mean") -> np.ndarray:
        """Describe a sound, frames or a text, whichever the encoder takes, by each of its layers.

        The outputs are those of the layers themselves, not normalised; 0 is what goes into the first.

        Args:
            given: as ``sound``, ``frames`` or ``words`` take it.
            pool: ``mean`` over time, or the ``last`` position in time.

        Returns:
            float64 ``[layers, width]``.

        Raises:
            WrongCheckpoint: when the encoder gives no outputs of layers, or some of unlike widths.
        """
        take = partial(stacked, path=self.path)
        if isinstance(given, str):
            states = self._read(given, take)
        else:
            states = self._heard(given, take) if self.kind == "audio" else self._seen(given, take)
        return _mean(states if pool == "mean" else states[..., -1:, :])

    def _heard(self, sound: np.ndarray, take: Callable[[Any], Any]) -> Any:
        """Return what ``take`` takes of each window, joined along time: ``[…, time, width]``."""
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
                outputs = take(tower(**inputs, output_hidden_states=take is not _last))[..., 0, :, :]
            # what pads the window is not heard
            heard.append(outputs[..., : max(1, round(len(piece) / SAMPLING_RATE * self._audio.rate)), :])
        return torch.cat(heard, dim=-2)

    def _seen(self, frames: np.ndarray, take: Callable[[Any], Any]) -> Any:
        """Return what ``take`` takes of each frame, joined along time: ``[…, time · patches, width]``."""
        import torch

        inputs = self._prepare(images=list(frames), return_tensors="pt")
        with torch.no_grad():
            outputs = take(self._tower.eval()(**inputs, output_hidden_states=take is not _last))
        return outputs.flatten(-3, -2)

    def _read(self, text: str, take: Callable[[Any], Any]) -> Any:
        import torch

        tokens = self._prepare(text or " ", return_tensors="pt", truncation=True, max_length=_TOKENS)
        with torch.no_grad():
            return take(self._tower(**tokens, output_hidden_states=take is not _last))[..., 0, :, :]


def _mean(states: Any) -> np.ndarray:
    return np.asarray(states.mean(-2), dtype=np.float64)


def _last(result: Any) -> Any:
    return result.last_hidden_state


def _normalised(result: Any, layer: int) -> Any:
    from affectllm.model.composite.fusion import OneLayer

    return OneLayer(layer)(result.hidden_states)


def stacked(result: Any, path: str) -> Any:
    """Return the outputs of all layers of one pass, ``[layers, batch, time, width]``; 0 is what goes into the first.

    Raises:
        WrongCheckpoint: when there are none, or some of unlike shapes.
    """
    import torch

    states = getattr(result, "hidden_states", None)
    if not states:
        raise WrongCheckpoint(f"{path} gives no outputs of layers", do="probe another model")
    if len({state.shape for state in states}) > 1:
        raise WrongCheckpoint(f"the layers of {path} are of unlike widths or lengths", do="probe another model")
    return torch.stack(tuple(states))


def _kind(path: str) -> str:
    """Return ``audio``, ``vision`` or ``text``, by the preprocessor that the checkpoint brings."""
    from transformers.utils.hub import cached_file

    with loading(path, "an encoder"):
        page = cached_file(path, "preprocessor_config.json", _raise_exceptions_for_missing_entries=False)
        keys: dict[str, Any] = json.loads(Path(page).read_text(encoding="utf-8")) if page else {}
    if "feature_extractor_type" in keys and "image_processor_type" not in keys:
        return "audio"
    return "vision" if "image_processor_type" in keys else "text"
