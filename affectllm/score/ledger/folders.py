"""Find the folders of a page's files: ``--root NAME=DIR``, else ``$AFFECTLLM_CORPORA/NAME``."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import roots_of_environment
from affectllm.errors import AffectError, NotFound
from affectllm.score.ledger.entries import Entry
from affectllm.score.ledger.page import WHEELS


def folders_of(entries: Sequence[Entry], pairs: Iterable[str]) -> dict[str, Path]:
    """Return root → folder, for the roots of the pages that are at hand.

    Args:
        pairs: ``NAME=DIR``, which win over the environment.

    Raises:
        AffectError: when a pair is none.
        NotFound: when no page has a root of that name, or its folder is not there.
    """
    names = dict.fromkeys(name for entry in entries for name in entry.roots)
    given = {name: folder for name, folder in roots_of_environment().items() if name in names}
    for pair in pairs:
        name, separator, folder = pair.partition("=")
        if not separator or not name or not folder:
            raise AffectError(f"--root {pair!r} is not NAME=DIR", do="write for example --root tweeteval=~/tweeteval")
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3) or list(names)
            raise NotFound(f"no file of these pages is in {name!r}", do=f"did you mean {', '.join(near)}?")
        given[name] = Path(folder).expanduser()
        if not given[name].is_dir():
            raise NotFound(f"--root {pair}: there is no such folder", do="check the path")
    corpora = os.environ.get("AFFECTLLM_CORPORA")
    if corpora:
        given = {name: Path(corpora) / name for name in names if (Path(corpora) / name).is_dir()} | given
    return given


def how_to_get(entry: Entry) -> list[str]:
    """Return a line for each root on where its files come from, and for each file that is made on how."""
    lines = [f"{root}: {words}" for root in entry.roots if (words := _source(entry, root))]
    return lines + [table.how for table in entry.page.tables.values() if table.how]


def _source(entry: Entry, root: str) -> str:
    if root in entry.page.obtain:
        return entry.page.obtain[root]
    if root == WHEELS:
        return "the folder emotion_wheel of AffectGPT or MERTools, under their licence"
    return load_builder(root).CARD.obtain
