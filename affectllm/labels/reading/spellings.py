"""Other spellings of one word: British and American, joined and apart, without accents, traditional characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from affectllm.labels.reading.chinese import simplified, traditional

_ENDINGS = (
    *(("isation", "ization"), ("ising", "izing"), ("ised", "ized"), ("ise", "ize"), ("yse", "yze"), ("ysed", "yzed")),
    *(("our", "or"), ("oured", "ored"), ("ouring", "oring"), ("ourful", "orful"), ("ourless", "orless")),
    *(("lment", "llment"), ("dgement", "dgment"), ("ceptical", "keptical"), ("cepticism", "kepticism"), ("ey", "ay")),
)
_ACCENT = re.compile("[\u0300-\u036f]")
_HAMZA = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ة": "ه", "ى": "ي"})
_GRADED = re.compile(r"^(strong|weak|slight|extreme|mild|moderate)ly\s")
_JOINTS = re.compile(r"[ \-]")


def spellings(word: str) -> Iterator[str]:
    """Spellings of ``word``, itself among them or not."""
    yield word
    yield traditional(word)
    yield simplified(word)
    yield word.translate(_HAMZA)
    yield unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", word)))
    for one, other in _ENDINGS:
        yield from (word.removesuffix(a) + b for a, b in ((one, other), (other, one)) if word.endswith(a))
    if _GRADED.match(word):  # "strong negative"
        yield _GRADED.sub(r"\1 ", word)
    if _JOINTS.search(word) and len(word) > 3:
        yield from (_JOINTS.sub(joint, word) for joint in ("-", " ", ""))
    if "/" in word:
        yield word.replace("/", " / ")
        yield word.replace("/", " or ")
