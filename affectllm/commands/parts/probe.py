"""Make a probe of the command line's options."""

from __future__ import annotations

import argparse

from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError
from affectllm.evaluate.environment import parse_modalities
from affectllm.evaluate.probing.run import Probe
from affectllm.evaluate.probing.sources import Settings
from affectllm.predict.models import budget_fields
from affectllm.run import RUNS


def probe_of(arguments: argparse.Namespace) -> Probe:
    """Return the probe that a command line asks for.

    Raises:
        AffectError: for options that cannot be read.
    """
    settings = Settings(
        arguments.model,
        pool=arguments.pool,
        after=_numbers(arguments.after, "--after"),
        adapter=arguments.adapter,
        processor=arguments.processor,
        dtype=arguments.dtype,
        device=arguments.device,
        batch_size=arguments.batch_size,
        budget=budget_fields(arguments.budget),
    )
    every = arguments.layers == "all"
    return Probe(
        _names(arguments.tasks),
        settings,
        arguments.out or RUNS / "probe",
        layers=None if every else _numbers(arguments.layers, "--layers"),
        folds=arguments.folds,
        limit=arguments.limit,
        controls=() if arguments.controls == "none" else _names(arguments.controls),
        draws=arguments.draws,
        roots=Roots.parse(arguments.root).given,
        modalities=parse_modalities(arguments.modalities) if arguments.modalities else None,
        export=arguments.export,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def _numbers(text: str, option: str) -> tuple[int, ...]:
    names = _names(text)
    if strange := [name for name in names if not name.isdecimal()]:
        raise AffectError(f"{option} {text}: {strange[0]!r} is no number", do=f"write {option} 0,4,8")
    return tuple(map(int, names))
