"""Conversations in the forms of other trainers, one file a format. It opens no clip: what cuts them is handed in."""

from __future__ import annotations

from collections.abc import Mapping

from affectllm.errors import NotFound
from affectllm.instruct.exports import axolotl, llama_factory, ms_swift, trl, webdataset
from affectllm.instruct.exports.page import Format

FORMATS: Mapping[str, Format] = {
    form.name: form for form in (trl.FORMAT, ms_swift.FORMAT, llama_factory.FORMAT, axolotl.FORMAT, webdataset.FORMAT)
}


def find_format(name: str) -> Format:
    """The format called ``name``.

    Raises:
        NotFound: when there is none.
    """
    if name not in FORMATS:
        raise NotFound(f"there is no format {name!r}", do=f"choose among {', '.join(FORMATS)}")
    return FORMATS[name]
