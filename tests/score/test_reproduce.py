"""``affectllm reproduce`` on a page of one's own: values that are equal, explained, unexplained or missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectllm.cli import main
from affectllm.errors import Malformed
from affectllm.score.ledger.document import chapter
from affectllm.score.ledger.entries import load
from affectllm.score.ledger.printed import Printed
from affectllm.score.ledger.stored import seen_before

PAGE = """\
# Mine: two labels and what somebody answered.
paper: Somebody, 2026
system: a system
obtain: {{mine: "https://example.org/mine"}}
tables:
  gold: {{root: mine, path: gold.csv, rows: 5{sha256}}}
  answers: {{root: mine, path: answers.csv}}
checks:
  - of: all items
    metric: accuracy
    gold: {{table: gold, column: label, id: name, map: {{"0": joy, "1": anger}}}}
    answers: {{table: answers, column: reply, id: name, pattern: "^answer: (.*)$"}}
    published: "{published}"
    unit: percent
    source: table 1
    evidence: checked
{more}"""
GOLD = "name,label\na,0\nb,1\nc,1\nd,0\ne,2\n"
ANSWERS = "name,reply\na,answer: joy\nb,answer: anger\nc,answer: joy\nd,no idea\ne,answer: joy\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two of four answers are right, one is unreadable; the fifth item has a label that is not in the map."""
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    (tmp_path / "reproductions").mkdir()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "gold.csv").write_text(GOLD, encoding="utf-8")
    (tmp_path / "files" / "answers.csv").write_text(ANSWERS, encoding="utf-8")
    write(tmp_path)
    return tmp_path


def write(folder: Path, published: str = "50.0", more: str = "", sha256: str = "") -> Path:
    path = folder / "reproductions" / "mine.yaml"
    path.write_text(PAGE.format(published=published, more=more, sha256=sha256), encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], folder: Path, *words: str, status: int = 0) -> str:
    assert main(["reproduce", "mine", "--root", f"mine={folder / 'files'}", *words]) == status
    printed = capsys.readouterr()
    return printed.err if status == 2 else printed.out


def test_an_equal_value_with_what_was_left_out(capsys, folder) -> None:
    (page,) = json.loads(run(capsys, folder, "--json"))
    (check,) = page["checks"]
    assert (check["status"], check["value"], check["published"], check["n"]) == ("equal", 0.5, 0.5, 4)
    assert check["rejected"] == {"not_in_map:2": 1, "unreadable_no_match": 1, "predictions_without_item": 1}
    assert page["files"]["gold"]["rows"] == 5 and len(page["files"]["gold"]["sha256"]) == 16
    text = run(capsys, folder)
    assert "50.0 %" in text and "50.000 %" in text and "1 × unreadable_no_match" in text and "equal" in text


def test_an_unequal_value_needs_its_reason_and_an_equal_one_must_have_none(capsys, folder) -> None:
    write(folder, "61.5")
    assert "mine.yaml:9 does not say why" in run(capsys, folder, status=1)
    write(folder, "61.5", '    differs: "two items were added later"\n')
    text = run(capsys, folder)
    assert "two items were added later" in text and "61.5 %" in text
    write(folder, "50.0", '    differs: "two items were added later"\n')
    assert "not different" in run(capsys, folder, status=1)


def test_an_equal_value_by_a_computation_that_was_chosen_for_it_is_no_reproduction(capsys, folder) -> None:
    path = write(folder, more='    chosen: "the source does not say how"\n')
    path.write_text(path.read_text(encoding="utf-8").replace("obtain:", 'note: "a copy"\nobtain:'), encoding="utf-8")
    text = run(capsys, folder, "--record")
    assert "equal, as chosen" in text and "chosen: the source does not say how" in text and "note: a copy" in text
    lines = [line for line in chapter([load(path)]) if isinstance(line, str)]
    assert "Of 1 published numbers on 1 pages, 0 scores and 0 counts are" in lines
    assert "- `mine`: the source does not say how." in lines and "- `mine`: a copy." in lines
    write(folder)  # how a number is told of is no part of what was computed
    assert "Of 1 published numbers on 1 pages, 1 scores and 0 counts are" in list(chapter([load(path)]))
    write(folder, "61.5", '    chosen: "the source does not say how"\n')
    assert "does not say why" in run(capsys, folder, status=1)


def test_what_is_not_at_hand_is_never_a_reproduction(capsys, folder) -> None:
    (folder / "files" / "answers.csv").unlink()
    text = run(capsys, folder, "--json", status=1)
    (check,) = json.loads(text)[0]["checks"]
    assert check["status"] == "not at hand" and check["value"] is None and "answers.csv" in check["remark"]
    assert main(["reproduce", "mine"]) == 1  # no root at all
    text = capsys.readouterr().out
    assert "--root mine=DIR" in text and "https://example.org/mine" in text
    assert main(["reproduce", "mine", "--record"]) == 2
    assert "nothing is recorded" in capsys.readouterr().err


def test_another_file_than_the_one_of_the_page_is_told(capsys, folder) -> None:
    write(folder, sha256=', sha256: "0123456789abcdef"')
    assert "gold is another file than the page's: its hash" in run(capsys, folder, status=1)
    write(folder)
    with (folder / "files" / "gold.csv").open("a", encoding="utf-8") as file:
        file.write("f,0\n")
    text = run(capsys, folder, status=1)
    assert "6 rows, not 5" in text and "equal" not in text


def test_what_was_seen_is_recorded_and_belongs_to_the_page(capsys, folder) -> None:
    assert json.loads(run(capsys, folder, "--record", "--json"))
    path = folder / "reproductions" / "mine.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["command"] == "affectllm reproduce mine --root mine=DIR" and content["checks"][0]["value"] == 0.5
    assert seen_before(load(write(folder)))[0]["n"] == 4
    with pytest.raises(Malformed, match=r"mine.yaml:9: all items: differs: is missing"):
        seen_before(load(write(folder, "61.5")))
    with pytest.raises(Malformed, match=r"mine.yaml:9: all items: differs: explains a difference"):
        seen_before(load(write(folder, more='    differs: "by chance"\n')))
    with pytest.raises(Malformed, match="no longer asks for: all items"):
        seen_before(load(write(folder, more="    invalid: drop\n")))
    path.write_text("{", encoding="utf-8")
    with pytest.raises(Malformed, match="not the result of a reproduction"):
        seen_before(load(write(folder)))
    write(folder, "61.5")
    assert "so nothing is recorded" in run(capsys, folder, "--record", status=2)


def test_a_compat_value_stands_beside_the_strict_one(capsys, folder) -> None:
    more = "    invalid: drop\n"
    write(folder, "66.7", more)
    (check,) = json.loads(run(capsys, folder, "--json"))[0]["checks"]
    assert (check["status"], check["value"], check["strict"]) == ("equal", pytest.approx(2 / 3), 0.5)


COUNTS = """\
# Counts and means of votes.
paper: Somebody, 2026
system: ten people
obtain: {mine: here}
tables:
  votes: {root: mine, path: votes.csv, votes: {J: joy, F: fear}}
  clips: {root: mine, path: votes.csv}
checks:
  - {of: votes, count: {table: votes}, by: vote, each: {joy: "3", fear: "1", anger: "0"}, source: a, evidence: checked}
  - {of: strength, mean: {table: clips, column: strength}, published: "1.50", source: a, evidence: abstract}
  - of: acted
    metric: accuracy
    gold: {table: votes, column: clip, pattern: "_([a-z]+)$"}
    answers: {table: votes, column: vote}
    published: "0.75"
    source: a
    evidence: checked
"""


def test_votes_are_unfolded_counts_may_be_nothing_and_means_are_taken(capsys, folder) -> None:
    (folder / "reproductions" / "mine.yaml").write_text(COUNTS, encoding="utf-8")
    votes = folder / "files" / "votes.csv"
    votes.write_text("clip,J,F,strength\n1_joy,2,0,1\n2_joy,1,1,2\n", encoding="utf-8")
    checks = json.loads(run(capsys, folder, "--json"))[0]["checks"]
    assert {check["of"]: check["value"] for check in checks} == {
        **{"votes, joy": 3.0, "votes, fear": 1.0, "votes, anger": 0.0},
        **{"strength": 1.5, "acted": 0.75},
    }
    assert {check["status"] for check in checks} == {"equal"}
    votes.write_text("clip,J,F,strength\n1_joy,2,0,1\n2_joy,half,1,2\n", encoding="utf-8")
    assert "votes.csv:3: 'half' in column J is no number of votes" in run(capsys, folder, status=2)
    votes.write_text("clip,J,F,strength\n1_joy,2,0,much\n", encoding="utf-8")
    assert "votes.csv:2: 'much' is no number" in run(capsys, folder, status=2)


BANDS = """\
# Numbers that stand for classes.
paper: Somebody, 2026
system: a system
obtain: {mine: here}
tables:
  gold: {root: mine, path: gold.csv}
  answers: {root: mine, path: answers.csv}
checks:
  - of: classes
    metric: micro_f1
    gold: {table: gold, column: mean, id: name, bands: {neutral: [0, 0], bad: [-4, 0], good: [0, 4]}}
    answers: {table: answers, column: score, id: name, bands: {neutral: [-0.1, 0.1], bad: [-1, 0], good: [0, 1]}}
    options: {score_labels: [bad, good]}
    published: "0.75"
    source: a
    evidence: checked
"""


def test_numbers_are_read_into_the_first_band_that_holds_them(capsys, folder) -> None:
    path = folder / "reproductions" / "mine.yaml"
    path.write_text(BANDS, encoding="utf-8")
    gold, answers = folder / "files" / "gold.csv", folder / "files" / "answers.csv"
    gold.write_text("name,mean\na,2\nb,-1.5\nc,0\nd,0.2\ne,3\nf,much\ng,9\n", encoding="utf-8")
    answers.write_text("name,score\na,0.9\nb,-0.2\nc,0.1\nd,0.05\ne,0.3\nf,1\ng,1\n", encoding="utf-8")
    (check,) = json.loads(run(capsys, folder, "--json", status=1))[0]["checks"]
    assert check["value"] == pytest.approx(2 * 3 / (3 + 4)) and check["n"] == 5  # d is good, and called neutral
    assert check["rejected"] == {"no_number": 1, "in_no_band": 1, "predictions_without_item": 2}
    path.write_text(BANDS.replace("[-4, 0]", "[0, -4]"), encoding="utf-8")
    assert "mine.yaml:9: the band of bad is its lowest and its highest number" in run(capsys, folder, status=2)


MEMBERS = """\
# What lies inside a JSON object, and one value an item from another table.
paper: Somebody, 2026
system: a system
obtain: {mine: here}
tables:
  gold: {root: mine, path: results.json, member: truth}
  replies: {root: mine, path: results.json, member: runs/1/replies}
checks:
  - of: items
    metric: pearson_per_group
    gold: {table: gold, column: value, id: id}
    answers: {table: replies, column: value, id: id}
    columns: {groups: {table: groups, column: kind, id: name}}
    published: "1.00"
    source: a
    evidence: checked
"""


def test_members_of_an_object_and_columns_of_another_table_are_read(capsys, folder) -> None:
    path = folder / "reproductions" / "mine.yaml"
    path.write_text(MEMBERS.replace("checks:", "  groups: {root: mine, path: groups.csv}\nchecks:"), encoding="utf-8")
    truth = {name: number for number, name in enumerate("abcd")}
    replies = {"1": {"replies": {name: 2 * number for name, number in truth.items()}}}
    (folder / "files" / "results.json").write_text(json.dumps({"truth": truth, "runs": replies}), encoding="utf-8")
    (folder / "files" / "groups.csv").write_text("name,kind\na,x\nb,x\nc,y\nd,y\n", encoding="utf-8")
    assert json.loads(run(capsys, folder, "--json"))[0]["checks"][0]["status"] == "equal"
    (folder / "files" / "groups.csv").write_text("name,kind\na,x\nb,x\nc,y\n", encoding="utf-8")
    assert "groups.csv: 1 items are missing in it, such as 'd'" in run(capsys, folder, status=2)
    path.write_text(path.read_text(encoding="utf-8").replace("runs/1/", "runs/2/"), encoding="utf-8")
    assert "results.json: there is no 'runs/2/replies' in it" in run(capsys, folder, status=2)
    (folder / "files" / "results.json").write_text('{"truth": {"a": 1,\n oh}', encoding="utf-8")
    assert "results.json:1: the rest of the file cannot be read" in run(capsys, folder, status=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("metric: accuracy", "metric: acuracy"), "mine.yaml:9: there is no metric called 'acuracy'"),
        (('published: "50.0"', "published: 50.0"), "mine.yaml:13: checks.0.published must be text, not 50.0"),
        (('published: "50.0"', 'published: "half"'), "mine.yaml:9: the published value 'half' is no decimal number"),
        (("evidence: checked", "evidence: hearsay"), "mine.yaml:16: checks.0.evidence must be one of checked"),
        (("table: gold,", "table: golden,"), "mine.yaml:9: there is no table called 'golden'"),
        (("column: label", "column: labels"), "gold.csv: there is no column 'labels'"),
        (("source: table 1", "sauce: table 1"), "did you mean 'source'"),
        (("path: answers.csv", "path: answers.csv, corpus: meld"), "mine.yaml:7: the table answers is either"),
        (("root: mine, path: answers", "root: yours, path: answers"), "mine.yaml:7: obtain: does not say where yours"),
        (("metric: accuracy", "metric: accuracy\n    part: details.f1"), "accuracy has no number called 'details.f1'"),
        (("id: name, map", "id: nome, map"), "there is no column 'nome'"),
        (('"^answer: (.*)$"', '"^answer: .*$"'), "mine.yaml:9: the pattern '^answer: .*$' has no group"),
        (('"^answer: (.*)$"', '"^answer: (.*$"'), "mine.yaml:9: '^answer: (.*$' is no regular expression"),
        (("id: name, map", "id: name, matching: {label: '['}, map"), "mine.yaml:9: '[' is no regular expression"),
        (("metric: accuracy", "metric: pearson\n    labels: [joy]"), "mine.yaml:9: pearson takes no"),
        (("metric: accuracy", "metric: accuracy\n    compat: nobody"), "mine.yaml:9: "),
        (("metric: accuracy", "metric: accuracy\n    read: nobody"), "mine.yaml:9: there is no reader called 'nobody'"),
        (("metric: accuracy", "metric: accuracy\n    options: {strange: 1}"), "mine.yaml:9: "),
        (("checks:", "  more: {root: mine, path: gold.csv}\nchecks:"), "mine.yaml:8: no check reads the table more"),
        (
            ("metric: accuracy", "metric: accuracy\n    count: {table: gold}"),
            "mine.yaml:9: a check has either a metric",
        ),
    ],
)
def test_a_wrong_page_is_refused_with_its_line(capsys, folder, change, message) -> None:
    path = folder / "reproductions" / "mine.yaml"
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    assert message in run(capsys, folder, status=2)


def test_roots_and_pages_that_do_not_exist_are_refused(capsys, folder) -> None:
    assert "did you mean mine" in run(capsys, folder, "--root", "mein=x", status=2)
    assert "there is no such folder" in run(capsys, folder, "--root", f"mine={folder / 'nowhere'}", status=2)
    assert main(["reproduce", "mime"]) == 2 and "did you mean mine" in capsys.readouterr().err
    assert main(["reproduce", str(folder / "reproductions" / "mine.yaml"), "--root", f"mine={folder / 'files'}"]) == 0


@pytest.mark.parametrize(
    ("text", "unit", "value", "equal"),
    [
        ("79.8", "percent", 0.79827, True),
        ("79.80", "percent", 0.79827, False),
        ("40.9", "percent", 0.40003, False),
        ("68.2", "", 68.15, True),  # halves may be rounded either way
        ("68.1", "", 68.15, True),
        ("0.50", "", 0.4951, True),
        ("0.50", "", 0.4949, False),
        ("1109", "", 1109.0, True),
        ("1109", "", 1110.0, False),
        ("0.581777108433735", "", 0.5817771084337349, True),
        ("-0.04", "", -0.0449, True),
    ],
)
def test_equal_means_to_the_digit_that_was_printed(text, unit, value, equal) -> None:
    assert Printed(text, unit).equals(value) is equal


def test_a_matrix_of_numpy_is_a_table(capsys, tmp_path) -> None:
    np.save(tmp_path / "gold.npy", np.array([[1, 0], [0, 1], [1, 1]]))
    np.save(tmp_path / "scores.npy", np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]))
    words = ["--metric", "mean_average_precision", "--gold-column", "1,2", "--pred-column", "1,2", "--json"]
    files = ["--gold", str(tmp_path / "gold.npy"), "--pred", str(tmp_path / "scores.npy")]
    assert main(["score", *words, *files]) == 0 and json.loads(capsys.readouterr().out)["value"] == 1
    np.save(tmp_path / "gold.npy", np.zeros((2, 2, 2)))
    assert main(["score", *words, *files]) == 2 and "an array of 3 dimensions is no table" in capsys.readouterr().err
    (tmp_path / "gold.npy").write_text("no array", encoding="utf-8")
    assert main(["score", *words, *files]) == 2 and "not an array of plain values" in capsys.readouterr().err
