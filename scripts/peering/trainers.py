"""Training on texts, against trainers that people would use instead; each reads our export with its own code."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from peering.contest import Outcome, Side, alternate, trained_seconds
from peering.places import SHIMS, python_of, version_in
from peering.texts import BATCH, EXPORTED, PROMPTS, ROWS, SAMPLED, Texts, made

_HERE = Path(__file__).parent
_QUIET = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(SHIMS)}
_COMMON = {
    "num_train_epochs": 1,
    "per_device_train_batch_size": BATCH,
    "learning_rate": 1e-3,
    "save_strategy": "no",
    "logging_steps": 10,
    "report_to": "none",
    "gradient_checkpointing": False,
}


def trl(texts: Texts, method: str) -> Side:
    """TRL's own trainer, as its documentation starts it, in our environment."""
    data = texts.exports / "trl" / method / "train.jsonl"
    script = _HERE / "theirs" / "trl_train.py"
    command = [sys.executable, str(script), method, str(texts.model), str(data), "{out}"]
    command += ["--batch", str(BATCH), "--sampled", json.dumps(SAMPLED)]
    return Side(f"TRL {version_in(Path(sys.executable), 'trl')}", command, _QUIET)


def ms_swift(texts: Texts, method: str) -> Side:
    """``swift sft`` or ``swift rlhf``, full tuning on the CPU."""
    python = python_of("ms-swift")
    data = texts.exports / "ms-swift" / method / "train.jsonl"
    start = ["sft"] if method == "sft" else ["rlhf", "--rlhf_type", "dpo"]
    given = _COMMON | {
        **{"model": texts.model, "model_type": "qwen2", "template": "qwen", "system": "", "dataset": data},
        **{"output_dir": "{out}", "torch_dtype": "float32", "tuner_type": "full", "use_hf": True},
        **{"dataset_num_proc": 1, "dataloader_num_workers": 0, "eval_strategy": "no", "split_dataset_ratio": 0},
    }
    words = [word for key, value in given.items() for word in (f"--{key}", _word(value))]
    script = _HERE / "theirs" / "swift_main.py"
    return Side(f"ms-swift {version_in(python, 'ms-swift')}", [str(python), str(script), *start, *words], _QUIET)


def llama_factory(texts: Texts, method: str) -> Side:
    """``llamafactory-cli train``, full tuning on the CPU."""
    python = python_of("llama-factory")
    folder = texts.exports / "llama-factory" / method
    given = _COMMON | {
        **{
            "stage": method,
            "do_train": True,
            "finetuning_type": "full",
            "template": "qwen",
            "dataset": "affectllm_train",
        },
        **{"model_name_or_path": str(texts.model), "dataset_dir": str(folder), "output_dir": "{out}"},
        **{"cutoff_len": 4096, "disable_gradient_checkpointing": True, "use_cpu": True},
        **{"overwrite_output_dir": True, "preprocessing_num_workers": 1, "pref_loss": "sigmoid"},
    }
    name = f"LLaMA-Factory {version_in(python, 'llamafactory')}"
    words = json.dumps({key: str(value) if isinstance(value, Path) else value for key, value in given.items()})
    return Side(name, [str(python), str(_HERE / "theirs" / "llama_factory_main.py"), words], _QUIET)


def _word(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


PEERS: Mapping[str, Callable[[Texts, str], Side]] = {"trl": trl, "ms-swift": ms_swift, "llama-factory": llama_factory}


def measure(name: str, repeats: int) -> list[Outcome]:
    """Train by every method that both have, in our trainer and in theirs, in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = made(folder)
        outcomes = []
        for method in (one for one, trainers in EXPORTED.items() if name in trainers):
            ours = Side("affectllm", texts.ours(method), _QUIET | {"PYTHONPATH": ""})
            theirs = PEERS[name](texts, method)
            what = f"{method.upper()} of the tiny Qwen2, {ROWS} comments of unlike length, batches of {BATCH}"
            count, unit = ROWS, "rows"
            if method == "grpo":
                what = (
                    f"GRPO of the tiny Qwen2, {SAMPLED['num_generations']} replies of at most 16 tokens to each prompt"
                )
                count, unit = PROMPTS * SAMPLED["num_generations"], "replies"
            place = folder / f"{name}-{method}"
            outcomes.append(alternate(what, ours, theirs, trained_seconds, place, repeats, count, unit, 1.3))
    return outcomes
