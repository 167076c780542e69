"""The report in a real browser: it draws, plays its clips, asks nobody for anything and has no errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe import found, needs_axe
from browsing import BROWSER, browse, console, open_page, probed, requested
from built_mixture import built_mixture, hostile
from driving import Browser
from made_run import SCRIPT, make_builder, make_clips, make_run

from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.report.boards.leaderboard import write_leaderboard
from affectllm.report.galleries.gallery import render_gallery
from affectllm.report.html import render_report

pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    roots = {"toy": make_clips(folder / "toy")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECTLLM_PATH", str(make_builder(folder / "local")))
        return render_report([make_run(folder / "one"), make_run(folder / "two", skill=0.5)], folder / "out", roots)


def test_the_page_draws_without_errors_and_without_network(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    done = browse(page, tmp_path, f"--screenshot={picture}", "--window-size=1200,2400")
    assert console(done) == []
    assert requested(tmp_path) == set()
    from PIL import Image

    with Image.open(picture) as image:
        colours = image.convert("RGB").resize((300, 600)).getcolors(200_000)
    assert image.size == (1200, 2400)
    assert colours is not None and len(colours) > 200, "a blank page has one colour"


def test_the_checks_see_errors_and_requests_where_there_are_some(page: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    extra = '<img src="http://127.0.0.1:9/pixel.png"><script>console.error("seen")</script>'
    bad.write_text(f"<!doctype html><title>bad</title>{extra}", encoding="utf-8")
    done = browse(bad, tmp_path / "open", "--dump-dom")
    assert any("seen" in line for line in console(done))
    assert "http://127.0.0.1:9/pixel.png" in requested(tmp_path / "open")
    guarded = tmp_path / "guarded.html"
    guarded.write_text(page.read_text(encoding="utf-8").replace("</body>", extra + "</body>"), encoding="utf-8")
    done = browse(guarded, tmp_path / "guarded", "--dump-dom")
    assert requested(tmp_path / "guarded") == set(), "the page's own policy forbids it"
    assert not any('"seen"' in line for line in console(done))


def test_clips_play_and_nothing_moves_or_overflows(page: Path, tmp_path: Path) -> None:
    wide = probed(page, tmp_path / "wide", "--window-size=1300,900")
    assert len(wide["durations"]) >= 6
    assert all(duration and 0.2 < duration < 1.5 for duration in wide["durations"])
    assert wide["failed"] == 0 and wide["sized"]
    assert wide["shift"] < 0.02
    assert wide["overflow"] <= 0
    assert wide["unlabelled"] == 0
    assert re.fullmatch(r"H1(H2(H3)*)+", wide["headings"])
    assert wide["title"] == "one, two · affectllm report", f"{SCRIPT} did not run"
    narrow = probed(page, tmp_path / "narrow", "--window-size=500,900")
    assert narrow["overflow"] <= 0


@pytest.mark.thorough
def test_no_column_of_a_table_of_scores_is_hidden_at_any_width(page: Path, tmp_path: Path) -> None:
    hidden = """[...document.querySelectorAll('.forest')].filter(
      one => one.parentElement.scrollWidth > one.parentElement.clientWidth + 1).length"""
    with Browser(tmp_path / "browser") as browser:
        browser.open(page.as_uri())
        browser.until("document.querySelectorAll('.forest').length > 3")
        browser.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        for width in (400, 660, 780, 840, 1000, 1300):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            browser.send("Emulation.setDeviceMetricsOverride", **size)
            assert browser.run(hidden) == 0, width


def test_a_gallery_plays_its_clips_and_finds_what_is_searched_for(tmp_path: Path) -> None:
    root = materialise(load_builder("ravdess").MINIATURE, tmp_path / "corpus")
    page = render_gallery("ravdess", root, tmp_path / "gallery.html")
    search = '<script>words.value = "calm"; words.dispatchEvent(new Event("input"));</script></body>'
    page.write_text(open_page(page).replace('preload="none"', "").replace("</body>", search), encoding="utf-8")
    measures = probed(page, tmp_path, "--window-size=1300,900")  # the copy lies beside the page, so that links hold
    assert measures["failed"] == 0 and measures["sized"] and all(measures["durations"])
    assert measures["overflow"] <= 0 and measures["unlabelled"] == 0
    dom = browse(page, tmp_path / "searched", "--dump-dom").stdout
    visible = dom.count('<article class="sample"') - len(re.findall(r'<article class="sample"[^>]*hidden', dom))
    assert 0 < visible < dom.count('<article class="sample"')
    assert f'<span id="shown">{visible}</span>' in dom


CLIPS = (
    '(MediaRef(f"clips/{number % 3}.mp4", "video", start=0.25, end=0.75, sound=True),'
    ' MediaRef(f"clips/{number % 2}.wav", "audio"))'
)
SUITE = """<script>
const kind = document.getElementById("suite");
kind.append(new Option("pairs", "pairs"));
const boards = () => document.querySelectorAll("#boards > section:not([hidden])").length;
cards[0].dataset.suite = "all\\npairs";
kind.value = "pairs";
find();
document.body.dataset.boards = boards();
document.body.dataset.rows = document.getElementById("shown").textContent;
cards[0].dataset.suite = "";
find();
document.body.dataset.none = boards();
</script>"""
CHOOSE = """<script>
addEventListener("load", () => {
  const choice = document.getElementById("template");
  choice.value = "empathetic_reply"; choice.dispatchEvent(new Event("change"));
  const label = document.getElementById("labels");
  document.body.dataset.chosen = cards.filter(card => !card.hidden).length;
  choice.value = ""; label.value = "anger"; label.dispatchEvent(new Event("change"));
  document.body.dataset.angry = cards.filter(card => !card.hidden).length;
});
</script>"""


@pytest.fixture
def talks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gallery of conversations with the worst words in every field, of which one clip is missing."""
    clips = {**{f"clips/{n}.mp4": Clip(seconds=1.0) for n in range(2)}, "clips/0.wav": Tone(seconds=1.0)}
    materialise(clips, tmp_path / "roots" / "toy")
    built = built_mixture(tmp_path, monkeypatch, media=CLIPS, modalities="video, text", edits=hostile())
    return built / "gallery.html"


def test_a_gallery_of_conversations_plays_its_spans_under_its_policy(talks: Path, tmp_path: Path) -> None:
    # Under the page's own policy: a clip that it forbids is an error on the console.
    eager = talks.with_name("eager.html")
    eager.write_text(talks.read_text(encoding="utf-8").replace('preload="none"', 'preload="auto"'), encoding="utf-8")
    done = browse(eager, tmp_path / "policy", f"--screenshot={tmp_path / 'page.png'}", "--window-size=1300,1600")
    assert console(done) == [] and requested(tmp_path / "policy") == set()
    # The copy lies beside the page, so that links hold.
    measures = probed(eager, talks.parent, "--window-size=1300,900")
    assert len(measures["durations"]) >= 10 and measures["failed"] == 0 and measures["sized"]
    assert all(0.9 < duration < 1.3 for duration in measures["durations"])
    assert measures["overflow"] <= 0 and measures["unlabelled"] == 0 and measures["shift"] < 0.02
    assert re.fullmatch(r"H1(H2(H3)*)+", measures["headings"])
    assert measures["title"] == "small · affectllm conversations", "no script of the corpus ran"
    assert probed(eager, talks.parent, "--window-size=500,900")["overflow"] <= 0


def test_a_gallery_of_conversations_finds_by_template_and_label(talks: Path, tmp_path: Path) -> None:
    html = open_page(talks)
    talks.write_text(html.replace("</body>", CHOOSE + "</body>"), encoding="utf-8")
    dom = browse(talks, tmp_path / "chosen", "--dump-dom").stdout
    counted = {key: int(number) for key, number in re.findall(r'data-(chosen|angry)="(\d+)"', dom)}
    assert counted["chosen"] == html.count('data-template="empathetic_reply"') > 0
    assert counted["angry"] == html.count('data-labels="anger"') > 0
    assert f'<span id="shown">{counted["angry"]}</span>' in dom


@needs_axe
@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1300, "light")])
def test_axe_finds_nothing_in_pages_with_clips_and_boards(page: Path, tmp_path: Path, width: int, scheme: str) -> None:
    make_run(tmp_path / "runs" / "one")
    root = materialise(load_builder("ravdess").MINIATURE, tmp_path / "corpus")
    gallery = render_gallery("ravdess", root, tmp_path / "gallery.html")
    for number, one in enumerate((page, gallery, write_leaderboard(tmp_path / "runs"))):
        assert found(one, tmp_path / f"browser{number}", width=width, scheme=scheme) == []


def test_a_leaderboard_draws_filters_and_asks_nobody(tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "one")
    make_run(tmp_path / "runs" / "two", skill=0.5)
    board = write_leaderboard(tmp_path / "runs")
    done = browse(board, tmp_path / "plain", "--dump-dom")
    assert console(done) == [] and requested(tmp_path / "plain") == set()
    assert '<span id="shown">2</span>' in done.stdout
    for number, width in enumerate((420, 1400)):
        seen = probed(board, tmp_path / str(number), f"--window-size={max(width, 500)},900")
        assert seen["overflow"] <= 0 and seen["unlabelled"] == 0 and re.fullmatch(r"H1(H2)+", seen["headings"])
    search = tmp_path / "search.html"
    typed = '<script>document.getElementById("words").value = "two"; find();</script></body>'
    search.write_text(open_page(board).replace("</body>", typed), encoding="utf-8")
    assert '<span id="shown">1</span>' in browse(search, tmp_path / "search", "--dump-dom").stdout
    # Rows of another suite, and boards without a row, are not shown.
    search.write_text(open_page(board).replace("</body>", SUITE + "</body>"), encoding="utf-8")
    shown = browse(search, tmp_path / "suite", "--dump-dom").stdout
    assert 'data-boards="1"' in shown and 'data-rows="1"' in shown and 'data-none="0"' in shown
