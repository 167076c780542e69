"""Merge adapters into their base models, quantise, and measure how far two versions of a model differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from affectllm.corpus.miniature import Clip, Content, Picture, Tone, materialise
from affectllm.errors import WrongCheckpoint
from affectllm.instruct.conversation import Messages
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.encode import Encoder
from affectllm.model.family import Family
from affectllm.model.load import Model

if TYPE_CHECKING:
    import torch

Bits = Literal["4bit", "8bit"]
_CORPUS = "trial"
_CLIPS: Mapping[str, tuple[str, Content]] = {
    "audio": ("tone.wav", Tone()),
    "image": ("square.png", Picture()),
    "video": ("square.mp4", Clip()),
}
_TEXTS = ("I have waited for this day so long.", "Why does nobody ever listen to me?")
_BUDGET = Budget(max_frames=4, max_pixels=64 * 28 * 28)


def merged(model: Model) -> Any:
    """Return the network of a model with an adapter, with the adapter in its weights; the model is used up.

    Raises:
        WrongCheckpoint: when the adapter is of a kind that cannot be merged, or the result is not finite.
    """
    try:
        return model.model.merge_and_unload(safe_merge=True)
    except (AttributeError, ValueError, NotImplementedError, TypeError) as error:
        kind = model.model.active_peft_config.peft_type.value
        message = f"the adapter, of the kind {kind}, cannot be merged: {str(error).partition(chr(10))[0][:200]}"
        raise WrongCheckpoint(message, where=model.path, do="use it as it is: MODEL --adapter DIR") from error


def trial_logits(model: Model, *, adapter: bool = True) -> list[torch.Tensor]:
    """Return the logits ``[tokens, vocabulary]`` of a few conversations: texts, and a clip of each kind it takes.

    Args:
        adapter: False for those of the base model below an adapter.
    """
    import torch

    model.model.eval()
    without = nullcontext() if adapter else model.model.disable_adapter()
    dtype = next(parameter.dtype for parameter in model.model.parameters() if parameter.is_floating_point())
    with TemporaryDirectory() as folder, torch.inference_mode(), without:
        root = materialise(dict(_CLIPS.values()), Path(folder))
        encoder = Encoder(model.processor, model.family, model.model.config, _BUDGET, {_CORPUS: root})
        return [_logits(model, encoder, messages, dtype) for messages in _conversations(model.family)]


def _conversations(family: Family) -> list[Messages]:
    parts: list[dict[str, Any]] = [
        {"type": kind, "corpus": _CORPUS, "path": _CLIPS[kind][0]} for kind in sorted(family.modalities & _CLIPS.keys())
    ]
    for part in parts:
        part |= {"sound": True} if part["type"] == "video" and family.sound else {}
    texts: list[dict[str, Any]] = [{"type": "text", "text": text} for text in _TEXTS]
    contents = [*([text] for text in texts), *([part, texts[0]] for part in parts)]
    answer = {"role": "assistant", "content": [{"type": "text", "text": "The person feels joy and some fear."}]}
    return [[{"role": "user", "content": content}, answer] for content in contents]


def _logits(model: Model, encoder: Encoder, messages: Messages, dtype: torch.dtype) -> torch.Tensor:
    encoded = encoder.encode(messages)
    assert not isinstance(encoded, MediaError), encoded  # our own clips
    batch = {name: tensor.to(model.model.device) for name, tensor in encoder.collate([encoded]).items()}
    del batch["labels"]
    batch |= {name: batch[name].to(dtype) for name in model.family.tensors.values() if name in batch}
    logits: torch.Tensor = model.model(**batch).logits[0].float().cpu()
    return logits


def difference(ones: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> float:
    """Return how far two models' logits differ: root mean square over standard deviation, of the worst conversation."""
    shares = [(one - other).square().mean().sqrt() / one.std() for one, other in zip(ones, others, strict=True)]
    return max(float(share) for share in shares)


def quantization_of(bits: Bits) -> dict[str, Any]:
    """Return fields of ``BitsAndBytesConfig`` for weights that are saved."""
    if bits == "8bit":
        return {"load_in_8bit": True}
    return {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}


def kept_whole(network: Any) -> dict[str, int]:
    """Return kind of layer → number of weights that a quantised network keeps in full precision.

    Weights that two layers share (an embedding and the head) count once, under the first.
    """
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    for name, module in network.named_modules():
        weights = [weight for weight in module.parameters(recurse=False) if weight.is_floating_point()]
        own = [weight for weight in weights if id(weight) not in seen]
        seen.update(map(id, own))
        if own and type(module).__name__ not in ("Linear4bit", "Linear8bitLt"):
            part = ".".join([piece for piece in name.split(".")[:-1] if not piece.isdigit()][:2])
            counts[f"{type(module).__name__} in {part or 'the model'}"] += sum(weight.numel() for weight in own)
    return dict(counts.most_common())
