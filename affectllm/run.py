"""Run folders: each has a manifest with the inputs, versions and outputs of a stage, and whether it finished.

Every stage (build, train, eval, …) works in its own run folder. Opening it again with the same inputs skips a finished
stage whose files are as it left them, and resumes an unfinished one; with other inputs it starts over. A process may be
killed at any instant: the manifest always says what the folder is, so none is ever stuck.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any

from affectllm.errors import AffectError, Malformed, explained
from affectllm.lock import LOCK, held

MANIFEST = "manifest.json"
RUNS = Path("runs")
"""The default folder of runs."""
# What lies in a folder before its first manifest does.
_BEFORE = (LOCK, f".{MANIFEST}.part")
_READ_WHOLE, _END = 64 * 2**20, 2**20  # bytes
_MOST_NAMED = 5
_PACKAGES = ("affectllm", "torch", "transformers", "trl", "peft", "accelerate", "datasets", "lm_eval", "bitsandbytes")


def cache_folder() -> Path:
    """Return ``$AFFECTLLM_CACHE``, else ``~/.cache/affectllm``: generated corpora, tiny models, prepared media."""
    return Path(os.environ.get("AFFECTLLM_CACHE") or Path.home() / ".cache" / "affectllm")


def digest(value: Any) -> str:
    """Return the SHA-256 (hex, first 16 digits) of a JSON value, independent of key order.

    Names of files that are no UTF-8 have one too.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex, first 16 digits) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: a reader never sees half a file."""
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    scratch.replace(path)


def tracked_as(folder: Path) -> str:
    """Return the identity of a run for experiment trackers, by which a later process finds it again."""
    return digest(str(folder.absolute()))


class Run:
    """The folder of one stage, used as a context manager. One process at a time works in it.

    Args:
        folder: where the stage works; created when absent.
        stage: ``build``, ``train``, ``eval``, …
        inputs: everything that decides the outputs, as JSON values (file contents by digest).
        keeps: patterns of the files that the manifest vouches for. When one of them is missing or was changed, the
            stage is not finished any more. Others (checkpoints, answers) may be deleted to save space.
        spares: folder → the files in it that people put there; they stay when the stage starts over.

    Raises:
        Malformed: when the folder holds something that is not a run, which is never deleted.
        Busy: when another process works in the folder.
        WriteFailed: when the folder cannot be written.

    Attributes:
        done: the stage finished earlier with the same inputs; its outputs are in the folder.
        resuming: an earlier attempt with the same inputs was cut off.

    Example:
        >>> with Run(Path("runs/x/build"), "build", {"recipe": "…"}) as run:
        ...     if not run.done:
        ...         run.outputs["rows"] = 3
    """

    def __init__(
        self,
        folder: Path,
        stage: str,
        inputs: Mapping[str, Any],
        keeps: Sequence[str] = ("**/*",),
        spares: Callable[[Path], Iterable[Path]] = lambda _: (),
    ) -> None:
        self.folder, self.stage, self.inputs, self.keeps, self._spares = folder, stage, dict(inputs), keeps, spares
        self.outputs: dict[str, Any] = {}
        self.done = self.resuming = False
        self._holding = ExitStack()

    def __enter__(self) -> Run:
        # A finished stage is read, and may lie where nobody can write.
        if self._finished():
            return self
        with ExitStack() as stack:
            stack.enter_context(held(self.folder / LOCK))
            if not self._finished():  # by another process, until just now
                with explained(self.folder):
                    self._begin()
                self._holding = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._holding:
            if kind is None and not self.done:
                with explained(self.folder):
                    self._write(finished=True)

    def _finished(self) -> bool:
        previous = self._previous()
        if previous is None or not is_finished(self.folder, self.inputs):
            return False
        self.done, self.outputs = True, dict(previous["outputs"])
        return True

    def _previous(self) -> dict[str, Any] | None:
        previous = read_manifest(self.folder)
        if previous and previous["stage"] != self.stage:
            message = f"the folder holds the run of another stage, {previous['stage']}"
            raise Malformed(message, where=str(self.folder), do="choose another --out")
        return previous

    def _begin(self) -> None:
        self._started = time.time()
        previous = self._previous()
        if previous is None and any(path.name not in _BEFORE for path in self.folder.iterdir()):
            raise Malformed("the folder is not empty and is no run", where=str(self.folder), do="choose another --out")
        same = previous is not None and previous["inputs_digest"] == digest(self.inputs)
        if previous and same and not previous.get("clearing"):
            self.resuming = True
            self._drop(previous)
        elif previous:
            if not same:
                self._tell_others(previous)
            # The manifest says what is going on before the first file goes: a kill leaves a folder to be cleared.
            self._write(finished=False, clearing=True)
            self._clear()
        self._write(finished=False)

    def _tell_others(self, previous: Mapping[str, Any]) -> None:
        """Say that the folder holds the stage of other inputs, which is replaced, and which of them are others."""
        before, now = previous.get("inputs"), json.loads(json.dumps(self.inputs, default=str))
        names = _differences(before, now) if isinstance(before, dict) else []
        changed = ", ".join([*names[:_MOST_NAMED], *(["…"] if len(names) > _MOST_NAMED else [])])
        what = "finished" if previous["finished"] else "unfinished"
        message = f"the {what} {self.stage} in it was of other inputs{f' ({changed})' if changed else ''}"
        print(f"{self.folder}: {message}; it is replaced", file=sys.stderr)

    def _drop(self, previous: Mapping[str, Any]) -> None:
        """Delete the files of a finished stage of which some are missing or changed."""
        if previous["finished"]:
            lost = damaged(self.folder, previous)
            message = f"{len(lost)} files of the finished {self.stage} are missing or changed, such as {lost[0]}"
            print(f"{self.folder}: {message}; it is done again", file=sys.stderr)
            self._write(finished=False)  # first: half of it is not to be taken for a finished stage
            for name in previous["files"]:
                (self.folder / name).unlink(missing_ok=True)

    def _clear(self) -> None:
        spared = set(self._spares(self.folder))
        above = {folder for path in spared for folder in path.parents}
        if spared:
            names = ", ".join(sorted(str(path.relative_to(self.folder)) for path in spared)[:_MOST_NAMED])
            print(f"{self.folder}: kept, since the {self.stage} did not write it: {names}", file=sys.stderr)
        folders = [self.folder]
        while folders:
            for path in folders.pop().iterdir():
                if path in spared or (path.parent == self.folder and path.name in (*_BEFORE, MANIFEST)):
                    continue
                if path in above:
                    folders.append(path)
                elif path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def _write(self, *, finished: bool, clearing: bool = False) -> None:
        manifest = {
            "stage": self.stage,
            "finished": finished,
            **({"clearing": True} if clearing else {}),
            "seconds": round(time.time() - self._started, 3) if finished else None,
            "inputs": self.inputs,
            "inputs_digest": digest(self.inputs),
            "outputs": self.outputs,
            "files": contents(self.folder, self.keeps) if finished else {},
            "versions": versions(),
        }
        write_json(self.folder / MANIFEST, manifest)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], deeper: int = 2) -> list[str]:
    """Return the keys by which two mappings differ, dotted down to where ``deeper`` ends."""
    names = []
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key), now.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and deeper > 0:
            names += [f"{key}.{name}" for name in _differences(old, new, deeper - 1)]
        else:
            names.append(str(key))
    return names


def is_finished(folder: Path, inputs: Mapping[str, Any]) -> bool:
    """Return whether the stage in ``folder`` finished with these inputs, and its files are as it left them."""
    manifest = read_manifest(folder)
    if manifest is None or not manifest["finished"] or manifest["inputs_digest"] != digest(inputs):
        return False
    return not damaged(folder, manifest)


def contents(folder: Path, patterns: Sequence[str]) -> dict[str, str]:
    """Return name → mark of the files below ``folder`` that match; without hidden ones and those of nested runs."""
    runs = {path.parent for path in folder.rglob(MANIFEST)} - {folder}
    paths = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()} - {folder / MANIFEST}
    names = [path.relative_to(folder) for path in paths if runs.isdisjoint(path.parents)]
    return {
        name.as_posix(): _mark(folder / name)
        for name in sorted(names)
        if not any(part.startswith(".") for part in name.parts)
    }


def damaged(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return the names of a finished stage's files that are missing, or have changed since it finished."""
    return [name for name, mark in manifest.get("files", {}).items() if _mark_or_none(folder / name) != mark]


def _mark_or_none(path: Path) -> str | None:
    return _mark(path) if path.is_file() else None


def _mark(path: Path) -> str:
    """Return size and digest of a file; of a large one (weights), the digest of its beginning and end."""
    size = path.stat().st_size
    if size <= _READ_WHOLE:
        return f"{size}:{file_digest(path)}"
    with path.open("rb") as stream:
        head = stream.read(_END)
        stream.seek(-_END, os.SEEK_END)
        return f"{size}:{hashlib.sha256(head + stream.read()).hexdigest()[:16]}"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a run folder, or None when the folder is no run."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed("the manifest is not JSON", where=str(path), do="delete the folder and run again") from error
    # Browsers' extensions and web pages have a manifest.json too; a folder of theirs is no run.
    if not isinstance(manifest, dict) or not {"stage", "finished", "inputs_digest", "outputs"} <= manifest.keys():
        return None
    if wrong := _wrong_field(manifest):
        message = f"the manifest is damaged: {wrong}"
        raise Malformed(message, where=str(path), do="delete the folder and run again")
    return manifest


def _wrong_field(manifest: Mapping[str, Any]) -> str:
    """Return what is invalid in a manifest, or "". A file that it names may be deleted, so must lie in its folder."""
    kinds = {"stage": str, "finished": bool, "inputs_digest": str, "outputs": dict, "files": dict}
    values = {"files": {}, **manifest}
    if wrong := next((name for name, kind in kinds.items() if not isinstance(values[name], kind)), ""):
        return f"{wrong} is {str(values[wrong])[:60]}"
    names = [PurePath(name) for name in values["files"]]
    outside = next((str(name) for name in names if name.is_absolute() or ".." in name.parts), "")
    return f"{outside} lies outside the folder" if outside else ""


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that affect results; absent packages are left out."""
    installed = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed


def require(folder: Path, stage: str) -> dict[str, Any]:
    """Return the manifest of a finished ``stage`` in ``folder``.

    Raises:
        AffectError: when it is absent, of another stage, or unfinished.
    """
    manifest = read_manifest(folder)
    if manifest is None or manifest["stage"] != stage:
        made_by = "run" if stage in ("build", "train", "eval") else stage
        raise AffectError(f"{folder} is no {stage} run", do=f"give the folder that `affectllm {made_by}` made")
    if not manifest["finished"]:
        raise AffectError(f"the {stage} run in {folder} did not finish", do="start the same command again to resume it")
    refuse_damaged(folder)
    return manifest


def refuse_partial(folder: Path) -> None:
    """Raise ``Malformed`` when ``folder`` is a run that did not finish, or has lost or changed a file since."""
    manifest = read_manifest(folder)
    if manifest and not manifest["finished"]:
        message = f"this {manifest['stage']} did not finish"
        raise Malformed(message, where=str(folder), do="start the command that makes it again; it goes on")
    refuse_damaged(folder)


def refuse_damaged(folder: Path) -> None:
    """Raise ``Malformed`` when ``folder`` is a finished run of which a file is missing or was changed."""
    manifest = read_manifest(folder)
    if manifest and manifest["finished"] and (lost := damaged(folder, manifest)):
        message = f"{len(lost)} files of this {manifest['stage']} are missing or changed, such as {lost[0]}"
        raise Malformed(message, where=str(folder), do="start the command that made it again; it makes them anew")
