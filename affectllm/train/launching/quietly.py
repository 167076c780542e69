"""accelerate's launcher, whose own words go to the log of the run; what the launched processes say stays where it is.

When a process fails, torch's launcher prints a traceback of its own and a table of processes below the message of the
process that knows why.
"""

from __future__ import annotations

import os
import sys

from affectllm import voice


def main() -> None:
    """Run ``accelerate launch`` with the words of the command line."""
    if (log := os.environ.get(voice.LOG_FILE)) and voice.loudness() != "verbose":
        # Python's own streams only: launched processes inherit the descriptors, which stay on the terminal.
        sys.stdout = sys.stderr = open(log, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # until this process ends
    from accelerate.commands.launch import main as launch

    launch()


if __name__ == "__main__":
    main()
