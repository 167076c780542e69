"""Write the folder of a Hugging Face Space that serves the page of the demo, and starts as it stands."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from affectllm.errors import AffectError
from affectllm.folders import whole
from affectllm.model.load import locate
from affectllm.model.weights.checkpoint import HEAD, read_object
from affectllm.predict.models import ENDPOINT, weights_of
from affectllm.report.cards.licence import verdict
from affectllm.report.cards.modelcard import hub_id
from affectllm.report.publish import refuse_forbidden
from affectllm.report.staging import check_portable, copy_weights
from affectllm.report.trained import read_trained

_GRADIO, _PYTHON = "6.31.0", "3.12"  # the first where none is installed here, that the page was tried with
_USUAL = {"processor": None, "dtype": "auto", "quantize": None, "system": "", "labels": "", "language": "en"}
_APP = '''"""A page to try {names}, as `affectllm demo --space` wrote it; `python app.py` starts it."""

import os
from pathlib import Path

from affectllm.cli import main

WORDS = {words!r}

if __name__ == "__main__":
    os.chdir(Path(__file__).parent)
    serve = ["--host", os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0")]
    serve += ["--port", os.environ.get("GRADIO_SERVER_PORT", "7860")]
    raise SystemExit(main(["demo", *WORDS, *serve]))
'''
_BODY = """# {title}

A page to try {names} by camera, microphone, file or words, made with affectllm.

Answers are a model's and may be wrong: what somebody shows is not what they feel. Recordings and files of visitors are
deleted after ten minutes.{votes}
"""
_VOTES = " Votes are kept in `votes.jsonl` beside the page; a Space without storage loses them when it restarts."


def write_space(arguments: argparse.Namespace, folder: Path) -> str:
    """Write ``app.py``, ``requirements.txt`` and ``README.md`` of a Space, with the weights of local models.

    Args:
        arguments: of ``affectllm demo``; models named by Hub id or ``tiny:<family>`` are loaded by the Space itself.
        folder: appears when everything in it is written.

    Returns:
        What to do next, in words.

    Raises:
        AffectError: when something lies in ``folder``, or a model is behind an endpoint or stands on a local one.
        LicenceRefused: when a corpus that a run was trained on forbids passing its weights on.
        WriteFailed: when the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AffectError("something is there already", where=str(folder), do="choose another folder, or delete it")
    names = {"model": arguments.model, "against": arguments.against}
    adapters = {"adapter": arguments.adapter, "against-adapter": arguments.against_adapter}
    with whole(folder) as scratch:
        models = {key: _carried(name, scratch / key) for key, name in {**names, **adapters}.items() if name}
        files = {
            "app.py": _APP.format(names=_called(models), words=list(_words(models, arguments))),
            "requirements.txt": f"{arguments.package or _package(arguments)}\n",
            "README.md": _card(models, folder.resolve().name),
        }
        for name, text in files.items():
            (scratch / name).write_text(text, encoding="utf-8")
        check_portable(scratch, [str(Path.home())])
    send = f"`hf upload OWNER/NAME {folder} --repo-type space` sends it"
    return f"{folder}\n  → `python app.py` in it starts the page; {send}"


def _carried(name: str, place: Path) -> str:
    """Return how the Space names a model; the weights of a local one are copied into ``place``, whose name it is."""
    if name == ENDPOINT:
        raise AffectError("a Space has no endpoint of yours", do="name weights: a Hub id, or the folder of a run")
    source = Path(weights_of(name)).expanduser()
    if not source.is_dir():
        return name
    base = str(read_object(source / HEAD)["base"]) if (source / HEAD).is_file() else locate(str(source)).base
    if Path(base).expanduser().is_dir() and Path(base).resolve() != source.resolve():
        do = "merge them first (affectllm merge), or publish the base model and train on its Hub id"
        raise AffectError(f"its base model lies on this machine: {base}", where=name, do=do)
    run = source.resolve().parents[1]
    if (run / "recipe.yaml").is_file():
        refuse_forbidden(verdict(read_trained(run).cards))
    place.mkdir()
    copy_weights(source, place, base if hub_id(base) or base.startswith("tiny:") else place.name)
    return place.name


def _words(models: Mapping[str, str], arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the words of the command line that the Space runs."""
    yield models["model"]
    options = {key: name for key, name in models.items() if key != "model"}
    options |= {key: value for key, usual in _USUAL.items() if (value := getattr(arguments, key)) != usual}
    for key, value in {**options, "template": arguments.template}.items():
        yield from (f"--{key}", value)
    for pair in arguments.budget:
        yield from ("--budget", pair)


def _package(arguments: argparse.Namespace) -> str:
    """Return how a Space installs this version: with bitsandbytes, which training needs too, where it quantises."""
    return f"affectllm[demo,{'train' if arguments.quantize else 'models'}]=={version('affectllm')}"


def _called(models: Mapping[str, str]) -> str:
    return " and ".join(models[key] for key in ("model", "against") if key in models)


def _card(models: Mapping[str, str], title: str) -> str:
    from huggingface_hub import SpaceCard, SpaceCardData

    header = SpaceCardData(
        title=title[:60],
        sdk="gradio",
        sdk_version=_gradio(),
        python_version=_PYTHON,
        app_file="app.py",
        models=sorted({name for name in models.values() if "/" in name and hub_id(name)}) or None,
        tags=["affectllm", "emotion-recognition", "affective-computing"],
    )
    body = _BODY.format(title=title, names=_called(models), votes=_VOTES if "against" in models else "")
    return str(SpaceCard(f"---\n{header.to_yaml()}\n---\n\n{body}"))


def _gradio() -> str:
    try:
        return version("gradio")
    except PackageNotFoundError:
        return _GRADIO
