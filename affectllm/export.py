"""``affectllm export``: built conversations as what another trainer reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affectllm.corpus.roots import locate, parse_roots
from affectllm.instruct.exports import find_format
from affectllm.instruct.exports.media import check_mode
from affectllm.instruct.exports.page import Format
from affectllm.instruct.exports.source import Survey, conversation_files, survey
from affectllm.instruct.exports.write import Summary, write_export


def export(folder: Path, to: str, out: Path, pairs: Sequence[str], media: str) -> Summary:
    """Write the conversations in ``folder`` for the trainer ``to`` and print what came out.

    Args:
        folder: a run, or its build folder.
        to: a format, see ``affectllm.instruct.exports.format_names``.
        out: folder to write; an earlier export in it is replaced.
        pairs: ``NAME=DIR`` as ``--root`` takes them.
        media: ``link``, ``copy`` or ``path``.

    Raises:
        AffectError: with what to do.
    """
    from affectllm.model import cut

    form, mode = find_format(to), check_mode(media)
    files = conversation_files(folder)
    found = survey(files, apart=form.apart)
    roots = {name: locate(name, parse_roots(pairs)) for name in found.corpora}
    summary = write_export(files, found, form, out, roots, mode, cut)
    print("\n".join(_told(summary, found, form, out)))
    return summary


def _told(summary: Summary, found: Survey, form: Format, out: Path) -> list[str]:
    lines = [f"{'rows':>14}  {split:<24} {count}" for split, count in summary.rows.items()]
    lines += [f"{'rejected':>14}  {reason:<24} {count}" for reason, count in summary.rejected.items()]
    if found.budgets:
        lines.append(f"{'not exported':>14}  {', '.join(found.budgets)} of single rows; set them in the trainer")
    if found.pairs and not form.pairs:
        lines.append(f"{'not exported':>14}  the worse answers; --to trl has a place for them")
    lines += [f"written to {out}", "for the trainer:"]
    return lines + [f"  {line}" for line in summary.advice]
