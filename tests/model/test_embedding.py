"""Embeddings of clips and texts: one by one as in batches, fused, loaded by others, broken clips named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affectllm.errors import Malformed
from affectllm.model.clips.media import MediaError
from affectllm.model.embedding.conversations import SETTINGS, Settings
from affectllm.model.embedding.embedder import load_embedder, normalised
from affectllm.model.embedding.views import needed_view

BUDGET: dict[str, Any] = {"fps": 1.0, "max_frames": 2, "max_pixels": 3136, "min_pixels": 3136, "max_seconds": 4.0}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``SentenceTransformer.save`` writes it."""
    folder = tmp_path_factory.mktemp("embedding") / "saved"
    embedder: Any = load_embedder("tiny:qwen2_5_omni", dtype="float32", pooling="lasttoken", scale=7.0, **BUDGET)
    embedder.transformer.save(str(folder))
    return folder


def asked(root: Path, number: int, words: str = "What is felt?") -> list[dict[str, Any]]:
    clip = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.mp4"))[number]
    film = {"type": "video", "corpus": "demo_affect", "path": clip, "sound": True}
    return [{"role": "user", "content": [film, {"type": "text", "text": words}]}]


def test_what_is_saved_embeds_as_before_alone_and_in_batches(saved: Path, small_demo: Path) -> None:
    from sentence_transformers import SentenceTransformer

    embedder: Any = load_embedder(str(saved))
    embedder.roots["demo_affect"] = small_demo
    assert embedder.scale == 7.0 and embedder.settings.pooling == "lasttoken"
    things = [asked(small_demo, 0), "joy", asked(small_demo, 1, "And here, in these other words?")]
    together = embedder.embed(things)
    alone = [embedder.embed([one])[0] for one in things]
    assert max(abs(a - b).max() for a, b in zip(alone, together, strict=True)) < 1e-5
    assert abs(together[0] - together[2]).max() > 1e-4 and np.linalg.norm(together[0]) == pytest.approx(1, abs=1e-5)
    loaded: Any = SentenceTransformer(str(saved), trust_remote_code=True)
    loaded[0].encoder.roots["demo_affect"] = small_demo
    assert abs(loaded.encode(things) - np.stack(together)).max() < 1e-5


def test_views_are_fused_by_the_mean_of_their_vectors(saved: Path, small_demo: Path) -> None:
    whole: Any = load_embedder(str(saved), fusion=("video", "audio"))
    parts: Any = load_embedder(str(saved))
    whole.roots["demo_affect"] = parts.roots["demo_affect"] = small_demo
    messages = asked(small_demo, 0)
    row = {"id": "a", "messages": messages}
    each = parts.embed([needed_view(row, "video"), needed_view(row, "audio")])
    assert abs(whole.embed([messages])[0] - normalised(np.mean(each, axis=0))).max() < 1e-5


def test_a_broken_clip_is_an_error_and_the_others_are_embedded(saved: Path, small_demo: Path, tmp_path: Path) -> None:
    import shutil

    root = Path(shutil.copytree(small_demo, tmp_path / "demo"))
    messages = asked(root, 0)
    (root / messages[0]["content"][0]["path"]).write_bytes(b"")
    embedder: Any = load_embedder(str(saved))
    embedder.roots["demo_affect"] = root
    broken, sound = embedder.embed([messages, asked(root, 1)])
    assert isinstance(broken, MediaError) and broken.reason == "empty_file" and sound.shape == (128,)


@pytest.mark.parametrize("text", ["{", '{"pooling": "max"}', '{"budget": {"hours": 1}}', '{"fusion": ["smell"]}'])
def test_settings_that_cannot_be_read_name_their_file(text: str, tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_text(text, encoding="utf-8")
    with pytest.raises(Malformed, match="settings of an embedding model"):
        Settings.read(tmp_path)


def test_a_clip_like_folder_sees_clips_and_reads_texts(small_demo: Path, tmp_path: Path) -> None:
    import json
    import string

    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    letters = list(string.ascii_lowercase)
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (tmp_path / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    end = len(words) - 1
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    tokens = {"bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end, "vocab_size": len(words)}
    text = {**size, **tokens, "max_position_embeddings": 32}
    vision = {**size, "image_size": 32, "patch_size": 16}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(tmp_path)
    pictures = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)
    CLIPProcessor(pictures, CLIPTokenizer.from_pretrained(tmp_path)).save_pretrained(tmp_path)
    embedder: Any = load_embedder(str(tmp_path))
    embedder.roots["demo_affect"] = small_demo
    first, word, second = embedder.embed([asked(small_demo, 0), "joy", asked(small_demo, 1)])
    assert first.shape == word.shape == (16,) and abs(first - second).max() > 1e-5
    assert abs(first - embedder.embed([asked(small_demo, 0, "Other words?")])[0]).max() < 1e-6
