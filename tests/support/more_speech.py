"""More of the test split of corpora that are heard, whose miniatures hold too little of it for their tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from affectllm.corpus.miniature import Content

MORE: dict[str, Callable[[Mapping[str, Content]], dict[str, Content]]] = {}
"""Corpus → its miniature → with more files and rows."""
