"""Open pages in headless Chromium: errors on the console, requests, and measures of what is drawn."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=6000",
    # Names resolve to nothing: neither the page nor the browser itself reaches anybody.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
PROBE = """<script>
const shifts = [];
new PerformanceObserver(list => list.getEntries().forEach(e => shifts.push(e.value)))
  .observe({type: "layout-shift", buffered: true});
const media = [...document.querySelectorAll("video, audio")];
media.forEach(m => m.addEventListener("error", () => m.dataset.failed = "1"));
setTimeout(() => {
  const root = document.documentElement;
  const result = {
    durations: media.map(m => m.duration), failed: media.filter(m => m.dataset.failed).length,
    sized: media.filter(m => m.tagName == "VIDEO").every(m => m.videoWidth > 0),
    shift: shifts.reduce((a, b) => a + b, 0), overflow: root.scrollWidth - root.clientWidth,
    unlabelled: document.querySelectorAll("table:not(:has(caption)), th:not([scope])").length,
    headings: [...document.querySelectorAll("h1, h2, h3")].map(h => h.tagName).join(""),
    title: document.title,
  };
  document.body.setAttribute("data-probe", JSON.stringify(result));
}, 3000);
</script>"""


def browse(page: Path, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open a page in a fresh profile; the net log lies in ``folder/net.json`` afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={folder / 'net.json'}"]
    command = [str(BROWSER), *FLAGS, *profile, *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)


def console(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def requested(folder: Path) -> set[str]:
    """Addresses that the page asked the network for; the browser's own requests have no origin."""
    events = (folder / "net.json").read_text(encoding="utf-8", errors="replace").splitlines()
    asked = [event for event in events if '"initiator":' in event and '"initiator":"not an origin"' not in event]
    return {url for event in asked for url in re.findall(r'"url":"(https?://[^"]+)"', event)}


def open_page(page: Path) -> str:
    """A page without the policy that forbids scripts of others."""
    html = page.read_text(encoding="utf-8")
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html, count=1)


def probed(page: Path, folder: Path, *flags: str) -> dict:
    """What the probe measures in a copy of the page that may run scripts."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "probe.html"
    copy.write_text(open_page(page).replace("</body>", PROBE + "</body>"), encoding="utf-8")
    dom = browse(copy, folder, "--dump-dom", *flags).stdout
    match = re.search(r'data-probe="([^"]+)"', dom)
    assert match, dom[-300:]
    return json.loads(match.group(1).replace("&quot;", '"').replace("&amp;", "&").replace("&lt;", "<"))
