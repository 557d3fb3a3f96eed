"""Data that is given as objects of Python: DataFrames, datasets, lists and arrays.

Nothing heavy is imported before such an object is given: whoever gives one has its library loaded.
"""

from __future__ import annotations

import importlib
import io
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import KINDS, ROWS_OF, Input, is_alternative, only_required, parse_value
from autotrain_gradio.core.inputs.media_bytes import audio_bytes, image_bytes, is_array, is_audio, is_image
from autotrain_gradio.core.inputs.plain_values import wrong_type

ACCEPTED = (
    "a DataFrame of pandas, a Dataset or DatasetDict of the library datasets, a list of dicts (rows), a dict of lists "
    "(columns), or a dict of these with the names of splits"
)
SPLITS = ("train", "training", "validation", "valid", "val", "dev", "test")
MEDIA_FEATURES = ("Image", "Audio", "Video")
MEDIA_FOLDER = "media"


# -- data to train on


def write_data(data: Any, folder: Path, suffixes: Sequence[str] = ()) -> list[Path]:
    """Write data into Parquet files of a folder, one for each split; return their paths.

    Types are kept. Images, arrays of pixels and audio become columns of media. Where the cells of a column are paths of
    media files, these are packed together with the tables into one zip.

    suffixes: extensions of the task's media files.

    Raises:
        UserError: it is of another type, has no rows, or two columns with the same name.
    """
    splits = _splits(data)
    paths: list[Path] = []
    media: dict[str, str] = {}
    for name, part in splits.items():
        path = folder / f"{name or 'data'}.parquet"
        if _is_dataset(part):
            _write_dataset(part, path)
        else:
            frame = _frame(part, f"data['{name}']" if name else "data")
            _write_frame(frame, path, suffixes, media)
        paths.append(path)
    if not media:
        return paths
    target = folder / "data.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            archive.write(path, path.name)
        for file, name in media.items():
            archive.write(file, name)
    return [target]


def _splits(data: Any) -> dict[str, Any]:
    """Return split → its table; "" for data without splits."""
    if isinstance(data, Mapping) and data:
        named = all(str(name) in SPLITS for name in data) or type(data).__name__ == "DatasetDict"
        if named and all(_is_table(part) for part in data.values()):
            return {str(name): part for name, part in data.items()}
    if not _is_table(data):
        raise wrong_type(data, ACCEPTED, "data")
    return {"": data}


def _is_table(value: Any) -> bool:
    if _is_dataset(value) or is_frame(value):
        return True
    if isinstance(value, Mapping):
        return bool(value) and all(isinstance(v, list | tuple) or is_array(v) or _is_series(v) for v in value.values())
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_dataset(value: Any) -> bool:
    return type(value).__module__.startswith("datasets.") and type(value).__name__ == "Dataset"


def is_frame(value: Any) -> bool:
    """Return whether a value is a DataFrame of pandas."""
    return _is_pandas(value) and hasattr(value, "iloc") and hasattr(value, "columns")


def _is_series(value: Any) -> bool:
    return _is_pandas(value) and hasattr(value, "iloc") and not hasattr(value, "columns")


def _is_pandas(value: Any) -> bool:
    return any(base.__module__.startswith("pandas.") for base in type(value).__mro__)


def _write_dataset(dataset: Any, path: Path) -> None:
    if not len(dataset):
        raise UserError("The dataset has no rows.", "Give at least one row.", "data", "empty-table")
    library = importlib.import_module("datasets")
    shown = not library.are_progress_bars_disabled()
    library.disable_progress_bars()
    try:
        if any(type(feature).__name__ in MEDIA_FEATURES for feature in dataset.features.values()):
            embed = importlib.import_module("datasets.table").embed_table_storage
            stored = dataset.with_format("arrow").map(embed, batched=True, batch_size=100, load_from_cache_file=False)
            dataset = stored.with_format(None)
        dataset.to_parquet(path)
    finally:
        if shown:
            library.enable_progress_bars()


def _frame(value: Any, where: str) -> Any:
    """Return a table as a DataFrame whose columns have texts as names, with a named index as columns."""
    import pandas as pd

    if is_frame(value):
        named = any(name is not None for name in value.index.names)
        numbered = pd.api.types.is_integer_dtype(value.index.dtype) if value.index.nlevels == 1 else False
        frame = value.reset_index(drop=numbered and not named)
    else:
        if isinstance(value, Mapping):
            columns = {name: list(cells) for name, cells in value.items()}
        else:
            names = dict.fromkeys(name for row in value for name in row)
            columns = {name: [row.get(name) for row in value] for name in names}
        lengths = {str(name): len(cells) for name, cells in columns.items()}
        if len(set(lengths.values())) > 1:
            message = f"The columns differ in length: {', '.join(f'{n}: {k:,}' for n, k in lengths.items())}."
            raise UserError(message, "Give all columns the same number of cells.", where, "wrong-type")
        # As objects: integers with a missing one stay integers.
        frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    frame.columns = [" ".join(map(str, n)).strip() if isinstance(n, tuple) else str(n) for n in frame.columns]
    twice = frame.columns[frame.columns.duplicated()].tolist()
    if twice:
        raise UserError(f"Two columns have the name '{twice[0]}'.", "Rename one of them.", where, "column-twice")
    if not len(frame):
        raise UserError("The table has no rows.", "Give at least one row.", where, "empty-table")
    return frame


def _write_frame(frame: Any, path: Path, suffixes: Sequence[str], media: dict[str, str]) -> None:
    """Write a table. media: path of a file → its name beside the table; files that cells name are added."""
    for name in frame.columns:
        cells = frame[name]
        if str(cells.dtype).startswith(("period", "interval")):
            frame[name] = cells.astype(str).where(cells.notna(), None)
        elif cells.dtype == object or str(cells.dtype).startswith("str"):
            frame[name] = _objects(list(cells), name, suffixes, media)
            try:
                frame[[name]].to_parquet(io.BytesIO(), index=False)
            except (TypeError, ValueError, OverflowError):  # of several types, as in files of JSON: text
                frame[name] = [None if _missing(v) else str(v) for v in cells]
    frame.to_parquet(path, index=False)


def _objects(cells: list[Any], name: str, suffixes: Sequence[str], media: dict[str, str]) -> Any:
    """Return the cells of a column as they are stored."""
    import pandas as pd

    filled = [v for v in cells if not _missing(v)]
    found: list[Any] = [None if _missing(v) else v for v in cells]
    if filled and all(is_image(v) or is_audio(v) for v in filled):
        found = [None if v is None else _media_cell(v, name, n) for n, v in enumerate(found)]
    elif filled and suffixes and all(isinstance(v, str | os.PathLike) for v in filled):
        if all(str(v).lower().endswith(tuple(suffixes)) and Path(v).expanduser().is_file() for v in filled):
            found = [v and _packed(Path(v).expanduser(), media) for v in found]
        else:
            found = [None if v is None else str(v) for v in found]
    elif any(isinstance(v, os.PathLike) for v in filled):
        found = [str(v) if isinstance(v, os.PathLike) else v for v in found]
    return pd.Series(found, dtype=object)


def _media_cell(value: Any, name: str, number: int) -> dict[str, Any]:
    data, suffix = image_bytes(value, name) if is_image(value) else audio_bytes(value, name)
    return {"bytes": data, "path": f"{number}{suffix}"}


def _packed(path: Path, media: dict[str, str]) -> str:
    file = str(path.resolve())
    return media.setdefault(file, f"{MEDIA_FOLDER}/{len(media)}-{path.name}")


def _missing(value: Any) -> bool:
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


# -- inputs of a model


def parse_inputs(inputs: Sequence[Input], values: Sequence[Any], folder: Path) -> list[dict[str, Any]]:
    """Return the inputs of a task for the arguments of `predict`; rows of tables and items of lists are one each.

    folder: for files of what is in memory; needed until the predictions are made.

    Raises:
        UserError: a value is of another type than the task takes.
    """
    return [_parse(inputs, one, folder) for value in values for one in _single(inputs, value, folder)]


def _single(inputs: Sequence[Input], value: Any, folder: Path) -> Iterator[Any]:
    """Yield one argument for each input that a value contains: rows of tables, items of lists and arrays."""
    joint = [i for i in inputs if not is_alternative(i)]
    modules = [KINDS.get(i.kind).load() for i in joint]
    by_row = len(joint) < len(inputs)  # a model of tables
    given = [i for i in joint if not i.setting]
    texts = bool(given) and all(getattr(KINDS.get(i.kind).load(), "ROWS_FROM_FILE", False) for i in given)
    names = {i.name for i in given}
    rows = isinstance(value, list | tuple) and bool(value) and all(isinstance(v, Mapping) for v in value)
    if texts and (is_frame(value) or _is_dataset(value) or _rows_of_columns(value, names)):
        # The column of the training, which may have another name than the input, is found as in a file.
        table = [value] if isinstance(value, Mapping) else value
        subfolder = folder / f"rows-{len(list(folder.iterdir()))}"
        subfolder.mkdir()
        yield {ROWS_OF: str(write_data(table, subfolder)[0])}
    elif is_frame(value):
        yield from value.rename(columns=str).to_dict("records")
    elif _is_dataset(value) or rows:
        yield from value
    elif _is_series(value):
        if by_row and all(isinstance(name, str) for name in value.index):
            yield value.to_dict()
        else:
            yield from (item for v in value for item in _single(inputs, v, folder))
    elif isinstance(value, list | tuple):
        yield from (item for v in value for item in _single(inputs, v, folder))
    elif is_array(value) and value.dtype.names and by_row:
        yield from ({name: row[name] for name in value.dtype.names} for row in value)
    elif is_array(value) and not by_row and not (is_image(value) and any(hasattr(m, "from_python") for m in modules)):
        yield from (item for v in value for item in _single(inputs, v, folder))
    elif is_array(value) and by_row:
        raise wrong_type(value, "a DataFrame, a Series or a dict of column: value; an array has no column names", "row")
    else:
        yield value


def _rows_of_columns(value: Any, names: set[str]) -> bool:
    """Return whether a value is a row, or a list of rows, whose columns are not the inputs of the model."""
    rows = [value] if isinstance(value, Mapping) else value
    return (
        isinstance(rows, list | tuple)
        and bool(rows)
        and all(isinstance(row, Mapping) and not names.issubset(row) for row in rows)
    )


def _parse(inputs: Sequence[Input], value: Any, folder: Path) -> dict[str, Any]:
    if isinstance(value, Mapping) and ROWS_OF in value:
        return dict(value)
    joint = [i for i in inputs if not is_alternative(i)]
    converters = {i.name: getattr(KINDS.get(i.kind).load(), "from_python", None) for i in joint}
    if isinstance(value, Mapping) and not is_audio(value):
        named = {name: _converted(converters.get(name), item, folder) for name, item in value.items()}
        return parse_value(inputs, named)
    declared = joint[0] if len(joint) == 1 else only_required(joint)
    return parse_value(inputs, value if declared is None else _converted(converters[declared.name], value, folder))


def _converted(convert: Any, value: Any, folder: Path) -> Any:
    return value if convert is None else convert(value, folder)
