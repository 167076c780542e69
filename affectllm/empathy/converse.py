"""``affectllm converse``: a model talks with simulated users; the score is one of that simulator, and says so."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from affectllm.empathy.conversations import Stage, Talk, simulator_prompts
from affectllm.empathy.converse_page import ConversePage, Talker, read_converse, read_personas
from affectllm.errors import AffectError, Malformed
from affectllm.metrics import METRICS
from affectllm.metrics.core.comparison import Comparison, compare
from affectllm.predict.answering import Answering
from affectllm.predict.models import answering_of
from affectllm.run import RUNS, Run, cache_folder, digest, file_digest, require, write_json
from affectllm.voice import tell

STAGE, TALKS, SCORES = "converse", "conversations.jsonl", "scores.json"
_METRIC = "sage_emotion"


def run_converse(path: Path, out: Path | None = None) -> Path:
    """Play the conversations of a page and score them; return the run folder.

    Answers are kept as they come, so a run that was killed goes on where it was, and asks nothing twice.

    Raises:
        AffectError: for a page, a table or a model that cannot be used.
    """
    page = read_converse(path)
    personas = read_personas(path.parent / Path(page.personas).expanduser(), page.feeling)
    answers = path.parent / page.answers if page.answers else cache_folder() / "converse"
    model = _answering(page.model, answers)
    simulator = model if _same(page.model, page.simulator) else _answering(page.simulator, answers)
    named = simulator_name(page, simulator)
    inputs = {
        "page": {name: value for name, value in asdict(page).items() if name != "answers"},
        "personas": file_digest(path.parent / Path(page.personas).expanduser()),
        "model": model.responder.identity(),
        "simulator": named,
    }
    talkers = {id(one): one for one in (model, simulator)}.values()
    with Run(out or RUNS / "converse" / path.stem, STAGE, inputs) as run:
        if not run.done:
            talks = Stage(page, model, simulator).play(personas)
            lines = [json.dumps(talk.to_json(), ensure_ascii=False) + "\n" for talk in talks]
            (run.folder / TALKS).write_text("".join(lines), encoding="utf-8")
            write_json(run.folder / SCORES, scores(talks, page.model.name or page.model.model, named))
            run.outputs |= {"conversations": len(talks), "asked": sum(one.asked for one in talkers)}
        tell(f"{len(personas):,} users played by {named}; {sum(one.asked for one in talkers):,} new answers")
        return run.folder


def simulator_name(page: ConversePage, simulator: Answering) -> str:
    """Return the simulator's name with the digest of its weights or server, its prompts, and the rules of the talk."""
    rules = {"prompts": simulator_prompts(page.language), "turns": page.turns, "tokens": page.simulator.max_new_tokens}
    return f"{page.simulator.name or page.simulator.model}@{digest([simulator.responder.identity(), rules])[:8]}"


def scores(talks: Sequence[Talk], model: str, simulator: str) -> dict[str, Any]:
    """Return the scores: the final feeling, how feelings went turn by turn, and how conversations ended."""
    counted = [_history(talk.to_json()) for talk in talks]
    result: dict[str, Any] = {"model": model, "simulator": simulator, "ends": dict(Counter(talk.end for talk in talks))}
    if any(counted):
        score = METRICS[_METRIC](predicted=counted, simulator=simulator)
        result[f"{_METRIC} by {simulator}"] = score.to_json()
    courses = [[turn["emotion-point"] for turn in history if "emotion-point" in turn] for history in counted if history]
    longest = max(map(len, courses), default=0)
    by_turn = [[course[min(turn, len(course) - 1)] for course in courses] for turn in range(longest)]
    result["mean_feeling_by_turn"] = [sum(column) / len(column) for column in by_turn]
    return result


def _history(talk: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return what counts: a conversation that broke off because nobody answered has no score."""
    history: list[dict[str, Any]] = talk["history"]
    return history if talk["end"] in ("peace", "despair", "turns") else None


def compare_talks(folders: Sequence[Path]) -> list[Comparison]:
    """Compare models by the same simulator with the same users, paired.

    Raises:
        Malformed: when two simulators played, or the users are not the same.
        AffectError: when a folder is no finished run of conversations, or no user talked with all of them to an end.
    """
    manifests = [require(folder, STAGE) for folder in folders]
    for name, what in (("simulator", "simulators"), ("personas", "sets of users")):
        if len(values := {str(manifest["inputs"][name]) for manifest in manifests}) > 1:
            message = f"two {what} are no comparison: {', '.join(sorted(values))}"
            raise Malformed(message, do="let one simulator play the same users with every model")
    rows = [_talks(folder) for folder in folders]
    shared = [name for name, history in rows[0].items() if all(one.get(name) for one in rows) and history]
    if not shared:
        raise AffectError("there is no user whose conversations all came to an end", do="see ends in scores.json")
    systems = {str(folder): [one[name] for name in shared] for folder, one in zip(folders, rows, strict=True)}
    simulator = str(manifests[0]["inputs"]["simulator"])
    return compare(METRICS[_METRIC], [None] * len(shared), systems, simulator=simulator)


def _talks(folder: Path) -> dict[str, Any]:
    with (folder / TALKS).open(encoding="utf-8", newline="\n") as lines:
        return {talk["id"]: _history(talk) for talk in map(json.loads, lines)}


def _same(one: Talker, other: Talker) -> bool:
    """Return whether two parts are played by the same weights, which are then loaded once."""
    return (one.model, one.model_args, one.adapter) == (other.model, other.model_args, other.adapter)


def _answering(talker: Talker, answers: Path) -> Answering:
    options: dict[str, Any] = dict.fromkeys(("processor", "device", "quantize", "batch_size"))
    arguments = argparse.Namespace(
        model=talker.model,
        model_args=[talker.model_args] if talker.model_args else None,
        adapter=talker.adapter or None,
        dtype="auto",
        budget=[],
        **options,
    )
    answering, dry = answering_of(arguments, answers)
    if dry:
        raise AffectError("what a conversation costs depends on what is said", do="leave out dry_run")
    return answering
