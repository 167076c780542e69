"""Weighted F1 of two tables by torchmetrics."""

import sys

import pandas as pd
import torch
from torchmetrics.classification import MulticlassF1Score

both = pd.read_csv(sys.argv[1]).merge(pd.read_csv(sys.argv[2]), on="id", suffixes=("", "_said"), validate="one_to_one")
number_of = {name: number for number, name in enumerate(sorted(set(both.label)))}
metric = MulticlassF1Score(num_classes=len(number_of), average="weighted")
print("value", float(metric(*(torch.tensor(both[name].map(number_of).to_numpy()) for name in ("label_said", "label")))))
