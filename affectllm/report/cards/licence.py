"""Derive the licence terms of a model from the cards of the corpora that it was trained on.

Whether trained weights are a derivative of their data is not settled; this is the strict reading, in which every term
of every corpus is inherited. It is no legal advice. Adding a corpus can only add terms, never remove one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from affectllm.corpus import CorpusCard

Term = Literal["attribution", "noncommercial", "noderivatives", "sharealike", "agreement", "unknown"]
OTHER = "other"

MEANING: Mapping[Term, str] = {
    "attribution": "credit must be given",
    "noncommercial": "commercial use is not allowed",
    "noderivatives": "changed versions may not be shared",
    "sharealike": "what is made from it must carry the same licence",
    "agreement": "the data are given out under a personal agreement, whose conditions bind its signatory",
    "unknown": "the licence is not one that we know; read it before any use",
}


@dataclass(frozen=True)
class Licence:
    """A licence and its terms.

    Args:
        spdx: SPDX identifier.
        hub: identifier on the Hugging Face Hub.
        terms: what it asks for.
        url: its text.
    """

    spdx: str
    hub: str
    terms: frozenset[Term]
    url: str


def _licence(spdx: str, hub: str, url: str, *terms: Term) -> Licence:
    return Licence(spdx, hub, frozenset(terms), url)


def _creative_commons(code: str, version: str) -> Licence:
    elements: dict[str, Term] = {
        "by": "attribution",
        "nc": "noncommercial",
        "nd": "noderivatives",
        "sa": "sharealike",
    }
    url = f"https://creativecommons.org/licenses/{code}/{version}/"
    terms = [elements[part] for part in code.split("-")]
    return _licence(f"CC-{code.upper()}-{version}", f"cc-{code}-{version}", url, *terms)


# The versions that the Hub has an identifier for.
_CC = {
    "by": ("2.0", "3.0", "4.0"),
    "by-sa": ("3.0", "4.0"),
    "by-nd": ("4.0",),
    "by-nc": ("2.0", "3.0", "4.0"),
    "by-nc-sa": ("2.0", "3.0", "4.0"),
    "by-nc-nd": ("3.0", "4.0"),
}
_ALL = [
    *(_creative_commons(code, version) for code, versions in _CC.items() for version in versions),
    _licence("CC0-1.0", "cc0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    _licence("PDDL-1.0", "pddl", "https://opendatacommons.org/licenses/pddl/1-0/"),
    _licence("Unlicense", "unlicense", "https://unlicense.org/"),
    _licence("Apache-2.0", "apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", "attribution"),
    _licence("MIT", "mit", "https://opensource.org/license/mit", "attribution"),
    _licence("BSD-3-Clause", "bsd-3-clause", "https://opensource.org/license/bsd-3-clause", "attribution"),
    _licence("ODC-By-1.0", "odc-by", "https://opendatacommons.org/licenses/by/1-0/", "attribution"),
    _licence("ODbL-1.0", "odbl", "https://opendatacommons.org/licenses/odbl/1-0/", "attribution", "sharealike"),
    _licence("GPL-2.0", "gpl-2.0", "https://www.gnu.org/licenses/gpl-2.0", "attribution", "sharealike"),
    _licence("GPL-3.0", "gpl-3.0", "https://www.gnu.org/licenses/gpl-3.0", "attribution", "sharealike"),
    _licence("LGPL-3.0", "lgpl-3.0", "https://www.gnu.org/licenses/lgpl-3.0", "attribution", "sharealike"),
    _licence("AGPL-3.0", "agpl-3.0", "https://www.gnu.org/licenses/agpl-3.0", "attribution", "sharealike"),
]
KNOWN: Mapping[str, Licence] = {licence.spdx.lower(): licence for licence in _ALL}


def licence_of(name: str) -> Licence | None:
    """Return the licence of an SPDX identifier (in any case, with or without ``-only`` or ``-or-later``), or None."""
    return KNOWN.get(re.sub(r"-(only|or-later)$", "", name.strip().lower()))


@dataclass(frozen=True)
class Verdict:
    """The terms that follow from the cards.

    Args:
        hub: licence identifier for the model card; ``other`` where no single licence says all the terms.
        terms: term → names of the corpora that bring it, sorted.
        forbidden: names of the corpora whose derived records may not be published, with the reason.
        conflicts: why no single licence can be chosen, in sentences.
    """

    hub: str
    terms: Mapping[Term, tuple[str, ...]]
    forbidden: Mapping[str, str]
    conflicts: tuple[str, ...]

    @property
    def publishable(self) -> bool:
        """Whether every card allows publication of derived works."""
        return not self.forbidden


def card_terms(card: CorpusCard) -> frozenset[Term]:
    """Return the terms of one card: its licence's, and those of its other fields."""
    licence = licence_of(card.licence)
    terms: set[Term] = set(licence.terms) if licence else {"unknown"}
    if not card.commercial:
        terms.add("noncommercial")
    if card.access != "open":
        terms.add("agreement")
    return frozenset(terms)


def verdict(cards: Iterable[CorpusCard]) -> Verdict:
    """Combine the cards; the strictest wins, and their order does not matter."""
    ordered = sorted({card.name: card for card in cards}.values(), key=lambda card: card.name)
    terms: dict[Term, tuple[str, ...]] = {}
    for term in MEANING:
        if names := tuple(card.name for card in ordered if term in card_terms(card)):
            terms[term] = names
    conflicts = tuple(_conflicts(ordered, terms))
    hub = OTHER if conflicts else _single_licence(ordered, frozenset(terms))
    return Verdict(hub, terms, {card.name: _why_not(card) for card in ordered if not card.redistribution}, conflicts)


def _conflicts(cards: list[CorpusCard], terms: Mapping[Term, tuple[str, ...]]) -> Iterable[str]:
    copyleft = sorted({licence.spdx for card in cards if (licence := _share_alike(card))})
    if "unknown" in terms:
        yield f"the licence of {', '.join(terms['unknown'])} is not a standard one"
    if "agreement" in terms:
        yield f"{', '.join(terms['agreement'])} is given out under an agreement that no standard licence expresses"
    if len(copyleft) > 1:
        yield f"{' and '.join(copyleft)} each ask that the result carry their own licence"
    for name in copyleft[:1] if len(copyleft) == 1 else ():
        if extra := sorted(set(terms) - KNOWN[name.lower()].terms - {"unknown", "agreement"}):
            yield f"{name} asks for the same licence, which does not say what others ask for: {', '.join(extra)}"


def _share_alike(card: CorpusCard) -> Licence | None:
    licence = licence_of(card.licence)
    return licence if licence and "sharealike" in licence.terms else None


def _single_licence(cards: list[CorpusCard], terms: frozenset[Term]) -> str:
    """Return a licence with exactly these terms; ``cards`` must be free of conflicts."""
    licences = {licence.spdx: licence for card in cards if (licence := licence_of(card.licence))}
    alike = [licence for licence in licences.values() if "sharealike" in licence.terms]
    if alike:
        return alike[0].hub
    if len(licences) == 1 and (only := next(iter(licences.values()))).terms == terms:
        return only.hub
    if not terms:
        return KNOWN["cc0-1.0"].hub
    code = "by" + "-nc" * ("noncommercial" in terms) + "-nd" * ("noderivatives" in terms)
    return KNOWN[f"cc-{code}-4.0"].hub


def _why_not(card: CorpusCard) -> str:
    access = {"open": "open access", "request": "given on request", "eula": "under a signed agreement"}[card.access]
    return f"{card.title} ({card.licence}, {access}): what is derived from it may not be published"
