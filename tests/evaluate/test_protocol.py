"""Examples, system prompts, all wordings and votes: what a task asks then, and what its scores say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evaluating import use

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate.environment import settings
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.protocol import Protocol, over_wordings, voted
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.instruct.conversation import media_parts

TASK = "emodb_emotion"
# Of the speakers of training (03 …) and of the test (11, 12, 14), anger (W) and neutral (N).
NAMES = [
    f"{who}a0{text}{label}a" for who in ("03", "08", "11", "12", "14") for text, label in ((1, "W"), (2, "W"), (4, "N"))
]


@pytest.fixture
def emodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use(monkeypatch, {})
    return materialise(
        {f"wav/{name}.wav": Tone(0.1, pitch=200 + 20 * n) for n, name in enumerate(NAMES)}, tmp_path / "emodb"
    )


def task_with(root: Path, **options: Any) -> AffectTask:
    with settings({"emodb": root}, None, protocol=Protocol(**options)):
        task: AffectTask = AffectTaskManager().load([TASK])["tasks"][TASK]
        task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    return task


def asked(task: AffectTask) -> list[list[dict[str, Any]]]:
    return [request.args[2]["messages"] for request in task.instances]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_examples_are_training_samples_of_each_class_with_their_answers(emodb: Path) -> None:
    task = task_with(emodb, shots=2)
    splits = {one.id: one.split for one in load_builder("emodb").samples(emodb) if isinstance(one, Sample)}
    assert {splits[example.id] for example in task.examples} == {"train"}
    answers = sorted(str(example.answer) for example in task.examples)
    assert answers == ["anger", "anger", "neutral", "neutral"]
    for messages, document in zip(asked(task), task.task_docs, strict=True):
        *shown, question = messages
        assert [message["role"] for message in shown] == ["user", "assistant"] * 4 and question["role"] == "user"
        assert [question] == document["messages"] and len(media_parts(messages)) == 5
    assert task.facts()["protocol"] == {"shots": 2, "seed": 0}


def test_a_seed_draws_the_same_examples_and_another_one_others(emodb: Path) -> None:
    orders = {tuple(one.id for one in task_with(emodb, shots=1, seed=seed).examples) for seed in (0, 0, 1, 2, 3, 4)}
    assert 1 < len(orders) < 6


def test_a_corpus_without_training_samples_has_no_examples(emodb: Path) -> None:
    for path in emodb.glob("wav/0*.wav"):
        path.unlink()
    with pytest.raises(AffectError, match="no training samples"):
        task_with(emodb, shots=1)


def test_a_system_prompt_comes_first_and_belongs_to_the_task(emodb: Path) -> None:
    task = task_with(emodb, system="You hear well.", shots=1)
    for messages in asked(task):
        assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * 2, "user"]
        assert messages[0]["content"][0]["text"] == "You hear well."
    assert task.facts()["protocol"]["system"] == "You hear well."
    assert "protocol" not in task_with(emodb).facts()


def test_a_template_may_have_a_system_prompt_of_its_own(emodb: Path, tmp_path: Path, monkeypatch) -> None:
    from affectllm.instruct.wording import template_pages

    page = (
        template_pages()["emotion_choice"].read_text(encoding="utf-8").replace("en:\n", "en:\n  system: Be brief.\n", 1)
    )
    (tmp_path / "brief.yaml").write_text(page, encoding="utf-8")
    (tmp_path / "own" / "eval_tasks").mkdir(parents=True)
    (tmp_path / "own" / "eval_tasks" / "brief.yaml").write_text(
        "task: brief\nclass: !function affectllm.evaluate.task.AffectTask\ncorpus: emodb\nsplit: test\n"
        f"template: {tmp_path / 'brief.yaml'}\ngold: {{space: emodb_7, rater: actor}}\nmodalities: [audio]\n"
        "metrics: [uar]\nmetadata: {version: 1}\n"
    )
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "own"))
    with settings({"emodb": emodb}, None):
        task = AffectTaskManager().load(["brief"])["tasks"]["brief"]
    assert {document["messages"][0]["content"][0]["text"] for document in task.task_docs} == {"Be brief."}


def test_every_item_is_asked_in_every_wording_and_counts_once(emodb: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    words = ["--tasks", TASK, "--root", f"emodb={emodb}", "--output_path", str(out), "--paraphrases", "all"]
    scores = lm_eval_main(["--model", "affectllm-chance", "--model_args", "seed=1", *words])[TASK]
    details = read(out / "details.json")[TASK]
    wordings = details["wordings"]["accuracy"]
    values = list(wordings["values"].values())
    assert len(values) == 6 and details["n"] == 54 and details["clusters"] == 3
    assert wordings["mean"] == pytest.approx(sum(values) / 6) == pytest.approx(scores["accuracy"]["value"])
    assert wordings["worst"] == min(values) == wordings["values"][str(wordings["worst_wording"])]
    assert details["protocol"] == {"paraphrases": True}
    told = f"{TASK} accuracy: over 6 wordings mean {wordings['mean']:.3f}"
    assert told in capsys.readouterr().err


def test_the_worst_wording_is_the_largest_of_what_should_be_small() -> None:
    assert over_wordings({0: 0.2, 1: 0.6}, "lower")["worst_wording"] == 1
    assert over_wordings({0: 0.2, 1: 0.6}, "higher") | {"spread": 0} == {
        **{"mean": pytest.approx(0.4), "spread": 0, "worst": 0.2, "worst_wording": 0, "best": 0.6, "best_wording": 1},
        "values": {0: 0.2, 1: 0.6},
    }
    assert over_wordings({0: 0.5}, "higher")["spread"] == 0


@pytest.mark.parametrize(
    ("readings", "vote"),
    [
        ([("joy", None), ("fear", None), ("fear", None)], ("fear", None)),
        ([("joy", None), ("fear", None)], ("joy", None)),
        ([(None, "no_label"), ("fear", None), (None, "empty")], ("fear", None)),
        ([(None, "no_label"), (None, "empty")], (None, "no_label")),
        ([(["a", "b"], None), (["a"], None), (["a"], None)], (["a"], None)),
    ],
)
def test_the_commonest_reading_counts(readings: list[tuple[Any, str | None]], vote: tuple[Any, str | None]) -> None:
    assert voted(readings) == vote


@pytest.mark.slow
def test_votes_are_drawn_counted_and_written(emodb: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--tasks", TASK, "--root", f"emodb={emodb}", "--output_path", str(out), "--votes", "3", "--shots", "1"]
    model = ["--model", "affectllm", "--model_args", "pretrained=tiny:qwen2_audio,selftest=False"]
    scores = lm_eval_main([*model, *words, "--votes-temperature", "2.0", "--system", "Hm."])
    assert scores[TASK]["accuracy"]["n"] == 9
    (samples,) = out.glob(f"samples_{TASK}_*.jsonl")
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    assert all(len(row["resps"][0]) == 3 for row in rows)
    assert any(len(set(row["resps"][0])) > 1 for row in rows)
    protocol = {"shots": 1, "seed": 0, "system": "Hm.", "votes": 3, "temperature": 2.0}
    assert read(out / "details.json")[TASK]["protocol"] == protocol


@pytest.mark.parametrize("options", [{"shots": -1}, {"votes": 0}, {"temperature": 0.0}])
def test_settings_that_mean_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(AffectError, match="shots are at least 0"):
        Protocol(**options)


def test_there_is_no_vote_on_likelihoods(emodb: Path) -> None:
    with pytest.raises(Malformed, match="no vote on likelihoods"):
        Protocol(votes=3).check(task_with(emodb).template, True, "page")
    with pytest.raises(Malformed, match="cannot be read"):
        Protocol.from_json('{"shot": 1}')
