"""affectllm launch: the script that trains a recipe on several machines, for accelerate, torchrun, DeepSpeed, Slurm."""

from __future__ import annotations

import argparse

from affectllm.commands.parts.options import recipe_options

_DESCRIPTION = """\
--print shows the script that trains a recipe on several machines, for you to read, change and start; without it the
share of this machine is started here, once its data are built.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.description = _DESCRIPTION
    recipe_options(parser, processes="processes on each machine, usually one a GPU (default: 1)")
    parser.set_defaults(num_processes=1)
    parser.add_argument("--machines", type=int, default=1, metavar="N", help="machines in all (default: 1)")
    parser.add_argument("--machine", type=int, default=0, metavar="I", help="number of this machine (default: 0)")
    parser.add_argument("--main", default="localhost", metavar="HOST[:PORT]", help="machine 0, as the others reach it")
    parser.add_argument("--with", dest="launcher", default="accelerate", metavar="LAUNCHER", help=_launchers())
    parser.add_argument("--print", action="store_true", help="print the script and start nothing")


def call(arguments: argparse.Namespace) -> int:
    from affectllm.commands.parts.launch import launch

    return launch(arguments)


def _launchers() -> str:
    from affectllm.train.launching.machines import launchers

    return f"script in recipes/launch/: {', '.join(launchers())} (default: accelerate)"
