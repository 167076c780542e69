"""Fixtures of the contract tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from family_clips import make_clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips for every modality."""
    return make_clips(tmp_path_factory.mktemp("clips"))
