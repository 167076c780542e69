"""A run folder as the stages leave it, with real small clips, for the tests of the report and of publishing."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.corpus.store import Writer

LABELS = ("anger", "joy", "neutral", "sadness")
TASK = "toy_emotion"
DATE = "2026-11-21T20-15-30.123456"
SCRIPT = "<script>document.title='hacked'</script>"

BUILDER = '''
"""A corpus of the tests."""
from affectllm.corpus import CorpusCard
from affectllm.labels import LabelSpace

SPACE = LabelSpace("toy_4", "category", ("anger", "joy", "neutral", "sadness"), source="these tests")
CARD = CorpusCard(name={name!r}, title={title!r}, citation="A. Tester: Toys. 2026", url={url!r},
    obtain="it is made by a test", licence={licence!r}, access={access!r}, redistribution={redistribution!r},
    commercial={commercial!r}, languages=("en", "de"), modalities=("video", "audio", "text"), spaces=(SPACE,),
    raters={{"actor": "what was played"}}, counts={{"train": 2}}, split_policy="by hand", built_from={built_from!r},
    notes=("Faces are drawn.",))
MINIATURE = {{}}


def samples(root):
    yield from ()
'''


def make_builder(
    folder: Path,
    name: str = "toy",
    *,
    licence: str = "CC-BY-4.0",
    access: str = "open",
    redistribution: bool = True,
    commercial: bool = True,
    built_from: tuple[str, ...] = (),
    url: str = "https://example.org/toy",
) -> Path:
    """Write a builder into ``folder/data_builders``; ``folder`` belongs in ``$AFFECTLLM_PATH``."""
    path = folder / "data_builders" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {"licence": licence, "access": access, "redistribution": redistribution, "commercial": commercial}
    title = f"{name.capitalize()} corpus"
    path.write_text(BUILDER.format(name=name, title=title, built_from=built_from, url=url, **fields), encoding="utf-8")
    return folder


def make_clips(root: Path) -> Path:
    """The toy corpus: playable clips, one in a container that browsers do not play, one broken."""
    clips = {f"clips/{i}.mp4": Clip(seconds=1.0, size=96) for i in range(6)}
    return materialise(
        {**clips, "clips/a.wav": Tone(seconds=1.0), "clips/b.avi": Clip(), "clips/broken.mp4": b""}, root
    )


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def score(value: float, n: int = 120, unreadable: float = 0.05, half: float = 0.06) -> dict[str, float]:
    return {
        "value": value,
        "low": max(0.0, value - half),
        "high": min(1.0, value + half),
        "n": n,
        "clusters": 12,
        "unreadable": unreadable,
    }


def media_part(number: int) -> dict[str, Any]:
    """A video with sound mostly; sometimes a sound, a span of a foreign container, or a broken clip."""
    special = {
        3: {"type": "audio", "path": "clips/a.wav"},
        4: {"type": "video", "path": "clips/b.avi", "sound": True, "start": 0.1, "end": 0.4},
        5: {"type": "video", "path": "clips/broken.mp4", "sound": True},
    }
    return {
        "corpus": "toy",
        **special.get(number % 12, {"type": "video", "path": f"clips/{number % 6}.mp4", "sound": True}),
    }


def logged_sample(number: int, gold: Any, reading: Any, reply: str, unreadable: str | None) -> dict[str, Any]:
    """A line of lm-eval's samples file with our fields."""
    text = {"type": "text", "text": f"Which emotion? They say: “{SCRIPT} number {number} & more”"}
    doc = {
        "id": f"toy/{number:04d}",
        "corpus": "toy",
        "speaker": f"<b>sp{number % 7}</b>",
        "dialogue": None,
        "messages": [{"role": "user", "content": [media_part(number), text]}],
        "gold": gold,
        "choices": list(LABELS),
    }
    return {
        "doc_id": number,
        "doc": doc,
        "target": gold,
        "resps": [[reply]],
        "filtered_resps": [reply],
        "filter": "none",
        "metrics": ["reading", "unreadable"],
        "reading": reading,
        "unreadable": unreadable,
    }


def answers(rows: int, skill: float, seed: int) -> list[dict[str, Any]]:
    """Replies of a model that is right with probability ``skill``; one in twenty cannot be read."""
    draw, samples = random.Random(seed), []
    for number in range(rows):
        gold = LABELS[number % len(LABELS)]
        if number % 20 == 7:
            samples.append(logged_sample(number, gold, None, f"{SCRIPT} I cannot tell.", "no_label"))
            continue
        reading = gold if draw.random() < skill else draw.choice(LABELS)
        samples.append(logged_sample(number, gold, reading, f"The speaker shows {reading}.", None))
    return samples


def details_of(rows: Sequence[Mapping[str, Any]], modalities: Sequence[str]) -> dict[str, Any]:
    """``details.json`` of the rows: counted, not invented."""
    columns = [*LABELS, None]
    table = [[sum(r["doc"]["gold"] == g and r["reading"] == p for r in rows) for p in columns] for g in LABELS]
    per_class = {}
    for index, label in enumerate(LABELS):
        hits, predicted, support = table[index][index], sum(row[index] for row in table), sum(table[index])
        values = {
            "precision": hits / max(1, predicted),
            "recall": hits / support,
            "f1": 2 * hits / (predicted + support),
        }
        per_class[label] = {**values, "support": support}
    facts = {"cluster": "speaker", "corpus": "toy", "rater": "actor", "n": len(rows), "media_errors": 1}
    return {"labels": list(LABELS), "confusion": table, "per_class": per_class, "modalities": list(modalities), **facts}


def make_evaluation(folder: Path, skill: float, seed: int = 0, modalities: Sequence[str] = ("video", "audio")) -> None:
    """An evaluation folder with one task."""
    rows = answers(120, skill, seed)
    details = details_of(rows, modalities)
    right = sum(row["reading"] == row["doc"]["gold"] for row in rows) / len(rows)
    recalls = [values["recall"] for values in details["per_class"].values()]
    f1 = [values["f1"] for values in details["per_class"].values()]
    scores = {"accuracy": score(right), "uar": score(sum(recalls) / 4), "macro_f1": score(sum(f1) / 4)}
    write(folder / "scores.json", {TASK: scores})
    write(folder / "details.json", {TASK: details})
    write_lines(folder / f"samples_{TASK}_{DATE}.jsonl", rows)
    write_lines(folder / f"samples_{TASK}_text_{DATE}.jsonl", [{"another": "task whose name begins alike"}])


def trainer_state(steps: int = 60) -> dict[str, Any]:
    """What HF's Trainer leaves: a falling loss, an eval loss with its minimum at step 40, absolute paths."""
    log: list[dict[str, float]] = []
    for step in range(5, steps + 1, 5):
        log.append({"step": step, "epoch": step / 20, "loss": 2.4 / (1 + step / 12), "learning_rate": 1e-4})
        if step % 10 == 0:
            log.append({"step": step, "epoch": step / 20, "eval_loss": 0.5 + abs(step - 40) / 50})
    best = {"best_global_step": 40, "best_metric": 0.5, "best_model_checkpoint": "/home/someone/x/checkpoint-40"}
    return {"log_history": log, "global_step": steps, **best}


def manifest(stage: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """A finished manifest as ``affectllm.run.Run`` writes it."""
    page = {"stage": stage, "finished": True, "seconds": 12.5, "inputs": inputs, "inputs_digest": "0" * 16}
    return {**page, "outputs": outputs, "versions": {"python": "3.11.7", "affectllm": "0.1.0", "torch": "2.13.0"}}


def make_conversations(path: Path, corpora: Sequence[str]) -> None:
    """A conversations file with the columns of the build stage."""
    from datasets import Features, Json, List, Value

    text = Value("string")
    names = ("id", "sample", "corpus", "split", "template", "answer", "space", "rater", "speaker", "dialogue")
    features = Features(
        {**dict.fromkeys(names, text), "paraphrase": Value("int64"), "value": Json(), "messages": List(Json())}
    )
    with Writer(path, features) as writer:
        for number, corpus in enumerate(corpora):
            user = {
                "role": "user",
                "content": [media_part(number) | {"corpus": corpus}, {"type": "text", "text": "Which?"}],
            }
            answer = {"role": "assistant", "content": [{"type": "text", "text": "joy"}]}
            row = dict.fromkeys(names) | {
                "id": f"{corpus}/{number}",
                "corpus": corpus,
                "split": "train",
                "answer": "joy",
            }
            writer.write({**row, "paraphrase": 0, "value": "joy", "messages": [user, answer]})


def make_run(folder: Path, *, skill: float = 0.8, seed: int = 1, corpora: Sequence[str] = ("toy",) * 4) -> Path:
    """The whole folder of ``affectllm run``, with an adapter of real safetensors."""
    for name, strength in (("chance", 0.0), ("majority", 0.0), ("oracle", 1.0)):
        make_evaluation(folder / "eval" / "reference" / name, strength, seed + 10)
    make_evaluation(folder / "eval", skill, seed)
    for name, strength in (("video", skill * 0.7), ("audio", skill * 0.5), ("text", 0.02)):
        make_evaluation(folder / "eval" / "modalities" / name, strength, seed + 20, (name,))
    write(folder / "train" / "trainer_state.json", trainer_state())
    for stage in ("build", "train", "eval"):
        write(
            folder / stage / "manifest.json", manifest(stage, {"recipe": "toy"}, {"rows": 480, "folder": str(folder)})
        )
    refused = [{"item": f"toy/{i}", "reason": reason} for i, reason in enumerate(["media_missing"] * 3 + ["tie"])]
    write_lines(folder / "build" / "rejected.jsonl", refused)
    for split in ("train", "validation"):
        make_conversations(folder / "build" / "conversations" / f"{split}-00000-of-00001.parquet", corpora)
    (folder / "recipe.yaml").write_text(
        f"# {SCRIPT}\nmodel:\n  path: org/base-7b\n  backbone: qwen2_5_omni\nseed: 1\n", encoding="utf-8"
    )
    make_adapter(folder / "train" / "final", folder)
    return folder


def make_adapter(folder: Path, run: Path) -> None:
    """A LoRA adapter as PEFT saves it, with the local paths and the pickle that it leaves behind."""
    import numpy as np
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
    save_file({"base_model.layers.0.q_proj.lora_A.weight": weights}, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": str(run / "cache" / "base"), "r": 8, "revision": None}
    write(folder / "adapter_config.json", config)
    write(folder / "tokenizer_config.json", {"name_or_path": str(run / "cache" / "base"), "model_max_length": 512})
    write(folder / "tokenizer.json", {"model": {"vocab": {"/usr": 1, "joy": 2}}})
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    (folder / "training_args.bin").write_bytes(b"\x80pickle of " + str(run).encode())
    (folder / "README.md").write_text("auto-generated by PEFT", encoding="utf-8")
