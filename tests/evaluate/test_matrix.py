"""``matrix:`` of a task page: which tasks it makes, what they are called, and what is said of a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluating import miniatures, use

from affectllm.cli import main
from affectllm.corpus.selection import Selection
from affectllm.errors import Malformed, NotFound
from affectllm.evaluate.matrix import CLASS, read_tasks
from affectllm.evaluate.plain.pages import write_pages
from affectllm.evaluate.run import evaluate
from affectllm.evaluate.shelf import all_tasks, check_pages, find_task, task_sources
from affectllm.evaluate.tasks import AffectTaskManager

PAGE = """# Mine: how the actor sounds.
task: mine
class: !function affectllm.evaluate.task.AffectTask
corpus: emodb
split: test
template: emotion_choice
gold: {space: emodb_7, rater: actor}
modalities: [audio]
metrics: [uar]
metadata: {version: 1}
"""
BY = "matrix:\n  by: {reply: {}, choice: {output_type: multiple_choice}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    (tmp_path / "eval_tasks").mkdir()
    return tmp_path / "eval_tasks"


def task_names(folder: Path, name: str, matrix: str) -> set[str]:
    (folder / f"{name}.yaml").write_text(PAGE.replace("task: mine", f"task: {name}") + matrix, encoding="utf-8")
    return {task for task, entry in all_tasks().items() if entry.path.parent == folder}


@pytest.mark.parametrize(
    ("name", "matrix", "others"),
    [
        ("mine", BY, {"mine_choice"}),
        ("mine_reply", BY, {"mine_choice"}),
        ("my_reply_task", BY, {"my_choice_task"}),
        ("my_replying", BY, {"my_replying_choice"}),
        (
            "mine",
            BY + "  words: {usual: {}, held_out: {held_out: true}}\n",
            {"mine_choice", "mine_held_out", "mine_choice_held_out"},
        ),
        (
            "mine",
            "matrix:\n  rater: {acted: {gold: {space: a, rater: b}}, heard: {gold: {space: a, rater: c}}}\n" + BY[8:],
            {"mine_acted", "mine_heard", "mine_acted_choice", "mine_heard_choice"},
        ),
        (
            "mine_acted_twice",
            "matrix:\n  rater: {acted: {}, heard: {gold: {space: a, rater: c}}}\n" + BY[8:],
            {"mine_heard_twice", "mine_acted_twice_choice", "mine_heard_twice_choice"},
        ),
    ],
)
def test_every_combination_but_the_pages_own_is_a_task_more(folder, name, matrix, others) -> None:
    assert task_names(folder, name, matrix) == {name, *others}


def test_todays_names_are_those_that_the_pages_make() -> None:
    raters = {f"crema_d_emotion_{rater}" for rater in ("acted", "voice", "face", "both")}
    pages = all_tasks()
    assert raters <= set(pages) and len({pages[name].path for name in raters}) == 1
    for name in ("emodb_emotion_choice", "ravdess_emotion_video", "meld_emotion_video", "demo_affect_emotion_choice"):
        assert pages[name].path.stem == name.rpartition("_")[0]
    for part in ("ei_reg_en", "ei_oc_ar"):
        assert {f"semeval2018_{part}_{one}" for one in ("anger", "fear", "joy", "sadness")} <= set(pages)


def test_a_variant_is_scored_as_a_page_of_its_own_would_be(folder, tmp_path) -> None:
    task_names(folder, "mine", BY)
    (folder / "alone.yaml").write_text(PAGE.replace("task: mine", "task: alone") + "output_type: multiple_choice\n")
    (folder / "pair.yaml").write_text("group: pair\ntask: [mine_choice, mine]\n")
    roots = miniatures(tmp_path / "corpora", ["emodb"])
    options = {"model_args": {"seed": 1}, "roots": roots}
    scores = evaluate(["pair", "alone"], "affectllm-majority", tmp_path / "out", roots=roots)
    assert set(scores) == {"mine", "mine_choice", "alone"} and scores["mine_choice"] == scores["alone"]
    again = evaluate(["mine_choice"], "affectllm-chance", tmp_path / "chance", **options)
    (folder / "mine.yaml").write_text(PAGE + BY.replace("choice: {", "choice: {metrics: [accuracy], "))
    changed = evaluate(["mine_choice"], "affectllm-chance", tmp_path / "chance", **options)
    assert set(again["mine_choice"]) == {"uar"} and set(changed["mine_choice"]) == {"accuracy"}


def test_a_pattern_and_a_tag_find_the_variants(folder, tmp_path, monkeypatch) -> None:
    task_names(folder, "mine", "tag: my_tag\n" + BY)
    use(monkeypatch, miniatures(tmp_path / "corpora", ["emodb"]))
    manager = AffectTaskManager()
    assert manager.match_tasks(["mine*"]) == ["mine", "mine_choice"]
    assert set(manager.load(["my_tag"])["tasks"]) == {"mine", "mine_choice"}


def test_plain_lm_eval_reads_the_page_as_its_base_task(folder, tmp_path, monkeypatch) -> None:
    from lm_eval.tasks import TaskManager

    task_names(folder, "mine", BY)
    use(monkeypatch, miniatures(tmp_path / "corpora", ["emodb"]))
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    assert manager.all_tasks == ["mine"]
    assert manager.load(["mine"])["tasks"]["mine"].OUTPUT_TYPE == "generate_until"


def test_written_pages_let_plain_lm_eval_run_variants_and_suites_of_them(folder, tmp_path, monkeypatch, capsys) -> None:
    from lm_eval.tasks import TaskManager

    task_names(folder, "mine", BY)
    (folder / "both.yaml").write_text("# Both.\ngroup: both\ntask: [mine, mine_choice]\nmetadata: {version: 1}\n")
    use(monkeypatch, miniatures(tmp_path / "corpora", ["emodb"]))
    assert main(["pages", str(tmp_path / "plain"), "both"]) == 0
    assert capsys.readouterr().out.startswith("3 pages in ")
    manager = TaskManager(include_path=str(tmp_path / "plain"), include_defaults=False)
    tasks = manager.load(["both"])["tasks"]
    assert {name: task.OUTPUT_TYPE for name, task in tasks.items()} == {
        "mine": "generate_until",
        "mine_choice": "multiple_choice",
    }


def test_written_pages_say_what_their_sources_say(tmp_path) -> None:
    entries = all_tasks()
    assert write_pages(tmp_path) == list(entries)
    assert {path.stem: read_tasks(path)[0].config for path in tmp_path.iterdir()} == {
        name: entry.config for name, entry in entries.items()
    }


def test_pages_are_not_written_where_affectllm_would_read_them_twice(folder, capsys) -> None:
    assert main(["pages", str(folder / "more")]) == 2
    assert "name another folder" in capsys.readouterr().err and not (folder / "more").exists()
    assert main(["pages", str(folder.parent.parent / "plain"), "emodb_emotoin"]) == 2
    assert "did you mean emodb_emotion" in capsys.readouterr().err


def test_a_variant_is_listed_shown_and_compared(folder, capsys) -> None:
    task_names(folder, "mine", BY.replace("output_type", "what: by likelihood, output_type"))
    main(["ls", "tasks"])
    listed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert listed["mine_choice"].endswith("Mine: by likelihood")
    assert main(["show", "mine_choice"]) == 0
    stdout = capsys.readouterr().out
    assert "output_type: multiple_choice" in stdout and "task: mine_choice" in stdout and "matrix" not in stdout
    assert "mine.yaml:12" in stdout
    (folder / "copy.yaml").write_text(stdout.replace("mine_choice", "copy"), encoding="utf-8")
    assert find_task("copy").config == {**find_task("mine_choice").config, "task": "copy"}
    assert task_sources(["mine_choice", "crema_d_emotion"])["mine_choice"] == Selection("emodb", "test")
    with pytest.raises(NotFound, match=r"did you mean mine_choice"):
        find_task("mine_choise")


@pytest.mark.parametrize(
    ("matrix", "line", "problem"),
    [
        ("matrix: [by]\n", 11, "matrix must be a mapping of axes"),
        ("matrix:\n  by: choice\n", 12, "matrix.by must be a mapping of variants"),
        ("matrix:\n  by:\n    reply:\n", 13, "matrix.by.reply must be a mapping of the keys"),
        ("matrix:\n  by:\n    reply: {}\n    plain: {}\n", 14, "plain changes nothing, and neither does reply"),
        ("matrix:\n  by:\n    a: {}\n    b:\n      task: yours\n", 15, "cannot change task"),
        ("matrix:\n  by:\n    a: {}\n    on: {held_out: true}\n", 14, "'on', which cannot stand in the name"),
        ("matrix:\n  by:\n    a: {}\n    B b: {held_out: true}\n", 14, "'B b', which cannot stand in the name"),
        ("matrix:\n  by:\n    a: {}\n    b: {what: as a}\n", 14, "changes nothing"),
        ("matrix:\n  by:\n    a: {}\n    a: {held_out: true}\n", 14, "'a' is given twice"),
        (
            "matrix:\n  one: {a: {held_out: true}}\n  two:\n    b:\n      held_out: false\n",
            15,
            "changed by the axis one",
        ),
        ("matrix:\n  by:\n    a: {}\n    b:\n      split: train\n", 15, "not 'train'"),
        ("matrix:\n  by:\n    a: {}\n    b:\n      what: w\n      corpus: emodbb\n", 16, "no corpus called 'emodbb'"),
        ("matrix:\n  by:\n    a: {}\n    b:\n      gold: {space: x}\n", 15, "gold must be"),
        ("matrix:\n  by: {a: {}, b: {metrics: uar}}\n", 12, "metrics must be a list"),
    ],
)
def test_a_broken_variant_is_named_with_its_line(folder, matrix, line, problem) -> None:
    (folder / "mine.yaml").write_text(PAGE + matrix)
    with pytest.raises(Malformed, match=problem) as caught:
        check_pages()
    assert f"{folder / 'mine.yaml'}:{line}" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("gold: {space: emodb_8, rater: actor}", "no label space 'emodb_8'"),
        ("gold: {space: emodb_7, rater: crowd}", "no rater called 'crowd'"),
        ("doc_to_video: clip", "doc_to_video"),
        ("metrics: [blue]", "no metric called 'blue'"),
    ],
)
def test_a_variant_that_cannot_be_asked_is_named_with_its_line(folder, tmp_path, monkeypatch, change, problem) -> None:
    task_names(folder, "mine", f"matrix:\n  by:\n    a: {{}}\n    b: {{{change}}}\n")
    use(monkeypatch, miniatures(tmp_path / "corpora", ["emodb"]))
    with pytest.raises((Malformed, NotFound), match=problem) as caught:
        AffectTaskManager().load(["mine_b"])
    assert "mine.yaml:14" in str(caught.value)


def test_a_variant_called_as_another_page_is_an_error(folder) -> None:
    (folder / "mine_choice.yaml").write_text(PAGE.replace("task: mine", "task: mine_choice"))
    (folder / "mine.yaml").write_text(PAGE + BY)
    with pytest.raises(Malformed, match="mine_choice exists twice"):
        check_pages()


def test_variants_of_an_included_folder_are_found_and_clashes_among_them_are_named(tmp_path, monkeypatch) -> None:
    use(monkeypatch, miniatures(tmp_path / "corpora", ["emodb"]))
    (tmp_path / "more").mkdir()
    for name in ("mine", "mine_reply"):
        (tmp_path / "more" / f"{name}.yaml").write_text(PAGE.replace("task: mine", f"task: {name}") + BY)
    with pytest.raises(Malformed, match="mine_choice exists twice"):
        AffectTaskManager(str(tmp_path / "more"))
    (tmp_path / "more" / "mine_reply.yaml").unlink()
    task = AffectTaskManager(str(tmp_path / "more")).load(["mine_choice"])["tasks"]["mine_choice"]
    assert task.OUTPUT_TYPE == "multiple_choice"


def test_a_broken_task_page_does_not_keep_other_things_from_being_shown(folder, capsys) -> None:
    (folder / "broken.yaml").write_text("matrix: [\n")
    for name in ("quickstart", "emotion_set", "emodb_emotion"):
        assert main(["show", name]) == 0
    assert main(["show", "emodb_emotion_choice"]) == 2 and "broken.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["group: mine\ntask: [emodb_emotion]\n", "task: mine\ndataset_path: x\n"])
def test_only_our_tasks_have_a_matrix(folder, text) -> None:
    (folder / "mine.yaml").write_text(text + BY)
    with pytest.raises(Malformed, match=r"mine\.yaml:3.*have a matrix"):
        check_pages()


def test_a_broken_page_is_listed_as_broken(folder, capsys) -> None:
    (folder / "mine.yaml").write_text(PAGE + "matrix: 1\n")
    assert main(["ls", "tasks"]) == 0
    assert "BROKEN" in next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mine "))


def test_a_task_of_ours_without_its_class_is_no_task_of_lm_evals(tmp_path: Path) -> None:
    path = tmp_path / "moods.yaml"
    path.write_text("task: moods\ncorpus: generic\ntemplate: emotion_choice\n")
    with pytest.raises(Malformed, match=r"moods\.yaml:1: the key class is missing"):
        read_tasks(path)
    for word in (CLASS, "''", "\u202e"):
        (tmp_path / "word.yaml").write_text(f"task: word\nclass: {word}\n")
        with pytest.raises(Malformed, match=r"word\.yaml:2: the class is a word, and no function"):
            read_tasks(tmp_path / "word.yaml")
    path.write_text("class: !function os.system\n" + path.read_text())
    with pytest.raises(Malformed, match=r"moods\.yaml:1: the class os\.system knows nothing of the keys corpus, templ"):
        read_tasks(path)
    path.write_text(path.read_text().replace("class: !function os.system", "include: other.yaml"))
    assert read_tasks(path)[0].name == "moods"
