"""Write the report: one self-contained HTML page, with figures as PNG and the scores as Markdown beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError, explained
from affectllm.player import pages
from affectllm.report import display, exact, views
from affectllm.report.boards.guard import changes
from affectllm.report.breakdowns.calibration import calibrations
from affectllm.report.breakdowns.groups import by_group
from affectllm.report.breakdowns.paired import paired
from affectllm.report.charts import loss_chart
from affectllm.report.clips import Gallery
from affectllm.report.examples import gather
from affectllm.report.explorer.page import Explorer, write_examples
from affectllm.report.exports.drawings import write_figures
from affectllm.report.exports.tables import file_name, table_texts, write_tables
from affectllm.report.facts import facts, rejected_total
from affectllm.report.figures import draw_figures
from affectllm.report.pictures import pictures_of
from affectllm.report.protocols import asked_as
from affectllm.report.published import figures, members
from affectllm.report.runfolder import RunData, read_run, untaught_of
from affectllm.report.scoretable import cell_text, code_text, link_text, markdown_table

if TYPE_CHECKING:
    from jinja2 import Environment


_NOTHING = '<script type="application/json" id="exports">[]</script>'


def render_report(
    runs: Sequence[Path],
    out: Path | None = None,
    roots: Mapping[str, Path] | None = None,
    export: Path | None = None,
) -> Path:
    """Write the report of one run, or of several side by side.

    Args:
        runs: folders that ``affectllm run`` or ``affectllm eval`` made; the first gives the examples.
        out: the page (``….html``) or a folder for it; by default ``report.html`` in the first run's folder. A folder of
            the page's name without its suffix gets ``scores.md`` and the figures.
        roots: corpus → folder, for the clips of the examples.
        export: a folder that gets ``tables`` (CSV and LaTeX) and ``figures`` (PNG, PDF and SVG) of the page.

    Returns:
        The path of the page.

    Raises:
        NotFound: when a folder holds neither scores nor a training.
        Malformed: when a file of a run cannot be read.
        WriteFailed: when the page cannot be written.
    """
    if not runs:
        raise AffectError("no run was named", do="give the folder of at least one run")
    data = _distinct([read_run(folder) for folder in runs])
    page = _page_path(runs[0], out)
    folder = page.with_suffix("")
    with explained(page):
        folder.mkdir(parents=True, exist_ok=True)
        explorer = write_examples(data, views.tasks_of(data), page, roots or {})
    view = page_view(data, roots or {}, explorer)
    html = _rendered(view)
    with explained(page):
        scratch = page.with_name(f".{page.name}.part")
        scratch.write_text(html, encoding="utf-8")
        scratch.replace(page)
        (folder / "scores.md").write_text(markdown_table(data), encoding="utf-8")
        for run in data:
            draw_figures(run, folder / run.name if len(data) > 1 else folder)
    if export is not None:
        with explained(export):
            write_tables(html, export / "tables")
            write_figures(data, view["tasks"], export / "figures")
    return page


def _rendered(view: Mapping[str, Any]) -> str:
    """Return the page; what its buttons save of tables is read out of the page itself, as what the command exports."""
    script = environment().get_template("report.js").render(explorer=view["explorer"] is not None)
    facts = {**view, "script": script, "digest": pages.digest(script)}
    html = environment().get_template("report.html").render(facts, exports=_NOTHING)
    texts = json.dumps(table_texts(html), ensure_ascii=False).replace("<", "\\u003c")
    # No text of a run is markup, so this stands in the page once.
    return html.replace(_NOTHING, f'<script type="application/json" id="exports">{texts}</script>')


def _page_path(first: Path, out: Path | None) -> Path:
    if out is None:
        return first / "report.html"
    return out if out.suffix == ".html" else out / "report.html"


def _distinct(runs: Sequence[RunData]) -> list[RunData]:
    """Give the runs distinct names: the folder's name, with its parent's where two are called the same."""
    names = [run.name for run in runs]
    named: list[RunData] = []
    for number, run in enumerate(runs, 1):
        name = f"{run.folder.resolve().parent.name} {run.name}" if names.count(run.name) > 1 else run.name
        used = {other.name for other in named}
        named.append(replace(run, name=f"{name} ({number})" if name in used else name))
    return named


def page_view(runs: Sequence[RunData], roots: Mapping[str, Path], explorer: Explorer | None) -> dict[str, Any]:
    """Return everything that the page shows; its templates escape every text of a corpus, a model or a recipe.

    Args:
        explorer: the examples that lie beside the page; None where there are none.
    """
    gallery = Gallery(roots)
    names = views.tasks_of(runs)
    many = 4 if len(names) <= 3 else 2 if len(names) <= 8 else 1
    return {
        "runs": [run.name for run in runs],
        "tasks": [_task(runs, task, gallery, many) for task in names],
        "explorer": explorer,
        "charts": [(run.name, chart) for run in runs for one in run.histories if (chart := loss_chart(one))],
        "guards": [(run.name, rows) for run in runs if (rows := changes(run.folder / "eval"))],
        "untaught": [(run.name, line) for run in runs for line in untaught_of(run.manifests)],
        "sampled": [(run.name, run.replies) for run in runs if run.replies],
        "facts": [facts(run) for run in runs],
        "rejected": rejected_total(runs),
        "left_out": gallery.left_out,
    }


def _task(runs: Sequence[RunData], task: str, gallery: Gallery, many: int) -> dict[str, Any]:
    return {
        "name": task,
        "details": views.details_of(runs, task),
        "panels": views.panels(runs, task),
        "human": views.human_of(runs, task),
        "asked": asked_as(runs, task),
        "published": figures(runs, task),
        "members": members(runs, task),
        "pictures": pictures_of(runs, task),
        "confusions": views.confusions(runs, task),
        "classes": views.class_rows(runs, task),
        "ablations": views.ablations(runs, task),
        "paired": paired(runs, task),
        "calibrations": calibrations(runs, task),
        "groups": by_group(runs, task),
        "gathered": gather(runs, task, gallery, many),
    }


def write_page(template: str, view: Mapping[str, Any], out: Path) -> Path:
    """Render a page that links to clips beside it, and write it atomically.

    Raises:
        WriteFailed: when the file system refuses.
    """
    script = environment().get_template("finder.js").render()
    text = environment().get_template(template).render(**view, script=script, script_hash=pages.digest(script))
    with explained(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = out.with_name(f".{out.name}.part")
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(out)
    return out


def environment() -> Environment:
    """Return the Jinja environment of the report."""
    env = pages.environment("affectllm.report")
    env.filters.update(
        number=display.number, percent=display.percent, interval=display.interval, clusters=display.clusters
    )
    env.filters |= {
        "cell": cell_text,
        "link": link_text,
        "code": code_text,
        "file_name": file_name,
        "seconds": display.seconds,
        **exact.filters(),
    }
    return env
