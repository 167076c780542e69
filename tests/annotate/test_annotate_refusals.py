"""What `affectllm annotate` refuses before the first question, with the line of the page; nothing is asked here."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_in_server import MODEL, StandIn

from affectllm.annotate.command import page_path
from affectllm.cli import main

HEAD = """\
name: made
files: [table.csv]
models:
  a: {model: affectllm-api, options: {base_url: "http://localhost:9/v1", model: one, selftest: false}}
  b: {model: affectllm-api, options: {base_url: "http://localhost:9/v1", model: two, selftest: false}}
steps:
"""
DESCRIBE = "{step: describe, name: told, model: a, see: [text]}"
EXTRACT = "{step: extract, name: labels, models: [a, b], of: told}"
CLOSED = "{step: extract, name: labels, models: [a, b], of: told, space: ekman_6_neutral}"
VOTE = "{step: vote, of: labels, space: ekman_6_neutral}"


def dry(folder: Path, page: str, *words: str) -> int:
    (folder / "table.csv").write_text("id,text\nr0,Good day\n")
    (folder / "page.yaml").write_text(page)
    folders = ["--out", str(folder / "out"), "--answers", str(folder / "answers")]
    return main(["annotate", str(folder / "page.yaml"), "--dry-run", *folders, *words])


def page(*steps: str) -> str:
    return HEAD + "".join(f"  - {step}\n" for step in steps)


def refused(folder: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, *messages: str) -> None:
    assert dry(folder, text) == 2
    told = capsys.readouterr().err
    assert f"page.yaml:{line}: " in told and all(message in told for message in messages), told


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([EXTRACT, VOTE], "votes in ekman_6_neutral, and labels extracts open words"),
        ([CLOSED.replace("ekman_6_neutral", "sentiment_3"), VOTE], "and labels extracts sentiment_3"),
        ([CLOSED.replace("ekman_6_neutral", "goemotions_28")], "is a set space"),
        ([CLOSED.replace("ekman_6_neutral", "made_of_nothing")], "there is no label space"),
    ],
)
def test_labels_are_written_in_their_own_space_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], steps: list[str], message: str
) -> None:
    refused(tmp_path, capsys, page(DESCRIBE, *steps), 7 + len(steps), message)


def test_steps_that_fit_are_taken(tmp_path: Path) -> None:
    assert dry(tmp_path, page(DESCRIBE, CLOSED, VOTE)) == 0
    assert dry(tmp_path, page(DESCRIBE, EXTRACT, "{step: vote, of: labels}")) == 0


def test_a_key_without_a_value_does_not_remove_what_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry(tmp_path, page(DESCRIBE, EXTRACT), "--set", "limit") == 2
    assert "--set 'limit' is not KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ("[table.csv, table.csv]", "it is named twice"),
        ("[calls, calls/one.wav]", "it is named twice"),
        ("[table.csv, other.csv]", "the id 'r0' is that of table.csv:2 too"),
        ("[table.csv, gone/]", "page.yaml:2: there is no "),
        ("[empty/]", "page.yaml:2: there is no clip in "),
        ("[heads.csv]", "page.yaml:2: there is no sample to annotate\n  → the tables have no row"),
        ("[gone.wav]", "page.yaml:2: there is no "),
        ("[notes.pdf]", "page.yaml:2: there is no sample to annotate\n  → rejected: 1 × not_media"),
    ],
)
def test_files_that_are_not_there_or_there_twice_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: str, message: str
) -> None:
    for folder in ("calls", "empty"):
        (tmp_path / folder).mkdir()
    (tmp_path / "heads.csv").write_text("id,text\n")
    for name, text in {"other.csv": "id,text\nr0,Bad day\n", "calls/one.wav": "", "notes.pdf": ""}.items():
        (tmp_path / name).write_text(text)
    assert dry(tmp_path, page(DESCRIBE, EXTRACT).replace("[table.csv]", files)) == 2
    assert message in capsys.readouterr().err


CORPUS_STEP = "{step: statements, space: ekman_6_neutral, rater: crowd, polarity: {%s}}"
MERGE = "{step: merge, name: both, model: b, of: %s}"
PAIRS = "{step: pairs, of: {%s}, space: ekman_6_neutral, vote: vote}"
SECOND = DESCRIBE.replace("told", "again")
OF_SECOND = EXTRACT.replace("told", "again").replace("labels", "of_again")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([DESCRIBE.replace("[text]", "[text], tokens: 0")], "tokens is at least 1, not 0"),
        ([DESCRIBE, EXTRACT.replace("told", "told, tokens: -5")], "tokens is at least 1, not -5"),
        ([DESCRIBE, MERGE % "[told], tokens: 0"], "tokens is at least 1"),
        (["{step: self_review, model: a, of: x, see: [text], tokens: 0}"], "tokens is at least 1"),
        (["{step: synthesize, model: a, space: ekman_6, tokens: 0}"], "tokens is at least 1"),
        ([DESCRIBE, EXTRACT, "{step: distinct, shingle: 0}"], "shingles of 0 words"),
        ([DESCRIBE, EXTRACT, "{step: distinct, threshold: 2.0}"], "is no Jaccard similarity"),
        (["{step: rate, items: 0}"], "items is at least 1, not 0"),
        (["{step: rate, items: -1}"], "items is at least 1, not -1"),
        ([DESCRIBE, EXTRACT.replace("[a, b]", "[a, a]")], "models names 'a' twice"),
        ([DESCRIBE, EXTRACT.replace("[a, b]", "[]")], "models is an empty list"),
        ([DESCRIBE, MERGE % "[]"], "of is an empty list"),
        ([DESCRIBE, MERGE % "[told, told]"], "of names 'told' twice"),
        ([DESCRIBE.replace("[text]", "[text, text]")], "see names 'text' twice"),
        ([CORPUS_STEP % "joy: posi"], "must be one of positive, negative, neutral, not 'posi'"),
    ],
)
def test_values_that_cannot_be_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], steps: list[str], message: str
) -> None:
    refused(tmp_path, capsys, page(*steps), 6 + len(steps), message)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([DESCRIBE, "{step: vote, of: told}"], "vote reads labels, and told leaves words\n  → such are left by none"),
        ([DESCRIBE, "{step: agrees, of: told, space: ekman_6, rater: crowd}"], "agrees reads labels, and told leaves"),
        (
            [DESCRIBE, EXTRACT, MERGE % "[told, labels]"],
            "reads words, and labels leaves labels\n  → such are left by told",
        ),
        ([DESCRIBE, "{step: consistent, of: told}", MERGE % "[consistent]"], "and consistent leaves no note"),
        ([DESCRIBE, EXTRACT, "{step: self_review, model: a, of: labels, see: [text]}"], "self_review reads words"),
        (
            [DESCRIBE, SECOND, EXTRACT, OF_SECOND, VOTE[:-24] + "}", PAIRS % "labels: told, of_again: again"],
            "reads words",
        ),
        (
            [DESCRIBE, SECOND, EXTRACT, OF_SECOND, VOTE[:-24] + "}", PAIRS % "again: labels, told: of_again"],
            "takes the labels of again from labels, which reads told",
        ),
        (
            [
                DESCRIBE,
                CLOSED.replace("ekman_6_neutral", "sentiment_3"),
                AGREES := "{step: agrees, of: labels, space: mikels_8, rater: crowd}",
            ],
            "labels in sentiment_3, of which no label stands for one of mikels_8",
        ),
        ([DESCRIBE, EXTRACT, AGREES], "no sample has a label in mikels_8 by 'crowd'\n  → they have no labels"),
        (
            [DESCRIBE, EXTRACT, "{step: statements, space: ekman_6, rater: nobody}"],
            "no sample has a label in ekman_6 by 'nobody'",
        ),
        ([DESCRIBE, EXTRACT, "{step: shortcut_control, space: ekman_6, rater: x}"], "no space of two judgements"),
    ],
)
def test_what_a_step_reads_is_checked_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], steps: list[str], message: str
) -> None:
    refused(tmp_path, capsys, page(*steps), 6 + len(steps), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("split: test", "split chooses samples of a corpus"),
        ("language: english please", "'english please' is no tag of a language"),
        ("language: english", "'english' is no tag of a language"),
    ],
)
def test_keys_of_the_page_that_would_be_ignored_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: str, message: str
) -> None:
    text = page(DESCRIBE, EXTRACT).replace("files:", f"{changes}\nfiles:")
    refused(tmp_path, capsys, text, 2, message)
    fitting = page(DESCRIBE, EXTRACT).replace("files:", "language: pt-BR\nfiles:")
    assert dry(tmp_path, fitting) == 0


LIKELY = CLOSED.replace("space:", "score_by: likelihood, space:")


@pytest.mark.parametrize(
    ("options", "steps", "line", "message"),
    [
        ("profile: frames", [DESCRIBE, LIKELY], 8, "a tells no likelihoods, only replies"),
        ("image: none", [DESCRIBE.replace("text", "video"), EXTRACT], 7, "the model a does not take video"),
        ("sound: none", [DESCRIBE.replace("text", "audio"), EXTRACT], 7, "the model a does not take audio"),
        (
            "image: none",
            [DESCRIBE, EXTRACT, "{step: self_review, model: a, of: told, see: [video]}"],
            9,
            "the model a does not take video",
        ),
    ],
)
def test_a_model_that_cannot_do_it_is_refused_before_the_first_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str, steps: list[str], line: int, message: str
) -> None:
    text = page(*steps).replace("selftest: false", f"selftest: false, {options}")
    refused(tmp_path, capsys, text, line, message)


@pytest.mark.parametrize(
    ("options", "line", "message"),
    [
        ("budget: {fpss: 2}", 7, "unknown key 'fpss' in models.a.budget\n  → did you mean 'fps'?"),
        ("budget: {max_frames: 0}", 7, "max_frames of a budget is above 0, not 0"),
        ("budget: {fps: .nan}", 7, "fps of a budget is above 0, not nan"),
        ("seconds: -1.0", 7, "seconds are 0 or more, not -1.0"),
        ("quantize: 4bit", 7, "quantize is for weights in this process"),
        ("batch_size: 3", 7, "batch_size is for weights"),
        ("options: {concurrency: x}", 8, "concurrency is no number: 'x'"),
        ("options: {modle: x}", 8, "takes no argument 'modle'\n  → did you mean model?"),
    ],
)
def test_options_of_a_model_are_refused_with_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str, line: int, message: str
) -> None:
    model = "  a:\n    model: affectllm-api\n"
    if options.startswith("options"):
        model += f"    options:\n      base_url: http://localhost:9/v1\n      {options[10:-1]}\n"
    else:
        model += f"    options: {{base_url: 'http://localhost:9/v1', model: one}}\n    {options}\n"
    text = "name: made\nfiles: [table.csv]\nmodels:\n" + model + f"steps:\n  - {DESCRIBE}\n"
    refused(tmp_path, capsys, text, line, message)


def test_answers_that_cannot_be_kept_are_not_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StandIn() as server:
        (tmp_path / "table.csv").write_text("id,text\nr0,Good day\n")
        text = page(DESCRIBE).replace("http://localhost:9/v1", server.url).replace("model: one", f"model: {MODEL}")
        (tmp_path / "page.yaml").write_text("".join(line for line in text.splitlines(True) if "  b:" not in line))
        words = ["annotate", str(tmp_path / "page.yaml"), "--out", str(tmp_path / "out")]
        for shard in ([], ["--shard", "1/2"]):
            assert main([*words, *shard, "--answers", str(tmp_path / "table.csv")]) == 2
            told = capsys.readouterr().err
            assert "table.csv: no folder for answers" in told and "choose another --answers" in told
        assert not server.bodies
        assert main([*words, "--answers", str(tmp_path / "kept")]) == 0 and len(server.bodies) == 1


def test_the_help_names_every_page_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["annotate", "--help"])
    told = capsys.readouterr().out
    assert all(path.stem in told.split("options:")[0] for path in page_path("demo").parent.glob("*.yaml"))
