"""Metrics of replies by a model in a local folder; nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.texts.ngram_overlap import scored_mean

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Golds = list[tuple[str, ...]]
Answers = list[str | None]
_BATCH = 32


def _folder(path: str | None, option: str, metric_name: str) -> str:
    if path is None:
        raise Malformed(f"{metric_name} needs a model", do=f"give {option}= the folder of one")
    if not (Path(path) / "config.json").is_file():
        raise NotFound(f"{path!r} is no folder of a model", do=f"give {option}= a folder with its config.json")
    return path


@metric(
    "bert_score",
    form="text",
    range=(-1.0, 1.0),
    source="Zhang et al., BERTScore, ICLR 2020 (bert-score)",
    compat={"emobench_m": "empty replies are left out"},
)
def bert_score(
    gold: Golds, predicted: Answers, *, model: str | None = None, layer: int | None = None, compat: str | None = None
) -> Sums:
    """Mean F of BERTScore: each token's best cosine similarity with a token of the other text, without idf or baseline.

    Formula: P the mean over the reply's tokens, R over the reference's, ``2·P·R / (P + R)``, the best over references.
    Edge cases: an empty text scores 0; texts are cut to what the model takes. ``model`` is a local folder, ``layer``
    the hidden layer: the last by default; papers tune it, so values of other models or layers do not compare.
    """
    import numpy as np

    folder = _folder(model, "model", "bert_score")
    texts = dict.fromkeys(reply or "" for reply in predicted) | dict.fromkeys(r for texts in gold for r in texts)
    vectors = dict(_embedded(folder, layer, list(texts)))
    pairs = zip(gold, predicted, strict=True)
    values = np.array([max(_greedy(vectors[r], vectors[p or ""]) for r in references) for references, p in pairs])
    return scored_mean(gold, predicted, values) if compat == "emobench_m" else mean_of_items(values)


def _embedded(folder: str, layer: int | None, texts: Sequence[str]) -> Iterator[tuple[str, tuple[Array, Array]]]:
    """Yield each text with its tokens as unit vectors, ``[t, d]``, and which of them are words, ``[t]``."""
    import torch

    tokenizer, model = _encoder(folder)
    layers = model.config.num_hidden_layers
    if layer is not None and not 1 <= layer <= layers:
        raise Malformed(f"layer is {layer}, but the model has {layers}", where=folder, do=f"give 1 to {layers}")
    limit = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 512))
    for start in range(0, len(texts), _BATCH):
        batch = [text.strip() for text in texts[start : start + _BATCH]]
        inputs = tokenizer(
            batch, padding=True, truncation=True, max_length=limit, return_tensors="pt", return_special_tokens_mask=True
        )
        words = (inputs.pop("special_tokens_mask") == 0) & (inputs["attention_mask"] == 1)
        with torch.inference_mode():
            states = model(**inputs, output_hidden_states=True).hidden_states[layer or layers]
        states = torch.nn.functional.normalize(states.float(), dim=-1)
        for text, state, mask, word in zip(texts[start:], states, inputs["attention_mask"], words, strict=False):
            attended = mask.bool()
            yield text, (state[attended].numpy(), word[attended].numpy())


@lru_cache(maxsize=1)
def _encoder(folder: str) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True)
    model.eval()
    return tokenizer, model


def _greedy(reference: tuple[Array, Array], reply: tuple[Array, Array]) -> float:
    """Return F of the best matches; tokens such as [CLS] may be matched but are not averaged, as in bert-score."""
    (truth, truth_words), (vectors, reply_words) = reference, reply
    if not truth_words.any() or not reply_words.any():
        return 0.0
    near = vectors @ truth.T
    precision, recall = float(near.max(1)[reply_words].mean()), float(near.max(0)[truth_words].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


@metric(
    "reply_emotion_accuracy",
    form="label",
    range=(0.0, 1.0),
    source="Welivita and Pu, A Taxonomy of Empathetic Response Intents, COLING 2020 (classifier on replies); "
    "Achlioptas et al., ArtEmis, CVPR 2021 (emotional alignment)",
)
def reply_emotion_accuracy(
    gold: list[str], predicted: Answers, *, labels: Sequence[str] = (), classifier: str | None = None
) -> Sums:
    """Share of replies in which a classifier finds the emotion that was intended.

    Formula: ``1/N Σ 1[classifier(reply_i) = intended_i]``, labels compared without case.
    Edge cases: an unreadable reply is wrong. Without ``classifier`` (the folder of a text classifier), ``predicted``
    are its labels already; with it they are replies, where an answer that is the name of one of its labels stands for
    that label, as the controls need. A gold label that the classifier does not know is never found; ``coverage`` tells
    how many it knows.
    """
    import numpy as np

    classes = {label.lower() for label in labels} or {label.lower() for label in gold}
    answers = [None if reply is None else reply.lower() for reply in predicted]
    if classifier is not None:
        pipeline = _classifier(_folder(classifier, "classifier", "reply_emotion_accuracy"))
        classes = {str(label).lower() for label in pipeline.model.config.id2label.values()}
        answers = _classified(pipeline, classes, predicted)
    right = [answer == truth.lower() for answer, truth in zip(answers, gold, strict=True)]
    share = sum(truth.lower() in classes for truth in gold) / len(gold)
    return mean_of_items(np.array(right, float), coverage={"gold_known_to_classifier": share})


def _classified(pipeline: Any, classes: set[str], replies: Answers) -> list[str | None]:
    texts = [text for text in dict.fromkeys(replies) if text is not None and text.lower() not in classes]
    rows = pipeline(texts, truncation=True) if texts else []
    labels = dict(zip(texts, (str(row["label"]).lower() for row in rows), strict=True))
    return [None if reply is None else labels.get(reply, reply.lower()) for reply in replies]


@lru_cache(maxsize=1)
def _classifier(folder: str) -> Any:
    from transformers import pipeline

    return pipeline("text-classification", model=folder, tokenizer=folder)
