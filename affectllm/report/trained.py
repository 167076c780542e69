"""Read what a finished run was trained on: corpora with their cards, modalities, base model, recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus import TRAIN, VALIDATION, CorpusCard
from affectllm.corpus.builder import load_builder
from affectllm.corpus.store import opened
from affectllm.errors import Malformed, NotFound
from affectllm.instruct.conversations import conversation_files
from affectllm.model.heads.folder import is_head
from affectllm.yaml_page import PageKind, parse_page

ADAPTER = "adapter_config.json"
_MEDIA = ("video", "audio", "image")


@dataclass(frozen=True)
class Trained:
    """The weights of a run, and their origin.

    Args:
        weights: folder with the adapter or the model.
        adapter: whether it is an adapter.
        base: base model as the recipe names it: Hub id, folder or ``tiny:<family>``.
        corpora: corpus → number of training conversations.
        cards: cards of these corpora and of those that they were built from.
        unread: corpora in the family tree for which we have no card.
        modalities: what the training conversations hold.
        recipe: the page as text.
        page: the page as a value.
    """

    weights: Path
    adapter: bool
    base: str
    corpora: Mapping[str, int]
    cards: tuple[CorpusCard, ...]
    unread: tuple[str, ...]
    modalities: tuple[str, ...]
    recipe: str
    page: Mapping[str, Any]

    @property
    def head(self) -> bool:
        """Whether it is a head, which answers in labels or numbers and writes nothing."""
        return is_head(str(self.weights))


def read_trained(run: Path) -> Trained:
    """Read the folder of ``affectllm run``.

    Raises:
        NotFound: when weights, recipe or conversations are absent.
        Malformed: when the recipe is no YAML mapping.
    """
    weights = run / "train" / "final"
    for needed in (weights, run / "recipe.yaml", run / "build" / "conversations"):
        if not needed.exists():
            raise NotFound(
                f"there is no {needed.relative_to(run)} in {run}", do="give a finished run of `affectllm run`"
            )
    recipe = (run / "recipe.yaml").read_text(encoding="utf-8")
    page = parse_page(recipe, str(run / "recipe.yaml"), PageKind("recipe")).value
    corpora, modalities = read_conversations(conversation_files(run / "build", TRAIN))
    chosen_on = read_conversations(conversation_files(run / "build", VALIDATION))[0]
    cards, unread = family({*corpora, *chosen_on})
    adapter = (weights / ADAPTER).is_file()
    return Trained(weights, adapter, _base(page), corpora, cards, unread, modalities, recipe, page)


def _base(page: Mapping[str, Any]) -> str:
    model = page.get("model")
    path = model.get("path") if isinstance(model, dict) else model
    if not isinstance(path, str) or not path:
        raise Malformed("the recipe names no model.path", where="recipe.yaml", do="run `affectllm run` again")
    return path


def read_conversations(paths: Iterable[Path]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Count rows by corpus in conversation files, and return the modalities that occur, in constant memory."""
    import pyarrow.compute as compute

    counts: dict[str, int] = {}
    modalities = {"text"}
    for path in paths:
        with opened(path) as file:
            for batch in file.iter_batches(columns=["corpus", "messages"]):
                for name, count in zip(*compute.value_counts(batch.column("corpus")).flatten(), strict=True):
                    counts[name.as_py()] = counts.get(name.as_py(), 0) + count.as_py()
                texts = batch.column("messages").flatten()
                modalities |= _modalities_in(getattr(texts, "storage", texts))
    return dict(sorted(counts.items())), tuple(kind for kind in (*_MEDIA, "text") if kind in modalities)


def _modalities_in(texts: Any) -> set[str]:
    import pyarrow.compute as compute

    def occurs(mark: str) -> bool:
        return bool(compute.any(compute.match_substring(texts, mark)).as_py())

    modalities = {kind for kind in _MEDIA if occurs(f'"type":"{kind}"')}
    return modalities | ({"audio"} if occurs('"sound":true') else set())


def family(names: set[str]) -> tuple[tuple[CorpusCard, ...], tuple[str, ...]]:
    """Return the cards of ``names`` and of everything that they were built from; and the ancestors without a card.

    Raises:
        NotFound: when a corpus of ``names`` itself has no builder: its licence cannot be known.
    """
    cards: dict[str, CorpusCard] = {}
    unread: set[str] = set()
    waiting = sorted(names)
    while waiting:
        name = waiting.pop(0)
        if name in cards or name in unread:
            continue
        try:
            cards[name] = load_builder(name).CARD
        except NotFound:
            if name in names:
                raise
            unread.add(name)
        else:
            waiting += cards[name].built_from
    return tuple(cards[name] for name in sorted(cards)), tuple(sorted(unread))
