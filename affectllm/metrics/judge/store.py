"""A judge whose answers are stored in a file, so that scores can be computed again without a model.

The file is JSON lines: ``{"prompt": …, "hash": …, "system": …, "user": …}`` once for each prompt, then one line per
question: ``key`` (a SHA-256 of model, decoding and conversation), ``model``, ``prompt_hash`` and ``output``, or
``failure`` with its ``detail``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError, Malformed
from affectllm.metrics.judge.judge import GREEDY, Failure, Judge, Messages
from affectllm.metrics.judge.wording import Prompt


class JudgeStore(Judge):
    """A judge that answers from a file, and from ``judge`` where the file has no answer.

    Args:
        path: the file; made when it is not there.
        judge: who is asked; None only reads, and what is not in the file is the failure ``not_stored``.
        retry_failures: ask again what failed before.
        patient: ask again what nobody answered before, and raise where nobody does now, in place of a failure that is
            counted: for commands, which can be started again.

    Raises:
        Malformed: when a line of the file cannot be read, or the file knows no model and nor does the caller.
    """

    def __init__(
        self, path: str | Path, judge: Judge | None = None, *, retry_failures: bool = False, patient: bool = False
    ) -> None:
        self.path, self.judge, self.retry, self.patient = Path(path), judge, retry_failures, patient
        lines = _lines(self.path)
        self._answers = {row["key"]: row for row in lines if "key" in row}
        self._prompts = {row["hash"] for row in lines if "hash" in row}
        super().__init__(*(_writer(self.path, lines) if judge is None else (judge.model, judge.decoding)))

    def complete(self, batch: Sequence[Messages], prompt: Prompt | None = None) -> list[str | Failure]:
        """Return stored answers; the others are asked for, and are on disk when this returns.

        Raises:
            AffectError: of a ``patient`` one, when nobody answered.
        """
        keys = [self.key(messages) for messages in batch]
        missing = {key: messages for key, messages in zip(keys, batch, strict=True) if not self._is_stored(key)}
        if missing and self.judge is not None:
            answers = self.judge.complete(list(missing.values()), prompt)
            self._keep(dict(zip(missing, answers, strict=True)), prompt)
            if self.patient:
                _refuse_unanswered(self.model, answers)
        return [self._answer(key) for key in keys]

    def key(self, messages: Messages) -> str:
        """Return the key of a question: a SHA-256 of model, decoding and conversation."""
        question = json.dumps([self.model, dict(self.decoding), messages], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(question.encode()).hexdigest()

    def decoding_as(self, decoding: Mapping[str, Any]) -> Judge:
        """Return a judge on the same file with other decoding settings."""
        clone = super().decoding_as(decoding)
        if isinstance(clone, JudgeStore) and self.judge is not None:
            clone.judge = self.judge.decoding_as(decoding)
        return clone

    def _is_stored(self, key: str) -> bool:
        row = self._answers.get(key)
        if row is None or self.judge is None or "failure" not in row:
            return row is not None
        return not (self.retry or (self.patient and Failure(row["failure"]).unanswered))

    def _answer(self, key: str) -> str | Failure:
        row = self._answers.get(key, {"failure": "not_stored"})
        return row["output"] if "output" in row else Failure(row["failure"], row.get("detail", ""))

    def _keep(self, answers: Mapping[str, str | Failure], prompt: Prompt | None) -> None:
        rows: list[dict[str, Any]] = []
        if prompt is not None and prompt.hash not in self._prompts:
            self._prompts.add(prompt.hash)
            fields = {"prompt": prompt.name, "version": prompt.version, "hash": prompt.hash}
            rows.append({**fields, "system": prompt.system, "user": prompt.user})
        for key, answer in answers.items():
            row: dict[str, Any] = {"key": key, "model": self.model, "decoding": dict(self.decoding)}
            row["prompt_hash"] = prompt.hash if prompt else None
            if isinstance(answer, Failure):
                row |= {"failure": answer.reason, "detail": answer.detail}
            else:
                row["output"] = answer
            self._answers[key] = row
            rows.append(row)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _refuse_unanswered(model: str, answers: Sequence[str | Failure]) -> None:
    lost = [one for one in answers if isinstance(one, Failure) and one.unanswered]
    if lost:
        message = f"the judge {model} left {len(lost):,} of {len(answers):,} questions unanswered: {lost[0].reason}"
        told = f"{message} ({lost[0].detail})" if lost[0].detail else message
        raise AffectError(told, do="see that it can be reached; the same command asks for what is missing")


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    rows = []
    # A process that was killed while writing leaves its last line without an end; that question is asked again.
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], 1):
        try:
            row = json.loads(line)
            if not ({"key", "hash"} & row.keys()) or ("key" in row and not {"output", "failure"} & row.keys()):
                raise ValueError("not a line of a judge store")
        except (ValueError, AttributeError) as error:
            raise Malformed(
                "a kept answer of a judge cannot be read", where=f"{path}:{number}", do="delete it"
            ) from error
        rows.append(row)
    return rows


def _writer(path: Path, lines: Sequence[Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]]:
    """Return model and decoding of the one judge that wrote the file."""
    judges = {json.dumps([row["model"], row.get("decoding", dict(GREEDY))]): row for row in lines if "key" in row}
    if len(judges) != 1:
        problem = "holds answers of several judges" if judges else "holds no answers"
        raise Malformed(f"the store {problem}", where=str(path), do="give judge= as well, with the model that is meant")
    row = next(iter(judges.values()))
    return row["model"], row.get("decoding", GREEDY)
