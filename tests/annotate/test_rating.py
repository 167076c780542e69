"""Items that people rate: table and page, what the page saves, and the agreement of several raters."""

from __future__ import annotations

import csv
import html
import json
import re
import subprocess
from pathlib import Path

import krippendorff
import pytest
from axe import found, needs_axe
from browsing import open_page
from driving import BROWSER, Browser

from affectllm.annotate.rating.agreement import agreement, ratings_of
from affectllm.annotate.rating.export import Form, export, text_of
from affectllm.annotate.row import Row
from affectllm.cli import main
from affectllm.corpus import TRAIN, MediaRef, Sample
from affectllm.corpus.miniature import Clip, Picture, Tone, materialise
from affectllm.errors import Malformed

SCALE = ("no", "partly", "yes")
HOSTILE = 'She says </script><script>document.title="broken"</script> & "smiles", then leaves.'
ITEMS = ["s0", "__proto__", "s2"]  # to a script, the second is more than a name
SVG = "http://www.w3.org/2000/svg"  # the name of the elements of a drawing, which no browser asks for
DRIVE = """<script>
const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
at("rater").value = "Anna, B"; at("rater").oninput();
press("3"); at("remark").value = "a, \\"b\\""; at("remark").oninput(); press("1"); press("ArrowLeft"); press("2");
const audio = [...document.querySelectorAll("audio, img")].length;
at("place").dataset.table = table();
press("ArrowLeft"); press("ArrowLeft"); press("ArrowLeft");
document.body.setAttribute("data-probe", JSON.stringify({
  table: table(), title: document.title, text: at("text").textContent, place: at("place").textContent,
  media: document.querySelectorAll("#media audio, #media img").length, buttons: at("scale").children.length,
  outside: performance.getEntriesByType("resource").filter(one => /^http/.test(one.name)).length }));
</script>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clips = {"one.wav": Tone(0.2), "two.png": Picture()}
    materialise(clips, tmp_path / "clips")
    refs = [(MediaRef("one.wav", "audio"),), (MediaRef("two.png", "image"),), (MediaRef("gone.wav", "audio"),)]
    texts = [HOSTILE, "Two.", "Three."]
    rows = [
        Row(Sample(name, "made", TRAIN, (), "t.csv", media=media), {"description": text})
        for name, media, text in zip(ITEMS, refs, texts, strict=True)
    ]
    facts = export(
        rows, "description", Form("made-check", "Does it fit?", SCALE), {"made": tmp_path / "clips"}, tmp_path
    )
    assert facts == {"items": 3, "clips_missing": 1}
    return tmp_path


def test_the_table_has_a_row_an_item_and_the_page_holds_its_clips(folder: Path) -> None:
    rows = list(csv.DictReader((folder / "items.csv").open(encoding="utf-8", newline="")))
    assert [row["item"] for row in rows] == ITEMS and rows[0]["text"] == HOSTILE
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert page.count("data:audio/") == 1 and page.count("data:image/png") == 1
    assert page.count("</script>") == 2 and "http" not in page.replace("http-equiv", "").replace(SVG, "")


def test_spans_are_played_as_spans_and_formats_that_no_browser_plays_as_copies(tmp_path: Path) -> None:
    materialise({"a/long.wav": Tone(3.0), "b.avi": Clip(seconds=1.0)}, tmp_path / "clips")
    refs = [MediaRef("a/long.wav", "audio", start=1.0, end=2.0), MediaRef("b.avi", "video", sound=True)]
    rows = [Row(Sample(f"s{n}", "made", TRAIN, (), "t.csv", media=(ref,)), {"of": "x"}) for n, ref in enumerate(refs)]
    export(rows, "of", Form("spans", "Does it fit?", SCALE), {"made": tmp_path / "clips"}, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    data = re.search(r'id="data">(.*?)</script>', html)
    assert data
    span, copy = (item["media"][0] for item in json.loads(data[1])["items"])
    assert span["src"].startswith("media/") and span["src"].endswith(".wav#t=1,2") and span["seconds"] == 1.0
    assert (tmp_path / "out" / span["src"].partition("#")[0]).is_file()
    assert copy["src"].startswith("data:video/mp4") and "small copy" in copy["note"]
    assert all(copy[key].startswith("data:image/jpeg") for key in ("poster", "strip")) and len(copy["wave"]) == 160


@pytest.mark.browser
@pytest.mark.thorough
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_raters_see_frames_waveform_and_words_under_the_policy_of_the_page(tmp_path: Path) -> None:
    materialise({"one.mp4": Clip(seconds=2.0)}, tmp_path / "clips")
    sample = Sample("s0", "made", TRAIN, (), "t.csv", HOSTILE, media=(MediaRef("one.mp4", "video", sound=True),))
    form = Form("shown", "Does it fit?", SCALE)
    export([Row(sample, {"of": "A face."})], "of", form, {"made": tmp_path / "clips"}, tmp_path / "out")
    with Browser(tmp_path / "browser") as browser:
        browser.open((tmp_path / "out" / "index.html").as_uri())
        browser.until("document.querySelector('video')?.readyState >= 2")
        assert browser.run("document.querySelector('.said').textContent") == HOSTILE
        assert browser.run("document.querySelector('.strip').naturalWidth > 400")
        assert browser.run("document.querySelector('.sound polygon').points.length") == 320
        browser.type(" ")
        browser.until("document.querySelector('video').currentTime > 0.2")
        assert browser.run("Number(document.querySelector('.now').getAttribute('x1'))") > 0
        browser.type(" ")
        browser.run(
            "(wave => { const box = wave.getBoundingClientRect(); wave.dispatchEvent(new MouseEvent('click',"
            " {clientX: box.left + box.width / 2})); })(document.querySelector('.sound svg'))"
        )
        assert browser.run("document.querySelector('video').currentTime") == pytest.approx(1.0, abs=0.1)
        browser.type("2")
        assert browser.run("table()") == "item,rater,rating,remark\ns0,,partly,\n"
        assert browser.errors == [] and not [one for one in browser.requested if one.startswith("http")]


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
@needs_axe
@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1300, "dark")])
def test_axe_finds_nothing(folder: Path, width: int, scheme: str) -> None:
    assert found(folder / "index.html", folder / "browser", width=width, scheme=scheme) == []


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_items_are_rated_by_keys_and_the_ratings_saved(folder: Path) -> None:
    page = folder / "index.html"
    page.write_text(open_page(page).replace("</html>", f"{DRIVE}</html>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--enable-logging=stderr"]
    command = [str(BROWSER), *flags, f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    assert not [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    match = re.search(r'data-probe="([^"]+)"', done.stdout)
    assert match, done.stdout[-300:]
    seen = json.loads(html.unescape(match[1]))
    assert seen["title"] == "Rate: made-check" and seen["text"] == HOSTILE and seen["outside"] == 0
    assert seen["media"] == 1 and seen["buttons"] == 3 and seen["place"].startswith("Item 1 of 3; 2 rated")
    (folder / "anna.csv").write_text(seen["table"], encoding="utf-8", newline="")
    assert ratings_of([folder / "anna.csv"]) == {"s0": {"Anna, B": "yes"}, "__proto__": {"Anna, B": "partly"}}


def saved(path: Path, rater: str, ratings: list[str]) -> Path:
    lines = [f"s{n},{rater},{rating}," for n, rating in enumerate(ratings)]
    path.write_text("\n".join(["item,rater,rating,remark", *lines]) + "\n", encoding="utf-8")
    return path


def test_a_table_of_ratings_without_a_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"b\.csv: the table has no rows"):
        ratings_of([saved(tmp_path / "a.csv", "r", ["no"]), saved(tmp_path / "b.csv", "r", [])])


def test_agreement_is_krippendorffs_alpha(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [list("nnpyyynp"), list("nnpyypny"), list("npp yy n")]
    words = {"n": "no", "p": "partly", "y": "yes", " ": ""}
    paths = [saved(tmp_path / f"{n}.csv", f"r{n}", [words[one] for one in row]) for n, row in enumerate(given)]
    codes = [["npy".find(one) if one != " " else float("nan") for one in row] for row in given]
    facts = agreement(ratings_of(paths), SCALE)
    for level in ("nominal", "ordinal"):
        expected = krippendorff.alpha(reliability_data=codes, level_of_measurement=level)
        assert facts["alpha"][level].value == pytest.approx(expected, abs=1e-9)
    assert main(["annotate", "--agreement", *map(str, paths), "--scale", "no,partly,yes"]) == 0
    printed = capsys.readouterr().out
    assert "8 items, 8 of them rated by several of r0, r1, r2" in printed and "ordinal" in printed


def test_a_rater_who_contradicts_herself_and_a_wrong_table_are_refused(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "1.csv", "anna", ["no", "yes"]), saved(tmp_path / "2.csv", "anna", ["no", "no"])
    with pytest.raises(Malformed, match="anna rated s1 twice"):
        ratings_of([one, two])
    assert saved(tmp_path / "3.csv", "", ["no"]) and ratings_of([tmp_path / "3.csv"]) == {"s0": {"3": "no"}}
    (tmp_path / "4.csv").write_text("item,who\ns0,anna\n")
    with pytest.raises(Malformed, match="no column 'rater'"):
        ratings_of([tmp_path / "4.csv"])


def test_labels_are_rated_as_words() -> None:
    one = Row(
        Sample("s", "made", TRAIN, (), "t.csv"), {"labels": {"a@1": ["joy", "awe"], "b@2": ["joy"]}, "voted": ["joy"]}
    )
    assert text_of(one, "labels") == "joy, awe" and text_of(one, "voted") == "joy"


def test_a_scale_that_lacks_a_rating_is_told_in_its_own_words(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name in ("anna", "ben"):
        (tmp_path / f"{name}.csv").write_text(f"item,rater,rating\ns0,{name},partly\ns1,{name},yes\n")
    files = [str(tmp_path / name) for name in ("anna.csv", "ben.csv")]
    assert main(["annotate", "--agreement", *files, "--scale", "partly"]) == 2
    told = capsys.readouterr().err
    assert "not on the scale partly: yes" in told and "name all answers in their order" in told and "--read" not in told
    assert main(["annotate", "--agreement", *files, str(tmp_path / "gone.csv")]) == 2
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ratings", "what"), [(["yes"], "all ratings are the same"), (["", "", "no"], "no item has two ratings")]
)
def test_ratings_without_an_agreement_are_told_with_their_files(
    ratings: list[str], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = saved(tmp_path / "1.csv", "anna", ["yes", "no"]), saved(tmp_path / "2.csv", "ben", ratings)
    assert main(["annotate", "--agreement", str(one), str(two)]) == 2
    told = capsys.readouterr().err
    assert what in told and str(one) in told and str(two) in told
