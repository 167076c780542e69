"""affectllm doctor: say what of this machine matters, and what to do about it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> int:
    from affectllm.model.doctor import doctor, render

    checks = doctor()
    print(json.dumps([asdict(check) for check in checks], ensure_ascii=False) if arguments.json else render(checks))
    return int(any(check.status == "fail" for check in checks))
