"""A real server: ``transformers serve`` on a folder; and the stand-in with a model of this process behind it."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affectllm.model.load import Model
from affectllm.respond.in_process import InProcess
from affectllm.respond.responder import Ask

_PATIENCE = 120.0  # seconds


@contextmanager
def transformers_serve(folder: Path, log: Path) -> Iterator[str]:
    """Serve a checkpoint on a free port of this machine, and yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(__file__).with_name("serve.py")
    command = [sys.executable, program, "serve", folder, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as stream:
        server = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no server: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)


class Answering:
    """Answers a request's body with a model of this process: its clips are written to files again and asked about."""

    def __init__(self, model: Model, folder: Path) -> None:
        self._responder, self._folder, self._count = InProcess(model, batch_size=1), folder, 0

    def __call__(self, body: dict[str, Any]) -> str:
        messages = [{"role": "user", "content": self._parts(message["content"])} for message in body["messages"]]
        ((_, reply),) = self._responder.replies([Ask(messages, body["max_tokens"])], {"sent": self._folder})
        return str(reply)

    def _parts(self, content: Any) -> list[dict[str, Any]]:
        if isinstance(content, str):
            return [{"type": "text", "text": content}]
        return [part if part["type"] == "text" else self._clip(part) for part in content]

    def _clip(self, part: dict[str, Any]) -> dict[str, Any]:
        heard = part["type"] == "input_audio"
        data = part["input_audio"]["data"] if heard else part["image_url"]["url"].partition("base64,")[2]
        self._count += 1
        name = f"{self._count}.{'wav' if heard else 'jpg'}"
        (self._folder / name).write_bytes(base64.b64decode(data))
        return {"type": "audio" if heard else "image", "corpus": "sent", "path": name}
