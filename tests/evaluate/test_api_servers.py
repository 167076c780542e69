"""One task through weights in this process, ``transformers serve`` and the stand-in: the same replies.

Films travel as frames and sound, which is what the profile says: the server itself would need torchcodec for a film.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluating import use
from lm_eval.api.instance import Instance
from serving import Answering, transformers_serve
from stand_in_server import MODEL, StandIn

from affectllm.corpus import render
from affectllm.corpus.miniature import Clip, materialise
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


@pytest.fixture(scope="module")
def omni(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server of the tiny omni model."""
    with transformers_serve(tiny_folder("qwen2_5_omni"), tmp_path_factory.mktemp("server") / "log") as url:
        yield url


@pytest.mark.slow
def test_weights_a_real_server_and_the_stand_in_give_the_same_replies(requests, omni: str, tmp_path: Path) -> None:
    folder = tiny_folder("qwen2_5_omni")
    weights = AffectLM("tiny:qwen2_5_omni", device="cpu", media_cache="none", selftest=False)
    replies = weights.generate_until(requests)
    assert len(set(replies)) > 7 and sum(media_error_reason(reply) is not None for reply in replies) == 1
    served = EndpointLM(model=str(folder), base_url=omni, profile="transformers", concurrency=2)
    assert served.generate_until(requests) == replies  # and the self-test has passed
    wrong = EndpointLM(model="another", base_url=omni, profile="transformers")
    with pytest.raises(EndpointFailed, match=r"HTTP 400: Server is pinned to .* requested 'another'"):
        wrong.generate_until(requests[-1:])
    (tmp_path / "sent").mkdir()
    with StandIn(answer=Answering(weights.loaded, tmp_path / "sent")) as server:
        stand_in = EndpointLM(model=MODEL, base_url=server.url, selftest=False, concurrency=1)
        assert stand_in.generate_until(requests) == replies


@pytest.mark.slow
def test_films_reach_a_real_server_with_their_frames_and_their_sound(
    omni: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = {f"{size}.mp4": Clip(1.0, size=size, sound=size != 84) for size in (84, 112, 140, 168)}
    use(monkeypatch, {"meld": materialise(films, tmp_path / "films")})
    requests = [_about(name, sound) for name, film in films.items() for sound in {film.sound, False}]
    budget = {"max_frames": 4, "max_pixels": 112 * 112}
    options = {
        "model": str(tiny_folder("qwen2_5_omni")),
        "base_url": omni,
        "profile": "transformers",
        "retries": 0,
        **budget,
    }
    replies = EndpointLM(**options).generate_until(requests)  # and the self-test has passed
    (tmp_path / "sent").mkdir()
    weights = AffectLM("tiny:qwen2_5_omni", device="cpu", media_cache="none", selftest=False)
    with StandIn(answer=Answering(weights.loaded, tmp_path / "sent")) as server:
        options |= {"model": MODEL, "base_url": server.url, "selftest": False, "concurrency": 1}
        assert EndpointLM(**options).generate_until(requests) == replies
    kinds = Counter(part["type"] for body in server.bodies for part in body["messages"][-1]["content"])
    assert kinds["image_url"] == 2 * len(requests) == 14 and kinds["input_audio"] == 3
    assert len(set(replies)) > 4


def _about(film: str, sound: bool) -> Instance:
    """A question about a film."""
    part = {"type": "video", "corpus": "meld", "path": film, "sound": sound}
    messages = [{"role": "user", "content": [part, {"type": "text", "text": QUESTIONS[0]}]}]
    return Instance("generate_until", {}, (f"{film} {sound}", GREEDY, {"messages": messages}), 0, ("films", 0, 1))


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
