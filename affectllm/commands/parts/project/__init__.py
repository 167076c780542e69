"""Write the folder of ``affectllm init``: it runs as it stands, and each of its files says what to change in it."""

from __future__ import annotations

import csv
import io
import re
from importlib.resources import files
from pathlib import Path

from affectllm.corpus.miniature import Content, Tone, materialise
from affectllm.errors import AffectError, explained

_FILES = {
    "corpora/{name}/affectllm.yaml": "corpus.yaml",
    "data_builders/{name}.py": "builder.txt",
    "templates/mood_choice.yaml": "template.yaml",
    "eval_tasks/{name}_mood.yaml": "task.yaml",
    "recipes/{name}.yaml": "recipe.yaml",
    "README.md": "readme.md",
    ".env": "env.txt",
}
"""Where each file of this folder goes."""
_PITCHES = {"calm": 220.0, "tense": 440.0, "glad": 880.0}
_SPEAKERS, _CLIPS = 16, 3  # clips of each speaker and mood
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def begin(folder: Path, name: str) -> list[str]:
    """Write the project and return the commands that come next.

    Args:
        folder: new or empty.
        name: of the corpus, the task and the recipe.

    Raises:
        AffectError: when the folder holds something, or the name is none.
    """
    if not _NAME.fullmatch(name):
        raise AffectError(
            f"--name {name!r} cannot be a name", do="use lower-case letters, digits and _, a letter first"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AffectError(f"{folder} is not empty", do="choose a new folder; nothing was written")
    from affectllm import registry

    if name in registry.names("data_builders"):
        raise AffectError(f"there is a corpus called {name} already", do="choose another --name")
    with explained(folder):
        materialise({**_pages(name), **_sounds(name)}, folder)
    return [f"cd {folder}", *_commands(name)]


def _commands(name: str) -> list[str]:
    return [
        "set -a; . ./.env; set +a",
        f"affectllm audit {name}",
        f"affectllm run {name}",
        f"affectllm eval --model affectllm-majority --tasks {name}_mood --output_path scores",
    ]


def _pages(name: str) -> dict[str, Content]:
    texts = files(__package__)
    commands = "\n".join(_commands(name))
    return {
        place.format(name=name): (texts / source).read_text("utf-8").replace("NAME", name).replace("COMMANDS", commands)
        for place, source in _FILES.items()
    }


def _sounds(name: str) -> dict[str, Content]:
    """Return a table of sounds with their moods, and the sounds: a pitch for each mood, a little apart by speaker."""
    folder, content = f"corpora/{name}", dict[str, Content]()
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(["id", "file", "speaker", "mood", "split"])
    for speaker in range(_SPEAKERS):
        split = "test" if speaker >= _SPEAKERS - 5 else "validation" if speaker == _SPEAKERS - 6 else "train"
        for mood, pitch in _PITCHES.items():
            for number in range(_CLIPS):
                clip = f"{speaker:02d}_{mood}_{number}.wav"
                content[f"{folder}/clips/{clip}"] = Tone(1.0, pitch=pitch * (1 + 0.01 * speaker + 0.002 * number))
                table.writerow([clip.removesuffix(".wav"), clip, f"speaker {speaker}", mood, split])
    return {**content, f"{folder}/labels.csv": lines.getvalue()}
