"""The command line: lists the subcommands in ``commands/`` and imports only the one that is run."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from affectllm import __version__, voice
from affectllm.errors import NotFound
from affectllm.exits import exit_status
from affectllm.model import torchvision_ops

_COMMANDS = Path(__file__).parent / "commands"
_EPILOG = """\
examples:
  affectllm run quickstart                          build, train, score and report a tiny model on synthetic clips
  affectllm ls corpora                              what can be read, with licence and size
  affectllm audit emodb --root emodb=~/data/EmoDB   compare a download with what its card promises
  affectllm run meld_text_tiny --root meld=~/MELD   the same line on a real corpus
  affectllm score --metric uar --gold g.csv --pred p.csv   score predictions that you already have
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 2 for an error that is explained, 130 for Ctrl-C."""
    # A program that calls this function keeps its own logging and warnings.
    words = voice.settle(sys.argv[1:]) if argv is None else list(argv)
    torchvision_ops.install()  # before anything imports torchvision; loads nothing itself
    return exit_status(lambda: _run_command(words))


def _run_command(words: list[str]) -> int:
    if not words:
        from affectllm.commands.parts.next import next_steps

        print(next_steps())
        return 0
    verb = words[0] if words[0] in verbs() else ""
    if not verb and not words[0].startswith("-"):
        near = difflib.get_close_matches(words[0], verbs(), n=1)
        do = f"did you mean `affectllm {near[0]}`?" if near else "`affectllm --help` lists them"
        raise NotFound(f"there is no command called {words[0]!r}", do=do)
    if verb and hasattr(command := _command(verb), "pass_on"):
        return int(command.pass_on(words[1:]))
    arguments, strange = parser(verb).parse_known_args(words)
    if strange:
        raise NotFound(f"affectllm {verb} has no {strange[0]!r}", do=_option_like(verb, strange[0]))
    return int(arguments.call(arguments) or 0)


def _option_like(verb: str, word: str) -> str:
    (commands,) = (action for action in parser(verb)._actions if isinstance(action, argparse._SubParsersAction))
    options = commands.choices[verb]._option_string_actions if verb in commands.choices else {}
    near = difflib.get_close_matches(word.partition("=")[0], options, n=1) if word.startswith("-") else []
    see = f"`affectllm {verb} --help` lists what it takes" if verb else "`affectllm --help` lists the commands"
    return f"did you mean {near[0]}? Otherwise {see}" if near else see


def verbs() -> dict[str, Path]:
    """Return each subcommand with its file, those in sections of the folder too."""
    places = [_COMMANDS, *(folder for folder in _COMMANDS.glob("[!_]*/") if folder.name != "parts")]
    files = (path for place in places for path in place.glob("[!_]*.py"))
    return {path.stem: path for path in sorted(files, key=lambda path: path.stem)}


def _command(verb: str) -> Any:
    place = verbs()[verb].relative_to(_COMMANDS).with_suffix("")
    return import_module(".".join(("affectllm.commands", *place.parts)))


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return a parser of all subcommands with their help lines; with the options of ``only``, or of all of them."""
    ours = argparse.ArgumentParser(
        prog="affectllm",
        description="Instruction tuning and evaluation of multimodal LLMs on affect.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ours.add_argument("--verbose", action="store_true", help="show what libraries say; else the run's log.txt has it")
    ours.add_argument("--quiet", action="store_true", help="show errors and results only")
    ours.add_argument("--version", action="version", version=f"affectllm {__version__}")
    choices = ours.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb, path in verbs().items():
        options = choices.add_parser(verb, help=_help_line(path))
        if only in (None, verb) and hasattr(command := _command(verb), "call"):
            command.add_options(options)
            options.set_defaults(call=command.call, every_command=parser)
    return ours


def _help_line(path: Path) -> str:
    """Read the help line from a command's docstring, without an import: ``\"\"\"affectllm VERB: what it does.``"""
    with path.open(encoding="utf-8") as lines:
        return lines.readline().strip().strip('"').partition(": ")[2].removesuffix(".")


if __name__ == "__main__":
    sys.exit(main())
