"""The cache of prepared media: keyed by content, bounded, and unharmed by several processes or a damaged entry."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
import torch

from affectllm.model.cache import MediaCache


def entry(value: float, size: int = 10) -> dict[str, torch.Tensor]:
    return {"pixels": torch.full((size,), value), "ids": torch.arange(3)}


def test_what_is_put_is_got(tmp_path: Path) -> None:
    cache = MediaCache(tmp_path)
    assert cache.get("ab12") is None
    cache.put("ab12", entry(1.5))
    tensors = cache.get("ab12")
    assert tensors is not None and torch.equal(tensors["pixels"], entry(1.5)["pixels"])
    assert (cache.hits, cache.misses) == (1, 1)


def test_the_key_follows_the_content_and_the_request(tmp_path: Path) -> None:
    cache, clip = MediaCache(tmp_path / "cache"), tmp_path / "a.wav"
    clip.write_bytes(b"one")
    first = cache.key(clip, {"fps": 2})
    copy = Path(shutil.copy(clip, tmp_path / "b.wav"))
    assert cache.key(copy, {"fps": 2}) == first
    assert cache.key(clip, {"fps": 4}) != first
    clip.write_bytes(b"two")
    os.utime(clip, ns=(1, 1))
    assert cache.key(clip, {"fps": 2}) != first


def test_the_oldest_readings_go_first(tmp_path: Path) -> None:
    cache = MediaCache(tmp_path, limit=20_000)
    for number in range(8):
        cache.put(f"{number:02d}key", entry(number, size=1_000))  # about 4 kB each
        os.utime(cache._entry(f"{number:02d}key"), ns=(number, number))
    cache.get("00key")  # read last, so kept
    assert cache.trim() > 0
    kept = [number for number in range(8) if cache.get(f"{number:02d}key") is not None]
    assert 0 in kept and 7 in kept and 1 not in kept
    assert sum(path.stat().st_size for path in tmp_path.glob("??/*")) <= 18_000


def test_a_damaged_entry_is_a_miss_and_is_made_again(tmp_path: Path) -> None:
    cache = MediaCache(tmp_path)
    cache.put("ab12", entry(1.0))
    path = cache._entry("ab12")
    path.write_bytes(path.read_bytes()[:20])
    assert cache.get("ab12") is None
    cache.put("ab12", entry(2.0))
    tensors = cache.get("ab12")
    assert tensors is not None and tensors["pixels"][0] == 2.0


def test_an_entry_evicted_while_it_is_opened_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = MediaCache(tmp_path)
    cache.put("ab12", entry(1.0, size=400_000))  # large enough to be mapped
    open_storage = torch.UntypedStorage.from_file

    def evicted_meanwhile(name: str, *arguments: object, **options: object) -> object:
        cache._entry("ab12").unlink()
        return open_storage(name, *arguments, **options)

    monkeypatch.setattr(torch.UntypedStorage, "from_file", evicted_meanwhile)
    assert cache.get("ab12") is None
    assert (cache.hits, cache.misses) == (0, 1)


def _hammer(folder: str, seed: int) -> int:
    cache, wrong = MediaCache(Path(folder), limit=30_000), 0
    for step in range(60):
        key = f"{(step * 7 + seed) % 12:02d}shared"
        tensors = cache.get(key)
        if tensors is None:
            cache.put(key, entry(float(key[:2]), size=1_000))
        elif not torch.equal(tensors["pixels"], torch.full((1_000,), float(key[:2]))):
            wrong += 1
        if step % 10 == 0:
            cache.trim()
    return wrong


def test_processes_share_it(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.starmap(_hammer, [(str(tmp_path), seed) for seed in range(3)]) == [0, 0, 0]
    assert not list(tmp_path.glob("**/.*")), "no half-written file is left"
