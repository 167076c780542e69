"""WebDataset: tar files in which each sample is ``<key>.json`` and the bytes of its files beside it.

A reader takes what lies before the first dot of a member's name as the key and the rest as the field, so keys are
numbers and the id stands in the JSON. Its messages are content parts; one that shows a file names its ``member``.
``sizes.json`` has the number of samples in each shard.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from affectllm.errors import explained
from affectllm.instruct.exports.exported import Exported, File
from affectllm.instruct.exports.page import Format, Page
from affectllm.run import write_json

SHARD_SAMPLES = 10_000
SHARD_BYTES = 1_000_000_000
_OURS = ("type", "corpus", "path", "start", "end")  # what is said by the member itself, or in its place


def write(page: Page) -> list[str]:
    """Write ``<split>-000000.tar`` and so on, and ``sizes.json``."""
    sizes: dict[str, int] = {}
    advice = []
    for split, conversations in page.conversations.items():
        with Shards(page.scratch, split) as shards:
            for one in conversations:
                shards.write(one)
        sizes |= shards.sizes
        if shards.sizes:
            last = max(shards.sizes).removesuffix(".tar").rpartition("-")[2]
            advice.append(f'webdataset.WebDataset("{page.place(split)}-{{000000..{last}}}.tar", shardshuffle=False)')
    write_json(page.scratch / "sizes.json", sizes)
    return advice


class Shards:
    """Writes samples into numbered tar files of at most ``SHARD_SAMPLES`` samples and about ``SHARD_BYTES`` bytes.

    Args:
        folder: where they lie.
        split: begins their names.

    Attributes:
        sizes: name of each shard → its number of samples.
    """

    def __init__(self, folder: Path, split: str) -> None:
        self.folder, self.split, self.sizes = folder, split, dict[str, int]()
        self._tar: tarfile.TarFile | None = None
        self._bytes = self._rows = 0

    def __enter__(self) -> Shards:
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def write(self, one: Exported) -> None:
        """Add one sample; its files are copied in."""
        files = one.files()
        size = sum(file.path.stat().st_size for file in files)
        full = self._tar is not None and (self._bytes + size > SHARD_BYTES or self.sizes[self._name()] >= SHARD_SAMPLES)
        if full:
            self._close()
        if self._tar is None:
            self._open()
        key = f"{self._rows:09d}"
        members = {file: f"{_field(file, number)}" for number, file in _numbered(files)}
        record = json.dumps(_record(one, members), ensure_ascii=False).encode()
        self._add(f"{key}.json", io.BytesIO(record), len(record))
        for file, field in members.items():
            with file.path.open("rb") as stream:
                self._add(f"{key}.{field}", stream, file.path.stat().st_size)
        self.sizes[self._name()] += 1
        self._rows += 1
        self._bytes += size + len(record)

    def _name(self) -> str:
        return f"{self.split}-{self._number:06d}.tar"

    def _open(self) -> None:
        self._number, self._bytes = len(self.sizes), 0
        self.sizes[self._name()] = 0
        with explained(self.folder / self._name()):
            self._tar = tarfile.open(self.folder / self._name(), "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115

    def _add(self, name: str, stream: IO[bytes], size: int) -> None:
        assert self._tar is not None
        member = tarfile.TarInfo(name)  # its defaults carry no time and no user: the same rows give the same bytes
        member.size = size
        with explained(self.folder / self._name()):
            self._tar.addfile(member, stream)

    def _close(self) -> None:
        if self._tar is not None:
            self._tar.close()
            self._tar = None


def _numbered(files: list[File]) -> Iterator[tuple[int, File]]:
    """Yield each file with its number among those of its kind; one that is shown twice comes once."""
    seen: dict[str, int] = {}
    for file in dict.fromkeys(files):
        seen[file.kind] = seen.get(file.kind, -1) + 1
        yield seen[file.kind], file


def _field(file: File, number: int) -> str:
    return f"{file.kind}{number}{file.path.suffix.lower()}"


def _record(one: Exported, members: dict[File, str]) -> dict[str, Any]:
    def part(file: File) -> dict[str, Any]:
        own = {key: value for key, value in file.part.items() if key not in _OURS}
        return {"type": file.kind, "member": members[file], **own}

    messages = [{"role": turn.role, "content": turn.parts(part)} for turn in one.turns]
    worse = {"rejected": one.rejected.parts(part)} if one.rejected else {}
    return {"id": one.id, "corpus": one.corpus, "messages": messages, **worse}


FORMAT = Format(
    "webdataset", "tar files of samples with their clips", write, apart=False, silences=True, embeds=True, pairs=True
)
