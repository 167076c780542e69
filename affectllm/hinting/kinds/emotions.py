"""The likeliest emotions of a small model with their shares, and words that speak for the first: HEF's first stage.

The model is fitted here on the TRAIN of the corpus (TF-IDF and clip statistics, or the states of a frozen encoder), or
a recipe trains it (a head, or an LLM), or its predictions come from a file of ``affectllm predict --json``. Samples of
TRAIN are predicted out of fold, by models that have seen neither them nor their speaker or dialogue: a large model that
is trained on hints which are nearly always right learns to trust them more than it should. Predictions of a file for
splits that its model has learned from are marked as seen, and no mixture or task shows them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from affectllm.corpus import TRAIN, CorpusCard, Sample
from affectllm.corpus.builder import load_builder
from affectllm.errors import AffectError, Malformed, NotFound, placed
from affectllm.evaluate.models.linear import refuse_unfit
from affectllm.hinting.folds import Apart, folds_of, groups_of
from affectllm.hinting.kind import Kind, Source, Work
from affectllm.hinting.page_checks import refuse_unread
from affectllm.hinting.small_model import Finding, SmallModel
from affectllm.hints.table import Hint
from affectllm.instruct import Template, load_template
from affectllm.labels.form import Refused
from affectllm.labels.names import named
from affectllm.model.clip_statistics import describes_sounds_by
from affectllm.model.pooled import PooledEncoder
from affectllm.run import digest, file_digest
from affectllm.train.method import FROM_0, FROM_1, Bound
from affectllm.yaml_page import Page

if TYPE_CHECKING:
    from affectllm.hinting.by_recipe import RecipeModel

_RULES = 1
"""Version of the words."""
Split = Literal["train", "validation", "test"]
_LEARNED = ("space", "rater", "template", "modalities", "top", "folds", "apart")
_READ = {
    "predictions": ("predictions", "top", "learned_from", "source"),
    "recipe": ("recipe", "overrides", "top", "folds", "apart"),
    "encoder": (*_LEARNED, "encoder", "layer"),
    "a small model": (*_LEARNED, "causes"),
}
"""What makes the hints → the options that are read then."""
_BOUNDS = {"top": FROM_1, "causes": FROM_0, "folds": Bound(2), "layer": FROM_0}
_ROUNDED = 1e-6  # by which a share may leave 0 to 1


@dataclass(frozen=True)
class Options:
    """Options of hints of emotions.

    Args:
        space, rater: which labels, and whose, the small model learns; a recipe says it itself.
        template: shows the samples to it.
        modalities: what it is shown.
        top: how many emotions are told.
        causes: how many words of the text are told that speak for the first; only without an encoder.
        folds: models that predict TRAIN, each the part that the others have learned from.
        apart: what stays in one fold.
        encoder, layer: a frozen encoder whose states are the features.
        recipe: of a head or an LLM, trained once for each fold and once on all of TRAIN, in place of a small model.
        overrides: of the recipe, as ``key=value`` texts.
        predictions: file of ``affectllm predict --json`` with ``item`` and ``likelihoods``, in place of all that.
        learned_from: splits of this corpus that the model of ``predictions`` has learned from.
        source: what made ``predictions``.
    """

    space: str = ""
    rater: str = ""
    template: str = "emotion_choice"
    modalities: tuple[Literal["video", "audio", "image", "text"], ...] = ("text",)
    top: int = 3
    causes: int = 0
    folds: int = 5
    apart: Apart = "auto"
    encoder: str = ""
    layer: int | None = None
    recipe: str = ""
    overrides: tuple[str, ...] = ()
    predictions: str = ""
    learned_from: tuple[Split, ...] = ("train",)
    source: str = ""


def check(options: Options, page: Page) -> None:
    """Refuse keys that the way in which the hints are made does not read, and labels that the corpus lacks."""
    how = next((key for key in ("predictions", "recipe", "encoder") if getattr(options, key)), "a small model")
    refuse_unread(options, page, _READ[how], how)
    if how == "predictions":
        _there(Path(page.file).parent / options.predictions, page.where(("predictions",)))
    elif how != "recipe":
        if not (options.space and options.rater):
            message = "space and rater say which labels, and whose, are learned"
            raise page.kind.wrong(message, where=page.where(()), do="add them, or a recipe")
        card = load_builder(page.value["corpus"]).CARD
        card.space(options.space, page.where(("space",)))
        card.rater(options.rater, page.where(("rater",)))
        with placed(page.where(("template",))):
            _asking(options, card)


def find(work: Work) -> Iterator[Hint]:
    """Yield the hint of every sample."""
    options: Options = work.options
    if options.predictions:
        yield from _of_file(work, work.tables / options.predictions)
    else:
        yield from _fitted(work)


def _fitted(work: Work) -> Iterator[Hint]:
    options: Options = work.options
    card = load_builder(work.samples[0].corpus).CARD if work.samples else None
    if card is None:
        raise AffectError("the corpus has no samples", where=str(work.root), do="check the folder")
    small = _trained_model(work, card) if options.recipe else _small_model(work, card)
    template = small.template
    _refuse_unlike_label(template)
    train, labels = _labelled(work.samples, template)
    if not train:
        message = f"{card.name} has no training sample that {template.name} can ask"
        raise AffectError(message, where=str(work.root), do="complete the download, or give predictions:")
    groups = groups_of(train, card, options.apart, options.folds)
    findings = _out_of_fold(small, train, labels, groups, options.folds)
    rest = [one for one in work.samples if one.id not in findings and one.split != TRAIN and _usable(one, template)]
    if rest:
        results = small.findings(train, labels, rest)
        findings |= {one.id: finding for one, finding in zip(rest, results, strict=True)}
    version = digest(
        [
            _RULES,
            describes_sounds_by(),
            {**vars(options), "modalities": list(options.modalities), "overrides": list(options.overrides)},
            _depends(options),
            sorted(zip(map(_id, train), labels, strict=True)),
        ]
    )
    source = Source("emotions", options.recipe or options.encoder or "TF-IDF and clip statistics", version)
    for sample in work.samples:
        if sample.id in findings and findings[sample.id] is None:
            yield source.none(sample, "no_prediction")
        elif (finding := findings.get(sample.id)) is None:
            # Of TRAIN, samples without a label are in no fold.
            yield source.none(
                sample, (template.reject(sample) or "not_shown") if sample.split == TRAIN else "not_shown"
            )
        else:
            yield source.hint(sample, _words(finding, space_names(template), options.top), finding.shares)


def _small_model(work: Work, card: CorpusCard) -> SmallModel:
    options: Options = work.options
    encoder = None
    if options.encoder:
        with placed(work.where("encoder")):
            encoder = PooledEncoder(options.encoder, options.layer)
    return SmallModel(_asking(options, card), work.root, encoder, options.causes)


def _asking(options: Options, card: CorpusCard) -> Template:
    space, rater = card.space(options.space), card.rater(options.rater)
    template = load_template(options.template, space=space, rater=rater, modalities=options.modalities)
    refuse_unfit(template)
    _refuse_unlike_label(template)
    return template


def _refuse_unlike_label(template: Template) -> None:
    if template.slots[0].how.shape(template.space) != "label" or len(template.slots) > 1:
        raise AffectError(f"{template.name} does not ask for one label", do="choose a template of one label")


def _trained_model(work: Work, card: CorpusCard) -> RecipeModel:
    from affectllm.hinting.by_recipe import RecipeModel

    options: Options = work.options
    with placed(work.where("recipe")):
        trained = RecipeModel.of(options.recipe, options.overrides, work.root, work.folder / "folds")
    if trained.part.corpus != card.name:
        message = f"{options.recipe} learns from {trained.part.corpus}, and the hints are of {card.name}"
        raise AffectError(message, where=work.where("recipe"), do="choose a recipe of that corpus")
    return trained


def _depends(options: Options) -> Any:
    """Return the recipe that trains; None where there is none."""
    from affectllm.train.recipe import load_recipe

    if not options.recipe:
        return None
    return json.loads(json.dumps(load_recipe(options.recipe, options.overrides).to_json()))


def _id(sample: Sample) -> str:
    return sample.id


def _labelled(samples: Sequence[Sample], template: Template) -> tuple[list[Sample], list[str]]:
    train = [one for one in samples if one.split == TRAIN and template.reject(one) is None]
    return train, [str(template.gold(one)) for one in train]


def _usable(sample: Sample, template: Template) -> bool:
    """Whether a sample can be shown; what its label is, and whether it has one, is nobody's concern here."""
    return not isinstance(template.prepare_unlabelled(sample), Refused)


def _out_of_fold(
    small: SmallModel | RecipeModel, train: Sequence[Sample], labels: Sequence[str], groups: Sequence[str], folds: int
) -> dict[str, Finding | None]:
    findings: dict[str, Finding | None] = {}
    for fitted, held in folds_of(labels, groups, folds):
        asked = [train[row] for row in held]
        results = small.findings([train[row] for row in fitted], [labels[row] for row in fitted], asked)
        findings |= {one.id: finding for one, finding in zip(asked, results, strict=True)}
    return findings


def space_names(template: Template) -> Mapping[str, str]:
    """Return label → its word in the language of the template."""
    return named(template.space.names, template.language)


def _words(finding: Finding, names: Mapping[str, str], top: int) -> str:
    best = list(finding.shares.items())[:top]
    told = ", ".join(f"{names.get(label, label)} {share:.0%}" for label, share in best)
    causes = f"; words that speak for the first: {', '.join(finding.causes)}" if finding.causes else ""
    return f"Likely emotions: {told}{causes}"


def _of_file(work: Work, path: Path) -> Iterator[Hint]:
    options: Options = work.options
    shares = _likelihoods(path, work.unused)
    strange = shares.keys() - {sample.id for sample in work.samples}
    work.unused.update({"lines of an unknown item": len(strange)} if strange else {})
    if len(strange) == len(shares):
        message = "no line has likelihoods of an item of the corpus"
        raise Malformed(message, where=f"{path}:1", do="predict the samples of the corpus, by their ids")
    version = digest([_RULES, options.top, file_digest(path)])
    source = Source("emotions", options.source or path.name, version)
    for sample in work.samples:
        its = shares.get(sample.id)
        if its is None:
            yield source.none(sample, "no_prediction")
            continue
        finding = Finding(dict(sorted(its.items(), key=lambda pair: (-pair[1], pair[0]))))
        yield source.hint(sample, _words(finding, {}, options.top), its, seen=sample.split in options.learned_from)


def _there(path: Path, where: str) -> None:
    if not path.is_file():
        raise NotFound(f"there is no file {path}", where=where, do="write it with affectllm predict --json")


def _likelihoods(path: Path, unused: Counter[str]) -> dict[str, dict[str, float]]:
    """Return item → label → likelihood, of the lines that have some; the others are counted.

    Raises:
        Malformed: with the line, when it is no prediction, or a second one of an item.
    """
    shares: dict[str, dict[str, float]] = {}
    lines: dict[str, int] = {}
    # By bytes: a separator of lines of Unicode may stand in a reply.
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        item, its = _prediction(line, f"{path}:{number}")
        if (first := lines.setdefault(item, number)) < number:
            message = f"{item!r} is predicted in line {first} already"
            raise Malformed(message, where=f"{path}:{number}", do="keep one line of each item")
        if its:
            shares[item] = its
        else:
            unused["lines without likelihoods"] += 1
    return shares


def _prediction(line: bytes, where: str) -> tuple[str, dict[str, float]]:
    """Return the item of a line and its likelihoods, label → share."""
    do = "write it with affectllm predict --json"
    try:
        record: Any = json.loads(line.decode("utf-8"))
        item, its = record["item"], dict(record["likelihoods"] or {})
    except UnicodeDecodeError as error:
        raise Malformed(f"this line is not UTF-8 ({error.reason})", where=where, do="save it as UTF-8") from error
    except (ValueError, TypeError, KeyError) as error:
        message = f"this line is no prediction with `item` and `likelihoods`: {error}"
        raise Malformed(message, where=where, do=do) from error
    if not isinstance(item, str):
        raise Malformed(f"the item must be text, not {item!r}", where=where, do=do)
    for label, share in its.items():
        # Written so that NaN is caught.
        number = isinstance(share, (int, float)) and not isinstance(share, bool)
        if not (number and -_ROUNDED <= share <= 1 + _ROUNDED):
            message = f"the likelihood of {label} must be from 0 to 1, not {share!r}"
            raise Malformed(message, where=where, do="give probabilities; leave out what has none")
    return item, its


KIND = Kind(
    "the likeliest emotions of a small model, with shares and cause words", Options, find, _depends, _BOUNDS, check
)
