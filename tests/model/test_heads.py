"""Heads: what they answer, how representations are pooled, and plain encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from affectllm.errors import AffectError, Malformed, NotFound, WrongCheckpoint
from affectllm.instruct.slots import Slot
from affectllm.labels import LabelSpace
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.family import families
from affectllm.model.heads.answers import Answers
from affectllm.model.heads.backbones import ENCODERS
from affectllm.model.heads.encoders import load_backbone
from affectllm.model.heads.folder import HeadFolder, encoder_for, load_head, save_head
from affectllm.model.heads.network import HeadNetwork, layers, pool
from affectllm.model.heads.page import HeadPage

THREE = LabelSpace("three", "category", ("joy", "fear", "anger"), source="a test")
SETS = LabelSpace("sets", "set", ("joy", "fear", "anger"), source="a test")
VA = LabelSpace("va", "dimension", ("valence", "arousal"), source="a test", bounds=(1.0, 9.0))
STARS = LabelSpace("stars", "dimension", ("stars",), source="a test", bounds=(1.0, 5.0))
SHARES = LabelSpace("shares", "distribution", ("joy", "fear", "anger"), source="a test")


def answers(form: str, space: LabelSpace) -> tuple[Answers, Slot]:
    slot = Slot("answer", form, space, "somebody")
    return Answers.to_questions([((slot,), "en")]), slot


@pytest.mark.parametrize(
    ("form", "space", "outputs", "value", "words"),
    [
        ("choice", THREE, [0.2, 0.5, 0.3], "fear", "fear"),
        ("set", SETS, [0.9, 0.2, 0.5], ["joy", "anger"], "joy, anger"),
        ("set", SETS, [0.1, 0.2, 0.3], [], "none"),
        ("label_scores", SETS, [0.9, 0, 1], {"joy": 0.9, "fear": 0.0, "anger": 1.0}, "joy: 0.9, fear: 0, anger: 1"),
        ("scores", VA, [0.5, 1.2], {"valence": 5.0, "arousal": 9.0}, "valence: 5, arousal: 9"),
        ("classes", STARS, [0.7], {"stars": 4.0}, "4"),
        ("shares", SHARES, [0.5, 0.5, 0], {"joy": 0.5, "fear": 0.5}, "joy: 50%, fear: 50%"),
    ],
    ids=str,
)  # fmt: skip
def test_it_answers_in_the_forms_own_values(form: str, space: LabelSpace, outputs: Any, value: Any, words: str) -> None:
    """And what it says is read back as what it meant."""
    head, slot = answers(form, space)
    given = head.value(slot, np.array(outputs))
    assert given == value and head.worded(slot, given, "en") == words
    reading = slot.how.read(words, space, "en")
    assert dict(reading) == value if isinstance(value, dict) else sorted(reading) == sorted(value)
    assert Answers.from_json(head.to_json()) == head


@pytest.mark.parametrize(
    ("form", "space", "gold", "target"),
    [
        ("choice", THREE, "anger", 2),
        ("set", SETS, ["fear"], [0.0, 1.0, 0.0]),
        ("scores", VA, {"valence": 5.0, "arousal": None}, [0.5, float("nan")]),
        ("shares", SHARES, {"joy": 0.75, "anger": 0.25}, [0.75, 0.0, 0.25]),
    ],
    ids=str,
)
def test_targets_are_the_gold_values(form: str, space: LabelSpace, gold: Any, target: Any) -> None:
    head, slot = answers(form, space)
    assert head.target(slot, gold) == pytest.approx(target, nan_ok=True)


def test_spaces_of_one_kind_are_joined_and_others_refused() -> None:
    other = LabelSpace("two", "category", ("fear", "calm"), source="a test")
    both = Answers.to_questions(
        [((Slot("a", "choice", THREE, "x"),), "en"), ((Slot("a", "choice", other, "x"),), "en")]
    )
    assert both.names == ("joy", "fear", "anger", "calm")
    slot = Slot("a", "choice", other, "x")
    assert both.value(slot, np.array([0.6, 0.1, 0.1, 0.2])) == "calm"  # of those that are asked for
    assert both.check_answers((slot,), "a task") == slot
    with pytest.raises(Malformed, match=r"(?s)asks for calm, which this head was not .*joy, fear, anger"):
        answers("choice", THREE)[0].check_answers((slot,), "a task")
    with pytest.raises(Malformed, match="a task asks for a set of labels, and this head gives classes"):
        both.check_answers((Slot("a", "set", SETS, "x"),), "a task")
    with pytest.raises(Malformed, match="train a head for each"):
        Answers.to_questions([((slot,), "en"), ((Slot("a", "scores", VA, "x"),), "en")])
    with pytest.raises(Malformed, match="asks for 2 answers"):
        Answers.to_questions([((slot, slot), "en")])
    open_words = LabelSpace("words", "open", (), source="a test")
    with pytest.raises(Malformed, match="the form reply asks for"):
        answers("reply", open_words)


@pytest.mark.parametrize(
    ("pooling", "expected"), [("mean", [2.0, 15.0]), ("last", [3.0, 20.0]), ("first", [1.0, 10.0])]
)
def test_pooling_counts_what_is_no_padding(pooling: Any, expected: list[float]) -> None:
    """Row 0 is one piece of three outputs, row 1 two pieces of one; 99 is padding."""
    states = torch.tensor([[1.0, 2.0, 3.0], [10.0, 99.0, 99.0], [20.0, 99.0, 99.0]])[..., None]
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [1, 0, 0]])
    assert pool(states, mask, pooling, torch.tensor([1, 2]))[:, 0].tolist() == expected
    left = pool(states.flip(1), mask.flip(1), pooling, torch.tensor([1, 2]))[:, 0].tolist()
    assert left[1] == expected[1]


def conversation(part: dict[str, Any] | None, text: str = "What do they feel?") -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*([part] if part else []), {"type": "text", "text": text}]}]


@pytest.mark.parametrize("name", ENCODERS)
def test_a_batch_gives_what_its_members_give_alone(name: str, small_demo: Path) -> None:
    """Long and short ones; and what they read and hear makes a difference."""
    model = load_backbone(f"tiny:{name}", name, 1.0)
    clips = sorted(path.relative_to(small_demo).as_posix() for path in small_demo.rglob("*.mp4"))[:3]
    kind = "audio" if name == "speech_encoder" else "video"
    spans = ({}, {"end": 1.2}, {})
    parts = [{"type": kind, "corpus": "demo", "path": clip, **span} for clip, span in zip(clips, spans, strict=True)]
    words = ["Short.", "A somewhat longer text with more words in it.", "Another."]
    asked = [conversation(None, text) for text in words] if name == "text_encoder" else [*map(conversation, parts)]
    budget = Budget(fps=2.0, max_frames=4, max_pixels=3136, min_pixels=3136)
    encoder, _ = encoder_for(model, budget, {"demo": small_demo})
    encoded = [encoder.encode(one) for one in asked]
    assert not any(isinstance(one, MediaError) for one in encoded)
    network = HeadNetwork(model.model, torch.nn.Sequential(), Answers("reward"), "mean").eval()
    with torch.no_grad():
        together = network.represent(**encoder.collate(encoded))
        alone = torch.cat([network.represent(**encoder.collate([one])) for one in encoded])
    assert torch.allclose(together, alone, atol=1e-5)
    assert (together[0] - together[2]).abs().max() > 1e-4


def test_a_plain_encoder_says_what_it_cannot_take(small_demo: Path) -> None:
    text = load_backbone("tiny:text_encoder", "text_encoder")
    _, bounded = encoder_for(text, Budget(), {}, most=8)
    refused = bounded.encode(conversation(None, "word " * 50))
    assert isinstance(refused, MediaError) and refused.reason == "too_many_tokens"
    speech = load_backbone("tiny:speech_encoder", "speech_encoder")
    encoder, _ = encoder_for(speech, Budget(), {"demo": small_demo})
    lost = encoder.encode(conversation({"type": "audio", "corpus": "demo", "path": "nowhere.wav"}))
    assert isinstance(lost, MediaError) and (lost.reason, lost.path) == ("missing", "demo:nowhere.wav")
    with pytest.raises(AffectError, match="takes one clip of a conversation, and this one shows 0"):
        encoder.encode(conversation(None))
    with pytest.raises((NotFound, WrongCheckpoint)):
        load_backbone("/nowhere/at/all", "speech_encoder")


def test_a_folder_that_is_no_head_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no folder of a head: it has no head\.json"):
        load_head(str(tmp_path))
    (tmp_path / "head.json").write_text('{"layout": 1}')
    with pytest.raises(WrongCheckpoint, match="the page of the head cannot be read"):
        load_head(str(tmp_path))
    (tmp_path / "head.json").write_text('{"layout": 99}')
    with pytest.raises(WrongCheckpoint, match="another version of affectllm"):
        load_head(str(tmp_path))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == "qwen2_5_omni" else [pytest.mark.thorough]) for name in sorted(families())],
)
def test_a_tuned_backbone_is_the_same_when_it_is_loaded(name: str, tmp_path: Path) -> None:
    """Names of weights differ between a model that writes and the network below it; nothing may be drawn anew."""
    model = load_backbone(f"tiny:{name}", name, dtype="float32")
    with torch.no_grad():
        for weight in model.model.base_model.parameters():
            weight += 0.01
    reward = Answers("reward")
    width = model.model.config.get_text_config().hidden_size
    network = HeadNetwork(model.model, layers(width, 1, HeadPage(), False), reward, "last")
    facts = {"base": f"tiny:{name}", "backbone": name, "processor": None, "dtype": "float32", "budget": Budget()}
    how = {"max_text_tokens": 64, "pooling": "last", "width": width, "standardised": False, "adaptation": "full"}
    page = HeadFolder(reward, HeadPage(), **facts, **how)  # type: ignore[arg-type]
    save_head(tmp_path, page, network, network.state_dict())
    model.processor.save_pretrained(tmp_path)
    again = load_head(str(tmp_path)).network.state_dict()
    own = network.state_dict()
    assert own.keys() == again.keys() and all(torch.equal(own[key], again[key]) for key in own)


@pytest.mark.parametrize("name", ["qwen2_5_omni", "qwen2"])
def test_an_adapter_goes_on_a_backbone_with_towers(name: str) -> None:
    from peft import LoraConfig, get_peft_model

    backbone = load_backbone(f"tiny:{name}", name, None)
    width = backbone.model.config.get_text_config().hidden_size
    network = HeadNetwork(backbone.model, layers(width, 1, HeadPage(), standardised=False), Answers("reward"), "last")
    tuned = get_peft_model(network, LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["score"]))
    assert any("lora_A" in key and weight.requires_grad for key, weight in tuned.named_parameters())
