"""Write the samples file of a task whose documents are on disk: the rows that lm-eval would have kept in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from lm_eval.utils import handle_non_serializable, hash_string, sanitize_list

from affectllm.errors import explained
from affectllm.evaluate.stored_requests import StoredRequest
from affectllm.evaluate.task import AffectTask


def write_samples(task: AffectTask, path: Path) -> None:
    """Write a row for each document and filter of a finished task, in lm-eval's format.

    Raises:
        WriteFailed: when the file system refuses.
    """
    with explained(path), path.open("w", encoding="utf-8") as stream:
        for row in _rows(task):
            stream.write(json.dumps(row, ensure_ascii=False, default=handle_non_serializable) + "\n")


def _rows(task: AffectTask) -> Iterator[dict[str, Any]]:
    """Yield the rows; lm-eval asked for the results of all documents filter by filter, in this order."""
    results = iter(task.results or ())
    for name in task.instances[0].filtered_resps:
        for _, group in groupby(task.instances, key=lambda request: request.doc_id):
            requests = sorted(group, key=lambda request: request.idx)
            yield _row(task, name, requests, next(results))


def _row(task: AffectTask, name: str, requests: list[StoredRequest], result: Mapping[str, Any]) -> dict[str, Any]:
    document = requests[0].doc.read()
    target = str(task.doc_to_target(document))
    text = json.dumps(document, indent=2, default=handle_non_serializable, ensure_ascii=False)
    return {
        "doc_id": requests[0].doc.number,
        "doc": document,
        "target": target,
        "arguments": {
            f"gen_args_{number}": {f"arg_{place}": one for place, one in enumerate(request.arguments)}
            for number, request in enumerate(requests)
        },
        "resps": sanitize_list([[*request.resps] for request in requests]),
        "filtered_resps": sanitize_list([request.filtered_resps[name] for request in requests]),
        "filter": name,
        "metrics": list(result),
        "doc_hash": hash_string(text),
        "prompt_hash": hash_string(requests[0].arguments[0]),
        "target_hash": hash_string(target),
        **result,
    }
