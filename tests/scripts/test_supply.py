"""The list of licences is of the versions that are pinned, and these are held against a copy of the advisories."""

from __future__ import annotations

import json
import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def supply() -> ModuleType:
    loader = SourceFileLoader("supply", str(ROOT / "scripts" / "supply"))
    spec = spec_from_loader("supply", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_pinned_distribution_is_listed_with_its_version_and_a_licence() -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    listed = {
        name: (version, words)
        for name, version, words in re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", text, re.MULTILINE)
    }
    assert {name: version for name, (version, _) in listed.items() if name in pins} == pins, (
        "run scripts/supply licences"
    )
    unknown = [name for name, (_, words) in listed.items() if words == "not stated"]
    assert not unknown


FIXED = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.9.2"}]}
LAST = {"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"last_affected": "2.5"}]}
TWICE = {"type": "ECOSYSTEM", "events": [{"fixed": "2.2"}, {"introduced": "3"}, {"introduced": "2"}, {"fixed": "3.1"}]}
COMMITS = {"type": "GIT", "events": [{"introduced": "0"}], "repo": "https://example.invalid"}


@pytest.mark.parametrize(
    ("version", "affected", "yes"),
    [
        ("1.0", {"versions": ["0.9", "1.0"]}, True),
        ("1.1", {"versions": ["0.9", 1.0]}, False),
        ("3.9.1", {"ranges": [FIXED]}, True),
        ("3.9.2", {"ranges": [FIXED]}, False),
        ("3.10.0", {"ranges": [FIXED]}, False),
        ("2.5", {"ranges": [LAST]}, True),
        ("2.5.1", {"ranges": [LAST]}, False),
        ("1.9", {"ranges": [LAST]}, False),
        *((version, {"ranges": [TWICE]}, yes) for version, yes in (("2.1", True), ("2.9", False), ("3.0.5", True))),
        ("9.9", {"ranges": [COMMITS]}, False),
        ("2.1", {"ranges": [FIXED, LAST]}, True),
        ("4.0", {"ranges": [TWICE, {"type": "ECOSYSTEM", "events": [{"introduced": "4.0rc1"}]}]}, True),
        ("1.0", {}, False),
    ],
)
def test_a_version_is_listed_or_lies_in_a_range(supply: ModuleType, version: str, affected: dict, yes: bool) -> None:
    assert supply.concerns(version, affected) is yes


def test_pins_are_held_against_a_copy_of_the_advisories(
    supply: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert supply.main(["audit", "--advisories", str(tmp_path)]) == 2
    assert "has no vulns/" in capsys.readouterr().err
    place = tmp_path / "vulns" / "huggingface-hub"  # whose pin is written with a low line
    place.mkdir(parents=True)
    page = {"id": "PYSEC-0-1", "modified": "2026-02-06T20:20:18Z", "aliases": ["CVE-0-1"]}
    older = {"affected": [{"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.0.2"}]}]}]}
    every = {"affected": [{"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}
    (place / "PYSEC-0-1.yaml").write_text(json.dumps(page | older))
    (place / "PYSEC-0-2.yaml").write_text(json.dumps(page | every | {"withdrawn": "2026-03-01T00:00:00Z"}))
    assert supply.main(["audit", "--advisories", str(tmp_path)]) == 0
    assert re.search(r"^0 known .* 2 advisories .* 2026-02-06$", capsys.readouterr().out, re.MULTILINE)
    (place / "PYSEC-0-3.yaml").write_text(json.dumps(page | every | {"id": "PYSEC-0-3"}))
    assert supply.main(["audit", "--advisories", str(tmp_path)]) == 1
    assert re.search(r"^huggingface[-_]hub \S+: PYSEC-0-3 CVE-0-1$", capsys.readouterr().out, re.MULTILINE)
