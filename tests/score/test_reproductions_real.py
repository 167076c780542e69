"""The reproductions whose files are at hand give again what was recorded of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from affectllm import registry
from affectllm.score.ledger.entries import find_entries
from affectllm.score.ledger.folders import folders_of
from affectllm.score.ledger.outcomes import see
from affectllm.score.ledger.stored import seen_before


@pytest.mark.parametrize("name", sorted(registry.names("reproductions")))
def test_what_is_at_hand_gives_what_was_recorded(name: str) -> None:
    if not Path(os.environ.get("AFFECTLLM_CORPORA", "/nowhere")).is_dir():
        pytest.skip("AFFECTLLM_CORPORA is not set")
    (entry,) = find_entries([name])
    seen = see(entry, folders_of([entry], []))
    if not seen.ran:
        pytest.skip(f"no file of {name} is at hand")
    recorded = seen_before(entry)
    for number, outcome in enumerate(seen.outcomes):
        if outcome.value is not None:
            assert outcome.status in ("equal", "differs"), outcome
            assert outcome.value == pytest.approx(recorded[number]["value"]) and outcome.n == recorded[number]["n"]
            assert dict(outcome.rejected) == recorded[number]["rejected"]
