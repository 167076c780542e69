"""The list of all examples in a real browser: every count leads to its examples, words are found, keys work."""

from __future__ import annotations

import html as markup
import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe import found, needs_axe
from browsing import BROWSER, browse, console, open_page, requested
from driving import Browser
from logged_run import HOSTILE, TASK, logged, make_logged
from made_run import make_builder

from affectllm.corpus.miniature import Tone, materialise
from affectllm.report.explorer import index as indices
from affectllm.report.html import render_report

pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")]

# Follows every link to examples, and keeps what each says it leads to beside how many are listed.
FOLLOW = """<script>
const list = document.getElementById("examples");
const ready = async () => {
  do await new Promise(done => setTimeout(done, 40)); while (!list.dataset.ready);
  return +list.dataset.ready;
};
const go = async href => { delete list.dataset.ready; location.hash = href; return ready(); };
const type = async (key, value) => {
  const one = list.querySelector(`[data-key="${key}"]`);
  delete list.dataset.ready; one.value = value; one.dispatchEvent(new Event(key === "words" ? "input" : "change"));
  return ready();
};
addEventListener("load", async () => {
  const told = {first: await ready(), hash: location.hash, cells: []};
  for (const link of document.querySelectorAll(".confusion td a")) {
    told.cells.push([+link.querySelector("data").value, await go(link.getAttribute("href"))]);
  }
  const reason = document.querySelector(".reasons a");
  told.reason = [+reason.closest("tr").children[1].textContent, await go(reason.getAttribute("href"))];
  await go("#examples?");
  told.words = [await type("words", "NUMBER 17?"), location.hash];
  told.none = [await type("words", "such words are nowhere"), list.querySelector("[data-part=state]").textContent];
  await go("#examples?page=2");
  await new Promise(done => setTimeout(done, 300));
  const rows = () => [...list.querySelectorAll("li summary")];
  rows()[0].focus();
  const press = key => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  press("ArrowDown"); told.down = rows().indexOf(document.activeElement);
  press("ArrowLeft"); await ready(); told.back = [rows().indexOf(document.activeElement), rows().length, location.hash];
  rows()[0].click(); await new Promise(done => setTimeout(done, 300));
  told.full = list.querySelector("li details[open] .full").textContent;
  told.scripts = list.querySelectorAll("script, b:not(.asked b)").length;
  told.title = document.title;
  document.body.dataset.told = JSON.stringify(told);
});
</script></body>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indices, "CHUNK", 16)
        return render_report([make_logged(folder / "run #1", logged(60, text=HOSTILE))])


def told(page: Path, folder: Path, program: str, attribute: str, *flags: str) -> Any:
    """What a program that is added to a page leaves in an attribute of its body."""
    copy = page.with_name(f"{attribute}.html")
    copy.write_text(open_page(page).replace("</body>", program), encoding="utf-8")
    dom = browse(copy, folder, "--dump-dom", "--virtual-time-budget=30000", *flags).stdout
    match = re.search(rf'data-{attribute}="([^"]*)"', dom)
    assert match, dom[-500:]
    return json.loads(markup.unescape(match[1]))


def test_the_list_opens_under_the_policy_of_the_page_and_asks_nobody(report: Path, tmp_path: Path) -> None:
    done = browse(report, tmp_path, "--dump-dom")
    assert console(done) == [] and requested(tmp_path) == set()
    assert 'data-ready="60"' in done.stdout and "1–25 of 60" in done.stdout
    assert "<title>run #1 · affectllm report</title>" in done.stdout


def test_counts_words_and_keys_lead_to_the_examples(report: Path, tmp_path: Path) -> None:
    seen = told(report, tmp_path, FOLLOW, "told")
    assert seen["first"] == 60 and seen["hash"] == "", "opening a page is nothing to remember"
    assert len(seen["cells"]) >= 9 and all(count == listed for count, listed in seen["cells"])
    assert seen["reason"] == [6, 6]
    assert seen["words"][0] == 1 and "words=NUMBER+17%3F" in seen["words"][1]
    assert seen["none"] == [0, "None of 60 examples is like that."]
    assert seen["down"] == 1 and seen["back"][:2] == [0, 25] and "page" not in seen["back"][2]
    assert HOSTILE in seen["full"] and "What was asked" in seen["full"] and "male" in seen["full"]
    assert seen["scripts"] == 0 and seen["title"] == "run #1 · affectllm report"


@pytest.mark.thorough
def test_a_sound_of_the_list_is_drawn_and_a_click_leads_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFECTLLM_PATH", str(make_builder(tmp_path / "local")))
    materialise({f"clips/{n}.wav": Tone(2.0) for n in range(4)}, tmp_path / "toy")
    page = render_report([make_logged(tmp_path / "run", logged(4))], roots={"toy": tmp_path / "toy"})
    with Browser(tmp_path / "browser") as browser:
        browser.open(page.as_uri())
        browser.click("#examples li summary")
        browser.until("document.querySelector('.full audio')?.readyState >= 1")
        assert browser.run("document.querySelector('.full .sound polygon').points.length") == 320
        assert browser.run("document.querySelector('.full .sound figcaption').textContent") == "2.0 s of sound"
        click = "new MouseEvent('click', {clientX: box.left + box.width / 4})"
        browser.run(
            f"(wave => {{ const box = wave.getBoundingClientRect(); wave.dispatchEvent({click}); }})"
            "(document.querySelector('.full .sound svg'))"
        )
        assert browser.run("document.querySelector('.full audio').currentTime") == pytest.approx(0.5, abs=0.05)
        browser.until("Number(document.querySelector('.full .now').getAttribute('x1')) > 38")
        assert browser.errors == []


def test_a_page_without_its_folder_says_so_and_shows_the_rest(report: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.html"
    alone.write_text(report.read_text(encoding="utf-8"), encoding="utf-8")
    dom = browse(alone, tmp_path / "browser", "--dump-dom").stdout
    assert "is not beside this page" in dom and TASK in dom


@needs_axe
@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1300, "dark")])
def test_axe_finds_nothing(report: Path, tmp_path: Path, width: int, scheme: str) -> None:
    assert found(report, tmp_path / "browser", width=width, scheme=scheme) == []
