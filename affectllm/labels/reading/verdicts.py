"""Read answers that judge labels one by one: ``joy: yes, anger: no``, ``{"anger": true, "joy": false}``, ``[x] joy``.

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
from affectllm.labels.reading.nothing import nothing_words
from affectllm.labels.reading.spoken import compiled, pattern
from affectllm.labels.reading.structure import answer_keys, items, json_objects
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
_BEGINS = compiled(lambda: rf"(?P<verdict>{_verdict_words()})\s{{0,3}}(?=[,(:\-–—]|$)")
_HEADED = compiled(lambda: rf"(?:^|(?<=[\n.;,]))[\s*#-]{{0,9}}(?P<verdict>{_verdict_words()})[\s*]{{0,3}}[:：]")
_DOUBT = compiled(lambda: pattern("doubts"))
_AMOUNT = compiled(lambda: rf"[-+~≈]?[\d.]+\s?(?:%|/\s?\d+|\w{{0,8}})\W{{0,3}}$|{pattern('amount')}")
_BULLET = re.compile(r"^\W{0,9}(?:\d{1,3}[.)]\s?|\(?[a-z][.)]\s)?")


def _verdict_words() -> str:
    return f"(?:{alternatives(yes() | no())})"


@dataclass(slots=True)
class Verdicts:
    """The verdicts of an answer on each label that it judges.

    Args:
        by_label: label → the verdicts on it.
        unclear: whether a label is named without a verdict that can be read.
    """

    by_label: dict[str, set[bool]] = field(default_factory=dict)
    unclear: bool = False

    @property
    def affirmed(self) -> list[str]:
        """The labels whose verdicts are all yes."""
        return [name for name, judgements in self.by_label.items() if judgements == {True}]

    def add(self, name: str, verdict: bool | None) -> None:
        """Add a verdict on a label; None stands for one that cannot be read."""
        if verdict is None or self.by_label.setdefault(name, {verdict}) != {verdict}:
            self.unclear = True


def verdicts(text: str, words: Mapping[str, str]) -> Verdicts | None:
    """Return the verdicts of an answer on labels, or None when it does not judge labels one by one.

    Args:
        text: the part of an answer that answers.
        words: word → label; words that are labels themselves are no verdicts.
    """
    return _of_objects(text, words) or _of_items(text, words)


def _of_objects(text: str, words: Mapping[str, str]) -> Verdicts | None:
    result = Verdicts()
    for value in json_objects(text):
        for key, item in _judged(value, words):
            result.add(words[key], _as_verdict(item, words))
    return result if result.by_label or result.unclear else None


def _judged(value: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a JSON object that are labels, within the answer field where there is one."""
    fields = {bare(str(key)): item for key, item in value.items()}
    inner = [fields[key] for key in answer_keys("label") if key in fields]
    if inner:
        fields = {bare(str(key)): item for one in inner if isinstance(one, dict) for key, item in one.items()}
    yield from ((key, item) for key, item in fields.items() if key in words)


def _as_verdict(value: Any, words: Mapping[str, str]) -> bool | None:
    if isinstance(value, (bool, int, float)):
        return bool(value) if value in (0, 1) else None
    word = bare(value) if isinstance(value, str) else ""
    return None if word in words else True if word in yes() else False if word in no() else None


def _of_headings(normal_form: str, words: Mapping[str, str]) -> Verdicts | None:
    """Read ``yes: joy, anger. no: fear``: every verdict heads a list of labels; None where it does not."""
    heads = list(_HEADED().finditer(normal_form))
    if len({_as_verdict(head["verdict"], {}) for head in heads}) < 2 or normal_form[: heads[0].start()].strip(EDGES):
        return None
    result, ends = Verdicts(), [*(head.start() for head in heads[1:]), len(normal_form)]
    for head, end in zip(heads, ends, strict=True):
        for item in items(normal_form[head.end() : end]):
            if bare(item) not in words:
                if bare(item) in nothing_words():
                    continue
                return None
            result.add(words[bare(item)], _as_verdict(head["verdict"], {}))
    return result if result.by_label else None


def _of_items(text: str, words: Mapping[str, str]) -> Verdicts | None:
    normal_form = normalised(text)
    if not _ANY().search(normal_form):
        return None
    if headed := _of_headings(normal_form, words):
        return headed
    result, mentioned = Verdicts(), False
    vague: set[str] = set()  # labels with an amount, or with a reason that doubts
    for item in filter(str.strip, dict.fromkeys(_ITEMS.split(normal_form))):
        name, value, aside = _parted(item, words)
        if name is None:
            mentioned = mentioned or bool(affirmed(item, words))
        elif (verdict := _leading_verdict(value, words)) is not None and not affirmed(value, words):
            result.add(name, verdict)
        elif (doubt := _DOUBT().search(value)) and not (aside or doubt.start() or affirmed(value, words)):
            result.unclear = True
        elif doubt or _AMOUNT().match(value):
            vague.add(name)
        else:
            mentioned = True  # "joy: she laughs" names a label and gives its reason
    return _weighed(result, mentioned, vague)


def _weighed(result: Verdicts, mentioned: bool, vague: set[str]) -> Verdicts | None:
    """Return the verdicts, or None where ``mentions`` reads as much: one amount or reason, denials and statements."""
    if len(vague) > 1 or (vague and (result.by_label or mentioned)):
        result.unclear = True
    if not result.unclear and (not result.by_label or (mentioned and not result.affirmed)):
        return None
    result.unclear = result.unclear or mentioned
    return result


def _parted(item: str, words: Mapping[str, str]) -> tuple[str | None, str, bool]:
    """Return the label that an item begins with or None, the text about it, and whether that stands in brackets."""
    if marked := _MARKED.fullmatch(item):
        sign = "✗" if marked["box"] == " " or marked["sign"] in no() else "✓"
        return words.get(bare(marked["name"])), sign, False
    pair = _PAIR().fullmatch(_BULLET.sub("", item, count=1))
    return (words.get(bare(pair["name"])), pair["value"].strip(), bool(pair["aside"])) if pair else (None, "", False)


def _leading_verdict(value: str, words: Mapping[str, str]) -> bool | None:
    whole = _as_verdict(value.strip(EDGES + "|"), words)
    begins = _BEGINS().match(value)
    return whole if whole is not None or begins is None else _as_verdict(begins["verdict"], words)
