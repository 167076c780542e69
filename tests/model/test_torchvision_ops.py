"""The two operator schemas are declared when torchvision's own extension cannot load, and only then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch


def python(code: str, path: Path | None = None) -> str:
    """Run code in a fresh interpreter."""
    before = f"import sys; sys.path.insert(0, {str(path)!r})\n" if path else ""
    done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_torchvision_imports_and_transformers_video_processors_with_it() -> None:
    code = (
        "from affectllm.model.torchvision_ops import install; install()\n"
        "import torchvision, transformers; print(transformers.Qwen2VLVideoProcessor().patch_size)"
    )
    assert python(code) == "14"


def test_nothing_is_declared_where_the_extension_loads(tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("")
    library = Path(torch.__file__).parent / "lib" / "libc10.so"
    (package / "_C.so").symlink_to(library)
    code = (
        "from affectllm.model import torchvision_ops as ops\n"
        "ops.ensure_torchvision(); print(ops._library is None, 'torchvision' in sys.modules)"
    )
    assert python(code, tmp_path) == "True False"


def test_they_are_declared_where_it_cannot_load(tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "_C.so").write_bytes(b"no library")
    code = (
        "import torch\nfrom affectllm.model import torchvision_ops as ops\n"
        "ops.ensure_torchvision(); print(hasattr(torch.ops.torchvision, 'nms'), hasattr(torch.ops.torchvision, 'qnms'))"
    )
    assert python(code, tmp_path) == "True True"


def test_installing_loads_nothing() -> None:
    code = "import sys\nfrom affectllm.model.torchvision_ops import install; install(); print('torch' in sys.modules)"
    assert python(code) == "False"
