"""Diagnose this machine for affectllm: hardware, libraries, codecs, corpora; with a remedy for each problem.

Nothing heavy is imported with this module; each check imports what it looks at. A check never raises: what is absent or
broken is its finding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from affectllm.model.doctoring.check import Check, Status
from affectllm.model.doctoring.libraries import check_bitsandbytes, check_deepspeed, check_gpu, check_torch
from affectllm.model.doctoring.machine import (
    check_clock,
    check_disk,
    check_limits,
    check_machine,
    check_python,
    check_shared_memory,
)
from affectllm.model.doctoring.media import check_clips, check_ffmpeg, check_sound
from affectllm.model.doctoring.parallel import check_processes
from affectllm.model.doctoring.surroundings import check_corpora, check_families, check_hub

_SIGNS: dict[Status, str] = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def doctor(online: bool = False) -> list[Check]:
    """Run all checks. Takes some seconds, mostly for importing torch in three processes.

    Args:
        online: ask the Hub what the token may do; else no network connection is opened.
    """
    looks: list[Callable[[], Check]] = [
        check_python,
        check_machine,
        check_disk,
        check_shared_memory,
        check_limits,
        check_clock,
        check_torch,
        check_gpu,
        check_bitsandbytes,
        check_deepspeed,
        check_ffmpeg,
        check_sound,
        check_clips,
        check_processes,
        partial(check_hub, online),
        check_corpora,
        check_families,
    ]
    return [look() for look in looks]


def render(checks: list[Check]) -> str:
    """Format the findings as aligned lines, each with its remedy beneath it, and a summary."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{_SIGNS[check.status]}  {check.name:<{width}}  {check.finding}")
        if check.do:
            lines.append(f"{'':6}{'':<{width}}  → {check.do}")
    failed, warned = (sum(check.status == status for check in checks) for status in ("fail", "warn"))
    return "\n".join([*lines, "", _summary(failed, warned)])


def _summary(failed: int, warned: int) -> str:
    if failed:
        return f"{failed} of these must be repaired before affectllm can work."
    return f"Ready; {warned} of these could be better." if warned else "Ready."
