"""Task pages: every one loads and asks, on its corpus's miniature; broken ones are named, never skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evaluating import EVERY_TASK, GROUPS, PAGES, TASKS, corpus_of, miniatures, real_corpora, shipped, use

from affectllm.errors import AffectError, Malformed, MissingCorpus, NotFound
from affectllm.evaluate.by_likelihood import reference_likelihoods
from affectllm.evaluate.media_error import media_error_reply
from affectllm.evaluate.shelf import check_pages
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.instruct.conversation import media_parts, text_of


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return miniatures(tmp_path_factory.mktemp("corpora"), map(corpus_of, EVERY_TASK))


@pytest.fixture
def build(roots: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    def build(name: str, modalities: str = "") -> AffectTask:
        use(monkeypatch, roots, modalities)
        task: AffectTask = shipped().load([name])["tasks"][name]
        return task

    return build


def _requests(task: AffectTask, **options: Any) -> list[Any]:
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1, **options)
    return task.instances


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    (tmp_path / "eval_tasks").mkdir()
    return tmp_path / "eval_tasks"


PAGE = """task: mine
class: !function affectllm.evaluate.task.AffectTask
corpus: emodb
split: test
template: emotion_choice
gold: {space: emodb_7, rater: actor}
modalities: [audio]
metrics: [uar]
metadata: {version: 1}
"""


@pytest.mark.parametrize("name", EVERY_TASK)
def test_a_document_is_json_that_points_at_clips_below_the_root(build, roots, name) -> None:
    task = build(name)
    for document in task.task_docs:
        assert json.loads(json.dumps(document)) == document
        assert str(roots[document["corpus"]]) not in json.dumps(document)
        for part in document["messages"][0]["content"]:
            assert None not in part.values()
            if part["type"] != "text":
                assert (roots[part["corpus"]] / part["path"]).is_file()


@pytest.mark.parametrize("name", TASKS)
def test_the_right_answer_is_read_as_the_gold_value(build, name) -> None:
    task = build(name)
    for document in task.task_docs:
        chosen = [(-float(choice != document["answer"]), False) for choice in document["choices"]]
        results = chosen if task.OUTPUT_TYPE == "multiple_choice" else [document["answer"]]
        if task.template.by_each:
            places = range(len(document["each"]) * len(document["choices"]))
            results = [
                (reference_likelihoods(task.template, document["answer"], place, document), False) for place in places
            ]
        result = task.process_results(document, results)
        right = pytest.approx(1)  # levels add up to the number
        assert result["right"] == right if "right" in result else result["reading"] == document["gold"]


@pytest.mark.parametrize("name", TASKS)
def test_requests_carry_messages_exactly_where_there_is_media(build, name) -> None:
    task = build(name)
    for request in _requests(task):
        has_media = any(part["type"] != "text" for part in request.doc["messages"][0]["content"])
        assert len(request.args) == (3 if has_media else 2)
        assert getattr(task, "MULTIMODAL", False) == has_media
        if has_media:
            template = f"{task.template.name}/{task.template.version}"
            shown = request.args[2]["messages"] if task.template.by_each else request.doc["messages"]
            assert request.args[2] == {"messages": shown, "template": template}
            assert media_parts(shown) == media_parts(request.doc["messages"])


@pytest.mark.parametrize("name", TASKS)
def test_versions_and_raters_are_in_the_configuration(build, name) -> None:
    task = build(name)
    facts = task.dump_config()["metadata"]["affectllm"]
    assert PAGES[name]["metadata"]["version"] == task.VERSION
    assert facts["template_version"] == task.template.version
    assert facts["rater"] == PAGES[name]["gold"]["rater"]


@pytest.mark.parametrize("name", GROUPS)
def test_groups_hold_their_tasks(roots, monkeypatch, name) -> None:
    use(monkeypatch, roots)
    loaded = shipped().load([name])
    assert loaded["tasks"] and name in loaded["groups"]


def test_modalities_are_taken_away_from_question_and_clip(build) -> None:
    shown = {
        modalities: build("demo_affect_emotion", modalities).task_docs[0]["messages"][0]["content"]
        for modalities in ("", "text", "audio", "video", "video+audio", "video,text")
    }
    kinds = {name: [(part["type"], part.get("sound", False)) for part in parts] for name, parts in shown.items()}
    assert kinds[""] == kinds["video+audio"] == [("video", True), ("text", False)]
    assert kinds["text"] == [("text", False)]
    assert kinds["audio"] == [("audio", False), ("text", False)]
    assert kinds["video"] == kinds["video,text"] == [("video", False), ("text", False)]
    assert "The text:" in shown["text"][-1]["text"]
    assert not any(frame in shown["audio"][-1]["text"] for frame in ("The text:", "What is said:"))


def test_held_out_paraphrases_are_asked_and_none_of_those_for_training(build, monkeypatch) -> None:
    usual = build("meld_emotion")
    monkeypatch.setenv("AFFECTLLM_HELD_OUT", "1")
    held_out = build("meld_emotion")
    assert held_out.facts()["held_out"] and not usual.facts()["held_out"]
    asked = {text_of(document["messages"]).rpartition("\n\n")[2] for document in held_out.task_docs}
    assert asked and not asked & {text_of(document["messages"]).rpartition("\n\n")[2] for document in usual.task_docs}


def test_a_task_without_the_shown_modalities_is_an_error(build) -> None:
    with pytest.raises(AffectError, match=r"emodb_emotion.*has audio, and none"):
        build("emodb_emotion", "video")


def test_an_unknown_modality_is_an_error(build) -> None:
    with pytest.raises(AffectError, match="'sound' is no modality"):
        build("emodb_emotion", "sound")


def test_text_alone_makes_a_media_task_one_for_any_model(build) -> None:
    task = build("demo_affect_emotion", "text")
    assert not getattr(task, "MULTIMODAL", False)
    assert [len(request.args) for request in _requests(task)] == [2] * len(task.task_docs)


def test_what_is_not_asked_is_kept_with_its_reason(build) -> None:
    reasons = [rejection.reason for rejection in build("meld_emotion_video").rejected]
    assert "media_missing" in reasons and "known_defect" in reasons


def test_an_absent_corpus_says_how_to_give_it(monkeypatch) -> None:
    use(monkeypatch, {})
    with pytest.raises(MissingCorpus, match=r"--root emodb=DIR.*AFFECTLLM_CORPORA"):
        AffectTaskManager().load(["emodb_emotion"])


def test_a_corpus_without_test_items_says_why(monkeypatch, tmp_path, roots) -> None:
    from affectllm.corpus.miniature import Tone, materialise

    use(monkeypatch, {"emodb": materialise({"wav/03a01Fa.wav": Tone(), "wav/03a01Xa.wav": Tone()}, tmp_path)})
    with pytest.raises(AffectError, match=r"no sample in .* can be asked: unknown_label 1"):
        AffectTaskManager().load(["emodb_emotion"])


def test_few_shot_examples_are_refused_instead_of_taken_from_the_test_split(build) -> None:
    task = build("meld_emotion")
    task.set_config("num_fewshot", 2)
    with pytest.raises(AffectError, match="no few-shot"):
        _requests(task)


def test_a_system_instruction_reaches_media_requests(build) -> None:
    (request, *_) = _requests(build("emodb_emotion"), system_instruction="Be brief.")
    assert request.args[2]["messages"][0] == {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [("", "empty"), ("no idea", "no_label"), ("anger or fear", "ambiguous"), ("not angry", "no_label")],
)
def test_an_unreadable_reply_has_a_reason_and_no_reading(build, reply, reason) -> None:
    task = build("emodb_emotion")
    result = task.process_results(task.task_docs[0], [reply])
    assert (result["reading"], result["unreadable"]) == (None, reason)
    assert result["uar"] == (task.task_docs[0]["gold"], None)


@pytest.mark.parametrize("name", ["emodb_emotion", "emodb_emotion_choice", "empathetic_dialogues_reply"])
def test_a_broken_clip_is_unreadable_with_the_decoders_reason(build, name) -> None:
    task = build(name)
    reply = media_error_reply("no_audio_stream", "wav/x.wav", "detail")
    results = [(reply, False)] * 7 if task.OUTPUT_TYPE == "multiple_choice" else [reply]
    result = task.process_results(task.task_docs[0], results)
    assert (result["reading"], result["unreadable"]) == (None, "media_error:no_audio_stream")


def test_all_our_pages_load() -> None:
    assert {*TASKS, *GROUPS} <= set(check_pages())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("task: mine\n  class: [\n", r"mine\.yaml:2: not YAML: mapping values"),
        ("- a\n- b\n", "not a mapping"),
        (PAGE.replace("task: mine", "task: yours"), "the file is called mine, its task 'yours'"),
        (PAGE.replace("template: emotion_choice\n", ""), "key template is missing"),
        (PAGE.replace("split: test", "split: train"), "not 'train'"),
        (PAGE.replace("corpus: emodb", "corpus: emodbb"), "no corpus called 'emodbb'"),
        (PAGE.replace("[uar]", "uar"), "metrics must be a list"),
        (PAGE.replace("{space: emodb_7, rater: actor}", "emodb_7"), "gold must be"),
        ("group: mine\ntask: [emodb_emotionn]\n", "no task called 'emodb_emotionn'"),
    ],
)
def test_a_broken_page_is_an_error_with_its_name(folder, text, problem) -> None:
    (folder / "mine.yaml").write_text(text)
    with pytest.raises(Malformed, match=problem) as caught:
        AffectTaskManager()
    assert str(folder / "mine.yaml") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "problem"),
    [
        (PAGE + "doc_to_video: clip\n", Malformed, "doc_to_video"),
        (PAGE.replace("[uar]", "[bleu]"), NotFound, "no metric called 'bleu'"),
        (PAGE.replace("emodb_7", "emodb_8"), NotFound, "no label space 'emodb_8'"),
        (PAGE.replace("actor", "crowd"), NotFound, "no rater called 'crowd'"),
        (PAGE.replace("emotion_choice", "emotion_choices"), NotFound, "no template called"),
    ],
)
def test_a_page_that_cannot_be_asked_is_an_error(folder, roots, monkeypatch, text, error, problem) -> None:
    (folder / "mine.yaml").write_text(text)
    use(monkeypatch, roots)
    with pytest.raises(error, match=problem):
        AffectTaskManager().load(["mine"])


def test_a_task_of_a_local_folder_works_like_ours(folder, roots, monkeypatch) -> None:
    (folder / "mine.yaml").write_text(PAGE)
    use(monkeypatch, roots)
    assert len(AffectTaskManager().load(["mine"])["tasks"]["mine"].task_docs) == 1


WHOLE = {
    **{"meld_emotion": 2610, "meld_sentiment": 2610, "goemotions": 5427, "empathetic_dialogues_emotion": 2542},
    **{"emobench_eu_en": 200, "emobench_eu_zh": 200, "emobench_ea_en": 200, "emobench_ea_zh": 200},
    **{"eq_bench_v1": 60, "eq_bench_v2": 171, "eq_bench_v2_de": 171, "reccon_turns": 1593, "reccon_spans": 1593},
}


@pytest.mark.parametrize(("name", "count"), WHOLE.items())
def test_real_test_splits_are_whole(monkeypatch, name, count) -> None:
    corpora = real_corpora()
    use(monkeypatch, {})
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(corpora))
    task = AffectTaskManager().load([name])["tasks"][name]
    assert len(task.task_docs) == count == task.page.n
