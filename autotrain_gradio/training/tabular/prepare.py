"""Preparation of a table's columns, by their kinds: scikit-learn's transformers, and skrub's for dates and texts.

skrub's `TableVectorizer` does the same column by column; as the kinds are known here, numbers and categories are
prepared in blocks, which takes a seventh of the time for one row and a twentieth of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

Style = Literal["scaled", "filled", "trees"]
"""`scaled`: nothing missing, categories as zeros and ones, numbers scaled: for distances and linear models.
`filled`: nothing missing, categories as numbers. `trees`: the same, and missing numbers stay missing."""

ONE_HOT = 40
"""Categories that get a column of their own; a column with more of them is encoded by its letters."""
CATEGORIES, LETTERS = "categories", "text"
"""What the parts of a preparation are called that know categories, and pieces of words (with a number)."""
TEXT_PARTS = 30
LETTER_PARTS = 10
SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler, "maxabs": MaxAbsScaler, "robust": RobustScaler}


def preparation(frame: pd.DataFrame, kinds: Mapping[str, str], params: Any, style: Style) -> ColumnTransformer:
    """Return the transformer of a frame, not fitted.

    frame: training rows; only how many categories and which columns are empty is taken from it.
    params: has `numerical_imputer`, `categorical_imputer`, `numeric_scaler` and `seed`.
    """
    of: dict[str, list[str]] = {"number": [], "category": [], "date": [], "text": []}
    for name in frame.columns:
        of[kinds[name]].append(name)
    many = [c for c in of["category"] if style == "scaled" and frame[c].nunique() > ONE_HOT]
    few = [c for c in of["category"] if c not in many]
    texts = [c for c in of["text"] if _has_words(frame[c])]
    parts: list[tuple[str, Any, list[str]]] = []
    if of["number"]:
        parts.append(("numbers", Pipeline(_numbers(params, style)), of["number"]))
    if few:
        parts.append((CATEGORIES, Pipeline(_categories(params, style)), few))
    # Each column of letters and texts has a transformer: what one holds decides how many parts it can have.
    for number, name in enumerate([*many, *texts]):
        encoder = _letters(LETTER_PARTS if name in many else TEXT_PARTS, params.seed)
        parts.append((f"{LETTERS} {number}", Pipeline([("letters", encoder), *_after(params, style)]), [name]))
    if of["date"]:
        parts.append(("dates", Pipeline([("moments", _moments()), *_after(params, style)]), of["date"]))
    return ColumnTransformer(parts, remainder="drop", sparse_threshold=0.0, verbose_feature_names_out=False)


def prepared(transformer: ColumnTransformer, frame: pd.DataFrame, *, fit: bool = False) -> np.ndarray:
    """Return the prepared rows, (rows, columns) float32."""
    found = transformer.fit_transform(frame) if fit else transformer.transform(frame)
    return np.ascontiguousarray(np.asarray(found), dtype=np.float32)


def _numbers(params: Any, style: Style) -> list[tuple[str, Any]]:
    chosen = params.numerical_imputer
    steps: list[tuple[str, Any]] = []
    if chosen != "auto" or style != "trees":
        strategy = "median" if chosen == "auto" else chosen
        # An indicator keeps what imputing hides: that a value was missing often tells something.
        steps.append(("fill", SimpleImputer(strategy=strategy, add_indicator=True, keep_empty_features=True)))
    return [*steps, *_scaler(params, style)] or [("as they are", FunctionTransformer())]


def _scaler(params: Any, style: Style) -> list[tuple[str, Any]]:
    chosen = params.numeric_scaler
    if chosen == "auto":
        chosen = "standard" if style == "scaled" else "none"
    return [] if chosen == "none" else [("scale", SCALERS[chosen]())]


# skrub is loaded where it is needed: it takes a second, half of what a table of numbers needs to its first model.


def _letters(size: int, seed: int) -> Any:
    """Return what turns a column of texts into so many numbers, by the pieces of their words."""
    from skrub import ApplyToCols, StringEncoder

    return ApplyToCols(StringEncoder(n_components=size, random_state=seed))


def _moments() -> Any:
    """Return what turns columns of dates into years, months, days, weekdays, hours and seconds."""
    from skrub import ApplyToCols, DatetimeEncoder

    return ApplyToCols(DatetimeEncoder(add_weekday=True, add_total_seconds=True))


def _after(params: Any, style: Style) -> list[tuple[str, Any]]:
    """Return what follows the encoding of dates and texts, which may be missing."""
    if style == "trees":
        return []
    fill = ("fill", SimpleImputer(strategy="median", keep_empty_features=True))
    return [fill, ("scale", StandardScaler())] if style == "scaled" else [fill]


def _categories(params: Any, style: Style) -> list[tuple[str, Any]]:
    steps: list[tuple[str, Any]] = []
    if params.categorical_imputer == "most_frequent":
        steps.append(("fill", SimpleImputer(missing_values="", strategy="most_frequent", keep_empty_features=True)))
    if style == "scaled":
        # Without an imputer a missing cell is a category of its own. One never seen is as the rare ones, or all zeros.
        encoder: Any = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=ONE_HOT + 1, sparse_output=False, dtype=np.float32
        )
    else:
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float32)
    return [*steps, ("encode", encoder)]


def _has_words(cells: Sequence[str]) -> bool:
    """Whether a column of texts has two different ones, so that there is something to tell them by."""
    return len({str(c) for c in cells if str(c).strip()}) > 1
