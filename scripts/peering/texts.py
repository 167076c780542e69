"""Comments of unlike length with an emotion each, as a corpus of ours and as other trainers read the same rows."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROWS = 160
BATCH = 8
_WORDS = ["calm", "glad", "angry", "afraid", "alone", "proud", "tired", "of", "the", "and", "never", "again"]
_LABELS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise"]
_CORPUS = """\
name: made_comments
table: comments.csv
columns: {id: id, text: text, split: split}
language: en
raters: {annotator: the script that made them}
labels:
  - {space: ekman_6, rater: annotator, column: emotion}
licence: {name: CC0-1.0, access: open, redistribution: true, commercial: true}
"""
_RECIPE = """\
description: One epoch over made comments, as the other trainers have them.
seed: 1
method: METHOD
REWARDS
data:
  mixture:
    - {corpus: generic, template: emotion_choice, space: ekman_6, rater: annotator, modalities: [text]REJECTED}
model: {path: MODEL, backbone: qwen2, dtype: float32}
trainer:
  num_train_epochs: 1
  per_device_train_batch_size: BATCH
  learning_rate: 1.0e-3
  save_strategy: "no"
  eval_strategy: "no"
  logging_steps: 10
  gradient_checkpointing: false
  bf16: false
  use_cpu: true
SAMPLED
launch: cpu
"""
SAMPLED = {"num_generations": 4, "max_completion_length": 16, "temperature": 1.0, "beta": 0.0}
"""Of GRPO, in TRL's own names."""
PROMPTS = 24  # of GRPO, each answered by num_generations replies
EXPORTED = {"sft": ("trl", "ms-swift", "llama-factory"), "dpo": ("trl", "ms-swift", "llama-factory"), "grpo": ("trl",)}
"""Method → who trains the same rows by it."""


@dataclass(frozen=True)
class Texts:
    """Where the same rows lie for every trainer."""

    corpus: Path
    recipes: Path
    exports: Path
    model: Path

    def ours(self, method: str) -> list[str]:
        """The command of our training; the conversations were built before."""
        recipe = self.recipes / f"{method}.yaml"
        return [
            _script(),
            "--verbose",  # for the seconds of the loop, which are in the log otherwise
            "train",
            str(recipe),
            "--root",
            f"generic={self.corpus}",
            "--out",
            "{out}",
        ]


def made(folder: Path, rows: int = ROWS) -> Texts:
    """Write the corpus and a recipe a method, build the conversations, and export them."""
    from affectllm.model.tiny import tiny_folder

    texts = Texts(folder / "corpus", folder / "recipes", folder / "exports", tiny_folder("qwen2"))
    _write(texts.corpus, rows)
    texts.recipes.mkdir()
    for method, trainers in EXPORTED.items():
        recipe = texts.recipes / f"{method}.yaml"
        recipe.write_text(_page(method, texts.model), encoding="utf-8")
        built = folder / "built" / method
        _run("build", str(recipe), "--root", f"generic={texts.corpus}", "--out", str(built))
        for trainer in trainers:
            _run("export", str(built), "--to", trainer, "--out", str(texts.exports / trainer / method))
    return texts


def _page(method: str, model: Path) -> str:
    rejected, rewards, sampled = "", "", ""
    if method == "dpo":
        rejected = ", rejected: other_label"
    if method == "grpo":
        rejected, rewards = f", cap: {PROMPTS}", "rewards: [{reward: reading}]\n"
        sampled = "".join(f"  {key}: {value}\n" for key, value in SAMPLED.items())
    page = _RECIPE.replace("METHOD", method).replace("REJECTED", rejected).replace("REWARDS\n", rewards)
    return page.replace("SAMPLED\n", sampled).replace("MODEL", str(model)).replace("BATCH", str(BATCH))


def _write(folder: Path, rows: int) -> None:
    draw = random.Random(0)
    folder.mkdir(parents=True)
    (folder / "affectllm.yaml").write_text(_CORPUS, encoding="utf-8")
    with (folder / "comments.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "text", "split", "emotion"])
        for number in range(rows):
            length = min(500, int(draw.lognormvariate(4.0, 1.0)) + 5)
            table.writerow([number, " ".join(draw.choices(_WORDS, k=length)), "train", draw.choice(_LABELS)])


def _run(*words: str) -> None:
    done = subprocess.run([_script(), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"affectllm {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")


def _script() -> str:
    return str(Path(sys.executable).with_name("affectllm"))
