"""Pages of YAML that would take the memory or the time are refused with their line, in whatever room they are read."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from affectllm.data_builders.generic._page import read_page as read_own_page

from affectllm import bounded
from affectllm.errors import Malformed
from affectllm.evaluate.page import read_page as read_task
from affectllm.instruct.wording import load_wording
from affectllm.page import read_page
from affectllm.train.recipe import launch_file

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
BOMBS = {
    "lists of lists of aliases": LAUGHS,
    "merged aliases": "a: &a {x: 1}\n"
    + "".join(
        f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    ),
    "a list in itself": "a: &a [*a]\n",
    "a mapping in itself": "&top\na: {b: *top}\n",
    "a key that is a list in itself": "? &a [*a]\n: 1\n",
    "lists in lists": "a: " + "[" * 20_000 + "]" * 20_000 + "\n",
    "mappings in mappings": "".join(" " * depth + f"k{depth}:\n" for depth in range(300)) + " " * 301 + "end: 1\n",
    "many values": "a: [" + "1, " * 200_000 + "1]\n",
    "many keys": "".join(f"k{number}: 1\n" for number in range(60_000)),
    "a long file": "# " + "x" * (2 << 20) + "\na: 1\n",
    "a long number": "a: 1" + "0" * 50_000 + "\n",
    "a long number in base 60": "a: 1" + ":59" * 50_000 + "\n",
}


READERS: dict[str, Callable[[Path], object]] = {
    "recipes and mixtures": read_page,
    "tasks": read_task,
    "corpora of one's own": lambda path: read_own_page(path, str(path)),
    "templates": lambda path: load_wording(str(path)),
    "plain values": lambda path: bounded.load(bounded.read_text(path), str(path)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_configuration_for_accelerate_is_looked_at_before_it_is_handed_on(bomb: str, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    (tmp_path / "recipes/launch").mkdir(parents=True)
    (tmp_path / "recipes/launch/mine.yaml").write_text(BOMBS[bomb], encoding="utf-8")
    with pytest.raises(Malformed, match=r"mine\.yaml"):
        launch_file("mine")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_page_that_would_take_the_memory_is_refused(bomb: str, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "page.yaml"
    path.write_text(BOMBS[bomb], encoding="utf-8")
    tracemalloc.start()
    try:
        with pytest.raises(Malformed) as caught:
            READERS[reader](path)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert "page.yaml" in caught.value.where and caught.value.do


def test_a_value_on_the_command_line_is_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "page.yaml").write_text("a: 1\n", encoding="utf-8")
    page = read_page(tmp_path / "page.yaml")
    with pytest.raises(Malformed, match="--set a"):
        page.set("a", "[" * 5000)


@pytest.mark.parametrize(
    "text", ["a: 2024-13-45\n", "a: !!python/object:os.system {}\n", "a: \x07\n", "a: &a 1\nb: *c\n"]
)
def test_what_is_not_a_value_is_told_with_its_line(text: str) -> None:
    with pytest.raises(Malformed, match=r"page\.yaml:\d+: not YAML"):
        bounded.load(text, "page.yaml")


def test_what_pages_hold_is_read_as_before() -> None:
    text = "shared: &s {lr: 1.0e-4, on: true}\none: *s\ntwo: {<<: *s, lr: 2}\nwhen: 2024-01-02\nf: !function a.b\n"
    found = bounded.load(text, "page.yaml", words=("!function",))
    assert found["one"] == {"lr": 1.0e-4, True: True} and found["two"]["lr"] == 2
    assert str(found["when"]) == "2024-01-02" and found["f"] == "a.b"
    assert bounded.load("", "page.yaml") is None
