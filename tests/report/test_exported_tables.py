"""Tables and figures of a report as files: every one, in full numbers, and with no text that becomes a command."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from logged_run import TASK, logged, make_logged
from made_run import score, write

from affectllm.cli import main
from affectllm.report.exports.page_tables import tables_of
from affectllm.report.exports.tables import as_csv, as_latex, file_name, latex, write_tables
from affectllm.report.html import render_report

WORST = "=1+1 & 5 % of $x$_{y}^~\\end{tabular}#"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run, and the folder that its report was exported to."""
    folder = tmp_path_factory.mktemp("exported")
    run = make_logged(folder / "run", logged(60, likelihoods=True))
    write(run / "reference" / "chance" / "scores.json", {TASK: {"uar": score(0.3)}})
    assert main(["report", str(run), "--export", str(folder / "out")]) == 0
    return run, folder / "out"


def test_every_table_and_figure_of_a_report_is_exported(exported: tuple[Path, Path]) -> None:
    run, out = exported
    html = (run / "report.html").read_text(encoding="utf-8")
    assert len(list((out / "tables").iterdir())) == 2 * html.count("<table") > 10
    figures = [path.name for path in (out / "figures").iterdir()]
    for name in ("scores", "calibration", "groups", "confusion", "per_class"):
        for kind in (".png", ".pdf", ".svg"):
            assert any(one.startswith(f"{name}_{TASK}") and one.endswith(kind) for one in figures)
    for path in (out / "figures").iterdir():
        start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[path.suffix]
        assert path.read_bytes().startswith(start) and path.stat().st_size > 2_000


def test_csv_has_the_numbers_of_the_scores_in_full(exported: tuple[Path, Path]) -> None:
    run, out = exported
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))[TASK]
    (path,) = (out / "tables").glob(f"*_{TASK}_UAR.csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert [row["model"] for row in rows] == ["run", "chance reference"]
    for column, key in (("value", "value"), ("95 % interval low", "low"), ("95 % interval high", "high"), ("n", "n")):
        assert float(rows[0][column]) == pytest.approx(scores["uar"][key], rel=1e-9)
    (confusion,) = (out / "tables").glob("*confusion*.csv")
    counts = [[int(cell) for cell in row[1:-1]] for row in list(csv.reader(confusion.open(encoding="utf-8")))[1:]]
    assert counts == json.loads((run / "details.json").read_text(encoding="utf-8"))[TASK]["confusion"]


def test_a_cell_that_spans_rows_stands_in_each_and_drawings_are_left_out() -> None:
    html = (
        '<div aria-label="a region"><table><caption>The <b>caption</b></caption>'
        '<thead><tr><th>class</th><th>run</th><th class="plot"><span>0</span></th><th>F1</th></tr></thead><tbody>'
        '<tr><th rowspan="2">joy</th><td>one</td><td><svg><title>no</title><line/></svg></td>'
        '<td><data value="0.123456">0.123</data></td></tr>'
        "<tr><td>two</td><td></td><td>–</td></tr></tbody></table></div>"
    )
    (table,) = tables_of(html)
    assert (table.name, table.caption) == ("a region", "The caption")
    assert list(csv.reader(io.StringIO(as_csv(table)))) == [
        ["class", "run", "F1"],
        ["joy", "one", "0.123456"],
        ["joy", "two", "–"],
    ]
    text = as_latex(table, "t")
    assert r"\begin{tabular}{llr}" in text and r"joy & one & 0.123 \\" in text and r"joy & two & -- \\" in text


def test_no_text_becomes_a_formula_or_a_command(tmp_path: Path) -> None:
    rows = logged(40)
    for row in rows:
        row["unreadable"] = row["unreadable"] and WORST
    html = render_report([make_logged(tmp_path / "run", rows)]).read_text(encoding="utf-8")
    write_tables(html, tmp_path / "out")
    (plain,) = (tmp_path / "out").glob("*unreadable*.csv")
    assert list(csv.reader(plain.open(encoding="utf-8")))[1][0] == f"'{WORST}"
    text = plain.with_suffix(".tex").read_text(encoding="utf-8")
    assert latex(WORST) in text and text.count(r"\end{tabular}") == 1
    assert not re.search(r"(?<!\\)[&%#_]", latex(WORST))
    assert file_name("../../etc: a b") == "etc_a_b" and file_name("…") == "unnamed"
