"""The page of ``affectllm converse``: which model talks, who plays the users, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus import Rejection
from affectllm.corpus.records.rows import read_rows
from affectllm.errors import Malformed
from affectllm.page_schema import build
from affectllm.yaml_page import PageKind, read_page

KIND = PageKind("conversation page")


@dataclass(frozen=True)
class Talker:
    """A model that takes part in conversations."""

    model: str
    """as --model of `affectllm predict`: Hub id, folder, tiny:FAMILY, affectllm-api"""
    model_args: str = ""
    """of affectllm-api: base_url=URL,model=NAME"""
    adapter: str = ""
    """a PEFT adapter to put on it"""
    system: str = ""
    """its system prompt (of the model under test)"""
    max_new_tokens: int = 160
    """longest turn"""
    name: str = ""
    """how scores call it (default: the model); of a simulator the digest of its weights and prompts is added"""


@dataclass(frozen=True)
class ConversePage:
    """A model talks with users that another model plays."""

    model: Talker
    """the model under test"""
    simulator: Talker
    """who plays the users"""
    personas: str
    """a table: columns id, persona, need (what the user hides), opening (first words), feeling (0 to 100)"""
    description: str = ""
    """what is compared"""
    turns: int = 8
    """most replies of the model in a conversation"""
    feeling: float = 50.0
    """what users feel at first, where the table does not say"""
    language: str = "en"
    """of the simulator's prompts"""
    answers: str = ""
    """folder in which answers are kept (default: converse/ in the cache folder)"""


@dataclass(frozen=True)
class Persona:
    """A user to be played.

    Args:
        need: what the user hopes for and does not say.
        opening: the first words.
        feeling: at the beginning, 0 to 100.
    """

    id: str
    persona: str
    need: str
    opening: str
    feeling: float


def read_converse(path: Path) -> ConversePage:
    """Read and check a page.

    Raises:
        NotFound: when it cannot be read.
        Malformed: with file and line, for unknown keys, wrong types or numbers without meaning.
    """
    page = read_page(path, KIND)
    value: ConversePage = build(ConversePage, page)
    if value.turns < 1:
        raise KIND.wrong("a conversation has at least one turn", where=page.where(("turns",)))
    for side in ("model", "simulator"):
        if getattr(value, side).max_new_tokens < 1:
            raise KIND.wrong("a turn has at least one token", where=page.where((side, "max_new_tokens")))
    if not 0 <= value.feeling <= 100:
        raise KIND.wrong("feelings are from 0 to 100", where=page.where(("feeling",)))
    page.check_file(("personas",), value.personas)
    return value


def read_personas(table: Path, feeling: float) -> list[Persona]:
    """Return the users of a table.

    Raises:
        Malformed: when a row lacks what a user needs, an id is there twice, or a feeling is none.
    """
    personas: dict[str, Persona] = {}
    for row in read_rows(table, table.parent):
        if isinstance(row, Rejection):
            raise Malformed(f"a row cannot be read: {row.detail}", where=row.where, do="correct it")
        cells = {name: str(row.fields.get(name) or "").strip() for name in ("id", "persona", "need", "opening")}
        if lacking := [name for name, cell in cells.items() if not cell]:
            do = "the columns are id, persona, need and opening"
            raise Malformed(f"the user has no {lacking[0]}", where=row.where, do=do)
        if cells["id"] in personas:
            raise Malformed(f"two users are called {cells['id']}", where=row.where, do="rename one")
        personas[cells["id"]] = Persona(**cells, feeling=_feeling(row.fields.get("feeling"), feeling, row.where))
    if not personas:
        raise Malformed("the table has no user", where=str(table), do="give at least one row")
    return list(personas.values())


def _feeling(cell: object, usual: float, where: str) -> float:
    try:
        value = usual if cell in (None, "") else float(str(cell))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise Malformed(f"feeling is {cell!r}, not a number from 0 to 100", where=where, do="correct it")
    return value
