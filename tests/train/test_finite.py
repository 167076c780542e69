"""Training stops at the first number that is not finite, with the rows and the step, and saves nothing of it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from tuning import PAGE, affectllm, losses, succeed, write_page

from affectllm.model.load import load_model
from affectllm.model.tiny import tiny_folder
from affectllm.model.weights.weight_files import check_finite

pytestmark = pytest.mark.slow

TEXT = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words"}
LORA = {"r": 4, "lora_alpha": 8}


RARE = "\u03a9"  # a letter that no other sentence has


def poisoned_word(folder: Path) -> Path:
    """A text model whose embedding of a rare letter is finite, but too large to be squared."""
    folder_copy = Path(shutil.copytree(tiny_folder("qwen2"), folder / "poisoned"))
    token = load_model(str(folder_copy)).tokenizer(RARE, add_special_tokens=False)["input_ids"][0]
    weights = load_file(folder_copy / "model.safetensors")
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()  # a tied head would spoil every row
    weights["model.embed_tokens.weight"][token] = 3e38
    config = json.loads((folder_copy / "config.json").read_text())
    (folder_copy / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    save_file(weights, folder_copy / "model.safetensors", {"format": "pt"})
    return folder_copy


def overflowing(folder: Path) -> Path:
    """A text model of finite weights whose logits are beyond every number."""
    folder_copy = Path(shutil.copytree(tiny_folder("qwen2"), folder / "overflowing"))
    weights = load_file(folder_copy / "model.safetensors")
    weights["model.norm.weight"].fill_(3e38)
    save_file(weights, folder_copy / "model.safetensors", {"format": "pt"})
    return folder_copy


@pytest.fixture(scope="module")
def rare_row(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The corpus with the rare letter in one training sentence, and the name of that row."""
    root = Path(shutil.copytree(small_demo, tmp_path_factory.mktemp("rare") / "demo_affect"))
    lines = (root / "labels.csv").read_text().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if "train_0007" in line)
    cells = next(csv.reader([lines[place]]))
    cells[4] += f" {RARE}"
    lines[place] = ",".join(f'"{cell}"' for cell in cells) + "\n"
    (root / "labels.csv").write_text("".join(lines))
    return root, "train_0007"


def text_page(folder: Path, path: str, **changes: Any) -> Path:
    model = {"path": path, "backbone": "qwen2"}
    return write_page(folder, **{"model": model, "data": {"mixture": [TEXT]}, **changes})


def refused(page: Path, root: Path, out: Path, *more: str) -> str:
    done = affectllm("train", str(page), "--root", f"demo_affect={root}", "--out", str(out), *more)
    assert done.returncode == 2, done.stderr[-3000:]
    assert not (out / "train" / "final").exists()
    assert not json.loads((out / "train" / "manifest.json").read_text())["finished"]
    for folder in (out / "train").glob("checkpoint-*"):
        check_finite(folder)
    return done.stderr


@pytest.mark.thorough  # test_methods tries weights that are not
def test_a_loss_that_is_not_finite_stops_at_the_first_step_with_its_rows(small_demo: Path, tmp_path: Path) -> None:
    page = text_page(tmp_path, str(overflowing(tmp_path)))
    error = refused(page, small_demo, tmp_path / "run")
    assert "the loss is not finite (NaN or infinite) at step 1" in error
    assert error.count("demo_affect/train_") == 2 and "nothing of it was saved" in error


@pytest.mark.parametrize("peft", [pytest.param(None, id="full"), pytest.param(LORA, id="lora")])
@pytest.mark.thorough  # the loss that is not finite is always tried
def test_a_gradient_that_is_not_finite_names_the_row_and_the_checkpoint_before(
    peft: dict[str, int] | None, rare_row: tuple[Path, str], tmp_path: Path
) -> None:
    trainer = {"per_device_train_batch_size": 1, "max_steps": 40, "save_steps": 1, "save_total_limit": 1}
    page = text_page(tmp_path, str(poisoned_word(tmp_path)), trainer=trainer, peft=peft)
    error = refused(page, rare_row[0], tmp_path / "run")
    assert "is not finite (NaN or infinite) at step" in error
    assert error.count("demo_affect/train_") == 1 and rare_row[1] in error


@pytest.mark.thorough
def test_accumulated_batches_are_all_named(rare_row: tuple[Path, str], tmp_path: Path) -> None:
    trainer = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 3, "max_steps": 10}
    page = text_page(tmp_path, str(poisoned_word(tmp_path)), trainer=trainer)
    error = refused(page, rare_row[0], tmp_path / "run")
    assert rare_row[1] in error and error.count("demo_affect/train_") <= 6


@pytest.mark.parametrize(
    ("make", "launch"),
    [
        pytest.param(overflowing, "ddp", marks=pytest.mark.thorough, id="loss-ddp"),
        pytest.param(poisoned_word, "zero2", marks=pytest.mark.thorough, id="gradient-zero2"),
        pytest.param(overflowing, "zero3_offload", marks=pytest.mark.thorough, id="loss-zero3_offload"),
        pytest.param(poisoned_word, "fsdp2", marks=pytest.mark.thorough, id="gradient-fsdp2"),
    ],
)
def test_two_processes_stop_together(make: Any, launch: str, rare_row: tuple[Path, str], tmp_path: Path) -> None:
    trainer = {"per_device_train_batch_size": 1, "max_steps": 40, "save_steps": 1, "save_total_limit": 1}
    page = text_page(tmp_path, str(make(tmp_path)), trainer=trainer, launch=launch)
    error = refused(page, rare_row[0], tmp_path / "run", "--num-processes", "2")
    assert "is not finite (NaN or infinite) at step" in error
    if make is poisoned_word:
        assert rare_row[1] in error


@pytest.mark.thorough
def test_weights_that_a_step_made_infinite_are_not_saved(small_demo: Path, tmp_path: Path) -> None:
    trainer = {"learning_rate": 1.0e39, "max_steps": 1, "save_strategy": "no", "lr_scheduler_type": "constant"}
    error = refused(text_page(tmp_path, "tiny:qwen2", trainer=trainer), small_demo, tmp_path / "run")
    assert "a weight is not finite" in error and "model." in error


@pytest.mark.thorough
def test_large_losses_that_are_finite_do_not_stop(small_demo: Path, tmp_path: Path) -> None:
    trainer = {"learning_rate": 3.0, "max_steps": 6, "lr_scheduler_type": "constant", "save_strategy": "no"}
    page = text_page(tmp_path, "tiny:qwen2", trainer=trainer)
    succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "run"))
    curve = losses(tmp_path / "run")
    assert max(curve) > 10 * curve[0]


@pytest.mark.thorough
def test_a_checkpoint_that_is_not_finite_is_not_gone_on_from(small_demo: Path, tmp_path: Path) -> None:
    page = text_page(tmp_path, "tiny:qwen2", trainer={"max_steps": 4, "save_steps": 2})
    words = ("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "run"))
    succeed(*words)
    train = tmp_path / "run" / "train"
    shutil.rmtree(train / "final")
    weights = load_file(train / "checkpoint-4" / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, train / "checkpoint-4" / "model.safetensors", {"format": "pt"})
    done = affectllm(*words)
    assert done.returncode == 2 and "the weight model.norm.weight is not finite" in done.stderr
    assert "checkpoint-4" in done.stderr
