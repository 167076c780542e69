"""EmoBox, MUStARD and ECF: folds and lists as they circulate; numbers of items of benchmarks with real files."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from pathlib import Path

import pytest
from evaluating import real_corpora, use

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Content, materialise
from affectllm.corpus.selection import Selection
from affectllm.errors import Malformed
from affectllm.evaluate.tasks import AffectTaskManager


def read(name: str, root: Path, files: dict[str, Content]) -> tuple[dict[str, Sample], Counter[str]]:
    """The samples by id, and how often each reason for a rejection occurs."""
    items = list(load_builder(name).samples(materialise(files, root)))
    samples = {item.id: item for item in items if isinstance(item, Sample)}
    return samples, Counter(item.reason for item in items if isinstance(item, Rejection))


def _row(key: str, emotion: str, part: str = "emodb") -> str:
    return json.dumps({"key": key, "wav": f"downloads/{part}/{key}.wav", "emo": emotion}) + "\n"


def _emodb(**lists: str) -> dict[str, Content]:
    files = {f"data/emodb/fold_{name[-1]}/emodb_{name}.jsonl": rows for name, rows in lists.items()}
    return {**files, "data/emodb/label_map.json": '{"anger": "Angry", "boredem": "Boredom", "sad": "Sad"}'}


def test_a_fold_that_lies_there_twice_is_read_once(tmp_path: Path) -> None:
    rows = _row("emodb-1", "anger") + _row("emodb-2", "boredem")
    older = rows.replace('"wav"', '"audio"').replace('"emo"', '"label"')
    samples, reasons = read("emobox", tmp_path, _emodb(test_fold1=older, test_fold_1=rows))
    assert sorted(samples) == ["emodb/emodb-1", "emodb/emodb-2"]
    assert samples["emodb/emodb-2"].annotations[0].value == "boredom"
    assert reasons["other_list"] == 1


def test_what_any_fold_tests_is_test_and_each_fold_learns_from_the_others(tmp_path: Path) -> None:
    one, two, three = _row("a", "anger"), _row("b", "sad"), _row("c", "sad")
    lists = {"test_fold_1": one, "train_fold_1": two + three, "test_fold_2": two, "train_fold_2": one + three}
    samples, _ = read("emobox", tmp_path, _emodb(**lists))
    assert {key[6:]: sample.split for key, sample in samples.items()} == {"a": "test", "b": "test", "c": "train"}
    fold = Selection("emobox", "fold", (("dataset", ("emodb",)),), ("fold", "1"))
    assert [key for key, sample in samples.items() if fold.scores(sample)] == ["emodb/a"]
    assert [key for key, sample in samples.items() if fold.trains(sample)] == ["emodb/b", "emodb/c"]


def test_an_item_that_two_folds_test_is_reported(tmp_path: Path) -> None:
    both = _row("a", "anger")
    samples, reasons = read("emobox", tmp_path, _emodb(test_fold_1=both, test_fold_2=both))
    assert samples["emodb/a"].attributes["fold"] == "1" and reasons["contradiction"] == 1


def test_shared_speakers_are_said_of_every_sample_and_on_the_card(tmp_path: Path) -> None:
    files = {
        "data/cremad/fold_1/cremad_test_fold_1.jsonl": _row("cremad-1", "SAD", "cremad"),
        "data/cremad/label_map.json": '{"SAD": "Sad"}',
        "data/cremad/data.seg.wrd.stm": "cremad-1 1 1001 0 2.5 <id=cremad-1,lang=en,spk=1001,emotion=SAD> SAD\n",
    }
    samples, _ = read("emobox", tmp_path, files)
    (sample,) = samples.values()
    assert sample.speaker == "cremad/1001" and sample.attributes["speakers"] == "shared"
    card = load_builder("emobox").CARD
    assert not card.speaker_disjoint and "cremad" in card.notes[0] and "emodb" not in card.notes[0]
    assert "crema_d" in card.built_from


def test_what_is_no_emotion_and_what_is_unknown_are_told_apart(tmp_path: Path) -> None:
    files = {
        "data/msppodcast/fold_1/msppodcast_test_fold_1.jsonl": "".join(
            _row(f"m{n}", word, "msppodcast") for n, word in enumerate(("X", "O", "C", "Q"))
        ),
        "data/msppodcast/label_map.json": '{"X": "No-agreement", "O": "Other", "C": "Contempt"}',
    }
    samples, reasons = read("emobox", tmp_path, files)
    assert list(samples) == ["msppodcast/m2"] and samples["msppodcast/m2"].annotations[0].value == "contempt"
    assert reasons["no_emotion"] == 2 and reasons["unknown_label"] == 1


def _mustard(folds: bytes) -> dict[str, Content]:
    return {**load_builder("mustard").MINIATURE, "data/split_indices.p": folds}


def test_folds_of_numpy_positions_are_read(tmp_path: Path) -> None:
    import numpy as np

    folds = [(np.array([2, 3]), np.array([1, 0])), (np.array([0, 1]), np.array([2, 3]))]
    samples, _ = read("mustard", tmp_path, _mustard(pickle.dumps(folds, protocol=2)))
    assert {key: sample.attributes["fold"] for key, sample in samples.items()} == {
        **{"1_7": "1", "1_8": "1"},
        **{"2_9": "2", "2_10": "2"},
    }


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("this code was run",))


@pytest.mark.parametrize(("content", "named"), [([_Code()], "print"), ("abc", "no pairs"), ([3], "no pairs")])
def test_a_pickle_that_holds_anything_else_is_refused_and_never_run(tmp_path: Path, capsys, content, named) -> None:
    with pytest.raises(Malformed, match=named):
        read("mustard", tmp_path, _mustard(pickle.dumps(content, protocol=2)))
    assert "this code was run" not in capsys.readouterr().out


def test_causes_are_kept_as_readers_and_watchers_marked_them(tmp_path: Path) -> None:
    said = [{"utterance_ID": n, "text": f"Line {n} .", "speaker": "A", "emotion": "joy"} for n in (1, 2)]
    scene = {"conversation_ID": 3, "conversation": said}
    pairs = [["1_joy", "2_Line 2"], ["1_joy", "2_Line"], ["2_joy", "2_Line_2 ."]]
    files = {
        "Subtask_1_test.json": json.dumps([{**scene, "emotion-cause_pairs": pairs}]),
        "Subtask_2_test.json": json.dumps([{**scene, "emotion-cause_pairs": [["1_joy", "1"]]}]),
    }
    samples, _ = read("ecf", tmp_path, files)
    first, second = samples["test/3/1"], samples["test/3/2"]
    both = first.annotation("ecf_cause_spans", "readers"), first.annotation("ecf_cause_turns", "readers")
    assert both[0] and both[0].value == ({"turn": 2, "span": "Line 2"}, {"turn": 2, "span": "Line"})
    assert both[1] and both[1].value == ({"turn": 2},)
    seen, words = first.annotation("ecf_cause_turns", "watchers"), second.annotation("ecf_cause_spans", "readers")
    assert seen and seen.value == ({"turn": 1},)
    assert words and words.value == ({"turn": 2, "span": "Line_2 ."},)
    assert [turn.text for turn in second.context] == ["Line 1 ."]


@pytest.mark.parametrize(
    ("task", "count"),
    [
        ("emotiontalk_emotion_t", 1929),
        ("emotiontalk_emotion_m_text", 1929),
        ("emotiontalk_sentiment_m_text", 1929),
        ("meld_sentiment", 2610),
        ("empathetic_dialogues_reply", 5255),
    ],
)
def test_of_real_releases_all_items_are_asked(monkeypatch, task: str, count: int) -> None:
    folder = real_corpora()
    use(monkeypatch, {})
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(folder))
    loaded = AffectTaskManager().load([task])["tasks"][task]
    assert len(loaded.task_docs) == count == loaded.page.n
