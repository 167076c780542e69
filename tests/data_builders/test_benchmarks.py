"""What the builders of benchmarks and instruction sets do with the oddities of each release, and their real files."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.audit import audit
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise

BASE = os.environ.get("AFFECTLLM_CORPORA")


def read(name: str, root: Path) -> tuple[dict[str, Sample], Counter[str]]:
    items = list(load_builder(name).samples(root))
    samples = {item.id: item for item in items if isinstance(item, Sample)}
    return samples, Counter(
        item.reason for item in items if isinstance(item, Rejection) and item.reason != "file_missing"
    )


def read_miniature(name: str, folder: Path) -> tuple[dict[str, Sample], Counter[str]]:
    return read(name, materialise(load_builder(name).MINIATURE, folder))


def values(sample: Sample) -> dict[str, object]:
    return {annotation.space: annotation.value for annotation in sample.annotations}


def test_emobench_answers_are_options_once_stripped(tmp_path: Path) -> None:
    samples, reasons = read_miniature("emobench", tmp_path)
    action, emotion = samples["EA/en/1"], samples["EU/zh/1"]
    offered = ("Buy a third one", "Call the police", "Walk", "Weep")
    assert values(action) == {"emobench_action": {"options": offered, "right": ("Call the police",)}}
    chosen = {space: value["right"] for space, value in values(emotion).items()}
    assert chosen == {"emobench_emotion": ("高兴",), "emobench_cause": ("车回来了",)}
    assert emotion.language == "zh" and emotion.attributes["finegrained_category"] == "emotion_transition"
    assert reasons == {"unknown_label": 1, "broken_row": 1}


def test_eq_bench_scores_may_be_strings(tmp_path: Path) -> None:
    samples, reasons = read_miniature("eq_bench", tmp_path)
    question = samples["v2/en/1"]
    assert values(question)["eq_bench_fullscale"] == {"emotion1": 0, "emotion2": 6, "emotion3": 0, "emotion4": 7}
    assert question.attributes["emotion2"] == "Calm" and question.attributes["dialogue_text"].startswith("Ada: I sold")
    assert values(samples["v2/en/2"]).keys() == {"eq_bench_reference", "eq_bench_words_reference"}, (
        "neither 'much' nor 11 is a score"
    )
    assert reasons == {"broken_row": 2}


def test_emoprefer_counts_votes_and_reads_no_swapped_file(tmp_path: Path) -> None:
    samples, reasons = read_miniature("emoprefer", tmp_path)
    first, second = samples["v1/clip_1/1"], samples["v1/clip_1/2"]
    assert (values(first), values(second)) == ({"emoprefer_3": "a1"}, {"emoprefer_3": "a2"})
    assert second.attributes["a1_model"] == "model-z" and first.media[0].path.endswith("video/clip_1.mp4")
    voted, tied = samples["v2/clip_2/1"], samples["v2/clip_9/1"]
    assert values(voted) == {"emoprefer_3": "a1", "emoprefer_votes": {"a1": 2, "a2": 1}}
    assert values(tied)["emoprefer_3"] == ("a1", "a2")
    assert reasons == {"unknown_label": 1, "unsafe_path": 1, "media_missing": 1} and len(samples) == 4


def test_emoprefer_without_clips_is_text(tmp_path: Path) -> None:
    mini = {path: text for path, text in load_builder("emoprefer").MINIATURE.items() if path.endswith(".csv")}
    samples, reasons = read("emoprefer", materialise(mini, tmp_path))
    assert len(samples) == 4 and "media_missing" not in reasons


@pytest.mark.parametrize("column", ["annotator1", "Rater 1", "preference_1"])
def test_emoprefer_takes_a_column_an_annotator(column: str, tmp_path: Path) -> None:
    table = f"name,a1,a2,{column},{column.replace('1', '2')}\nclip,She smiles.,She cries.,a2,a2\n"
    samples, _ = read("emoprefer", materialise({"preference_emopreferv2.csv": table}, tmp_path))
    assert values(samples["v2/clip/1"]) == {"emoprefer_3": "a2", "emoprefer_votes": {"a2": 2}}


def test_aaid_tells_its_tasks_by_the_slot(tmp_path: Path) -> None:
    samples, reasons = read_miniature("aaid", tmp_path)
    assert {key: sample.attributes["task"] for key, sample in samples.items()} == {
        "train/1": "EI-reg",
        "train/2": "EI-oc",
        "train/3": "E-c",
        "train/4": "E-c",
        "validation/1": "V-reg",
        "test/1": "V-oc",
    }
    assert samples["train/1"].text == "Note: so angry\nAgain: angry"
    assert values(samples["train/1"]) == {"aaid_answer": "0.896", "aaid_intensity": {"anger": 0.896}}
    assert values(samples["train/2"])["aaid_intensity_class"] == {"joy": 2}
    assert values(samples["train/3"])["aaid_11"] == ("joy", "love")
    assert values(samples["train/4"]) == {"aaid_answer": "envy"}
    assert values(samples["test/1"])["aaid_valence_class"] == {"valence": -2}
    assert reasons == {"unknown_label": 1, "broken_row": 1}


def test_aeb_reads_a_file_a_task(tmp_path: Path) -> None:
    samples, reasons = read_miniature("aeb", tmp_path)
    assert {sample.attributes["task"] for sample in samples.values()} == {"SST5", "V-M", "GoEmotions"}
    assert values(samples["V-M/test.json/1"]) == {"aeb_answer": "-2.5", "aeb_score": {"score": -2.5}}
    assert values(samples["SST5.json/1"])["aeb_score"] == {"score": 0}
    assert values(samples["GoEmotions.jsonl/1"]) == {"aeb_answer": "joy, relief"}
    assert reasons == {"broken_row": 1}


@pytest.mark.parametrize(("name", "count"), [("emobench", 800), ("eq_bench", 402)])
def test_real_benchmarks_are_complete(name: str, count: int) -> None:
    if not BASE or not (Path(BASE) / name).is_dir():
        pytest.skip(f"$AFFECTLLM_CORPORA/{name} is not there")
    samples, reasons = read(name, Path(BASE) / name)
    assert len(samples) == count and not reasons
    assert audit(name, Path(BASE) / name, probe_media=False).ok
    if name == "emobench":
        assert Counter(sample.language for sample in samples.values()) == {"en": 400, "zh": 400}
    else:
        versions = Counter((s.attributes["version"], s.language) for s in samples.values())
        assert versions == {("v1", "en"): 60, ("v2", "en"): 171, ("v2", "de"): 171}
        assert all(sample.attributes.get("dialogue_text") for sample in samples.values())
