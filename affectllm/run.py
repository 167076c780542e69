"""A run: a folder with a manifest that says what went in, with what versions, and whether it finished.

Every stage (build, train, eval, …) works in its own run folder. Opening it again with the same inputs skips a finished
stage and resumes an unfinished one; with other inputs it starts over.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

from affectllm.errors import AffectError, Malformed

MANIFEST = "manifest.json"
_PACKAGES = ("affectllm", "torch", "transformers", "trl", "peft", "accelerate", "datasets", "lm_eval", "bitsandbytes")


def cache_folder() -> Path:
    """``$AFFECTLLM_CACHE``, else ``~/.cache/affectllm``: generated corpora, tiny models, prepared media."""
    return Path(os.environ.get("AFFECTLLM_CACHE") or Path.home() / ".cache" / "affectllm")


def digest(value: Any) -> str:
    """SHA-256 (hex, first 16 digits) of a JSON value, independent of key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 (hex, first 16 digits) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader never sees half a file."""
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    scratch.replace(path)


class Run:
    """One stage's folder, used as a context manager.

    Args:
        folder: where the stage works; created when absent.
        stage: ``build``, ``train``, ``eval``, …
        inputs: everything that decides the outputs, as JSON values (file contents by digest).

    Raises:
        Malformed: when the folder holds something that is not a run, which is never deleted.

    Attributes:
        done: the stage finished earlier with the same inputs; its outputs are in the folder.
        resuming: an earlier attempt with the same inputs was cut off.

    Example:
        >>> with Run(Path("runs/x/build"), "build", {"recipe": "…"}) as run:
        ...     if not run.done:
        ...         run.outputs["rows"] = 3
    """

    def __init__(self, folder: Path, stage: str, inputs: Mapping[str, Any]) -> None:
        self.folder, self.stage, self.inputs = folder, stage, dict(inputs)
        self.outputs: dict[str, Any] = {}
        self.done = self.resuming = False

    def __enter__(self) -> Run:
        previous = read_manifest(self.folder)
        if previous is None and self.folder.is_dir() and any(self.folder.iterdir()):
            raise Malformed("the folder is not empty and is no run", where=str(self.folder), do="choose another --out")
        if previous and previous["stage"] != self.stage:
            told = f"the folder holds the run of another stage, {previous['stage']}"
            raise Malformed(told, where=str(self.folder), do="choose another --out")
        if previous and previous["inputs_digest"] == digest(self.inputs):
            self.done, self.resuming = previous["finished"], not previous["finished"]
            self.outputs = dict(previous["outputs"])
        elif previous:
            shutil.rmtree(self.folder)
        if not self.done:
            self._started = time.time()
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(finished=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self.done:
            self._write(finished=True)

    def _write(self, *, finished: bool) -> None:
        manifest = {
            "stage": self.stage,
            "finished": finished,
            "seconds": round(time.time() - self._started, 3) if finished else None,
            "inputs": self.inputs,
            "inputs_digest": digest(self.inputs),
            "outputs": self.outputs,
            "versions": versions(),
        }
        write_json(self.folder / MANIFEST, manifest)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a run folder, or None when the folder is no run."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Malformed("the manifest is not JSON", where=str(path), do="delete the folder and run again") from error
    # Browsers' extensions and web pages have a manifest.json too; a folder of theirs is no run.
    ours = isinstance(manifest, dict) and {"stage", "finished", "inputs_digest", "outputs"} <= manifest.keys()
    return manifest if ours else None


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide results; absent packages are left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def require(folder: Path, stage: str) -> dict[str, Any]:
    """The manifest of a finished ``stage`` in ``folder``.

    Raises:
        AffectError: when it is absent, of another stage, or unfinished.
    """
    manifest = read_manifest(folder)
    if manifest is None or manifest["stage"] != stage:
        raise AffectError(f"{folder} is no {stage} run", do="give the folder that `affectllm run` made")
    if not manifest["finished"]:
        raise AffectError(f"the {stage} run in {folder} did not finish", do="start the same command again to resume it")
    return manifest
