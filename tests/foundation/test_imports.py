"""Importing is free: what a fresh interpreter loads for `import affectllm` and `affectllm --help`, and how fast."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

# What an installer leaves in site-packages to be loaded at every start of Python, before anything of ours.
_OF_INSTALLERS = ("_distutils_hack", "__editable__", "sitecustomize", "usercustomize", "_virtualenv")
_HEAVY = {"torch", "transformers", "datasets", "trl", "peft", "accelerate", "lm_eval", "deepspeed", "av", "pandas"}
_REPORT = "\nimport json, sys\nprint('\\n' + json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def loaded(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after ``code``."""
    done = subprocess.run([sys.executable, "-c", code + _REPORT], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def foreign(modules: set[str]) -> set[str]:
    """Those that are neither of the standard library, nor ours, nor an installer's."""
    known = sys.stdlib_module_names | {"affectllm", "__main__"}
    return {name for name in modules - known if not name.startswith(_OF_INSTALLERS)}


def test_the_check_sees_a_foreign_module() -> None:
    assert "yaml" in foreign(loaded("import yaml"))


@pytest.mark.parametrize(
    "code",
    [
        "import affectllm",
        "import affectllm.cli",
        "from affectllm.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from affectllm.cli import main\ntry: main(['train', '--help'])\nexcept SystemExit: pass",
        "from affectllm import registry\nregistry.names('data_builders'), registry.names('recipes')",
    ],
    ids=["package", "cli", "help", "help of a command", "listing names"],
)
def test_nothing_but_the_standard_library_is_loaded(code: str) -> None:
    assert foreign(loaded(code)) == set()


def test_every_room_is_light() -> None:
    rooms = ("labels", "metrics", "corpus", "instruct", "model", "train", "evaluate", "report")
    assert loaded("\n".join(f"import affectllm.{room}" for room in rooms)) & _HEAVY == set()


def test_listing_corpora_and_recipes_loads_no_framework() -> None:
    assert loaded("from affectllm.cli import main\nmain(['ls'])") & _HEAVY == set()


def test_the_environment_is_left_as_it_was() -> None:
    code = "import os, sys\nbefore, path = dict(os.environ), list(sys.path)\nimport affectllm.cli\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "print(before == dict(os.environ) and path == sys.path)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["-c", "import affectllm"], ["-m", "affectllm.cli", "--help"]])
def test_the_answer_comes_in_less_than_0_3_seconds(words: list[str]) -> None:
    seconds = []
    for _ in range(5):  # the fastest of five: a busy machine makes single ones slow
        begin = time.perf_counter()
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.3
