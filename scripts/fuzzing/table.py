"""Format the outcomes of fuzzing as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fuzzing.trial import Outcome

_LONGEST = 90  # characters of a detail


def table(outcomes: Sequence[Outcome]) -> str:
    """Return reasons with their counts, ``undecodable`` ones by exception, and every fault, as text."""
    rows = [f"{count:>7,}  {reason}" for reason, count in Counter(o.reason for o in outcomes).most_common()]
    kinds = Counter(o.detail[:_LONGEST] for o in outcomes if o.reason == "undecodable")
    rows += [f"{count:>7,}    undecodable by {kind}" for kind, count in kinds.most_common()]
    faults = [f"  {o.name} (asked {o.ask}): {o.fault}" for o in outcomes if o.fault]
    return "\n".join([f"{len(outcomes):,} files", *rows, f"{len(faults):,} faults", *faults])
