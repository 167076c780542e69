"""What a run stands on beside the machine: the Hub, corpora, families of models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm import extras, registry
from affectllm.errors import AffectError
from affectllm.model.doctoring.check import Check, quiet

if TYPE_CHECKING:
    from affectllm.model.family import Family


def check_hub(online: bool = False) -> Check:
    """Check whether there is a token, and what it may do where ``online``; the token itself is never printed."""
    if not extras.is_installed("huggingface_hub"):
        return Check("Hub", "fail", "huggingface_hub is not installed", "pip install huggingface_hub")
    from huggingface_hub import constants, get_token

    offline = ", offline (HF_HUB_OFFLINE)" if constants.HF_HUB_OFFLINE else ""
    if get_token() is None:
        return Check("Hub", "warn", f"not logged in{offline}", "needed to publish and for gated models: hf auth login")
    if not online or offline:
        return Check("Hub", "ok", f"a token is there, not tried{offline} ({constants.ENDPOINT})")
    return _token()


def _token() -> Check:
    import httpx2 as httpx
    from huggingface_hub import constants, whoami
    from huggingface_hub.errors import HfHubHTTPError

    try:
        owner = whoami()
    except (HfHubHTTPError, httpx.HTTPError, OSError) as error:
        text = f"{constants.ENDPOINT} does not take the token: {type(error).__name__}"
        return Check("Hub", "warn", text, "hf auth login, or mend the network; nothing is published without")
    token = owner.get("auth", {}).get("accessToken", {})
    role = str(token.get("role", "of unknown rights"))
    writes = role == "write" or any("write" in right for right in _rights(token))
    text = f"{owner.get('name')}, a token {role}"
    if role != "of unknown rights" and not writes:
        return Check("Hub", "warn", f"{text}, which may not write", "`affectllm publish` needs one that may")
    return Check("Hub", "ok", text)


def _rights(token: Mapping[str, Any]) -> list[str]:
    """Return what a fine-grained token may do, wherever it may."""
    scopes = (token.get("fineGrained") or {}).get("scoped") or []
    return [right for scope in scopes for right in scope.get("permissions", [])]


def check_corpora() -> Check:
    """Check which corpora lie in the folder ``AFFECTLLM_CORPORA``."""
    base = os.environ.get("AFFECTLLM_CORPORA")
    hint = "set AFFECTLLM_CORPORA to a folder with one folder a corpus, or pass --root NAME=DIR"
    if not base:
        return Check("Corpora", "warn", "AFFECTLLM_CORPORA is not set", hint)
    if not Path(base).is_dir():
        return Check("Corpora", "fail", f"AFFECTLLM_CORPORA={base} is no folder", hint)
    try:
        names = registry.names("data_builders")
    except AffectError as error:
        return Check("Corpora", "fail", error.what, error.do)
    there = [name for name in names if (Path(base) / name).is_dir()]
    if not there:
        return Check("Corpora", "warn", f"none of {len(names)} known ones in {base}", f"known: {', '.join(names)}")
    return Check("Corpora", "ok", f"{len(there)} of {len(names)} known ones in {base}: {', '.join(there)}")


def check_families() -> Check:
    """Check which model families there are, and whether transformers has their classes."""
    from affectllm.model.family import families

    try:
        all_families = families()
    except AffectError as error:
        return Check("Families", "fail", f"{error.what} ({error.where})", "repair that file, or take it away")
    try:
        with quiet():
            import transformers
    except (ImportError, OSError):
        text = f"{len(all_families)}, of which none loads without transformers"
        return Check("Families", "warn", text, extras.missing("transformers").do)
    if lost := [name for name, family in all_families.items() if not _is_available(family)]:
        text = f"transformers {transformers.__version__} lacks the models of {', '.join(lost)}"
        return Check("Families", "warn", text, "upgrade it to use them: pip install -U transformers")
    return Check("Families", "ok", f"{len(all_families)}: {', '.join(all_families)}")


def _is_available(family: Family) -> bool:
    try:
        family.network_class()
    except (ImportError, AttributeError):
        return False
    return True
