"""Ways to damage a checkpoint's files, or to hide in them what should be run by whoever loads it."""

from __future__ import annotations

import json
import math
import os
import pickle
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torturing.scene import Scene

PAYLOAD = "was_run_by_a_checkpoint"
_CODE = f"open({PAYLOAD!r}, 'w').close()\nfrom transformers import Qwen2Config as Evil, Qwen2ForCausalLM as EvilModel\n"
_VALUES: Sequence[Any] = (
    *(None, True, -1, 0, 1, 7, 10**30, -(10**30), 1e308, math.nan, math.inf, "", "x", [], [1], {}, {"a": 1}, [[]]),
    *("__import__('os').system('true')", "../../../etc/passwd", "\x00", "é" * 2_000, "{{ 7 * 7 }}"),
)
_TEMPLATES = (
    "{% for i in range(1000000000000) %}{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    f"{{{{ cycler.__init__.__globals__.os.system('touch {PAYLOAD}') }}}}",
    f"{{{{ self.__init__.__globals__.__builtins__.open('{PAYLOAD}', 'w') }}}}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ 'x' * 10000000000 }}",
    "{% for m in messages %}",
    "{{ nothing.at.all }}",
    "",
    "no word of the messages",
)
Harm = tuple[str, bool]
"""How, in words, and whether other answers may come of it."""


class Runs:
    """What a pickle may hold: a command that is run as it is loaded."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {PAYLOAD}",)


def harm(scene: Scene, folder: Path, kind: str) -> tuple[str, str, bool]:
    """Damage one file; its name, how in words, and whether other answers may come of it."""
    weights = sorted(folder.glob("*.safetensors"))[0]
    pages = sorted(folder.glob("*.json"))
    draw = scene.dice.random()
    if draw < 0.3:
        return weights.name, *scene.pick(_WEIGHTS)(scene, weights)
    if draw < 0.65:
        page = scene.pick(pages)
        return page.name, *_value(scene, page)
    if draw < 0.8:
        victim = scene.pick(sorted(path for path in folder.iterdir()))
        return victim.name, *scene.pick(_FILES)(scene, victim)
    return "folder", *scene.pick(_FOLDER if kind != "adapter" else _ADAPTER)(scene, folder)


def _value(scene: Scene, page: Path) -> Harm:
    """One key somewhere in a JSON page is another value, is gone, or is new."""
    content = json.loads(page.read_text())
    place, path = content, []
    while isinstance(place, dict) and place:
        key = scene.pick(sorted(place))
        path.append(key)
        if not isinstance(place[key], dict) or not place[key] or scene.dice.random() < 0.3:
            break
        place = place[key]
    how = scene.pick(("changed", "changed", "changed", "gone", "new"))
    if how == "gone" and path:
        del place[path[-1]]
    elif how == "new" or not path:
        key = scene.pick(
            ("auto_map", "quantization_config", "trust_remote_code", "_name_or_path", "dtype", "added", "vocab_size")
        )
        path, place[key] = [*path[:-1], key], scene.pick(_VALUES)
    else:
        place[path[-1]] = scene.pick(_VALUES)
    page.write_text(json.dumps(content))
    return f"{how} {'.'.join(path)} → {str(place.get(path[-1], 'nothing') if path else '')[:40]}", True


def _header(change: Callable[[Scene, dict[str, Any]], str]) -> Callable[[Scene, Path], Harm]:
    """Write the header of the weights again, as ``change`` leaves it."""

    def write(scene: Scene, path: Path) -> Harm:
        data = path.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + length])
        how = change(scene, header)
        new = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(new)) + new + data[8 + length :])
        return how, False

    return write


def _tensor(scene: Scene, header: dict[str, Any]) -> str:
    return str(scene.pick(sorted(set(header) - {"__metadata__"})))


def _gone(scene: Scene, header: dict[str, Any]) -> str:
    header.pop(name := _tensor(scene, header))
    return f"without {name}"


def _renamed(scene: Scene, header: dict[str, Any]) -> str:
    header[f"x.{name}"] = header.pop(name := _tensor(scene, header))
    return f"{name} called otherwise"


def _reshaped(scene: Scene, header: dict[str, Any]) -> str:
    shape = header[name := _tensor(scene, header)]["shape"]
    header[name]["shape"] = scene.pick(
        ([*shape, 1], [1, *shape], [math.prod(shape)], [10**12], [-1], [2**63], shape[1:], [])
    )
    return f"{name} of shape {header[name]['shape']}"


def _retyped(scene: Scene, header: dict[str, Any]) -> str:
    header[name := _tensor(scene, header)]["dtype"] = scene.pick(("F64", "I32", "BOOL", "F8_E4M3", "X", "I8", 3, None))
    return f"{name} of type {header[name]['dtype']}"


def _moved(scene: Scene, header: dict[str, Any]) -> str:
    name, end = _tensor(scene, header), header[_tensor(scene, header)]["data_offsets"][1]
    header[name]["data_offsets"] = scene.pick(([0, end], [-8, end], [end, 0], [0, 10**15], "x", None))
    return f"{name} at {header[name]['data_offsets']}"


def _numbers(value: float) -> Callable[[Scene, Path], Harm]:
    def change(scene: Scene, path: Path) -> Harm:
        data = bytearray(path.read_bytes())
        first = 8 + struct.unpack("<Q", data[:8])[0]
        place = first + 4 * int(scene.dice.integers(0, (len(data) - first) // 4))
        data[place : place + 4] = struct.pack("<f", value)
        path.write_bytes(bytes(data))
        return f"{value} among the weights", math.isfinite(value)

    return change


def _bytes(
    change: Callable[[Scene, bytes], bytes], how: str, may_differ: bool = False
) -> Callable[[Scene, Path], Harm]:
    def write(scene: Scene, path: Path) -> Harm:
        path.write_bytes(change(scene, path.read_bytes()))
        return how, may_differ

    return write


def _instead(make: Callable[[Path], Any], how: str) -> Callable[[Scene, Path], Harm]:
    """The file is gone, and something else has its name; what no answer needs may be missing."""

    def change(scene: Scene, path: Path) -> Harm:
        path.unlink()
        make(path)
        return how, path.name in ("chat_template.jinja", "generation_config.json", "README.md", "tokenizer_config.json")

    return change


def _cut(scene: Scene, data: bytes) -> bytes:
    return data[: int(scene.dice.integers(0, len(data)))]


def _flipped(scene: Scene, data: bytes) -> bytes:
    place = int(scene.dice.integers(0, min(len(data), 3_000)))
    return data[:place] + bytes([data[place] ^ (1 << int(scene.dice.integers(0, 8)))]) + data[place + 1 :]


def _remote_code(scene: Scene, folder: Path) -> Harm:
    """Configuration, model and tokenizer are said to be in code that lies in the folder."""
    (folder / "evil.py").write_text(_CODE)
    maps = {"AutoConfig": "evil.Evil", "AutoModelForCausalLM": "evil.EvilModel", "AutoTokenizer": ["evil.Evil", None]}
    for name in ("config.json", "tokenizer_config.json", "processor_config.json"):
        if (folder / name).is_file() and scene.dice.random() < 0.8:
            other = {"auto_map": {**maps, "AutoProcessor": "evil.Evil"}}
            if scene.dice.random() < 0.5:
                other["model_type" if name == "config.json" else "tokenizer_class"] = "Evil"  # type: ignore[assignment]
            content = json.loads((folder / name).read_text())
            (folder / name).write_text(json.dumps({**content, **other}))
    return "code of its own", False


def _pickles(scene: Scene, folder: Path) -> Harm:
    """Pickles beside the weights or in place of them, under the names that libraries look for."""
    weights = sorted(folder.glob("*.safetensors"))[0]
    name = {"model": "pytorch_model.bin", "adapter_model": "adapter_model.bin"}[weights.stem]
    for one in (name, "training_args.bin", "optimizer.pt", "model.pt", "vocab.pkl", "tokenizer.pkl"):
        (folder / one).write_bytes(pickle.dumps(Runs()))
    if instead := bool(scene.dice.random() < 0.6):
        weights.unlink()
    return f"pickles {'in place of' if instead else 'beside'} the weights", False


def _outside(scene: Scene, folder: Path) -> Harm:
    """An index that leads out of the folder."""
    weights = folder / "model.safetensors"
    header = weights.read_bytes()
    names = json.loads(header[8 : 8 + struct.unpack("<Q", header[:8])[0]])
    goal = scene.pick(
        ("../outside.safetensors", str(folder.parent / "outside.safetensors"), "../../x", "/etc/passwd", ".")
    )
    shutil.move(weights, folder.parent / "outside.safetensors")
    index = {name: goal for name in names if name != "__metadata__"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    return f"an index that leads to {goal[-25:]}", False


def _chat_template(scene: Scene, folder: Path) -> Harm:
    template = scene.pick(_TEMPLATES)
    if scene.dice.random() < 0.5:
        (folder / "chat_template.jinja").write_text(template)
    else:
        (folder / "chat_template.jinja").unlink(missing_ok=True)
        page = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps({**page, "chat_template": template}))
    return f"the chat template {template[:60]}", True


def _tokenizer(scene: Scene, folder: Path) -> Harm:
    page = json.loads((folder / "tokenizer.json").read_text())
    how = scene.pick(("a slow pattern", "no pattern", "one token for all", "numbers beyond the weights", "200 levels"))
    if how == "a slow pattern":
        page["normalizer"] = {"type": "Replace", "pattern": {"Regex": "((\\w|\\s)*)*!$"}, "content": ""}
    elif how == "no pattern":
        page["pre_tokenizer"] = {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False}
    elif how == "one token for all":
        page["model"]["vocab"] = dict.fromkeys(page["model"]["vocab"], 0)
    elif how == "numbers beyond the weights":
        page["model"]["vocab"] = {word: number + 10**6 for word, number in page["model"]["vocab"].items()}
    else:
        nested: dict[str, Any] = {"type": "Lowercase"}
        for _ in range(200):
            nested = {"type": "Sequence", "normalizers": [nested]}
        page["normalizer"] = nested
    (folder / "tokenizer.json").write_text(json.dumps(page))
    return f"a tokenizer with {how}", True


def _another_base(scene: Scene, folder: Path) -> Harm:
    page = json.loads((folder / "adapter_config.json").read_text())
    base = scene.pick((str(folder), "no/such", "../../x", "tiny:qwen2_audio", "tiny:nothing", "", None, 3, "/etc", "."))
    (folder / "adapter_config.json").write_text(json.dumps({**page, "base_model_name_or_path": base}))
    return f"of the base {base!r}", False


def _another_adapter(scene: Scene, folder: Path) -> Harm:
    page = json.loads((folder / "adapter_config.json").read_text())
    other = scene.pick(
        (
            *({"r": 8}, {"r": 10**9}, {"target_modules": "((\\w|\\.)*)*!$"}, {"target_modules": ["nothing"]}),
            *({"peft_type": kind} for kind in ("IA3", "PROMPT_TUNING", "EVIL", "XLORA", "LOHA")),
            *(
                {"auto_mapping": {"base_model_class": "Evil", "parent_library": "evil"}},
                {"use_dora": True},
                {"lora_bias": True},
            ),
            *(
                {"megatron_core": "evil", "megatron_config": {}},
                {"corda_config": {}},
                {"lora_dropout": 7},
                {"modules_to_save": ["x"]},
            ),
        )
    )
    (folder / "evil.py").write_text(_CODE)
    (folder / "adapter_config.json").write_text(json.dumps({**page, **other}))
    return f"with {other}", "r" in other or "lora_dropout" in other


_WEIGHTS: Sequence[Callable[[Scene, Path], Harm]] = (
    *map(_header, (_gone, _renamed, _reshaped, _retyped, _moved)),
    *map(_numbers, (math.nan, math.inf, 3e38)),
    _bytes(lambda scene, data: struct.pack("<Q", 2**63 - 1) + data[8:], "a header without end"),
    _bytes(lambda scene, data: struct.pack("<Q", 99_000_000) + data[8:], "a long header"),
    _bytes(lambda scene, data: data[:8] + b"{" * 3_000 + data[3_008:], "braces for a header"),
    _bytes(lambda scene, data: pickle.dumps(Runs()), "a pickle"),
    _bytes(_flipped, "another bit in its header"),
    _bytes(lambda scene, data: data + b"more", "more at its end"),
)
_FILES: Sequence[Callable[[Scene, Path], Harm]] = (
    _bytes(_cut, "cut", may_differ=True),
    _bytes(_flipped, "another bit", may_differ=True),
    _bytes(lambda scene, data: b"", "empty", may_differ=True),
    _bytes(lambda scene, data: b"\xff\xfe" + data, "no UTF-8", may_differ=True),
    _bytes(lambda scene, data: b"[" * 100_000, "100,000 brackets"),
    _bytes(lambda scene, data: b'{"a":' * 100_000, "100,000 braces", may_differ=True),
    _instead(os.mkfifo, "a pipe"),
    _instead(lambda path: path.symlink_to(path), "a link to itself"),
    _instead(lambda path: path.symlink_to("/dev/zero"), "a device"),
    _instead(lambda path: path.mkdir(), "a folder"),
    _instead(lambda path: None, "lost"),
)
_FOLDER = (_remote_code, _remote_code, _pickles, _pickles, _outside, _chat_template, _chat_template, _tokenizer)
_ADAPTER = (_pickles, _another_base, _another_adapter, _another_adapter)
