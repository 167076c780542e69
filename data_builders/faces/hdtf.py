"""HDTF: 362 videos of politicians and radio guests who speak to the camera, for models of talking faces.

A pool of media: nobody judged an emotion. The release is lists, three sets of them: RD (radio), WDA and WRA (the
weekly addresses of the two parties of the United States). ``RD_annotion_time.txt`` has a video and the stretches in
which a face speaks: ``Radio11.mp4 00:30-01:00 01:30-02:30``. ``…_video_url.txt`` says where it is (without ``.mp4``,
and sometimes with ``&t=6s`` behind), ``…_resolution.txt`` how large, ``…_crop_wh.txt`` where the face is (x, width, y,
height as the lists have them). A sample is one stretch. Its one annotation, in an open space, is what the lists say it
is: a guest on the radio, or a weekly address, and of which side.

Cut clips are called ``{video}_{number}.mp4``, or ``RD_{video}_{number}.mp4``; where only whole videos are there, the
stretch is a span of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus import TRAIN, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import clips_below, unusable
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import (
    folder_of,
    folders_below,
    inside,
    missing_file,
    read_lines,
)
from affectllm.labels import Annotation, LabelSpace

SETS = {
    "RD": "a guest speaks on the radio",
    "WDA": "a weekly address of the Democratic party",
    "WRA": "a weekly address of the Republican party",
}
FACTS = ("video_url", "resolution", "crop_wh", "crop_ratio")
SPACE = LabelSpace(
    "hdtf_occasion",
    "open",
    (),
    source="Zhang et al., Flow-guided One-shot Talking Face Generation with a High-resolution Audio-visual Dataset, "
    "CVPR 2021; by the name of the list",
)
CARD = CorpusCard(
    name="hdtf",
    title="HDTF",
    citation="Zhang, Li, Ding, Fan: Flow-guided One-shot Talking Face Generation with a High-resolution Audio-visual "
    "Dataset. CVPR 2021",
    url="https://github.com/MRzzm/HDTF",
    obtain="HDTF_dataset/ from https://github.com/MRzzm/HDTF ; the videos from the addresses in its lists, cut or "
    "whole, in any folder beside it",
    licence="CC-BY-4.0 (lists); the videos belong to their authors",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio"),
    spaces=(SPACE,),
    raters={"lists": "the list in which a video stands; nobody judged what is felt"},
    counts={TRAIN: 429},
    split_policy="none: a pool of media for training, all of it train",
    max_seconds=600.0,
    notes=(
        "There is no emotion in this corpus: the one annotation says on which occasion somebody speaks.",
        "The count is one stretch for each of the 362 published videos and the 67 further stretches of the lists.",
        "The speaker is the name of the video without its number; radio guests have none.",
        "A stretch that ends before it begins is rejected as broken_row.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "HDTF_dataset/RD_annotion_time.txt": "Radio1.mp4 00:00-00:01 00:02-00:03 \n"
    "Radio2.mp4 00:30-00:10\n../Radio3.mp4 00:00-00:01\n",
    "HDTF_dataset/RD_video_url.txt": "Radio1 https://example.org/watch?v=a&t=6s\n",
    "HDTF_dataset/RD_crop_wh.txt": "Radio1_0.mp4 10 200 30 200\nRadio1_1.mp4 11 200 30 200\n",
    "HDTF_dataset/WDA_annotion_time.txt": "AnnaExample0.mp4 00:05-01:40\nnonsense\n",
    "HDTF_dataset/WDA_resolution.txt": "AnnaExample0.mp4 720\n",
    "HDTF_dataset/WRA_annotion_time.txt": "BenExample.mp4 00:05-00:40\n",
    "clips/RD_Radio1_0.mp4": Clip(),
    "clips/._RD_Radio1_0.mp4": b"\x00\x05\x16\x07",
    "videos/AnnaExample0.mp4": Clip(),
}
_STRETCH = re.compile(r"(\d+):(\d+)-(\d+):(\d+)")


@dataclass(frozen=True, slots=True)
class _Stretch:
    group: str
    video: str
    index: int
    start: float
    end: float
    where: str

    @property
    def name(self) -> str:
        return f"{self.video}_{self.index}"


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per stretch of speech, in the order of the lists."""
    base = folder_of(root, CARD, lambda folder: bool(_times(folder)), "HDTF_dataset/RD_annotion_time.txt")
    clips = clips_below(list(folders_below(root, 3)), root)
    lists = _times(base)
    for group in SETS:
        if group not in lists:
            yield missing_file(f"{group}_annotion_time.txt", CARD)
            continue
        facts = {name: _facts(lists[group].with_name(f"{group}_{name}.txt"), root) for name in FACTS}
        for stretch in _stretches(lists[group], group, root):
            if isinstance(stretch, Rejection):
                yield stretch
            else:
                yield from _sample(stretch, clips, facts, root)


def _times(folder: Path) -> dict[str, Path]:
    tables: dict[str, Path] = {}
    for group in SETS:
        for name in (f"{group}_annotion_time.txt", f"{group}_annotation_time.txt"):  # the release misspells it
            paths = [place / name for place in (folder, folder / "HDTF_dataset") if (place / name).is_file()]
            if paths:
                tables.setdefault(group, paths[0])
    return tables


def _facts(path: Path, root: Path) -> dict[str, str]:
    """Return name of a video or of a stretch → what the list says about it."""
    facts_by_name = {}
    for line in read_lines(path, root) if path.is_file() else ():
        if not isinstance(line, Rejection):
            name, _, fact = line[1].strip().partition(" ")
            facts_by_name[name.removesuffix(".mp4")] = fact.strip()
    return facts_by_name


def _stretches(path: Path, group: str, root: Path) -> Iterator[_Stretch | Rejection]:
    seen: set[str] = set()
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        named, _, times = line[1].strip().partition(" ")
        video = named.removesuffix(".mp4")
        if not line[1].strip():
            continue
        if not inside(named) or "/" in named:
            yield Rejection(named, "unsafe_path", line[0], "not the name of a file")
            continue
        stretches = [_STRETCH.fullmatch(time) for time in times.split()]
        if not stretches or video in seen:
            reason = "duplicate_id" if video in seen else "broken_row"
            yield Rejection(video, reason, line[0], line[1][:120])
            continue
        seen.add(video)
        for index, time in enumerate(stretches):
            start, end = _seconds(time) if time else (0.0, 0.0)
            if end > start:
                yield _Stretch(group, video, index, start, end, line[0])
            else:
                yield Rejection(f"{video}_{index}", "broken_row", line[0], "ends before it begins")


def _seconds(time: re.Match[str]) -> tuple[float, float]:
    first_minute, first, last_minute, last = (int(part) for part in time.groups())
    return float(first_minute * 60 + first), float(last_minute * 60 + last)


def _sample(
    stretch: _Stretch, clips: Mapping[str, str], facts: Mapping[str, Mapping[str, str]], root: Path
) -> Iterator[Sample | Rejection]:
    identifier = f"{stretch.group}/{stretch.name}"
    names = (stretch.name, f"{stretch.group}_{stretch.name}")
    wholes = (stretch.video, f"{stretch.group}_{stretch.video}")
    clip = next((clips[name] for name in names if name in clips), None)
    whole = next((clips[name] for name in wholes if name in clips), None)
    ref = MediaRef(clip, "video", sound=True) if clip else None
    if ref is None and whole:
        ref = MediaRef(whole, "video", sound=True, start=stretch.start, end=stretch.end)
    if ref and (trouble := unusable(root, ref.path, identifier)):
        yield trouble
        ref = None
    elif ref is None and clips:
        yield Rejection(identifier, "media_missing", stretch.where)
    listed = {name: table.get(stretch.name, table.get(stretch.video, "")) for name, table in facts.items()}
    person = re.sub(r"\d+$", "", stretch.video)
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=TRAIN,
        annotations=(Annotation(SPACE.name, "lists", SETS[stretch.group]),),
        source=stretch.where,
        language="en",
        speaker=stretch.video if stretch.group == "RD" else person,
        media=(ref,) if ref else (),
        attributes={
            "set": stretch.group,
            "video": stretch.video,
            "start": f"{stretch.start:g}",
            "end": f"{stretch.end:g}",
            **{name: fact for name, fact in listed.items() if fact},
        },
    )
