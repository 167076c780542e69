"""`affectllm merge`: an adapter becomes part of its base model, and a folder appears only when it answers alike."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from adapting import edit_config, edit_weights, logits, logits_when_made, make_adapter
from made_run import make_builder, make_clips, make_conversations, make_run

from affectllm.cli import main
from affectllm.errors import WrongCheckpoint
from affectllm.model.load import load_model
from affectllm.model.tiny import tiny_folder
from affectllm.model.weights.merging import kept_whole
from affectllm.report.cards.merged import check_merged, merge

TEXT, OMNI = "tiny:qwen2", "tiny:qwen2_5_omni"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return make_adapter(tmp_path / "adapter", TEXT)


@pytest.mark.parametrize("base", [OMNI, "tiny:qwen2_audio", "tiny:qwen2_5_vl"])
def test_the_merged_model_loads_alone_and_says_what_the_adapter_said(base: str, tmp_path: Path, capsys) -> None:
    adapter = make_adapter(tmp_path / "adapter", base, target_modules=["q_proj", "down_proj", "fc1", "linear"])
    assert main(["merge", str(adapter), "--to", str(tmp_path / "whole")]) == 0
    assert "the adapter's effect on " + base in capsys.readouterr().out
    assert torch.allclose(logits(str(tmp_path / "whole")), logits_when_made(adapter), atol=1e-3)
    record = json.loads((tmp_path / "whole" / "merge.json").read_text())
    assert record["error"] < 1e-3 < 0.1 < record["effect"]
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert {"model.safetensors", "README.md", "config.json"} <= names and not any("adapter" in name for name in names)
    assert str(tmp_path) not in "".join(path.read_text() for path in (tmp_path / "whole").glob("*.[jm]*[nd]"))


def test_weights_that_were_saved_whole_with_the_adapter_are_merged_too(tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", TEXT, modules_to_save=["lm_head"])
    merge(str(adapter), tmp_path / "whole")
    assert torch.allclose(logits(str(tmp_path / "whole")), logits_when_made(adapter), atol=1e-3)


def test_a_base_model_in_a_folder_is_not_taken_for_a_repository(adapter: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder("qwen2"), tmp_path / "my_base")
    edit_config(adapter, base_model_name_or_path=str(tmp_path / "my_base"))
    result = merge(str(adapter), tmp_path / "whole")
    card = (tmp_path / "whole" / "README.md").read_text()
    assert "`my_base`" in card and "base_model" not in card
    assert (result.base, result.base_on_hub) == ("my_base", False)


def test_weights_that_two_layers_share_are_counted_once() -> None:
    network = torch.nn.Sequential(torch.nn.Embedding(7, 5), torch.nn.LayerNorm(5), torch.nn.Linear(5, 7, bias=False))
    network[2].weight = network[0].weight
    assert kept_whole(network) == {"Embedding in the model": 35, "LayerNorm in the model": 10}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_smaller_types_pass_the_comparison(dtype: str, adapter: Path, tmp_path: Path) -> None:
    result = merge(str(adapter), tmp_path / "whole", dtype=dtype)
    assert result.dtype == dtype and 1e-4 < result.error < 0.2
    assert next(load_model(str(tmp_path / "whole")).model.parameters()).dtype == getattr(torch, dtype)


def test_an_adapter_that_rounding_takes_away_is_refused(adapter: Path, tmp_path: Path, capsys) -> None:
    edit_weights(adapter, lambda weights: {name: tensor * 0.02 for name, tensor in weights.items()})
    words = ["merge", str(adapter), "--to", str(tmp_path / "whole")]
    assert main([*words, "--dtype", "bfloat16"]) == 2
    message = capsys.readouterr().err
    assert "differs from the model with its adapter" in message and "--dtype float32" in message
    assert not (tmp_path / "whole").exists() and not list(tmp_path.glob(".whole*part"))
    assert main([*words, "--dtype", "float32"]) == 0


@pytest.mark.parametrize(
    ("error", "effect", "dtype", "passes"),
    [
        (1e-5, 1.0, "float32", True),
        (0.01, 1.0, "float32", False),
        (0.01, 1.0, "bfloat16", True),
        (0.01, 0.015, "bfloat16", False),  # nearer to the base model than to the adapter: rounding has taken it
        (1e-6, 0.0, "float32", True),  # an adapter that does nothing
    ],
)
def test_what_is_refused(error: float, effect: float, dtype: str, passes: bool) -> None:
    if passes:
        check_merged(error, effect, dtype, "adapter")
        return
    with pytest.raises(WrongCheckpoint, match="--dtype float32"):
        check_merged(error, effect, dtype, "adapter")


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_a_quantised_model_loads_as_it_was_and_its_card_says_what_is_kept_whole(bits, tmp_path: Path, capsys) -> None:
    adapter = make_adapter(tmp_path / "adapter", OMNI)
    small = tmp_path / "small"
    assert main(["merge", str(adapter), "--to", str(small), "--quantize", bits]) == 0
    summary = capsys.readouterr().out
    assert "Embedding in model.language_model" in summary and "Linear in model.audio_tower" in summary
    assert "Linear in model.language_model" not in summary
    record = json.loads((small / "merge.json").read_text())
    assert record["error"] < 1e-3 < record["quantized_error"] and record["quantized"] > 100_000
    assert "Linear in model.audio_tower: " in (small / "README.md").read_text() and not (small / "merged").exists()
    assert main(["predict", "--text", "I am glad", "--model", str(small), "--answers", str(tmp_path / "kept")]) == 0


def test_a_run_has_the_card_of_its_model_and_must_be_finished(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("AFFECTLLM_PATH", str(make_builder(tmp_path / "own")))
    make_clips(tmp_path / "toy")
    run = make_run(tmp_path / "run")
    make_conversations(run / "build" / "conversations" / "train-00000-of-00001.parquet", ["toy"])
    make_adapter(run / "train" / "final", TEXT)
    assert main(["merge", str(run), "--to", str(tmp_path / "whole")]) == 0
    card = (tmp_path / "whole" / "README.md").read_text()
    assert "## Training data" in card and "## Merged" in card and "library_name: transformers" in card
    assert "The weights are those of `org/base-7b`" in card, "as the recipe names it, not as the adapter's cache does"
    manifest = run / "train" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"finished": true', '"finished": false'))
    assert main(["merge", str(run), "--to", str(tmp_path / "again")]) == 2
    assert "this train did not finish" in capsys.readouterr().err


def test_what_cannot_be_merged_is_said(adapter: Path, tmp_path: Path, capsys) -> None:
    def refusal(source: Path | str, *words: str) -> str:
        assert main(["merge", str(source), "--to", str(tmp_path / "to"), *words]) == 2
        return capsys.readouterr().err

    assert merge(str(adapter), tmp_path / "whole").error < 1e-3
    assert "this is a whole model" in refusal(tmp_path / "whole")
    assert "something is there already" in refusal(adapter, "--to", str(tmp_path / "whole"))
    (tmp_path / "empty").mkdir()
    assert "there is no adapter in" in refusal(tmp_path / "empty")
    assert "there is no adapter folder" in refusal("./nowhere")
    edit_config(adapter, base_model_name_or_path="/nowhere/base")
    assert "there is no checkpoint folder /nowhere/base" in refusal(adapter)
    assert main(["merge", str(adapter), "--to", str(tmp_path / "to"), "--base", TEXT]) == 0
    edit_weights(adapter, lambda weights: {name: tensor / 0 for name, tensor in weights.items()})
    assert "not finite" in refusal(adapter, "--to", str(tmp_path / "other"), "--base", TEXT)


@pytest.mark.slow
def test_a_merge_that_is_killed_leaves_no_folder_and_is_done_again(adapter: Path, tmp_path: Path) -> None:
    to = tmp_path / "whole"
    words = [sys.executable, "-m", "affectllm.cli", "merge", str(adapter), "--to", str(to)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scratch = tmp_path / ".whole.part"
    while process.poll() is None and not list(scratch.glob("*.safetensors")):
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert scratch.is_dir() and not to.exists()
    assert main(words[3:]) == 0
    assert (to / "merge.json").is_file() and not scratch.exists()
