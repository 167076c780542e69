"""Publish a run: stage a folder with weights, processor, card, scores and recipe, and upload it to the Hub."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from affectllm.errors import LicenceRefused, explained
from affectllm.folders import whole
from affectllm.lock import LOCK, held
from affectllm.model.heads.folder import check_saved_head
from affectllm.model.load import check_saved
from affectllm.report.cards.licence import Verdict, verdict
from affectllm.report.cards.modelcard import CardFacts, eval_result_files, hub_id, model_card
from affectllm.report.hub import upload
from affectllm.report.runfolder import read_run
from affectllm.report.staging import check_portable, copy_weights, portable_text
from affectllm.report.trained import read_trained


def publish(
    run: Path, repo_id: str, *, dry_run: bool, private: bool = False, roots: Mapping[str, Path] | None = None
) -> Path | str:
    """Publish the model that a run tuned.

    Args:
        run: folder of ``affectllm run``.
        repo_id: ``owner/name`` on the Hub.
        dry_run: only write the folder, ``publish/`` in the run's, and send nothing.
        private: whether a new repository is private.
        roots: corpus → folder; their paths are made sure not to leave the machine.

    Returns:
        The folder with ``dry_run``, else the address of the commit.

    Raises:
        LicenceRefused: when a corpus that was trained on forbids it; the message names it.
        WrongCheckpoint: when the weights are broken, not finite, or do not fit the base model.
        NotFound: when the run is not finished or a corpus has no card.
        AffectError: when something of this machine would leave it, or the Hub refuses.
        WriteFailed: when the folder cannot be written.
    """
    trained = read_trained(run)
    decided = verdict(trained.cards)
    refuse_forbidden(decided)
    if trained.head:
        check_saved_head(trained.weights)
    elif unseen := check_saved(trained.weights, trained.base):
        print(unseen, file=sys.stderr)
    facts = CardFacts(repo_id, trained, read_run(run), decided)
    folder = run / "publish"
    with explained(folder):
        stage(facts, folder)
    check_portable(folder, _secrets(run, roots or {}))
    return folder if dry_run else upload(folder, repo_id, private=private)


def refuse_forbidden(decided: Verdict) -> None:
    """Raise ``LicenceRefused`` with the names of the corpora that forbid publishing."""
    if decided.publishable:
        return
    names = ", ".join(decided.forbidden)
    raise LicenceRefused(
        "; ".join(decided.forbidden.values()), where=names, do=f"keep the model to yourself, or train without {names}"
    )


def stage(facts: CardFacts, folder: Path) -> None:
    """Write everything that is published into ``folder``, atomically."""
    trained = facts.trained
    with held(folder.with_name(f".{folder.name}{LOCK}")), whole(folder) as scratch:
        (scratch / ".eval_results").mkdir()
        copy_weights(trained.weights, scratch, hub_id(trained.base) or _portable_base(trained.base))
        (scratch / "README.md").write_text(portable_text(model_card(facts)), encoding="utf-8")
        (scratch / "recipe.yaml").write_text(portable_text(trained.recipe), encoding="utf-8")
        for name, text in eval_result_files(facts).items():
            (scratch / ".eval_results" / name).write_text(portable_text(text), encoding="utf-8")


def _portable_base(base: str) -> str:
    return base if base.startswith("tiny:") else Path(base).name


def _secrets(run: Path, roots: Mapping[str, Path]) -> list[str]:
    """Return strings that must not be published: local folders with at least two parts, and the token."""
    from huggingface_hub import get_token

    folders = [run.resolve(), *(root.resolve() for root in roots.values())]
    if base := os.environ.get("AFFECTLLM_CORPORA"):
        folders.append(Path(base).resolve())
    return [str(folder) for folder in folders if len(folder.parts) > 2] + [token for token in [get_token()] if token]
