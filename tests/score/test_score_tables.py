"""``affectllm score`` on tables as they are found: ids of any name or of several columns, answers of any form."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict

import numpy as np
import pytest
from scoring import refused, scored, write_csv
from wheel_tables import write_2025

from affectllm.cli import main

# ── which answer belongs to which item ───────────────────────────────────────────────────────────────────────────────


def test_several_columns_name_an_item_together(capsys, tmp_path) -> None:
    header = ("Dialogue_ID", "Utterance_ID")
    gold = write_csv(tmp_path / "g.csv", [(0, 0, "joy"), (0, 1, "fear"), (1, 0, "anger")], (*header, "label"))
    pred = write_csv(tmp_path / "p.csv", [(1, 0, "anger"), (0, 1, "joy"), (0, 0, "joy")], (*header, "prediction"))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred)
    assert scored(capsys, *words, "--id", "Dialogue_ID,Utterance_ID")["value"] == pytest.approx(2 / 3)
    assert "--id A,B" in refused(capsys, *words, "--id", "Dialogue_ID")


def test_predictions_may_call_the_id_otherwise(capsys, tmp_path) -> None:
    gold = tmp_path / "g.tsv"
    gold.write_text("well\tjoy\tx1\noh\tfear\tx2\n", encoding="utf-8")
    pred = tmp_path / "p.jsonl"
    pred.write_text('{"id": "x2", "prediction": "fear"}\n{"id": "x1", "prediction": "fear"}\n', encoding="utf-8")
    words = ("--gold", gold, "--pred", pred, "--no-header", "--id", "3", "--gold-column", "2", "--pred-id", "id")
    assert scored(capsys, "--metric", "accuracy", *words)["value"] == 0.5


@pytest.mark.parametrize("names", [("clip",), ("dialogue", "turn")])
def test_columns_that_name_the_same_items_are_ids_whatever_they_are_called(capsys, tmp_path, names) -> None:
    items = [(0, 0), (0, 1), (1, 0)] if len(names) == 2 else [("x",), ("y",), ("z",)]
    labels = ["joy", "fear", "anger"]
    rows = [(*item, label) for item, label in zip(items, labels, strict=True)]
    gold = write_csv(tmp_path / "g.csv", rows, (*names, "label"))
    pred = write_csv(tmp_path / "p.csv", rows[::-1], (*names, "prediction"))
    assert scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred)["value"] == 1


def test_rows_in_another_order_are_never_matched_by_number(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "joy"), ("x", "fear"), ("y", "anger")], ("clip", "label"))
    pred = write_csv(tmp_path / "p.csv", [("y", "anger"), ("x", "fear"), ("x", "joy")], ("clip", "prediction"))
    assert "'clip' is in another order" in refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred)


def test_ids_are_never_matched_with_row_numbers(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [(2, "joy"), (1, "fear"), (0, "anger")], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [("joy",), ("fear",), ("anger",)], ("prediction",))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred)
    assert "no column of ids" in refused(capsys, *words)
    assert "no column of ids" in refused(capsys, *words, "--partial")


def test_numbers_and_bytes_are_the_ids_that_they_show(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [(1, "joy"), (2, "fear")], ("id", "label"))
    numbered = tmp_path / "p.jsonl"
    numbered.write_text('{"id": 2.0, "prediction": "fear"}\n{"id": 1, "prediction": "joy"}\n', encoding="utf-8")
    stored = tmp_path / "p.npz"
    np.savez(stored, filenames=np.array(["2", "1"], "S"), fileitems=np.array(["fear", "joy"], "S"))
    for pred in (numbered, stored):
        assert scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred)["value"] == 1


def test_what_was_predicted_beside_the_answer_comes_from_the_predictions(capsys, tmp_path) -> None:
    header = ("name", "discrete", "valence")
    gold = write_csv(tmp_path / "g.csv", [("x", "happy", 2), ("y", "sad", -1)], header)
    pred = write_csv(tmp_path / "p.csv", [("x", "happy", 0), ("y", "sad", -1)], header)
    words = ("--pred-column", "discrete", "--column", "valence=valence", "--column", "predicted_valence=valence")
    assert scored(capsys, "--metric", "mer2023_overall", "--gold", gold, "--pred", pred, *words)["value"] == 0.5
    # A number is wanted, so the valence is meant and not the emotion.
    result = scored(capsys, "--metric", "mae", "--gold", gold, "--pred", pred, "--pred-column", "valence")
    assert result["value"] == 1


@pytest.mark.parametrize("asked", [(), ("--gold-column", "test1_corpus")])
def test_a_published_corpus_has_an_emotion_and_a_valence_and_the_metric_knows_which(capsys, tmp_path, asked) -> None:
    (tmp_path / "tables").mkdir()
    write_2025(tmp_path / "tables")
    test = {"x": {"emo": "merry", "val": 1.0}, "y": {"emo": "gloomy", "val": -1.0}}
    np.savez(tmp_path / "l.npz", train_corpus={"z": {"emo": "merry", "val": 2.0}}, test1_corpus=test)  # type: ignore[arg-type]
    np.savez(tmp_path / "open.npz", filenames=["y", "x"], fileitems=["[gloomy]", "[merry]"])
    np.savez(tmp_path / "sentiment.npz", filenames=["y", "x"], fileitems=["negative", "positive"])
    words = ("--gold", tmp_path / "l.npz", "--allow-pickle", *asked)
    result = scored(
        capsys, "--metric", "hit_rate", *words, "--pred", tmp_path / "open.npz", "--tables", tmp_path / "tables"
    )
    assert (result["value"], result["n"]) == (1, 2)
    result = scored(capsys, "--metric", "mer_unibench_sentiment", *words, "--pred", tmp_path / "sentiment.npz")
    assert (result["value"], result["n"]) == (1, 2)


def test_a_table_of_mer_has_both_too(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "happy", 2), ("y", "sad", -1)], ("name", "discrete", "valence"))
    pred = write_csv(tmp_path / "p.csv", [("x", "positive"), ("y", "negative")], ("name", "prediction"))
    assert scored(capsys, "--metric", "mer_unibench_sentiment", "--gold", gold, "--pred", pred)["value"] == 1


# ── what a cell and a file hold ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "written",
    [
        "joy; fear",
        "joy|fear",
        "joy\nfear",
        "('joy', 'fear')",
        "{'joy', 'fear'}",
        "\u201cjoy\u201d, \u201cfear\u201d",
        "joy\uff0cfear",
    ],
)
def test_sets_are_read_with_any_separator(capsys, tmp_path, written) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "['joy', 'fear']"), ("y", "joy")], ("id", "labels"))
    pred = write_csv(tmp_path / "p.csv", [("x", written), ("y", "joy")], ("id", "prediction"))
    assert scored(capsys, "--metric", "jaccard", "--gold", gold, "--pred", pred)["value"] == 1
    assert scored(capsys, "--metric", "jaccard", "--gold", pred, "--pred", gold)["value"] == 1


def test_a_strict_wheel_score_takes_them_and_the_compat_one_does_not(capsys, tmp_path) -> None:
    (tmp_path / "tables").mkdir()
    write_2025(tmp_path / "tables")
    gold = write_csv(tmp_path / "g.csv", [("x", "merry,gloomy"), ("y", "gloomy")], ("name", "openset"))
    pred = write_csv(tmp_path / "p.csv", [("x", "merry; gloomy"), ("y", "gloomy")], ("name", "openset"))
    words = ("--metric", "wheel_f1", "--gold", gold, "--pred", pred, "--tables", tmp_path / "tables")
    assert scored(capsys, *words)["value"] == 1
    assert scored(capsys, *words, "--compat", "affectgpt")["value"] < 1


def test_a_set_may_lie_in_one_column_of_0_and_1_per_label(capsys, tmp_path) -> None:
    labels = ("joy", "fear", "trust")
    gold = write_csv(tmp_path / "g.csv", [("x", 1, 0, 1), ("y", 0, 0, 0)], ("ID", *labels))
    pred = write_csv(tmp_path / "p.csv", [("x", 1, 1, 0), ("y", 0, 0, 0)], ("ID", *labels))
    words = ("--metric", "jaccard", "--pred-column", ",".join(labels), "--gold-column", ",".join(labels))
    assert scored(capsys, *words, "--gold", gold, "--pred", pred)["value"] == pytest.approx((1 / 3 + 1) / 2)
    other = write_csv(tmp_path / "o.csv", [("x", 1, 0.4, 0), ("y", 0, 0, 0)], ("ID", *labels))
    assert "o.csv:2" in refused(capsys, *words, "--gold", gold, "--pred", other)


@pytest.mark.parametrize("answered", ["glad", ["glad", "I am glad"], {"text": ["glad"], "answer_start": [5]}])
def test_predictions_may_map_ids_to_answers_and_the_first_of_several_counts(capsys, tmp_path, answered) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "glad"), ("y", "")], ("id", "answer"))
    pred = tmp_path / "p.json"
    content = {"x": answered, "y": ""}
    if isinstance(answered, dict):
        content = [{"id": "x", "answers": answered}, {"id": "y", "answers": {"text": [], "answer_start": []}}]
    pred.write_text(json.dumps(content), encoding="utf-8")
    assert scored(capsys, "--metric", "reccon_span", "--gold", gold, "--pred", pred)["value"] == 1
    assert scored(capsys, "--metric", "reccon_span", "--gold", pred, "--pred", gold)["value"] == 1


def test_csv_files_may_be_separated_by_semicolons(capsys, tmp_path) -> None:
    gold, pred = tmp_path / "g.csv", tmp_path / "p.csv"
    gold.write_text("id;label\nx;joy\ny;fear\n", encoding="utf-8")
    pred.write_text('"id"\t"prediction"\ny\tfear\nx\tjoy\n', encoding="utf-8")
    assert scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred)["value"] == 1


def test_class_numbers_are_the_same_whether_or_not_one_is_missing(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "1"), ("y", "0"), ("z", "1")], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [("x", "1.0"), ("y", "0.0"), ("z", "")], ("id", "prediction"))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred)
    assert scored(capsys, *words)["value"] == pytest.approx(2 / 3)
    named = scored(capsys, *words, "--labels", "sad,joy")
    assert named["value"] == pytest.approx(2 / 3) and named["unreadable"] == pytest.approx(1 / 3)


def test_a_missing_value_that_was_written_out_is_missing(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "joy"), ("y", "none")], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [("x", "nan"), ("y", "none")], ("id", "prediction"))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred)
    result = scored(capsys, *words)
    assert result["value"] == 0.5 and result["unreadable"] == 0.5
    assert "gold value 1 is None" in refused(capsys, "--metric", "accuracy", "--gold", pred, "--pred", gold)
    numbers = write_csv(tmp_path / "n.csv", [("x", "1"), ("y", "2")], ("id", "val"))
    answers = write_csv(tmp_path / "a.csv", [("x", "N/A"), ("y", "2")], ("id", "prediction"))
    assert scored(capsys, "--metric", "ccc", "--gold", numbers, "--pred", answers)["unreadable"] == 0.5


def test_labels_that_differ_in_case_only_are_pointed_out(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "Joy"), ("y", "fear")], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [("x", "joy"), ("y", "fear")], ("id", "prediction"))
    words = ["score", "--json", "--metric", "accuracy", "--gold", str(gold), "--pred", str(pred)]
    assert main(words) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["value"] == 0.5 and "'joy' of the predictions and 'Joy' of gold" in output.err
    assert main([*words, "--read", "strict"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["value"] == 1 and "Joy" not in output.err


@pytest.mark.parametrize(
    "written",
    [
        'id\tnote\tprediction\nx\t"so\t"[""joy"", ""fear""]"\ny\t\tjoy\n',  # pandas quotes what holds quotation marks
        '"id"\t"prediction"\n"x"\t"joy,fear"\n"y"\t"joy"\n',  # R quotes every text
        'id\tprediction\nx\t"joy\nfear"\ny\tjoy\n',  # a cell of two lines
    ],
)
def test_tab_separated_files_may_be_quoted_or_not(capsys, tmp_path, written) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "joy,fear"), ("y", "joy")], ("id", "labels"))
    pred = tmp_path / "p.tsv"
    pred.write_text(written, encoding="utf-8")
    result = scored(capsys, "--metric", "jaccard", "--gold", gold, "--pred", pred)
    assert (result["value"], result["n"]) == (1, 2)


def test_lone_quotation_marks_swallow_no_row(capsys, tmp_path) -> None:
    gold = tmp_path / "g.tsv"
    gold.write_text('"so\tjoy\tx\noh\tfear\ty\nwell"\tanger\tz\tmore\n', encoding="utf-8")
    words = ("--gold", gold, "--pred", gold, "--no-header", "--id", "3", "--gold-column", "2", "--pred-column", "2")
    assert ":3: 4 cells" in refused(capsys, "--metric", "accuracy", *words)
    gold.write_text(gold.read_text(encoding="utf-8").removesuffix("\tmore\n"), encoding="utf-8")
    assert scored(capsys, "--metric", "accuracy", *words)["n"] == 3


def test_what_is_no_archive_is_not_taken_for_a_pickle(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "joy")], ("id", "label"))
    (tmp_path / "p.npz").write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf-8")
    message = refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", tmp_path / "p.npz")
    assert "not a NumPy archive" in message and "--allow-pickle" not in message


@pytest.mark.parametrize("zipped", [False, True])
def test_synonym_groups_and_answers_may_lie_in_one_file_an_item(capsys, tmp_path, zipped) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "['happy']"), ("y", "['sad', 'low']")], ("name", "openset"))
    for folder, values in (
        ("groups", {"x": "[['happy', 'glad']]", "y": "[['sad', 'low']]", "more": "[]"}),
        ("answers", {"x": "['glad']", "y": "['low', 'calm']"}),
    ):
        (tmp_path / folder / folder).mkdir(parents=True)
        for name, value in values.items():
            np.save(tmp_path / folder / folder / f"{name}.npy", value)
        shutil.make_archive(str(tmp_path / folder), "zip", tmp_path / folder)
    groups, answers = (tmp_path / (f"{n}.zip" if zipped else f"{n}/{n}") for n in ("groups", "answers"))
    words = ("--gold", gold, "--pred", answers, "--column", f"synonyms={groups}", "--compat", "mertools")
    assert scored(capsys, "--metric", "mer2024_ov", *words)["value"] == pytest.approx((3 / 4 + 1) / 2)
    short = write_csv(tmp_path / "s.csv", [("x", "[]")], ("name", "groups"))
    assert "lacks 1 items, such as 'y'" in refused(
        capsys, "--metric", "mer2024_ov", "--gold", gold, "--pred", answers, "--column", f"synonyms={short}"
    )
    assert "no .npy file" in refused(capsys, "--metric", "mer2024_ov", "--gold", gold, "--pred", tmp_path)


def test_dictionaries_with_a_default_are_plain_data(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "joy")], ("name", "label"))
    np.savez(tmp_path / "p.npz", name2reason=defaultdict(str, x="joy"))  # type: ignore[arg-type]
    words = ("--gold", gold, "--pred", tmp_path / "p.npz", "--allow-pickle")
    assert scored(capsys, "--metric", "accuracy", *words)["value"] == 1


# ── what is asked for ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--resamples", "0"), "at least 1 resample"),
        (("--seed", "-1"), "a seed of at least 0"),
        (("--option", "labels=["), "is no YAML value"),
        (("--encoding", "utf-99"), "no encoding 'utf-99'"),
    ],
)
def test_what_cannot_be_done_is_an_error_and_no_traceback(capsys, tmp_path, words, message) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "joy"), ("y", "fear")], ("id", "label"))
    assert message in refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", gold, *words)


def test_ids_that_became_fractions_in_a_text_table_are_those_that_they_were(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("1", "joy"), ("2", "fear")], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [("2.0", "fear"), ("1.0", "joy")], ("id", "prediction"))
    assert scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred)["value"] == 1


def test_separators_of_thousands_are_no_decimal_commas(capsys, tmp_path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("a", 1000), ("b", 2500), ("c", 400)], ("id", "label"))
    words = ("--metric", "ccc", "--gold", gold, "--pred")
    pred = write_csv(tmp_path / "p.csv", [("a", "1,000"), ("b", "2,500"), ("c", 400)], ("id", "prediction"))
    assert "'1,000' may be thousands" in refused(capsys, *words, pred)
    sure = write_csv(tmp_path / "q.csv", [("a", "1,125"), ("b", "0,500"), ("c", "0")], ("id", "label"))
    assert scored(capsys, "--metric", "ccc", "--gold", sure, "--pred", sure)["value"] == 1


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF, 0xD800])
def test_words_of_an_archive_that_hold_no_characters_are_refused(capsys, tmp_path, code) -> None:
    gold = write_csv(tmp_path / "g.csv", [("a", "joy"), ("b", "fear")], ("id", "label"))
    words = np.array(["joy", "fear"])
    words.view(np.uint32)[1] = code
    np.savez(tmp_path / "p.npz", id=["a", "b"], prediction=words)
    message = refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", tmp_path / "p.npz")
    assert "p.npz: an array of words holds what is no character" in message
