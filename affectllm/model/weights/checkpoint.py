"""Check a checkpoint folder before its weights are loaded: what is missing or broken, and the remedy."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.errors import NotFound, WrongCheckpoint
from affectllm.model.family import Family
from affectllm.model.weights.weight_files import check_types, header

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
HEAD = "head.json"  # page of a folder that holds a head and no model that writes
_READ = ("*config.json", "tokenizer.json", "vocab.json", "added_tokens.json", "special_tokens_map.json", "*.index.json")
_TOKENIZER = (("tokenizer.json",), ("vocab.json", "merges.txt"))
# What holds the settings of feature extractor, image and video processor, in newer and older versions.
_PROCESSOR = ("processor_config.json", "preprocessor_config.json")
_EMBEDDINGS = "embed_tokens.weight"
_AGAIN = "copy or download the file again"


def folder_named(name: str) -> Path:
    """Return the path that a name stands for, whether or not it exists.

    Raises:
        NotFound: when it can be no path: empty, too long, with a NUL in it, or in the home of nobody.
    """
    if not name.strip():
        raise NotFound("the name of the model is empty", do="give a folder, a Hub id or tiny:<family>")
    try:
        folder = Path(name).expanduser()
        folder.is_dir()
    except (OSError, RuntimeError) as error:
        label = name if len(name) < 200 else f"{name[:200]}…"
        raise NotFound(f"{label} can be no folder: {error}"[:400], do="check the name") from error
    return folder


def made_by(path: str) -> str:
    """Return what makes a folder that is named like the model of a recipe: ``runs/RECIPE/train/final``."""
    for name in registry.names("recipes"):
        if f"/{path}/".endswith((f"/{name}/train/final/", f"/{name}/train/")):
            return f"`affectllm run {name}` makes it; or "
    return ""


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object of a checkpoint.

    Raises:
        WrongCheckpoint: when the file is no JSON, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise WrongCheckpoint(f"is not JSON ({str(error)[:120]})", where=str(path), do=_AGAIN) from error
    if not isinstance(value, dict):
        raise WrongCheckpoint("is no JSON object", where=str(path), do=_AGAIN)
    return value


# What transformers, PEFT, safetensors and torch raise over files whose values are not what they expect.
_RAISED = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError)


@contextmanager
def read_by_libraries(what: str, do: str) -> Iterator[None]:
    """Convert what libraries raise over a checkpoint's files into ``WrongCheckpoint``; other errors pass.

    Args:
        what: the beginning of the message, such as "the processor of PATH cannot be loaded".
    """
    try:
        yield
    except _RAISED as error:
        if type(error).__name__ == "OutOfMemoryError":  # torch's own; a smaller batch or dtype helps there
            raise
        raise _unread(what, do, error) from error
    except Exception as error:
        if not _of_libraries(error):
            raise
        raise _unread(what, do, error) from error


def _of_libraries(error: Exception) -> bool:
    """Whether tokenizers raised it, which knows no class but this one, or safetensors, or a check of transformers."""
    return type(error) is Exception or type(error).__module__.startswith(("safetensors", "huggingface_hub"))


def _unread(what: str, do: str, error: Exception) -> WrongCheckpoint:
    return WrongCheckpoint(f"{what}: {first_words(error)}", do=do)


def first_words(error: Exception) -> str:
    """Return the beginning of an error of a library in one line; its class where it says nothing."""
    words = " ".join(str(error).split())
    return f"{words[:200]}…" if len(words) > 200 else words or type(error).__name__


def check_regular(folder: Path) -> None:
    """Refuse a folder with pipes and devices among its files: who opens a pipe waits for somebody to write into it.

    Raises:
        WrongCheckpoint: with the first of them.
    """
    for path in sorted(folder.iterdir()):
        if path.exists() and not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            raise WrongCheckpoint("no regular file", where=str(path), do="remove it, or put the file there")


def check_texts(folder: Path) -> None:
    """Parse every JSON file of a checkpoint that a library will read, since libraries do not name a broken one.

    Raises:
        WrongCheckpoint: when one is broken, or something in the folder is no file.
    """
    check_regular(folder)
    for path in sorted({path for pattern in _READ for path in folder.glob(pattern)}):
        read_object(path)


def check_weights(folder: Path, family: Family) -> None:
    """Check that the weights are present, complete, of the size that the configuration says, and in a safe format.

    Raises:
        WrongCheckpoint: with what is there instead and what makes weights out of it.
    """
    if (folder / INDEX).is_file():
        headers = _shards(folder)
    elif (folder / WEIGHTS).is_file():
        headers = {WEIGHTS: header(folder / WEIGHTS)}
    else:
        raise _instead(folder, family)
    if "quantization_config" not in read_object(folder / CONFIG):
        for name, entries in headers.items():
            check_types(entries, str(folder / name))
    _check_size(headers.values(), folder, family)


def _check_size(headers: Iterable[Mapping[str, Any]], folder: Path, family: Family) -> None:
    """Refuse a configuration of another size, which would be filled with random numbers first, however large it is.

    One that lacks its ``text_config`` describes the usual size of the architecture.
    """
    with read_by_libraries(f"the configuration of {folder} cannot be read", f"correct its {CONFIG}"):
        text = family.network_class().config_class.from_pretrained(folder).get_text_config()
        described = [text.vocab_size, text.hidden_size]
    found = [entry["shape"] for entries in headers for name, entry in entries.items() if name.endswith(_EMBEDDINGS)]
    if found and described not in found:
        message = f"{CONFIG} describes embeddings of {described}, and the weights have {max(found)}"
        raise WrongCheckpoint(message, where=str(folder), do=f"copy the {CONFIG} of these weights")


def _shards(folder: Path) -> dict[str, dict[str, Any]]:
    weight_map = read_object(folder / INDEX).get("weight_map")
    if (
        not isinstance(weight_map, dict)
        or not weight_map
        or not all(isinstance(name, str) for name in weight_map.values())
    ):
        raise WrongCheckpoint("names no weights", where=str(folder / INDEX), do=_AGAIN)
    names = sorted(set(weight_map.values()))
    if lost := [name for name in names if not (folder / name).is_file()]:
        message = f"{len(lost)} of {len(names)} files of weights are missing, for example {lost[0]}"
        raise WrongCheckpoint(message, where=str(folder), do="copy or download them")
    headers = {name: header(folder / name) for name in names}
    if lost := [weight for weight, name in weight_map.items() if weight not in headers[name]]:
        message = f"{weight_map[lost[0]]} lacks {len(lost)} weights of the index, for example {lost[0]}"
        raise WrongCheckpoint(message, where=str(folder), do=_AGAIN)
    return headers


def _instead(folder: Path, family: Family) -> WrongCheckpoint:
    for find, what, remedy in _INSTEAD:
        if name := find(folder):
            message = f"there are no weights that can be loaded, only {what.format(name=name)}"
            return WrongCheckpoint(
                message, where=str(folder), do=remedy.format(folder=folder, name=name, family=family)
            )
    message = f"there are no weights: neither {WEIGHTS} nor {INDEX}"
    return WrongCheckpoint(
        message, where=str(folder), do="save the model again with save_pretrained, or copy them here"
    )


def _first(*patterns: str) -> Callable[[Path], str]:
    def find(folder: Path) -> str:
        paths = sorted(path for pattern in patterns for path in folder.glob(pattern))
        return paths[-1].relative_to(folder).as_posix() if paths else ""

    return find


_CONVERT = (
    "pickles may run code when they are read; convert them where you trust their source: "
    'python -c "from {family.module} import {family.class_name} as M; '
    "M.from_pretrained('{folder}').save_pretrained('{folder}')\""
)
# What lies in a folder instead of weights, and what makes weights out of it.
_INSTEAD: tuple[tuple[Callable[[Path], str], str, str], ...] = (
    (
        _first("global_step*", "zero_to_fp32.py", "*_model_states.pt"),
        "the shards of a ZeRO run ({name})",
        "gather them: python zero_to_fp32.py {folder} {folder} --safe_serialization (DeepSpeed puts that script there)",
    ),
    (
        _first("*.distcp", "pytorch_model_fsdp*", "*fsdp*"),
        "the shards of an FSDP run ({name})",
        "gather them: accelerate merge-weights {folder}/{name} {folder}",
    ),
    (_first(ADAPTER_WEIGHTS), "an adapter without its adapter_config.json", "copy that file here, or train again"),
    (_first("pytorch_model*.bin", "*.bin", "*.pth", "*.pt", "*.ckpt"), "pickles ({name})", _CONVERT),
    (_first("checkpoint-*"), "the checkpoints of a trainer", "name one of them: {folder}/{name}"),
    (_first("train/final", "final"), "the folder of a run", "name the model in it: {folder}/{name}"),
    (_first("*.gguf"), "{name}", "name the checkpoint that it was made of"),
    (_first("*.safetensors"), "{name}", "rename it to model.safetensors if it holds the whole model"),
)


def check_processor(folder: Path, family: Family, label: str) -> None:
    """Check that the files of the processor are present.

    Raises:
        NotFound: with those that are missing and where they can come from.
    """
    missing = []
    if not any(all((folder / name).is_file() for name in names) for names in _TOKENIZER):
        missing.append("tokenizer.json")
    if family.placeholders and not any((folder / name).is_file() for name in _PROCESSOR):
        missing.append(" or ".join(_PROCESSOR))
    if missing:
        raise NotFound(
            f"{label} has no {' and no '.join(missing)}",
            do=f"copy them from the model that it was made of, or name that model: {NAMING}",
        )


NAMING = "processor=MODEL in --model_args, model.processor: MODEL in a recipe"
ORIGINAL = f"copy it from the model that this one was made of, or name that: {NAMING}"


def check_tokens(processor: Any, config: Any, label: str) -> None:
    """Check that each word of a tokenizer has its row in the embeddings; tokens that were added may lack one.

    Raises:
        WrongCheckpoint: with the first that has none.
    """
    tokenizer = getattr(processor, "tokenizer", processor)
    rows, added = config.get_text_config().vocab_size, tokenizer.get_added_vocab()
    beyond = {n: token for token, n in tokenizer.get_vocab().items() if n >= rows and token not in added}
    if beyond:
        first = min(beyond)
        message = f"the tokenizer of {label} numbers {beyond[first]!r} {first:,}, and the weights have {rows:,} rows"
        raise WrongCheckpoint(message, do=ORIGINAL)


def check_folder(folder: Path, label: str) -> None:
    """Check that a folder is a checkpoint at all.

    Raises:
        NotFound: when it is none; the message names the checkpoints in it.
        WrongCheckpoint: when something in it is no file.
    """
    check_regular(folder)
    if (folder / CONFIG).is_file():
        return
    for find, what, remedy in _INSTEAD:
        if name := find(folder):
            message = f"{label} cannot be read as a checkpoint: it has no {CONFIG}, but {what.format(name=name)}"
            hint = remedy if "{family" not in remedy else f"copy {CONFIG} from the model that it was made of"
            raise NotFound(message, do=hint.format(folder=folder, name=name))
    raise NotFound(f"{label} cannot be read as a checkpoint: it has no {CONFIG}", do="check the name")
