"""Collect the facts of a run: stages with their durations, rejections by reason, versions, the recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.report.display import seconds
from affectllm.report.runfolder import RunData


@dataclass(frozen=True)
class Stage:
    """One stage: whether it finished, its duration, its outputs, and its rejections."""

    name: str
    state: str
    seconds: str
    outputs: tuple[tuple[str, str], ...]
    rejected: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Facts:
    """The facts of how a run was made."""

    run: str
    stages: tuple[Stage, ...]
    versions: tuple[tuple[str, str], ...]
    recipe: str | None


def facts(run: RunData) -> Facts:
    """Return the facts of one run."""
    stages = tuple(_stage(name, manifest, run.rejected.get(name, {})) for name, manifest in run.manifests.items())
    versions: dict[str, set[str]] = {}
    for manifest in run.manifests.values():
        for package, version in manifest.get("versions", {}).items():
            versions.setdefault(package, set()).add(str(version))
    version_rows = tuple((package, ", ".join(sorted(numbers))) for package, numbers in versions.items())
    return Facts(run.name, stages, version_rows, run.recipe)


def _stage(name: str, manifest: Mapping[str, Any], rejected: Mapping[str, int]) -> Stage:
    state = "finished" if manifest.get("finished") else "did not finish"
    outputs = tuple((str(key), _short(value)) for key, value in manifest.get("outputs", {}).items() if _is_small(value))
    return Stage(name, state, seconds(manifest.get("seconds")), outputs, tuple(rejected.items()))


def _is_small(value: Any) -> bool:
    if isinstance(value, Mapping):
        return len(value) <= 12 and all(isinstance(item, (str, int, float)) for item in value.values())
    return isinstance(value, (str, int, float, bool))


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def rejected_total(runs: Sequence[RunData]) -> int:
    """Return the number of items that all stages of all runs rejected."""
    return sum(sum(reasons.values()) for run in runs for reasons in run.rejected.values())
