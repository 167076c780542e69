"""Where a corpus lies: ``--root NAME=DIR``, else ``$AFFECTLLM_CORPORA/NAME``, else an error that says both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from affectllm import registry
from affectllm.corpus.builder import code_of, load_builder
from affectllm.errors import AffectError, MissingCorpus
from affectllm.run import cache_folder, digest

GENERATOR_SEED = 0


def parse_roots(pairs: Iterable[str]) -> dict[str, Path]:
    """``["meld=/data/MELD", …]`` → ``{"meld": Path("/data/MELD"), …}``.

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


def find_roots(names: Sequence[str], pairs: Sequence[str]) -> dict[str, Path]:
    """Corpus name → folder, for every name.

    Raises:
        MissingCorpus: for the first one that is nowhere.
    """
    given = parse_roots(pairs)
    return {name: locate(name, given) for name in names}


def locate(name: str, roots: Mapping[str, Path] | None = None) -> Path:
    """The folder of the corpus called ``name``; a synthetic corpus is generated on first use.

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


def _existing(folder: Path, name: str, given: str) -> Path:
    if not folder.is_dir():
        obtain = load_builder(name).CARD.obtain
        raise MissingCorpus(f"{given} is not a folder", do=f"give the folder of {name}. How to get it: {obtain}")
    return folder


def _generated(name: str) -> Path:
    # The builder's code is in the folder's name, so an edited generator never reads what the old one drew.
    import shutil
    import tempfile

    builder = load_builder(name)
    folder = cache_folder() / "generated" / f"{name}-{digest(code_of(name))}-{GENERATOR_SEED}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
        builder.generate(scratch, GENERATOR_SEED)  # type: ignore[attr-defined]
        try:
            scratch.rename(folder)
        except OSError:  # another process was faster; its bytes are the same
            shutil.rmtree(scratch)
            if not folder.is_dir():
                raise
    return folder
