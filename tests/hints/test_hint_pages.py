"""Pages of hints: what cannot be, and what nothing would read, is refused at its line before anything is looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.hinting.kinds import emotions
from affectllm.hinting.page import HintPage, load_hint_page

LEARNED = "space: meld_7\nrater: annotators"


def read(tmp_path: Path, kind: str, lines: str, *overrides: str) -> HintPage:
    path = tmp_path / "mine.yaml"
    path.write_text(f"corpus: meld\nkind: {kind}\n{lines}\n", encoding="utf-8")
    (tmp_path / "p.jsonl").touch()
    return load_hint_page(str(path), overrides)


@pytest.mark.parametrize(
    ("kind", "lines", "line", "message"),
    [
        ("emotions", "predictions: p.jsonl\nlearned_from: [test, trian]", 4, "learned_from.1 must be one of train, v"),
        ("emotions", f"{LEARNED}\nmodalities: [text, smell]", 5, "modalities.1 must be one of video"),
        ("emotions", f"{LEARNED}\ntop: 0", 5, "top must be 1 or more, not 0"),
        ("emotions", f"{LEARNED}\nfolds: 1", 5, "folds must be 2 or more, not 1"),
        ("emotions", "space: meld_8\nrater: annotators", 3, "meld has no label space 'meld_8'"),
        ("emotions", "space: meld_7\nrater: annotator", 4, "meld has no rater called 'annotator'"),
        ("emotions", f"{LEARNED}\nmodalities: []", 1, "is to show nothing"),
        ("emotions", "top: 2", 1, "space and rater say which labels"),
        ("emotions", "predictions: nosuch.jsonl", 3, "there is no file"),
        ("emotions", f"{LEARNED}\nlayer: 0", 5, "layer is not read where hints are made by a small model"),
        ("emotions", f"{LEARNED}\noverrides: [model=tiny]", 5, "overrides is not read"),
        ("emotions", f"{LEARNED}\nlearned_from: [train]", 5, "learned_from is not read"),
        ("emotions", f"{LEARNED}\nsource: me", 5, "source is not read"),
        (
            "emotions",
            f"{LEARNED}\nencoder: any/one\ncauses: 2",
            6,
            "causes is not read where hints are made by encoder",
        ),
        ("emotions", "predictions: p.jsonl\nspace: zz", 4, "space is not read where hints are made by predictions"),
        ("emotions", "predictions: p.jsonl\nfolds: 3", 4, "folds is not read"),
        ("emotions", "predictions: p.jsonl\nencoder: e", 4, "encoder is not read"),
        ("emotions", "recipe: small/meld_text\nspace: meld_7", 4, "space is not read where hints are made by recipe"),
        ("emotions", "recipe: small/meld_text\npredictions: p.jsonl", 3, "recipe is not read"),
        ("action_units", "tables: au\nlevels: [.nan, 1, 2]", 4, "levels.0 must be finite, from 0 to 5, not nan"),
        ("action_units", "tables: au\nlevels: [3, 2, 1]", 4, "levels must be 3 numbers that grow"),
        ("action_units", "tables: au\nlevels: [1, 1, 2]", 4, "levels must be 3 numbers that grow"),
        ("action_units", "tables: au\nlevels: [1, 2]", 4, "levels must be 3 numbers that grow"),
        ("action_units", "tables: au\nlevels: [1, 2, 9]", 4, "levels.2 must be from 0 to 5"),
        ("action_units", "tables: au\nconfidence: 98", 4, "confidence must be from 0 to 1"),
        ("action_units", "tables: au\nframes: 0", 4, "frames must be above 0 and at most 1"),
        ("action_units", "tables: au\nframes: .nan", 4, "frames must be finite"),
        ("action_units", "tables: au\nmost: 0", 4, "most must be 1 or more"),
        ("prosody", "clips: 1", 3, "clips must be 2 or more"),
        ("transcript", "seconds: 0", 3, "seconds must be above 0"),
        ("transcript", "seconds: .nan", 3, "seconds must be finite, above 0"),
        ("transcript", "tokens: -5", 3, "tokens must be 1 or more"),
    ],
)
def test_what_cannot_be_or_is_not_read_is_told_at_its_line(
    kind: str, lines: str, line: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AffectError) as caught:
        read(tmp_path, kind, lines)
    assert caught.value.where == f"{tmp_path / 'mine.yaml'}:{line}" and message in caught.value.what


@pytest.mark.parametrize(("lines", "name"), [("corpus: meldd\nkind: prosody", "meldd"), ("corpus: meld\nkind: x", "x")])
def test_a_corpus_or_kind_that_nothing_is_called_is_told_at_its_line(lines: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"# mine\n{lines}\n")
    with pytest.raises(NotFound) as caught:
        load_hint_page(str(tmp_path / "mine.yaml"))
    assert caught.value.where == f"{tmp_path / 'mine.yaml'}:{2 if name == 'meldd' else 3}"
    assert repr(name) in caught.value.what


def test_an_option_that_came_by_set_is_named_so_and_one_that_says_none_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        read(tmp_path, "action_units", "tables: au", "frames=2")
    assert caught.value.where == "--set frames"
    page = read(
        tmp_path, "emotions", f"{LEARNED}\ncauses: 3", "predictions=p.jsonl", 'space=""', 'rater=""', "causes=0"
    )
    assert page.options.predictions == "p.jsonl" and page.options.learned_from == ("train",)


def test_the_keys_that_the_docs_list_are_those_that_are_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "hints.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| made by | reads |\n|---|---|\n")
    rows = dict(line.strip("| ").split(" | ") for line in table.partition("\n\n")[0].splitlines())
    read = {name.strip("`"): set(re.findall(r"`(\w+)`", keys)) for name, keys in rows.items()}
    read["encoder"] = read["a small model"] - {"causes"} | {"layer"}
    assert {name: keys | ({name} - {"a small model"}) for name, keys in read.items()} == {
        name: set(keys) for name, keys in emotions._READ.items()
    }
