"""MVEI: 3,086 statements about the emotions of pictures, refined by people; a model says which of them are right.

The benchmark of "Customizing Visual Emotion Evaluation for MLLMs". ``MVEI_metadata.json`` is a list of pictures, each
with its statements; a statement belongs to one of four dimensions (sentiment polarity, emotion interpretation, scene
context, perception subjectivity) and is ``Correct`` or ``Incorrect``. The pictures in ``images/`` are those of EmoSet.
The statements were made by the INSETS pipeline (see insets) and then checked and rewritten by people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.images._statements import DIMENSIONS, SOURCE, Statements, judgement_space

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import folder_of
from affectllm.labels import LabelSpace

FILE = "MVEI_metadata.json"
JUDGEMENT = judgement_space("mvei_judgement")
EMOTIONS = LabelSpace("mvei_emotions", "open", (), source=SOURCE)
CARD = CorpusCard(
    name="mvei",
    title="MVEI",
    citation="Wu, Yang, Zhao, Ma, Zhou: Customizing Visual Emotion Evaluation for MLLMs: An Open-vocabulary, "
    "Multifaceted, and Scalable Approach. arXiv 2509.21950, 2025",
    url="https://huggingface.co/datasets/wudq/MVEI",
    obtain="MVEI_metadata.json and images/ from https://huggingface.co/datasets/wudq/MVEI",
    licence="not stated; the pictures are those of EmoSet, for research",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("image", "text"),
    spaces=(JUDGEMENT, EMOTIONS),
    raters={"people": "the authors' pipeline, checked and refined by people"},
    counts={TEST: 3086},
    split_policy="a benchmark: everything is test",
    built_from=("emoset",),
    notes=(
        "The names of the members were read in the authors' evaluation script; those of the emotions of a picture were "
        "not, and several are accepted.",
        f"The dimension of a statement is in the attributes: {', '.join(DIMENSIONS)}.",
        "The statement is the text of a sample; whether it fits the picture is the answer.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    FILE: json.dumps(
        [
            {
                "image_id": "awe_00001.jpg",
                "emotions": ["wonder", "calm"],
                "statement_list": [
                    {"statement": "The lake makes one calm.", "class": "emotion interpretation", "label": "Correct"},
                    {"statement": "The mood is negative.", "class": "sentiment polarity", "label": "Incorrect"},
                    {"statement": "It may be cold.", "class": "scene context", "label": "Perhaps"},
                    {"class": "scene context", "label": "Correct"},
                ],
            },
            {"image_id": "../fear_00002.jpg", "statement_list": [{"statement": "Dark.", "label": "Correct"}]},
            {"image_id": "fear_00003.jpg"},
        ],
        indent=1,
    ),
    "images/awe_00001.jpg": Picture(),
    "images/._awe_00001.jpg": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per statement, in the order of the file."""
    base = folder_of(root, CARD, lambda folder: (folder / FILE).is_file(), FILE)
    yield from Statements(CARD, JUDGEMENT, EMOTIONS, "people", TEST, base, root).read(base / FILE)
