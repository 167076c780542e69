"""The package without its extras scores, reads corpora and asks endpoints; else one line says what to install."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from stand_in_server import MODEL, StandIn

from affectllm import extras
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.extras import EXTRAS

ROOT = Path(__file__).parents[2]
# Also what comes with them alone: a core that used one of these would break where none of the extras is installed.
_ABSENT = {*EXTRAS, "functorch", "torchgen", "tokenizers"}
_START = "import sys; from affectllm.cli import main; sys.exit(main())"
_IMPORTS = """
import importlib, pkgutil, affectllm
for room in ("labels", "metrics", "corpus", "score", "commands", "instruct", "predict"):
    package = importlib.import_module(f"affectllm.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("datatrove_steps"):
            importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages: this checkout as it is installed, and this environment's libraries without the extras."""
    folder = tmp_path_factory.mktemp("light")
    package = folder / "affectllm"
    package.mkdir()
    shelves = [ROOT / name for name in ("data_builders", "eval_tasks", "recipes")]
    for path in [*(ROOT / "affectllm").iterdir(), *shelves]:
        (package / path.name).symlink_to(path)
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        name = path.name.split("-")[0].split(".")[0]
        if path.suffix != ".pth" and name.lower() not in _ABSENT and not name.startswith("__editable__"):
            (folder / path.name).symlink_to(path)
    return folder


def run(light: Path, *words: str, status: int = 0, code: str = _START) -> subprocess.CompletedProcess[str]:
    """Run the command of a light installation; ``-S`` keeps this environment's own folder of packages out."""
    environment = {**os.environ, "PYTHONPATH": str(light), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-S", "-c", code, *words]
    done = subprocess.run(command, env=environment, cwd=light.parent, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr[-3000:]
    return done


def test_rooms_without_models_import_none_of_their_libraries(light: Path) -> None:
    run(light, code=_IMPORTS)


def test_methods_and_rewards_are_told_without_what_trains(light: Path) -> None:
    assert "sentiment_weight" in run(light, "show", "contrastive").stdout


def test_predictions_are_scored(light: Path, tmp_path: Path) -> None:
    (tmp_path / "gold.csv").write_text("id,label\na,joy\nb,fear\nc,joy\n")
    (tmp_path / "pred.csv").write_text("id,pred\na,joy\nb,joy\nc,joy\n")
    files = ["--gold", str(tmp_path / "gold.csv"), "--pred", str(tmp_path / "pred.csv")]
    assert "0.5" in run(light, "score", "--metric", "uar", *files).stdout
    assert "emodb" in run(light, "ls", "corpora").stdout


def test_a_model_behind_an_endpoint_is_evaluated(light: Path, tmp_path: Path) -> None:
    root = materialise(load_builder("emodb").MINIATURE, tmp_path / "emodb")
    with StandIn() as server:
        model = ["--model", "affectllm-api", "--model_args", f"base_url={server.url},model={MODEL},selftest=false"]
        where = ["--root", f"emodb={root}", "--output_path", str(tmp_path / "out")]
        run(light, "eval", *model, "--tasks", "emodb_emotion", *where)
        assert server.bodies
    assert "uar" in (tmp_path / "out" / "scores.json").read_text()


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (["predict", "--text", "hello", "--model", "tiny:qwen2"], "torch", "models"),
        (["train", "emodb_tiny"], "trl", "train"),
        (["demo", "tiny:qwen2"], "gradio", "demo"),
    ],
)
def test_what_needs_more_says_which_extra_in_one_line(light: Path, words: list[str], package: str, extra: str) -> None:
    done = run(light, *words, status=2)
    line = f"error: this needs {package}, which is not installed\n  → pip install 'affectllm[{extra}]'\n"
    assert done.stderr == line and done.stdout == ""


def test_every_library_of_an_extra_is_known_by_its_extra() -> None:
    page = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {"praat_parselmouth": "parselmouth"}
    for extra in ("models", "train", "demo", "datatrove", "prosody", "trackers"):
        for line in page["optional-dependencies"][extra]:
            name = line.split(">=")[0].split(";")[0].strip().replace("-", "_")
            assert name.startswith("affectllm[") or EXTRAS[names.get(name, name)] == extra


def test_a_library_that_is_named_only_in_a_sentence_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda package: package != "torchvision")
    error = extras.explained_import(ImportError("Qwen2VLVideoProcessor requires the Torchvision library, not found."))
    assert error and "pip install 'affectllm[models]'" in str(error)
    assert extras.explained_import(ImportError("transformers has no name of that kind")) is None
