"""Stage the folder to publish: selected files, in safe formats, without a path or a token of this machine."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError, Malformed, NotFound

_WEIGHTS = re.compile(r".*\.safetensors(\.index\.json)?")
_WANTED = re.compile(
    r"head\.json|adapter_config\.json|config\.json|generation_config\.json|tokenizer.*\.json|tokenizer\.model|.*\.tiktoken"
    r"|vocab\.(json|txt)|merges\.txt|added_tokens\.json|special_tokens_map\.json|chat_template\.(json|jinja)"
    r"|(pre|video_pre|image_pre)?processor_config\.json"
)
_NAMES = ("name_or_path", "_name_or_path", "base_model_name_or_path", "tokenizer_name_or_path", "base")
_LOCAL = re.compile(r"^(?:/[^/\s]+/[^/\s]|~[\w-]*/|[A-Za-z]:[\\/]|file://)")
# An absolute POSIX path of two or more parts, a home, a drive or a file URL, in running text. Not part of a URL.
_PATH = re.compile(r"(?<![\w:/.<>~$?\\-])(?:(?:/[\w.@+-]+){2,}/?|~/[\w.@+/-]+|[A-Za-z]:\\[\w\\.@+-]+|file://\S+)")
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}\b|\b(?:sk|gh[pousr])[-_][A-Za-z0-9]{20,}\b")
_TEXT = frozenset({".json", ".jinja", ".md", ".yaml", ".txt"})
# A vocabulary may hold any text, paths of other people's machines included; it is not ours to change.
_VOCABULARY = frozenset({"tokenizer.json", "vocab.json", "vocab.txt", "merges.txt", "added_tokens.json"})


def copy_weights(source: Path, target: Path, base: str) -> list[str]:
    """Copy weights and processor files of a trained model, and return the names of the others.

    Args:
        source: folder that the training saved.
        target: existing folder to fill.
        base: what is written where the files name the base model.

    Returns:
        Names of the files that are not published (pickles, optimiser state, generated cards).

    Raises:
        NotFound: when there are no safetensors weights.
        Malformed: when a configuration is not JSON.
    """
    files = sorted(path for path in source.iterdir() if path.is_file())
    if not any(path.suffix == ".safetensors" for path in files):
        raise NotFound(
            f"{source} has no .safetensors weights", do="save the model with save_pretrained(safe_serialization=True)"
        )
    left = []
    for path in files:
        if _WEIGHTS.fullmatch(path.name) or path.name in _VOCABULARY:
            shutil.copyfile(path, target / path.name)
        elif _WANTED.fullmatch(path.name):
            _copy_text(path, target / path.name, base)
        else:
            left.append(path.name)
    return left


def _copy_text(source: Path, target: Path, base: str) -> None:
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".json":
        try:
            value = json.loads(text)
        except ValueError as error:
            raise Malformed("this is not JSON", where=str(source), do="train again") from error
        text = json.dumps(portable(value, base), indent=2, ensure_ascii=False) + "\n"
    target.write_text(text, encoding="utf-8")


def portable(value: Any, base: str) -> Any:
    """Remove local paths from a configuration: those of the base model become ``base``, others their last part."""
    if isinstance(value, dict):
        return {
            key: base if key in _NAMES and isinstance(item, str) and _LOCAL.match(item) else portable(item, base)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [portable(item, base) for item in value]
    if isinstance(value, str) and _LOCAL.match(value):
        return portable_text(value) if " " in value else re.split(r"[\\/]", value.rstrip("\\/"))[-1]
    return value


def portable_text(text: str) -> str:
    """Cut every local path in a text to its last part, and mask every token."""
    cut = _PATH.sub(lambda match: "…/" + re.split(r"[\\/]", match.group().rstrip("\\/"))[-1], text)
    return _TOKEN.sub("hf_…", cut)


def check_portable(folder: Path, secrets: Iterable[str]) -> None:
    """Check that no path or token of this machine would be published.

    Args:
        folder: what is about to be published.
        secrets: texts that may occur nowhere, such as the run's folder and the token; those of fewer than eight
            characters are not looked for, as a vocabulary may hold them.

    Raises:
        AffectError: with the file, when a local path, a token or one of ``secrets`` is found.
    """
    words = [word.encode() for word in secrets if len(word) >= 8]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (leak := next(_leaks(path, words), None)):
            raise AffectError(
                f"{leak} would be published",
                where=path.relative_to(folder).as_posix(),
                do="nothing was sent; report this",
            )


def _leaks(path: Path, words: list[bytes]) -> Iterator[str]:
    content = _head(path) if path.suffix == ".safetensors" else path.read_bytes()
    if any(word in content for word in words):
        yield "a name of this machine, or the token,"
    if path.suffix in _TEXT and path.name not in _VOCABULARY and path.suffix != ".jinja":
        text = content.decode("utf-8", "replace")
        if match := _PATH.search(text):
            yield f"the local path {match.group()!r}"
        if _TOKEN.search(text):
            yield "an access token"


def _head(path: Path) -> bytes:
    """Return the JSON header of a safetensors file: the only text in it."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        return stream.read(min(length, 100_000_000))
