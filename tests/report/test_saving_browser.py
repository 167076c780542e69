"""What the buttons of a report save: tables as the command exports them, figures as drawn, in light colours."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import BROWSER, Browser
from logged_run import HOSTILE, TASK, logged, make_logged
from PIL import Image

from affectllm.report.html import render_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.thorough,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here"),
]
DARK = [{"name": "prefers-color-scheme", "value": "dark"}]


def arrives(folder: Path, click: Callable[[], object]) -> None:
    """Click, and wait until there is one file more, whole."""
    before, deadline = len(list(folder.iterdir())), time.monotonic() + 60
    click()
    while len(names := list(folder.iterdir())) == before or any(one.suffix == ".crdownload" for one in names):
        assert time.monotonic() < deadline, "nothing was saved"
        time.sleep(0.02)
    time.sleep(0.15)  # Chromium drops what a page saves beyond ten files a second


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder that the command exported to, and the one with what every table and two figures saved in the dark."""
    folder = tmp_path_factory.mktemp("saved")
    run = make_logged(folder / "run", logged(60, likelihoods=True, text=HOSTILE))
    page, downloads = render_report([run], export=folder / "export"), folder / "downloads"
    downloads.mkdir()
    with Browser(folder / "browser") as browser:
        browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        browser.send("Emulation.setEmulatedMedia", features=DARK)
        browser.open(page.as_uri())
        browser.until("document.querySelectorAll('.saving').length > 10")
        buttons = "[...document.querySelectorAll('.saving button')]"
        tables = f"{buttons}.filter(one => ['CSV', 'LaTeX'].includes(one.textContent))"
        for number in range(browser.run(f"{tables}.length")):  # one after the other, as a person clicks
            arrives(downloads, lambda number=number: browser.run(f"{tables}[{number}].click()"))
        for name in (f"scores_{TASK}_uar", f"calibration_{TASK}"):
            for words in ("SVG", "PNG"):
                button = f"button[aria-label='Save {name} as {words}']"
                arrives(downloads, lambda button=button: browser.click(button))
        assert browser.errors == [] and not [one for one in browser.requested if one.startswith("http")]
        colour = browser.run("getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(18, 20, 24)", "the page is as dark as it was"
    return folder / "export", downloads


def test_tables_are_saved_as_the_command_exports_them(saved: tuple[Path, Path]) -> None:
    export, downloads = saved
    tables = sorted((export / "tables").iterdir())
    assert len(tables) > 15 and any(path.suffix == ".tex" for path in tables)
    for path in tables:
        assert (downloads / path.name).read_bytes() == path.read_bytes()


def test_figures_are_named_as_the_command_names_them(saved: tuple[Path, Path]) -> None:
    export, _ = saved
    html = (export.parent / "run" / "report.html").read_text(encoding="utf-8")
    names = set(re.findall(r'data-figure="([^"]+)"', html))
    assert names == {path.stem for path in (export / "figures").glob("*.svg")} and len(names) >= 5


def test_figures_are_drawings_with_words_on_white(saved: tuple[Path, Path]) -> None:
    _, downloads = saved
    root = ET.parse(downloads / f"scores_{TASK}_uar.svg").getroot()
    tag = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{tag}text")]
    assert {"run", "value", "95 % interval", "0.633"} <= set(texts) and "Save" not in texts
    assert root[0].get("fill") == "rgb(255, 255, 255)" and len(list(root.iter(f"{tag}path"))) >= 1
    assert not list(root.iter(f"{tag}script")) and not [one for one in root.iter() if one.get("href")]
    for name in (f"scores_{TASK}_uar", f"calibration_{TASK}"):
        with Image.open(downloads / f"{name}.png") as image:
            width = float(ET.parse(downloads / f"{name}.svg").getroot().get("width", "0"))
            assert image.width == 3 * width
            colours = image.convert("RGB").getcolors(1 << 24)
        assert max(colours)[1] == (255, 255, 255) and any(colour == (0, 114, 178) for _, colour in colours)
