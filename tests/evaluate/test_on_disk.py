"""Documents on disk: what is written is what lm-eval would have written, and memory does not hold what is asked."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from evaluating import corpus_of, miniatures, use
from hypothesis import given
from hypothesis import strategies as st

from affectllm.errors import WriteFailed
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.models.requests import Asker, by_settings, user_message
from affectllm.evaluate.on_disk import JsonLines, StoredDocument, kept_on_disk
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager

# A choice and numbers, by reply and by likelihood; sets; several slots; free words; options of an item; ranks; spans.
TASKS = (
    *("demo_affect_emotion", "demo_affect_emotion_choice", "emobank_vad", "semeval2018_ec_en", "emobench_eu_en"),
    "emobank_vad_likelihood",
    *(
        "empathetic_dialogues_reply",
        "esconv_strategy_and_reply",
        "eemo_bench_ranking",
        "reccon_spans",
        "mvei_judgement",
    ),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.lists(_JSON, max_size=8), st.data())
def test_values_come_back_in_any_order(values: list[Any], data: st.DataObject) -> None:
    lines = JsonLines()
    for number, value in enumerate(values):
        lines.append(value)
        assert lines[data.draw(st.integers(0, number))] is not lines  # reading between two additions
    order = data.draw(st.permutations(range(len(values))))
    assert [lines[number] for number in order] == [values[number] for number in order]
    assert list(lines) == values and len(lines) == len(values)
    with pytest.raises(IndexError):
        lines[len(values)]


def test_a_half_of_a_pair_of_code_units_survives() -> None:
    lines = JsonLines()
    lines.append("a \ud83d b")
    assert lines[0] == "a \ud83d b"


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "file"))
    with pytest.raises(WriteFailed, match="file: could not write"):
        JsonLines()


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return miniatures(tmp_path_factory.mktemp("corpora"), map(corpus_of, TASKS))


NAMES = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
    "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
    "remorse sadness surprise neutral"
)


def _comments(folder: Path, texts: Sequence[str]) -> Path:
    """Write comments as a GoEmotions download, the first one of which is short."""
    folder.mkdir(exist_ok=True)
    lines = [f"{text}\t{number % 28}\tid{number}\n" for number, text in enumerate(["Short.", *texts])]
    for split in ("train", "dev", "test"):
        (folder / f"{split}.tsv").write_text("".join(lines if split == "test" else [f"Of {split}.\t1\t{split}\n"]))
    (folder / "emotions.txt").write_text("\n".join(NAMES.split()))
    return folder


@pytest.fixture
def comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six comments to be asked about."""
    use(monkeypatch, {"goemotions": _comments(tmp_path / "goemotions", [f"Comment {n}." for n in range(5)])})


def _run(out: Path, *options: str) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """Return task → the rows of its samples file, and the scores."""
    scores = lm_eval_main([*options, "--output_path", str(out)])
    names = json.loads((out / "sources.json").read_text())["samples"]
    rows = {task: [json.loads(line) for line in (out / name).read_text().splitlines()] for task, name in names.items()}
    return rows, scores


def _same(tmp_path: Path, *options: str) -> dict[str, list[dict[str, Any]]]:
    theirs = _run(tmp_path / "theirs", *options, "--log_samples")
    ours = _run(tmp_path / "ours", *options)
    assert ours == theirs
    for name in ("details.json", "rejected.jsonl"):
        assert (tmp_path / "ours" / name).read_text() == (tmp_path / "theirs" / name).read_text()
    return ours[0]


def test_the_files_are_those_that_lm_eval_would_write(roots, monkeypatch, tmp_path) -> None:
    use(monkeypatch, roots)
    rows = _same(tmp_path, "--model", "affectllm-chance", "--tasks", ",".join(TASKS))
    assert set(rows) == set(TASKS) and all(rows.values())


@pytest.mark.parametrize(
    ("options", "asked"), [(("--limit", "2"), [0, 1]), (("--samples", '{"goemotions": [1, 3]}'), [1, 3])]
)
def test_part_of_the_documents(comments, tmp_path, options, asked) -> None:
    rows = _same(tmp_path, "--model", "affectllm-oracle", "--tasks", "goemotions", *options)["goemotions"]
    assert [row["doc_id"] for row in rows] == asked
    assert all(row["reading"] == row["doc"]["gold"] for row in rows)


def test_votes_and_wordings(comments, tmp_path) -> None:
    ask = ("--model", "affectllm-chance", "--tasks", "goemotions", "--limit", "4")
    rows = _same(tmp_path / "votes", *ask, "--votes", "3")["goemotions"]
    assert {(len(row["resps"][0]), row["filter"]) for row in rows} == {(3, "votes")}
    rows = _same(tmp_path / "wordings", *ask, "--paraphrases", "all")["goemotions"]
    assert len({row["doc"]["wording"] for row in rows}) > 1


PAGE = """# Mine.
task: mine
class: !function affectllm.evaluate.task.AffectTask
corpus: goemotions
split: test
template: emotion_set
gold: {space: goemotions_28, rater: crowd}
modalities: [text]
metrics: [jaccard]
metadata: {version: 1}
filter_list:
  - {name: small, filter: [{function: lowercase}, {function: take_first}]}
  - {name: large, filter: [{function: uppercase}, {function: take_first}]}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of task pages of one's own."""
    (tmp_path / "eval_tasks").mkdir()
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    return tmp_path / "eval_tasks"


def test_filters_of_a_page(comments, own, tmp_path) -> None:
    (own / "mine.yaml").write_text(PAGE)
    rows = _same(tmp_path, "--model", "affectllm-oracle", "--tasks", "mine", "--limit", "3")["mine"]
    assert [row["filter"] for row in rows] == ["small"] * 3 + ["large"] * 3
    assert all(row["filtered_resps"] == [row["target"].upper()] for row in rows[3:])


def test_a_task_of_somebody_else_beside_ours_has_samples_too(comments, own, tmp_path) -> None:
    (tmp_path / "lines.jsonl").write_text('{"question": "Two and two?", "answer": "four"}\n')
    page = f"task: plain\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: {tmp_path}/lines.jsonl}}}}\n"
    keys = "test_split: test\noutput_type: generate_until\ndoc_to_text: '{{question}}'\ndoc_to_target: answer\n"
    (own / "plain.yaml").write_text(f"# Plain.\n{page}{keys}metric_list: [{{metric: exact_match}}]\n")
    rows, scores = _run(tmp_path / "out", "--model", "dummy", "--tasks", "plain,goemotions", "--limit", "1")
    assert {task: len(of_it) for task, of_it in rows.items()} == {"plain": 1, "goemotions": 1}
    assert set(scores) == {"goemotions"}


def _traced() -> int:
    """Return the peak of traced memory, in bytes, of asking about all comments."""
    tracemalloc.start()
    task: AffectTask = AffectTaskManager().load(["goemotions"])["tasks"]["goemotions"]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    for request in task.instances:
        request.resps.append("joy")
        assert request.args[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_hold_what_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{'word ' * 10_000}{number}" for number in range(400)]  # 20 MB
    use(monkeypatch, {"goemotions": _comments(tmp_path, texts)})
    with kept_on_disk():
        peak = _traced()
    assert peak < sum(map(len, texts)) / 2


def test_documents_are_mappings_that_are_read_when_looked_at() -> None:
    lines = JsonLines()
    lines.append({"id": "a", "gold": ["joy"]})
    document = StoredDocument(lines, 0)
    assert dict(document) == {"id": "a", "gold": ["joy"]} and len(document) == 2 and "gold" in document
    with pytest.raises(TypeError):
        pickle.dumps(document)  # a file without a name goes to no other process


def test_questions_of_several_tasks_are_asked_together_in_the_order_of_their_length() -> None:
    asker, settings = Asker({}, {}), {"max_gen_toks": 8, "do_sample": False}
    questions = [
        asker.question(user_message("word " * length), f"task {length % 2}", dict(settings))
        for length in (3, 9, 4, 1, 6)
    ]
    longer = asker.question(user_message("word"), "task 3", {**settings, "max_gen_toks": 64})
    groups = by_settings([*questions, longer])
    assert [len(group) for group in groups] == [5, 1]
    assert [question.template for question in groups[0]] == ["task 1", "task 0", "task 0", "task 1", "task 1"]
    assert [len(question.messages[0]["content"][0]["text"]) for question in groups[0]] == [45, 30, 20, 15, 5]
