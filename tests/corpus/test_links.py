"""Corpora behind symbolic links: what a user or a hub linked is read, or refused once with the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from affectllm.cli import main
from affectllm.corpus import MediaRef, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.files.links import VARIABLE
from affectllm.corpus.guard import guarded
from affectllm.corpus.miniature import Tone, materialise
from affectllm.corpus.reading import list_media
from affectllm.errors import Malformed

NAMES = ("03a01Fa.wav", "08a01Na.wav", "09a01Wa.wav", "10a01Ta.wav", "11a01Fa.wav")


def read(root: Path) -> tuple[list[str], list[Rejection]]:
    items = list(load_builder("emodb").samples(root))
    media = [ref.path for item in items if isinstance(item, Sample) for ref in item.media]
    return media, [item for item in items if isinstance(item, Rejection)]


def disk(folder: Path) -> Path:
    return materialise({name: Tone() for name in NAMES}, folder)


def hub(folder: Path) -> Path:
    """What a hub's download returns: a folder of links into the blobs beside it."""
    disk(folder / "blobs")
    wav = folder / "snapshots/0a1b2c/wav"
    wav.mkdir(parents=True)
    for name in NAMES:
        (wav / name).symlink_to(Path("../../../blobs") / name)
    return wav.parent


def test_a_download_of_a_hub_is_read_wherever_its_root_is_named(tmp_path: Path) -> None:
    root = hub(tmp_path / "datasets--me--emodb")
    (tmp_path / "mine").symlink_to(root)
    for named in (root, tmp_path / "datasets--me--emodb", tmp_path / "mine", root / "wav"):
        media, rejections = read(named)
        assert {Path(path).name for path in media} >= set(NAMES) and not rejections, named


def test_a_snapshot_is_no_way_out_of_its_own_blobs(tmp_path: Path) -> None:
    root = hub(tmp_path / "datasets--me--emodb")
    (tmp_path / "secret.wav").write_bytes(b"not yours")
    (root / "wav" / NAMES[0]).unlink()
    (root / "wav" / NAMES[0]).symlink_to(tmp_path / "secret.wav")
    media, rejections = read(root)
    assert len(media) == 4 and [r.reason for r in rejections] == ["unsafe_path"]
    assert f"{VARIABLE}={tmp_path}" in rejections[0].detail


@pytest.mark.parametrize("nested", [False, True])
def test_a_linked_folder_is_refused_once_with_a_remedy_that_works(nested: bool, capsys, monkeypatch, tmp_path) -> None:
    store, root = disk(tmp_path / "disk/wav"), tmp_path / "home/emodb"
    root.mkdir(parents=True)
    (tmp_path / "disk/other").symlink_to(store)
    (root / "wav").symlink_to(tmp_path / "disk/other" if nested else store)
    with pytest.raises(Malformed, match="wav is a link that leaves the corpus") as caught:
        read(root)
    assert f"{VARIABLE}={store}" in caught.value.do
    assert main(["audit", "emodb", "--no-media", "--root", f"emodb={root}"]) == 2
    assert VARIABLE in capsys.readouterr().err
    monkeypatch.setenv(VARIABLE, f"/nowhere:{store}")
    media, rejections = read(root)
    assert len(media) == len(NAMES) and not rejections


def test_many_links_that_all_lead_out_are_refused_and_one_among_clips_is_counted(monkeypatch, tmp_path: Path) -> None:
    store, root = disk(tmp_path / "disk"), tmp_path / "emodb"
    (root / "wav").mkdir(parents=True)
    for name in NAMES:
        (root / "wav" / name).symlink_to(store / name)
    with pytest.raises(Malformed, match="every clip is a link that leaves the corpus") as caught:
        read(root)
    assert VARIABLE in caught.value.do
    monkeypatch.setenv(VARIABLE, str(store))
    assert len(read(root)[0]) == len(NAMES)
    monkeypatch.delenv(VARIABLE)
    (root / "wav" / NAMES[0]).unlink()
    (root / "wav" / NAMES[0]).write_bytes((store / NAMES[0]).read_bytes())
    media, rejections = read(root)
    assert media == [f"wav/{NAMES[0]}"] and {r.reason for r in rejections} == {"unsafe_path"}


def test_links_within_the_root_are_followed_and_those_to_nothing_are_counted(tmp_path: Path) -> None:
    root = tmp_path / "emodb"
    disk(root / "store")
    (root / "wav").mkdir()
    (root / "wav" / NAMES[0]).symlink_to(root / "store" / NAMES[0])
    (root / "wav" / NAMES[1]).symlink_to(root / "store/gone.wav")
    (root / "wav" / NAMES[2]).symlink_to(NAMES[2])  # itself
    for name in NAMES:
        (root / "store" / name).rename(root / "store" / name.replace(".wav", ".bin"))
    (root / "store" / NAMES[0]).write_bytes((root / "store" / NAMES[0]).with_suffix(".bin").read_bytes())
    (root / "store").rename(root / ".store")
    (root / "wav" / NAMES[0]).unlink()
    (root / "wav" / NAMES[0]).symlink_to(root / ".store" / NAMES[0])
    media, rejections = read(root)
    assert media == [f"wav/{NAMES[0]}"]
    assert [(r.item, r.reason, r.detail) for r in rejections] == [
        (f"wav/{name}", "media_missing", "a link to nothing") for name in NAMES[1:3]
    ]


def test_folders_that_lie_in_themselves_are_looked_into_once(tmp_path: Path) -> None:
    disk(tmp_path / "a/b")
    (tmp_path / "a/b/up").symlink_to(tmp_path / "a")
    (tmp_path / "a/b/same").symlink_to(".")
    (tmp_path / "a/self").symlink_to("self")
    (tmp_path / "a/there").symlink_to(tmp_path / "a/back")
    (tmp_path / "a/back").symlink_to(tmp_path / "a/there")
    listed = [path.relative_to(tmp_path).as_posix() for path in list_media(tmp_path, (".wav",), 7)]
    assert listed == [f"a/b/{name}" for name in sorted(NAMES)]


def test_a_path_of_a_builder_is_held_against_the_root_under_the_name_that_is_found(tmp_path: Path) -> None:
    def samples(root: Path) -> Iterator[Sample | Rejection]:
        ref = MediaRef("CLIP.wav", "audio")
        yield Sample(id="a", corpus="toy", split="train", annotations=(), source="t.csv:2", media=(ref,))

    (tmp_path / "corpus").mkdir()
    (tmp_path / "secret").write_bytes(b"not yours")
    (tmp_path / "corpus/clip.WAV").symlink_to(tmp_path / "secret")
    refused, kept = guarded(samples)(tmp_path / "corpus")
    assert isinstance(refused, Rejection) and refused.reason == "unsafe_path"
    assert isinstance(kept, Sample) and not kept.media
