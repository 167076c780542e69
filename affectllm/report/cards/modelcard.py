"""Render the model card (README.md) and the Hub's evaluation files from a run's scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus import CorpusCard
from affectllm.evaluate.scoring.groups import FEWEST_ITEMS, Grouping, groupings
from affectllm.report import views
from affectllm.report.boards.guard import changes
from affectllm.report.cards.licence import MEANING, OTHER, Verdict, licence_of
from affectllm.report.cards.usage import shown_medium, transformers_code, widget
from affectllm.report.display import clusters, headline_metric, interval, known_metric, metric_name
from affectllm.report.html import environment
from affectllm.report.runfolder import Evaluation, RunData
from affectllm.report.scoretable import cell_text
from affectllm.report.trained import Trained

_TAGS = ("affectllm", "emotion-recognition", "affective-computing")


@dataclass(frozen=True)
class CardFacts:
    """The facts that the model card states."""

    repo_id: str
    trained: Trained
    run: RunData
    licence: Verdict


def model_card(facts: CardFacts) -> str:
    """Render the card as Markdown with its YAML header."""
    from huggingface_hub import ModelCard

    body = environment().get_template("model_card.md").render(**_context(facts))
    card = ModelCard(f"---\n{_header(facts).to_yaml()}\n---\n\n{body}")
    return str(card)


def _header(facts: CardFacts) -> Any:
    from huggingface_hub import ModelCardData

    trained, licence = facts.trained, facts.licence
    named: dict[str, Any] = (
        {"license_name": "see-licence-section", "license_link": "README.md#licence"} if licence.hub == OTHER else {}
    )
    base = hub_id(trained.base)
    relation: dict[str, Any] = {"base_model_relation": "adapter" if trained.adapter else "finetune"} if base else {}
    return ModelCardData(
        language=sorted({tag for card in _own(trained) for tag in card.languages}) or None,
        license=licence.hub,
        **named,
        library_name="affectllm" if trained.head else "peft" if trained.adapter else "transformers",
        base_model=base,
        **relation,
        pipeline_tag=_tag(trained),
        datasets=sorted({dataset_id(card) for card in _own(trained)}),
        metrics=_hub_metrics(facts.run),
        **_model_index(facts),
        widget=widget(trained),
        tags=[
            "affectllm",
            "emotion-recognition",
            "affective-computing",
            *(f"corpus:{name}" for name in trained.corpora),
        ],
    )


def _model_index(facts: CardFacts) -> dict[str, Any]:
    """Return the results for the header; nothing for a model that was not scored."""
    from huggingface_hub import EvalResult

    evaluation, kind = facts.run.evaluation, _tag(facts.trained)
    results = [
        EvalResult(
            task_type=kind,
            task_name=task,
            dataset_type=dataset_of(task, evaluation, facts),
            dataset_name=_titles(facts).get(evaluation.details.get(task, {}).get("corpus"), task),
            dataset_split=evaluation.details.get(task, {}).get("split"),
            metric_type=(known.hub if (known := known_metric(metric)) and known.hub else metric),
            metric_name=f"{metric_name(metric)}, 95 % interval {interval(score)}",
            metric_value=round(score["value"], 6),
        )
        for task, metrics in (evaluation.scores.items() if evaluation else ())
        for metric, score in metrics.items()
        if evaluation and math.isfinite(score["value"])
    ]
    return {"eval_results": results, "model_name": facts.repo_id.rpartition("/")[2]} if results else {}


def _titles(facts: CardFacts) -> dict[str | None, str]:
    return {card.name: card.title for card in facts.trained.cards}


def _tag(trained: Trained) -> str:
    return head_tag(trained.modalities) if trained.head else pipeline_tag(trained.modalities)


def dataset_of(task: str, evaluation: Evaluation, facts: CardFacts) -> str:
    """Return what the Hub calls the data of a task: the repository of its corpus where there is one, else its name."""
    cards = {card.name: card for card in facts.trained.cards}
    corpus = evaluation.details.get(task, {}).get("corpus") or task
    return dataset_id(cards[corpus]) if corpus in cards else corpus


def _own(trained: Trained) -> list[CorpusCard]:
    return [card for card in trained.cards if card.name in trained.corpora]


def _hub_metrics(run: RunData) -> list[str] | None:
    """Return the Hub's names of the scored metrics, or None."""
    keys = {key for metrics in run.evaluation.scores.values() for key in metrics} if run.evaluation else set()
    return sorted({metric.hub for key in keys if (metric := known_metric(key)) and metric.hub}) or None


def hub_id(name: str) -> str | None:
    """Return ``name`` where it can be a repository on the Hub, else None (a folder, a tiny model)."""
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return None
    return None if Path(name).exists() else name


def dataset_id(card: CorpusCard) -> str:
    """Return the corpus's repository on the Hub where its card points to one, else its name."""
    _, on_hub, path = card.url.partition("huggingface.co/datasets/")
    return "/".join(path.strip("/").split("/")[:2]) if on_hub else card.name


def pipeline_tag(modalities: Sequence[str]) -> str:
    """Return the Hub's pipeline tag of a model that takes these modalities and answers in text."""
    media = [kind for kind in modalities if kind != "text"]
    if not media:
        return "text-generation"
    return f"{media[0]}-text-to-text" if len(media) == 1 else "any-to-any"


def head_tag(modalities: Sequence[str]) -> str:
    """Return the Hub's pipeline tag of a head that takes these modalities."""
    media = [kind for kind in modalities if kind != "text"]
    return f"{media[0] if len(media) == 1 else 'text'}-classification" if len(media) < 2 else "any-to-any"


def _context(facts: CardFacts) -> dict[str, Any]:
    trained, run = facts.trained, facts.run
    tasks = views.tasks_of([run])
    return {
        "repo_id": facts.repo_id,
        "trained": trained,
        "base_on_hub": hub_id(trained.base),
        "licence": facts.licence,
        "meaning": MEANING,
        "licence_of": licence_of,
        "run": run,
        "tasks": [(task, views.panels([run], task), views.ablations([run], task)) for task in tasks],
        "guard": changes(run.folder / "eval"),
        "gaps": {task: list(_gaps(run, task)) for task in tasks},
        "code": transformers_code(facts.repo_id, trained) if hub_id(trained.base) or not trained.adapter else None,
        "film": shown_medium(trained) == "video",
        "weak": list(_weak_classes(run)),
        "versions": run.manifests.get("train", {}).get("versions", {}),
        "raters": {card.name: card.raters for card in trained.cards},
        "languages": sorted({tag for card in _own(trained) for tag in card.languages}),
        "cell": cell_text,
        "fewest": FEWEST_ITEMS,
        "metric_name": metric_name,
    }


def _gaps(run: RunData, task: str) -> Iterator[Grouping]:
    """Yield the groupings of a task that have a gap, see ``evaluate.scoring.groups``."""
    for grouping in groupings(run.evaluation.folder, task) if run.evaluation else ():
        if grouping.gap is not None:
            yield grouping


def _weak_classes(run: RunData) -> Iterator[tuple[str, str, float, int]]:
    """Yield per task the class with the lowest recall, unless all are perfect: task, class, recall, support."""
    for task, details in run.evaluation.details.items() if run.evaluation else ():
        per_class = {label: values for label, values in details.get("per_class", {}).items() if values["support"]}
        if per_class:
            label, values = min(per_class.items(), key=lambda pair: pair[1]["recall"])
            if values["recall"] < 1:
                yield task, label, values["recall"], values["support"]


def eval_result_files(facts: CardFacts) -> dict[str, str]:
    """Return file name → YAML for ``.eval_results/``: one file per task, one entry per metric.

    The Hub shows an entry on a leaderboard only where its dataset is registered there as a benchmark; the entries of
    other corpora are for readers and tools.
    """
    evaluation = facts.run.evaluation
    return {f"{task}.yaml": _eval_yaml(task, evaluation, facts) for task in evaluation.scores} if evaluation else {}


def _eval_yaml(task: str, evaluation: Evaluation, facts: CardFacts) -> str:
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    dataset = dataset_of(task, evaluation, facts)
    metrics = evaluation.scores[task]
    first = headline_metric(metrics)
    entries = [
        EvalResultEntry(
            dataset_id=dataset,
            task_id=task if metric == first else f"{task}/{metric}",
            value=round(score["value"], 6),
            notes=f"{metric_name(metric)}, 95 % interval {interval(score)} over {clusters(score)} clusters, "
            f"n={score['n']}, unreadable {score['unreadable']:.4f}, scored by affectllm with lm-eval",
        )
        for metric, score in metrics.items()
    ]
    return yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True)
