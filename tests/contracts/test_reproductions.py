"""Every page of the ledger: it loads, its files are read in a miniature, and what was seen of it is still true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from reproduction_files import MINIATURES

from affectllm import registry
from affectllm.evaluate.shelf import find_task
from affectllm.score.ledger import stored
from affectllm.score.ledger.entries import Entry, find_entries
from affectllm.score.ledger.folders import folders_of, how_to_get
from affectllm.score.ledger.outcomes import see

PAGES = sorted(registry.names("reproductions"))


@pytest.fixture(params=PAGES)
def entry(request: pytest.FixtureRequest) -> Entry:
    (page,) = find_entries([request.param])
    return page


def test_every_page_has_a_miniature_of_its_files() -> None:
    assert set(MINIATURES) == set(PAGES)


def test_its_files_are_read_and_every_number_is_computed(entry: Entry, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(tmp_path))
    MINIATURES[entry.name](tmp_path)
    seen = see(entry, folders_of([entry], []))
    assert len(seen.ran) == len(seen.outcomes) == len(entry.page.checks), seen.outcomes
    assert all(outcome.n > 0 or outcome.check.count for outcome in seen.outcomes)


def test_it_says_what_it_is_and_how_its_files_are_had(entry: Entry) -> None:
    assert len(entry.what.split()) > 3 and entry.what.endswith(".")
    assert len(how_to_get(entry)) >= len(entry.roots)
    for check in entry.page.checks:
        assert check.of and check.source and not re.search(r"/(home|work|tmp)/", f"{check.source} {check.differs}")
    if entry.page.task:
        find_task(entry.page.task)


def test_what_was_seen_is_of_this_page_and_these_files(entry: Entry) -> None:
    content = stored.read(entry)
    if content is None:
        pytest.skip("nothing was seen of it")
    assert stored.seen_before(entry), "a result that holds nothing"
    for name, file in content["files"].items():
        assert not entry.page.tables[name].sha256 or entry.page.tables[name].sha256 == file["sha256"]
    assert set(content) == {"page", "date", "affectllm", "command", "files", "checks"}
    for row in content["checks"]:  # numbers only: no row of anybody's file
        assert set(row) <= {"of", "identity", "value", "strict", "n", "rejected"}
        assert all(isinstance(count, int) for count in row["rejected"].values())


def test_no_result_is_left_of_a_page_that_is_gone() -> None:
    folder = registry.folders("reproductions")[0]
    assert {path.stem for path in folder.glob("*.json")} <= set(PAGES)
    assert all(json.loads(path.read_text(encoding="utf-8"))["page"] == path.stem for path in folder.glob("*.json"))
