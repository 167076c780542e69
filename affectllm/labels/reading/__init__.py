"""Readers that parse free text into labels, numbers, spans and judgements, deterministically and without fallbacks.

Every reader returns the value that the answer states, or ``Unreadable`` with the reason. The words come from the
lexicon (``labels.language``): names of labels only as far as the label space or the language of the question has them,
denials of every language, because a model may answer in any. ``COMPAT`` holds the readers of published evaluators.
"""

from affectllm.labels.reading.compat import COMPAT, CompatReader
from affectllm.labels.reading.judgements import read_judgement
from affectllm.labels.reading.label import read_label
from affectllm.labels.reading.nothing import nothing_words, says_nothing
from affectllm.labels.reading.numbers import read_number, read_numbers
from affectllm.labels.reading.preferences import read_preference
from affectllm.labels.reading.sets import mentioned_emotions, read_labels, read_open_labels
from affectllm.labels.reading.spans import read_span
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.reading.words import space_of, vocabulary

__all__ = [
    "COMPAT",
    "CompatReader",
    "Unreadable",
    "answer_part",
    "mentioned_emotions",
    "nothing_words",
    "read_judgement",
    "read_label",
    "read_labels",
    "read_number",
    "read_numbers",
    "read_open_labels",
    "read_preference",
    "read_span",
    "says_nothing",
    "space_of",
    "vocabulary",
]
