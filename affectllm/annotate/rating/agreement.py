"""How far people agree who rated exported items: Krippendorff's α from the files that the page saves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection
from affectllm.corpus.records.rows import read_rows
from affectllm.errors import Malformed, NotFound, placed
from affectllm.metrics.raters.agreement import krippendorff_alpha

Ratings = dict[str, dict[str, str]]
COLUMNS = ("item", "rater", "rating")


def ratings_of(paths: Sequence[Path]) -> Ratings:
    """Return item → rater → rating, of tables with the columns ``item``, ``rater`` and ``rating``.

    A row without a rating is no rating. A rater without a name is called as the file.

    Raises:
        NotFound: when there is no such file.
        Malformed: when a column is missing, a row is broken, or somebody rated an item twice and differently.
    """
    ratings: Ratings = defaultdict(dict)
    for path in paths:
        if not path.is_file():
            raise NotFound(f"there is no file {path}", do="give what the rating page saved")
        empty = True
        for row in read_rows(path, path.parent):
            empty = False
            if isinstance(row, Rejection):
                raise Malformed(f"{row.reason}: {row.detail}", where=row.where, do="mend the row")
            if missing := [name for name in COLUMNS if name not in row.fields]:
                raise Malformed(f"there is no column {missing[0]!r}", where=str(path), do="give what the page saves")
            item, rater, rating = (str(row.fields[name] or "").strip() for name in COLUMNS)
            if not rating:
                continue
            rater = rater or path.stem
            if ratings[item].get(rater, rating) != rating:
                raise Malformed(f"{rater} rated {item} twice, differently", where=row.where, do="keep one of the two")
            ratings[item][rater] = rating
        if empty:
            raise Malformed("the table has no rows", where=str(path), do="check that the file is complete")
    return dict(ratings)


def agreement(ratings: Ratings, scale: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return α, its interval, and what it rests on.

    Args:
        scale: the answers in their order, for the ordinal α; empty where they have none.

    Raises:
        Malformed: when no item has two ratings, all ratings are the same, or one is not on the scale.
    """
    rows = list(ratings.values())
    given = {rating for row in rows for rating in row.values()}
    if scale and (strange := sorted(given - set(scale))):
        do = "name all answers in their order: --scale 'not at all,partly,mostly,wholly'"
        raise Malformed(f"not on the scale {', '.join(scale)}: {', '.join(strange)}", do=do)
    result = {"nominal": krippendorff_alpha(rows)}
    if scale:
        result["ordinal"] = krippendorff_alpha(rows, level="ordinal", labels=scale)
    raters = sorted({rater for row in rows for rater in row})
    shared = sum(len(row) > 1 for row in rows)
    return {"items": len(rows), "rated_by_several": shared, "raters": raters, "alpha": result}


def print_agreement(paths: Sequence[Path], scale: Sequence[str] = ()) -> None:
    """Print the agreement of the people whose files are given.

    Raises:
        Malformed: as ``ratings_of`` and ``agreement``.
    """
    ratings = ratings_of(paths)
    with placed(" and ".join(map(str, paths))):
        facts = agreement(ratings, scale)
    items, shared, raters = facts["items"], facts["rated_by_several"], ", ".join(facts["raters"])
    print(f"{items:,} items, {shared:,} of them rated by several of {raters}")
    for level, one in facts["alpha"].items():
        interval = "" if one.low is None else f" [{one.low:.3f}, {one.high:.3f}]"
        print(f"Krippendorff's α, {level}: {one.value:.3f}{interval}")
