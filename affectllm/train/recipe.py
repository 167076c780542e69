"""Recipes: complete YAML pages in the field names of TRL, PEFT and bitsandbytes, validated when read."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.errors import BadRecipe, NotFound, placed
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_page import check_mixture, load_mixture, refuse_other_splits
from affectllm.model.clips.media import Budget
from affectllm.model.family import Family
from affectllm.model.heads.backbones import backbone_called
from affectllm.model.heads.page import HeadPage
from affectllm.model.length import DEFAULT_TEXT
from affectllm.model.tiny import PREFIX
from affectllm.model.torchvision_ops import install
from affectllm.page_schema import build, check_keys
from affectllm.train.method import OURS, Method, find_method
from affectllm.train.pages.batching_page import check_batching
from affectllm.train.pages.best_page import BestPage, check_best
from affectllm.train.pages.eval_page import EvalPage, check_eval
from affectllm.train.pages.head_page import check_head
from affectllm.train.pages.reward_page import RewardPage, objection
from affectllm.train.pages.teacher_page import TeacherPage, check_taught
from affectllm.train.pages.tower_page import check_rates, check_tower_names
from affectllm.train.pages.values_page import check_model, check_trainer
from affectllm.yaml_page import Page, PageKind, read_nodes, read_page

RECIPE = PageKind("recipe", BadRecipe, listed="recipes")
_WITH_NO = ("eval_strategy", "save_strategy", "logging_strategy")
LAUNCH = PageKind("launch configuration", BadRecipe)


@dataclass(frozen=True)
class ModelPage:
    """The model that is tuned.

    Args:
        path: Hub id, folder, or ``tiny:<family>``.
        backbone: family that the checkpoint must belong to; for a head also ``text_encoder``, ``speech_encoder``,
            ``image_encoder`` or ``video_encoder``, of any architecture that the Auto classes know.
        processor: model whose processor and tokenizer are used, where the checkpoint has none of its own.
        dtype: torch dtype of the weights as loaded.
        budget: how much of each clip is used.
        max_text_tokens: most tokens of words in a conversation, clips not counted; a longer one is rejected and
            counted as ``too_many_tokens``, as is one that with its clips has more tokens than the model has positions.
        freeze: towers that stay as they are (full tuning).
        adapt: tower → layers that LoRA adapts, None for the family's default layers. Experts and other weights that are
            no layer are named in the same way (``affectllm show FAMILY`` lists them).
        learning_rates: tower → its learning rate where that is not ``trainer.learning_rate``; it follows the same
            schedule.
        attn_implementation: attention kernel of transformers.
    """

    path: str
    backbone: str
    processor: str | None = None
    dtype: str = "auto"
    budget: Budget = field(default_factory=Budget)
    max_text_tokens: int = DEFAULT_TEXT
    freeze: tuple[str, ...] = ()
    adapt: dict[str, tuple[str, ...] | None] | None = None
    learning_rates: dict[str, float] | None = None
    attn_implementation: str = "sdpa"


@dataclass(frozen=True)
class Recipe:
    """One training page.

    Args:
        description: what the recipe is for, in a sentence.
        data: the mixture, as parts or as the name of a page in ``recipes/mixtures/`` (``mixture: NAME``).
        model: the checkpoint and how clips reach it.
        trainer: fields of the method's configuration: ``trl.SFTConfig``, ``trl.DPOConfig``. A bare ``no`` is the word
            for ``eval_strategy``, ``save_strategy`` and ``logging_strategy``.
        method: name of a file in ``affectllm/train/methods/``.
        rewards: what sampled replies are rewarded for, where the method takes rewards: see ``reward_page``.
        teacher: from whom the model learns, where the method has a teacher: see ``TeacherPage``.
        head: what stands on the model, where the method trains a head: see ``HeadPage``; None for the usual.
        pack_tokens: tokens of the rows that conversations share, with their clips and without padding; None pads
            them in batches of rows. Exact where the family and the method allow it, and refused elsewhere.
        batch_tokens: most tokens of a batch with its padding, in place of ``trainer.per_device_train_batch_size``: as
            many rows of like length share a batch as there is room for, and each token of an answer weighs the same
            in a step, as in one large batch. A longer conversation is rejected as ``too_many_tokens``. None for
            batches of so many rows.
        best: what the best checkpoint is chosen by, and when a training stops early; None for the loss, or what the
            method says, and never.
        peft: fields of ``peft.LoraConfig``; None for full tuning.
        quantization: fields of ``transformers.BitsAndBytesConfig`` (QLoRA); None for none.
        launch: name of a file in ``recipes/launch/``.
        eval: what is scored.
        seed: of data, initialisation and order.
        matrix: dotted key → values; one run for every combination.
    """

    description: str
    data: Mixture
    model: ModelPage
    trainer: dict[str, Any]
    method: str = "sft"
    rewards: tuple[RewardPage, ...] = ()
    teacher: TeacherPage | None = None
    head: HeadPage | None = None
    pack_tokens: int | None = None
    batch_tokens: int | None = None
    best: BestPage | None = None
    peft: dict[str, Any] | None = None
    quantization: dict[str, Any] | None = None
    launch: str = "cpu"
    eval: EvalPage = field(default_factory=EvalPage)
    seed: int = 0
    matrix: dict[str, tuple[Any, ...]] | None = None
    name: str = ""

    def corpora(self) -> list[str]:
        """Return the names of the corpora of the mixture, in order."""
        return self.data.corpora()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types, for manifests."""
        return dataclasses.asdict(self)


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe by name or path and check it against the libraries' own configuration classes.

    Args:
        name: name in ``recipes/``, or path of a YAML file.
        overrides: ``key.key=value`` texts; ``model=tiny`` stands for the tiny model of the recipe's backbone.

    Raises:
        NotFound: when there is no such recipe.
        BadRecipe: with file and line, for anything that is not as it must be.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else registry.find("recipes", name)
    page = _overridden(read_page(path, RECIPE), overrides)
    _read_no(page.value.get("trainer"))
    recipe = build(Recipe, _with_mixture(page))
    _check(recipe, page)
    return dataclasses.replace(recipe, name=name if path != Path(name) else path.stem)


def variants(name: str, overrides: Sequence[str] = ()) -> list[tuple[str, list[str]]]:
    """Return every combination of the page's ``matrix``: a suffix for the run folder, and its overrides.

    A page without a matrix has one variant with an empty suffix.

    Raises:
        BadRecipe: when a key has no values, two runs would share a folder, or a value does not fit the page.
    """
    recipe = load_recipe(name, overrides)
    if not recipe.matrix:
        return [("", list(overrides))]
    overrides_by_suffix: dict[str, list[str]] = {}
    if empty := [key for key, values in recipe.matrix.items() if not values]:
        raise BadRecipe(f"matrix: {empty[0]} has no values", where=recipe.name, do="name some, or leave it out")
    for values in itertools.product(*recipe.matrix.values()):
        chosen = [(key, _as_yaml(value)) for key, value in zip(recipe.matrix, values, strict=True)]
        suffix = "__".join(f"{key.rpartition('.')[2]}={text}" for key, text in chosen)
        pairs = [f"{key}={text}" for key, text in chosen]
        suffix = re.sub(r"[^\w.=+-]+", "-", suffix)
        if suffix in overrides_by_suffix:
            raise BadRecipe(f"two runs of the matrix would be called {suffix}", where=recipe.name, do="leave one out")
        overrides_by_suffix[suffix] = [*overrides, *pairs, "matrix=null"]
        load_recipe(name, overrides_by_suffix[suffix])  # hours before its turn comes
    return list(overrides_by_suffix.items())


def _as_yaml(value: Any) -> str:
    # Python writes 1e-05, which YAML 1.1 reads as text.
    import yaml

    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("...\n").strip()


def data_override(mixture: Mixture) -> str:
    """Return the override with which a recipe learns from ``mixture`` in place of its own."""
    fields = {field.name: getattr(mixture, field.name) for field in dataclasses.fields(Mixture)}
    return f"data={_as_yaml(_as_values(fields))}"


def _read_no(trainer: Any) -> None:
    """Take back what YAML makes of a bare ``no``: these fields have no other meaning for ``false``."""
    for key in _WITH_NO if isinstance(trainer, dict) else ():
        if trainer.get(key) is False:
            trainer[key] = "no"


def _overridden(page: Page, overrides: Sequence[str]) -> Page:
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise BadRecipe(f"--set {override!r} is not KEY=VALUE", do="write for example --set trainer.max_steps=10")
        if key == "model" and text == "tiny":
            backbone = page.value.get("model", {}).get("backbone", "")
            backbone_called(backbone)
            page.set("model.path", PREFIX + backbone)
            if page.value.get("teacher"):
                page.set("teacher", f"{{path: {PREFIX + backbone}}}")
            for key in {"teacher", "prototypes"} & {*(page.value.get("head") or {})}:  # files that others have
                page.set(f"head.{key}", "null")
        else:
            page.set(key, text)
    return page


def _with_mixture(page: Page) -> Page:
    """Return the page with the parts of the mixture that it names, where it names one."""
    data = page.value.get("data")
    name = data.get("mixture") if isinstance(data, dict) else None
    if not isinstance(name, str):
        refuse_other_splits(page, ("data", "mixture"))
        return page
    try:
        mixture = load_mixture(name)
    except NotFound as error:
        raise BadRecipe(error.what, where=page.where(("data", "mixture")), do=error.do) from error
    own = {field.name: getattr(mixture, field.name) for field in dataclasses.fields(Mixture)}
    page.value["data"] = {**_as_values(own), **{key: value for key, value in data.items() if key != "mixture"}}
    return page


def _as_values(value: Any) -> Any:
    """Convert dataclasses and tuples into the mappings and lists of a page, without unset fields."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _as_values(item) for key, item in value.items() if item is not None}
    return [_as_values(item) for item in value] if isinstance(value, tuple) else value


def _check(recipe: Recipe, page: Page) -> None:
    if page.value.get("name"):
        raise BadRecipe("a recipe is called as its file is", where=page.where(("name",)), do="remove the key")
    with page.naming(("model", "backbone")):
        family = backbone_called(recipe.model.backbone)
    check_mixture(recipe.data, page, ("data", "mixture"), family.modalities)
    for index, part in enumerate(recipe.data.mixture):
        if part.budget is not None:
            build(Budget, page, ("data", "mixture", index, "budget"))
    _check_method(recipe, page)
    check_batching(recipe, find_method(recipe.method), family, page)
    _check_towers(recipe, family, page)
    _check_adapter(recipe, page)
    check_eval(recipe.eval, page)
    templates = [part.bind() for part in recipe.data.mixture]
    check_best(recipe.best, find_method(recipe.method), templates, recipe.trainer, page)
    check_model(recipe, page)
    if recipe.model.max_text_tokens < 1:
        raise BadRecipe("max_text_tokens must be 1 or more", where=page.where(("model", "max_text_tokens")))
    with placed(page.where(("launch",))):
        launch_file(recipe.launch)


def _check_towers(recipe: Recipe, family: Family, page: Page) -> None:
    model, rates = recipe.model, recipe.model.learning_rates or {}
    check_tower_names({"freeze": model.freeze, "adapt": model.adapt or {}, "learning_rates": rates}, family, page)
    adapted = None
    if recipe.peft is not None and "target_modules" not in recipe.peft:
        adapted = [*(model.adapt or ("language",)), *_trained_whole(recipe.peft, family, page)]
    check_rates(rates, model.freeze, adapted, page)


def _trained_whole(peft: Mapping[str, Any], family: Family, page: Page) -> list[str]:
    """Return the towers that ``modules_to_save`` names, by their whole prefix or its last part."""
    named = peft.get("modules_to_save") or []
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        where = page.where(("peft", "modules_to_save"))
        raise BadRecipe(f"peft.modules_to_save must be a list of names, not {named!r}", where=where)
    saved = {*named}
    return [tower for tower, prefix in family.towers.items() if saved & {prefix, prefix.rpartition(".")[2]}]


def _check_method(recipe: Recipe, page: Page) -> None:
    try:
        method = find_method(recipe.method)
    except NotFound as error:
        raise BadRecipe(error.what, where=page.where(("method",)), do=error.do) from error
    for index, part in enumerate(recipe.data.mixture):
        if method.needs and getattr(part, method.needs) is None:
            raise BadRecipe(
                f"{recipe.method} takes parts that say {method.needs}",
                where=page.where(("data", "mixture", index)),
                do=method.how,
            )
    for key, reason in {**OURS, **method.ours}.items():
        if key in recipe.trainer:
            raise BadRecipe(f"trainer.{key} is not set here: {reason}", where=page.where(("trainer", key)))
    _check_rewards(recipe, method.rewarded, page)
    _check_head(recipe, method, page)
    check_taught(recipe.teacher, recipe.method, method, recipe.peft or {}, page)
    install()
    config = method.config_class()
    check_keys(recipe.trainer, [f.name for f in dataclasses.fields(config)], page, ("trainer",))
    check_trainer(method, recipe.trainer, page)
    if refused := method.objection(recipe.trainer):
        key, expected = refused
        raise BadRecipe(f"trainer.{key} must be {expected}", where=page.where(("trainer", key)))
    for index, part in enumerate(recipe.data.mixture):
        if reason := method.unfit(recipe.trainer, part.bind()):
            do = "change the part, or what trainer asks of it"
            raise BadRecipe(reason, where=page.where(("data", "mixture", index)), do=do)


def _check_rewards(recipe: Recipe, wanted: bool, page: Page) -> None:
    if bool(recipe.rewards) != wanted:
        message = "samples replies and needs rewards" if wanted else "rewards no replies, so it takes no rewards"
        do = "add for example rewards: [{reward: reading}]" if wanted else "remove them, or choose method: grpo"
        raise BadRecipe(
            f"{recipe.method} {message}", where=page.where(("rewards" if recipe.rewards else "method",)), do=do
        )
    templates = [part.bind() for part in recipe.data.mixture]
    if refused := objection(recipe.rewards, templates):
        number, error = refused
        raise BadRecipe(error.what, where=page.where(("rewards", number)), do=error.do) from error


def _check_head(recipe: Recipe, method: Method, page: Page) -> None:
    backbone, head = recipe.model.backbone, recipe.head
    templates = [part.bind() for part in recipe.data.mixture]
    batch = recipe.trainer.get("per_device_train_batch_size", 8)
    check_head(head, method, backbone, templates, batch, page)
    if recipe.eval.tasks and not method.answers_as:
        message = f"{recipe.method} trains what scores answers, and it gives none to a task"
        raise BadRecipe(message, where=page.where(("eval", "tasks")), do="leave eval.tasks out")


def _check_adapter(recipe: Recipe, page: Page) -> None:
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig

    if recipe.peft is not None:
        check_keys(recipe.peft, [f.name for f in dataclasses.fields(LoraConfig)], page, ("peft",))
        _made(LoraConfig, recipe.peft, page, ("peft",))
        if recipe.model.freeze:
            raise BadRecipe("LoRA freezes the whole base; use model.adapt", where=page.where(("model", "freeze")))
        if recipe.model.adapt and "target_modules" in recipe.peft:
            message = "peft.target_modules names the layers already"
            raise BadRecipe(message, where=page.where(("model", "adapt")), do="remove one of the two")
    elif recipe.model.adapt:
        message = "model.adapt names layers for LoRA, but the page has no peft"
        raise BadRecipe(message, where=page.where(("model", "adapt")), do="add peft, or use model.freeze")
    if recipe.quantization is not None:
        fields = BitsAndBytesConfig().to_dict()
        check_keys(recipe.quantization, fields, page, ("quantization",))
        _made(BitsAndBytesConfig, recipe.quantization, page, ("quantization",))


def _made(kind: Any, values: dict[str, Any], page: Page, path: tuple[str, ...]) -> None:
    try:
        kind(**values)
    except (TypeError, ValueError, AttributeError) as error:  # of torch, for a dtype that it has not
        raise BadRecipe(f"{'.'.join(path)}: {error}", where=page.where(path)) from error


def launch_file(name: str) -> Path:
    """Return the accelerate configuration called ``name``.

    Raises:
        BadRecipe: when there is none, with those that exist; when it is so large or deep that it is no page.
    """
    places = [folder / "launch" for folder in registry.folders("recipes")]
    files = {path.stem: path for place in places for path in sorted(place.glob("*.yaml"))}
    if name not in files:
        raise BadRecipe(f"there is no launch configuration {name!r}", do=registry.suggestion(name, files))
    read_nodes(files[name], str(files[name]), LAUNCH)  # before others read it
    return files[name]
