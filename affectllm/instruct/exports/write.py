"""Write an export: convert rows to another trainer's files, in constant memory, completely or not at all."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from affectllm.errors import AffectError, explained
from affectllm.folders import whole
from affectllm.instruct.exports.exported import Exported, File, Piece, Refused, Turn
from affectllm.instruct.exports.media import Cutter, Media, Mode
from affectllm.instruct.exports.page import Format, Page
from affectllm.instruct.exports.source import Survey, rows_of
from affectllm.instruct.exports.tokens import control_tokens
from affectllm.lock import LOCK, held
from affectllm.run import write_json
from affectllm.voice import bar

MARK = "export.json"
"""In every export, so that it is known again and only an export is ever replaced."""


@dataclass(frozen=True)
class Summary:
    """The result of an export.

    Args:
        rows: split → rows written.
        rejected: reason → rows left out.
        advice: what to tell the trainer.
    """

    rows: Mapping[str, int]
    rejected: Mapping[str, int]
    advice: Sequence[str]


def write_export(
    files: Mapping[str, Sequence[Path]],
    survey: Survey,
    form: Format,
    out: Path,
    roots: Mapping[str, Path],
    mode: Mode,
    cutter: Cutter,
) -> Summary:
    """Write ``out`` in the format ``form``.

    Args:
        files: split → Parquet files.
        survey: what occurs in them.
        form: what the trainer reads.
        out: folder; an earlier export in it is replaced once the new one is whole.
        roots: corpus name → folder, for every corpus that files come from.
        mode: what happens to files that are used whole.
        cutter: opens clips.

    Raises:
        AffectError: when ``out`` holds something else, or no row can be exported.
    """
    final = out.absolute()
    _refuse_other(final)
    named, used = None if form.relative else final, "path" if form.embeds else mode
    with held(final.with_name(f".{final.name}{LOCK}")), whole(final) as scratch:
        media = Media(roots, scratch, named, used, apart=form.apart, silences=form.silences, cutter=cutter)
        summary = _write(files, survey, form, Page(scratch, final, survey.kinds, {}, pairs=survey.pairs), media)
        record = {"format": form.name, "media": mode, "rows": summary.rows, "rejected": summary.rejected}
        with explained(scratch):
            write_json(scratch / MARK, record)
    return summary


def _write(files: Mapping[str, Sequence[Path]], survey: Survey, form: Format, page: Page, media: Media) -> Summary:
    with (page.scratch / "rejected.jsonl").open("w", encoding="utf-8") as log:
        reader = _Reader(form, media, log, pairs=survey.pairs and form.pairs)
        page.conversations = {
            split: reader.conversations(split, paths, survey.rows[split], page) for split, paths in files.items()
        }
        advice = form.write(page)
    if not page.rows.total():
        reasons = ", ".join(f"{count} × {reason}" for reason, count in reader.rejected.most_common(5)) or "no rows"
        raise AffectError(f"no conversation can be exported ({reasons}), {reader.first}", do="check --root")
    if form.embeds:
        shutil.rmtree(page.scratch / "cut", ignore_errors=True)
    return Summary(dict(page.rows), dict(reader.rejected.most_common()), advice)


class _Reader:
    """Turns rows into conversations, and counts and logs those that a trainer cannot be given."""

    def __init__(self, form: Format, media: Media, log: IO[str], pairs: bool) -> None:
        self.form, self.media, self.log, self.pairs = form, media, log, pairs
        self.rejected: Counter[str] = Counter()
        self.first = "of which none was read"
        self._control = control_tokens(form.tags)

    def conversations(self, split: str, paths: Sequence[Path], count: int, page: Page) -> Iterator[Exported]:
        """Yield the conversations of a split that can be exported."""
        for row in bar(rows_of(paths), desc=f"exporting {split}", total=count, unit=" rows"):
            one = self._exported(row)
            if isinstance(one, Refused):
                self._reject(row, split, one)
                continue
            page.rows[split] += 1
            videos = [file.part for file in one.files("video")]
            heard = sum(bool(part.get("sound")) for part in videos)
            page.heard, page.silent = page.heard + heard, page.silent + len(videos) - heard
            yield one

    def _exported(self, row: Mapping[str, Any]) -> Exported | Refused:
        turns, messages = [], list(row["messages"])
        if self.pairs:
            if (worse := row.get("rejected")) is None:
                return Refused("no_rejected", row["id"], "other rows have a worse answer")
            messages.append({"role": "assistant", "content": worse})
        for message in messages:
            pieces = self._pieces(message["content"])
            if isinstance(pieces, Refused):
                return pieces
            turns.append(Turn(message["role"], pieces))
        rejected = turns.pop() if self.pairs else None
        one = Exported(row["id"], row["corpus"], tuple(turns), rejected)
        if len(turns) < 2 or turns[-1].role != "assistant":
            return Refused("turns", row["id"], "no answer after a question")
        reason = self.form.refuse(one)
        return Refused(reason, row["id"]) if reason else one

    def _pieces(self, content: str | Sequence[Mapping[str, Any]]) -> tuple[Piece, ...] | Refused:
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if refused := _control_token(parts, self._control):
            return refused
        pieces: list[Piece] = []
        for part in parts:
            part_pieces: Sequence[File | str] | Refused
            part_pieces = [part["text"]] if part["type"] == "text" else self.media.files(part)
            if isinstance(part_pieces, Refused):
                return part_pieces
            pieces += part_pieces
        return tuple(pieces)

    def _reject(self, row: Mapping[str, Any], split: str, why: Refused) -> None:
        if not self.rejected:
            self.first = f"the first because of {why.where}"
        self.rejected[why.reason] += 1
        record = {"id": row["id"], "split": split, "reason": why.reason, "where": why.where, "detail": why.detail}
        self.log.write(json.dumps(record, ensure_ascii=False) + "\n")


def _control_token(parts: Sequence[Mapping[str, Any]], tokens: re.Pattern[str]) -> Refused | None:
    # Texts are joined in the file, so a token may lie across two of them.
    text = "".join(part["text"] if part["type"] == "text" else " " for part in parts)
    match = tokens.search(text)
    return None if match is None else Refused("control_token", match.group())


def _refuse_other(final: Path) -> None:
    """Refuse to replace anything that is not an export."""
    if not final.exists() or (final / MARK).is_file() or (final.is_dir() and not any(final.iterdir())):
        return
    raise AffectError("the folder is not empty and is no export", where=str(final), do="choose another --out")
