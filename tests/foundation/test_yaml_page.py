"""Pages of YAML that would take the memory or the time are refused with their line, in whatever room they are read."""

from __future__ import annotations

import ast
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from affectllm.data_builders.generic._page import read_page as read_own_page

from affectllm.errors import Malformed, NotFound
from affectllm.evaluate.matrix import read_tasks
from affectllm.instruct.mixture_page import load_mixture
from affectllm.instruct.wording import load_wording
from affectllm.train.recipe import RECIPE, launch_file, load_recipe
from affectllm.yaml_page import PageKind, first_comment, parse_page, read_page, read_value

ROOT = Path(__file__).parents[2]
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
    "recipes and mixtures": lambda path: read_page(path, RECIPE),
    "tasks": read_tasks,
    "corpora of one's own": lambda path: read_own_page(path, str(path)),
    "templates": lambda path: load_wording(str(path)),
    "plain values": lambda path: read_value(path.read_text(encoding="utf-8"), str(path)),
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
        read_value(text, "page.yaml")


def test_what_pages_hold_is_read_as_before() -> None:
    text = "shared: &s {lr: 1.0e-4, on: true}\none: *s\ntwo: {<<: *s, lr: 2}\nwhen: 2024-01-02\nf: !function a.b\n"
    kind = PageKind("task", words=("!function",))
    page = parse_page(text, "page.yaml", kind).value
    assert page["one"] == {"lr": 1.0e-4, "on": True} and page["two"] == {"lr": 2, "on": True}
    assert str(page["when"]) == "2024-01-02" and page["f"] == "a.b"
    assert read_value("{2: a, on: b}", "--option x") == {2: "a", True: "b"}
    assert read_value("", "page.yaml") is None


def test_merged_mappings_stand_behind_what_is_written_and_the_first_of_them_before_the_others() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n  y: 3\n"
    page = parse_page(text, "page.yaml")
    assert page.value["c"] == {"x": 1, "y": 3, "z": 2}
    assert [page.where(("c", key)) for key in "xyz"] == ["page.yaml:1", "page.yaml:5", "page.yaml:2"]


READING = {"load", "load_all", "safe_load", "safe_load_all", "full_load", "unsafe_load", "compose", "parse", "scan"}


def readings(code: str) -> list[int]:
    """Lines that read YAML by PyYAML itself, under whatever name it is imported."""
    lines, modules = [], set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name in ("yaml", "ruamel.yaml")}
        if isinstance(node, ast.ImportFrom) and node.module in ("yaml", "ruamel.yaml", "omegaconf"):
            lines += [node.lineno for alias in node.names if alias.name in READING or "Loader" in alias.name]
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            lines += [node.lineno] if node.attr in READING or "Loader" in node.attr else []
    return lines


def test_the_check_sees_who_reads_yaml() -> None:
    assert readings("import yaml\nyaml.safe_dump({})\nyaml.safe_load('')") == [3]
    assert readings("import yaml as y\ny.CSafeLoader('')") == [2] and readings("from yaml import compose") == [1]


@pytest.mark.parametrize("tag", ["!!python/name:os.system", "!function", "!include"])
def test_a_tag_before_a_key_is_refused(tag: str, tmp_path: Path) -> None:
    """lm-eval's own reader leaves such a page out, and says that there is no task of its name."""
    path = tmp_path / "page.yaml"
    path.write_text(f"task: moods\n{tag} metrics: [uar]\n")
    with pytest.raises(Malformed, match=r"page\.yaml:2: the tag .* is not allowed: a key is a word"):
        read_tasks(path)


def test_nobody_else_reads_yaml() -> None:
    files = [path for room in ("affectllm", "data_builders", "scripts") for path in (ROOT / room).rglob("*")]
    pages = [path for path in files if path.suffix in ("", ".py") and path.is_file()]
    python = {path: text for path in pages if is_python(path, text := path.read_text(encoding="utf-8"))}
    readers = {path.relative_to(ROOT).as_posix() for path, text in python.items() if readings(text)}
    assert len(python) > 200 and readers == {"affectllm/yaml_page.py"}


def is_python(path: Path, text: str) -> bool:
    return path.suffix == ".py" or "python" in text.partition("\n")[0]


@pytest.mark.parametrize(
    ("read", "noun"),
    [
        (load_recipe, "recipe"),
        (lambda path: read_tasks(Path(path)), "task"),
        (load_mixture, "mixture"),
        (load_wording, "template"),
    ],
    ids=["recipe", "task", "mixture", "template"],
)
def test_a_key_twice_and_a_list_are_refused_in_every_room_and_the_page_is_called_what_it_is(
    read, noun, tmp_path
) -> None:
    path = tmp_path / "page.yaml"
    path.write_text("a: 1\nb: {c: 1,\n  c: 2}\n", encoding="utf-8")
    with pytest.raises(Malformed, match=r"page\.yaml:3.*'c' is given twice"):
        read(str(path))
    path.write_text("- a\n- b\n", encoding="utf-8")
    with pytest.raises(Malformed, match=rf"page\.yaml:1: this {noun} is not a mapping"):
        read(str(path))
    path.write_text("a: !!set {b}\n", encoding="utf-8")
    with pytest.raises(Malformed, match=r"page\.yaml:1.*set"):
        read(str(path))
    with pytest.raises(NotFound):
        read(str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: !function {c: d}\n", r"page\.yaml:2: the tag !function is not allowed: an answer is data"),
        ("a: 1\nb: {<<: 1}\n", r"page\.yaml:2: not YAML: << takes a mapping"),
        ("a: 1\n---\nb: 2\n", r"page\.yaml:2: not YAML"),
        ("a: 1\n? [b]\n: 2\n", r"page\.yaml:2: a key is a word"),
        ("", r"page\.yaml:1: this answer is not a mapping"),
        ("a: 1\n\tb: 2\n", r"page\.yaml:2: not YAML"),
        ("a: 1\nb: !!timestamp x\n", r"page\.yaml:2: not YAML"),
    ],
)
def test_what_is_no_plain_data_is_told_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        parse_page(text, "page.yaml", PageKind("answer", words=("!function",)))


def test_a_pipe_in_place_of_a_page_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "page.yaml")
    with pytest.raises(Malformed, match=r"page\.yaml: no regular file"):
        read_page(path)
    assert first_comment(path) == ""


def test_an_error_that_nothing_is_called_so_gets_the_line_that_calls_it_so() -> None:
    page = parse_page("a: 1\nb: {c: meldd}\n", "page.yaml")
    with pytest.raises(NotFound, match=r"^page\.yaml:2: no meldd\n  → meld\?$"), page.naming(("b", "c")):
        raise NotFound("no meldd", do="meld?")


@pytest.mark.parametrize("name", ["nosuch.csv", "x" * 5_000, "a\0b"])
def test_a_file_that_is_not_there_is_told_with_the_line_that_names_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    page = parse_page("a: 1\ntable: x\n", str(tmp_path / "page.yaml"))
    page.check_file(("table",), "there.csv")
    with pytest.raises(NotFound, match=r"page\.yaml:2: there is no file"):
        page.check_file(("table",), name)
