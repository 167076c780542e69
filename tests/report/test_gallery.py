"""The gallery of a corpus and its statistics: what is counted, shown, linked and escaped."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from affectllm import registry
from affectllm.cli import main
from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.tally import count, ranked, rows
from affectllm.errors import Malformed
from affectllm.report.display import annotation
from affectllm.report.galleries.gallery import render_gallery


def materialised(name: str, folder: Path) -> Path:
    return materialise(load_builder(name).MINIATURE, folder / "corpus with a space")


@pytest.mark.parametrize("name", list(registry.names("data_builders")))
def test_every_corpus_has_a_gallery(name: str, tmp_path: Path) -> None:
    root = materialised(name, tmp_path)
    page = render_gallery(name, root, tmp_path / "out" / "page.html")
    html = page.read_text(encoding="utf-8")
    items = list(load_builder(name).samples(root))
    assert html.count('<article class="sample"') == sum(isinstance(item, Sample) for item in items)
    for reason in {item.reason for item in items if isinstance(item, Rejection)}:
        assert reason in html
    for link in re.findall(r'src="([^"]+)"', html):
        assert (page.parent / unquote(link.partition("#")[0])).is_file() and " " not in link, link
    assert not re.findall(r'(?:src|href)="https?:', html), "a gallery asks nobody for anything"


def test_a_gallery_draws_the_same_samples_again_and_no_more_than_asked(tmp_path: Path) -> None:
    root = materialised("meld", tmp_path)
    one, two = (render_gallery("meld", root, tmp_path / f"{n}.html", limit=2) for n in "ab")
    assert one.read_bytes() == two.read_bytes()
    assert one.read_text(encoding="utf-8").count('<article class="sample"') == 2
    # A name may turn the direction of words, but of its own alone.
    assert len(re.findall("speaker <bdi>[^<]+</bdi>, dialogue <bdi>", one.read_text(encoding="utf-8"))) == 2
    with pytest.raises(Malformed, match="at least one sample"):
        render_gallery("meld", root, tmp_path / "c.html", limit=0)


def test_words_of_a_corpus_stay_words(tmp_path: Path) -> None:
    root = materialised("goemotions", tmp_path)
    line = '<script>alert("x")</script> & more\t3\tevil1\n'
    (root / "train.tsv").write_text(line, encoding="utf-8")
    html = render_gallery("goemotions", root, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html


def test_numbers_are_counted_in_parts_of_their_range_and_votes_by_the_largest(tmp_path: Path) -> None:
    root, card = materialised("crema_d", tmp_path), load_builder("crema_d").CARD
    tally = count(load_builder("crema_d").samples(root), card, root)
    levels = next(key for key in tally.labels if card.space(key.partition(" by ")[0]).kind == "dimension")
    names = [name for name, _ in ranked(tally, levels)]
    assert all(re.fullmatch(r"\w+ [+-][\d.]+ to [+-][\d.]+", name) for name in names)
    assert sum(tally.splits.values()) == sum(isinstance(item, Sample) for item in load_builder("crema_d").samples(root))
    assert any("crema_d_6 by actor" in line for line in rows(tally))


def test_stats_are_printed_drawn_and_kept(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = materialised("emodb", tmp_path)
    assert main(["build", "emodb", "--root", f"emodb={root}", "--out", "out", "--stats"]) == 0
    out = capsys.readouterr().out
    stats = json.loads((tmp_path / "out" / "emodb" / "stats.json").read_text(encoding="utf-8"))
    assert "emodb_7 by actor" in out and "█" in out and stats["rejections"]["media_missing"] == 1
    assert stats["seconds"]["audio"] == {"under 1 s": stats["modalities"]["audio"]}
    assert (tmp_path / "out" / "emodb" / "stats.png").read_bytes()[:4] == b"\x89PNG"


def test_the_command_says_where_the_page_is(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = materialised("ravdess", tmp_path)
    assert main(["gallery", "ravdess", "--root", f"ravdess={root}", "-n", "3"]) == 0
    page = tmp_path / capsys.readouterr().out.strip()
    assert page.is_file() and page.name == "ravdess.html"


def test_a_dimension_at_zero_is_told_and_a_share_of_nothing_is_not() -> None:
    assert annotation({"valence": 0.0, "arousal": 0.5}) == "valence 0, arousal 0.5"
    assert annotation({"anger": 1.0, "fear": 0.0}, zeros=False) == "anger 1"
    assert annotation(["joy", "fear"]) == "joy, fear" and annotation([]) == "(none)"
