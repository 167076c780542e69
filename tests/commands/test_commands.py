"""Verbs are files: listed without being imported, each with a line of help and with options of its own."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from evaluating import miniatures

from affectllm import cli
from affectllm.cli import main

VERBS = cli.verbs()


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_what_it_does_and_nothing_is_imported_with_it(verb: str) -> None:
    text = VERBS[verb].read_text(encoding="utf-8")
    assert text.startswith(f'"""affectllm {verb}: ') and cli._help_line(VERBS[verb])
    module = ".".join(VERBS[verb].relative_to(cli._COMMANDS).with_suffix("").parts)
    code = f"import sys\nbefore = set(sys.modules)\nimport affectllm.commands.{module}\n"
    code += "print([name for name in set(sys.modules) - before if name.startswith('affectllm.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    rooms = {name.split(".")[1] for name in ast.literal_eval(loaded)}
    assert rooms == {"commands"}


def test_help_lists_every_verb_and_imports_none_of_them() -> None:
    code = (
        "import sys\nfrom affectllm.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('affectllm.commands')])"
    )
    stdout = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert stdout.splitlines()[-1] == "[]"
    assert {line.split()[0] for line in stdout.splitlines() if line.startswith("    ")} >= set(VERBS)


def test_a_verb_is_added_by_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from affectllm import commands

    (tmp_path / "greet.py").write_text(
        '"""affectllm greet: say hello to somebody."""\n'
        "def add_options(parser):\n    parser.add_argument('name', help='whom')\n"
        "def call(arguments):\n    print('hello', arguments.name)\n    return 3\n"
    )
    monkeypatch.setattr(cli, "_COMMANDS", tmp_path)
    monkeypatch.setattr(commands, "__path__", [str(tmp_path)])
    assert main(["greet", "you"]) == 3 and capsys.readouterr().out == "hello you\n"
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "greet     say hello to somebody\n" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["greet", "--help"])
    assert "whom" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["audit", "emodb"], ["leaks", "emodb_tiny"], ["show", "emodb"], ["build", "emodb"]])
def test_every_command_knows_what_the_harness_was_told(words, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    monkeypatch.chdir(tmp_path)
    main(words)
    assert "AFFECTLLM_CORPORA is not set" in "".join(capsys.readouterr())
    roots = miniatures(tmp_path / "corpora", ["emodb"])
    monkeypatch.setenv("AFFECTLLM_ROOTS", json.dumps({name: str(root) for name, root in roots.items()}))
    assert main(words) in (0, 1)
    assert "AFFECTLLM_CORPORA is not set" not in "".join(capsys.readouterr())
