"""Make what answers of the command line's ``--model``: weights in this process, or a model behind an endpoint."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError
from affectllm.evaluate.models.endpoint_options import endpoint_of, parsed
from affectllm.model.clips.media import Budget
from affectllm.model.heads.folder import is_head, load_head
from affectllm.model.load import Model, load_model
from affectllm.model.quantised import described
from affectllm.model.weights.checkpoint import folder_named
from affectllm.predict.answering import Answering
from affectllm.predict.items import ROOTS
from affectllm.respond.batch_size import AUTO
from affectllm.respond.heads import HeadResponder
from affectllm.respond.in_process import InProcess
from affectllm.run import refuse_partial

ENDPOINT = "affectllm-api"
_OF_WEIGHTS = {"adapter": None, "processor": None, "dtype": "auto", "device": None, "quantize": None}


def answering_of(
    arguments: argparse.Namespace, folder: Path | None, roots: Mapping[str, Path] = ROOTS
) -> tuple[Answering, bool]:
    """Return what answers, and whether only the costs are to be estimated.

    Args:
        folder: where answers are kept; None keeps nothing.
        roots: corpus → folder of the clips; those of single files where no corpus is asked about.

    Raises:
        AffectError: for options that do not belong to the kind of model, or a wrong one.
        NotFound, WrongCheckpoint: as ``load_model``.
    """
    if arguments.model == ENDPOINT:
        return _at_endpoint(arguments, folder, roots)
    if arguments.model_args:
        do = f"--model {ENDPOINT} --model_args base_url=…,model=…; weights are named by --model itself"
        raise AffectError(f"--model_args belong to --model {ENDPOINT}", do=do)
    arguments = argparse.Namespace(**{**vars(arguments), "model": weights_of(arguments.model)})
    if is_head(arguments.model):
        return Answering(_of_head(arguments), roots, folder), False
    budget = Budget(**budget_fields(arguments.budget))
    size = getattr(arguments, "batch_size", None) or AUTO
    responder = InProcess(loaded(arguments), budget=budget, batch_size=size, end_of_turn=True)
    return Answering(responder, roots, folder), False


def weights_of(name: str) -> str:
    """Return the folder of weights in the folder of a finished run; every other name as it is.

    Raises:
        Malformed: when the training did not finish, or a file of it was changed since.
    """
    final = folder_named(name) / "train" / "final"
    if not final.is_dir():
        return name
    refuse_partial(final.parent)
    return str(final)


def _of_head(arguments: argparse.Namespace) -> HeadResponder:
    import torch

    for name in ("adapter", "processor", "quantize"):
        if getattr(arguments, name, None):
            message = f"--{name} is for models that write, and {arguments.model} is a head"
            raise AffectError(message, do="leave it out: the folder says what the head stands on")
    head = load_head(arguments.model, arguments.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    own = {pair.partition("=")[0] for pair in arguments.budget} | {"long"}
    changed = {name: value for name, value in budget_fields(arguments.budget).items() if name in own}
    size = getattr(arguments, "batch_size", None) or AUTO
    return HeadResponder(head, budget=replace(head.head.budget, **changed), batch_size=size)


def _at_endpoint(
    arguments: argparse.Namespace, folder: Path | None, roots: Mapping[str, Path]
) -> tuple[Answering, bool]:
    for name, usual in {**_OF_WEIGHTS, "batch_size": None}.items():
        if getattr(arguments, name, usual) != usual:
            option = f"--{name.replace('_', '-')}"
            do = "concurrency=N says how many are asked at once" if name == "batch_size" else "leave it out"
            raise AffectError(f"{option} is for weights in this process, not for {ENDPOINT}", do=do)
    options = parsed(arguments.model_args or [])
    selftest, dry = (_switch(options, name, usual) for name, usual in (("selftest", True), ("dry_run", False)))
    own = {pair.partition("=")[0] for pair in arguments.budget}
    budget = {name: value for name, value in budget_fields(arguments.budget).items() if name in own | {"long"}}
    endpoint = endpoint_of({**budget, **options})
    return Answering(endpoint, roots, folder, selftest), dry


def _switch(options: dict[str, Any], name: str, usual: bool) -> bool:
    value = options.pop(name, usual)
    if not isinstance(value, bool):
        raise AffectError(f"{name} is neither true nor false: {value!r}", do=f"write {name}=true")
    return value


def loaded(arguments: argparse.Namespace) -> Model:
    """Load the model of ``--model``, on a GPU where there is one.

    Raises:
        NotFound, WrongCheckpoint: as ``load_model``.
    """
    import torch

    quantization = {f"load_in_{arguments.quantize}": True} if arguments.quantize else None
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.device(device)
    except RuntimeError as error:
        raise AffectError(f"--device {device!r} is none of torch's", do="such as cpu or cuda:0") from error
    if arguments.dtype != "auto" and not isinstance(getattr(torch, arguments.dtype, None), torch.dtype):
        raise AffectError(f"--dtype {arguments.dtype!r} is none of torch's", do="such as auto, float32 or bfloat16")
    options: dict[str, Any] = {"adapter": arguments.adapter, "processor": arguments.processor}
    model = load_model(arguments.model, dtype=arguments.dtype, device=device, quantization=quantization, **options)
    model.model.eval()
    if model.quantised:
        print(described(model.quantised), file=sys.stderr)
    end = model.family.end_of_turn
    if end not in model.tokenizer.get_vocab():
        message = f"the tokenizer does not know {end}, with which turns of {model.family.name} end"
        print(f"{message}: this checkpoint was tuned on another chat format, expect little of it", file=sys.stderr)
    return model


def budget_fields(pairs: Iterable[str]) -> dict[str, Any]:
    """Return the media budget with the fields of ``KEY=VALUE`` changed; longer clips are cut, not refused.

    Raises:
        AffectError: for an unknown field, or a value that is no number.
    """
    fields = Budget(long="trim").to_json()
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in fields:
            raise AffectError(f"--budget has no {key!r}", do=f"choose among {', '.join(fields)}")
        try:
            fields[key] = type(fields[key])(value)
        except ValueError as error:
            raise AffectError(f"--budget {pair!r} is no number", do=f"write for example {key}={fields[key]}") from error
    return fields
