"""A small server with OpenAI's chat completions that answers by the content it gets, and misbehaves when told to.

``with StandIn(...) as server: server.url``; as a program it prints its address and serves until it is killed.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "stand-in-1"
LABELS = ("anger", "boredom", "disgust", "fear", "happiness", "sadness", "neutral")
HTML = b"<!doctype html><html><body>Welcome to nginx!</body></html>"
Body = dict[str, Any]
STATUSES: dict[str, tuple[int, Body]] = {
    "429": (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}),
    "quota": (429, {"error": {"message": "you have nothing left", "code": "insufficient_quota"}}),
    "500": (500, {"error": {"message": "oops"}}),
    "401": (401, {"error": {"message": "Incorrect API key provided: {key}. See the console."}}),
    "404": (404, {"error": {"message": "The model `stand-in` does not exist", "code": "model_not_found"}}),
    "filtered": (400, {"error": {"message": "the content policy", "code": "content_filter"}}),
    "too long": (400, {"error": {"message": "maximum context length is 8", "code": "context_length_exceeded"}}),
    "no field": (422, {"detail": "Unexpected fields in the request"}),
}


def label_of(body: Body) -> str:
    """A label that depends on everything in the messages."""
    digest = hashlib.sha256(json.dumps(body["messages"]).encode()).digest()
    return LABELS[digest[0] % len(LABELS)]


class StandIn(ThreadingHTTPServer):
    """The server.

    Args:
        answer: request → text of the reply.
        faults: what happens to the first requests, in order; ``""`` is a proper answer.
        deaf: types of content parts that are dropped in silence.
        logprobs: whether first-token log-probabilities are given when asked for.
        counts: whether the tokens of the prompt are told.
        seconds: how long each answer takes.
        retry_after: of status 429.
    """

    daemon_threads = True

    def __init__(
        self,
        answer: Callable[[Body], str] = label_of,
        faults: Sequence[str] = (),
        deaf: Sequence[str] = (),
        logprobs: bool = False,
        counts: bool = True,
        seconds: float = 0.0,
        retry_after: str = "0.2",
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.faults, self.deaf = answer, list(faults), tuple(deaf)
        self.logprobs, self.counts, self.seconds, self.retry_after = logprobs, counts, seconds, retry_after
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.bodies: list[Body] = []
        self.keys: list[str] = []
        self.headers: list[str] = []
        self.times: list[float] = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()

    def __enter__(self) -> StandIn:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    def heard(self, body: Body) -> Body:
        """The request without what is dropped."""
        contents = [message["content"] for message in body["messages"]]
        kept = [
            content if isinstance(content, str) else [part for part in content if part["type"] not in self.deaf]
            for content in contents
        ]
        # What is left of text alone reads the same, as a list and as a string.
        texts = [
            content if isinstance(content, str) or any(p["type"] != "text" for p in content) else content[0]["text"]
            for content in kept
        ]
        return {**body, "messages": [{"content": content} for content in texts]}

    def completion(self, body: Body) -> Body:
        heard = self.heard(body)
        text = self.answer(heard)
        choice: Body = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        if self.logprobs and body.get("logprobs"):
            words = [{"token": word, "logprob": -1.0 - place} for place, word in enumerate([text[:3], "zz", text])]
            choice["logprobs"] = {"content": [{**words[0], "top_logprobs": words}]}
        prompt = len(json.dumps(heard["messages"])) // 4
        usage = {"prompt_tokens": prompt, "completion_tokens": 2, "total_tokens": prompt + 2}
        common = {"id": "x", "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice]}
        return {**common, **({"usage": usage} if self.counts else {})}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def log_message(self, *args: object) -> None:
        return None

    def do_POST(self) -> None:
        server, body = self.server, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.bodies.append(body)
            server.keys.append(self.headers.get("Authorization", ""))
            server.headers.append(str(self.headers))
            server.times.append(time.monotonic())
            fault = server.faults.pop(0) if server.faults else ""
            server.under_way += 1
            server.most_under_way = max(server.most_under_way, server.under_way)
        time.sleep(server.seconds)
        with server.lock:
            server.under_way -= 1
        self._misbehave(fault, body)

    def _misbehave(self, fault: str, body: Body) -> None:
        if fault in STATUSES:
            status, answer = STATUSES[fault]
            text = json.dumps(answer).replace("{key}", self.headers.get("Authorization", "").removeprefix("Bearer "))
            extra = {"Retry-After": self.server.retry_after} if status == 429 else {}
            return self._send(status, text.encode(), extra=extra)
        answer = self.server.completion(body)
        if fault == "html":
            return self._send(200, HTML, "text/html")
        if fault == "slow":
            time.sleep(1.5)
        elif fault == "cut":
            return self._send(200, json.dumps(answer).encode(), cut=True)
        elif fault == "no json":
            return self._send(200, b'{"choices": [')
        else:
            _spoil(answer, fault)
        return self._send(200, json.dumps(answer).encode())

    def _send(
        self, status: int, data: bytes, kind: str = "application/json", cut: bool = False, extra: Any = None
    ) -> None:
        try:
            self.send_response(status)
            headers = {"Content-Type": kind, "Content-Length": str(len(data)), **(extra or {})}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
        except (BrokenPipeError, ConnectionResetError):
            return
        self.close_connection = self.close_connection or cut


def _spoil(answer: Body, fault: str) -> None:
    choice = answer["choices"][0] if answer["choices"] else {}
    if fault == "empty":
        answer["choices"] = []
    elif fault == "null":
        answer["choices"] = None
    elif fault == "other model":
        answer["model"] = "another-model"
    elif fault == "refusal":
        choice["message"] = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    elif fault == "filter":
        choice["finish_reason"], choice["message"]["content"] = "content_filter", ""
    elif fault == "reasoning":
        choice["finish_reason"], choice["message"]["content"] = "length", None
    elif fault:
        raise AssertionError(f"no such fault: {fault}")


if __name__ == "__main__":
    with StandIn(seconds=float(sys.argv[1]), logprobs=True) as server:
        print(server.url, flush=True)
        while True:
            time.sleep(1)
