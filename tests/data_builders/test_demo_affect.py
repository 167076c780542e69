"""The synthetic corpus: deterministic, balanced, disjoint, and with the emotion audible, visible and readable."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.splits import shared_speakers

DEMO = load_builder("demo_affect")
FEW = {"train": 10, "validation": 5, "test": 5}
ENOUGH = {"train": 200, "test": 50}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(tmp_path: Path) -> None:
    for folder, seed in (("one", 7), ("two", 7), ("other", 8)):
        DEMO.generate(tmp_path / folder, seed, FEW)  # type: ignore[attr-defined]
    one, two, other = (digests(tmp_path / folder) for folder in ("one", "two", "other"))
    assert len(one) == sum(FEW.values()) + 1
    assert one == two
    assert one.keys() == other.keys() and not set(one.values()) & set(other.values())


def test_what_is_generated_is_read_whole(tmp_path: Path) -> None:
    DEMO.generate(tmp_path / "demo", 0, FEW)  # type: ignore[attr-defined]
    items = list(DEMO.samples(tmp_path / "demo"))
    assert all(isinstance(item, Sample) for item in items)
    assert Counter(item.split for item in items if isinstance(item, Sample)) == FEW


def planned(seed: int = 0) -> list[object]:
    return DEMO.plan(seed, DEMO.CARD.counts)  # type: ignore[attr-defined, no-any-return]


def test_the_plan_keeps_what_the_card_promises() -> None:
    plans = planned()
    assert Counter(plan.split for plan in plans) == DEMO.CARD.counts  # type: ignore[attr-defined]
    for split in DEMO.CARD.counts:
        part = [plan for plan in plans if plan.split == split]  # type: ignore[attr-defined]
        agreeing = [plan.face for plan in part if plan.face == plan.voice == plan.words]  # type: ignore[attr-defined]
        assert len(agreeing) * 5 == len(part) * 4, "one clip in five conflicts"
        assert len(set(Counter(agreeing).values())) == 1, "emotions are balanced"
        sexes = Counter(plan.sex for plan in part)  # type: ignore[attr-defined]
        assert min(sexes.values()) > len(part) / 3


def test_splits_share_no_speaker_and_no_sentence() -> None:
    plans = planned()
    for attribute in ("speaker", "sentence"):
        splits = {(getattr(plan, attribute), plan.split) for plan in plans}  # type: ignore[attr-defined]
        assert len({value for value, _ in splits}) == len(splits), attribute


def test_no_sentence_names_a_label() -> None:
    space = DEMO.CARD.spaces[0]
    words = {word.strip(",.").lower() for plan in planned() for word in plan.sentence.split()}  # type: ignore[attr-defined]
    assert not [word for word in words if space.resolve(word)]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Sample]]:
    root = tmp_path_factory.mktemp("demo") / "demo"
    DEMO.generate(root, 1, ENOUGH)  # type: ignore[attr-defined]
    return root, [item for item in DEMO.samples(root) if isinstance(item, Sample)]


def test_only_agreeing_clips_have_an_intended_emotion(generated: tuple[Path, list[Sample]]) -> None:
    space = DEMO.CARD.spaces[0].name
    for sample in generated[1]:
        channels = {sample.annotation(space, rater).value for rater in ("face", "voice", "words")}  # type: ignore[union-attr]
        intended = sample.annotation(space, "intended")
        assert (intended is not None) == (len(channels) == 1) == (sample.attributes["agreement"] == "agree")
        assert sample.attributes["synthetic"] == "yes"
    assert shared_speakers(generated[1]) == {}


def decoded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import av

    pictures, sounds = [], []
    with av.open(str(path)) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame.to_ndarray(format="rgb24"))
            else:
                sounds.append(frame.to_ndarray()[0])
    return np.stack(pictures), np.concatenate(sounds)


def spectrum(sound: np.ndarray) -> np.ndarray:
    frames = np.lib.stride_tricks.sliding_window_view(sound, 512)[::256] * np.hanning(512)
    log = np.log10(np.abs(np.fft.rfft(frames, axis=1)[:, 1:129]).reshape(len(frames), 64, 2).mean(2) + 1e-4)
    return np.concatenate([log.mean(0), log.std(0)])


@pytest.mark.thorough  # a score of quickstart tells the same
def test_the_emotion_can_be_told_from_face_voice_and_words_alone(generated: tuple[Path, list[Sample]]) -> None:
    """Linear models on plain features of one channel, tested on unseen speakers and situations."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    root, samples = generated
    clips = [decoded(root / sample.media[0].path) for sample in samples]
    bags = CountVectorizer().fit([sample.text for sample in samples if sample.split == "train"])
    features = {
        "face": np.stack([pictures.mean(0)[::4, ::4].ravel() for pictures, _ in clips]),
        "voice": np.stack([spectrum(sound) for _, sound in clips]),
        "words": bags.transform([sample.text for sample in samples]).toarray(),
    }
    train = np.array([sample.split == "train" for sample in samples])
    for rater, table in features.items():
        gold = np.array([sample.annotation("demo_affect_5", rater).value for sample in samples])  # type: ignore[union-attr]
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500)).fit(table[train], gold[train])
        assert model.score(table[~train], gold[~train]) >= 0.9, rater


def test_clips_are_short_and_sadness_is_quieter_than_anger(generated: tuple[Path, list[Sample]]) -> None:
    root, samples = generated
    power: dict[str, list[float]] = {"anger": [], "sadness": []}
    for sample in samples[:60]:
        pictures, sound = decoded(root / sample.media[0].path)
        assert 1.4 < len(sound) / 16_000 < DEMO.CARD.max_seconds  # type: ignore[operator]
        assert pictures.shape[1:] == (56, 56, 3) and 10 <= len(pictures) <= 20
        voice = sample.annotation("demo_affect_5", "voice").value  # type: ignore[union-attr]
        power.setdefault(str(voice), []).append(float(np.sqrt(np.mean(sound**2))))
    assert max(power["sadness"]) < min(power["anger"])
