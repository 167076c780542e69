"""Where replies that are to be spoken come from: a table, the log of an evaluation, talks with simulated users."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.records.rows import Record, read_rows
from affectllm.corpus.roots import Roots
from affectllm.empathy.conversations import text_message, turn_message
from affectllm.empathy.converse import STAGE, TALKS
from affectllm.empathy.evaluated import logged_file, samples_of, words_of
from affectllm.empathy.replies_page import text_or_none
from affectllm.empathy.speak_page import ROLES, SpeakPage
from affectllm.errors import Malformed
from affectllm.instruct.conversation import Messages, media_parts
from affectllm.model.family import Family
from affectllm.predict.answering import Takes
from affectllm.predict.chat import shown
from affectllm.predict.items import ROOTS, clip_ref
from affectllm.report.replies import Reply, read_replies
from affectllm.run import require


@dataclass(frozen=True)
class ToSpeak:
    """A reply that is to be spoken.

    Args:
        id: its name.
        messages: what was said and shown before it; empty where that is not there.
        reply: the words; None where the model is to find them.
        reference: absolute path of a clip of the real reply.
        target: the emotion that is meant.
        item: what several systems reply to.
        reason: why there is nothing to be spoken; empty where there is.
        detail: what exactly.
    """

    id: str
    messages: Messages = ()
    reply: str | None = None
    reference: str = ""
    target: str = ""
    language: str = ""
    item: str = ""
    reason: str = ""
    detail: str = ""


def facts_of(one: ToSpeak) -> dict[str, Any]:
    """Return what decides the row of a reply beside what was said before it."""
    return {name: value for name, value in asdict(one).items() if name != "messages"}


def replies_to_speak(
    page: SpeakPage, base: Path, roots: Roots, family: Family
) -> tuple[list[ToSpeak], Mapping[str, Path]]:
    """Return the replies of a page in their order, and corpus → folder of the clips before them.

    Args:
        base: folder that paths of the page are relative to.
        family: of the model, whose modalities are shown.

    Raises:
        AffectError: for a table, an evaluation or talks that cannot be used, or clips that the model does not take.
        Malformed: when two replies have one name, or there is none.
    """
    if page.evaluation:
        items, found = _of_evaluation(page, base, roots)
    elif page.talks:
        items, found = list(_of_talks(base / Path(page.talks).expanduser())), {}
    else:
        items, found = list(_of_table(page, base / Path(page.table).expanduser(), family)), dict(ROOTS)
    source = page.table or page.evaluation or page.talks
    if all(one.reason for one in items):
        lost = ", ".join(f"{count} × {reason}" for reason, count in Counter(one.reason for one in items).items())
        raise Malformed(f"nothing can be spoken ({lost or 'there is no reply'})", where=source, do="give replies")
    seen = set[str]()
    for one in items:
        if one.id in seen:
            raise Malformed(f"two replies are called {one.id!r}", where=source, do="rename one")
        seen.add(one.id)
    return items, found


def _of_table(page: SpeakPage, table: Path, family: Family) -> Iterator[ToSpeak]:
    takes = Takes(family.name, frozenset(family.modalities), bool(family.sound))
    for row in read_rows(table, table.parent):
        if isinstance(row, Rejection):
            yield ToSpeak(row.item, reason=row.reason, detail=row.detail)
            continue
        if absent := [name for name in page.columns.values() if name not in row.fields]:
            do = f"the table has {', '.join(row.fields)}"
            raise Malformed(f"there is no column {absent[0]!r}", where=row.where, do=do)
        yield _row(page, row, table.parent, takes)


def _row(page: SpeakPage, row: Record, base: Path, takes: Takes) -> ToSpeak:
    cells = {role: text_or_none(row.fields.get(page.columns.get(role, role))) or "" for role in ROLES}
    reference = str((base / Path(cells["reference"]).expanduser()).absolute()) if cells["reference"] else ""
    name = cells["id"] or row.where
    known: dict[str, Any] = {key: cells[key] for key in ("target", "language")}
    # An empty cell is a reply that a system did not give; without the column they are the model's to find.
    reply = cells["reply"] if page.columns.get("reply", "reply") in row.fields else None
    own = ToSpeak(name, reply=reply, reference=reference, item=cells["item"] or name, **known)
    parts: list[Any] = [{"type": "text", "text": cells["text"]}] if cells["text"] else []
    if cells["clip"]:
        path = base / Path(cells["clip"]).expanduser()
        ref = clip_ref(path)
        if ref is None or not path.is_file():
            return replace(own, reason="not_media" if ref is None else "missing", detail=cells["clip"])
        parts = [shown(ref, takes), *parts]
    if not parts:
        return replace(own, reason="empty_row", detail="neither a clip nor a text is replied to")
    system = [text_message("system", page.system)] if page.system else []
    return replace(own, messages=[*system, {"role": "user", "content": parts}])


def _of_evaluation(page: SpeakPage, base: Path, roots: Roots) -> tuple[list[ToSpeak], dict[str, Path]]:
    path = logged_file(base / Path(page.evaluation).expanduser(), page.task, "task:")
    replies = list(read_replies(path, labelled=False))
    if replies and all(one.text is None for one in replies):
        raise Malformed("no reply was written: likelihoods were compared", where=str(path), do="choose another task")
    parts = [part for one in replies for part in media_parts(one.messages)]
    corpora = {one.corpus for one in replies} if page.target or page.reference else set[str]()
    found = roots.find_all(sorted({*corpora, *(part["corpus"] for part in parts)}))
    known: dict[tuple[str, str], Sample] = {}
    for corpus in sorted(corpora):
        wanted = {one.id for one in replies if one.corpus == corpus}
        known |= {(corpus, name): sample for name, sample in samples_of(corpus, wanted, roots).items()}
    return [_logged(page, one, known.get((one.corpus, one.id)), found) for one in replies], found


def _logged(page: SpeakPage, one: Reply, sample: Sample | None, roots: Mapping[str, Path]) -> ToSpeak:
    name = one.id if one.wording is None else f"{one.id} wording {one.wording}"
    meant = sample and sample.annotation(page.target.get("space", ""), page.target.get("rater", ""))
    reference = str(sample.attributes.get(page.reference) or "") if sample else ""
    return ToSpeak(
        name,
        one.messages,
        text_or_none(words_of(one)) or "",
        reference=str((roots[one.corpus] / reference).absolute()) if reference else "",
        target=meant.value if meant and isinstance(meant.value, str) else "",
        language=one.about.get("language", "") or (sample.language or "" if sample else ""),
        item=name,
    )


def _of_talks(folder: Path) -> Iterator[ToSpeak]:
    system = require(folder, STAGE)["inputs"]["page"]["model"]["system"]
    before = [text_message("system", system)] if system else []
    with (folder / TALKS).open(encoding="utf-8", newline="\n") as lines:
        for talk in map(json.loads, lines):
            history: Sequence[Mapping[str, Any]] = talk["history"]
            for place, turn in enumerate(history):
                if turn["role"] == "assistant":
                    name = f"{talk['id']} turn {place // 2 + 1}"
                    messages = [*before, *map(turn_message, history[:place])]
                    yield ToSpeak(name, messages, turn["content"], item=name)
