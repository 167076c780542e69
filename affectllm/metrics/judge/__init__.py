"""Judges: language models that score what no formula can, with stored replies so that scores can be checked."""

from affectllm.metrics.judge.endpoint import EndpointJudge
from affectllm.metrics.judge.judge import Failure, Judge, comparable
from affectllm.metrics.judge.local import LocalJudge
from affectllm.metrics.judge.store import JudgeStore
from affectllm.metrics.judge.wording import Prompt, load_prompt, prompt_names

__all__ = [
    "EndpointJudge",
    "Failure",
    "Judge",
    "JudgeStore",
    "LocalJudge",
    "Prompt",
    "comparable",
    "load_prompt",
    "prompt_names",
]
