"""The doctor: it finds what is there, says what to do about what is not, and tells no secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from affectllm.model import doctor as room
from affectllm.model.doctor import (
    Check,
    check_corpora,
    check_deepspeed,
    check_disk,
    check_ffmpeg,
    check_hub,
    doctor,
    render,
)


def test_every_finding_has_a_line_and_every_complaint_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    checks = doctor()
    names = [check.name for check in checks]
    assert names == [
        "Python",
        "Machine",
        "Disk",
        "torch",
        "GPU",
        "bitsandbytes",
        "DeepSpeed",
        "FFmpeg",
        "Sound",
        "Hub",
        "Corpora",
        "Families",
    ]
    assert all(check.do for check in checks if check.status != "ok")
    text = render(checks)
    assert all(check.finding in text for check in checks)
    by_name = {check.name: check for check in checks}
    assert by_name["Python"].status == by_name["torch"].status == by_name["FFmpeg"].status == "ok"
    import torch

    assert torch.__version__ in by_name["torch"].finding


def test_what_is_missing_is_a_finding_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_installed", lambda package: False)
    for look, status in {
        room.check_torch: "fail",
        check_ffmpeg: "fail",
        room.check_sound: "fail",
        check_hub: "fail",
        room.check_bitsandbytes: "warn",
        check_deepspeed: "warn",
    }.items():
        check = look()
        assert (check.status, bool(check.do)) == (status, True)


def test_a_library_that_cannot_be_imported_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open shared object file')")
    (tmp_path / "av.py").write_text("raise ImportError('libavcodec')")
    code = "from affectllm.model.doctor import *; print(check_torch(), check_gpu(), check_ffmpeg())"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    stdout = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert "libcudart.so.12" in stdout and "libavcodec" in stdout and stdout.count("'fail'") == 2


def test_no_compiler_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check = check_deepspeed()
    assert check.status == "warn" and "compiler" in check.finding


def test_codecs_that_ffmpeg_lacks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_DECODERS", ("h264", "no_such_codec"))
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
    from affectllm.model.doctor import check_bitsandbytes

    finding = check_bitsandbytes().finding
    assert "experts of qwen3_moe, qwen3_omni, qwen3_vl_moe are no layers and stay unquantised" in finding
