"""Tabular: cost of a trial compared with the plain estimator, and time to the first row of the leaderboard."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service, wait
from autotrain_gradio.tasks.tabular_classification import TASK
from autotrain_gradio.training.tabular import model, scoring
from autotrain_gradio.training.tabular.families import BY_NAME
from autotrain_gradio.training.tabular.model import Target
from autotrain_gradio.training.tabular.search import Problem
from benchmarks.rows import Row

ROWS, NUMBERS, WORDS = 20_000, 22, 8
TRIAL_ROWS = 2_000


def table(rows: int) -> pd.DataFrame:
    """Return numbers and categories, some missing, and a class that follows from some of them."""
    draw = np.random.default_rng(0)
    found = pd.DataFrame({f"n{i}": draw.normal(size=rows) for i in range(NUMBERS)})
    for i in range(WORDS):
        found[f"c{i}"] = draw.choice(list("abcdefgh"), rows)
    score = found["n0"] + found["n1"] * (found["c0"] < "d") + draw.normal(size=rows) / 2
    found.loc[draw.choice(rows, rows // 20, replace=False), "n2"] = np.nan
    return found.assign(target=np.where(score > 0, "up", "down"))


def trials() -> list[Row]:
    """Time a trial of the search, and the plain estimator with preprocessing in scikit-learn's cross-validation.

    Both with one thread, in CPU seconds, which do not depend on other load.
    """
    frame = table(TRIAL_ROWS)
    rows, codes = frame.drop(columns="target"), (frame["target"] == "up").astype(int).to_numpy()
    words = [c for c in rows.columns if c.startswith("c")]
    kinds = {c: "category" if c in words else "number" for c in rows.columns}
    targets = [Target("target", codes, ["down", "up"])]
    params = SimpleNamespace(
        numerical_imputer="auto", categorical_imputer="auto", numeric_scaler="auto", seed=42, folds=5
    )
    jobs = 1
    plain = {
        "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(early_stopping=False, random_state=42),
        "random_forest": lambda: RandomForestClassifier(n_estimators=200, n_jobs=jobs, random_state=42),
    }
    found = []
    for name, make in plain.items():
        with threadpool_limits(jobs):
            best_ours = best_plain = float("inf")
            for _ in range(2):
                begin = time.process_time()
                encoder = ColumnTransformer([("words", OrdinalEncoder(), words)], remainder="passthrough")
                cut = StratifiedKFold(5, shuffle=True, random_state=42)
                cross_val_score(make_pipeline(encoder, make()), rows, codes, cv=cut)
                best_plain = min(best_plain, time.process_time() - begin)
                begin = time.process_time()
                family = BY_NAME[name]
                problem = Problem(rows, kinds, targets, scoring.score("accuracy", TASK.metrics), params, jobs)
                for fold in range(5):
                    train_rows, validation_rows = problem.fold(family.style, fold)
                    train, validation = problem.targets_of(fold)
                    settings = family.defaults()
                    fitted = model.fit(family, settings, train_rows, train, balanced=False, seed=42, jobs=jobs)
                    problem.score(fitted.predict(validation_rows), validation)
                best_ours = min(best_ours, time.process_time() - begin)
        text = f"one trial of {name.replace('_', ' ')}, {TRIAL_ROWS:,} rows × 30 columns, its folds prepared"
        theirs = f"{best_plain:.2f} s CPU, scikit-learn's cross-validation"
        found.append(Row(text, f"{best_ours:.2f} s CPU", theirs, best_ours / best_plain, 1.5))
    return found


def first_line() -> Row:
    """Time from Start to the first row of the leaderboard, in a new worker."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        table(ROWS).to_csv(path, index=False)
        service = Service(Settings(home=Path(folder) / "home"))
        try:
            spec = {"task": "tabular-classification", "data": {"path": str(path)}, "params": {"num_trials": 1}}
            draft = service.draft("tabular-classification")
            service.check(draft, spec)
            begin, first = time.perf_counter(), float("inf")
            run = service.start(draft, spec)
            for snapshot in wait(service, run, every=0.1):
                if snapshot["samples"] and first == float("inf"):
                    first = time.perf_counter() - begin
            assert snapshot["state"] == "completed", snapshot["error"]
        finally:
            service.close()
    text = f"first line of the leaderboard after Start, {ROWS:,} rows × 30 columns"
    return Row(text, f"{first:.1f} s", "10 s", first / 10, 1.0)


def measure() -> list[Row]:
    """Return the lines of the table."""
    return [*trials(), first_line()]
