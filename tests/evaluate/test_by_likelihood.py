"""Scores from likelihoods: each label or dimension is asked about by itself, and ranked by what Yes or High weighs."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from evaluating import miniatures, use
from sklearn.metrics import average_precision_score, roc_auc_score
from stand_in_server import MODEL, StandIn

from affectllm.corpus.miniature import materialise
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate import environment
from affectllm.evaluate.by_likelihood import Levels
from affectllm.evaluate.models.api_lm import EndpointLM
from affectllm.evaluate.models.lm import AffectLM
from affectllm.evaluate.models.reference import ChanceLM, MajorityLM
from affectllm.evaluate.models.shallow import ShallowLM
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.instruct.conversation import text_of
from affectllm.respond.first_token import choice_likelihoods

THREE = Levels(("Low", "Medium", "High"), (1.0, 5.0, 9.0))
TASK = "mtg_jamendo_mood_likelihood"


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return miniatures(tmp_path_factory.mktemp("corpora"), ("mtg_jamendo", "emobank", "goemotions"))


@pytest.fixture
def load(roots: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    use(monkeypatch, roots)

    def load(name: str, **options: Any) -> Any:
        task = AffectTaskManager().load([name])["tasks"][name]
        task.build_all_requests(limit=None, samples=None, rank=0, world_size=1, **options)
        return task

    return load


def test_the_expected_value_is_that_of_the_levels_that_are_likely() -> None:
    assert THREE.expected([math.log(0.25), math.log(0.5), math.log(0.25)]) == pytest.approx(5)
    assert THREE.expected([-1000.0, -1000.0, -1000.0]) == pytest.approx(5)
    assert THREE.expected([-3.0, -9e9, -9e9]) == 1
    for number in (1, 1.5, 4.999, 5, 8.2, 9):
        assert THREE.expected(THREE.likelihoods(number)) == pytest.approx(number)


def test_every_label_is_a_question_of_its_own_behind_the_clip(load) -> None:
    task = load(TASK)
    first = task.instances[: 2 * 56]
    questions = [text_of(request.args[2]["messages"]) for request in first]
    assert [request.args[1].strip() for request in first] == ["No", "Yes"] * 56
    assert len(set(questions)) == 56 and questions[0] == questions[1]
    names = [name for name in task.template.space.names for _ in range(2)]
    assert all(name in question for name, question in zip(names, questions, strict=True))
    assert [request.idx for request in first] == list(range(112))
    assert {json.dumps(request.args[2]["messages"][0]["content"][0]) for request in first} == {
        json.dumps(first[0].args[2]["messages"][0]["content"][0])
    }


def _results(task: Any, answers: list[Any]) -> list[dict[str, Any]]:
    by_document: dict[int, list[Any]] = {}
    for request, answer in zip(task.instances, answers, strict=True):
        by_document.setdefault(request.doc_id, []).append(answer)
    return [task.process_results(task.task_docs[number], own) for number, own in by_document.items()]


def test_the_scores_are_those_of_scikit_learn(load) -> None:
    task = load(TASK)
    answers = [(-1.0 - (7 * place % 5), False) for place in range(len(task.instances))]
    results = _results(task, answers)
    names = [name for name in task.template.space.names if any(name in one["reading"] for one in results)]
    truth = {name: [name in document["gold"] for document in task.task_docs] for name in names}
    scores = {name: [one["reading"][name] for one in results] for name in names}
    held = [name for name in names if any(truth[name])]
    expected = sum(average_precision_score(truth[name], scores[name]) for name in held) / len(held)
    values = {key: task.aggregation()[key]([one[key] for one in results]) for key in task.page.metrics}
    assert values["mean_average_precision"] == pytest.approx(expected)
    expected = sum(roc_auc_score(truth[name], scores[name]) for name in held) / len(held)
    assert values["roc_auc_macro"] == pytest.approx(expected)


def test_a_label_without_a_likelihood_is_missing_alone(load) -> None:
    task = load(TASK)
    answers = [(-1.0, False)] * 112
    answers[0] = answers[1] = (math.nan, False)
    reading, reason = (task.process_results(task.task_docs[0], answers)[key] for key in ("reading", "unreadable"))
    assert len(reading) == 55 and task.template.space.names[0] not in reading and reason == "no_likelihood"


def test_the_same_score_for_all_gives_half_the_area_and_the_prevalence(load) -> None:
    task = load(TASK)
    results = _results(task, MajorityLM().loglikelihood(task.instances))
    values = {key: task.aggregation()[key]([one[key] for one in results]) for key in task.page.metrics}
    assert values["roc_auc_macro"] == 0.5 and values["mean_average_precision"] == 0.5  # each tag is that of one of two
    readings = [one["reading"] for one in _results(task, ChanceLM().loglikelihood(task.instances))]
    assert len(set(readings[0].values())) > 50  # every label has a draw of its own


def test_what_the_questions_share_goes_through_the_model_once(load, monkeypatch) -> None:
    task = load(TASK)
    lm = AffectLM("tiny:qwen2_audio", device="cpu", media_cache="none", selftest=False)
    heard: Counter[str] = Counter()
    tower = next(module for name, module in lm.loaded.model.named_modules() if name.endswith("audio_tower"))
    tower.register_forward_hook(lambda *_: heard.update(["heard"]))
    few = [request for request in task.instances if request.idx < 8]
    together = lm.loglikelihood(few)
    assert heard["heard"] == 2  # songs
    alone = [lm.loglikelihood([request])[0] for request in few]
    assert [value for value, _ in together] == pytest.approx([value for value, _ in alone], abs=1e-3)
    assert len({round(value, 5) for value, _ in together}) == 8  # the two songs sound alike


def test_examples_are_refused_and_every_wording_is_asked(load, monkeypatch) -> None:
    monkeypatch.setenv(environment.PROTOCOL, json.dumps({"shots": 1}))
    with pytest.raises(Malformed, match="every label is asked about by itself"):
        load("emobank_vad_likelihood")
    monkeypatch.setenv(environment.PROTOCOL, json.dumps({"paraphrases": True}))
    task = load("emobank_vad_likelihood")
    questions = [document["each"]["valence"] for document in task.task_docs[:2]]
    assert len(set(questions)) == 2 and [document["wording"] for document in task.task_docs[:2]] == [0, 1]


def test_text_is_asked_in_strings_that_any_model_of_lm_eval_takes(load) -> None:
    task = load("emobank_vad_likelihood")
    levels = ["Low", "Medium", "High"]
    asked = task.instances[:9]
    assert all(len(request.args) == 2 for request in asked)
    assert [request.args[1] for request in asked] == [f" {level}" for level in levels] * 3
    assert [name in asked[3 * place].args[0] for place, name in enumerate(("valence", "arousal", "dominance"))]
    rendered = load("emobank_vad_likelihood", apply_chat_template=True, chat_template=_rendered)
    assert rendered.instances[0].args[0].startswith("<user>") and rendered.instances[0].args[1] == "Low"


def _rendered(history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
    return "".join(f"<{turn['role']}>{turn['content']}" for turn in history)


def test_an_endpoint_scores_the_first_token_or_says_what_to_ask_instead(load) -> None:
    task = load("emobank_vad_likelihood")
    options = {"model": MODEL, "backoff": 0.01, "selftest": False}
    with StandIn(answer=lambda body: "high", logprobs=True) as server:
        answers = EndpointLM(base_url=server.url, profile="vllm", **options).loglikelihood(task.instances)
        assert len(server.bodies) == len(task.instances) // 3  # one request for the levels of a question
    readings = [one["reading"] for one in _results(task, answers)]
    assert all(number > 3.5 for reading in readings for number in reading.values())
    with StandIn() as server:
        closed = EndpointLM(base_url=server.url, **options)
        with pytest.raises(
            AffectError, match=r"log-likelihoods[^⊥]*ask the task that generates instead: .*emobank_vad\b"
        ):
            closed.loglikelihood(task.instances)


def test_first_tokens_are_compared_without_their_case() -> None:
    assert choice_likelihoods({"Yes": -0.1, " no": -2.0, "yes": -4.0}, ["no", "yes"]) == pytest.approx(
        [-2.0, math.log(math.exp(-0.1) + math.exp(-4.0))]
    )


EMODB = {"corpus": "emodb", "space": "emodb_7", "rater": "actor"}
PAGE = """task: mine
class: !function affectllm.evaluate.task.AffectTask
corpus: {corpus}
split: test
template: {template}
gold: {{space: {space}, rater: {rater}}}
modalities: [text]
score_by: {by}
metrics: [{metric}]
metadata: {{version: 1}}
"""


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"by": "votes"}, "score_by is likelihood, or left out, not 'votes'"),
        ({"metric": "jaccard"}, "answers that are scored as scores values have no metric called 'jaccard'"),
        (
            {"template": "emotion_choice", "corpus": "emodb", "space": "emodb_7", "rater": "actor"},
            "asks nothing of each name",
        ),
    ],
)
def test_a_page_that_cannot_be_scored_so_says_why(tmp_path, roots, monkeypatch, changes, problem) -> None:
    (tmp_path / "eval_tasks").mkdir()
    gold = {"corpus": "goemotions", "space": "goemotions_28", "rater": "crowd"}
    page = {**gold, "template": "emotion_set", "by": "likelihood", "metric": "mean_average_precision", **changes}
    (tmp_path / "eval_tasks" / "mine.yaml").write_text(PAGE.format(**page))
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    use(monkeypatch, roots)
    with pytest.raises(AffectError, match=problem):
        AffectTaskManager().load(["mine"])


def test_the_shallow_model_ranks_items_by_what_it_learned(tmp_path, monkeypatch) -> None:
    (tmp_path / "eval_tasks").mkdir()
    page = PAGE.format(
        corpus="goemotions",
        space="goemotions_28",
        rater="crowd",
        template="emotion_set",
        by="likelihood",
        metric="mean_average_precision",
    )
    (tmp_path / "eval_tasks" / "mine.yaml").write_text(page)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    words = {"17": "splendid", "25": "gloomy", "14": "spooky"}
    rows = [f"A {word} thing {n}\t{label}\tid{label}{{}}{n}\n" for n in range(12) for label, word in words.items()]
    tables = {f"{split}.tsv": "".join(row.format(split) for row in rows) for split in ("train", "dev", "test")}
    use(monkeypatch, {"goemotions": materialise(tables, tmp_path / "goemotions")})
    task = AffectTaskManager().load(["mine"])["tasks"]["mine"]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    results = _results(task, ShallowLM().loglikelihood(task.instances))
    assert task.aggregation()["mean_average_precision"]([one["mean_average_precision"] for one in results]) == 1
    scores = results[0]["reading"]
    assert max(scores, key=scores.get) == "joy" and 0 < scores["sadness"] < 0.5


@pytest.mark.parametrize(
    ("each", "problem"),
    [
        (
            '{questions: ["{label}?", "Is it {label}?"], held_out: ["{label}!"], levels: ["very bad", "very good"]}',
            "begin",
        ),
        ('{questions: ["Is it?", "Is it {label}?"], held_out: ["{label}!"], levels: ["No", "Yes"]}', "lacks the plac"),
        ('{questions: ["{label}?"], held_out: ["{label}!"], levels: ["No", "Yes"]}', "at least 2 different texts"),
        ("[a]", "must be a mapping"),
    ],
)
def test_questions_of_each_name_are_checked_with_file_and_line(tmp_path, each, problem) -> None:
    from affectllm.instruct.wording import load_wording

    listed = "".join(f'    - "{{labels}} {number}?"\n' for number in range(7)).splitlines(keepends=True)
    text = "version: 1\nform: set\nen:\n  questions:\n" + "".join(listed[:5]) + "  held_out:\n" + "".join(listed[5:])
    (tmp_path / "asked.yaml").write_text(f"{text}  each: {each}\n")
    with pytest.raises(Malformed, match=problem) as caught:
        load_wording(str(tmp_path / "asked.yaml"))
    assert "asked.yaml:1" in str(caught.value)
