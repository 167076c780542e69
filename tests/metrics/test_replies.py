"""Metrics of replies: values worked out by hand and by sacrebleu, rouge-score, nltk and bert-score; edge cases."""

from __future__ import annotations

import importlib
import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.texts.diversity import distinct_1, distinct_2, distinct_n
from affectllm.metrics.texts.ngram_overlap import bleu, bleu_1, bleu_2, bleu_3, bleu_4, bleu_smoothed, chrf
from affectllm.metrics.texts.replies import common_subsequence, meteor, ngrams, rouge_l, unigram_f1
from affectllm.metrics.texts.reply_models import bert_score, reply_emotion_accuracy
from affectllm.metrics.texts.tokens import NAMES, tokenizer

VOCABULARY = ["i", "am", "sorry", "to", "hear", "that", "Sorry", "well.", "it's"]
words = st.lists(st.sampled_from(VOCABULARY), max_size=9).map(" ".join)
references = st.lists(words.filter(bool), min_size=1, max_size=3)
items = st.lists(st.tuples(references, words | st.none()), min_size=1, max_size=6)
ORDERS = {bleu_1: 1, bleu_2: 2, bleu_3: 3, bleu_4: 4, bleu: 4}
PAIRED = (*ORDERS, bleu_smoothed, chrf, rouge_l, meteor, unigram_f1)


def value(metric, gold, predicted, **options) -> float:
    return metric.statistic(gold, predicted, **options).value()


def sides(pairs):
    return [list(gold) for gold, _ in pairs], [reply for _, reply in pairs]


def streams(gold):
    """References as sacrebleu takes them: one list for the first of each item, one for the second, …"""
    most = max(map(len, gold))
    return [[texts[n] if n < len(texts) else None for texts in gold] for n in range(most)]


def test_bleu_worked_out_by_hand() -> None:
    # Matches 5/6, 3/5, 2/4, 1/3 (the run "the cat sat on", then one word off), equal lengths: no brevity penalty.
    shares = (5 / 6, 3 / 5, 2 / 4, 1 / 3)
    for metric, order in ORDERS.items():
        expected = math.exp(sum(map(math.log, shares[:order])) / order)
        assert value(metric, ["the cat sat on the mat"], ["the cat sat on a mat"]) == pytest.approx(expected)


@given(items)
def test_bleu_is_sacrebleus(pairs) -> None:
    from sacrebleu.metrics import BLEU

    gold, predicted = sides(pairs)
    for metric, order in ORDERS.items():
        theirs = BLEU(force=True, max_ngram_order=order).corpus_score([r or "" for r in predicted], streams(gold)).score
        assert value(metric, gold, predicted) == pytest.approx(min(1, theirs / 100), abs=1e-9)


@given(items, st.integers(1, 4))
def test_smoothed_bleu_is_nltks(pairs, order: int) -> None:
    from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu

    gold, predicted = sides(pairs)
    cut = tokenizer("13a")
    truths = [[cut(text.lower()) for text in texts] for texts in gold]
    replies = [cut((reply or "").lower()) for reply in predicted]
    weights = [1 / order] * order + [0.0] * (4 - order)  # as ESConv's evaluator sets them
    theirs = corpus_bleu(truths, replies, weights, SmoothingFunction().method3)
    assert value(bleu_smoothed, gold, predicted, order=order) == pytest.approx(theirs, abs=1e-9)


@given(items)
def test_chrf_is_sacrebleus(pairs) -> None:
    from sacrebleu.metrics import CHRF

    gold, predicted = sides(pairs)
    theirs = CHRF().corpus_score([reply or "" for reply in predicted], streams(gold)).score
    assert value(chrf, gold, predicted) == pytest.approx(theirs / 100, abs=1e-9)


@given(items)
def test_rouge_l_is_rouge_scores(pairs) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    gold, predicted = sides(pairs)
    scorer = RougeScorer(["rougeL"])
    best = [max(scorer.score(g, r or "")["rougeL"].fmeasure for g in texts) for texts, r in pairs]
    assert value(rouge_l, gold, predicted) == pytest.approx(np.mean(best))


def test_rouge_l_worked_out_by_hand() -> None:
    # Longest common subsequence "sorry to that" of 5 and 3 words: P = 1, R = 3/5.
    gold, predicted = ["so sorry to hear that"], ["Sorry to that!"]
    assert value(rouge_l, gold, predicted) == pytest.approx(2 * 0.6 / 1.6)
    assert value(rouge_l, gold, predicted, beta=2.0) == pytest.approx(5 * 0.6 / (0.6 + 4))


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_common_subsequence_is_that_of_the_textbook(first: list[str], second: list[str]) -> None:
    table = np.zeros((len(first) + 1, len(second) + 1), int)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table[i + 1, j + 1] = table[i, j] + 1 if a == b else max(table[i, j + 1], table[i + 1, j])
    assert common_subsequence(first, second) == table[-1, -1] == common_subsequence(second, first)


def test_meteor_worked_out_by_hand() -> None:
    # "hearing" matches "hear" by its stem: 3 matches in 2 chunks of 4 and 4 words.
    gold, predicted = ["i hear you clearly"], ["i was hearing you"]
    expected = (0.75 * 0.75 / (0.9 * 0.75 + 0.1 * 0.75)) * (1 - 0.5 * (2 / 3) ** 3)
    assert value(meteor, gold, predicted) == pytest.approx(expected)


@given(items)
def test_meteor_matches_exactly_and_by_stem_as_nltk_does(pairs) -> None:
    from nltk.translate.meteor_score import _count_chunks, exact_match, stem_match

    gold, predicted = sides(pairs)
    cut = tokenizer("13a")
    expected = []
    for texts, reply in pairs:
        values = [0.0]
        for text in texts:
            hypothesis, reference = cut(reply or ""), cut(text)
            matches, rest, left = exact_match(hypothesis, reference)
            by_stem, _, _ = stem_match([w for _, w in rest], [w for _, w in left])
            matches += [(rest[i][0], left[j][0]) for i, j in by_stem]
            if matches:
                p, r = len(matches) / len(hypothesis), len(matches) / len(reference)
                penalty = 0.5 * (_count_chunks(sorted(matches)) / len(matches)) ** 3
                values.append(p * r / (0.9 * p + 0.1 * r) * (1 - penalty))
        expected.append(max(values))
    assert value(meteor, gold, predicted) == pytest.approx(np.mean(expected))


def test_meteor_says_whether_it_knew_synonyms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import nltk

    assert meteor(["hello there"], ["hello"]).details["wordnet"] == 0.0
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    with pytest.raises(NotFound, match="does not find WordNet"):
        meteor(["hello there"], ["hello"], wordnet=True)


def test_unigram_f1_worked_out_by_hand() -> None:
    # "sorry sorry i" and "I am sorry": two words in common of 3 and 3; the other reference shares one of 1 and 3.
    assert value(unigram_f1, [["I am sorry", "i"]], ["sorry sorry i"]) == pytest.approx(2 / 3)


@given(items)
def test_bounds_order_and_intervals(pairs) -> None:
    gold, predicted = sides(pairs)
    for metric in PAIRED:
        result = metric(gold, predicted, resamples=20, controls=False)
        assert (result.low is None and len(gold) < 5) or 0 <= result.low <= result.value <= result.high <= 1
        assert value(metric, gold[::-1], predicted[::-1]) == pytest.approx(result.value, abs=1e-9)


def test_perfect_empty_and_lost_replies() -> None:
    texts = ["i am so sorry to hear that", "that is wonderful news indeed"]
    for metric in PAIRED:
        best = value(metric, texts, texts)
        assert best == pytest.approx(1, abs=5e-3) and (metric is meteor or best == pytest.approx(1))
        assert value(metric, texts, [None, None]) == value(metric, texts, ["", "xyzzy"]) == 0
        controls = metric(texts, texts, resamples=20).controls
        assert controls["empty"] == 0 and controls["majority"] < 1
        with pytest.raises(Malformed, match="nothing to score"):
            metric([], [])


def test_bleu_4_is_bleu_and_resamples_give_an_interval() -> None:
    random = np.random.default_rng(0)
    gold = [" ".join(random.choice(VOCABULARY, 8)) for _ in range(40)]
    predicted = [" ".join(random.choice(VOCABULARY, 8)) for _ in range(40)]
    one, other = bleu(gold, predicted, clusters=[n % 10 for n in range(40)]), bleu_4(gold, predicted)
    assert one.value == other.value and one.low < one.value < one.high


@pytest.mark.parametrize("metric", [bleu, bleu_smoothed, rouge_l, meteor, unigram_f1])
def test_chinese_is_cut_into_characters_and_english_words_find_nothing_in_it(metric) -> None:
    gold, predicted = ["我很难过"], ["我很高兴"]
    default, *named = (value(metric, gold, predicted, tokenize=name) for name in ("auto", "13a", "zh", "char"))
    assert value(metric, gold, predicted) == default > named[0] == 0
    assert default == named[1] == pytest.approx(named[2])
    with pytest.raises(Malformed, match="tokenization"):
        metric(gold, predicted, tokenize="klingon")


@pytest.mark.parametrize("name", NAMES)
def test_every_tokenization_cuts(name: str) -> None:
    assert [word.lower() for word in tokenizer(name)("Well, I see.")][-2:] in (
        [["i", "see"], ["see", "."], ["i", "see."], ["e", "."]]
    )


# ── variety ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_distinct_worked_out_by_hand() -> None:
    texts = ["I see . I see", "Really ?", None]
    assert distinct_1(predicted=texts).value == pytest.approx(5 / 7)
    assert distinct_2(predicted=texts).value == pytest.approx(4 / 5)  # pairs do not cross replies
    assert distinct_n(predicted=texts, n=3).value == 1
    assert distinct_1(predicted=[None, ""]).value == distinct_2(predicted=["word"]).value == 0
    with pytest.raises(Malformed, match="nothing to score"):
        distinct_1(predicted=[])
    with pytest.raises(Malformed, match="n is 0"):
        distinct_n(predicted=texts, n=0)


@given(st.lists(words | st.none(), min_size=1, max_size=8), st.integers(1, 3))
def test_distinct_is_a_set_over_a_list(texts, order: int) -> None:
    grams = [gram for text in texts for gram in ngrams(text, order)]
    result = distinct_n(predicted=texts, n=order)
    assert result.value == (len(set(grams)) / len(grams) if grams else 0)
    assert (result.low is None and len(texts) < 5) or 0 <= result.low <= result.value <= result.high <= 1


def test_the_interval_of_distinct_is_not_that_of_repeated_replies() -> None:
    # Drawing replies with replacement repeats words and would put the whole interval below the value.
    texts = [f"word{n} and other{n % 7}" + " so" * (n % 3) for n in range(60)]
    result = distinct_1(predicted=texts, clusters=[n // 2 for n in range(60)])
    drawn = np.random.default_rng(0).integers(0, 60, (200, 60))
    assert max(distinct_1(predicted=[texts[n] for n in row]).value for row in drawn) < result.value
    assert result.low < result.value < result.high


def published_distinct(texts: list[str], order: int) -> float:
    """thu-coai's loop over ``range(len - k)``, which never reaches the last run of k words."""
    met, total = set(), 0
    for text in texts:
        tokens = tokenizer("nltk")(text.lower())
        for start in range(0, len(tokens) - order):
            met.add(tuple(tokens[start : start + order]))
            total += 1
    return len(met) / total if total else 0.0


@given(st.lists(words.filter(bool), min_size=1, max_size=6), st.integers(1, 3))
def test_defect_d16_esconv_leaves_out_the_last_run_of_every_reply(texts: list[str], order: int) -> None:
    score = distinct_n(predicted=texts, n=order, compat="esconv").value
    assert score == pytest.approx(published_distinct(texts, order))


def test_defect_d16_strict_counts_every_run() -> None:
    texts = ["so sad", "so glad"]
    assert distinct_1(predicted=texts, compat="esconv").value == 1 / 2  # "so" twice, and no last word
    assert distinct_1(predicted=texts).value == 3 / 4
    assert distinct_2(predicted=texts, compat="esconv").value == 0 and distinct_2(predicted=texts).value == 1


# ── published evaluators ─────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.tuples(references, words.filter(bool)), min_size=1, max_size=4))
def test_esconv_rouge_and_f1(pairs) -> None:
    gold, predicted = sides(pairs)
    cut = tokenizer("nltk")
    rouges, overlaps = [], []
    for texts, reply in pairs:
        hypothesis, truths = cut(reply.lower()), [cut(text.lower()) for text in texts]
        lengths = [common_subsequence(truth, hypothesis) for truth in truths]
        p = max(length / len(hypothesis) for length in lengths)
        r = max(length / len(truth) for length, truth in zip(lengths, truths, strict=True))
        rouges.append((1 + 1.44) * p * r / (r + 1.44 * p) if p and r else 0)
        shared = [sum(min(hypothesis.count(w), truth.count(w)) for w in set(truth)) for truth in truths]
        overlaps.append(max(2 * s / (len(hypothesis) + len(t)) for s, t in zip(shared, truths, strict=True)))
    assert value(rouge_l, gold, predicted, compat="esconv") == pytest.approx(np.mean(rouges))
    assert value(unigram_f1, gold, predicted, compat="esconv") == pytest.approx(np.mean(overlaps))
    assert rouge_l(gold, predicted, compat="esconv").details["punkt"] in (0.0, 1.0)


def test_esconv_cuts_sentences_and_contractions_as_word_tokenize_does() -> None:
    assert tokenizer("nltk")("i don't know. it's fine.") == ["i", "do", "n't", "know", ".", "it", "'s", "fine", "."]
    gold, predicted = ["i know. fine."], ["i know. fine."]
    assert value(bleu_smoothed, gold, predicted, compat="esconv") == pytest.approx(1)


def test_defect_d14_emobench_m_drops_empty_replies_so_silence_pays() -> None:
    gold = ["the crowd laughs at the joke", "she is sad about the dog"]
    easy = ["the crowd laughs at the joke", ""]
    tried = ["the crowd laughs at the joke", "a cat"]
    for metric in (bleu, rouge_l):
        assert value(metric, gold, easy, compat="emobench_m") == pytest.approx(1)
        assert value(metric, gold, easy, compat="emobench_m") > value(metric, gold, tried, compat="emobench_m")
        assert value(metric, gold, easy) <= value(metric, gold, tried) + 1e-9 and value(metric, gold, easy) < 0.75
        dropped = metric(gold, easy, compat="emobench_m")
        assert dropped.n == 1 and dropped.unreadable == 0.5 and dropped.coverage["scored"] == 0.5
        assert value(metric, gold, ["", " "], compat="emobench_m") == 0


def test_emobench_m_values() -> None:
    from nltk.translate.bleu_score import sentence_bleu
    from rouge_score.rouge_scorer import RougeScorer

    gold = ["The crowd laughs at the joke.", "she is very sad about dogs"]
    predicted = ["The crowd is laughing at the joke.", "she is very sad about dogs barking"]
    pairs = list(zip(gold, predicted, strict=True))
    expected = np.mean([sentence_bleu([g.split()], p.split()) for g, p in pairs])
    assert value(bleu, gold, predicted, compat="emobench_m") == pytest.approx(expected)
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    expected = np.mean([scorer.score(g, p)["rougeL"].fmeasure for g, p in pairs])
    assert value(rouge_l, gold, predicted, compat="emobench_m") == pytest.approx(expected)


# ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny random BERT that knows a few words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(word for word in VOCABULARY if word.isalpha())]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(known)), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=16).save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=16, max_position_embeddings=16, **shape)).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("layer", [1, 2])
def test_bert_score_is_bert_scores(bert: str, layer: int) -> None:
    theirs = pytest.importorskip("bert_score")
    gold = ["i am sorry", "to hear that", "sorry to hear that i am", "i"]
    predicted = ["sorry that i am", "i hear", "to hear", "i am sorry to hear that i am sorry"]
    expected = theirs.score(predicted, gold, model_type=bert, num_layers=layer, nthreads=1)[2].mean()
    assert value(bert_score, gold, predicted, model=bert, layer=layer) == pytest.approx(float(expected), abs=1e-5)


def test_bert_score_of_several_references_of_nothing_and_of_long_texts(bert: str) -> None:
    gold, predicted = [["hear", "i am sorry"], ["i"], ["i"]], ["i am sorry", None, "i " * 100]
    first = value(bert_score, gold[:1], predicted[:1], model=bert)
    assert first == pytest.approx(1, abs=1e-5)
    assert value(bert_score, gold[1:2], predicted[1:2], model=bert) == 0
    assert 0 < value(bert_score, gold[2:], predicted[2:], model=bert) <= 1
    assert value(bert_score, gold[:2], predicted[:2], model=bert) == pytest.approx(first / 2)
    assert value(bert_score, gold[:2], predicted[:2], model=bert, compat="emobench_m") == pytest.approx(first)
    assert bert_score(gold, predicted, model=bert, resamples=20).settings["model"] == bert


def test_a_model_that_is_not_there_is_explained_and_nothing_is_downloaded(bert: str) -> None:
    with pytest.raises(Malformed, match="needs a model"):
        bert_score(["a"], ["b"])
    with pytest.raises(NotFound, match="no folder of a model"):
        bert_score(["a"], ["b"], model="roberta-large")
    with pytest.raises(NotFound, match="no folder of a model"):
        reply_emotion_accuracy(["joy"], ["b"], classifier="some/classifier")
    with pytest.raises(Malformed, match="layer is 3"):
        bert_score(["a"], ["b"], model=bert, layer=3)


def test_emotion_accuracy_of_labels_and_of_replies(bert: str, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, pipeline

    assert value(reply_emotion_accuracy, ["joy", "fear", "fear"], ["Joy", "joy", None]) == pytest.approx(1 / 3)
    names = {0: "joy", 1: "fear", 2: "anger"}
    config = BertConfig.from_pretrained(bert, id2label=names, label2id={name: n for n, name in names.items()})
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(bert).save_pretrained(tmp_path)
    replies = ["i am sorry", "to hear that", "i"]
    labels = [row["label"] for row in pipeline("text-classification", model=str(tmp_path))(replies)]
    scored = reply_emotion_accuracy([*labels, "fear", "bliss"], [*replies, None, "i"], classifier=str(tmp_path))
    assert scored.value == pytest.approx(3 / 5)
    assert scored.coverage["gold_known_to_classifier"] == pytest.approx(4 / 5)
    assert scored.settings["classifier"] == str(tmp_path)
    majority = max(names.values(), key=[*labels, "fear", "bliss"].count)
    assert scored.controls["majority"] == pytest.approx([*labels, "fear", "bliss"].count(majority) / 5)


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reply_of_a_million_characters() -> None:
    text = "sorry to hear that " * 52_000
    for metric in (bleu, rouge_l, unigram_f1, chrf):
        started = time.process_time()
        assert 0 <= value(metric, ["i am sorry to hear that"], [text]) < 0.1
        assert time.process_time() - started < 8


def test_importing_loads_no_library() -> None:
    import subprocess
    import sys

    texts = tuple(f"texts.{name}" for name in ("ngram_overlap", "replies", "diversity", "reply_models", "tokens"))
    rooms = (*texts, "judge.reasoning", "rewards", "judge")
    code = f"import sys\nfor room in {rooms}: __import__('affectllm.metrics.' + room)\n"
    code += (
        "print(*({'numpy', 'torch', 'nltk', 'sacrebleu', 'transformers', 'rouge_score', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "", done.stdout
    assert all(importlib.import_module(f"affectllm.metrics.{room}").__doc__ for room in rooms)
