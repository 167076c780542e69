"""A judge for tests: a real HTTP server that speaks the chat completions of OpenAI, and misbehaves when told to."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[int, bytes]]


@dataclass
class Served:
    """A running server: its address, and what it was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def said(text: str | None) -> tuple[int, bytes]:
    """A chat completion."""
    message = {"role": "assistant", "content": text}
    body = {"id": "1", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": message}]}
    return 200, json.dumps(body).encode()


def words_of(request: dict[str, Any]) -> str:
    """The user's message."""
    return str(request["messages"][-1]["content"])


def overlap(request: dict[str, Any]) -> tuple[int, bytes]:
    """A judge with an opinion: the number of words that the two texts in a prompt share, as a score from 1 to 5."""
    texts = re.findall(r"<<<\n([^>]*)\n>>>|(?i:emotions)(?: to be judged)?: (.*)", words_of(request))
    first, second = (set(re.findall(r"\w+", (one or other).lower())) for one, other in texts[:2])
    return said(json.dumps({"score": min(5, 1 + len(first & second)), "reason": "3 of 4"}))


def sampler(request: dict[str, Any]) -> tuple[int, bytes]:
    """An extractor that is greedy or noisy, as it is asked to be."""
    words = re.findall(r"happy|sad|angry|afraid", words_of(request).rpartition("<<<")[2])
    if request.get("temperature"):
        words = random.sample(words, random.randint(1, len(words)))
    return said(json.dumps(words))


def slow(request: dict[str, Any]) -> tuple[int, bytes]:
    """Later than anybody waits."""
    time.sleep(1.5)
    return said("7")


@contextmanager
def served(answer: Answer) -> Iterator[Served]:
    """A server on a free port of this machine that answers with ``answer``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            record.asked.append(request)
            record.headers.append(dict(self.headers))
            status, body = answer(request)
            self.send_response(status)
            if status in (301, 302, 303, 307, 308):
                self.send_header("Location", record.url + "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # the client did not wait
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    record = Served(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield record
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
