"""Download a dataset of the Hugging Face Hub into a cache that all runs share."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from autotrain_gradio.core.errors import DataError, Finding, Fix, UserError, did_you_mean
from autotrain_gradio.core.text_format import format_bytes, join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.archives import TAR_SUFFIXES, allow_disk
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress
from autotrain_gradio.data.sources.upload import unpack_all

TABLES = (".parquet", ".arrow", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx")
ARCHIVES = (".zip", *TAR_SUFFIXES)
ABOUT_DATA = ("dataset_dict.json", "dataset_info.json", "state.json")
DOWNLOADS = 8


@dataclass(frozen=True)
class _Chosen:
    """Files of one configuration: path → split of the dataset card ('' where it has none); sizes in bytes."""

    files: Mapping[str, str]
    sizes: Mapping[str, int]


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
        known is not None
        and known["wanted"] == wanted
        and all((Path(known["root"]) / f).is_file() for f in known["files"])
    ):
        return _fetched(known, draft, request, progress)
    try:
        info = HfApi(endpoint=request.endpoint, token=request.token or False).dataset_info(
            name, revision=wanted["revision"], files_metadata=True, timeout=30
        )
        sizes = {s.rfilename: int(s.size or 0) for s in info.siblings or []}
        card = info.card_data.to_dict() if info.card_data else {}
        chosen = _choose(name, sizes, card.get("configs"), request)
        root = _download(name, str(info.sha), chosen, draft, request, progress)
    except UserError:
        raise
    except (HTTPError, OSError, HFValidationError) as error:
        raise _explain(error, name, request) from None
    note = {"wanted": wanted, "root": str(root), "revision": str(info.sha), "files": dict(chosen.files)}
    write_json(record, note)
    return _fetched(note, draft, request, progress)


def _fetched(note: Mapping[str, Any], draft: Path, request: Request, progress: Progress) -> Fetched:
    root, files = Path(note["root"]), note["files"]
    splits = {f: s for f, s in files.items() if s}
    archives = [root / f for f in files if f.lower().endswith(ARCHIVES)]
    if archives:
        inner = unpack_all([root / f for f in files], draft, request, progress, keep=True)
        return Fetched(inner.root, own=True, revision=note["revision"], note=inner.note)
    # The cache is shared: it may contain files of other configurations.
    return Fetched(root, splits, revision=note["revision"], files=frozenset(files))


def _config(request: Request) -> str | None:
    prefix, colon, _ = request.spec.train_split.partition(":")
    return prefix.strip() if colon else request.spec.options.get("config")


def _choose(name: str, sizes: Mapping[str, int], configs: Any, request: Request) -> _Chosen:
    """Select the files of a configuration: those that the dataset card declares, else all data files."""
    media = request.media.suffixes if request.media else ()
    others = tuple(end for layout in request.layouts for end in layout.files)
    data = [
        f
        for f in sizes
        if (f"/{f}".lower().endswith((*TABLES, *ARCHIVES, *media, *others)) or PurePosixPath(f).name in ABOUT_DATA)
        and not any(part.startswith(".") for part in PurePosixPath(f).parts)
    ]
    if not data:
        scripts = [f for f in sizes if f.endswith(".py")]
        if scripts:
            raise DataError(
                f"'{name}' has no data files but a loading script ({scripts[0]}), which is not executed.",
                "Use a Parquet version of the dataset, or save it with save_to_disk and use that folder.",
                "data.path",
                "hub-needs-code",
            )
        raise DataError(
            f"'{name}' has no data files in a supported format. Files: {join_examples(list(sizes)) or 'none'}.",
            f"Choose a dataset with Parquet or CSV files{f' or {request.media.name} files' if request.media else ''}.",
            "data.path",
            "hub-no-data",
        )
    asked = _config(request)
    declared = {str(c["config_name"]): c for c in configs or [] if isinstance(c, dict) and "config_name" in c}
    if declared:
        config = _one_config(name, asked, declared)
        files = _files_of(declared[config], data)
        if files:
            return _Chosen(files, {f: sizes[f] for f in files})
    folders = _config_folders(data, request)
    if asked and not declared:
        chosen = [f for f in data if f.startswith(f"{asked}/")]
        if not chosen:
            known = join_examples(sorted(folders), limit=20) or "none"
            raise DataError(
                f"'{name}' has no configuration '{asked}'. Found: {known}.",
                did_you_mean(asked, folders),
                "data.options.config",
                "hub-config",
            )
        data = chosen
    elif len(folders) > 1 and not declared:
        raise _which_config(name, sorted(folders))
    # Tables with embedded images are enough; image files beside them are examples.
    return _Chosen(dict.fromkeys(data, ""), {f: sizes[f] for f in data})


def _one_config(name: str, asked: str | None, declared: Mapping[str, Mapping[str, Any]]) -> str:
    if asked:
        if asked not in declared:
            raise DataError(
                f"'{name}' has no configuration '{asked}'. Found: {join_examples(list(declared), limit=20)}.",
                did_you_mean(asked, declared),
                "data.options.config",
                "hub-config",
            )
        return asked
    if len(declared) == 1:
        return next(iter(declared))
    marked = [n for n, c in declared.items() if c.get("default") is True] or [n for n in declared if n == "default"]
    if marked:
        return marked[0]
    raise _which_config(name, list(declared))


def _which_config(name: str, configs: list[str]) -> UserError:
    finding = Finding(
        "error",
        "hub-config",
        f"'{name}' has {pluralize(len(configs), 'configuration')}: {join_examples(configs, limit=20)}.",
        f"Select one with data.options.config, or train_split: {configs[0]}:train.",
        "data.options.config",
        Fix(f"Use '{configs[0]}'", {"options": {"config": configs[0]}}),
    )
    return DataError.from_findings([finding])


def _files_of(config: Mapping[str, Any], data: list[str]) -> dict[str, str]:
    """Return path → split of the files that match the patterns of a configuration in a dataset card."""
    given = config.get("data_files")
    folder = str(config.get("data_dir") or "").strip("/")
    patterns: list[tuple[str, str]] = []
    if isinstance(given, str):
        patterns = [("", given)]
    elif isinstance(given, Mapping):
        patterns = [(str(split), p) for split, value in given.items() for p in _listed(value)]
    elif isinstance(given, list):
        for item in given:
            if isinstance(item, Mapping):
                patterns += [(str(item.get("split", "")), p) for p in _listed(item.get("path"))]
            else:
                patterns.append(("", str(item)))
    elif folder:
        patterns = [("", "**")]
    files: dict[str, str] = {}
    for split, pattern in patterns:
        full = f"{folder}/{pattern}" if folder else pattern
        for path in data:
            if fnmatch.fnmatchcase(path, full.removeprefix("./")) or fnmatch.fnmatchcase(path, full.replace("**/", "")):
                files.setdefault(path, split)
    return files


def _listed(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _config_folders(data: Iterable[str], request: Request) -> set[str]:
    """Return the folders that are configurations: several folders with tables of the same splits."""
    found: dict[str, set[str]] = {}
    for path in data:
        top, slash, rest = path.partition("/")
        if slash and path.lower().endswith(TABLES) and not split_names.is_split(top, request.spec):
            found.setdefault(top, set()).add(split_names.of_file(PurePosixPath(rest).stem, request.spec) or "")
    sets = list(found.values())
    return set(found) if len(found) > 1 and any(a & b for i, a in enumerate(sets) for b in sets[i + 1 :]) else set()


def _download(name: str, revision: str, chosen: _Chosen, draft: Path, request: Request, progress: Progress) -> Path:
    home = request.home or draft.resolve().parent.parent
    # Files that one token gives access to must not be cached for other tokens, or for none.
    whose = hashlib.sha256(request.token.encode()).hexdigest()[:16] if request.token else "anonymous"
    cache = home / "cache" / "hub" / whose
    cache.mkdir(parents=True, exist_ok=True)
    total = sum(chosen.sizes.values())
    if total > request.limits.archive_bytes:
        raise DataError(
            f"The dataset has {format_bytes(total)}; the limit is {format_bytes(request.limits.archive_bytes)}.",
            "Choose a smaller configuration.",
            "data.path",
            "hub-too-large",
        )
    allow_disk(cache, total, "dataset")

    def one(file: str) -> str:
        return hf_hub_download(
            name,
            file,
            repo_type="dataset",
            revision=revision,
            cache_dir=cache,
            endpoint=request.endpoint,
            token=request.token or False,
        )

    done = 0
    root: Path | None = None
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        futures = {pool.submit(one, f): f for f in chosen.files}
        try:
            for future in as_completed(futures):
                file = futures[future]
                done += chosen.sizes[file]
                root = Path(future.result()[: -len(file)])
                progress(f"Downloading {name} ({total / 1e6:,.0f} MB)", done / max(1, total))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    assert root is not None  # there is at least one file
    return root


def _explain(error: Exception, name: str, request: Request) -> DataError:
    signed = " The token may not have access." if request.token else ""
    if isinstance(error, HFValidationError):
        return DataError(
            f"'{name}' is not a valid dataset id.", "An id looks like user/name.", "data.path", "hub-bad-id"
        )
    if isinstance(error, GatedRepoError):
        return DataError(
            f"The dataset '{name}' is gated: its terms must be accepted first.{signed}",
            f"Open {request.endpoint}/datasets/{name}, accept the terms, and use a token of that account.",
            "data.path",
            "dataset-gated",
        )
    if isinstance(error, RevisionNotFoundError):
        return DataError(
            f"'{name}' has no revision '{request.spec.options.get('revision')}'.",
            "Check data.options.revision.",
            "data.options.revision",
            "hub-revision",
        )
    if isinstance(error, RepositoryNotFoundError):
        return DataError(
            f"The dataset '{name}' does not exist on the Hub, or is private.{signed}",
            "Check the spelling (user/name). A private dataset needs a token.",
            "data.path",
            "dataset-not-found",
        )
    if isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError) or not isinstance(error, HfHubHTTPError):
        return DataError(
            f"The Hub ({request.endpoint}) cannot be reached: {_short(error)}.",
            "Check the network connection, or use a folder or an upload.",
            "data.path",
            "hub-unreachable",
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    hint = "Use a token with read access." if status in {401, 403} else "Try again later."
    return DataError(f"The Hub rejected the request for '{name}' (status {status}).", hint, "data.path", "hub-error")


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:160]
