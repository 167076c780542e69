"""Lets a trainer be imported beside a CPU build of torch. Import it first.

torchvision's wheel misses two operators, which are declared; torchaudio's cannot be loaded at all, so its two functions
that LLaMA-Factory calls are made of soundfile and soxr.
"""

import importlib.machinery
import sys
import types

import torch

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
LIBRARY = torch.library.Library("torchvision", "DEF")
for operator in ("nms", "qnms"):
    LIBRARY.define(operator + _BOXES)


def _load(path):
    import soundfile

    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return torch.from_numpy(wave.T.copy()), rate


def _resample(wave, rate, target_rate):
    import soxr

    return torch.from_numpy(soxr.resample(wave.numpy().T, rate, target_rate).T.copy())


torchaudio = types.ModuleType("torchaudio")
torchaudio.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
torchaudio.load, torchaudio.functional = _load, types.SimpleNamespace(resample=_resample)
sys.modules["torchaudio"] = torchaudio
