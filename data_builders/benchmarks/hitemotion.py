"""HitEmotion: what people show, mean and reason about emotion, in questions on three levels over 24 older sets.

The repository has a file of questions with answers for each set below ``data/without_prompt/level1`` to ``level3``
(``RAVDSS`` is their spelling); the same questions lie in ``data/with_prompt`` once more, behind a text that leads a
model through a theory of mind, and are not read, because the two must not be mixed. Media are not part of it: they come
from the sources and lie in the folders that the questions name, such as ``CH-SIMS/videos/video_0045/0059.mp4``.

Twenty-two sets are read: those with one label, MC-EIU with an emotion and an intent, SemEval-2021 with a set of
techniques, ImplicitAVE with options of its own, EIBench and SMILE with an explanation, ECF with the emotions of a scene
and one cause for each (the corpus ecf has all causes), and Twitter 2015/2017, whose posts become one question for each
target. The two files of PanoSent (sextuples of free words, flips of the feeling of somebody named) are left alone.
The authors' scripts leave replies that they cannot read out of the score, and read the first label word of others.
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
from affectllm.data_builders.benchmarks._parted import scene_pairs, targets
from affectllm.data_builders.benchmarks._questions import media_folders, names_all

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content, Picture
from affectllm.corpus.reading import folder_of, missing_file
from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import MIKELS_8

_SOURCE = "Luo et al., Unveiling the Cognitive Compass: Theory-of-Mind-Guided Multimodal Emotion Reasoning, ICLR 2026"
FOLDER = "without_prompt"
_STRENGTHS = ("strong", "moderate", "slight")
MOSEI_7 = LabelSpace(
    "hitemotion_mosei_7",
    "category",
    (*(f"{one} negative" for one in _STRENGTHS), "neutral", *(f"{one} positive" for one in reversed(_STRENGTHS))),
    source=_SOURCE,
)
MEMOTION_5 = LabelSpace(
    "hitemotion_memotion_5",
    "category",
    ("very positive", "positive", "neutral", "negative", "very negative"),
    source=_SOURCE,
    aliases={"very_positive": "very positive", "very_negative": "very negative"},
)
STANCE_4 = LabelSpace("hitemotion_stance_4", "category", ("support", "refute", "comment", "unrelated"), source=_SOURCE)
FILM_7 = LabelSpace(
    "hitemotion_film_7",
    "category",
    ("amusement", "anger", "disgust", "fear", "neutral", "sadness", "tenderness"),
    source=_SOURCE,
)
TECHNIQUES = LabelSpace(
    "hitemotion_techniques",
    "set",
    (
        *("appeal to authority", "appeal to fear/prejudice", "black-and-white fallacy/dictatorship"),
        *("causal oversimplification", "doubt", "exaggeration/minimisation", "flag-waving"),
        *("glittering generalities", "loaded language", "straw man", "name calling/labeling"),
        *("obfuscation", "red herring", "reductio ad hitlerum", "repetition", "slogans", "smears"),
        *("thought-terminating cliché", "whataboutism", "bandwagon", "transfer", "appeal to strong emotions"),
    ),
    source="Dimitrov et al., SemEval-2021 Task 6: Detection of Persuasion Techniques in Texts and Images, 2021",
    aliases={
        "glittering generalities (virtue)": "glittering generalities",
        "misrepresentation of someone's position (straw man)": "straw man",
        "obfuscation, intentional vagueness, confusion": "obfuscation",
        "presenting irrelevant data (red herring)": "red herring",
        "appeal to (strong) emotions": "appeal to strong emotions",
    },
)
ATTRIBUTE = LabelSpace("hitemotion_attribute", "options", (), source=_SOURCE)
EXPLANATION = LabelSpace("hitemotion_explanation", "open", (), source=_SOURCE)
PAIRS = LabelSpace(
    "hitemotion_pairs", "pairs", ("joy", "sadness", "anger", "disgust", "fear", "surprise"), source=_SOURCE
)
PARTS = (
    Part("ch_sims", "level1/CH-SIMS.json", {"": SENTIMENT_3}, "level1"),
    Part("ch_sims_v2", "level1/CH-SIMS_v2.0.json", {"": SENTIMENT_3}, "level1"),
    Part("cmu_mosei", "level1/CMU-MOSEI.json", {"": MOSEI_7}, "level1"),
    Part("cmu_mosi", "level1/CMU-MOSI.json", {"": SENTIMENT_3}, "level1"),
    Part("emoset", "level1/EmoSet.json", {"": MIKELS_8}, "level1"),
    Part("fmsa_sc", "level1/FMSA-SC.json", {"": SENTIMENT_5}, "level1"),
    Part("mer2023", "level1/MER2023.json", {"": MER_6}, "level1"),
    Part("memotion", "level1/Memotion.json", {"": MEMOTION_5}, "level1"),
    Part("ravdess_song", "level1/RAVDSS_song.json", {"": SONG_6}, "level1"),
    Part("ravdess_speech", "level1/RAVDSS_speech.json", {"": SPEECH_8}, "level1"),
    Part("mc_eiu", "level2/MC-EIU.json", {"emotion": EMOTION_7, "intent": INTENT_8}, "level2"),
    Part("meld", "level2/MELD.json", {"": MELD_7}, "level2"),
    Part("ur_funny", "level2/UR-FUNNY.json", {"": TRUTH}, "level2"),
    Part("semeval2021", "level2/SemEval2021_Task6.json", {"techniques": TECHNIQUES}, "level2"),
    Part("implicit_ave", "level2/ImplicitAVE.json", {"": ATTRIBUTE}, "level2"),
    Part("twitter", "level2/Twitter2015_2017.json", {"": SENTIMENT_3}, "level2", targets),
    Part("mmwtwt", "level2/MMWTWT.json", {"stance": STANCE_4}, "level2"),
    Part("ecf", "level3/ECF.json", {"": PAIRS}, "level3", scene_pairs),
    Part("eibench", "level3/EIBench.json", {"": EXPLANATION}, "level3"),
    Part("film_stim", "level3/FilmStim.json", {"": FILM_7}, "level3"),
    Part("mustard", "level3/MUStARD.json", {"": TRUTH}, "level3"),
    Part("smile", "level3/SMILE.json", {"": EXPLANATION}, "level3"),
)
SPACES = tuple({space.name: space for part in PARTS for space in part.spaces.values()}.values())
CARD = CorpusCard(
    name="hitemotion",
    title="HitEmotion",
    citation="Luo, Li, Xu, Zhang, Chen, Han, Chen, Huang, Fei, Lee, Hsu: Unveiling the Cognitive Compass: "
    "Theory-of-Mind-Guided Multimodal Emotion Reasoning. ICLR 2026",
    url="https://github.com/Eurekaleo/Emotional-Intelligence",
    obtain="git clone https://github.com/Eurekaleo/Emotional-Intelligence ; the media come from the sources and lie in "
    "the folders that data/without_prompt names (CH-SIMS/videos/…), beside data/ or in media/",
    licence="not stated; the media have the terms of their sources",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio", "image", "text"),
    spaces=SPACES,
    raters={"source": "the label of the corpus that an item is from, as the authors have drawn and worded it"},
    counts={},
    split_policy="everything is test: a benchmark drawn from older corpora",
    built_from=(
        "ch_sims",
        "ch_sims_v2",
        "cmu_mosei",
        "cmu_mosi",
        "ecf",
        "emoset",
        "meld",
        "mer2023",
        "mustard",
        "ravdess",
    ),
    max_seconds=600.0,
    notes=(
        "The set of a question is the attribute `set`, its level `group`.",
        "A question is asked without the authors' orders on how to answer; what is said in a clip is part of it.",
        "Persuasion in memes, attributes of clothes and stance towards mergers are asked on level 2, too.",
        "What is said in clips of Chinese corpora is given in English.",
        "A post of Twitter is a sample for each of its targets; the authors ask for all targets of a post at once.",
    ),
)
_CHOOSE = " Choose one of the following labels as your final answer: {}. Respond in the format: {{'emotion': 'label'}}."
_TWO = " Choose one emotion: happy, sad. Choose one intent: agreeing, wishing. Respond in the format: {}"
_WHICH = " Answer with the option from the given choices directly: Long, Short/Mini.\nAnswer:"


def _row(number: int | str, media: str, question: str, reply: object) -> dict[str, object]:
    kind = "video" if media.endswith(".mp4") else "image"
    turns = [{"from": "human", "value": f"<{kind}>\n{question}"}, {"from": "gpt", "value": reply}]
    return {"id": str(number), kind: media, "conversations": turns}


def _labelled(folder: str, question: str, *replies: str, media: str = "videos/0.mp4") -> list[dict[str, object]]:
    asked = question + _CHOOSE.format(", ".join(dict.fromkeys(replies)))
    return [_row(n, f"{folder}/{media}", asked, reply) for n, reply in enumerate(replies)]


_PICTURE = "images/0.jpg"
_SAID = "The person in video says: There you are. Determine the emotion conveyed."
_TOWARD = "Determine the sentiment toward each target. Choose one of the following labels for every target: …"
_SCENE = "Below is a conversation (utterance list).\n[1] Ross: I won !\n[2] Joey: At cards : you ?\n[3] Ross: So what ?"
_ROWS: Mapping[str, list[dict[str, object]]] = {
    "ch_sims": [
        *_labelled("CH-SIMS", _SAID, "positive", "negative"),
        _row(1, "CH-SIMS/videos/1.mp4", _SAID, "neutral"),
        _row(2, "CH-SIMS/videos/2.mp4", _SAID, "so-so"),
        _row(3, "CH-SIMS/videos/3.mp4", "", "neutral"),
        _row(4, "../4.mp4", _SAID, "neutral"),
        _row(6, "CH-SIMS/videos/1.mp4", _SAID, "neutral"),
        {"id": "5", "video": "CH-SIMS/videos/0.mp4", "conversations": [{"from": "gpt", "value": "neutral"}]},
    ],
    "ch_sims_v2": _labelled("CH-SIMS_v2.0", _SAID, "positive", "negative"),
    "cmu_mosei": _labelled("CMU-MOSEI", "Which strength has it?", "Slight Negative", "Neutral"),
    "cmu_mosi": _labelled("CMU-MOSI", _SAID, "positive", "negative"),
    "emoset": _labelled("EmoSet", "What does the picture stir?", "awe", "fear", media=_PICTURE),
    "fmsa_sc": _labelled("FMSA-SC", _SAID, "weak negative", "strong positive"),
    "mer2023": _labelled("MER2023", _SAID, "worried", "happy"),
    "memotion": _labelled("Memotion", "What is the meme like?", "very_positive", "neutral", media=_PICTURE),
    "ravdess_song": _labelled("RAVDSS_song", "What does the song show?", "calm", "fearful"),
    "ravdess_speech": _labelled("RAVDSS_speech", "What does the speech show?", "surprised", "disgust"),
    "mc_eiu": [
        _row(n, "MC-EIU/videos/0.mp4", "The person in video says: Fine by me." + _TWO, reply)
        for n, reply in enumerate(
            (
                "{'emotion': 'happy', 'intent': 'agreeing'}",
                "{'emotion': 'sad', 'intent', 'wishing'}",
                "{'emotion': 'sad'}",
            )
        )
    ],
    "meld": _labelled("MELD", "The person in video says: Oh no!", "surprise", "joy"),
    "ur_funny": _labelled("UR-FUNNY", "Is the last sentence a joke?", "true", "false"),
    "semeval2021": [
        _row(n, "SemEval2021_Task6/images/0.png", "Meme text: NO!\nWhich techniques are these?", {"techniques": names})
        for n, names in enumerate(
            (["Smears", "Obfuscation, Intentional vagueness, Confusion"], [], ["Doubt"], ["Magic"])
        )
    ],
    "implicit_ave": [
        _row(n, "ImplicitAVE/images/0.jpg", "A dress. How long is it?" + _WHICH, reply)
        for n, reply in enumerate(("Long", "Short/Mini", "Round"))
    ],
    "twitter": [
        _row(n, "Twitter2015_2017/images/0.jpg", f"Tweet: Up!\nTargets: Ajax, Ann\n{_TOWARD}", reply)
        for n, reply in enumerate(
            ("{'Ajax': 'positive', 'Ann': 'neutral'}", "{'Ajax': 'negative', 'Ann': 'so-so'}", "{'Ajax': 'neutral'")
        )
    ],
    "ecf": [
        _row(n, "ECF/videos/0.mp4", f"{_SCENE}\n\nTask: For ALL target utterances, say why.", reply)
        for n, reply in enumerate(
            (
                "{'1': {'emotion': 'joy', 'cause_utterance_id': '1'}, '3': "
                "{'emotion': 'surprise', 'cause_utterance_id': '2'}}",
                "{'2': {'emotion': 'anger', 'cause_utterance_id': '3'}}",
                "{'2': {'emotion': 'anger', 'cause_utterance_id': '4'}}",
                "{'2': {'emotion': 'bored', 'cause_utterance_id': '1'}}",
            )
        )
    ],
    "mmwtwt": [
        _row(n, "MMWTWT/images/0.jpg", "Tweet: At last.\nTarget: A merger.", f"{{'stance': '{reply}'}}")
        for n, reply in enumerate(("support", "unrelated"))
    ],
    "eibench": [
        _row(n, "EIBench/images/0.jpg", "Emotion to explain: Sadness", f"1. Rain.\n2. Nobody came. ({n})")
        for n in (0, 1)
    ],
    "film_stim": _labelled("FilmStim", "What does a viewer feel?", "Amusement", "Tenderness"),
    "mustard": _labelled("MUStARD", "The person says: Great. Is it sarcasm?", "true", "false"),
    "smile": [
        _row(n, "SMILE/videos/0.mp4", "0: A: Hm. (laughter)\n\nWhy do they laugh?", f"Because A said so ({n}).")
        for n in (0, 1)
    ],
}
_MISSING = {"CH-SIMS/videos/1.mp4", "CH-SIMS/videos/2.mp4", "CH-SIMS/videos/3.mp4", "../4.mp4"}
_NAMED = {str(row.get("video") or row.get("image")) for rows in _ROWS.values() for row in rows} - _MISSING
MINIATURE: Mapping[str, Content] = {
    **{f"data/{FOLDER}/{part.file}": json.dumps(_ROWS[part.name], indent=1) for part in PARTS},
    f"data/with_prompt/{PARTS[0].file}": json.dumps(_ROWS["ch_sims"]),
    **{name: Clip() if name.endswith(".mp4") else Picture(200, 160) for name in sorted(_NAMED)},
    "CH-SIMS/videos/._0.mp4": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per question, set by set."""
    base = folder_of(root, CARD, lambda folder: _files(folder) is not None, f"data/{FOLDER}/level1/CH-SIMS.json")
    files = _files(base) or base
    folders = media_folders(base, ("media",))
    for part in PARTS:
        if (files / part.file).is_file():
            yield from read_part(part, files / part.file, folders, root, CARD.name, "source")
        else:
            yield missing_file(part.file, CARD)


def _files(folder: Path) -> Path | None:
    """Return the folder of the questions without the authors' prompts, where a release lies here."""
    places = (folder / "data" / FOLDER, folder / FOLDER)
    return next((place for place in places if any(names_all(place / part.file, MEMBERS) for part in PARTS)), None)
