"""A folder that `datasets` wrote with `save_to_disk`: a `DatasetDict` or one `Dataset`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.files.arrow_files import open_table
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts.embedded import join, media_field, read_features
from autotrain_gradio.data.layouts.table import concat_splits, locate_rows, parse_table
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

DICT, STATE, INFO = "dataset_dict.json", "state.json", "dataset_info.json"


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there is a saved dataset, with a column of media where the task reads media."""
    folders = _splits(tree) if tree.only is None else {}
    if not folders:
        return Rejected(f"there is no {DICT} or {STATE}")
    for folder in folders.values():
        files = _files(tree, folder)
        if not files:
            return Rejected(f"'{folder or tree.root.name}' names no Arrow files")
        try:
            schema = open_table(tree.root / files[0], request.limits.table_bytes).schema
        except DataError as error:
            return Rejected(f"{files[0]}: {error.message}")
        if request.media is not None and media_field(schema, request) is None:
            return Rejected(f"{files[0]} has no column of {request.media.name}s, only {join_examples(schema.names)}")
    splits = [s for s in folders if s]
    return Recognized(1.0, f"a saved dataset{f' with the splits {join_examples(splits)}' if splits else ''}")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Map the Arrow files of every split into memory."""
    parts = []
    features: dict[str, Any] = {}
    for split, folder in _splits(tree).items():
        parts += [(split, name, tree.root / name) for name in _files(tree, folder)]
        found = _json(tree, os.path.join(folder, INFO)).get("features")
        features |= found if isinstance(found, dict) else {}
    raw = join(parts, request) if request.media is not None else _values(parts, tree, request)
    if features:
        read_features(next(iter(raw.splits.values())).schema, raw, request, features)
    raw.files_read = [name for _, name, _ in parts]
    return raw


def _values(parts: list[tuple[str, str, Path]], tree: Tree, request: Request) -> RawTables:
    """Make raw tables of values alone."""
    raw = RawTables({}, file_names=[name for _, name, _ in parts])
    splits: dict[str, list[pa.Table]] = {}
    for number, (split, name, _) in enumerate(parts):
        sheet = parse_table(tree.root, name, request, tree.parsed)
        splits.setdefault(split, []).append(locate_rows(sheet, number, raw, request))
    raw.splits = concat_splits(splits)
    return raw


def _splits(tree: Tree) -> dict[str, str]:
    """Return split → its folder: of the outermost `DatasetDict`, else of one `Dataset` as the split ''."""
    for name in (DICT, STATE):
        found = sorted((f for f in tree.files if f.name == name), key=lambda f: f.path.count("/"))
        if not found:
            continue
        base = found[0].folder
        if name == STATE:
            return {"": base}
        splits = _json(tree, found[0].path).get("splits")
        if isinstance(splits, list):
            folders = {str(s): os.path.join(base, str(s)) for s in splits}
            return {s: f for s, f in folders.items() if f"{f}/{STATE}" in tree.by_path}
    return {}


def _files(tree: Tree, folder: str) -> list[str]:
    """Return the Arrow files of a split, in their order. Names with a folder in them are not followed."""
    state = _json(tree, os.path.join(folder, STATE))
    names = [str(f.get("filename", "")) for f in state.get("_data_files") or [] if isinstance(f, dict)]
    paths = [os.path.join(folder, n) for n in names if n and "/" not in n]
    return [p for p in paths if p in tree.by_path]


def _json(tree: Tree, path: str) -> dict[str, Any]:
    if path not in tree.by_path or tree.by_path[path].size > 2**26:
        return {}
    try:
        value = json.loads((tree.root / path).read_text(encoding="utf-8"))
    except ValueError:
        return {}  # not written by the library: the layout is then not recognized
    return value if isinstance(value, dict) else {}
