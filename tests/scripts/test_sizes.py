"""What is too long to be read at once is found, in modules and in scripts without a suffix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONG = "    x = 1\n"


def run_sizes(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "sizes", folder], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_long_functions_and_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "affectllm" / "room").mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    module, script = tmp_path / "affectllm" / "room" / "a.py", tmp_path / "scripts" / "tool"
    module.write_text("def short():\n" + LONG * 59 + "\n" * 340, encoding="utf-8")
    script.write_text("#!/bin/sh\necho\n" * 500, encoding="utf-8")
    assert run_sizes(tmp_path) == (0, "no function over 60 lines, no file over 400, no folder over 26 files\n")
    module.write_text("class A:\n  async def long(self):\n" + LONG * 60 + "\n" * 339, encoding="utf-8")
    script.write_text("#!/usr/bin/env python3\n\ndef tool():\n    def inner():\n" + "        y = 1\n" + LONG * 59)
    status, output = run_sizes(tmp_path)
    assert status == 1 and output.splitlines() == [
        "affectllm/room/a.py:1: a file of 401 lines; at most 400",
        "affectllm/room/a.py:2: long has 61 lines; at most 60",
        "scripts/tool:3: tool has 62 lines; at most 60",
    ]


def test_folders_with_more_pages_than_one_can_look_over_are_named(tmp_path: Path) -> None:
    shelf = tmp_path / "affectllm" / "shelf"
    (shelf / "section").mkdir(parents=True)
    for number in range(26):
        (shelf / f"{number}.yaml").touch()
        (shelf / "section" / f"{number}.py").touch()
    assert run_sizes(tmp_path)[0] == 0
    (shelf / "one_more.py").touch()
    assert run_sizes(tmp_path) == (1, "affectllm/shelf: 27 files; at most 26 without sections\n")


def test_nothing_of_ours_is_too_long() -> None:
    status, output = run_sizes(ROOT)
    assert status == 0, output
