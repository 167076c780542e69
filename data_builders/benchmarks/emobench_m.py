"""EmoBench-M: emotional intelligence of multimodal models, in questions about clips of 13 older corpora.

``benchmark_json`` has a file of questions a set, each with a clip, the question of a person (what is said in the clip,
what is asked, and how to answer) and the label as the reply. Clips lie in ``dataset_500/{file}/``, below which the
questions name them (``videos/ch-simsv2s/aqgy4_0004/00023.mp4``). Three groups are averaged: foundational emotion
recognition (FER), conversational emotion understanding (CEU) and socially complex emotion analysis (SCEA).

Of MC-EIU emotion and intent are asked together; SMILE asks why an audience laughs. Most sets are 500 items drawn from a
corpus, some of them class by class. The authors' scripts take the first label word of a reply, and leave a reply that
has none out of the score.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.benchmarks._chats import (
    EMOTION_7,
    INTENT_8,
    MELD_7,
    MEMBERS,
    MER_6,
    SENTIMENT_3,
    SENTIMENT_5,
    SONG_6,
    SPEECH_8,
    TRUTH,
    Part,
    read_part,
)
from affectllm.data_builders.benchmarks._questions import names_all

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import folder_of, missing_file
from affectllm.labels import LabelSpace

QUESTIONS, CLIPS = "benchmark_json", "dataset_500"
LAUGHTER = LabelSpace(
    "emobench_m_laughter",
    "open",
    (),
    source="Hu et al., EmoBench-M: Benchmarking Emotional Intelligence for Multimodal LLMs, arXiv 2502.04424, 2025",
)
PARTS = (
    Part("ravdess_song", "RAVDSS_song_500.json", {"": SONG_6}, "fer"),
    Part("ravdess_speech", "RAVDSS_speech_500.json", {"": SPEECH_8}, "fer"),
    Part("cmu_mosi", "MOSI_test_500.json", {"": SENTIMENT_3}, "fer"),
    Part("cmu_mosei", "MOSEI_test_500.json", {"": SENTIMENT_3}, "fer"),
    Part("fgmsa", "FGMSA_test_instruction.json", {"": SENTIMENT_5}, "fer"),
    Part("mer2023", "mer2023_test1_instruction.json", {"": MER_6}, "fer"),
    Part("ch_sims", "SIMS_test_500.json", {"": SENTIMENT_3}, "fer"),
    Part("ch_sims_v2", "ch-simsv2s_test_500.json", {"": SENTIMENT_3}, "fer"),
    Part("meld", "MELD_test_instruction.json", {"": MELD_7}, "ceu"),
    Part("mc_eiu", "MC-EIU-test_500.json", {"emotion": EMOTION_7, "intent": INTENT_8}, "ceu"),
    Part("ur_funny", "funny_test_instruction.json", {"": TRUTH}, "scea"),
    Part("mustard", "MUSTARD_500.json", {"": TRUTH}, "scea"),
    Part("smile", "smile_test_data.json", {"": LAUGHTER}, "scea"),
)
CARD = CorpusCard(
    name="emobench_m",
    title="EmoBench-M",
    citation="Hu, Zhou, You, Xu, Wang, Lian, Yu, Ma, Cui: EmoBench-M: Benchmarking Emotional Intelligence for "
    "Multimodal Large Language Models. arXiv 2502.04424, 2025",
    url="https://github.com/Emo-gml/EmoBench-M",
    obtain="the archive that the README of https://github.com/Emo-gml/EmoBench-M links; benchmark_json/ and "
    "dataset_500/ side by side",
    licence="Apache-2.0; the clips have the terms of their sources",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(SENTIMENT_3, SENTIMENT_5, MER_6, SONG_6, SPEECH_8, MELD_7, EMOTION_7, INTENT_8, TRUTH, LAUGHTER),
    raters={"source": "the label of the corpus that a clip is from"},
    counts={},
    split_policy="everything is test: a benchmark drawn from older corpora",
    built_from=("ch_sims", "ch_sims_v2", "cmu_mosei", "cmu_mosi", "meld", "mer2023", "mustard", "ravdess"),
    max_seconds=600.0,
    notes=(
        "The layout was read in the README, the example of a question there, and the authors' scripts; the archive "
        "itself was not opened.",
        "The set of a question is the attribute `set`, and `group` is fer, ceu or scea.",
        "A question is asked without the authors' orders on how to answer; what is said in a clip is part of it.",
        "One script spells a file FGMSA_test_instructuin.json, which is read as well.",
    ),
)
_SPELT = {"FGMSA_test_instruction.json": "FGMSA_test_instructuin.json"}
_ORDER = (
    " Do not provide any additional explanations or extra content. Choose one of the following labels as your final"
)
_REPLIES = {
    **{"ravdess_song": ("calm", "fearful"), "ravdess_speech": ("surprised", "disgust"), "fgmsa": ("weak negative",)},
    **{"mer2023": ("worried", "happy"), "meld": ("joy", "fear"), "ur_funny": ("true", "false"), "mustard": ("false",)},
    "mc_eiu": (
        "{'emotion label': 'sad', 'intent label': 'wishing'}",
        "{'emotion label': 'happy', 'intent label': 'sad'}",
    ),
    "smile": ("They laughed because of the hat.", "They laughed because he fell.", ""),
}
_SAID = "The person in video says: I am home."


def _questions(part: Part) -> str:
    rows = []
    for number, reply in enumerate(_REPLIES.get(part.name, ("positive", "neutral", "mixed"))):
        asked = (
            f"<video>\n{_SAID} Determine the emotion conveyed.{_ORDER} answer: {reply}. Respond in the format: {{}}."
        )
        turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": reply}]
        rows.append({"id": str(number), "video": f"videos/{part.name}/{number // 2}.mp4", "conversations": turns})
    return json.dumps(rows, indent=1)


MINIATURE: Mapping[str, Content] = {
    **{f"{QUESTIONS}/{part.file}": _questions(part) for part in PARTS},
    **{f"{CLIPS}/{Path(part.file).stem}/videos/{part.name}/0.mp4": Clip() for part in PARTS},
    f"{CLIPS}/MOSI_test_500/videos/cmu_mosi/._0.mp4": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, set by set."""
    base = folder_of(
        root, CARD, lambda folder: any(_file(folder, part) for part in PARTS), f"{QUESTIONS}/ and {CLIPS}/"
    )
    for part in PARTS:
        if path := _file(base, part):
            places = (base / CLIPS / Path(part.file).stem, base / CLIPS, base)
            folders = [place for place in places if place.is_dir()]
            yield from read_part(part, path, folders, root, CARD.name, "source")
        else:
            yield missing_file(f"{QUESTIONS}/{part.file}", CARD)


def _file(folder: Path, part: Part) -> Path | None:
    """Return the file of the questions of a set, under either spelling."""
    names = (part.file, _SPELT.get(part.file, part.file))
    return next((path for name in names if names_all(path := folder / QUESTIONS / name, MEMBERS)), None)
