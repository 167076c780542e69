"""What the builders of written dialogues do with the oddities of each release, and their real files."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.audit import audit
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Content, materialise

BASE = os.environ.get("AFFECTLLM_CORPORA")


def read(name: str, root: Path) -> tuple[dict[str, Sample], list[Rejection]]:
    items = list(load_builder(name).samples(root))
    samples = {item.id: item for item in items if isinstance(item, Sample)}
    return samples, [item for item in items if isinstance(item, Rejection) and item.reason != "file_missing"]


def read_miniature(
    name: str, folder: Path, files: Mapping[str, Content] | None = None
) -> tuple[dict[str, Sample], Counter[str]]:
    samples, rejections = read(name, materialise(files or load_builder(name).MINIATURE, folder))
    return samples, Counter(rejection.reason for rejection in rejections)


@cache
def real(name: str) -> tuple[dict[str, Sample], list[Rejection]]:
    if not BASE or not (Path(BASE) / name).is_dir():
        pytest.skip(f"$AFFECTLLM_CORPORA/{name} is not there")
    return read(name, Path(BASE) / name)


def labels(samples: Mapping[str, Sample], space: str) -> Counter[object]:
    return Counter(a.value for s in samples.values() for a in s.annotations if a.space == space)


def test_dailydialog_finds_topics_by_the_words_of_the_dialogue(tmp_path: Path) -> None:
    samples, reasons = read_miniature("dailydialog", tmp_path)
    third = samples["train/1/3"]
    assert third.attributes == {"speaker": "A", "topic": "relationship"}
    assert [turn.speaker for turn in third.context] == ["A", "B"] and third.context[1].text == "Yes , and I am sorry ."
    assert [a.value for a in third.annotations] == ["neutral", "commissive"]
    assert samples["test/1/2"].attributes["topic"] == "attitude and emotion"
    assert reasons == {"broken_row": 1, "unknown_label": 2}
    assert not [key for key in samples if key.startswith("train/2/")], "two utterances and three labels"


def test_translations_stay_in_the_split_of_their_words(tmp_path: Path) -> None:
    english = "".join(f"Word {n} . __eou__ Yes . __eou__\n" for n in range(40))
    files = {
        "dialogues_text_En.txt": english,
        "dialogues_text_De.txt": english.replace("Word", "Wort").replace("Yes", "Ja"),
        "dialogues_emotion.txt": "0 4\n" * 40,
        "dialogues_action.txt": "1 1\n" * 40,
        "dialogues_topic.txt": "1\n" * 40,
    }
    samples, reasons = read_miniature("dailydialog", tmp_path, files)
    assert len(samples) == 160 and not reasons
    assert {samples[f"{n}/1"].split for n in range(1, 41)} == {"train", "validation", "test"}
    assert all(samples[f"{n}/1"].split == samples[f"de/{n}/2"].split for n in range(1, 41))
    assert (samples["de/1/2"].text, samples["de/1/2"].language) == ("Ja .", "de")


def test_dailydialog_reads_four_columns_on_a_line(tmp_path: Path) -> None:
    line = "你好。 __eou__ 再见！ __eou__\t5\t1 3\t0 4\n"
    samples, reasons = read_miniature("dailydialog", tmp_path, {"zh_test_human.txt": line + "只有文本\n"})
    last = samples["zh_test_human/1/2"]
    assert (last.split, last.language, last.text, last.annotations[0].value) == ("test", "zh", "再见！", "happiness")
    assert reasons == {"broken_row": 1}


def test_reccon_repairs_labels_and_keeps_causes(tmp_path: Path) -> None:
    samples, reasons = read_miniature("reccon", tmp_path)
    glad = samples["tr_1/2"]
    assert glad.annotation("reccon_emotion", "source").value == "happiness"  # type: ignore[union-attr]
    assert glad.attributes == {
        "origin": "dailydialog",
        "speaker": "B",
        "emotion_raw": "happines",
        "flag": "F",
    }
    causes = {a.space: a.value for a in glad.annotations if a.rater == "annotators"}
    assert causes["reccon_cause_turns"] == ({"turn": 1}, {"turn": "background"})
    assert causes["reccon_cause_type"] == ("inter-personal", "latent")
    assert causes["reccon_cause_spans"] == (
        {"turn": 1, "span": "found your lost ring"},
        {"turn": "background", "span": ""},
    )
    assert causes["reccon_explanation"] == "The ring was a gift."
    frustrated = samples["train.Ses09X_impro01/1"]
    assert (frustrated.split, frustrated.annotations[0].value) == ("test", "frustration")
    assert reasons == {"unknown_label": 1, "broken_row": 1}


def test_esconv_has_replies_strategies_and_scores(tmp_path: Path) -> None:
    samples, reasons = read_miniature("esconv", tmp_path)
    opening, second = samples["esconv/1/1"], samples["esconv/1/4"]
    assert opening.text is None and opening.context == ()
    assert second.text == "Since when do you know?" and [turn.speaker for turn in second.context] == [
        "supporter",
        "seeker",
    ]
    answers = {(a.space, a.rater): a.value for a in second.annotations}
    assert answers["esconv_strategy", "supporter"] == "question" and answers["esconv_11", "seeker"] == "anxiety"
    assert answers["esconv_feedback", "seeker"] == {"helpfulness": 4.0}
    assert samples["esconv/1/3"].annotation("esconv_feedback", "seeker") is None
    assert answers["esconv_survey", "seeker"] == {
        "initial_emotion_intensity": 5.0,
        "final_emotion_intensity": 2.0,
        "empathy": 4.0,
    }
    failed = samples["failed/1/2"]
    assert failed.attributes["outcome"] == "failed" and failed.attributes["strategy_raw"] == "Other"
    assert {a.rater for a in failed.annotations} == {"seeker", "failed_supporter"}
    assert reasons == {"unknown_label": 2, "broken_row": 1}


def test_esconv_in_three_files_keeps_their_splits(tmp_path: Path) -> None:
    dialogue = {
        "emotion_type": "fear",
        "problem_type": "job crisis",
        "situation": "A storm.",
        "dialog": [{"text": "Help", "speaker": "usr"}, {"text": "How?", "speaker": "sys", "strategy": "Question"}],
    }
    files = {f"{name}.txt": (json.dumps(dialogue) + "\n") * 2 for name in ("train", "valid", "test")}
    samples, reasons = read_miniature("esconv", tmp_path, files)
    assert {key: sample.split for key, sample in samples.items() if "/1/" in key} == {
        "train/1/2": "train",
        "valid/1/2": "validation",
        "test/1/2": "test",
    }
    assert not reasons


def test_emorynlp_reads_json_and_the_csv_of_the_other_split(tmp_path: Path) -> None:
    samples, reasons = read_miniature("emorynlp", tmp_path)
    both = samples["s01_e90_c01_u002"]
    assert both.speaker is None and both.attributes["speakers"] == "Joey, Chandler"
    assert both.context[0].speaker == "Ross Geller"
    first, second = samples["sea1_ep92_sc6_utt3"], samples["sea1_ep92_sc6_utt4"]
    assert first.speaker == "Rachel Green" and first.text == "So, tea?" and first.media[0].sound
    assert second.attributes["speakers"] == "Ross Geller, Joey" and not second.media
    assert reasons == {"no_text": 1, "unknown_label": 1, "media_missing": 1}


def test_emorynlp_prefers_the_whole_release(tmp_path: Path) -> None:
    mini = dict(load_builder("emorynlp").MINIATURE)
    mini["emorynlp_train_final.csv"] = mini["emorynlp_test_final.csv"]
    samples, reasons = read_miniature("emorynlp", tmp_path, mini)
    assert reasons["duplicate_file"] == 1 and samples["s01_e90_c01_u001"].split == "train"


# Real files


def test_the_parallel_part_of_xdailydialog() -> None:
    samples, rejections = real("dailydialog")
    broken = sorted({rejection.where.rpartition(":")[2] for rejection in rejections}, key=int)
    assert broken == ["28", "182", "724", "817", "866", "999"]
    assert {rejection.reason for rejection in rejections} == {"broken_row"} and len(rejections) == 24
    languages = Counter(sample.language for sample in samples.values())
    assert languages == {"en": 7324, "de": 7324, "it": 7324, "zh": 7324}
    assert all(sample.split == samples[f"de/{key}"].split for key, sample in samples.items() if key[0].isdecimal())


def test_reccon_is_complete() -> None:
    samples, rejections = real("reccon")
    assert not rejections
    assert Counter(sample.split for sample in samples.values()) == {"train": 8206, "validation": 493, "test": 3070}
    assert len({sample.dialogue for sample in samples.values()}) == 834 + 47 + 225 + 16
    repaired = Counter(s.attributes["emotion_raw"] for s in samples.values() if s.attributes["origin"] == "dailydialog"
                       and "emotion_raw" in s.attributes)  # fmt: skip
    assert repaired == {"happy": 5, "sad": 4, "excited": 3, "surprised": 1, "angry": 1, "happines": 1}
    emotions = labels(samples, "reccon_emotion")
    assert emotions["frustration"] == 109 and emotions["neutral"] == 3644 + 293 + 1306 + 142


def test_failed_esconv_is_complete() -> None:
    samples, rejections = real("esconv")
    assert not rejections
    outcomes = Counter(sample.attributes.get("outcome", "helped") for sample in samples.values())
    assert outcomes == {"failed": 2377, "helped": 4646}
    strategies = labels(samples, "esconv_strategy")
    assert strategies["question"] == 1026 + 520 + 8 and strategies["providing suggestions"] == 1083 + 392 + 11
    assert len({sample.dialogue for sample in samples.values()}) == 390 + 196


def test_empathic_reactions_matches_its_card() -> None:
    samples, rejections = real("empathic_reactions")
    assert len(samples) == 1860 and not rejections and BASE
    assert len({sample.speaker for sample in samples.values()}) == 372
    report = audit("empathic_reactions", Path(BASE) / "empathic_reactions", probe_media=False)
    assert report.ok, report.differences
