"""Publishing merged models and mixtures, behind a gate or not, and what a dry run lists."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from built_mixture import built_mixture
from fake_hub import FakeHub, in_fresh_python
from made_run import make_builder, make_run

from affectllm.cli import main
from affectllm.errors import LicenceRefused
from affectllm.model.load import load_model
from affectllm.report.cards.merged import RECORD
from affectllm.report.publish import listing, publish

REPO = "me/toy"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    local = make_builder(tmp_path / "local", licence="CC-BY-NC-4.0", access="request", commercial=False)
    monkeypatch.setenv("AFFECTLLM_PATH", str(local))
    sys.modules.pop("affectllm.data_builders.toy", None)
    return make_run(tmp_path / "run")


def merged(folder: Path, **record: object) -> Path:
    """A folder as `affectllm merge` leaves it: whole weights, a card, and what was merged."""
    model = load_model("tiny:qwen2")
    model.model.save_pretrained(folder)
    model.processor.save_pretrained(folder)
    (folder / RECORD).write_text(json.dumps({"base": "tiny:qwen2", **record}))
    code = 'model = X.from_pretrained("anna")'
    (folder / "README.md").write_text(f"---\nlicense: mit\n---\n\n# anna\n\n```python\n{code}\n```\n")
    return folder


def test_a_dry_run_lists_every_file_with_its_size(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(run), "--repo-id", REPO, "--dry-run"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert Path(first) == run / "publish"
    listed = {line.split()[-1] for line in lines[:-1]}
    assert listed == {p.relative_to(run / "publish").as_posix() for p in (run / "publish").rglob("*") if p.is_file()}
    size = (run / "publish" / "adapter_model.safetensors").stat().st_size
    assert f"{size / 1000:.1f} KB  adapter_model.safetensors" in "\n".join(lines)
    assert lines[-1].split()[-2:] == [str(len(listed)), "files"]


def test_sizes_are_read_by_people(tmp_path: Path) -> None:
    for name, count in (("a", 999), ("b", 1_000), ("c", 1_234_567)):
        (tmp_path / name).write_bytes(bytes(count))
    assert listing(tmp_path).split() == ["999", "B", "a", "1.0", "KB", "b", "1.2", "MB", "c", "1.2", "MB", "3", "files"]


def test_behind_a_gate_the_card_asks_to_agree_to_the_terms_of_the_corpora(run: Path) -> None:
    from huggingface_hub import ModelCard

    folder = publish(run, REPO, dry_run=True, gate="manual")
    assert isinstance(folder, Path)
    card = ModelCard.load(folder / "README.md")
    assert "commercial use is not allowed (toy)" in card.data["extra_gated_prompt"]
    assert card.data["extra_gated_fields"]["I agree to the terms above"] == "checkbox"
    assert card.data.license == "other" and "## Evaluation" in card.text
    folder = publish(run, REPO, dry_run=True, gate="auto", gate_words="Only for: research")
    assert isinstance(folder, Path)
    assert ModelCard.load(folder / "README.md").data["extra_gated_prompt"] == "Only for: research"
    folder = publish(run, REPO, dry_run=True)
    assert isinstance(folder, Path) and "extra_gated" not in (folder / "README.md").read_text()


def test_a_merged_model_is_published_whole_under_its_new_name(run: Path, tmp_path: Path) -> None:
    folder = publish(merged(tmp_path / "merged", corpora=["toy"]), REPO, dry_run=True)
    assert isinstance(folder, Path)
    names = {path.name for path in folder.iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= names and RECORD not in names
    assert f'X.from_pretrained("{REPO}")' in (folder / "README.md").read_text()


def test_a_merged_model_of_unknown_or_forbidden_corpora_stays_here(run: Path, tmp_path: Path) -> None:
    with pytest.raises(LicenceRefused, match="nothing says which corpora"):
        publish(merged(tmp_path / "unknown"), REPO, dry_run=True)
    make_builder(tmp_path / "local", "closed", redistribution=False)
    with pytest.raises(LicenceRefused, match="Closed corpus"):
        publish(merged(tmp_path / "forbidden", corpora=["toy", "closed"]), REPO, dry_run=True)
    assert not (tmp_path / "forbidden" / "publish").exists()


def test_a_mixture_is_published_without_its_samples_and_the_code_of_its_card_loads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = built_mixture(tmp_path, monkeypatch)
    folder = publish(build.parent, REPO, dry_run=True)
    assert isinstance(folder, Path)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"README.md", "labels.png"} < names and not any("samples" in name or "rejected" in name for name in names)
    assert sum(name.startswith("conversations/") for name in names) == 2
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert f'load_dataset("{REPO}")' in code
    loaded: dict = {}
    exec(code.replace(f'"{REPO}"', repr(str(folder))), loaded)
    row = loaded["data"]["train"][0]
    assert row["messages"][-1]["role"] == "assistant" and row["value"]


@pytest.mark.thorough
def test_a_mixture_of_a_corpus_that_may_not_be_passed_on_stays_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = built_mixture(tmp_path, monkeypatch, edits={"redistribution=True": "redistribution=False"})
    with pytest.raises(LicenceRefused, match="may not be published"):
        publish(build, REPO, dry_run=True)


def test_the_gate_is_closed_before_the_first_file_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = built_mixture(tmp_path, monkeypatch)
    code = (
        "from pathlib import Path; from affectllm.report.publish import publish\n"
        f"print(publish(Path({str(build)!r}), {REPO!r}, dry_run=False, gate='manual'))"
    )
    with FakeHub() as hub:
        done = in_fresh_python(code, hub.address, tmp_path / "home")
        assert "/commit/" in done.stdout, done.stderr[-2000:]
        assert hub.kinds[REPO] == "dataset" and hub.gates[REPO] == ("manual", 0)
        assert b"extra_gated_prompt" in hub.repos[REPO]["README.md"] and len(hub.repos[REPO]) == 4
