"""Open a page in Chromium, use it, and say what is wrong: words that run, requests, errors, clips that do not load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from driving import BROWSER, Browser

_READY = """document.readyState == 'complete'
  && !document.querySelector('#examples:not([data-ready]) [data-part=body]')"""
# Everything that folds is opened, every choice made and each search field given hostile words.
_USE = """(async words => {
  const wait = () => new Promise(done => setTimeout(done, 30));
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  const none = [];
  for (const field of document.querySelectorAll('input[type=search]')) {
    field.value = words;
    for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, {bubbles: true}));
    await wait();
    field.value = '';
    for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, {bubbles: true}));
  }
  await wait();
  for (const field of document.querySelectorAll('.finder select')) for (const option of field.options) {
    field.value = option.value;
    field.dispatchEvent(new Event('change', {bubbles: true}));
    if (option.value && document.getElementById('shown').textContent == '0') none.push(option.value);
    field.value = '';
    field.dispatchEvent(new Event('change', {bubbles: true}));
  }
  if (typeof data == 'object' && data.items) {
    for (const _ of data.items) { rate(data.scale[0]); }
    const kept = Object.keys(JSON.parse(localStorage.getItem(key)).ratings);
    if (kept.length != data.items.length) none.push('a rating is lost');
    if (table().length < data.items.length * 5) none.push('a rating is not saved');
  }
  await wait();
  return none;
})(%s)"""
_SEEN = """(() => {
  const strings = one => typeof one == 'string' ? one
    : one && typeof one == 'object' ? Object.entries(one).flat().map(strings).join(' ') : '';
  const all = [...document.querySelectorAll('*')];
  return {
    title: document.title, ran: window.pwned ?? null,
    made: all.filter(e => /(^| )pwned( |$)/.test(e.getAttribute('class') ?? '')
      || [...e.attributes].some(a => /^on/i.test(a.name))).map(e => e.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll('a[href], area[href]')].map(a => a.getAttribute('href')),
    text: document.body.textContent + ' '
      + [...document.querySelectorAll('script[type="application/json"]')].map(s => strings(JSON.parse(s.textContent))),
    hidden: getComputedStyle(document.body).display == 'none' };
})()"""
_CLIPS = """Promise.all([...document.querySelectorAll('audio, video, img')].map(one => new Promise(done => {
  const bad = () => done((one.currentSrc || one.src).slice(0, 300)), good = () => done('');
  setTimeout(bad, 20000);
  if (one.tagName == 'IMG') {
    one.loading = 'eager';
    if (one.complete && one.naturalWidth) return good();
    one.onload = good; one.onerror = bad; one.src = one.src;
  } else {
    one.onloadedmetadata = good; one.onerror = bad; one.preload = 'metadata'; one.load();
  }
})))"""


def opened(pages: Sequence[Path], words: str, shown: Sequence[str], scratch: Path) -> str:
    """Open pages, HTML and Markdown, and return what is wrong with them; nothing where all is well.

    Args:
        words: what is typed into fields.
        shown: texts of which each page shows one at least.
        scratch: in which the browser may keep what it needs.
    """
    faults = [f"{page.name}: {fault}" for page in pages if page.suffix == ".md" for fault in rendered(page, shown)]
    html = [page for page in pages if page.suffix == ".html"]
    if BROWSER is None or not html:
        return "; ".join(faults)
    # A profile of an earlier browser would tell where that one listened.
    with TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as own, Browser(Path(own)) as browser:
        for page in html:
            faults += [f"{page.name}: {fault}" for fault in _looked_at(browser, page, words, shown)]
    return "; ".join(faults)


def _looked_at(browser: Browser, page: Path, words: str, shown: Sequence[str]) -> Iterator[str]:
    browser.requested.clear()
    browser.errors.clear()
    browser.open(page.as_uri())
    browser.until(_READY)
    none = browser.run(_USE % json.dumps(words))
    lost = [one for one in browser.run(_CLIPS) if one]
    seen: dict[str, Any] = browser.run(_SEEN)
    if seen["ran"] is not None or seen["title"] == "pwned":
        yield "words were run"
    if seen["hidden"]:
        yield "words are styles of the page"
    yield from (f"words are markup: {one}" for one in seen["made"][:2])
    yield from (
        f"a link runs words: {one}" for one in seen["links"] if re.match(r"\s*(javascript|vbscript):", one, re.I)
    )
    yield from (f"a choice shows nothing: {one!r}" for one in none[:2])
    yield from (f"a clip does not load: {one}" for one in lost[:2])
    yield from (f"an error: {one[:300]}" for one in browser.errors[:2])
    yield from (f"it asked for {one}" for one in browser.requested if re.match("(https?|wss?|ftp):", one))
    if shown and not any(_plain(one) in _plain(seen["text"]) for one in shown):
        yield "none of the words is shown as words"


def _plain(text: str) -> str:
    """Without blanks, what no file or page keeps, and marks of direction, which Markdown names."""
    return re.sub(r"[\s\x00-\x1f\ufeff\ufffd\u202a-\u202e\u2066-\u2069]+|\(U\+20[0-9A-F]{2}\)", "", text)


def rendered(page: Path, shown: Sequence[str]) -> Iterator[str]:
    """Yield what a text in Markdown makes of words when it is rendered as the Hub does; its header is YAML."""
    import markdown_it
    from huggingface_hub import metadata_load
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    text = page.read_text(encoding="utf-8")
    if header := REGEX_YAML_BLOCK.search(text):
        text = text[header.end() :]
        if "pwned" in (metadata_load(page) or {}):
            yield "words are keys of its header"
    reader = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]
    look = _Look()
    look.feed(reader.render(text))
    yield from look.faults[:3]
    if shown and not any(_plain(one) in _plain(look.text) for one in shown):
        yield "none of the words is shown as words"


class _Look(HTMLParser):
    """Notes what came of words: elements, handlers, links, pictures from elsewhere, headings."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.text, self._heading = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        goal = (about.get("href") or about.get("src") or "").strip().lower()
        if tag in ("script", "style", "svg", "textarea") or "pwned" in (about.get("class") or "").split():
            self.faults.append(f"words are markup: <{tag} {attrs}>")
        elif any(name.startswith("on") for name in about) or goal.startswith(("javascript:", "vbscript:")):
            self.faults.append(f"words would be run: <{tag} {attrs}>")
        elif tag == "img" and goal.startswith("http"):
            self.faults.append(f"a picture from elsewhere: {goal}")
        self._heading = bool(re.fullmatch("h[1-6]|th", tag))

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"a comment hides what follows: {data[:80]!r}")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._heading and data.strip() == "pwned":
            self.faults.append("words are a heading")
        self._heading = False
