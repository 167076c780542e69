"""The report of a run: what a reader finds on the page, in the table and in the figures, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_run import SCRIPT, TASK, make_builder, make_clips, make_evaluation, make_run, write, write_lines

from affectllm.errors import Malformed, NotFound
from affectllm.report.html import render_report


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("AFFECTLLM_PATH", str(make_builder(tmp_path / "local")))
    return {"toy": make_clips(tmp_path / "clips")}


class Page(HTMLParser):
    """Counts tags, keeps attributes that point somewhere, and the text between tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.sources: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "poster", "data", "srcset")]

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:  # neither a style nor a script
            self.words.append(data)


def render(run: Path, roots: dict[str, Path]) -> tuple[Page, str]:
    html = render_report([run], None, roots).read_text(encoding="utf-8")
    return Page(html), html


def test_the_page_shows_every_score_with_its_interval_n_and_unreadable_share(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    page, _ = render(run, corpus)
    scores = json.loads((run / "eval" / "scores.json").read_text())[TASK]
    for score in scores.values():
        assert f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}] 12 120 5 %" in page.text
    for label in ("majority", "chance", "oracle", "audio only", "video only", "text only", "all modalities"):
        assert label in page.text
    assert "step 40: 0.5000" in page.text
    assert "media_missing 3" in page.text


def test_confusion_counts_of_the_page_are_those_of_the_evaluation(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    _, html = render(run, corpus)
    matrix = html.partition('<table class="confusion">')[2].partition("</table>")[0]
    rows = [[int(n) for n in re.findall(r'class="count" value="\d+">(\d+)<', row)] for row in matrix.split("<tr>")[2:]]
    assert rows == json.loads((run / "eval" / "details.json").read_text())[TASK]["confusion"]


def test_no_text_of_corpus_or_model_becomes_html(tmp_path: Path, corpus) -> None:
    page, html = render(make_run(tmp_path / "run"), corpus)
    assert page.tags["script"] == 2 and f"{SCRIPT[:8]}document" not in html
    assert html.count('<script type="application/json" id="exports">') == 1, "one of the two is data"
    assert SCRIPT in page.text, "the words are shown as words"
    assert "&lt;b&gt;sp" in html and not re.search(r"<b>sp\d", html)
    for hostile in ('"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "</style><h1>"):
        write(tmp_path / "run" / "eval" / "scores.json", {hostile: {hostile: score_of()}})
        page, html = render(tmp_path / "run", corpus)
        assert hostile in page.text and hostile not in html.replace("{{ 7*7 }}", "")
        assert page.tags["img"] == 0 and page.tags["h1"] == 1


def score_of() -> dict[str, float]:
    return {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9, "unreadable": 0.0}


def test_the_page_points_at_nothing_outside_itself(tmp_path: Path, corpus) -> None:
    page, html = render(make_run(tmp_path / "run"), corpus)
    assert {source.partition(":")[0] for source in page.sources if not source.startswith("#")} == {"data"}
    drawings = "http://www.w3.org/2000/svg"  # the name of their elements, which no browser asks for
    assert not re.search(r"url\(|@import|https?://", html.replace(drawings, ""))
    assert "default-src 'none'" in html


def test_examples_have_players_or_say_why_not(tmp_path: Path, corpus) -> None:
    page, _ = render(make_run(tmp_path / "run"), corpus)
    assert page.tags["video"] >= 4 and page.tags["audio"] >= 1
    assert {"✓ correct", "✗ wrong", "? unreadable"} <= set(page.words)
    page, _ = render(tmp_path / "run", {"toy": tmp_path / "nowhere"})
    assert page.tags["video"] == page.tags["audio"] == 0
    assert page.text.count("not embedded: --root toy=") >= 8
    assert re.search(r"\d+ clips are not embedded", page.text)


def test_several_runs_stand_beside_each_other(tmp_path: Path, corpus) -> None:
    runs = [make_run(tmp_path / "a" / "run"), make_run(tmp_path / "b" / "run", skill=0.4, seed=9)]
    path = render_report(runs, tmp_path / "both", corpus)
    page = Page(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "both" / "report.html"
    assert page.text.count("a run") > 5 and page.text.count("b run") > 5, "runs of one name are told apart"
    assert {p.name for p in (tmp_path / "both" / "report").iterdir()} == {"a run", "b run", "scores.md", "examples"}
    answers = page.text.count("✓ correct") + page.text.count("✗ wrong")
    assert answers > page.tags["article"], "each example shows every run's answer"


def test_figures_and_table_lie_beside_the_page(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    render_report([run], None, corpus)
    folder = run / "report"
    names = {f"confusion_{TASK}.png", f"per_class_{TASK}.png", "ablation.png", "loss.png", "scores.md", "examples"}
    assert {path.name for path in folder.iterdir()} == names
    for picture in folder.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5_000
    table = (folder / "scores.md").read_text(encoding="utf-8").splitlines()
    assert len(table) == 2 + 3 * (1 + 3 + 3), "header, and each metric of the model, its ablations and its references"
    assert {line.count("|") for line in table} == {10}


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    files = [path.read_bytes() for _ in range(2) for path in _rendered(run, corpus)]
    assert files[: len(files) // 2] == files[len(files) // 2 :]


def _rendered(run: Path, corpus: dict[str, Path]) -> list[Path]:
    page = render_report([run], None, corpus)
    return [page, *sorted(path for path in (run / "report").rglob("*") if path.is_file())]


def test_an_evaluation_alone_and_a_training_alone_have_reports(tmp_path: Path, corpus) -> None:
    make_evaluation(tmp_path / "only_eval", 0.7)
    page, _ = render(tmp_path / "only_eval", corpus)
    assert "all modalities" not in page.text and TASK in page.text
    run = make_run(tmp_path / "run")
    (run / "eval").rename(tmp_path / "moved")
    page, _ = render(run, corpus)
    assert "Nothing has been scored" in page.text and "Training" in page.text


def test_a_task_without_labels_is_neither_right_nor_wrong(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    write(run / "eval" / "details.json", {})
    page, _ = render(run, corpus)
    assert "✓ correct" not in page.text and page.tags["article"] > 1


def test_a_class_without_items_has_no_recall(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    details = json.loads((run / "eval" / "details.json").read_text())
    details[TASK]["per_class"]["awe"] = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    write(run / "eval" / "details.json", details)
    page, _ = render(run, corpus)
    assert "awe 0.00 – – 0" in page.text


def test_numbers_that_do_not_exist_are_dashes(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    write(run / "eval" / "scores.json", {TASK: {"bleu": {**score_of(), "value": float("nan"), "low": float("nan")}}})
    page, html = render(run, corpus)
    assert "– [–, 0.600]" in page.text and 'nan%"' not in html


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("eval/scores.json", "{", "not JSON"),
        ("eval/scores.json", json.dumps({TASK: {"uar": {"value": 0.5}}}), "no low"),
        ("train/trainer_state.json", "half", "not JSON"),
        ("build/rejected.jsonl", '{"reason": "tie"}\nhalf a li', "rejected.jsonl:2"),
        (f"eval/samples_{TASK}_2026-11-21T20-15-30.123456.jsonl", '{"doc_id": 1}\n', "logged sample"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, corpus, file: str, content: str, message: str) -> None:
    run = make_run(tmp_path / "run")
    (run / file).write_text(content, encoding="utf-8")
    with pytest.raises(Malformed, match=message) as caught:
        render_report([run], None, corpus)
    assert file in str(caught.value)
    assert not (run / "report.html").exists()


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no scores and no training"):
        render_report([tmp_path], None, {})


def test_the_replies_that_were_scored_are_shown_whatever_the_clock_said(tmp_path: Path, corpus) -> None:
    run = make_run(tmp_path / "run")
    scored = run / "eval" / f"samples_{TASK}_1999-01-01T00-00-00.000001.jsonl"
    other = run / "eval" / f"samples_{TASK}_2026-11-21T20-15-30.123456.jsonl"
    rows = [json.loads(line) for line in other.read_text(encoding="utf-8").splitlines()]
    write_lines(scored, [{**row, "reading": None, "unreadable": "empty"} for row in rows])
    with pytest.raises(Malformed, match="2 runs have left samples of toy_emotion"):
        render(run, corpus)
    write(run / "eval" / "sources.json", {"results": "results_x.json", "samples": {TASK: scored.name}})
    page, _ = render(run, corpus)
    assert "120 of 120 answers could not be read" in page.text and "empty 120 100 %" in page.text


def test_importing_the_room_is_light() -> None:
    heavy = ("torch", "transformers", "datasets", "numpy", "matplotlib", "jinja2", "av", "huggingface_hub", "yaml")
    code = (
        "import affectllm.report.html, affectllm.report.publish, affectllm.model.doctoring.doctor, sys;"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    stdout = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert stdout.strip() == "[]"
