"""affectllm doctor: say what of this machine matters, and what to do about it."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options."""


def call(arguments: argparse.Namespace) -> int:
    from affectllm.model.doctor import doctor, render

    checks = doctor()
    print(render(checks))
    return int(any(check.status == "fail" for check in checks))
