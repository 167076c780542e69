"""What `affectllm annotate` refuses before the first question, with the line of the page; nothing is asked here."""

from __future__ import annotations

from pathlib import Path

import pytest

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
        ("[gone.wav]", "page.yaml:2: there is no "),
        ("[notes.pdf]", "page.yaml:2: there is no sample to annotate\n  → rejected: 1 × not_media"),
    ],
)
def test_files_that_are_not_there_or_there_twice_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: str, message: str
) -> None:
    (tmp_path / "calls").mkdir()
    for name, text in {"other.csv": "id,text\nr0,Bad day\n", "calls/one.wav": "", "notes.pdf": ""}.items():
        (tmp_path / name).write_text(text)
    assert dry(tmp_path, page(DESCRIBE, EXTRACT).replace("[table.csv]", files)) == 2
    assert message in capsys.readouterr().err
