"""Find the corpora of a mixture that are present."""

from __future__ import annotations

from pathlib import Path

from affectllm.corpus.roots import Roots
from affectllm.errors import MissingCorpus
from affectllm.instruct.mixture_page import MixturePage


def present_roots(page: MixturePage, roots: Roots) -> tuple[dict[str, Path], dict[str, str]]:
    """Return corpus → folder, and corpus → how to get it for those that are not there.

    Raises:
        MissingCorpus: for the first one that is nowhere, unless the page skips them; or when none is there.
    """
    folders, missing = roots.at_hand(page.corpora())
    for name, error in missing.items():
        if page.missing == "error" or name in roots.given:
            raise error
    if not folders:
        message = f"none of the {len(missing)} corpora of {page.name} is there: {', '.join(missing)}"
        raise MissingCorpus(
            message, do="pass --root NAME=DIR, or set AFFECTLLM_CORPORA; `affectllm show NAME` says more"
        )
    return folders, {name: error.what for name, error in missing.items()}
