"""Upload of a run's model to the Hub: permissions are checked before training, the upload follows after it.

For workers only. huggingface_hub reads the token from `HF_TOKEN` or from `hf auth login`.
"""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import RunSpec

# huggingface_hub has changed its HTTP library between versions; this is the base class of its HTTP errors.
HTTPError: type[Exception] = HfHubHTTPError.__mro__[1]
TOKEN_HINT = "Create a token with write access in your Hub settings; then set HF_TOKEN, or run 'hf auth login'."


class PublishError(UserError):
    """The model cannot be uploaded."""


def repository(spec: RunSpec) -> str:
    """Return the id of the repository for the spec's model.

    Raises:
        PublishError: the token is missing, was rejected, or has no write access to the repository.
    """
    return writable_repository(spec.hub.username or "", spec.project_name)


def writable_repository(owner: str, short: str, where: str = "") -> str:
    """Return the id of a repository to which the token can write.

    owner: user or organization; empty: the user of the token. short: name of the repository, without its owner.
    where: location of the name for errors; empty: that of the spec.

    Raises:
        PublishError: the token is missing, was rejected, or has no write access to the repository.
    """
    try:
        me = HfApi().whoami()
    except LocalTokenNotFoundError:
        raise PublishError(
            "Publishing needs a token.", TOKEN_HINT, where or "hub.push_to_hub", "token-missing"
        ) from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        message = f"The Hub rejects the token ({status})."
        raise PublishError(message, TOKEN_HINT, where or "hub.push_to_hub", "token-rejected") from None
    except (OSError, HTTPError) as error:
        message = f"The Hub cannot be reached ({type(error).__name__})."
        raise PublishError(
            message, "Check the connection, or switch push_to_hub off.", where or "hub", "hub-unreachable"
        ) from None
    owner = owner or str(me["name"])
    mine = {str(me["name"]), *(str(o["name"]) for o in me.get("orgs", []))}
    if owner not in mine:
        message = f"The token belongs to '{me['name']}', who has no write access to '{owner}'."
        hint = "Leave username empty, or name one of: " + ", ".join(sorted(mine)) + "."
        raise PublishError(message, hint, where or "hub.username", "not-a-member")
    role = ((me.get("auth") or {}).get("accessToken") or {}).get("role")
    if role == "read":
        raise PublishError("The token has no write access.", TOKEN_HINT, where or "hub.push_to_hub", "token-reads-only")
    name = f"{owner}/{short}"
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        message = f"'{short}' is not a valid repository name: {error}"
        hint = "Choose another name." if where else "Choose another project name."
        raise PublishError(message, hint, where or "project_name", "name-refused") from None
    return name


def publish(model: Path, spec: RunSpec) -> str:
    """Upload the folder `model` to a repository, created as private if it does not exist; return its URL.

    Raises:
        PublishError: the model does not exist, the token is not sufficient, or the upload failed and can be retried.
    """
    if not model.is_dir():
        raise PublishError("The run has no model yet.", "Wait until it is completed.", code="no-model")
    hint = "The run still has it. Try again on the run's page, or with 'autotrain-gradio publish RUN'."
    return upload(model, repository(spec), f"Upload {spec.project_name}", hint)


def upload(folder: Path, name: str, message: str, hint: str) -> str:
    """Upload a folder to a repository, created as private if it does not exist; return its URL.

    name: of `writable_repository`. message: of the commit. hint: where the model is if the upload fails.

    Raises:
        PublishError: the upload failed.
    """
    api = HfApi()
    try:
        address = api.create_repo(name, private=True, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message=message)
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise PublishError(f"The model was not uploaded to {name}: {reason}", hint, "hub", "upload-failed") from error
    return str(address)
