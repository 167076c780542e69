"""Pieces of the report: which examples are chosen, which clips are embedded, where points of a chart lie."""

from __future__ import annotations

import base64
import html
import io
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_run import logged_sample, make_builder, make_clips, write_lines

from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.report import clips
from affectllm.report.charts import axis, loss_chart, ticks, whisker
from affectllm.report.clips import Gallery
from affectllm.report.display import compared, headline_metric, percent, seconds
from affectllm.report.figures import per_class_figure, save
from affectllm.report.protocols import asked_as
from affectllm.report.replies import Replies, choose, read_replies
from affectllm.report.runfolder import Evaluation, History, Point, RunData
from affectllm.report.scoretable import cell_text, code_text, link_text


def chosen(path: Path, rows: list[dict], limit: int = 3) -> Replies:
    write_lines(path, rows)
    return choose(read_replies(path, labelled=True), dict.fromkeys(("correct", "wrong", "unreadable", "reply"), limit))


def test_wordings_that_are_all_alike_are_one_row_and_others_the_best_and_the_worst(tmp_path: Path) -> None:
    def asked(best: int, worst: int) -> list[tuple[str, str]]:
        row = {"best_wording": best, "best": 0.5, "worst_wording": worst, "worst": 0.4, "mean": 0.5, "spread": 0.1}
        details = {"wordings": {"uar": {**row, "values": {"0": 0.5, "1": 0.4}}}, "questions": ["one", "two"]}
        run = RunData("run", tmp_path, evaluation=Evaluation("full", tmp_path, {}, {"toy": details}))
        (one,) = asked_as([run], "toy")
        return [(end, number) for end, number, *_ in one.wordings[0].rows]

    assert asked(0, 1) == [("best", "1"), ("worst", "2")] and asked(0, 0) == [("any", "1")]


def test_examples_are_the_same_in_any_order_and_of_different_labels(tmp_path: Path) -> None:
    rows = [logged_sample(i, "joy" if i < 90 else f"rare{i % 2}", "x", "x", None) for i in range(100)]
    one, two = chosen(tmp_path / "a", rows), chosen(tmp_path / "b", rows[::-1])
    assert [reply.id for reply in one.examples["wrong"]] == [reply.id for reply in two.examples["wrong"]]
    assert {reply.gold for reply in one.examples["wrong"]} == {"joy", "rare0", "rare1"}
    assert one.total == 100


def test_sets_are_compared_as_sets_and_only_one_filter_is_read(tmp_path: Path) -> None:
    row = logged_sample(1, ["joy", "fear"], ["fear", "joy"], "fear, joy", None)
    replies = chosen(tmp_path / "a", [row, {**row, "filter": "strict", "reading": []}])
    assert (len(replies.examples["correct"]), replies.total) == (1, 1)
    assert len(chosen(tmp_path / "b", [logged_sample(1, ["joy"], [], "none", None)]).examples["wrong"]) == 1


def test_a_choice_by_likelihood_has_no_reply_text(tmp_path: Path) -> None:
    row = {**logged_sample(1, "joy", "joy", "", None), "filtered_resps": [[-1.5, True], [-2.5, False]]}
    assert chosen(tmp_path / "a", [row]).examples["correct"][0].text is None


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    monkeypatch.setenv("AFFECTLLM_PATH", str(make_builder(tmp_path / "local")))
    return Gallery({"toy": make_clips(tmp_path / "toy")})


def embedded(uri: str | None) -> bytes:
    assert uri
    return base64.b64decode(uri.partition(",")[2])


def length(content: bytes) -> float:
    import av

    with av.open(io.BytesIO(content)) as container:
        return container.duration / 1_000_000


def test_a_playable_clip_is_embedded_as_it_is(gallery: Gallery, tmp_path: Path) -> None:
    player = gallery.player({"type": "video", "corpus": "toy", "path": "clips/0.mp4", "sound": True})
    assert embedded(player.uri) == (tmp_path / "toy" / "clips" / "0.mp4").read_bytes()
    assert player.note == "" and gallery.left_out == 0


def test_a_span_of_a_container_that_browsers_do_not_play_becomes_a_small_copy(gallery: Gallery, tmp_path: Path) -> None:
    materialise({"long.avi": Clip(seconds=3.0, size=128), "long.wav": Tone(seconds=3.0)}, tmp_path / "toy")
    video = {"type": "video", "corpus": "toy", "path": "long.avi", "sound": True, "start": 1.0, "end": 2.0}
    player = gallery.player(video)
    assert player.uri and player.uri.startswith("data:video/mp4") and "1 s to 2 s" in player.note
    assert length(embedded(player.uri)) == pytest.approx(1.0, abs=0.25)
    sound = gallery.player({**video, "type": "audio", "path": "long.wav"})
    assert length(embedded(sound.uri)) == pytest.approx(1.0, abs=0.02)


def test_the_sound_track_alone_is_what_an_audio_part_plays(gallery: Gallery) -> None:
    player = gallery.player({"type": "audio", "corpus": "toy", "path": "clips/0.mp4"})
    assert player.uri and player.uri.startswith("data:audio/wav")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("clips/broken.mp4", "empty_file"),
        ("clips/none.mp4", "not there"),
        ("../local/data_builders/toy.py", "leads out"),
    ],
)
def test_a_clip_that_is_left_out_says_why(gallery: Gallery, path: str, message: str) -> None:
    player = gallery.player({"type": "video", "corpus": "toy", "path": path})
    assert player.uri is None and message in player.note and gallery.left_out == 1


def test_the_page_has_room_for_so_many_bytes_and_clips(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    part = {"type": "video", "corpus": "toy", "path": "clips/0.mp4"}
    monkeypatch.setattr(clips, "MAX_CLIPS", 2)
    assert [bool(gallery.player(part).uri) for _ in range(3)] == [True, True, False]
    monkeypatch.setattr(clips, "MAX_CLIPS", 9)
    monkeypatch.setattr(clips, "MAX_PAGE_BYTES", 10)
    assert "as many bytes" in gallery.player(part).note
    assert gallery.left_out == 2


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_cover_the_values_and_are_few(low: float, span: float) -> None:
    high = low + span
    if high <= low:
        return
    marks = ticks(low, high)
    slack = 1e-6 * max(abs(low), abs(high), span)
    assert marks[0] <= low + slack and marks[-1] >= high - slack
    assert 2 <= len(marks) <= 8 and marks == sorted(set(marks))


def test_the_loss_chart_marks_the_kept_checkpoint_and_survives_infinite_losses() -> None:
    train = (Point(10, 2.0), Point(20, math.inf), Point(40, 0.5))
    chart = loss_chart(History(train, (Point(20, 1.0), Point(40, 0.8)), Point(40, 0.8)))
    assert chart is not None and chart.best is not None
    assert [line.name for line in chart.lines] == ["train", "eval"]
    assert chart.lines[0].points.count(",") == 2
    assert chart.best[:2] == chart.lines[1].marks[-1][:2]
    assert chart.best[0] == 100 and all(0 <= y <= 100 for line in chart.lines for _, y, _ in line.marks)
    assert chart.lines[0].marks[0][1] < chart.lines[0].marks[-1][1], "a larger loss is drawn higher up"
    assert loss_chart(History((Point(1, math.nan),), (), None)) is None


def test_losses_over_several_magnitudes_get_a_logarithmic_axis() -> None:
    chart = loss_chart(History(tuple(Point(10 * i, 6 * 0.5**i) for i in range(12)), (), None))
    assert chart is not None and chart.logarithmic
    heights = [y for _, y, _ in chart.lines[0].marks]
    steps = [b - a for a, b in pairwise(heights)]
    assert max(steps) - min(steps) < 0.05, "a steady halving is a straight line"
    assert [tick.label for tick in chart.y_ticks] == ["0.001", "0.01", "0.1", "1", "10"]
    assert chart.y_ticks[0].at == 100 and chart.y_ticks[-1].at == 0


def scored(value: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": 1, "clusters": 9, "unreadable": 0}


@pytest.mark.parametrize(
    ("score", "reach", "labels"),
    [
        ((0.5, 0.4, 0.6), (0, 1), ["0", "0.25", "0.5", "0.75", "1"]),
        ((-0.3, -0.45, -0.1), (-1, 1), ["-0.5", "0", "0.5", "1"]),
        ((3.2, 2.9, 4.1), (0, math.inf), ["0", "2", "4", "6"]),
        ((0.4, 0.3, 0.5), (0, math.inf), ["0", "0.2", "0.4", "0.6"]),
        ((-12.0, None, None), (-math.inf, 0), ["-15", "-10", "-5", "0"]),
        ((0.0, 0.0, 2.8e-14), (-math.inf, 100), ["0", "0.5"]),
    ],
)
def test_an_axis_holds_what_is_drawn_on_it(score: Any, reach: Any, labels: list[str]) -> None:
    one = scored(*score)
    on = axis([one], reach)
    assert [tick.label for tick in on.ticks] == labels
    place = whisker(one, on)
    assert place.at == pytest.approx(100 * (score[0] - on.low) / (on.high - on.low), abs=0.01)
    ends = [end for end in (place.low, place.high) if end is not None]
    assert all(0 <= end <= 100 for end in (place.at, *ends)) and bool(ends) == (score[1] is not None)


def test_the_metric_that_a_page_names_first_stands_for_the_task() -> None:
    assert headline_metric({"weighted_f1": 1, "uar": 2}) == "weighted_f1"


def test_intervals_decide_what_is_above() -> None:
    def score(low: float, high: float) -> dict:
        return scored((low + high) / 2, low, high)

    assert compared(score(0.5, 0.6), score(0.3, 0.4)) == "beats"
    assert compared(score(0.1, 0.2), score(0.3, 0.4)) == "does_not_beat"
    assert compared(score(0.1, 0.35), score(0.3, 0.4)) == "untold"
    assert compared(score(0.5, 0.6), {**score(0.3, 0.4), "n": 2}) == "other_items"
    assert compared(score(0.5, 0.6), {**score(0.3, 0.4), "low": None, "high": None}) == "unknown"


def test_numbers_are_written_as_one_reads_them() -> None:
    assert [percent(x) for x in (0, 0.05, 0.333, 1, math.nan)] == ["0 %", "5 %", "33.3 %", "100 %", "–"]
    assert [seconds(x) for x in (3.21, 48, 200, 7500, None)] == ["3.2 s", "48 s", "3 min 20 s", "2 h 5 min", "–"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "# joy",
            "- joy",
            "+ joy",
            "12. joy",
            "3) joy",
            "===",
            "---",
            "~~~",
            "___",
            "__proto__",
            "_a_ b_c _",
            "~~no~~",
        ),
        *("<b>joy</b> &amp; > | [x](y) ![z](w) `c`", "0.932", "joy_choice", "#joy", "-0.1"),
    ],
)
def test_words_in_markdown_stay_words(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    reader = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    shown = reader.render(cell_text(text))
    assert shown.startswith("<p>") and html.unescape(shown) == f"<p>{text}</p>\n"
    assert html.unescape(reader.render(f"in {code_text(text)}")) == f"<p>in <code>{text}</code></p>\n"


def test_numbers_and_names_stand_in_markdown_as_they_are() -> None:
    assert [cell_text(text) for text in ("0.932", "-0.1", "emotion_choice", "–")] == [
        "0.932",
        "-0.1",
        "emotion_choice",
        "–",
    ]


def test_a_link_leads_to_the_web_or_nowhere() -> None:
    assert link_text("a", "https://x.org/<b> y|z`") == "[a](<https://x.org/%3Cb%3E%20y%7Cz%60>)"
    assert link_text("a", "javascript:alert(1)") == link_text("a", "") == "a"


def test_a_byte_order_mark_and_dollars_in_a_label_do_not_end_a_drawing(tmp_path: Path) -> None:
    figure = per_class_figure("task $x_{$\ufeff", {"jo\ufeffy $x_{$": {"precision": 1.0, "support": 3}})
    assert save(figure, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


@given(st.text())
def test_no_text_leaves_its_cell_of_a_markdown_table(text: str) -> None:
    cell = cell_text(text)
    assert "\n" not in cell and "<" not in cell
    assert cell.replace("\\\\", "").replace("\\|", "").count("|") == 0
