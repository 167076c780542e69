"""How loud a command is: what libraries say goes into the log of the run, and to the terminal where it is asked for.

``affectllm --verbose COMMAND`` shows it, ``affectllm --quiet COMMAND`` shows errors alone. Processes that a command
launches learn both by their environment.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

OUTPUT, LOG_FILE = "AFFECTLLM_OUTPUT", "AFFECTLLM_LOG_FILE"
LOG = "log.txt"
# They print through handlers of their own, so that a handler of ours at the root would see nothing of them.
_WITH_HANDLERS = ("transformers", "datasets", "huggingface_hub", "torch.distributed", "DeepSpeed", "lm_eval")


def loudness() -> str:
    """Return ``verbose``, ``quiet`` or the empty string."""
    return os.environ.get(OUTPUT, "")


def settle(words: list[str]) -> list[str]:
    """Take ``--verbose`` and ``--quiet`` from the front of a command line; quieten libraries before any is imported.

    For the process of a command only: it changes logging and warnings of the whole interpreter.

    Args:
        words: of the command line, after the program's name.

    Returns:
        The other words.
    """
    global _settled
    _settled = True
    while words and words[0] in ("--verbose", "--quiet"):
        os.environ[OUTPUT], words = words[0].removeprefix("--"), words[1:]
    if loudness() == "verbose":
        return words
    logging.captureWarnings(True)
    logging.getLogger().addHandler(logging.NullHandler())  # else Python prints what nobody handles
    logging.getLogger("DeepSpeed").addFilter(_is_error)  # it writes to the standard output while it is imported
    logging.getLogger("transformers.configuration_utils").addFilter(_is_no_check_of_codes)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # its warnings reach no handler of Python's
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # of tables that take a moment
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "1")
    if loudness() == "quiet":
        os.environ["TQDM_DISABLE"] = "1"
    if LOG_FILE in os.environ:  # of the command that launched this process
        _handled(Path(os.environ[LOG_FILE]))
    return words


@contextmanager
def kept(log: Path) -> Iterator[None]:
    """Write what libraries say into ``log`` while the block runs, in this process and in those that it launches."""
    if loudness() == "verbose":
        yield
        return
    before = os.environ.get(LOG_FILE)
    os.environ[LOG_FILE] = str(log.absolute())
    handler = _handled(log)
    try:
        yield
    finally:
        _give_back()
        logging.getLogger().removeHandler(handler)
        handler.close()
        if before is None:
            del os.environ[LOG_FILE]
        else:
            os.environ[LOG_FILE] = before


def _handled(log: Path) -> logging.Handler:
    handler = logging.FileHandler(log, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler


_settled = False
"""Whether this is the process of a command, and not a program that imports us."""


def without_bars() -> None:
    """Take away the bars of transformers in a command: they count tensors, for every read and write of weights."""
    if _settled and loudness() != "verbose":
        import transformers

        transformers.utils.logging.disable_progress_bar()


def hidden(unwanted: bool = False) -> bool:
    """Return whether a bar is not to be seen: the command is quiet, or nobody wants this one.

    tqdm hides bars of a quiet command by itself, but only those that are not told whether to hide.
    """
    return unwanted or loudness() == "quiet"


def bar(items: Any = None, *, unwanted: bool = False, **options: Any) -> Any:
    """Return tqdm's bar, the one kind that commands show.

    Args:
        items: that are counted; None for a bar that is told of each.
        unwanted: nobody wants to see this one.
        options: of tqdm; a ``unit`` begins with a space.
    """
    if hidden(unwanted):
        options["disable"] = True
    return _bars()(items, **options)


@functools.cache
def _bars() -> Any:
    from tqdm.auto import tqdm

    class Bar(tqdm):
        """A bar that does not write a space into the middle of ``1.41s/ rows``."""

        @staticmethod
        def format_meter(**fields: Any) -> str:
            return str(tqdm.format_meter(**fields)).replace(f"s/{fields['unit']}", "s each")

    return Bar


def reading(weights: str, size: int) -> None:
    """Say that a command reads weights, where that takes a while, in place of the bars of transformers.

    Args:
        weights: the name of the checkpoint.
        size: bytes.
    """
    without_bars()
    if _settled and loudness() != "verbose" and size >= 1024**3:
        tell(f"reading {weights}: {size / 1024**3:.1f} GiB of weights")


_DIVERTED: dict[str, tuple[list[logging.Handler], bool]] = {}
"""Logger → its own handlers, and whether it passed its records on."""


def divert() -> None:
    """Send what imported libraries say to the log that is kept, and not to the terminal."""
    if LOG_FILE not in os.environ or loudness() == "verbose":
        return
    for name in _WITH_HANDLERS:
        logger = logging.getLogger(name)
        if not logger.handlers:
            continue
        handlers, passed = _DIVERTED.get(name, ([], logger.propagate))
        _DIVERTED[name] = handlers + logger.handlers, passed
        logger.handlers, logger.propagate = [], True


@contextmanager
def hushed() -> Iterator[None]:
    """Leave out the warnings of transformers where no log is kept yet; ``--verbose`` shows them."""
    from transformers.utils import logging as theirs

    before = theirs.get_verbosity()
    if loudness() != "verbose":
        theirs.set_verbosity_error()
    try:
        yield
    finally:
        theirs.set_verbosity(before)


def _give_back() -> None:
    for name, (handlers, passed) in _DIVERTED.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = handlers + logger.handlers, passed
    _DIVERTED.clear()


@contextmanager
def printed_aside() -> Iterator[None]:
    """Send what is printed to the standard output to the log that is kept: DeepSpeed prints what it has compiled."""
    if LOG_FILE not in os.environ or loudness() == "verbose":
        yield
        return
    with open(os.environ[LOG_FILE], "a", encoding="utf-8") as log, redirect_stdout(log):
        yield


@contextmanager
def aside() -> Iterator[None]:
    """Send what is printed to the standard output, and what other programs say, to the log that is kept.

    Bars stay on the terminal: they are written through ``sys.stderr``, which keeps pointing there.
    """
    if LOG_FILE not in os.environ or loudness() == "verbose":
        yield
        return
    sys.stderr.flush()
    terminal, before = os.dup(2), sys.stderr
    Path(os.environ[LOG_FILE]).parent.mkdir(parents=True, exist_ok=True)
    with open(os.environ[LOG_FILE], "a", encoding="utf-8") as log, os.fdopen(terminal, "w", buffering=1) as shown:
        os.dup2(log.fileno(), 2)
        sys.stderr = shown
        try:
            with redirect_stdout(log):
                yield
        finally:
            sys.stderr = before
            os.dup2(terminal, 2)


def tell(text: str) -> None:
    """Print a line about the progress of a command, unless it is to be quiet."""
    if loudness() != "quiet":
        print(text, file=sys.stderr, flush=True)


def stage(title: str) -> None:
    """Say which stage of a command begins."""
    divert()  # what the stages before have imported
    tell(f"── {title}")


def _is_error(record: logging.LogRecord) -> bool:
    if record.levelno >= logging.ERROR:
        return True
    logging.getLogger().handle(record)
    return False


def _is_no_check_of_codes(record: logging.LogRecord) -> bool:
    """Leave out what is said of talkers: the tokens of their words are held against the number of their codes."""
    return "within the vocabulary" not in str(record.msg)
