"""`affectllm fidelity`: judges find damage in its known order, answer for themselves, and are asked nothing twice."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaging import RATE, mixed, warped, write

from affectllm.cli import main
from affectllm.errors import Leakage, Malformed
from affectllm.fidelity.correction import Labels, corrected_accuracy
from affectllm.fidelity.page import read_fidelity
from affectllm.fidelity.shown import markdown

TONES = {"anger": 420.0, "sadness": 130.0}
HEADER = ["id", "clip", "reference", "target", "speaker", "system", "item", "language"]


def voice(emotion: str, number: int, length: float = 0.6) -> np.ndarray:
    """A buzz whose pitch and beat tell the emotion; the number makes it another speaker's."""
    time = np.arange(round(RATE * length)) / RATE
    pitch = TONES[emotion] * (1 + 0.02 * number)
    beat = 1 + 0.8 * np.sin(2 * np.pi * (9 if emotion == "anger" else 2) * time)
    return (0.2 * beat * sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3))).astype(np.float32)


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """Real clips to learn from and to be scored on, and clips of three systems: the same, mixed a little, and a lot."""
    real: dict[str, list[list[Any]]] = {"train": [], "real": []}
    rows = []
    for number in range(12):
        for emotion in TONES:
            path = write(tmp_path / f"real/{emotion}{number}.wav", voice(emotion, number))
            real["train" if number < 6 else "real"].append([path, emotion, f"s{number}"])
            if number < 6:
                continue
            other = voice("sadness" if emotion == "anger" else "anger", number)
            for system, below in (("1 same", 60), ("2 slight", 3 if number % 3 else 40), ("3 heavy", -30)):
                clip = write(
                    tmp_path / f"made/{system}/{emotion}{number}.wav", mixed(voice(emotion, number), other, below)
                )
                item = f"{emotion}{number}"
                rows.append([system + item, clip, path, emotion, f"s{number}", system, item, "ab"[number % 2]])
    for name, lines in real.items():
        table(tmp_path / f"{name}.csv", ["clip", "label", "speaker"], lines)
    table(tmp_path / "made.csv", HEADER, rows)
    return tmp_path


def table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


PAGE = """
table: made.csv
answers: kept
correct: true
trained_on: [iemocap]
judges:
  - name: shallow
    learn: {table: train.csv, modalities: [audio]}
    real: {table: real.csv, modalities: [audio]}
    trained_on: [emodb, iemocap]
"""


def judged(folder: Path, page: str = PAGE) -> dict[str, Any]:
    (folder / "page.yaml").write_text(page)
    assert main(["fidelity", str(folder / "page.yaml"), "--out", str(folder / "run")]) == 0
    result: dict[str, Any] = json.loads((folder / "run/fidelity.json").read_text())
    return result


def test_damage_is_found_in_its_order_and_the_judge_answers_for_itself(studio: Path, capsys) -> None:
    judge = judged(studio)["judges"]["shallow"]
    target, kept = (
        {name: its["metrics"][metric] for name, its in judge["systems"].items()}
        for metric in ("target_emotion_accuracy", "emotion_preservation")
    )
    values = [kept[name]["value"] for name in ("1 same", "2 slight", "3 heavy")]
    assert values[0] == 1 and values[0] >= values[1] > values[2] == 0
    assert kept["1 same"]["low"] is not None and kept["3 heavy"]["high"] < kept["1 same"]["low"]
    worst = next(one for one in judge["differences"]["emotion_preservation"] if one["second"] == "3 heavy")
    assert worst["low"] > 0
    assert judge["real"]["accuracy"]["value"] == 1 and judge["real"]["accuracy"]["low"] is not None
    assert not target["1 same"]["above_ceiling"] and target["1 same"]["corrected"]["value"] > 0.9
    assert set(judge["systems"]["1 same"]["by"]["language"]) == {"a", "b"}
    assert judge["kin"] == ["iemocap, by both"]
    text = capsys.readouterr().out
    assert "shallow has learned from what the generator has learned from: iemocap" in text
    assert (studio / "run/fidelity.html").read_text().count("<table>") == 3
    assert len((studio / "run/judgements.jsonl").read_text().splitlines()) == 36


def test_what_was_judged_is_not_judged_again_wherever_it_lies(studio: Path) -> None:
    first = judged(studio)["judges"]["shallow"]
    assert first["judged_now"] > 0
    kept = next((studio / "kept").glob("*.jsonl"))
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:-2]) + lines[-2][:20])  # killed while it wrote
    (studio / "made").rename(studio / "moved")
    rows = (studio / "made.csv").read_text().replace("/made/", "/moved/")
    (studio / "made.csv").write_text(rows)
    again = judged(studio)["judges"]["shallow"]
    assert again["judged_now"] == 2
    assert {**again, "judged_now": 0} == {**first, "judged_now": 0}


def test_what_cannot_be_judged_is_counted_under_its_reason(studio: Path) -> None:
    (studio / "made/1 same/anger6.wav").write_bytes(b"no sound")
    (studio / "made/1 same/anger7.wav").unlink()
    result = judged(studio)
    assert result["left_out"] == {"clip_missing": 1} and result["clips"] == 35
    judge = result["judges"]["shallow"]
    assert judge["unjudged"] == {"unusable": 1}
    assert judge["systems"]["1 same"]["metrics"]["target_emotion_accuracy"]["value"] == pytest.approx(10 / 11)


def test_windows_of_a_clip_are_judged_one_by_one(studio: Path) -> None:
    half = np.concatenate([voice("anger", 8), voice("sadness", 8)])
    write(studio / "half.wav", half)
    write(studio / "whole.wav", warped(np.tile(voice("anger", 8), 2), 1.0))
    table(studio / "made.csv", ["clip", "system"], [["half.wav", "changes"], ["whole.wav", "stays"]])
    systems = judged(studio, PAGE.replace("correct: true", "windows: {seconds: 0.6}"))["judges"]["shallow"]["systems"]
    values = {name: its["metrics"]["temporal_consistency"]["value"] for name, its in systems.items()}
    assert values == {"changes": 0.0, "stays": 1.0}


def test_what_was_meant_more_intense_is_judged_so_speaker_by_speaker(studio: Path) -> None:
    rows = []
    for number in (6, 7, 8, 9, 10):
        for intensity, below in ((1, -10), (2, 0), (3, 30)):
            clip = mixed(voice("anger", number), voice("sadness", number), below)
            path = write(studio / f"intense/{number}_{intensity}.wav", clip)
            rows.append([path, "anger", f"s{number}", intensity])
    table(studio / "made.csv", ["clip", "target", "speaker", "intensity"], rows)
    (system,) = judged(studio)["judges"]["shallow"]["systems"].values()
    one = system["metrics"]["intensity_monotonicity"]
    assert one["value"] > 0.8 and one["low"] is not None and set(one["per_class"]) == {f"s{n}" for n in range(6, 11)}


def test_a_judge_is_not_scored_on_what_it_was_fitted_on(studio: Path) -> None:
    (studio / "page.yaml").write_text(PAGE)
    (studio / "real.csv").write_text((studio / "train.csv").read_text())
    with pytest.raises(Leakage, match="scored on 12 clips that it was fitted on"):
        from affectllm.corpus.roots import Roots
        from affectllm.fidelity.run import Fidelity

        Fidelity(studio / "page.yaml", Roots(), studio / "run").run()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("name: shallow\n    model: x", "either model: or learn:"),
        ("name: shallow\n    lern: x", "did you mean 'learn'"),
        ("name: shallow\n    learn: {corpus: emodb}", "corpus, space and rater"),
        ("name: shallow\nby: [langauge]", "'langauge' is no role by which clips are grouped"),
        ("name: shallow\nby: [clip]", "'clip' is no role by which clips are grouped"),
        ("name: shallow\nwindows: {seconds: .nan}", "windows are longer than 0 s"),
        ("name: shallow\nwindows: {seconds: 1.0, step: .inf}", "windows are longer than 0 s"),
    ],
)
def test_a_wrong_page_is_refused_with_its_line(tmp_path: Path, wrong: str, message: str) -> None:
    if "\n" in wrong and not wrong.partition("\n")[2].startswith(" "):
        wrong = wrong.replace("\n", "\n    model: tiny:qwen2_audio\n")
    own = PAGE if "either" in message else "table: t.csv\njudges:\n  - name: shallow\n"
    (tmp_path / "page.yaml").write_text(own.replace("name: shallow", wrong))
    with pytest.raises(Malformed, match=message) as error:
        read_fidelity(tmp_path / "page.yaml")
    assert "page.yaml:" in str(error.value)


def test_confusions_of_the_judge_are_taken_out_of_the_accuracy() -> None:
    random = np.random.default_rng(0)
    names, hears = ("a", "b"), {"a": 0.7, "b": 0.6}

    def heard(shown: str) -> str:
        return shown if random.random() < hears[shown] else ("b" if shown == "a" else "a")

    real = [name for name in names for _ in range(1_000)]
    shows = ["a"] * 900 + ["b"] * 100
    speakers = [str(number % 50) for number in range(2_000)]
    made = Labels(["a"] * 1_000, [heard(one) for one in shows], speakers[:1_000])
    corrected = corrected_accuracy(made, Labels(real, [heard(one) for one in real], speakers), names)
    plain = np.mean([one == "a" for one in made.judged])
    assert plain < 0.72 and corrected.value == pytest.approx(0.9, abs=0.12)
    assert corrected.low is not None and corrected.high is not None and corrected.low <= 0.9 <= corrected.high
    with pytest.raises(Malformed, match="no real clip shows a"):
        corrected_accuracy(made, Labels(["b"], ["b"], ["s"]), names)


def test_strict_raters_and_the_order_of_names_do_not_move_what_people_say(studio: Path) -> None:
    scores = {"1 same": 4, "3 heavy": 2}
    ratings = [
        [system, item, rater, score - (rater == "strict") + (item == "i2")]
        for system, score in scores.items()
        for item in ("i1", "i2", "i3")
        for rater in ("strict", "mild", system)  # the last one rates one system alone
    ]
    table(studio / "ratings.csv", ["system", "item", "rater", "score"], ratings)
    choices = [["1 same", "3 heavy", "i1", "r1", "1 same"], ["3 heavy", "1 same", "i1", "r2", "1 same"]]
    choices += [["3 heavy", "1 same", "i2", "r1", "same"], ["1 same", "3 heavy", "i2", "r2", "same"]]
    table(studio / "choices.csv", ["first", "second", "item", "rater", "preferred"], choices)
    result = judged(studio, PAGE + "ratings: ratings.csv\npreferences: choices.csv\n")
    assert result["opinion"]["1 same"]["value"] - result["opinion"]["3 heavy"]["value"] == pytest.approx(2)
    assert result["preferences"]["1 same over 3 heavy"]["value"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("key", "rows", "message"),
    [
        ("ratings", ["system,item,rater,score", "a,1,x,4", "a,1,x,1"], r"opinions.csv:3: x has rated this item before"),
        ("ratings", ["system,item,rater,score", "a,1,x,nan"], r"opinions.csv:2: 'nan' is no score"),
        (
            "preferences",
            ["first,second,item,rater,preferred", "a,b,1,x,a", "b,a,1,x,b"],
            r"opinions.csv:3: x has rated this item before",
        ),
        ("ratings", [], r"there is no file opinions.csv"),
    ],
)
def test_wrong_opinions_are_told_before_a_clip_is_judged(
    studio: Path, capsys, key: str, rows: list[str], message: str
) -> None:
    if rows:
        (studio / "opinions.csv").write_text("\n".join(rows) + "\n")
    (studio / "page.yaml").write_text(f"{PAGE}{key}: opinions.csv\n")
    assert main(["fidelity", str(studio / "page.yaml"), "--out", str(studio / "run")]) == 2
    told = capsys.readouterr().err
    assert re.search(message, told) and "shallow: " not in told and not (studio / "kept").exists()


def test_a_clip_that_is_there_twice_is_refused(studio: Path, capsys) -> None:
    lines = (studio / "made.csv").read_text().splitlines()
    (studio / "made.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
    (studio / "page.yaml").write_text(PAGE)
    assert main(["fidelity", str(studio / "page.yaml"), "--out", str(studio / "run")]) == 2
    assert re.search(rf"made.csv:{len(lines) + 1}: .* is there before, in made.csv:2", capsys.readouterr().err)


def test_what_no_judge_can_say_and_windows_of_which_there_is_one_are_told(studio: Path) -> None:
    lines = (studio / "made.csv").read_text().splitlines()
    (studio / "made.csv").write_text("\n".join([*lines[:-1], lines[-1].replace(",sadness,", ",sorrow,")]) + "\n")
    judged(studio, PAGE.replace("correct: true", "windows: {seconds: 0.5}").replace("[iemocap]", "[iemocapp]"))
    told = (studio / "run/fidelity.md").read_text(encoding="utf-8")
    assert "shallow knows no sorrow: clips that are meant so count as wrong" in told
    assert "no clip is as long as two windows" in told
    assert "- iemocapp: no corpus of that name is known here" in told


def test_a_classifier_that_is_nowhere_is_told_by_its_name(studio: Path, capsys) -> None:
    page = "table: made.csv\njudges:\n  - {name: a, pipeline: audio-classification, model: /nowhere/at/all}\n"
    (studio / "page.yaml").write_text(page)
    assert main(["fidelity", str(studio / "page.yaml"), "--out", str(studio / "run")]) == 2
    assert "the classifier /nowhere/at/all cannot be loaded" in capsys.readouterr().err


def test_names_of_systems_and_judges_are_words_in_markdown() -> None:
    score = {"value": 3.0, "low": None, "high": None, "n": 2}
    result = {"description": "# a <b>", "judges": {}, "opinion": {"<i>|one": score}, "preferences": {}, "clips": 2}
    text = markdown({**result, "left_out": {"<u>": 1}, "unknown_corpora": ["<s>"]})
    assert text.startswith("# \\# a &lt;b&gt;") and "| &lt;i&gt;\\|one |" in text and "- &lt;s&gt;:" in text
    assert not re.search("<[bius]>", text) and "none: too few" in text
