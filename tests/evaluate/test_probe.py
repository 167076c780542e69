"""Probes: the layer that holds the label is the peak, random labels stay at chance, and what was computed is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted import LAYER, planted_corpus, planted_model

from affectllm.cli import main
from affectllm.errors import AffectError
from affectllm.evaluate.environment import settings
from affectllm.evaluate.probing.curves import speaker_folds
from affectllm.evaluate.probing.entries import probed_tasks
from affectllm.evaluate.probing.store import States
from affectllm.report.probes import write_probe

COUNTS = {"train": 48, "validation": 2, "test": 36}
Probe = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted_model(tmp_path_factory.mktemp("planted"))


@pytest.fixture
def probe(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Probe:
    """Run the command on the planted corpus, with a cache of its own."""
    root = planted_corpus(tmp_path / "own", monkeypatch, COUNTS)
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "cache"))

    def run(*words: str, task: str = "planted_choice") -> dict[str, Any]:
        out = tmp_path / "probe"
        line = ["probe", str(model), "--tasks", task, "--root", f"planted={root}", "--out", str(out), *words]
        assert main(line) == 0
        result: dict[str, Any] = json.loads((out / "probe.json").read_text())["tasks"].get(task)
        return result

    return run


def test_the_layer_that_holds_the_label_is_the_peak(probe: Probe, tmp_path: Path) -> None:
    curve = probe("--pool", "mean", "--draws", "5")
    accuracy = {layer["layer"]: layer["scores"]["accuracy"]["value"] for layer in curve["layers"]}
    assert accuracy.pop(LAYER) == 1.0
    assert set(accuracy) == {0, 2, 3}
    assert max(accuracy.values()) < 0.75
    peak = curve["layers"][LAYER]
    for kind in ("item", "speaker"):
        assert peak["controls"][kind] < 0.75
        assert peak["selectivity"][kind] == 1.0 - peak["controls"][kind] > 0.25
    assert peak["scores"]["accuracy"]["low"] is not None
    assert (tmp_path / "probe" / "planted_choice.png").read_bytes().startswith(b"\x89PNG")
    lines = (tmp_path / "probe" / "probe.csv").read_text().splitlines()
    assert f"planted_choice,{LAYER},probe,accuracy,1.0" in "\n".join(lines)
    assert any(line.startswith("planted_choice,,majority,accuracy,") for line in lines)
    page = (tmp_path / "probe" / "probe.html").read_text()
    assert "selectivity" in page and "No layer beats" not in page
    assert "data:image/png;base64," in page


def test_a_probe_that_beats_no_random_labels_says_so(probe: Probe, tmp_path: Path) -> None:
    probe("--pool", "mean", "--limit", "12", "--layers", "0")
    folder = tmp_path / "probe"
    result = json.loads((folder / "probe.json").read_text())
    (layer,) = result["tasks"]["planted_choice"]["layers"]
    layer["selectivity"] = {"item": 0.0, "speaker": 0.01}
    (folder / "probe.json").write_text(json.dumps(result))
    page = write_probe(folder).read_text()
    assert "No layer beats random labels by item: " in page and "by speaker: " not in page


def test_exported_vectors_are_those_of_the_model(probe: Probe, model: Path, tmp_path: Path) -> None:
    import torch

    from affectllm.model.load import load_model

    with settings({"planted": tmp_path / "own" / "roots" / "planted"}, None):
        (task,) = probed_tasks(["planted_choice"], 6, in_folds=False)
    loaded = load_model(str(model))
    probe("--limit", "6", "--layers", "1,3", "--export", str(tmp_path / "vectors.npz"))
    with np.load(tmp_path / "vectors.npz") as vectors:
        assert list(vectors["layers"]) == [1, 3]
        assert list(vectors["sides"]) == ["train"] * 6 + ["test"] * 6
        for row, entry in enumerate(task.entries):
            assert (vectors["ids"][row], json.loads(vectors["labels"][row])) == (entry.id, entry.document["gold"])
            given = loaded.tokenizer.apply_chat_template(
                entry.document["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            with torch.no_grad():
                states = loaded.model(**given, output_hidden_states=True).hidden_states
            for layer in (1, 3):
                own = states[layer][0, -1].numpy()
                np.testing.assert_allclose(vectors[f"layer_{layer}"][row], own, atol=2e-3, rtol=2e-3)


def test_what_was_represented_and_scored_is_not_computed_again(
    probe: Probe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    probe("--limit", "8", "--layers", "1", "--pool", "mean")
    shards = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "states").rglob("*.safetensors")}
    # What a kill leaves: an unfinished run, some shards, half a file, and the scores of the first layers.
    next(iter(shards)).with_suffix(".part").write_bytes(b"half")
    probe("--layers", "0,1", "--pool", "mean")
    stores = {path.parent for path in shards}
    assert {path: path.stat().st_mtime_ns for path in shards} == shards
    (folder,) = stores
    with settings({"planted": tmp_path / "own" / "roots" / "planted"}, None):
        (task,) = probed_tasks(["planted_choice"], None, in_folds=False)
    assert len(States(folder)) == len({json.dumps(entry.document["messages"]) for entry in task.entries})
    manifest = json.loads((tmp_path / "probe" / "manifest.json").read_text())
    (tmp_path / "probe" / "manifest.json").write_text(json.dumps({**manifest, "finished": False}))
    kept = next((tmp_path / "probe" / "layers").glob("*.jsonl"))
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    rows[0]["answer"]["scores"]["accuracy"]["value"] = 0.123
    kept.write_text("".join(json.dumps(row) + "\n" for row in rows[:1]))
    capsys.readouterr()
    curve = probe("--layers", "0,1", "--pool", "mean")
    assert f"represent: all {len(task.entries)} items were represented before" in capsys.readouterr().err
    assert [layer["scores"]["accuracy"]["value"] for layer in curve["layers"]] == [0.123, 1.0]


def test_a_broken_shard_is_computed_again(tmp_path: Path) -> None:
    store = States(tmp_path)
    rows = {f"item {number}": np.full((1, 2, 3), number, dtype=np.float32) for number in range(4)}
    store.add(rows)
    store.add({"large": np.full((1, 2, 3), 1e6, dtype=np.float32)})
    assert store.clipped == 6
    assert store.layer(["item 3", "item 0"], 1).tolist() == [[3.0] * 3, [0.0] * 3]
    assert np.isfinite(store.layer(["large"], 0)).all()
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:10])
    assert len(States(tmp_path)) == 0


def test_the_probe_of_one_token_is_scored_at_later_ones(probe: Probe) -> None:
    curve = probe("--after", "1,40", "--layers", "0,1", "--limit", "20", "--controls", "none")
    # No state but that of the word itself holds anything in this model.
    assert all(len(layer["after"]) == 2 and max(layer["after"]) < 0.75 for layer in curve["layers"])
    assert curve["layers"][0]["controls"] == {}


def test_json_is_all_that_a_probe_prints_on_request(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    curve = probe("--limit", "8", "--layers", "1", "--controls", "none", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert printed["tasks"]["planted_choice"] == curve and Path(printed["report"]).name == "probe.html"


def test_folds_share_no_speaker_and_score_every_item(probe: Probe, tmp_path: Path) -> None:
    curve = probe("--folds", "3", "--layers", "1", "--pool", "mean", "--controls", "speaker,text")
    assert curve["scored"] == sum(COUNTS.values())
    assert curve["layers"][0]["scores"]["accuracy"]["value"] == 1.0
    with settings({"planted": tmp_path / "own" / "roots" / "planted"}, None):
        (task,) = probed_tasks(["planted_choice"], None, in_folds=True)
    folds = speaker_folds(task, task.entries, 3)
    assert sorted(row for fold in folds for row in fold.held) == list(range(len(task.entries)))
    for fold in folds:
        sides = [{task.entries[row].document["speaker"] for row in rows} for rows in (fold.train, fold.held)]
        assert sides[0].isdisjoint(sides[1])
    # Every text is on both sides, and a probe that knows it knows its random label: this is what controls are for.
    assert curve["layers"][0]["controls"]["text"] > 0.75
    with pytest.raises(AffectError, match="too few for 40 folds"):
        speaker_folds(task, task.entries, 40)


@pytest.mark.parametrize(
    ("words", "task", "message"),
    [
        (["--layers", "9"], "planted_choice", "layers 1 to 3"),
        (["--layers", "last"], "planted_choice", "'last' is no number"),
        (["--controls", "colour"], "planted_choice", "no control task 'colour'"),
        (["--export", "vectors.csv"], "planted_choice", "vectors are written as .npz"),
        (["--folds", "1"], "planted_choice", "--folds is at least 2"),
        ([], "planted_reply", "predicts labels, sets and numbers"),
    ],
)
def test_what_cannot_be_probed_is_said_in_a_sentence(
    probe: Probe, capsys: pytest.CaptureFixture[str], words: list[str], task: str, message: str
) -> None:
    with pytest.raises(AssertionError):
        probe("--limit", "4", *words, task=task)
    assert message in capsys.readouterr().err


def test_one_class_alone_and_no_training_split_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from affectllm.evaluate.probing.run import Probe as Probing
    from affectllm.evaluate.probing.sources import Settings

    root = planted_corpus(tmp_path / "one", monkeypatch, COUNTS, classes=("joy",))
    probing = Probing(["planted_choice"], Settings("tiny:llama"), tmp_path / "probe", roots={"planted": root})
    with pytest.raises(AffectError, match="one answer alone, joy"):
        probing.run()
    root = planted_corpus(tmp_path / "none", monkeypatch, {"train": 0, "validation": 0, "test": 6})
    with pytest.raises(AffectError, match="no training sample"), settings({"planted": root}, None):
        probed_tasks(["planted_choice"], None, in_folds=False)
