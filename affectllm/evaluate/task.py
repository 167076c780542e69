"""The lm-eval task class of every page in ``eval_tasks/``.

A page names it as ``class: !function affectllm.evaluate.task.AffectTask`` and is then read by plain lm-eval too. See
``page.TaskPage`` for our keys; all other keys are lm-eval's. Requests of tasks with media carry a third argument
``{"messages": […], "template": "name/version"}``; those of text tasks are lm-eval's own pairs, so that any model of
lm-eval answers them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

from affectllm.corpus import Rejection
from affectllm.corpus.builder import Builder, load_builder
from affectllm.corpus.roots import locate
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate import environment
from affectllm.evaluate.documents import Document, Documents, documents, media_parts, require_some, words
from affectllm.evaluate.media_error import media_error_reason
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.registered import needs_pairs_only
from affectllm.instruct import Template, Unreadable, load_template
from affectllm.metrics import METRICS, Metric

Form = Literal["choice", "set", "reply"]
FORMS: dict[str, Form] = {
    **{"choice": "choice", "judgement": "choice", "preference": "choice"},
    **{"set": "set", "description": "set", "reply": "reply"},
}
_METRIC_FORM: dict[Form, str] = {"choice": "label", "set": "set", "reply": "text"}
_TOKENS: dict[Form, int] = {"choice": 24, "set": 48, "reply": 96}


class AffectTask(ConfigurableTask):  # type: ignore[misc]
    """Corpus × split × template × modalities × metrics.

    Args:
        config: the page as a mapping, with ``class`` and our keys in it.

    Raises:
        Malformed: when a key is missing or unknown.
        NotFound: when the corpus, its folder, its label space or the template is not there.
        AffectError: when no sample can be asked.
    """

    def __init__(self, config: dict[str, Any] | None = None, **_: Any) -> None:
        given = dict(config or {})
        given.pop("class", None)
        self._name = str(given.get("task"))
        where = str(given.get("metadata", {}).get("config_source", self._name))
        self.page = TaskPage.take(given, where)
        builder = load_builder(self.page.corpus)
        self.template = _template(self.page, builder, self._name)
        self.form = _form(self.template, where)
        self.rejected: list[Rejection] = []
        self._system: str | None = None
        self._check_metrics(where)
        try:
            super().__init__(config=self._complete(given))
        except TypeError as error:
            raise Malformed(f"lm-eval does not take this page: {error}", where=where) from error
        if any(media_parts(document["messages"]) for document in self.task_docs):
            self.MULTIMODAL = True

    def _check_metrics(self, where: str) -> None:
        fitting = [name for name, metric in METRICS.items() if fits(metric, self.form)]
        if strange := [name for name in self.page.metrics if name not in fitting]:
            known = ", ".join(fitting)
            raise NotFound(
                f"a {self.form} task has no metric called {strange[0]!r}", where=where, do=f"choose of {known}"
            )

    def _complete(self, given: dict[str, Any]) -> dict[str, Any]:
        """lm-eval's keys that follow from ours."""
        defaults: dict[str, Any] = {"output_type": "generate_until", "doc_to_target": "answer"}
        if given.get("output_type") == "multiple_choice":
            if self.form != "choice":
                raise Malformed(f"a {self.template.form} template has no choices to score", where=self._name)
            defaults["doc_to_choice"] = "choices"
        else:
            tokens = {"do_sample": False, "max_gen_toks": _TOKENS[self.form], "until": []}
            defaults["generation_kwargs"] = tokens
        metadata = {**given.get("metadata", {}), "affectllm": self.facts()}
        # Our process_results and aggregation replace lm-eval's; the two keys keep it from looking for its own.
        fixed = {"test_split": self.page.split, "metric_list": [], "process_results": "affectllm", "metadata": metadata}
        return {**defaults, **given, **fixed}

    def facts(self) -> dict[str, Any]:
        """What the results file says about this task, for the scores and the report."""
        return {
            "corpus": self.page.corpus,
            "split": self.page.split,
            "template": self.template.name,
            "template_version": self.template.version,
            "language": self.template.language,
            "held_out": self.template.held_out,
            "form": self.form,
            "space": self.page.space,
            "labels": list(self.template.space.names),
            "rater": self.page.rater,
            "modalities": list(self.template.modalities),
            "metrics": list(self.page.metrics),
            "cluster": self.page.cluster,
        }

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        """Build the documents from the corpus on disk; nothing is downloaded."""
        folder = locate(self.page.corpus, environment.roots())
        found = load_builder(self.page.corpus).samples(folder)
        asked, self.rejected = documents(found, self.template, self.page.split)
        require_some(asked, self.rejected, self._name, Path(folder))
        self.dataset = {self.page.split: asked}

    def fewshot_docs(self) -> Documents | None:
        """None: examples are refused in ``build_all_requests``, since lm-eval would take them from the test split."""
        return None

    def doc_to_text(self, doc: Document, doc_to_text: object = None) -> str:
        """The words of the question."""
        return words(doc)

    def build_all_requests(self, *, system_instruction: str | None = None, **options: Any) -> None:
        """As lm-eval does, with the system instruction kept for messages with media.

        Raises:
            AffectError: when few-shot examples are asked for.
        """
        if self.config.num_fewshot:
            raise AffectError("tasks of affectllm take no few-shot examples", where=self._name, do="drop --num_fewshot")
        self._system = system_instruction
        super().build_all_requests(system_instruction=system_instruction, **options)

    def construct_requests(self, doc: Document, ctx: str, **options: Any) -> list[Instance] | Instance:
        """lm-eval's requests; with media, the messages ride along as a third argument."""
        made: list[Instance] | Instance = super().construct_requests(doc, ctx, **options)
        if media_parts(doc["messages"]):
            extra = {"messages": self._messages(doc), "template": f"{self.template.name}/{self.template.version}"}
            for request in made if isinstance(made, list) else [made]:
                request.arguments = (*request.arguments, extra)
        return made

    def _messages(self, doc: Document) -> list[dict[str, Any]]:
        if not self._system:
            return list(doc["messages"])
        return [{"role": "system", "content": [{"type": "text", "text": self._system}]}, *doc["messages"]]

    def process_results(self, doc: Document, results: list[Any]) -> dict[str, Any]:
        """Per metric the pair (gold, reading); ``reading``, None where unreadable; ``unreadable``, the reason if so."""
        chosen = self.OUTPUT_TYPE == "multiple_choice"
        reading, reason = self._chosen(doc, results) if chosen else self._read(results[0])
        pair = (doc["gold"], reading)
        return {**dict.fromkeys(self.page.metrics, pair), "reading": reading, "unreadable": reason}

    def _read(self, reply: str) -> tuple[Any, str | None]:
        if reason := media_error_reason(reply):
            return None, reason
        reading = self.template.read(reply)
        if isinstance(reading, Unreadable):
            return None, reading.reason
        assert not isinstance(reading, tuple)  # FORMS has no templates with several answers
        return list(reading.value) if isinstance(reading.value, tuple) else reading.value, None

    @staticmethod
    def _chosen(doc: Document, results: list[tuple[Any, bool]]) -> tuple[str | None, str | None]:
        likelihoods = [likelihood for likelihood, _ in results]
        if reason := media_error_reason(likelihoods[0]):
            return None, reason
        if not all(math.isfinite(likelihood) for likelihood in likelihoods):
            return None, "no_likelihood"
        return doc["choices"][likelihoods.index(max(likelihoods))], None

    def aggregation(self) -> dict[str, Callable[[list[Any]], float]]:
        """Metrics over all pairs, the share of answers that were read, and the share that were not."""
        metrics = {name: partial(aggregate, self.form, name) for name in self.page.metrics}
        shares = {"reading": _share_not_none, "unreadable": _share_not_none}
        return {**metrics, **shares}

    def higher_is_better(self) -> dict[str, bool]:
        """Whether more is better, as each metric says; the unreadable share is better when small."""
        metrics = {name: METRICS[name].better == "higher" for name in self.page.metrics}
        return {**metrics, "reading": True, "unreadable": False}


def _form(template: Template, where: str) -> Form:
    if template.form not in FORMS:
        told = f"a task cannot score {template.form} answers, which the template {template.name} asks for"
        raise Malformed(told, where=where, do=f"choose a template of the form {', '.join(FORMS)}")
    return FORMS[template.form]


def fits(metric: Metric, form: Form) -> bool:
    """Whether ``metric`` scores answers of ``form`` with nothing but gold values and answers."""
    of_form = metric.form.name == _METRIC_FORM[form] or (form == "set" and metric.sets is not None)
    return of_form and needs_pairs_only(metric)


def aggregate(form: Form, metric: str, pairs: list[tuple[Any, Any]]) -> float:
    """The metric of all (gold, reading) pairs of a task; description labels count as sets."""
    gold, predicted = as_gold(form, [g for g, _ in pairs]), as_gold(form, [p for _, p in pairs])
    return METRICS[metric].statistic(gold, predicted).value()


def as_gold(form: Form, values: list[Any]) -> list[Any]:
    """JSON values in the shape that the metrics take: one label of a set task stands for the set that has only it."""
    return [[value] if form == "set" and isinstance(value, str) else value for value in values]


def _share_not_none(values: list[Any]) -> float:
    return sum(value is not None for value in values) / len(values)


def _template(page: TaskPage, builder: Builder, task: str) -> Template:
    spaces: Mapping[str, Any] = {space.name: space for space in builder.CARD.spaces}
    if page.space not in spaces:
        raise NotFound(
            f"{page.corpus} has no label space {page.space!r}", where=task, do=f"choose of {', '.join(spaces)}"
        )
    if page.rater not in builder.CARD.raters:
        known = ", ".join(builder.CARD.raters)
        raise NotFound(f"{page.corpus} has no rater called {page.rater!r}", where=task, do=f"choose of {known}")
    return load_template(
        page.template,
        space=spaces[page.space],
        rater=page.rater,
        modalities=_shown(page, task),
        language=page.language,
        held_out=page.held_out or environment.held_out(),
    )


def _shown(page: TaskPage, task: str) -> tuple[str, ...]:
    allowed = environment.modalities()
    if allowed is None:
        return page.modalities
    if shown := tuple(modality for modality in page.modalities if modality in allowed):
        return shown
    has = ", ".join(page.modalities)
    raise AffectError(f"the task has {has}, and none of them may be shown", where=task, do="change --modalities")
