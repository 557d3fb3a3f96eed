"""Runs on tables, trained in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autotrain_gradio.training.tabular import families, search
from tests.trials import Trial

CLASSIFY, REGRESS = "tabular-classification", "tabular-regression"
Make = Callable[..., Trial]


@pytest.fixture
def prepared(tmp_path: Path) -> Make:
    """Return a function that prepares a run on a table: frame, task, target columns, and parameters."""

    def make(table: pd.DataFrame, task: str = CLASSIFY, target: Any = "target", **params: Any) -> Trial:
        name = params.pop("name", "run")
        path = tmp_path / f"{name}.csv"
        table.to_csv(path, index=False)
        data = {"source": "path", "path": str(path), "columns": {"target": target}, **params.pop("data", {})}
        model = params.pop("model", "")
        settings = {"num_trials": 2, "time_limit": 120, **params}
        return Trial(tmp_path / name, {"task": task, "model": model, "data": data, "params": settings})

    return make


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ensembles have 30 trees where their default is 100 or 200, for tests that compare no families."""

    def smaller(family: families.Family) -> families.Family:
        few = {"low": 10, "high": 60, "default": 30}
        return replace(
            family,
            space=tuple(replace(n, **few) if n.name in {"n_estimators", "max_iter"} else n for n in family.space),
        )

    found = tuple(smaller(family) for family in families.FAMILIES)
    monkeypatch.setattr(families, "FAMILIES", found)
    for module in (families, search):
        monkeypatch.setattr(module, "BY_NAME", {family.name: family for family in found})


@pytest.fixture
def mixed() -> pd.DataFrame:
    """A table with all kinds of columns and missing cells; `target` follows from `size`, `colour` and `when`."""
    draw = np.random.default_rng(3)
    rows = 240
    size, colour = draw.normal(size=rows), draw.choice(["red", "green", "blue"], rows)
    days = draw.integers(0, 700, rows)
    table = pd.DataFrame(
        {
            "size": size,
            "colour": colour,
            "when": (pd.Timestamp("2022-01-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d"),
            "note": [f"a note on matter number {i % 111} and so on" for i in range(rows)],
            "town": [f"town {i % 60}" for i in draw.permutation(rows)],
            "target": np.where((size > 0) & (colour != "red") | (days > 600), "yes", "no"),
        }
    )
    for column in ("size", "colour", "when"):
        table.loc[draw.choice(rows, 12, replace=False), column] = None
    return table
