"""The command demo: load the models and serve the page, write it as a Space, or sum up its votes."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from affectllm.demo import votes
from affectllm.demo.asking import Contender, question_of
from affectllm.errors import AffectError
from affectllm.extras import require
from affectllm.instruct import template_names
from affectllm.instruct.wording import load_wording
from affectllm.predict.models import answering_of
from affectllm.predict.question import Question

_OFF = ("GRADIO_ANALYTICS_ENABLED", "GRADIO_SHARE", "GRADIO_MCP_SERVER", "GRADIO_SSR_MODE")


def run_demo(arguments: argparse.Namespace) -> None:
    """Do what the command line asks for: ``--standings``, ``--space``, or serve the page until Ctrl-C.

    Raises:
        AffectError: for options that do not fit, a model that cannot be loaded, a port in use, or a missing library.
    """
    if arguments.standings:
        print(standings_table(arguments.standings))
        return
    if not arguments.model:
        raise AffectError("no model is named", do="affectllm demo MODEL, such as tiny:qwen2_5_omni to see the page")
    question_of(arguments.template, arguments.labels, arguments.language, arguments.system)
    if arguments.space:
        from affectllm.demo.space import write_space

        print(write_space(arguments, arguments.space))
        return
    require("gradio")
    with redirect_stdout(sys.stderr):
        contenders = list(_contenders(arguments))
    with serving(contenders, arguments) as address:
        print(f"{' and '.join(one.name for one in contenders)}: {address}  (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def standings_table(path: Path) -> str:
    """Return the table of the votes in a file.

    Raises:
        AffectError: when there are none.
    """
    kept = votes.read(path)
    if not kept:
        raise AffectError(
            "there are no votes", where=str(path), do="vote on the page of `affectllm demo A --against B`"
        )
    lines = [list(votes.HEADER), *votes.rows(votes.standings(kept))]
    widths = [max(len(line[place]) for line in lines) for place in range(len(votes.HEADER))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _contenders(arguments: argparse.Namespace) -> Iterator[Contender]:
    yield Contender(_name(arguments.model, arguments.model_args), _answering(arguments))
    if arguments.against:
        own = {"model": arguments.against, "model_args": arguments.against_args, "adapter": arguments.against_adapter}
        other = argparse.Namespace(**{**vars(arguments), **own})
        name = _name(arguments.against, arguments.against_args)
        taken = name == _name(arguments.model, arguments.model_args)
        yield Contender(f"{name} ({arguments.against_adapter or 'again'})" if taken else name, _answering(other))


def _answering(arguments: argparse.Namespace) -> Any:
    answering, dry = answering_of(arguments, None)
    if dry:
        raise AffectError("what a demo costs depends on its visitors", do="leave out dry_run")
    return answering


def _name(model: str, options: Sequence[str] | None) -> str:
    """Return what a model is called on the page: of a folder its last two parts, of an endpoint its model."""
    named = next((part.partition("=")[2] for part in ",".join(options or ()).split(",") if part[:6] == "model="), "")
    path = Path(model).expanduser()
    return named or ("/".join(path.resolve().parts[-2:]) if path.is_dir() else model)


def askable_templates() -> list[str]:
    """Return the templates that a moment alone can be asked by, which have no facts of a corpus in them."""
    return [name for name in template_names() if _is_askable(name)]


def _is_askable(name: str) -> bool:
    try:
        Question(name).check()
    except AffectError:
        return False
    return True


@contextmanager
def serving(contenders: Sequence[Contender], arguments: argparse.Namespace) -> Iterator[str]:
    """Serve the page while the block runs, and yield its address; recordings of visitors are gone at the end.

    Raises:
        AffectError: when the port is in use, or the address is none of this machine.
    """
    os.environ.update(dict.fromkeys(_OFF, "False"))  # before gradio is imported: nothing is sent to anybody
    from affectllm.demo.page import Settings, page, theme

    languages = sorted({tag for name in template_names() for tag in load_wording(name).speeches})
    question = (arguments.template, arguments.labels, arguments.language)
    settings = Settings(*question, askable_templates(), languages, arguments.system, arguments.votes)
    options: dict[str, Any] = {"share": False, "ssr_mode": False, "mcp_server": False, "enable_monitoring": False}
    look: dict[str, Any] = {"theme": theme(), "footer_links": [], "run_history": False, "pwa": False}
    where = {"server_name": arguments.host, "server_port": arguments.port}
    with tempfile.TemporaryDirectory(prefix="affectllm-demo-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        blocks = page(contenders, settings)
        try:
            _, address, _ = blocks.launch(quiet=True, prevent_thread_lock=True, **where, **options, **look)
        except OSError as error:
            message = f"{arguments.host}:{arguments.port or 7860} cannot be served: {error}"
            raise AffectError(message, do="choose another --port or --host") from error
        try:
            yield address
        finally:
            blocks.close(verbose=False)
