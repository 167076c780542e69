"""Benchmark near-duplicates of generated texts, against the limit, datatrove and datasketch, and the memory."""

from __future__ import annotations

import importlib.util
import itertools
import json
import random
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metering import own_peak

from affectllm.corpus.leaks.duplicates import SHINGLE, THRESHOLD, TextDuplicates
from affectllm.corpus.leaks.normalised import normalised
from benchmarks.row import Row, duration, seconds

TEXTS = {"full": 1_000_000, "quick": 100_000, "tiny": 400}
# The others take too long for a million: their speed is that on fewer texts, where ours is measured again.
FEW = {"full": 20_000, "quick": 5_000, "tiny": 200}
LIMIT, MEMORY = 600.0, 1000.0  # seconds, MiB


def measure(size: str) -> list[Row]:
    """Measure a million texts in a process of their own, then texts per second beside other libraries."""
    many, few = TEXTS[size], FEW[size]
    elapsed, memory, duplicates = _child(many)
    assert abs(duplicates - many / 10) <= max(5, many / 50), "a tenth of the texts were made as duplicates"
    what = f"near-duplicates among {many:,} texts of about 20 words"
    rows = [
        Row(
            what,
            "the limit",
            f"{duration(elapsed)} ({many / elapsed:,.0f} texts/s)",
            duration(LIMIT),
            LIMIT / elapsed,
            1.0,
        ),
        Row(f"peak memory of {what}", "the limit", f"{memory:.0f} MiB", f"{MEMORY:.0f} MiB", MEMORY / memory, 1.0),
    ]
    sample = list(texts(few))
    ours = min(seconds(lambda: TextDuplicates().find(sample)) for _ in range(3))
    for name, other in (("datatrove", _datatrove), ("datasketch", _datasketch)):
        if importlib.util.find_spec(name):
            theirs = seconds(lambda other=other: other(sample))  # type: ignore[misc]
            against, rates = f"{name}: {other.__doc__}", [f"{few / s:,.0f} texts/s" for s in (ours, theirs)]
            rows.append(Row(f"near-duplicates among {few:,} texts of about 20 words", against, *rates, theirs / ours))
    return rows


def texts(count: int) -> Iterator[tuple[str, str, str]]:
    """Generate texts of 10 to 30 words; a tenth repeat the text before, half of them with one word more."""
    dice = random.Random(0)
    vocabulary = ["".join(dice.choices(string.ascii_lowercase, k=dice.randint(2, 9))) for _ in range(30_000)]
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))
    text = ""
    for number in range(count):
        if number % 10 == 9:
            text = text if number % 20 == 9 else f"{text} {dice.choice(vocabulary)}"
        else:
            text = " ".join(dice.choices(vocabulary, cum_weights=weights, k=dice.randint(10, 30)))
        yield f"corpus/{number}", text, "en"


_CHILD = """
import json, sys
sys.path[:0] = json.loads(sys.argv[2])
from benchmarks.minhash import timed
print(json.dumps(timed(int(sys.argv[1]))))
"""


def _child(count: int) -> tuple[float, float, int]:
    words = [sys.executable, "-c", _CHILD, str(count), json.dumps([str(Path(__file__).parents[1])])]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    elapsed, memory, duplicates = json.loads(done.stdout.splitlines()[-1])
    return elapsed, memory, duplicates


def timed(count: int) -> tuple[float, float, int]:
    """Return seconds without generating the texts, peak memory of the process in MiB, and number of duplicates."""
    making = seconds(lambda: sum(1 for _ in texts(count)))
    began = time.perf_counter()
    duplicates = TextDuplicates().find(texts(count))
    return time.perf_counter() - began - making, own_peak(), len(duplicates)


def _shingles(text: str) -> list[str]:
    tokens = normalised(text).tokens
    return [" ".join(tokens[at : at + SHINGLE]) for at in range(len(tokens) - SHINGLE + 1)]


def _datatrove(sample: list[tuple[str, str, str]]) -> None:
    """signatures and buckets of its MinHash pipeline, the words split at spaces"""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig
    from datatrove.utils.logging import logger

    logger.remove()
    documents = (Document(text, key) for key, text, _ in sample)
    with tempfile.TemporaryDirectory() as folder:
        signatures, buckets, removed = (f"{folder}/{part}" for part in ("signatures", "buckets", "removed"))
        # SHA-1, since its xxhash is called with text, which xxhash 4 refuses.
        config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1"))
        sign = MinhashDedupSignature(signatures, config, language=_at_spaces())
        sign.run(documents)
        for bucket in range(config.num_buckets):
            MinhashDedupBuckets(signatures, buckets, config=config).run(None, bucket, config.num_buckets)
        MinhashDedupCluster(buckets, removed, config=config).run(None, 0, 1)


def _at_spaces() -> Any:
    from datatrove.utils.word_tokenizers import WordTokenizer

    # Its own words, of spaCy, take many times longer and would be what is measured.
    class AtSpaces(WordTokenizer):  # type: ignore[misc]
        word_tokenize = sent_tokenize = span_tokenize = staticmethod(str.split)

    return AtSpaces()


def _datasketch(sample: list[tuple[str, str, str]]) -> None:
    """MinHash.bulk and MinHashLSH"""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    sets = ([shingle.encode() for shingle in _shingles(text)] for _, text, _ in sample)
    for (key, _, _), sketch in zip(sample, MinHash.generator(sets, num_perm=128), strict=True):
        if not index.query(sketch):
            index.insert(key, sketch)
