"""Published linear protocols: their pages are what scikit-learn is called with, on frozen features."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affectllm.data_builders.images import emotic
from affectllm.data_builders.video import bold
from evaluating import shipped, use
from meld_made import write_meld
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier

from affectllm import registry
from affectllm.corpus.miniature import Clip, Content, materialise
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate.models.linear_page import load_protocol
from affectllm.evaluate.models.protocol_rows import protocol_rows
from affectllm.evaluate.models.shallow import ShallowLM
from affectllm.instruct.conversation import Conversation
from affectllm.model.clips.media import Budget, open_clip, open_image
from affectllm.model.embedding.embedder import load_embedder

SETTINGS: dict[str, Any] = {"random_state": 2022, "max_iter": 2000, "solver": "sag", "class_weight": None}
SIDES = {"train": 30, "val": 14}
LOOKS = Budget(fps=8.0, max_frames=8, max_pixels=336 * 336, long="trim")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of random weights."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, set_seed

    folder = tmp_path_factory.mktemp("clip")
    set_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPConfig(
        vision_config={**sizes, "image_size": 32, "patch_size": 8}, text_config={**sizes, "vocab_size": 99}
    )
    CLIPModel(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    CLIPImageProcessor(size=size, crop_size=size).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bold_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of one person each, with random judgements."""
    draw, files = np.random.default_rng(1), dict[str, Content]()
    for split, count in SIDES.items():
        rows = []
        for number in range(count):
            name = f"{split}/aaaaaaaaaaa.mp4/{number:04}.mp4"
            shares = draw.choice([0.0, 0.25, 0.5, 1.0], len(bold.EMOTIONS))
            axes = draw.uniform(2, 9, 3).round(2)
            rows.append(f"{name},0,0,2,{','.join(map(str, [*shares, *axes]))},Female,Adult,Asian,0.9\n")
            files[f"videos/{name}"] = Clip(seconds=0.3, size=64, sound=False, scene=1 + len(files))
        files[f"annotations/{split}.csv"] = "".join(rows)
    return materialise(files, tmp_path_factory.mktemp("bold"))


@pytest.fixture(scope="module")
def emotic_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of noise with two people each."""
    draw, files = np.random.default_rng(2), dict[str, Content]()
    parts = {"train": 16, "val": 1, "test": 8}
    content = {part: emotic._struct([_picture(part, n, draw, files) for n in range(n)]) for part, n in parts.items()}
    files["Annotations/Annotations.mat"] = _mat(content)
    return materialise(files, tmp_path_factory.mktemp("emotic"))


def _mat(content: Mapping[str, Any]) -> Callable[[], bytes]:
    from scipy.io import savemat

    stream = io.BytesIO()
    savemat(stream, dict(content))
    return stream.getvalue


def _picture(part: str, number: int, draw: Any, files: dict[str, Content]) -> dict[str, Any]:
    from PIL import Image

    stream, name = io.BytesIO(), f"{part}{number}.png"
    Image.fromarray(draw.integers(0, 255, (64, 64, 3), np.uint8)).resize((64, 64)).save(stream, "PNG")
    files[f"emotic/mscoco/images/{name}"] = stream.getvalue()
    people = [_person(box, draw, part != "train") for box in ([0, 0, 30, 60], [32, 8, 64, 40])]
    size = emotic._struct([{"n_col": 64, "n_row": 64}])
    source = emotic._struct([{"name": "mscoco", "info": "x"}])
    facts = {"folder": "mscoco/images", "image_size": size, "original_database": source}
    return {"filename": name, **facts, "person": emotic._struct(people)}


def _person(box: list[int], draw: Any, several: bool) -> dict[str, Any]:
    names = [name.title() for name in emotic.EMOTIONS if draw.random() < 0.4]
    axes = dict(zip(emotic.AXES, map(float, draw.integers(1, 11, 3)), strict=True))
    one = {
        "body_bbox": np.array(box),
        "annotations_categories": emotic._struct([{"categories": emotic._cells(names)}]),
        "annotations_continuous": emotic._struct([axes]),
    }
    more = {"combined_categories": emotic._cells(names), "combined_continuous": emotic._struct([axes])}
    return {**one, **(more if several else {}), "gender": "Male", "age": "Adult"}


def _loaded(name: str) -> Any:
    task = shipped().load([name])["tasks"][name]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    return task


def _scores(task: Any, answers: list[Any], count: int) -> dict[str, float]:
    results: dict[str, list[Any]] = {}
    for number in range(len(task.task_docs)):
        record = task.process_results(task.task_docs[number], answers[number * count : (number + 1) * count])
        for key in task.page.metrics:
            results.setdefault(key, []).append(record[key])
    return {key: task.aggregation()[key](items) for key, items in results.items()}


def _unit(vector: Any) -> np.ndarray:
    return np.asarray(vector, dtype=np.float64) / np.linalg.norm(vector)


@cache
def _transformers(clip: Path) -> tuple[Any, Any]:
    from transformers import CLIPImageProcessor, CLIPModel

    return CLIPModel.from_pretrained(clip), CLIPImageProcessor.from_pretrained(clip)


def _seen(clip: Path, pictures: list[np.ndarray]) -> np.ndarray:
    """What transformers' own CLIP makes of pictures: the mean of their unit vectors, of length 1."""
    import torch

    model, processor = _transformers(clip)
    with torch.no_grad():
        vectors = model.get_image_features(**processor(images=pictures, return_tensors="pt")).pooler_output
    return _unit(np.mean([_unit(one) for one in vectors.numpy()], axis=0))


@cache
def _of_bold(clip: Path, root: Path, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, labels and dimensions, read from the files by hand."""
    lines = [line.split(",") for line in (root / f"annotations/{split}.csv").read_text().splitlines()]
    films: list[Any] = [
        open_clip(root / "videos" / line[0], LOOKS, frames=True, sound=False, factor=1) for line in lines
    ]
    features = np.stack([_seen(clip, list(film.frames)) for film in films])
    numbers = np.asarray([line[4:33] for line in lines], dtype=float)
    return features, numbers[:, :26] >= 0.5, numbers[:, 26:]


def test_bold_is_scored_as_emotionclip_scores_it(clip: Path, bold_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {"bold": bold_root})
    train, labels, _ = _of_bold(clip, bold_root, "train")
    held, truths, _ = _of_bold(clip, bold_root, "val")
    by_hand = OneVsRestClassifier(LogisticRegression(C=3.16, **SETTINGS)).fit(train, labels).predict_proba(held)
    task = _loaded("bold_emotions_likelihood")
    answers = ShallowLM(encoder=str(clip), protocol="emotionclip").loglikelihood(task.instances)
    scores = _scores(task, answers, 2 * 26)
    assert scores["mean_average_precision"] == pytest.approx(average_precision_score(truths, by_hand), abs=1e-9)
    assert scores["roc_auc_macro"] == pytest.approx(roc_auc_score(truths, by_hand), abs=1e-9)
    usual = _scores(task, ShallowLM(encoder=str(clip)).loglikelihood(task.instances), 2 * 26)
    assert abs(usual["roc_auc_macro"] - scores["roc_auc_macro"]) > 1e-3  # another way to fit is seen


def test_dimensions_of_bold_are_those_of_ridge(clip: Path, bold_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {"bold": bold_root})
    train, _, numbers = _of_bold(clip, bold_root, "train")
    held, _, truths = _of_bold(clip, bold_root, "val")
    by_hand = Ridge(alpha=1).fit(train, numbers).predict(held)
    task = _loaded("bold_vad")
    replies = ShallowLM(encoder=str(clip), protocol="emotionclip").generate_until(task.instances)
    scores = _scores(task, replies, 1)  # of numbers with three decimals
    assert scores["vad_r2"] == pytest.approx(r2_score(truths, by_hand), abs=5e-4)
    read: Any = [task.template.read(reply).value for reply in replies]
    assert np.abs(np.asarray([list(one.values()) for one in read]) - by_hand).max() < 6e-4


@pytest.mark.thorough
def test_people_of_emotic_are_described_beside_their_picture(
    clip: Path, emotic_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"emotic": emotic_root})
    task = _loaded("emotic_emotions_likelihood")

    def features(sample: Any) -> np.ndarray:
        path = emotic_root / sample.media[0].path
        box = [float(word) for word in sample.attributes["box"].split(",")]
        whole: Any = open_image(path, LOOKS, 1)
        cut: Any = open_image(path, LOOKS, 1, box)
        return _seen(clip, [whole, cut])

    def labels(sample: Any) -> list[bool]:
        (own,) = (one.value for one in sample.annotations if (one.space, one.rater) == ("emotic_26", "combined"))
        return [name in own for name in emotic.EMOTIONS]

    train, held = list(task.question.training()), list(task.question.scored())
    model = OneVsRestClassifier(LogisticRegression(C=2.5, **SETTINGS))
    model.fit(np.stack([features(one) for one in train]), np.asarray([labels(one) for one in train]))
    by_hand = model.predict_proba(np.stack([features(one) for one in held]))
    answers = ShallowLM(encoder=str(clip), protocol="emotionclip").loglikelihood(task.instances)
    chances = np.exp([one for one, _ in answers]).reshape(len(held), 26, 2)[:, :, 1]
    assert len(held) == 16 and np.abs(chances - by_hand).max() < 1e-6
    assert np.abs(chances[0] - chances[1]).max() > 1e-4  # two people of one picture


@pytest.mark.thorough
def test_meld_is_one_regression_of_all_labels_on_what_a_family_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"meld": write_meld(tmp_path / "meld")})
    task = _loaded("meld_emotion")
    embedder = load_embedder("tiny:qwen2")
    train, held = list(task.question.training()), list(task.question.scored())

    def features(samples: list[Any]) -> np.ndarray:
        asked = [Conversation.of(one, task.question.template).asked for one in samples]
        return np.stack([_unit(embedder.embed([one])[0]) for one in asked])

    labels = [next(one.value for one in sample.annotations if one.space == "meld_7") for sample in train]
    by_hand = LogisticRegression(C=8, **SETTINGS).fit(features(train), labels).predict(features(held))
    replies = ShallowLM(encoder="tiny:qwen2", protocol="emotionclip").generate_until(task.instances)
    assert [task.template.read(reply).value for reply in replies] == list(by_hand) and len(set(by_hand)) > 1


@pytest.mark.parametrize("encoder", ["vit", "tiny:qwen2_5_omni"])
@pytest.mark.thorough
def test_other_encoders_and_families_are_probed_too(
    encoder: str, bold_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    if encoder == "vit":
        encoder = str(tmp_path)
        sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        ViTModel(ViTConfig(**sizes, image_size=32, patch_size=8)).save_pretrained(tmp_path)
        ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    use(monkeypatch, {"bold": bold_root})
    task = _loaded("bold_emotions_likelihood")
    answers = ShallowLM(encoder=encoder, protocol="emotionclip").loglikelihood(task.instances)
    assert 0 < _scores(task, answers, 2 * 26)["mean_average_precision"] < 1
    assert "have none that can be used" not in capsys.readouterr().err


@pytest.mark.parametrize(("normalise", "rows"), [("l2", [[0.6, 0.8], [1, 0]]), ("none", [[3, 4], [5, 0]])])
def test_rows_are_scaled_and_a_clip_that_is_broken_is_average(
    normalise: Any, rows: list[list[float]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = [np.array([3.0, 4.0]), np.array([5.0, 0.0]), None]
    protocol = replace(load_protocol("emotionclip"), normalise=normalise)
    asked: Any = object()
    train, held = protocol_rows(lambda question, samples: iter(found), protocol)(asked, [asked, asked], [asked])
    assert np.allclose(train, rows) and np.allclose(held, np.mean(rows, axis=0))
    assert "1 of 3 items have none that can be used" in capsys.readouterr().err


def test_a_corpus_without_options_and_a_protocol_without_an_encoder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AffectError, match=r"nothing of goemotions, only of bold, emotic, meld"):
        load_protocol("emotionclip").options_of("goemotions")
    with pytest.raises(AffectError, match="protocol says how an encoder is used"):
        ShallowLM(protocol="emotionclip")
    assert all(load_protocol(name).corpora for name in registry.names("recipes/linear"))
    with pytest.raises(NotFound, match="emotionclip"):
        load_protocol("emotion_clip")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("ridge: {alpha: 1.0}\ncorpora: {bold: {c: 1}}", r"'c' in corpora\.bold"),
        ("ridge: {alpha: 1.0}\ncorpora: {boldd: {C: 1}}", r"mine\.yaml:2: .*'boldd'"),
        ("ridge: {alpha: 1.0}\ncorpora: {bold: {C: 1}}\nbudget: {frames: 8}", "'frames' in budget"),
        ("corpora: {bold: {C: 1}}", "lacks ridge"),
    ],
)
def test_a_page_with_a_mistake_names_its_place(lines: str, message: str, tmp_path: Path) -> None:
    page = tmp_path / "mine.yaml"
    page.write_text(lines + "\n")
    with pytest.raises((Malformed, NotFound), match=message):
        load_protocol(str(page))
