"""The torments themselves: they pass over what works, and see what went wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from driving import BROWSER
from torturing import disks, hostile, names, written
from torturing.opened import opened
from torturing.scene import Scene, difference, ended, unexplained
from torturing.torments import NAMES, table, torment


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "cache"))
    return Scene.make(tmp_path, np.random.default_rng(0), monkeypatch)


@pytest.mark.parametrize(
    ("status", "output", "fault"),
    [
        (0, "written", ""),
        (2, "error: no space left\n  → free some", ""),
        (2, "went away", "no error"),
        (0, "Traceback (most recent call last):", "a traceback"),
        (-11, "", "ended with -11"),
        (999, "hung for 300 s: ", "ended with 999"),
    ],
)
def test_an_end_is_a_fault_unless_it_works_or_explains_itself(status: int, output: str, fault: str) -> None:
    assert fault in unexplained(status, output) and bool(fault) == bool(unexplained(status, output))


def test_other_bytes_are_named_and_logs_are_not() -> None:
    kept = {"a": b"1", "b": b"2", "log.txt": b"10:00"}
    assert difference({**kept, "log.txt": b"11:00"}, kept) == ""
    assert difference({"a": b"1", "b": b"3", "c": b""}, kept) == "other bytes: b, c"


@pytest.mark.slow
def test_what_is_left_otherwise_is_seen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that leaves a damaged file as it is would be a fault."""
    assert scene.undisturbed(False) and scene.again(False) == ""
    victim = next(iter(sorted(scene.place.folder.rglob("*.parquet"))))
    monkeypatch.setattr(Scene, "start", lambda self, words, **more: _nothing())
    victim.write_bytes(b"PAR1")
    assert victim.name in scene.again(False)


def _nothing() -> object:
    import subprocess

    return subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_damage_is_made_good_or_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    class Light:
        """Dice that choose the build, and are fair otherwise."""

        def __init__(self, seed: int) -> None:
            self._dice = np.random.default_rng(seed)

        def random(self) -> float:
            return 0.9

        def integers(self, *bounds: int) -> int:
            return int(self._dice.integers(*bounds))

    for seed in range(3):
        scene.dice = Light(seed)  # type: ignore[assignment]
        assert disks.damage(scene) == ""


@pytest.mark.slow
def test_a_failing_server_is_outlived_and_the_table_counts(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = torment("endpoint", 3, 0)
    assert (outcome.trials, outcome.faults) == (1, ())
    assert "| endpoint | 1 | 0 |" in table([outcome], 3) and "endpoint" in NAMES


def test_a_hanging_command_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    import torturing.scene

    monkeypatch.setattr(torturing.scene, "HANGS", 0.3)
    process = subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE, text=True, start_new_session=True)
    status, output = ended(process)
    assert status == 999 and "hung" in output


@pytest.mark.thorough
def test_machines_that_lose_their_power_build_the_same_bytes() -> None:
    pytest.importorskip("datatrove")
    assert torment("hosts", 3, 0).faults == ()


BAD = """<!doctype html><html><head><title>fine</title></head><body><p>words</p><b class=pwned>bold</b>
<img src="gone.png"><a href="javascript:1">x</a><script>window.pwned = 1</script>
<form class="finder"><input type=search></form><script src="http://example.invalid/a.js"></script></body></html>"""


def test_words_that_are_markup_in_markdown_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("---\ntitle: x\n---\n\n# A\n\nShown &lt;b class=pwned&gt; `<b class=pwned>`\n", encoding="utf-8")
    assert opened([page], "", ["Shown"], tmp_path) == ""
    bad = ["# pwned", "<b class=pwned>x</b>", "[a](javascript:1)", "![b](http://example.invalid/b.png)", "a <!-- c -->"]
    for line in bad:
        page.write_text(f"{line}\n", encoding="utf-8")
        assert opened([page], "", [], tmp_path) != "", line
    page.write_text("---\npwned: true\n---\n\nhidden\n", encoding="utf-8")
    assert "keys of its header" in opened([page], "", ["Shown"], tmp_path)
    assert "none of the words is shown" in opened([page], "", ["Shown"], tmp_path)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_words_that_are_markup_in_a_page_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(BAD, encoding="utf-8")
    fault = opened([page], "x", ["nowhere"], tmp_path)
    for part in ("were run", "are markup", "a link runs", "does not load", "it asked for", "none of the words"):
        assert part in fault


@pytest.mark.slow
def test_a_file_that_is_neither_used_nor_counted_is_seen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "FOLDERS", (b"joy",))
    monkeypatch.setattr(names, "NAMES", (b"bad \xff", b"fine"))
    monkeypatch.setattr(names, "opened", lambda *page: "")
    assert names.called(scene, "folders", "audio") == ""
    monkeypatch.setattr(names, "_lines", lambda path: iter(()))
    assert "neither a sample nor counted" in names.called(scene, "folders", "audio")


@pytest.mark.thorough
@pytest.mark.browser
@pytest.mark.parametrize("kind", written.KINDS)
def test_hostile_words_stay_words_on_every_kind_of_page(scene: Scene, kind: str) -> None:
    assert written.into(scene, kind) == ""


@pytest.mark.thorough
@pytest.mark.browser
@pytest.mark.parametrize("kind", names.KINDS)
def test_clips_of_hostile_names_are_used_or_counted(scene: Scene, kind: str) -> None:
    assert names.called(scene, kind, "video") == ""


@pytest.mark.thorough
@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_a_label_of_several_lines_can_be_chosen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "LABELS", ("one\nanother", "joy"))
    monkeypatch.setattr(written, "LABELS", ("one\nanother", "joy"))
    assert written.into(scene, "mixture") == ""
