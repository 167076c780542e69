"""The contract that every file in data_builders/ keeps, checked on its miniature."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from affectllm import registry
from affectllm.corpus import SPLITS, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, Picture, Tone, materialise
from affectllm.corpus.shared_samples import samples_of as shared_samples_of
from affectllm.corpus.shared_samples import shared_samples
from affectllm.corpus.splits import shared_speakers
from affectllm.errors import MissingCorpus

pytestmark = pytest.mark.parametrize("name", list(registry.names("data_builders")))

Items = list[Sample | Rejection]
ARRAYS = {".npz", ".npy", ".pkl", ".p", ".mat", ".csd", ".xlsx"}


def read(name: str, folder: Path) -> Items:
    root = materialise(load_builder(name).MINIATURE, folder)
    return list(load_builder(name).samples(root))


def samples_of(items: Items) -> list[Sample]:
    return [item for item in items if isinstance(item, Sample)]


def rejected(items: Items) -> list[Rejection]:
    return [item for item in items if isinstance(item, Rejection)]


def test_the_card_is_complete(name: str) -> None:
    card = load_builder(name).CARD
    for fact in ("title", "citation", "obtain", "licence", "split_policy"):
        assert getattr(card, fact).strip(), fact
    is_computed = hasattr(load_builder(name), "generate")
    assert card.url.startswith(("http://", "https://")) or (is_computed and not card.url)
    assert re.search(r"(19|20)\d\d", card.citation), "a citation has a year"
    assert card.languages and card.spaces and card.raters and card.notes
    assert set(card.modalities) <= {"text", "audio", "video", "image"} and card.modalities
    assert set(card.counts) <= set(SPLITS) and all(count > 0 for count in card.counts.values())
    assert all(space.source for space in card.spaces)
    assert all(reason for reason in (*card.raters.values(), *card.defects.values()))
    assert (card.max_seconds is not None) == bool(set(card.modalities) & {"audio", "video"})


def test_shared_samples_are_the_builders_own(name: str, tmp_path: Path) -> None:
    items = read(name, tmp_path)
    with shared_samples():
        assert list(shared_samples_of(name, tmp_path)) == items


def test_its_story_is_told(name: str) -> None:
    module = load_builder(name)
    assert len(inspect.getdoc(module) or "") > 300, "a builder starts with the story of its corpus"
    assert inspect.getdoc(module.samples), "samples() says what one sample is"


def test_every_promised_split_is_in_the_miniature(name: str, tmp_path: Path) -> None:
    splits, counts = {sample.split for sample in samples_of(read(name, tmp_path))}, load_builder(name).CARD.counts
    assert splits == set(counts) or (splits and not counts)  # a release may fix a total, or nothing at all


def test_ids_are_unique_and_stable(name: str, tmp_path: Path) -> None:
    first, second = read(name, tmp_path / "one"), read(name, tmp_path / "two")
    assert first == second, "the folder a corpus lies in changes nothing"
    ids = [sample.id for sample in samples_of(first)]
    assert ids and len(set(ids)) == len(ids)
    assert {sample.corpus for sample in samples_of(first)} == {name}


def test_samples_are_read_one_by_one(name: str, tmp_path: Path) -> None:
    root = materialise(load_builder(name).MINIATURE, tmp_path)
    stream = load_builder(name).samples(root)
    assert iter(stream) is stream, "samples() is an iterator, not a list"
    assert isinstance(next(stream), (Sample, Rejection))


_WATCH = """
import json, os, sys
from pathlib import Path
from affectllm.corpus.builder import load_builder

def watch(name, root):
    opened = []
    note = lambda event, args: opened.append(args[0]) if event == "open" and isinstance(args[0], str) else None
    sys.addaudithook(note)
    items = list(load_builder(name).samples(Path(root)))
    Path(root, "canary").write_text("the watch sees this")
    seen = [os.path.relpath(path, root) for path in opened if path.startswith(root)]
    heavy = sorted({"av", "soundfile", "numpy", "torch", "PIL", "pandas"} & set(sys.modules))
    Path(root + ".json").write_text(json.dumps([len(items), seen, heavy]))

for name in sys.argv[2:]:
    if not (child := os.fork()):
        watch(name, os.path.join(sys.argv[1], name))
        sys.exit()
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every builder reads its miniature in a process of its own, forked from one that has imported what they share.

    Not in this one, since an audit hook stays for good and other tests have imported everything.
    """
    folder = tmp_path_factory.mktemp("watched")
    names = list(registry.names("data_builders"))
    for name in names:
        materialise(load_builder(name).MINIATURE, folder / name)
    subprocess.run([sys.executable, "-c", _WATCH, str(folder), *names], check=True)
    return folder


def test_no_clip_is_opened_and_nothing_heavy_imported(name: str, watched: Path) -> None:
    miniature = load_builder(name).MINIATURE
    count, opened, heavy = json.loads((watched / f"{name}.json").read_text(encoding="utf-8"))
    assert count and "canary" in opened
    clips = {path for path, content in miniature.items() if isinstance(content, (Clip, Tone, Picture))}
    assert not clips & set(opened)
    # Labels that are published as arrays or workbooks cannot be read without these two.
    allowed = {"numpy", "pandas"} if any(Path(path).suffix in ARRAYS for path in miniature) else set()
    assert set(heavy) <= allowed


def test_broken_clips_change_nothing_in_the_samples(name: str, tmp_path: Path) -> None:
    sound = read(name, tmp_path)
    for path, content in load_builder(name).MINIATURE.items():
        if isinstance(content, (Clip, Tone, Picture)):
            (tmp_path / path).write_bytes(b"")
    assert list(load_builder(name).samples(tmp_path)) == sound


def test_annotations_are_in_declared_spaces_by_declared_raters(name: str, tmp_path: Path) -> None:
    card = load_builder(name).CARD
    seen = set()
    for sample in samples_of(read(name, tmp_path)):
        assert sample.annotations, f"{sample.id} has no annotation"
        layers = [(annotation.space, annotation.rater) for annotation in sample.annotations]
        assert len(set(layers)) == len(layers), f"{sample.id} is annotated twice by one rater in one space"
        for annotation in sample.annotations:
            card.space(annotation.space).check(annotation.value)
            assert annotation.rater in card.raters
        seen |= set(layers)
    assert {space for space, _ in seen} == {space.name for space in card.spaces}
    assert {rater for _, rater in seen} <= set(card.raters)


def test_media_lie_below_the_root_and_are_of_a_declared_modality(name: str, tmp_path: Path) -> None:
    card = load_builder(name).CARD
    refs = [ref for sample in samples_of(read(name, tmp_path)) for ref in sample.media]
    assert bool(refs) == bool(set(card.modalities) - {"text"})
    for ref in refs:
        assert (tmp_path / ref.path).is_file() and ".." not in Path(ref.path).parts
        assert ref.modality in card.modalities
        assert not Path(ref.path).name.startswith("._")


def test_sources_point_at_files_and_lines(name: str, tmp_path: Path) -> None:
    for item in read(name, tmp_path):
        if isinstance(item, Rejection) and item.reason == "file_missing":
            continue
        file, _, line = (item.source if isinstance(item, Sample) else item.where).partition(":")
        assert (tmp_path / file).exists(), item
        if line:
            assert 1 <= int(line) <= len((tmp_path / file).read_bytes().split(b"\n")), item


def test_splits_share_no_dialogue_and_no_promised_speaker(name: str, tmp_path: Path) -> None:
    samples = samples_of(read(name, tmp_path))
    dialogues = {(sample.dialogue, sample.split) for sample in samples if sample.dialogue}
    assert len({dialogue for dialogue, _ in dialogues}) == len(dialogues)
    if load_builder(name).CARD.speaker_disjoint:
        assert all(sample.speaker for sample in samples)
        assert shared_speakers(samples) == {}


def test_known_defects_are_rejected_with_their_reason(name: str, tmp_path: Path) -> None:
    defects = load_builder(name).CARD.defects
    items = read(name, tmp_path)
    met = {item.item: item.detail for item in rejected(items) if item.reason == "known_defect"}
    assert bool(met) == bool(defects), "the miniature of a corpus with defects has one of them"
    assert met.items() <= defects.items()
    marked = {sample.id: sample.attributes["defect"] for sample in samples_of(items) if "defect" in sample.attributes}
    assert marked == met, "what is kept of a defect item says so"


def test_rejections_say_why_and_where(name: str, tmp_path: Path) -> None:
    for rejection in rejected(read(name, tmp_path)):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", rejection.reason)
        assert rejection.item and rejection.where
        assert "._" not in rejection.item, "debris of an operating system is nobody's loss"


def test_samples_survive_json(name: str, tmp_path: Path) -> None:
    for sample in samples_of(read(name, tmp_path)):
        assert Sample.from_json(json.loads(json.dumps(sample.to_json()))) == sample


def test_a_folder_that_is_not_there_or_empty_is_explained(name: str, tmp_path: Path) -> None:
    builder = load_builder(name)
    for root in (tmp_path / "absent", tmp_path):
        with pytest.raises(MissingCorpus) as caught:
            list(builder.samples(root))
        message = str(caught.value)
        assert str(root) in message and f"--root {name}=" in message and builder.CARD.obtain in message


def test_a_root_one_level_too_high_is_found(name: str, tmp_path: Path) -> None:
    inside = read(name, tmp_path / "above" / "corpus")
    (tmp_path / "above" / "somebody_else").mkdir()
    (tmp_path / "above" / "somebody_else" / "holiday.mp4").write_bytes(b"not ours")
    above = list(load_builder(name).samples(tmp_path / "above"))
    assert [item.id for item in samples_of(above)] == [item.id for item in samples_of(inside)]
    assert [item.reason for item in rejected(above)] == [item.reason for item in rejected(inside)]
    for sample in samples_of(above):
        assert all((tmp_path / "above" / ref.path).is_file() for ref in sample.media)
