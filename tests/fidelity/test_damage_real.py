"""Real recordings, damaged more and more: a judge of other speakers finds every kind of damage in its order."""

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

CORPORA = Path(os.environ.get("AFFECTLLM_CORPORA", "/nowhere"))
PAGE = """
table: made.csv
answers: kept
resample: item  # of five speakers; their number is too small for an interval of its own
judges:
  - name: shallow
    learn: {corpus: CORPUS, split: train, space: SPACE, rater: actor, modalities: [audio]}
"""
EACH = 12  # recordings of each speaker, at most
JUDGED = {"emodb": ("emodb_7", 0.7, ["emodb"]), "ravdess": ("ravdess_8", 0.4, ["ravdess", "crema_d"])}
"""Corpus that the judge has learned from → its labels, what it gets right at least of unknown speakers, and whose
recordings it judges. CREMA-D's two speakers are of none of them, and too few to show an order by themselves."""

pytestmark = [pytest.mark.slow(minutes=0.5), pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora are here")]


def _unknown_speakers(corpora: list[str]) -> list[tuple[Sample, Path]]:
    """Return recordings of every speaker that the judge has not heard, with their files."""
    by_speaker: dict[tuple[str, str], list[tuple[Sample, Path]]] = {}
    for name in corpora:
        for one in load_builder(name).samples(CORPORA / name):
            if not isinstance(one, Sample):
                continue
            sounds = [ref for ref in one.media if ref.modality == "audio"]
            if sounds and (one.split != "train" or name != corpora[0]):
                file = CORPORA / name / sounds[0].path
                by_speaker.setdefault((name, str(one.speaker)), []).append((one, file))
    return [pair for own in by_speaker.values() for pair in own[:: max(1, len(own) // EACH)][:EACH]]


CASES = [("emodb", kind) for kind in DAMAGE] + [("ravdess", "voice")]
FURTHER = [pytest.param("ravdess", kind, marks=pytest.mark.thorough) for kind in DAMAGE if kind != "voice"]


@pytest.mark.parametrize(("corpus", "kind"), [*CASES, *FURTHER])
def test_the_order_of_damage_is_recovered(corpus: str, kind: str, tmp_path: Path) -> None:
    space, right, corpora = JUDGED[corpus]
    chosen = _unknown_speakers(corpora)
    sounds = [read(file) for _, file in chosen]
    rows = []
    for level in LEVELS:
        for number, (one, file) in enumerate(chosen):
            made = DAMAGE[kind][level](sounds[number], sounds[number - EACH])  # another speaker's voice
            clip = write(tmp_path / level / f"{one.id}.wav", made)
            target = one.annotations[0].value
            rows.append([level + one.id, clip, file, target, one.speaker, level, one.id])
    with (tmp_path / "made.csv").open("w", newline="") as stream:
        header = ["id", "clip", "reference", "target", "speaker", "system", "item"]
        csv.writer(stream).writerows([header, *rows])
    (tmp_path / "page.yaml").write_text(PAGE.replace("CORPUS", corpus).replace("SPACE", space))
    assert main(["fidelity", str(tmp_path / "page.yaml"), "--out", str(tmp_path / "run")]) == 0
    judge = json.loads((tmp_path / "run/fidelity.json").read_text())["judges"]["shallow"]
    assert judge["real"]["accuracy"]["value"] > right
    kept = [judge["systems"][level]["metrics"]["emotion_preservation"] for level in LEVELS]
    assert all(mild["value"] > worse["value"] for mild, worse in pairwise(kept)), [one["value"] for one in kept]
    ends = next(
        one
        for one in judge["differences"]["emotion_preservation"]
        if {one["first"], one["second"]} == {LEVELS[0], LEVELS[2]}
    )
    sign = 1 if ends["first"] == LEVELS[0] else -1
    assert min(sign * ends["low"], sign * ends["high"]) > 0
