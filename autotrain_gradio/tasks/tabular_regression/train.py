"""Tabular regression: training and prediction. Workers only."""

from __future__ import annotations

from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.tabular import SELECTION_METRICS
from autotrain_gradio.tasks.tabular_regression import TASK
from autotrain_gradio.training.tabular import engine
from autotrain_gradio.training.tabular.predictor import load

__all__ = ["load", "train"]


def train(run: Reporter) -> None:
    """Search for the best regressor of the run's data, and save it: see `training.tabular.engine`."""
    engine.train(run, "regression", (*TASK.metrics, *SELECTION_METRICS))
