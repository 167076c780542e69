"""A corpus of the tests' own: as many samples of as many classes as a test asks for, in a local folder of builders."""

from __future__ import annotations

from pathlib import Path

import pytest

# Says that it reads, then waits. In short steps: a signal between the interpreter's last look and the call that sleeps
# does not end that sleep.
WAITS = (
    'import os, time; open(os.environ["READING"], "w").close(); '
    '[time.sleep(0.05) for _ in range(20 * int(os.environ["SECONDS"]))]'
)
_BUILDER = '''"""A corpus made for one test."""
from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
from affectllm.labels import Annotation, LabelSpace

SPACE = LabelSpace("toy_3", "category", ("joy", "anger", "fear"), source="made up")
REPLY = LabelSpace("toy_reply", "open", (), source="made up")
CARD = CorpusCard(
    name="@NAME@", title="Toy", citation="nobody", url="", obtain="made by the test", licence="CC0-1.0", access="open",
    redistribution=True, commercial=True, languages=("en",), modalities=("text",), spaces=(SPACE, REPLY),
    raters={"reader": "one reader", "writer": "the one who wrote"}, counts=@COUNTS@, split_policy="made up",
    speaker_disjoint=@DISJOINT@, built_from=@PARENTS@,
)
MINIATURE = {"here.txt": "yes"}
COUNTS = @COUNTS@
CLASSES = @CLASSES@


def samples(root):
    @WHEN_READ@
    for split, count in COUNTS.items():
        for number in range(count):
            label = CLASSES[number % len(CLASSES)]
            yield Sample(
                id=f"{split}{number}", corpus="@NAME@", split=split,
                annotations=(
                    Annotation("toy_3", "reader", label), Annotation("toy_reply", "writer", f"Reply {number}."),
                ),
                source=f"here.txt:{number}", text=f"words number {number}", speaker=f"{split}-{number % 3}",
                media=@MEDIA@,
            )
    yield Rejection("bad.wav", "media_missing", "here.txt:0")
'''


def toy_corpus(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str = "toy",
    *,
    counts: dict[str, int] | None = None,
    classes: tuple[object, ...] = ("joy",),
    disjoint: bool = True,
    parents: tuple[str, ...] = (),
    media: str = "()",
    when_read: str = "pass",
) -> Path:
    """Write the builder below ``folder`` and return a root for it; ``folder`` becomes ``$AFFECTLLM_PATH``.

    Args:
        counts: samples per split.
        classes: labels, given to samples in turn; a tuple among them is a tie.
        media: Python expression of a sample's media, in which ``number`` and ``split`` are known.
        when_read: a statement run when the first sample is asked for.
    """
    text = _BUILDER.replace("@NAME@", name).replace(
        "@COUNTS@", repr(counts or {"train": 6, "validation": 3, "test": 3})
    )
    text = text.replace("@CLASSES@", repr(classes)).replace("@DISJOINT@", repr(disjoint)).replace("@MEDIA@", media)
    text = text.replace("@PARENTS@", repr(parents)).replace("@WHEN_READ@", when_read)
    (folder / "data_builders").mkdir(parents=True, exist_ok=True)
    (folder / "data_builders" / f"{name}.py").write_text(text, encoding="utf-8")
    root = folder / "roots" / name
    root.mkdir(parents=True, exist_ok=True)
    (root / "here.txt").write_text("yes")
    monkeypatch.setenv("AFFECTLLM_PATH", str(folder))
    return root
