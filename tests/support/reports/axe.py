"""What axe finds in a page, where $AFFECTLLM_AXE names a copy of axe.min.js (npm's axe-core)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from driving import Browser

needs_axe = pytest.mark.skipif("AFFECTLLM_AXE" not in os.environ, reason="AFFECTLLM_AXE names no copy of axe.min.js")
_RUN = """axe.run().then(seen => JSON.stringify(
  seen.violations.map(one => [one.impact, one.id, one.nodes.length, one.nodes[0].html])))"""


def found(page: Path, folder: Path, *, width: int = 1300, scheme: str = "light") -> list[list[str]]:
    """Impact, rule, number and first element of each kind of fault, with everything that folds open."""
    with Browser(folder) as browser:
        browser.send("Page.setBypassCSP", enabled=True)
        browser.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.open(page.as_uri())
        browser.until("document.readyState == 'complete' && !document.querySelector('#examples:not([data-ready])')")
        browser.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        browser.run(Path(os.environ["AFFECTLLM_AXE"]).read_text(encoding="utf-8") + ";0")
        return json.loads(browser.run(_RUN))
