"""The lm-eval task class of every page in ``eval_tasks/``.

A page names it as ``class: !function affectllm.evaluate.task.AffectTask`` and is then read by plain lm-eval too. See
``page.TaskPage`` for our keys; all other keys are lm-eval's. Requests of tasks with media carry a third argument
``{"messages": […], "template": "name/version"}``; those of text tasks are lm-eval's own pairs, so that any model of
lm-eval answers them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

from affectllm.corpus import Rejection
from affectllm.corpus.builder import load_builder
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate import asking, environment
from affectllm.evaluate.by_likelihood import Levels, with_question
from affectllm.evaluate.documents import AnyDocuments, Document, documents, require_some
from affectllm.evaluate.hinted import asked_by_protocol, hints_given
from affectllm.evaluate.left_out import leave_one_out, no_ceiling
from affectllm.evaluate.matrix import SOURCE
from affectllm.evaluate.media_error import media_error_reason
from affectllm.evaluate.on_disk import JsonLines, StoredDocument, is_on_disk
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.plain.arguments import check_indices
from affectllm.evaluate.protocol import examples, voted
from affectllm.evaluate.question import Question
from affectllm.evaluate.scoring.slots import agreement, is_judged, scored_slots
from affectllm.evaluate.scoring.task_scoring import (
    ItemsOfTuples,
    Scoring,
    check_metrics,
    check_options,
    check_score_labels,
    metric_of,
)
from affectllm.evaluate.shared import shared
from affectllm.evaluate.stored_requests import RequestColumns, StoredRequest
from affectllm.instruct import Template, Unreadable
from affectllm.instruct.conversation import Conversation, media_parts, text_of
from affectllm.labels.annotation import plain
from affectllm.processes import is_first

_SHOTS = "--shots K takes K examples of each class from the training split; lm-eval would take them from the test split"
_FILTERED_AT_ONCE = 1_000  # requests
_SENTENCE = 16  # tokens that the words around the answers of several slots take


Requests = list[Instance] | list[StoredRequest]


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
        settings = dict(config or {})
        settings.pop("class", None)
        self._name = str(settings.get("task"))
        settings.pop("matrix", None)  # of the page; its other tasks are made by our task manager
        if source := settings.pop(SOURCE, ""):
            settings["metadata"] = {**settings.get("metadata", {}), "config_source": source}
        where = str(settings.get("metadata", {}).get("config_source", self._name))
        self.page = TaskPage.take(settings, where)
        self.protocol = environment.protocol()
        self.question = Question.of_page(self.page, self.protocol, self._name, where)
        self.template = self.question.template
        card = load_builder(self.page.corpus).CARD
        if self.page.windows:
            card.space(self.page.windows.curve, where)
        if self.page.score_by:
            settings["output_type"] = "multiple_choice"
        self.protocol.check(self.template, settings.get("output_type") == "multiple_choice", where)
        self.slots = scored_slots(self.template.slots, self.page.score_labels)
        self.scoring = Scoring(self.slots, self.page.metric_options)
        asking.remember(self._name, self.question)
        self.panel = card.panel(self.page.space, self.page.rater)
        self.no_ceiling = no_ceiling(self.panel, self.page)
        self.unused_ratings: dict[str, int] = {}
        self.rejected: list[Rejection] = []
        self.examples: list[Conversation] = []
        self._system: str | None = None
        self.results: JsonLines | None = JsonLines() if is_on_disk() else None
        self._stored = RequestColumns(self._name) if is_on_disk() else None
        check_metrics(self.page.metrics, self.scoring, where)
        check_options(self.page.metrics, self.scoring, where)
        check_score_labels(self.page.metrics, self.page.score_labels, self.slots, where)
        try:
            super().__init__(config=self._complete(settings))
        except TypeError as error:
            raise Malformed(f"lm-eval does not take this page: {error}", where=where) from error
        shows_clips = any(modality != "text" for modality in self.template.modalities)
        if shows_clips and any(media_parts(document["messages"]) for document in self.task_docs):
            self.MULTIMODAL = True

    def _complete(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the page with the lm-eval keys that follow from ours."""
        defaults: dict[str, Any] = {"output_type": "generate_until", "doc_to_target": "answer"}
        if settings.get("output_type") == "multiple_choice":
            listed = self.slots[0].how.choices and len(self.slots) == 1 and not self.template.space.several
            if not listed and not self.template.by_each:
                raise Malformed(f"a {self.template.form} template has no choices to score", where=self._name)
            defaults["doc_to_choice"] = "choices"
        else:
            most = sum(slot.how.tokens for slot in self.slots) + (_SENTENCE if len(self.slots) > 1 else 0)
            defaults["generation_kwargs"] = {"do_sample": False, "max_gen_toks": most, "until": []}
            settings = {**settings, **self._votes({**defaults, **settings}["generation_kwargs"])}
        metadata = {**settings.get("metadata", {}), "affectllm": self.facts()}
        # Our process_results and aggregation replace lm-eval's; the two keys keep it from looking for its own.
        fixed = {"test_split": self.page.split, "metric_list": [], "process_results": "affectllm", "metadata": metadata}
        return {**defaults, **settings, **fixed}

    def _votes(self, generation: dict[str, Any]) -> dict[str, Any]:
        """Return the lm-eval keys with which several replies are drawn, and all of them reach ``process_results``."""
        if self.protocol.votes == 1:
            return {}
        every = {"name": "votes", "filter": [{"function": "take_first_k", "k": self.protocol.votes}]}
        drawn = {**generation, "do_sample": True, "temperature": self.protocol.temperature}
        return {"repeats": self.protocol.votes, "filter_list": [every], "generation_kwargs": drawn}

    def facts(self) -> dict[str, Any]:
        """Return the facts about this task for the results file, which the scores and the report read."""
        return {
            "corpus": self.page.corpus,
            "split": self.page.split,
            "template": self.template.name,
            "template_version": self.template.version,
            "language": self.template.language,
            "held_out": self.template.held_out,
            "form": self.template.form,
            "slots": [slot.to_json() for slot in self.slots],
            "space": self.template.space.name,
            **({"gold_space": self.page.space} if self.page.map else {}),
            **({"score_by": self.page.score_by, "levels": list(self.template.levels)} if self.page.score_by else {}),
            **({"selection": str(self.page.selection)} if self.page.selection.conditions else {}),
            **({"windows": asdict(self.page.windows)} if self.page.windows else {}),
            **({"released": self.page.n} if self.page.n else {}),
            **({"published": [one.to_json() for one in self.page.published]} if self.page.published else {}),
            "labels": list(self.template.space.names),
            "rater": self.page.rater,
            "modalities": list(self.template.modalities),
            "metrics": list(self.page.metrics),
            **({"metric_options": dict(self.page.metric_options)} if self.page.metric_options else {}),
            "cluster": self.page.cluster,
            **({"no_ceiling": self.no_ceiling} if self.no_ceiling else {}),
            **({"questions": list(self.template.questions)} if self.protocol.paraphrases else {}),
            **({"hints": self.question.hints.identity()} if self.page.hints else {}),
            **({"protocol": protocol} if (protocol := asked_by_protocol(self.page, self.protocol)) else {}),
        }

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        """Build the documents from the corpus on disk; nothing is downloaded."""
        wordings = self.protocol.wordings(self.template)
        if environment.human():
            asked = self._ratings()
        else:
            asked, self.rejected = documents(self.question.scored(), self.template, wordings, self.scoring.columns())
            self._say_how_many(len(asked) // len(wordings))
        require_some(asked, self.rejected, self._name, self.question.folder)
        if self.question.hints.identity():
            self.config.metadata["affectllm"]["hints_given"] = hints_given(asked, self.question.hints, self._name)
        if self.protocol.shots:
            self.examples = examples(self.question.training(), self.template, self.protocol)
        self.dataset = {self.page.split: asked}

    def _say_how_many(self, asked: int) -> None:
        """Say once where fewer or more items are asked than of the whole release."""
        if self.page.n not in (None, asked) and is_first():
            message = f"{self._name}: items asked: {asked:,}; items of the whole release: {self.page.n:,}"
            print(message, file=sys.stderr)

    def _ratings(self) -> AnyDocuments:
        """Return the documents of the human ceiling.

        Raises:
            AffectError: when single ratings are not kept.
        """
        if self.panel is None or self.no_ceiling:
            do = "leave this task out, or choose one of a corpus that keeps its ratings"
            raise AffectError(self.no_ceiling, where=self._name, do=do)
        result = leave_one_out(self.question.scored(), self.template, self.panel, self.scoring.columns())
        self.rejected, self.unused_ratings = result.rejected, dict(result.unused.most_common())
        self.config.metadata["affectllm"]["unused_ratings"] = self.unused_ratings
        return result.documents

    def fewshot_docs(self) -> AnyDocuments | None:
        """Return None: ``build_all_requests`` refuses few-shot examples, since lm-eval would draw on the test split."""
        return None

    def doc_to_text(self, doc: Document, doc_to_text: object = None) -> str:
        """Return the text of the question."""
        return "\n\n".join(text_of([message]) for message in self._messages(doc))

    def build_all_requests(self, *, system_instruction: str | None = None, **options: Any) -> None:
        """Build the requests as lm-eval does, and remember the system instruction for messages with media.

        Raises:
            AffectError: when few-shot examples are asked for, or items that there are not.
        """
        if self.config.num_fewshot:
            raise AffectError("tasks of affectllm take no few-shot examples", where=self._name, do=_SHOTS)
        check_indices(options.get("samples"), len(self.eval_docs), self._name)
        self._system = system_instruction
        super().build_all_requests(system_instruction=system_instruction, **options)

    def fewshot_context(self, doc: Document, *args: Any, **options: Any) -> str | list[str]:
        """Return what is asked as lm-eval renders it; where each label is asked about, one text for each."""
        if not self.template.by_each:
            context: str = super().fewshot_context(doc, *args, **options)
            return context
        return [super(AffectTask, self).fewshot_context(one, *args, **options) for one in _of_each(doc)]

    def construct_requests(self, doc: Document, ctx: str | list[str], **options: Any) -> Requests:
        """Return lm-eval's requests; with media, the messages are added as a third argument."""
        asked = zip(_of_each(doc), ctx, strict=True) if isinstance(ctx, list) else [(doc, ctx)]
        requests = [request for one, text in asked for request in self._requests(one, text, **options)]
        for place, request in enumerate(requests):
            request.idx = place  # lm-eval hands the answers over in this order
            request.doc = doc  # not that of one of its questions: its hash is logged
        if isinstance(doc, StoredDocument) and self._stored is not None:
            return self._stored.stored(requests, doc)
        return requests

    def _requests(self, doc: Document, ctx: str, **options: Any) -> list[Instance]:
        built: list[Instance] | Instance = super().construct_requests(doc, ctx, **options)
        requests = built if isinstance(built, list) else [built]
        if media_parts(doc["messages"]):
            extra = {"messages": self._messages(doc), "template": f"{self.template.name}/{self.template.version}"}
            for request in requests:
                request.arguments = (*request.arguments, extra)
        return requests

    def apply_filters(self) -> None:
        """Apply the filters of the page to a few requests at a time; lm-eval would open the documents of all."""
        if self._stored is None:
            super().apply_filters()
        elif self.config.filter_list is not None:  # else the first reply is taken
            for ensemble in self._filters:
                for begin in range(0, len(self.instances), _FILTERED_AT_ONCE):
                    ensemble.apply(self.instances[begin : begin + _FILTERED_AT_ONCE])

    def forget(self) -> None:
        """Let go of requests and results, when all that is wanted of them has been written."""
        self._instances, self.results, self._stored = None, None, None

    def _messages(self, doc: Document) -> list[dict[str, Any]]:
        """Return what is asked: the system prompt, the examples with their answers, and the question."""
        shown = [message for example in self.examples for message in example.answered() if message["role"] != "system"]
        own = [message for message in doc["messages"] if message["role"] == "system"]
        given = [{"role": "system", "content": [{"type": "text", "text": self._system}]}] if self._system else own
        return [*given, *shown, *(message for message in doc["messages"] if message["role"] != "system")]

    def process_results(self, doc: Document, results: list[Any]) -> dict[str, Any]:
        """Return per metric the item (gold, reading, facts if any), beside ``reading`` and ``unreadable``, a reason.

        Of several slots gold and reading are mappings, in which a slot that is unreadable is None, and ``reading`` is
        None where none could be read. ``right`` says how far the answer is the gold one, where that needs no judge.
        """
        chosen = self.OUTPUT_TYPE == "multiple_choice"
        replies = results[0] if self.protocol.votes > 1 else results
        readings = [self._chosen(doc, results)] if chosen else [self._read(doc, reply) for reply in replies]
        reading, reason = voted(readings)
        facts = (doc["facts"],) if "facts" in doc else ()
        item = shared((doc["gold"], reading, *facts))  # lm-eval keeps all that is returned here
        record = {**dict.fromkeys(self.page.metrics, item), "reading": item[1], "unreadable": shared(reason)}
        if is_judged(self.slots):
            record["right"] = shared(agreement(self.slots, doc["gold"], reading))
        if self.results is not None:
            self.results.append(record)
        return record

    def _read(self, doc: Document, reply: str) -> tuple[Any, str | None]:
        if reason := media_error_reason(reply):
            return None, reason
        return reading_of(self.template, reply, doc["gold"])

    def _chosen(self, doc: Document, results: list[tuple[Any, bool]]) -> tuple[Any, str | None]:
        if self.template.by_each:
            return Levels.of(self.template).read(doc, results)
        likelihoods = [likelihood for likelihood, _ in results]
        if reason := media_error_reason(likelihoods[0]):
            return None, reason
        if not all(math.isfinite(likelihood) for likelihood in likelihoods):
            return None, "no_likelihood"
        slot, place = self.slots[0], likelihoods.index(max(likelihoods))
        # What is offered are words of the task's language; the answer is the label that they stand for.
        chosen = doc["choices"][place] if slot.how.own_space is not None else slot.space.names[place]
        return slot.how.restored(chosen, doc["gold"]), None

    def aggregation(self) -> dict[str, Callable[[list[Any]], float]]:
        """Return the aggregations: the metrics over all items, and the shares of readable and unreadable answers."""
        metrics = {name: partial(self._aggregate, name) for name in self.page.metrics}
        shares = {"reading": _share_not_none, "unreadable": _share_not_none}
        return {**metrics, **shares, **({"right": _mean} if is_judged(self.slots) else {})}

    def _aggregate(self, key: str, items: list[tuple[Any, ...]]) -> float:
        try:
            return self.scoring.statistic(key, ItemsOfTuples(items)).value()
        except Malformed as error:
            if len(items) >= len(self.task_docs):
                raise
            # Of a few items (--limit) a metric may be undefined, and the other tasks of the run are not.
            print(f"{self._name}: {key} is undefined on {len(items)} items: {error.what}", file=sys.stderr)
            return math.nan

    def higher_is_better(self) -> dict[str, bool]:
        """Return whether a higher value is better, per metric; the unreadable share is better when small."""
        metrics = {name: metric_of(name).better == "higher" for name in self.page.metrics}
        return {**metrics, "reading": True, "unreadable": False, **({"right": True} if is_judged(self.slots) else {})}


def reading_of(template: Template, reply: str, gold: Any) -> tuple[Any, str | None]:
    """Return what a reply says, of several slots as a mapping, and why it, or one of them, could not be read."""
    readings = template.reader.read_slots(reply, gold)
    reason = next((one.reason for one in readings.values() if isinstance(one, Unreadable)), None)
    values = {name: None if isinstance(one, Unreadable) else plain(one.value) for name, one in readings.items()}
    if len(values) == 1:
        return next(iter(values.values())), reason
    return (values if any(value is not None for value in values.values()) else None), reason


def _of_each(doc: Document) -> list[Document]:
    """Return the document of each question of an item whose labels are asked about one by one."""
    return [{**doc, "messages": with_question(doc["messages"], question)} for question in doc["each"].values()]


def _share_not_none(values: list[Any]) -> float:
    return sum(value is not None for value in values) / len(values)


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)
