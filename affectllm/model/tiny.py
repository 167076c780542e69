"""Tiny random models of the same classes as the real ones, with a processor, so that everything runs with no download.

A tiny model is built once into the cache folder and then loaded by ``from_pretrained`` like any other checkpoint.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from affectllm import voice
from affectllm.instruct.wording import load_wording, template_names, template_pages
from affectllm.model import tiny_parts
from affectllm.model.family import find_family
from affectllm.run import cache_folder

PREFIX = "tiny:"
SEED = 0
_CONSTANT = 1e-6  # spread of weights that were not drawn at random


def tiny_folder(name: str) -> Path:
    """Return the folder of the tiny ``name`` model, built on first use.

    Raises:
        NotFound: when there is no such family.
    """
    build = _build_apart if _one_of_several() else _build
    return _built(name, name, build)


def tiny_whole_folder(name: str) -> Path:
    """Return the folder of the whole checkpoint, with a talker, whose thinker is the tiny ``name`` model.

    Raises:
        NotFound: when there is no such family.
    """
    return _built(name, f"{name}-whole", _build_whole)


def _built(name: str, label: str, build: Callable[[str, Path], None]) -> Path:
    family = find_family(name)
    files = [Path(__file__), Path(tiny_parts.__file__), family.file, *template_pages().values()]
    code = b"".join(path.read_bytes() for path in files) + family.chat_template().encode()
    folder = cache_folder() / "tiny" / f"{label}-{hashlib.sha256(code).hexdigest()[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
        build(name, scratch)
        try:
            scratch.rename(folder)
        except OSError:  # another process was faster; its bytes are the same
            shutil.rmtree(scratch)
    return folder


def _one_of_several() -> bool:
    import torch.distributed

    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _build_apart(name: str, folder: Path) -> None:
    # Within a process group, save_pretrained writes on the first rank only, and any rank may be the faster one here.
    # A fresh interpreter and not multiprocessing, which would start the caller's script once more.
    code = "import sys; from affectllm.model import tiny; tiny._build(sys.argv[1], sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, name, str(folder)], check=True)


def _build(name: str, folder: Path | str) -> None:
    import torch

    from affectllm.model.torchvision_ops import install

    install()
    family = find_family(name)
    assert family.tiny is not None
    config, processor = family.tiny(_tokenizer)
    tokenizer: Any = getattr(processor, "tokenizer", processor)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model: Any = family.network_class()(config)
    _widen(model)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    voice.without_bars()
    model.save_pretrained(folder)
    processor.chat_template = family.chat_template()
    processor.save_pretrained(folder)


def _build_whole(name: str, folder: Path) -> None:
    import torch

    family, part = find_family(name), tiny_folder(name)
    assert family.talker is not None
    voice.without_bars()
    processor = family.processor_type().from_pretrained(part)
    thinker = family.network_class().from_pretrained(part)
    config = family.talker.tiny(thinker.config, processor.tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        whole: Any = family.talker.whole_class()(config)
    _widen(whole)
    _draw_experts(whole)
    getattr(whole, family.whole).load_state_dict(thinker.state_dict())
    whole.generation_config = thinker.generation_config
    family.talker.finish(whole, folder)
    whole.save_pretrained(folder)
    processor.save_pretrained(folder)


def _widen(model: Any) -> None:
    # Initialisation at 0.02 is meant for thousands of dimensions; with a hundred, signals die in the towers. Weights
    # that begin as all zeros or ones, and are learned, would blind them altogether.
    import torch

    noise = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                target, spread = parameter[0].numel() ** -0.5, parameter.std()
                if spread < _CONSTANT:
                    parameter.normal_(0.0, target, generator=noise)
                else:
                    parameter.mul_(target / spread)


def _draw_experts(model: Any) -> None:
    # transformers draws those of a thinker, and leaves those of a talker as the memory happened to be.
    import torch

    noise = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".experts." in name:
                parameter.normal_(0.0, parameter[0].numel() ** -0.5, generator=noise)


def _tokenizer(
    *special: str,
    named: Mapping[str, str] | None = None,
    bos: str = "",
    eos: str = "<|im_end|>",
    pad: str | None = "<|endoftext|>",
) -> Any:
    """Make a byte-level BPE tokenizer, trained on our own prompts and everyday words.

    Args:
        special: control tokens of the family.
        named: attribute of the tokenizer → the control token that it holds.
        bos: token that begins every text; without it the tokenizer is of the Qwen class and knows ChatML.
        eos, pad: token that ends a turn, and that fills up a batch, if there is one.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

    state = _vocabulary()
    merges = cast(Any, [tuple(merge) for merge in state["merges"]])
    settings: dict[str, Any] = {
        **{"eos_token": eos, "pad_token": pad, "model_max_length": 32_768},
        "extra_special_tokens": dict(named or {}),
    }
    if not bos:
        tokenizer: Any = Qwen2Tokenizer(vocab=state["vocab"], merges=merges, **settings)
        special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *special)
    else:
        bpe = Tokenizer(models.BPE(vocab=state["vocab"], merges=merges))
        bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = decoders.ByteLevel()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token=bos, **settings)
        # As in the vocabularies that this one stands for, runs of line breaks and tags of HTML are added tokens.
        tokenizer.add_tokens([AddedToken(word, special=False, normalized=False) for word in ("\n\n", "<h1>")])
        begins = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.convert_tokens_to_ids(bos))]
        )
        tokenizer.backend_tokenizer.post_processor = begins
    tokenizer.add_tokens([AddedToken(token, special=True) for token in special])
    return tokenizer


@functools.cache
def _vocabulary() -> dict[str, Any]:
    """Return ``vocab`` and ``merges`` of a byte-level BPE."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1_500, initial_alphabet=sorted(alphabet), show_progress=False)
    bpe.train_from_iterator(_own_words(), trainer)
    state: dict[str, Any] = json.loads(bpe.to_str())["model"]
    return state


def _own_words() -> Iterator[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    for name in template_names():
        yield from load_wording(name).speeches["en"].questions
    # Everyday words, so that speech takes about a token a word as it does in a real vocabulary.
    for word in sorted(ENGLISH_STOP_WORDS):
        yield from (f" {word}", f" {word}", word.capitalize())
