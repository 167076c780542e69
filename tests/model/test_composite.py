"""Composing models of three checkpoints: every fusion is written, loads again, sees, hears, learns and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from family_clips import BUDGET, HEARD, PICTURE, SEEN, SEEN_AND_HEARD, encoded, encoder_of, make_clips, talk
from peft import LoraConfig, get_peft_model
from sklearn.preprocessing import StandardScaler

from affectllm import registry
from affectllm.cli import main
from affectllm.errors import Malformed, NotFound, WrongCheckpoint
from affectllm.model.ablation import check_modalities_heard
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Clip, open_clip
from affectllm.model.composite.compose import Composition, compose, load_composition
from affectllm.model.composite.fusion import Standardised, averaged
from affectllm.model.generate import generate
from affectllm.model.load import Model, load_model
from affectllm.model.pooled import PooledEncoder
from affectllm.model.tiny import tiny_folder

CLOSE = 2e-5
TALKS = [talk(SEEN_AND_HEARD), talk(SEEN, answer="anger"), talk(HEARD), talk(PICTURE), talk(SEEN, HEARD), talk()]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of a vision encoder in a CLIP, a Whisper with its decoder, a HuBERT, and a language model."""
    import transformers as library

    root = tmp_path_factory.mktemp("checkpoints")
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    clip = library.CLIPConfig(
        vision_config={**sizes, "image_size": 56, "patch_size": 14}, text_config={**sizes, "vocab_size": 99}
    )
    whisper = library.WhisperConfig(
        **{"d_model": 32, "encoder_layers": 2, "decoder_layers": 1, "encoder_attention_heads": 2, "vocab_size": 99},
        **{"decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "pad_token_id": 0},
        **{"bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1},
    )
    hubert = library.HubertConfig(**sizes, conv_dim=[32] * 7, num_conv_pos_embeddings=16, vocab_size=99)
    size = {"height": 56, "width": 56}
    made: dict[str, tuple[Any, Any]] = {
        "clip": (library.CLIPModel(clip), library.CLIPImageProcessor(size=size, crop_size=size)),
        "whisper": (library.WhisperForConditionalGeneration(whisper), library.WhisperFeatureExtractor(feature_size=80)),
        "hubert": (library.HubertModel(hubert), library.Wav2Vec2FeatureExtractor()),
    }
    for name, (model, processor) in made.items():
        model.save_pretrained(root / name)
        processor.save_pretrained(root / name)
    return {"qwen2": str(tiny_folder("qwen2")), **{name: str(root / name) for name in made}}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("made"))


MEAN = {"audio_layers": "all", "audio_pooling": "mean", "frames_per_token": 3}


def composed(checkpoints: dict[str, str], folder: Path, fusion: Any, audio: str = "whisper", **more: Any) -> Model:
    page = Composition("test", checkpoints["qwen2"], checkpoints["clip"], checkpoints[audio], fusion, **more)
    compose(page, folder / "composite")
    return load_model(str(folder / "composite"))


@pytest.mark.parametrize(
    ("fusion", "audio", "more"),
    [
        ("projector", "whisper", {}),
        ("projector", "hubert", MEAN),
        ("prefusion", "hubert", {}),
        ("qformer", "whisper", {"audio_layers": 1}),
        ("projector", "whisper", {"audio_norm": "standardised"}),
    ],
)
def test_a_composite_sees_hears_learns_and_answers(
    checkpoints: dict[str, str], clips: Path, tmp_path: Path, fusion: str, audio: str, more: dict[str, Any]
) -> None:
    model = composed(checkpoints, tmp_path, fusion, audio, **more)
    encoder = encoder_of(model, clips)
    items = [encoded(encoder, messages) for messages in TALKS]
    batch = encoder.collate(items)
    with torch.no_grad():
        together = model.model(**batch).logits
        for row, item in enumerate(items):
            alone = model.model(**encoder.collate([item])).logits[0]
            assert (together[row, : item.length] - alone).abs().max() < CLOSE, TALKS[row]
    changes = check_modalities_heard(model, encoder, TALKS)
    assert set(changes) == {"video", "audio", "image"}
    prompts = [encoded(encoder, messages[:1], generation_prompt=True) for messages in TALKS]
    assert generate(model, encoder, prompts, 6) == [generate(model, encoder, [one], 6)[0] for one in prompts]
    before = float(model.model(**batch).loss)
    # A step so short that it goes downhill whatever weights were drawn.
    optimizer = torch.optim.SGD(model.model.model.fusion.parameters(), 0.002)
    model.model(**batch).loss.backward()
    assert all(parameter.grad is not None for parameter in model.model.model.fusion.parameters())
    optimizer.step()
    assert float(model.model(**batch).loss) < before
    model.model.save_pretrained(tmp_path / "again")
    model.processor.save_pretrained(tmp_path / "again")
    again = load_model(str(tmp_path / "again"))
    with torch.no_grad():
        assert torch.equal(again.model(**batch).logits, model.model(**batch).logits)


def test_outputs_are_averaged_without_padding() -> None:
    outputs = torch.randn(2, 7, 5)
    means = averaged(outputs, [7, 4], 3)
    assert means.shape == (2, 3, 5)
    for window, token, first, last in ((0, 0, 0, 3), (0, 2, 6, 7), (1, 0, 0, 3), (1, 1, 3, 4)):
        assert torch.allclose(means[window, token], outputs[window, first:last].mean(0), atol=1e-6)


def test_running_statistics_are_those_of_all_sounds_trained_on() -> None:
    sounds = 3 * torch.randn(23, 5) + torch.arange(5)
    norm = Standardised(5)
    norm.eval()
    assert torch.allclose(norm(sounds), sounds, atol=1e-4)  # before training
    norm.train()
    for batch in sounds.split([1, 8, 1, 13]):
        norm(batch)
    norm.eval()
    assert torch.allclose(norm(sounds), torch.from_numpy(StandardScaler().fit_transform(sounds)).float(), atol=1e-4)
    assert int(norm.count) == 23


def test_running_statistics_are_saved_with_an_adapter(checkpoints: dict[str, str], clips: Path, tmp_path: Path) -> None:
    model = composed(checkpoints, tmp_path, "projector", audio_norm="standardised", audio_pooling="mean")
    adapted = get_peft_model(model.model, LoraConfig(target_modules=["q_proj"], modules_to_save=["fusion"]))
    encoder = encoder_of(model, clips)
    batch = encoder.collate([encoded(encoder, talk(HEARD))])
    adapted.train()
    adapted(**batch)
    adapted.eval()
    adapted.save_pretrained(tmp_path / "adapter")
    again = load_model(str(tmp_path / "composite"), adapter=str(tmp_path / "adapter")).model.eval()
    (count,) = (buffer for name, buffer in again.named_buffers() if name.endswith("default.audio.norm.count"))
    assert int(count) > 0
    with torch.no_grad():
        assert torch.equal(again(**batch).logits, adapted(**batch).logits)


def test_a_layer_is_heard_by_a_composite_and_by_a_linear_probe_alike(
    checkpoints: dict[str, str], clips: Path, tmp_path: Path
) -> None:
    clip = open_clip(clips / "tone.wav", BUDGET, frames=False, sound=True)
    assert isinstance(clip, Clip) and clip.sound is not None
    heard: dict[int | str, torch.Tensor] = {}
    for layer in (0, 1, 2, "last"):
        options = {"audio_layers": layer, "audio_pooling": "mean", "frames_per_token": 1500}
        model = composed(checkpoints, tmp_path / str(layer), "projector", **options)
        projector = model.model.model.fusion.audio
        projector.register_forward_pre_hook(lambda _, inputs, layer=layer: heard.update({layer: inputs[0]}))
        with torch.no_grad():
            model.model(**encoder_of(model, clips).collate([encoded(encoder_of(model, clips), talk(HEARD))]))
        probe = PooledEncoder(checkpoints["whisper"], None if layer == "last" else int(layer)).sound(clip.sound)
        assert np.abs(heard[layer].flatten().numpy() - probe).max() < 1e-4
    assert all((heard[layer] - heard[layer + 1]).abs().max() > 1e-3 for layer in (0, 1))


def test_clips_that_are_prepared_for_one_composite_are_not_taken_for_another(
    checkpoints: dict[str, str], clips: Path, tmp_path: Path
) -> None:
    cache = MediaCache(tmp_path / "cache")
    for count in (8, 4):
        model = composed(checkpoints, tmp_path / str(count), "projector", frames_per_token=count)
        encoder = encoder_of(model, clips)
        plain = encoded(encoder, talk(HEARD))
        encoder.cache = cache
        assert torch.equal(encoded(encoder, talk(HEARD)).input_ids, plain.input_ids)


def test_the_towers_are_those_of_the_checkpoints(checkpoints: dict[str, str], tmp_path: Path) -> None:
    from transformers import AutoModel, AutoModelForMultimodalLM

    model = composed(checkpoints, tmp_path, "projector").model
    theirs = AutoModel.from_pretrained(checkpoints["whisper"]).get_encoder().state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in model.model.audio_tower.state_dict().items())
    language = AutoModel.from_pretrained(checkpoints["qwen2"]).embed_tokens.weight
    assert torch.equal(model.get_input_embeddings().weight[: len(language) // 2], language[: len(language) // 2])
    by_class = AutoModelForMultimodalLM.from_pretrained(tmp_path / "composite")
    assert type(by_class) is type(model) and by_class.config.composed_of["fusion"] == "projector"


def test_prefusion_is_one_token_for_pictures_one_for_sound_and_one_for_both(
    checkpoints: dict[str, str], clips: Path, tmp_path: Path
) -> None:
    model = composed(checkpoints, tmp_path, "prefusion", "hubert")
    encoder = encoder_of(model, clips)
    tokens = ("<|multi|>", "<|audio|>", "<|video|>", "<|image|>")

    def placeholders(*parts: dict[str, Any]) -> list[str]:
        ids = encoded(encoder, talk(*parts)).input_ids.tolist()
        return [token for token in model.tokenizer.convert_ids_to_tokens(ids) if token in tokens]

    assert placeholders(SEEN_AND_HEARD) == ["<|multi|>", "<|audio|>", "<|video|>"]
    assert placeholders(SEEN, HEARD) == ["<|video|>", "<|audio|>"], "two clips are not one"
    assert placeholders(PICTURE) == ["<|image|>"]


def test_the_command_composes_a_page_and_says_what_is_new(
    checkpoints: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, folder = tmp_path / "speech.yaml", tmp_path / "speech"
    page.write_text(f"description: hears\nlanguage: {checkpoints['qwen2']}\naudio: {checkpoints['whisper']}\n")
    assert main(["compose", str(page), "--to", str(folder)]) == 0
    output = capsys.readouterr().out
    assert "affect_speech, projector" in output and "model.fusion" in output and "are random" in output
    assert load_model(str(folder)).family.modalities == {"text", "audio"}
    with pytest.raises(Malformed, match="something already"):
        compose(load_composition(str(page)), folder)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"language": "/no/where"}, NotFound, "no checkpoint /no/where"),
        ({"audio": "qwen2"}, WrongCheckpoint, "as an audio encoder"),
        ({"language": "clip"}, WrongCheckpoint, "as a causal language model"),
        ({"window": 5.0}, WrongCheckpoint, "hears windows of 30 s, not 5.0"),
        ({"audio_layers": 3}, WrongCheckpoint, "layers 1 to 2, and 0 is what goes into the first; there is no 3"),
        ({"audio_layers": -1}, WrongCheckpoint, "there is no -1"),
    ],
)
def test_checkpoints_that_do_not_fit_are_explained(
    checkpoints: dict[str, str], tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    fields: dict[str, Any] = {"description": "", "language": "qwen2", "audio": "whisper", **change}
    fields = {key: checkpoints.get(value, value) for key, value in fields.items()}
    with pytest.raises(error, match=message):
        compose(Composition(**fields), tmp_path / "none")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", registry.names("recipes/compositions"))
def test_a_page_on_the_shelf_composes_any_checkpoints_of_its_kinds(
    checkpoints: dict[str, str], tmp_path: Path, name: str
) -> None:
    page = load_composition(name)
    swapped = {
        "language": "qwen2",
        "audio": page.audio and ("hubert" if page.window else "whisper"),
        "vision": page.vision and "clip",
    }
    changes = [f"{key}={checkpoints[value]}" for key, value in swapped.items() if value]
    compose(load_composition(name, changes), tmp_path / name)
    assert load_model(str(tmp_path / name)).family.name == page.family
    with pytest.raises(Malformed, match="is not KEY=VALUE"):
        load_composition(name, ["audio"])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("language: a/b\n", "neither vision nor audio"),
        ("language: a/b\naudio: a/c\nfusion: sum\n", "one of projector, prefusion, qformer"),
        ("language: a/b\naudio: a/c\nframes_per_token: 0\n", "at least 1"),
        ("language: a/b\nsound: a/c\n", "unknown key 'sound'"),
    ],
)
def test_a_page_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, lines: str, message: str) -> None:
    page = tmp_path / "page.yaml"
    page.write_text(f"description: wrong\n{lines}")
    with pytest.raises(Malformed, match=message) as caught:
        load_composition(str(page))
    assert caught.value.where.startswith(f"{page}:")
