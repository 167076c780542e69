"""From nothing to a release, as somebody goes who has only the README: clone, install, own clips, compare, publish.

Each step is one command, and none says a word that is not ours. It takes minutes and the package index, so it is a
thorough one; `-s` prints how long each step took, and what had passed until the first score of one's own clips.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from newcomer import foreign, mood, of_newcomer
from stand_in_server import MODEL, StandIn

ROOT = Path(__file__).parents[2]
API = "eval --model affectllm-api --model_args base_url=URL,model=MODEL,concurrency=8 --tasks moods_mood"
STEPS = (
    f"git clone -q {ROOT} affectllm && cd affectllm",
    "scripts/quickstart",
    "source .venv/bin/activate",
    "affectllm init moods --name moods && cd moods && set -a && . ./.env && set +a",
    "affectllm run moods",
    f"affectllm {API} --output_path scores/api",
    "affectllm eval --model affectllm-shallow --tasks moods_mood --output_path scores/shallow",
    "affectllm compare scores/api scores/shallow",
    "affectllm publish runs/moods --repo-id me/moods --dry-run",
)
FIRST_OWN_SCORE = "affectllm run moods"


@pytest.mark.thorough
@pytest.mark.slow(minutes=6)
def test_a_newcomer_gets_from_a_clone_to_a_release(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    with StandIn(answer=mood) as server:
        shell = [step.replace("URL", server.url).replace("MODEL", MODEL) for step in STEPS]
        environment = of_newcomer(tmp_path)
        # Without our own environment in front: the clone has to bring its own.
        environment["PATH"] = environment["PATH"].split(":", 1)[1]
        text = "\n".join(f'echo "== $(date +%s.%N)"; {step}' for step in shell) + '\necho "== $(date +%s.%N)"\n'
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not foreign(done.stdout + done.stderr)
    instants = [float(line.removeprefix("== ")) for line in done.stdout.splitlines() if line.startswith("== ")]
    assert len(instants) == len(STEPS) + 1
    for step, begun, ended in zip(STEPS, instants, instants[1:], strict=False):
        print(f"{ended - begun:7.1f} s  {step}")
    first = instants[STEPS.index(FIRST_OWN_SCORE) + 1] - instants[0]
    print(f"{first:7.1f} s  from the clone to the first score of one's own clips")
    clone = tmp_path / "affectllm"
    assert (clone / "runs/quickstart/report.html").is_file()
    assert (clone / "moods/runs/moods/report.html").is_file()
    card = (clone / "moods/runs/moods/publish/README.md").read_text(encoding="utf-8")
    assert "moods_mood" in card and "api" in done.stdout and "shallow" in done.stdout
