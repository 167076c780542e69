"""The likeliest emotions of a small model with their shares, and words that speak for the first: HEF's first stage.

The model is fitted here on the TRAIN of the corpus (TF-IDF and clip statistics, or the states of a frozen encoder), or
a recipe trains it (a head, or an LLM), or its predictions come from a file of ``affectllm predict --json``. Samples of
TRAIN are predicted out of fold, by models that have seen neither them nor their speaker or dialogue: a large model that
is trained on hints which are nearly always right learns to trust them more than it should. Predictions of a file for
splits that its model has learned from are marked as seen, and no mixture or task shows them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.corpus import TRAIN, CorpusCard, Sample
from affectllm.corpus.builder import load_builder
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate.models.linear import refuse_unfit
from affectllm.hinting.folds import Apart, folds_of, groups_of
from affectllm.hinting.kind import Kind, Source, Work
from affectllm.hinting.small_model import Finding, SmallModel
from affectllm.hints.table import Hint
from affectllm.instruct import Template, load_template
from affectllm.labels.form import Refused
from affectllm.labels.names import named
from affectllm.model.clip_statistics import describes_sounds_by
from affectllm.run import digest, file_digest

if TYPE_CHECKING:
    from affectllm.hinting.by_recipe import RecipeModel

_RULES = 1
"""Version of the words."""


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
    modalities: tuple[str, ...] = ("text",)
    top: int = 3
    causes: int = 0
    folds: int = 5
    apart: Apart = "auto"
    encoder: str = ""
    layer: int | None = None
    recipe: str = ""
    overrides: tuple[str, ...] = ()
    predictions: str = ""
    learned_from: tuple[str, ...] = (TRAIN,)
    source: str = ""


def find(work: Work) -> Iterator[Hint]:
    """Yield the hint of every sample."""
    options: Options = work.options
    if options.top < 1 or options.causes < 0 or options.folds < 2:
        raise AffectError("top is at least 1, causes at least 0, and folds at least 2")
    if options.recipe and (options.predictions or options.encoder or options.causes):
        raise AffectError("a recipe gives neither causes, nor predictions of a file or an encoder", do="choose one")
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
    if template.slots[0].how.shape(template.space) != "label" or len(template.slots) > 1:
        raise AffectError(f"{template.name} does not ask for one label", do="choose a template of one label")
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
    if not (options.space and options.rater):
        raise AffectError("space and rater say which labels, and whose, are learned", do="add them, or a recipe")
    space, rater = card.space(options.space), card.rater(options.rater)
    template = load_template(options.template, space=space, rater=rater, modalities=options.modalities)
    refuse_unfit(template)
    return SmallModel(template, work.root, options.encoder, options.layer, options.causes)


def _trained_model(work: Work, card: CorpusCard) -> RecipeModel:
    from affectllm.hinting.by_recipe import RecipeModel

    options: Options = work.options
    trained = RecipeModel.of(options.recipe, options.overrides, work.root, work.folder / "folds")
    if trained.part.corpus != card.name:
        message = f"{options.recipe} learns from {trained.part.corpus}, and the hints are of {card.name}"
        raise AffectError(message, do="choose a recipe of that corpus")
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
    shares = _likelihoods(path)
    version = digest([_RULES, options.top, file_digest(path)])
    source = Source("emotions", options.source or path.name, version)
    for sample in work.samples:
        its = shares.get(sample.id)
        if its is None:
            yield source.none(sample, "no_prediction")
            continue
        finding = Finding(dict(sorted(its.items(), key=lambda pair: (-pair[1], pair[0]))))
        yield source.hint(sample, _words(finding, {}, options.top), its, seen=sample.split in options.learned_from)


def _likelihoods(path: Path) -> dict[str, dict[str, float]]:
    """Return item → label → likelihood, of the lines that have some.

    Raises:
        NotFound: when there is no such file.
        Malformed: with the line, when it is no prediction.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}", do="write it with affectllm predict --json")
    shares: dict[str, dict[str, float]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record: Any = json.loads(line)
            its = record["likelihoods"] or {}
            values = {str(label): float(share) for label, share in its.items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            message = f"this line is no prediction with `item` and `likelihoods`: {error}"
            raise Malformed(message, where=f"{path}:{number}", do="write it with affectllm predict --json") from error
        shares |= {str(record.get("item")): values} if values else {}
    return shares


KIND = Kind("the likeliest emotions of a small model, with shares and cause words", Options, find, _depends)
