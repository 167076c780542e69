"""How the processes of a launch part."""

from __future__ import annotations

import atexit
import os
import sys


def leave_together() -> None:
    """End every process of a launch once all are done; a process on its own returns and goes on.

    The interpreter is not taken down. Libraries keep the process group, whose threads then meet half an interpreter:
    now and then the runtime aborts one, and the launcher calls a finished run failed. What is registered for the exit,
    as trackers do, runs before.
    """
    import torch.distributed

    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
