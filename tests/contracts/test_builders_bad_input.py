"""Bad input to every builder: files that are missing, cut, doubled or foreign cost what they held, and no more."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from affectllm import registry
from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.errors import AffectError, MissingCorpus

pytestmark = pytest.mark.parametrize("name", list(registry.names("data_builders")))
TABLES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".gold"}


def materialised(name: str, folder: Path) -> Path:
    return materialise(load_builder(name).MINIATURE, folder)


def read(name: str, root: Path) -> tuple[dict[str, Sample], list[Rejection]]:
    items = list(load_builder(name).samples(root))
    samples = [item for item in items if isinstance(item, Sample)]
    assert len({sample.id for sample in samples}) == len(samples)
    return {s.id: s for s in samples}, [item for item in items if isinstance(item, Rejection)]


def survives(name: str, root: Path) -> Iterator[tuple[dict[str, Sample], list[Rejection]]]:
    """What is read; nothing where the corpus says in its own words why it cannot be read at all."""
    try:
        yield read(name, root)
    except AffectError as error:
        assert len(str(error)) > 30 and "the builder failed" not in str(error)


def tables(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path.suffix.lower() in TABLES)


def words(sample: Sample) -> tuple[object, ...]:
    return sample.text, sample.annotations, sample.split, sample.speaker, sample.context


def test_debris_of_operating_systems_is_nobodys_sample(name: str, tmp_path: Path) -> None:
    root = materialised(name, tmp_path)
    before = read(name, root)
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    for path in [path for path in root.rglob("*") if path.is_file() and path.name[0] not in ".T"]:
        path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
    after = read(name, root)
    assert after[0] == before[0]
    assert Counter(r.reason for r in after[1]) == Counter(r.reason for r in before[1])


def test_windows_line_ends_change_nothing(name: str, tmp_path: Path) -> None:
    root = materialised(name, tmp_path)
    before = {key: words(sample) for key, sample in read(name, root)[0].items()}
    for path in tables(root):
        data = path.read_bytes()
        if data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            path.write_bytes(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert {key: words(sample) for key, sample in read(name, root)[0].items()} == before


def test_a_missing_file_costs_what_it_held_and_is_told(name: str, tmp_path: Path) -> None:
    whole, _ = read(name, materialised(name, tmp_path / "whole"))
    for number, path in enumerate(tables(tmp_path / "whole")):
        root = materialised(name, tmp_path / str(number))
        (root / path.relative_to(tmp_path / "whole")).unlink()
        for samples, rejections in survives(name, root):
            assert set(samples) <= set(whole) or rejections, path.name
            if len(samples) < len(whole):
                assert rejections, (
                    f"{path.name} is missing, {len(whole) - len(samples)} samples are, and nothing is said"
                )


def test_a_file_cut_in_the_middle_costs_no_more_than_itself(name: str, tmp_path: Path) -> None:
    read(name, materialised(name, tmp_path / "whole"))
    for number, path in enumerate(tables(tmp_path / "whole")):
        root = materialised(name, tmp_path / str(number))
        cut = root / path.relative_to(tmp_path / "whole")
        cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
        for _ in survives(name, root):
            pass


def test_bytes_of_no_encoding_are_counted_and_not_fatal(name: str, tmp_path: Path) -> None:
    read(name, materialised(name, tmp_path / "whole"))
    for number, path in enumerate(tables(tmp_path / "whole")):
        root = materialised(name, tmp_path / str(number))
        with (root / path.relative_to(tmp_path / "whole")).open("ab") as stream:
            stream.write(b"\n\x81\xff\xfe\x00 \xe2\x80 broken\n")
        for _ in survives(name, root):
            pass


@pytest.mark.parametrize("wrong", ["x" * 300, "a\0b", "\\ud83d"])
def test_a_name_that_no_disk_can_hold_ends_no_corpus(name: str, wrong: str, tmp_path: Path) -> None:
    root = materialised(name, tmp_path)
    samples, _ = read(name, root)
    stems = {Path(ref.path).stem for sample in samples.values() for ref in sample.media}
    for path in tables(root):
        content = path.read_bytes()
        for stem in sorted(stem for stem in stems if len(stem) > 3)[:4]:
            content = content.replace(stem.encode(), wrong.encode())
        path.write_bytes(content)
    for by_id, _ in survives(name, root):
        for sample in by_id.values():
            str(sample.to_json()).encode("utf-8")


def test_an_archive_that_nobody_unpacked_is_named(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "download.zip", "w") as archive:
        archive.writestr("readme.txt", "unpack me")
    with pytest.raises(MissingCorpus, match=r"unpack download\.zip"):
        list(load_builder(name).samples(tmp_path))


def test_links_that_leave_the_corpus_bring_no_media(name: str, tmp_path: Path) -> None:
    root, secret = materialised(name, tmp_path / "corpus"), tmp_path / "secret.bin"
    secret.write_bytes(b"not yours")
    refs = {ref.path for sample in read(name, root)[0].values() for ref in sample.media}
    for path in sorted(refs)[:3]:
        (root / path).unlink()
        (root / path).symlink_to(secret)
    samples, rejections = read(name, root)
    led_out = {ref.path for sample in samples.values() for ref in sample.media} & set(sorted(refs)[:3])
    assert not led_out, f"{led_out} lead out of the corpus"
    assert len(rejections) >= bool(refs)
