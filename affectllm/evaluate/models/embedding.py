"""The lm-eval model ``affectllm-embedding``: answers by the nearest description, with no word generated.

Of a task of labels each label is described by its wordings, whose vectors are averaged, and the label that is nearest
to what is asked is the answer (Radford et al., ICML 2021; EmoCLIP, FG 2024). By likelihood, scaled cosines go through
a softmax over the choices. Of a task with answers in free words the answers of all items are the candidates, and how
often the right one is near is told beside the scores: retrieval in both directions.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lm_eval.models  # noqa: F401  # must be registered before ours: lm-eval loads its own only into an empty registry
import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, Malformed, NotFinite
from affectllm.evaluate.asking import template_of
from affectllm.evaluate.media_error import MediaLedger
from affectllm.evaluate.models.options import device_of
from affectllm.evaluate.models.parallel import Processes
from affectllm.evaluate.models.requests import user_message
from affectllm.evaluate.models.retrieval import recalls
from affectllm.instruct import Template
from affectllm.instruct.conversation import media_parts
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import MediaError
from affectllm.model.embedding.embedder import load_embedder, normalised
from affectllm.model.embedding.views import as_messages
from affectllm.run import digest
from affectllm.yaml_page import PageKind, read_page

WORDINGS = PageKind("page of class descriptions", Malformed)


@register_model("affectllm-embedding")
class EmbeddingLM(LM):  # type: ignore[misc]
    """An embedding model as an lm-eval model.

    Args (lm-eval's ``--model_args``, as ``name=value``):
        pretrained: a folder that ``method: contrastive`` wrote, any family's checkpoint, or a CLIP-like folder.
        adapter, processor, dtype: as for the model ``affectllm``.
        wordings: YAML page, label → a list of descriptions; the answer of the task's template where it says nothing.
        media_cache: folder of prepared clips; ``none`` decodes every time.
        further: fields of the media budget, and ``scale`` of the cosines.

    Raises:
        NotFound, WrongCheckpoint: when the model cannot be loaded.
    """

    MULTIMODAL = True

    def __init__(
        self,
        pretrained: str,
        batch_size: int | str = 8,
        device: str | None = None,
        wordings: str | None = None,
        media_cache: str | None = None,
        max_batch_size: int | None = None,
        **further: Any,
    ) -> None:
        super().__init__()
        self._processes = Processes()
        self._rank, self._world_size = self._processes.rank, self._processes.world_size
        self.path = str(pretrained)
        cache = None if media_cache == "none" else MediaCache(Path(media_cache) if media_cache else None)
        size = int(batch_size) if str(batch_size).isdigit() else 8
        where = str(device_of(device, self._processes))
        self.embedder = load_embedder(self.path, device=where, batch_size=size, cache=cache, **further)
        self._wordings = _wordings(wordings)
        self._ledger = MediaLedger()
        self._vectors: dict[str, np.ndarray | MediaError] = {}
        self.retrieval: dict[str, dict[str, float]] = {}

    @property
    def tokenizer_name(self) -> str:
        """The name under which lm-eval caches requests."""
        return self.path.replace("/", "__")

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Join the turns as lines; our tasks' own messages are embedded instead."""
        return "\n".join(turn["content"] for turn in chat_history)

    def get_model_info(self) -> dict[str, Any]:
        """Return the facts about the model that lm-eval writes into its results."""
        facts = {"scale": self.embedder.scale, "wordings": self._wordings}
        return {**facts, **({"retrieval": self.retrieval} if self.retrieval else {})}

    def all_gather(self, tensor: Any) -> Any:
        return self._processes.all_gather(tensor)

    def gather_object(self, obj: Any, dst: int = 0) -> list[Any] | None:
        return self._processes.gather_object(obj, dst)

    def barrier(self) -> None:
        self._processes.barrier()

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Return the nearest candidate's words; an unusable clip gives ``media_error_reply``."""
        replies: dict[int, str] = {}
        for task in dict.fromkeys(str(request.task_name) for request in requests):
            own = [number for number, request in enumerate(requests) if request.task_name == task]
            asked = self._embedded([_messages(requests[number]) for number in own])
            labels = self._labels(template_of(task))
            if labels is None:
                texts = [str(requests[number].doc["answer"]) for number in own]
                candidates = self._embedded(texts)
                self._tell_recalls(task, asked, candidates, texts)
                answers = dict(zip(texts, candidates, strict=True))
            else:
                answers = labels
            names, matrix = list(answers), np.stack([_sound(one) for one in answers.values()])
            for number, vector in zip(own, asked, strict=True):
                error = isinstance(vector, MediaError)
                replies[number] = self._ledger.add(vector) if error else names[int(np.argmax(matrix @ vector))]
        self._ledger.tell()
        return [replies[number] for number in range(len(requests))]

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[Any, bool]]:
        """Return the logarithm of a softmax of scaled cosines to the choices of the same question."""
        groups: dict[str, list[int]] = {}
        for number, request in enumerate(requests):
            groups.setdefault(digest([request.task_name, _messages(request)]), []).append(number)
        asked = self._embedded([_messages(requests[own[0]]) for own in groups.values()])
        results: dict[int, tuple[Any, bool]] = {}
        for own, vector in zip(groups.values(), asked, strict=True):
            if isinstance(vector, MediaError):
                reply = self._ledger.add(vector)
                results |= dict.fromkeys(own, (reply, False))
                continue
            choices = np.stack([self._choice(requests[number]) for number in own])
            logits = self.embedder.scale * (choices @ vector).astype(np.float64)
            logits -= logits.max()
            scores = logits - np.log(np.exp(logits).sum())
            best = int(np.argmax(scores))
            results |= {number: (float(scores[at]), at == best) for at, number in enumerate(own)}
        self._ledger.tell()
        return [results[number] for number in range(len(requests))]

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """Raise: embeddings do not score running text."""
        raise AffectError("affectllm-embedding cannot score running text", do="choose a task with answers")

    def _choice(self, request: Instance) -> np.ndarray:
        text = str(request.args[1]).strip()
        return self._mean(self._wordings.get(text, [text]))

    def _labels(self, template: Template) -> dict[str, np.ndarray] | None:
        """Return answer → vector for a task of one label, or of sets of labels, of which the nearest is given alone.

        None for answers in free words, which are retrieved.

        Raises:
            AffectError: for answers that have neither.
        """
        slot, names = template.slots[0], template.space.names
        shape = slot.how.shape(slot.space)
        if len(template.slots) > 1 or slot.how.own_space is not None or shape not in ("label", "set", "text"):
            message = f"affectllm-embedding answers with labels and texts, and {template.name} asks for others"
            raise AffectError(message, do="choose another task, or the model affectllm")
        if not names:
            return None
        values = {name: [name] if shape == "set" else name for name in names}
        worded = {name: template.worded({slot.name: value}) for name, value in values.items()}
        return {text: self._mean(self._wordings.get(name, [text])) for name, text in worded.items()}

    def _mean(self, texts: Sequence[str]) -> np.ndarray:
        return normalised(np.mean([_sound(one) for one in self._embedded(texts)], axis=0))

    def _embedded(self, conversations: Sequence[Any]) -> list[Any]:
        """Return the vectors of conversations; each is computed once."""
        keys = [digest(one) for one in conversations]
        new = {key: one for key, one in zip(keys, conversations, strict=True) if key not in self._vectors}
        for corpus in {part["corpus"] for one in new.values() for part in media_parts(as_messages(one))} - set(
            self.embedder.roots
        ):
            self.embedder.roots[corpus] = Roots.parse().find(corpus)
        self._vectors |= dict(zip(new, self.embedder.embed(list(new.values())), strict=True))
        for vector in (self._vectors[key] for key in new):
            if not isinstance(vector, MediaError) and not np.isfinite(vector).all():
                raise NotFinite("a vector is not finite (NaN)", where=self.path, do="name an earlier checkpoint")
        return [self._vectors[key] for key in keys]

    def _tell_recalls(self, task: str, asked: Sequence[Any], candidates: Sequence[Any], texts: Sequence[str]) -> None:
        usable = [number for number, one in enumerate(asked) if not isinstance(one, MediaError)]
        if not usable:
            return
        clips = np.stack([asked[number] for number in usable])
        matrix = clips @ np.stack([_sound(candidates[number]) for number in usable]).T
        self.retrieval[task] = recalls(matrix, [texts[number] for number in usable])
        values = ", ".join(f"{name} {value:.3f}" for name, value in self.retrieval[task].items() if "@" in name)
        print(f"{task}: retrieval among {len(usable):,} items: {values}", file=sys.stderr)


def _messages(request: Instance) -> Any:
    """Return what a request asks, as messages."""
    if len(request.args) > 2:
        return request.args[2]["messages"]
    document = request.doc if isinstance(request.doc, Mapping) else {}
    return document.get("messages") or user_message(request.args[0])


def _sound(vector: Any) -> np.ndarray:
    assert not isinstance(vector, MediaError), vector  # a text has no clip
    return np.asarray(vector)


def _wordings(path: str | None) -> dict[str, list[str]]:
    """Read a page of class descriptions.

    Raises:
        AffectError: with file and line, where a label has no list of texts.
    """
    if path is None:
        return {}
    page = read_page(Path(path), WORDINGS)
    for label, texts in page.value.items():
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
            raise Malformed(f"{label} needs a list of descriptions", where=page.where((label,)))
    return {str(label): list(texts) for label, texts in page.value.items()}
