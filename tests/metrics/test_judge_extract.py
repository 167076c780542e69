"""Extraction of labels by a model: kept beside the texts, and failing in every way."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from judging import said, sampler, served, words_of

from affectllm.errors import Malformed
from affectllm.labels.reading import Unreadable
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL
from affectllm.metrics.judge import (
    EndpointJudge,
    JudgeStore,
    load_prompt,
)
from affectllm.metrics.judge.extract import SAMPLED, extract_label, extract_open

TEXTS = {"a": "he is happy, sad, angry and afraid at once", "b": "she is happy and sad"}


def judge(url: str) -> EndpointJudge:
    return EndpointJudge("judge-7b", url=url, pause=0.01)


def test_extracted_labels_are_kept_beside_the_texts_and_read_again_without_a_model(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    with served(sampler) as server:
        first = extract_open(TEXTS, judge(server.url), path)
        assert first == {"a": ("happy", "sad", "angry", "afraid"), "b": ("happy", "sad")}
        assert extract_open(TEXTS, judge(server.url), path) == first and len(server.asked) == 2
    assert extract_open(TEXTS, judge("http://nobody.invalid"), path) == first
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["text"]) for row in rows] == list(TEXTS.items())
    assert all(row["model"] == "judge-7b" and row["prompt_hash"] == load_prompt("extract_open").hash for row in rows)


def test_one_label_is_extracted_or_the_reason_kept(tmp_path: Path) -> None:
    def answer(request):
        text = words_of(request).rpartition("<<<")[2]
        return (400, b"") if "broken" in text else said("Angry" if "rage" in text else "none")

    texts = {"a": "in a rage", "b": "broken", "c": "a chair"}
    with served(answer) as server:
        labels = extract_label(texts, EKMAN_6_NEUTRAL, judge(server.url), tmp_path / "labels.jsonl")
    assert labels == {
        "a": "anger",
        "b": Unreadable("extractor:http_400", "broken"),
        "c": Unreadable("no_label", "none"),
    }
    again = extract_label(texts, EKMAN_6_NEUTRAL, judge("http://nobody.invalid"), tmp_path / "labels.jsonl")
    assert again == labels


def test_defect_d4_the_published_extractor_samples_so_two_runs_differ_and_strict_ones_do_not(tmp_path: Path) -> None:
    random.seed(0)
    texts = {str(number): TEXTS["a"] for number in range(3)} | TEXTS
    with served(sampler) as server:
        asked = judge(server.url)
        runs = []
        for number in range(6):
            with pytest.warns(UserWarning, match="samples, so two runs give other labels"):
                runs.append(extract_open(texts, asked, tmp_path / f"{number}.jsonl", compat="affectgpt"))
        assert len({json.dumps(run) for run in runs}) > 1
        sampled = server.asked[0]
        assert {key: sampled[key] for key in SAMPLED} == dict(SAMPLED) and asked.decoding["temperature"] == 0
        greedy = [extract_open(texts, asked, tmp_path / f"greedy{number}.jsonl") for number in range(3)]
        assert greedy[0] == greedy[1] == greedy[2]
        with pytest.warns(UserWarning):  # its own store makes even the noisy one repeatable
            assert extract_open(texts, asked, tmp_path / "0.jsonl", compat="affectgpt") == runs[0]
        with pytest.raises(Malformed, match="no compat mode"):
            extract_open(texts, asked, tmp_path / "x.jsonl", compat="emer")


def test_a_store_can_be_told_to_sample_as_well(tmp_path: Path) -> None:
    with served(sampler) as server:
        store = JudgeStore(tmp_path / "calls.jsonl", judge(server.url))
        noisy = store.decoding_as(SAMPLED)
        noisy.complete([[{"role": "user", "content": "<<< happy sad"}]])
        assert server.asked[0]["top_p"] == 0.8 and store.decoding["temperature"] == 0
        store.complete([[{"role": "user", "content": "<<< happy sad"}]])
        assert len(server.asked) == 2 and server.asked[1]["temperature"] == 0  # the noisy answer is not a greedy one
        assert noisy.settings["decoding"] == dict(SAMPLED)


def test_a_broken_store_of_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(Malformed, match="cannot be read"):
        extract_open(TEXTS, judge("http://localhost"), tmp_path / "x.jsonl")
