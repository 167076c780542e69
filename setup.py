"""Finds the packages, and makes the README's links hold outside the checkout. All else is in pyproject.toml."""

import re
import tomllib
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
ROOTS = ("data_builders", "eval_tasks", "recipes")  # ship as affectllm.data_builders and so on
_RELATIVE = re.compile(r"(?<!!)\[([^][]+)\]\((?![a-z]+:|#|/)([^()\s]+)\)")


def described(text: str, source: str) -> str:
    """Return the README as an index of packages shows it, where its relative links would lead nowhere.

    Args:
        text: the README.
        source: address of the repository, ``Source`` of ``[project.urls]``; without one, links become their words.
    """
    base = source.rstrip("/")
    return _RELATIVE.sub(rf"[\1]({base}/blob/HEAD/\2)" if base else r"\1", text)


project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
setup(
    long_description=described(
        (HERE / "README.md").read_text(encoding="utf-8"), project.get("urls", {}).get("Source", "")
    ),
    long_description_content_type="text/markdown",
    packages=[
        *find_packages(include=["affectllm", "affectllm.*"]),
        *(f"affectllm.{name}" for root in ROOTS for name in find_packages(include=[root, f"{root}.*"])),
    ],
)
