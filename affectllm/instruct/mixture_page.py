"""Load mixture pages: training sets as YAML in ``recipes/mixtures/``, built from the user's own downloads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from affectllm import registry
from affectllm.corpus import TRAIN
from affectllm.errors import AffectError, BadRecipe, Malformed
from affectllm.instruct.mixture import Mixture
from affectllm.page_schema import build
from affectllm.yaml_page import Page, PageKind, Path_, read_page

MIXTURE = PageKind("mixture", BadRecipe, listed="mixtures")


@dataclass(frozen=True)
class MixturePage(Mixture):
    """A mixture with its description, expected size and seed.

    Args:
        description: what it is for, and after which published set it is made.
        expected: training conversations when all corpora are there whole, roughly.
        seed: of every draw.
        missing: ``skip`` builds with the corpora that are there and says which are not; ``error`` refuses.
    """

    description: str = ""
    expected: int | None = None
    seed: int = 0
    missing: Literal["error", "skip"] = "error"
    name: str = ""


def is_mixture(name: str) -> bool:
    """Whether ``name`` is a mixture page, by its name or by what is in the file."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        return path.is_file() and "mixture" in read_page(path, MIXTURE).value
    return name in registry.names("recipes/mixtures")


def load_mixture(name: str, overrides: Sequence[str] = ()) -> MixturePage:
    """Read a mixture by name or path.

    Args:
        name: name in ``recipes/mixtures/``, or path of a YAML file.
        overrides: ``key.key=value`` texts.

    Raises:
        NotFound: when there is no such page.
        BadRecipe: with file and line, for anything that is not as it must be.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else registry.find("recipes/mixtures", name)
    page = read_page(path, MIXTURE)
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise BadRecipe(f"--set {override!r} is not KEY=VALUE", do="write for example --set validation_rows=100")
        page.set(key, text)
    if page.value.get("name"):
        raise BadRecipe("a mixture is called as its file is", where=page.where(("name",)), do="remove the key")
    refuse_other_splits(page, ("mixture",))
    mixture: MixturePage = build(MixturePage, page)
    check_mixture(mixture, page, ("mixture",))
    return replace(mixture, name=path.stem)


def refuse_other_splits(page: Page, path: Path_) -> None:
    """Remove ``split: train``, which holds anyway, from the parts at ``path``.

    Raises:
        BadRecipe: for another split: validation and test data are for evaluation.
    """
    parts = _at(page, path)
    for index, part in enumerate(parts if isinstance(parts, list) else []):
        split = part.pop("split", TRAIN) if isinstance(part, dict) else TRAIN
        if split != TRAIN:
            raise BadRecipe(
                f"a mixture takes the training split only, not {split!r}",
                where=page.where((*path, index, "split")),
                do="remove the key; validation and test data are for eval",
            )


def _at(page: Page, path: Path_) -> Any:
    value = page.value
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def check_mixture(mixture: Mixture, page: Page, path: Path_, takes: Collection[str] | None = None) -> None:
    """Check numbers and bind every part, so that errors are raised before anything is built.

    Args:
        path: where the parts stand.
        takes: the modalities of the backbone; None for any.

    Raises:
        BadRecipe: with file and line.
    """
    if not mixture.mixture:
        raise BadRecipe("a mixture has at least one part", where=page.where(path))
    try:
        mixture.check()
    except Malformed as error:
        raise BadRecipe(error.what, where=page.where((*path[:-1], error.where)), do=error.do) from error
    for index, part in enumerate(mixture.mixture):
        where = (*path, index)
        if takes is not None and (strange := sorted(set(part.modalities) - set(takes))):
            message = f"the backbone does not take {', '.join(strange)}"
            raise BadRecipe(message, where=page.where((*where, "modalities")))
        try:
            part.bind()
        except AffectError as error:
            # A template of one's own has lines of its own.
            message = f"{error.what} ({error.where})" if error.where else error.what
            raise BadRecipe(message, where=page.where(where), do=error.do) from error
