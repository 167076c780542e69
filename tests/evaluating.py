"""What the tests of tasks, models and evaluations share: miniatures on disk, and settings that point at them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from affectllm import registry
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, Content, materialise
from affectllm.evaluate import environment
from affectllm.evaluate.page import TaskPage, read_page

PAGES = {name: read_page(path) for name, path in registry.names("eval_tasks").items()}
TASKS = sorted(name for name, page in PAGES.items() if "group" not in page)
GROUPS = sorted(name for name, page in PAGES.items() if "group" in page)


_VOTES, _NAMES = "processedResults/tabulatedVotes.csv", "SentenceFilenames.csv"


def _more_crema_d(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """A test actor's clip on which people voted who heard it (1…), saw it (2…), and both (3…)."""
    name = "1002_DFA_ANG_XX"
    votes = "".join(f'"{n}00009",9,0,0,0,1,0,"{name}",10,0.9,"A",65,70,-1,-1,-1,20,-1\n' for n in (1, 2, 3))
    more = {_NAMES: f'5,"{name}"\n', _VOTES: votes}
    return {**miniature, f"VideoFlash/{name}.flv": Clip(), **{k: f"{miniature[k]}{text}" for k, text in more.items()}}


def corpus_of(task: str) -> str:
    return TaskPage.take(dict(PAGES[task]), task).corpus


def miniatures(folder: Path, corpora: Iterable[str]) -> dict[str, Path]:
    """Write the miniature of each corpus below ``folder`` and return where they lie."""
    found = {name: load_builder(name).MINIATURE for name in dict.fromkeys(corpora)}
    if "crema_d" in found:
        found["crema_d"] = _more_crema_d(found["crema_d"])
    return {name: materialise(miniature, folder / name) for name, miniature in found.items()}


def use(monkeypatch: pytest.MonkeyPatch, roots: dict[str, Path], modalities: str = "") -> None:
    """What ``--root`` and ``--modalities`` would set, and nothing that this machine has set."""
    monkeypatch.setenv(environment.ROOTS, json.dumps({name: str(root) for name, root in roots.items()}))
    monkeypatch.setenv(environment.MODALITIES, modalities)
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)


def real_corpora() -> Path:
    """The folder of real corpora; skips the test where there is none."""
    folder = os.environ.get("AFFECTLLM_CORPORA")
    if not folder:
        pytest.skip("AFFECTLLM_CORPORA is not set")
    return Path(folder)
