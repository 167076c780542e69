"""Recordings of EMO-DB, damaged more and more: a judge of other speakers finds every kind of damage in its order."""

from __future__ import annotations

import csv
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from damaging import DAMAGE, LEVELS, read, write

from affectllm.cli import main
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder

ROOT = Path(os.environ.get("AFFECTLLM_CORPORA", "/nowhere")) / "emodb"
PAGE = """
table: made.csv
answers: kept
resample: item  # of five speakers; their number is too small for an interval of its own
judges:
  - name: shallow
    learn: {corpus: emodb, split: train, space: emodb_7, rater: actor, modalities: [audio]}
"""
EACH = 12  # recordings of each speaker

pytestmark = [pytest.mark.slow(minutes=0.5), pytest.mark.skipif(not ROOT.is_dir(), reason="EMO-DB is not here")]


@pytest.mark.parametrize("kind", DAMAGE)
def test_the_order_of_damage_is_recovered(kind: str, tmp_path: Path) -> None:
    every = [one for one in load_builder("emodb").samples(ROOT) if isinstance(one, Sample) and one.split != "train"]
    by_speaker: dict[str, list[Sample]] = {}
    for one in every:
        by_speaker.setdefault(str(one.speaker), []).append(one)
    chosen = [one for own in by_speaker.values() for one in own[:: max(1, len(own) // EACH)][:EACH]]
    sounds = [read(ROOT / one.media[0].path) for one in chosen]
    rows = []
    for level in LEVELS:
        for number, one in enumerate(chosen):
            made = DAMAGE[kind][level](sounds[number], sounds[number - EACH])  # another speaker's voice
            clip = write(tmp_path / level / f"{one.id}.wav", made)
            target = one.annotations[0].value
            rows.append([level + one.id, clip, ROOT / one.media[0].path, target, one.speaker, level, one.id])
    with (tmp_path / "made.csv").open("w", newline="") as stream:
        header = ["id", "clip", "reference", "target", "speaker", "system", "item"]
        csv.writer(stream).writerows([header, *rows])
    (tmp_path / "page.yaml").write_text(PAGE)
    assert main(["fidelity", str(tmp_path / "page.yaml"), "--out", str(tmp_path / "run")]) == 0
    judge = json.loads((tmp_path / "run/fidelity.json").read_text())["judges"]["shallow"]
    assert judge["real"]["accuracy"]["value"] > 0.7
    kept = [judge["systems"][level]["metrics"]["emotion_preservation"] for level in LEVELS]
    assert all(mild["value"] > worse["value"] for mild, worse in pairwise(kept)), [one["value"] for one in kept]
    ends = next(
        one
        for one in judge["differences"]["emotion_preservation"]
        if {one["first"], one["second"]} == {LEVELS[0], LEVELS[2]}
    )
    sign = 1 if ends["first"] == LEVELS[0] else -1
    assert min(sign * ends["low"], sign * ends["high"]) > 0
