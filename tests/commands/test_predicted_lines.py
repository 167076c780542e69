"""How predictions are written: a line or a row each, whatever is in a name or a reply."""

from __future__ import annotations

import csv
import io

from affectllm.predict.lines import Table, as_line
from affectllm.predict.predicting import Prediction
from affectllm.predict.question import Question

NAME, REPLY = "a\nb\tc\r\x1b[31m\u2028\u202egnp.wav", 'joy,\nor "anger"\r'


def test_a_prediction_is_one_line_that_leaves_the_terminal_alone() -> None:
    used = Prediction(NAME, {"emotion": "joy"}, shown=("audio",), reply=REPLY)
    name = r"a\nb\tc\r\x1b[31m\u2028\u202egnp.wav"
    assert as_line(used) == f"{name}\tjoy\t[audio]"
    assert as_line(Prediction(NAME, reason="missing", detail=NAME)) == f"{name}\t–\tmissing ({name})"
    assert as_line(Prediction("Zoë.wav", {"emotion": "joy"}, shown=("audio",))) == "Zoë.wav\tjoy\t[audio]"


def test_line_breaks_stay_within_their_cell_of_the_table() -> None:
    table = Table(Question())
    text = "\n".join([table.header(), table.row(Prediction(NAME, {"emotion": "joy"}, shown=("audio",), reply=REPLY))])
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["item"], row["reply"], row["shown"]) == (NAME, REPLY, "audio")
