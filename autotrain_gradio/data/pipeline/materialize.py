"""Write the checked rows, and load them for the training.

`data/dataset` holds a `DatasetDict` of references: relative paths, or row numbers of Arrow files that
are mapped into memory. Media are not copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
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
from autotrain_gradio.data.pipeline.features import as_arrow, class_names, feature_of, from_dict, label_form, to_dict
from autotrain_gradio.data.request import VERSION, Request
from autotrain_gradio.data.rows import PLACE, ROW, Locations, RawTables, Rows
from autotrain_gradio.data.sources.sample import SAMPLE, root_of_sample, sample_root

IN_RUN = "run:"


def write(
    draft: Path,
    request: Request,
    rows: Rows,
    raw: RawTables,
    tree: Tree,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Write `data/dataset` and `data/manifest.json`; return the manifest.

    facts: further entries of the manifest (layout, source, columns, split_how, dropped …).
    """
    folder, partial = draft / "data" / "dataset", draft / "data" / "dataset.partial"
    manifest_path = draft / "data" / "manifest.json"
    manifest_path.unlink(missing_ok=True)
    for old in (folder, partial):
        if old.exists():
            shutil.rmtree(old)
    parts = {name: rows.indices(name) for name in ("train", "validation")}
    _save(_references(rows, bool(raw.arrow)), {n: i for n, i in parts.items() if len(i)}, partial)
    os.replace(partial, folder)
    kept = {role: cells for role, cells in rows.cells.items() if cells.stored}
    classes = rows.classes()
    manifest = {
        "v": VERSION,
        "key": request.key(),
        **facts,
        "root": _root(tree, draft, request),
        "labels": classes[1].names if classes else [],
        "classes": {p: names for role, c in kept.items() for p, names in class_names(feature_of(c), role).items()},
        "label_forms": {role: form for role, c in kept.items() if (form := label_form(c)) is not None},
        "multi_label": any(label_form(c) == "set" for c in kept.values()),
        "features": {c.about["name"]: c.about["feature"] for c in rows.cells.values() if "feature" in c.about},
        "readings": {c.about["name"]: c.about["reading"] for c in rows.cells.values() if c.about.get("reading")},
        "places": raw.file_names if len(raw.files_read) > 1 else [""] * len(raw.file_names),
        "units": {c.about["name"]: c.about["unit"] for c in rows.cells.values() if c.about.get("unit")},
        "media": {role: to_dict(c.feature) for role, c in kept.items() if c.media},
        "arrow": [_inside(p, draft) for p in raw.arrow],
        "splits": {name: len(indices) for name, indices in parts.items() if len(indices)},
        "files": _fingerprints(rows, raw, tree, request),
    }
    write_json(manifest_path, manifest)
    return manifest


def _save(whole: datasets.Dataset, parts: Mapping[str, Any], folder: Path) -> None:
    """Write the rows of each split as a `DatasetDict` with `save_to_disk`."""
    datasets.disable_progress_bars()  # they would fill the log
    saved = {}
    for name, rows in parts.items():
        wanted = np.zeros(len(whole), dtype=bool)
        wanted[rows] = True
        saved[name] = _in_memory(whole.data.table.filter(pa.array(wanted)), whole.features)
    datasets.DatasetDict(saved).save_to_disk(str(folder))


def _references(rows: Rows, arrow: bool) -> datasets.Dataset:
    """Return all rows, used or not, with the columns of the dataset."""
    columns: dict[str, Any] = {}
    features: dict[str, Any] = {}
    for role, cells in rows.cells.items():
        for name in cells.stored_facts:
            columns[f"{role}_{name}"] = pa.array(cells.facts[name])
            features[f"{role}_{name}"] = datasets.Value(str(columns[f"{role}_{name}"].type))
        if cells.stored and not (cells.media and arrow):
            columns[role] = as_arrow(cells)
            features[role] = datasets.Value("string") if cells.media else feature_of(cells)
    if isinstance(rows.locations, Locations) and any("feature" in c.about for c in rows.cells.values()):
        small = rows.locations.numbers.max(initial=0) < 2**31  # it is, where all rows are of one file
        columns[PLACE] = pa.array(rows.locations.numbers, pa.int32() if small else pa.int64())
        features[PLACE] = datasets.Value("int32" if small else "int64")
    if arrow:
        assert rows.row is not None  # a layout with Arrow files numbers their rows
        columns[ROW] = pa.array(rows.row, pa.int64())
        features[ROW] = datasets.Value("int64")
    return _in_memory(pa.table(columns), datasets.Features(features))


def _in_memory(table: pa.Table, features: datasets.Features) -> datasets.Dataset:
    return datasets.Dataset(InMemoryTable(table), info=datasets.DatasetInfo(features=features), fingerprint="rows")


def _root(tree: Tree, draft: Path, request: Request) -> str:
    if tree.root.is_relative_to(draft.resolve()) or tree.root.is_relative_to(draft):
        base = draft.resolve() if tree.root.is_relative_to(draft.resolve()) else draft
        return IN_RUN + tree.root.relative_to(base).as_posix()
    return sample_root(tree.root, request) or str(tree.root)


def root_of(directory: Path, root: str) -> Path:
    """Return the folder that a manifest's `root` means, for a run that may have been moved."""
    if root.startswith(IN_RUN):
        return directory / root.removeprefix(IN_RUN)
    if root.startswith(SAMPLE):
        return root_of_sample(root)
    return Path(root)


def _inside(path: Path, draft: Path) -> str:
    return IN_RUN + path.relative_to(draft).as_posix() if path.is_relative_to(draft) else str(path)


def _fingerprints(rows: Rows, raw: RawTables, tree: Tree, request: Request) -> dict[str, list[int]]:
    """Return relative path → [bytes, modification time] of what was read; only sizes where the app owns the files."""
    names = set(raw.files_read)
    for cells in rows.cells.values():
        if cells.media and not raw.arrow:
            names.update(str(cells.values[i]) for i in rows.used())
    keep_time = not tree.own and sample_root(tree.root, request) is None
    known = tree.by_path
    return {n: [known[n].size, known[n].mtime_ns if keep_time else 0] for n in sorted(names) if n in known}


def changed(directory: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return the files that are missing or differ from those that were checked."""
    root = str(root_of(directory, manifest["root"]))
    found = []
    for name, (size, mtime_ns) in (manifest["files"] or {}).items():
        try:
            status = os.stat(f"{root}/{name}")
        except OSError:
            found.append(f"{name} (missing)")
            continue
        if status.st_size != size or (mtime_ns and status.st_mtime_ns != mtime_ns):
            found.append(name)
    return found


def refuse_changed(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Raise a DataError if a file has changed since the check."""
    found = changed(directory, manifest)
    if found:
        raise DataError(
            f"{pluralize(len(found), 'file')} changed since the data was checked: {join_examples(found)}.",
            "Check the data again, so that the training uses what you reviewed.",
            str(root_of(directory, manifest["root"])),
            "files-changed",
        )


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
        raise DataError(
            "The data was prepared by another version of the app.",
            "Check it again.",
            str(directory),
            "data-not-prepared",
        )
    saved = datasets.load_from_disk(str(directory / "data" / "dataset"))
    assert isinstance(saved, datasets.DatasetDict)
    if not manifest["media"]:
        return datasets.DatasetDict({n: _dataset(d.data.table, d.features, manifest, n) for n, d in saved.items()})
    if manifest["arrow"]:
        files = [root_of(directory, p) for p in manifest["arrow"]]
        return datasets.DatasetDict({n: _with_rows(d, files, manifest, n) for n, d in saved.items()})
    root = root_of(directory, manifest["root"])
    return datasets.DatasetDict({n: _with_paths(d, root, manifest, n) for n, d in saved.items()})


def _with_paths(part: datasets.Dataset, root: Path, manifest: Mapping[str, Any], name: str) -> datasets.Dataset:
    table = part.data.table.combine_chunks()
    columns = {}
    features = {}
    for role in part.column_names:
        column = table.column(role)
        features[role] = part.features[role]
        if role in manifest["media"]:
            prefix = f"{root}/"
            paths = pa.array([prefix + p for p in column.to_pylist()], pa.string())
            column = pa.StructArray.from_arrays([pa.nulls(len(paths), pa.binary()), paths], ["bytes", "path"])
            features[role] = from_dict(manifest["media"][role])
        columns[role] = column
    return _dataset(pa.table(columns), features, manifest, name)


def _with_rows(
    part: datasets.Dataset, files: Sequence[Path], manifest: Mapping[str, Any], name: str
) -> datasets.Dataset:
    table = part.data.table.combine_chunks()
    rows = table.column(ROW).to_pylist()
    columns = {}
    features = {}
    for role in manifest["media"]:
        columns[role] = media_column(files, manifest["columns"][role][0])
        features[role] = from_dict(manifest["media"][role])
    length = len(next(iter(columns.values())))
    for role in (n for n in part.column_names if n != ROW):
        # Values of the rows that are used are at the indices of their media; the others are never read.
        full: list[Any] = [None] * length
        for row, value in zip(rows, table.column(role).to_pylist(), strict=True):
            full[row] = value
        columns[role] = pa.array(full, table.column(role).type)
        features[role] = part.features[role]
    return _dataset(pa.table(columns), features, manifest, name).select(rows)


def _dataset(table: pa.Table, features: dict[str, Any], manifest: Mapping[str, Any], name: str) -> datasets.Dataset:
    # A fingerprint of our own: the library would make one by hashing the whole table.
    return datasets.Dataset(
        InMemoryTable(table.cast(datasets.Features(features).arrow_schema)),
        info=datasets.DatasetInfo(features=datasets.Features(features)),
        split=datasets.NamedSplit(name),
        fingerprint=f"{manifest['key']}-{name}",
    )
