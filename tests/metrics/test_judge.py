"""Judges: asked over real HTTP, kept in files, failing in every way; and their twins that need no judge."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from judging import overlap, said, served, slow, words_of

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.judge import (
    EndpointJudge,
    Failure,
    JudgeStore,
    LocalJudge,
    comparable,
    load_prompt,
    prompt_names,
)
from affectllm.metrics.judge.ask import answers
from affectllm.metrics.judge.reasoning import (
    clue_overlap,
    clue_overlap_words,
    empathy_judge,
    label_overlap,
    laughter_reasoning,
)

GOLD = ["his brow is furrowed and he shouts", "she smiles and laughs", "tears run down her face"]
SAID = ["he shouts with a furrowed brow", "she is bored", None]
HELLO = [{"role": "user", "content": "hello"}]


def judge(url: str, **options) -> EndpointJudge:
    return EndpointJudge(options.pop("model", "judge-7b"), url=url, **{"pause": 0.01, **options})


# ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_endpoint_answers_in_order_and_is_asked_greedily_without_any_key(monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_not_for_strangers")
    with served(lambda request: said(words_of(request).upper())) as server:
        batch = [[{"role": "user", "content": f"word {number}"}] for number in range(12)]
        assert judge(server.url).complete(batch) == [f"WORD {number}" for number in range(12)]
    assert all(request["temperature"] == 0 and request["model"] == "judge-7b" for request in server.asked)
    assert not any("authorization" in map(str.lower, headers) for headers in server.headers)


def test_a_key_is_taken_from_the_environment_and_never_shown(monkeypatch) -> None:
    with pytest.raises(NotFound, match="JUDGE_KEY is not set"):
        judge("http://localhost", api_key_env="JUDGE_KEY")
    monkeypatch.setenv("JUDGE_KEY", "secret-123")
    with served(lambda request: said("hi")) as server:
        asked = judge(server.url + "/chat/completions", api_key_env="JUDGE_KEY")
        assert asked.complete([HELLO]) == ["hi"]
    assert server.headers[0]["Authorization"] == "Bearer secret-123"
    assert "secret" not in repr(asked) and "secret" not in json.dumps(asked.settings)


@pytest.mark.parametrize(
    ("answer", "reason", "tries"),
    [
        (lambda request: (500, b"no"), "http_500", 3),
        (lambda request: (429, b""), "http_429", 3),
        (lambda request: (404, b"{}"), "http_404", 1),
        (lambda request: (302, b""), "http_302", 1),
        (lambda request: (307, b""), "http_307", 1),
        (lambda request: (200, b"<html>welcome</html>"), "garbage", 1),
        (lambda request: (200, b'{"choices": []}'), "garbage", 1),
        (lambda request: (200, b"[" * 100_000), "garbage", 1),
        (lambda request: (200, b"\xff\xfe\x00"), "garbage", 1),
        (lambda request: said(None), "empty", 1),
        (lambda request: said(" \n"), "empty", 1),
        (slow, "timeout", 3),
    ],
)
def test_what_goes_wrong_is_a_failure_with_its_reason_and_tries_are_bounded(answer, reason: str, tries: int) -> None:
    with served(answer) as server:
        (reply,) = judge(server.url, timeout=0.3).complete([HELLO])
    assert isinstance(reply, Failure) and reply.reason == reason
    assert len(server.asked) == tries


def test_a_busy_server_is_asked_again() -> None:
    states = iter([503, 502, 200])
    with served(lambda request: (status, b"") if (status := next(states)) != 200 else said("7")) as server:
        assert judge(server.url).complete([HELLO]) == ["7"]


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (reply,) = judge(f"http://127.0.0.1:{free.getsockname()[1]}/v1", retries=0).complete([HELLO])
    assert isinstance(reply, Failure) and reply.reason == "connection"


@pytest.mark.parametrize(
    "options", [{"url": "localhost:8000"}, {"url": "http://x", "timeout": 0}, {"url": "http://x", "workers": 0}]
)
def test_impossible_endpoints_are_refused(options) -> None:
    with pytest.raises(Malformed):
        EndpointJudge("m", **options)


# ── scores ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scores_are_means_of_what_the_judge_says_and_the_settings_tell_who_it_was() -> None:
    with served(overlap) as server:
        result = clue_overlap(GOLD, SAID, judge=judge(server.url), resamples=50)
    assert result.value == pytest.approx((5 + 2 + 1) / 3)  # four shared words, one, and no answer
    assert result.n == 3 and result.unreadable == pytest.approx(1 / 3) and result.coverage["judged"] == 1
    settings = result.settings["judge"]
    assert settings["model"] == "judge-7b" and settings["decoding"]["temperature"] == 0
    assert settings["prompts"] == {"clue_overlap/en": load_prompt("clue_overlap").hash}
    assert result.controls["empty"] == 1 and result.controls["shuffled"] < 5
    json.dumps(result.to_json(), allow_nan=False)


def test_equal_questions_are_asked_once() -> None:
    with served(overlap) as server:
        clue_overlap(GOLD[:1] * 5, SAID[:1] * 5, judge=judge(server.url), controls=False)
    assert len(server.asked) == 1


def test_label_overlap_asks_for_words_first() -> None:
    def two_steps(request):
        text = words_of(request)
        if "separated by commas" in text:
            return said("angry, loud" if "shouts" in text else "happy")
        return overlap(request)

    with served(two_steps) as server:
        asked = judge(server.url)
        result = label_overlap(GOLD, SAID, judge=asked, controls=False)
    assert result.value == pytest.approx((3 + 2 + 1) / 3)  # "angry, loud" twice; "happy" for both; no answer
    assert set(result.settings["judge"]["prompts"]) == {"label_overlap/en", "summarise_emotions/en"}


def test_label_overlap_counts_a_first_step_that_failed() -> None:
    def forgetful(request):
        return said(None if "bored" in words_of(request) else "6, I say" if "Reference" in words_of(request) else "joy")

    with served(forgetful) as server:
        result = label_overlap(GOLD[:2], SAID[:2], judge=judge(server.url), controls=False)
    assert result.value == 6 and result.n == 1 and result.coverage == {"judged": 0.5, "failed_empty": 0.5}


def test_empathy_and_laughter() -> None:
    with served(
        lambda request: said("5" if "the explanation sound" in words_of(request) else '{"score": 3}')
    ) as server:
        asked = judge(server.url)
        assert empathy_judge(GOLD, SAID, judge=asked, controls=False).value == pytest.approx((3 + 3 + 1) / 3)
        assert laughter_reasoning(GOLD, SAID, judge=asked, controls=False).value == pytest.approx((8 + 8 + 0) / 3)
        assert set(asked.used) == {"laughter_logic/en", "laughter_content/en"}


def half(request):
    """Answers about the first item only."""
    return said('{"score": 9}') if "furrowed brow" in words_of(request) else said("I would rather not say.")


def test_failures_are_left_out_and_counted() -> None:
    with served(half) as server:
        result = clue_overlap(GOLD[:2], SAID[:2], judge=judge(server.url), controls=False)
    assert result.value == 9 and result.n == 1
    assert result.coverage == {"judged": 0.5, "failed_no_number": 0.5}


@pytest.mark.parametrize("text", ["11", "0.5", "between 3 and 5", "no number", "NaN"])
def test_a_score_outside_the_scale_is_none(text: str) -> None:
    with served(lambda request: said(text)) as server, pytest.raises(Malformed, match="scored nothing"):
        clue_overlap(GOLD, [*SAID[:2], "x"], judge=judge(server.url), controls=False)


def test_defect_d7_emer_ends_on_an_empty_answer_where_strict_counts_it() -> None:
    with served(lambda request: (500, b"") if "bored" in words_of(request) else said("'score': 8.")) as server:
        asked = judge(server.url, retries=0)
        with pytest.raises(Malformed, match="the published evaluator ends here: http_500"):
            clue_overlap(GOLD[:2], SAID[:2], judge=asked, compat="emer", controls=False)
        result = clue_overlap(GOLD[:2], SAID[:2], judge=asked, controls=False)
    assert result.value == 8 and result.n == 1 and result.coverage["failed_http_500"] == 0.5


def test_defect_d7_emer_takes_the_first_number_whatever_it_counts() -> None:
    with served(lambda request: said("Of the 3 clues I would give 12 points.")) as server:
        asked = judge(server.url)
        assert clue_overlap(GOLD[:1], SAID[:1], judge=asked, compat="emer", controls=False).value == 3
        with pytest.raises(Malformed, match="scored nothing"):
            clue_overlap(GOLD[:1], SAID[:1], judge=asked, controls=False)


def test_defect_d7_the_first_step_of_label_overlap_ends_it_too() -> None:
    with served(lambda request: said(None)) as server, pytest.raises(Malformed, match="evaluator ends here: empty"):
        label_overlap(GOLD[:1], SAID[:1], judge=judge(server.url), compat="emer", controls=False)


def test_emobench_m_scores_a_failure_as_zero() -> None:
    def logic_only(request):
        return said("4") if "the explanation sound" in words_of(request) else (400, b"")

    with served(logic_only) as server:
        asked = judge(server.url)
        assert laughter_reasoning(GOLD[:1], ["x"], judge=asked, compat="emobench_m", controls=False).value == 4
        with pytest.raises(Malformed, match="scored nothing: http_400 1"):
            laughter_reasoning(GOLD[:1], ["x"], judge=asked, controls=False)


def test_scores_of_different_judges_or_prompts_are_not_compared() -> None:
    with served(overlap) as server:
        one = clue_overlap(GOLD, SAID, judge=judge(server.url), controls=False)
        same = clue_overlap(GOLD, SAID[::-1], judge=judge(server.url), controls=False)
        other = clue_overlap(GOLD, SAID, judge=judge(server.url, model="judge-70b"), controls=False)
        chinese = clue_overlap(GOLD, SAID, judge=judge(server.url), language="zh", controls=False)
    comparable(one, same)
    comparable(clue_overlap_words(GOLD, SAID), clue_overlap_words(GOLD, GOLD))
    for result, message in (
        (other, "judge-70b"),
        (chinese, "clue_overlap/zh"),
        (clue_overlap_words(GOLD, SAID), "words"),
    ):
        with pytest.raises(Malformed, match=message):
            comparable(one, result)


def test_a_judge_is_needed() -> None:
    with pytest.raises(Malformed, match="judge"):
        clue_overlap(GOLD, SAID)


# ── stores ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scoring_again_asks_nobody_and_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "answers" / "clues.jsonl"
    with served(overlap) as server:
        first = clue_overlap(GOLD, SAID, judge=JudgeStore(path, judge(server.url)))
        count = len(server.asked)
        again = clue_overlap(GOLD, SAID, judge=JudgeStore(path, judge(server.url)))
        assert len(server.asked) == count
    alone = clue_overlap(GOLD, SAID, judge=JudgeStore(path))
    assert first == again == alone
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    prompt = load_prompt("clue_overlap")
    assert lines[0]["hash"] == prompt.hash and lines[0]["user"] == prompt.user
    assert all(line["model"] == "judge-7b" and line["prompt_hash"] == prompt.hash for line in lines[1:])
    assert len({line["key"] for line in lines[1:]}) == count == len(lines) - 1


def test_failures_are_kept_and_asked_again_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    with served(lambda request: (400, b"")) as server:
        assert JudgeStore(path, judge(server.url)).complete([HELLO]) == [Failure("http_400", "Bad Request")]
    with served(lambda request: said("yes")) as server:
        store = JudgeStore(path, judge(server.url))
        assert store.complete([HELLO])[0].reason == "http_400" and not server.asked  # type: ignore[union-attr]
        assert JudgeStore(path, judge(server.url), retry_failures=True).complete([HELLO]) == ["yes"]
    assert JudgeStore(path).complete([HELLO]) == ["yes"]


def test_what_was_never_asked_is_a_failure_of_a_store_without_a_judge(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    with served(lambda request: said("hi")) as server:
        JudgeStore(path, judge(server.url)).complete([HELLO])
    assert JudgeStore(path).complete([HELLO, [{"role": "user", "content": "else"}]]) == ["hi", Failure("not_stored")]
    with pytest.raises(Malformed, match="not_stored 2"):
        clue_overlap(GOLD[:2], SAID[:2], judge=JudgeStore(path), controls=False)


def test_a_store_of_two_judges_and_broken_stores_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.jsonl"
    with pytest.raises(Malformed, match="holds no answers"):
        JudgeStore(path)
    with served(lambda request: said("hi")) as server:
        for model in ("a", "b"):
            JudgeStore(path, judge(server.url, model=model)).complete([HELLO])
    with pytest.raises(Malformed, match="several judges"):
        JudgeStore(path)
    stored = path.read_text(encoding="utf-8")
    path.write_text(stored + '{"key": "cut o', encoding="utf-8")  # killed while writing: the last line has no end
    JudgeStore(path, judge("http://localhost"))
    for line in ("not json", '{"key": "k"}', "[]", "7"):
        path.write_text(f"{stored}{line}\n", encoding="utf-8")
        with pytest.raises(Malformed, match="cannot be read") as caught:
            JudgeStore(path)
        assert caught.value.where.endswith("store.jsonl:3")


# ── prompts and local judges ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", prompt_names())
def test_every_prompt_has_its_fields_in_every_language_and_hashes_its_wording(name: str) -> None:
    english = load_prompt(name)
    of_users = {"persona", "need", "dialogue", "feeling"}
    assert english.fields in (
        {"gold", "predicted"},
        {"text"},
        {"text", "labels"},
        of_users,
        {"context", "first", "second"},
    )
    for language in ("zh",) if not name.startswith("laughter") else ():
        other = load_prompt(name, language)
        assert other.fields == english.fields and other.hash != english.hash
    with pytest.raises(NotFound, match="klingon"):
        load_prompt(name, "klingon")


def test_braces_in_a_text_are_text_and_unknown_prompts_are_explained() -> None:
    prompt = load_prompt("clue_overlap")
    words = prompt.messages({"gold": "{predicted} {0} {", "predicted": "}{gold}"})[-1]["content"]
    assert "{predicted} {0} {" in words and "}{gold}" in words
    with pytest.raises(NotFound, match="clue_overlap"):
        load_prompt("clues")


def test_a_local_model_judges(tmp_path: Path) -> None:
    from affectllm.model.tiny import tiny_folder

    folder = tiny_folder("qwen2")
    asked = LocalJudge(path=str(folder), decoding={"temperature": 0, "max_tokens": 4}, batch_size=2)
    other = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "and a longer question than that"}]
    replies = asked.complete([HELLO, other, HELLO])
    assert len(replies) == 3 and replies[0] == replies[2] and all(isinstance(text, (str, Failure)) for text in replies)
    assert asked.model.startswith(folder.name + "@") and asked.settings["decoding"]["max_tokens"] == 4
    store = JudgeStore(tmp_path / "store.jsonl", asked)
    assert store.complete([HELLO]) == replies[:1] == JudgeStore(tmp_path / "store.jsonl").complete([HELLO])
    with pytest.raises(NotFound, match="no folder of a model"):
        LocalJudge(path=str(tmp_path))


def test_answers_and_questions_must_pair_up() -> None:
    class Mute(EndpointJudge):
        def complete(self, batch, prompt=None):
            return []

    with pytest.raises(Malformed, match="0 answers to 1 questions"):
        answers(Mute("m", url="http://x"), load_prompt("extract_open"), [{"text": "a"}])
