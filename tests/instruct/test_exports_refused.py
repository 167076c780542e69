"""What an export explains before or while it writes: folders, words, columns that are filled late, a full disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets import load_dataset
from exporting import row, write_rows

from affectllm.commands.export import export
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, Malformed, NotFound, WriteFailed
from affectllm.instruct.exports.lines import Lines


def test_a_folder_without_conversations_is_explained(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="affectllm build"):
        export(tmp_path, "trl", tmp_path / "out", Roots(), "link")
    write_rows(tmp_path, [row("words", "Say it.", " Again.")], "strange name.x.parquet")
    with pytest.raises(Malformed, match="neither"):
        export(tmp_path, "trl", tmp_path / "out", Roots(), "link")


@pytest.mark.parametrize(
    ("to", "media", "match"), [("nothing", "link", "there is no format"), ("trl", "move", "link, copy")]
)
def test_unknown_words_name_the_known_ones(tmp_path: Path, to: str, media: str, match: str) -> None:
    with pytest.raises(AffectError, match=match):
        export(tmp_path, to, tmp_path / "out", Roots(), media)


def test_a_column_that_is_filled_late_has_its_type_from_the_top(tmp_path: Path) -> None:
    """With the rows in their own order the loader gives the column no type and fails at the first clip."""
    for filled, count in ((("images",), 801), ((), 0)):
        path = tmp_path / f"{count}.jsonl"
        with Lines(path, filled) as lines:
            for number in range(800):
                lines.write({"id": str(number), "images": []})
            lines.write({"id": "last", "images": ["face.png"]}, ["images"])
        options = {"data_files": str(path), "split": "train", "chunksize": 4_000, "cache_dir": str(tmp_path / "cache")}
        if count:
            rows = load_dataset("json", **options)
            assert len(rows) == count and rows[0] == {"id": "last", "images": ["face.png"]}
            assert rows[1]["id"] == "0" and rows[800]["id"] == "799"
        else:
            with pytest.raises(Exception, match="generating the dataset"):
                load_dataset("json", **options)


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailed, match=r"file.x\.jsonl"), Lines(tmp_path / "file" / "x.jsonl"):
        pass
