"""Open-vocabulary metrics: emotion words are compared by their places on five emotion wheels.

The wheels, synonyms and spellings are the published tables, read from a folder of the user by ``read_tables``.
"""

from affectllm.metrics.core.label_sets import parse_set
from affectllm.metrics.wheels.f1 import item_f1, item_jaccard, m_avg, mer2025_track2, wheel_f1, wheel_f1_level2
from affectllm.metrics.wheels.hit_rate import hit_rate, m_score
from affectllm.metrics.wheels.tables import WHEELS, Tables, read_tables, tables_of_environment

__all__ = [
    "WHEELS",
    "Tables",
    "hit_rate",
    "item_f1",
    "item_jaccard",
    "m_avg",
    "m_score",
    "mer2025_track2",
    "parse_set",
    "read_tables",
    "tables_of_environment",
    "wheel_f1",
    "wheel_f1_level2",
]
