"""The cache of prepared media: keyed by content, bounded, and unharmed by several processes or a damaged entry."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a moment")
def test_a_cache_of_somebody_else_is_read_where_it_may_be_and_never_stops_a_clip(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be read or written is a counted miss, told once: clips are no worse for it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        theirs, clip = MediaCache(place / "cache"), place / "a.wav"
        clip.write_bytes(b"one")
        key = theirs.key(clip, {})
        theirs.put("ab12", entry(1.0))
        theirs.put("cd34", entry(2.0))
        for path in (*place.rglob("contents/??/*"), theirs._entry("cd34")):
            path.chmod(0o600)
        theirs._entry("ab12").chmod(0o644)
        own = MediaCache(place / "cache")
        os.seteuid(65534)
        try:
            tensors, hidden = own.get("ab12"), own.get("cd34")
            own.put("ef56", entry(3.0))
            assert own.key(clip, {}) == key
        finally:
            os.seteuid(0)
    assert tensors is not None and float(tensors["pixels"][0]) == 1.0 and hidden is None
    assert (own.hits, own.misses) == (1, 1) and own.refused >= 2
    assert capsys.readouterr().err.count("set AFFECTLLM_CACHE") == 1
