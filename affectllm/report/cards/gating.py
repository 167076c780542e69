"""Ask visitors of the Hub to agree to terms before they get the files: what the card says to them."""

from __future__ import annotations

from typing import Any, Literal, get_args

from affectllm.errors import AffectError
from affectllm.report.cards.licence import MEANING, Verdict

Gate = Literal["auto", "manual"]
"""``auto`` gives access to whoever agrees, ``manual`` to whom the owner accepts."""
GATES: tuple[str, ...] = get_args(Gate)
_BEGINNING = "These files follow from corpora with terms of their own. To get them, agree to:"
_ALWAYS = "not deciding about people, or recognising anybody, by what is answered or written here"
_FIELDS = {
    "Name": "text",
    "Affiliation": "text",
    "What I want to use it for": "text",
    "I agree to the terms above": "checkbox",
}


def gated(card: str, decided: Verdict, words: str = "") -> str:
    """Return a card whose header asks visitors to agree to the terms of the corpora.

    Args:
        card: Markdown with a YAML header.
        decided: whose terms they agree to.
        words: what they are told in place of our own text.

    Raises:
        AffectError: when the card has no header.
    """
    from huggingface_hub import RepoCard

    if not card.startswith("---\n"):
        raise AffectError("the card has no header to say what visitors agree to", where="README.md", do="report this")
    page = RepoCard(card, ignore_metadata_errors=False)
    fields: dict[str, Any] = {
        "extra_gated_heading": "Agree to the terms to get access",
        "extra_gated_prompt": words or prompt(decided),
        "extra_gated_fields": dict(_FIELDS),
        "extra_gated_button_content": "Agree and get access",
    }
    for name, value in fields.items():
        page.data[name] = value
    return str(page)


def prompt(decided: Verdict) -> str:
    """Return the text that visitors agree to: each term of the corpora, and what holds for all of them."""
    terms = [f"- {MEANING[term]} ({', '.join(names)})" for term, names in decided.terms.items()]
    return "\n".join([_BEGINNING, "", *terms, f"- {_ALWAYS}"])
