"""A judge that is a model on this machine."""

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
        """Answer conversation after conversation, ``batch_size`` at once."""
        pipeline, inputs = self._pipeline, list(batch)
        texts: list[Any] = inputs if pipeline.tokenizer.chat_template else [_plain(messages) for messages in inputs]
        found: list[str | Failure] = []
        for start in range(0, len(texts), self.batch_size):
            outputs = pipeline(
                texts[start : start + self.batch_size],
                return_full_text=False,
                **self._generation,
                batch_size=self.batch_size,
            )
            found += [_said(output) for output in outputs]
        return found

    @property
    def _generation(self) -> dict[str, Any]:
        sampled = self.decoding.get("temperature", 0) > 0
        further = {key: value for key, value in self.decoding.items() if key not in ("max_tokens", "temperature")}
        heat = {"temperature": self.decoding["temperature"]} if sampled else {}
        return {"max_new_tokens": self.decoding["max_tokens"], "do_sample": sampled, **heat, **further}

    @cached_property
    def _pipeline(self) -> Any:
        from transformers import pipeline

        made: Any = pipeline("text-generation", model=self.path, tokenizer=self.path, device=self.device)
        if made.tokenizer.pad_token_id is None:
            made.tokenizer.pad_token_id = made.tokenizer.eos_token_id
        made.tokenizer.padding_side = "left"
        return made


def _plain(messages: Messages) -> str:
    return "\n\n".join(message["content"] for message in messages)


def _said(output: Any) -> str | Failure:
    text = output[0]["generated_text"]
    text = text[-1]["content"] if isinstance(text, list) else text
    return text if text.strip() else Failure("empty")


def fingerprint(folder: Path) -> str:
    """Of the names, sizes, beginnings and ends of the files of a model: enough to tell two checkpoints apart."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".bin", ".jinja")):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as stream:
            digest.update(stream.read(_EDGE))
            stream.seek(max(0, size - _EDGE))
            digest.update(stream.read(_EDGE))
    return digest.hexdigest()[:12]
