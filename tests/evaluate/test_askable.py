"""What no evaluation could ask is told before a training, and by the evaluation in the same words."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError
from affectllm.evaluate.askable import check_askable

_TRAINING = {"wav/03a01Fa.wav": Tone(), "wav/08a01Wb.wav": Tone()}


@pytest.fixture
def emodb(tmp_path: Path) -> dict[str, Path]:
    return {"emodb": materialise({**_TRAINING, "wav/14a01Na.wav": Tone()}, tmp_path)}


def test_one_item_that_can_be_asked_is_enough(emodb) -> None:
    check_askable(["emodb_emotion", "emodb_emotion_choice"], emodb, [["audio"]])


def test_a_task_without_an_item_says_why(tmp_path: Path) -> None:
    folder = materialise({**_TRAINING, "wav/14a01Xa.wav": Tone()}, tmp_path)
    with pytest.raises(AffectError, match=r"emodb_emotion: no sample in .* can be asked: unknown_label 1") as told:
        check_askable(["emodb_emotion"], {"emodb": folder})
    assert "check the folder" in str(told.value)


def test_an_ablation_that_leaves_nothing_to_show_names_the_key(emodb) -> None:
    with pytest.raises(AffectError, match=r"emodb_emotion: the task has audio, and none.*\n.*eval\.ablations"):
        check_askable(["emodb_emotion"], emodb, [["audio"], ["video", "text"]])
