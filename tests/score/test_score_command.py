"""``affectllm score`` as its users meet it: tables of every format, ids that do not match, npz of published systems."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scoring import refused, scored, write_csv

from affectllm.cli import main
from affectllm.metrics import accuracy, krippendorff_alpha, uar

GOLD = [("a", "joy", "s1"), ("b", "anger", "s1"), ("c", "joy", "s2"), ("d", "fear", "s2")]
PREDICTED = {"a": "joy", "b": "joy", "c": "joy", "d": ""}


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "gold.csv", GOLD, ("id", "label", "speaker"))


@pytest.fixture
def pred(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "pred.csv", list(PREDICTED.items()), ("id", "prediction"))


# ── what is printed ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_is_one_object_with_everything_that_is_promised(capsys, gold, pred) -> None:
    result = scored(capsys, "--metric", "uar", "--gold", gold, "--pred", pred, "--cluster", "speaker")
    ours = uar([g for _, g, _ in GOLD], list(PREDICTED.values()), clusters=[s for *_, s in GOLD])
    assert result == json.loads(json.dumps(ours.to_json()))
    promised = "metric, value, low, high, n, unreadable, per_class, controls, coverage, settings"
    assert set(promised.split(", ")) <= set(result)
    assert result["value"] == pytest.approx(1 / 3) and result["n"] == 4 and result["unreadable"] == 0.25
    assert set(result["controls"]) == {"majority", "chance", "say_all", "empty", "shuffled"}


def test_text_says_the_same(capsys, gold, pred) -> None:
    assert main(["score", "--metric", "uar", "--gold", str(gold), "--pred", str(pred)]) == 0
    out = capsys.readouterr().out
    for word in ("uar  0.3333", "n 4", "25.0% of the answers unreadable", "majority", "joy", "recall"):
        assert word in out


def test_several_predictions_are_compared(capsys, tmp_path, gold, pred) -> None:
    right = write_csv(tmp_path / "right.csv", [(name, label) for name, label, _ in GOLD], ("id", "prediction"))
    result = scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred, "--pred", right)
    assert result["systems"]["right"]["value"] == 1 and result["systems"]["pred"]["value"] == 0.5
    (pair,) = result["comparisons"]
    assert pair["difference"] == -0.5 and 0 < pair["p"] <= 1


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "json", "parquet", "npz"])
def test_every_format_gives_the_same_score(capsys, tmp_path, gold, kind) -> None:
    path = tmp_path / f"pred.{kind}"
    names, answers = list(PREDICTED), list(PREDICTED.values())
    if kind == "tsv":
        path.write_text("id\tprediction\n" + "".join(f"{n}\t{a}\n" for n, a in PREDICTED.items()), encoding="utf-8")
    elif kind == "npz":
        np.savez(path, filenames=names, fileitems=answers)
    elif kind == "parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"id": names, "prediction": answers}), path)
    else:
        records = [{"id": name, "prediction": answer or None} for name, answer in PREDICTED.items()]
        lines = "\n".join(map(json.dumps, records))
        path.write_text(lines if kind == "jsonl" else json.dumps(records), encoding="utf-8")
    result = scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", path)
    assert (result["value"], result["unreadable"]) == (0.5, 0.25)


def test_the_order_of_rows_does_not_matter(capsys, tmp_path, gold) -> None:
    turned = write_csv(tmp_path / "turned.csv", list(PREDICTED.items())[::-1], ("id", "prediction"))
    assert scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", turned)["value"] == 0.5


def test_tables_without_ids_are_matched_row_by_row_and_must_be_equally_long(capsys, tmp_path) -> None:
    truth = write_csv(tmp_path / "g.csv", [("joy",), ("fear",)], ("label",))
    answers = write_csv(tmp_path / "p.csv", [("joy",), ("joy",)], ("answer",))
    assert scored(capsys, "--metric", "accuracy", "--gold", truth, "--pred", answers)["value"] == 0.5
    short = write_csv(tmp_path / "short.csv", [("joy",)], ("answer",))
    assert "1 of 2 gold items have no prediction" in refused(
        capsys, "--metric", "accuracy", "--gold", truth, "--pred", short
    )


def test_a_table_without_a_header_has_numbered_columns(capsys, tmp_path) -> None:
    path = tmp_path / "comments.tsv"
    path.write_text('so "sweet\t1,2\tx1\nhm\t3\tx2\n', encoding="utf-8")
    words = ("--gold", path, "--pred", path, "--gold-column", "2", "--pred-column", "2", "--id", "3", "--no-header")
    result = scored(capsys, "--metric", "jaccard", *words)
    assert result["value"] == 1 and set(result["per_class"]) == {"1", "2", "3"}


def test_class_numbers_get_their_names(capsys, tmp_path, pred) -> None:
    numbered = write_csv(tmp_path / "n.csv", [("a", 1), ("b", 0), ("c", 1), ("d", 2)], ("id", "label"))
    result = scored(capsys, "--metric", "uar", "--gold", numbered, "--pred", pred, "--labels", "anger,joy,fear")
    assert result["value"] == pytest.approx(1 / 3)


def test_a_distribution_may_lie_in_one_column_per_label(capsys, tmp_path) -> None:
    votes = write_csv(tmp_path / "votes.csv", [("a", 3, 1), ("b", 0, 4)], ("id", "A", "H"))
    result = scored(
        capsys,
        "--metric",
        "js_divergence",
        "--gold",
        votes,
        "--pred",
        votes,
        "--gold-column",
        "A,H",
        "--pred-column",
        "A,H",
    )
    assert result["value"] == pytest.approx(0, abs=1e-9)


def test_ratings_need_no_predictions(capsys, tmp_path) -> None:
    rows = [("a", "joy", "joy", "fear"), ("b", "joy", "joy", ""), ("c", "fear", "fear", "fear")]
    path = write_csv(tmp_path / "ratings.csv", rows, ("id", "r1", "r2", "r3"))
    result = scored(capsys, "--metric", "krippendorff_alpha", "--gold", path, "--gold-column", "r1,r2,r3")
    units = [{f"r{n}": label for n, label in enumerate(row[1:]) if label} for row in rows]
    assert result["value"] == pytest.approx(krippendorff_alpha(units).value)


# ── npz as published ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "label.npz"
    train = {"x": {"emo": 0, "val": -10}}
    test = {"a": {"emo": "joy", "val": 1.5}, "b": {"emo": "anger", "val": -2.0}}
    np.savez(path, train_corpus=train, test_corpus=test)  # type: ignore[arg-type]
    return path


def test_objects_are_refused_unless_asked_for_with_a_warning(capsys, tmp_path, corpus) -> None:
    pred = write_csv(tmp_path / "p.csv", [("a", "joy"), ("b", "joy")], ("name", "prediction"))
    words = ("--metric", "accuracy", "--gold", corpus, "--pred", pred, "--gold-column", "emo")
    assert "--allow-pickle" in refused(capsys, *words)
    assert main(["score", "--json", *map(str, words), "--allow-pickle"]) == 0
    output = capsys.readouterr()
    assert "warning" in output.err and json.loads(output.out)["value"] == 0.5


@pytest.mark.parametrize("asked", ["emo", "test_corpus", "test_corpus.emo"])
def test_a_published_corpus_may_be_named_by_corpus_or_key(capsys, tmp_path, corpus, asked) -> None:
    pred = write_csv(tmp_path / "p.csv", [("a", "joy"), ("b", "anger")], ("name", "prediction"))
    words = ("--gold", corpus, "--pred", pred, "--gold-column", asked, "--allow-pickle")
    result = scored(capsys, "--metric", "accuracy", *words)
    assert (result["value"], result["n"]) == (1, 2)


def test_a_pickle_that_would_run_code_does_not(capsys, tmp_path, gold) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "ran"),)

    path = tmp_path / "bomb.npz"
    np.savez(path, fileitems=np.array([Bomb()], dtype=object), filenames=np.array(["a"]))
    message = refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", path, "--allow-pickle")
    assert "mkdir" in message and not (tmp_path / "ran").exists()


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_ids_without_a_partner_are_named_or_counted(capsys, tmp_path, gold) -> None:
    pred = write_csv(tmp_path / "p.csv", [("a", "joy"), ("z", "joy")], ("id", "prediction"))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred)
    assert f"3 of 4 gold items have no prediction, such as 'b', 'c', 'd' of {gold}" in refused(capsys, *words)
    result = scored(capsys, *words, "--partial")
    assert result["n"] == 1
    assert result["coverage"]["items_without_prediction"] == 3
    assert result["coverage"]["predictions_without_item"] == 1


def test_nothing_in_common_is_an_error_even_if_partial(capsys, tmp_path, gold) -> None:
    pred = write_csv(tmp_path / "p.csv", [("z", "joy")], ("id", "prediction"))
    assert "4 of 4" in refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred, "--partial")


def test_a_doubled_id_names_both_lines(capsys, tmp_path, gold) -> None:
    pred = write_csv(tmp_path / "p.csv", [("a", "joy"), ("b", "joy"), ("a", "fear")], ("id", "prediction"))
    message = refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred)
    assert "p.csv:4" in message and "p.csv:2" in message and "'a' occurs twice" in message


def test_a_cell_that_is_no_number_names_its_line(capsys, tmp_path) -> None:
    truth = write_csv(tmp_path / "g.csv", [("a", "0.5"), ("b", "much")], ("id", "valence"))
    answers = write_csv(tmp_path / "p.csv", [("a", "0.4"), ("b", "0.1")], ("id", "prediction"))
    assert "g.csv:3: 'much' is no number" in refused(capsys, "--metric", "ccc", "--gold", truth, "--pred", answers)


def test_a_gold_value_that_is_missing_is_an_error_and_a_prediction_is_not(capsys, tmp_path, pred) -> None:
    truth = write_csv(tmp_path / "g.csv", [("a", "joy"), ("b", ""), ("c", "joy"), ("d", "joy")], ("id", "label"))
    message = refused(capsys, "--metric", "accuracy", "--gold", truth, "--pred", pred)
    assert "g.csv:3: gold value 2 is None" in message


@pytest.mark.parametrize(("metric", "cell"), [("mae", "1e999"), ("vad_ccc", '"{""valence"": Infinity}"')])
def test_a_value_that_is_not_of_the_form_names_its_line_wherever_it_stands(capsys, tmp_path, metric, cell) -> None:
    good = "0.5" if metric == "mae" else '"{""valence"": 0.5}"'
    (tmp_path / "g.csv").write_text(f"id,label\nb,{good}\n\na,{cell}\nc,{good}\n")
    (tmp_path / "p.csv").write_text(f"id,prediction\na,{good}\nb,{good}\nc,{good}\n")
    message = refused(capsys, "--metric", metric, "--gold", tmp_path / "g.csv", "--pred", tmp_path / "p.csv")
    assert "g.csv:4: gold value" in message


def test_an_end_of_an_interval_beyond_all_numbers_is_null_in_json(capsys, tmp_path) -> None:
    rows = [(f"c{number}", f"0.{number}") for number in range(9)]
    gold = write_csv(tmp_path / "g.csv", [*rows, ("c9", "1e308")], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [*rows, ("c9", "0.9")], ("id", "prediction"))
    result = scored(capsys, "--metric", "mae", "--gold", gold, "--pred", pred)
    assert result["value"] == pytest.approx(1e307) and result["high"] is None


def test_a_value_of_the_only_table_that_is_not_of_the_form_names_its_line(capsys, tmp_path) -> None:
    table = tmp_path / "r.jsonl"
    table.write_text('{"id": "a", "label": {"anna": 1, "ben": 2}}\n{"id": "b", "label": 3}\n')
    assert "r.jsonl:2: gold value 2 is 3" in refused(capsys, "--metric", "krippendorff_alpha", "--gold", table)


def test_a_missing_gold_value_is_an_error_whatever_its_column_is_called(capsys, tmp_path, pred) -> None:
    truth = tmp_path / "g.jsonl"
    rows = [{"id": name, "test.label": label} for name, label in zip("abcd", ["joy", None, "joy", "joy"], strict=True)]
    truth.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert "gold value 2 is None" in refused(capsys, "--metric", "accuracy", "--gold", truth, "--pred", pred)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,prediction\na,joy,more\n", ":2: 3 cells, where the first row has 2"),
        ("id,prediction\n", "has no rows"),
        ("id,id\na,joy\n", "two columns are called 'id'"),
        ("id,note\n,joy\n", "no id in column 'id'"),
    ],
)
def test_broken_tables_say_where(capsys, tmp_path, gold, content, message) -> None:
    path = tmp_path / "p.csv"
    path.write_text(content, encoding="utf-8")
    assert message in refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", path)


def test_other_encodings_are_asked_for_by_name(capsys, tmp_path, gold) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes("id,prediction\na,joy\nb,jöy\nc,joy\nd,joy\n".encode("latin-1"))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", path)
    assert "--encoding" in refused(capsys, *words)
    assert scored(capsys, *words, "--encoding", "latin-1")["value"] == 0.5


def test_unknown_names_get_suggestions(capsys, tmp_path, gold, pred) -> None:
    assert "did you mean" in refused(capsys, "--metric", "acuracy", "--gold", gold, "--pred", pred)
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred)
    assert "speaker" in refused(capsys, *words, "--gold-column", "speakr")
    renamed = pred.rename(tmp_path / "pred.doc")
    assert "no format of tables" in refused(capsys, *words[:-1], renamed)


def test_a_long_answer_and_control_characters_are_read(capsys, tmp_path, gold) -> None:
    rows = [("a", "joy " * 250_000), ("b", "\x07anger\x00"), ("c", "joy"), ("d", "fear")]
    path = write_csv(tmp_path / "p.csv", rows, ("id", "prediction"))
    words = ("--gold", gold, "--pred", path, "--read", "strict", "--labels", "joy,anger,fear")
    assert scored(capsys, "--metric", "accuracy", *words)["value"] == 1


def test_accuracy_is_one_metric_wherever_it_is_called(capsys, gold, pred) -> None:
    ours = accuracy([g for _, g, _ in GOLD], list(PREDICTED.values()))
    assert scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred)["value"] == ours.value


def test_free_text_is_read_strictly_or_as_a_system_did(capsys, tmp_path, gold) -> None:
    rows = [("a", "I think joy."), ("b", "not joy but anger"), ("c", "<answer>Joy</answer>"), ("d", "no idea")]
    pred = write_csv(tmp_path / "p.csv", rows, ("id", "prediction"))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred, "--labels", "joy,anger,fear")
    strict = scored(capsys, *words, "--read", "strict")
    assert (strict["value"], strict["unreadable"]) == (0.75, 0.25)
    assert strict["coverage"]["unreadable_no_label"] == 1 and strict["settings"]["read"] == "strict"
    published = scored(capsys, *words, "--read", "emotion_llama")  # its fallback label is not among the labels
    assert (published["value"], published["unreadable"]) == (0.25, 0)
    assert "there is no reader called 'me'" in refused(capsys, *words, "--read", "me")


# ── judges ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_metric_that_needs_more_says_what(capsys, tmp_path) -> None:
    path = write_csv(tmp_path / "t.csv", [("a", "She smiles."), ("b", "He cries.")], ("id", "text"))
    words = ("--gold", path, "--pred", path, "--gold-column", "text", "--pred-column", "text")
    assert "--judge-url" in refused(capsys, "--metric", "clue_overlap", *words)
    assert "--judge-model" in refused(
        capsys, "--metric", "clue_overlap", *words, "--judge-url", "http://localhost:9/v1"
    )
    assert "--tables DIR" in refused(capsys, "--metric", "wheel_f1", *words)


def test_the_published_form_is_scored_with_the_published_tables(capsys, tmp_path) -> None:
    from wheel_tables import write_2025, write_2026

    gold = write_csv(tmp_path / "ov.csv", [("x", "merry,gloomy"), ("y", "tearful")], ("name", "openset"))
    pred = tmp_path / "p-openset.npz"
    np.savez_compressed(pred, filenames=["y", "x"], fileitems=["[tearful]", "[merry, gloomy]"])
    for version, write in (("2025", write_2025), ("2026", write_2026)):
        folder = tmp_path / version
        folder.mkdir()
        write(folder)
        words = ("--gold", gold, "--pred", pred, "--tables", folder, "--tables-version", version)
        for metric in ("wheel_f1", "wheel_f1_level2", "m_avg"):
            for mode in ((), ("--compat", "affectgpt")):
                result = scored(capsys, "--metric", metric, *words, *mode)
                assert result["value"] == pytest.approx(1), (metric, mode)
                assert result["settings"]["tables"]["version"] == version
                assert set(result["controls"]) == {"majority", "chance", "say_all", "empty", "shuffled"}


def test_an_id_column_that_is_not_there_is_never_guessed(capsys, gold, pred) -> None:
    words = ("--metric", "accuracy", "--gold", gold, "--pred", pred)
    assert "there is no column 'key'" in refused(capsys, *words, "--id", "key")


@pytest.mark.parametrize("named", ["name", "filenames"])
def test_published_labels_and_predictions_may_be_matched_by_either_name(capsys, tmp_path, named) -> None:
    gold = write_csv(tmp_path / "g.csv", [("x", "joy", "a"), ("y", "fear", "b")], ("name", "label", "note"))
    pred = tmp_path / "p.npz"
    np.savez(pred, filenames=["y", "x"], fileitems=["fear", "joy"])
    assert scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred, "--id", named)["value"] == 1


def test_a_hit_rate_is_never_printed_alone(capsys, tmp_path) -> None:
    from wheel_tables import write_2025

    (tmp_path / "tables").mkdir()
    write_2025(tmp_path / "tables")
    gold = write_csv(tmp_path / "g.csv", [("x", "merry"), ("y", "gloomy")], ("name", "label"))
    pred = tmp_path / "p.npz"
    np.savez(pred, filenames=["x", "y"], fileitems=["[merry, gloomy, livid]", "[gloomy]"])
    words = ("--metric", "hit_rate", "--gold", gold, "--pred", pred, "--tables", tmp_path / "tables")
    result = scored(capsys, *words)
    assert result["value"] == 1 and result["coverage"]["labels_per_item"] == 2
    assert result["coverage"]["wheel_precision"] < 1 and result["controls"]["say_all"] == 1
    assert main(["score", *map(str, words)]) == 0
    out = capsys.readouterr().out
    assert "labels_per_item" in out and "wheel_precision" in out


def test_sentiment_of_mer_unibench_from_its_npz(capsys, tmp_path) -> None:
    gold = tmp_path / "label.npz"
    test = {"a": {"emo": 0, "val": 1.2}, "b": {"emo": 0, "val": -0.4}, "c": {"emo": 0, "val": 0.0}}
    np.savez(gold, test_corpus=test)  # type: ignore[arg-type]
    pred = tmp_path / "p-openset-sentiment.npz"
    np.savez(pred, filenames=["a", "b", "c"], fileitems=["positive", "neutral", "positive"])
    words = ("--gold", gold, "--pred", pred, "--gold-column", "val", "--allow-pickle")
    strict = scored(capsys, "--metric", "mer_unibench_sentiment", *words)
    published = scored(capsys, "--metric", "mer_unibench_sentiment", *words, "--compat", "affectgpt")
    assert published["value"] == 1 and strict["value"] < 1 and strict["n"] == 2


@pytest.mark.parametrize("unknown", [None, "", " ", float("nan")])
def test_items_of_unknown_speakers_are_clusters_of_their_own_and_told(capsys, tmp_path, unknown) -> None:
    rows = [
        {"id": n, "label": "joy", "prediction": "joy", "speaker": unknown if n < 3 else f"s{n % 4}"} for n in range(11)
    ]
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(json.dumps(row) for row in rows))
    words = ["--gold", str(table), "--pred", str(table), "--pred-column", "prediction", "--gold-column", "label"]
    assert main(["score", "--metric", "accuracy", *words, "--cluster", "speaker", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["settings"]["clusters"] == 4 + 3
    assert "3 of 11 items have no speaker: each is a cluster of its own" in err
