"""A fitted model on disk, by skops and without pickle: a file can only make objects of the types listed here."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import sklearn
from sklearn.compose import ColumnTransformer

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training.import_blocking import blocked_import
from autotrain_gradio.training.tabular.model import Fitted

FILE = "model.skops"
TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "skrub._apply_to_cols.ApplyToCols",
        "skrub._apply_to_each_col.ApplyToEachCol",
        "skrub._datetime_encoder.DatetimeEncoder",
        "skrub._string_encoder.StringEncoder",
        "skrub._to_str.ToStr",
        "skrub.selectors._base.All",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)
"""Types that our models are made of, beside those that skops knows of scikit-learn, NumPy and SciPy. Each was looked
at: its construction and its state run no code of the file's choosing. Trees are arrays of numbers that point at other
numbers, followed without a look at the bounds: `_check_trees` looks before they are used."""


@dataclass
class Saved:
    """A model as it is kept: how rows are prepared, and what answers."""

    transformer: ColumnTransformer
    fitted: Fitted


def _skops_io() -> ModuleType:
    """Import skops when it is needed, and torch not at all.

    skops imports every module of scikit-learn to list its estimators. One of them is there for arrays of torch, and
    loads torch where it is installed, which takes longer than the first model; without torch it is passed over.
    """
    with blocked_import("torch"):
        return importlib.import_module("skops.io")


def save(model: Saved, folder: Path) -> None:
    """Write the model, and read it back as anybody would.

    Raises:
        UserError: it holds a type that is not trusted; then it could not be read again.
    """
    io = _skops_io()
    parts = [dict(p) for p in model.fitted.parts]
    plain = {
        "scikit-learn": sklearn.__version__,
        "task": model.fitted.task,
        "sizes": list(model.fitted.sizes),
        "transformer": model.transformer,
        "parts": parts,
    }
    io.dump(plain, folder / FILE)
    load(folder)


def load(folder: Path) -> Saved:
    """Read a model.

    Raises:
        UserError: it is damaged, or holds a type that does not belong into it.
    """
    io = _skops_io()
    path = folder / FILE
    try:
        unknown = sorted(set(io.get_untrusted_types(file=path)) - TRUSTED)
    except Exception as error:  # the boundary: a file of strangers may be anything
        raise _damaged(path, error) from None
    if unknown:
        raise UserError(
            f"The model holds what does not belong into one: {', '.join(unknown[:5])}. It was not loaded.",
            "Somebody has changed the file, or another program made it. Use only models that you trust.",
            str(path),
            "untrusted-model",
        )
    try:
        found: dict[str, Any] = io.load(path, trusted=sorted(TRUSTED))
        for part in found["parts"]:
            _check_trees(part["estimator"])
        return Saved(found["transformer"], Fitted(found["task"], found["sizes"], found["parts"]))
    except Exception as error:  # the boundary: see above
        raise _damaged(path, error) from None


def _check_trees(estimator: Any) -> None:
    """Refuse trees whose nodes point beyond their arrays.

    Raises:
        ValueError: one does.
    """
    features = int(getattr(estimator, "n_features_in_", 0))
    for one in _flat(getattr(estimator, "estimators_", ())):
        _check_trees(one)
    if hasattr(estimator, "tree_"):
        tree = estimator.tree_
        count = int(tree.node_count)
        inner = tree.children_left >= 0
        ahead = np.arange(count)[inner]
        for children in (tree.children_left, tree.children_right):
            # A child comes after its parent: so there is no circle either.
            if (children[inner] >= count).any() or (children[inner] <= ahead).any():
                raise ValueError("a tree points at nodes that it has not")
        if (tree.feature[inner] >= features).any() or (tree.feature[inner] < 0).any():
            raise ValueError("a tree asks for columns that there are not")
    for one in _flat(getattr(estimator, "_predictors", ())):
        nodes = one.nodes
        inner = nodes["is_leaf"] == 0
        ahead = np.arange(len(nodes))[inner]
        for name in ("left", "right"):
            children = nodes[name][inner].astype(np.int64)
            if (children >= len(nodes)).any() or (children <= ahead).any():
                raise ValueError("a tree points at nodes that it has not")
        if (nodes["feature_idx"][inner] >= features).any() or (nodes["is_categorical"] != 0).any():
            raise ValueError("a tree asks for columns that there are not")


def _flat(found: Any) -> Iterator[Any]:
    """Yield what lists and arrays of estimators hold."""
    for one in found:
        if isinstance(one, list | tuple | np.ndarray):
            yield from _flat(one)
        else:
            yield one


def _damaged(path: Path, error: Exception) -> UserError:
    said = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
    return UserError("The model cannot be read.", f"Train it again. ({said})", str(path), "damaged-model")
