"""The folder of a Space: what the Hub reads in it, what may not be in it, and that it starts as it stands."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from made_run import make_builder, make_run

from affectllm.cli import main
from affectllm.model.load import load_model

OMNI = "tiny:qwen2_5_omni"


def write(folder: Path, *words: str) -> int:
    return main(["demo", *words, "--space", str(folder)])


def test_the_card_is_what_the_hub_reads_and_the_page_is_asked_as_here(tmp_path: Path, capsys) -> None:
    from huggingface_hub import SpaceCard

    words = ("--against", OMNI, "--labels", "joy,fear", "--budget", "max_frames=4", "--language", "zh")
    assert write(tmp_path / "space", "Qwen/Qwen2.5-Omni-7B", *words) == 0
    assert "hf upload OWNER/NAME" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "space").iterdir()) == ["README.md", "app.py", "requirements.txt"]
    data = SpaceCard.load(tmp_path / "space" / "README.md").data
    assert (data.sdk, data.app_file, data.models) == ("gradio", "app.py", ["Qwen/Qwen2.5-Omni-7B"])
    assert data.sdk_version and data.title == "space" and "affectllm" in data.tags
    assert (tmp_path / "space" / "requirements.txt").read_text().startswith("affectllm[demo,models]==")
    names: dict = {"__name__": "app"}
    exec((tmp_path / "space" / "app.py").read_text(), names)
    plain = ["--against", OMNI, "--labels", "joy,fear", "--language", "zh", "--template", "emotion_choice"]
    assert names["WORDS"] == ["Qwen/Qwen2.5-Omni-7B", *plain, "--budget", "max_frames=4"]


def test_what_cannot_go_into_a_space_is_refused_and_leaves_nothing(tmp_path: Path, capsys) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    load_model("tiny:qwen2").model.save_pretrained(tmp_path / "base")
    make_run(tmp_path / "run")
    config = json.loads((tmp_path / "run/train/final/adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(
        json.dumps({**config, "base_model_name_or_path": str(tmp_path / "base")})
    )
    (adapter / "adapter_model.safetensors").write_bytes(
        (tmp_path / "run/train/final/adapter_model.safetensors").read_bytes()
    )
    for words, what in (
        ((tmp_path / "full", OMNI), "something is there already"),
        ((tmp_path / "a", "affectllm-api", "--model_args", "base_url=http://x/v1,model=m"), "no endpoint of yours"),
        ((tmp_path / "b", str(adapter)), "its base model lies on this machine"),
    ):
        assert write(words[0], *words[1:]) == 2
        assert what in capsys.readouterr().err
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_weights_of_a_run_whose_corpus_may_not_be_passed_on_stay_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    closed = make_builder(tmp_path / "local", "toy", licence="EULA", access="eula", redistribution=False)
    monkeypatch.setenv("AFFECTLLM_PATH", str(closed))
    sys.modules.pop("affectllm.data_builders.toy", None)
    run = make_run(tmp_path / "run")
    config = run / "train" / "final" / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": "tiny:qwen2_5_omni"}))
    assert write(tmp_path / "space", str(run)) == 2
    assert "Toy corpus (EULA" in capsys.readouterr().err
    sys.modules.pop("affectllm.data_builders.toy", None)
    make_builder(tmp_path / "local", "toy")
    assert write(tmp_path / "space", str(run)) == 0
    names = {path.relative_to(tmp_path / "space").as_posix() for path in (tmp_path / "space").rglob("*.*")}
    assert {"app.py", "model/adapter_model.safetensors", "model/adapter_config.json"} <= names
    assert "model/training_args.bin" not in names


@pytest.mark.thorough
@pytest.mark.slow
def test_it_starts_as_it_stands_with_the_weights_of_a_local_model(tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    model = load_model(OMNI)
    model.model.save_pretrained(tmp_path / "mine")
    model.processor.save_pretrained(tmp_path / "mine")
    assert write(tmp_path / "space", str(tmp_path / "mine")) == 0
    text = "".join(path.read_text() for path in (tmp_path / "space").iterdir() if path.is_file())
    assert str(tmp_path) not in text
    (tmp_path / "mine").rename(tmp_path / "elsewhere")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    log = tmp_path / "log"
    with log.open("wb") as stream:
        app = subprocess.Popen(
            [sys.executable, "app.py"], cwd=tmp_path / "space", env=environment, stdout=stream, stderr=stream
        )
    try:
        deadline = time.monotonic() + 180
        while " http://127.0.0.1" not in log.read_text():
            assert app.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=30) as answer:
            assert json.load(answer)["title"] == "affectllm"
    finally:
        app.terminate()
        app.wait()
