"""Locate corpora: ``--root NAME=DIR``, else ``$AFFECTLLM_CORPORA/NAME``, else an error that names both."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm import registry
from affectllm.corpus.builder import code_of, load_builder
from affectllm.errors import AffectError, Malformed, MissingCorpus
from affectllm.folders import made_once
from affectllm.run import cache_folder, digest

GENERATOR_SEED = 0
ENVIRONMENT = "AFFECTLLM_ROOTS"


def parse_roots(pairs: Iterable[str]) -> dict[str, Path]:
    """Parse ``["meld=/data/MELD", …]`` to ``{"meld": Path("/data/MELD"), …}``.

    Raises:
        AffectError: when a pair is none.
        NotFound: when no builder has the name: a misspelt one would leave its corpus out of a mixture.
    """
    roots = {}
    for pair in pairs:
        name, separator, folder = pair.partition("=")
        if not separator or not name or not folder:
            raise AffectError(f"--root {pair!r} is not NAME=DIR", do="write for example --root meld=/data/MELD")
        registry.find("data_builders", name)
        roots[name] = Path(folder).expanduser()
    return roots


def roots_of_environment() -> dict[str, Path]:
    """Return corpus name → folder of ``$AFFECTLLM_ROOTS``: a command's roots, passed to the processes it starts.

    Raises:
        Malformed: when the variable is not a JSON object of strings.
    """
    text = os.environ.get(ENVIRONMENT, "{}")
    try:
        folders = json.loads(text)
        return {str(name): Path(folder) for name, folder in folders.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise Malformed(f"${ENVIRONMENT} is not a JSON object: {text!r}", do='set it to {"NAME": "DIR"}') from error


@dataclass(frozen=True)
class Roots:
    """The folders of corpora that the user named; each command gets them once.

    Args:
        given: corpus → folder, of ``--root`` and ``$AFFECTLLM_ROOTS``; others are looked for where ``locate`` says.
    """

    given: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def parse(cls, pairs: Iterable[str] = ()) -> Roots:
        """Of ``NAME=DIR`` texts, which win over the environment.

        Raises:
            AffectError: as ``parse_roots`` and ``roots_of_environment``.
        """
        return cls({**roots_of_environment(), **parse_roots(pairs)})

    def find(self, name: str) -> Path:
        """Return the folder of a corpus.

        Raises:
            NotFound: when no builder has this name.
            MissingCorpus: when it is nowhere.
        """
        return locate(name, self.given)

    def find_all(self, names: Iterable[str]) -> dict[str, Path]:
        """Return corpus → folder, for every name once.

        Raises:
            MissingCorpus: for the first one that is nowhere.
        """
        return {name: self.find(name) for name in dict.fromkeys(names)}

    def at_hand(self, names: Iterable[str]) -> tuple[dict[str, Path], dict[str, MissingCorpus]]:
        """Return corpus → folder for those that are present, and corpus → error for the others."""
        folders: dict[str, Path] = {}
        missing: dict[str, MissingCorpus] = {}
        for name in dict.fromkeys(names):
            try:
                folders[name] = self.find(name)
            except MissingCorpus as error:
                missing[name] = error
        return folders, missing


def locate(name: str, roots: Mapping[str, Path] | None = None) -> Path:
    """Return the folder of the corpus called ``name``; a synthetic corpus is generated on first use.

    Raises:
        NotFound: when no builder has this name.
        MissingCorpus: when the folder is unknown or absent.
    """
    builder = load_builder(name)
    if roots and name in roots:
        return _existing(roots[name], name, f"--root {name}={roots[name]}")
    if base := os.environ.get("AFFECTLLM_CORPORA"):
        folder = Path(base) / name
        if folder.is_dir():
            return folder
    if hasattr(builder, "generate"):
        return _generated(name)
    tried = f"$AFFECTLLM_CORPORA/{name} = {Path(base) / name}" if base else "$AFFECTLLM_CORPORA is not set"
    raise MissingCorpus(
        f"the corpus {name} was not found ({tried})",
        do=f"pass --root {name}=DIR, or set AFFECTLLM_CORPORA to a folder that has {name}/ in it. "
        f"How to get it: {builder.CARD.obtain}",
    )


def _existing(folder: Path, name: str, source: str) -> Path:
    if not folder.is_dir():
        obtain = load_builder(name).CARD.obtain
        raise MissingCorpus(f"{source} is not a folder", do=f"give the folder of {name}. How to get it: {obtain}")
    return folder


def _generated(name: str) -> Path:
    # The builder's code is in the folder's name, so an edited generator never reads what the old one drew.
    builder = load_builder(name)
    folder = cache_folder() / "generated" / f"{name}-{digest(code_of(name))}-{GENERATOR_SEED}"
    return made_once(folder, lambda scratch: builder.generate(scratch, GENERATOR_SEED))  # type: ignore[attr-defined]
