"""Bad clips, checkpoints, roots and recipes: a clear error or a counted rejection, and nothing else is lost."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_corpus import toy_corpus

from affectllm.cli import main
from affectllm.corpus import MediaRef, render
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.errors import AffectError, NotFound, WrongCheckpoint
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip
from affectllm.model.clips.probe import probe
from affectllm.model.load import check_model, load_model, load_processor

BUDGET = Budget(fps=2.0, max_frames=4, max_pixels=28 * 28, min_pixels=28 * 28, max_seconds=10.0)
BOTH = {"frames": True, "sound": True}
PICTURE, SOUND = {"frames": True, "sound": False}, {"frames": False, "sound": True}


def tone(seconds: float, rate: int = SAMPLING_RATE, loud: float = 0.3) -> np.ndarray:
    return loud * np.sin(2 * math.pi * 220 * np.arange(int(seconds * rate)) / rate)


def clip(path: Path, count: int = 10, fps: int = 10, sound: np.ndarray | None = None) -> Path:
    frames = np.random.default_rng(0).integers(0, 255, (count, 32, 32, 3), np.uint8)
    render.write_clip(path, frames, fps, sound, SAMPLING_RATE)
    return path


def good(folder: Path) -> Path:
    return clip(folder / "good.mp4", sound=tone(1.0))


def zero_bytes(folder: Path) -> Path:
    (folder / "zero.mp4").write_bytes(b"")
    return folder / "zero.mp4"


def truncated(folder: Path) -> Path:
    """The first half of a clip whose index comes first: a download that was interrupted, and plays."""
    import av

    whole = clip(folder / "whole.mp4", count=40, sound=tone(4.0))
    with av.open(str(whole)) as container:
        ends = [packet.pos + packet.size for packet in container.demux() if packet.size and packet.pos is not None]
    # Between two packets: half a packet is noticed by some decoders and not by others.
    end = max(end for end in ends if end < whole.stat().st_size / 2)
    (folder / "cut.mp4").write_bytes(whole.read_bytes()[:end])
    return folder / "cut.mp4"


def cut_in_a_packet(folder: Path) -> Path:
    truncated(folder)
    (folder / "torn.mp4").write_bytes((folder / "whole.mp4").read_bytes()[: (folder / "cut.mp4").stat().st_size + 50])
    return folder / "torn.mp4"


def without_index(folder: Path) -> Path:
    whole = good(folder).read_bytes()
    (folder / "noindex.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    return folder / "noindex.mp4"


def no_clip(folder: Path) -> Path:
    (folder / "page.mp4").write_bytes(b"<html>404 Not Found</html>" * 50)
    return folder / "page.mp4"


def without_sound(folder: Path) -> Path:
    return clip(folder / "mute.mp4")


def sound_only(folder: Path) -> Path:
    render.write_sound(folder / "voice.wav", tone(1.0), SAMPLING_RATE)
    return folder / "voice.wav"


def silent(folder: Path) -> Path:
    return clip(folder / "silent.mp4", sound=np.zeros(SAMPLING_RATE))


def silent_wav(folder: Path) -> Path:
    render.write_sound(folder / "silent.wav", np.zeros(SAMPLING_RATE), SAMPLING_RATE)
    return folder / "silent.wav"


def one_hour(folder: Path) -> Path:
    return clip(folder / "hour.mp4", count=3600, fps=1)


def one_hour_wav(folder: Path) -> Path:
    render.write_sound(folder / "hour.wav", tone(3600, rate=1000), 1000)
    return folder / "hour.wav"


def a_click(folder: Path) -> Path:
    render.write_sound(folder / "click.wav", tone(0.01), SAMPLING_RATE)
    return folder / "click.wav"


def broken_wav(folder: Path) -> Path:
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEjunk" * 9)
    return folder / "broken.wav"


def nowhere(folder: Path) -> Path:
    return folder / "nowhere.mp4"


def a_folder(folder: Path) -> Path:
    (folder / "folder.mp4").mkdir()
    return folder / "folder.mp4"


BAD = [
    (zero_bytes, BOTH, "empty_file"),
    (truncated, BOTH, "truncated"),
    (truncated, PICTURE, "truncated"),
    (truncated, SOUND, "truncated"),
    (without_index, BOTH, "unreadable"),
    (no_clip, PICTURE, "unreadable"),
    (without_sound, BOTH, "no_audio_stream"),
    (without_sound, SOUND, "no_audio_stream"),
    (sound_only, PICTURE, "no_video_stream"),
    (sound_only, BOTH, "no_video_stream"),
    (silent, BOTH, "silent"),
    (silent, SOUND, "silent"),
    (silent_wav, SOUND, "silent"),
    (one_hour, PICTURE, "too_long"),
    (one_hour_wav, SOUND, "too_long"),
    (a_click, SOUND, "too_short"),
    (broken_wav, SOUND, "unreadable"),
    (nowhere, BOTH, "missing"),
    (a_folder, BOTH, "missing"),
]


@pytest.mark.parametrize(("make", "streams", "reason"), BAD, ids=[f"{m.__name__}-{r}" for m, _, r in BAD])
def test_a_bad_clip_is_an_error_value_with_its_reason(
    make: Any, streams: dict[str, bool], reason: str, tmp_path: Path
) -> None:
    path = make(tmp_path)
    error = open_clip(path, BUDGET, **streams)
    assert isinstance(error, MediaError) and error.reason == reason
    assert error.path == str(path)


def test_a_good_clip_is_none_of_these(tmp_path: Path) -> None:
    opened = open_clip(good(tmp_path), BUDGET, **BOTH)
    assert isinstance(opened, Clip) and opened.frames is not None and opened.sound is not None
    assert opened.frames.shape == (2, 28, 28, 3) and abs(len(opened.sound) - SAMPLING_RATE) < 2048


@pytest.mark.parametrize("streams", [BOTH, PICTURE, SOUND])
def test_a_clip_that_ends_within_a_packet_is_never_used(streams: dict[str, bool], tmp_path: Path) -> None:
    error = open_clip(cut_in_a_packet(tmp_path), BUDGET, **streams)
    assert isinstance(error, MediaError) and error.reason in ("truncated", "unreadable")


def test_a_silent_clip_is_fine_where_only_its_picture_is_wanted(tmp_path: Path) -> None:
    assert isinstance(open_clip(silent(tmp_path), BUDGET, **PICTURE), Clip)


def test_two_frames_are_enough(tmp_path: Path) -> None:
    opened = open_clip(clip(tmp_path / "two.mp4", count=2), BUDGET, **PICTURE)
    assert isinstance(opened, Clip) and opened.frames is not None and len(opened.frames) == 2
    assert (opened.frames[0] != opened.frames[1]).any()


def test_one_frame_stands_for_the_pair_that_models_take(tmp_path: Path) -> None:
    opened = open_clip(clip(tmp_path / "one.mp4", count=1), BUDGET, **PICTURE)
    assert isinstance(opened, Clip) and opened.frames is not None and len(opened.frames) == 2


def test_an_hour_is_trimmed_where_the_budget_says_so_and_its_beginning_is_used(tmp_path: Path) -> None:
    budget = Budget(**{**BUDGET.to_json(), "long": "trim"})
    seen = open_clip(one_hour(tmp_path), budget, **PICTURE)
    assert isinstance(seen, Clip) and seen.frames is not None and len(seen.frames) == 4
    heard = open_clip(one_hour_wav(tmp_path), budget, **SOUND)
    assert isinstance(heard, Clip) and heard.sound is not None and len(heard.sound) == 10 * SAMPLING_RATE


def test_a_span_of_an_hour_is_taken_without_the_rest(tmp_path: Path) -> None:
    opened = open_clip(one_hour_wav(tmp_path), BUDGET, **SOUND, start=1800.0, end=1802.5)
    assert isinstance(opened, Clip) and opened.sound is not None and len(opened.sound) == 2.5 * SAMPLING_RATE


def test_a_cut_clip_says_how_much_is_missing_and_its_whole_part_can_be_used(tmp_path: Path) -> None:
    path = truncated(tmp_path)
    error = open_clip(path, BUDGET, **BOTH)
    assert isinstance(error, MediaError) and "s of the video are missing" in error.detail
    part = open_clip(path, BUDGET, **BOTH, end=1.0)
    assert isinstance(part, Clip) and part.sound is not None and len(part.sound) == SAMPLING_RATE


@pytest.mark.parametrize(("make", "reason"), [(zero_bytes, "empty_file"), (silent, "silent"), (good, None)])
def test_the_probe_of_the_audit_says_the_same(make: Any, reason: str | None, tmp_path: Path) -> None:
    path = make(tmp_path)
    assert probe(path, MediaRef(path.name, "video", sound=True)) == reason


# ── counted before training ──────────────────────────────────────────────────────────────────────────────────────────


def row(name: str) -> dict[str, Any]:
    question = [{"type": "video", "corpus": "toy", "path": name, "sound": True}, {"type": "text", "text": "Which?"}]
    answer = [{"type": "text", "text": "joy"}]
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": f"toy/{name}", "messages": messages}


def encoder(root: Path) -> Any:
    import transformers

    from affectllm.model.encode import Encoder
    from affectllm.model.tiny import tiny_folder

    folder = str(tiny_folder("qwen2_5_omni"))
    family = check_model(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    return Encoder(load_processor(folder, family), family, config, BUDGET, {"toy": root}, cache=None)


def test_each_bad_clip_is_counted_once_and_the_good_ones_are_kept(tmp_path: Path) -> None:
    from affectllm.train.data import look

    makers = (good, zero_bytes, truncated, without_index, without_sound, silent, one_hour, nowhere)
    rows = [row(make(tmp_path).name) for make in makers] + [row("good.mp4")]
    looked = look(rows, encoder(tmp_path), tmp_path / "looked_train.json", workers=0)  # type: ignore[arg-type]
    assert list(looked.kept) == [0, 8] and looked.kept[0] == looked.kept[8] > 0
    # The hour has no sound either; streams are looked at before lengths.
    once = dict.fromkeys(("empty_file", "truncated", "unreadable", "silent", "missing"), 1)
    assert looked.rejected == {**once, "no_audio_stream": 2}
    log = (tmp_path / "looked_train.rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["item"] for line in log] == [row_["id"] for row_ in rows[1:8]]
    assert json.loads(log[0])["where"] == "toy:zero.mp4"


def test_a_clip_that_breaks_during_training_stops_it_with_its_name(tmp_path: Path) -> None:
    from affectllm.train.collator import Collator

    collate = Collator(encoder(tmp_path))
    good(tmp_path)
    assert "labels" in collate([row("good.mp4")])
    zero_bytes(tmp_path).rename(tmp_path / "good.mp4")
    with pytest.raises(AffectError, match="empty_file now") as caught:
        collate([row("good.mp4")])
    assert caught.value.where == "toy/good.mp4"


# ── checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────────────


def checkpoint(folder: Path, model_type: str) -> str:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    return str(folder)


def test_a_checkpoint_of_another_family_is_refused_with_both_names(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "other", "qwen2_audio")
    with pytest.raises(WrongCheckpoint, match="is a qwen2_audio checkpoint, not qwen2_5_omni") as caught:
        load_model(folder, family="qwen2_5_omni")
    assert "qwen2_5_omni_thinker" in caught.value.do


def test_a_checkpoint_that_no_family_reads_is_refused_with_where_to_see_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(WrongCheckpoint, match="bert") as caught:
        load_model(checkpoint(tmp_path / "bert", "bert"))
    assert "affectllm ls families" in caught.value.do


def test_a_checkpoint_without_all_weights_is_refused_instead_of_filled_with_random_ones(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from affectllm.model.tiny import tiny_folder

    folder = Path(shutil.copytree(tiny_folder("qwen2"), tmp_path / "part"))
    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WrongCheckpoint, match=r"lacks 1 of the weights of .*, for example model\.norm\.weight"):
        load_model(str(folder))


def test_a_folder_without_a_checkpoint_and_no_folder_are_explained(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="cannot be read as a checkpoint"):
        load_model(str(tmp_path / "empty"))
    with pytest.raises(NotFound, match="there is no checkpoint folder"):
        load_model(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("recipe", ["quickstart", "qwen2_5_omni_7b/mer_sft_lora"])
def test_a_recipe_that_makes_a_missing_model_is_named(recipe: str, tmp_path: Path) -> None:
    for folder in (f"runs/{recipe}/train/final", str(tmp_path / "runs" / recipe / "train" / "final")):
        with pytest.raises(NotFound, match=rf"`affectllm run {recipe}` makes it; or give a folder"):
            load_model(folder)
    with pytest.raises(NotFound, match="→ give a folder"):
        load_model(str(tmp_path / "runs" / "nobodys" / "train" / "final"))


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (["build", "emodb_tiny"], ["emodb", "--root emodb=DIR", "AFFECTLLM_CORPORA", "emodb.bilderbar.info"]),
        (["build", "meld"], ["meld", "--root meld=DIR", "AFFECTLLM_CORPORA"]),
        (["audit", "crema_d"], ["crema_d", "--root crema_d=DIR"]),
        (["build", "emodb", "--root", "emodb=/no/such/folder"], ["/no/such/folder is not a folder"]),
        (["train", "emodb_tiny", "--set", "eval.tasks=[meld_emotion]", "--root", "emodb=@EMODB@"], ["--root meld=DIR"]),
        (["eval", "--model", "affectllm-mute", "--tasks", "goemotions"], ["goemotions", "--root goemotions=DIR"]),
        (["build", "quickstart", "--set", "trainer.max_step=1"], ["--set trainer.max_step", "max_steps"]),
    ],
    ids=[
        "no root for a recipe",
        "no root for a corpus",
        "no root to audit",
        "a root that is not there",
        "the corpus of a task is absent",
        "the corpus of an evaluation is absent",
        "a recipe error",
    ],
)
def test_commands_explain_and_exit_with_2(
    words: list[str],
    messages: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    monkeypatch.chdir(tmp_path)
    emodb = materialise(load_builder("emodb").MINIATURE, tmp_path / "emodb")
    words = [word.replace("@EMODB@", str(emodb)) for word in words]
    assert main(words) == 2
    error = capfd.readouterr().err
    assert "error: " in error and "Traceback" not in error
    for part in messages:
        assert part in error


def test_a_half_downloaded_corpus_builds_what_is_there_and_counts_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = materialise(load_builder("goemotions").MINIATURE, tmp_path / "goemotions")
    (root / "test.tsv").unlink()
    assert main(["build", "goemotions", "--root", f"goemotions={root}", "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "file_missing" in out and "broken_row" in out and "unknown_label" in out
    assert main(["audit", "goemotions", "--root", f"goemotions={root}"]) == 1
    assert "test.tsv" in capsys.readouterr().out


def test_a_full_disk_while_building_is_explained_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    root = toy_corpus(tmp_path, monkeypatch, counts={"train": 5000, "validation": 5, "test": 5})
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    code = limited + "import sys; from affectllm.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ["build", "toy", "--root", f"toy={root}", "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "could not write" in done.stderr and "Traceback" not in done.stderr
    assert not list((tmp_path / "out").rglob("*.parquet")) and not list((tmp_path / "out").rglob("*.part"))
    assert main(words) == 0  # with room again, the same command finishes
    assert len(list((tmp_path / "out").rglob("*.parquet"))) == 3
