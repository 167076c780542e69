"""`affectllm eval` in the terminal: a table of ours on stdout, chatter of libraries in the log, JSON for programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import affectllm
from affectllm import voice
from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    materialise(load_builder("emodb").MINIATURE, tmp_path / "emodb")
    return ["eval", "--model", "affectllm-oracle", "--tasks", "emodb_emotion", "--root", f"emodb={tmp_path / 'emodb'}"]


def test_a_table_stands_on_stdout_and_what_libraries_say_in_the_log(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "affectllm.cli", *words, "--output_path", str(tmp_path / "scores")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    head, row = done.stdout.splitlines()
    assert head.split()[:3] == ["task", "metric", "value"] and row.split()[:3] == ["emodb_emotion", "UAR", "1.000"]
    lines = done.stderr.replace("\r", "\n").splitlines()
    told = [line for line in lines if line.strip() and not line.startswith("questions:")]
    assert told == [f"scores: {tmp_path / 'scores'}; a page of them: affectllm report {tmp_path / 'scores'}"] or (
        "items asked" in told[0] and len(told) == 2  # the miniature has fewer items than the release
    )
    assert "lm_eval" in (tmp_path / "scores" / "log.txt").read_text(encoding="utf-8")


def test_json_is_all_that_stands_on_stdout(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["emodb_emotion"]["uar"]["value"] == 1.0 and "low" in scores["emodb_emotion"]["uar"]


def test_without_an_output_folder_there_are_intervals_and_nothing_is_left(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main(words) == 0
    assert "95 % interval" in capsys.readouterr().out and not list((tmp_path / "here").iterdir())


def test_samples_are_not_written_into_a_folder_that_goes_away(words: list[str]) -> None:
    with pytest.raises(ValueError, match="output_path"):
        main([*words, "--log_samples"])


def test_tasks_of_others_keep_their_own_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "2 and 2?", "a": "4"}\n', encoding="utf-8")
    page = f"""
task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{tmp_path / "rows.jsonl"}"}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{q}}}}"
doc_to_target: "{{{{a}}}}"
metric_list: [{{metric: exact_match}}]
"""
    (tmp_path / "sums.yaml").write_text(page, encoding="utf-8")
    words = ["eval", "--model", "dummy", "--tasks", "sums", "--include_path", str(tmp_path)]
    assert main(words) == 0
    assert "exact_match" in capsys.readouterr().out


def test_every_bar_is_made_in_one_place_so_that_a_quiet_command_hides_it() -> None:
    own = re.compile(r"import tqdm|from tqdm")
    texts = {path.name: path.read_text(encoding="utf-8") for path in Path(affectllm.__file__).parent.rglob("*.py")}
    assert {name for name, text in texts.items() if own.search(text)} == {"voice.py"}


UNREACHED = """
import datetime, sys
from affectllm import voice
voice.settle(sys.argv[1:])
import torch.distributed as parts
try:
    parts.TCPStore("127.0.0.1", 9, is_master=False, timeout=datetime.timedelta(seconds=1))
except parts.DistNetworkError:
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), pytest.param(("--verbose",), marks=pytest.mark.thorough)])
def test_errors_of_torchs_own_code_are_seen_and_its_warnings_where_they_are_asked_for(words: tuple[str, ...]) -> None:
    """A store that nobody serves: PyTorch warns that it tries again, and gives up with an error."""
    own = {name: value for name, value in os.environ.items() if name not in ("TORCH_CPP_LOG_LEVEL", voice.OUTPUT)}
    done = subprocess.run([sys.executable, "-c", UNREACHED, *words], env=own, capture_output=True, text=True)
    kinds = set(re.findall(r"^\[(\w)\d+ ", done.stderr, re.MULTILINE))
    assert kinds == ({"E", "W"} if words else {"E"}), done.stderr[-2000:]


def test_a_slow_bar_says_how_long_each_takes_and_a_fast_one_how_many_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setenv(voice.OUTPUT, "")
    shown = voice.bar(total=4, desc="preparing train", unit=" rows")
    shown.start_t -= 6
    shown.update(3)
    shown.refresh()
    assert re.search(r"preparing train: +75%.* 3/4 .*2.00s each", capsys.readouterr().err)
    shown.start_t += 5
    shown.refresh()
    assert re.search(r"\d rows/s\]", capsys.readouterr().err)
    shown.close()


@pytest.mark.parametrize(
    ("loudness", "unwanted", "expected"), [("quiet", False, True), ("", False, False), ("", True, True)]
)
def test_a_bar_is_hidden_where_nobody_wants_it(
    loudness: str, unwanted: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(voice.OUTPUT, loudness)
    assert voice.hidden(unwanted) is expected
