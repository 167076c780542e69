"""Labels of one letter: where a letter of a text stands as an option, and where it is an article or a pronoun.

``(A)``, ``A.``, ``A: …``, ``answer is A`` and ``option a`` choose; ``A man smiles`` and ``I think`` do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

# Letters that are words themselves, in English or Spanish; any other letter that stands alone is no word.
_WORDS = frozenset("aioeyu")
_NAMES = "answer|option|choice|letter|alternative|choose|chose|pick|select|opción|respuesta|选项|答案"
_LETTER = re.compile(
    r"(?<![^\W_\u3040-\u30ff\u3400-\u9fff])(?<!['’\-.\d])(?P<letter>[A-Za-z])(?![^\W_\u3040-\u30ff\u3400-\u9fff]|['’]\w|-\w|\.\w)"
)
_NAMED = re.compile(rf"(?:{_NAMES})s?\s(?:(?:is|would be|=)\s)?[(\[\"'*]{{0,3}}$", re.IGNORECASE)
# Persons and things that are told apart by letters: "Speaker B is angry", "plan B failed".
_LETTERED = re.compile(
    r"(?:(?<!\w)(?:speaker|person|character|participant|patient|student|actor|actress|woman|man|boy|girl|player|agent|"
    r"plan|type|grade|class|group|team|vitamin|hepatitis|appendix|exhibit|platform|gate|block|mr\.?|mrs\.?|dr\.?)\s"
    r"|说话[人者]|人物|角色|患者|演员)\s?$",
    re.IGNORECASE,
)
_OPENED = re.compile(r"[(\[{\"'“‘「*`]\s?$")
_CLOSED = re.compile(r"\s?[)\]}\"'”’」*`]")
_ENDS = re.compile(r"\s{0,9}(?:[.:：。、;!?)\]}\n]|[-–—](?:\s|$)|$)")
_GOES_ON = re.compile(
    r"\s{0,3},|\s(?:is|because|since|as|seems?|looks?|appears|was|would|fits?|matches|describes|best|or|and)(?!\w)",
    re.IGNORECASE,
)
# "a, c" and "a or c": options in a list.
_LISTED = re.compile(r"\s{0,3}(?:[,&/+]|and|or|y|o|和|、)\s{0,3}[(\[\"']?[A-Za-z](?![\w'’]|\s[a-z])")
_INSTEAD = {"i": "we", "y": "and"}  # kinds of words that a reader knows, in place of letters that could be labels


def without_articles(text: str, letters: Collection[str]) -> str:
    """``text`` with another word in place of each of ``letters`` (labels) that does not stand as an option."""
    if not letters:
        return text
    found = unicodedata.normalize("NFKC", text)

    def replaced(match: re.Match[str]) -> str:
        letter = match["letter"].lower()
        keeps = letter not in letters or (not _is_name(match) and (letter not in _WORDS or _is_option(match)))
        return match["letter"] if keeps else _INSTEAD.get(letter, "an")

    return _LETTER.sub(replaced, found)


def _is_name(match: re.Match[str]) -> bool:
    return _LETTERED.search(match.string, max(0, match.start() - 24), match.start()) is not None


def _is_option(match: re.Match[str]) -> bool:
    before, text, end = match.string[max(0, match.start() - 24) : match.start()], match.string, match.end()
    if _OPENED.search(before) and _CLOSED.match(text, end):
        return True
    capital = match["letter"].isupper()
    if _ENDS.match(text, end) or _LISTED.match(text, end):
        return True
    named = _NAMED.search(before)
    if match["letter"] == "I":
        return named is not None
    if named:
        return capital or before.rstrip().lower().endswith(("option", "choice", "letter", "alternative"))
    return capital and (match["letter"] != "A" or _GOES_ON.match(text, end) is not None)
