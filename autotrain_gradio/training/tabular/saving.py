"""Save and load fitted models with skops, without pickle: a file can only create objects of the types listed here."""

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
from autotrain_gradio.training.tabular.model import FittedEstimators

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
"""Types that models consist of, besides those of scikit-learn, NumPy and SciPy that skops trusts. Each was reviewed:
creating it and setting its state runs no code from the file. Trees are arrays of indices that are used without bounds
checks, so `_check_trees` checks them first."""


@dataclass
class SavedModel:
    """A saved model: the fitted transformer of the columns, and the fitted estimators."""

    transformer: ColumnTransformer
    fitted: FittedEstimators


def _skops_io() -> ModuleType:
    """Import skops on first use, without torch.

    skops imports every module of scikit-learn to list its estimators. One of them imports
    torch if it is installed, which takes longer than fitting the first model; without torch it is skipped.
    """
    with blocked_import("torch"):
        return importlib.import_module("skops.io")


def save(model: SavedModel, folder: Path) -> None:
    """Write the model, and load it to verify the file.

    Raises:
        UserError: it contains an untrusted type, and so could not be loaded.
    """
    io = _skops_io()
    parts = [dict(p) for p in model.fitted.parts]
    plain = {
        "scikit-learn": sklearn.__version__,
        "task": model.fitted.problem_type,
        "sizes": list(model.fitted.sizes),
        "transformer": model.transformer,
        "parts": parts,
    }
    io.dump(plain, folder / FILE)
    load(folder)


def load(folder: Path) -> SavedModel:
    """Load a model.

    Raises:
        UserError: it is damaged, or contains an untrusted type.
    """
    io = _skops_io()
    path = folder / FILE
    try:
        unknown = sorted(set(io.get_untrusted_types(file=path)) - TRUSTED)
    except Exception as error:  # an untrusted file may raise anything
        raise _damaged(path, error) from None
    if unknown:
        raise UserError(
            f"The model contains untrusted types: {', '.join(unknown[:5])}. It was not loaded.",
            "The file was changed, or written by another program. Use only models that you trust.",
            str(path),
            "untrusted-model",
        )
    try:
        found: dict[str, Any] = io.load(path, trusted=sorted(TRUSTED))
        for part in found["parts"]:
            _check_trees(part["estimator"])
        return SavedModel(found["transformer"], FittedEstimators(found["task"], found["sizes"], found["parts"]))
    except Exception as error:  # see above
        raise _damaged(path, error) from None


def _check_trees(estimator: Any) -> None:
    """Check that all node and feature indices of the trees are in range.

    Raises:
        ValueError: one is not.
    """
    features = int(getattr(estimator, "n_features_in_", 0))
    for one in _flatten(getattr(estimator, "estimators_", ())):
        _check_trees(one)
    if hasattr(estimator, "tree_"):
        tree = estimator.tree_
        count = int(tree.node_count)
        inner = tree.children_left >= 0
        ahead = np.arange(count)[inner]
        for children in (tree.children_left, tree.children_right):
            # A child comes after its parent, so there is no cycle.
            if (children[inner] >= count).any() or (children[inner] <= ahead).any():
                raise ValueError("a child index of a tree is out of range")
        if (tree.feature[inner] >= features).any() or (tree.feature[inner] < 0).any():
            raise ValueError("a feature index of a tree is out of range")
    for one in _flatten(getattr(estimator, "_predictors", ())):
        nodes = one.nodes
        inner = nodes["is_leaf"] == 0
        ahead = np.arange(len(nodes))[inner]
        for name in ("left", "right"):
            children = nodes[name][inner].astype(np.int64)
            if (children >= len(nodes)).any() or (children <= ahead).any():
                raise ValueError("a child index of a tree is out of range")
        if (nodes["feature_idx"][inner] >= features).any() or (nodes["is_categorical"] != 0).any():
            raise ValueError("a feature index of a tree is out of range")


def _flatten(found: Any) -> Iterator[Any]:
    """Yield the estimators of nested lists and arrays."""
    for one in found:
        if isinstance(one, list | tuple | np.ndarray):
            yield from _flatten(one)
        else:
            yield one


def _damaged(path: Path, error: Exception) -> UserError:
    reason = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
    return UserError("The model file is damaged.", f"Train it again. ({reason})", str(path), "damaged-model")
