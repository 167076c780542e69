"""``Conversations``: any family as the input module of a ``SentenceTransformer``.

A folder with such a model is an ordinary checkpoint or adapter with a few small files beside it, so that it can be
trained on, merged and asked like any other, and ``sentence_transformers`` can load it by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sentence_transformers.base.modules import InputModule
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from affectllm.errors import AffectError, Malformed, explained
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.embedding.network import POOLED, Pooled, hidden_states
from affectllm.model.embedding.views import VIEWS, as_messages
from affectllm.model.encode import Encoder
from affectllm.model.load import Model, load_model
from affectllm.run import write_json

SETTINGS = "affectllm_embedding.json"


@dataclass(frozen=True)
class Settings:
    """What an embedding model needs to know beside its weights.

    Args:
        pooling: of the hidden states.
        scale: of cosines, before a softmax: the one of the training.
        fusion: views of a conversation whose vectors are averaged; empty for the conversation as it is.
        budget: how much of each clip is used.
        processor: model whose processor is used, where the checkpoint has none of its own.
    """

    pooling: Pooled = "mean"
    scale: float = 10.0
    fusion: tuple[str, ...] = ()
    budget: dict[str, Any] = field(default_factory=dict)
    processor: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Read the settings of a folder; the defaults where it has none.

        Raises:
            Malformed: when they cannot be read.
        """
        path = folder / SETTINGS
        if not path.is_file():
            return cls()
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            settings = cls(**{**stored, "fusion": tuple(stored.get("fusion", ()))})
            Budget(**settings.budget)
        except (TypeError, ValueError) as error:
            raise Malformed(f"settings of an embedding model cannot be read: {error}", where=str(path)) from error
        if settings.pooling not in POOLED or set(settings.fusion) - set(VIEWS):
            raise Malformed("settings of an embedding model name what there is not", where=str(path))
        return settings


class Conversations(InputModule):
    """Input module that encodes conversations and texts with a family's own encoder, and gives its hidden states.

    Args:
        loaded: the model.
        settings: beside its weights.
        encoder: of conversations; by default one without folders of corpora: see ``encoder.roots``.
    """

    def __init__(self, loaded: Model, settings: Settings, encoder: Encoder | None = None) -> None:
        super().__init__()
        self.loaded, self.settings = loaded, settings
        self.network = loaded.model
        self.tokenizer = loaded.tokenizer
        config, budget = loaded.model.config, Budget(**settings.budget)
        self.encoder = encoder or Encoder(loaded.processor, loaded.family, config, budget, {})

    @property
    def modalities(self) -> list[Any]:
        return ["text", "message"]

    @property
    def width(self) -> int:
        """Length of the vectors."""
        config = self.network.config
        return int(config.get_text_config().hidden_size)

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Encode texts and conversations as one batch.

        Raises:
            AffectError: when a clip cannot be used, with its path and reason.
        """
        batch = []
        for one in inputs:
            messages = as_messages(f"{prompt or ''}{one}" if isinstance(one, str) else one)
            encoded = self.encoder.encode(messages)
            if isinstance(encoded, MediaError):
                raise AffectError(f"a clip cannot be used: {encoded.reason}", where=encoded.path, do=encoded.detail)
            batch.append(encoded)
        features: dict[str, Any] = self.encoder.collate(batch)
        features.pop("labels")
        return features

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        beside = {"modality", "prompt_length"}
        states, _logits = hidden_states(self.network, {k: v for k, v in features.items() if k not in beside})
        return {"token_embeddings": states, "attention_mask": features["attention_mask"]}

    def get_embedding_dimension(self) -> int:
        return self.width

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        self.network.save_pretrained(output_path)
        self.loaded.processor.save_pretrained(output_path)
        write_json(Path(output_path) / SETTINGS, asdict(self.settings))

    @classmethod
    def load(cls, model_name_or_path: str, *_: Any, **__: Any) -> Conversations:
        settings = Settings.read(Path(model_name_or_path))
        return cls(load_model(str(model_name_or_path), processor=settings.processor), settings)


def modules(loaded: Model, settings: Settings, encoder: Encoder | None = None) -> list[Any]:
    """Return the modules of a ``SentenceTransformer``: states, their pooling, and normalisation."""
    first = Conversations(loaded, settings, encoder)
    return [first, Pooling(first.width, pooling_mode=settings.pooling), Normalize()]


def describe(folder: Path, settings: Settings, width: int) -> None:
    """Write beside the weights in ``folder`` what makes a ``SentenceTransformer`` of them.

    Raises:
        WriteFailed: when it cannot be written.
    """
    import sentence_transformers

    pooling = Pooling(width, pooling_mode=settings.pooling)
    kinds: Mapping[str, type] = {"": Conversations, "1_Pooling": Pooling, "2_Normalize": Normalize}
    listed = [
        {"idx": number, "name": str(number), "path": place, "type": f"{kind.__module__}.{kind.__name__}"}
        for number, (place, kind) in enumerate(kinds.items())
    ]
    with explained(folder):
        (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
        write_json(folder / SETTINGS, asdict(settings))
        (folder / "2_Normalize").mkdir(exist_ok=True)
        pooling.save(str(folder / "1_Pooling"))
        (folder / "modules.json").write_text(json.dumps(listed, indent=2), encoding="utf-8")
        about = {
            "model_type": "SentenceTransformer",
            "__version__": {"sentence_transformers": sentence_transformers.__version__},
            "similarity_fn_name": "cosine",
        }
        (folder / "config_sentence_transformers.json").write_text(json.dumps(about, indent=2), encoding="utf-8")
