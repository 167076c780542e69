"""Samples shared among tasks: the builder's own, in its order, built once for one state of the files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import affectllm
from affectllm.corpus import SPLITS, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.files.links import VARIABLE
from affectllm.corpus.shared_samples import samples_of, shared_samples
from affectllm.errors import Malformed, WriteFailed

BUILDER = '''"""Words, a line each; the release has splits in turn, and a line that is none."""
from affectllm.corpus import CorpusCard, Rejection, Sample

CARD = CorpusCard(
    name="words", title="Words", citation="Nobody (2026)", url="", licence="CC0-1.0", obtain="write it",
    languages=("en",), modalities=("text",), split_policy="by line", spaces=(), raters={}, counts={}, notes="made up",
    access="open", redistribution=True, commercial=True,
)


MINIATURE = {"words.txt": "a"}


def samples(root):
    with (root.parent / "read").open("a") as log:
        log.write("x")
    for number, line in enumerate((root / "words.txt").read_text().splitlines()):
        if line == "broken":
            raise_it(line, number)
        if line == "locked":
            raise PermissionError(13, "Permission denied", "words.txt")
        if line == "bad":
            yield Rejection(f"words.txt:{number}", "bad_row", f"words.txt:{number}")
        else:
            split = ("test", "train", "test", "validation")[number % 4]
            yield Sample(str(number), "words", split, annotations=(), source=f"words.txt:{number}", text=line)


def raise_it(line, number):
    from affectllm.errors import Malformed
    raise Malformed("cannot be read", where=f"words.txt:{number}")
'''


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seven lines, one of them no word, in a folder of one's own with its builder."""
    own = tmp_path / "own"
    (own / "data_builders").mkdir(parents=True)
    (own / "data_builders" / "words.py").write_text(BUILDER)
    monkeypatch.setenv("AFFECTLLM_PATH", str(own))
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "words"
    root.mkdir()
    (root / "words.txt").write_text("a\nb\nbad\nc\nd\ne\nf\n")
    return root


def shared(root: Path, split: str | None = None) -> list[Sample | Rejection]:
    with shared_samples():
        return list(samples_of("words", root, split))


def printing(root: Path) -> list[str]:
    """A command that prints the texts of all samples."""
    lines = (
        "from pathlib import Path",
        "from affectllm.corpus.shared_samples import samples_of, shared_samples",
        "with shared_samples():",
        f"    items = list(samples_of('words', Path({str(root)!r})))",
        "print(*[item.text for item in items if hasattr(item, 'text')])",
    )
    return [sys.executable, "-P", "-c", "\n".join(lines)]  # not what lies in the working directory


def reads(root: Path) -> int:
    return len((root.parent / "read").read_text())


def states(root: Path) -> list[Path]:
    return list((root.parent / "cache" / "samples" / "words").iterdir())


def test_they_come_in_the_builders_order_and_are_built_once(root: Path) -> None:
    every = list(load_builder("words").samples(root))
    before = reads(root)
    assert shared(root) == every and [item.id for item in every if isinstance(item, Sample)] == list("013456")
    for split in SPLITS:
        of_it = [item for item in every if isinstance(item, Rejection) or item.split == split]
        assert shared(root, split) == of_it
    assert reads(root) == before + 1
    assert list(samples_of("words", root, "test")) == every  # of nobody else
    assert reads(root) == before + 2


def test_files_that_changed_are_read_again(root: Path) -> None:
    shared(root)
    with (root / "words.txt").open("a") as lines:
        lines.write("more\n")
    assert [item.text for item in shared(root, "validation") if isinstance(item, Sample)] == ["c", "more"]
    assert len(states(root)) == 2


def test_a_builder_that_changed_reads_again(root: Path) -> None:
    shared(root)
    page = root.parent / "own" / "data_builders" / "words.py"
    page.write_text(BUILDER.replace("text=line", "text=line.upper()"))
    assert subprocess.check_output(printing(root), text=True).split() == ["A", "B", "C", "D", "E", "F"]


def test_another_version_of_ours_reads_again(root: Path, tmp_path: Path) -> None:
    shared(root)
    copy = tmp_path / "upgraded" / "affectllm"
    shutil.copytree(Path(affectllm.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "corpus" / "sample.py").open("a") as code:
        code.write("# reads otherwise\n")
    environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
    before = reads(root)
    for _ in range(2):
        subprocess.check_call(printing(root), env=environment, stdout=subprocess.DEVNULL)
    assert reads(root) == before + 1


def test_links_that_may_be_followed_now_are_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared(root)
    (root / "again").symlink_to(root.parent / "own")
    assert len(states(root)) == 1
    shared(root)
    monkeypatch.setenv(VARIABLE, str(root.parent / "own"))
    before = reads(root)
    shared(root)
    shared(root)
    assert reads(root) == before + 1


def test_a_second_name_of_a_folder_is_seen(root: Path) -> None:
    (root / "wav").mkdir()
    (root / "wav" / "a.wav").write_bytes(b"")
    shared(root)
    (root / "wavs").symlink_to("wav")  # the folder that the builder looks for
    before = reads(root)
    shared(root)
    assert reads(root) == before + 1


def test_an_error_of_the_builder_is_the_users_and_leaves_nothing(root: Path) -> None:
    (root / "words.txt").write_text("a\nbroken\n")
    with pytest.raises(Malformed, match=r"words\.txt:1: cannot be read"):
        shared(root)
    assert states(root) == []
    (root / "words.txt").write_text("a\nbetter\n")
    assert len(shared(root)) == 2


def test_a_file_of_the_corpus_that_cannot_be_read_is_not_told_as_a_cache_that_cannot_be_written(root: Path) -> None:
    (root / "words.txt").write_text("a\nlocked\n")
    with pytest.raises(Malformed, match="Permission denied"):
        shared(root)
    assert states(root) == []


def test_several_processes_at_once_end_with_one_copy(root: Path) -> None:
    running = [subprocess.Popen(printing(root), stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0].split() for process in running] == [list("abcdef")] * 3
    assert [place.name.startswith(".") for place in states(root)] == [False]


def test_what_a_killed_process_left_and_nobody_asks_for_goes(root: Path) -> None:
    folder = root.parent / "cache" / "samples" / "words"
    old, young = folder / ".0123-abc", folder / "89ab"
    for place in (old, young):
        place.mkdir(parents=True)
    os.utime(old, (long_ago := time.time() - 31 * 24 * 3600, long_ago))
    shared(root)
    assert not old.exists() and young.exists()


def test_a_cache_that_cannot_be_written_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTLLM_CACHE", str(root / "words.txt"))
    with pytest.raises(WriteFailed, match=r"words\.txt"):
        shared(root)


def test_a_copy_that_was_removed_meanwhile_is_made_again(root: Path) -> None:
    with shared_samples():
        before = list(samples_of("words", root))
        shutil.rmtree(root.parent / "cache")
        assert list(samples_of("words", root)) == before
