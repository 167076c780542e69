"""Where files lie: corpora in sections, metrics in families, tests in the rooms that they test, no folder too full."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import affectllm
from affectllm import registry
from affectllm.metrics import METRICS

ROOT = Path(__file__).parents[2]
PACKAGE = Path(affectllm.__file__).parent
MOST = 25
"""Files in one folder; more of them want sections."""
_METRIC = '''
from affectllm.metrics.core.metric import Sums, metric


@metric("never_wrong", form="label", range=(0.0, 1.0), source="made up, 2026")
def never_wrong(gold, predicted):
    """One."""
    return Sums([[1, 1] for _ in gold], lambda sums: sums[..., 0] / sums[..., 1])
'''


def folders(place: Path) -> list[Path]:
    parents = {path.parent for path in place.rglob("*.py")}
    return sorted(folder for folder in parents if "__pycache__" not in folder.parts)


@pytest.mark.parametrize("place", ["data_builders", "affectllm/metrics", "tests"])
def test_no_folder_is_too_full(place: str) -> None:
    full = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders(ROOT / place)}
    assert full and not {folder: count for folder, count in full.items() if count > MOST}


@pytest.mark.parametrize("place", ["affectllm", "data_builders"])
def test_every_folder_of_modules_is_a_package_that_says_what_it_holds(place: str) -> None:
    for folder in folders(ROOT / place):  # one without __init__.py would be missing from the wheel
        assert (folder / "__init__.py").read_text(encoding="utf-8").startswith('"""'), folder


def test_every_corpus_that_ships_lies_in_a_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFECTLLM_PATH", raising=False)
    sections = registry.sections("data_builders")
    assert "" not in sections and all("/" not in section for section in sections)


def test_helpers_beside_builders_are_used_in_their_section_alone() -> None:
    helper = re.compile(r"affectllm\.data_builders\.(\w+)(?:\._\w+| import (?:\w+, )*_)")
    count = 0
    for path in (ROOT / "data_builders").rglob("*.py"):
        sections = helper.findall(path.read_text(encoding="utf-8"))
        count += len(sections)
        assert set(sections) <= {path.parent.name}, f"{path} uses another section's helper: it belongs in corpus/"
    assert count > 20


def test_tests_mirror_the_rooms() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    others = {
        "contracts",
        "support",
        "data_builders",
        "commands",
        "foundation",
        "scripts",
        "kills",
        "reports",
        "servers",
        "training",
        "watching",
    }
    sections = {path.parent.name for path in PACKAGE.glob("*/*/__init__.py")}
    known = rooms | sections | others | {"tests", "readers"}
    assert {folder.name for folder in folders(ROOT / "tests")} <= known
    assert not list((ROOT / "tests").glob("test_*.py")) and not list((ROOT / "tests/support").rglob("test_*.py"))


@pytest.mark.parametrize("family", ["labels", "benchmarks", "a_new_one"])
def test_a_new_file_in_a_family_is_a_new_metric(family: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "affectllm", ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "affectllm" / "metrics" / family
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "never_wrong.py").write_text(_METRIC)
    code = "from affectllm.metrics import METRICS, never_wrong\nprint(never_wrong.name, len(METRICS))"
    own = {**os.environ, "PYTHONPATH": str(tmp_path)}  # comes before the checkout
    done = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["never_wrong", str(len(METRICS) + 1)]
