"""The public face: ten lines from a corpus to scores, and clear errors on the way."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from evaluating import miniatures

import affectllm
from affectllm import api
from affectllm.errors import Malformed, NotFound
from affectllm.instruct.conversation import Conversation
from affectllm.labels.reading import Unreadable
from affectllm.respond.in_process import Unanswered

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def emodb(tmp_path_factory: pytest.TempPathFactory) -> api.Corpus:
    return api.load_corpus("emodb", miniatures(tmp_path_factory.mktemp("corpora"), ["emodb"])["emodb"])


@pytest.fixture(scope="module")
def asked(emodb: api.Corpus) -> list[Conversation]:
    template = api.load_template("emotion_choice", emodb, space="emodb_7", rater="actor", modalities=["audio"])
    return emodb.conversations(template)


def test_importing_is_free_and_the_names_are_there() -> None:
    code = (
        "import sys, affectllm; assert set(affectllm.__all__) <= set(dir(affectllm));"
        "assert not {'torch', 'transformers', 'numpy', 'affectllm.api'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        affectllm.scores  # noqa: B018


@pytest.mark.parametrize(
    "first", ["import affectllm.evaluate.run, affectllm.score.command", "import affectllm.api", ""]
)
def test_rooms_and_functions_of_one_name_are_called_alike(first: str) -> None:
    lines = [
        first or "pass",
        "from affectllm import evaluate, score",
        "from affectllm.errors import Malformed",
        "try:\n    score('uar', [], [])\nexcept Malformed as error:\n    assert '0 replies' in str(error)",
        "import affectllm.evaluate.page, affectllm.score.sizes",
        "assert callable(evaluate) and callable(score) and callable(affectllm.evaluate)",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_from_a_corpus_to_scores(emodb: api.Corpus, asked: list[Conversation]) -> None:
    model = api.load_model("tiny:qwen2_audio", dtype="float32")
    replies = api.ask(model, asked, emodb, max_new_tokens=3, progress=False)
    assert len(replies) == len(asked) and all(isinstance(reply, str) for reply in replies)
    right = [str(one.answer) for one in asked]
    result = api.score("accuracy", asked, right, clusters="speaker")
    assert result.value == 1 and result.unreadable == 0
    reading = api.read(asked[0], right[0])
    assert not isinstance(reading, (Unreadable, tuple)) and reading.value == asked[0].gold


def test_a_broken_clip_is_an_answer_with_its_reason(
    emodb: api.Corpus, asked: list[Conversation], tmp_path: Path
) -> None:
    broken = api.Corpus("emodb", tmp_path)
    path = tmp_path / str(asked[0].media[0]["path"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"RIFF")
    (reply,) = api.ask(api.load_model("tiny:qwen2_audio"), asked[:1], broken, progress=False)
    assert isinstance(reply, Unanswered) and reply.reason
    assert api.read(asked[0], reply) == Unreadable(f"media_error:{reply.reason}", "")
    assert api.score("accuracy", asked[:1], [reply]).unreadable == 1


def test_several_answers_are_scored_each_and_together(tmp_path: Path) -> None:
    corpus = api.load_corpus("emobench", miniatures(tmp_path, ["emobench"])["emobench"])
    template = api.load_template(
        "scenario_emotion_and_cause",
        corpus,
        space="emobench_emotion",
        rater="authors",
        modalities=["text"],
        also={"cause": ("emobench_cause", "authors")},
    )
    asked = corpus.conversations(template, split="test")[:1]
    assert corpus.rejected["no_annotation"] == 4, "the question of the other part"
    gold = asked[0].gold
    wrong = next(letter for letter in "ABCD" if letter not in gold["cause"]["right"])
    reply = template.worded({**gold, "cause": {**gold["cause"], "right": [wrong]}})
    values = {slot: float(api.score("accuracy", asked, [reply], slot=slot)) for slot in ("emotion", "cause", "joint")}
    assert values == {"emotion": 1, "cause": 0, "joint": 0}


def test_mistakes_are_explained(emodb: api.Corpus, asked: list[Conversation]) -> None:
    with pytest.raises(NotFound, match="no label space 'moods'"):
        api.load_template("emotion_choice", emodb, space="moods", rater="actor", modalities=["audio"])
    with pytest.raises(NotFound, match="no rater called 'me'"):
        api.load_template("emotion_choice", emodb, space="emodb_7", rater="me", modalities=["audio"])
    with pytest.raises(Malformed, match="modalities are a list, not 'audio'"):
        api.load_template("emotion_choice", emodb, space="emodb_7", rater="actor", modalities="audio")
    with pytest.raises(Malformed, match="1 replies for"):
        api.score("uar", asked, ["joy"])
    with pytest.raises(NotFound, match="no metric called 'ccc'"):
        api.score("ccc", asked, [""] * len(asked))
    with pytest.raises(NotFound, match="metrics are given for"):
        api.score("uar", asked, [""] * len(asked), slot="reason")
    with pytest.raises(Malformed, match="clusters are speaker"):
        api.score("uar", asked, [""] * len(asked), clusters="people")
    template = api.load_template("emotion_choice", emodb, space="emodb_7", rater="actor", modalities=["video"])
    with pytest.raises(Malformed, match="no_video"):
        emodb.conversations(template)
    with pytest.raises(NotFound, match="no corpus called"):
        api.load_corpus("emo_db")


def test_the_ten_lines_of_the_readme_run(emodb: api.Corpus) -> None:
    """As printed, but for the folder of the corpus."""
    text = README.read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(from affectllm import ask.*?)```", text, re.DOTALL)
    assert len([line for line in lines.splitlines() if line]) <= 10
    assert "~/data/EmoDB" in lines
    own = lines.replace("~/data/EmoDB", str(emodb.root)).replace('split="test"', "split=None")
    variables: dict[str, object] = {}
    exec(compile(own, "README.md", "exec"), variables)
    assert variables["replies"]
