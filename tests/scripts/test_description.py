"""The description of the built package: the README, whose links hold where it is read without the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_METADATA = "from setuptools import build_meta; print(build_meta.prepare_metadata_for_build_wheel('out'))"
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def described(folder: Path, urls: str) -> str:
    """The description in the metadata that a build of the package makes, without its modules."""
    for part in ("affectllm", "out"):
        (folder / part).mkdir(parents=True)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "affectllm/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    page = folder / "pyproject.toml"
    page.write_text(page.read_text(encoding="utf-8").replace("[project.scripts]", f"{urls}\n[project.scripts]"))
    done = subprocess.run([sys.executable, "-c", _METADATA], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (metadata,) = (folder / "out").glob("*.dist-info/METADATA")
    message = message_from_string(metadata.read_text(encoding="utf-8"))
    assert message["Description-Content-Type"] == "text/markdown"
    return message.get_payload()


def test_links_lead_into_the_repository_that_the_project_names(tmp_path: Path) -> None:
    text = described(tmp_path / "package", '[project.urls]\nSource = "https://forge.example/affectllm/"\n')
    relative = [link for link in _LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")) if "://" not in link]
    assert len(relative) > 20
    for link in relative:
        assert f"](https://forge.example/affectllm/blob/HEAD/{link})" in text and (ROOT / link).is_file()
    assert all(link.startswith("https://") for link in _LINK.findall(text))
    assert "](https://github.com/EleutherAI/lm-evaluation-harness)" in text


@pytest.mark.thorough
def test_without_an_address_no_link_leads_nowhere(tmp_path: Path) -> None:
    text = described(tmp_path / "package", "")
    assert [link for link in _LINK.findall(text) if "://" not in link] == []
    assert "# affectllm" in text and "](docs/" not in text
