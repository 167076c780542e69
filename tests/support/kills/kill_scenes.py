"""Commands to be killed: each works in a folder of its own, mostly over what another command has left there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from killing import Worker
from toy_corpus import toy_corpus

LIGHT = (
    *("affectllm.cli", "affectllm.commands.parts.build", "affectllm.report.cards.dataset_card"),
    *("affectllm.report.galleries.conversation_gallery", "affectllm.commands.export", "affectllm.model.clips.cut"),
    *("matplotlib.pyplot", "pyarrow.parquet", "pyarrow.compute", "av"),
)
"""What the worker imports beforehand, for commands without a model."""
HEAVY = (
    *(
        "affectllm.cli",
        "affectllm.commands.parts.pipeline",
        "affectllm.train.tuning",
        "affectllm.train.arguments",
        "datasets",
    ),
    *("trl.trainer.sft_trainer", "trl.trainer.sft_config", "peft", "affectllm.train.methods.sft"),
    *("affectllm.evaluate.models.lm", "affectllm.evaluate.run", "affectllm.report.html", "affectllm.report.publish"),
    *("lm_eval.__main__", "lm_eval.evaluator", "affectllm.model.tiny", "matplotlib.pyplot", "jinja2"),
)
"""The same for commands with one."""
_MIXTURE = """
description: killed
seed: {seed}
order: {order}
deduplicate: [text]
mixture:
  - {{corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text], weight: 1.5}}
  - {{corpus: toy, template: empathetic_reply, space: toy_reply, rater: writer, modalities: [text]}}
"""
_RECIPE = """
description: killed
data:
  mixture:
    - {{corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}}
model: {{path: tiny:qwen2, backbone: qwen2, dtype: float32}}
trainer: {{max_steps: 2, save_strategy: steps, save_steps: 1, logging_steps: 1, learning_rate: {rate}, bf16: false}}
eval: {{tasks: [toy_emotion], references: [], ablations: [], limit: {limit}}}
"""
TASK = """
task: toy_emotion
class: !function affectllm.evaluate.task.AffectTask
corpus: toy
split: test
template: emotion_choice
gold: {space: toy_3, rater: reader}
modalities: [text]
metrics: [accuracy]
metadata: {version: 1}
"""


@dataclass(frozen=True)
class Place:
    """Where a scene is set: ``folder`` is what the command works in, ``page`` what it reads, ``root`` its corpus."""

    folder: Path
    page: Path
    root: str

    @classmethod
    def make(cls, scratch: Path, patch: pytest.MonkeyPatch) -> Place:
        patch.delenv("AFFECTLLM_CORPORA", raising=False)
        root = toy_corpus(scratch, patch, classes=("joy", "anger", "fear"))
        (scratch / "eval_tasks").mkdir()
        (scratch / "eval_tasks" / "toy_emotion.yaml").write_text(TASK)
        (scratch / "place").mkdir()
        return cls(scratch / "place" / "run", scratch / "page.yaml", f"toy={root}")

    def mixture(self, order: str = "shuffled", seed: int = 1) -> str:
        self.page.write_text(_MIXTURE.format(order=order, seed=seed))
        return str(self.page)

    def recipe(self, rate: float = 0.001, limit: int = 3) -> str:
        self.page.write_text(_RECIPE.format(rate=rate, limit=limit))
        return str(self.page)

    def left(self, one: Worker, *commands: Sequence[str], module: str = "affectllm.cli") -> Path:
        """What ``commands`` leave in the folder, set aside."""
        for words in commands:
            assert one.run(module, words, self.folder.parent) == 0, one.output[-2000:]
        before = self.folder.parent.parent / "before"
        shutil.copytree(self.folder, before)
        return before


@dataclass(frozen=True)
class Killed:
    """The command that is killed, and what lies in its folder before."""

    words: Sequence[str]
    before: Path | None = None
    module: str = "affectllm.cli"


def samples(one: Worker, place: Place) -> Killed:
    return Killed(["build", "toy", "--root", place.root, "--out", str(place.folder)])


def mixture(one: Worker, place: Place, order: str = "shuffled") -> Killed:
    words = ["build", place.mixture(order, seed=2), "--root", place.root, "--out", str(place.folder)]
    before = place.left(one, words)
    place.mixture(order)
    return Killed(words, before)


def ordered_mixture(one: Worker, place: Place) -> Killed:
    return mixture(one, place, "given")


def export(one: Worker, place: Place) -> Killed:
    built = place.folder.parent.parent / "built"
    assert one.run("affectllm.cli", ["build", place.mixture(), "--root", place.root, "--out", str(built)], built) == 0

    def words(to: str) -> list[str]:
        return ["export", str(built), "--to", to, "--root", place.root, "--out", str(place.folder)]

    return Killed(words("ms-swift"), place.left(one, words("trl")))


def training(one: Worker, place: Place) -> Killed:
    words, module = (
        [place.recipe(rate=0.002), "--root", place.root, "--out", str(place.folder)],
        "affectllm.train.__main__",
    )
    before = place.left(one, words, module=module)
    place.recipe()
    return Killed(words, before, module)


def scoring(one: Worker, place: Place) -> Killed:
    words = ["run", place.recipe(limit=2), "--root", place.root, "--out", str(place.folder)]
    before = place.left(one, words)
    place.recipe(limit=3)
    return Killed(words, before)


def report(one: Worker, place: Place) -> Killed:
    words = ["run", place.recipe(), "--root", place.root, "--out", str(place.folder)]
    return Killed(["report", str(place.folder), "--root", place.root], place.left(one, words))


def publication(one: Worker, place: Place) -> Killed:
    words = ["run", place.recipe(), "--root", place.root, "--out", str(place.folder)]
    publish = ["publish", str(place.folder), "--dry-run", "--root", place.root, "--repo-id"]
    return Killed([*publish, "me/new"], place.left(one, words, [*publish, "me/old"]))


LIGHT_SCENES: Mapping[str, Callable[[Worker, Place], Killed]] = {
    **{"build a corpus": samples, "build a mixture over another": mixture},
    **{"build a mixture in the given order": ordered_mixture, "export over another format": export},
}
HEAVY_SCENES: Mapping[str, Callable[[Worker, Place], Killed]] = {
    **{"train over another recipe": training, "score over other scores, and report": scoring},
    **{"report again": report, "publish over another": publication},
}
