"""The torments of pages, tables, checkpoints and kill points see what does wrong, and pass over what works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from killing import worker
from torturing import checkpoints, formats, harming, misspelt, pages_at_hand, points, spoiling, tables
from torturing.scene import Scene
from torturing.torments import torment

Commands = Callable[[Callable[[list[str]], tuple[int, str]]], None]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "cache"))
    return Scene.make(tmp_path, np.random.default_rng(0), monkeypatch)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Makes every command end as a function of its words says."""
    return lambda end: monkeypatch.setattr(Scene, "forked", lambda self, words, modules: end(list(words)))


def test_pages_sees_a_traceback_an_error_without_the_page_and_a_tag_that_was_run(
    scene: Scene, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misspelt, "KINDS", [kind for kind in pages_at_hand.KINDS if kind.name == "toy mixture"])
    page = scene.scratch / "written" / "strange.yaml"
    whole = Path(scene.place.mixture()).read_text()

    def damaged() -> bool:
        return not page.is_file() or page.read_bytes() != whole.encode()

    commands(lambda words: (2, f"error: {page}:3: no") if damaged() else (0, ""))
    assert not any(misspelt.pages(scene) for _ in range(12))
    commands(lambda words: (2, "error: no") if damaged() else (0, ""))
    assert "the error does not name the page" in misspelt.pages(scene)
    commands(lambda words: (2, "error: no"))  # as over the page that nobody changed
    assert misspelt.pages(scene) == ""
    commands(lambda words: (1, "Traceback"))
    assert "a traceback" in misspelt.pages(scene)
    commands(lambda words: ((scene.scratch / "was_run_by_a_tag").touch() or 0, ""))
    assert misspelt.pages(scene).endswith("a tag was run")


def test_every_way_of_spoiling_a_page_is_another_page(scene: Scene) -> None:
    text = Path(scene.place.recipe()).read_text()
    for number, way in enumerate(misspelt._FILES):
        way(scene, path := scene.scratch / f"{number}.yaml", text.encode())
        assert not path.is_file() or path.stat().st_size == 0 or path.open("rb").read(9_999) != text.encode()
    changed = [misspelt._other_content(scene, text) for _ in range(40)]
    assert all(how and new != text for new, how in changed) and len({how for _, how in changed}) > 20


@pytest.mark.parametrize("ending", [ending for ending in formats.ENDINGS if ending != "saved"])
def test_a_table_in_every_format_is_the_same_to_other_readers(ending: str, tmp_path: Path) -> None:
    columns = {"id": ["a", "b"], "label": ["überrascht", "joy"]}
    formats.write(tmp_path / f"t.{ending}", columns)
    assert formats.read(tmp_path / f"t.{ending}") == columns


def test_tables_sees_another_score_of_a_damaged_table(
    scene: Scene, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command scores what it likes: only what the whole table, or another reader of this one, gives is right."""

    def end(words: list[str], said: str = "") -> tuple[int, str]:
        gold, pred = (
            dict(zip(*list(formats.read(path).values())[:2], strict=True)) for path in map(Path, words[4:7:2])
        )
        value = sum(gold[name] == pred[name] for name in gold) / len(gold) + wrong
        return 0, f"{said}{json.dumps({'value': value, 'n': len(gold), 'unreadable': 0.0}, indent=2)}\n"

    def one_label(scene: Scene, path: Path) -> str:
        table = formats.read(path)
        name = next(name for name in table if name in ("label", "prediction"))
        formats.write(path, {**table, name: ["joy", *table[name][1:]]})
        return "another label"

    monkeypatch.setattr(tables, "spoil", one_label)
    monkeypatch.setattr(formats, "ENDINGS", ("csv", "jsonl"))
    (folder := scene.scratch / "t").mkdir()
    wrong = 0.0
    commands(end)
    assert not any(tables._scored(scene, folder) for _ in range(5))
    wrong = 0.01
    assert "scored" in tables._scored(scene, folder)
    commands(lambda words: end(words, "1 of 24 labels is none\n"))
    assert tables._scored(scene, folder) == ""
    commands(lambda words: (2, "error: something is wrong"))
    assert "the error does not name it" in tables._scored(scene, folder)


def test_numbers_that_are_none_may_not_be_scored_in_silence(
    scene: Scene, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: dict[str, Any] = {"value": 0.5, "n": 24, "unreadable": 0.0}
    (folder := scene.scratch / "t").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tables, "_NUMBERS", ("½",))
    commands(lambda words: (0, json.dumps(scored, indent=2)))
    assert "Python reads no number" in tables._numbers(scene, folder)
    scored["unreadable"] = 1 / 24
    assert tables._numbers(scene, folder) == ""
    scored["unreadable"] = 0.0
    monkeypatch.setattr(tables, "_NUMBERS", ("+0.5",))
    assert "0.5, not " in tables._numbers(scene, folder)


def test_checkpoints_sees_other_answers_and_shares_that_are_none(
    scene: Scene, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [{"item": name, "likelihoods": {"joy": 0.25, "anger": 0.75}} for name in "ab"]
    monkeypatch.setattr(checkpoints, "KINDS", ("text",))
    monkeypatch.setattr(checkpoints, "harm", lambda scene, folder, kind: ("config.json", "changed", may_differ))
    (scene.scratch / "whole" / "text").mkdir(parents=True)
    scene.expected["text"] = json.loads(json.dumps(answers))
    commands(lambda words: (0, "50 %|█\r" + "\n".join(map(json.dumps, answers))))
    may_differ = False
    assert checkpoints.checkpoints(scene) == ""
    answers[0]["likelihoods"] = {"joy": 0.5, "anger": 0.5}
    assert "other answers" in checkpoints.checkpoints(scene)
    may_differ = True
    assert checkpoints.checkpoints(scene) == ""
    answers[0]["likelihoods"] = {"joy": float("nan"), "anger": 0.5}
    assert "shares that are none" in checkpoints.checkpoints(scene)
    (scene.scratch / harming.PAYLOAD).touch()
    assert "was run" in checkpoints.checkpoints(scene)


def test_a_fork_that_hangs_or_takes_the_memory_is_a_fault(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    (scene.scratch / "busy.py").write_text(
        "def main(words):\n    x = b'1' * int(words[0])\n    while len(words) > 1: pass\n"
    )
    monkeypatch.syspath_prepend(scene.scratch)
    monkeypatch.setenv("PYTHONPATH", str(scene.scratch))
    with worker(scene.scratch, ("busy",)) as one:
        monkeypatch.setattr(Scene, "worker", lambda self, modules: one)
        whole = one.run
        monkeypatch.setattr(one, "run", lambda module, words, folder: whole("busy", words, folder))
        monkeypatch.setattr("torturing.scene.MEMORY", 100 << 20)
        assert scene.forked(["1"], ()) == (0, "")
        assert scene.forked([str(200 << 20)], ())[0] == 998
        monkeypatch.setattr("torturing.scene.SOON", 0.2)
        assert scene.forked(["1", "hang"], ())[0] == 999


def test_points_go_on_in_their_order_and_with_the_next_command(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    class Made:
        def __init__(self, one: object, killed: str, folder: Path) -> None:
            self.name, self.changes = killed, ["open a", "os.rename b"]

        def ways(self, number: int) -> tuple[bool, ...]:
            return (False, True) if number == 2 else (False,)

        def kill_at(self, number: int, torn: bool) -> str:
            seen.append((self.name, number, torn))
            return "left stuck" if number == 1 and self.name == "second" else ""

    seen: list[tuple[str, int, bool]] = []
    monkeypatch.setattr(points, "Points", Made)
    monkeypatch.setattr(
        points, "_SCENES", [(name, (), lambda one, place, name=name: name) for name in ("first", "second")]
    )
    monkeypatch.setattr(Scene, "worker", lambda self, modules: None)
    scene.kept["points"] = points._from(scene, 0, 0.5)
    assert [points.points(scene) for _ in range(4)] == ["", "", "second: left stuck", ""]
    assert seen == [("first", 2, False), ("first", 2, True), ("second", 1, False), ("second", 2, False)]


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["pages", "tables", "checkpoints", "points"])
def test_a_first_trial_of_each_finds_nothing(name: str) -> None:
    assert torment(name, 3, 0).faults == ()


def test_every_way_of_spoiling_a_table_changes_it(scene: Scene) -> None:
    for ending in ("csv", "jsonl", "xlsx", "npz"):
        ways = [*spoiling._ANY, *spoiling._OF[f".{ending}"], *(spoiling._TEXT if ending in ("csv", "jsonl") else ())]
        for name, way in ways:
            path = scene.scratch / f"t.{ending}"
            if path.is_dir():
                path.rmdir()
            path.unlink(missing_ok=True)
            formats.write(path, {"id": [f"clip{n}" for n in range(24)], "label": ["joy"] * 24, "text": ["a"] * 24})
            before = path.read_bytes()
            if name != "a bomb":
                way(scene, path)
            assert (
                name in ("a bomb", "utf-8-sig", "cp037", "latin-1") or not path.is_file() or path.read_bytes() != before
            ), name
