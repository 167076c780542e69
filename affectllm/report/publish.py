"""Publish a run, a merged model or a built mixture: stage a folder with card and files, and upload it to the Hub."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from affectllm.corpus import TRAIN, VALIDATION
from affectllm.errors import LicenceRefused, explained
from affectllm.folders import whole
from affectllm.instruct.conversations import FOLDER, conversation_files
from affectllm.lock import LOCK, held
from affectllm.model.heads.folder import check_saved_head
from affectllm.model.load import check_saved
from affectllm.report.cards.dataset_card import CARD, FIGURE
from affectllm.report.cards.gating import Gate, gated
from affectllm.report.cards.licence import Verdict, verdict
from affectllm.report.cards.merged import RECORD, cards_of_merged
from affectllm.report.cards.modelcard import CardFacts, eval_result_files, hub_id, model_card
from affectllm.report.hub import upload
from affectllm.report.runfolder import read_run
from affectllm.report.staging import check_portable, copy_weights, portable_text
from affectllm.report.trained import family, read_conversations, read_trained
from affectllm.run import refuse_partial

Kind = Literal["model", "dataset"]
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """What is published of a folder.

    Args:
        kind: of the repository.
        decided: what the licences of its corpora allow.
        fill: writes the files into an empty folder.
    """

    kind: Kind
    decided: Verdict
    fill: Callable[[Path], None]


def publish(
    source: Path,
    repo_id: str,
    *,
    dry_run: bool,
    private: bool = False,
    gate: Gate | None = None,
    gate_words: str = "",
    roots: Mapping[str, Path] | None = None,
) -> Path | str:
    """Publish what a folder holds: the model or the head that a run tuned, a merged model, or a built mixture.

    Args:
        source: folder of ``affectllm run``, ``merge`` or ``build``.
        repo_id: ``owner/name`` on the Hub.
        dry_run: only write the folder, ``publish/`` in the source's, and send nothing.
        private: whether a new repository is private.
        gate: whether visitors get the files when they agree to the terms, or when the owner accepts them; None for all.
        gate_words: what visitors agree to, in place of the terms of the corpora.
        roots: corpus → folder; their paths are made sure not to leave the machine.

    Returns:
        The folder with ``dry_run``, else the address of the commit.

    Raises:
        LicenceRefused: when a corpus forbids it, or a merged model does not say which corpora it was trained on.
        WrongCheckpoint: when the weights are broken, not finite, or do not fit the base model.
        NotFound: when nothing that can be published lies there, it is not finished, or a corpus has no card.
        AffectError: when something of this machine would leave it, or the Hub refuses.
        WriteFailed: when the folder cannot be written.
    """
    release = release_of(source, repo_id)
    refuse_forbidden(release.decided)
    folder = source / "publish"
    with explained(folder), held(folder.with_name(f".{folder.name}{LOCK}")), whole(folder) as scratch:
        release.fill(scratch)
        if gate:
            card = scratch / CARD
            card.write_text(gated(card.read_text(encoding="utf-8"), release.decided, gate_words), encoding="utf-8")
    check_portable(folder, _secrets(source, roots or {}))
    return folder if dry_run else upload(folder, repo_id, private=private, kind=release.kind, gate=gate)


def refuse_forbidden(decided: Verdict) -> None:
    """Raise ``LicenceRefused`` with the names of the corpora that forbid publishing."""
    if decided.publishable:
        return
    names = ", ".join(decided.forbidden)
    raise LicenceRefused(
        "; ".join(decided.forbidden.values()), where=names, do=f"keep it to yourself, or train without {names}"
    )


def release_of(source: Path, repo_id: str) -> Release:
    """Return what is published of a folder, by what lies in it.

    Raises:
        NotFound, LicenceRefused, Malformed, WrongCheckpoint: as ``publish``.
    """
    if (source / RECORD).is_file():
        return _merged(source, repo_id)
    build = next((place for place in (source, source / "build") if (place / CARD).is_file()), None)
    if build is not None and (build / FOLDER).is_dir() and not (source / "train").exists():
        return _mixture(build, repo_id)
    return _tuned(source, repo_id)


def _tuned(run: Path, repo_id: str) -> Release:
    trained = read_trained(run)
    decided = verdict(trained.cards)
    refuse_forbidden(decided)  # before anything is read of weights that are not published
    if trained.head:
        check_saved_head(trained.weights)
    elif unseen := check_saved(trained.weights, trained.base):
        print(unseen, file=sys.stderr)
    facts = CardFacts(repo_id, trained, read_run(run), decided)
    return Release("model", decided, lambda folder: stage(facts, folder))


def stage(facts: CardFacts, folder: Path) -> None:
    """Write everything that is published of a run into an empty folder."""
    trained = facts.trained
    (folder / ".eval_results").mkdir()
    copy_weights(trained.weights, folder, hub_id(trained.base) or _portable_base(trained.base))
    (folder / CARD).write_text(portable_text(model_card(facts)), encoding="utf-8")
    (folder / "recipe.yaml").write_text(portable_text(trained.recipe), encoding="utf-8")
    for name, text in eval_result_files(facts).items():
        (folder / ".eval_results" / name).write_text(portable_text(text), encoding="utf-8")


def _portable_base(base: str) -> str:
    return base if base.startswith("tiny:") else Path(base).name


def _merged(source: Path, repo_id: str) -> Release:
    """A merged model, with its card, in which the name of the folder becomes that of the repository."""
    cards = cards_of_merged(source)
    card = (source / CARD).read_text(encoding="utf-8")
    if named := _TITLE.search(card):
        for quoted in ('"{}"', "huggingface.co/{}}}"):
            card = card.replace(quoted.format(named[1]), quoted.format(repo_id))

    def fill(folder: Path) -> None:
        copy_weights(source, folder, "")
        (folder / CARD).write_text(portable_text(card), encoding="utf-8")

    check_saved(source, str(source))
    return Release("model", verdict(cards), fill)


def _mixture(build: Path, repo_id: str) -> Release:
    """A built mixture: its conversations and its card; samples, which have test splits in them, stay here."""
    refuse_partial(build)
    files = [path for split in (TRAIN, VALIDATION) for path in conversation_files(build, split)]
    cards, _ = family(set(read_conversations(files)[0]))

    def fill(folder: Path) -> None:
        (folder / FOLDER).mkdir()
        for path in files:
            shutil.copyfile(path, folder / FOLDER / path.name)
        if (build / FIGURE).is_file():
            shutil.copyfile(build / FIGURE, folder / FIGURE)
        text = (build / CARD).read_text(encoding="utf-8").replace('"FOLDER"', f'"{repo_id}"')
        (folder / CARD).write_text(portable_text(text), encoding="utf-8")

    return Release("dataset", verdict(cards), fill)


def listing(folder: Path) -> str:
    """Return the files of a folder with their sizes, one a line, and the sum."""
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in _files(folder)}
    lines = [f"{_size(size):>10}  {name}" for name, size in files.items()]
    return "\n".join([*lines, f"{_size(sum(files.values())):>10}  {len(files)} files"])


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _secrets(source: Path, roots: Mapping[str, Path]) -> list[str]:
    """Return strings that must not be published: local folders with at least two parts, and the token."""
    from huggingface_hub import get_token

    folders = [source.resolve(), *(root.resolve() for root in roots.values())]
    if base := os.environ.get("AFFECTLLM_CORPORA"):
        folders.append(Path(base).resolve())
    return [str(folder) for folder in folders if len(folder.parts) > 2] + [token for token in [get_token()] if token]
