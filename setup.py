"""Finds the packages: a folder with an ``__init__.py`` ships without being listed. All else is in pyproject.toml."""

from setuptools import find_packages, setup

ROOTS = ("data_builders", "eval_tasks", "recipes")  # ship as affectllm.data_builders and so on

setup(
    packages=[
        *find_packages(include=["affectllm", "affectllm.*"]),
        *(f"affectllm.{name}" for root in ROOTS for name in find_packages(include=[root, f"{root}.*"])),
    ]
)
