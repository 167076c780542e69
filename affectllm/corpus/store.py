"""Streaming Parquet: rows in, a file that ``datasets.load_dataset("parquet", …)`` opens out, in constant memory."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from affectllm.errors import WriteFailed

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Features

ROWS_PER_GROUP = 2_000


def sample_features() -> Features:
    """Columns of a samples file. Polymorphic fields are ``Json``, so that absent keys do not come back as None."""
    from datasets import Features, Json, List, Value

    text = Value("string")
    return Features(
        {
            "id": text,
            "corpus": text,
            "split": text,
            "text": text,
            "language": text,
            "speaker": text,
            "dialogue": text,
            "context": List({"speaker": text, "text": text}),
            "media": List(Json()),
            "annotations": List(Json()),
            "attributes": Json(),
            "source": text,
        }
    )


class Writer:
    """Writes rows to ``path`` in row groups; the file appears under its name only when it is whole.

    Use as a context manager: on an exception the partial file is removed.

    Raises:
        WriteFailed: when the file system refuses (disk full, no permission).
    """

    def __init__(self, path: Path, features: Features) -> None:
        self.path, self.rows = path, 0
        self._schema: pa.Schema = features.arrow_schema
        self._columns = [_column(field.name, field.type, repr(features[field.name])) for field in self._schema]
        self._scratch = path.with_name(f".{path.name}.part")
        self._waiting = 0
        self._parquet: Any = None

    def __enter__(self) -> Writer:
        import pyarrow.parquet as parquet

        with explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._parquet = parquet.ParquetWriter(self._scratch, self._schema, compression="zstd")
            except OSError:  # the file is there already when its first bytes are refused
                self._scratch.unlink(missing_ok=True)
                raise
        return self

    def write(self, row: Mapping[str, Any]) -> None:
        """Add one row; keys are the features' names."""
        for column in self._columns:
            column.add(row[column.name])
        self.rows += 1
        self._waiting += 1
        if self._waiting >= ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        arrays = [column.take() for column in self._columns]
        with explained(self.path):
            self._parquet.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._waiting = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                with explained(self.path):
                    self._parquet.close()
                    self._scratch.replace(self.path)
        finally:
            self._discard()

    def _discard(self) -> None:
        # Closing writes a footer, which a full disk refuses too; the file is thrown away either way.
        try:
            if self._parquet is not None and self._parquet.is_open:
                self._parquet.close()
        except OSError:
            pass
        self._scratch.unlink(missing_ok=True)


class _Plain:
    """Values of one column until its row group is written."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        self.name, self.kind, self._values = name, kind, list[Any]()
        self.add = self._values.append

    def take(self) -> pa.Array:
        """What was added since the last time, as one array."""
        import pyarrow as pa

        array = pa.array(self._values, self.kind)
        self._values.clear()
        return array


class _Json(_Plain):
    """A column of JSON. Values become text at once: waiting as objects they would keep the garbage collector busy."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        super().__init__(name, kind)
        append = self._values.append
        self.add = lambda value: append(_dump(value))

    def take(self) -> pa.Array:
        import pyarrow as pa

        array = pa.ExtensionArray.from_storage(self.kind, pa.array(self._values, pa.string()))
        self._values.clear()
        return array


class _JsonList(_Plain):
    """A column of lists of JSON."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        super().__init__(name, kind)
        self._ends = [0]
        self.add = self._extend

    def _extend(self, items: Iterable[Any]) -> None:
        for item in items:
            self._values.append(_dump(item))
        self._ends.append(len(self._values))

    def take(self) -> pa.Array:
        import pyarrow as pa

        inner = pa.ExtensionArray.from_storage(self.kind.value_type, pa.array(self._values, pa.string()))
        array = pa.ListArray.from_arrays(pa.array(self._ends, pa.int32()), inner, type=self.kind)
        self._values.clear()
        self._ends = [0]
        return array


def _column(name: str, kind: pa.DataType, feature: str) -> _Plain:
    import pyarrow as pa

    if "Json" not in feature:
        return _Plain(name, kind)
    return (_Json if isinstance(kind, pa.BaseExtensionType) else _JsonList)(name, kind)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a file made by ``Writer``, with Json columns decoded, one row group in memory at a time."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path) as file:
        json_columns = _json_columns(file.schema_arrow)
        for batch in file.iter_batches(batch_size=ROWS_PER_GROUP):
            for row in batch.to_pylist():
                for name, nested in json_columns.items():
                    row[name] = [_load(item) for item in row[name]] if nested else _load(row[name])
                yield row


def _json_columns(schema: pa.Schema) -> dict[str, bool]:
    import pyarrow as pa

    found = {}
    for field in schema:
        nested = pa.types.is_list(field.type)
        if isinstance(field.type.value_type if nested else field.type, pa.BaseExtensionType):
            found[field.name] = nested
    return found


def _dump(value: Any) -> str:
    return "".join(_CHUNKS(value, False))


def _chunks() -> Callable[[Any, bool], Iterable[str]]:
    """What ``json.dumps`` builds anew on every call, which takes longer than encoding a message."""
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    if c_make_encoder is None:
        return encoder.iterencode
    return c_make_encoder(None, encoder.default, encode_basestring, None, ":", ",", False, False, True)


_CHUNKS = _chunks()


def _load(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class explained:
    """Turns the operating system's refusals to write into ``WriteFailed``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        remedy = "free some space, or choose another --out" if error.errno == errno.ENOSPC else "check the folder"
        raise WriteFailed(f"could not write: {error.strerror or error}", where=str(self.path), do=remedy) from error
