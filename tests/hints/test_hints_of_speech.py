"""Hints of what is said: by a speech model of transformers, here a tiny random one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_recogniser import tiny_recogniser

from affectllm.corpus import TEST, MediaRef, Sample
from affectllm.errors import AffectError, WrongCheckpoint
from affectllm.hinting.kind import Work
from affectllm.hinting.kinds import transcript
from affectllm.model.media import SAMPLING_RATE


@pytest.fixture
def speech_model(tmp_path: Path) -> Path:
    return tiny_recogniser(tmp_path / "model")


def test_clips_without_words_are_transcribed_once(tmp_path: Path, speech_model: Path) -> None:
    import soundfile

    noise = np.random.default_rng(0).uniform(-0.5, 0.5, SAMPLING_RATE)
    soundfile.write(tmp_path / "a.wav", noise, SAMPLING_RATE)
    (ref, gone) = (MediaRef(name, "audio") for name in ("a.wav", "gone.wav"))
    samples = [
        Sample("heard", "made_up", TEST, (), "x", media=(ref,)),
        Sample("written", "made_up", TEST, (), "x", text="Hello.", media=(ref,)),
        Sample("gone", "made_up", TEST, (), "x", media=(gone,)),
        Sample("mute", "made_up", TEST, (), "x"),
    ]
    work = Work(samples, tmp_path, transcript.Options(str(speech_model)), tmp_path / "kept", tmp_path, tmp_path)
    hints = list(transcript.find(work))
    assert hints[0].words == 'Heard by a machine: "a"'
    assert [hint.reason for hint in hints] == ["", "has_words", "missing", "no_audio"]
    (kept,) = (tmp_path / "kept").glob("*.jsonl")
    before = kept.read_bytes()
    assert list(transcript.find(work)) == hints and kept.read_bytes() == before


def test_a_checkpoint_that_is_no_speech_model_is_named(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, SAMPLING_RATE), SAMPLING_RATE)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    samples = [Sample("heard", "made_up", TEST, (), "x", media=(MediaRef("a.wav", "audio"),))]
    options = transcript.Options(str(tmp_path / "text"))
    with pytest.raises(WrongCheckpoint, match="as a speech model"):
        list(transcript.find(Work(samples, tmp_path, options, tmp_path / "kept", tmp_path, tmp_path)))


@pytest.mark.parametrize("key", ["language", "tokens"])
def test_what_a_ctc_head_cannot_be_told_is_refused(key: str, tmp_path: Path, speech_model: Path) -> None:
    told = transcript.Options(str(speech_model), **{key: {"language": "de", "tokens": 7}[key]})  # type: ignore[arg-type]
    with pytest.raises(AffectError, match=f"{key} is not read") as caught:
        list(transcript.find(Work([], tmp_path, told, tmp_path, tmp_path, tmp_path, lambda key: f"page: {key}")))
    assert caught.value.where == f"page: {key}"


def test_a_language_that_the_model_does_not_write_is_told_before_a_clip_is_heard(tmp_path: Path) -> None:
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration
    from transformers.models.bert import BertTokenizer

    folder = tmp_path / "model"
    sizes = dict.fromkeys(("d_model", "encoder_ffn_dim", "decoder_ffn_dim"), 16) | {"num_mel_bins": 8}
    layers = dict.fromkeys(
        ("encoder_layers", "decoder_layers", "encoder_attention_heads", "decoder_attention_heads"), 1
    )
    special = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 0)
    model = WhisperForConditionalGeneration(WhisperConfig(vocab_size=8, **sizes, **layers, **special))
    model.generation_config.is_multilingual = False
    model.save_pretrained(folder)
    WhisperFeatureExtractor(8).save_pretrained(folder)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n", encoding="utf-8")
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(folder)
    options = transcript.Options(str(folder), language="klingon")
    with pytest.raises(AffectError, match="cannot be told to write 'klingon'") as caught:
        list(transcript.find(Work([], tmp_path, options, tmp_path, tmp_path, tmp_path, lambda key: f"page: {key}")))
    assert caught.value.where == "page: language"


def test_a_model_that_is_nowhere_is_told_where_all_samples_have_words(tmp_path: Path) -> None:
    samples = [Sample("written", "made_up", TEST, (), "x", text="Hello.")]
    options = transcript.Options(str(tmp_path / "nowhere"))
    with pytest.raises(WrongCheckpoint, match="as a speech model"):
        list(transcript.find(Work(samples, tmp_path, options, tmp_path, tmp_path, tmp_path)))
