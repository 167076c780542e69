"""``affectllm score`` on the real files of corpora: values that other libraries compute, or that must hold."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from scoring import scored


@pytest.fixture
def corpora() -> Path:
    if "AFFECTLLM_CORPORA" not in os.environ:
        pytest.skip("AFFECTLLM_CORPORA is not set")
    return Path(os.environ["AFFECTLLM_CORPORA"])


def test_goemotions_scores_itself_perfectly(capsys, corpora) -> None:
    path = corpora / "goemotions" / "test.tsv"
    columns = ("--no-header", "--id", "3", "--gold-column", "2", "--pred-column", "2")
    for metric in ("jaccard", "multilabel_macro_f1"):
        result = scored(capsys, "--metric", metric, "--gold", path, "--pred", path, *columns)
        assert result["value"] == 1 and result["n"] == 5_427 and len(result["per_class"]) == 28
        assert max(v for k, v in result["controls"].items() if k != "say_all") < 0.6


def test_crema_d_faces_and_voices_agree_as_sklearn_says(capsys, corpora) -> None:
    from sklearn.metrics import cohen_kappa_score

    path = corpora / "crema_d" / "processedResults" / "summaryTable.csv"
    columns = ("--id", "FileName", "--gold-column", "MultiModalVote", "--pred-column", "VoiceVote")
    result = scored(capsys, "--metric", "cohen_kappa", "--gold", path, "--pred", path, *columns)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = cohen_kappa_score([row["MultiModalVote"] for row in rows], [row["VoiceVote"] for row in rows])
    assert result["value"] == pytest.approx(expected) and result["n"] == len(rows) == 7_442


def test_emodb_recognition_and_naturalness_correlate_as_scipy_says(capsys, corpora) -> None:
    from scipy.stats import pearsonr

    path = corpora / "emodb" / "erkennung.txt"
    columns = ("--encoding", "latin-1", "--id", "Satz", "--gold-column", "erkannt", "--pred-column", "natuerlich")
    result = scored(capsys, "--metric", "pearson", "--gold", path, "--pred", path, *columns)
    lines = path.read_text(encoding="latin-1").splitlines()[1:]
    pairs = [[float(cell.strip("\xa0 ").replace(",", ".")) for cell in line.split("\t")[2:4]] for line in lines if line]
    assert result["value"] == pytest.approx(pearsonr(*zip(*pairs, strict=True)).statistic) and result["n"] == len(pairs)


def test_reccon_spans_and_entailment(capsys, corpora) -> None:
    spans = corpora / "reccon" / "data" / "subtask1" / "fold1" / "dailydialog_qa_valid_with_context.json"
    result = scored(capsys, "--metric", "reccon_span", "--gold", spans, "--pred", spans)
    assert result["value"] == 1 and result["n"] > 1_000
    path = corpora / "reccon" / "data" / "subtask2" / "fold1" / "dailydialog_classification_test_without_context.csv"
    columns = ("--id", "id", "--gold-column", "labels", "--pred-column", "labels")
    result = scored(capsys, "--metric", "reccon_entailment", "--gold", path, "--pred", path, *columns)
    assert result["value"] == 1 and result["controls"]["majority"] < 0.5
