"""Names that differ in nothing that a reader sees, names that no disk can hold, and texts that no file can."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from affectllm.cli import main
from affectllm.corpus import MediaRef, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.names import ByName
from affectllm.corpus.files.suffixes import FILMS, MEDIA, PICTURES, SOUNDS
from affectllm.corpus.guard import guarded
from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import Malformed

PAGE = (
    "name: mine\n{0}\nraters: {{annotator: me}}\nlabels: [{{space: ekman_6_neutral, rater: annotator, column: {1}}}]\n"
    "media: [{{column: {2}, modality: audio{3}}}]\n"
)


def table(root: Path, names: list[str], folder: str = ", folder: clips") -> tuple[list[str], list[tuple[str, str]]]:
    """What becomes of a table that names these files: the clips that are used, and what is counted."""
    (root / "affectllm.yaml").write_text(PAGE.format("table: t.csv", "mood", "file", folder), encoding="utf-8")
    rows = "".join(f'"{name}",anger\n' for name in names)
    (root / "t.csv").write_text(f"file,mood\n{rows}", encoding="utf-8")
    return split(load_builder("generic").samples(root))


def split(items: Iterator[Sample | Rejection]) -> tuple[list[str], list[tuple[str, str]]]:
    yielded = list(items)
    used = [ref.path for item in yielded if isinstance(item, Sample) for ref in item.media]
    return used, [(item.item, item.reason) for item in yielded if isinstance(item, Rejection)]


def test_names_are_found_in_another_form_or_case_and_counted(tmp_path: Path) -> None:
    asked = ["Zoë_ärger.wav", "ギター.wav", "plain.wav", "Sub/q.wav", "여자.wav"]
    there = [unicodedata.normalize("NFD", name) for name in asked[:3]] + ["sub/Q.WAV", asked[4]]
    materialise({f"clips/{name}": Tone() for name in there}, tmp_path)
    used, counted = table(tmp_path, asked)
    assert used == [f"clips/{name}" for name in there]
    assert counted == [(f"clips/{asked[n]}", "other_name") for n in (0, 1, 3)]


def test_a_name_that_several_files_could_mean_is_missing(tmp_path: Path) -> None:
    materialise({"clips/a.WAV": Tone(), "clips/A.wav": Tone(), "clips/b.wav": Tone()}, tmp_path)
    used, counted = table(tmp_path, ["a.wav", "b.wav", "A.wav"])
    assert used == ["clips/b.wav", "clips/A.wav"] and counted == [("a.wav", "media_missing")]


def test_a_colon_is_part_of_a_name_and_a_drive_is_none(tmp_path: Path) -> None:
    materialise({"clips/12:30.wav": Tone(), "clips/a:b:c.wav": Tone()}, tmp_path)
    used, counted = table(tmp_path, ["12:30.wav", "a:b:c.wav", "C:\\x.wav", "c:/x.wav"])
    assert used == ["clips/12:30.wav", "clips/a:b:c.wav"]
    assert counted == [("C:\\x.wav", "unsafe_path"), ("c:/x.wav", "unsafe_path")]


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "d/" * 3000 + "x.wav", "a\0b.wav"])
def test_a_name_that_no_disk_can_hold_costs_its_own_clip(name: str, tmp_path: Path) -> None:
    materialise({"clips/b.wav": Tone()}, tmp_path)
    used, counted = table(tmp_path, [name, "b.wav"])
    assert used == ["clips/b.wav"] and [reason for _, reason in counted] == ["media_missing"]


def test_keys_are_found_as_they_stand_first() -> None:
    names = ByName([("é", 1), ("A", 2), ("a", 3), ("B", 4)])
    assert (names["é"], names[unicodedata.normalize("NFD", "é")], names["É"]) == (1, 1, 1)
    assert (names["A"], names["a"], names["b"], names.get("c")) == (2, 3, 4, None)
    assert "b" in names and list(names) == ["é", "A", "a", "B"]


def test_clips_are_found_by_stems_in_another_form(tmp_path: Path) -> None:
    materialise({unicodedata.normalize("NFD", "ä.wav"): Tone(), "B.WAV": Tone()}, tmp_path)
    clips = Clips(tmp_path, tmp_path)
    assert [len(clips.media(key)) for key in ("ä", "b", "c")] == [1, 1, 0]
    assert not list(clips.left()), "what was found under another spelling was asked for"


# ── files in class folders ───────────────────────────────────────────────────────────────────────────────────────────


def test_every_file_of_a_class_folder_is_used_or_counted(tmp_path: Path) -> None:
    good = [f"clips/anger/{n}{suffix}" for n, suffix in enumerate((*FILMS, *SOUNDS, *PICTURES, ".WAV", ".Mp4"))]
    odd = ["clips/anger/notes.txt", "clips/sadness/x.docx", "clips/sadness/none", "clips/anger/a/b/deep.wav"]
    debris = ["clips/anger/Thumbs.db", "clips/anger/._1.wav", "clips/anger/desktop.ini", "clips/__MACOSX/x.wav"]
    materialise({name: b"x" for name in (*good, *odd, *debris, "clips/README.md")}, tmp_path)
    page = PAGE.format("folder: clips", "class", "path", "")
    (tmp_path / "affectllm.yaml").write_text(page, encoding="utf-8")
    used, counted = split(load_builder("generic").samples(tmp_path))
    assert sorted(used) == sorted(good)
    assert sorted(counted) == sorted((name, "unknown_name") for name in odd)


def test_every_ending_that_pillow_opens_is_known() -> None:
    image = pytest.importorskip("PIL.Image")
    image.init()
    opened = {suffix for suffix, kind in image.registered_extensions().items() if kind in image.OPEN}
    # PostScript needs a program beside it; the others are metafiles of one system, or data without a picture.
    others = {".ps", ".eps", ".wmf", ".emf", ".bufr", ".grib", ".h5", ".hdf"}
    assert opened - others <= set(MEDIA)


def test_every_ending_of_common_containers_is_known() -> None:
    av = pytest.importorskip("av")
    formats = ("mp4", "matroska", "webm", "avi", "flv", "ogg", "aac", "flac", "mp3", "ac3", "eac3", "dts", "tta", "nut")
    suffixes = {f".{suffix}" for name in formats for suffix in av.ContainerFormat(name, "r").extensions}
    assert suffixes - {".heic", ".heif", ".mks"} <= set(MEDIA), (
        "pictures of telephones need a library; .mks holds subtitles"
    )


def test_pictures_of_corpora_in_class_folders_may_have_any_ending(tmp_path: Path) -> None:
    files = [f"{part}/{name}/{part}.TIF" for part in ("train", "val", "test") for name in ("awe", "fear", "anger")]
    materialise({name: b"x" for name in (*files, "train/awe/notes.doc")}, tmp_path)
    items = list(load_builder("fi").samples(tmp_path))
    assert len([item for item in items if isinstance(item, Sample)]) == len(files)
    assert [(r.item, r.reason) for r in items if isinstance(r, Rejection)] == [("train/awe/notes.doc", "unknown_name")]


# ── the fence of the guard ───────────────────────────────────────────────────────────────────────────────────────────


def of(**fields: object) -> Sample:
    return Sample(**{"id": "a", "corpus": "toy", "split": "train", "annotations": (), "source": "t:1", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields", [{"text": "\ud800"}, {"id": "a\udcff"}, {"speaker": "\udfff"}, {"attributes": {"note": "\ud83d"}}]
)
def test_half_a_character_is_counted_before_anything_is_written(fields: dict, tmp_path: Path) -> None:
    def samples(root: Path) -> Iterator[Sample | Rejection]:
        yield of(id="first")
        yield of(**fields)
        yield Rejection("odd\udc80.wav", "unknown_name", "odd\udc80.wav")

    first, lost, odd = guarded(samples)(tmp_path)
    assert isinstance(first, Sample) and isinstance(lost, Rejection) and lost.reason == "bad_encoding"
    assert isinstance(odd, Rejection)
    for text in (lost.item, lost.where, odd.item, odd.where):
        text.encode("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_on_disk_that_is_no_text_is_counted(tmp_path: Path) -> None:
    materialise({"clips/anger/good.wav": Tone()}, tmp_path)
    Path(os.fsdecode(os.fsencode(tmp_path / "clips/anger") + b"/b\xe4d.wav")).write_bytes(b"x")
    page = PAGE.format("folder: clips", "class", "path", "")
    (tmp_path / "affectllm.yaml").write_text(page, encoding="utf-8")
    used, counted = split(load_builder("generic").samples(tmp_path))
    assert used == ["clips/anger/good.wav"] and [reason for _, reason in counted] == ["bad_encoding"]


def test_a_builder_that_fails_is_told_with_the_place_and_no_traceback(tmp_path: Path) -> None:
    def samples(root: Path) -> Iterator[Sample | Rejection]:
        yield of(source="t.csv:7", media=())
        raise KeyError("mood")

    with pytest.raises(Malformed, match=r"(?s)after t\.csv:7: KeyError: 'mood'.*test_names\.py:\d+"):
        list(guarded(samples)(tmp_path))


def test_a_clip_that_is_nowhere_stays_with_its_sample(tmp_path: Path) -> None:
    ref = MediaRef("gone.wav", "audio")
    (kept,) = guarded(lambda root: iter([of(media=(ref,))]))(tmp_path)
    assert isinstance(kept, Sample) and kept.media == (ref,)


def test_a_file_is_used_that_is_called_as_the_table_says_to_the_last_sign(tmp_path: Path) -> None:
    clips = [" blank/twin.wav", "blank/twin.wav", "back\\slash.wav"]
    materialise({name: Tone() for name in clips}, tmp_path)
    assert table(tmp_path, [*clips, "blank\\twin.wav", " blank/gone.wav"], folder="") == (
        [*clips, "blank/twin.wav"],
        [(" blank/gone.wav", "media_missing")],
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
def test_a_name_that_is_no_text_is_counted_and_the_others_are_built(tmp_path: Path) -> None:
    root = materialise({"clips/anger/a.wav": Tone(), "clips/anger/b.wav": Tone()}, tmp_path / "root")
    os.rename(root / "clips/anger/b.wav", os.fsencode(root / "clips/anger") + b"/\xff.wav")
    (root / "affectllm.yaml").write_text(PAGE.format("folder: clips", "class", "path", ""), encoding="utf-8")
    assert main(["build", "generic", "--root", f"generic={root}", "--out", str(tmp_path / "out")]) == 0
    (lost,) = (tmp_path / "out/generic/rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lost)["reason"] == "bad_encoding"
