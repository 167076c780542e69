"""Checkpoints of one architecture are tuned on different chat formats: the tokenizer says on which."""

from __future__ import annotations

from pathlib import Path

import pytest
from family_clips import encoded, encoder_of, talk

from affectllm.model.family import find_family
from affectllm.model.generate import generate
from affectllm.model.load import load_model
from affectllm.model.tiny import tiny_folder


@pytest.fixture(scope="module")
def chatml_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama whose tokenizer knows ChatML and not the turns of Llama 3, such as SmolLM2."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_folder("qwen2"))
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.LlamaConfig(vocab_size=len(tokenizer), **sizes)
    folder = tmp_path_factory.mktemp("chatml_llama")
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_llama_that_speaks_chatml_is_asked_in_it(chatml_llama: Path, tmp_path: Path) -> None:
    model = load_model(str(chatml_llama))
    assert model.family.name == "llama" and model.family.end_of_turn == "<|im_end|>"
    encoder = encoder_of(model, tmp_path)
    prompt = encoded(encoder, talk()[:1], generation_prompt=True)
    text = model.tokenizer.decode(prompt.input_ids)
    assert text == "<|im_start|>user\nWhich emotion?<|im_end|>\n<|im_start|>assistant\n"
    labels = encoded(encoder, talk()).labels
    assert model.tokenizer.decode(labels[labels != -100]) == "happiness<|im_end|>"
    assert len(generate(model, encoder, [prompt], 4)) == 1


def test_a_family_keeps_its_own_format_where_the_tokenizer_knows_it() -> None:
    family = find_family("llama")
    assert family.speaking({family.end_of_turn: 1, "<|im_end|>": 2}) is family
    assert family.speaking({"hello": 1}) is family, "a base model knows none"
