"""The machine: interpreter, cores, memory, disk, limits, shared memory, clock."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

from affectllm.model.doctoring.check import GIB, Check, first_line
from affectllm.processes import usable_cores
from affectllm.run import cache_folder

_FILES = 4096
_APART = 5.0  # seconds
_RELEASED = 1_735_689_600.0  # 2025-01-01: no clock that goes right shows less


def check_python() -> Check:
    version = platform.python_version()
    if sys.version_info >= (3, 14):
        return Check("Python", "warn", f"{version}, newer than what is tested", "use Python 3.11, 3.12 or 3.13")
    return Check("Python", "ok", f"{version} ({platform.system()} {platform.machine()})")


def check_machine() -> Check:
    cores = usable_cores()
    memory = usable_memory()
    text = f"{cores} core{'s' if cores != 1 else ''}, {f'{memory / GIB:.1f} GiB' if memory else 'unknown'} of memory"
    if memory and memory < 4 * GIB:
        return Check("Machine", "warn", text, "tiny models need about 4 GiB; close other programs")
    return Check("Machine", "ok", text)


def usable_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or its container's if less; 0 if unknown."""
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_PAGE_SIZE" not in names:
        return 0
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else ""
    return min(memory, int(text)) if text.isdigit() else memory


def check_disk() -> Check:
    folder = cache_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / GIB:.1f} GiB free for the cache ({folder})"
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return Check("Disk", "fail", f"{folder} cannot be written", "set AFFECTLLM_CACHE to a folder of yours")
    if free < 2 * GIB:
        return Check("Disk", "fail", text, "free some space, or set AFFECTLLM_CACHE to a larger disk")
    if free < 20 * GIB:
        return Check("Disk", "warn", text, "a 7B checkpoint alone takes about 16 GiB; AFFECTLLM_CACHE moves the cache")
    return Check("Disk", "ok", text)


def check_limits() -> Check:
    """Check what the shell allows one process: open files, and the sizes of files and of memory."""
    if importlib.util.find_spec("resource") is None:  # Windows has none
        return Check("Limits", "ok", "none of the kind that shells set")
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    capped = {"memory (ulimit -v)": resource.RLIMIT_AS, "size of a file (ulimit -f)": resource.RLIMIT_FSIZE}
    bounds = {name: resource.getrlimit(limit)[0] for name, limit in capped.items()}
    if bounded := [f"{name} {value / GIB:.1f} GiB" for name, value in bounds.items() if value != endless]:
        return Check("Limits", "warn", f"the shell limits {', '.join(bounded)}", "lift it: checkpoints are larger")
    if files != endless and files < _FILES:
        text = f"{files} files may be open at once"
        return Check("Limits", "warn", text, f"workers that read clips need more: ulimit -n {_FILES}")
    return Check("Limits", "ok", f"{'any number of' if files == endless else files} files may be open at once")


def check_shared_memory() -> Check:
    """Check the memory in which workers hand over clips; containers often have 64 MiB of it."""
    place = Path("/dev/shm")
    if not place.is_dir():
        return Check("Shared memory", "ok", "this system has no /dev/shm")
    free = shutil.disk_usage(place).free
    if free < GIB:
        text = f"{free / 1024**2:.0f} MiB free in /dev/shm"
        return Check("Shared memory", "warn", text, "docker run --ipc=host, or trainer.dataloader_num_workers=0")
    return Check("Shared memory", "ok", f"{free / GIB:.1f} GiB free in /dev/shm")


def check_clock() -> Check:
    """Compare the clock of this machine with that of the disk of the cache, which may be another machine's."""
    folder = next(path for path in (cache_folder(), *cache_folder().parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
            file.flush()
            ahead = os.fstat(file.fileno()).st_mtime - time.time()
    except OSError as error:
        return Check("Clock", "warn", f"not compared: {first_line(error)}", "see Disk")
    if time.time() < _RELEASED:
        return Check("Clock", "fail", f"it is {time.strftime('%Y-%m-%d')} here", "set the clock: certificates fail")
    if abs(ahead) > _APART:
        text = f"the disk of {folder} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine"
        return Check("Clock", "warn", text, "let both follow a time server (chrony, systemd-timesyncd)")
    return Check("Clock", "ok", f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}, as the disk of {folder}")
