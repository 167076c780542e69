"""The list of licences is of the versions that are pinned."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


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
