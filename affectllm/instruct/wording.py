"""Load wordings: YAML pages in ``prompts/``, checked when they are read, each in one or several languages.

A page says what is asked (``form``, or ``slots`` for several answers at once), and for each language its questions,
the questions held out for measuring how much a model depends on the wording, and the sentence of the answer.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.errors import Malformed, NotFound
from affectllm.instruct.each import Each, read_each
from affectllm.labels.form import find_form, form_names
from affectllm.labels.language import asking, spoken
from affectllm.page_schema import check_keys
from affectllm.yaml_page import Page, PageKind, Path_, read_page

_PROMPTS = Path(__file__).parent / "prompts"
PARAPHRASES, HELD_OUT = 5, 2
TEMPLATE = PageKind("template", listed="templates")
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("form", "answer", "show", "context", "words", "system"), "a text"),
    **dict.fromkeys(("questions", "held_out", "facts", "needs"), "a list of texts"),
    **dict.fromkeys(("slots", "given"), "a mapping of names to texts"),
}
_SPEECH = ("questions", "held_out", "answer", "show", "context", "words", "needs", "system", "each")
_FILLED = frozenset({"labels", "dimensions", "low", "high", "scale", "shape", "stimulus", "options"})


@dataclass(frozen=True)
class Speech:
    """The text of a page in one language.

    Args:
        questions: at least five paraphrases.
        held_out: paraphrases that no training set uses.
        answer: the sentence of the answer, with a placeholder for every slot.
        show: a block between the words and the question, with placeholders for given slots and facts; or None.
        context: frame of the dialogue so far.
        words: frame of the words; None for the language's.
        needs: modalities that the questions speak of.
        system: the system prompt; empty for the model family's own.
        each: what is asked of one name at a time, for scores from likelihoods; None where nothing is.
    """

    questions: tuple[str, ...]
    held_out: tuple[str, ...]
    answer: str
    show: str | None
    context: str
    words: str | None
    needs: tuple[str, ...] = ()
    system: str = ""
    each: Each | None = None


@dataclass(frozen=True)
class Wording:
    """A parsed page: what is asked, and how in each language.

    Args:
        slots: name → form of every answer that is asked for, in order; the first is the template's own question.
        given: name → form of annotations that the prompt tells.
        facts: names of sample attributes that the prompt tells.
        numbered: whether the turns of a dialogue are numbered, the one asked about included.
        page: what it was asked for by: its name, or the path of somebody's own page.
    """

    name: str
    version: int
    slots: Mapping[str, str]
    given: Mapping[str, str]
    facts: tuple[str, ...]
    speeches: Mapping[str, Speech]
    numbered: bool = False
    page: str = ""


@cache
def template_pages() -> dict[str, Path]:
    """Return name → page of every wording that ships; the folder of a page is its section."""
    return {path.stem: path for path in sorted(_PROMPTS.rglob("*.yaml"), key=lambda path: path.stem)}


def template_names() -> list[str]:
    """Return the names of all wordings that ship."""
    return list(template_pages())


def load_wording(name: str) -> Wording:
    """Load the page called ``name``, or the YAML file at that path.

    Raises:
        NotFound: when there is none.
        Malformed: with file and line, for an unknown key, a missing or strange placeholder, or too few paraphrases.
    """
    own = name.endswith((".yaml", ".yml"))
    path = Path(name) if own else template_pages().get(name)
    if path is None or not path.is_file():
        advice = f"give its path from {Path.cwd()}, or an absolute one" if own else ""
        advice = advice or registry.suggestion(name, template_names(), "affectllm ls templates")
        raise NotFound(f"there is no template called {name!r}", do=advice)
    return _load(name, path, path.stat().st_mtime_ns)


@cache
def _load(name: str, path: Path, changed: int) -> Wording:
    return replace(_wording(path.stem, read_page(path, TEMPLATE)), page=name)


def _wording(name: str, page: Page) -> Wording:
    value = page.value
    tags = spoken()
    check_keys(value, ("version", "form", "slots", "given", "facts", "needs", "numbered", *tags), page, ())
    _check_types(value, page, ())
    if ("form" in value) == ("slots" in value):
        raise Malformed("a template has a form, or slots with a form each", where=page.where(()))
    slots = value["slots"] if "slots" in value else {"answer": value["form"]}
    given, facts = value.get("given") or {}, tuple(value.get("facts") or ())
    for key, named in (("slots" if "slots" in value else "form", slots), ("given", given)):
        if strange := [form for form in named.values() if form not in form_names()]:
            choices = ", ".join(form_names())
            raise Malformed(f"there is no form {strange[0]!r}", where=page.where((key,)), do=f"choose among {choices}")
    if not isinstance(value.get("version"), int):
        raise Malformed("a template has a version, a whole number", where=page.where(("version",)))
    used = [tag for tag in tags if tag in value]
    if "en" not in used:
        raise Malformed("a template speaks English, and other languages beside it", where=page.where(()))
    speeches = {tag: _speech(tag, page, slots, (*given, *facts)) for tag in used}
    return Wording(name, value["version"], slots, given, facts, speeches, bool(value.get("numbered")))


def _speech(tag: str, page: Page, slots: Mapping[str, str], given: tuple[str, ...]) -> Speech:
    value, language = page.value[tag], asking(tag)
    if not isinstance(value, Mapping):
        raise Malformed(f"{tag} must be a mapping with questions and held_out", where=page.where((tag,)))
    check_keys(value, _SPEECH, page, (tag,))
    _check_types(value, page, (tag,))
    speech = Speech(
        questions=tuple(value.get("questions") or ()),
        held_out=tuple(value.get("held_out") or ()),
        answer=value.get("answer", "{answer}"),
        show=value.get("show"),
        context=value.get("context", language.context),
        words=value.get("words"),
        needs=tuple(value.get("needs", page.value.get("needs", ()))),
        system=value.get("system", ""),
        each=read_each(value.get("each"), page, tag),
    )
    _check_paraphrases(speech, page, tag)
    _check_placeholders(speech, page, tag, slots, given)
    return speech


def _check_types(value: Mapping[str, Any], page: Page, path: Path_) -> None:
    """Raise ``Malformed`` with file and line for what is no text, list or mapping where one is needed."""
    for key, required in _TYPES.items():
        if value.get(key) is not None and not _is(required, value[key]):
            name, where = ".".join(map(str, (*path, key))), page.where((*path, key))
            raise Malformed(f"{name} must be {required}, not {value[key]!r}", where=where)


def _is(required: str, value: Any) -> bool:
    if required == "a text":
        return isinstance(value, str)
    if required == "a list of texts":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())


def _check_paraphrases(speech: Speech, page: Page, tag: str) -> None:
    for key, least in (("questions", PARAPHRASES), ("held_out", HELD_OUT)):
        if len(set(getattr(speech, key))) < least:
            raise Malformed(f"{tag}.{key} has fewer than {least} different paraphrases", where=page.where((tag, key)))
    if both := set(speech.questions) & set(speech.held_out):
        raise Malformed(f"held out, and asked in training: {both.pop()!r}", where=page.where((tag, "held_out")))


def _check_placeholders(speech: Speech, page: Page, tag: str, slots: Mapping[str, str], given: tuple[str, ...]) -> None:
    first = next(iter(slots))

    def lacking(
        key: str, text: str, required: Iterable[str], allowed: Iterable[str], number: int | None = None
    ) -> None:
        where = page.where((tag, key) if number is None else (tag, key, number))
        names = placeholders(text, where)
        if missing := [name for name in required if not {name, f"{first}_{name}"} & names]:
            raise Malformed(f"{tag}.{key} lacks the placeholder {{{missing[0]}}}: {text!r}", where=where)
        if strange := sorted(names - set(allowed)):
            choices = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "none"
            raise Malformed(
                f"{tag}.{key} has an unknown placeholder {{{strange[0]}}}", where=where, do=f"known: {choices}"
            )

    form = find_form(slots[first])
    in_block = placeholders(speech.show or "", page.where((tag, "show")))
    needed = [*form.needs, *(name for name in given if name not in in_block)]
    asked = [(key, n, text) for key in ("questions", "held_out") for n, text in enumerate(getattr(speech, key))]
    if form.choices and any("{labels}" in text for _, _, text in asked):
        needed.append("labels")
    of_slots = {f"{slot}_{what}" for slot in slots for what in ("labels", "options")}
    for key, number, text in asked:
        lacking(key, text, needed, _FILLED | set(given) | of_slots, number)
    each = (*speech.each.questions, *speech.each.held_out) if speech.each else ()
    for text in each:
        lacking("each", text, ("label",), {"label", "stimulus", *given})
    lacking("show", speech.show or "", (), given)
    lacking("answer", speech.answer, slots, slots)
    lacking("context", speech.context, ("turns",), ("turns",))
    if speech.words is not None:
        lacking("words", speech.words, ("words",), ("words",))


def placeholders(text: str, where: str = "") -> set[str]:
    """Return the names in braces.

    Raises:
        Malformed: when a brace is not closed, or a placeholder has no plain name.
    """
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise Malformed(f"{error}: {text!r}", where=where, do="write {{ for a brace that is meant as one") from error
    if strange := [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]:
        raise Malformed(
            f"{{{strange[0]}}} is no placeholder", where=where, do="write {{ for a brace that is meant as one"
        )
    return names
