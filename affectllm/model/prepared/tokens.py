"""Conversations as tokens on disk: templated, tokenised and spliced with their clips once, and read again by row.

A file of whole numbers, mapped into memory, so that any number of conversations takes no memory of a process, and
beside it the place of each row. Clips stand in it by their keys in the cache of prepared media.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import explained
from affectllm.model.encode import Encoded, Encoder
from affectllm.run import digest

if TYPE_CHECKING:
    import numpy as np

_LAYOUT = 1
_HEAD = 5  # numbers before a conversation: tokens, rows of positions, clips, tokens of clips, trimmed clips
_KEY = 2  # numbers of a key of 16 hexadecimal digits


def tokens_file(folder: Path, name: str, encoder: Encoder) -> Path:
    """Return the file of a split's tokens as this encoder makes them: another tokenizer or template has another one."""
    tokenizer = encoder.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    words = tokenizer.get_vocab() if backend is None else backend.to_str()
    made_by = digest([_LAYOUT, encoder.identity, tokenizer.chat_template, words])
    return folder / f"tokens_{name}_{made_by}.bin"


def as_numbers(item: Encoded) -> np.ndarray | None:
    """Return a conversation as int32 numbers, its clips by their keys; None where one of them is in no cache."""
    import numpy as np

    if item.keys is None:
        return None
    rows = [] if item.positions is None else [*item.positions]
    head = [item.length, len(rows), len(item.keys), item.of_clips, item.trimmed]
    keys = np.frombuffer(bytes.fromhex("".join(item.keys)), np.int32)
    return np.concatenate(
        [np.array(head, np.int32), keys, *(_int32(row) for row in (item.input_ids, item.labels, *rows))]
    )


def _int32(tensor: Any) -> np.ndarray:
    import numpy as np

    array: np.ndarray = tensor.numpy().astype(np.int32)
    return array


class TokensWriter:
    """Writes the tokens of rows in their order; the file has its name once ``finish`` was called.

    Args:
        path: from ``tokens_file``.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._scratch = path, path.with_name(f".{path.name}.part")
        self._ends = [0]
        with explained(path):
            self._stream = self._scratch.open("wb")

    def add(self, conversations: Sequence[np.ndarray | None]) -> None:
        """Append a row; one without conversations, or with one that has no numbers, is encoded anew when it is read."""
        whole = [one for one in conversations if one is not None]
        if len(whole) < len(conversations):
            whole = []
        with explained(self.path):
            for numbers in whole:
                self._stream.write(numbers.tobytes())
        self._ends.append(self._ends[-1] + sum(map(len, whole)))

    def finish(self) -> None:
        """Give the files their names, that of the tokens last."""
        import numpy as np

        with explained(self.path):
            self._stream.close()
            np.save(_ends(self.path), np.array(self._ends, np.int64))
            self._scratch.replace(self.path)


class KeptTokens:
    """The conversations of rows, by the numbers of the rows.

    Args:
        path: of a file that is finished.
        encoder: by whose cache clips are found.
    """

    def __init__(self, path: Path, encoder: Encoder) -> None:
        import numpy as np

        self._path, self._encoder = path, encoder
        # As plain arrays, whose slices are made several times as fast as those of mapped ones.
        self._row_ends = np.load(_ends(path), mmap_mode="r").view(np.ndarray)
        numbers = np.memmap(path, np.int32, "r") if path.stat().st_size else np.zeros(0, np.int32)
        self._numbers = numbers.view(np.ndarray)

    def __reduce__(self) -> tuple[type[KeptTokens], tuple[Path, Encoder]]:
        return KeptTokens, (self._path, self._encoder)  # another process maps the file itself

    def conversations(self, row: int) -> list[Encoded] | None:
        """Return the conversations of a row; None where they or one of their clips are not kept."""
        place, end = self._row_ends[row : row + 2].tolist()
        items = []
        while place < end:
            item, place = self._read(place)
            if item is None:
                return None
            items.append(item)
        return items or None

    def _read(self, place: int) -> tuple[Encoded | None, int]:
        """Return the conversation at a place, and the place after it."""
        import torch

        length, rows, clips, of_clips, trimmed = self._numbers[place : place + _HEAD].tolist()
        begin = place + _HEAD + _KEY * clips
        end = begin + (2 + rows) * length
        keys = self._numbers[place + _HEAD : begin].tobytes().hex()
        names = tuple(keys[at : at + 16] for at in range(0, len(keys), 16))
        media = self._encoder.kept(names)
        if media is None:
            return None, end
        table = torch.from_numpy(self._numbers[begin:end].astype("int64")).view(2 + rows, length)
        return Encoded(table[0], table[1], media, table[2:] if rows else None, of_clips, trimmed, names), end


def discard_tokens(paths: Iterable[Path]) -> None:
    """Delete files of tokens, which no later epoch reads; a process that has mapped one still reads it."""
    for path in paths:
        path.unlink(missing_ok=True)
        _ends(path).unlink(missing_ok=True)


def _ends(path: Path) -> Path:
    return path.with_suffix(".npy")
