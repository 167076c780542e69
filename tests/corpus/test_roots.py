"""Where a corpus lies: --root, then $AFFECTLLM_CORPORA, then an error that says both and how one obtains it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from affectllm.corpus.builder import load_builder
from affectllm.corpus.reading import folder_of
from affectllm.corpus.roots import ENVIRONMENT, Roots, locate, parse_roots
from affectllm.errors import AffectError, Malformed, MissingCorpus, NotFound

GENERATED = '''"""A corpus that is computed."""
from affectllm.corpus import CorpusCard
CARD = CorpusCard(name="computed", title="", citation="", url="", obtain="nothing to do", licence="", access="open",
    redistribution=True, commercial=True, languages=(), modalities=(), spaces=(), raters={}, counts={}, split_policy="")
MINIATURE = {}
def samples(root):
    yield from ()
def generate(root, seed):
    (root / "seed.txt").write_text(str(seed))
    with open(root.parent.parent / "calls", "a") as log:
        log.write("x")
'''


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(tmp_path / "corpora"))
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "corpora" / "meld").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    return tmp_path


def local_builder(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "local" / "data_builders").mkdir(parents=True)
    (folder / "local" / "data_builders" / f"{name}.py").write_text(text)
    monkeypatch.setenv("AFFECTLLM_PATH", str(folder / "local"))


def test_roots_are_parsed() -> None:
    assert parse_roots(["meld=/data/a=b", "emodb=~/x"]) == {"meld": Path("/data/a=b"), "emodb": Path.home() / "x"}


@pytest.mark.parametrize("pair", ["meld", "=dir", "meld=", ""])
def test_a_root_that_is_no_pair_is_explained(pair: str) -> None:
    with pytest.raises(AffectError, match="NAME=DIR"):
        parse_roots([pair])


def test_the_given_root_wins_over_the_environment(elsewhere: Path) -> None:
    assert locate("meld", {"meld": elsewhere / "mine"}) == elsewhere / "mine"
    assert locate("meld") == elsewhere / "corpora" / "meld"


def test_a_given_root_that_is_absent_is_never_replaced_by_another(elsewhere: Path) -> None:
    with pytest.raises(MissingCorpus) as caught:
        locate("meld", {"meld": elsewhere / "typo"})
    assert str(elsewhere / "typo") in str(caught.value) and load_builder("meld").CARD.obtain in str(caught.value)


def test_a_missing_corpus_names_both_ways_and_how_to_obtain_it(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingCorpus) as caught:
        locate("emodb")
    message = str(caught.value)
    assert "--root emodb=" in message and "AFFECTLLM_CORPORA" in message
    assert str(elsewhere / "corpora" / "emodb") in message and load_builder("emodb").CARD.obtain in message
    monkeypatch.delenv("AFFECTLLM_CORPORA")
    with pytest.raises(MissingCorpus, match="not set"):
        locate("emodb")


def test_an_unknown_corpus_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="ravdess"):
        locate("ravdes")


def test_a_computed_corpus_is_computed_once(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local_builder(elsewhere, "computed", GENERATED, monkeypatch)
    first, second = locate("computed"), locate("computed")
    assert first == second and (first / "seed.txt").read_text() == "0"
    assert first.is_relative_to(elsewhere / "cache")
    assert (elsewhere / "cache" / "calls").read_text() == "x"
    assert [path.name for path in first.parent.iterdir()] == [first.name], "no half-made folder is left"


def test_an_edited_generator_is_not_served_from_the_old_folder(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_builder(elsewhere, "computed", GENERATED, monkeypatch)
    first = locate("computed")
    (elsewhere / "local" / "data_builders" / "computed.py").write_text(GENERATED + "# edited\n")
    assert locate("computed") != first


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('"""Nothing."""', "lacks CARD, samples, MINIATURE"),
        (GENERATED.replace('"computed"', '"other"'), "called 'other'"),
    ],
)
def test_a_builder_that_is_none_is_named(
    text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_builder(tmp_path, "broken_one", text, monkeypatch)
    with pytest.raises(Malformed, match=complaint) as caught:
        load_builder("broken_one")
    assert "broken_one.py" in str(caught.value)


def test_what_lies_beside_a_wrong_root_neither_fails_nor_is_searched_up_to_the_whole_machine(tmp_path: Path) -> None:
    (wrong := tmp_path / "wrong").mkdir()
    card = load_builder("emodb").CARD
    asked: list[Path] = []

    def looks_right(folder: Path) -> bool:
        asked.append(folder)
        if folder == tmp_path:
            raise Malformed("the folder may not be read", where=str(folder / "another's"))
        return False

    with pytest.raises(MissingCorpus, match="holds no"):
        folder_of(wrong, card, looks_right, "wav/")
    assert asked == [wrong, tmp_path, tmp_path.parent], "the two above, in which people often lie by one"
    with tempfile.TemporaryDirectory() as near_the_top, pytest.raises(MissingCorpus, match="holds no"):
        folder_of(Path(near_the_top), card, looks_right, "wav/")
    assert Path(tmp_path.anchor) not in asked


def test_what_is_given_wins_over_what_the_harness_was_told_and_both_over_the_folder_of_corpora(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inherited = elsewhere / "told"
    inherited.mkdir()
    monkeypatch.setenv(ENVIRONMENT, json.dumps({"meld": str(inherited)}))
    assert Roots.parse([f"meld={elsewhere / 'mine'}"]).find("meld") == elsewhere / "mine"
    assert Roots.parse().find("meld") == inherited
    assert Roots().find("meld") == elsewhere / "corpora" / "meld"


def test_all_or_those_at_hand(elsewhere: Path) -> None:
    roots = Roots({"emodb": elsewhere / "typo"})
    folders, missing = roots.at_hand(["meld", "emodb", "meld", "ravdess"])
    assert folders == {"meld": elsewhere / "corpora" / "meld"} and set(missing) == {"emodb", "ravdess"}
    assert "typo" in str(missing["emodb"])
    with pytest.raises(MissingCorpus, match="typo"):
        roots.find_all(["meld", "emodb"])
