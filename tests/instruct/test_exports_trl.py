"""The stock SFTTrainer makes of an export what our own path makes of the conversations: the same tokens and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Image, List, load_dataset
from exporting import clip, make_clips, row, write_rows
from toy_corpus import toy_corpus
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer
from tuning import PAGE, succeed, write_page

from affectllm.commands.export import export
from affectllm.corpus.roots import Roots
from affectllm.instruct.exports.source import conversation_files, rows_of
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model
from affectllm.train.collator import Collator
from affectllm.train.method import find_method

pytestmark = pytest.mark.slow
TEXT_MODEL = {"path": "tiny:qwen2", "backbone": "qwen2"}


def trainer(model: Any, file: Path, folder: Path, **options: Any) -> SFTTrainer:
    """As the export's own lines say, on the CPU."""
    rows = load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder / "cache"))
    if "images" in rows.column_names:
        rows = rows.cast_column("images", List(Image()))
    plain = {"bf16": False, "use_cpu": True, "gradient_checkpointing": False, "report_to": "none"}
    args = SFTConfig(output_dir=str(folder / "trl"), max_length=None, **plain, **options)
    return SFTTrainer(model=model.model, args=args, train_dataset=rows, processing_class=model.processor)


def test_a_text_model_gets_the_same_tokens_and_labels(small_demo: Path, tmp_path: Path) -> None:
    part = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words", "weight": 2}
    page, run = write_page(tmp_path, data={"mixture": [part]}, model=TEXT_MODEL), tmp_path / "run"
    succeed("build", str(page), "--root", f"demo_affect={small_demo}", "--out", str(run))
    succeed("export", str(run), "--to", "trl", "--out", str(tmp_path / "out"))
    loaded = load_model("tiny:qwen2")
    theirs = trainer(loaded, tmp_path / "out" / "train.jsonl", tmp_path)
    collate = Collator(Encoder(loaded.processor, loaded.family, loaded.model.config, Budget(), {}))
    ours = list(rows_of(conversation_files(run)["train"]))
    assert len(ours) == len(theirs.train_dataset) == 40
    for begin in range(0, 40, 8):
        places = range(begin, begin + 8)
        expected = collate([ours[place] for place in places])
        batch = theirs.data_collator([theirs.train_dataset[place] for place in places])
        for name in ("input_ids", "labels", "attention_mask"):
            assert torch.equal(batch[name], expected[name]), name
        assert (expected["labels"] != -100).sum() > 8  # there is something to be equal


@pytest.mark.parametrize(
    ("kind", "name", "path"), [("audio", "qwen2_audio", "song.wav"), ("image", "qwen2_5_vl", "face.png")]
)
def test_clips_reach_the_model_through_the_stock_trainer(
    kind: str, name: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_clips(toy_corpus(tmp_path, monkeypatch))
    rows = [row("words", "Say it."), row("clip", clip(kind, path), "Which?", answer="anger")]
    run = write_rows(tmp_path / "run", rows)
    summary = export(run, "trl", tmp_path / "out", Roots({"toy": root}), "link")
    assert summary.rows == {"train": 2}
    model = load_model(f"tiny:{name}")
    options = {"assistant_only_loss": True} if "assistant_only_loss" in "\n".join(summary.advice) else {}
    theirs = trainer(model, tmp_path / "out" / "train.jsonl", tmp_path, **options)
    batch = theirs.data_collator([theirs.train_dataset[place] for place in range(2)])
    token = model.processor.tokenizer.convert_tokens_to_ids(model.family.placeholders[kind])
    media = {"audio": "input_features", "image": "pixel_values"}[kind]
    assert batch[media].abs().sum() > 0 and (batch["input_ids"] == token).sum() > 1
    answers = [model.processor.tokenizer.decode(labels[labels != -100]) for labels in batch["labels"]]
    assert sorted(answers) == ["anger<|im_end|>", "joy<|im_end|>"]


@pytest.mark.thorough
def test_the_stock_preference_trainer_gets_the_tokens_of_both_answers(small_demo: Path, tmp_path: Path) -> None:
    part = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words", "rejected": "other_label"}
    page, run = write_page(tmp_path, data={"mixture": [part]}, model=TEXT_MODEL), tmp_path / "run"
    succeed("build", str(page), "--root", f"demo_affect={small_demo}", "--out", str(run))
    succeed("export", str(run), "--to", "trl", "--out", str(tmp_path / "out"))
    loaded, method = load_model("tiny:qwen2"), find_method("dpo")
    encoder = Encoder(loaded.processor, loaded.family, loaded.model.config, Budget(), {})
    collate = Collator(encoder, method.conversations, method.batch)
    rows = load_dataset("json", data_files=str(tmp_path / "out" / "train.jsonl"), split="train")
    plain = {"bf16": False, "use_cpu": True, "gradient_checkpointing": False, "report_to": "none"}
    args = DPOConfig(output_dir=str(tmp_path / "trl"), max_length=None, **plain)
    again = load_model("tiny:qwen2").model
    theirs = DPOTrainer(loaded.model, again, args, train_dataset=rows, processing_class=loaded.tokenizer)
    ours = list(rows_of(conversation_files(run)["train"]))[:6]
    expected, batch = collate(ours), theirs.data_collator([theirs.train_dataset[place] for place in range(6)])
    for name in ("input_ids", "attention_mask", "completion_mask"):
        assert torch.equal(batch[name], expected[name]), name
    assert not torch.equal(expected["input_ids"][:6], expected["input_ids"][6:])
