"""Builds in shards: the same bytes from any number of workers, from datatrove's executor, and after a kill."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from affectllm.cli import main
from affectllm.corpus import Rejection, Sample, shards
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.store import read_rows
from affectllm.errors import AffectError, Malformed


@pytest.fixture
def comments(tmp_path: Path) -> Path:
    """A corpus in GoEmotions' layout that is large enough for several shards, with rows that are rejected."""
    root = materialise(load_builder("goemotions").MINIATURE, tmp_path / "corpus")
    rows = [f"Comment number {n}, “indeed”.\t{n % 28}\tid{n}" if n % 50 else "no tab" for n in range(2_300)]
    (root / "train.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 500)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def by_ranks(root: Path, out: Path, world: int) -> dict:
    totals = {shards.build_rank("goemotions", root, out, rank, world) for rank in reversed(range(world))}
    return shards.merge("goemotions", out, totals.pop())


def test_any_number_of_workers_writes_the_same_bytes(comments, small, tmp_path) -> None:
    counts = shards.build("goemotions", comments, tmp_path / "one")
    items = list(load_builder("goemotions").samples(comments))
    assert sum(counts["samples"].values()) == sum(isinstance(item, Sample) for item in items)
    assert sum(counts["rejected"].values()) == sum(isinstance(item, Rejection) for item in items)
    for world in (2, 3, 7):
        assert by_ranks(comments, tmp_path / str(world), world) == counts
        assert digests(tmp_path / str(world)) == digests(tmp_path / "one")
    ids = [row["id"] for row in read_rows(tmp_path / "one" / "samples" / "goemotions" / "train.parquet")]
    assert ids == [item.id for item in items if isinstance(item, Sample) and item.split == "train"]


def test_finished_shards_are_not_written_again_and_halves_are(comments, small, tmp_path) -> None:
    out = tmp_path / "out"
    total = shards.build_rank("goemotions", comments, out)
    places = sorted((out / shards.SHARDS).iterdir())
    assert len(places) == total == 5
    written = {place.name: place.stat().st_mtime_ns for place in places}
    shutil.rmtree(places[2])
    half = out / shards.SHARDS / ".00002.part"
    half.mkdir()
    (half / "train.parquet").write_bytes(b"cut off")
    with pytest.raises(AffectError, match="1 of 5 shards are missing, such as 00002"):
        shards.merge("goemotions", out, total)
    shards.build_rank("goemotions", comments, out)
    again = {place.name: place.stat().st_mtime_ns for place in sorted((out / shards.SHARDS).iterdir())}
    assert {name for name in written if written[name] != again[name]} == {"00002"}
    shards.merge("goemotions", out, total)
    shards.build("goemotions", comments, tmp_path / "whole")
    assert digests(out) == digests(tmp_path / "whole")


def test_no_workers_build_nothing() -> None:
    with pytest.raises(Malformed, match="0 workers"), shards.pool(0):
        pass


@pytest.mark.slow
def test_a_pool_of_processes_and_the_command(comments, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for workers in ("1", "3"):
        words = ["--root", f"goemotions={comments}", "--out", f"out{workers}", "--workers", workers]
        assert main(["build", "goemotions", *words]) == 0
    assert digests(tmp_path / "out1") == digests(tmp_path / "out3") and digests(tmp_path / "out1")


def test_no_more_processes_are_started_than_there_are_cores(
    comments: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    monkeypatch.setattr(shards, "ProcessPoolExecutor", lambda *_, **__: pytest.fail("a process was started"))
    words = ["--root", f"goemotions={comments}", "--out", str(tmp_path / "out"), "--workers", "8"]
    assert main(["build", "goemotions", *words]) == 0
    assert "1 process in place of 8: there are no more cores to use" in capsys.readouterr().out
    shards.build("goemotions", comments, tmp_path / "alone")
    assert digests(tmp_path / "out" / "goemotions") == digests(tmp_path / "alone")


@pytest.mark.slow
def test_datatrove_builds_the_same_bytes(comments, small, tmp_path) -> None:
    local = pytest.importorskip("datatrove.executor").LocalPipelineExecutor
    from affectllm.corpus.datatrove_steps import BuildShards, MergeShards

    out, logs = tmp_path / "out", tmp_path / "logs"
    first = local([BuildShards("goemotions", comments, out)], tasks=3, workers=1, logging_dir=str(logs / "shards"))
    local([MergeShards("goemotions", out)], tasks=1, logging_dir=str(logs / "merge"), depends=first).run()
    shards.build("goemotions", comments, tmp_path / "one")
    assert digests(out) == digests(tmp_path / "one")


def test_merging_again_after_a_kill_keeps_what_was_merged(comments: Path, tmp_path: Path) -> None:
    """A scheduler starts a task again whose end it has not seen; the shards may be gone by then."""
    pytest.importorskip("datatrove")
    from affectllm.corpus.datatrove_steps import BuildShards, MergeShards

    merging, out = MergeShards("goemotions", tmp_path / "out"), tmp_path / "out"
    with pytest.raises(AffectError, match="no shards"):
        list(merging.run(None))
    list(BuildShards("goemotions", comments, out).run(None))
    total = (out / ".total").read_text()
    list(merging.run(None))
    merged = digests(out)
    assert read_rows(out / "samples" / "goemotions" / "train.parquet")
    (out / ".total").write_text(total)  # killed before this file went
    for _ in range(2):
        list(merging.run(None))
        assert digests(out) == merged


def test_a_corpus_of_which_nothing_is_there_has_its_empty_files(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(load_builder("goemotions"), "samples", lambda root: iter(()))
    assert by_ranks(tmp_path, tmp_path / "out", 3)["samples"] == {"train": 0, "validation": 0, "test": 0}
    assert len(list((tmp_path / "out" / "samples" / "goemotions").iterdir())) == 3


_BUILD = """
import sys
from pathlib import Path
from affectllm.corpus import shards
shards.ROWS_PER_SHARD = 2_000
shards.build("goemotions", Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_build_goes_on_to_the_same_bytes(tmp_path) -> None:
    root = materialise(load_builder("goemotions").MINIATURE, tmp_path / "corpus")
    rows = "".join(f"Comment number {n}.\t{n % 28}\tid{n}\n" for n in range(120_000))
    (root / "train.tsv").write_text(rows, encoding="utf-8")
    command = [sys.executable, "-c", _BUILD, str(root)]
    process = subprocess.Popen([*command, str(tmp_path / "killed")], stderr=subprocess.DEVNULL)
    finished = tmp_path / "killed" / shards.SHARDS / "00003"
    until = time.monotonic() + 60
    while not finished.is_dir() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert finished.is_dir() and not (tmp_path / "killed" / shards.REJECTED).exists(), "it was killed in the middle"
    modified = finished.stat().st_mtime_ns
    subprocess.run([*command, str(tmp_path / "killed")], check=True, capture_output=True)
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    assert modified and digests(tmp_path / "killed") == digests(tmp_path / "whole")


def test_a_build_of_a_corpus_loads_no_torch(comments: Path, tmp_path: Path) -> None:
    code = "import sys; from affectllm.cli import main; main(); print({'torch', 'datasets'} & set(sys.modules))"
    words = ["build", "goemotions", "--root", f"goemotions={comments}", "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_build_leaves_the_garbage_collector_as_it_was(comments: Path, small: None, tmp_path: Path) -> None:
    before, during = gc.get_threshold(), set()
    items = list(load_builder("goemotions").samples(comments))

    def watched(root: Path):
        for item in items:
            during.add(gc.get_threshold()[0])
            yield item

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load_builder("goemotions"), "samples", watched)
        shards.build("goemotions", comments, tmp_path / "out")
    assert max(during) == shards.OBJECTS_PER_COLLECTION and gc.get_threshold() == before
