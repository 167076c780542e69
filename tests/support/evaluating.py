"""What the tests of tasks, models and evaluations share: miniatures on disk, and settings that point at them."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import more_seen
import more_speech
import more_text
import pytest
import wheel_tables

from affectllm import registry
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, Content, materialise
from affectllm.evaluate import environment
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.shelf import all_tasks
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.hinting.kind import Source
from affectllm.hints.table import FILE, write_table
from affectllm.yaml_page import read_page

PAGES = {name: entry.config for name, entry in all_tasks().items()}
_SAMPLES_ONLY = ("task", "where", "n", "published")


def _first_of_alike() -> Iterator[str]:
    """Yield of the tasks that ask the same of other samples, as for 28 languages, one: their page's own, if it is."""
    seen: set[str] = set()
    for name, entry in sorted(all_tasks().items(), key=lambda pair: (len(pair[1].chosen), pair[0])):
        asks = {key: value for key, value in entry.config.items() if key not in _SAMPLES_ONLY}
        key = json.dumps([str(entry.path), asks], default=str)
        if not entry.is_group and key not in seen:
            seen.add(key)
            yield name


EVERY_TASK = sorted(name for name, page in PAGES.items() if "group" not in page)
TASKS = sorted(_first_of_alike())
GROUPS = sorted(name for name, page in PAGES.items() if "group" in page)


_VOTES, _NAMES = "processedResults/tabulatedVotes.csv", "SentenceFilenames.csv"


def _more_crema_d(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """A test actor's clip on which people voted who heard it (1…), saw it (2…), and both (3…)."""
    name = "1002_DFA_ANG_XX"
    votes = "".join(f'"{n}00009",9,0,0,0,1,0,"{name}",10,0.9,"A",65,70,-1,-1,-1,20,-1\n' for n in (1, 2, 3))
    more = {_NAMES: f'5,"{name}"\n', _VOTES: votes}
    return {**miniature, f"VideoFlash/{name}.flv": Clip(), **{k: f"{miniature[k]}{text}" for k, text in more.items()}}


def _more_semeval2007(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Headlines on which every emotion varies."""
    lines = ["<corpus>", *(f'<instance id="{n}">Headline {n}</instance>' for n in (600, 601)), "</corpus>"]
    return {
        **miniature,
        "AffectiveText.test/affectivetext_test.xml": "\n".join(lines),
        "AffectiveText.test/affectivetext_test.emotions.gold": "600 10 0 40 0 60 25\n601 0 20 0 80 10 5\n",
        "AffectiveText.test/affectivetext_test.valence.gold": "600 -40\n601 60\n",
    }


def _more_ren20k(miniature: Mapping[str, Content]) -> dict[str, Content]:
    table = "REN-20k/REN-10k/2017/a.csv"
    votes = ("70,20,0,0,10,0,0,0", "0,5,60,0,0,35,0,0", "0,0,0,80,0,0,15,5")
    rows = "".join(f"Article {n}.,News,http://b.example/{n},{votes[n % 3]},\n" for n in range(1, 40))
    return {**miniature, table: f"{miniature[table]}{rows}"}


def _more_esconv(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Dialogues enough for some in every split, whose supporters take known strategies."""
    turns = [("seeker", {}, "I lost {}."), ("supporter", {"strategy": "Question"}, "When did you lose {}?")]
    turns_json = [{"speaker": who, "annotation": note, "content": text} for who, note, text in turns]
    common = {"experience_type": "Previous Experience", "emotion_type": "anxiety", "problem_type": "job crisis"}
    things = [f"thing {number}" for number in range(60)]
    dialogues = [
        {
            **{**common, "situation": f"I lost {thing}.", "survey_score": {"seeker": {}, "supporter": {}}},
            "dialog": [{**turn, "content": str(turn["content"]).format(thing)} for turn in turns_json],
        }
        for thing in things
    ]
    return {"ESConv.json": json.dumps(dialogues)}


_MORE: dict[str, Callable[[Mapping[str, Content]], dict[str, Content]]] = {
    "crema_d": _more_crema_d,
    "esconv": _more_esconv,
    "ren20k": _more_ren20k,
    "semeval2007_affective_text": _more_semeval2007,
}
_ADDED = (_MORE, more_text.MORE, more_seen.MORE, more_speech.MORE)
"""Corpora whose miniatures hold too little of the test split for their tasks → with more of it."""


def corpus_of(task: str) -> str:
    return TaskPage.take(dict(PAGES[task]), task).corpus


def miniatures(folder: Path, corpora: Iterable[str]) -> dict[str, Path]:
    """Write the miniature of each corpus below ``folder`` and return where they lie."""
    return {name: materialise(_with_more(name), folder / name) for name in dict.fromkeys(corpora)}


def _with_more(name: str) -> Mapping[str, Content]:
    miniature: Mapping[str, Content] = load_builder(name).MINIATURE
    for added in _ADDED:
        miniature = added[name](miniature) if name in added else miniature
    return miniature


@cache
def shipped() -> AffectTaskManager:
    """Return the task manager over the shipped pages, which are read once."""
    return AffectTaskManager()


def use(monkeypatch: pytest.MonkeyPatch, roots: dict[str, Path], modalities: str = "") -> None:
    """What ``--root``, ``--modalities`` and ``--wheels`` would set, and nothing that this machine has set."""
    monkeypatch.setenv(environment.ROOTS, json.dumps({name: str(root) for name, root in roots.items()}))
    monkeypatch.setenv(environment.MODALITIES, modalities)
    monkeypatch.setenv(environment.WHEELS, str(_wheels()))
    monkeypatch.setenv("AFFECTLLM_HINTS", str(hint_tables()))
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)


@cache
def hint_tables() -> Path:
    """Return a folder with a table for every page of hints that ships, of the samples of its corpus's miniature."""
    folder = Path(tempfile.mkdtemp(prefix="hints"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, page in registry.names("recipes/hints").items():
        corpus = read_page(page).value["corpus"]
        root = miniatures(folder / "corpora", [corpus])[corpus]
        samples = (one for one in load_builder(corpus).samples(root) if isinstance(one, Sample))
        source = Source("made_up", "these tests", "1")
        write_table(folder / name / FILE, (source.hint(one, f"Seen: {one.id}") for one in samples))
    return folder


@cache
def _wheels() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="wheels"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return wheel_tables.write_emotions(folder)


def real_corpora() -> Path:
    """The folder of real corpora; skips the test where there is none."""
    folder = os.environ.get("AFFECTLLM_CORPORA")
    if not folder:
        pytest.skip("AFFECTLLM_CORPORA is not set")
    return Path(folder)
