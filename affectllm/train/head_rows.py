"""What the trainer of a head is given: the network, rows with their targets, and of a frozen backbone what it pools.

A frozen backbone is run once for every row; what it pools is kept beside the training, part by part, so that a run
that was cut off goes on there, and the head is then trained on these features alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe, Malformed, explained
from affectllm.metrics import METRICS
from affectllm.model.heads.answers import THRESHOLD, Answers, probabilities
from affectllm.model.heads.backbones import ENCODERS
from affectllm.model.heads.folder import HeadFolder
from affectllm.model.heads.losses import Criterion
from affectllm.model.heads.network import FEATURES, HeadNetwork, Standardised, layers
from affectllm.model.heads.page import HeadPage
from affectllm.model.heads.prototypes import Prototypes, load_prototypes
from affectllm.model.load import Model
from affectllm.train.collator import Collator
from affectllm.train.data import LENGTH
from affectllm.train.distilling.answers import taught
from affectllm.train.finite import ROWS
from affectllm.train.method import Method
from affectllm.train.methods.head import scores_of
from affectllm.train.pages.best_page import LOSS
from affectllm.train.ranks.sharding import shards_weights
from affectllm.train.recipe import Recipe
from affectllm.voice import bar, tell

if TYPE_CHECKING:
    import torch
    from datasets import Dataset

    from affectllm.model.heads.inputs import Messages

_NUMBER = "number"  # column of the row that features are of
_PART = 1_024  # rows whose features share a file
_ASKED = ("id", "sample", "corpus", "language", "asked_by", "value")  # what targets are made of
_TAUGHT = "taught"  # of a batch: what a teacher has answered


class Prompts:
    """An encoder of conversations that end where the answer would begin.

    Args:
        encoder: of the backbone.
    """

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def encode(self, messages: Messages) -> Any:
        """Encode as the encoder does, with the beginning of the answer's turn."""
        return self._encoder.encode(messages, generation_prompt=True)

    def collate(self, batch: Sequence[Any]) -> dict[str, torch.Tensor]:
        """Join as the encoder does."""
        result: dict[str, torch.Tensor] = self._encoder.collate(batch)
        return result


def head_arguments(
    recipe: Recipe,
    method: Method,
    model: Model,
    encoder: Any,
    adapter: Any,
    datasets: tuple[Dataset, Dataset | None],
    out: Path,
    args: Any,
) -> dict[str, Any]:
    """Return the arguments by which the trainer of a head gets its model, rows and batches.

    Args:
        encoder: of the backbone; of questions where the head answers them.
        adapter: PEFT's configuration, or None.
        datasets: rows of training and validation.
        out: folder of the train run.
        args: of the trainer.

    Raises:
        BadRecipe: when a frozen backbone is to be sharded.
    """
    from transformers import set_seed

    answers, train = answers_of(recipe, method), datasets[0]
    network, head = _built(recipe, method, model, adapter, answers)
    set_seed(recipe.seed)
    common = {"peft_config": adapter, "head": head, "processing_class": model.processor}
    if method.heads == "reward":
        more = _margins((recipe.head or HeadPage()).margin)
        batches = {"data_collator": Collator(encoder, method.conversations, method.batch, more=more)}
        return {**common, **batches, "model": network, "train_dataset": train, "eval_dataset": datasets[1]}
    prototypes = _prototypes(head, answers)
    targets = _targets(answers, train)
    _tell_unseen(answers, targets)
    network.criterion = Criterion(answers.kind, head.page, targets, answers.outputs, prototypes)
    common["compute_metrics"] = held_out_scores(answers)
    _check_varies(recipe, answers, datasets[1])
    learned = _taught(head.page, answers, train)
    if head.adaptation == "frozen":
        return {**common, **_on_features(network, encoder, method, datasets, out, args, learned)}
    collator = Collator(encoder, method.conversations, method.batch, more=_targets_of(answers, train, learned))
    rows = {"train_dataset": train, "eval_dataset": datasets[1]}
    return {**common, **rows, "model": network, "data_collator": collator}


def _tell_unseen(answers: Answers, targets: torch.Tensor) -> None:
    """Say which outputs of the head no training row is about: they learn nothing of what they stand for."""
    from accelerate import PartialState

    if (unseen := answers.unseen(targets)) and PartialState().is_main_process:
        what = "has a number for" if answers.kind == "numbers" else "is labelled"
        tell(f"warning: none of {len(targets):,} training rows {what} {', '.join(unseen)}")


def _check_varies(recipe: Recipe, answers: Answers, validation: Dataset | None) -> None:
    """Raise ``BadRecipe`` where the best checkpoint is chosen by a concordance that the validation rows have not."""
    if recipe.best is None or recipe.best.metric == LOSS or answers.kind != "numbers" or validation is None:
        return
    targets = _targets(answers, validation)
    if not any(len(column[column.isfinite()].unique()) > 1 for column in targets.T):
        message = f"the numbers of {len(targets)} validation rows do not vary, so no checkpoint has a best.metric"
        raise BadRecipe(message, do="set best.metric: loss, or add validation rows")


def answers_of(recipe: Recipe, method: Method) -> Answers:
    """Return the outputs of the head of a recipe."""
    if method.heads == "reward":
        return Answers("reward")
    templates = [part.bind() for part in recipe.data.mixture]
    return Answers.to_questions([(template.slots, template.language) for template in templates])


def _built(
    recipe: Recipe, method: Method, model: Model, adapter: Any, answers: Answers
) -> tuple[HeadNetwork, HeadFolder]:
    """Return the network and the page of its folder."""
    from transformers import set_seed

    page, backbone = recipe.head or HeadPage(), recipe.model.backbone
    trained = adapter is not None or any(weight.requires_grad for weight in model.model.base_model.parameters())
    frozen = not trained and method.heads != "reward"  # of pairs each answer is read once an epoch
    config = model.model.config if backbone in ENCODERS else model.model.config.get_text_config()
    width = int(getattr(config, "hidden_size", None) or config.d_model)
    pooling = page.pooling or ("mean" if backbone in ENCODERS else "last")
    head = HeadFolder(
        answers=answers,
        page=page,
        base=recipe.model.path,
        backbone=backbone,
        processor=recipe.model.processor,
        dtype=recipe.model.dtype,
        budget=recipe.model.budget,
        max_text_tokens=recipe.model.max_text_tokens,
        pooling=pooling,
        width=width,
        standardised=frozen,
        adaptation="lora" if adapter is not None else "full" if trained else "frozen",
    )
    set_seed(recipe.seed)
    score = layers(width, answers.outputs, page, standardised=frozen)
    return HeadNetwork(model.model, score, answers, pooling), head


def _prototypes(head: HeadFolder, answers: Answers) -> Prototypes | None:
    """Return the prototypes to which representations are drawn; None where the page names none."""
    if (page := head.page.prototypes) is None:
        return None
    if head.adaptation == "frozen" and not head.page.hidden:
        message = "head.prototypes: of a frozen model nothing can be drawn to them without a hidden layer"
        raise BadRecipe(message, do="add head.hidden, or train the model")
    prototypes = load_prototypes(page.path, answers)
    width, own = prototypes.vectors.shape[1], head.page.hidden[-1] if head.page.hidden else head.width
    if width != own:
        message = f"the prototypes have {width} numbers, and what the last layer takes has {own}"
        raise BadRecipe(message, where=page.path, do=f"let the last of head.hidden be {width}")
    return prototypes


def _taught(page: HeadPage, answers: Answers, train: Dataset) -> torch.Tensor | None:
    """Return the teacher's answers about the rows of the training; None without a teacher."""
    from accelerate import PartialState

    if page.teacher is None:
        return None
    rows = train.select_columns(list(_ASKED))
    return taught(page.teacher.answers, answers, rows, tell=PartialState().is_main_process)


def _targets_of(
    answers: Answers, train: Dataset, learned: torch.Tensor | None
) -> Callable[[Sequence[Mapping[str, Any]]], dict[str, torch.Tensor]]:
    """Return what gives rows their targets, and those of the training what a teacher says of them."""
    numbers = {name: number for number, name in enumerate(train["id"])} if learned is not None else {}

    def targets(rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        own = {"labels": answers.targets(rows)}
        if learned is None or any(row["id"] not in numbers for row in rows):  # those of a validation
            return own
        return {**own, _TAUGHT: learned[[numbers[row["id"]] for row in rows]]}

    return targets


def _targets(answers: Answers, rows: Dataset) -> torch.Tensor:
    return answers.targets(rows.select_columns(list(_ASKED)))


def _margins(margin: float) -> Callable[[Sequence[Mapping[str, Any]]], dict[str, torch.Tensor]]:
    def margins(rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        import torch

        return {"margin": torch.full((len(rows),), margin)} if margin else {}

    return margins


def _on_features(
    network: HeadNetwork,
    encoder: Any,
    method: Method,
    datasets: tuple[Dataset, Dataset | None],
    out: Path,
    args: Any,
    learned: torch.Tensor | None,
) -> dict[str, Any]:
    """Return the arguments for a head that is trained on what a frozen backbone pools."""
    from accelerate import PartialState
    from datasets import Dataset

    if shards_weights(args):
        message = "a frozen backbone is run once and not trained, so it is not sharded"
        raise BadRecipe(message, do="choose launch: cpu, single_gpu or ddp")
    collator = Collator(encoder, method.conversations, method.batch)
    state, parts = PartialState(), []
    network = network.to(state.device).eval()
    for name, rows in zip(("train", "validation"), datasets, strict=True):
        if rows is not None:
            with state.main_process_first():  # the others then read what the first has written
                features = _features(network, collator, rows, out / f"features_{name}", args.per_device_eval_batch_size)
            parts.append((features, _targets(network.answers, rows), rows["id"]))
    alone = HeadNetwork(None, network.score, network.answers, network.pooling, network.criterion)
    first: Any = alone.score[0]
    if isinstance(first, Standardised):
        first.fit(parts[0][0].to(state.device))
    counts = [len(ids) for _, _, ids in parts]
    starts = [0, counts[0]]
    numbered = [
        Dataset.from_dict({_NUMBER: list(range(start, start + count)), LENGTH: [1] * count})
        for start, count in zip(starts, counts, strict=False)
    ]
    rows = {"train_dataset": numbered[0], "eval_dataset": numbered[1] if len(numbered) > 1 else None}
    return {**rows, "model": alone, "data_collator": FeatureCollator(parts, learned)}


class FeatureCollator:
    """Joins features into batches.

    Args:
        parts: features ``[rows, width]``, targets and ids of the data sets, whose rows are numbered throughout.
        learned: what a teacher says of the rows of the first; None without a teacher.
    """

    def __init__(
        self,
        parts: Sequence[tuple[torch.Tensor, torch.Tensor, Sequence[str]]],
        learned: torch.Tensor | None = None,
    ) -> None:
        import torch

        self._features, self._targets = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
        self._ids, self._learned = [name for part in parts for name in part[2]], learned

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return features, labels, and the ids of the rows."""
        numbers = [row[_NUMBER] for row in rows]
        batch = {FEATURES: self._features[numbers], "labels": self._targets[numbers]}
        if self._learned is not None and max(numbers) < len(self._learned):  # else those of a validation
            batch[_TAUGHT] = self._learned[numbers]
        return {**batch, ROWS: [self._ids[number] for number in numbers]}


def _features(network: HeadNetwork, collator: Collator, rows: Dataset, folder: Path, size: int) -> torch.Tensor:
    """Return what the backbone pools of every row, float32 ``[rows, width]``; parts that are there are read."""
    import torch
    from safetensors.torch import load_file, save_file

    with explained(folder):
        folder.mkdir(exist_ok=True)
    device, parts = next(network.parameters()).device, []
    with bar(total=len(rows), desc=folder.name.replace("_", " of "), unit=" rows") as shown, torch.no_grad():
        for start in range(0, len(rows), _PART):
            path, end = folder / f"{start:08d}.safetensors", min(start + _PART, len(rows))
            if not path.is_file():
                pooled = []
                for at in range(start, end, size):
                    batch = collator([rows[number] for number in range(at, min(at + size, end))])
                    inputs = {name: one.to(device) for name, one in batch.items() if not isinstance(one, list)}
                    pooled.append(network.represent(**inputs).cpu())
                    shown.update(len(pooled[-1]))
                with explained(path):
                    scratch = path.with_name(f".{path.name}.part")
                    save_file({FEATURES: torch.cat(pooled)}, scratch)
                    scratch.replace(path)
            parts.append(load_file(path)[FEATURES])
    return torch.cat(parts)


def held_out_scores(answers: Answers) -> Callable[[Any], dict[str, float]]:
    """Return the function by which the trainer scores validation rows, with the metrics of the field.

    Numbers have a concordance for each dimension that varies, and the mean of these.
    """

    def scores(prediction: Any) -> dict[str, float]:
        import torch

        outputs = probabilities(answers.kind, torch.as_tensor(prediction.predictions).float()).numpy()
        return _SCORES[answers.kind](scores_of(answers), answers.names, outputs, prediction.label_ids)

    return scores


def _of_classes(keys: Sequence[str], names: Sequence[str], outputs: Any, targets: Any) -> dict[str, float]:
    gold, answered = [names[one] for one in targets], [names[one] for one in outputs.argmax(-1)]
    return {key: METRICS[key].statistic(gold, answered, labels=list(names)).value() for key in keys}


def _of_labels(keys: Sequence[str], names: Sequence[str], outputs: Any, targets: Any) -> dict[str, float]:
    def held(rows: Any) -> list[list[str]]:
        return [[name for name, one in zip(names, row, strict=True) if one >= THRESHOLD] for row in rows]

    gold, answered = held(targets), held(outputs)
    return {key: METRICS[key].statistic(gold, answered, labels=list(names)).value() for key in keys}


def _of_numbers(keys: Sequence[str], names: Sequence[str], outputs: Any, targets: Any) -> dict[str, float]:
    import numpy as np

    scores = {}
    for place, name in enumerate(names):
        known = np.isfinite(targets[:, place])
        gold, answered = targets[known, place].tolist(), outputs[known, place].tolist()
        try:
            scores[f"ccc_{name}"] = METRICS["ccc"].statistic(gold, answered, bounds=(0.0, 1.0)).value()
        except Malformed:  # of rows that are all alike there is none, and nothing is said
            continue
    return {**scores, **(dict.fromkeys(keys, fmean(scores.values())) if scores else {})}


def _of_shares(keys: Sequence[str], names: Sequence[str], outputs: Any, targets: Any) -> dict[str, float]:
    gold, answered = ([dict(zip(names, map(float, row), strict=True)) for row in rows] for rows in (targets, outputs))
    return {key: METRICS[key].statistic(gold, answered, labels=list(names)).value() for key in keys}


_SCORES: Mapping[str, Callable[[Sequence[str], Sequence[str], Any, Any], dict[str, float]]] = {
    "classes": _of_classes,
    "labels": _of_labels,
    "numbers": _of_numbers,
    "shares": _of_shares,
}
