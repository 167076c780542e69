"""Weighted F1 of two tables as one computes it by hand; with a number of replicates also its interval over speakers."""

import sys

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

gold, predicted, replicates = sys.argv[1], sys.argv[2], int(sys.argv[3])
both = pd.read_csv(gold).merge(pd.read_csv(predicted), on="id", suffixes=("", "_said"), validate="one_to_one")
print("value", repr(float(f1_score(both.label, both.label_said, average="weighted"))))
if replicates:
    dice = np.random.default_rng(0)
    labels, said = both.label.to_numpy(), both.label_said.to_numpy()
    of_speaker = list(both.groupby("speaker").indices.values())
    drawn = (dice.integers(0, len(of_speaker), len(of_speaker)) for _ in range(replicates))
    picked = (np.concatenate([of_speaker[one] for one in draw]) for draw in drawn)
    values = [f1_score(labels[rows], said[rows], average="weighted") for rows in picked]
    print("interval", *np.quantile(values, [0.025, 0.975]))
