"""One task through weights in this process, ``transformers serve`` and the stand-in: the same replies."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from evaluating import use
from lm_eval.api.instance import Instance
from serving import Answering, transformers_serve
from stand_in_server import MODEL, StandIn

from affectllm.corpus import render
from affectllm.corpus.miniature import materialise
from affectllm.errors import EndpointFailed, ModalityUnheard
from affectllm.evaluate.media_error import media_error_reason
from affectllm.evaluate.models.api_lm import EndpointLM
from affectllm.evaluate.models.lm import AffectLM
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.model.tiny import tiny_folder

GREEDY = {"do_sample": False, "max_gen_toks": 6, "until": []}
QUESTIONS = ("How do you feel?", "Name a colour.\nThen another.", "Is <h1> a tag?")


def _tone(pitch: float, seconds: float) -> list[float]:
    """A tone that ends in silence: the processor of the server sees zeros behind a sound, ours its reflection."""
    count = int(16_000 * seconds)
    return [*(0.3 * math.sin(2 * math.pi * pitch * moment / 16_000) for moment in range(count)), *[0.0] * 1600]


@pytest.fixture
def requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Instance]:
    """Questions about recordings, one of them broken, and questions in words."""
    names = [f"{who}{text}a" for who in ("11", "14") for text in ("a01W", "b02N", "a04T")]
    root = materialise({"wav/14b10La.wav": b"RIFF"}, tmp_path / "emodb")
    for number, name in enumerate(names):
        render.write_sound(root / "wav" / f"{name}.wav", _tone(120 + 60 * number, 0.3 + 0.1 * number), 16_000)
    use(monkeypatch, {"emodb": root})
    task = AffectTaskManager().load(["emodb_emotion"])["tasks"]["emodb_emotion"]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    instances: list[Instance] = list(task.instances)
    for request in instances:
        request.arguments = (request.args[0], GREEDY, *request.args[2:])
    return [*instances, *(Instance("generate_until", {}, (text, GREEDY), 0, ("plain", 0, 1)) for text in QUESTIONS)]


@pytest.mark.slow
def test_weights_a_real_server_and_the_stand_in_give_the_same_replies(requests, tmp_path: Path) -> None:
    folder = tiny_folder("qwen2_5_omni")
    weights = AffectLM("tiny:qwen2_5_omni", device="cpu", media_cache="none", selftest=False)
    replies = weights.generate_until(requests)
    assert len(set(replies)) > 7 and sum(media_error_reason(reply) is not None for reply in replies) == 1
    with transformers_serve(folder, tmp_path / "log") as url:
        served = EndpointLM(model=str(folder), base_url=url, profile="transformers", concurrency=2)
        assert served.generate_until(requests) == replies  # and the self-test has passed
        wrong = EndpointLM(model="another", base_url=url, profile="transformers")
        with pytest.raises(EndpointFailed, match=r"HTTP 400: Server is pinned to .* requested 'another'"):
            wrong.generate_until(requests[-1:])
    (tmp_path / "sent").mkdir()
    with StandIn(answer=Answering(weights.loaded, tmp_path / "sent")) as server:
        stand_in = EndpointLM(model=MODEL, base_url=server.url, selftest=False, concurrency=1)
        assert stand_in.generate_until(requests) == replies


@pytest.mark.slow
def test_a_real_server_that_drops_sounds_in_silence_is_stopped(requests, tmp_path: Path) -> None:
    folder = tiny_folder("qwen2")
    with transformers_serve(folder, tmp_path / "log") as url:
        model = EndpointLM(model=str(folder), base_url=url, profile="transformers")
        with pytest.raises(ModalityUnheard, match="audio does not reach the model through the profile transformers"):
            model.generate_until(requests)
        text = requests[-len(QUESTIONS) :]
        weights = AffectLM("tiny:qwen2", device="cpu")
        assert model.generate_until(text) == weights.generate_until(text)
