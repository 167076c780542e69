"""Print audits of corpora on disk, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from affectllm.corpus.roots import Roots
from affectllm.voice import bar


def audit(names: Sequence[str], roots: Roots, *, media: bool, as_json: bool) -> bool:
    """Compare each corpus on disk with its card, print the result, and return whether all of them agree."""
    from affectllm.corpus.audit import audit as compare
    from affectllm.model.clips.probe import probe

    reports = []
    for name in names:
        with bar(desc=f"auditing {name}", unit=" samples") as shown:
            reports.append(compare(name, roots.find(name), media, probe, lambda _: shown.update()))
    if as_json:
        print(json.dumps([report.to_json() for report in reports], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(report.render() for report in reports))
    return all(report.ok for report in reports)
