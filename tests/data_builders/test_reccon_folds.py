"""RECCON's subtasks: pairs of utterances with their labels and passages, as the folds of the release have them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from evaluating import real_corpora

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise

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
