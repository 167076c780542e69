"""Evaluations from end to end: the folder they leave, skipping, ablation, lm-eval's own options, plain lm-eval.

What is undefined on a few items is left out and said, and costs the other tasks nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from evaluating import miniatures, real_corpora, use

from affectllm import registry
from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Tone, materialise
from affectllm.corpus.roots import roots_of_environment
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate import environment
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.logged import of_results
from affectllm.evaluate.run import evaluate
from affectllm.evaluate.scoring.scores import write_scores


@pytest.fixture
def emodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nine test recordings: six of anger (W), three neutral (N), of three speakers; a letter that nobody knows."""
    use(monkeypatch, {})
    names = [f"{who}a0{text}{label}a" for who in ("11", "12", "14") for text, label in ((1, "W"), (2, "W"), (4, "N"))]
    sounds = {f"wav/{name}.wav": Tone(0.1) for name in (*names, "14a05Xa")}
    return materialise(sounds, tmp_path / "emodb")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_an_evaluation_leaves_scores_details_samples_and_what_was_not_asked(emodb, tmp_path) -> None:
    out = tmp_path / "out"
    scores = evaluate(["emodb_emotion"], "affectllm-majority", out, roots={"emodb": emodb})
    assert scores == _read(out / "scores.json")
    # anger: recall 1, precision 6/9, F1 = 12/15; neutral: never found.
    values = {name: row["value"] for name, row in scores["emodb_emotion"].items()}
    assert values == pytest.approx({"accuracy": 6 / 9, "uar": 0.5, "macro_f1": 0.4, "weighted_f1": 0.8 * 6 / 9})
    for row in scores["emodb_emotion"].values():
        assert set(row) == {"value", "low", "high", "n", "clusters", "unreadable", "controls"}
        assert set(row["controls"]) == {"majority", "chance", "say_all", "empty", "shuffled"}
        assert (row["n"], row["clusters"], row["unreadable"]) == (9, 3, 0)
        assert row["low"] is None and row["high"] is None, "three speakers tell nothing of others"
    details = _read(out / "details.json")["emodb_emotion"]
    anger, neutral = details["labels"].index("anger"), details["labels"].index("neutral")
    assert details["confusion"][anger][anger] == 6 and details["confusion"][neutral][anger] == 3
    assert details["per_class"]["anger"]["recall"] == 1 and details["per_class"]["neutral"]["support"] == 3
    assert (details["cluster"], details["clusters"], details["n"]) == ("speaker", 3, 9)
    assert (details["corpus"], details["rater"], details["modalities"]) == ("emodb", "actor", ["audio"])
    assert (details["task_version"], details["template_version"], details["media_errors"]) == (1, 3, 0)
    assert details["rejected"] == {"unknown_label": 1}
    (rejected,) = (out / "rejected.jsonl").read_text().splitlines()
    assert json.loads(rejected)["item"].endswith("14a05Xa.wav")
    (samples,) = out.glob("samples_emodb_emotion_*.jsonl")
    first = json.loads(samples.read_text().splitlines()[0])
    assert {"id", "corpus", "speaker", "dialogue", "messages", "gold", "choices"} <= set(first["doc"])
    assert (first["reading"], first["unreadable"], first["filtered_resps"]) == ("anger", None, ["anger"])
    assert _read(out / "manifest.json")["finished"]
    results = _read(next(iter(out.glob("results_*.json"))))
    assert results["results"]["emodb_emotion"]["uar,none"] == 0.5
    assert results["versions"]["emodb_emotion"] == 1


def test_an_unchanged_evaluation_is_skipped_and_a_changed_one_is_not(emodb, tmp_path) -> None:
    out, roots = tmp_path / "out", {"emodb": emodb}
    first = evaluate(["emodb_emotion"], "affectllm-chance", out, model_args={"seed": 1}, roots=roots)
    written = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert evaluate(["emodb_emotion"], "affectllm-chance", out, model_args={"seed": 1}, roots=roots) == first
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == written
    changed = evaluate(["emodb_emotion"], "affectllm-chance", out, model_args={"seed": 2}, roots=roots)
    assert changed != first and len(list(out.glob("results_*.json"))) == 1


def test_unreadable_answers_are_counted_by_reason(emodb, tmp_path) -> None:
    scores = evaluate(["emodb_emotion"], "affectllm-mute", tmp_path / "out", roots={"emodb": emodb})
    assert {(row["value"], row["unreadable"]) for row in scores["emodb_emotion"].values()} == {(0, 1)}
    details = _read(tmp_path / "out" / "details.json")["emodb_emotion"]
    assert details["unreadable"] == {"empty": 9}
    assert sum(row[-1] for row in details["confusion"]) == 9


def test_a_broken_clip_is_counted_and_the_others_are_scored(emodb, tmp_path) -> None:
    (emodb / "wav" / "11a01Wa.wav").write_bytes(b"RIFF")
    options = {"pretrained": "tiny:qwen2_5_omni", "media_cache": "none", "selftest": False}
    scores = evaluate(
        ["emodb_emotion_choice"], "affectllm", tmp_path / "out", model_args=options, roots={"emodb": emodb}
    )
    assert scores["emodb_emotion_choice"]["uar"]["unreadable"] == pytest.approx(1 / 9)
    details = _read(tmp_path / "out" / "details.json")["emodb_emotion_choice"]
    assert details["media_errors"] == 1
    assert all(reason.startswith("media_error:") for reason in details["unreadable"])


def test_clips_broken_in_every_way_leave_one_answer_each(emodb, tmp_path, capsys) -> None:
    names = sorted((emodb / "wav").glob("*a0[124]*.wav"))
    data = names[0].read_bytes()
    soundfile.write(names[0], np.full(8_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    soundfile.write(names[1], np.full(8_000, 1e30, np.float32), 16_000, subtype="FLOAT")
    soundfile.write(names[2], 0.1 * np.ones(61 * 16_000), 16_000)
    names[3].write_bytes(data.replace(b"data", b"\xffata"))
    names[4].write_bytes(data[:44] + bytes(len(data) - 44))
    soundfile.write(names[5], 0.1 * np.ones(160_000), 16_000)
    names[5].write_bytes(names[5].read_bytes()[:100_000])
    names[6].write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    options = {"pretrained": "tiny:qwen2_audio", "media_cache": "none", "selftest": False}
    evaluate(["emodb_emotion_choice"], "affectllm", tmp_path / "out", model_args=options, roots={"emodb": emodb})
    details = _read(tmp_path / "out" / "details.json")["emodb_emotion_choice"]
    assert details["n"] == 9 and details["media_errors"] == 7
    assert details["unreadable"]["media_error:not_finite"] == 2
    assert {"media_error:too_long", "media_error:silent", "media_error:truncated"} <= set(details["unreadable"])
    assert "2 questions unanswered: not_finite (the first: emodb:wav/" in capsys.readouterr().err


def test_multi_label_and_reply_tasks_have_their_metrics(tmp_path, monkeypatch) -> None:
    use(monkeypatch, {})
    roots = miniatures(tmp_path, ["goemotions", "empathetic_dialogues"])
    out = tmp_path / "out"
    scores = evaluate(["goemotions", "empathetic_dialogues_reply"], "affectllm-oracle", out, roots=roots)
    assert {name: row["value"] for name, row in scores["goemotions"].items()} == dict.fromkeys(
        ("macro_f1", "micro_f1", "jaccard"), 1
    )
    replies = {"bleu", "bleu_1", "bleu_2", "rouge_l", "distinct_1", "distinct_2"}
    assert set(scores["empathetic_dialogues_reply"]) == replies
    details = _read(out / "details.json")
    assert "per_class" in details["goemotions"] and "confusion" not in details["goemotions"]
    assert "per_class" not in details["empathetic_dialogues_reply"]


def test_ablation_takes_the_settings_of_this_call_only(tmp_path, monkeypatch) -> None:
    use(monkeypatch, {})
    roots = miniatures(tmp_path, ["demo_affect"])
    kinds = {}
    for modalities in (["audio"], ["text"], None):
        out = tmp_path / f"out_{modalities}"
        evaluate(["demo_affect_emotion"], "affectllm-oracle", out, roots=roots, modalities=modalities)
        (samples,) = out.glob("samples_*.jsonl")
        message = json.loads(samples.read_text().splitlines()[0])["doc"]["messages"][0]
        kinds[str(modalities)] = [part["type"] for part in message["content"]]
        assert _read(out / "details.json")["demo_affect_emotion"]["modalities"] == (
            modalities or ["video", "audio", "text"]
        )
    assert kinds == {"['audio']": ["audio", "text"], "['text']": ["text"], "None": ["video", "text"]}
    assert environment.modalities() is None and roots_of_environment() == {}


def test_lm_evals_own_options_pass_through(emodb, tmp_path) -> None:
    out = tmp_path / "out"
    argv = ["--tasks", "emodb_*tion", "--model", "affectllm-oracle", "--limit", "4", "--seed", "7"]
    scores = lm_eval_main([*argv, "--root", f"emodb={emodb}", "--output_path", str(out)])
    assert scores["emodb_emotion"]["uar"]["n"] == 4
    config = _read(next(iter(out.glob("results_*.json"))))["config"]
    assert (config["limit"], config["random_seed"]) == (4, 7)


def test_groups_are_averaged_over_their_tasks(tmp_path, monkeypatch) -> None:
    use(monkeypatch, {})
    out = tmp_path / "out"
    evaluate(["crema_d_emotion"], "affectllm-oracle", out, roots=miniatures(tmp_path, ["crema_d"]))
    results = _read(next(iter(out.glob("results_*.json"))))
    assert results["groups"]["crema_d_emotion"]["uar,none"] == 1
    assert set(_read(out / "scores.json")) == {f"crema_d_emotion_{name}" for name in ("acted", "voice", "face", "both")}


def test_without_an_output_path_nothing_is_written(emodb, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    argv = ["--tasks", "emodb_emotion", "--model", "affectllm-oracle", "--root", f"emodb={emodb}"]
    assert lm_eval_main(argv) == {}
    assert set(tmp_path.rglob("*")) == before
    assert "weighted_f1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "error", "problem"),
    [
        (["--modalities", "smell"], AffectError, "'smell' is no modality"),
        (["--modalities", "video"], AffectError, "none of them may be shown"),
        (["--root", "emodb"], AffectError, "is not NAME=DIR"),
        (["--root", "emodb=/nowhere/at/all"], NotFound, "is not a folder"),
    ],
)
def test_wrong_options_are_errors(emodb, more, error, problem) -> None:
    argv = ["--tasks", "emodb_emotion", "--model", "affectllm-oracle", "--root", f"emodb={emodb}"]
    with pytest.raises(error, match=problem):
        lm_eval_main([*argv, *more])


def test_a_broken_page_stops_every_evaluation(emodb, tmp_path, monkeypatch) -> None:
    (tmp_path / "local" / "eval_tasks").mkdir(parents=True)
    (tmp_path / "local" / "eval_tasks" / "mine.yaml").write_text("task: [unclosed\n")
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "local"))
    with pytest.raises(Malformed, match=r"mine\.yaml:2"):
        evaluate(["emodb_emotion"], "affectllm-oracle", tmp_path / "out", roots={"emodb": emodb})


def test_roots_that_are_no_json_are_an_error(monkeypatch) -> None:
    monkeypatch.setenv(environment.ROOTS, "emodb=/data")
    with pytest.raises(Malformed, match="AFFECTLLM_ROOTS"):
        roots_of_environment()


def test_the_wrapper_needs_no_torch_until_it_runs() -> None:
    ours = "affectllm.evaluate.run, affectllm.evaluate.harness, affectllm.metrics"
    heavy = "{'torch', 'transformers', 'lm_eval', 'datasets', 'numpy', 'sklearn'}"
    code = f"import sys, {ours}; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


@pytest.mark.slow
def test_a_task_of_lm_eval_is_found_when_it_is_asked_for() -> None:
    from affectllm.evaluate.tasks import AffectTaskManager

    manager = AffectTaskManager()
    assert "hellaswag" not in manager.all_tasks
    assert manager.match_tasks(["hellaswag"]) == ["hellaswag"]
    assert manager.match_tasks(["emodb_emotion"]) == ["emodb_emotion"]


@pytest.mark.slow
def test_text_tasks_run_under_plain_lm_eval_with_its_own_model(tmp_path) -> None:
    from affectllm.model.tiny import tiny_folder

    roots = miniatures(tmp_path, ["meld", "goemotions", "empathetic_dialogues"])
    tasks = "meld_emotion,meld_sentiment,goemotions,empathetic_dialogues_reply"
    command = [sys.executable, "-m", "lm_eval", "--include_path", str(registry.folders("eval_tasks")[0])]
    command += ["--tasks", tasks, "--model", "hf", "--model_args", f"pretrained={tiny_folder('qwen2')}"]
    command += ["--device", "cpu", "--output_path", str(tmp_path / "out" / "results.json"), "--log_samples"]
    names = {environment.ROOTS: json.dumps({name: str(root) for name, root in roots.items()}), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env={**os.environ, **names}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = (tmp_path / "out").glob("results_*.json")
    assert set(write_scores(tmp_path / "out", of_results(results))) == set(tasks.split(","))


@pytest.mark.slow
def test_majority_on_the_real_meld_has_the_known_weighted_f1(tmp_path) -> None:
    roots = {"meld": real_corpora() / "meld"}
    scores = evaluate(["meld_emotion"], "affectllm-majority", tmp_path / "out", roots=roots)["meld_emotion"]
    # 1,256 of the 2,610 test utterances are neutral (Poria et al., 2019).
    assert scores["accuracy"]["value"] == pytest.approx(1256 / 2610)
    assert scores["weighted_f1"]["value"] == pytest.approx(1256 / 2610 * 2 * 1256 / (2610 + 1256))
    assert scores["weighted_f1"]["low"] < scores["weighted_f1"]["value"] < scores["weighted_f1"]["high"]


def test_a_task_that_does_not_exist_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--model", "affectllm-mute", "--tasks", "emodb_emotoin"]) == 2
    message = capsys.readouterr().err
    assert "there is no task called 'emodb_emotoin'" in message and "did you mean emodb_emotion" in message
    assert "Traceback" not in message


def test_a_metric_that_is_undefined_on_a_few_items_leaves_the_others(tmp_path: Path, capfd) -> None:
    roots = miniatures(tmp_path / "corpora", ["emobank", "goemotions"])
    tasks = ["goemotions", "emobank_valence", "emobank_arousal"]
    limit = ["--limit", "1"]
    scores = evaluate(tasks, "affectllm-oracle", tmp_path / "run", roots=roots, lm_eval_args=limit)
    assert set(scores) == {"goemotions"}  # one item has no correlation
    message = capfd.readouterr().err
    assert "emobank_valence: pearson is left out, undefined on 1 items: " in message
    kept = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert set(kept["goemotions"]) and set(kept) == {"goemotions"}


def test_a_suite_with_such_a_member_is_left_out_too(tmp_path: Path, monkeypatch, capfd) -> None:
    roots = miniatures(tmp_path / "corpora", ["emobank", "goemotions"])
    (tmp_path / "own" / "eval_tasks").mkdir(parents=True)
    page = "group: both\ntask: [goemotions, emobank_valence]\nmetadata: {version: 1, suite: {mean: headline}}\n"
    (tmp_path / "own" / "eval_tasks" / "both.yaml").write_text(page)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "own"))
    scores = evaluate(["both"], "affectllm-oracle", tmp_path / "run", roots=roots, lm_eval_args=["--limit", "1"])
    assert set(scores) == {"goemotions"} and "both is left out" in capfd.readouterr().err


def test_what_is_undefined_on_all_items_is_an_error(tmp_path: Path) -> None:
    miniature = dict(load_builder("emobank").MINIATURE)
    table = next(name for name in miniature if name.endswith("emobank.csv"))
    header, *rows = str(miniature[table]).splitlines()
    tested = next(row for row in rows if ",test," in row)
    root = materialise({table: f"{header}\n{tested}\n"}, tmp_path / "emobank")
    with pytest.raises(Malformed, match="gold does not vary"):
        evaluate(["emobank_valence"], "affectllm-oracle", tmp_path / "run", roots={"emobank": root})
