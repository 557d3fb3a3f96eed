"""Finding a model before its weights are loaded: does it exist, may we have it, is it of the right kind."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, model_info
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from autotrain_gradio.errors import MissingExtra, UserError

GATED_HINT = "Accept its conditions on its page, and sign in: set HF_TOKEN, or run 'hf auth login'."
EXTRAS = {"timm": "timm", "timm_wrapper": "timm"}
"""Kinds of model that need a package of their own → the package."""


class ModelError(UserError):
    """The model that the spec names cannot be used."""


def fetch_config(model: str) -> dict[str, Any]:
    """Return the `config.json` of a folder or of a Hub id.

    Raises:
        ModelError: code `model-not-found`, `model-gated`, `model-no-config` or `hub-unreachable`.
    """
    if Path(model).is_dir():
        path = Path(model) / "config.json"
        if not path.is_file():
            raise ModelError(
                f"The folder '{model}' holds no model: it has no config.json.",
                "Name a folder that save_pretrained has written.",
                "model",
                "model-no-config",
            )
    else:
        path = Path(_download(model, "config.json"))
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"The config.json of '{model}' is damaged: {error}.", "", "model", "model-no-config") from None
    return dict(config)


def _download(model: str, name: str) -> str:
    try:
        return hf_hub_download(model, name)
    except GatedRepoError:
        raise ModelError(f"The model '{model}' is gated.", GATED_HINT, "model", "model-gated") from None
    except RepositoryNotFoundError:
        hint = "Check the spelling: an id looks like google/vit-base-patch16-224. A private one needs HF_TOKEN."
        raise ModelError(f"There is no model '{model}' on the Hub.", hint, "model", "model-not-found") from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, ConnectionError) as error:
        endpoint = os.environ.get("HF_ENDPOINT", "the Hugging Face Hub")
        raise ModelError(
            f"'{model}' is no folder here, and {endpoint} cannot be reached ({type(error).__name__}).",
            "Check the connection, or name a folder with a model, or choose 'tiny' for a dry run.",
            "model",
            "hub-unreachable",
        ) from None
    except EntryNotFoundError:
        message = f"'{model}' has no {name}: it is no model of transformers."
        raise ModelError(message, "Choose another one.", "model", "model-no-config") from None
    except HFValidationError:
        hint = "Name a folder that exists, or an id such as google/vit-base-patch16-224."
        raise ModelError(f"'{model}' is no folder here and no Hub id.", hint, "model", "model-not-found") from None
    except HfHubHTTPError as error:
        message = f"The Hub did not give '{model}': {str(error).splitlines()[0]}"
        raise ModelError(message, "Try again later.", "model", "hub-error") from None


def require(config: Mapping[str, Any], model: str, known: Mapping[str, Any], what: str) -> None:
    """Check that a config is of a kind of model that the task can train.

    known: model types (the keys of an auto class's mapping). what: the task, for the message.

    Raises:
        ModelError: code `model-wrong-task`.
        MissingExtra: the model needs a package that is not installed.
    """
    kind = str(config.get("model_type", ""))
    extra = EXTRAS.get(kind) or ("timm" if "architecture" in config and not kind else None)
    if extra:
        if importlib.util.find_spec(extra) is None:
            message = f"The model '{model}' needs the package {extra}."
            raise MissingExtra(message, f"pip install {extra}", "model", "missing-extra")
        return
    if kind not in known:
        names = ", ".join(config.get("architectures") or []) or "unknown"
        raise ModelError(
            f"'{model}' cannot be trained for {what}: it is of type '{kind}' ({names}).",
            "Choose one of the suggested models, or another of that task.",
            "model",
            "model-wrong-task",
        )


def hub_facts(model: str) -> dict[str, Any]:
    """Return `{"parameters": int | None, "downloads": int | None, "license": str | None}` of a Hub model."""
    info = model_info(model)
    parameters = info.safetensors.total if info.safetensors else None
    card = info.card_data.to_dict() if info.card_data else {}
    return {"parameters": parameters, "downloads": info.downloads, "license": card.get("license")}


def folder_parameters(folder: Path) -> int | None:
    """Count the parameters of a folder's safetensors files by their headers; None where there are none."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for name, tensor in header.items():
            if name != "__metadata__":
                count = 1
                for size in tensor["shape"]:
                    count *= size
                total += count
    return total or None
