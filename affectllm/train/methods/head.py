"""A head for classes, several labels, numbers or shares on any family or plain encoder (see ``affectllm.model.heads``).

Rows: any conversation whose template asks for one such answer; it is read up to the answer, and the gold value is what
the head learns to say. The loss follows from the form: cross-entropy, the hybrid loss of several labels, concordance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.instruct.conversation import Conversation, Messages
from affectllm.model.heads.answers import Answers
from affectllm.train.method import Method

if TYPE_CHECKING:
    from affectllm.instruct import Template


def question(row: Mapping[str, Any]) -> tuple[Messages, ...]:
    """Return the conversation up to the answer."""
    return (Conversation.from_row(row).asked,)


def inputs(batch: dict[str, Any]) -> dict[str, Any]:
    """Return a batch without the labels of tokens."""
    batch.pop("labels", None)
    return batch


def scores_of(answers: Answers) -> tuple[str, ...]:
    """Return the metrics with which a validation scores a head."""
    numbers = ("ccc",) if answers.outputs == 1 else ("vad_ccc",)
    of_kind = {"classes": ("uar", "accuracy"), "labels": ("jaccard", "multilabel_macro_f1"), "numbers": numbers}
    return {**of_kind, "shares": ("js_divergence",)}[answers.kind]


def _validated(templates: Sequence[Template]) -> Sequence[str]:
    return scores_of(Answers.to_questions([(template.slots, template.language) for template in templates]))


METHOD = Method(
    title="a head that answers with classes, labels, numbers or shares, on a language model or an encoder",
    config="transformers.TrainingArguments",
    trainer="transformers.Trainer",
    conversations=question,
    ours={
        "label_smoothing_factor": "it is a setting of the head: head.label_smoothing",
        "label_names": "the targets come from the templates",
        "batch_eval_metrics": "the metrics of the validation rows need all of them",
    },
    batch=inputs,
    heads="answers",
    validated=_validated,
    answers_as="affectllm-head",
    overrides="affectllm.train.headed.Answering",
)
