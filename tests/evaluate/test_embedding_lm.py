"""``affectllm-embedding``: replies are labels, likelihoods are a distribution over them, retrieval is counted right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectllm.errors import AffectError
from affectllm.evaluate.models.retrieval import recalls
from affectllm.evaluate.run import evaluate


def test_recall_counts_equal_texts_as_right_and_tells_chance() -> None:
    similar = np.array([[0.9, 0.1, 0.5], [0.8, 0.2, 0.4], [0.1, 0.7, 0.3]])
    values = recalls(similar, ["a", "b", "c"], ks=(1, 2, 5))
    assert values["items"] == 3 and "chance@5" not in values
    assert values["clip_to_text@1"] == pytest.approx(1 / 3) and values["clip_to_text@2"] == pytest.approx(2 / 3)
    assert values["text_to_clip@1"] == pytest.approx(1 / 3) and values["chance@2"] == pytest.approx(2 / 3)
    assert recalls(similar, ["a", "a", "c"], ks=(1,))["clip_to_text@1"] == pytest.approx(2 / 3)


@pytest.mark.slow
def test_any_family_answers_by_reply_and_by_likelihood(small_demo: Path, tmp_path: Path) -> None:
    page = tmp_path / "wordings.yaml"
    page.write_text("joy: [a laughing face, a happy voice]\n", encoding="utf-8")
    arguments = {"pretrained": "tiny:qwen2_5_omni", "dtype": "float32", "fps": 1.0, "max_frames": 2}
    arguments |= {"max_pixels": 3136, "min_pixels": 3136, "wordings": str(page)}
    scores = evaluate(
        ["demo_affect_emotion", "demo_affect_emotion_choice"],
        "affectllm-embedding",
        tmp_path / "out",
        roots={"demo_affect": small_demo},
        model_args=arguments,
    )
    assert scores["demo_affect_emotion"]["accuracy"]["unreadable"] == 0
    # the nearest label is also the likeliest
    both = [scores[task]["accuracy"]["value"] for task in ("demo_affect_emotion", "demo_affect_emotion_choice")]
    assert both[0] == both[1]
    (samples,) = (tmp_path / "out").rglob("samples_demo_affect_emotion_choice*.jsonl")
    row = json.loads(samples.read_text(encoding="utf-8").splitlines()[0])
    chances = [float(one[0][0]) for one in row["resps"]]
    assert sum(np.exp(chances)) == pytest.approx(1, abs=1e-6)
    page.write_text("joy: happy\n", encoding="utf-8")
    with pytest.raises(AffectError, match="joy needs a list"):
        evaluate(
            ["demo_affect_emotion"],
            "affectllm-embedding",
            tmp_path / "b",
            roots={"demo_affect": small_demo},
            model_args=arguments,
        )
