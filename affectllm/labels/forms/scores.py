"""A number for each dimension of a space, such as valence and arousal."""

from __future__ import annotations

from affectllm.labels.form import Form
from affectllm.labels.forms._numbers import (
    alone,
    drawn,
    means,
    mirrored,
    nearness,
    numbers,
    read_all,
    say_numbers,
    scattered,
    shape,
)

FORM = Form(
    description="numbers",
    kinds=("dimension",),
    gold=numbers,
    worded=say_numbers,
    read=read_all,
    shape=shape,
    tokens=96,
    truth=alone,
    answer=alone,
    majority=means,
    chance=drawn,
    wrong=mirrored,
    agreement=nearness,
    needs=("dimensions", "low", "high"),
    pictures=scattered,
)
