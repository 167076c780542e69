"""Hints of emotions: a small model's likeliest labels, out of fold for what is trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evaluating import use
from meld_made import WORDS, write_meld

from affectllm.cli import main
from affectllm.corpus import TRAIN, Sample
from affectllm.corpus.builder import load_builder
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.hinting.folds import folds_of, groups_of
from affectllm.hinting.kind import Work
from affectllm.hinting.kinds import emotions
from affectllm.hinting.make import make_hints
from affectllm.hinting.page import load_hint_page
from affectllm.hints.table import FILE, Hint, read_hints

PAGE = "corpus: meld\nkind: emotions\nspace: meld_7\nrater: annotators\nfolds: 3\ncauses: 1\n"
LONG = "my LLM " + "tuned " * 60 + "again"
FILED = "corpus: meld\nkind: emotions\npredictions: p.jsonl\n"


@pytest.fixture
def meld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_meld(tmp_path / "meld")
    use(monkeypatch, {"meld": root})
    return root


def made(root: Path, tmp_path: Path, page: str = PAGE, *overrides: str) -> dict[str, Hint]:
    (tmp_path / "mine.yaml").write_text(page, encoding="utf-8")
    make_hints(load_hint_page(str(tmp_path / "mine.yaml"), overrides), root, tmp_path / "out")
    return {hint.sample: hint for hint in read_hints(tmp_path / "out" / FILE)}


def test_it_tells_the_likeliest_emotions_and_the_word_that_speaks_for_the_first(meld: Path, tmp_path: Path) -> None:
    hints = made(meld, tmp_path)
    golds = {one.id: one.annotations[0].value for one in load_builder("meld").samples(meld)}
    assert hints.keys() == golds.keys()
    for name, hint in hints.items():
        first, *_ = str(hint.words).removeprefix("Likely emotions: ").split(" ")
        assert first == golds[name] == max(hint.values, key=hint.values.get)
        assert str(hint.words).endswith(f"first: {WORDS[first]}") and not hint.seen


def test_a_training_sample_is_predicted_by_models_that_have_not_seen_it(meld: Path, tmp_path: Path) -> None:
    honest = made(meld, tmp_path)
    table = meld / "train_sent_emo.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    # Its label is now another one: a model that had learned from the sample would say so.
    lines[1] = lines[1].replace("joy", "fear")
    table.write_text("".join(lines), encoding="utf-8")
    first = next(iter(honest))
    assert "fear" not in (made(meld, tmp_path)[first].values or {})


def test_folds_share_no_dialogue_and_no_speaker_where_the_card_promises_that(meld: Path) -> None:
    samples = [one for one in load_builder("meld").samples(meld) if one.split == TRAIN]
    labels = [str(one.annotations[0].value) for one in samples]
    groups = groups_of(samples, load_builder("meld").CARD, "auto", 3)
    assert groups == [one.dialogue for one in samples]
    predicted: list[int] = []
    for fitted, held in folds_of(labels, groups, 3):
        assert not {groups[row] for row in fitted} & {groups[row] for row in held}
        predicted += map(int, held)
    assert sorted(predicted) == list(range(len(samples)))
    with pytest.raises(AffectError, match="1 speakers of crema_d cannot be 3 folds"):
        groups_of(samples, load_builder("crema_d").CARD, "auto", 3)


def test_predictions_of_a_model_that_has_seen_train_are_marked(meld: Path, tmp_path: Path) -> None:
    train, test = (next(o for o in load_builder("meld").samples(meld) if o.split == split) for split in (TRAIN, "test"))
    items = [train.id, test.id, "somebody else's"]
    lines: list[dict[str, Any]] = [{"item": one, "likelihoods": {"joy": 0.7, "fear": 0.3}} for one in items]
    lines.append({"item": "silent", "likelihoods": None})
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    hints = made(meld, tmp_path, f"{FILED}source: {LONG}\n", "top=1")
    assert hints[train.id].seen and not hints[test.id].seen
    assert hints[test.id].words == "Likely emotions: joy 70%" and hints[test.id].source == LONG
    assert {hint.reason for hint in hints.values()} == {"", "no_prediction"}
    outputs = make_hints(load_hint_page(str(tmp_path / "mine.yaml"), ["top=1"]), meld, tmp_path / "out")
    assert outputs["unused"] == {"lines without likelihoods": 1, "lines of an unknown item": 1}


def filed(tmp_path: Path, *lines: str) -> None:
    (tmp_path / "p.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    samples = [Sample("first", "made_up", TRAIN, (), "x", text="Oh.")]
    options = emotions.Options(predictions="p.jsonl")
    list(emotions.find(Work(samples, tmp_path, options, tmp_path / "kept", tmp_path, tmp_path)))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item": "a"}', "no prediction with"),
        ('{"item": 7, "likelihoods": {"joy": 1.0}}', "the item must be text"),
        ('{"item": "a", "likelihoods": {"joy": NaN}}', "the likelihood of joy must be from 0 to 1, not nan"),
        ('{"item": "a", "likelihoods": {"joy": 0.5, "fear": -1}}', "of fear must be from 0 to 1, not -1"),
        ('{"item": "a", "likelihoods": {"joy": 2}}', "from 0 to 1, not 2"),
        ('{"item": "a", "likelihoods": {"joy": "much"}}', "from 0 to 1, not 'much'"),
        ('{"item": "first", "likelihoods": null}', "'first' is predicted in line 1 already"),
    ],
)
def test_a_line_that_is_no_prediction_is_told(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=message) as caught:
        filed(tmp_path, '{"item": "first", "likelihoods": {"joy": 1.0}, "reply": "one\u2028line"}', line)
    assert caught.value.where == f"{tmp_path / 'p.jsonl'}:2"


@pytest.mark.parametrize(
    "lines", [[], ['{"item": "first", "likelihoods": {}}'], ['{"item": "a", "likelihoods": {"joy": 1}}']]
)
def test_a_file_that_has_nothing_for_the_corpus_is_refused(lines: list[str], tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="no line has likelihoods of an item of the corpus"):
        filed(tmp_path, *lines)


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_bytes('{"item": "à"}'.encode("latin-1"))
    options = emotions.Options(predictions="p.jsonl")
    with pytest.raises(Malformed, match="not UTF-8") as caught:
        list(emotions.find(Work([], tmp_path, options, tmp_path / "kept", tmp_path, tmp_path)))
    assert caught.value.where == f"{tmp_path / 'p.jsonl'}:1"


def test_a_corpus_without_train_can_have_hints_of_predictions_alone(meld: Path, tmp_path: Path) -> None:
    tested = [one for one in load_builder("meld").samples(meld) if isinstance(one, Sample) and one.split == "test"]
    options = emotions.Options("meld_7", "annotators")
    with pytest.raises(AffectError, match="meld has no training sample") as caught:
        list(emotions.find(Work(tested, meld, options, tmp_path / "kept", tmp_path, tmp_path)))
    assert "give predictions:" in caught.value.do


@pytest.mark.parametrize("encoder", ["/nosuch/folder", "tiny:qwen2"])
def test_an_encoder_that_is_not_there_is_told_with_its_line(encoder: str, meld: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"there is no checkpoint {encoder}") as caught:
        made(meld, tmp_path, PAGE.replace("causes: 1", f"encoder: {encoder}"))
    assert caught.value.where.endswith("mine.yaml:6")


def test_tables_that_change_in_their_folder_are_read_again(meld: Path, tmp_path: Path) -> None:
    (tmp_path / "au").mkdir()
    page, versions = "corpus: meld\nkind: action_units\ntables: au\n", []
    for text in ("frame,AU04_r\n1,3.0\n", "frame,AU04_r\n1,3.0\n", "frame,AU04_r\n1,2.0\n"):
        (tmp_path / "au" / "clip.csv").write_text(text, encoding="utf-8")
        versions.append({hint.version for hint in made(meld, tmp_path, page).values()})
    assert versions[0] == versions[1] != versions[2]


def test_the_command_makes_the_table_of_a_page_that_ships(
    meld: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["hint", "meld_top_emotions", "--root", f"meld={meld}", "--out", str(tmp_path / "t"), "--set", "folds=3"]
    assert main(words) == 0 and "test: 12 given" in capsys.readouterr().out
    before = (tmp_path / "t" / FILE).stat().st_mtime_ns
    assert main(words) == 0 and (tmp_path / "t" / FILE).stat().st_mtime_ns == before


@pytest.mark.parametrize(("line", "text"), [("kind: moods", "no kind of hints"), ("tops: 3", "unknown key 'tops'")])
def test_a_wrong_page_is_refused_with_its_place(meld: Path, tmp_path: Path, line: str, text: str) -> None:
    page = "\n".join(one for one in PAGE.splitlines() if not one.startswith(line.split(":")[0])) + f"\n{line}\n"
    with pytest.raises(AffectError, match=text):
        made(meld, tmp_path, page)
