"""The lm-eval model on real tiny models: batches, likelihoods, broken clips, kept answers, several processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evaluating import use
from lm_eval.api.instance import Instance
from parting import Parting

from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.errors import AffectError, Malformed, ModalityUnheard
from affectllm.evaluate.answers import Answers
from affectllm.evaluate.media_error import media_error_reason
from affectllm.evaluate.models.lm import AffectLM
from affectllm.evaluate.models.requests import Asker
from affectllm.evaluate.tasks import AffectTaskManager

GREEDY = {"do_sample": False, "max_gen_toks": 6, "until": []}
TINY = "tiny:qwen2_5_omni"


@pytest.fixture(scope="module")
def emodb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten recordings of three test speakers, of different pitch and length; the last is broken."""
    names = [
        f"{who}{text}{emotion}a"
        for who in ("11", "12", "14")
        for text, emotion in (("a01", "W"), ("b02", "N"), ("a04", "T"))
    ]
    files: dict[str, Any] = {f"wav/{name}.wav": Tone(0.3 + 0.1 * i, pitch=120 + 60 * i) for i, name in enumerate(names)}
    return materialise({**files, "wav/14b10La.wav": b"RIFF and nothing more"}, tmp_path_factory.mktemp("emodb"))


@pytest.fixture
def requests(emodb: Path, monkeypatch: pytest.MonkeyPatch) -> list[Instance]:
    return _requests("emodb_emotion", emodb, monkeypatch)


def _requests(task: str, emodb: Path, monkeypatch: pytest.MonkeyPatch) -> list[Instance]:
    use(monkeypatch, {"emodb": emodb})
    loaded = AffectTaskManager().load([task])["tasks"][task]
    loaded.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    instances: list[Instance] = loaded.instances
    for request in instances:
        if request.request_type == "generate_until":
            request.arguments = (request.args[0], GREEDY, *request.args[2:])
    return instances


def _lm(**options: Any) -> AffectLM:
    return AffectLM(TINY, device="cpu", media_cache="none", **options)


@pytest.fixture(scope="module")
def lm() -> Iterator[AffectLM]:
    yield _lm(batch_size=4)


def _asked(text: str, settings: dict[str, Any] | str = "", doc: dict[str, Any] | None = None) -> Instance:
    kind = "generate_until" if isinstance(settings, dict) else "loglikelihood"
    return Instance(kind, doc or {}, (text, settings), 0, ("plain", 0, 1))


def test_batches_give_the_answers_of_single_requests_in_the_order_of_the_requests(lm, requests) -> None:
    alone = _lm(batch_size=1, selftest=False)
    assert lm.generate_until(requests) == [alone.generate_until([request])[0] for request in requests]


def test_different_clips_get_different_likelihoods(lm, emodb, monkeypatch) -> None:
    requests = _requests("emodb_emotion_choice", emodb, monkeypatch)
    by_clip: dict[str, list[float]] = {}
    for request, (value, _) in zip(requests, lm.loglikelihood(requests), strict=True):
        by_clip.setdefault(request.doc["id"], []).append(value)
    readable = [tuple(values) for clip, values in by_clip.items() if clip != "14b10La"]
    assert len(set(readable)) == len(readable) == 9
    assert all(value < 0 for values in readable for value in values)


def test_shared_prompts_give_the_likelihoods_of_single_requests(lm, emodb, monkeypatch) -> None:
    requests = _requests("emodb_emotion_choice", emodb, monkeypatch)[:14]
    together = lm.loglikelihood(requests[::-1])[::-1]
    for request, (value, greedy) in zip(requests, together, strict=True):
        ((alone, alone_greedy),) = lm.loglikelihood([request])
        assert (value, greedy) == (pytest.approx(alone, abs=1e-4), alone_greedy)


@pytest.mark.parametrize("task", ["emodb_emotion", "emodb_emotion_choice"])
def test_a_broken_clip_is_an_error_value_and_nothing_else_is_lost(lm, emodb, monkeypatch, task) -> None:
    requests = _requests(task, emodb, monkeypatch)
    answers = getattr(lm, requests[0].request_type)(requests)
    values = [answer[0] if isinstance(answer, tuple) else answer for answer in answers]
    broken = {r.doc["id"] for r, value in zip(requests, values, strict=True) if media_error_reason(value)}
    assert broken == {"14b10La"}


def test_text_requests_of_any_task_are_asked_as_user_messages(lm) -> None:
    first, second = lm.generate_until([_asked("How do you feel?", GREEDY), _asked("Name a colour.", GREEDY)])
    assert isinstance(first, str) and isinstance(second, str)
    direct = lm.loglikelihood([_asked("How do you feel?", " well"), _asked("How do you feel?", " ill")])
    templated = lm.apply_chat_template([{"role": "user", "content": "How do you feel?"}])
    assert lm.loglikelihood([_asked(templated, "well"), _asked(templated, "ill")]) == direct
    assert direct[0] != direct[1]


def test_several_turns_differ_from_one(lm) -> None:
    turns = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Sad?"},
    ]
    several, single = lm.apply_chat_template(turns), lm.apply_chat_template(turns[-1:])
    assert lm.loglikelihood([_asked(several, "no")]) != lm.loglikelihood([_asked(single, "no")])


def test_an_answer_ends_at_the_first_stop(lm) -> None:
    (whole,) = lm.generate_until([_asked("Tell me a story.", GREEDY)])
    assert len(whole) > 3
    (cut,) = lm.generate_until([_asked("Tell me a story.", {**GREEDY, "until": [whole[2]]})])
    assert cut == whole[: whole.index(whole[2])].strip()


def test_running_text_is_scored_token_by_token(lm) -> None:
    import torch

    text = "i was happy and then i was not"
    (value,) = lm.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (text,), 0, ("plain", 0, 1))])
    ids = lm.tokenizer(text, add_special_tokens=False)["input_ids"]
    prefix = lm.tokenizer.bos_token_id if lm.tokenizer.bos_token_id is not None else lm.tokenizer.eos_token_id
    expected = 0.0
    for position in range(len(ids)):
        with torch.inference_mode():
            logits = lm.loaded.model(input_ids=torch.tensor([[prefix, *ids[:position]]])).logits[0, -1]
        expected += float(torch.log_softmax(logits.float(), -1)[ids[position]])
    assert value == pytest.approx(expected, rel=1e-4)


def test_a_model_that_is_deaf_stops_the_evaluation(requests) -> None:
    import torch

    deaf = _lm()
    with torch.no_grad():
        for name, parameter in deaf.loaded.model.named_parameters():
            if "audio_tower" in name:
                parameter.zero_()
    with pytest.raises(ModalityUnheard, match="audio does not reach the model"):
        deaf.generate_until(requests)


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"batch_size": "lots"}, "'lots' is neither a number nor auto"), ({"max_frame": 3}, "no argument 'max_frame'")],
)
def test_wrong_options_are_errors(options, problem) -> None:
    with pytest.raises(AffectError, match=problem):
        _lm(**options)


def test_kept_answers_are_used_after_a_restart(requests, tmp_path) -> None:
    first = _lm(answers=str(tmp_path), selftest=False)
    replies = first.generate_until(requests[:3])
    (kept,) = tmp_path.glob("*.jsonl")
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert sorted(row["answer"] for row in rows) == sorted(replies)
    kept.write_text("".join(json.dumps({**row, "answer": "kept"}) + "\n" for row in rows))
    resumed = _lm(answers=str(tmp_path), selftest=False).generate_until(requests[:4])
    assert resumed[:3] == ["kept"] * 3 and resumed[3] != "kept"


def test_broken_clips_are_not_kept(requests, tmp_path) -> None:
    model = _lm(answers=str(tmp_path), selftest=False)
    model.generate_until([request for request in requests if request.doc["id"] == "14b10La"])
    assert not list(tmp_path.iterdir())


def test_every_draw_of_a_question_is_kept_under_its_number(tmp_path) -> None:
    question = _asked("Hello?", {"do_sample": True, "temperature": 3.0, "max_gen_toks": 4, "until": []})
    first = _lm(answers=str(tmp_path / "a"), selftest=False).generate_until([question] * 3)
    assert len(set(first)) > 1
    again = _lm(answers=str(tmp_path / "b"), selftest=False, batch_size=3)
    assert again.generate_until([question])[0] == first[0], "whatever else is asked"
    assert again.generate_until([question] * 3) == first
    (kept,) = (tmp_path / "b").glob("*.jsonl")
    assert len(kept.read_text().splitlines()) == 3


def test_answers_survive_a_torn_last_line_and_refuse_a_broken_one(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text('{"key": "1", "answer": "joy"}\n{"key": "2", "ans')
    answers = Answers(tmp_path)
    assert (answers.get("1"), answers.get("2")) == ("joy", None)
    answers.add({"2": "fear"})
    assert Answers(tmp_path).get("2") == "fear"
    (tmp_path / "b.jsonl").write_text('{"key"\n{"key": "3", "answer": "joy"}\n')
    with pytest.raises(Malformed, match=r"b\.jsonl:1"):
        Answers(tmp_path)


def test_the_key_changes_with_everything_that_decides_an_answer(tmp_path) -> None:
    root = materialise({"a.wav": Tone(), "b.wav": Tone()}, tmp_path)
    roots = {"x": root}

    def key(path: str = "a.wav", template: str = "t/1", settings: Any = (), model: str = "m", text: str = "?") -> str:
        content = [{"type": "audio", "corpus": "x", "path": path}, {"type": "text", "text": text}]
        asker = Asker({"fingerprint": model}, roots)
        return asker.question([{"role": "user", "content": content}], template, {"do": settings}).key

    keys = {key(), key(path="b.wav"), key(template="t/2"), key(settings=1), key(model="n"), key(text="!")}
    assert len(keys) == 6 and key() in keys
    before = key()
    materialise({"a.wav": Tone(pitch=300)}, tmp_path)
    assert key() not in keys
    (tmp_path / "a.wav").unlink()
    assert key() not in {before, *keys}


def test_lm_evals_own_models_stay_known_when_ours_come_first() -> None:
    lines = ("import affectllm.evaluate.models.lm", "from lm_eval.api.registry import get_model as get")
    code = "; ".join((*lines, "print(get('hf').__name__, get('affectllm').__name__)"))
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["HFLM", "AffectLM"]


def _command(emodb: Path, out: Path, *more: str) -> list[str]:
    options = ["--model", "affectllm", "--model_args", f"pretrained={TINY},media_cache=none,selftest=False"]
    tasks = ["--tasks", "emodb_emotion,emodb_emotion_choice", "--root", f"emodb={emodb}", "--output_path", str(out)]
    return ["-m", "affectllm.evaluate", *options, *tasks, "--gen_kwargs", "max_gen_toks=4", *more]


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return {**inherited, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def _scores(out: Path) -> dict[str, Any]:
    scores: dict[str, Any] = json.loads((out / "scores.json").read_text())
    return scores


def _run(command: list[str]) -> str:
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


@pytest.mark.slow
@pytest.mark.thorough  # test_scoring_processes scores with two
def test_two_processes_give_the_scores_of_one_and_resume_from_its_answers(emodb, tmp_path, monkeypatch) -> None:
    parting = Parting(tmp_path, monkeypatch)
    _run([sys.executable, *_command(emodb, tmp_path / "one")])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    told = _run([*torchrun, *_command(emodb, tmp_path / "two")])
    assert told.count("emodb_emotion: asks ") == 1  # and not once a process
    assert parting.ranks() == ["0", "1"]  # and neither was aborted at its end
    assert _scores(tmp_path / "one") == _scores(tmp_path / "two")
    shares = [len(path.read_text().splitlines()) for path in (tmp_path / "two" / "answers").glob("*.jsonl")]
    assert sum(shares) == 18 and len(shares) == 2 and min(shares) > 6  # 9 replies, 9 sets of choices
    (tmp_path / "two" / "scores.json").unlink()
    _run([sys.executable, *_command(emodb, tmp_path / "two")])
    assert _scores(tmp_path / "one") == _scores(tmp_path / "two")
    assert len(list((tmp_path / "two" / "answers").glob("*.jsonl"))) == 2


@pytest.mark.slow
@pytest.mark.thorough  # test_scoring_processes kills a run of two processes
def test_a_killed_run_resumes_where_it_was(tmp_path) -> None:
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    names = [f"{who}{text}{emotion}a" for who in ("11", "12", "14") for text in texts for emotion in "WNT"]
    files = {f"wav/{name}.wav": Tone(0.3, pitch=100 + 5 * i) for i, name in enumerate(names)}
    emodb, out = materialise(files, tmp_path / "emodb"), tmp_path / "out"
    process = subprocess.Popen([sys.executable, *_command(emodb, out)], env=_environment(), stderr=subprocess.DEVNULL)
    deadline = time.time() + 120
    while _kept(out) < 10 and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = _kept(out)
    assert 10 <= before < 180 and not (out / "scores.json").exists()
    _run([sys.executable, *_command(emodb, out)])
    assert _kept(out) == 180  # nothing was asked twice
    _run([sys.executable, *_command(emodb, tmp_path / "whole")])
    assert _scores(out) == _scores(tmp_path / "whole")


def _kept(out: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in (out / "answers").glob("*.jsonl"))


def test_video_reaches_the_model_with_and_without_sound(monkeypatch, tmp_path) -> None:
    clips = {"AudioWAV/1002_IEO_HAP_LO.wav": Tone(), "VideoFlash/1002_IEO_HAP_LO.flv": Clip()}
    roots = {"crema_d": materialise(clips, tmp_path)}
    values = {}
    model = _lm()
    for modalities in ("video", "video,audio", "audio"):
        use(monkeypatch, roots, modalities)
        task = AffectTaskManager().load(["crema_d_emotion_acted"])["tasks"]["crema_d_emotion_acted"]
        task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
        (request,) = task.instances
        choice = Instance(
            "loglikelihood", request.doc, (request.args[0], "anger", request.args[2]), 0, request.metadata
        )
        values[modalities] = model.loglikelihood([choice])[0][0]
    assert len(set(values.values())) == 3
