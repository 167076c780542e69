"""Tables that are damaged: what is scored, predicted, built or annotated from them is right, or the damage is named."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torturing import formats
from torturing.scene import Scene, unexplained
from torturing.spoiling import PAYLOAD, spoil

MODULES = (
    *("affectllm.cli", "affectllm.score.command", "affectllm.commands.parts.build", "affectllm.predict.command"),
    *("affectllm.empathy.judging", "affectllm.annotate.rating"),
    *("pyarrow.parquet", "openpyxl", "datasets", "scipy.stats"),
)
_ROWS = 24
_FEELINGS = ("joy", "anger", "sadness", "überrascht")
_ASKED = ("--model", "affectllm-api", "--model_args", "base_url=http://127.0.0.1:9/v1,model=none,dry_run=true")
_GENERIC = """\
name: generic
table: {table}
columns: {{id: id, text: text}}
raters: {{crowd: five people}}
labels:
  - {{space: plutchik_8, rater: crowd, column: label}}
"""
_EMPATHY = """\
table: {table}
systems: {{first: text, second: prediction}}
metrics: [distinct_1]
columns: {{context: text, reference: text}}
"""


def tables(scene: Scene) -> str:
    """A table is damaged, and read by one of the commands that take tables; mostly it is scored."""
    folder = scene.scratch / "tables"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    scene.patch.chdir(folder)
    draw = scene.dice.random()
    fault = _scored(scene, folder) if draw < 0.7 else _numbers(scene, folder) if draw < 0.8 else _read(scene, folder)
    if any(scene.scratch.rglob(PAYLOAD)):
        for path in scene.scratch.rglob(PAYLOAD):
            path.unlink()
        return f"a file that it holds was run; {fault}"
    return fault


def _labels(scene: Scene, column: str) -> dict[str, list[Any]]:
    labels = [scene.pick(_FEELINGS) for _ in range(_ROWS)]
    return {"id": [f"clip{n}" for n in range(_ROWS)], column: labels, "text": [f"Word {n}, and." for n in range(_ROWS)]}


def _scored(scene: Scene, folder: Path) -> str:
    sides = {
        name: (folder / f"{name}.{scene.pick(formats.ENDINGS)}", _labels(scene, column))
        for name, column in (("gold", "label"), ("pred", "prediction"))
    }
    for path, columns in sides.values():
        formats.write(path, columns)
    gold, pred = (path for path, _ in sides.values())
    whole = _accuracy(sides["gold"][1], sides["pred"][1])
    victim = scene.pick((gold, pred))
    how = f"{victim.name} {spoil(scene, victim)}"
    words = ["score", "--metric", "accuracy", "--gold", str(gold), "--pred", str(pred), "--json"]
    words += ["--gold-column", "label", "--pred-column", "prediction"]
    status, output = scene.forked(words, MODULES)
    if fault := unexplained(status, output):
        return f"{how}: {fault}"
    if status:
        named = victim.name in output or victim.stem in output
        return "" if named else f"{how}: the error does not name it: {output[-300:]}"
    said, result = _result(output)
    try:
        other = _accuracy(formats.read(gold), formats.read(pred))
    except Exception as error:  # whatever another reader says of damaged bytes
        other, how = None, f"{how} ({type(error).__name__} by another reader)"
    if result["n"] == _ROWS and _same(result["value"], whole):
        return ""
    if other is not None and _same(result["value"], other):
        return ""
    return "" if said.strip() else f"{how}: scored {result['value']} of {result['n']}, whole {whole}, others {other}"


def _accuracy(gold: Mapping[str, list[Any]], pred: Mapping[str, list[Any]]) -> float | None:
    """By name, where both sides have the same and each once; None elsewhere."""
    names, others = [str(name) for name in gold["id"]], [str(name) for name in pred["id"]]
    if sorted(names) != sorted(others) or len(set(names)) < len(names):
        return None
    answers = dict(zip(others, pred["prediction"], strict=True))
    right = [str(label).strip() == str(answers[name]).strip() for name, label in zip(names, gold["label"], strict=True)]
    return sum(right) / len(right) if right else None


def _same(value: Any, other: float | None) -> bool:
    return isinstance(value, float | int) and other is not None and math.isclose(value, other, abs_tol=1e-9)


def _result(output: str) -> tuple[str, dict[str, Any]]:
    """What was said, and the object that was printed."""
    start = output.index("{\n")
    result, length = json.JSONDecoder().raw_decode(output[start:])
    return output[:start] + output[start + length :], result


_NUMBERS = (
    *(
        "1e999",
        "-1e999",
        "nan",
        "inf",
        "-Infinity",
        "",
        " ",
        "1,5",
        "1.5.2",
        "0x10",
        "1_000",
        "1e400",
        "-0",
        "+0.5",
        ".5",
    ),
    *(
        "5e-324",
        "1" + "0" * 400,
        "−1",
        "٣",
        "½",
        "1 000",
        "1e",
        "true",
        "None",
        "0.5 ",
        "0.5\u200b",
        "=1+1",
        "#REF!",
        "1e308",
    ),
)


def _numbers(scene: Scene, folder: Path) -> str:
    """One number is none any more: it is counted as unreadable, refused, or means what Python reads."""
    truth = {f"clip{n}": f"{scene.dice.uniform(-1, 1):.3f}" for n in range(_ROWS)}
    said = {name: f"{scene.dice.uniform(-1, 1):.3f}" for name in truth}
    side, strange = scene.pick((truth, said)), scene.pick(_NUMBERS)
    side["clip3"] = strange
    for name, column in (("gold", truth), ("pred", said)):
        formats.write(folder / f"{name}.csv", {"id": list(column), "value": list(column.values())})
    words = ["score", "--metric", "mae", "--gold", "gold.csv", "--pred", "pred.csv", "--json"]
    status, output = scene.forked(words, MODULES)
    how = f"{strange[:20]!r} in {'gold' if side is truth else 'pred'}"
    if fault := unexplained(status, output):
        return f"{how}: {fault}"
    if status:
        return "" if "gold.csv" in output or "pred.csv" in output else f"{how}: no table is named: {output[-300:]}"
    text, result = _result(output)
    if result["unreadable"] or result["n"] < _ROWS or text.strip():
        return ""
    try:
        right = sum(abs(_number(truth[name]) - _number(said[name])) for name in truth) / len(truth)
    except ValueError:
        return f"{how}: scored {result['value']}, and Python reads no number"
    return "" if math.isclose(result["value"], right, rel_tol=1e-9) else f"{how}: {result['value']}, not {right}"


def _number(text: str) -> float:
    return float(text.replace(",", "."))  # a decimal comma is one, where there is no other


def _read(scene: Scene, folder: Path) -> str:
    """A corpus, a table of things to be predicted, of replies or of ratings."""
    path = folder / f"table.{scene.pick(tuple(end for end in formats.ENDINGS if end not in ('npz', 'saved')))}"
    columns = _labels(scene, "label")
    more = {"prediction": columns["text"], "item": columns["id"], "rating": columns["label"], "rater": ["anna"] * _ROWS}
    formats.write(path, {**columns, **more})
    formats.write(folder / "ben.csv", {**more, "rater": ["ben"] * _ROWS})
    how = f"{path.name} {spoil(scene, path)}"
    (folder / "affectllm.yaml").write_text(_GENERIC.format(table=path.name), encoding="utf-8")
    (folder / "empathy.yaml").write_text(_EMPATHY.format(table=path.name), encoding="utf-8")
    words = scene.pick(
        (
            ["build", "generic", "--root", f"generic={folder}", "--out", str(folder / "out")],
            ["predict", str(path), *_ASKED, "--answers", str(folder / "answers")],
            ["empathy", str(folder / "empathy.yaml"), "--out", str(folder / "out")],
            ["annotate", "--agreement", str(path), str(folder / "ben.csv")],
        )
    )
    status, output = scene.forked(words, MODULES)
    # Where no row could be read, each is listed with its place and reason.
    listed = output.replace(f"{path.name}:", f"error: {path.name}:").replace(f"{path.name}\t", f"error: {path.name}\t")
    if fault := unexplained(status, listed):
        return f"{words[0]} of {how}: {fault}"
    if status and path.name not in output:
        return f"{words[0]} of {how}: the error does not name it: {output[-300:]}"
    return ""
