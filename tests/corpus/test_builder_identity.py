"""Samples are stale when a line of code that made them has changed: the builder's, or that of a helper beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm import registry
from affectllm.cli import main
from affectllm.corpus.builder import code_of
from affectllm.corpus.identity import identity
from affectllm.corpus.store import read_rows

_HELPER = "def shout(text):\n    return text.upper()\n"
_BUILDER = '''"""Uses a helper that lies beside it."""
from affectllm.corpus import CorpusCard, Sample
from affectllm.data_builders{dotted} import {name}
from affectllm.labels import Annotation, LabelSpace

SPACE = LabelSpace("mine_2", "category", ("joy", "anger"), source="made up")
CARD = CorpusCard(
    name="mine", title="Mine", citation="nobody", url="", obtain="made by the test", licence="CC0-1.0", access="open",
    redistribution=True, commercial=True, languages=("en",), modalities=("text",), spaces=(SPACE,),
    raters={{"me": "me"}}, counts={{"train": 1}}, split_policy="none",
)
MINIATURE = {{"a.txt": "hello"}}


def samples(root):
    text = (root / "a.txt").read_text()
    yield Sample(id="a", corpus="mine", split="train", annotations=(Annotation("mine_2", "me", "joy"),),
                 source="a.txt", text={call}(text))
'''


@pytest.mark.parametrize(("dotted", "name", "call"), [("", "_loud", "_loud.shout"), ("._loud", "shout", "shout")])
def test_an_edited_helper_makes_samples_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dotted: str, name: str, call: str
) -> None:
    folder = tmp_path / "local" / "data_builders"
    folder.mkdir(parents=True)
    monkeypatch.setenv("AFFECTLLM_PATH", str(folder.parent))
    (folder / "_loud.py").write_text(_HELPER)
    (folder / "mine.py").write_text(_BUILDER.format(dotted=dotted, name=name, call=call))
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_text("hello")
    words = ["build", "mine", "--root", f"mine={root}", "--out", str(tmp_path / "out")]
    assert set(code_of("mine")) == {"mine.py", "_loud.py"}

    def built_text() -> str:
        import sys

        import affectllm.data_builders as shelf

        for module in ("mine", "_loud"):
            sys.modules.pop(f"affectllm.data_builders.{module}", None)
        vars(shelf).pop("_loud", None)
        assert main(words) == 0
        (row,) = read_rows(tmp_path / "out" / "mine" / "samples" / "mine" / "train.parquet")
        return str(row["text"])

    assert built_text() == "HELLO"
    # Of another size: Python takes the bytecode of a file of the same size and second for its own.
    (folder / "_loud.py").write_text(_HELPER.replace("upper", "capitalize"))
    assert built_text() == "Hello"


def test_helpers_of_helpers_count_and_those_of_others_do_not() -> None:
    helpers = {"video/_cmu_csd.py", "video/_cmu_raw.py", "video/_mmsa.py"}
    assert set(code_of("cmu_mosi")) == {"video/cmu_mosi.py", *helpers}
    assert set(code_of("emodb")) == {"speech/emodb.py"}
    for section, names in registry.sections("data_builders").items():
        assert section and all(f"{section}/{name}.py" in code_of(name) for name in names)


def test_files_behind_a_linked_folder_belong_to_the_corpus(tmp_path: Path) -> None:
    disk, root = tmp_path / "disk", tmp_path / "emodb"
    disk.mkdir()
    root.mkdir()
    (root / "wav").symlink_to(disk)
    (root / "again").symlink_to(root)  # a link to where it lies does not go round for ever
    before = identity("emodb", root)
    (disk / "03a01Fa.wav").write_bytes(b"RIFF")
    after = identity("emodb", root)
    assert after["files"] != before["files"] and after["count"] == before["count"] + 1
