"""The wheel, installed outside the checkout, holds what the checkout's folders hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from affectllm import registry
from affectllm.corpus.builder import code_of
from affectllm.metrics import METRICS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
FOLDERS = ("affectllm", "data_builders", "eval_tasks", "recipes")
_LIST = """
import json
from affectllm import registry
kinds = ("data_builders", "eval_tasks", "recipes", "families", "reproductions")
print(json.dumps({kind: {name: str(path) for name, path in registry.names(kind).items()} for kind in kinds}))
"""
_WHOLE = """
import json
from affectllm import registry
from affectllm.corpus.builder import code_of, load_builder
from affectllm.metrics import METRICS
names = [name for name in registry.names("data_builders") if load_builder(name).CARD]
print(json.dumps({"code": {name: code_of(name) for name in names}, "metrics": sorted(METRICS)}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment that has the wheel, and sees this one's libraries but not its checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a build beside the checkout would also pick up what earlier builds left
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    shutil.rmtree(source)
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    # The path alone: a site directory added this way does not run its .pth files, so the editable checkout stays out.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, *words: str, folder: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AFFECTLLM", "PYTHON"))}
    done = subprocess.run([str(python), *words], cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_corpus_task_and_recipe_is_there(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFFECTLLM_PATH", raising=False)
    listed = json.loads(run(installed, "-c", _LIST, folder=tmp_path))
    kinds: tuple[registry.Folder, ...] = ("data_builders", "eval_tasks", "recipes", "reproductions")
    for kind in kinds:
        assert set(listed[kind]) == set(registry.names(kind)) and listed[kind]
        assert not any(str(ROOT) in path for path in listed[kind].values())
        for name, path in listed[kind].items():
            assert Path(path).read_bytes() == registry.names(kind)[name].read_bytes()


def test_every_file_that_is_no_python_is_there_too(installed: Path) -> None:
    """Prompts, chat templates, report templates, launch configurations, the mark of typed packages."""
    (package,) = (installed.parents[1] / "lib").glob("python*/site-packages/affectllm")
    for folder in FOLDERS:
        place = package if folder == "affectllm" else package / folder
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (place / path.relative_to(ROOT / folder)).is_file(), path.relative_to(ROOT)


def test_builders_import_their_helpers_and_every_metric_is_found_there(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFFECTLLM_PATH", raising=False)
    there = json.loads(run(installed, "-c", _WHOLE, folder=tmp_path))
    assert there["code"] == {name: code_of(name) for name in registry.names("data_builders")}
    assert there["metrics"] == sorted(METRICS)


def test_nothing_of_a_common_name_lands_beside_the_package(installed: Path) -> None:
    (site,) = (installed.parents[1] / "lib").glob("python*/site-packages")
    assert {path.name.split("-")[0] for path in site.iterdir()} == {"affectllm", "libraries.pth"}


def test_the_installed_command_works(installed: Path, tmp_path: Path) -> None:
    command = installed.parent / "affectllm"
    stdout = run(installed, str(command), "ls", folder=tmp_path)
    assert "emodb" in stdout and "quickstart" in stdout and "qwen2_audio" in stdout
    assert "Burkhardt" in run(installed, str(command), "show", "emodb", folder=tmp_path)


def test_a_recipe_and_a_template_load_there(installed: Path, tmp_path: Path) -> None:
    code = (
        "from affectllm.train.recipe import load_recipe, launch_file\n"
        "recipe = load_recipe('quickstart')\n"
        "from affectllm.model.family import families\n"
        "print(launch_file(recipe.launch), all(b.chat_template() for b in families().values()))\n"
        "from affectllm.instruct import load_template, template_names\n"
        "from affectllm.instruct.wording import load_wording\n"
        "print(recipe.data.mixture[0].bind().name, all('en' in load_wording(n).speeches for n in template_names()))\n"
        "from affectllm.instruct.mixture_page import load_mixture\n"
        "from affectllm import registry\n"
        "print(len([load_mixture(name) for name in registry.names('recipes/mixtures')]))\n"
    )
    out = run(installed, "-c", code, folder=tmp_path)
    mixtures = len(list((ROOT / "recipes" / "mixtures").glob("*.yaml")))
    assert str(ROOT) not in out and f"cpu.yaml True\nemotion_choice True\n{mixtures}\n" in out
