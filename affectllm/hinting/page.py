"""Pages of hints: YAML in ``recipes/hints/``, one a table; which corpus, which kind, with which options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.errors import Malformed
from affectllm.hinting.kind import Kind, find_kind, kind_names
from affectllm.hinting.page_checks import check_bounds
from affectllm.page_schema import build
from affectllm.yaml_page import Page, PageKind, read_page

HINTS = PageKind("page of hints")
_OWN = ("corpus", "kind", "description")


@dataclass(frozen=True)
class HintPage:
    """One table of hints.

    Args:
        name: file name of the page, and name of the table.
        file: the page.
        corpus: name of the builder.
        kind: name of the kind.
        how: the kind.
        options: its options, as the page gives them.
        keys: all keys of the page, as JSON values.
        page: as it was read, with its lines.
    """

    name: str
    file: Path
    corpus: str
    kind: str
    how: Kind
    options: Any
    keys: dict[str, Any]
    page: Page


def load_hint_page(name: str, overrides: Sequence[str] = ()) -> HintPage:
    """Read a page by name or path.

    Args:
        overrides: ``key=value`` texts.

    Raises:
        NotFound: when there is no such page, corpus or kind.
        Malformed: with file and line, for anything that is not as it must be.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else registry.find("recipes/hints", name)
    page = read_page(path, HINTS)
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise Malformed(f"--set {override!r} is not KEY=VALUE", do="write for example --set top=5")
        page.set(key, text)
    keys = dict(page.value)
    for key in ("corpus", "kind"):
        if not isinstance(keys.get(key), str):
            do = f"name a {'corpus' if key == 'corpus' else 'kind: ' + ', '.join(kind_names())}"
            raise Malformed(
                f"the key {key} is missing, or no name", where=page.where((key,) if key in keys else ()), do=do
            )
    with page.naming(("corpus",)):
        registry.find("data_builders", keys["corpus"])
    with page.naming(("kind",)):
        how = find_kind(keys["kind"])
    own = Page(page.file, {key: value for key, value in keys.items() if key not in _OWN}, page.lines, page.kind)
    own.given = page.given
    options = build(how.options, own)
    check_bounds(options, how.bounds, page)
    how.check(options, page)
    return HintPage(path.stem, path, keys["corpus"], keys["kind"], how, options, keys, page)
