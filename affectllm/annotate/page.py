"""The page of an annotation: what is annotated, by which models, in which steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from affectllm import registry
from affectllm.annotate.checks import check_model, check_steps
from affectllm.annotate.step import Step
from affectllm.corpus import TRAIN
from affectllm.errors import Malformed
from affectllm.imported import member
from affectllm.page_schema import build
from affectllm.yaml_page import Page, PageKind, read_page

PAGE = PageKind("annotation page")
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # of BCP-47


@dataclass(frozen=True)
class ModelOptions:
    """A model of the page: the options of ``affectllm predict``, in YAML.

    Args:
        model: Hub id, folder, ``tiny:<family>``, or ``affectllm-api`` for a model behind an endpoint.
        options: of ``affectllm-api``: ``base_url``, ``model``, ``profile``, ``concurrency``, ``price_in`` …
        adapter: a PEFT adapter.
        processor: whose processor is used, where the model has none.
        dtype: of torch.
        device: such as ``cuda:0``; None for a GPU where there is one.
        quantize: ``4bit`` or ``8bit``.
        budget: fields of the media budget.
        batch_size: conversations asked at once, a number or ``auto``.
        called: what the rater is called; empty for the model's own name. The version is put behind it.
        seconds: what an answer takes, for estimates before any was measured.
    """

    model: str
    options: dict[str, Any] = field(default_factory=dict)
    adapter: str | None = None
    processor: str | None = None
    dtype: str = "auto"
    device: str | None = None
    quantize: Literal["4bit", "8bit"] | None = None
    budget: dict[str, Any] = field(default_factory=dict)
    batch_size: int | str | None = None
    called: str = ""
    seconds: float = 2.0


@dataclass(frozen=True)
class Annotated:
    """A page.

    Args:
        name: of the corpus that comes out.
        steps: what is done, in order.
        models: name on this page → model.
        corpus: name of the corpus that is annotated.
        files: clips, folders of clips, and tables, in place of a corpus; relative to the page.
        split: which samples of the corpus; ``all`` for every one. Files are of ``train``.
        limit: how many samples at most, the first ones; None for all.
        language: BCP-47 tag of files without one.
        description: what it is for.
        lines: the page as it was read, for the lines of errors.
    """

    name: str
    steps: tuple[Step, ...]
    lines: Page
    models: dict[str, ModelOptions] = field(default_factory=dict)
    corpus: str = ""
    files: tuple[str, ...] = ()
    split: Literal["train", "validation", "test", "all"] = "train"
    limit: int | None = None
    language: str | None = None
    description: str = ""


@dataclass(frozen=True)
class _Raw:
    """A page before its steps are built: their keys depend on their kind."""

    name: str
    steps: tuple[Any, ...]
    models: dict[str, ModelOptions] = field(default_factory=dict)
    corpus: str = ""
    files: tuple[str, ...] = ()
    split: Literal["train", "validation", "test", "all"] = "train"
    limit: int | None = None
    language: str | None = None
    description: str = ""


def load_annotation(path: Path, overrides: Sequence[str] = ()) -> Annotated:
    """Read a page and check that it makes sense.

    Args:
        overrides: ``key.key=value`` texts of ``--set``.

    Raises:
        NotFound: when there is no such file, or no such kind of step.
        Malformed: with file and line, for an unknown key, a wrong type, or what does not fit together.
    """
    page = read_page(path, PAGE)
    for pair in overrides:
        key, separator, text = pair.partition("=")
        if not separator:
            raise Malformed(f"--set {pair!r} is not KEY=VALUE", do="write for example --set limit=100")
        page.set(key, text)
    raw: _Raw = build(_Raw, page)
    steps = tuple(_step(page, number, raw) for number in range(len(raw.steps)))
    _check(raw, steps, page)
    files = tuple(str(path.parent / Path(name).expanduser()) for name in raw.files)
    fields = {**vars(raw), "steps": steps, "files": files, "lines": page}
    return Annotated(**fields)


def _step(page: Page, number: int, raw: _Raw) -> Step:
    value, place = raw.steps[number], ("steps", number)
    if not isinstance(value, dict) or not isinstance(value.get("step"), str):
        raise Malformed("a step is a mapping with the key step", where=page.where(place), do="step: describe")
    known = registry.names("steps")
    if value["step"] not in known:
        error = registry.absent("steps", value["step"], known)
        raise Malformed(error.what, where=page.where((*place, "step")), do=f"choose among {', '.join(known)}")
    value.setdefault("name", value["step"])
    step: Step = build(member("steps", value["step"], "STEP", type), page, place)
    return step


def _check(raw: _Raw, steps: Sequence[Step], page: Page) -> None:
    if not raw.name.isidentifier():
        raise Malformed(f"{raw.name!r} is no name of a corpus", where=page.where(("name",)), do="letters, digits and _")
    if raw.name in registry.names("data_builders") and raw.name == raw.corpus:
        raise Malformed("the annotated corpus needs another name", where=page.where(("name",)))
    if bool(raw.corpus) == bool(raw.files):
        raise Malformed("either corpus or files says what is annotated", where=page.where(()))
    if raw.limit is not None and raw.limit < 1:
        raise Malformed("limit is at least 1", where=page.where(("limit",)))
    if raw.files and "split" in page.value:
        message = f"split chooses samples of a corpus; all of files are of {TRAIN}"
        raise Malformed(message, where=page.where(("split",)), do="leave it out")
    if raw.corpus and "language" in page.value:
        message = "language is that of files; the samples of a corpus have their own"
        raise Malformed(message, where=page.where(("language",)), do="leave it out")
    if raw.language is not None and not _TAG.fullmatch(raw.language):
        raise Malformed(
            f"{raw.language!r} is no tag of a language", where=page.where(("language",)), do="such as en, pt-BR"
        )
    if not steps:
        raise Malformed("there is no step", where=page.where(("steps",)))
    for name, options in raw.models.items():
        check_model(name, options.budget, options.seconds, page)
    check_steps(steps, raw.models, page)
