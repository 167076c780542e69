"""One evaluation in the terminal: bars while it runs, then a table of scores with their intervals."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stdout

from affectllm import voice
from affectllm.evaluate.harness import lm_eval_main, only_ours, output_folder
from affectllm.report.terminal.summary import score_table
from affectllm.run import cache_folder

_WRITES = {"--log_samples", "-s", "--predict_only", "-x"}
"""Options of lm-eval's that ask for files, and so for a folder that stays."""


def score_tasks(words: Sequence[str]) -> None:
    """Run lm-eval on the words of a command line, and print the scores of our tasks; lm-eval's own table for others.

    What libraries say goes to ``log.txt`` in the folder of ``--output_path``, or in the cache folder.
    """
    theirs, folder, json_wanted = io.StringIO(), output_folder(words), "--json" in words
    with ExitStack() as stack:
        log = (folder or cache_folder() / "eval") / voice.LOG
        if folder is None and int(os.environ.get("WORLD_SIZE", "1")) == 1 and not _WRITES & set(words):
            # Intervals need the answers of every item, which are gone with the folder.
            words = [*words, "--output_path", stack.enter_context(tempfile.TemporaryDirectory())]
        stack.enter_context(voice.kept(log))
        stack.enter_context(voice.aside())
        if json_wanted or voice.loudness() != "verbose":
            stack.enter_context(redirect_stdout(theirs))
        scores = lm_eval_main(words)
    if json_wanted:
        print(json.dumps(scores, ensure_ascii=False))
        return
    if scores:
        print(score_table([("", task, metrics) for task, metrics in scores.items()]))
    if not scores or not only_ours(words):
        print(theirs.getvalue(), end="")
    if folder is not None and scores:
        voice.tell(f"scores: {folder}; a page of them: affectllm report {folder}")
