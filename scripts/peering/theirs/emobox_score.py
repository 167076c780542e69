"""Scores of two tables by EmoBox's own function, from a clone; the class below it is no Python as published."""

import sys
from pathlib import Path

import pandas as pd

clone, gold, predicted = sys.argv[1:]
source = Path(clone, "EmoBox", "EmoEval.py").read_text(encoding="utf-8")
names: dict[str, object] = {}
exec(compile(source.partition("class EmoEval")[0], "EmoEval.py", "exec"), names)

both = pd.read_csv(gold).merge(pd.read_csv(predicted), on="id", suffixes=("", "_said"), validate="one_to_one")
scores = names["ComputePerformance"](both.label.tolist(), both.label_said.tolist())
for key, name in (("UA", "uar"), ("WA", "accuracy"), ("MicroF1", "micro_f1"), ("MacroF1", "macro_f1")):
    print(name, repr(float(scores[f"overall{key}"])))
