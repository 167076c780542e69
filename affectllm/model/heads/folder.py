"""The folder of a head: ``head.json`` says what it is, and its weights lie beside it in safetensors.

=============  ======================================================================================
frozen         ``head.safetensors``; the backbone is the base model as it was
lora           ``adapter_model.safetensors`` with the head's layers, as PEFT writes it
full           ``head.safetensors``, and the backbone's ``model.safetensors`` with its configuration
=============  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, get_args

from affectllm.errors import NotFound, WrongCheckpoint
from affectllm.model.cache import MediaCache
from affectllm.model.clips.budget import Budget
from affectllm.model.encode import Encoder
from affectllm.model.heads.answers import Answers
from affectllm.model.heads.backbones import ENCODERS, LAYERS, backbone_called
from affectllm.model.heads.page import HeadPage, Pooling
from affectllm.model.length import DEFAULT_TEXT, BoundedEncoder, budget_of
from affectllm.model.load import Model, fingerprint, load_processor, weights_digest, whole_network
from affectllm.model.weights.adapters import check_adapter
from affectllm.model.weights.checkpoint import HEAD, INDEX, WEIGHTS, check_tokens, folder_named, read_object
from affectllm.model.weights.weight_files import check_finite, header
from affectllm.run import digest, write_json

if TYPE_CHECKING:
    from torch import Tensor

    from affectllm.model.heads.inputs import PlainEncoder
    from affectllm.model.heads.network import HeadNetwork

HEAD_WEIGHTS = "head.safetensors"
_LAYOUT = 1
Adaptation = Literal["frozen", "lora", "full"]


@dataclass(frozen=True)
class HeadFolder:
    """What ``head.json`` says.

    Args:
        answers: what the outputs are.
        page: the recipe's settings.
        base, backbone, processor: the model below it, as in a recipe.
        dtype: of the backbone's weights.
        budget: of clips.
        max_text_tokens: most tokens of words.
        pooling: as it was done.
        width: of the pooled representation.
        standardised: see ``network.layers``.
        adaptation: what of the backbone was trained.
        held_out: scores on the validation rows of the training, by the best checkpoint; empty where there were none.
    """

    answers: Answers
    page: HeadPage
    base: str
    backbone: str
    processor: str | None
    dtype: str
    budget: Budget
    max_text_tokens: int
    pooling: Pooling
    width: int
    standardised: bool
    adaptation: Adaptation
    held_out: Mapping[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the page into a folder."""
        own = {name: getattr(self, name) for name in _PLAIN}
        parts = {"answers": self.answers.to_json(), "page": self.page.to_json(), "budget": asdict(self.budget)}
        write_json(folder / HEAD, {"layout": _LAYOUT, **own, **parts, "held_out": dict(self.held_out)})

    @classmethod
    def read(cls, folder: Path) -> HeadFolder:
        """Read the page of a folder.

        Raises:
            NotFound: when the folder is no head.
            WrongCheckpoint: when the page is broken, or of another version of affectllm.
        """
        if not (folder / HEAD).is_file():
            do = "name the final/ folder of a training with method: head or reward"
            raise NotFound(f"{folder} is no folder of a head: it has no {HEAD}", do=do)
        page = read_object(folder / HEAD)
        if page.get("layout") != _LAYOUT:
            message = f"the head was saved by another version of affectllm (layout {page.get('layout')})"
            raise WrongCheckpoint(message, where=str(folder / HEAD), do="install that version, or train again")
        try:
            parts: dict[str, Any] = {
                "answers": Answers.from_json(page["answers"]),
                "page": HeadPage.from_json(page["page"]),
                "budget": Budget(**page["budget"]),
                "held_out": dict(page["held_out"]),
            }
            head = cls(**{name: page[name] for name in _PLAIN}, **parts)
            backbone_called(head.backbone)
            if head.adaptation not in get_args(Adaptation):
                raise ValueError(f"adaptation {head.adaptation!r}")
            return head
        except (KeyError, TypeError, ValueError) as error:
            message = f"the page of the head cannot be read: {type(error).__name__}: {error}"
            raise WrongCheckpoint(message, where=str(folder / HEAD), do="copy the folder again") from error


_PLAIN = (
    *("base", "backbone", "processor", "dtype", "max_text_tokens", "pooling", "width"),
    *("standardised", "adaptation"),
)


def is_head(path: str) -> bool:
    """Return whether ``path`` is the folder of a head."""
    return (folder_named(path) / HEAD).is_file()


@dataclass
class LoadedHead:
    """A head with its backbone.

    Args:
        head: its page.
        model: the backbone with its processor and family.
        network: backbone and head; in evaluation mode.
        folder: where it came from.
        fingerprint: digest of everything that decides its outputs.
    """

    head: HeadFolder
    model: Model
    network: Any
    folder: Path
    fingerprint: str

    def encoders(
        self, roots: Mapping[str, Path], budget: Budget, cache: MediaCache | None = None
    ) -> tuple[Encoder | PlainEncoder, BoundedEncoder | PlainEncoder]:
        """Return what encodes conversations for it, and what refuses those that are too long: see ``encoder_for``."""
        return encoder_for(self.model, budget, roots, cache, self.head.max_text_tokens)


def encoder_for(
    model: Model,
    budget: Budget,
    roots: Mapping[str, Path],
    cache: MediaCache | None = None,
    most: int | None = None,
) -> tuple[Encoder | PlainEncoder, BoundedEncoder | PlainEncoder]:
    """Return the encoder of a backbone, and one that refuses what is too long.

    Args:
        most: tokens of words.
    """
    if model.family.name in ENCODERS:
        from affectllm.model.heads.inputs import PlainEncoder

        plain = PlainEncoder(model, budget, roots, cache, most)
        return plain, plain
    encoder = Encoder(model.processor, model.family, model.model.config, budget, roots, cache)
    return encoder, BoundedEncoder(encoder, budget_of(model, DEFAULT_TEXT if most is None else most))


def save_head(folder: Path, head: HeadFolder, network: HeadNetwork, weights: Mapping[str, Tensor]) -> None:
    """Write a head that is no adapter.

    Args:
        network: backbone and head, or the head alone.
        weights: of ``network`` by name.
    """
    from safetensors.torch import save_file

    own = {name: tensor.contiguous() for name, tensor in weights.items() if name.startswith(f"{LAYERS}.")}
    save_file(own, folder / HEAD_WEIGHTS, metadata={"format": "pt"})
    if head.adaptation == "full":
        prefix = f"{network.prefix}."
        below = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
        if head.backbone in ENCODERS:
            network.backbone.config.save_pretrained(folder)
            save_file({n: t.contiguous() for n, t in below.items()}, folder / WEIGHTS, metadata={"format": "pt"})
        else:
            network.backbone.save_pretrained(folder, state_dict=below)
    head.write(folder)


def load_head(path: str, device: str | None = None) -> LoadedHead:
    """Load a head and its backbone.

    Raises:
        NotFound: when the folder is none, or its base model is not there.
        WrongCheckpoint: when weights are missing, broken or not finite, or do not fit.
    """
    from safetensors.torch import load_file

    from affectllm.model.heads.network import HeadNetwork, layers

    folder = folder_named(path)
    head = HeadFolder.read(folder)
    model = _backbone(folder, head)
    owner = model.model
    score = layers(head.width, head.answers.outputs, head.page, head.standardised)
    network: Any = HeadNetwork(owner, score, head.answers, head.pooling)
    check_finite(folder, backbone_called(head.backbone).unbounded)
    if head.adaptation == "lora":
        from peft import PeftModel

        check_adapter(folder)
        network = PeftModel.from_pretrained(network, str(folder))
    else:
        header(_present(folder / HEAD_WEIGHTS))
        own = {name.removeprefix(f"{LAYERS}."): one for name, one in load_file(folder / HEAD_WEIGHTS).items()}
        try:
            score.load_state_dict(own)
        except RuntimeError as error:
            message = f"the weights do not fit the page: {str(error).splitlines()[-1].strip()[:200]}"
            raise WrongCheckpoint(message, where=str(folder / HEAD_WEIGHTS), do="copy the folder again") from error
    if device is not None:
        network = network.to(device)
    return LoadedHead(head, model, network.eval(), folder, head_digest(path))


def check_saved_head(folder: Path) -> None:
    """Check that what a training has saved is whole and finite, without the base model.

    Raises:
        NotFound, WrongCheckpoint: when it is not.
    """
    head = HeadFolder.read(folder)
    check_finite(folder, backbone_called(head.backbone).unbounded)
    if head.adaptation == "lora":
        check_adapter(folder)
    else:
        header(_present(folder / HEAD_WEIGHTS))


def _present(path: Path) -> Path:
    if not path.is_file():
        raise WrongCheckpoint(f"the head has no {path.name}", where=str(path.parent), do="copy the folder again")
    return path


def _backbone(folder: Path, head: HeadFolder) -> Model:
    """Load the backbone: the base model as it was, or as the folder holds it."""
    from affectllm.model.heads.encoders import load_backbone, load_tuned_encoder

    if head.adaptation != "full":
        options = {"processor": head.processor, "dtype": head.dtype}
        return load_backbone(head.base, head.backbone, head.page.window, **options)
    if not (folder / INDEX).is_file():
        header(_present(folder / WEIGHTS))
    if head.backbone in ENCODERS:
        return load_tuned_encoder(folder, head.backbone, head.page.window)
    import torch

    family = backbone_called(head.backbone)
    processor = load_processor(str(folder), family)
    vocabulary = getattr(processor, "tokenizer", processor).get_vocab()
    owner_class = family.network_class()
    with torch.device("meta"):
        owner = owner_class(owner_class.config_class.from_pretrained(folder))
    check_tokens(processor, owner.config, str(folder))
    base = whole_network(type(owner.base_model), str(folder), dtype=head.dtype)
    stand_in = SimpleNamespace(base_model_prefix=owner.base_model_prefix, base_model=base, config=base.config)
    return Model(stand_in, processor, family.speaking(vocabulary), str(folder), fingerprint(str(folder), None))


def head_digest(path: str) -> str:
    """Return the digest of everything on this machine that determines a head's outputs, without loading it."""
    folder = folder_named(path)
    head = HeadFolder.read(folder)
    own = fingerprint(str(folder), None)
    if head.adaptation == "full":
        return own
    if head.backbone in ENCODERS:
        from affectllm.model.heads.encoders import encoder_folder

        return digest([own, fingerprint(encoder_folder(head.base), None)])
    return digest([own, weights_digest(head.base, None, head.processor)])
