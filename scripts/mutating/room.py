"""The mutants of one room, in a copy of the checkout.

python -m mutating.room ROOM --sample N --seed N    from within the copy
"""

from __future__ import annotations

import argparse
import ast
import difflib
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec

from mutating.covering import FEW, MANY, Covered
from mutating.forking import SAID, noticed, preload

_METRICS = (
    "classes",
    "classes_compat",
    "definitions",
    "dimensions",
    "distributions",
    "generated",
    "judgements",
    "multilabel",
    "vectors",
)
"""Tests of labels and numbers; those of other metrics take minutes."""
_LEAKS = ("leakage", "leaks", "leaks_text", "duplicates", "media_content", "resemblance")
_TRAINER = "tests/corpus/test_leakage.py::test_training_is_refused_before_it_begins"
"""Imports the trainer, which takes longer than all others."""
ROOMS: dict[str, tuple[list[str], list[str]]] = {
    "metrics": (
        ["affectllm/metrics/labels", "affectllm/metrics/numbers"],
        ["tests/contracts/test_metrics.py", *(f"tests/metrics/test_{name}.py" for name in _METRICS)],
    ),
    "reading": (["affectllm/labels/reading"], ["tests/labels", "--deselect", "tests/labels/test_reading_long.py"]),
    "leakage": (
        ["affectllm/corpus/leaks"],
        [*(f"tests/corpus/test_{name}.py" for name in _LEAKS), "--deselect", _TRAINER],
    ),
    "licence": (["affectllm/report/cards/licence.py"], ["tests/report/test_publish_licence.py"]),
    "resume": (["affectllm/run.py"], ["tests/foundation/test_run.py", "tests/foundation/test_run_replaced.py"]),
}
"""Room → what is changed, and the tests that should notice."""
_SETTINGS = """
[cosmic-ray]
module-path = {modules}
timeout = 120.0
test-command = "false"
[cosmic-ray.distributor]
name = "local"
"""
_PATIENCE = 4.0  # times as long as the tests take when nothing is changed, before they hang
_AT_LEAST = 30.0  # seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room", choices=list(ROOMS))
    parser.add_argument("--sample", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    started = time.monotonic()
    covered = _covered(options.room)
    preload(covered.libraries)
    items = _mutations(options.room)
    drawn = random.Random(options.seed).sample(items, min(options.sample, len(items)))
    survivors = 0
    for mutation in drawn:
        if _killed(mutation, covered):
            print(".", end="", file=sys.stderr, flush=True)
        else:
            survivors += 1
            print(
                f"\n{options.room}: {mutation.module_path}",
                *_changed(mutation),
                sep="\n    ",
                file=sys.stderr,
                flush=True,
            )
    killed = len(drawn) - survivors
    share, seconds = killed / len(drawn), time.monotonic() - started
    counts = f"{len(items):,} | {len(drawn)} | {killed} ({share:.0%}) | {survivors}"
    print(f"| {options.room} | {counts} | {seconds:.0f} |")
    return 0


def _covered(room: str) -> Covered:
    """Run the room's tests with nothing changed; see which lines each runs."""
    out = Path(f"{room}.json")
    subprocess.run([sys.executable, "-m", "mutating.covering", out, *ROOMS[room][1]], check=True, stdout=sys.stderr)
    covered = Covered.read(out)
    if noticed(list(covered.seconds), seconds=3600, profile=FEW):
        said = Path(SAID).read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"{said}\n{room}: tests fail with nothing changed, so that they would notice anything")
    return covered


def _mutations(room: str) -> list[MutationSpec]:
    settings, session = Path(f"{room}.toml"), Path(f"{room}.sqlite")
    settings.write_text(_SETTINGS.format(modules=ROOMS[room][0]), encoding="utf-8")
    subprocess.run([Path(sys.executable).with_name("cosmic-ray"), "init", settings, session], check=True)
    with use_db(str(session), WorkDB.Mode.open) as work:
        every = [item.mutations[0] for item in work.work_items]
    found = [mutation for mutation in every if _runs(mutation)]
    return sorted(found, key=lambda one: (str(one.module_path), one.start_pos, one.operator_name, one.occurrence))


Span = tuple[tuple[int, int], tuple[int, int]]
"""Line and column of a beginning and of an end."""


def _runs(mutation: MutationSpec) -> bool:
    """Return whether what is changed is ever run: no annotation, and no star that is no operator (``*, threshold``)."""
    annotations, operators = _spans(mutation.module_path)
    within = operators if mutation.operator_name.startswith("core/ReplaceBinaryOperator") else None
    place = mutation.start_pos
    # To change a star before keyword arguments makes what is no Python, which every test would notice.
    return not _holds(annotations, place) and (within is None or _holds(within, place))


def _holds(spans: Sequence[Span], place: tuple[int, int]) -> bool:
    return any(begin <= place < end for begin, end in spans)


@cache
def _spans(path: Path) -> tuple[list[Span], list[Span]]:
    """Return where annotations stand in a file, and what stands between the sides of its operators."""
    text = path.read_text(encoding="utf-8")
    lines, nodes = text.splitlines(), list(ast.walk(ast.parse(text)))

    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode("utf-8")[:offset].decode("utf-8"))  # ast counts bytes

    def begin(node: ast.expr) -> tuple[int, int]:
        return node.lineno, column(node.lineno, node.col_offset)

    def end(node: ast.expr) -> tuple[int, int]:
        line = node.end_lineno or node.lineno
        return line, column(line, node.end_col_offset or 0)

    notes = [node.annotation for node in nodes if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation]
    notes += [node.returns for node in nodes if isinstance(node, ast.FunctionDef) and node.returns]
    sides = [(node.left, node.right) for node in nodes if isinstance(node, ast.BinOp)]
    return [(begin(note), end(note)) for note in notes], [(end(left), begin(right)) for left, right in sides]


def _killed(mutation: MutationSpec, covered: Covered) -> bool:
    """Try the tests that run the changed lines, on few examples; then those of its file, on as many as ever."""
    file = str(mutation.module_path)
    runs = ((covered.tests(file, _statement(mutation)), FEW), (covered.of_file(file), MANY))
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    with use_mutation(mutation.module_path, operator, mutation.occurrence):
        return any(
            tests and noticed(tests, seconds=_patience(tests, covered), profile=profile) for tests, profile in runs
        )


def _statement(mutation: MutationSpec) -> range:
    """Return the lines of the innermost statement that holds the change; coverage knows only its first."""
    tree = ast.parse(mutation.module_path.read_text(encoding="utf-8"))
    line = mutation.start_pos[0]
    holding = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line)
    ]
    innermost = max(holding, key=lambda node: node.lineno, default=None)
    return range(innermost.lineno if innermost else line, mutation.end_pos[0] + 1)


def _patience(tests: Sequence[str], covered: Covered) -> float:
    return _AT_LEAST + _PATIENCE * sum(covered.seconds[test] for test in tests)


def _changed(mutation: MutationSpec) -> Iterator[str]:
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    with use_mutation(mutation.module_path, operator, mutation.occurrence) as (before, after):
        lines = difflib.unified_diff(before.splitlines(), (after or before).splitlines(), lineterm="", n=0)
        yield from (line for line in lines if not line.startswith(("---", "+++")))


if __name__ == "__main__":
    sys.exit(main())
