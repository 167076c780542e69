"""What a teacher has answered, out of files: samples of an evaluation, predictions, or lines of one's own."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe, Malformed, NotFound
from affectllm.model.heads.answers import Answers, slot_of

if TYPE_CHECKING:
    import torch

    from affectllm.instruct.slots import Slot

_SAMPLES = "samples_*.jsonl"
_TAKES = 'samples of an evaluation, lines of `affectllm predict --json`, or {"id": …, "answer": …} a line'
Key = tuple[str, str]
"""Corpus, "" where a file does not say it, and id of a sample."""


@dataclass
class Stated:
    """What a teacher has answered.

    Args:
        values: sample → its answers: a label, a list of labels, or numbers or probabilities by name.
        unanswered: reason → how many questions have no answer.
    """

    values: dict[Key, list[Any]] = field(default_factory=dict)
    unanswered: Counter[str] = field(default_factory=Counter)

    def about(self, row: Mapping[str, Any]) -> list[Any]:
        """Return the answers about the sample of a conversations row; none where nobody asked."""
        sample = row["sample"]
        return self.values.get((row["corpus"], sample)) or self.values.get(("", sample)) or []


def files_of(path: str) -> list[Path]:
    """Return the files in which answers lie: the file itself, or the samples files of an evaluation's folder.

    Raises:
        NotFound: when there is none.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        if files := sorted(place.glob(_SAMPLES)):
            return files
        message = f"{path} holds no samples of an evaluation ({_SAMPLES})"
        raise NotFound(message, do="give the folder of `affectllm eval --output_path`, or a file")
    if not place.is_file():
        raise NotFound(f"there are no answers of a teacher at {path}", do="ask the teacher first: affectllm eval")
    return [place]


def read_answers(path: str) -> Stated:
    """Read what a teacher has answered.

    Raises:
        NotFound: as ``files_of``; and when the results that belong to samples are missing.
        Malformed: when a line is none of what is taken, with its place.
    """
    stated = Stated()
    for file in files_of(path):
        labels = _labels_of(file)
        for where, row in _lines(file):
            key, value, reason = _stated(row, labels, where)
            if value is None:
                stated.unanswered[reason or "unreadable"] += 1
            else:
                stated.values.setdefault(key, []).append(value)
    return stated


def _lines(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with file.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            where = f"{file}:{number}"
            try:
                row = json.loads(line) if line.strip() else None
            except ValueError as error:
                raise Malformed("this line is not JSON", where=where, do=f"a file holds {_TAKES}") from error
            if isinstance(row, dict):
                yield where, row
            elif row is not None:
                raise Malformed("this line is no JSON object", where=where, do=f"a file holds {_TAKES}")


def _labels_of(file: Path) -> Callable[[], Sequence[str]]:
    """Return what reads the labels of the choices of a samples file, which the results beside it name, once."""
    names: list[Sequence[str]] = []

    def labels() -> Sequence[str]:
        if not names:
            task, _, date = file.stem.removeprefix("samples_").rpartition("_")
            results = file.with_name(f"results_{date}.json")
            if not results.is_file():
                message = f"{file.name} holds likelihoods, and the results that name their labels are not beside it"
                raise NotFound(message, where=str(results), do="copy both files of the evaluation")
            page = json.loads(results.read_text(encoding="utf-8"))
            names.append(page["configs"][task]["metadata"]["affectllm"]["labels"])
        return names[0]

    return labels


def _stated(row: Mapping[str, Any], labels: Callable[[], Sequence[str]], where: str) -> tuple[Key, Any, str | None]:
    """Return the sample that a line is about, the answer, and why there is none."""
    if "doc" in row:
        doc = row["doc"]
        key, shares = (str(doc["corpus"]), str(doc["id"])), _shares_of_choices(row, labels)
        return key, shares if shares is not None else row.get("reading"), row.get("unreadable")
    name = row.get("id", row.get("item"))
    if name is None or not {"answer", "likelihoods"} & row.keys():
        raise Malformed("this line names no sample, or no answer", where=where, do=f"a file holds {_TAKES}")
    value = row.get("likelihoods")
    return (str(row.get("corpus") or ""), str(name)), row.get("answer") if value is None else value, row.get("reason")


def _shares_of_choices(row: Mapping[str, Any], labels: Callable[[], Sequence[str]]) -> dict[str, float] | None:
    """Return label → probability among the choices of an item that is scored by likelihood; None for another item."""
    scored = row.get("filtered_resps") or []
    if "each" in row["doc"] or not all(isinstance(one, list) and len(one) == 2 for one in scored) or len(scored) < 2:
        return None
    try:
        logs = [float(one[0]) for one in scored]
    except (TypeError, ValueError, OverflowError):
        return None  # a clip that could not be used stands in the place of the likelihood
    if not all(map(math.isfinite, logs)):
        return None
    most = max(logs)
    weights = [math.exp(one - most) for one in logs]
    return {name: weight / sum(weights) for name, weight in zip(labels(), weights, strict=True)}


def taught(path: str, answers: Answers, rows: Sequence[Mapping[str, Any]], tell: bool = True) -> torch.Tensor:
    """Return the teacher's answers about rows of a conversations file, NaN where it gave none; says how many it gave.

    Several answers about one sample, in other words or drawn several times, are averaged.

    Args:
        answers: the outputs of the head.
        rows: of the training.
        tell: whether to print it.

    Returns:
        ``[rows, outputs]``: probabilities of classes, labels and shares; numbers as ``Answers.targets`` has them.

    Raises:
        NotFound, Malformed: as ``read_answers``; and for an answer that the head cannot give.
        BadRecipe: when no row has an answer.
    """
    import torch

    stated = read_answers(path)
    nothing = torch.full((answers.outputs,), float("nan"))
    columns, answered = [], 0
    for row in rows:
        values = stated.about(row)
        answered += bool(values)
        slot = slot_of(row)
        each = [torch.tensor(_vector(answers, slot, value, f"{path}: {row['sample']}")) for value in values]
        columns.append(torch.stack(each).mean(0) if each else nothing)
    if not answered:
        message = f"none of the {len(columns):,} rows has an answer among the {len(stated.values):,} of the teacher"
        raise BadRecipe(message, where=path, do="ask the teacher about the same corpora; ids are those of its samples")
    if tell:
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in stated.unanswered.most_common())
        more = f"; without an answer: {reasons}" if reasons else ""
        print(f"teacher: answers about {answered:,} of {len(columns):,} training rows{more}", file=sys.stderr)
    return torch.stack(columns).float()


def _vector(answers: Answers, slot: Slot, value: Any, where: str) -> list[float]:
    """Return an answer as what the outputs should be."""
    names = set(value) if isinstance(value, dict | list) else {value}
    if strange := sorted(str(name) for name in names - {*answers.names}):
        message = f"the teacher answers {strange[0]!r}, which the head does not give"
        raise Malformed(message, where=where, do=f"ask it for {', '.join(answers.names)}")
    if isinstance(value, dict):
        if wrong := [name for name, one in value.items() if not _is_number(one)]:
            raise Malformed(f"the teacher's {wrong[0]} is {value[wrong[0]]!r}", where=where, do="write numbers")
        return _of_numbers(answers, slot, value, where)
    held = [value] if isinstance(value, str) else value
    if answers.kind == "numbers" or (answers.kind == "classes" and len(held) != 1):
        message = f"the teacher answers {value!r}, and the head gives {answers.kind}"
        raise Malformed(message, where=where, do="ask it for the same as the mixture asks")
    if answers.kind == "labels":
        vector = answers.target(slot, held)
        assert isinstance(vector, list)
        return vector
    if not held:
        raise Malformed("the teacher names no share", where=where, do="ask it for the same as the mixture asks")
    return [float(name in held) / len(held) for name in answers.names]


def _of_numbers(answers: Answers, slot: Slot, value: Mapping[str, float], where: str) -> list[float]:
    if answers.kind == "numbers":
        vector = answers.target(slot, value)
        assert isinstance(vector, list)
        return vector
    if any(one < 0 for one in value.values()) or (answers.kind == "labels" and max(value.values()) > 1):
        raise Malformed(f"the teacher's probabilities are {dict(value)}", where=where, do="write them from 0 to 1")
    if answers.kind == "labels":
        return [float(value.get(name, math.nan)) for name in answers.names]
    total = math.fsum(value.values())
    if total <= 0:
        raise Malformed("the teacher's probabilities are all 0", where=where, do="leave the line out")
    return [float(value.get(name, 0.0)) / total for name in answers.names]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
