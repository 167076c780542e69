"""Completion: each shell reads what is printed, and bash completes commands, options and choices."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from affectllm.cli import main, verbs


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_option_is_offered(shell: str, capsys) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(verb in script for verb in verbs()) and "num-processes" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "offered"), [("tr", "train"), ("train --num", "--num-processes"), ("completion z", "zsh")]
)
def test_bash_completes(tmp_path: Path, capsys, typed: str, offered: str) -> None:
    main(["completion", "bash"])
    (tmp_path / "completion").write_text(capsys.readouterr().out)
    words = " ".join(["affectllm", *typed.split(" ")])
    code = f"source {tmp_path}/completion; COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); "
    code += "$(complete -p affectllm | sed 's/.*-F \\([^ ]*\\).*/\\1/') affectllm; printf '%s\\n' ${COMPREPLY[@]}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False)
    assert offered in done.stdout.split(), done.stderr
