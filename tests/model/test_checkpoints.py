"""Checkpoint folders as they lie about: what is missing or broken is said before weights are loaded, and what helps."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from adapting import logits
from safetensors.torch import load_file, save_file

from affectllm.errors import AffectError, NotFound, WrongCheckpoint
from affectllm.model.heads.encoders import encoder_folder, load_backbone
from affectllm.model.load import check_model, load_model
from affectllm.model.tiny import tiny_folder
from affectllm.model.weights.weight_files import check_finite

OMNI = "tiny:qwen2_5_omni"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder("qwen2_5_omni"), tmp_path / "made"))


def drop(folder: Path, *patterns: str) -> None:
    for path in {path for pattern in patterns for path in folder.glob(pattern)}:
        path.unlink()


def instead_of_weights(*names: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        drop(folder, "*.safetensors")
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")

    return change


def sharded(folder: Path) -> dict[str, str]:
    """Cut the weights into two files with an index."""
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    parts = {f"model-0000{n}-of-00002.safetensors": names[n - 1 :: 2] for n in (1, 2)}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, folder / file, {"format": "pt"})
    index = {name: file for file, part in parts.items() for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    drop(folder, "model.safetensors")
    return index


def without_a_shard(folder: Path) -> None:
    sharded(folder)
    drop(folder, "*2-of-00002*")


def with_a_short_shard(folder: Path) -> None:
    sharded(folder)
    shard = folder / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1000])


def with_shards_of_two_saves(folder: Path) -> None:
    sharded(folder)
    shutil.copy(folder / "model-00001-of-00002.safetensors", folder / "model-00002-of-00002.safetensors")


def cut_off(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500_000])


def emptied(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def stand_in(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


def broken(name: str, text: str = "{") -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


WEIGHTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pickles": (instead_of_weights("pytorch_model.bin"), r"only pickles \(pytorch_model.bin\)(?s:.)*save_pretrained"),
    "pickles in parts": (instead_of_weights("pytorch_model-00001-of-00002.bin"), "only pickles"),
    "ZeRO": (instead_of_weights("global_step10/mp_rank_00_model_states.pt"), r"ZeRO run(?s:.)*zero_to_fp32\.py"),
    "ZeRO with its script": (
        instead_of_weights("zero_to_fp32.py", "latest", "global_step2/x_optim_states.pt"),
        r"zero_to_fp32\.py",
    ),
    "FSDP": (instead_of_weights("pytorch_model_fsdp_0/__0_0.distcp"), r"FSDP run(?s:.)*accelerate merge-weights"),
    "checkpoints of a trainer": (
        instead_of_weights("checkpoint-20/model.safetensors"),
        "name one of them: .*checkpoint-20",
    ),
    "an adapter": (instead_of_weights("adapter_model.safetensors"), "without its adapter_config.json"),
    "nothing": (instead_of_weights(), "neither model.safetensors nor"),
    "a shard is missing": (without_a_shard, "1 of 2 files of weights are missing, for example model-00002"),
    "a shard is cut off": (with_a_short_shard, r"model-00002-of-00002.safetensors: is cut off: [\d,]+ of [\d,]+ bytes"),
    "shards of two saves": (with_shards_of_two_saves, "lacks .* weights of the index"),
    "cut off": (cut_off, "is cut off"),
    "empty": (emptied, "is cut off, or no safetensors file"),
    "Git LFS": (stand_in, "git lfs pull"),
    "broken index": (lambda f: (sharded(f), broken("model.safetensors.index.json")(f))[1], "is not JSON"),
    "empty index": (lambda f: (sharded(f), broken("model.safetensors.index.json", "{}")(f))[1], "names no weights"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_cannot_be_loaded_are_explained_with_what_helps(case: str, folder: Path) -> None:
    damage, message = WEIGHTS[case]
    damage(folder)
    with pytest.raises(WrongCheckpoint, match=message):
        load_model(str(folder))


def test_whole_shards_are_loaded(folder: Path) -> None:
    sharded(folder)
    assert torch.equal(logits(str(folder)), logits(OMNI))


def test_a_checkpoint_of_a_trainer_is_loaded(tmp_path: Path) -> None:
    model = load_model(OMNI)
    checkpoint = tmp_path / "checkpoint-20"
    model.model.save_pretrained(
        checkpoint, save_original_format=False
    )  # as trainers keep it: under the modules' own names
    model.processor.save_pretrained(checkpoint)
    (checkpoint / "optimizer.pt").write_bytes(b"x")
    (checkpoint / "trainer_state.json").write_text("{}")
    assert torch.equal(logits(str(checkpoint)), logits(OMNI))


TEXTS = ["config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json", "processor_config.json"]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("text", ["", '{"model_type": ', "[]", "\x00\x01"])
def test_broken_json_of_a_checkpoint_is_named(name: str, text: str, folder: Path) -> None:
    broken(name, text)(folder)
    with pytest.raises(AffectError) as caught:
        load_model(str(folder))
    assert name in str(caught.value) and "JSON" in str(caught.value)


PROCESSOR = ("*token*", "*processor*", "*.jinja", "vocab.json", "merges.txt")


def test_a_merged_model_without_processor_is_explained_and_takes_that_of_another(folder: Path) -> None:
    drop(folder, *PROCESSOR)
    with pytest.raises(NotFound, match=r"no tokenizer\.json and no processor_config\.json") as caught:
        load_model(str(folder))
    assert "processor=MODEL" in caught.value.do and "model.processor" in caught.value.do
    loaded = load_model(str(folder), processor=OMNI)
    assert loaded.processor.feature_extractor is not None
    assert loaded.fingerprint != load_model(OMNI).fingerprint


@pytest.mark.parametrize("left", [["*token*", "vocab.json", "merges.txt"], ["*processor*"]])
def test_half_a_processor_is_none(left: list[str], folder: Path) -> None:
    drop(folder, *left)
    with pytest.raises(NotFound, match="has no "):
        load_model(str(folder))


def test_a_text_model_without_tokenizer_is_explained(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder("qwen2"), tmp_path / "text"))
    drop(folder, *PROCESSOR)
    with pytest.raises(NotFound, match=r"has no tokenizer\.json"):
        load_model(str(folder))


@pytest.mark.parametrize("name", ["qwen2", "bert"])
def test_words_that_have_no_row_in_the_weights_are_told_as_it_is_loaded(name: str, tmp_path: Path) -> None:
    made = tiny_folder(name) if name == "qwen2" else Path(encoder_folder("tiny:text_encoder"))
    folder = Path(shutil.copytree(made, tmp_path / "text"))
    page = json.loads((folder / "tokenizer.json").read_text())
    number = max(page["model"]["vocab"].values())
    word = next(word for word, other in page["model"]["vocab"].items() if other == number)
    page["model"]["vocab"][word] = 10**6
    (folder / "tokenizer.json").write_text(json.dumps(page))
    with pytest.raises(WrongCheckpoint, match=r"numbers '\S+' 1,000,000, and the weights have [\d,]+ rows"):
        load_backbone(str(folder), "qwen2" if name == "qwen2" else "text_encoder")


def test_the_processor_of_another_family_is_refused(folder: Path) -> None:
    with pytest.raises(WrongCheckpoint, match=r"does not know|cannot be loaded"):
        load_model(str(folder), processor="tiny:qwen2_5_vl")
    with pytest.raises(NotFound, match="there is no checkpoint folder"):
        load_model(str(folder), processor="/nowhere")


@pytest.mark.parametrize(
    ("below", "message"),
    [("checkpoint-7/config.json", "checkpoint-7"), ("train/final/config.json", "train/final"), ("x.gguf", "x.gguf")],
)
def test_a_folder_above_the_checkpoint_leads_to_it(below: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "run" / below).parent.mkdir(parents=True)
    (tmp_path / "run" / below).write_text("{}")
    with pytest.raises(NotFound, match=f"cannot be read as a checkpoint(?s:.)*{message}"):
        load_model(str(tmp_path / "run"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2])
def test_weights_that_are_not_finite_are_refused_by_name(value: float, dtype: torch.dtype, tmp_path: Path) -> None:
    fine, poisoned = torch.ones(3, 5), torch.ones(3, 5)
    poisoned[2, 4] = value
    save_file({"fine": fine.to(dtype), "large": fine.float() * 3e38}, tmp_path / "a.safetensors")
    check_finite(tmp_path)
    save_file({"fine": fine.to(dtype), "poisoned": poisoned.to(dtype)}, tmp_path / "b.safetensors")
    for _ in range(2):  # scanned, and remembered
        with pytest.raises(WrongCheckpoint, match="the weight poisoned is not finite") as caught:
            check_finite(tmp_path)
        assert caught.value.where.endswith("b.safetensors")
    save_file({"fine": fine.to(dtype)}, tmp_path / "b.safetensors")
    check_finite(tmp_path)


def test_a_checkpoint_with_one_number_that_is_not_finite_is_not_loaded(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    name = sorted(weights)[7]
    weights[name].view(-1)[3] = float("inf")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WrongCheckpoint, match=f"the weight {name} is not finite"):
        load_model(str(folder))


def test_the_command_says_it_in_a_sentence(folder: Path, small_demo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from affectllm.cli import main

    drop(folder, *PROCESSOR)
    words = ["eval", "--model", "affectllm", "--tasks", "demo_affect_emotion", "--model_args", f"pretrained={folder}"]
    words += ["--root", f"demo_affect={small_demo}"]
    assert main([*words, "--output_path", str(folder.parent / "out")]) == 2
    stderr = capfd.readouterr().err
    assert "error: " in stderr and "tokenizer.json" in stderr and "Traceback" not in stderr


def test_a_recipe_with_such_a_checkpoint_is_refused_before_anything_is_built(
    folder: Path, small_demo: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from tuning import write_page

    from affectllm.cli import main

    drop(folder, *PROCESSOR)
    page, out = write_page(folder.parent, model={"path": str(folder)}), folder.parent / "run"
    assert main(["train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out)]) == 2
    assert "model.processor" in capfd.readouterr().err and not (out / "build").exists()


def in_the_header(change: Callable[[dict[str, dict[str, object]]], object]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        path = folder / "model.safetensors"
        data = path.read_bytes()
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:end])
        change({name: entry for name, entry in header.items() if name != "__metadata__"})
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[end:])

    return write


def setting(name: str, *keys: str, value: object) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        content = place = json.loads((folder / name).read_text())
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        (folder / name).write_text(json.dumps(content))

    return write


def pipe(name: str) -> Callable[[Path], None]:
    return lambda folder: (drop(folder, name), os.mkfifo(folder / name))[1]


STRANGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a pipe": (pipe("generation_config.json"), r"generation_config\.json: no regular file"),
    "a device": (lambda f: (drop(f, "vocab.json"), (f / "vocab.json").symlink_to("/dev/zero"))[1], "no regular file"),
    "a configuration without its language model": (
        setting("config.json", "text_config", value={}),
        r"config\.json describes embeddings of \[\d+, \d+\], and the weights have \[1536, 128\]",
    ),
    "a configuration of more words": (
        setting("config.json", "text_config", "vocab_size", value=10**9),
        r"config\.json describes embeddings of \[1000000000, 128\]",
    ),
    "a type of no tensor": (
        in_the_header(lambda entries: next(iter(entries.values())).update(dtype="X")),
        r"model\.safetensors: is damaged: .*unknown variant `X`",
    ),
    "whole numbers for a weight": (
        in_the_header(lambda entries: next(e for n, e in entries.items() if n.endswith(".weight")).update(dtype="I32")),
        r"model\.safetensors: the weight \S+\.weight is of type I32, and nothing says that it is quantised",
    ),
    "a shape that does not fit": (
        in_the_header(lambda entries: next(iter(entries.values())).update(shape=[1])),
        r"model\.safetensors: is damaged: .*invalid shape",
    ),
    "a tokenizer that the library cannot build": (
        setting("tokenizer.json", "model", "end_of_word_suffix", value=7),
        "the processor of .* cannot be loaded: .*invalid type",
    ),
    "a setting of another type": (
        setting("config.json", "text_config", "tie_word_embeddings", value=1e308),
        "cannot be read as a checkpoint: .*tie_word_embeddings.*expected bool(?s:.)*correct its config.json",
    ),
    "a tokenizer that cannot be used": (
        setting("tokenizer_config.json", "model_max_length", value=[]),
        "the processor of .* cannot be loaded: .*not supported between",
    ),
}


@pytest.mark.parametrize("case", STRANGE)
def test_what_libraries_raise_or_wait_for_is_told_before_weights_are_loaded(case: str, folder: Path) -> None:
    change, message = STRANGE[case]
    change(folder)
    with pytest.raises((WrongCheckpoint, NotFound), match=message):
        check_model(str(folder))
