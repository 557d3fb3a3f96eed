"""Write the checked rows, and load them for the training.

`data/dataset` holds a `DatasetDict` of references: relative paths, or row numbers of Arrow files that
are mapped into memory. Media are not copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
from datasets.table import InMemoryTable

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.files.arrow_files import media_column
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.locations import Locations
from autotrain_gradio.data.pipeline.features import as_arrow, class_names, feature_of, from_dict, label_form, to_dict
from autotrain_gradio.data.request import VERSION, Request
from autotrain_gradio.data.rows import PLACE, ROW, RawTables, Rows
from autotrain_gradio.data.sources.sample import SAMPLE, root_of_sample, sample_root

IN_RUN = "run:"


def write(
    draft: Path, request: Request, rows: Rows, raw: RawTables, tree: Tree, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Write `data/dataset` and `data/manifest.json`; return the manifest.

    facts: further entries of the manifest (layout, source, columns, split_how, dropped …).
    """
    folder, partial = draft / "data" / "dataset", draft / "data" / "dataset.partial"
    (draft / "data" / "manifest.json").unlink(missing_ok=True)
    for old in (folder, partial):
        if old.exists():
            shutil.rmtree(old)
    parts = {name: indices for name in ("train", "validation") if len(indices := rows.indices(name))}
    table, features = _references(rows, bool(raw.arrow))
    saved = datasets.DatasetDict()
    for name, indices in parts.items():
        wanted = np.zeros(len(rows), dtype=bool)
        wanted[indices] = True
        saved[name] = _dataset(table.filter(pa.array(wanted)), features, name, "rows")
    datasets.disable_progress_bars()  # they would fill the log
    saved.save_to_disk(str(partial))
    os.replace(partial, folder)
    kept = {role: cells for role, cells in rows.cells.items() if cells.stored}
    classes = rows.classes()
    manifest = {
        "v": VERSION,
        "key": request.key(),
        **facts,
        "root": _portable(tree.root, draft, sample_root(tree.root, request)),
        "labels": classes[1].names if classes else [],
        "classes": {p: names for role, c in kept.items() for p, names in class_names(feature_of(c), role).items()},
        "label_forms": {role: form for role, c in kept.items() if (form := label_form(c)) is not None},
        "multi_label": any(label_form(c) == "set" for c in kept.values()),
        "features": {c.about["name"]: c.about["feature"] for c in rows.cells.values() if "feature" in c.about},
        "readings": {c.about["name"]: c.about["reading"] for c in rows.cells.values() if c.about.get("reading")},
        "places": raw.file_names if len(raw.files_read) > 1 else [""] * len(raw.file_names),
        "sheet": next(iter(raw.sheets)) if len(raw.sheets) == 1 else "",
        "units": {c.about["name"]: c.about["unit"] for c in rows.cells.values() if c.about.get("unit")},
        "white_levels": {role: c.about["white_level"] for role, c in kept.items() if "white_level" in c.about},
        "settings": {role: c.settings for role, c in kept.items() if c.settings},
        "media": {role: to_dict(c.feature) for role, c in kept.items() if c.media},
        "arrow": [_portable(path, draft) for path in raw.arrow],
        "splits": {name: len(indices) for name, indices in parts.items()},
        "files": _fingerprints(rows, raw, tree, request),
    }
    write_json(draft / "data" / "manifest.json", manifest)
    return manifest


def _references(rows: Rows, arrow: bool) -> tuple[pa.Table, dict[str, Any]]:
    """Return all rows, used or not, with the columns of the dataset, and the features of these."""
    columns: dict[str, Any] = {}
    features: dict[str, Any] = {}
    for role, cells in rows.cells.items():
        columns |= {f"{role}_{name}": pa.array(cells.facts[name]) for name in cells.stored_facts}
        if cells.stored and not (cells.media and arrow):
            columns[role] = as_arrow(cells)
            features[role] = datasets.Value("string") if cells.media else feature_of(cells)
    if isinstance(rows.locations, Locations) and any("feature" in c.about for c in rows.cells.values()):
        small = rows.locations.numbers.max(initial=0) < 2**31  # it is, where all rows are of one file
        columns[PLACE] = pa.array(rows.locations.numbers, pa.int32() if small else pa.int64())
    if arrow:
        columns[ROW] = pa.array(rows.row, pa.int64())
    values = {name: datasets.Value(str(column.type)) for name, column in columns.items() if name not in features}
    return pa.table(columns), {name: (features | values)[name] for name in columns}


def _dataset(table: pa.Table, features: Any, split: str, fingerprint: str) -> datasets.Dataset:
    # A fingerprint of our own: the library would make one by hashing the whole table.
    features = datasets.Features(features)
    info, table = datasets.DatasetInfo(features=features), InMemoryTable(table.cast(features.arrow_schema))
    return datasets.Dataset(table, info=info, split=datasets.NamedSplit(split), fingerprint=fingerprint)


def _portable(path: Path, draft: Path, sample: str | None = None) -> str:
    """Return a path as the manifest has it: relative to the run where it lies in it."""
    for base in (draft, draft.resolve()):
        if path.is_relative_to(base):
            return IN_RUN + path.relative_to(base).as_posix()
    return sample or str(path)


def root_of(directory: Path, root: str) -> Path:
    """Return the folder that a manifest's `root` means, for a run that may have been moved."""
    if root.startswith(IN_RUN):
        return directory / root.removeprefix(IN_RUN)
    if root.startswith(SAMPLE):
        return root_of_sample(root)
    return Path(root)


def _fingerprints(rows: Rows, raw: RawTables, tree: Tree, request: Request) -> dict[str, list[int]]:
    """Return relative path → [bytes, modification time] of what was read; only sizes where the app owns the files."""
    names = set(raw.files_read)
    for cells in rows.cells.values():
        if cells.media and not raw.arrow:
            names.update(str(cells.values[i]) for i in rows.indices().tolist())
    keep_time = not tree.own and sample_root(tree.root, request) is None
    known = tree.by_path
    return {n: [known[n].size, known[n].mtime_ns if keep_time else 0] for n in sorted(names) if n in known}


def refuse_changed(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Raise a DataError if a file is missing or has changed since the check."""
    root, found = root_of(directory, manifest["root"]), []
    for name, (size, mtime_ns) in (manifest["files"] or {}).items():
        try:
            status = os.stat(f"{root}/{name}")
        except OSError:
            found.append(f"{name} (missing)")
            continue
        if status.st_size != size or (mtime_ns and status.st_mtime_ns != mtime_ns):
            found.append(name)
    if found:
        message = f"{pluralize(len(found), 'file')} changed since the data was checked: {join_examples(found)}."
        hint = "Check the data again, so that the training uses what you reviewed."
        raise DataError(message, hint, str(root), "files-changed")


def load(directory: Path) -> datasets.DatasetDict:
    """Return `train` and perhaps `validation`, columns named by role.

    Every column has the feature that its kind declared. Media are undecoded: cells
    `{"path": absolute path, "bytes": None}`, or `{"path": …, "bytes": …}` for data that carries its media.
    Classes are `ClassLabel`, or `List(ClassLabel)` where a row has a set or a sequence of them.

    Raises:
        DataError: the data was never checked, or its files are gone.
    """
    directory = Path(directory)
    manifest = read_json(directory / "data" / "manifest.json")
    if manifest is None:
        raise DataError("The data was not prepared.", "Check it first.", str(directory), "data-not-prepared")
    if manifest["v"] != VERSION:
        message = "The data was prepared by another version of the app."
        raise DataError(message, "Check it again.", str(directory), "data-not-prepared")
    saved = datasets.load_from_disk(str(directory / "data" / "dataset"))
    return datasets.DatasetDict({name: _with_media(directory, part, manifest, name) for name, part in saved.items()})


def _with_media(directory: Path, part: datasets.Dataset, manifest: Mapping[str, Any], name: str) -> datasets.Dataset:
    """Return a split as the training reads it: with paths of media files, or with the bytes from Arrow files."""
    columns = {role: part.data.table.column(role) for role in part.column_names}
    media = {role: from_dict(feature) for role, feature in manifest["media"].items()}
    features, rows = dict(part.features), None
    if media and manifest["arrow"]:
        rows = columns.pop(ROW).to_numpy()
        files = [root_of(directory, path) for path in manifest["arrow"]]
        found = {role: media_column(files, manifest["columns"][role][0]) for role in media}
        # Values of the rows that are used are at the indices of their media; the others are never read.
        place = np.full(len(next(iter(found.values()))), -1)
        place[rows] = np.arange(len(rows))
        columns = found | {r: c.take(pa.array(place, mask=place < 0)) for r, c in columns.items()}
    elif media:
        root = root_of(directory, manifest["root"])
        for role in media:
            paths = pa.array([f"{root}/{path}" for path in columns[role].to_pylist()], pa.string())
            columns[role] = pa.StructArray.from_arrays([pa.nulls(len(paths), pa.binary()), paths], ["bytes", "path"])
    features = {role: media.get(role, features.get(role)) for role in columns}
    dataset = _dataset(pa.table(columns), features, name, f"{manifest['key']}-{name}")
    return dataset if rows is None else dataset.select(rows)
