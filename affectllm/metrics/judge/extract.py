"""Extract labels from free prose by a language model, with its outputs stored beside the texts.

The deterministic readers of ``labels.reading`` come first; this is for descriptions that list no labels. The extractor
is greedy, and its outputs are written to a file, so that scoring again gives the same numbers without a model.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed
from affectllm.labels import LabelSpace
from affectllm.labels.reading import Unreadable, read_label, read_open_labels
from affectllm.metrics.core.label_sets import parse_set
from affectllm.metrics.judge.ask import answers
from affectllm.metrics.judge.judge import Failure, Judge
from affectllm.metrics.judge.wording import Prompt, load_prompt

SAMPLED: Mapping[str, Any] = {"temperature": 0.7, "top_p": 0.8, "repetition_penalty": 1.05, "max_tokens": 512}
"""How AffectGPT's evaluator decodes: every run gives other labels."""

Key = tuple[str, str, str, str]


def extract_open(
    texts: Mapping[str, str], judge: Judge, store: str | Path, *, language: str = "en", compat: str | None = None
) -> dict[str, tuple[str, ...] | Unreadable]:
    """Extract the emotion words of each text, by its id, in the extractor's words.

    Args:
        texts: id → free text.
        judge: the model that extracts.
        store: JSON lines with ``id``, ``text``, ``extracted``, ``model``, ``decoding``, ``prompt`` and
            ``prompt_hash``; what is there is not asked again.
        language: of the prompt: ``en`` or ``zh``.
        compat: ``affectgpt`` samples as its evaluator does, and warns: without the store, two runs differ.

    Raises:
        Malformed: when a line of the store cannot be read, or ``compat`` is unknown.
    """
    prompt = load_prompt("extract_open", language)
    outputs = _outputs(texts, _decoding(judge, compat), prompt, Path(store), {})
    read: Callable[[str], tuple[str, ...] | Unreadable]
    read = read_open_labels if compat is None else lambda text: tuple(parse_set(text))
    return {name: output if isinstance(output, Unreadable) else read(output) for name, output in outputs.items()}


def extract_label(
    texts: Mapping[str, str], space: LabelSpace, judge: Judge, store: str | Path, *, language: str = "en"
) -> dict[str, str | Unreadable]:
    """Extract the one label of ``space`` that each text describes, by its id; arguments as in ``extract_open``."""
    prompt, names = load_prompt("extract_label", language), {"labels": ", ".join(space.names)}
    outputs = _outputs(texts, judge, prompt, Path(store), names)
    return {
        name: output if isinstance(output, Unreadable) else read_label(output, space)
        for name, output in outputs.items()
    }


def _decoding(judge: Judge, compat: str | None) -> Judge:
    if compat is None:
        return judge
    if compat != "affectgpt":
        raise Malformed(f"the extractor has no compat mode {compat!r}", do="it has: affectgpt")
    warnings.warn(
        "AffectGPT's extractor samples, so two runs give other labels; leave out compat for the greedy one",
        stacklevel=3,
    )
    return judge.decoding_as(SAMPLED)


def _outputs(
    texts: Mapping[str, str], judge: Judge, prompt: Prompt, store: Path, extra: Mapping[str, str]
) -> dict[str, str | Unreadable]:
    """Return the extractor's output for each id: from the store where it is there, else asked for and stored."""
    stored = _stored(store)
    decoding = json.dumps([dict(judge.decoding), extra], sort_keys=True, ensure_ascii=False)
    keys: dict[str, Key] = {name: (text, judge.model, prompt.hash, decoding) for name, text in texts.items()}
    missing = [name for name, key in keys.items() if key not in stored]
    if missing:
        asked = answers(judge, prompt, [{"text": texts[name], **extra} for name in missing])
        rows = [_row(name, keys[name], answer, prompt) for name, answer in zip(missing, asked, strict=True)]
        store.parent.mkdir(parents=True, exist_ok=True)
        with store.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        stored |= {keys[name]: row for name, row in zip(missing, rows, strict=True)}
    return {name: _output(stored[key], texts[name]) for name, key in keys.items()}


def _row(name: str, key: Key, answer: str | Failure, prompt: Prompt) -> dict[str, Any]:
    text, model, digest, decoding = key
    failed = isinstance(answer, Failure)
    row: dict[str, Any] = {"id": name, "text": text, "extracted": None if failed else answer, "model": model}
    row |= {"decoding": decoding, "prompt": prompt.name, "prompt_hash": digest}
    return {**row, "failure": answer.reason} if isinstance(answer, Failure) else row


def _output(row: Mapping[str, Any], text: str) -> str | Unreadable:
    return Unreadable(f"extractor:{row['failure']}", text) if "failure" in row else str(row["extracted"])


def _stored(path: Path) -> dict[Key, dict[str, Any]]:
    if not path.is_file():
        return {}
    rows = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], 1):
        try:
            row = json.loads(line)
            rows[(row["text"], row["model"], row["prompt_hash"], row["decoding"])] = row
        except (ValueError, KeyError, TypeError) as error:
            raise Malformed("an extracted label cannot be read", where=f"{path}:{number}", do="delete it") from error
    return rows
