"""A headless Chromium that is told by its own protocol what to click, with a camera and a microphone that are made up.

``with Browser(folder) as browser: browser.open(url); browser.click("#ask")``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 300.0  # seconds
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--remote-allow-origins=*"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    # Names resolve to nothing: neither the page nor the browser itself reaches anybody.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


class Browser:
    """The browser with one page.

    Attributes:
        requested: addresses that the page asked for.
        errors: what the page wrote to its console as an error.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        self.requested: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> Browser:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "browser.log").open("wb") as log:
            command = [str(BROWSER), *_FLAGS, f"--user-data-dir={self._folder / 'profile'}", "about:blank"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._connect()
        except BaseException:  # nobody else would end it
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.__exit__(None, None, None)
        self._process.terminate()
        self._process.wait()

    def _connect(self) -> None:
        from websockets.sync.client import connect

        port = self._until(lambda: self._port(), "no port").splitlines()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as answer:
            page = next(one for one in json.load(answer) if one["type"] == "page")
        self._connection = connect(page["webSocketDebuggerUrl"], max_size=None)
        self._socket = self._connection.__enter__()
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def _port(self) -> str:
        path = self._folder / "profile" / "DevToolsActivePort"
        return path.read_text() if path.is_file() else ""

    def _until(self, check: Any, what: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (value := check()):
            assert time.monotonic() < deadline and self._process.poll() is None, what
            time.sleep(0.1)
        return value

    def send(self, method: str, **fields: Any) -> dict[str, Any]:
        """Send one command of the DevTools protocol and return its result; events on the way are noted."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": fields}))
        while (message := json.loads(self._socket.recv(timeout=PATIENCE))).get("id") != self._number:
            self._note(message)
        assert "error" not in message, message
        return message["result"]

    def _note(self, event: dict[str, Any]) -> None:
        about = event.get("params", {})
        if event["method"] == "Network.requestWillBeSent":
            self.requested.append(about["request"]["url"])
        elif event["method"] == "Runtime.exceptionThrown":
            self.errors.append(str(about["exceptionDetails"]))
        elif event["method"] == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(about["entry"]["text"])

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page; promises are waited for."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        return self._until(lambda: self.run(script), f"never true: {script}")

    def open(self, address: str) -> None:
        """Open an address."""
        self.send("Page.navigate", url=address)

    def click(self, selector: str) -> None:
        """Click what a selector finds, as soon as it is there and not switched off."""
        self.until(f"(e => !!e && !e.disabled)(document.querySelector({selector!r}))")
        self.run(f"document.querySelector({selector!r}).click()")

    def press(self, place: str, words: str) -> None:
        """Click the button with these words below a place, as soon as it can be clicked."""
        button = f"[...document.querySelectorAll('{place} button')].find(e => e.textContent.trim() == {words!r})"
        self.until(f"(e => !!e && !e.disabled)({button})")
        self.run(f"{button}.click()")

    def type(self, key: str) -> None:
        """Press and release one key as a person does, which lets a page play sounds."""
        for event in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=event, key=key, **({"text": key} if event == "keyDown" else {}))

    def write(self, selector: str, text: str) -> None:
        """Write into a field."""
        self.until(f"!!document.querySelector({selector!r})")
        place = f"document.querySelector({selector!r})"
        self.run(f"{place}.value = {text!r}; {place}.dispatchEvent(new Event('input', {{bubbles: true}}))")

    def upload(self, selector: str, path: Path) -> None:
        """Choose a file in a field for files."""
        self.until(f"!!document.querySelector({selector!r})")
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def picture(self, path: Path) -> None:
        """Save a picture of the page."""
        import base64

        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]))
