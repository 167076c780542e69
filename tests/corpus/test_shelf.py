"""The shelf of builders: sections, helpers beside their users, folders of one's own, and what identity covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm import registry
from affectllm.cli import main
from affectllm.corpus import Sample
from affectllm.corpus.builder import code_of, load_builder
from affectllm.errors import Malformed

_BUILDER = '''"""A corpus of one sentence, said as a helper says it."""
{imports}
from affectllm.corpus import CorpusCard, Sample
from affectllm.labels import Annotation, LabelSpace

SPACE = LabelSpace("mood_2", "category", ("joy", "anger"), source="made up")
CARD = CorpusCard(
    name="{name}", title="Mine", citation="nobody", url="", obtain="made by the test", licence="CC0-1.0",
    access="open", redistribution=True, commercial=True, languages=("en",), modalities=("text",), spaces=(SPACE,),
    raters={{"me": "me"}}, counts={{"train": 1}}, split_policy="none",
)
MINIATURE = {{"a.txt": "hello"}}


def samples(root):
    yield Sample(id="a", corpus="{name}", split="train", annotations=(Annotation("mood_2", "me", "joy"),),
                 source="a.txt", text=said("hello"))
'''
_LOUD = "def said(text):\n    return text.upper()\n"
_CALM = "def said(text):\n    return text.title()\n"


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of builders of one's own."""
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    return tmp_path / "data_builders"


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def builder(path: Path, imports: str) -> str:
    """Write a builder and return its name."""
    put(path, _BUILDER.format(imports=imports, name=path.stem))
    return path.stem


def words(name: str) -> str:
    (sample,) = load_builder(name).samples(Path("anywhere"))
    assert isinstance(sample, Sample)
    return sample.text


@pytest.mark.parametrize(
    ("section", "helper", "imports", "key"),
    [
        ("mine", "mine/_voice.py", "from affectllm.data_builders.mine._voice import said", "mine/_voice.py"),
        ("mine", "mine/_voice.py", "from ._voice import said", "mine/_voice.py"),
        ("mine", "mine/_voice.py", "from . import _voice\nsaid = _voice.said", "mine/_voice.py"),
        ("mine", "theirs/_voice.py", "from ..theirs._voice import said", "theirs/_voice.py"),
        ("mine/deep", "mine/_voice.py", "from .._voice import said", "mine/_voice.py"),
        ("mine", "theirs/_voice.py", "from affectllm.data_builders.theirs import _voice as v\nsaid = v.said", ""),
        ("mine", "_voice.py", "import affectllm.data_builders._voice as v\nsaid = v.said", "_voice.py"),
        ("", "_voice.py", "from ._voice import said", "_voice.py"),
        ("speech", "speech/_voice.py", "from ._voice import said", "speech/_voice.py"),  # a section that ships, too
        ("speech", "speech/_voice.py", "from affectllm.data_builders.speech._voice import said", "speech/_voice.py"),
        ("mine", "mine/__init__.py", "from affectllm.data_builders.mine import said", "mine/__init__.py"),
    ],
)
def test_helpers_are_imported_from_any_section_and_belong_to_the_identity(
    local: Path, section: str, helper: str, imports: str, key: str
) -> None:
    put(local / helper, _LOUD)
    name = builder(local / section / "sentence.py", imports)
    assert words(name) == "HELLO"
    before = code_of(name)
    below = f"{section}/sentence.py".lstrip("/")
    assert set(before) == {below, key or "theirs/_voice.py"}
    put(local / helper, _CALM)
    assert {file for file, digest in code_of(name).items() if digest != before[file]} == {key or "theirs/_voice.py"}


def test_two_helpers_of_one_name_are_two(local: Path) -> None:
    put(local / "one" / "_voice.py", _LOUD + "from affectllm.data_builders.two._voice import said as other\n")
    put(local / "two" / "_voice.py", _CALM)
    name = builder(local / "one" / "sentence.py", "from ._voice import said")
    assert set(code_of(name)) == {"one/sentence.py", "one/_voice.py", "two/_voice.py"}


def test_packages_on_the_way_count_where_they_do_anything(local: Path) -> None:
    put(local / "mine" / "__init__.py", '"""My section."""\n')
    put(local / "mine" / "_voice.py", _LOUD)
    name = builder(local / "mine" / "sentence.py", "from affectllm.data_builders.mine._voice import said")
    assert "mine/__init__.py" not in code_of(name)
    put(local / "mine" / "__init__.py", '"""My section."""\nimport this_or_that as nothing\n')
    assert "mine/__init__.py" in code_of(name)


def test_a_helper_of_another_folder_is_not_taken_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, helper, said in (("first", _LOUD, "HELLO"), ("second", _CALM, "Hello")):
        put(tmp_path / folder / "data_builders" / "mine" / "_voice.py", helper)
        name = builder(tmp_path / folder / "data_builders" / "mine" / "sentence.py", "from ._voice import said")
        monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / folder))
        assert words(name) == said


def test_a_helper_that_lies_in_two_folders_is_refused_with_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / folder / "data_builders" for folder in ("first", "second")]
    files = [put(place / "mine" / "_voice.py", _LOUD) for place in places]
    name = builder(places[1] / "mine" / "sentence.py", "from ._voice import said")
    monkeypatch.setenv("AFFECTLLM_PATH", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    with pytest.raises(Malformed) as caught:
        load_builder(name)
    assert all(str(file) in str(caught.value) for file in files)


@pytest.mark.parametrize("folder", ["my corpora", "v1.2", "2024"])
def test_folders_of_any_name_hold_builders(local: Path, folder: str) -> None:
    put(local / "_voice.py", _LOUD)
    name = builder(local / folder / "sentence.py", "from affectllm.data_builders._voice import said")
    assert words(name) == "HELLO"
    assert set(code_of(name)) == {f"{folder}/sentence.py", "_voice.py"}


@pytest.mark.parametrize(
    ("line", "now"),
    [
        ("from affectllm.data_builders.meld import SPACE as X", "affectllm.data_builders.dialogue.meld"),
        ("from affectllm.data_builders import crema_d", "affectllm.data_builders.speech.crema_d"),
        ("import affectllm.data_builders.emodb", "affectllm.data_builders.speech.emodb"),
        ("from affectllm.corpus.media_files import unusable", "affectllm.corpus.files.media_files"),
        ("from affectllm.corpus import suffixes", "affectllm.corpus.files.suffixes"),
        ("import affectllm.model.budget", "affectllm.model.clips.budget"),
    ],
)
def test_spellings_from_before_sections_are_answered_with_the_new_one(local: Path, line: str, now: str) -> None:
    path = local / "sentence.py"
    with pytest.raises(Malformed) as caught:
        load_builder(builder(path, f"{line}\nsaid = str"))
    assert caught.value.where == f"{path}:2" and now in caught.value.do


def test_your_own_data_is_described_as_before(local: Path) -> None:
    page = "name: mine\ntable: t.csv\nlanguage: en\nraters: {me: me}\ncolumns: {text: words}\n"
    page += "spaces: {mood: {kind: category, names: [calm, tense]}}\n"
    page += "labels: [{space: mood, rater: me, column: mood}]\n"
    put(local.parent / "own" / "affectllm.yaml", page)
    put(local.parent / "own" / "t.csv", "words,mood\nWell.,calm\n")
    code = "from affectllm.data_builders.generic import described\n"
    put(local / "mine.py", code + f"CARD, samples, MINIATURE = described({str(local.parent / 'own')!r})\n")
    assert load_builder("mine").CARD.name == "mine"
    assert {"mine.py", "generic/generic.py", "generic/_page.py"} <= set(code_of("mine"))


def test_ls_groups_corpora_by_section(local: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builder(local / "sentence.py", "said = str")
    builder(local / "mine" / "other.py", "said = str")
    assert main(["ls", "corpora"]) == 0
    lines = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert lines[:3] == ["corpora", "NAME", "sentence"]  # without a section
    groups: dict[str, list[str]] = {}
    for word in lines[3:]:
        if word.endswith("/"):
            groups[word.rstrip("/")] = group = []
        else:
            group.append(word)
    assert groups.pop("mine") == ["other"]
    assert groups == {name: names for name, names in registry.sections("data_builders").items() if name in groups}
    assert {"speech", "dialogue", "text"} <= set(groups) and "emodb" in groups["speech"]
