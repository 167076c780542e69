"""Pages of linear protocols: YAML in ``recipes/linear/``, each a published way to fit models on frozen features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from affectllm import registry
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate.models.linear import Options
from affectllm.model.clips.media import Budget
from affectllm.page_schema import build, check_keys
from affectllm.yaml_page import Page, PageKind, read_page

LINEAR = PageKind("linear protocol", listed="protocols")


@dataclass(frozen=True)
class Ridge:
    """Ridge regression of numbers; its fields are scikit-learn's."""

    alpha: float


@dataclass(frozen=True)
class LinearProtocol:
    """How linear models are fitted on what a frozen encoder gives.

    Args:
        ridge: of numbers.
        corpora: corpus → options of logistic regression for it, beside those for all.
        logistic: options of logistic regression for all corpora; their names are scikit-learn's.
        normalise: ``l2`` scales the features of an item to length 1, ``none`` leaves them.
        person: how somebody is shown whom a box marks in a picture: ``beside`` the picture, ``alone``; None for the
            picture alone.
        budget: fields of the media budget: how much of a clip is looked at.
    """

    ridge: Ridge
    corpora: dict[str, dict[str, Any]]
    logistic: dict[str, Any] = field(default_factory=dict)
    normalise: Literal["l2", "none"] = "l2"
    person: Literal["beside", "alone"] | None = None
    budget: dict[str, Any] = field(default_factory=dict)

    def options_of(self, corpus: str) -> Options:
        """Return the options of logistic regression for a corpus.

        Raises:
            AffectError: when the page says nothing of it.
        """
        if corpus not in self.corpora:
            message = f"the protocol says nothing of {corpus}, only of {', '.join(self.corpora)}"
            raise AffectError(message, do="choose another task, or write a page for it into recipes/linear/")
        return {**self.logistic, **self.corpora[corpus]}


def load_protocol(name: str) -> LinearProtocol:
    """Read a page by name, or by the path of a YAML file.

    Raises:
        NotFound: when there is none.
        Malformed: with file and line, for anything that is not as it must be.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else registry.find("recipes/linear", name)
    page = read_page(path, LINEAR)
    protocol: LinearProtocol = build(LinearProtocol, page)
    check_keys(protocol.budget, Budget().to_json(), page, ("budget",))
    _check_options(protocol.logistic, page, "logistic")
    for corpus, options in protocol.corpora.items():
        if not isinstance(options, Mapping):
            raise Malformed(f"{corpus} must be a mapping, such as {{C: 1.0}}", where=page.where(("corpora", corpus)))
        with page.naming(("corpora", corpus)):
            registry.find("data_builders", corpus)
        _check_options(options, page, "corpora", corpus)
    return protocol


def _check_options(options: Mapping[str, Any], page: Page, *path: str) -> None:
    from sklearn.linear_model import LogisticRegression

    check_keys(options, LogisticRegression().get_params(), page, path)
