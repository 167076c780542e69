"""RECCON's subtasks: pairs of utterances with their labels and passages, as the folds of the release have them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from evaluating import real_corpora

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.evaluate.shelf import all_tasks

BUILDER = load_builder("reccon_folds")


def _read(root: Path) -> tuple[list[Sample], list[Rejection]]:
    items = list(BUILDER.samples(root))
    return [one for one in items if isinstance(one, Sample)], [one for one in items if isinstance(one, Rejection)]


def test_a_pair_has_its_label_its_passage_and_what_is_shown(tmp_path: Path) -> None:
    samples, rejected = _read(materialise(BUILDER.MINIATURE, tmp_path))
    by_id = {sample.id: sample for sample in samples}
    cause = by_id["1/with/dailydialog_te_1_utt_2_true_cause_utt_2_span_0"]
    assert (cause.text, cause.attributes["target"]) == ("You are wonderful !", "You are wonderful !")
    assert [turn.text for turn in cause.context] == ["I found your lost ring . You are wonderful !"]
    assert [one.value for one in cause.annotations] == ["correct", "wonderful"]
    none = by_id["1/without/dailydialog_te_1_utt_2_impossible_cause_utt_1"]
    assert [one.value for one in none.annotations] == ["incorrect", ""] and not none.context
    assert none.attributes["emotion"] == "happines" and none.dialogue == "dailydialog_te_1"
    reasons = Counter(one.reason for one in rejected)
    assert reasons == {"broken_row": 1, "unknown_label": 1, "file_missing": 15}


def test_the_real_first_fold_has_the_published_numbers_of_pairs() -> None:
    samples, _ = _read(real_corpora() / "reccon")
    tested = [sample for sample in samples if sample.split == "test" and sample.attributes["shown"] == "without"]
    of_daily = [sample for sample in tested if sample.attributes["origin"] == "dailydialog"]
    labels = Counter(sample.annotations[0].value for sample in of_daily if sample.attributes["fold"] == "1")
    assert labels == {"incorrect": 5330, "correct": 1894}
    with_words = [one for one in samples if len(one.annotations) == 2 and one.annotations[1].value]
    assert all(sample.annotations[1].value in str(sample.text) for sample in with_words) and len(with_words) == 694


def test_the_real_spans_are_asked_of_the_pairs_of_entailment() -> None:
    samples, _ = _read(real_corpora() / "reccon")
    validated = [sample for sample in samples if sample.split == "validation"]
    assert Counter(sample.attributes["shown"] for sample in validated) == {"with": 1185, "without": 1185}
    assert all(len(sample.annotations) == 2 for sample in validated), "a pair lacks its words or their absence"


def test_the_tasks_of_spans_and_of_entailment_have_as_many_items() -> None:
    tasks, places = all_tasks(), [f"{origin}_fold{fold}" for origin in ("dd", "iemocap") for fold in (1, 2, 3)]
    for place in (*places, *(f"{place}_without" for place in places)):
        entailment, *spans = (tasks[f"reccon_{name}"].config for name in
                              (f"entail_{place}", f"span_{place}", f"span_{place}_compat"))  # fmt: skip
        assert [span["n"] for span in spans] == [entailment["n"]] * 2
        assert all(span["where"] == entailment["where"] for span in spans)
