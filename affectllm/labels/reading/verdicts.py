"""Labels that are judged one by one: ``joy: yes, anger: no``, ``{"anger": true, "joy": false}``, ``[x] joy``.

Such an answer names every label, also those that it denies, so its labels are never merely looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from affectllm.labels.reading.alternatives import alternatives
from affectllm.labels.reading.mentions import affirmed
from affectllm.labels.reading.negation import no, yes
from affectllm.labels.reading.spoken import compiled, pattern
from affectllm.labels.reading.structure import answer_keys, json_objects
from affectllm.labels.reading.text import EDGES, bare, normalised

_ANY = compiled(lambda: rf"(?<![\w.]){_verdict_words()}(?![\w.])|[:：=]\s{{0,3}}\S|{pattern('verdict')}|\[ \]")
_ITEMS = re.compile(r"[\n,;،؛、。|]+(?![^()\n]{0,200}\))|\.\s|\?(?!\s)")
_PAIR = compiled(
    lambda: (
        r"(?P<name>[^:=()→\t]{1,60}?)\s{0,3}(?:[:=→?]|(?P<aside>\()|\s[-–—]\s"
        rf"|\s?(?={_verdict_words()}\W{{0,9}}$))\s{{0,3}}(?P<value>\S.{{0,200}})"
    )
)
_MARKED = re.compile(r"\W{0,9}?(?:\[(?P<box>[ xX✓✔])\]|(?P<sign>[✅❌✓✗✔✘☑]))\s?(?P<name>.{1,60})")
_BEGINS = compiled(lambda: rf"(?P<said>{_verdict_words()})\s{{0,3}}(?=[,(:\-–—]|$)")
_DOUBT = compiled(lambda: pattern("doubts"))
_AMOUNT = compiled(lambda: rf"[-+~≈]?[\d.]+\s?(?:%|/\s?\d+|\w{{0,8}})\W{{0,3}}$|{pattern('amount')}")
_BULLET = re.compile(r"^\W{0,9}(?:\d{1,3}[.)]\s?|\(?[a-z][.)]\s)?")


def _verdict_words() -> str:
    return f"(?:{alternatives(yes() | no())})"


@dataclass(slots=True)
class Verdicts:
    """What an answer says of each label that it judges.

    Args:
        said: label → the verdicts on it.
        unclear: whether a label is named without a verdict that can be read.
    """

    said: dict[str, set[bool]] = field(default_factory=dict)
    unclear: bool = False

    @property
    def affirmed(self) -> list[str]:
        """The labels that hold."""
        return [name for name, held in self.said.items() if held == {True}]

    def add(self, name: str, held: bool | None) -> None:
        """One verdict; None is none that can be read."""
        if held is None or self.said.setdefault(name, {held}) != {held}:
            self.unclear = True


def verdicts(text: str, words: Mapping[str, str]) -> Verdicts | None:
    """What an answer says of each label, or None when it does not judge labels one by one.

    Args:
        text: the part of an answer that answers.
        words: word → label; words that are labels themselves are no verdicts.
    """
    return _of_objects(text, words) or _of_items(text, words)


def _of_objects(text: str, words: Mapping[str, str]) -> Verdicts | None:
    found = Verdicts()
    for value in json_objects(text):
        for key, held in _judged(value, words):
            found.add(words[key], _held(held, words))
    return found if found.said or found.unclear else None


def _judged(value: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """The fields of a JSON object that are labels, unless another field holds the answer."""
    fields = {bare(str(key)): item for key, item in value.items()}
    inner = [fields[key] for key in answer_keys("label") if key in fields]
    if inner:
        fields = {bare(str(key)): item for one in inner if isinstance(one, dict) for key, item in one.items()}
    yield from ((key, item) for key, item in fields.items() if key in words)


def _held(value: Any, words: Mapping[str, str]) -> bool | None:
    if isinstance(value, (bool, int, float)):
        return bool(value) if value in (0, 1) else None
    said = bare(value) if isinstance(value, str) else ""
    return None if said in words else True if said in yes() else False if said in no() else None


def _of_items(text: str, words: Mapping[str, str]) -> Verdicts | None:
    said = normalised(text)
    if not _ANY().search(said):
        return None
    found, mentioned = Verdicts(), False
    vague: set[str] = set()  # labels with an amount, or with a reason that doubts
    for item in filter(str.strip, dict.fromkeys(_ITEMS.split(said))):
        name, value, aside = _parted(item, words)
        if name is None:
            mentioned = mentioned or bool(affirmed(item, words))
        elif (held := _verdict(value, words)) is not None and not affirmed(value, words):
            found.add(name, held)
        elif (doubt := _DOUBT().search(value)) and not (aside or doubt.start() or affirmed(value, words)):
            found.unclear = True
        elif doubt or _AMOUNT().match(value):
            vague.add(name)
        else:
            mentioned = True  # "joy: she laughs" names a label and gives its reason
    return _weighed(found, mentioned, vague)


def _weighed(found: Verdicts, mentioned: bool, vague: set[str]) -> Verdicts | None:
    """None for what mentions say as well: a single amount or reason, or denials beside labels that are stated."""
    if len(vague) > 1 or (vague and (found.said or mentioned)):
        found.unclear = True
    if not found.unclear and (not found.said or (mentioned and not found.affirmed)):
        return None
    found.unclear = found.unclear or mentioned
    return found


def _parted(item: str, words: Mapping[str, str]) -> tuple[str | None, str, bool]:
    """The label that an item begins with, or nothing; what is said of it, and whether only in brackets."""
    if marked := _MARKED.fullmatch(item):
        held = "✗" if marked["box"] == " " or marked["sign"] in no() else "✓"
        return words.get(bare(marked["name"])), held, False
    pair = _PAIR().fullmatch(_BULLET.sub("", item, count=1))
    return (words.get(bare(pair["name"])), pair["value"].strip(), bool(pair["aside"])) if pair else (None, "", False)


def _verdict(value: str, words: Mapping[str, str]) -> bool | None:
    whole = _held(value.strip(EDGES + "|"), words)
    begins = _BEGINS().match(value)
    return whole if whole is not None or begins is None else _held(begins["said"], words)
