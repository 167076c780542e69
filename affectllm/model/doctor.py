"""Diagnose this machine for affectllm: hardware, libraries, codecs, corpora; with a remedy for each problem.

Nothing heavy is imported with this module; each check imports what it looks at. A check never raises: what is absent or
broken is its finding.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from affectllm import registry
from affectllm.errors import AffectError
from affectllm.run import cache_folder

if TYPE_CHECKING:
    from affectllm.model.family import Family

Status = Literal["ok", "warn", "fail"]
GIB = 1024**3
_SIGNS: dict[Status, str] = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
_DECODERS = ("h264", "hevc", "vp9", "mpeg4", "flv", "aac", "mp3", "opus", "flac", "pcm_s16le")
_ENCODERS = ("libx264", "aac", "libmp3lame")


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Args:
        name: what was looked at.
        status: ``ok``; ``warn`` where something optional is missing; ``fail`` where affectllm cannot work.
        finding: what was found, in one line.
        do: what to do about it; empty where nothing needs doing.
    """

    name: str
    status: Status
    finding: str
    do: str = ""


def doctor() -> list[Check]:
    """Run all checks. Takes a few seconds, mostly for importing torch; opens no network connection."""
    looks: list[Callable[[], Check]] = [
        check_python,
        check_machine,
        check_disk,
        check_torch,
        check_gpu,
        check_bitsandbytes,
        check_deepspeed,
        check_ffmpeg,
        check_sound,
        check_hub,
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


def check_python() -> Check:
    version = platform.python_version()
    if sys.version_info >= (3, 14):
        return Check("Python", "warn", f"{version}, newer than what is tested", "use Python 3.11, 3.12 or 3.13")
    return Check("Python", "ok", f"{version} ({platform.system()} {platform.machine()})")


def check_machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
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


def check_torch() -> Check:
    if not _installed("torch"):
        return Check("torch", "fail", "not installed", "run scripts/setup, or pip install torch")
    try:
        import torch
    except (ImportError, OSError) as error:  # a build whose shared libraries are missing
        return Check("torch", "fail", f"cannot be imported: {_first_line(error)}", "install a build for this machine")
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "ROCm" if torch.version.hip else "CPU"
    return Check("torch", "ok", f"{torch.__version__} ({build} build)")


def check_gpu() -> Check:
    try:
        import torch
    except (ImportError, OSError):
        return Check("GPU", "warn", "unknown without torch", "repair torch first")
    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        names = ", ".join(f"{card.name} {card.total_memory / GIB:.0f} GiB" for card in cards)
        return Check("GPU", "ok", f"{len(cards)}: {names}")
    if torch.backends.mps.is_available():
        return Check("GPU", "ok", "Apple Metal")
    if shutil.which("nvidia-smi"):
        return Check("GPU", "warn", "an NVIDIA driver, but torch sees no GPU", "install a CUDA build of torch")
    return Check("GPU", "warn", "none", "quickstart and tests work without; checkpoints of 3B and more want a GPU")


def check_bitsandbytes() -> Check:
    if not _installed("bitsandbytes"):
        return Check("bitsandbytes", "warn", "not installed: no QLoRA", "pip install bitsandbytes")
    try:
        with _quiet():
            import bitsandbytes
            from bitsandbytes.cextension import lib
    except (ImportError, OSError, RuntimeError) as error:
        return Check("bitsandbytes", "warn", f"cannot be imported: {_first_line(error)}", "QLoRA will not work")
    backend = "CUDA" if getattr(lib, "compiled_with_cuda", False) else "CPU"
    if "Error" in type(lib).__name__:
        return Check("bitsandbytes", "warn", f"{bitsandbytes.__version__}, no native library", "reinstall bitsandbytes")
    return Check("bitsandbytes", "ok", f"{bitsandbytes.__version__} ({backend} library){_left_by_four_bits()}")


def _left_by_four_bits() -> str:
    from affectllm.model.family import families

    try:
        named = [name for name, family in families().items() if family.parameters.get("language")]
    except AffectError:  # which the look at families tells
        return ""
    return f"; the experts of {', '.join(named)} are no layers and stay unquantised" if named else ""


def check_deepspeed() -> Check:
    if not _installed("deepspeed"):
        return Check("DeepSpeed", "warn", "not installed: no ZeRO", "pip install deepspeed")
    from importlib.metadata import version

    compiler = next((name for name in ("g++", "c++", "clang++") if shutil.which(name)), None)
    if compiler is None:
        return Check("DeepSpeed", "warn", f"{version('deepspeed')}, no C++ compiler", "install g++: ZeRO needs it")
    return Check("DeepSpeed", "ok", f"{version('deepspeed')}, compiler {compiler}")


def check_ffmpeg() -> Check:
    if not _installed("av"):
        return Check("FFmpeg", "fail", "PyAV is not installed: no clip can be opened", "pip install av")
    try:
        import av
    except (ImportError, OSError) as error:
        return Check("FFmpeg", "fail", f"PyAV cannot be imported: {_first_line(error)}", "reinstall it: pip install av")
    text = f"PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info}"
    missing = [*_lacking(_DECODERS, "r"), *_lacking(_ENCODERS, "w")]
    if missing:
        return Check("FFmpeg", "warn", f"{text}, without {', '.join(missing)}", "install PyAV's own wheel")
    return Check("FFmpeg", "ok", f"{text}; decodes {', '.join(_DECODERS)}")


def _lacking(codecs: tuple[str, ...], mode: Literal["r", "w"]) -> Iterator[str]:
    import av
    from av.codec.codec import UnknownCodecError

    for name in codecs:
        try:
            av.Codec(name, mode)
        except UnknownCodecError:
            yield f"{name} ({'decoding' if mode == 'r' else 'encoding'})"


def check_sound() -> Check:
    if missing := [name for name in ("soundfile", "soxr") if not _installed(name)]:
        return Check("Sound", "fail", f"{', '.join(missing)} not installed", f"pip install {' '.join(missing)}")
    try:
        import soundfile
        import soxr
    except (ImportError, OSError) as error:
        return Check("Sound", "fail", _first_line(error), "install libsndfile (Debian: apt install libsndfile1)")
    return Check(
        "Sound",
        "ok",
        f"soundfile {soundfile.__version__} ({soundfile.__libsndfile_version__}), soxr {soxr.__version__}",
    )


def check_hub() -> Check:
    """Check whether there is a token; the token is never printed, and the Hub is not contacted."""
    if not _installed("huggingface_hub"):
        return Check("Hub", "fail", "huggingface_hub is not installed", "pip install huggingface_hub")
    from huggingface_hub import constants, get_token

    offline = ", offline (HF_HUB_OFFLINE)" if constants.HF_HUB_OFFLINE else ""
    if get_token() is None:
        return Check("Hub", "warn", f"not logged in{offline}", "needed to publish and for gated models: hf auth login")
    return Check("Hub", "ok", f"a token is there, not tried{offline} ({constants.ENDPOINT})")


def check_corpora() -> Check:
    """Check which corpora lie in the folder ``AFFECTLLM_CORPORA``."""
    base = os.environ.get("AFFECTLLM_CORPORA")
    hint = "set AFFECTLLM_CORPORA to a folder with one folder a corpus, or pass --root NAME=DIR"
    if not base:
        return Check("Corpora", "warn", "AFFECTLLM_CORPORA is not set", hint)
    if not Path(base).is_dir():
        return Check("Corpora", "fail", f"AFFECTLLM_CORPORA={base} is no folder", hint)
    try:
        names = registry.names("data_builders")
    except AffectError as error:
        return Check("Corpora", "fail", error.what, error.do)
    there = [name for name in names if (Path(base) / name).is_dir()]
    if not there:
        return Check("Corpora", "warn", f"none of {len(names)} known ones in {base}", f"known: {', '.join(names)}")
    return Check("Corpora", "ok", f"{len(there)} of {len(names)} known ones in {base}: {', '.join(there)}")


def check_families() -> Check:
    """Check which model families there are, and whether transformers has their classes."""
    from affectllm.model.family import families

    try:
        all_families = families()
    except AffectError as error:
        return Check("Families", "fail", f"{error.what} ({error.where})", "repair that file, or take it away")
    try:
        with _quiet():
            import transformers
    except (ImportError, OSError):
        return Check(
            "Families", "warn", f"{len(all_families)}, of which none loads without transformers", "reinstall affectllm"
        )
    if lost := [name for name, family in all_families.items() if not _is_available(family)]:
        text = f"transformers {transformers.__version__} lacks the models of {', '.join(lost)}"
        return Check("Families", "warn", text, "upgrade it to use them: pip install -U transformers")
    return Check("Families", "ok", f"{len(all_families)}: {', '.join(all_families)}")


def _is_available(family: Family) -> bool:
    try:
        family.network_class()
    except (ImportError, AttributeError):
        return False
    return True


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what libraries log while they are imported: the finding says what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
