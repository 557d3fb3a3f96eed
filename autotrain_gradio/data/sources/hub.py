"""Download a dataset of the Hugging Face Hub into a cache that all runs share."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from autotrain_gradio.core.errors import DataError, Finding, Fix, UserError, did_you_mean
from autotrain_gradio.core.file_types import ARCHIVE_SUFFIXES
from autotrain_gradio.core.text_format import format_bytes, join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.archives import allow_disk
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress
from autotrain_gradio.data.sources.upload import unpack_all

TABLES = (".parquet", ".arrow", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx")
ABOUT_DATA = ("dataset_dict.json", "dataset_info.json", "state.json")
DOWNLOADS = 8


def fetch(request: Request, draft: Path, progress: Progress) -> Fetched:
    """Download the data files of a dataset and return their folder, pinned to the current revision.

    A second call for the same dataset needs no network. `data.options` may name a `config` and a `revision`;
    `train_split` may begin with `config:`.

    Raises:
        DataError: the dataset does not exist, is gated or private, has no data files, or needs a loading
            script; the Hub cannot be reached; the disk is too small.
    """
    name = request.spec.path.strip().removeprefix("https://huggingface.co/").removeprefix("datasets/").strip("/")
    if not name:
        raise DataError("The dataset id is empty.", "Enter an id such as user/name.", "data.path", "no-dataset")
    wanted = {
        "id": name,
        "config": _config(request),
        "revision": request.spec.options.get("revision"),
        "endpoint": request.endpoint,
    }
    record = draft / "data" / "hub.json"
    known = read_json(record)
    if (
        known is None
        or known["wanted"] != wanted
        or not all((Path(known["root"]) / f).is_file() for f in known["files"])
    ):
        try:
            info = HfApi(endpoint=request.endpoint, token=request.token or False).dataset_info(
                name, revision=wanted["revision"], files_metadata=True, timeout=30
            )
            sizes = {s.rfilename: int(s.size or 0) for s in info.siblings or []}
            card = info.card_data.to_dict() if info.card_data else {}
            files = _choose(name, list(sizes), card.get("configs"), request)
            chosen = {file: sizes[file] for file in files}
            root = _download(name, str(info.sha), chosen, draft, request, progress)
        except UserError:
            raise
        except (HTTPError, OSError, HFValidationError) as error:
            raise _explain(error, name, request) from None
        known = {"wanted": wanted, "root": str(root), "revision": str(info.sha), "files": files}
        write_json(record, known)
    return _fetched(known, draft, request, progress)


def _fetched(note: Mapping[str, Any], draft: Path, request: Request, progress: Progress) -> Fetched:
    root, files = Path(note["root"]), note["files"]
    splits = {f: s for f, s in files.items() if s}
    archives = [root / f for f in files if f.lower().endswith(ARCHIVE_SUFFIXES)]
    if archives and not request.whole_folder:
        inner = unpack_all([root / f for f in files], draft, request, progress, keep=True)
        return Fetched(inner.root, own=True, revision=note["revision"], note=inner.note)
    # The cache is shared: it may contain files of other configurations.
    return Fetched(root, splits, revision=note["revision"], files=frozenset(files))


def _config(request: Request) -> str | None:
    prefix, colon, _ = request.spec.train_split.partition(":")
    return prefix.strip() if colon else request.spec.options.get("config")


def _choose(name: str, paths: list[str], configs: Any, request: Request) -> dict[str, str]:
    """Return path → split of the files of a configuration: those of the dataset card, else all data files ("")."""
    if request.whole_folder:
        return dict.fromkeys((p for p in paths if not any(part.startswith(".") for part in PurePosixPath(p).parts)), "")
    media = request.media.suffixes if request.media else ()
    suffixes = (*TABLES, *ARCHIVE_SUFFIXES, *media, *(end for layout in request.layouts for end in layout.files))
    data = [
        path
        for path in paths
        if (f"/{path}".lower().endswith(suffixes) or PurePosixPath(path).name in ABOUT_DATA)
        and not any(part.startswith(".") for part in PurePosixPath(path).parts)
    ]
    if not data and (scripts := [path for path in paths if path.endswith(".py")]):
        message = f"'{name}' has no data files but a loading script ({scripts[0]}), which is not executed."
        hint = "Use a Parquet version of the dataset, or save it with save_to_disk and use that folder."
        raise DataError(message, hint, "data.path", "hub-needs-code")
    if not data:
        message = f"'{name}' has no data files in a supported format. Files: {join_examples(paths) or 'none'}."
        hint = (
            f"Choose a dataset with Parquet or CSV files{f' or {request.media.name} files' if request.media else ''}."
        )
        raise DataError(message, hint, "data.path", "hub-no-data")
    asked = _config(request)
    declared = {str(c["config_name"]): c for c in configs or [] if isinstance(c, dict) and "config_name" in c}
    if declared:
        default = [n for n, c in declared.items() if c.get("default") is True] or [
            n for n in declared if n == "default"
        ]
        files = _files_of(declared[_one_config(name, asked, list(declared), default)], data)
        if files:
            return files
    elif asked:
        folders = {path.partition("/")[0] for path in data if path.startswith(f"{asked}/")}
        config = _one_config(name, asked, sorted(folders | _config_folders(data, request)), [])
        data = [path for path in data if path.startswith(f"{config}/")]
    elif folders := _config_folders(data, request):
        _one_config(name, None, sorted(folders), [])
    # Tables with embedded images are enough; image files beside them are examples.
    return dict.fromkeys(data, "")


def _one_config(name: str, asked: str | None, known: list[str], default: list[str]) -> str:
    """Return the configuration that is asked for, or the default one, or the only one."""
    where = "data.options.config"
    if asked and asked not in known:
        message = f"'{name}' has no configuration '{asked}'. Found: {join_examples(known, limit=20) or 'none'}."
        raise DataError(message, did_you_mean(asked, known), where, "hub-config")
    if asked or default or len(known) == 1:
        return asked or [*default, *known][0]
    message = f"'{name}' has {pluralize(len(known), 'configuration')}: {join_examples(known, limit=20)}."
    hint = f"Select one with data.options.config, or train_split: {known[0]}:train."
    fix = Fix(f"Use '{known[0]}'", {"options": {"config": known[0]}})
    raise DataError.from_findings([Finding("error", "hub-config", message, hint, where, fix)])


def _files_of(config: Mapping[str, Any], data: list[str]) -> dict[str, str]:
    """Return path → split of the files that match the patterns of a configuration in a dataset card."""
    folder = str(config.get("data_dir") or "").strip("/")
    given = config.get("data_files") or ("**" if folder else [])
    patterns: list[tuple[Any, Any]] = []
    for item in given if isinstance(given, list) else [given]:
        if isinstance(item, Mapping):
            patterns += [(item.get("split", ""), item["path"])] if "path" in item else item.items()
        else:
            patterns.append(("", item))
    files: dict[str, str] = {}
    for split, value in patterns:
        for pattern in value if isinstance(value, list) else [value]:
            full = f"{folder}/{pattern}" if folder else str(pattern)
            for path in data:
                if any(fnmatch.fnmatchcase(path, p) for p in (full.removeprefix("./"), full.replace("**/", ""))):
                    files.setdefault(path, str(split))
    return files


def _config_folders(data: Iterable[str], request: Request) -> set[str]:
    """Return the folders that are configurations: several folders with tables of the same splits."""
    found: dict[str, set[str]] = {}
    for path in data:
        top, slash, rest = path.partition("/")
        if slash and path.lower().endswith(TABLES) and not split_names.is_split(top, request.spec):
            found.setdefault(top, set()).add(split_names.of_file(PurePosixPath(rest).stem, request.spec) or "")
    sets = list(found.values())
    return set(found) if len(found) > 1 and any(a & b for i, a in enumerate(sets) for b in sets[i + 1 :]) else set()


def _download(
    name: str, revision: str, sizes: Mapping[str, int], draft: Path, request: Request, progress: Progress
) -> Path:
    """Download files (path → bytes) into the cache, and return their folder."""
    home = draft.resolve().parent.parent
    # Files that one token gives access to must not be cached for other tokens, or for none.
    whose = hashlib.sha256(request.token.encode()).hexdigest()[:16] if request.token else "anonymous"
    cache = home / "cache" / "hub" / whose
    cache.mkdir(parents=True, exist_ok=True)
    total, limit = sum(sizes.values()), request.limits.archive_bytes
    if total > limit:
        message = f"The dataset has {format_bytes(total)}; the limit is {format_bytes(limit)}."
        raise DataError(message, "Choose a smaller configuration.", "data.path", "hub-too-large")
    allow_disk(cache, total, "dataset")
    one = partial(
        hf_hub_download,
        name,
        repo_type="dataset",
        revision=revision,
        cache_dir=cache,
        endpoint=request.endpoint,
        token=request.token or False,
    )
    done, root = 0, cache
    with ThreadPoolExecutor(DOWNLOADS) as pool:  # an error cancels the downloads that have not begun
        for (file, size), path in zip(sizes.items(), pool.map(one, sizes), strict=True):
            done += size
            root = Path(path.removesuffix(file))
            progress(f"Downloading {name} ({total / 1e6:,.0f} MB)", done / max(1, total))
    return root


def _explain(error: Exception, name: str, request: Request) -> DataError:
    """Return the error that says what the Hub's answer, or its silence, means."""
    revision = request.spec.options.get("revision")
    signed = " The token may not have access." if request.token else ""
    status = getattr(getattr(error, "response", None), "status_code", None)
    answers: tuple[tuple[type[Exception], str, str, str], ...] = (
        (HFValidationError, f"'{name}' is not a valid dataset id.", "An id looks like user/name.", "hub-bad-id"),
        (
            GatedRepoError,
            f"The dataset '{name}' is gated: its terms must be accepted first.{signed}",
            f"Open {request.endpoint}/datasets/{name}, accept the terms, and use a token of that account.",
            "dataset-gated",
        ),
        (
            RevisionNotFoundError,
            f"'{name}' has no revision '{revision}'.",
            "Check data.options.revision.",
            "hub-revision",
        ),
        (
            RepositoryNotFoundError,
            f"The dataset '{name}' does not exist on the Hub, or is private.{signed}",
            "Check the spelling (user/name). A private dataset needs a token.",
            "dataset-not-found",
        ),
        (
            HfHubHTTPError,
            f"The Hub rejected the request for '{name}' (status {status}).",
            "Use a token with read access." if status in {401, 403} else "Try again later.",
            "hub-error",
        ),
    )
    for kind, message, hint, code in answers:
        if isinstance(error, kind):
            return DataError(message, hint, "data.options.revision" if code == "hub-revision" else "data.path", code)
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")[:160]
    message = f"The Hub ({request.endpoint}) cannot be reached: {reason}."
    return DataError(
        message, "Check the network connection, or use a folder or an upload.", "data.path", "hub-unreachable"
    )
