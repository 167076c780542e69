"""Upload a folder to the Hub, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from affectllm.errors import AffectError


def upload(
    folder: Path, repo_id: str, *, private: bool, kind: str = "model", gate: Literal["auto", "manual"] | None = None
) -> str:
    """Create the repository where it does not exist, close its gate, and upload the folder in one commit.

    Args:
        folder: what is uploaded.
        repo_id: ``owner/name``.
        private: whether a new repository is private.
        kind: of the repository, ``model`` or ``dataset``.
        gate: who gets the files, see ``cards.gating``; None leaves a repository that exists as it is.

    Returns:
        The address of the commit.

    Raises:
        AffectError: when there is no token, the Hub refuses it, or the Hub cannot be reached.
    """
    import httpx2 as httpx
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    api = HfApi()
    if get_token() is None:
        raise AffectError("no Hub token was found", do="log in with `hf auth login`, or set HF_TOKEN; or use --dry-run")
    try:
        api.create_repo(repo_id, private=private, exist_ok=True, repo_type=kind)
        if gate:  # before there is a file that somebody could get
            api.update_repo_settings(repo_id, gated=gate, repo_type=kind)
        message = "Publish with affectllm"
        done = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=message, repo_type=kind)
    except HFValidationError as error:
        raise AffectError(f"{repo_id!r} is no repository id", do="write OWNER/NAME") from error
    except OfflineModeIsEnabled as error:
        raise AffectError("HF_HUB_OFFLINE is set", do="unset it to publish, or use --dry-run") from error
    except HfHubHTTPError as error:
        raise _explained(error, repo_id) from error
    except (httpx.TransportError, ConnectionError) as error:
        raise AffectError(
            f"{api.endpoint} cannot be reached ({type(error).__name__})",
            do="check the network and HF_ENDPOINT",
        ) from error
    except RuntimeError as error:  # what huggingface_hub raises when the upload of one large file breaks off
        raise AffectError(
            f"the upload broke off: {error}", where=repo_id, do="try again; finished files are kept"
        ) from error
    return str(done.commit_url)


def _explained(error: Exception, repo_id: str) -> AffectError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    owner = repo_id.partition("/")[0]
    explanations = {
        401: (
            "the Hub does not accept the token",
            "log in with a new token: `hf auth login`",
        ),
        403: (
            f"the token may not write to {repo_id}",
            f"use a token that may write to {owner}",
        ),
        404: (f"there is no {repo_id} and it could not be made", f"check that {owner} exists and is yours"),
        409: (f"{repo_id} was changed at the same time", "try again"),
        429: ("the Hub asks for a pause", "try again in a few minutes"),
    }
    what, do = explanations.get(
        status or 0, (f"the Hub answered {status or 'nothing that we understand'}", "try again later")
    )
    return AffectError(what, where=repo_id, do=do)
