"""Choices that are compared by likelihood are words of the task's language, and the answer is the label itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluating import use
from toy_corpus import toy_corpus

from affectllm.evaluate.models.reference import OracleLM
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.labels.names import named

PAGE = """# Toy: which of three labels, by likelihood.
task: mine
class: !function affectllm.evaluate.task.AffectTask
corpus: toy
split: test
gold: {{space: toy_3, rater: reader}}
template: emotion_choice
modalities: [text]
language: {language}
output_type: multiple_choice
metrics: [accuracy]
metadata: {{version: 1}}
"""


@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_the_words_of_the_language_are_compared(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = toy_corpus(tmp_path, monkeypatch, classes=("joy", "anger"), counts={"train": 4, "validation": 2, "test": 4})
    (tmp_path / "eval_tasks").mkdir()
    (tmp_path / "eval_tasks" / "mine.yaml").write_text(PAGE.format(language=language), encoding="utf-8")
    use(monkeypatch, {"toy": root})
    task = AffectTaskManager().load(["mine"])["tasks"]["mine"]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    words = named(task.template.space.names, language)
    assert {request.args[1].strip() for request in task.instances} == set(words.values())
    answers = OracleLM().loglikelihood(task.instances)
    per_item = len(words)
    results = [
        task.process_results(document, answers[at * per_item : (at + 1) * per_item])
        for at, document in enumerate(task.task_docs)
    ]
    assert {result["reading"] for result in results} == {"joy", "anger"}
    assert task.aggregation()["accuracy"]([result["accuracy"] for result in results]) == 1
