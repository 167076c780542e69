"""What training data and tasks share, by family tree and by content."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from kindred import PARAPHRASED, TWEET, kindred
from toy_corpus import toy_corpus

from affectllm.corpus import MediaRef, Sample
from affectllm.corpus.family import descent
from affectllm.corpus.leaks.leakage import refuse_leakage, refuse_shared
from affectllm.corpus.leaks.overlap import Shared, find_shared
from affectllm.errors import AffectError, Leakage


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    return kindred(tmp_path, monkeypatch)


def sample(corpus: str, number: str, **fields: object) -> Sample:
    own = "".join(list(corpus))  # equal names are not the same object where samples are read from files
    return replace(Sample(number, own, "train", (), f"list.csv:{number}"), **fields)  # type: ignore[arg-type]


def source(*samples: Sample) -> Callable[[], Iterable[Sample]]:
    return partial(iter, samples)


def between(train: Sample, scored: Sample, **options: object) -> list[Shared]:
    options = {"threshold": 0.7, **options}
    return find_shared({train.corpus: source(train)}, {"task": source(scored)}, **options)["task"]  # type: ignore[arg-type]


# ── the family tree ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("train", "scored", "path"),
    [
        ("child", "base", "child ← base"),
        ("base", "child", "base → child"),
        ("grandchild", "base", "grandchild ← child ← base"),
        ("base", "grandchild", "base → child → grandchild"),
        ("grandchild", "sibling", "grandchild ← child ← base → sibling"),
        ("base", "stranger", ""),
        ("base", "base", "base"),
    ],
)
def test_a_path_in_the_family_tree_goes_from_old_to_new(
    corpora: dict[str, Path], train: str, scored: str, path: str
) -> None:
    assert descent(train, scored) == path


def test_the_shortest_of_several_paths_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, parents in (("a", ()), ("b", ("a",)), ("c", ("a", "b")), ("d", ("b",)), ("e", ("b",))):
        toy_corpus(tmp_path, monkeypatch, name, parents=parents)
    assert descent("c", "a") == "c ← a"
    assert descent("d", "e") == "d ← b → e"


def test_words_of_a_relative_are_named_with_both_places_and_the_path(corpora: dict[str, Path]) -> None:
    (shared,) = between(sample("grandchild", "7", text=TWEET.title()), sample("base", "3", text=f"{TWEET}!"))
    assert (shared.kind, shared.count, shared.path) == ("text", 1, "grandchild ← child ← base")
    (example,) = shared.examples
    assert example.name == TWEET
    assert str(example.train) == "grandchild/7 (list.csv:7)" and str(example.scored) == "base/3 (list.csv:3)"


def test_chinese_words_of_a_relative_are_found_though_they_have_no_spaces(corpora: dict[str, Path]) -> None:
    text = "我昨天在火车站看到了一个非常善良的老人"
    with pytest.raises(Leakage, match=text):
        train, scored = sample("child", "1", text=text, language="zh"), sample("base", "2", text=text, language="zh")
        refuse_leakage({"child": [train]}, {"base": [scored]}, recipe="r", task="t")


def test_words_count_as_they_are_written_and_as_they_are_compared(corpora: dict[str, Path]) -> None:
    text = "Yes , I think so ."  # six as the release writes them, four without the punctuation
    assert [one.kind for one in between(sample("child", "1", text=text), sample("base", "2", text=text))] == ["text"]
    assert between(sample("child", "1", text="Yes, I think so."), sample("base", "2", text="Yes, I think so.")) == []


# ── content ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_changed_by_one_word_is_found_in_an_unrelated_corpus(corpora: dict[str, Path]) -> None:
    (shared,) = between(sample("stranger", "7", text=PARAPHRASED), sample("base", "3", text=TWEET))
    assert (shared.kind, shared.count, shared.path) == ("near-duplicate text", 1, "")
    assert 0.7 <= (shared.examples[0].similarity or 0) < 1
    assert between(sample("stranger", "7", text=PARAPHRASED), sample("base", "3", text=TWEET), threshold=None) == []


def test_the_same_text_in_an_unrelated_corpus_is_a_near_duplicate_of_similarity_1(corpora: dict[str, Path]) -> None:
    (shared,) = between(sample("stranger", "7", text=TWEET), sample("base", "3", text=TWEET))
    assert shared.kind == "near-duplicate text" and shared.examples[0].similarity == 1


@pytest.mark.parametrize(
    ("train", "scored", "one", "other"),
    [
        ("stranger", "base", "Yeah, what else?", "Yeah, what else?"),  # recurs by chance
        ("stranger", "base", TWEET, "something with as many words as that but about a rainy day at the office"),
        ("base", "base", TWEET, TWEET),  # acted sentences are the same in all splits
        ("stranger", "base", "", ""),
    ],
)
def test_a_clean_pair_shares_nothing(corpora: dict[str, Path], train: str, scored: str, one: str, other: str) -> None:
    assert between(sample(train, "1", text=one), sample(scored, "2", text=other), roots=corpora) == []


def clip(corpora: dict[str, Path], corpus: str, name: str, content: bytes, **fields: object) -> Sample:
    (corpora[corpus] / name).write_bytes(content)
    return sample(corpus, name, media=(replace(MediaRef(name, "audio"), **fields),))  # type: ignore[arg-type]


def test_a_clip_under_another_name_is_found_in_an_unrelated_corpus(corpora: dict[str, Path]) -> None:
    one, other = clip(corpora, "stranger", "x.wav", b"sound"), clip(corpora, "base", "0001.wav", b"sound")
    (shared,) = between(one, other, roots=corpora)
    assert (shared.kind, shared.count, shared.path) == ("copied clip", 1, "")
    assert shared.examples[0].name == "stranger/x.wav = base/0001.wav"
    assert between(one, other) == []  # content is compared where folders are given
    with pytest.raises(Leakage, match=r"copied clips stranger/x\.wav = base/0001\.wav"):
        refuse_leakage({"stranger": [one]}, {"base": [other]}, recipe="r", task="t", roots=corpora)


def test_other_bytes_or_another_span_are_no_copy(corpora: dict[str, Path]) -> None:
    one = clip(corpora, "stranger", "x.wav", b"sound", start=1.0)
    assert between(one, clip(corpora, "base", "y.wav", b"found", start=1.0), roots=corpora) == []
    assert between(one, clip(corpora, "base", "y.wav", b"sound", start=2.0), roots=corpora) == []
    assert len(between(one, clip(corpora, "base", "y.wav", b"sound", start=1.0), roots=corpora)) == 1


def test_a_copy_within_one_corpus_is_told_but_not_refused(corpora: dict[str, Path]) -> None:
    """The release has it, and with it every published score."""
    one, other = clip(corpora, "base", "x.wav", b"sound"), clip(corpora, "base", "y.wav", b"sound")
    (shared,) = between(one, other, roots=corpora)
    assert (shared.kind, shared.path) == ("copied clip", "")
    refuse_leakage({"base": [one]}, {"base": [other]}, recipe="r", task="t", roots=corpora)


def test_the_same_file_is_a_clip_and_not_a_copy(corpora: dict[str, Path]) -> None:
    one = clip(corpora, "base", "x.wav", b"sound")
    all_shared = between(one, replace(one, id="another"), roots=corpora)
    assert [shared.kind for shared in all_shared] == ["clip"]


def test_near_duplicates_are_told_but_not_refused(corpora: dict[str, Path]) -> None:
    shared = between(sample("child", "7", text=PARAPHRASED), sample("base", "3", text=TWEET))
    assert [one.kind for one in shared] == ["near-duplicate text"]
    refuse_shared(shared, recipe="r", task="t")


def test_what_is_shared_is_counted_once_and_shown_a_few_times(corpora: dict[str, Path]) -> None:
    texts = [f"{TWEET} number {number} {number} {number * 7}" for number in range(12)]
    train = [sample("child", f"{number}-{copy}", text=text) for copy in "ab" for number, text in enumerate(texts)]
    scored = [sample("base", f"{number}", text=text) for number, text in enumerate(texts)]
    shared = find_shared({"child": source(*train)}, {"task": source(*scored)})["task"]
    assert [(one.kind, one.count, len(one.examples)) for one in shared] == [("text", 12, 5)]


def test_several_tasks_are_compared_in_one_reading(corpora: dict[str, Path]) -> None:
    readings = []

    def train() -> Iterable[Sample]:
        readings.append(1)
        return iter([sample("stranger", "7", text=PARAPHRASED)])

    clean = sample("base", "4", text="something else entirely that nobody else would ever say")
    scored = {
        "a": source(sample("base", "3", text=TWEET)),
        "b": source(clean),
        "c": source(sample("child", "3", text=TWEET)),
    }
    by_task = find_shared({"stranger": train}, scored, threshold=0.7)
    assert {name: len(shared) for name, shared in by_task.items()} == {"a": 1, "b": 0, "c": 1}
    assert len(readings) == 1


def test_words_are_shared_with_the_relative_alone(corpora: dict[str, Path]) -> None:
    scored = {name: source(sample(name, "3", text=TWEET)) for name in ("base", "stranger")}
    by_task = find_shared({"child": source(sample("child", "7", text=TWEET))}, scored)
    assert {name: [one.kind for one in shared] for name, shared in by_task.items()} == {
        "base": ["text"],
        "stranger": [],
    }


def test_words_are_shared_with_a_relative_and_not_with_the_corpus_itself(corpora: dict[str, Path]) -> None:
    """The sentences of an acted corpus are the same in every split."""
    scored = {name: source(sample(name, "3", text=TWEET)) for name in ("base", "child")}
    by_task = find_shared({"base": source(sample("base", "7", text=TWEET))}, scored, threshold=0.7)
    assert {name: [one.kind for one in shared] for name, shared in by_task.items()} == {"base": [], "child": ["text"]}


def test_an_unrelated_corpus_is_not_read_when_only_the_family_counts(corpora: dict[str, Path]) -> None:
    def unread() -> Iterable[Sample]:
        raise AssertionError("read")

    scored = {"task": source(sample("base", "3", text=TWEET))}
    assert find_shared({"stranger": unread}, scored, roots=corpora) == {"task": []}
    assert find_shared({"stranger": unread}, {}, roots=corpora, threshold=0.7) == {}
    with pytest.raises(AffectError, match="above 0"):
        find_shared({}, {"task": unread}, threshold=2.0)


@pytest.mark.parametrize(
    ("trained", "said"),
    [("child", {"text": "same text"}), ("base", {"dialogue": "", "speaker": ""})],
)
def test_only_of_texts_it_is_said_how_they_are_the_same(
    corpora: dict[str, Path], trained: str, said: dict[str, str]
) -> None:
    train, scored = (
        sample(name, n, text=TWEET, dialogue="d", speaker="anna") for name, n in ((trained, "7"), ("base", "8"))
    )
    shared = between(train, scored, threshold=None)
    assert {one.kind: one.examples[0].sameness for one in shared} == said
