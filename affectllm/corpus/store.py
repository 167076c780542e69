"""Write and read Parquet in constant memory; ``datasets.load_dataset("parquet", …)`` opens the files too."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed, NotFound, explained

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Features
    from pyarrow.parquet import ParquetFile

ROWS_PER_GROUP = 2_000
PARQUET: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
"""How every file is written: a bit that a disk has turned is then an error for whoever reads it."""


# Column → what is in it. Polymorphic fields are JSON, so that absent keys do not come back as None.
TEXT, JSON, JSONS, TURNS, WHOLE = "text", "json", "list of json", "list of turns", "whole number"
_SAMPLE = {
    **dict.fromkeys(("id", "corpus", "split", "text", "language", "speaker", "dialogue"), TEXT),
    **{"context": TURNS, "media": JSONS, "annotations": JSONS, "attributes": JSON, "source": TEXT},
}


def sample_features() -> Features:
    """Return the columns of a samples file as ``datasets`` features."""
    return features_of(_SAMPLE)


def sample_schema() -> pa.Schema:
    """Return ``sample_features().arrow_schema``, built without ``datasets``."""
    return schema_of(_SAMPLE)


def features_of(columns: Mapping[str, str]) -> Features:
    """Return columns as ``datasets`` features: name → ``TEXT``, ``JSON``, ``JSONS``, ``TURNS`` or ``WHOLE``."""
    from datasets import Features, Json, List, Value

    text = Value("string")
    kinds = {TEXT: text, JSON: Json(), JSONS: List(Json()), WHOLE: Value("int32")}
    kinds[TURNS] = List({"speaker": text, "text": text})
    return Features({name: kinds[kind] for name, kind in columns.items()})


def schema_of(columns: Mapping[str, str]) -> pa.Schema:
    """Return ``features_of(columns).arrow_schema``, built without ``datasets``.

    Importing ``datasets`` imports torch: 250 MiB and some seconds in every process that only writes rows.
    """
    import pyarrow as pa

    text, json_text = pa.string(), pa.json_(pa.string())
    turn = pa.struct([("speaker", text), ("text", text)])
    types = {TEXT: text, JSON: json_text, JSONS: pa.list_(json_text), TURNS: pa.list_(turn), WHOLE: pa.int32()}
    value, either = {"dtype": "string", "_type": "Value"}, {"_type": "Json"}
    feature_types: dict[str, dict[str, Any]] = {
        **{TEXT: value, JSON: either, JSONS: {"feature": either, "_type": "List"}},
        WHOLE: {"dtype": "int32", "_type": "Value"},
        TURNS: {"feature": {"speaker": value, "text": value}, "_type": "List"},
    }
    # What datasets finds its own types by when it opens the file.
    info = {"info": {"features": {name: feature_types[kind] for name, kind in columns.items()}}}
    fields = [(name, types[kind]) for name, kind in columns.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps(info)})


class Writer:
    """Writes rows to ``path`` in row groups; the file appears under its name only when it is whole.

    Use as a context manager: on an exception the partial file is removed.

    Args:
        features: the columns, as ``datasets`` or as Arrow describes them.

    Raises:
        WriteFailed: when the file system refuses (disk full, no permission).
    """

    def __init__(self, path: Path, features: Features | pa.Schema) -> None:
        self.path, self.rows = path, 0
        self._schema: pa.Schema = getattr(features, "arrow_schema", features)
        self._columns = [_column(field.name, field.type) for field in self._schema]
        self._scratch = path.with_name(f".{path.name}.part")
        self._waiting = 0
        self._parquet: Any = None

    def __enter__(self) -> Writer:
        import pyarrow.parquet as parquet

        with explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._parquet = parquet.ParquetWriter(self._scratch, self._schema, **PARQUET)
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
        """Return the values added since the last call, as one array."""
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


def _column(name: str, kind: pa.DataType) -> _Plain:
    nested = _json_nesting(kind)
    return _Plain(name, kind) if nested is None else (_JsonList if nested else _Json)(name, kind)


def _json_nesting(kind: pa.DataType) -> bool | None:
    """Return True for lists of JSON, False for JSON, None for anything else."""
    import pyarrow as pa

    nested = pa.types.is_list(kind)
    return nested if isinstance(kind.value_type if nested else kind, pa.JsonType) else None


def read_rows(path: Path, groups: Iterable[int] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file made by ``Writer``, with Json columns decoded, one row group in memory at a time.

    Args:
        groups: numbers of the row groups to read; None for all.

    Raises:
        Malformed: when the file is damaged.
    """
    with opened(path) as file:
        json_columns = _json_columns(file.schema_arrow)
        for number in range(file.num_row_groups) if groups is None else groups:
            with readable(path):
                table = file.read_row_group(number)
                columns = {
                    name: _decoded(table[name], json_columns[name]) if name in json_columns else table[name].to_pylist()
                    for name in table.column_names
                }
            for values in zip(*columns.values(), strict=True):
                yield dict(zip(columns, values, strict=True))


@contextmanager
def opened(path: Path) -> Iterator[ParquetFile]:
    """Open a Parquet file whose pages are checked as they are read.

    Raises:
        Malformed: when it is damaged.
        NotFound: when it is not there.
    """
    import pyarrow.parquet as parquet

    with readable(path):
        file = parquet.ParquetFile(path, page_checksum_verification=True)
    with file:
        yield file


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn Arrow's errors about a damaged file into ``Malformed``."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"there is no {path}", do="build again") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        message = str(error).partition("\n")[0]
        raise Malformed(f"the file is damaged: {message}", where=str(path), do="build again") from error


def _decoded(column: pa.ChunkedArray, nested: bool) -> list[Any]:
    """Parse a JSON column in one go: a call of the parser for every value would take twice as long."""
    values = column.combine_chunks()
    if not nested:
        return _parsed(values.storage.to_pylist() if hasattr(values, "storage") else values.to_pylist())
    ends = values.offsets.to_pylist()
    inner = values.values
    decoded = _parsed(inner.storage.to_pylist() if hasattr(inner, "storage") else inner.to_pylist())
    return [decoded[begin:end] for begin, end in itertools.pairwise(ends)]


def _parsed(texts: list[str | None]) -> list[Any]:
    values: list[Any] = json.loads("[" + ",".join("null" if text is None else text for text in texts) + "]")
    return values


def _json_columns(schema: pa.Schema) -> dict[str, bool]:
    nesting = {field.name: _json_nesting(field.type) for field in schema}
    return {name: nested for name, nested in nesting.items() if nested is not None}


def _dump(value: Any) -> str:
    return "".join(_CHUNKS(value, False))


def _chunks() -> Callable[[Any, bool], Iterable[str]]:
    """Return the encoder that ``json.dumps`` would build on every call, which takes longer than encoding a message."""
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    if c_make_encoder is None:
        return encoder.iterencode
    return c_make_encoder(None, encoder.default, encode_basestring, None, ":", ",", False, False, True)


_CHUNKS = _chunks()
