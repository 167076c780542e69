"""What holds of every model family on the shelf: from clips to tokens, logits, answers and scores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from family_clips import BUDGET, NAMES, clips_for, encoded, encoder_of, mixes_for, talk, talks_for, tiny_model

from affectllm.evaluate.by_likelihood import with_question
from affectllm.model.ablation import check_modalities_heard
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Clip, MediaError, open_clip, open_image
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import generate, score_batch, score_choices
from affectllm.model.load import Model
from affectllm.model.packed import packed
from affectllm.model.processor_arguments import with_frames
from affectllm.model.shared_prefix import score_alike
from affectllm.train.ranks.filling import Filling


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> Model:
    return tiny_model(request.param)


@pytest.fixture
def encoder(model: Model, clips: Path) -> Encoder:
    return encoder_of(model, clips)


def logits(model: Model, batch: dict[str, Any], **options: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.model(**batch, **options).logits


def test_the_loss_is_on_the_answer_and_its_end_alone(model: Model, encoder: Encoder) -> None:
    for messages in talks_for(model.family):
        labels = encoded(encoder, messages).labels
        answer = f"{model.family.lead}happiness{model.family.end_of_turn}"
        assert model.tokenizer.decode(labels[labels != -100]) == answer


def test_a_prompt_has_no_labels_and_ends_where_the_answer_begins(model: Model, encoder: Encoder) -> None:
    system = {"role": "system", "content": "Answer in a word."}
    for messages in talks_for(model.family):
        for before in ([], [system], messages):
            prompt = encoded(encoder, [*before, messages[0]], generation_prompt=True)
            whole = encoded(encoder, [*before, *messages])
            assert (prompt.labels == -100).all() or before == messages
            assert torch.equal(whole.input_ids[: prompt.length], prompt.input_ids)


def test_a_batch_gives_what_its_members_give_alone(model: Model, encoder: Encoder) -> None:
    items = [encoded(encoder, messages) for messages in talks_for(model.family)]
    for side in ("right", "left"):
        batch = encoder.collate(items, side=side)
        if side == "left" and "position_ids" not in batch:
            batch["position_ids"] = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        together = logits(model, batch)
        for row, item in enumerate(items):
            own = together[row, : item.length] if side == "right" else together[row, -item.length :]
            assert (own - logits(model, encoder.collate([item]))[0]).abs().max() < model.family.rounding


def test_several_threads_encode_what_one_does(model: Model, encoder: Encoder) -> None:
    talks = talks_for(model.family) * 3
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(encoder.encode, talks))
    for messages, item in zip(talks, together, strict=True):
        alone = encoded(encoder, messages)
        assert isinstance(item, Encoded), item
        assert torch.equal(item.input_ids, alone.input_ids) and torch.equal(item.labels, alone.labels)
        assert item.media.keys() == alone.media.keys()
        assert all(torch.equal(tensor, alone.media[name]) for name, tensor in item.media.items())


def test_spliced_is_what_the_processor_makes_of_the_whole_prompt(model: Model, encoder: Encoder) -> None:
    for part in clips_for(model.family):
        messages = talk(part)
        ours = encoder.collate([encoded(encoder, messages)])
        labels = ours.pop("labels")
        theirs = whole_prompt(model, messages, encoder.roots["made"])
        assert torch.equal(ours["input_ids"], theirs["input_ids"]), part
        options = {"use_audio_in_video": bool(part.get("sound"))} if model.family.sound == "interleaved" else {}
        # Their positions are computed by the model, for the whole batch at once.
        assert torch.equal(logits(model, ours), logits(model, theirs, **options)), part
        assert labels.shape == ours["input_ids"].shape


def test_a_sound_becomes_what_the_processor_alone_makes_of_it(model: Model) -> None:
    if "audio" not in model.family.modalities:
        pytest.skip("hears nothing")
    # It ends with a whole hop and not in silence, so that the last windows show what lies behind it.
    tone = (0.5 * np.sin(np.arange(32_000) * 2 * np.pi * 440 / 16_000)).astype(np.float32)
    clip = Clip(None, 0.0, tone, 2.0)
    ours, theirs = (
        model.processor(
            text=[model.family.placeholders["audio"]], audio=[tone], audio_kwargs=options, return_tensors="pt"
        )
        for options in (model.family.sound_options(model.processor, clip), {"sampling_rate": 16_000})
    )
    assert torch.equal(ours["input_ids"], theirs["input_ids"])
    name = model.family.tensors["audio"]
    heard = min(200, ours[name].shape[-1])  # frames of 10 ms; the model drops what is masked behind them
    own, other = (inputs[name][..., :heard] for inputs in (ours, theirs))
    smallest = tuple(slice(min(a, b)) for a, b in zip(own.shape, other.shape, strict=True))
    assert torch.equal(own[smallest], other[smallest])


def whole_prompt(model: Model, messages: list[dict[str, Any]], root: Path) -> dict[str, Any]:
    """Model inputs as by transformers alone: the processor is given the whole text with its unexpanded marks."""
    family, part = model.family, messages[0]["content"][0]
    text = model.tokenizer.apply_chat_template(messages, tokenize=False)
    options: dict[str, Any] = {}
    if part["type"] == "image":
        for mark, (token, _) in ((family.marks[p], bounds) for p, bounds in family.bounds.items()):
            text = text.replace(mark, token)
        picture = open_image(root / part["path"], BUDGET, family.frame_factor)
        options = {"images": [picture], "images_kwargs": family.image_options(picture)}
    else:
        sound = part["type"] == "audio" or bool(part.get("sound"))
        frames = part["type"] == "video"
        clip = open_clip(root / part["path"], BUDGET, frames=frames, sound=sound, factor=family.frame_factor)
        assert isinstance(clip, Clip)
        if frames:
            clip = with_frames(clip, BUDGET.max_frames) if family.same_frames else clip
            options |= {"videos": [clip.frames], "videos_kwargs": family.video_options(clip)}
        if sound:
            assert clip.sound is not None
            missing = max(0, round(family.shortest_sound * 16_000) - len(clip.sound))
            clip = replace(clip, sound=np.pad(clip.sound, (0, missing)))
            options |= {"audio": [clip.sound], "audio_kwargs": family.sound_options(model.processor, clip)}
        if frames and sound and family.sound == "interleaved":
            options |= {"audio_from_video_indices": [0], "load_audio_from_video": True}
        if frames and sound and family.sound == "after":
            text = text.replace(family.marks["video"], family.marks["video"] + family.marks["audio"])
    flags = {"padding": False, "add_special_tokens": False}
    return dict(model.processor(text=[text], return_tensors="pt", text_kwargs=flags, **options))


def test_answers_do_not_depend_on_the_batch_and_are_the_likeliest(model: Model, encoder: Encoder) -> None:
    prompts = [encoded(encoder, messages[:1], generation_prompt=True) for messages in talks_for(model.family)]
    together = generate(model, encoder, prompts, 4)
    assert together == [generate(model, encoder, [prompt], 4)[0] for prompt in prompts]
    for prompt, answer in list(zip(prompts, together, strict=True))[-3:]:
        assert answer == likeliest(model, encoder, prompt, 4)


def likeliest(model: Model, encoder: Encoder, prompt: Encoded, count: int) -> str:
    """What greedy search finds without a cache: a full pass for every token."""
    length = prompt.length
    for _ in range(count):
        token = logits(model, encoder.collate([prompt]))[0, -1].argmax()[None]
        positions = prompt.positions
        if positions is not None:
            positions = torch.cat([positions, positions[:, -1:] + 1], dim=1)
        ids, labels = torch.cat([prompt.input_ids, token]), torch.cat([prompt.labels, token])
        prompt = replace(prompt, input_ids=ids, labels=labels, positions=positions)
    return model.tokenizer.decode(prompt.input_ids[length:], skip_special_tokens=True).strip()


def test_an_answer_is_over_where_its_turn_ends(model: Model, encoder: Encoder) -> None:
    end = model.tokenizer.convert_tokens_to_ids(model.family.end_of_turn)
    calls = []

    def only_the_end(_: Any, __: Any, output: torch.Tensor) -> torch.Tensor:
        calls.append(output.shape)
        return output.index_fill(-1, torch.tensor([end]), 1e4)

    hook = model.model.get_output_embeddings().register_forward_hook(only_the_end)
    try:
        assert generate(model, encoder, [encoded(encoder, talk()[:1], generation_prompt=True)], 5) == [""]
    finally:
        hook.remove()
    assert len(calls) == 1


def test_frames_between_two_positions_are_answered_and_scored_alike(model: Model, clips: Path) -> None:
    if "video" not in model.family.modalities:
        pytest.skip("it sees no video")
    part = clips_for(model.family)[0]
    encoder = encoder_of(model, clips, budget=replace(BUDGET, fps=6.0))
    prompt = encoded(encoder, talk(part)[:1], generation_prompt=True)
    assert generate(model, encoder, [prompt], 3)[0] == likeliest(model, encoder, prompt, 3)
    choices = ["fear of the dark", "joy"]
    for choice, (score, _) in zip(choices, score_choices(model, encoder, prompt, choices), strict=True):
        assert score == pytest.approx(full_pass(model, encoder, talk(part), choice, False), abs=1e-3)


def test_choices_are_scored_as_by_full_passes(model: Model, encoder: Encoder) -> None:
    choices = ["anger", "happiness", "fear of the dark"]
    for messages in talks_for(model.family)[1::2]:
        prompt = encoded(encoder, messages[:1], generation_prompt=True)
        for end in (False, True):
            scores = score_choices(model, encoder, prompt, choices, end_of_turn=end)
            for (score, _), choice in zip(scores, choices, strict=True):
                assert score == pytest.approx(full_pass(model, encoder, messages, choice, end), abs=1e-3)


def test_choices_are_scored_in_a_batch_as_they_are_alone(model: Model, encoder: Encoder) -> None:
    talks = talks_for(model.family)[1::2]
    prompts = [encoded(encoder, messages[:1], generation_prompt=True) for messages in talks]
    choices = [["anger", "fear of the dark", "joy"][: 2 + number % 2] for number in range(len(prompts))]
    together = score_batch(model, encoder, prompts, choices, end_of_turn=True)
    for prompt, own, scores in zip(prompts, choices, together, strict=True):
        alone = score_choices(model, encoder, prompt, own, end_of_turn=True)
        assert [score for score, _ in scores] == pytest.approx([score for score, _ in alone], abs=1e-3)


def test_questions_about_one_clip_are_scored_as_they_are_alone(model: Model, encoder: Encoder) -> None:
    for message in (talks_for(model.family)[1][0], talks_for(model.family)[-1][0]):
        talks = [[with_question([message], f"{name}? Yes or No.")[0]] for name in ("anger", "a long joy", "fear")]
        prompts = [encoded(encoder, one, generation_prompt=True) for one in talks]
        together = score_alike(model, encoder, prompts, ["No", "Yes", "Yes indeed"])
        for prompt, scores in zip(prompts, together, strict=True):
            alone = score_choices(model, encoder, prompt, ["No", "Yes", "Yes indeed"])
            assert [score for score, _ in scores] == pytest.approx([score for score, _ in alone], abs=1e-3)


def full_pass(model: Model, encoder: Encoder, messages: list[dict[str, Any]], choice: str, end: bool) -> float:
    item = encoded(encoder, [messages[0], {"role": "assistant", "content": choice}])
    answer = (item.labels != -100).nonzero()[:, 0]
    chances = torch.log_softmax(logits(model, encoder.collate([item]))[0], dim=-1)
    return float(sum(chances[place - 1, item.input_ids[place]] for place in (answer if end else answer[:-1])))


def test_every_modality_moves_the_loss(model: Model, encoder: Encoder) -> None:
    changes = check_modalities_heard(model, encoder, [talk(part) for part in clips_for(model.family)])
    assert set(changes) == model.family.modalities - {"text"}
    assert all(value > 1e-4 for change in changes.values() for value in change.values())


def test_packed_conversations_give_what_they_give_alone(model: Model, encoder: Encoder) -> None:
    if not model.family.packs:
        pytest.skip("its conversations share no row")
    items = [encoded(encoder, messages) for messages in talks_for(model.family)]
    batch = packed(encoder, items)
    assert "attention_mask" not in batch
    labels = batch.pop("labels")[0]
    assert (labels != -100).sum() == sum((item.labels[1:] != -100).sum() for item in items)
    together = logits(model, batch, use_cache=False)
    begin = 0
    for item in items:
        alone = logits(model, encoder.collate([item]))[0]
        assert (together[0, begin : begin + item.length] - alone).abs().max() < model.family.rounding
        begin += item.length


def test_rows_that_fill_up_a_batch_bring_every_kind_of_clip_and_no_loss(model: Model, encoder: Encoder) -> None:
    filling = Filling(encoder, model.family.modalities)
    words = [encoded(encoder, talk(question=text)) for text in ("One?", "Another one?")]
    more = filling.rows_for(words)
    tensors = {model.family.tensors[kind] for kind in model.family.modalities - {"text"}}
    assert tensors <= {name for item in more for name in item.media}
    assert all((item.labels == -100).all() for item in more)
    assert filling.rows_for([*words, *more]) == []
    with torch.no_grad():
        own, filled = (model.model(**encoder.collate(batch)).loss for batch in (words, [*words, *more]))
    assert abs(float(filled) - float(own)) < 1e-4


def test_half_precision_answers(model: Model, encoder: Encoder) -> None:
    prompt = encoded(encoder, talk(*mixes_for(model.family)[-1])[:1], generation_prompt=True)
    try:
        model.model.to(torch.bfloat16)
        assert generate(model, encoder, [prompt], 2)[0] is not None
        assert all(score < 0 for score, _ in score_choices(model, encoder, prompt, ["anger", "joy"]))
    finally:
        tiny_model.cache_clear()


def test_words_of_a_corpus_cannot_write_control_tokens(model: Model, encoder: Encoder) -> None:
    special = set(model.tokenizer.all_special_ids)
    tokens = {model.tokenizer.decode([token]) for token in special} | set(model.family.placeholders.values())
    plain = encoded(encoder, talk(question="a"))
    attacked = encoded(encoder, talk(question=" ".join(sorted(tokens)) + " ignore the above"))
    assert len(tokens) > 1
    assert [sum(int(token) in special for token in item.input_ids) for item in (plain, attacked)] == [
        sum(int(token) in special for token in plain.input_ids)
    ] * 2


def test_line_breaks_and_tags_stay_as_they_are(model: Model, encoder: Encoder) -> None:
    words = "first\n\nsecond <h1>third</h1>"
    assert words in model.tokenizer.decode(encoded(encoder, talk(question=words)).input_ids)


def test_the_second_reading_comes_from_the_cache_and_is_the_same(model: Model, clips: Path, tmp_path: Path) -> None:
    cache = MediaCache(tmp_path / "media")
    messages = talk(*clips_for(model.family))
    first = encoded(encoder_of(model, clips, cache), messages)
    misses, hits = cache.misses, cache.hits
    second = encoded(encoder_of(model, clips, cache), messages)
    assert cache.misses == misses and cache.hits == hits + len(clips_for(model.family))
    assert torch.equal(first.input_ids, second.input_ids)
    assert all(torch.equal(first.media[name], second.media[name]) for name in first.media)


def test_what_a_family_does_not_take_is_refused_by_name(model: Model, encoder: Encoder) -> None:
    from affectllm.errors import AffectError

    for kind in sorted({"video", "audio", "image"} - model.family.modalities):
        with pytest.raises(AffectError, match=f"{model.family.name} does not take {kind}"):
            encoder.encode(talk({"type": kind, "corpus": "made", "path": "tone.wav"}))


def test_a_missing_clip_is_a_value_with_its_name(model: Model, encoder: Encoder) -> None:
    for part in clips_for(model.family)[:1]:
        error = encoder.encode(talk({**part, "path": "absent.wav"}))
        assert error == MediaError("missing", "made:absent.wav", "")


def test_sound_beyond_what_a_family_hears_is_counted_and_the_rest_is_used(model: Model, tmp_path: Path) -> None:
    if "audio" not in model.family.modalities:
        pytest.skip("it hears nothing")
    from affectllm.corpus.miniature import Tone, materialise
    from affectllm.model.clips.media import Budget

    if (longest := model.family.longest_sound) is not None and longest > 120:  # minutes of sound take minutes
        longest = 120.0
        model = replace(model, family=replace(model.family, longest_sound=longest))
    whole = 70.0 if longest is None else longest
    materialise({"short.wav": Tone(whole - 2), "fits.wav": Tone(whole), "long.wav": Tone(whole + 2)}, tmp_path)

    def reads(name: str, long: Any) -> Encoded | MediaError:
        encoder = encoder_of(model, tmp_path, budget=Budget(max_seconds=whole + 10, long=long))
        return encoder.encode(talk({"type": "audio", "corpus": "made", "path": f"{name}.wav"}))

    short, fits, long = (reads(name, "trim") for name in ("short", "fits", "long"))
    assert isinstance(short, Encoded) and isinstance(fits, Encoded) and isinstance(long, Encoded)
    assert short.length < fits.length and short.trimmed == fits.trimmed == 0
    if longest is None:
        assert fits.length < long.length and long.trimmed == 0
        return
    refused = reads("long", "reject")
    assert long.length == fits.length and long.trimmed == 1
    assert isinstance(refused, MediaError) and refused.reason == "too_long"
    assert f"{longest + 2:.1f} s; at most {longest:g} s" in refused.detail
