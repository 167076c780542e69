"""Training as a user starts it, on one process: full, LoRA per tower, QLoRA, frozen towers."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tuning import PAGE, affectllm, logged, losses, succeed, write_page

from affectllm.instruct.mixture_part import Part
from affectllm.model.load import load_model
from affectllm.model.tiny import tiny_folder
from affectllm.train.loading import spread

pytestmark = pytest.mark.slow


def train(root: Path, page: Path, out: Path, *more: str) -> str:
    return succeed("train", str(page), "--root", f"demo_affect={root}", "--out", str(out), *more)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_model(str(folder)).model.state_dict()


@pytest.mark.thorough  # test_families_trained and every recipe move towers
def test_full_tuning_changes_every_tower_but_the_frozen_one(small_demo: Path, tmp_path: Path) -> None:
    page = write_page(tmp_path, model={"freeze": ["vision"]}, trainer={"max_steps": 2, "save_strategy": "no"})
    train(small_demo, page, tmp_path / "run")
    before, after = weights(tiny_folder("qwen2_5_omni")), weights(tmp_path / "run" / "train" / "final")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("model.language_model") for name in changed)
    assert any(name.startswith("model.audio_tower") for name in changed)
    assert any(name.startswith("model.visual.merger.") for name in changed)  # the projector is a tower of its own
    assert not any(name.startswith(("model.visual.blocks", "model.visual.patch_embed")) for name in changed)
    manifest = json.loads((tmp_path / "run" / "train" / "manifest.json").read_text())
    assert manifest["finished"] and manifest["outputs"]["steps"] == 2
    assert set(manifest["outputs"]["modalities_heard"]) == {"video", "audio"}


@pytest.mark.thorough  # test_pipeline runs the same command twice
def test_a_finished_run_is_skipped(small_demo: Path, tmp_path: Path) -> None:
    page = write_page(tmp_path, trainer={"max_steps": 1, "save_strategy": "no"})
    train(small_demo, page, tmp_path / "run")
    written = (tmp_path / "run" / "train" / "final" / "model.safetensors").stat().st_mtime_ns
    started = time.monotonic()
    train(small_demo, page, tmp_path / "run")
    assert (tmp_path / "run" / "train" / "final" / "model.safetensors").stat().st_mtime_ns == written
    assert time.monotonic() - started < 60


def test_lora_adapts_the_layers_of_the_named_towers(small_demo: Path, tmp_path: Path) -> None:
    adapt = {"language": ["q_proj"], "audio": None}
    page = write_page(
        tmp_path,
        model={"adapt": adapt},
        peft={"r": 4, "lora_alpha": 8},
        trainer={"max_steps": 2, "save_strategy": "no", "logging_steps": 10},
    )
    train(small_demo, page, tmp_path / "run")
    assert len(logged(tmp_path / "run", "loss")) == 1, "of a run that is shorter than that, the end is logged"
    final = tmp_path / "run" / "train" / "final"
    names = set(load_file(final / "adapter_model.safetensors"))
    assert names and all(".language_model." in name or ".audio_tower." in name for name in names)
    assert all(".q_proj." in name for name in names if ".language_model." in name)
    assert any(".fc1." in name for name in names if ".audio_tower." in name)
    assert load_model(str(final)).family.name == "qwen2_5_omni"


@pytest.mark.thorough  # a recipe with QLoRA is always tried
def test_qlora_runs_on_the_cpu(small_demo: Path, tmp_path: Path) -> None:
    page = write_page(
        tmp_path,
        peft={"r": 4, "lora_alpha": 8},
        quantization={"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": "float32"},
        trainer={"max_steps": 2, "save_strategy": "no"},
    )
    train(small_demo, page, tmp_path / "run")
    names = set(load_file(tmp_path / "run" / "train" / "final" / "adapter_model.safetensors"))
    assert names and all(".language_model." in name for name in names)
    assert all(loss > 0 for loss in losses(tmp_path / "run"))


@pytest.mark.parametrize(  # with renamed parameters, and with a tied head
    "backbone", ["qwen2_5_omni", "qwen2"]
)
@pytest.mark.thorough  # test_best tries the choice by answers
def test_the_best_checkpoint_by_validation_loss_is_kept(backbone: str, small_demo: Path, tmp_path: Path) -> None:
    # A rate this large makes the later checkpoints worse than the first.
    trainer = {
        "max_steps": 6,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "learning_rate": 0.02,
        "lr_scheduler_type": "constant",
    }
    model = {"path": f"tiny:{backbone}", "backbone": backbone}
    part = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words"}
    page = write_page(tmp_path, trainer=trainer, model=model, data={"mixture": [part]})
    train(small_demo, page, tmp_path / "run")
    folder = tmp_path / "run" / "train"
    state = json.loads((folder / "trainer_state.json").read_text())
    evaluated = {e["step"]: e["eval_loss"] for e in state["log_history"] if "eval_loss" in e}
    best = min(evaluated, key=lambda step: evaluated[step])
    assert Path(state["best_model_checkpoint"]).name == f"checkpoint-{best}"
    best_weights, final = load_file(folder / f"checkpoint-{best}" / "model.safetensors"), weights(folder / "final")
    assert all(torch.equal(best_weights[name], final[name]) for name in best_weights)


def test_the_self_test_sees_every_set_of_modalities_however_rare() -> None:
    asked = {"corpus": "meld", "template": "emotion_choice", "space": "meld_7", "rater": "annotators"}
    text, film, sound = (Part(**asked, modalities=shown).key for shown in (("text",), ("video", "audio"), ("audio",)))
    names = [f"meld/{number}/{text}/0" for number in range(50)]
    names[17], names[30] = f"meld/1001/{film}/0", f"meld/a/b/{sound}/1"
    assert spread(names) == [0, 17, 30, 49]


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    from affectllm.train.checkpoints import last_whole_checkpoint

    assert last_whole_checkpoint(tmp_path) is None
    for step, state in ((9, "{}"), (10, "{}"), (100, '{"global_st'), (200, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if state is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")


def test_broken_clips_are_counted_and_the_rest_is_trained_on(small_demo: Path, tmp_path: Path) -> None:
    import shutil

    root = Path(shutil.copytree(small_demo, tmp_path / "demo_affect"))
    (root / "clips" / "train_0000.mp4").write_bytes(b"")
    (root / "clips" / "train_0001.mp4").write_bytes(b"not a clip")
    page = write_page(tmp_path, trainer={"max_steps": 1, "save_strategy": "no"})
    train(root, page, tmp_path / "run")
    outputs = json.loads((tmp_path / "run" / "train" / "manifest.json").read_text())["outputs"]
    assert outputs["train"]["rejected"] == {"empty_file": 1, "unreadable": 1}
    lines = (tmp_path / "run" / "train" / "looked_train.rejected.jsonl").read_text().splitlines()
    assert "demo_affect:clips/train_0000.mp4" in lines[0]


def test_another_architecture_is_refused(small_demo: Path, tmp_path: Path) -> None:
    page = write_page(tmp_path, model={"path": str(tiny_folder("qwen2"))})
    done = affectllm("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "run"))
    assert done.returncode == 2 and "is a qwen2 checkpoint, not qwen2_5_omni" in done.stderr
    assert "Traceback" not in done.stderr
