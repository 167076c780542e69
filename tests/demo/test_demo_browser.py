"""The page of the demo in a real browser, with a camera and a microphone that are made up; nobody else is asked."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import BROWSER, Browser

from affectllm.cli import parser
from affectllm.corpus.miniature import Picture, materialise
from affectllm.demo.asking import Contender
from affectllm.model.load import load_model
from affectllm.predict.answering import Answering
from affectllm.predict.items import ROOTS
from affectllm.respond.in_process import InProcess

pytest.importorskip("gradio")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")]
OMNI, AUDIO = "tiny:qwen2_5_omni", "tiny:qwen2_audio"


def contender(name: str) -> Contender:
    return Contender(name, Answering(InProcess(load_model(name), end_of_turn=True), ROOTS))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with the page of two models open."""
    from affectllm.demo.command import serving

    words = ["demo", OMNI, "--against", AUDIO, "--votes", str(folder / "votes.jsonl"), "--port", str(free_port())]
    two, arguments = [contender(OMNI), contender(AUDIO)], parser("demo").parse_args(words)
    with serving(two, arguments) as address, Browser(folder / "browser") as browser:
        browser.open(address)
        yield browser


def answer(browser: Browser, place: str = "#answer") -> str:
    browser.until(f"document.querySelector('{place}').textContent.includes('%')")
    return str(browser.run(f"document.querySelector('{place}').innerText"))


def test_a_film_of_the_camera_is_answered_with_and_without_each_of_its_parts(browser: Browser) -> None:
    browser.click("#film button[aria-label='Capture from camera']")
    for words in ("Click to Access Webcam", "Record"):
        browser.press("#film", words)
    # The microphone of a browser without one beeps each second; a busy machine loses some, and silence is no sound.
    browser.run("new Promise(done => setTimeout(done, 4000))")
    browser.press("#film", "Stop")
    browser.until("!!document.querySelector('#film video')?.src")
    browser.write("#words textarea", "so glad to see you")
    browser.click("#ask")
    assert "happiness" in answer(browser)
    without = browser.run("document.querySelector('#without').innerText")
    for words in ("given everything", "saw no film", "heard nothing", "read no words"):
        assert words in without


def test_two_models_are_compared_without_their_names_until_somebody_has_voted(browser: Browser, folder: Path) -> None:
    browser.run("[...document.querySelectorAll('button[role=tab]')].find(e => e.innerText.includes('blindly')).click()")
    browser.write("#words textarea", "I lost my keys")
    browser.until("document.querySelector('#a1')?.disabled === true")
    browser.click("#ask-both")
    answer(browser, "#first"), answer(browser, "#second")
    shown = browser.run("document.querySelector('#first').closest('[role=tabpanel]').innerText")
    assert OMNI not in shown and AUDIO not in shown
    browser.click("#a2")
    browser.until("document.querySelector('#revealed').innerText.includes('The first was')")
    browser.until("document.querySelector('#a1').disabled")  # one vote a comparison
    (vote,) = [json.loads(line) for line in (folder / "votes.jsonl").read_text().splitlines()]
    assert {vote["first"], vote["second"]} == {OMNI, AUDIO} and vote["choice"] == "a2"
    assert f"The first was {vote['first']}" in browser.run("document.querySelector('#revealed').innerText")


def test_a_wrong_wish_is_explained_on_the_page(browser: Browser) -> None:
    browser.run("[...document.querySelectorAll('button[role=tab]')].find(e => e.innerText == 'Try').click()")
    browser.write("#labels textarea, #labels input", "glad")
    browser.click("#ask")
    browser.until("document.body.innerText.includes('are not several labels')")
    browser.write("#labels textarea, #labels input", "")


@pytest.mark.thorough
def test_a_picture_is_uploaded_and_seen_by_the_models_that_see(browser: Browser, tmp_path: Path) -> None:
    materialise({"face.png": Picture()}, tmp_path)
    browser.run("document.querySelector('#film button[aria-label=Clear]').click()")
    browser.write("#words textarea", "")
    browser.upload("#picture input[type=file]", tmp_path / "face.png")
    browser.until("!!document.querySelector('#picture img')?.src")
    browser.click("#ask")
    browser.until("[...document.querySelectorAll('#without tbody tr')].length == 1")
    assert "happiness" in answer(browser)


@pytest.mark.thorough
def test_the_microphone_is_heard(browser: Browser) -> None:
    browser.run("document.querySelector('#picture button[aria-label=Clear], #picture button[title=Clear]')?.click()")
    browser.click("#sound button[aria-label='Record audio']")
    browser.press("#sound", "Record")
    browser.run("new Promise(done => setTimeout(done, 1500))")
    browser.press("#sound", "Stop")
    browser.until("!!document.querySelector('#sound button[aria-label=Play]')")
    browser.click("#ask")
    browser.until("document.querySelector('#without').innerText.includes('given everything')")
    assert "happiness" in answer(browser)


def test_the_page_asks_nobody_but_its_own_machine_and_has_no_errors(browser: Browser) -> None:
    assert len(browser.requested) > 10
    assert [url for url in browser.requested if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []
    assert browser.errors == []
