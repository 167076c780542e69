"""Conversation files: their columns and paths, and joining blocks of rows in a requested order."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from affectllm.corpus.store import JSON, JSONS, PARQUET, ROWS_PER_GROUP, TEXT, WHOLE, features_of, opened, schema_of
from affectllm.errors import Malformed, NotFound, explained
from affectllm.folders import discard
from affectllm.run import refuse_partial

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Features

Order = Literal["given", "shuffled", "short_first", "stages"]
CURRICULA: tuple[Order, ...] = ("short_first", "stages")
ROWS_PER_FILE = 50_000
FOLDER = "conversations"
_COLUMNS = {
    **dict.fromkeys(("id", "sample", "corpus", "split", "template", "language"), TEXT),
    **{"paraphrase": WHOLE, "messages": JSONS, "answer": TEXT, "value": JSON, "asked_by": JSON},
    **dict.fromkeys(("space", "rater", "speaker", "dialogue"), TEXT),
    "stage": WHOLE,
}
_REJECTED = {"rejected": TEXT}
_RANK = "rank"
_NAME = re.compile(r"(?P<split>[^.]+?)(?:-(?P<number>\d{5})-of-(?P<count>\d{5}))?\.parquet")


def conversation_features(rejected: bool = False) -> Features:
    """Return the columns of a conversations file as ``datasets`` features.

    Args:
        rejected: whether its mixture has worse answers: ``rejected`` is a text in place of the last answer, or None.
    """
    return features_of(_COLUMNS | (_REJECTED if rejected else {}))


def conversation_schema(rejected: bool = False) -> pa.Schema:
    """Return ``conversation_features(rejected).arrow_schema``, built without ``datasets``."""
    return schema_of(_COLUMNS | (_REJECTED if rejected else {}))


def conversation_files(build: Path, split: str) -> list[Path]:
    """Return the Parquet files of a split in their order: ``conversations/<split>-00000-of-00003.parquet`` and so on.

    Raises:
        NotFound: when there is none.
        Malformed: when one of them is missing or was changed after it was built.
    """
    files = files_by_split(build).get(split)
    if not files:
        raise NotFound(f"no {split} conversations in {build}", do="build first: affectllm build RECIPE")
    return files


def files_by_split(build: Path) -> dict[str, list[Path]]:
    """Return split → its Parquet files in order.

    Raises:
        Malformed: when the build did not finish, or a file is missing, was changed since, or has another name.
    """
    refuse_partial(build)
    files: dict[str, list[Path]] = {}
    for path in sorted((build / FOLDER).glob("*.parquet")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise Malformed("the name is neither SPLIT.parquet nor SPLIT-00000-of-00001.parquet", where=str(path))
        files.setdefault(match["split"], []).append(path)
    for split, paths in files.items():
        _check_whole(split, paths)
    return files


def _check_whole(split: str, paths: Sequence[Path]) -> None:
    matches = [match for path in paths if (match := _NAME.fullmatch(path.name))]
    counts = {match["count"] for match in matches}
    numbers = [int(match["number"] or 0) for match in matches]
    if len(counts) > 1 or numbers != list(range(int(matches[0]["count"] or 1))):
        names = ", ".join(path.name for path in paths[:5])
        raise Malformed(
            f"the files of {split} are not one whole set ({names})", where=str(paths[0].parent), do="build again"
        )


def gather(blocks: Sequence[Path], build: Path, split: str, order: Order, seed: int, schema: pa.Schema) -> int:
    """Join files of rows into the files of a split, and return the number of rows.

    ``given`` keeps the order and the blocks as they are, ``shuffled`` draws one from seed and row id, ``short_first``
    puts short messages first, ``stages`` goes by the parts' stages and shuffles within each. At most one file's rows
    are in memory.
    """
    (build / FOLDER).mkdir(parents=True, exist_ok=True)
    if order == "given":
        return _linked(blocks, build, split, schema)
    return _ordered(blocks, build, split, order, seed, schema)


def _linked(blocks: Sequence[Path], build: Path, split: str, schema: pa.Schema) -> int:
    """Hard-link the blocks as the files of a split, without copying; blocks without rows are left out."""
    sizes = [_rows(block) for block in blocks]
    filled = [block for block, size in zip(blocks, sizes, strict=True) if size]
    for number, block in enumerate(filled):
        place = _file(build, split, number, len(filled))
        place.unlink(missing_ok=True)
        _link(block, place)
    if not filled:
        with _File(build, split, 0, 1, schema):
            pass
    return sum(sizes)


def _link(block: Path, place: Path) -> None:
    with explained(place):
        try:
            os.link(block, place)
        except OSError:  # not every file system has links
            scratch = place.with_name(f".{place.name}.part")
            shutil.copyfile(block, scratch)
            scratch.replace(place)


def _ordered(blocks: Sequence[Path], build: Path, split: str, order: Order, seed: int, schema: pa.Schema) -> int:
    import numpy as np

    ranks = _ranks(blocks, order, seed)
    total = max(1, -(-len(ranks) // ROWS_PER_FILE))
    folder = build / f".{split}.ordered"
    folder.mkdir(exist_ok=True)
    buckets = [folder / f"{number:05d}.parquet" for number in range(total)]
    _distribute(blocks, buckets, ranks, np.arange(total), schema)
    for number, bucket in enumerate(buckets):
        with _File(build, split, number, total, schema) as file:
            file.write(_sorted(bucket))
        bucket.unlink()
    discard(folder)
    return len(ranks)


def _ranks(blocks: Sequence[Path], order: Order, seed: int) -> Any:
    """Return the new position of every row, in the old order."""
    import numpy as np

    first, second = list[float](), list[int]()
    for block in blocks:
        for table in _tables(block):
            first += _keys(table, order)
            for name in table["id"].to_pylist():
                second.append(int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big"))
    by_place = np.lexsort((np.array(second, np.uint64), np.array(first, np.float64)))
    ranks = np.empty(len(by_place), np.int64)
    ranks[by_place] = np.arange(len(by_place))
    return ranks


def _keys(table: pa.Table, order: Order) -> list[float]:
    if order == "shuffled":
        return [0.0] * table.num_rows
    if order == "stages":
        return [float(stage) for stage in table["stage"].to_pylist()]
    return [float(sum(map(len, map(str, messages)))) for messages in table["messages"].to_pylist()]


def _distribute(blocks: Sequence[Path], buckets: Sequence[Path], ranks: Any, numbers: Any, schema: pa.Schema) -> None:
    """Write every row into the bucket of the file that it will be in."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    schema = schema.append(pa.field(_RANK, pa.int64()))
    with ExitStack() as stack:
        writers = [stack.enter_context(parquet.ParquetWriter(bucket, schema, **PARQUET)) for bucket in buckets]
        start = 0
        for block in blocks:
            for table in _tables(block):
                own = ranks[start : start + table.num_rows]
                start += table.num_rows
                ranked = table.append_column(_RANK, pa.array(own))
                for number in numbers:
                    chosen = ranked.filter(pa.array(own // ROWS_PER_FILE == number))
                    if chosen.num_rows:
                        writers[number].write_table(chosen.cast(schema))


def _sorted(bucket: Path) -> pa.Table:
    import numpy as np
    import pyarrow.parquet as parquet

    table = parquet.read_table(bucket)
    return table.take(np.argsort(table[_RANK].to_numpy())).drop_columns(_RANK)


class _File:
    """Writes one file of a split, which appears under its name when it is complete."""

    def __init__(self, build: Path, split: str, number: int, total: int, schema: pa.Schema) -> None:
        self._schema = schema
        self._path = _file(build, split, number, total)
        self._scratch = self._path.with_name(f".{self._path.name}.part")

    def __enter__(self) -> _File:
        import pyarrow.parquet as parquet

        with explained(self._path):
            self._writer = parquet.ParquetWriter(self._scratch, self._schema, **PARQUET)
        return self

    def write(self, table: pa.Table) -> None:
        with explained(self._path):
            self._writer.write_table(table.cast(self._schema), row_group_size=ROWS_PER_GROUP)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with explained(self._path):
            self._writer.close()
            if kind is None:
                self._scratch.replace(self._path)
        self._scratch.unlink(missing_ok=True)


def _file(build: Path, split: str, number: int, total: int) -> Path:
    return build / FOLDER / f"{split}-{number:05d}-of-{total:05d}.parquet"


def _rows(block: Path) -> int:
    with opened(block) as file:
        return int(file.metadata.num_rows)


def _tables(block: Path) -> Iterator[pa.Table]:
    with opened(block) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)
