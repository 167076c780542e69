"""What people save in the folder of an annotation stays there when the page changes. No model is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm.cli import main


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text("id,text\nr0,Good day\nr1,Good night\n")
    (tmp_path / "page.yaml").write_text("name: made\nfiles: [table.csv]\nsteps:\n  - {step: rate}\n")
    return tmp_path / "page.yaml"


def run(page: Path, *words: str) -> int:
    return main(["annotate", str(page), "--out", str(page.parent / "out"), *words])


def test_ratings_outlive_a_changed_page(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(page) == 0
    folder = page.parent / "out/rate/rate"
    saved, photo = folder / "anna.csv", folder.parent / "desk.png"
    saved.write_text("item,rater,rating\nr0,anna,wholly\n")
    photo.write_bytes(b"a picture of Anna's desk")
    steps = page.read_text().replace("{step: rate}", "{step: rate, name: second, items: 1}")
    page.write_text(steps)
    assert run(page) == 0
    told = capsys.readouterr().err
    assert (
        "it is replaced" in told and "kept, since the annotate did not write it: rate/desk.png, rate/rate/ann" in told
    )
    assert saved.read_text().endswith("wholly\n") and photo.is_file()
    assert not (folder / "items.csv").exists() and (folder.parent / "second/items.csv").is_file()
    saved.write_text(saved.read_text() + "r1,anna,partly\n")
    assert run(page) == 0 and "finished earlier" in capsys.readouterr().err  # what people write is none of the run's


def test_ratings_in_the_table_of_items_are_not_replaced(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(page) == 0
    table = page.parent / "out/rate/rate/items.csv"
    filled = table.read_text().replace(",,,,", ",,anna,wholly,")
    table.write_text(filled)
    for words in ([], ["--set", "limit=1"]):
        assert run(page, *words) == 2
        assert "somebody wrote ratings into this table" in capsys.readouterr().err
    assert table.read_text() == filled
