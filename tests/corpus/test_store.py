"""The Parquet store: what is written comes back, in constant memory, and a full disk leaves nothing half-written."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectllm.corpus import MediaRef, Sample, Turn
from affectllm.corpus.store import ROWS_PER_GROUP, Writer, read_rows, sample_features, sample_schema
from affectllm.errors import WriteFailed
from affectllm.instruct.conversations import conversation_features
from affectllm.labels import Annotation

_WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
_SECONDS = st.none() | st.floats(0, 1e4)
_MEDIA = st.builds(MediaRef, _WORDS, st.sampled_from(["video", "audio", "image"]), st.booleans(), _SECONDS, _SECONDS)
_VALUES = st.one_of(
    _WORDS,
    st.lists(_WORDS, max_size=3).map(tuple),
    st.dictionaries(_WORDS, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)
_SAMPLES = st.builds(
    Sample,
    id=_WORDS,
    corpus=_WORDS,
    split=st.sampled_from(["train", "validation", "test"]),
    annotations=st.lists(st.builds(Annotation, _WORDS, _WORDS, _VALUES), max_size=3).map(tuple),
    source=_WORDS,
    text=st.none() | _WORDS,
    language=st.none() | _WORDS,
    speaker=st.none() | _WORDS,
    dialogue=st.none() | _WORDS,
    context=st.lists(st.builds(Turn, _WORDS, _WORDS), max_size=2).map(tuple),
    media=st.lists(_MEDIA, max_size=2).map(tuple),
    attributes=st.dictionaries(_WORDS, _WORDS, max_size=2),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_SAMPLES, max_size=6))
def test_samples_come_back_as_they_went_in(tmp_path: Path, samples: list[Sample]) -> None:
    with Writer(tmp_path / "x.parquet", sample_features()) as writer:
        for sample in samples:
            writer.write(sample.to_json())
    assert [Sample.from_json(row) for row in read_rows(tmp_path / "x.parquet")] == samples


def opened(path: Path, folder: Path) -> list[dict[str, Any]]:
    from datasets import load_dataset

    return list(load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(folder)))


def conversation(number: int, parts: list[dict[str, Any]], value: object) -> dict[str, Any]:
    texts = ("id", "sample", "corpus", "split", "template", "language", "answer", "space", "rater")
    answer = {"role": "assistant", "content": [{"type": "text", "text": "anger"}]}
    return {
        **dict.fromkeys(texts, f"x{number}"),
        "speaker": None,
        "dialogue": None,
        "paraphrase": number,
        "stage": 0,
        "messages": [{"role": "user", "content": parts}, answer],
        "asked_by": {"page": "t", "version": 1, "slots": {"answer": ["s", "r", []]}},
        "value": value,
    }


def test_datasets_opens_it_and_absent_keys_stay_absent(tmp_path: Path) -> None:
    """One part has a span, the next has none: as plain structs every part would get every key, with None in it."""
    text = {"type": "text", "text": "Which emotion? “ß” 🙂"}
    rows = [
        conversation(0, [{"type": "video", "corpus": "c", "path": "a.mp4", "sound": True, "end": 2.5}, text], "anger"),
        conversation(1, [{"type": "audio", "corpus": "c", "path": "b.wav", "start": 1.0}, text], ["joy", "love"]),
        conversation(2, [text], []),
        conversation(3, [text], None),
    ]
    with Writer(tmp_path / "talks.parquet", conversation_features()) as writer:
        for row in rows:
            writer.write(row)
    assert opened(tmp_path / "talks.parquet", tmp_path / "cache") == rows
    assert list(read_rows(tmp_path / "talks.parquet")) == rows


def test_samples_open_in_datasets_too(tmp_path: Path) -> None:
    sample = Sample(
        "1",
        "c",
        "train",
        (Annotation("s", "crowd", {"anger": 3}), Annotation("s", "actor", "joy")),
        "f:1",
        media=(MediaRef("a.wav", "audio"), MediaRef("b.mp4", "video", sound=True, start=0.0)),
    )
    with Writer(tmp_path / "x.parquet", sample_features()) as writer:
        writer.write(sample.to_json())
    (row,) = opened(tmp_path / "x.parquet", tmp_path / "cache")
    assert row["media"] == [
        {"path": "a.wav", "modality": "audio"},
        {"path": "b.mp4", "modality": "video", "sound": True, "start": 0.0},
    ]
    assert Sample.from_json(row) == sample


def test_several_row_groups_keep_the_order(tmp_path: Path) -> None:
    count = ROWS_PER_GROUP * 2 + 7
    with Writer(tmp_path / "x.parquet", sample_features()) as writer:
        for number in range(count):
            writer.write(Sample(str(number), "c", "train", (), "f").to_json())
    assert writer.rows == count
    assert [row["id"] for row in read_rows(tmp_path / "x.parquet")] == [str(number) for number in range(count)]


def test_the_schema_is_that_of_datasets_and_comes_without_it(tmp_path: Path) -> None:
    theirs, ours = sample_features().arrow_schema, sample_schema()
    assert ours.equals(theirs, check_metadata=True) and ours.metadata == theirs.metadata
    for name, features in (("one", sample_features()), ("two", sample_schema())):
        with Writer(tmp_path / name, features) as writer:
            writer.write(Sample("1", "c", "train", (Annotation("s", "r", "joy"),), "f").to_json())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


_SCRIPTS = str(Path(__file__).parents[2] / "scripts")
_MEASURED = """
import sys
sys.path.append(sys.argv[2])
from pathlib import Path
from affectllm.corpus import Sample
from affectllm.corpus.store import Writer, read_rows, sample_features
from metering import own_peak
def rows(count):
    for n in range(count):
        yield Sample(str(n), "c", "train", (), "f", text=f"{n} " * 200).to_json()
folder, peaks = Path(sys.argv[1]), []
for count in (4_000, 4_000, 32_000):  # the allocator keeps what the first pass took
    with Writer(folder / "x.parquet", sample_features()) as writer:
        for row in rows(count):
            writer.write(row)
    seen = sum(1 for _ in read_rows(folder / "x.parquet"))
    assert seen == count
    peaks.append(int(own_peak()))
print(*peaks)
"""


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    """Thirty-two thousand rows of more than a kilobyte take no more than four thousand do."""
    command = [sys.executable, "-c", _MEASURED, str(tmp_path), _SCRIPTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    _, small, large = map(int, done.stdout.split())
    assert large - small < 20, f"peak grew from {small} to {large} MiB"


def some_rows(count: int) -> Iterator[dict[str, Any]]:
    return (Sample(str(n), "c", "train", (), "f", text=os.urandom(200).hex()).to_json() for n in range(count))


def write_all(path: Path, count: int) -> None:
    with Writer(path, sample_features()) as writer:
        for row in some_rows(count):
            writer.write(row)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    (tmp_path / ".x.parquet.part").symlink_to("/dev/full")  # every write answers: no space left on device
    with pytest.raises(WriteFailed, match="No space left on device") as caught:
        write_all(path, 1)
    assert str(path) in str(caught.value) and "free some space" in caught.value.do
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("bytes_left", "rows"), [(100_000, 6000), (10, 1)], ids=["while writing", "at the end"])
def test_a_full_disk_keeps_the_file_of_an_earlier_build(tmp_path: Path, bytes_left: int, rows: int) -> None:
    write_all(tmp_path / "x.parquet", 1)
    before = (tmp_path / "x.parquet").read_bytes()
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_left}, {bytes_left}))\n"
    code = limited + "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
    code += "from test_store import write_all; write_all(Path(sys.argv[1]), int(sys.argv[3]))"
    command = [sys.executable, "-c", code, str(tmp_path / "x.parquet"), str(Path(__file__).parent), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode and "WriteFailed" in done.stderr and "File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]
    assert (tmp_path / "x.parquet").read_bytes() == before


def test_a_folder_that_may_not_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteFailed) as caught:
        write_all(tmp_path / "file" / "x.parquet", 1)
    assert caught.value.where == str(tmp_path / "file" / "x.parquet")


def test_an_interrupted_write_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Writer(tmp_path / "x.parquet", sample_features()) as writer:
        writer.write(next(some_rows(1)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_json_columns_are_json_in_the_file(tmp_path: Path) -> None:
    """Other programs that read the file find JSON text, not Python."""
    import pyarrow.parquet as parquet

    write_all(tmp_path / "x.parquet", 1)
    stored = parquet.read_table(tmp_path / "x.parquet", columns=["attributes"]).column(0).cast("string").to_pylist()
    assert [json.loads(text) for text in stored] == [{}]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY  # the limit above was the child's
