"""`affectllm chat`: lines in, replies out; clips by their paths, a history, and errors that end nothing."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from affectllm.cli import main
from affectllm.corpus.miniature import Clip, Picture, Tone, materialise
from affectllm.errors import AffectError
from affectllm.model.load import Model, load_model
from affectllm.predict.answering import Answering
from affectllm.predict.chat import Chat, parts_of_line, talk
from affectllm.predict.items import ROOTS
from affectllm.respond.in_process import InProcess

OMNI, AUDIO = "tiny:qwen2_5_omni", "tiny:qwen2_audio"
CLIPS = {
    "a.wav": Tone(),
    "b.wav": Tone(pitch=880.0),
    "my films/one day.mp4": Clip(),
    "mute.mp4": Clip(sound=False),
    "face.png": Picture(),
    "broken.wav": b"no sound",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    materialise(CLIPS, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def omni() -> Model:
    return load_model(OMNI)


def chat_with(model: Model, **options: object) -> Chat:
    return Chat(Answering(InProcess(model), ROOTS), max_new_tokens=6, **options)  # type: ignore[arg-type]


def test_lines_of_a_pipe_are_answered_until_quit(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    lines = ["Hello.", "", "What is in face.png?", "How is a.wav?", "/look", "/quit", "Never asked."]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    assert main(["chat", "--model", AUDIO, "--max-new-tokens", "6"]) == 0
    replies = capsys.readouterr().out
    assert "face.png: qwen2_audio does not take image\n  → it takes audio, text" in replies
    assert "/look is followed by the path of a clip" in replies
    others = [line for line in replies.splitlines() if not line.startswith(("error", "  →"))]
    assert len(others) == 2 and all(others)


@pytest.mark.parametrize(
    ("line", "clips", "words"),
    [
        ("What does she feel in a.wav?", ["a.wav"], "What does she feel in?"),
        ("Compare a.wav, and (b.wav).", ["a.wav", "b.wav"], "Compare, and."),
        ('Who is in "my films/one day.mp4" today', ["one day.mp4"], "Who is in today"),
        ("I read notes.txt in the U.S. yesterday", [], "I read notes.txt in the U.S. yesterday"),
        ("It's ours, isn't it", [], "It's ours, isn't it"),
        ("a.wav", ["a.wav"], ""),
    ],
)
def test_a_path_in_a_line_is_a_clip_and_everything_else_is_words(line: str, clips: list[str], words: str) -> None:
    refs, others = parts_of_line(line)
    assert ([Path(ref.path).name for ref in refs], others) == (clips, words)


def test_a_path_of_a_clip_that_is_not_there_is_refused() -> None:
    with pytest.raises(AffectError, match=r"no clip gone\.wav"):
        parts_of_line("Listen to gone.wav.")


def test_the_history_is_kept_and_forgotten(omni: Model) -> None:
    chat = chat_with(omni)
    first = chat.ask("How is a.wav?")
    second = chat.ask("And now?")
    assert [message["role"] for message in chat.messages] == ["user", "assistant"] * 2
    assert chat.obey("/reset") and not chat.messages
    assert chat.ask("And now?") != second  # what it was about is gone
    chat.obey("/reset")
    assert chat.ask("How is a.wav?") == first
    chat.obey("/reset")
    assert chat.ask("How is b.wav?") != first


def test_a_line_that_cannot_be_asked_leaves_no_trace(omni: Model) -> None:
    chat, replies = chat_with(omni), list[str]()
    talk(chat, ["Listen to broken.wav", "x " * 60_000, "/nothing", "Is mute.mp4 sad?"], replies.append)
    assert "broken.wav: unreadable" in replies[0] and "too_many_tokens" in replies[1] and "/reset" in replies[1]
    assert replies[2].startswith("there is no /nothing") and not replies[3].startswith("error")
    assert len(chat.messages) == 2 and "sound" not in chat.messages[0]["content"][0]


def test_look_takes_paths_with_blanks_as_they_are(omni: Model) -> None:
    chat = chat_with(omni, system="Be brief.")
    assert chat.obey("/look my films/one day.mp4 Who is it?")
    clip, words = chat.messages[0]["content"]
    assert (clip["type"], clip["sound"], words["text"]) == ("video", True, "Who is it?")
    other = chat_with(omni)
    other.obey("/look my films/one day.mp4 Who is it?")
    assert other.messages != chat.messages  # another system prompt, another reply
    with pytest.raises(AffectError, match="no clip nowhere"):
        chat.obey("/look nowhere Who is it?")


def test_words_that_are_drawn_are_not_the_same_every_time(omni: Model) -> None:
    chat, replies = chat_with(omni, generation={"do_sample": True, "temperature": 5.0}), set()
    for _ in range(4):
        chat.obey("/reset")
        replies.add(chat.ask("Hello"))
    assert len(replies) > 1


@pytest.mark.slow
@pytest.mark.thorough
def test_somebody_who_types_is_prompted(folder: Path) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "affectllm.cli", "chat", "--model", AUDIO, "--max-new-tokens", "4"]
    with subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        os.write(ours, b"Hello\n/quit\n")
        out, err = process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == 0 and "takes audio, text. /help for help." in err
    assert out.count("> ") + err.count("> ") >= 1
