"""INSETS-462k: 462,369 statements about the emotions of 17,716 pictures of EmoSet, made by a pipeline of models.

Several models name the emotions of a picture in their own words, the words are put into the hierarchy of Parrott, and
statements in four dimensions are built of them, right and wrong ones. The format is that of MVEI, which was refined by
people from such statements: a list (or lines) of pictures with ``statement_list``. The pictures are not in every copy;
they are those of EmoSet, found in ``images/`` by their id. 17,716 is the size of EmoSet's test split: whoever trains
on INSETS has seen EmoSet's test pictures, and those of MVEI.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.images._statements import DIMENSIONS, SOURCE, Statements, judgement_space

from affectllm.corpus import TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import folder_of
from affectllm.labels import LabelSpace

PATTERNS = ("[Ii][Nn][Ss][Ee][Tt][Ss]*.json", "[Ii][Nn][Ss][Ee][Tt][Ss]*.jsonl")
JUDGEMENT = judgement_space("insets_judgement")
EMOTIONS = LabelSpace("insets_emotions", "open", (), source=SOURCE)
CARD = CorpusCard(
    name="insets",
    title="INSETS-462k",
    citation="Wu, Yang, Zhao, Ma, Zhou: Customizing Visual Emotion Evaluation for MLLMs: An Open-vocabulary, "
    "Multifaceted, and Scalable Approach. arXiv 2509.21950, 2025",
    url="https://huggingface.co/datasets/wudq/INSETS-462k",
    obtain="the json file (INSETS…json) from https://huggingface.co/datasets/wudq/INSETS-462k ; the pictures from "
    "EmoSet in images/",
    licence="not stated; the pictures are those of EmoSet, for research",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("image", "text"),
    spaces=(JUDGEMENT, EMOTIONS),
    raters={"pipeline": "the INSETS pipeline of several models, without people"},
    counts={TRAIN: 462369},
    split_policy="none: everything is train; the pictures are the test split of EmoSet, which must not be scored after "
    "training on them",
    built_from=("emoset",),
    notes=(
        "The format was not seen: that of MVEI is assumed, and any file called INSETS*.json or .jsonl is read.",
        f"The dimension of a statement is in the attributes: {', '.join(DIMENSIONS)}.",
        "Candidate emotions and prototype statements, the pipeline's intermediate results, are not read.",
        "Of several files called INSETS… the first by name is read.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "INSETS_metadata.json": json.dumps(
        [
            {
                "image_id": "awe_00001.jpg",
                "emotion": "wonder",
                "statement_list": [
                    {"statement": "The lake makes one calm.", "class": "emotion interpretation", "label": "correct"},
                    {"statement": "The mood is negative.", "class": "sentiment polarity", "label": "incorrect"},
                ],
            },
            {"image_id": "fear_00002.jpg", "statement_list": [{"statement": "Dark.", "label": "unsure"}]},
            ["fear_00003.jpg"],
        ],
        indent=1,
    ),
    "images/awe_00001.jpg": Picture(),
    "images/._awe_00001.jpg": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per statement, in the order of the file."""
    base = folder_of(root, CARD, lambda folder: bool(_files(folder)), "INSETS_metadata.json")
    yield from Statements(CARD, JUDGEMENT, EMOTIONS, "pipeline", TRAIN, base, root).read(_files(base)[0])


def _files(folder: Path) -> list[Path]:
    return sorted(path for pattern in PATTERNS for path in folder.glob(pattern) if path.is_file())
