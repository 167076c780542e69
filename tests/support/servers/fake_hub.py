"""A small server that speaks enough of the Hugging Face Hub's HTTP to create, upload to and download from repositories.

Start it with ``FakeHub()`` as a context manager, or as a program, which prints its address. Clients need
``HF_ENDPOINT`` set to it and ``HF_HUB_DISABLE_XET=1``, both before ``huggingface_hub`` is imported.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

OWNERS = {"hf_goodtoken": "me", "hf_readonlytoken": None}
"""Token → the only owner that it may write to."""


class Hub(ThreadingHTTPServer):
    """The server and its repositories: name → path → bytes, the newest commit only."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.kinds: dict[str, str] = {}
        self.gates: dict[str, tuple[str, int]] = {}
        self.large: dict[str, bytes] = {}
        self.lfs_paths: set[str] = set()
        self.commits = 0
        self.requests: list[str] = []


class FakeHub:
    """``with FakeHub() as hub: hub.address, hub.repos``."""

    def __enter__(self) -> Hub:
        self.hub = Hub()
        threading.Thread(target=self.hub.serve_forever, daemon=True).start()
        return self.hub

    def __exit__(self, *error: object) -> None:
        self.hub.shutdown()
        self.hub.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request; routes are tried in order."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *args: object) -> None:
        return None

    def do_GET(self) -> None:
        self._route("GET")

    def do_HEAD(self) -> None:
        self._route("HEAD")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def _route(self, method: str) -> None:
        path = self.path.partition("?")[0]
        self.server.requests.append(f"{method} {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for verb, pattern, action in ROUTES:
            if method in verb and (match := re.fullmatch(pattern, path)):
                return action(self, body, *match.groups())
        return self.answer({"error": f"no route {method} {path}"}, 404)

    def answer(self, value: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def owner(self) -> str | None:
        """Who the token belongs to; None where it may not write anywhere."""
        return OWNERS.get(self.headers.get("Authorization", "").removeprefix("Bearer "))

    def may_write(self, repo: str) -> bool:
        """Whether the token may write to ``repo``; otherwise the answer has been given."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in OWNERS:
            header = {"X-Error-Message": "Invalid credentials in Authorization header"}
            self.answer({"error": "Invalid credentials in Authorization header"}, 401, header)
        elif OWNERS[token] != repo.partition("/")[0]:
            self.answer({"error": "You don't have the rights"}, 403)
        else:
            return True
        return False

    def head_commit(self, repo: str) -> str:
        listing = sorted((path, hashlib.sha256(data).hexdigest()) for path, data in self.server.repos[repo].items())
        return hashlib.sha1(json.dumps([repo, listing]).encode()).hexdigest()


def create(handler: Handler, body: bytes) -> None:
    wish = json.loads(body)
    repo = f"{wish.get('organization') or handler.owner() or 'nobody'}/{wish['name']}"
    handler.server.kinds[repo] = wish.get("type") or "model"
    if not handler.may_write(repo):
        return
    url = f"{handler.server.address}/{repo}"
    if repo in handler.server.repos:
        return handler.answer({"error": "You already created this model repo", "url": url}, 409)
    handler.server.repos[repo] = {}
    handler.server.private[repo] = wish.get("visibility") == "private" or bool(wish.get("private"))
    handler.answer({"url": url, "name": repo})


def settings(handler: Handler, body: bytes, repo: str) -> None:
    """Note the gate, and how many files somebody could have got before it was closed."""
    if handler.may_write(repo):
        handler.server.gates[repo] = (json.loads(body)["gated"], len(handler.server.repos[repo]))
        handler.answer({})


def preupload(handler: Handler, body: bytes, repo: str) -> None:
    if handler.may_write(repo):
        files = [
            {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(".safetensors") else "regular"}
            for f in json.loads(body)["files"]
        ]
        handler.answer({"files": [{**file, "shouldIgnore": False, "oid": None} for file in files]})


def lfs_batch(handler: Handler, body: bytes, repo: str) -> None:
    wish = json.loads(body)
    objects = []
    for item in wish["objects"]:
        actions = {"upload": {"href": f"{handler.server.address}/lfs/{item['oid']}"}}
        is_stored = item["oid"] in handler.server.large
        objects.append({"oid": item["oid"], "size": item["size"], **({} if is_stored else {"actions": actions})})
    handler.answer({"transfer": "basic", "objects": objects})


def lfs_put(handler: Handler, body: bytes, oid: str) -> None:
    if hashlib.sha256(body).hexdigest() != oid:
        return handler.answer({"error": "the bytes are not what was announced"}, 400)
    handler.server.large[oid] = body
    handler.answer({})


def commit(handler: Handler, body: bytes, repo: str) -> None:
    if not handler.may_write(repo):
        return
    files = handler.server.repos[repo]
    for line in body.splitlines():
        step = json.loads(line)
        value = step["value"]
        if step["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif step["key"] == "lfsFile":
            files[value["path"]] = handler.server.large[value["oid"]]
            handler.server.lfs_paths.add(value["path"])
        elif step["key"] == "deletedFile":
            files.pop(value["path"], None)
    handler.server.commits += 1
    oid = handler.head_commit(repo)
    handler.answer({"success": True, "commitOid": oid, "commitUrl": f"{handler.server.address}/{repo}/commit/{oid}"})


def info(handler: Handler, body: bytes, repo: str, *revision: str) -> None:
    if repo not in handler.server.repos:
        return handler.answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
    siblings = [{"rfilename": path} for path in sorted(handler.server.repos[repo])]
    fields = {"id": repo, "modelId": repo, "private": handler.server.private[repo], "tags": [], "downloads": 0}
    handler.answer({**fields, "sha": handler.head_commit(repo), "siblings": siblings})


def tree(handler: Handler, body: bytes, repo: str, *revision: str) -> None:
    files = handler.server.repos[repo]
    handler.answer(
        [
            {"type": "file", "path": p, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for p, data in files.items()
        ]
    )


def resolve(handler: Handler, body: bytes, repo: str, revision: str, path: str) -> None:
    content = handler.server.repos.get(repo, {}).get(path)
    if content is None:
        return handler.answer({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
    etag = hashlib.sha256(content).hexdigest()
    headers = {"ETag": f'"{etag}"', "X-Repo-Commit": handler.head_commit(repo), "X-Linked-Size": str(len(content))}
    handler.answer(content, 200, {**headers, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"})


def whoami(handler: Handler, body: bytes) -> None:
    if handler.owner():
        handler.answer({"type": "user", "name": handler.owner(), "orgs": [], "auth": {"type": "access_token"}})
    else:
        handler.answer({"error": "Invalid credentials in Authorization header"}, 401)


REPO, API = r"([\w.-]+/[\w.-]+)", r"/api/(?:models|datasets)/"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", r"/api/whoami-v2", whoami),
    ("POST", r"/api/repos/create", create),
    ("POST", r"/api/validate-yaml", lambda handler, body: handler.answer({"errors": [], "warnings": []})),
    ("PUT", rf"{API}{REPO}/settings", settings),
    ("POST", rf"{API}{REPO}/preupload/[^/]+", preupload),
    ("POST", rf"/(?:datasets/)?{REPO}\.git/info/lfs/objects/batch", lfs_batch),
    ("PUT", r"/lfs/([0-9a-f]{64})", lfs_put),
    ("POST", rf"{API}{REPO}/commit/[^/]+", commit),
    ("GET", rf"{API}{REPO}/tree/([^/]+)", tree),
    ("GET", rf"{API}{REPO}(?:/revision/([^/]+))?", info),
    ("GET HEAD", rf"/(?:datasets/)?{REPO}/resolve/([^/]+)/(.+)", resolve),
]


def in_fresh_python(
    code: str, address: str, home: Path, token: str | None = "hf_goodtoken"
) -> subprocess.CompletedProcess:
    """Run code in an interpreter that has read the Hub's address before ``huggingface_hub`` was imported."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    env |= {
        "HF_ENDPOINT": address,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    if token:
        env["HF_TOKEN"] = token
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)


if __name__ == "__main__":
    server = Hub()
    print(server.address, flush=True)
    server.serve_forever()
