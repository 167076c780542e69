"""Files that a head learns from beside its corpora: a teacher's answers, and prototypes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from affectllm.errors import NotFound
from affectllm.run import file_digest
from affectllm.train.distilling.answers import files_of

if TYPE_CHECKING:
    from affectllm.train.recipe import Recipe


def given_files(recipe: Recipe) -> dict[str, list[Path]]:
    """Return key of a recipe's head → the files that it names; empty where it names none.

    Raises:
        NotFound: when one of them is not there.
    """
    head, files = recipe.head, {}
    if head is not None and head.teacher is not None:
        files["teacher"] = files_of(head.teacher.answers)
    if head is not None and head.prototypes is not None:
        path = Path(head.prototypes.path).expanduser()
        if not path.is_file():
            raise NotFound(f"there is no file of prototypes {head.prototypes.path}", do="give the path of a JSON file")
        files["prototypes"] = [path]
    return files


def given_digests(recipe: Recipe) -> dict[str, list[str]]:
    """Return the digests of these files, which may change under the same names."""
    return {key: [file_digest(file) for file in files] for key, files in given_files(recipe).items()}
