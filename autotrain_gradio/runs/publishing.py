"""Uploading a run's model to the Hub: checked before the training, done after it, and again on request.

Workers only. The token is read from `HF_TOKEN` or from `hf auth login`, by huggingface_hub itself.
"""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import RunSpec

# The HTTP library of huggingface_hub changes from version to version; this is its base of all errors.
HTTPError: type[Exception] = HfHubHTTPError.__mro__[1]
TOKEN_HINT = "Make a token with write access in your Hub settings; then set HF_TOKEN, or run 'hf auth login'."


class PublishError(UserError):
    """The model cannot be uploaded."""


def repository(spec: RunSpec) -> str:
    """Return the id of the repository that the spec's model goes to.

    Raises:
        PublishError: there is no token, the Hub rejects it, or it may not write there.
    """
    try:
        me = HfApi().whoami()
    except LocalTokenNotFoundError:
        raise PublishError("Publishing needs a token.", TOKEN_HINT, "hub.push_to_hub", "token-missing") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        message = f"The Hub rejects the token ({status})."
        raise PublishError(message, TOKEN_HINT, "hub.push_to_hub", "token-rejected") from None
    except (OSError, HTTPError) as error:
        message = f"The Hub cannot be reached ({type(error).__name__})."
        raise PublishError(
            message, "Check the connection, or switch push_to_hub off.", "hub", "hub-unreachable"
        ) from None
    owner = spec.hub.username or str(me["name"])
    mine = {str(me["name"]), *(str(o["name"]) for o in me.get("orgs", []))}
    if owner not in mine:
        message = f"The token is of '{me['name']}', who cannot write for '{owner}'."
        hint = "Leave username empty, or name one of: " + ", ".join(sorted(mine)) + "."
        raise PublishError(message, hint, "hub.username", "not-a-member")
    role = ((me.get("auth") or {}).get("accessToken") or {}).get("role")
    if role == "read":
        raise PublishError("The token may only read.", TOKEN_HINT, "hub.push_to_hub", "token-reads-only")
    name = f"{owner}/{spec.project_name}"
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        message = f"The Hub takes no model named '{spec.project_name}': {error}"
        raise PublishError(message, "Choose another project name.", "project_name", "name-refused") from None
    return name


def publish(model: Path, spec: RunSpec) -> str:
    """Upload the folder `model` to a repository that is made private where it is new; return its address.

    Raises:
        PublishError: the model is not there, the token does not do, or the upload failed: it can be tried again.
    """
    if not model.is_dir():
        raise PublishError("The run has no model yet.", "Wait until it is done.", code="no-model")
    name = repository(spec)
    api = HfApi()
    try:
        address = api.create_repo(name, private=True, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=model, commit_message=f"Upload {spec.project_name}")
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise PublishError(
            f"The model was not uploaded to {name}: {reason}",
            "It is kept here. Try again on the run's page, or with 'autotrain-gradio publish RUN'.",
            "hub",
            "upload-failed",
        ) from error
    return str(address)
