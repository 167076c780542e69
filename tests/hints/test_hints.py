"""Hints in prompts: their words, where they come from, what is missing, whose are shown, and what that changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evaluating import shipped, use
from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model
from meld_made import write_meld

from affectllm.cli import main
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.store import read_rows
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate.models.reference import ReferenceLM
from affectllm.evaluate.run import Evaluation
from affectllm.hinting.kind import Source
from affectllm.hints.attach import Hints, marks_of, words_of
from affectllm.hints.table import FILE, Hint, open_table, write_table
from affectllm.instruct import load_template
from affectllm.instruct.mixture_page import load_mixture
from affectllm.instruct.stage import build_mixture
from affectllm.report.html import render_report

TASK, TABLE = "meld_emotion_hints", "meld_top_emotions"
SOURCE = Source("emotions", "a model of these tests", "7")


@register_model("affectllm-reads-hints")
class ReadsHints(ReferenceLM):
    """Answers with the first emotion of the hint, and neutral where it has none: a model that reads hints alone."""

    kind = "chance"

    def prepare(self, requests: list[Instance]) -> Any:
        def answer(request: Instance) -> str:
            _, _, behind = request.args[0].partition("Likely emotions: ")
            return behind.split(" ")[0] if behind else "neutral"

        return answer


@pytest.fixture
def meld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_meld(tmp_path / "meld")
    use(monkeypatch, {"meld": root})
    monkeypatch.setenv("AFFECTLLM_HINTS", str(tmp_path / "tables"))
    return root


def samples(root: Path) -> list[Sample]:
    return [one for one in load_builder("meld").samples(root) if isinstance(one, Sample)]


def put(root: Path, tmp_path: Path, **changes: Any) -> Path:
    """A table that names the right emotion of every sample, but for ``changes``: id → another hint."""
    hints = [SOURCE.hint(one, f"Likely emotions: {one.annotations[0].value} 90%") for one in samples(root)]
    path = tmp_path / "tables" / TABLE / FILE
    write_table(path, (changes.get(hint.sample, hint) for hint in hints))
    return path


def built(root: Path, folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    outputs = build_mixture(load_mixture("meld_hints_set"), 1, {"meld": root}, folder)
    files = sorted((folder / "build" / "conversations").glob("train-*.parquet"))
    return outputs, [row for path in files for row in read_rows(path)]


def test_a_hint_stands_before_the_question_and_leaves_a_mark(meld: Path, tmp_path: Path) -> None:
    first = samples(meld)[0]
    put(meld, tmp_path)
    hinted = Hints((TABLE,)).attached(first)
    template = load_template(
        "emotion_choice", space=load_builder("meld").CARD.space("meld_7"), rater="annotators", modalities=["text"]
    )
    plain, told = template.ask(first)[0]["content"][-1]["text"], template.ask(hinted)[0]["content"][-1]["text"]
    lines = "What small models found, which may be wrong:\n- Likely emotions: joy 90%\n\n"
    assert lines in told and told.replace(lines, "") == plain
    assert marks_of(hinted)[0] | {"words": ""} == {
        **{"table": TABLE, "kind": "emotions", "source": "a model of these tests", "version": "7", "words": ""}
    }
    assert template.read(template.answer(hinted)).value == "joy"


def test_rows_of_a_mixture_say_which_hints_they_have_and_what_is_missing_is_counted(meld: Path, tmp_path: Path) -> None:
    ids = [one.id for one in samples(meld)]
    seen = SOURCE.hint(samples(meld)[1], "Likely emotions: anger 99%", seen=True)
    put(meld, tmp_path, **{ids[0]: SOURCE.none(samples(meld)[0], "no_voice"), ids[1]: seen})
    outputs, rows = built(meld, tmp_path / "run")
    assert outputs["hints"] == {
        f"{TABLE}: given": 25, f"{TABLE}: no_voice": 1, f"{TABLE}: seen_in_training": 1
    }  # fmt: skip
    by_sample = {row["sample"]: row for row in rows}
    assert by_sample[ids[0]]["asked_by"]["hints"] == [{"table": TABLE, "missing": "no_voice"}]
    assert "99%" not in json.dumps(by_sample[ids[1]]["messages"])
    assert by_sample[ids[2]]["asked_by"]["hints"][0]["source"] == "a model of these tests"
    assert "Likely emotions: sadness 90%" in json.dumps(by_sample[ids[2]]["messages"])


def test_another_table_builds_the_mixture_anew(meld: Path, tmp_path: Path) -> None:
    put(meld, tmp_path)
    before = built(meld, tmp_path / "run")[1]
    assert built(meld, tmp_path / "run")[1] == before
    first = samples(meld)[0]
    put(meld, tmp_path, **{first.id: SOURCE.hint(first, "Likely emotions: fear 51%")})
    assert "fear 51%" in json.dumps(built(meld, tmp_path / "run")[1])


def test_a_table_that_is_nowhere_or_of_other_samples_is_an_error(meld: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"no table of hints called '{TABLE}'") as caught:
        built(meld, tmp_path / "run")
    assert "affectllm hint" in caught.value.do
    write_table(tmp_path / "tables" / TABLE / FILE, [Hint("meld", "nobody", "train", "emotions", "x", "y", "1")])
    with pytest.raises(AffectError, match="has none for the mixture"):
        built(meld, tmp_path / "other")
    with pytest.raises(AffectError, match="has none for the items"):
        shipped().load([TASK])


def test_a_control_token_in_a_hint_is_refused_as_in_words_of_the_corpus(meld: Path, tmp_path: Path) -> None:
    first = samples(meld)[0]
    put(meld, tmp_path, **{first.id: SOURCE.hint(first, "Heard: <|im_end|>")})
    outputs, rows = built(meld, tmp_path / "run")
    assert outputs["rejected"] == {"control_token": 1} and first.id not in {row["sample"] for row in rows}


def test_a_language_without_a_frame_for_hints_is_refused(meld: Path, tmp_path: Path) -> None:
    page = tmp_path / "mine.yaml"
    part = "{corpus: meld, template: emotion_choice, space: meld_7, rater: annotators, modalities: [text], language: de"
    page.write_text(f"description: German\nmixture:\n  - {part}, hints: [{TABLE}]}}\n", encoding="utf-8")
    with pytest.raises(Malformed, match="prompts in 'de' have no hints"):
        load_mixture(str(page))


def test_hints_of_another_item_are_another_items_in_other_words(meld: Path, tmp_path: Path) -> None:
    put(meld, tmp_path)
    table, others = open_table(TABLE), Hints((TABLE,), "other")
    for one in samples(meld):
        (mark,) = marks_of(others.attached(one))
        own = table.of("meld", one.id)
        assert own and mark["of"] != one.id and mark["words"] != own.words
        assert next(other.split for other in samples(meld) if other.id == mark["of"]) == one.split
    assert words_of(Hints((TABLE,), "none").attached(samples(meld)[0])) == []


def test_hints_of_another_clip_lower_the_score_and_the_report_shows_it(meld: Path, tmp_path: Path) -> None:
    table, place, roots = put(meld, tmp_path), tmp_path / "eval", {"meld": meld}
    one = Evaluation(place, [TASK], "affectllm-reads-hints", roots=roots)
    one.run()
    Evaluation(place / "modalities" / "without hints", [TASK], one.model, roots=roots, hints="none").run()
    words = ["eval", "--model", one.model, "--tasks", TASK, "--hints", "other", "--output_path"]
    assert main([*words, str(place / "modalities" / "hints of another item")]) == 0
    folders = (place, *sorted((place / "modalities").iterdir(), reverse=True))
    own, none, other = (read(folder / "scores.json")[TASK]["accuracy"]["value"] for folder in folders)
    assert own == 1.0 and none == 0.0 and other < 0.5
    details, others = (read(folder / "details.json")[TASK] for folder in (place, folders[2]))
    made_by = {"kind": "emotions", "source": "a model of these tests", "version": "7"}
    assert details["hints"][TABLE]["made_by"] == [made_by] and details["hints_given"] == {f"{TABLE}: given": 12}
    assert "protocol" not in details and others["protocol"] == {"hints": "other"}
    page = render_report([place], tmp_path / "report.html", roots).read_text(encoding="utf-8")
    assert "without hints" in page and "hints of another item" in page and "another item only" not in page
    # Other words are another evaluation.
    assert one.finished()
    first = samples(meld)[0]
    put(meld, tmp_path, **{first.id: SOURCE.hint(first, "Likely emotions: fear 51%")})
    assert table.is_file() and not one.finished()


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
