"""The field's definitions, numbered as in surveys of published evaluators, and the metrics that implement them."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm.labels.reading import COMPAT
from affectllm.metrics import METRICS, rewards

DEFINITIONS: dict[int, tuple[str, ...]] = {
    1: ("wheel_f1",),
    2: ("wheel_f1_level2",),
    3: ("mer2025_track2",),
    4: ("m_avg",),
    5: ("hit_rate",),
    6: ("m_score",),
    7: ("mer_unibench_sentiment",),
    8: ("mer_unibench_mean",),
    9: ("mer2024_ov",),
    10: ("clue_overlap", "clue_overlap_words"),
    11: ("label_overlap", "label_overlap_set"),
    12: ("preference_two_class",),
    13: ("preference_three_class",),
    14: ("swap_consistency",),
    15: ("run_consistency",),
    16: ("weighted_f1",),
    17: ("mer2023_overall", "cmu_f1_non0", "cmu_acc2_non0"),
    18: ("accuracy", "weighted_precision", "weighted_recall", "weighted_f1"),
    19: ("accuracy",),
    20: ("uar",),
    21: ("accuracy", "uar"),
    22: ("accuracy", "weighted_f1"),
    26: ("pearson_per_group", "quadratic_kappa"),
    27: ("pearson", "vad_pearson"),
    28: ("jaccard", "multilabel_micro_f1", "multilabel_macro_f1"),
    29: ("accuracy", "macro_f1"),
    30: ("weighted_f1",),
    31: ("cmu_acc2_has0", "cmu_f1_has0", "cmu_acc2_non0", "cmu_f1_non0", "cmu_acc5", "cmu_acc7", "mae", "pearson"),
    32: ("sims_acc2", "sims_acc3", "sims_acc5"),
    33: ("reccon_span",),
    34: ("reccon_span",),
    35: ("reccon_span",),
    36: ("reccon_span",),
    37: ("reccon_entailment",),
    38: ("statement_judgement",),
    39: ("emobench_eu", "emobench_ea"),
    40: ("eq_bench",),
    41: ("mean_average_precision", "roc_auc_macro", "vad_r2"),
    42: ("emotional_alignment", "cross_entropy"),
    43: ("sevlm_emotion_accuracy",),
    44: ("bleu_smoothed", "rouge_l", "unigram_f1", "distinct_n"),
    45: ("accuracy", "weighted_f1", "bleu_smoothed", "rouge_l", "bert_score"),
    46: ("accuracy", "r2"),
}
REWARDS = {23: "r1_omni_reward", 24: "format_reward", 25: "wheel_f1_reward"}
COMPAT_MODES = {  # (metric, system): a published evaluator that scores otherwise
    *(("wheel_f1", "affectgpt"), ("hit_rate", "affectgpt"), ("mer_unibench_sentiment", "affectgpt")),
    *(("mer_unibench_mean", "affectgpt"), ("uar", "emotion_qwen"), ("uar", "emoclip"), ("jaccard", "mmaffben")),
    *(("macro_f1", "mmaffben"), ("reccon_span", "reccon"), ("accuracy", "emobench_m"), ("distinct_n", "esconv")),
    *(("eq_bench", "eq_bench"), ("eq_bench", "lm_eval"), ("emobench_eu", "emobench"), ("clue_overlap", "emer")),
    *(("preference_two_class", "emoprefer"), ("sevlm_emotion_accuracy", "sevlm")),
}
READERS = ("emotion_llama", "emotion_qwen_dfew", "emotion_qwen_mer2024", "r1_omni", "mmaffben_e_c", "emobench")


def test_every_definition_has_a_metric_and_a_line_in_the_reference() -> None:
    assert set(DEFINITIONS) | set(REWARDS) == set(range(1, 47))
    named = {name for names in DEFINITIONS.values() for name in names}
    assert named <= set(METRICS)
    page = (Path(__file__).parents[2] / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in METRICS if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("name", REWARDS.values())
def test_rewards_that_are_defined_exist(name) -> None:
    assert callable(getattr(rewards, name))


@pytest.mark.parametrize(("name", "system"), sorted(COMPAT_MODES))
def test_published_evaluators_that_score_otherwise_have_a_mode(name, system) -> None:
    assert system in METRICS[name].compat


@pytest.mark.parametrize("name", READERS)
def test_published_evaluators_that_read_otherwise_have_a_reader(name) -> None:
    assert name in COMPAT and "Why it is wrong" in (COMPAT[name].__doc__ or "")
