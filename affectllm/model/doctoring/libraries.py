"""Libraries that are built for a machine: torch, its GPU, bitsandbytes, DeepSpeed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from affectllm import extras
from affectllm.errors import AffectError
from affectllm.model.doctoring.check import GIB, Check, first_line, quiet


def check_torch() -> Check:
    if not extras.is_installed("torch"):
        text = "not installed: no models in this process, only those behind endpoints"
        return Check("torch", "warn", text, extras.missing("torch").do)
    try:
        import torch
    except (ImportError, OSError) as error:  # a build whose shared libraries are missing
        return Check("torch", "fail", f"cannot be imported: {first_line(error)}", "install a build for this machine")
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "ROCm" if torch.version.hip else "CPU"
    return Check("torch", "ok", f"{torch.__version__} ({build} build)")


def check_gpu() -> Check:
    try:
        import torch
    except (ImportError, OSError):
        return Check("GPU", "warn", "unknown without torch", "repair torch first")
    if torch.cuda.is_available():
        if foreign := _without_kernels():
            return Check("GPU", "fail", foreign, "install a build of torch for this GPU: pytorch.org lists them")
        cards = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        names = ", ".join(f"{card.name} {card.total_memory / GIB:.0f} GiB" for card in cards)
        return Check("GPU", "ok", f"{len(cards)}: {names}")
    if torch.backends.mps.is_available():
        return Check("GPU", "ok", "Apple Metal")
    if shutil.which("nvidia-smi"):
        return _unseen(torch.version.cuda)
    return Check("GPU", "warn", "none", "quickstart and tests work without; checkpoints of 3B and more want a GPU")


def _without_kernels() -> str:
    """Return which GPU this build of torch has no kernels for; empty where it has them for all."""
    import torch

    built = torch.cuda.get_arch_list()
    for index in range(torch.cuda.device_count()):
        major, minor = torch.cuda.get_device_capability(index)
        # Kernels of one major version run on its later minor ones; sources (compute_…) are compiled for any later GPU.
        fits = [kind for kind in built if kind.startswith(f"sm_{major}") or kind.startswith("compute_")]
        if built and not fits:
            name = torch.cuda.get_device_name(index)
            return f"torch has no kernels for {name} (sm_{major}{minor}), only for {', '.join(built)}"
    return ""


def _unseen(built: str | None) -> Check:
    """Say why torch sees no GPU though there is a driver."""
    if built is None:
        return Check("GPU", "warn", "an NVIDIA driver, but this torch is a CPU build", "install a CUDA build of torch")
    done = subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=False, timeout=60)
    match = re.search(r"CUDA Version:\s*(\d+)\.(\d+)", done.stdout)
    if done.returncode or match is None:
        text = f"the NVIDIA driver does not answer: {(done.stdout + done.stderr).strip()[:100]}"
        return Check("GPU", "warn", text, "load or reinstall the driver, or give the container the GPU (--gpus all)")
    if int(match[1]) < int(built.split(".")[0]):
        text = f"the driver knows CUDA {match[1]}.{match[2]}, torch was built for {built}"
        return Check("GPU", "warn", text, f"a newer driver, or a torch built for CUDA {match[1]}")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    text = "the driver answers, but torch sees no GPU"
    if hidden is not None:
        return Check("GPU", "warn", f"{text}: CUDA_VISIBLE_DEVICES={hidden}", "unset it, or name a GPU that there is")
    return Check("GPU", "warn", text, "python -c 'import torch; torch.zeros(1).cuda()' says why")


def check_bitsandbytes() -> Check:
    if not extras.is_installed("bitsandbytes"):
        return Check("bitsandbytes", "warn", "not installed: no QLoRA", extras.missing("bitsandbytes").do)
    try:
        with quiet():
            import bitsandbytes
            from bitsandbytes.cextension import lib
    except (ImportError, OSError, RuntimeError) as error:
        return Check("bitsandbytes", "warn", f"cannot be imported: {first_line(error)}", "QLoRA will not work")
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
    if not extras.is_installed("deepspeed"):
        return Check("DeepSpeed", "warn", "not installed: no ZeRO", extras.missing("deepspeed").do)
    from importlib.metadata import version

    compiler = next((name for name in ("g++", "c++", "clang++") if shutil.which(name)), None)
    if compiler is None:
        return Check("DeepSpeed", "warn", f"{version('deepspeed')}, no C++ compiler", "install g++: ZeRO needs it")
    return Check("DeepSpeed", "ok", f"{version('deepspeed')}, compiler {compiler}")
