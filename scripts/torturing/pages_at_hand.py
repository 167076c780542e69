"""Our pages by kind, and for each the cheapest command that reads all of it."""

from __future__ import annotations

import re
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kill_scenes import TASK, Place

from torturing.scene import Scene

MODULES = (
    *("affectllm.cli", "affectllm.commands.parts.build", "affectllm.train.recipe", "affectllm.train.arguments"),
    *("affectllm.commands.parts.pipeline", "affectllm.model.tiny", "affectllm.model.load", "affectllm.model.generate"),
    *("trl.trainer.sft_trainer", "peft", "datasets", "pyarrow.parquet", "matplotlib.pyplot", "lm_eval.evaluator"),
    *("affectllm.evaluate.models.lm", "affectllm.evaluate.run", "affectllm.annotate.pipeline"),
)
"""What the worker imports beforehand."""
_HERE = Path(__file__).resolve().parents[2]
# What is wrong with the machine and not with the page: no corpus and no model of the Hub is at hand.
_NOT_AT_HAND = ("was not found (", " corpora of ", "couldn't connect to", "not at hand")
_CLIPS = tuple(f"{n}.wav" for n in range(6))
_TABLE = "id,context,known,text,reply,target,one,two,clip,persona,need,opening\n" + "".join(
    f"{n},I am {n}.,I see.,Word {n},Oh {n}.,{('joy', 'anger')[n % 2]},Good {n}.,Bad {n}.,{n}.wav,A cook,Praise,Hello.\n"
    for n in range(6)
)
_EMPATHY = """\
table: table.csv
systems: {first: one, second: two}
metrics: [bleu_1, distinct_1]
columns: {reference: known}
"""
_FIDELITY = """\
table: table.csv
columns: {speaker: id}
labels: [joy, anger]
resample: item
by: [target]
judges:
  - {name: tiny, model: "tiny:qwen2_audio", rename: {happiness: joy}}
"""
_CONVERSE = """\
personas: table.csv
turns: 1
model: {model: "tiny:qwen2", max_new_tokens: 2}
simulator: {model: "tiny:qwen2", max_new_tokens: 2}
"""
_SPEAK = """\
model: "tiny:qwen2_5_omni"
table: table.csv
max_seconds: 1
"""
_GENERIC = """\
name: generic
title: Words
citation: nobody
table: table.csv
language: en
columns: {id: id, text: text, speaker: one}
attributes: [two]
raters: {crowd: five people}
labels:
  - {space: plutchik_8, rater: crowd, column: target}
"""


@dataclass(frozen=True)
class Kind:
    """One kind of page.

    Args:
        name: as it is told.
        file: how the page is called; what an error has to name.
        command: words in which PAGE stands for the page and OUT for a folder that is not there yet.
        texts: the pages themselves.
        shelf: folder below a local folder in which the page has to lie; empty where its path is given.
    """

    name: str
    file: str
    command: str
    texts: Callable[[Scene], list[str]]
    shelf: str = ""

    def sources(self, scene: Scene) -> list[str]:
        """The pages that are changed."""
        if self.name not in scene.kept:
            scene.kept[self.name] = self.texts(scene)
        sources: list[str] = scene.kept[self.name]
        return sources

    def words(self, scene: Scene, folder: Path) -> list[str]:
        """The command line; a table lies beside the page."""
        (folder / "table.csv").write_text(_TABLE)
        (folder / "recipe.yaml").write_text(Path(scene.place.recipe()).read_text())
        for name in _CLIPS:
            with wave.open(str(folder / name), "wb") as sound:
                sound.setparams((1, 2, 16_000, 0, "NONE", ""))
                sound.writeframes(bytes(range(256)) * 60)
        places = {"OUT": str(folder / "out"), "ROOT": scene.place.root, "HERE": str(folder)}
        words = self.command.split()
        for name, place in places.items():
            words = [word.replace(name, place) for word in words]
        return words

    def excused(self, output: str) -> bool:
        """Whether an error is about what is not on this machine."""
        return any(words in output for words in _NOT_AT_HAND)


def _shipped(pattern: str, *but: str) -> Callable[[Scene], list[str]]:
    def texts(scene: Scene) -> list[str]:
        paths = sorted(path for path in _HERE.glob(pattern) if not set(path.parts) & set(but))
        return [path.read_text(encoding="utf-8") for path in paths]

    return texts


def _tasks(scene: Scene) -> list[str]:
    texts = _shipped("eval_tasks/*/*.yaml", "suites")(scene)
    return [re.sub(r"^task: .*", "task: strange_task", text, flags=re.MULTILINE) for text in texts]


def _made(*texts: str) -> Callable[[Scene], list[str]]:
    return lambda scene: list(texts)


def _of(write: Callable[[Place], str]) -> Callable[[Scene], list[str]]:
    return lambda scene: [Path(write(scene.place)).read_text()]


_EVAL = "eval --model affectllm-majority --root ROOT --limit 2"
_PREDICT = "predict --text hi --model tiny:qwen2 --answers OUT --template PAGE"
_SHALLOW = "eval --model affectllm-shallow --tasks toy_emotion --root ROOT"
_TOY = TASK.replace("task: toy_emotion", "task: strange_task")
_NO_RECIPES = ("launch", "mixtures", "compositions", "hints", "linear")
_OWN = "strange.yaml"
_TASK = "strange_task.yaml"
_LAUNCH = "launch PAGE --print --root ROOT --out OUT"
KINDS = (
    Kind("recipe", _OWN, _LAUNCH, _shipped("recipes/**/*.yaml", *_NO_RECIPES)),
    Kind("toy recipe", _OWN, _LAUNCH, _of(Place.recipe)),
    Kind(
        "launch configuration",
        _OWN,
        _LAUNCH.replace("PAGE", "HERE/recipe.yaml") + " --set launch=strange",
        _shipped("recipes/launch/*.yaml"),
        "recipes/launch",
    ),
    Kind("mixture", _OWN, "build PAGE --out OUT", _shipped("recipes/mixtures/*.yaml")),
    Kind("toy mixture", _OWN, "build PAGE --root ROOT --out OUT", _of(Place.mixture)),
    Kind("hints", _OWN, "hint PAGE --out OUT", _shipped("recipes/hints/*.yaml")),
    Kind("composition", _OWN, "compose PAGE --to OUT", _shipped("recipes/compositions/*.yaml")),
    Kind("annotation", _OWN, "annotate PAGE --dry-run --out OUT", _shipped("affectllm/annotate/pages/*.yaml")),
    Kind("reproduction", _OWN, "reproduce PAGE", _shipped("affectllm/score/reproductions/*.yaml")),
    Kind("template", _OWN, _PREDICT, _shipped("affectllm/instruct/prompts/*/*.yaml")),
    Kind("task", _TASK, "pages OUT strange_task", _tasks, "eval_tasks"),
    Kind("toy task", _TASK, f"{_EVAL} --tasks strange_task", _made(_TOY), "eval_tasks"),
    Kind(
        "linear protocol",
        _OWN,
        f"{_SHALLOW} --model_args protocol=PAGE,encoder=no/such",
        _shipped("recipes/linear/*.yaml"),
    ),
    Kind("language", "tlh.yaml", "show language tlh", _shipped("affectllm/labels/lexicon/*.yaml"), "lexicon"),
    Kind("generic corpus", "affectllm.yaml", "build generic --root generic=HERE --out OUT", _made(_GENERIC)),
    Kind("empathy", _OWN, "empathy PAGE --out OUT", _made(_EMPATHY)),
    Kind("fidelity", _OWN, "fidelity PAGE --out OUT", _made(_FIDELITY)),
    Kind("converse", _OWN, "converse PAGE --out OUT", _made(_CONVERSE)),
    Kind("speak", _OWN, "speak PAGE --out OUT", _made(_SPEAK)),
)
