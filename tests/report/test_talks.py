"""The gallery of conversations: what is drawn, shown, linked and escaped, and the commands that write it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from built_mixture import HOSTILE, built_mixture, hostile

from affectllm.cli import main
from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.errors import Malformed
from affectllm.instruct.conversations import conversation_files
from affectllm.report.galleries.conversation_gallery import render_conversations

CLIPS = (
    '(MediaRef(f"clips/{number % 3}.mp4", "video", start=0.25, end=0.75, sound=True),'
    ' MediaRef(f"clips/{number % 2}.wav", "audio"))'
)


def page_of(build: Path) -> str:
    return (build / "gallery.html").read_text(encoding="utf-8")


def articles(text: str) -> list[str]:
    return re.findall(r'<article class="sample".*?</article>', text, re.DOTALL)


def test_every_kind_gets_an_even_share_and_the_same_ones_again(tmp_path: Path, monkeypatch) -> None:
    build = built_mixture(tmp_path, monkeypatch)
    page = tmp_path / "some.html"
    once = render_conversations("toy", build, {}, 9, page).read_bytes()
    assert render_conversations("toy", build, {}, 9, page).read_bytes() == once
    text = once.decode()
    assert len(articles(text)) == 9
    assert text.count('data-template="empathetic_reply"') == 3 and text.count('data-language="zh"') == 3
    with pytest.raises(Malformed, match="at least one"):
        render_conversations("toy", build, {}, 0)


def test_a_small_build_is_shown_whole_and_counted(tmp_path: Path, monkeypatch) -> None:
    build = built_mixture(tmp_path, monkeypatch)
    import pyarrow.parquet as parquet

    sizes = {
        split: sum(parquet.read_metadata(path).num_rows for path in conversation_files(build, split))
        for split in ("train", "validation")
    }
    text = page_of(build)
    assert len(articles(text)) == sum(sizes.values()) < 200
    assert f"{sizes['train']} train, {sizes['validation']} validation" in text
    for split, count in sizes.items():
        assert text.count(f'data-split="{split}"') == count
    cells = [list(map(int, re.findall(r'class="num">(\d+)<', row))) for row in re.findall(r"<tr><td>.*?</tr>", text)]
    assert [sum(column) for column in zip(*cells, strict=True)] == [*sizes.values(), sum(sizes.values())]
    assert set(re.findall(r'data-labels="([^"]*)"', text)) == {"joy", "anger", "fear", ""}, "words are no labels"
    joys = [article for article in articles(text) if 'data-labels="joy"' in article]
    assert joys and all("joy" in article.split("assistant")[1] or 'data-language="zh"' in article for article in joys)


def test_clips_are_linked_with_their_span_and_missing_ones_are_said(tmp_path: Path, monkeypatch) -> None:
    materialise({"clips/0.mp4": Clip(), "clips/1.mp4": Clip(), "clips/0.wav": Tone()}, tmp_path / "roots" / "toy")
    build = built_mixture(tmp_path, monkeypatch, media=CLIPS, modalities="video, text")
    text = page_of(build)
    links = [html.unescape(link) for link in re.findall(r'src="([^"]+)"', text)]
    assert links and all(link.endswith("#t=0.25,0.75") for link in links)
    assert all((build / unquote(link.partition("#")[0])).is_file() for link in links)
    assert "clips/2.mp4, 0.25 s to 0.75 s</bdi> is not on this disk" in text
    assert "0.25 s to 0.75 s; the model is shown it without sound" in text
    assert not re.findall(r'(?:src|href)="(?:https?:|//)', text), "a gallery asks nobody for anything"


def test_sound_alone_plays_and_sound_with_pictures_is_not_muted(tmp_path: Path, monkeypatch) -> None:
    materialise({f"clips/{n}.mp4": Clip() for n in range(3)}, tmp_path / "roots" / "toy")
    text = page_of(built_mixture(tmp_path, monkeypatch, media=CLIPS, modalities="video, audio"))
    assert "<video controls" in text and " muted" not in text
    materialise({f"clips/{n}.wav": Tone() for n in range(2)}, tmp_path / "roots" / "toy")
    text = page_of(built_mixture(tmp_path, monkeypatch, media=CLIPS, modalities="audio"))
    assert "<audio controls" in text and "<video" not in text


def test_a_clip_outside_of_its_corpus_is_not_linked(tmp_path: Path, monkeypatch) -> None:
    build = built_mixture(tmp_path, monkeypatch, media='(MediaRef("here.txt", "audio"),)', modalities="audio")
    assert "here.txt</bdi></a> (browsers do not play" in page_of(build)
    root = tmp_path / "roots" / "toy"
    (root / "here.txt").unlink()
    (root / "here.txt").symlink_to(tmp_path / "small.yaml")
    render_conversations("toy", build, {"toy": root})
    assert "here.txt</bdi> is not on this disk" in page_of(build) and "small.yaml" not in page_of(build)


def test_hostile_words_stay_words(tmp_path: Path, monkeypatch) -> None:
    build = built_mixture(tmp_path, monkeypatch, edits=hostile())
    text = page_of(build)
    assert text.count("<script") == text.count("</script>") == 1 and "</textarea>" not in text
    assert "{{ 7*7 }}" in text, "no template is filled in twice"
    assert html.escape(HOSTILE.partition("\n")[0], quote=False) in html.unescape(text).replace("<", "&lt;").replace(
        ">", "&gt;"
    )
    for before in re.findall(r"(<[^<>]*>)[^<>]*\u202e", text):
        isolated = before == "<bdi>" or 'dir="auto"' in before or before.startswith("<article")
        assert isolated, f"the direction leaks out of {before}"


def test_the_command_takes_a_folder_of_conversations_and_a_run(tmp_path: Path, monkeypatch, capsys) -> None:
    build = built_mixture(tmp_path, monkeypatch)
    whole = (build / "gallery.html").read_bytes()
    for folder in (build, build.parent):
        (build / "gallery.html").unlink()
        capsys.readouterr()
        assert main(["gallery", str(folder)]) == 0
        assert capsys.readouterr().out.strip() == str(build / "gallery.html")
        assert b"<bdi>run0</bdi>" in (build / "gallery.html").read_bytes()
    assert (
        whole.replace(b"small</", b"run0</").replace(b"small \xc2", b"run0 \xc2")
        == (build / "gallery.html").read_bytes()
    )
    assert main(["gallery", str(build), "-n", "2", "--out", str(tmp_path / "two.html")]) == 0
    assert len(articles((tmp_path / "two.html").read_text(encoding="utf-8"))) == 2


def test_building_a_recipe_ends_with_the_gallery(tmp_path: Path, monkeypatch, capsys) -> None:
    built_mixture(tmp_path, monkeypatch)
    recipe = tmp_path / "toy_tiny.yaml"
    recipe.write_text(
        "description: a test\nseed: 1\n"
        "data:\n  mixture:\n"
        "    - {corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}\n"
        "model: {path: 'tiny:qwen2', backbone: qwen2, dtype: float32}\ntrainer: {max_steps: 1}\nlaunch: cpu\n",
        encoding="utf-8",
    )
    root = tmp_path / "roots" / "toy"
    assert main(["build", str(recipe), "--root", f"toy={root}", "--out", str(tmp_path / "r")]) == 0
    assert (tmp_path / "r" / "build" / "gallery.html").is_file()
    assert "gallery.html" in capsys.readouterr().out
