"""Publishing: what is staged, what is refused, and the upload over real HTTP to a small Hub."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fake_hub import FakeHub, Hub, in_fresh_python
from made_run import TASK, make_builder, make_conversations, make_run

from affectllm.errors import AffectError, LicenceRefused, NotFound, WrongCheckpoint
from affectllm.report.publish import publish
from affectllm.report.staging import check_portable, portable, portable_text

REPO = "me/toy-adapter"
TOKEN = "hf_" + "abcdefghij" * 3


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(
        "AFFECTLLM_PATH", str(make_builder(tmp_path / "local", licence="CC-BY-NC-SA-4.0", commercial=False))
    )
    return make_run(tmp_path / "run")


def staged(run: Path, repo_id: str = REPO) -> Path:
    folder = publish(run, repo_id, dry_run=True)
    assert isinstance(folder, Path)
    return folder


def header(folder: Path) -> dict:
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def test_a_dry_run_writes_the_folder_and_sends_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *args: pytest.fail("something was sent"))
    folder = staged(run)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "README.md",
        "recipe.yaml",
        f".eval_results/{TASK}.yaml",
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    weights = run / "train" / "final" / "adapter_model.safetensors"
    assert (folder / "adapter_model.safetensors").read_bytes() == weights.read_bytes()
    assert staged(run) == folder, "a second time replaces the first"


def test_the_header_of_the_card_says_what_the_hub_wants_to_know(run: Path) -> None:
    assert {key: value for key, value in header(staged(run)).items() if key != "model-index"} == {
        "base_model": "org/base-7b",
        "base_model_relation": "adapter",
        "datasets": ["toy"],
        "language": ["de", "en"],
        "library_name": "peft",
        "license": "cc-by-nc-sa-4.0",
        "metrics": ["accuracy", "f1", "recall"],
        "pipeline_tag": "any-to-any",
        "tags": ["affectllm", "emotion-recognition", "affective-computing", "corpus:toy"],
    }


def test_the_card_holds_scores_with_intervals_data_limits_and_recipe(run: Path) -> None:
    card = (staged(run) / "README.md").read_text(encoding="utf-8")
    for score in json.loads((run / "eval" / "scores.json").read_text())[TASK].values():
        assert f"| {score['value']:.3f} | [{score['low']:.3f}, {score['high']:.3f}] | 12 | 120 | 5 % |" in card
    for words in (
        "majority (reference)",
        "audio only",
        "A. Tester: Toys. 2026",
        "**noncommercial**: commercial use is not allowed (from toy)",
        "**sharealike**",
        "https://creativecommons.org/licenses/by-nc-sa/4.0/",
        "the class recognised worst",
        "backbone: qwen2_5_omni",
        "torch 2.13.0",
    ):
        assert words in card
    assert not re.search(r"\n{4,}|\{\{|\{%", card)


def test_the_evaluation_files_are_what_the_hub_parses(run: Path) -> None:
    from huggingface_hub import parse_eval_result_entries

    text = (staged(run) / ".eval_results" / f"{TASK}.yaml").read_text(encoding="utf-8")
    entries = parse_eval_result_entries(yaml.safe_load(text))
    scores = json.loads((run / "eval" / "scores.json").read_text())[TASK]
    assert [entry.value for entry in entries] == [round(score["value"], 6) for score in scores.values()]
    assert len({entry.task_id for entry in entries}) == len(entries)
    assert all("95 % interval" in str(entry.notes) and "n=120" in str(entry.notes) for entry in entries)


def test_no_path_and_no_token_of_this_machine_is_published(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    recipe = run / "recipe.yaml"
    home = "/home/somebody/models/base"
    recipe.write_text(f"model: {{path: {home}}}\n# {run}/x ~/secret/y C:\\Users\\me {TOKEN} https://example.org/a/b\n")
    folder = staged(run)
    for path in filter(Path.is_file, folder.rglob("*")):
        text = path.read_bytes().decode("utf-8", "replace")
        for word in (str(run), "/home/", "/somebody", "~/", "C:\\", TOKEN):
            assert word not in text, path.name
    assert "https://example.org/a/b" in (folder / "recipe.yaml").read_text()
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "base"
    assert "base_model" not in header(folder), "a folder is no repository of the Hub"


def test_the_last_look_finds_what_should_not_be_there(tmp_path: Path) -> None:
    check_portable(tmp_path, [])
    for name, text in {
        "a.json": '{"x": "/opt/data/model"}',
        "b.md": f"token {TOKEN}",
        "c.yaml": "x: ~/models/base",
        "tokenizer.json": "the-run-folder",
        "d.safetensors": (20).to_bytes(8, "little").decode() + '{"the-run-folder":1}',
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(AffectError, match=name):
            check_portable(tmp_path, ["the-run-folder"])
        (tmp_path / name).unlink()


def test_a_file_that_may_not_be_changed_and_names_the_machine_stops_it(run: Path) -> None:
    (run / "train" / "final" / "tokenizer.json").write_text(json.dumps({"vocab": [str(run)]}))
    with pytest.raises(AffectError, match=r"tokenizer\.json: a name of this machine"):
        publish(run, REPO, dry_run=True)


def test_texts_that_only_look_like_paths_stay_as_they_are() -> None:
    value = {
        "token": "/no_think",
        "url": "https://a.org/b/c",
        "regex": r"(?i:\w+)/\d",
        "id": "org/model",
        "n": 1,
        "x": None,
    }
    assert portable(value, "base") == value
    for text in ("and/or either/or", "see https://a.org/b/c/d.html", "<b>x</b> 3/4/5", "[0.5, 0.6]"):
        assert portable_text(text) == text


def test_a_corpus_that_forbids_it_is_named_and_nothing_is_written(run: Path, tmp_path: Path) -> None:
    make_builder(tmp_path / "local", "closed", licence="EULA", access="eula", redistribution=False)
    for split, corpora in {"train": ["toy", "closed"], "validation": ["toy"]}.items():
        make_conversations(run / "build" / "conversations" / f"{split}-00000-of-00001.parquet", corpora)
    with pytest.raises(LicenceRefused, match=r"closed.*Closed corpus \(EULA, under a signed agreement\)"):
        publish(run, REPO, dry_run=True)
    assert not (run / "publish").exists()


def test_a_forbidding_ancestor_forbids_too(run: Path, tmp_path: Path) -> None:
    make_builder(tmp_path / "local", "toy", built_from=("closed", "unheard"))
    make_builder(tmp_path / "local", "closed", redistribution=False)
    sys.modules.pop("affectllm.data_builders.toy", None)
    with pytest.raises(LicenceRefused, match="closed"):
        publish(run, REPO, dry_run=True)
    make_builder(tmp_path / "local", "closed", licence="CC-BY-4.0")
    sys.modules.pop("affectllm.data_builders.closed", None)
    card = (staged(run) / "README.md").read_text(encoding="utf-8")
    assert "without a card in affectllm: unheard" in card and "Closed corpus" in card


def test_weights_that_are_only_a_pickle_are_refused(run: Path) -> None:
    weights = run / "train" / "final" / "adapter_model.safetensors"
    weights.rename(weights.with_name("adapter_model.bin"))
    with pytest.raises(WrongCheckpoint, match="safetensors"):
        publish(run, REPO, dry_run=True)


@pytest.mark.parametrize("missing", ["train/final", "recipe.yaml", "build/conversations"])
def test_a_run_that_is_not_whole_is_refused(run: Path, missing: str) -> None:
    (run / missing).rename(run / "elsewhere")
    with pytest.raises(NotFound, match=missing):
        publish(run, REPO, dry_run=True)


def test_a_model_that_was_never_scored_says_so(run: Path) -> None:
    (run / "eval" / "scores.json").unlink()
    folder = staged(run)
    assert "has not been scored" in (folder / "README.md").read_text(encoding="utf-8")
    assert not any((folder / ".eval_results").iterdir())


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with FakeHub() as server:
        yield server


def publishing(run: Path, repo_id: str = REPO, private: bool = False) -> str:
    return (
        "from pathlib import Path; from affectllm.errors import AffectError\n"
        "from affectllm.report.publish import publish\n"
        f"try: print(publish(Path({str(run)!r}), {repo_id!r}, dry_run=False, private={private}))\n"
        "except AffectError as error: print('refused', error)"
    )


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_what_is_uploaded_arrives_and_comes_back_byte_for_byte(run: Path, hub: Hub, tmp_path: Path) -> None:
    done = in_fresh_python(publishing(run, private=True), hub.address, tmp_path / "home")
    assert re.fullmatch(rf"{hub.address}/{REPO}/commit/[0-9a-f]{{40}}\n", done.stdout), done.stderr
    sent = digests(run / "publish")
    assert {path: hashlib.sha256(data).hexdigest() for path, data in hub.repos[REPO].items()} == sent
    assert hub.lfs_paths == {"adapter_model.safetensors"} and hub.private[REPO]
    fetch = f"from huggingface_hub import snapshot_download; print(snapshot_download({REPO!r}))"
    back = in_fresh_python(fetch, hub.address, tmp_path / "other_home")
    assert digests(Path(back.stdout.strip())) == sent, back.stderr
    again = in_fresh_python(publishing(run), hub.address, tmp_path / "home")
    assert "/commit/" in again.stdout, "publishing to a repository that exists is fine"


@pytest.mark.parametrize(
    ("token", "repo_id", "message"),
    [
        (None, REPO, "no Hub token was found"),
        pytest.param("hf_wrongtoken", REPO, "does not accept the token", marks=pytest.mark.thorough),
        pytest.param("hf_readonlytoken", REPO, "may not write to me/toy-adapter", marks=pytest.mark.thorough),
        pytest.param("hf_goodtoken", "them/theirs", "may not write to them/theirs", marks=pytest.mark.thorough),
        pytest.param("hf_goodtoken", "me/a b", "no repository id", marks=pytest.mark.thorough),
    ],
)
def test_what_the_hub_refuses_is_explained(
    run: Path, hub: Hub, tmp_path: Path, token: str | None, repo_id: str, message: str
) -> None:
    before = dict(hub.repos.get(repo_id, {}))
    done = in_fresh_python(publishing(run, repo_id), hub.address, tmp_path / "home", token)
    assert done.stdout.startswith("refused") and message in done.stdout and "→" in done.stdout, done.stderr
    assert hub.repos.get(repo_id, {}) == before


@pytest.mark.thorough
def test_a_hub_that_cannot_be_reached_is_explained(run: Path, tmp_path: Path) -> None:
    done = in_fresh_python(publishing(run), "http://127.0.0.1:9", tmp_path / "home")
    assert "refused http://127.0.0.1:9 cannot be reached" in done.stdout, done.stderr


# ── weights ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_weights_that_are_broken_or_do_not_fit_are_not_published(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from adapting import edit_weights, make_adapter

    staged(run)
    assert "whether the adapter fits org/base-7b was not looked at" in capsys.readouterr().err
    final = run / "train" / "final"
    page = run / "recipe.yaml"
    page.write_text(page.read_text().replace("org/base-7b", "tiny:qwen2_5_omni"))
    with pytest.raises(WrongCheckpoint, match=r"does not fit|no place"):
        staged(run)
    shutil.rmtree(final)
    make_adapter(final, "tiny:qwen2_5_omni")
    staged(run)
    edit_weights(final, lambda weights: {name: weight for name, weight in weights.items() if "layers.1" not in name})
    with pytest.raises(WrongCheckpoint, match="lacks"):
        staged(run)
    shutil.rmtree(final)
    make_adapter(final, "tiny:qwen2_5_omni")
    edit_weights(final, lambda weights: {name: weight * float("inf") for name, weight in weights.items()})
    with pytest.raises(WrongCheckpoint, match="is not finite"):
        staged(run)
