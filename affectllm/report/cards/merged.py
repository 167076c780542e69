"""Merge the adapter of a run into its base model: a folder that loads like any checkpoint, and answers alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from affectllm.corpus import CorpusCard
from affectllm.errors import AffectError, LicenceRefused, NotFound, WrongCheckpoint
from affectllm.folders import room_in, whole
from affectllm.lock import LOCK, held
from affectllm.model.load import Model, load_model, locate
from affectllm.model.weights.adapters import local_adapter
from affectllm.model.weights.checkpoint import ADAPTER_CONFIG, CONFIG
from affectllm.model.weights.merging import Bits, difference, kept_whole, merged, quantization_of, trial_logits
from affectllm.report.cards.licence import verdict
from affectllm.report.cards.modelcard import CardFacts, hub_id, model_card
from affectllm.report.html import environment
from affectllm.report.runfolder import read_run
from affectllm.report.staging import portable_text
from affectllm.report.trained import family, read_trained
from affectllm.run import refuse_partial, versions, write_json

RECORD = "merge.json"
# What rounding may change in each type of the base model's weights, as ``difference`` measures it.
TOLERANCE = {"float32": 1e-3, "float16": 0.05, "bfloat16": 0.2}
_SAVED = 1e-3  # between a model and itself, saved and loaded
_FINAL = ("train/final", "final", ".")


@dataclass(frozen=True)
class Merged:
    """What was merged, and what its comparison with the adapter showed.

    Differences are of logits: root mean square over standard deviation, the largest over a few conversations.

    Args:
        base: Hub id, folder name or ``tiny:<family>`` of the base model.
        base_on_hub: whether that can be a repository on the Hub; the name of a folder is none.
        dtype: of the weights.
        effect: of the adapter on the base model.
        error: between the model with the adapter and the merged one.
        quantize: ``4bit``, ``8bit``, or "" for no quantisation.
        quantized_error: between the merged model and the quantised one; None without quantisation.
        kept: kind of layer → number of weights that were not quantised.
        quantized: number of weights that were.
        versions: of the packages.
        corpora: what the adapter was trained on; None where it does not say.
    """

    base: str
    dtype: str
    effect: float
    error: float
    base_on_hub: bool = False
    quantize: str = ""
    quantized_error: float | None = None
    kept: Mapping[str, int] = field(default_factory=dict)
    quantized: int = 0
    versions: Mapping[str, str] = field(default_factory=versions)
    corpora: tuple[str, ...] | None = None


def merge(
    source: str, to: Path, *, base: str | None = None, dtype: str = "auto", quantize: Bits | None = None
) -> Merged:
    """Write the base model with the adapter of ``source`` in its weights into ``to``, and compare the two.

    Args:
        source: folder of a run, of a training or of an adapter, or a Hub id of an adapter.
        to: folder to write; it appears when everything in it is whole and was compared.
        base: the base model, where the adapter's own name of it leads nowhere.
        dtype: torch dtype of the weights; ``auto`` for the base model's own.
        quantize: quantise the language model with bitsandbytes afterwards.

    Raises:
        NotFound: when there is no adapter, or its base model is nowhere.
        WrongCheckpoint: when it cannot be merged, or the merged model does not answer as the model with the adapter.
        AffectError: when something lies at ``to`` already.
        WriteFailed: when the folder cannot be written.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise AffectError("something is there already", where=str(to), do="choose another --to, or delete it")
    adapter = adapter_of(source)
    named = base or _named_by_run(Path(source)) or locate(str(adapter)).base
    base = base or locate(str(adapter)).base
    to.parent.mkdir(parents=True, exist_ok=True)
    with held(to.with_name(f".{to.name}{LOCK}")), whole(to) as scratch, room_in(to.parent):
        place = scratch / "merged" if quantize else scratch
        result = _merge(base, named, adapter, dtype, place)
        if quantize:
            result = _quantise(result, place, scratch, quantize)
        result = replace(result, corpora=_corpora(Path(source)))
        write_json(scratch / RECORD, asdict(result))
        (scratch / "README.md").write_text(portable_text(_card(Path(source), to.name, result)), encoding="utf-8")
    return result


def summary(result: Merged, folder: Path) -> str:
    """Format what was merged and compared, in lines."""
    lines = [f"written to {folder}, in {result.dtype}; differences in standard deviations of the logits:"]
    lines += [f"{result.effect:>10.3g}  the adapter's effect on {result.base}"]
    lines += [f"{result.error:>10.3g}  between the model with the adapter and the merged one"]
    if result.quantized_error is not None:
        lines += [f"{result.quantized_error:>10.3g}  between the merged model and the one in {result.quantize}"]
        lines += [f"quantised: {result.quantized:,} weights; kept in {result.dtype}:"]
        lines += [f"{count:>14,}  {kind}" for kind, count in result.kept.items()]
    return "\n".join(lines)


def adapter_of(source: str) -> Path:
    """Return the folder of the adapter of a run, a training, or the adapter itself.

    Raises:
        NotFound: when there is none.
        AffectError: when there is a whole model instead.
        Malformed: when the run is not finished, or was changed since.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return local_adapter(source)
    for place in (folder / name for name in _FINAL):
        if (place / ADAPTER_CONFIG).is_file():
            refuse_partial(place.parent if place != folder else folder)
            return place.resolve() if place == folder else place
        if (place / CONFIG).is_file():
            raise AffectError("this is a whole model, with no adapter to merge", where=str(place), do="use it as it is")
    raise NotFound(f"there is no adapter in {source}", do=f"give a run of LoRA, or a folder with {ADAPTER_CONFIG}")


def _merge(base: str, named: str, adapter: Path, dtype: str, place: Path) -> Merged:
    model = load_model(base, adapter=str(adapter), dtype=dtype)
    kind = str(next(weight.dtype for weight in model.model.get_base_model().parameters())).removeprefix("torch.")
    wanted = trial_logits(model)
    effect = difference(wanted, trial_logits(model, adapter=False))
    save(replace(model, model=merged(model)), place)
    del model  # two of them need not fit into memory
    error = difference(wanted, trial_logits(load_model(str(place), dtype=kind)))
    check_merged(error, effect, kind, str(adapter))
    return Merged(_named(named), kind, effect, error, bool(hub_id(named)))


def check_merged(error: float, effect: float, dtype: str, where: str) -> None:
    """Raise ``WrongCheckpoint`` when a merged model is not the model with its adapter.

    Its logits must be within what rounding leaves, and nearer to those with the adapter than to the base model's.
    """
    allowed = TOLERANCE.get(dtype, TOLERANCE["bfloat16"])
    if error <= allowed and (error <= effect / 2 or not effect):
        return
    message = f"the merged model differs from the model with its adapter by {error:.2g} standard deviations of the "
    message += f"logits (at most {allowed:g} are allowed in {dtype}; the adapter itself changes them by {effect:.2g})"
    raise WrongCheckpoint(message, where=where, do="try --dtype float32, or use the adapter as it is")


def _quantise(result: Merged, whole_model: Path, place: Path, bits: Bits) -> Merged:
    """Quantise the merged model, which is removed afterwards, and check that it is the same when it is loaded."""
    import shutil

    model = load_model(str(whole_model), dtype=result.dtype)
    wanted = trial_logits(model)
    model = load_model(str(whole_model), dtype=result.dtype, quantization=quantization_of(bits))
    save(model, place)  # first: on some CPUs bitsandbytes repacks the weights when they are used
    kept = kept_whole(model.model)
    count = model.model.num_parameters() - sum(kept.values())
    quantised = trial_logits(model)
    del model
    shutil.rmtree(whole_model)
    if (error := difference(quantised, trial_logits(load_model(str(place))))) > _SAVED:
        message = f"the quantised model, loaded again, differs from itself by {error:.2g} standard deviations"
        raise WrongCheckpoint(message, where=str(place), do="merge without --quantize, and quantise while loading")
    error = difference(wanted, quantised)
    return replace(result, quantize=bits, quantized_error=error, kept=kept, quantized=count)


def save(model: Model, folder: Path) -> None:
    """Save weights as safetensors, with configuration and processor."""
    folder.mkdir(parents=True, exist_ok=True)
    model.model.save_pretrained(str(folder))
    model.processor.save_pretrained(str(folder))


def _named_by_run(folder: Path) -> str | None:
    """Return the base model as the recipe of a run names it: its adapter names the folder that was loaded."""
    return read_trained(folder).base if (folder / "recipe.yaml").is_file() else None


def _corpora(run: Path) -> tuple[str, ...] | None:
    """Return the corpora that a run was trained on, or its checkpoint chosen by; None for what is no run."""
    if not (run / "recipe.yaml").is_file():
        return None
    return tuple(card.name for card in read_trained(run).cards)


def cards_of_merged(folder: Path) -> tuple[CorpusCard, ...]:
    """Return the cards of the corpora that a merged model was trained on, and of those that they were built from.

    Raises:
        LicenceRefused: when the folder does not say which they are.
        NotFound: when one of them has no card.
    """
    corpora = json.loads((folder / RECORD).read_text(encoding="utf-8")).get("corpora")
    if corpora is None:
        message = "nothing says which corpora these weights were trained on, so nobody knows what their licences allow"
        raise LicenceRefused(message, where=str(folder), do="merge again, from the folder of the run")
    return family(set(corpora))[0]


def _named(base: str) -> str:
    return base if base.startswith("tiny:") or hub_id(base) else Path(base).name


def _card(source: Path, name: str, result: Merged) -> str:
    """Render the model card: that of the run where there is one, and how the weights were merged."""
    note = environment().get_template("merged.md").render(merged=result)
    if not (source / "recipe.yaml").is_file():
        return f"{_header(result)}\n# {name}\n\n{note}"
    trained = replace(read_trained(source), adapter=False)
    card = model_card(CardFacts(name, trained, read_run(source), verdict(trained.cards)))
    return f"{card.rstrip()}\n\n{note}"


def _header(result: Merged) -> str:
    lines = ["library_name: transformers", "tags: [affectllm]"]
    if result.base_on_hub:
        relation = "quantized" if result.quantize else "finetune"
        lines += [f"base_model: {json.dumps(result.base)}", f"base_model_relation: {relation}"]
    return "\n".join(["---", *lines, "---"])
