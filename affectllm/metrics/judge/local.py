"""A judge that runs a local model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from affectllm.errors import NotFound
from affectllm.metrics.judge.judge import Failure, Judge, Messages
from affectllm.metrics.judge.wording import Prompt

_EDGE = 1 << 20


@dataclass
class LocalJudge(Judge):
    """A causal language model of a folder, through transformers' text-generation pipeline, greedy.

    Args:
        model: left empty: it becomes the folder's name with a fingerprint of its files.
        path: the folder; nothing is ever downloaded.
        device: where it runs, as transformers takes it; None chooses.
        batch_size: conversations at once.

    Raises:
        NotFound: when ``path`` is no folder of a model.
    """

    model: str = ""
    path: str = ""
    device: str | None = None
    batch_size: int = 1

    def __post_init__(self) -> None:
        folder = Path(self.path)
        if not (folder / "config.json").is_file():
            raise NotFound(f"{self.path!r} is no folder of a model", do="give path= a folder with its config.json")
        self.model = self.model or f"{folder.resolve().name}@{fingerprint(folder)}"

    def complete(self, batch: Sequence[Messages], prompt: Prompt | None = None) -> list[str | Failure]:
        """Answer the conversations, ``batch_size`` at once."""
        pipeline, inputs = self._pipeline, list(batch)
        texts: list[Any] = inputs if pipeline.tokenizer.chat_template else [_plain(messages) for messages in inputs]
        replies: list[str | Failure] = []
        for start in range(0, len(texts), self.batch_size):
            self._seed(inputs[start])
            outputs = pipeline(
                texts[start : start + self.batch_size],
                return_full_text=False,
                **self._generation,
                batch_size=self.batch_size,
            )
            replies += [_text_of(output) for output in outputs]
        return replies

    @property
    def _generation(self) -> dict[str, Any]:
        sampled = self.decoding.get("temperature", 0) > 0
        further = {
            key: value for key, value in self.decoding.items() if key not in ("max_tokens", "temperature", "seed")
        }
        heat = {"temperature": self.decoding["temperature"]} if sampled else {}
        return {"max_new_tokens": self.decoding["max_tokens"], "do_sample": sampled, **heat, **further}

    def _seed(self, messages: Messages) -> None:
        """Seed what is drawn by the question too, so that it does not matter what was asked before."""
        from transformers import set_seed

        if "seed" in self.decoding:
            question = hashlib.sha256(f"{self.decoding['seed']} {messages}".encode()).digest()
            set_seed(int.from_bytes(question[:4], "big"))

    @cached_property
    def _pipeline(self) -> Any:
        from transformers import pipeline

        generator: Any = pipeline("text-generation", model=self.path, tokenizer=self.path, device=self.device)
        if generator.tokenizer.pad_token_id is None:
            generator.tokenizer.pad_token_id = generator.tokenizer.eos_token_id
        generator.tokenizer.padding_side = "left"
        return generator


def _plain(messages: Messages) -> str:
    return "\n\n".join(message["content"] for message in messages)


def _text_of(output: Any) -> str | Failure:
    text = output[0]["generated_text"]
    text = text[-1]["content"] if isinstance(text, list) else text
    return text if text.strip() else Failure("empty")


def fingerprint(folder: Path) -> str:
    """Hash the names, sizes, beginnings and ends of a model's files: enough to tell two checkpoints apart.

    Raises:
        NotFound: when there is no such folder.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder of a model at {folder}", do="give the folder that holds its config.json")
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".bin", ".jinja")):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as stream:
            digest.update(stream.read(_EDGE))
            stream.seek(max(0, size - _EDGE))
            digest.update(stream.read(_EDGE))
    return digest.hexdigest()[:12]
