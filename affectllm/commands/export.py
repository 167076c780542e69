"""affectllm export: write built conversations as other trainers read them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from affectllm.commands.parts.options import root_option

if TYPE_CHECKING:
    from affectllm.corpus.roots import Roots
    from affectllm.instruct.exports.page import Format
    from affectllm.instruct.exports.source import Survey
    from affectllm.instruct.exports.write import Summary


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a run, or its build folder")
    parser.add_argument("--to", required=True, metavar="FORMAT", help="the trainer: see `affectllm ls exports`")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    root_option(parser)
    parser.add_argument(
        "--media",
        choices=("link", "copy", "path"),
        default="link",
        help="whole clips: linked into DIR, copied there, or named where they lie (default: link)",
    )


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots

    export(arguments.folder, arguments.to, arguments.out, Roots.parse(arguments.root), arguments.media)


def export(folder: Path, to: str, out: Path, roots: Roots, media: str) -> Summary:
    """Write the conversations in ``folder`` for the trainer ``to`` and print what came out.

    Args:
        folder: a run, or its build folder.
        to: a format, see ``affectllm.instruct.exports.format_names``.
        out: folder to write; an earlier export in it is replaced.
        roots: where the corpora of the clips lie.
        media: ``link``, ``copy`` or ``path``.

    Raises:
        AffectError: with what to do.
    """
    from affectllm.instruct.exports import find_format
    from affectllm.instruct.exports.media import check_mode
    from affectllm.instruct.exports.source import conversation_files, survey
    from affectllm.instruct.exports.write import write_export
    from affectllm.model.clips import cut

    form, mode = find_format(to), check_mode(media)
    files = conversation_files(folder)
    content = survey(files, apart=form.apart)
    folders = roots.find_all(content.corpora)
    summary = write_export(files, content, form, out, folders, mode, cut)
    print("\n".join(_summary_lines(summary, content, form, out)))
    return summary


def _summary_lines(summary: Summary, content: Survey, form: Format, out: Path) -> list[str]:
    lines = [f"{'rows':>14}  {split:<24} {count}" for split, count in summary.rows.items()]
    lines += [f"{'rejected':>14}  {reason:<24} {count}" for reason, count in summary.rejected.items()]
    if content.budgets:
        lines.append(f"{'not exported':>14}  {', '.join(content.budgets)} of single rows; set them in the trainer")
    if content.pairs and not form.pairs:
        lines.append(f"{'not exported':>14}  the worse answers; --to trl has a place for them")
    lines += [f"written to {out}", "for the trainer:"]
    return lines + [f"  {line}" for line in summary.advice]
