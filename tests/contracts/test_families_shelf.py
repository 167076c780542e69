"""The shelf of model families itself: files found by name, listed for nothing, and named nowhere else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from family_clips import NAMES

import affectllm
from affectllm import registry
from affectllm.cli import main
from affectllm.errors import Malformed, NotFound
from affectllm.model.family import families, family_of, find_family
from affectllm.report.terminal import lists

PACKAGE = Path(affectllm.__file__).parent
OF_ALL = {"AutoTokenizer"}


def test_no_other_file_names_a_family_or_its_classes() -> None:
    words = {word for family in families().values() for word in (family.model_class, family.processor_class)} - OF_ALL
    names = {name for family in families().values() for name in (family.name, *family.model_types)}
    named = re.compile(rf"\b(?:{'|'.join(sorted(words))})\b|[\"'`:](?:{'|'.join(sorted(names))})[\"'`]")
    offending = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        # The composites are an architecture of our own, as those of others lie in transformers.
        if not {"families", "composite"} & {*path.relative_to(PACKAGE).parts}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert not offending, "\n".join(offending)


def test_listing_them_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from affectllm.model.family import families\n"
        "assert len(families()) > 10\n"
        "print([name for name in ('torch', 'transformers', 'numpy', 'peft', 'av') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_says_all_that_its_clips_need(name: str) -> None:
    family = find_family(name)
    clips = family.modalities - {"text"}
    assert set(family.marks) == set(family.placeholders) == clips
    assert all(family.marks[part].count(token) == 1 for part, token in family.placeholders.items())
    assert set(family.targets) == set(family.towers) and "language" in family.towers
    assert not family.sound or {"video", "audio"} <= clips
    template = family.chat_template()
    assert "{% generation %}" in template and not re.search("@[A-Z]+@", template)


FILE = '''
"""A family of one's own."""
from affectllm.model.family import find_family
import dataclasses
FAMILY = dataclasses.replace(find_family("qwen2"), system="Be kind.")
tiny = FAMILY.tiny
'''


def test_a_folder_of_ones_own_may_hold_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "mine.py").write_text(FILE)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    assert "mine" in registry.names("families") and find_family("mine").name == "mine"
    assert "Be kind." in find_family("mine").chat_template()
    (tmp_path / "families" / "broken.py").write_text("FAMILY = 1 / 0")
    with pytest.raises(Malformed, match="ZeroDivisionError") as caught:
        find_family("broken")
    assert str(caught.value.where).endswith("broken.py:1")
    (tmp_path / "families" / "broken.py").write_text("x = 1")
    with pytest.raises(Malformed, match="holds FAMILY and tiny"):
        find_family("broken")


def test_one_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="there is no family called 'qwen3_omi'") as caught:
        find_family("qwen3_omi")
    assert "qwen3_omni" in caught.value.do


@pytest.mark.parametrize(
    "words", [["ls", "families"], ["ls", "backbones"], ["show", "gemma4"], ["show", "family", "gemma4"]]
)
def test_the_command_line_shows_them_under_either_word(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert "Gemma4ForConditionalGeneration" in capsys.readouterr().out


def test_a_broken_file_stops_no_other_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be the one that is wanted only where no other reads the checkpoint; lists name it."""
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "broken_one.py").write_text("FAMILY = 'x'\n", encoding="utf-8")
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    family = family_of("qwen2")
    assert family is not None and family.name == "qwen2"
    with pytest.raises(Malformed, match="holds FAMILY"):
        family_of("of_nobody")
    rows = {row[0]: row for row in lists._families()}
    assert rows["broken_one"][1].startswith("BROKEN") and rows["qwen2"][3] == "Qwen2ForCausalLM"
