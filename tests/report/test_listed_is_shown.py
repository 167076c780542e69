"""Whatever ``affectllm ls`` lists, ``affectllm show`` shows."""

from __future__ import annotations

import json

import pytest

from affectllm.cli import main
from affectllm.commands.ls import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_listed_is_shown(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", kind, "--json"]) == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    names = [name for name in names if not name.isupper() and ":" not in name and not name.endswith("/")]
    assert names
    for name in dict.fromkeys((names[0], names[-1])):
        assert main(["show", kind, name, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["name"] == name and len(shown) > 4, "what describes it, too"
        assert main(["show", name]) == 0
        assert len(capsys.readouterr().out.split()) > 8
