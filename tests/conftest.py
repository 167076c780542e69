"""Shared fixtures. Everything is made by the product's own means: miniatures, tiny models, the synthetic corpus."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import deprecated_calls
import pytest
from hypothesis import HealthCheck, settings

from affectllm.model import torchvision_ops

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
torchvision_ops.install()
deprecated_calls.install()
# The same examples on every machine, however busy; `--hypothesis-profile explore` looks for new ones.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", _PATIENT, derandomize=True, max_examples=50)
settings.register_profile("explore", _PATIENT, max_examples=1_000)
settings.register_profile("few", _PATIENT, derandomize=True, max_examples=10)  # for scripts/mutants
settings.load_profile("steady")
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell that starts us in the background ignores Ctrl-C for us and for every process that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes go first: a worker takes a whole file, and the last ones decide how long all wait."""
    minutes: dict[Path, float] = {}
    for item in items:
        for mark in item.iter_markers("slow"):
            minutes[item.path] = max(minutes.get(item.path, 0), mark.kwargs.get("minutes", 0.5))
    items.sort(key=lambda item: -minutes.get(item.path, 0))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """A cache folder of this run's own, shared by its workers, so that no test reads what another version made."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "cache"
    before = os.environ.get("AFFECTLLM_CACHE")
    os.environ["AFFECTLLM_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["AFFECTLLM_CACHE"]
    else:
        os.environ["AFFECTLLM_CACHE"] = before


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of ``demo_affect`` with a few clips per split."""
    from affectllm.data_builders.video import demo_affect

    from affectllm.corpus import TEST, TRAIN, VALIDATION

    root = tmp_path_factory.mktemp("demo_affect")
    demo_affect.generate(root, 0, {TRAIN: 20, VALIDATION: 10, TEST: 10})
    return root
