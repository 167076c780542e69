"""Near-duplicates among generated texts, against the limit, datatrove's signatures and datasketch, and the memory."""

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

from affectllm.corpus.leaks.duplicates import SHINGLE, THRESHOLD, TextDuplicates
from affectllm.corpus.leaks.normalised import normalised
from benchmarks.build import peak
from benchmarks.row import Row, seconds, told

TEXTS = {"full": 1_000_000, "quick": 100_000, "tiny": 400}
# The others take too long for a million: their speed is that on fewer texts, where ours is measured again.
FEW = {"full": 20_000, "quick": 5_000, "tiny": 200}
LIMIT, MEMORY = 600.0, 1000.0  # seconds, MiB


def measure(size: str) -> list[Row]:
    """A million texts in a process of their own, then texts per second beside others."""
    many, few = TEXTS[size], FEW[size]
    taken, memory, found = _child(many)
    assert abs(found - many / 10) <= max(5, many / 50), "a tenth of the texts were made as duplicates"
    what = f"near-duplicates among {many:,} texts of about 20 words"
    rows = [
        Row(what, "the limit", f"{told(taken)} ({many / taken:,.0f} texts/s)", told(LIMIT), LIMIT / taken, 1.0),
        Row(f"peak memory of {what}", "the limit", f"{memory:.0f} MiB", f"{MEMORY:.0f} MiB", MEMORY / memory, 1.0),
    ]
    held = list(texts(few))
    ours = min(seconds(lambda: TextDuplicates().find(held)) for _ in range(3))
    for name, other in (("datatrove", _datatrove), ("datasketch", _datasketch)):
        if importlib.util.find_spec(name):
            theirs = seconds(lambda other=other: other(held))  # type: ignore[misc]
            against, rates = f"{name}: {other.__doc__}", [f"{few / s:,.0f} texts/s" for s in (ours, theirs)]
            rows.append(Row(f"near-duplicates among {few:,} texts of about 20 words", against, *rates, theirs / ours))
    return rows


def texts(count: int) -> Iterator[tuple[str, str, str]]:
    """Made-up texts of 10 to 30 words; a tenth are the text before, half of them with a word more."""
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
    taken, memory, found = json.loads(done.stdout.splitlines()[-1])
    return taken, memory, found


def timed(count: int) -> tuple[float, float, int]:
    """Seconds without making the texts, peak resident memory in MiB of the whole process, and how many were found."""
    making = seconds(lambda: sum(1 for _ in texts(count)))
    began = time.perf_counter()
    found = TextDuplicates().find(texts(count))
    return time.perf_counter() - began - making, peak(), len(found)


def _shingles(text: str) -> list[str]:
    tokens = normalised(text).tokens
    return [" ".join(tokens[at : at + SHINGLE]) for at in range(len(tokens) - SHINGLE + 1)]


def _datatrove(held: list[tuple[str, str, str]]) -> None:
    """signatures and buckets of its MinHash pipeline, the words split at spaces"""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig
    from datatrove.utils.logging import logger

    logger.remove()
    documents = (Document(text, key) for key, text, _ in held)
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


def _datasketch(held: list[tuple[str, str, str]]) -> None:
    """MinHash.bulk and MinHashLSH"""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    sets = ([shingle.encode() for shingle in _shingles(text)] for _, text, _ in held)
    for (key, _, _), sketch in zip(held, MinHash.generator(sets, num_perm=128), strict=True):
        if not index.query(sketch):
            index.insert(key, sketch)
