"""Names that are no task: what the task is called now, or the nearest ones, its page before its variants."""

from __future__ import annotations

from pathlib import Path

import lm_eval.tasks
import pytest
from evaluating import shipped
from lm_eval.tasks import TaskManager

from affectllm import registry
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate.matrix import TASK
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.plain.theirs import may_be_theirs
from affectllm.evaluate.protocol import Protocol
from affectllm.evaluate.question import Question
from affectllm.evaluate.shelf import all_tasks, find_task
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.yaml_page import read_page

RENAMED = read_page(registry.folders("eval_tasks")[0] / "_renamed.yaml", TASK).value


def test_every_old_name_is_free_and_leads_to_a_task() -> None:
    known = all_tasks()
    assert RENAMED and not set(RENAMED) & set(known) and set(RENAMED.values()) <= set(known)


def test_an_old_name_is_answered_in_one_line_with_the_new_one() -> None:
    for look in (find_task, lambda name: AffectTaskManager().match_tasks([name])):
        with pytest.raises(NotFound) as caught:
            look("semeval2018_anger")
        assert str(caught.value) == "the task semeval2018_anger is called semeval2018_ei_reg_en_anger now"


def test_a_folder_of_ones_own_may_rename_its_tasks(tmp_path, monkeypatch) -> None:
    (tmp_path / "eval_tasks").mkdir()
    (tmp_path / "eval_tasks" / "_renamed.yaml").write_text("mood: emodb_emotion\n")
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    with pytest.raises(NotFound, match="the task mood is called emodb_emotion now"):
        find_task("mood")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("emodb_emotion_choise", "emodb_emotion_choice"),
        ("brighter_eng", "brighter_a_eng"),
        ("dfew_fold_2", "dfew_fold2"),
        ("meld_video", "meld_emotion_video"),
        ("emotic_multilabel", "emotic_emotions"),
        ("dailydialog_emotion", "dailydialog"),
        ("iemocap_6", "iemocap_6way"),
    ],
)
def test_the_nearest_name_comes_first(typed: str, first: str) -> None:
    assert registry.nearest(typed, all_tasks())[0] == first


@pytest.mark.parametrize("typed", ["emodb_emotoin", "semeval2018_anger"])
def test_a_misspelt_task_of_ours_is_answered_without_reading_the_tasks_of_lm_eval(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = shipped()
    monkeypatch.setattr(manager, "_indexed", lambda **_: pytest.fail("lm-eval's own tasks are indexed"))
    with pytest.raises(NotFound, match=r"did you mean emodb_emotion, |is called semeval2018_ei_reg_en_anger now"):
        manager.match_tasks([typed])


def test_what_may_be_a_task_of_lm_eval_is_looked_for_there() -> None:
    assert all(map(may_be_theirs, ("hellaswag", "hellaswagg", "arc_*", "pages/mine.yaml")))
    assert not may_be_theirs("emodb_emotoin")


@pytest.mark.thorough
def test_every_name_of_lm_eval_stands_in_one_of_its_pages() -> None:
    """Else a task would be refused as a misspelt one of ours."""
    folder = Path(lm_eval.tasks.__file__).parent
    pages = [path for path in folder.rglob("*") if path.suffix in ("", ".yaml", ".yml", ".py") and path.is_file()]
    written = b"\n".join(path.read_bytes() for path in pages)
    names = TaskManager().all_tasks
    assert len(names) > 10_000 and not [name for name in names if name.encode() not in written]
    some = names[:: len(names) // 20]
    assert all(map(may_be_theirs, some))


def test_what_is_like_no_task_is_not_answered_with_all_of_them() -> None:
    with pytest.raises(NotFound) as caught:
        find_task("zzzz")
    assert "see `affectllm ls`" in str(caught.value) and len(str(caught.value)) < 100


def test_a_task_whose_data_cannot_be_fetched_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise ConnectionError("Couldn't reach 'Rowan/hellaswag' on the Hub")

    monkeypatch.setattr(TaskManager, "load", unreachable)
    with pytest.raises(AffectError, match="cannot be fetched: Couldn't reach 'Rowan/hellaswag'"):
        AffectTaskManager().load(["hellaswag"])


@pytest.mark.parametrize("name", ["affectllm.eva", "nowhere.at_all", "bare"])
def test_a_function_of_a_page_that_is_none_is_told_with_the_page(name: str, tmp_path: Path) -> None:
    (tmp_path / "moods.yaml").write_text(f"task: moods\nclass: !function {name}\n")
    with pytest.raises(Malformed, match=r"^\S+/moods\.yaml: .*(has no function|Cannot import|no module path)"):
        AffectTaskManager(tmp_path).load(["moods"])


@pytest.mark.parametrize(("key", "what"), [("template", "no template called"), ("corpus", "no corpus called")])
def test_a_page_that_names_what_is_not_there_is_named(key: str, what: str) -> None:
    config = {**find_task("emodb_emotion").config, key: "nosuch"}
    with pytest.raises(NotFound, match=f"^mine.yaml:3: there is {what} 'nosuch'"):
        Question.of_page(TaskPage.take(dict(config), "mine.yaml:3"), Protocol(), "mine", "mine.yaml:3")
