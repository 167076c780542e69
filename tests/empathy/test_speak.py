"""Replies that a tiny talker speaks: the given words, in a voice of the checkpoint, the same sound for a seed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from adapting import make_adapter
from PIL import Image
from safetensors.torch import load_file

from affectllm.cli import main
from affectllm.corpus.render import write_sound
from affectllm.empathy.to_speak import ToSpeak, facts_of
from affectllm.errors import NotFound, WrongCheckpoint
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoder
from affectllm.model.family import find_family
from affectllm.model.generate import model_inputs
from affectllm.model.load import load_model
from affectllm.model.speech import Sound, Talking, Unspoken, check_talks, load_talking, speak
from affectllm.model.tiny import tiny_folder, tiny_whole_folder
from affectllm.respond.in_process import InProcess
from affectllm.respond.responder import Ask

OMNI = "tiny:qwen2_5_omni"
BOTH = (OMNI, "tiny:qwen3_omni")
NEVER = {OMNI: 61, "tiny:qwen3_omni": 1_000}
"""A code that the talker is not allowed to say."""
ROOTS = {"files": Path("/")}
SHARED = ("input_ids", "attention_mask", "feature_attention_mask", "video_grid_thw", "video_second_per_grid")


def asked(*parts: Mapping[str, Any], text: str = "Nobody liked the soup.") -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]


def encoder(talking: Talking) -> Encoder:
    model = talking.model
    return Encoder(model.processor, model.family, model.model.config, Budget(max_frames=2), ROOTS)


def spoken(talking: Talking, reply: str = "I am sorry to hear that.", *parts: Any, **options: Any) -> Any:
    options = {"voice": talking.voices[0], "max_seconds": 1.0, **options}
    return speak(talking, encoder(talking), asked(*parts), reply, **options)


def samples(sound: Any) -> np.ndarray:
    assert isinstance(sound, Sound), sound
    return sound.samples


def same(one: Any, other: Any) -> bool:
    return np.array_equal(samples(one), samples(other))


@pytest.fixture(scope="module")
def talking() -> Talking:
    return load_talking(OMNI)


def table(folder: Path, rows: list[dict[str, str]]) -> Path:
    (folder / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "replies.jsonl"


def page(folder: Path, model: str = OMNI, **keys: Any) -> Path:
    path = folder / "page.yaml"
    path.write_text(json.dumps({"model": model, "max_seconds": 0.5, "answers": "kept", **keys}))
    return path


def run(path: Path, *options: str) -> list[dict[str, Any]]:
    out = path.parent / "out"
    main(["speak", str(path), "--out", str(out), *options])
    return [json.loads(line) for line in (out / "spoken.jsonl").read_text().splitlines()]


def test_a_reply_is_spoken_in_a_voice_of_the_checkpoint(talking: Talking) -> None:
    first = spoken(talking)
    assert len(samples(first)) and np.abs(samples(first)).max() > 0.001
    assert same(first, spoken(talking)) and not same(first, spoken(talking, seed=1))
    assert not same(first, spoken(talking, voice=talking.voice("ethan")))
    assert not same(first, spoken(talking, "I was sorry to hear that."))
    assert spoken(talking, " \n") == Unspoken("no_reply")
    with pytest.raises(NotFound, match="no voice 'Ethen'") as caught:
        talking.voice("Ethen")
    assert caught.value.do == "did you mean Ethan?"


@pytest.mark.parametrize("name", [OMNI, pytest.param("tiny:qwen3_omni", marks=pytest.mark.thorough)])
def test_the_thinker_of_the_whole_answers_as_the_thinker_alone(name: str, request: pytest.FixtureRequest) -> None:
    whole = request.getfixturevalue("talking") if name == OMNI else load_talking(name)
    alone = load_model(name)
    asks = [Ask(asked(text=text), 12) for text in ("Nobody liked the soup.", "I got the job!")]
    expected, got = (dict(InProcess(model).replies(asks, {})) for model in (alone, whole.model))
    assert expected == got and all(expected.values())


@pytest.mark.thorough
@pytest.mark.parametrize("name", BOTH)
def test_it_speaks_after_clips_of_every_kind(name: str, small_demo: Path, tmp_path: Path) -> None:
    talking = load_talking(name)
    film = str(next((small_demo / "clips").glob("*.mp4")))
    write_sound(tmp_path / "a.wav", np.sin(np.arange(16_000) / 9) * 0.1, 16_000)
    Image.new("RGB", (56, 84), "red").save(tmp_path / "i.png")
    sound, picture, silent, seen = (
        {"type": kind, "corpus": "files", "path": str(path), **more}
        for kind, path, more in (
            ("audio", tmp_path / "a.wav", {}),
            ("image", tmp_path / "i.png", {}),
            ("video", film, {}),
            ("video", film, {"sound": True}),
        )
    )
    plain = spoken(talking)
    for parts in (
        [sound],
        [sound, sound],
        [picture],
        [silent],
        [seen],
        [seen, picture],
        [seen, seen],
        [picture, sound],
    ):
        assert not same(plain, spoken(talking, "I am sorry to hear that.", *parts)), parts
    for parts in ([seen, sound], [silent, seen]):
        assert spoken(talking, "Oh.", *parts) == Unspoken("mixed_sounds")
    lost = spoken(talking, "Oh.", {**sound, "path": str(tmp_path / "no.wav")})
    assert isinstance(lost, Unspoken) and lost.reason == "missing"


@pytest.mark.thorough
@pytest.mark.parametrize("name", BOTH)
def test_an_answer_sounds_as_the_library_would_speak_it_had_the_thinker_found_it(name: str, small_demo: Path) -> None:
    talking = load_talking(name)
    talking = replace(talking, talker=replace(talking.talker, ends=lambda config: (NEVER[name],)))
    model, whole = talking.model, talking.whole
    # transformers tells the talker of Qwen3-Omni of no film that it sounds.
    film = {"type": "video", "corpus": "files", "path": str(next((small_demo / "clips").glob("*.mp4")))}
    film |= {"sound": True} if name == OMNI else {}
    reply = "That sounds hard. I am here."
    words = [*model.tokenizer(reply)["input_ids"], model.tokenizer.convert_tokens_to_ids(model.family.end_of_turn)]
    for parts in ([], [film]):
        prompt = encoder(talking).encode(asked(*parts), generation_prompt=True)
        inputs = model_inputs(model, encoder(talking), [prompt], side="left")  # type: ignore[list-item]

        def found(ids: torch.Tensor, logits: torch.Tensor, begin: int = inputs["input_ids"].shape[1]) -> torch.Tensor:
            logits[:, words[ids.shape[1] - begin]] = torch.inf
            return logits

        torch.manual_seed(3)
        with torch.inference_mode():
            _, theirs = whole.generate(
                **{
                    key if key in SHARED or key.startswith("thinker_") else f"thinker_{key}": inputs[key]
                    for key in inputs
                },
                **{"thinker_logits_processor": [found], "thinker_do_sample": False, "thinker_eos_token_id": words[-1]},
                **{
                    "use_audio_in_video": any(part.get("sound") for part in parts),
                    "talker_max_new_tokens": 12,
                    "speaker": talking.voices[0],
                },
                talker_eos_token_id=[NEVER[name]],
            )
        longest = 12 / talking.talker.codes_per_second
        ours = spoken(talking, reply, *parts, seed=3, max_seconds=longest)
        assert np.array_equal(samples(ours), theirs.reshape(-1).numpy())
        # The talker's positions go on where those of the thinker do, of which ours are made clip by clip.
        after = prompt.positions.max() + 1 - prompt.length  # type: ignore[union-attr]
        assert int(whole.talker.rope_deltas) == int(after) and (not parts or int(after))


@pytest.mark.thorough
@pytest.mark.parametrize("name", BOTH)
def test_what_makes_no_sound_has_its_reason(name: str) -> None:
    talking = load_talking(name)
    ends = replace(talking.talker, ends=lambda config: range(64))  # of whatever the talker says first
    assert spoken(replace(talking, talker=ends)) == Unspoken("empty_sound")
    never = replace(talking.talker, ends=lambda config: (63,))
    assert [spoken(replace(talking, talker=never), max_seconds=1 / 4, seed=seed).cut for seed in range(3)].count(
        True
    ) > 1
    too_long = spoken(talking, "word " * 40_000)
    assert isinstance(too_long, Unspoken) and too_long.reason == "too_many_tokens"
    for weight in talking.whole.talker.model.layers[0].parameters():
        weight.data.fill_(torch.nan)
    assert spoken(talking) == Unspoken("not_finite")


@pytest.mark.thorough
def test_a_vocoder_without_numbers_makes_no_sound() -> None:
    talking = load_talking(OMNI)
    talking.whole.token2wav.code2wav_bigvgan_model.conv_post.weight.data.fill_(torch.nan)
    assert spoken(talking) == Unspoken("not_finite")


@pytest.mark.thorough
@pytest.mark.parametrize("name", BOTH)
def test_a_checkpoint_on_disk_is_spoken_with_under_the_names_of_the_hub(name: str, tmp_path: Path) -> None:
    family = find_family(name.removeprefix("tiny:"))
    folder = Path(shutil.copytree(tiny_whole_folder(family.name), tmp_path / "whole"))
    weights = load_file(folder / "model.safetensors")
    assert {key.partition(".")[0] for key in weights} == {family.whole, *family.besides}
    assert {"thinker.model.embed_tokens.weight", "thinker.lm_head.weight"} < weights.keys()  # as on the Hub
    assert any(key.startswith("thinker.visual.") for key in weights)
    first = spoken(load_talking(name))
    assert same(spoken(load_talking(str(folder))), first)
    half = load_talking(str(folder), dtype="bfloat16")
    assert np.isfinite(samples(spoken(half))).all()


@pytest.mark.thorough
@pytest.mark.parametrize("name", BOTH)
def test_an_adapter_of_the_thinker_is_on_the_thinker_of_the_whole(name: str, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", name)
    tuned, plain = load_talking(name, adapter=str(adapter)), load_talking(name)
    ask = [Ask(asked(), 12)]
    replies = [
        dict(InProcess(model).replies(ask, {})) for model in (tuned.model, load_model(str(adapter)), plain.model)
    ]
    assert replies[0] == replies[1] != replies[2]
    # Talkers are given what the tuned thinker makes of the words; that of Qwen3-Omni the words alone, and the clips.
    assert same(spoken(tuned), spoken(plain)) == (name != OMNI)
    seen = {"type": "image", "corpus": "files", "path": str(tmp_path / "i.png")}
    Image.new("RGB", (56, 84), "red").save(tmp_path / "i.png")
    assert not same(spoken(tuned, "Oh.", seen), spoken(plain, "Oh.", seen))
    assert same(
        spoken(load_talking(str(adapter)), "Oh.", seen), spoken(tuned, "Oh.", seen)
    )  # by the base that it names


def test_what_does_not_speak_is_refused_by_its_configuration(tmp_path: Path) -> None:
    with pytest.raises(WrongCheckpoint, match="qwen2 has no talker") as caught:
        check_talks("tiny:qwen2")
    assert caught.value.do == "families that speak: qwen2_5_omni, qwen3_omni"
    alone = tiny_folder("qwen2_5_omni")
    with pytest.raises(WrongCheckpoint, match="holds the thinker alone"):
        check_talks(str(alone))
    (tmp_path / "mute").mkdir()
    config = json.loads((tiny_whole_folder("qwen2_5_omni") / "config.json").read_text())
    (tmp_path / "mute/config.json").write_text(json.dumps({**config, "enable_audio_output": False}))
    with pytest.raises(WrongCheckpoint, match="enable_audio_output: false"):
        check_talks(str(tmp_path / "mute"))


def test_a_page_is_held_against_what_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "no replies"),
        ({"table": "t.csv", "talks": "runs/x"}, "table: and talks:"),
        ({"table": "t.csv", "task": "x"}, "task: says nothing of table:"),
        ({"talks": "x", "system": "Listen."}, "system: says nothing of talks:"),
        ({"table": "t.csv", "columns": {"words": "x"}}, "'words' is no role"),
        ({"evaluation": "x", "target": {"space": "y"}}, "target: has space: and rater:"),
        ({"table": "t.csv", "max_seconds": 0}, "a sound is longer than 0 s"),
        ({"table": "t.csv", "max_new_tokens": 0}, "a reply has at least one token"),
        ({"table": "t.csv", "seed": -1}, "a seed is 0 or more"),
    ]
    for keys, message in cases:
        assert main(["speak", str(page(tmp_path, **keys))]) == 2
        assert message in capsys.readouterr().err, keys


@pytest.mark.thorough
def test_every_row_of_a_table_is_in_the_table_of_the_spoken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sound(tmp_path / "a.wav", np.sin(np.arange(16_000) / 9) * 0.1, 16_000)
    rows = [
        {"name": "a/1", "text": "I lost my keys.", "said": "Oh no!", "target": "sadness", "language": "en"},
        {"name": "a_1", "clip": "a.wav", "said": "I hear you."},
        {"name": "silent", "text": "Hello", "said": ""},
        {"name": "lost", "clip": "no.wav", "said": "Oh."},
        {"name": "text", "clip": "no.txt", "said": "Oh."},
        {"name": "bare", "said": "Oh."},
    ]
    table(tmp_path, [{"text": "", "clip": "", "target": "", "language": "", **row} for row in rows])
    keys = {"columns": {"id": "name", "reply": "said"}, "name": "ours", "voice": "ETHAN", "max_seconds": 30}
    path = page(tmp_path, table="replies.jsonl", **keys)
    out = {row["id"]: row for row in run(path)}
    assert "2 × spoken, 1 × no_reply, 1 × missing, 1 × not_media, 1 × empty_row" in capsys.readouterr().out
    first, second = out["a/1"], out["a_1"]
    assert (first["target"], first["language"], first["speaker"], first["system"]) == ("sadness", "en", "Ethan", "ours")
    assert first["clip"] != second["clip"] and second["clip"] == "voices/a_1.wav"
    facts = soundfile.info(tmp_path / "out" / first["clip"])
    assert (facts.samplerate, facts.channels) == (first["sampling_rate"], 1)
    assert facts.duration == pytest.approx(first["seconds"], abs=0.001) and facts.duration < 30
    assert (out["silent"]["clip"], out["lost"]["detail"]) == (None, "no.wav")
    # Of replies that nobody gave, the model's own are spoken.
    table(tmp_path, [{"id": "a", "text": "Nobody liked the soup."}])
    (row,) = run(page(tmp_path, table="replies.jsonl", max_new_tokens=12))
    assert row["reply"] == dict(InProcess(load_model(OMNI)).replies([Ask(asked(), 12)], {}))[0]
    for rows, message in (
        ([{"id": "a", "text": "x"}] * 2, "two replies are called 'a'"),
        ([], "nothing can be spoken"),
    ):
        table(tmp_path, rows)
        assert main(["speak", str(page(tmp_path, table="replies.jsonl"))]) == 2
        assert message in capsys.readouterr().err
    assert main(["speak", str(page(tmp_path, table="replies.jsonl", columns={"reply": "said"}))]) == 2


def test_another_reference_is_another_run() -> None:
    """Its path stands in the row, and a finished run of the same inputs is not written again."""
    one, other = (facts_of(ToSpeak("a", reply="yes", reference=f"/clips/{name}.wav")) for name in "ab")
    assert one != other and one == facts_of(ToSpeak("a", [{"role": "user"}], reply="yes", reference="/clips/a.wav"))
