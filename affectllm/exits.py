"""Exit statuses of commands; expected errors print one line and a remedy instead of a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from affectllm.errors import AffectError, refusal
from affectllm.extras import explained_import
from affectllm.processes import Stopped, status_of, unwinding_on_signals

_GOES_ON = "the same command goes on where it stopped"


def exit_status(body: Callable[[], int], interrupted: str = _GOES_ON) -> int:
    """Run the body of a command and return its exit status.

    Args:
        body: what is run; its own status is passed on.
        interrupted: what to do after a signal; nothing is said where it is empty.

    Returns:
        The status of ``body``; 2 for an error that is explained, 128 and its number for a signal.
    """
    try:
        with unwinding_on_signals():
            return body()
    except AffectError as error:
        return _explain(error)
    except BrokenPipeError:  # `affectllm show … | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as error:
        if interrupted:
            how = f"ended by {error}" if isinstance(error, Stopped) else "interrupted"
            print(f"\n{how}; {interrupted}", file=sys.stderr)
        return status_of(error)
    except Exception as error:
        explained = explained_import(error) if isinstance(error, ImportError) else refusal(error)
        if explained is None:
            raise
        return _explain(explained)


def _explain(error: AffectError) -> int:
    print(f"error: {error}", file=sys.stderr)
    return 2
