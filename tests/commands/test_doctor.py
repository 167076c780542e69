"""The doctor: it finds what is there, says what to do about what is not, and tells no secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from affectllm import extras
from affectllm.model.doctoring import libraries, machine, media, parallel
from affectllm.model.doctoring.check import Check
from affectllm.model.doctoring.doctor import doctor, render
from affectllm.model.doctoring.libraries import check_deepspeed, check_gpu, check_torch
from affectllm.model.doctoring.machine import check_clock, check_disk, check_limits, check_shared_memory
from affectllm.model.doctoring.media import check_clips, check_ffmpeg, check_sound
from affectllm.model.doctoring.parallel import check_processes
from affectllm.model.doctoring.surroundings import check_corpora, check_hub


def test_every_finding_has_a_line_and_every_complaint_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    checks = doctor()
    names = [check.name for check in checks]
    assert names == [
        "Python",
        "Machine",
        "Disk",
        "Shared memory",
        "Limits",
        "Clock",
        "torch",
        "GPU",
        "bitsandbytes",
        "DeepSpeed",
        "FFmpeg",
        "Sound",
        "Clips",
        "Processes",
        "Hub",
        "Corpora",
        "Families",
    ]
    assert all(check.do for check in checks if check.status != "ok")
    text = render(checks)
    assert all(check.finding in text for check in checks)
    by_name = {check.name: check for check in checks}
    assert (
        by_name["Python"].status
        == by_name["torch"].status
        == by_name["FFmpeg"].status
        == by_name["Clips"].status
        == "ok"
    )
    import torch

    assert torch.__version__ in by_name["torch"].finding


def test_what_is_missing_is_a_finding_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda package: False)
    for look, status in {
        check_torch: "warn",  # models behind endpoints need none
        check_ffmpeg: "fail",
        check_sound: "fail",
        check_hub: "fail",
        check_processes: "warn",
        libraries.check_bitsandbytes: "warn",
        check_deepspeed: "warn",
    }.items():
        check = look()
        assert (check.status, bool(check.do)) == (status, True)


def test_a_library_that_cannot_be_imported_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open shared object file')")
    (tmp_path / "av.py").write_text("raise ImportError('libavcodec')")
    code = "from affectllm.model.doctoring.libraries import *; from affectllm.model.doctoring.media import *; "
    code += "print(check_torch(), check_gpu(), check_ffmpeg())"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    stdout = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert "libcudart.so.12" in stdout and "libavcodec" in stdout and stdout.count("'fail'") == 2


def test_no_compiler_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check = check_deepspeed()
    assert check.status == "warn" and "compiler" in check.finding


def test_codecs_that_ffmpeg_lacks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "_DECODERS", ("h264", "no_such_codec"))
    check = check_ffmpeg()
    assert check.status == "warn" and "no_such_codec (decoding)" in check.finding and "h264" not in check.finding


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    check = check_hub()
    assert check.status == "ok" and "secret" not in f"{check}"
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    assert check_hub().status == "warn"


def test_corpora_are_found_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(tmp_path / "nowhere"))
    assert check_corpora().status == "fail"
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(tmp_path))
    assert check_corpora().status == "warn"
    (tmp_path / "emodb").mkdir()
    (tmp_path / "holiday_photos").mkdir()
    check = check_corpora()
    assert check.status == "ok" and check.finding.endswith(": emodb")


def test_a_full_disk_and_a_cache_that_cannot_be_made_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "deep" / "cache"))
    for free, status in ((1 << 30, "fail"), (10 << 30, "warn"), (99 << 30, "ok")):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: type("Usage", (), {"free": free}))
        assert check_disk().status == status
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "file" / "cache"))
    assert check_disk().status == "fail"


def test_the_summary_counts() -> None:
    fine, poor, broken = Check("a", "ok", "x"), Check("b", "warn", "y", "z"), Check("c", "fail", "y", "z")
    assert render([fine]).endswith("\nReady.")
    assert render([fine, poor]).endswith("Ready; 1 of these could be better.")
    assert "1 of these must be repaired" in render([fine, poor, broken])


def test_the_doctor_says_what_four_bits_leave_as_it_is() -> None:
    finding = libraries.check_bitsandbytes().finding
    assert "experts of qwen3_moe, qwen3_omni, qwen3_vl_moe are no layers and stay unquantised" in finding


# ── what goes wrong in practice ──────────────────────────────────────────────────────────────────────────────────────


def test_a_kind_of_clip_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from affectllm.model.clips import media as opening

    real = opening.open_clip
    broken = opening.MediaError("unreadable", "no demuxer")
    monkeypatch.setattr(
        opening, "open_clip", lambda path, *a, **k: broken if path.suffix == ".flv" else real(path, *a, **k)
    )
    check = check_clips()
    assert check.status == "fail" and ".flv (unreadable)" in check.finding and ".mp4" not in check.finding


def test_limits_of_the_shell_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    usual = {resource.RLIMIT_NOFILE: 65536, resource.RLIMIT_AS: -1, resource.RLIMIT_FSIZE: -1}
    for limit, value, words in (
        (resource.RLIMIT_NOFILE, 256, "256 files"),
        (resource.RLIMIT_AS, 2 << 30, "memory (ulimit -v) 2.0 GiB"),
        (resource.RLIMIT_FSIZE, 1 << 30, "size of a file (ulimit -f) 1.0 GiB"),
    ):
        limits = {**usual, limit: value}
        monkeypatch.setattr(resource, "getrlimit", lambda which, limits=limits: (limits[which], -1))
        check = check_limits()
        assert check.status == "warn" and words in check.finding
    monkeypatch.setattr(resource, "getrlimit", lambda which: (usual[which], -1))
    assert check_limits().status == "ok"


def test_little_shared_memory_and_a_clock_that_differs_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 64 << 20}))
    assert check_shared_memory().status == "warn" and "64 MiB" in check_shared_memory().finding
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path))
    assert check_clock().status == "ok"
    now = machine.time.time()
    monkeypatch.setattr(machine.time, "time", lambda: now - 60)
    assert check_clock().status == "warn" and "60 s ahead" in check_clock().finding
    monkeypatch.setattr(machine.time, "time", lambda: 86_400.0)
    assert check_clock().status == "fail"


def test_processes_that_do_not_meet_are_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_PROGRAM", "raise OSError('no such interface: eth7')")
    check = check_processes()
    assert check.status == "warn" and "eth7" in check.finding and "GLOO_SOCKET_IFNAME" in check.do
    monkeypatch.setattr(parallel, "_PATIENCE", 0.2)
    monkeypatch.setattr(parallel, "_PROGRAM", "import time; time.sleep(60)")
    assert "no answer" in check_processes().finding


@pytest.mark.parametrize(
    ("built", "answer", "words"),
    [
        (None, "", "a CPU build"),
        (
            "13.0",
            "| Driver Version: 535.1   CUDA Version: 12.2 |",
            "the driver knows CUDA 12.2, torch was built for 13.0",
        ),
        ("13.0", "Failed to initialize NVML: Driver/library version mismatch", "does not answer"),
        ("13.0", "| CUDA Version: 13.1 |", "torch sees no GPU"),
    ],
)
def test_why_torch_sees_no_gpu_beside_a_driver(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, built: str | None, answer: str, words: str
) -> None:
    import torch

    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", built)
    check = check_gpu()
    assert check.status == "warn" and words in check.finding and check.do


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [
        ({"role": "read"}, "warn", "may not write"),
        ({"role": "write"}, "ok", "a token write"),
        (
            {"role": "fineGrained", "fineGrained": {"scoped": [{"permissions": ["repo.content.read"]}]}},
            "warn",
            "not write",
        ),
        ({"role": "fineGrained", "fineGrained": {"scoped": [{"permissions": ["repo.write"]}]}}, "ok", "fineGrained"),
    ],
)
def test_the_rights_of_a_token_are_told_where_the_hub_may_be_asked(
    monkeypatch: pytest.MonkeyPatch, token: dict[str, object], status: str, words: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.whoami", lambda: {"name": "me", "auth": {"accessToken": token}})
    check = check_hub(online=True)
    assert check.status == status and words in check.finding and "secret" not in f"{check}"


def test_a_recipe_is_held_against_the_free_space(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from affectllm.commands.parts.space import check_space
    from affectllm.train.recipe import load_recipe

    recipe = load_recipe("qwen2_audio_7b/ser_sft_lora")
    for free, status in ((8 << 30, "fail"), (99 << 30, "ok")):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: type("Usage", (), {"free": free}))
        check = check_space(recipe)
        assert check.status == status and "cache 13.0 of" in check.finding
    assert "the checkpoint is here" in check_space(load_recipe("quickstart")).finding
