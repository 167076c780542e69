"""Keys of endpoints: taken from the environment, sent to their own host only, and never written anywhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from affectllm.errors import AffectError
from affectllm.respond.profiles import Profile

_SECRET = re.compile(r"(api_?key|secret|password|authorization|(access|auth|bearer)_?token)", re.IGNORECASE)
_NAMED = re.compile(r"[\"']?(\w*(?:api_?key|secret|password|authorization|auth_?token)\w*)[\"']?\s*[=:]", re.IGNORECASE)
_VARIABLE = re.compile(r"api_key_env[\"']?\s*[=:]\s*[\"']?([^\s,\"'}]+)")
_DO = "export it, and name the variable: api_key_env=NAME"


def refuse_secrets(options: Mapping[str, Any]) -> None:
    """Raise when a key stands among arguments, which are logged and kept in manifests; no value is quoted.

    Raises:
        AffectError: for an argument that would hold a key, an address with a user or a query in it, or an
            ``api_key_env`` that names no variable of the environment.
    """
    for name in options:
        if name != "api_key_env" and _SECRET.search(str(name)):
            raise AffectError(f"{name} would be written into logs and manifests", do=_DO)
    address = urlsplit(str(options.get("base_url") or ""))
    if address.username or address.password or address.query:
        raise AffectError("base_url holds a user, a password or a query, which would be written into logs", do=_DO)
    variable = options.get("api_key_env")
    if variable and str(variable) not in os.environ:
        raise AffectError("the environment variable that api_key_env names is not set", do="export it first")


def refuse_secret_words(words: Iterable[str]) -> None:
    """Raise when words of a command line hold a key; before anything logs them.

    Raises:
        AffectError: without quoting the key.
    """
    for word in words:
        for name in _NAMED.findall(word):
            if name.lower() != "api_key_env":
                raise AffectError(f"{name} would be written into logs and manifests", do=_DO)
        for variable in _VARIABLE.findall(word):
            refuse_secrets({"api_key_env": variable})
        for address in re.findall(r"https?://[^\s,\"']+", word):
            refuse_secrets({"base_url": address})


def key_for(profile: Profile, base_url: str, api_key_env: str | None) -> str | None:
    """Return the key for a server, None where it needs none.

    A key of the profile's provider is sent to that provider's host only: any other server gets one only when
    ``api_key_env`` names it.

    Raises:
        AffectError: when the variable is not set.
    """
    if api_key_env:
        refuse_secrets({"api_key_env": api_key_env})
        return os.environ[api_key_env]
    if not profile.key or urlsplit(base_url).hostname != urlsplit(profile.url).hostname:
        return None
    if not os.environ.get(profile.key):
        raise AffectError(f"the environment variable {profile.key} is not set", do=f"export {profile.key}=…")
    return os.environ[profile.key]
