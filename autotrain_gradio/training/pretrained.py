"""Check a pretrained model before its weights are loaded (existence, access, type), and explain loading errors.

Hub ids are looked up at `HF_ENDPOINT` with the token in `HF_TOKEN`, as huggingface_hub does.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import pickle
import re
import traceback
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import (
    _CACHED_NO_EXIST,
    HfApi,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    StrictDataclassError,
)
from safetensors import SafetensorError

import autotrain_gradio
from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.core.text_format import format_bytes, inflect, join_examples, pluralize
from autotrain_gradio.runs import memory_limit
from autotrain_gradio.training import failures, loaded_weights, plausibility

WHERE = "model"
ADAPTER = "model-adapter"
"""Code of the error for models that are adapters."""
ADAPTER_CONFIG = "adapter_config.json"
HUB_SECONDS = 10.0
"""Timeout in seconds for the check that a model exists on the Hub."""
# The HTTP library of huggingface_hub depends on its version; this is the base class of its errors.
HTTPError: type[Exception] = HfHubHTTPError.__mro__[1]
TIMM = "timm_wrapper"
"""Type of models of timm. Their repositories have timm's own config, with an architecture and no model type."""
EXTRAS = {TIMM: ("timm", "torchvision")}
"""Model types that need an extra of this project → its name, and the other package that transformers needs for it."""
FAILURES = (
    OSError,
    ValueError,
    RuntimeError,
    ImportError,
    KeyError,
    TypeError,
    AttributeError,
    HTTPError,
    SafetensorError,
    MemoryError,
    StrictDataclassError,
    ArithmeticError,
    LookupError,
    AssertionError,
    EOFError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)
"""Exceptions that loading an untrusted or damaged model can raise."""


PACKAGE = Path(autotrain_gradio.__file__).parent


class ModelError(UserError):
    """The model of the spec cannot be used."""


def fetch_config(model: str) -> dict[str, Any]:
    """Return the `config.json` of a folder or a Hub id; nothing else is downloaded.

    Raises:
        ModelError: `model-not-found`, `model-gated`, `model-broken`, `hub-unreachable`; or the folder or repository
            has another format: `model-adapter`, `model-gguf`, `model-wrong-task` (diffusers).
        UserError: a size in it is not plausible (`model-broken`).
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        path = folder / "config.json"
        names = sorted(file.name for file in folder.iterdir())
        if not path.is_file():
            message = f"The folder '{model}' contains no model: config.json is missing."
            hint = "Choose a folder that was written by save_pretrained."
            raise _other_format(model, names) or ModelError(message, hint, WHERE, "model-broken")
        if _only_gguf(names):
            raise _gguf(model, names)
        if ADAPTER_CONFIG in names:
            raise _embedded_adapter(model)
        loaded_weights.require_shards(folder, model)
    elif model.startswith(("/", "./", "../", "~", ".\\")) or Path(model).exists():
        message = f"The model folder '{model}' does not exist."
        raise ModelError(
            message,
            "Check the path; relative paths start at the working directory of the app.",
            WHERE,
            "model-not-found",
        )
    else:
        with translated_errors(model):
            if not isinstance(try_to_load_from_cache(model, "config.json"), str):
                # One try, so that a missing connection is known at once: the download tries for 20 seconds.
                try:
                    get_hf_file_metadata(hf_hub_url(model, "config.json"), timeout=HUB_SECONDS)
                except EntryNotFoundError as error:
                    other = _other_format(model, HfApi().list_repo_files(model))
                    raise other or error from None
            path = Path(hf_hub_download(model, "config.json"))
            if _has_adapter(model):
                raise _embedded_adapter(model)
    try:
        if path.stat().st_size > plausibility.CONFIG_BYTES:
            raise ValueError(f"it has {format_bytes(path.stat().st_size)}")
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is not a JSON object")
    except (ValueError, RecursionError) as error:
        hint = "Download or save the model again."
        raise ModelError(f"The config.json of '{model}' is damaged: {error}.", hint, WHERE, "model-broken") from None
    plausibility.require_sizes(config, model)
    return config


def _has_adapter(model: str) -> bool:
    """Whether a Hub repository has an adapter_config.json; offline: whether one is cached.

    The cache knows the answer for each commit; it has just got the latest one, that of config.json.
    """
    known = try_to_load_from_cache(model, ADAPTER_CONFIG)
    if known is not None:
        return known is not _CACHED_NO_EXIST
    try:
        hf_hub_download(model, ADAPTER_CONFIG, etag_timeout=HUB_SECONDS)
    except EntryNotFoundError:
        # It does not exist. Or the Hub cannot be reached (LocalEntryNotFoundError, which is an EntryNotFoundError):
        # from_pretrained finds only cached files, and none is an adapter's.
        return False
    return True


def _embedded_adapter(model: str) -> ModelError:
    # from_pretrained loads base_model_name_or_path of the adapter_config.json in place of a Hub repository's own
    # weights, even if it is a folder of this computer (transformers, AutoModel.from_pretrained).
    message = f"'{model}' contains an adapter ({ADAPTER_CONFIG}) beside its config.json, and not only a model."
    hint = f"Merge the adapter into its base model and save that, or use a copy without {ADAPTER_CONFIG}."
    return ModelError(message, hint, WHERE, ADAPTER)


def _only_gguf(names: Sequence[str]) -> bool:
    """Whether the weights among the files of a model are in the format GGUF only."""
    weights = [name for name in names if name.endswith((".safetensors", ".bin"))]
    return not weights and any(name.lower().endswith(".gguf") for name in names)


def _gguf(model: str, names: Sequence[str]) -> ModelError:
    file = next(name for name in names if name.lower().endswith(".gguf"))
    message = f"'{model}' has weights in the format GGUF only ({file}), which is for inference and cannot be trained."
    hint = "Choose the model that it was converted from, with safetensors files; its page names it as the base model."
    return ModelError(message, hint, WHERE, "model-gguf")


def _other_format(model: str, names: Sequence[str]) -> ModelError | None:
    """Return what a model without a `config.json` is, by the names of its files; None: unknown."""
    if ADAPTER_CONFIG in names:
        message = f"'{model}' is an adapter (PEFT) and not a whole model, which this task needs."
        hint = "Merge it into its base model (PEFT: model.merge_and_unload()), and save that with save_pretrained."
        return ModelError(message, hint, WHERE, ADAPTER)
    if "model_index.json" in names:
        message = f"'{model}' is a pipeline of diffusers, which generates images, and not a transformers model."
        return ModelError(message, "Choose one of the suggested models.", WHERE, "model-wrong-task")
    return _gguf(model, names) if _only_gguf(names) else None


def require_type(config: Mapping[str, Any], model: str, known: Mapping[str, Any], what: str) -> None:
    """Check that the task supports the type of a model.

    known: supported model types: the keys of an auto class's mapping. what: the task, for the message.

    Raises:
        ModelError: code `model-wrong-task`.
        MissingExtra: it needs a package that is not installed.
    """
    kind = str(config.get("model_type") or "")
    if "architecture" in config and not kind:
        kind = TIMM
    if kind in EXTRAS and kind in known:
        _require_extra(model, *EXTRAS[kind])
    if kind in known:
        return
    if "auto_map" in config:
        reason = "it needs custom code (trust_remote_code), which is not allowed"
    else:
        names = ", ".join(str(a) for a in config.get("architectures") or []) or "no architecture named"
        reason = f"its type is '{kind}' ({names})" if kind else "its config has no model_type"
    hint = "Choose one of the suggested models, or another one for this task."
    raise ModelError(f"'{model}' cannot be used for {what}: {reason}.", hint, WHERE, "model-wrong-task")


def _require_extra(model: str, *packages: str) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        message = f"The model '{model}' needs {pluralize(len(missing), 'package')} that {inflect(len(missing), 'is')} "
        message += f"not installed: {join_examples(missing)}."
        # pip would install the newest torchvision, and with it another torch.
        version = importlib.metadata.version("torch").partition("+")[0]
        hint = f"pip install 'autotrain-gradio[{packages[0]}]' 'torch=={version}' (then restart the app)."
        raise MissingExtra(message, hint, WHERE, "missing-extra")


@contextlib.contextmanager
def translated_errors(model: str) -> Iterator[None]:
    """Translate exceptions of looking up or loading a model into a `UserError`; bugs of this package stay bugs."""
    try:
        yield
    except UserError:
        raise
    except FAILURES as error:
        if isinstance(error, LookupError | ArithmeticError | AssertionError) and _is_ours(error):
            raise
        raise explain(model, error) from error


def _is_ours(error: BaseException) -> bool:
    """Whether an exception was raised by the code of this package, not by a library."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return Path(frame.f_code.co_filename).is_relative_to(PACKAGE)


def explain(model: str, error: BaseException) -> UserError:
    """Translate an exception of huggingface_hub, transformers or safetensors into a message for the user.

    Causes are checked first: transformers wraps errors of the Hub in an OSError.
    """
    chain, cause = [error], error.__cause__ or error.__context__
    while cause is not None and len(chain) < 10:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for one in reversed(chain):
        found = _of_hub(model, one)
        if found is not None:
            return found
    lines = str(error).strip().splitlines()
    text = (lines[0][:300] if lines else type(error).__name__).rstrip(".")
    if failures.is_out_of_memory(error):
        limit = memory_limit.describe(error)
        message = f"Not enough memory to load the model '{model}'. {limit}".rstrip()
        return ModelError(message, "Choose a smaller model.", WHERE, "out-of-memory")
    if isinstance(error, ImportError):
        package = re.search(r"pip3? install (?:-U |--upgrade )?['\"`]?([A-Za-z0-9_.-]+)", str(error))
        missing = package[1].rstrip(".") if package else _package(str(error))
        hint = f"pip install {missing}" if missing else "Install what the message names."
        return MissingExtra(
            f"The model '{model}' needs a package that is not installed: {text}.", hint, WHERE, "missing-extra"
        )
    if isinstance(error, pickle.UnpicklingError):
        message = f"The weights of '{model}' are pickled, and contain more than tensors: loading them could run code."
        hint = (
            "Convert the model to safetensors where you trust its source: load it there, and save it with "
            "save_pretrained. Or choose a model with a model.safetensors."
        )
        return ModelError(message, hint, WHERE, "model-pickled")
    if isinstance(error, StrictDataclassError):
        message = f"The config.json of '{model}' is not valid: {' '.join(' '.join(lines).split())[:300]}."
        return ModelError(message, "Download or save the model again.", WHERE, "model-broken")
    if isinstance(error, SafetensorError):
        message = f"The weights of '{model}' are damaged: {text}."
        return ModelError(message, "Download or save the model again.", WHERE, "model-broken")
    message = f"The model '{model}' cannot be loaded: {text}."
    return ModelError(message, "Choose another one, or see the log for details.", WHERE, "model-broken")


def _package(text: str) -> str:
    return next((name for name in ("timm", "torchvision", "sentencepiece", "scipy") if name in text.lower()), "")


def _of_hub(model: str, error: BaseException) -> ModelError | None:
    if isinstance(error, GatedRepoError):
        hint = f"Request access on its page ({model}), then set HF_TOKEN or run 'hf auth login'."
        return ModelError(
            f"The model '{model}' is gated: its owner grants access on request.", hint, WHERE, "model-gated"
        )
    if isinstance(error, RepositoryNotFoundError):
        hint = "Check the spelling: an id looks like google/vit-base-patch16-224. A private model needs HF_TOKEN."
        return ModelError(f"The model '{model}' does not exist on the Hub.", hint, WHERE, "model-not-found")
    if isinstance(error, HFValidationError):
        hint = "Use an existing folder, or an id such as google/vit-base-patch16-224."
        return ModelError(
            f"'{model}' is neither an existing folder nor a valid Hub id.", hint, WHERE, "model-not-found"
        )
    lost = isinstance(error, HTTPError) and not isinstance(error, HfHubHTTPError)
    if lost or isinstance(error, LocalEntryNotFoundError | OfflineModeIsEnabled | ConnectionError):
        place = os.environ.get("HF_ENDPOINT") or "the Hugging Face Hub"
        return ModelError(
            f"'{model}' is not a local folder, and {place} cannot be reached.",
            "Check the connection, use a local model folder, or choose 'tiny' for a dry run.",
            WHERE,
            "hub-unreachable",
        )
    if isinstance(error, EntryNotFoundError):
        message = f"'{model}' is not a transformers model: a required file is missing on the Hub."
        return ModelError(message, "Choose another one.", WHERE, "model-broken")
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code if error.response is not None else "no"
        message = f"The Hub refused access to the model '{model}' (status {status})."
        return ModelError(message, "Try again later, or check the token.", WHERE, "hub-error")
    return None
