"""Print audits of corpora on disk, as text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from affectllm.corpus.roots import Roots


def audit(names: Sequence[str], roots: Roots, *, media: bool, as_json: bool) -> bool:
    """Compare each corpus on disk with its card, print the result, and return whether all of them agree."""
    from tqdm import tqdm

    from affectllm.corpus.audit import audit as compare
    from affectllm.model.clips.probe import probe

    reports = []
    for name in names:
        with tqdm(desc=f"auditing {name}", unit=" samples", file=sys.stderr) as bar:
            reports.append(compare(name, roots.find(name), media, probe, lambda _: bar.update()))
    if as_json:
        print(json.dumps([report.to_json() for report in reports], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(report.render() for report in reports))
    return all(report.ok for report in reports)
