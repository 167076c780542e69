"""Plant copies of films and pictures among others and count what ``leaks --thorough`` would name."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from affectllm.corpus import MediaRef
from affectllm.corpus.leaks.media_content import Clip
from affectllm.model.fingerprints.alike import Fingerprints

HALVES = ("chosen on", "measured on")
AS_THEY_ARE = "others of the group as they are"


class Row(NamedTuple):
    """Counts of the copies of a kind among the clips of a group: planted, detected, and others named besides."""

    half: str
    group: str
    copy: str
    planted: int
    detected: int
    others: int
    pairs: int


class Group(NamedTuple):
    """Clips that are hard to tell apart, and how many of them are copied."""

    clips: Sequence[Any]
    copied: int


def rates(
    groups: Callable[[int], Mapping[str, Group]],
    modality: Literal["image", "video"],
    save: Callable[[Path, Any], Path],
    copies: Callable[[Any, Path, random.Random], Iterator[tuple[str, Path]]],
) -> Iterator[Row]:
    """Yield rates of each half, group and kind of copy.

    Args:
        groups: of a half, by name.
        modality: of the clips.
        save: writes a clip below a name and says where it is.
        copies: writes the copies of a clip into a folder.
    """
    for number, half in enumerate(HALVES):
        dice = random.Random(number)
        for name, (clips, copied) in groups(number).items():
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                prints = Fingerprints(folder / "kept")

                def fingerprints(files: Sequence[Path], prints: Fingerprints = prints) -> Sequence[Any]:
                    return prints.prints([Clip("c", MediaRef(file.name, modality), str(file)) for file in files])

                originals = fingerprints([save(folder / f"held{at}", clip) for at, clip in enumerate(clips)])
                index = prints.index(originals)
                named = sum(len({other for other, *_ in index.matches(one)} - {at}) for at, one in enumerate(originals))
                yield Row(half, name, AS_THEY_ARE, 0, 0, named, len(clips) * (len(clips) - 1))
                planted, detected, others = Counter[str](), Counter[str](), Counter[str]()
                for at in dice.sample(range(len(clips)), min(copied, len(clips))):
                    kinds, files = zip(*copies(clips[at], folder, dice), strict=True)
                    for kind, one in zip(kinds, fingerprints(files), strict=True):
                        seen = {other for other, *_ in index.matches(one)}
                        planted[kind] += 1
                        detected[kind] += at in seen
                        others[kind] += len(seen - {at})
                for kind, count in planted.items():
                    yield Row(half, name, kind, count, detected[kind], others[kind], count * (len(clips) - 1))
