"""Shared reader of benchmarks of questions with options of their own, about a clip or a picture. Not a corpus.

Releases differ in what they call things and agree in what there is: media, a question, options (a list, or an object by
letter), and which of them are right (by letter, several between commas, or by their words). Whoever has questions in
one more shape describes their table with the builder generic instead: ``{kind: options}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus import MediaRef, Rejection
from affectllm.corpus.files.suffixes import FILMS, PICTURES, SOUNDS
from affectllm.corpus.reading import is_lfs_pointer, media_path
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.space import LETTERS

_HEAD = 4096  # bytes of a file in which its members must be named
_OWN_LETTER = re.compile(r"\s*\(?([A-Z])[).:、]\s*(.+)", re.DOTALL)


def names_all(path: Path, members: Iterable[str]) -> bool:
    """Whether the first lines of a JSON file name these members: the sign by which a release is known."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return False
    return all(f'"{member}"' in head for member in members)


def options_of(value: Any) -> dict[str, str]:
    """Return letter → option of a list or an object by letter; a letter that a list writes before each one is cut."""
    if isinstance(value, Mapping):
        return {str(letter).strip().upper(): str(option).strip() for letter, option in value.items()}
    texts = [str(option).strip() for option in value] if isinstance(value, list) else []
    marked = [_OWN_LETTER.fullmatch(text) for text in texts]
    if all(match and match[1] == letter for match, letter in zip(marked, LETTERS, strict=False)):
        texts = [match[2].strip() for match in marked if match]
    return dict(zip(LETTERS, texts, strict=False))


def right_of(answer: Any, options: Mapping[str, str]) -> tuple[str, ...]:
    """Return the right options of ``B``, ``A, C`` or the words of one; empty where the answer is none of them."""
    text = str(answer or "").strip()
    if text in options.values():
        return (text,)
    letters = [part.strip().upper() for part in text.split(",") if part.strip()]
    if not letters or any(letter not in options for letter in letters):
        return ()
    return tuple(dict.fromkeys(options[letter] for letter in letters))


def answered(space: LabelSpace, rater: str, options: Mapping[str, str], right: Sequence[str]) -> Annotation | None:
    """Return the annotation; None where options repeat, are fewer than two, or none is right."""
    offered = tuple(options.values())
    sound = 2 <= len(set(offered)) == len(offered) <= len(LETTERS) and all(offered) and set(right) <= set(offered)
    return Annotation(space.name, rater, {"options": offered, "right": tuple(right)}) if sound and right else None


def medium(named: str, folders: Sequence[Path], root: Path, where: str) -> MediaRef | Rejection:
    """Return the file that a question names, in the first of ``folders`` that has it, or why it is not used."""
    tried = [media_path(folder, root, named, where) for folder in folders]
    found = next((path for path in tried if isinstance(path, str)), tried[0])
    if isinstance(found, Rejection):
        return found
    suffix = Path(found).suffix.lower()
    if is_lfs_pointer(root / found):
        return Rejection(named, "lfs_pointer", found, "run `git lfs pull`")
    if suffix in FILMS:
        return MediaRef(found, "video", sound=True)
    if suffix in SOUNDS:
        return MediaRef(found, "audio")
    if suffix in PICTURES:
        return MediaRef(found, "image")
    return Rejection(named, "unknown_name", found, f"{suffix or 'no ending'} is no film, sound or picture")


def media_folders(base: Path, names: Sequence[str]) -> list[Path]:
    """Return the folders of a release in which its media may lie: those of ``names`` that are there, then itself."""
    return [*(base / name for name in names if (base / name).is_dir()), base]
