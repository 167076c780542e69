"""Run folders: skipped when nothing has changed, resumed after a kill, started over otherwise, never a stranger's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.errors import AffectError, Malformed
from affectllm.run import (
    MANIFEST,
    Run,
    cache_folder,
    contents,
    digest,
    read_manifest,
    refuse_partial,
    require,
    versions,
    write_json,
)

_KILLED = """
import os, signal, sys
from pathlib import Path
from affectllm.run import Run
with Run(Path(sys.argv[1]), "build", {"seed": 1}) as run:
    (run.folder / "half").write_text("first half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def finish(folder: Path, inputs: dict[str, object], **outputs: object) -> None:
    with Run(folder, "build", inputs) as run:
        run.outputs.update(outputs)
        (folder / "data").write_text("made")


def test_a_finished_stage_is_skipped_and_gives_its_outputs(tmp_path: Path) -> None:
    finish(tmp_path / "run", {"seed": 1}, rows=3)
    before = (tmp_path / "run" / MANIFEST).read_bytes()
    with Run(tmp_path / "run", "build", {"seed": 1}) as again:
        assert again.done and not again.resuming
        assert again.outputs == {"rows": 3}
    assert (tmp_path / "run" / MANIFEST).read_bytes() == before


def test_changed_inputs_start_over(tmp_path: Path) -> None:
    finish(tmp_path / "run", {"seed": 1}, rows=3)
    with Run(tmp_path / "run", "build", {"seed": 2}) as again:
        assert not again.done and not again.resuming and again.outputs == {}
        assert not (tmp_path / "run" / "data").exists()


def test_a_killed_stage_is_resumed_with_what_it_had(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path / "run")], check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(AffectError, match="did not finish"):
        require(tmp_path / "run", "build")
    with Run(tmp_path / "run", "build", {"seed": 1}) as again:
        assert again.resuming and not again.done
        assert (tmp_path / "run" / "half").read_text() == "first half"
    assert require(tmp_path / "run", "build")["finished"]


def test_a_killed_stage_with_other_inputs_is_not_resumed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path / "run")], check=False)
    with Run(tmp_path / "run", "build", {"seed": 2}) as again:
        assert not again.resuming and not (tmp_path / "run" / "half").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_stage_unfinished(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), Run(tmp_path / "run", "build", {}):
        raise error
    with Run(tmp_path / "run", "build", {}) as again:
        assert again.resuming


@pytest.mark.parametrize("name", ["thesis.tex", MANIFEST])
def test_a_folder_that_is_no_run_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    # Other programs have a manifest.json too.
    (tmp_path / name).write_text('{"name": "an extension", "version": 3}')
    with pytest.raises(Malformed, match="is no run"), Run(tmp_path, "build", {}):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert "extension" in (tmp_path / name).read_text()


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    finish(tmp_path, {})
    assert require(tmp_path, "build")["finished"]


def test_a_torn_manifest_is_named_and_nothing_deleted(tmp_path: Path) -> None:
    finish(tmp_path / "run", {})
    (tmp_path / "run" / MANIFEST).write_text('{"stage": "bui')
    with pytest.raises(Malformed, match=r"manifest\.json"), Run(tmp_path / "run", "build", {}):
        pass
    assert (tmp_path / "run" / "data").exists()


FIELDS: list[dict[str, object]] = [
    {"files": [1]},
    {"files": None},
    {"outputs": None},
    {"finished": "yes"},
    {"inputs_digest": 5},
    {"files": {"../precious": "1:2"}},
    {"files": {"data/../../precious": "1:2"}},
]


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_a_manifest_that_no_run_wrote_is_named_and_nothing_deleted(fields: dict[str, object], tmp_path: Path) -> None:
    finish(tmp_path / "run", {})
    (tmp_path / "precious").write_text("not ours")
    manifest = json.loads((tmp_path / "run" / MANIFEST).read_text())
    (tmp_path / "run" / MANIFEST).write_text(json.dumps({**manifest, **fields}))
    with pytest.raises(Malformed, match="the manifest is damaged"), Run(tmp_path / "run", "build", {}):
        pass
    with pytest.raises(Malformed, match="the manifest is damaged"):
        require(tmp_path / "run", "build")
    assert (tmp_path / "precious").exists() and (tmp_path / "run" / "data").exists()


def test_files_elsewhere_that_a_manifest_names_are_never_deleted(tmp_path: Path) -> None:
    finish(tmp_path / "run", {})
    precious = tmp_path / "precious"
    precious.write_text("not ours")
    manifest = json.loads((tmp_path / "run" / MANIFEST).read_text())
    (tmp_path / "run" / MANIFEST).write_text(json.dumps({**manifest, "files": {str(precious): "1:2"}}))
    with pytest.raises(Malformed, match="lies outside the folder"), Run(tmp_path / "run", "build", {}):
        pass
    assert precious.exists()


def test_a_manifest_says_what_went_in_and_with_which_versions(tmp_path: Path) -> None:
    finish(tmp_path / "run", {"recipe": "x", "path": Path("a")}, rows=1)
    manifest = read_manifest(tmp_path / "run")
    assert manifest is not None
    assert manifest["stage"] == "build" and manifest["inputs"] == {"recipe": "x", "path": "a"}
    assert {"python", "affectllm", "torch"} <= set(manifest["versions"]) and 0 <= manifest["seconds"] < 60


def test_another_stage_in_the_folder_is_refused_by_those_who_need_one(tmp_path: Path) -> None:
    finish(tmp_path / "run", {})
    with pytest.raises(AffectError, match="no train run"):
        require(tmp_path / "run", "train")
    with pytest.raises(AffectError, match="no build run"):
        require(tmp_path / "nowhere", "build")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), _JSON, min_size=1, max_size=4))
def test_a_digest_does_not_depend_on_the_order_of_keys_and_does_on_values(value: dict[str, object]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))
    assert digest(value) != digest({**value, "one more key that nobody has": 1})


def test_writing_json_leaves_no_scratch_file_and_keeps_the_old_one_when_it_fails(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"ä": 1})
    with pytest.raises(ValueError, match="Circular"):
        circular: list[object] = []
        circular.append(circular)
        write_json(tmp_path / "x.json", circular)
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"ä": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("name", [".lock", ".manifest.json.part"])
def test_a_folder_that_was_left_before_its_first_manifest_is_used(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("half")
    finish(tmp_path, {})
    assert require(tmp_path, "build")["finished"]


def test_a_folder_that_was_left_while_it_was_cleared_goes_on_being_cleared(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    finish(folder, {"seed": 1})
    manifest = read_manifest(folder)
    assert manifest is not None
    write_json(folder / MANIFEST, {**manifest, "finished": False, "clearing": True})
    with Run(folder, "build", {"seed": 1}) as again:
        assert not again.resuming and not (folder / "data").exists()


def damage(folder: Path, how: str) -> None:
    data = folder / "data"
    if how == "missing":
        data.unlink()
    else:
        data.write_text("mode" if how == "changed" else "")


@pytest.mark.parametrize("how", ["missing", "changed", "emptied"])
def test_a_finished_stage_whose_files_are_not_what_they_were_is_done_again(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(tmp_path / "run", {"seed": 1})
    damage(tmp_path / "run", how)
    with pytest.raises(Malformed, match="1 files of this build are missing or changed, such as data"):
        require(tmp_path / "run", "build")
    with Run(tmp_path / "run", "build", {"seed": 1}) as again:
        assert again.resuming and not again.done and not (tmp_path / "run" / "data").exists()
        (tmp_path / "run" / "data").write_text("made")
    assert "missing or changed, such as data; it is done again" in capsys.readouterr().err
    assert require(tmp_path / "run", "build")["finished"]


def test_only_what_a_stage_keeps_is_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Run(folder, "train", {}, keeps=("final/**/*",)) as run:
        for name in ("final/weights", "final/.hidden", "checkpoint-5/weights"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("w")
        run.outputs["steps"] = 5
    manifest = read_manifest(folder)
    assert manifest is not None and list(manifest["files"]) == ["final/weights"]
    (folder / "checkpoint-5" / "weights").unlink()
    with Run(folder, "train", {}, keeps=("final/**/*",)) as again:
        assert again.done


def test_a_run_within_a_run_is_its_own_affair(tmp_path: Path) -> None:
    finish(tmp_path / "eval" / "modalities" / "audio", {})
    (tmp_path / "eval" / "modalities" / "audio" / MANIFEST).rename(tmp_path / "aside")
    with Run(tmp_path / "outer", "build", {}):
        finish(tmp_path / "outer" / "inner", {})
        (tmp_path / "outer" / "own").write_text("x")
    manifest = read_manifest(tmp_path / "outer")
    assert manifest is not None and list(manifest["files"]) == ["own"]


def test_up_to_64_mib_every_byte_counts_and_beyond_the_first_and_last_one(tmp_path: Path) -> None:
    def mark(size: int, *changed: int) -> str:
        with (tmp_path / "weights").open("wb") as stream:
            stream.truncate(size)
            for place in changed:
                stream.seek(place)
                stream.write(b"x")
        return contents(tmp_path, ["*"])["weights"]

    mib = 2**20
    whole, large = 64 * mib, 64 * mib + 1
    assert mark(whole, 32 * mib) != mark(whole)
    unchanged = mark(large)
    assert mark(large, mib) == unchanged == mark(large, large - mib - 1)
    assert unchanged not in (mark(large, mib - 1), mark(large, large - mib))


def test_a_large_file_is_known_by_its_size_and_both_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affectllm.run._READ_WHOLE", 10)
    monkeypatch.setattr("affectllm.run._END", 4)
    for place, whole in ((0, False), (10, True), (19, False)):
        folder = tmp_path / str(place)
        finish(folder, {})
        (folder / "data").write_bytes(b"a" * 20)
        with Run(folder, "build", {"again": 1}):
            (folder / "data").write_bytes(b"a" * 20)
        changed = bytearray(b"a" * 20)
        changed[place] = 98
        (folder / "data").write_bytes(changed)
        with Run(folder, "build", {"again": 1}) as run:
            assert run.done is whole


_WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from affectllm.run import Run
if not os.getuid():
    os.setuid(65534)  # root may write anywhere
with Run(Path(sys.argv[1]), "build", {"seed": int(sys.argv[2])}) as run:
    print(run.done)
"""


def test_a_finished_run_in_a_read_only_folder_is_skipped_and_another_is_explained() -> None:
    with tempfile.TemporaryDirectory() as place:  # others may look into it
        Path(place).chmod(0o755)
        folder = Path(place) / "run"
        finish(folder, {"seed": 1}, rows=1)
        folder.chmod(0o555)

        def start(seed: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-c", _WITHOUT_RIGHTS, str(folder), seed]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        assert start("1").stdout == "True\n"
        assert "could not write: Permission denied" in start("2").stderr
        folder.chmod(0o755)


def test_a_stage_that_did_not_finish_is_not_read(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path / "run")], check=False)
    with pytest.raises(Malformed, match="this build did not finish"):
        refuse_partial(tmp_path / "run")
    finish(tmp_path / "whole", {"seed": 1})
    refuse_partial(tmp_path / "whole")
    refuse_partial(tmp_path / "of_somebody_else")


def test_the_cache_lies_where_the_variable_says_else_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("AFFECTLLM_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "affectllm"


@pytest.mark.parametrize("seed", range(4))
def test_other_inputs_start_over_whichever_digest_is_the_larger(tmp_path: Path, seed: int) -> None:
    finish(tmp_path / "run", {"seed": seed})
    with Run(tmp_path / "run", "build", {"seed": seed + 1}) as other:
        assert not other.done and not other.resuming and not (other.folder / "data").exists()


@pytest.mark.parametrize("stage", ["a_stage_before_build", "train"])
def test_the_manifest_of_another_stage_is_refused(tmp_path: Path, stage: str) -> None:
    finish(tmp_path / "run", {"seed": 1})
    with pytest.raises(AffectError, match=f"is no {stage} run"):
        require(tmp_path / "run", stage)


@pytest.mark.parametrize("stage", ["a_stage_before_build", "train"])
def test_a_folder_of_another_stage_is_not_started_over(tmp_path: Path, stage: str) -> None:
    finish(tmp_path / "run", {"seed": 1})
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()}
    with pytest.raises(Malformed, match="another stage, build"), Run(tmp_path / "run", stage, {"seed": 1}):
        pass
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()} == before


def test_a_manifest_says_how_many_seconds_its_stage_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path / "run", "build", {})
    with run:
        started = run._started
        monkeypatch.setattr("affectllm.run.time.time", lambda: started + 90.5)
    manifest = read_manifest(tmp_path / "run")
    assert manifest is not None and manifest["seconds"] == 90.5


def test_starting_over_clears_folders_and_leaves_what_links_point_at(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("of somebody else")
    with Run(tmp_path / "run", "build", {"seed": 1}) as run:
        (run.folder / "parts" / "deep").mkdir(parents=True)
        (run.folder / "parts" / "deep" / "file").write_text("made")
        (run.folder / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with Run(tmp_path / "run", "build", {"seed": 2}) as again:
        assert not (again.folder / "parts").exists() and not (again.folder / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "kept").read_text() == "of somebody else"


_KILLED_AT_FIRST_REMOVAL = """
import os, signal, sys
from pathlib import Path
from affectllm.run import Run
def die(event, arguments):
    if event == "os.remove" and os.path.basename(os.fsdecode(arguments[0])) == "data":
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
with Run(Path(sys.argv[1]), "build", {"seed": 1}) as run:
    pass
"""


def test_a_damaged_stage_is_unfinished_before_its_files_go(tmp_path: Path) -> None:
    finish(tmp_path / "run", {"seed": 1})
    (tmp_path / "run" / "data").write_text("changed by somebody")
    done = subprocess.run([sys.executable, "-c", _KILLED_AT_FIRST_REMOVAL, str(tmp_path / "run")], check=False)
    manifest = read_manifest(tmp_path / "run")
    assert done.returncode == -signal.SIGKILL and manifest is not None and not manifest["finished"]


def test_a_package_that_is_absent_leaves_the_versions_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affectllm.run._PACKAGES", ("no_such_package_anywhere", "numpy"))
    assert set(versions()) == {"python", "numpy"}
