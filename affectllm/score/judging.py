"""Build the judge that the command line names: an endpoint, a local model, or the answers stored in a file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from affectllm.errors import Malformed
from affectllm.metrics.core.metric import Metric

if TYPE_CHECKING:
    from affectllm.metrics.judge import Judge


def judge_of(metric: Metric, arguments: argparse.Namespace) -> Judge:
    """Return the judge of ``--judge-url`` or of a local ``--judge-model``, with answers stored in ``--judge-store``.

    Raises:
        Malformed: when neither a judge nor a file with stored answers is named.
    """
    from affectllm.metrics.judge import JudgeStore

    judge = _asked(arguments)
    if arguments.judge_store is None and judge is None:
        message = f"{metric.name} needs a judge"
        raise Malformed(message, do="give --judge-url URL --judge-model MODEL, or --judge-store FILE to score again")
    if arguments.judge_store is not None:
        return JudgeStore(arguments.judge_store, judge, patient=True)
    assert judge is not None  # refused above
    return judge


def _asked(arguments: argparse.Namespace) -> Judge | None:
    from affectllm.metrics.judge import EndpointJudge, LocalJudge

    if arguments.judge_url:
        if not arguments.judge_model:
            raise Malformed("an endpoint needs the name of a model", do="give --judge-model MODEL")
        return EndpointJudge(arguments.judge_model, url=arguments.judge_url, api_key_env=arguments.judge_key_env)
    return LocalJudge(path=arguments.judge_model) if arguments.judge_model else None
