"""Corpora: samples, cards, builders, splits, leakage, audit and the Parquet store. Nothing here decodes media."""

from affectllm.corpus.card import CorpusCard
from affectllm.corpus.panel import Panel
from affectllm.corpus.sample import SPLITS, TEST, TRAIN, VALIDATION, MediaRef, Rejection, Sample, Turn

__all__ = ["SPLITS", "TEST", "TRAIN", "VALIDATION", "CorpusCard", "MediaRef", "Panel", "Rejection", "Sample", "Turn"]
