"""What the builders of text corpora do with the oddities of each release, beyond the contract of all builders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Content, materialise
from affectllm.errors import Malformed, MissingCorpus


def read(name: str, files: Mapping[str, Content], folder: Path) -> tuple[list[Sample], list[Rejection]]:
    items = list(load_builder(name).samples(materialise(files, folder)))
    samples = [item for item in items if isinstance(item, Sample)]
    return samples, [item for item in items if isinstance(item, Rejection) and item.reason != "file_missing"]


def miniature(name: str, folder: Path) -> tuple[dict[str, Sample], Counter[str]]:
    samples, rejections = read(name, load_builder(name).MINIATURE, folder)
    return {sample.id: sample for sample in samples}, Counter(rejection.reason for rejection in rejections)


def value(sample: Sample, space: str, rater: str) -> object:
    annotation = sample.annotation(space, rater)
    assert annotation is not None, f"{rater} gave {sample.id} nothing in {space}"
    return annotation.value


def test_isear_gives_the_text_back_what_the_export_took(tmp_path: Path) -> None:
    samples, reasons = miniature("isear", tmp_path)
    assert samples["11"].text == "My garden grew, after three years." and samples["11"].speaker == "1"
    assert samples["12"].text == "A bear | or a bull | came.", "| belongs to the text"
    assert samples["27"].text == "I took the last bread."
    assert samples["11"].attributes["sex"] == "2" and value(samples["11"], "isear_intensity", "writer") == {
        "intensity": 3.0
    }
    assert reasons == {"no_text": 1, "unknown_label": 1, "duplicate_id": 1, "broken_row": 1}


@pytest.mark.parametrize("text", ["[ No response.]", "NO RESPONSE.", "[Never experienced.]", "None.", ""])
def test_isear_says_when_there_was_no_answer(text: str, tmp_path: Path) -> None:
    files = {"isear.csv": f"ID|Field1|MYKEY|SIT|STATE|\n1|joy|11|{text}|1|\n2|joy|21|Nothing could stop us.|1\n"}
    samples, rejections = read("isear", files, tmp_path)
    assert [sample.id for sample in samples] == ["21"] and [r.reason for r in rejections] == ["no_text"]


@pytest.mark.parametrize("prefix", ["", "0,"])
def test_isear_in_short_has_labels_and_words_only(prefix: str, tmp_path: Path) -> None:
    rows = f'{prefix}joy,"We danced, áall of us.",\n{prefix}guit,I lied.,\n{prefix}envy,She won.,\n'
    samples, rejections = read("isear", {"DATA.csv": rows}, tmp_path)
    assert [(s.text, s.annotations[0].value) for s in samples] == [
        ("We danced, all of us.", "joy"),
        ("I lied.", "guilt"),
    ]
    assert [(r.reason, r.where) for r in rejections] == [("unknown_label", "DATA.csv:3")]


def test_affective_text_is_no_xml(tmp_path: Path) -> None:
    samples, reasons = miniature("semeval2007_affective_text", tmp_path)
    assert samples["test/500"].text == 'Bread & butter cheaper "at last"'
    assert value(samples["test/500"], "affective_text_emotions", "mean") == dict(
        zip(("anger", "disgust", "fear", "joy", "sadness", "surprise"), (0, 0, 0, 90, 0, 12), strict=True)
    )
    assert value(samples["trial/1"], "affective_text_valence", "mean") == {"valence": -80}
    assert reasons == {"broken_row": 2, "no_annotation": 2, "text_missing": 1}


def test_affective_text_believes_a_header_and_finds_the_folders_of_gsitk(tmp_path: Path) -> None:
    files = {
        "test/affectivetext_test.xml": '<corpus>\n<instance id="500">Rain</instance>\n</corpus>\n',
        "key/affectivetext_test.emotions.gold": "id sadness joy anger disgust fear surprise\n500 1 2 3 4 5 6\n",
    }
    (sample,), _ = read("semeval2007_affective_text", files, tmp_path)
    assert value(sample, "affective_text_emotions", "mean") == dict(
        zip(("sadness", "joy", "anger", "disgust", "fear", "surprise"), (1, 2, 3, 4, 5, 6), strict=True)
    )


def test_the_mystery_of_semeval_2018_is_left_out(tmp_path: Path) -> None:
    samples, reasons = miniature("semeval2018_task1", tmp_path)
    assert reasons == {"mystery_row": 1, "broken_row": 1, "unknown_label": 1, "no_annotation": 1}
    first, none = samples["E-c-en-train/2017-En-90001"], samples["E-c-en-train/2017-En-90002"]
    assert first.text == '"Best day\never #sun', "a quote sign is a quote sign, \\n a line break"
    assert first.annotations[0].value == ("anticipation", "joy", "optimism") and none.annotations[0].value == ()
    angry = samples["EI-reg-en-anger-test/2018-En-90005"]
    assert (angry.split, angry.annotations[0].value) == ("test", {"anger": 0.812}), "gold is read, NONE is not"
    fear = samples["EI-oc-es-fear-train/2018-Es-90001"]
    assert fear.annotations[0].value == {"fear": 2} and fear.attributes["intensity_class"].startswith("2: moderate")
    assert samples["V-oc-en-dev/2018-En-90007"].annotations[0].value == {"valence": -2}
    assert {sample.language for sample in samples.values()} == {"en", "ar", "es"}


def test_semeval_2018_names_what_is_missing_once(tmp_path: Path) -> None:
    mini = load_builder("semeval2018_task1").MINIATURE
    items = load_builder("semeval2018_task1").samples(materialise(mini, tmp_path))
    missing = [item.item for item in items if isinstance(item, Rejection) and item.reason == "file_missing"]
    assert {"E-c-en-dev", "E-c-es", "EI-reg-en-joy-train"} <= set(missing)
    assert not {"E-c-en-train", "E-c-en-test"} & set(missing) and len(set(missing)) == len(missing)


def test_emocontext_is_never_unquoted_and_keeps_its_turns(tmp_path: Path) -> None:
    samples, reasons = miniature("emocontext", tmp_path)
    sad = samples["train/0"]
    assert (sad.text, sad.annotations[0].value) == ('"mine now :(', "sadness")
    assert [(turn.speaker, turn.text) for turn in sad.context] == [
        ("person", "Where is my cake"),
        ("machine", "I have it"),
    ]
    assert reasons == {"unknown_label": 1, "broken_row": 1} and set(samples) >= {"train/2", "dev/0", "test/0"}


def test_emocontext_without_labels_says_so(tmp_path: Path) -> None:
    mini = dict(load_builder("emocontext").MINIATURE)
    del mini["test.txt"]
    _, rejections = read("emocontext", mini, tmp_path)
    assert ("test/0", "no_annotation") in {(rejection.item, rejection.reason) for rejection in rejections}


def test_wrime_keeps_five_answers_and_its_versions_apart(tmp_path: Path) -> None:
    samples, reasons = miniature("wrime", tmp_path)
    post = samples["ver1/2"]
    assert post.text == '庭に花が咲いた\n"うれしい'
    assert {a.rater for a in post.annotations} == {"writer", "reader_1", "reader_2", "reader_3", "readers_mean"}
    mean = value(post, "wrime_intensity", "readers_mean")
    assert isinstance(mean, dict) and mean["joy"] == 1 and mean["trust"] == 3
    assert value(samples["ver2/2"], "wrime_sentiment", "writer") == {"sentiment": 2}
    assert "ver2/3" not in samples, "version 1 has that post in another split"
    assert reasons == {"other_split": 1, "broken_row": 2, "unknown_label": 1}
    assert len(samples["ver1/5"].annotations) == 4, "a reader off the scale costs that reader only"


def test_emobank_counts_the_single_ratings(tmp_path: Path) -> None:
    samples, reasons = miniature("emobank", tmp_path)
    sentence = samples["doc_1_20"]
    assert sentence.text == 'The lake, they say, is "warm".' and sentence.attributes["category"] == "fiction"
    assert value(sentence, "emobank_vad", "readers") == {"valence": 3.4, "arousal": 2.0, "dominance": 3.0}
    assert value(sentence, "emobank_valence_votes", "readers") == {"3": 2, "4": 1}
    assert value(sentence, "emobank_arousal_votes", "writers") == {"2": 2}, "9 is off the scale"
    assert reasons == {"unknown_label": 2, "broken_row": 2}


def test_gold_of_wassa_belongs_to_rows_only_when_there_are_as_many(tmp_path: Path) -> None:
    samples, _ = miniature("wassa2022", tmp_path / "one")
    dev = samples["dev/R_2_1"]
    assert value(dev, "wassa2022_7", "annotators") == "sadness" and dev.text == 'I "felt" it too.'
    assert value(dev, "wassa2022_personality", "writer") == {
        "conscientiousness": 5.0,
        "openness": 4.5,
        "extraversion": 3.0,
        "agreeableness": 6.0,
        "stability": 5.0,
    }
    assert dev.attributes["article"] == "A dam broke, they say."
    more = dict(load_builder("wassa2022").MINIATURE)
    more["goldstandard_dev_2022.tsv"] = str(more["goldstandard_dev_2022.tsv"]) * 2
    samples_2, rejections = read("wassa2022", more, tmp_path / "two")
    assert "dev/R_2_1" not in {sample.id for sample in samples_2}
    reasons = {(rejection.item, rejection.reason) for rejection in rejections}
    assert {("goldstandard_dev_2022.tsv", "broken_row"), ("dev/R_2_1", "no_annotation")} <= reasons


def test_wassa_2023_reads_essays_and_turns(tmp_path: Path) -> None:
    samples, _ = miniature("wassa2023", tmp_path / "one")
    essay, turn = samples["train/essay/0"], samples["train/1/1"]
    assert value(essay, "wassa2023_8", "annotators") == ("sadness", "hope") and essay.text == 'They "say" so.'
    assert value(samples["dev/essay/5"], "wassa2023_8", "annotators") == ("anger",)
    assert value(turn, "wassa2023_turn", "annotators") == {"emotion": 2.667, "empathy": 3.333}
    assert [earlier.text for earlier in turn.context] == ["Did you read it?"] and turn.dialogue == "train/1"
    assert "test/essay/6" not in samples, "its gold is not there"
    more = dict(load_builder("wassa2023").MINIATURE)
    more["goldstandard_essay_dev.tsv"] = "4.0\t3.0\tAnger\n" * 2
    fewer, rejections = read("wassa2023", more, tmp_path / "two")
    assert "dev/essay/5" not in {sample.id for sample in fewer}
    assert ("goldstandard_essay_dev.tsv", "broken_row") in {(r.item, r.reason) for r in rejections}


def test_envent_hides_the_emotion_words_and_keeps_the_readers(tmp_path: Path) -> None:
    samples, reasons = miniature("envent", tmp_path)
    event = samples["1"]
    assert event.text == 'I felt ... when the "letter came' and event.split == "test"
    assert value(event, "envent_votes", "readers") == {"joy": 1, "relief": 1}
    assert value(event, "envent_13", "reader_2") == "relief" and value(event, "envent_13", "writer") == "joy"
    assert samples["4"].annotation("envent_13", "readers") is None and samples["4"].split == "train"
    assert reasons == {"broken_row": 1, "unknown_label": 2, "text_missing": 1}


def test_ren20k_undoes_utf7_and_only_that(tmp_path: Path) -> None:
    samples, reasons = miniature("ren20k", tmp_path)
    first = samples["REN-20k/REN-10k/2017/a.csv:2"]
    assert first.text == "The harbour opened,\n\nafter -at last- ten years."
    assert samples["REN-20k/REN-10k+/b/b.csv:2"].annotations[0].value["happy"] == 10.5
    assert reasons == {"unknown_label": 1, "no_text": 1, "duplicate_id": 1, "no_annotation": 1}
    header = "content,title,happy,sad,angry,don't care,inspired,afraid,amused,annoyed\n"
    (plain,), _ = read(
        "ren20k", {"REN-10k/x/a.csv": f"{header}A +year- of C++-code key +MEIwRA-,t,1,0,0,0,0,0,0,0\n"}, tmp_path / "2"
    )
    assert plain.text == "A +year- of C++-code key +MEIwRA-"


def test_vent_refuses_numbers_for_emotions(tmp_path: Path) -> None:
    rows = "text,label\nI won,2\nI won,happy\n"
    samples, rejections = read("leia_vent", {"vent/train.csv": rows}, tmp_path)
    assert [sample.annotations[0].value for sample in samples] == ["happiness"]
    assert [rejection.reason for rejection in rejections] == ["unknown_label"]


def test_emo_pillars_leaves_out_what_is_no_class(tmp_path: Path) -> None:
    samples, reasons = miniature("emo_pillars", tmp_path)
    first = samples["context-full_train.json/1"]
    assert value(first, "goemotions_28", "model") == ("joy", "relief")
    assert value(first, "emo_pillars_scores", "model") == {"joy": 0.9, "relief": 0.4}
    assert first.context[0].text == "The oven was stolen."
    assert reasons == {"unknown_label": 2, "no_annotation": 1, "broken_row": 1, "unknown_name": 1}


@pytest.mark.parametrize("name", ["emocontext", "leia_vent", "renh4k", "emo_pillars", "aaid", "aeb", "isear"])
def test_files_of_another_corpus_are_not_taken(name: str, tmp_path: Path) -> None:
    other = {"a/train.txt": "id\tlabel\n", "a/data.csv": "id,label\n1,joy\n", "a/train.json": '[{"a": 1}]'}
    with pytest.raises(MissingCorpus):
        read(name, other, tmp_path)


@pytest.mark.parametrize(
    ("name", "path"),
    [("wrime", "wrime-ver1.tsv"), ("emobank", "corpus/emobank.csv"), ("aaid", "AAID/train.json")],
)
def test_a_git_lfs_pointer_is_named(name: str, path: str, tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123456\n"
    with pytest.raises(Malformed, match="git lfs pull"):
        read(name, {**load_builder(name).MINIATURE, path: pointer}, tmp_path)


def test_vent_is_not_found_in_other_words(tmp_path: Path) -> None:
    rows = "text\tlabel\nI won\thappy\n"
    with pytest.raises(MissingCorpus):
        read("leia_vent", {"corpus/crowd-enVent_generation.tsv": rows, "events/train.tsv": rows}, tmp_path)


def test_vader_reads_bytes_of_windows_and_knows_what_a_sentence_is_from(tmp_path: Path) -> None:
    samples, reasons = miniature("vader", tmp_path)
    assert samples["amazon/1_1"].text == "Café mill." and samples["amazon/1_1"].dialogue == "amazon/1"
    assert samples["tweets/1"].text == 'Up early, "and" glad!' and samples["tweets/1"].dialogue is None
    assert value(samples["tweets/2"], "vader_valence", "mean") == {"valence": -1.5}
    assert reasons == {"broken_row": 3, "duplicate_id": 1}


def test_ewect_counts_ids_anew_in_each_file(tmp_path: Path) -> None:
    samples, reasons = miniature("ewect", tmp_path)
    assert value(samples["usual/test/1"], "ewect_6", "annotators") == "anger"
    assert samples["virus/test/1"].text == "没想到" and samples["virus/validation/1"].attributes == {"set": "virus"}
    assert reasons == {"broken_row": 1, "unknown_label": 1}
