"""Plots of numeric predictions."""

from __future__ import annotations

import numpy as np
import pytest

from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.training.regression_panels import (
    POINTS,
    predicted_against_true,
    residual_histogram,
    residuals_against_predicted,
)


def test_each_row_is_a_point_in_the_order_of_the_data() -> None:
    true, predicted = np.array([3.0, 1.0]), np.array([2.5, 1.5])
    panel = predicted_against_true(true, predicted, unit="kg")
    assert panel["points"] == [[3.0, 2.5], [1.0, 1.5]] and panel["x"] == "true (kg)" and not panel["note"]
    panel = residuals_against_predicted(true, predicted, name="weight")
    assert panel["points"] == [[2.5, -0.5], [1.5, 0.5]] and panel["title"] == "Residuals: weight"


def test_many_rows_are_thinned_and_keep_the_rare_values() -> None:
    true = np.concatenate([np.zeros(5000), [99.0]])
    panel = predicted_against_true(true, true)
    assert len(panel["points"]) == POINTS and [99.0, 99.0] in panel["points"]
    assert panel["note"] == "1,000 of 5,001 rows."


@pytest.mark.parametrize(
    "residuals",
    [
        np.random.default_rng(0).normal(0, 1, 500),
        np.random.default_rng(0).normal(0, 1, 500) * 1e6,
        np.array([0.0]),
        np.full(30, 2.5),
        np.array([-1e-9, 1e-9]),
        np.concatenate([np.random.default_rng(0).normal(0, 1, 500), [1e6]]),
    ],
)
def test_every_residual_is_in_a_bin(residuals: np.ndarray) -> None:
    true = np.full(len(residuals), 10.0) * (0 if np.abs(residuals).max() < 1e-6 else 1)
    panel = residual_histogram(true, true + residuals)
    assert sum(panel["series"]["rows"]) == len(residuals) and 1 <= len(panel["labels"]) <= 42
    assert len(set(panel["labels"])) == len(panel["labels"])
    assert "<section" in render_html(panel) and render_text(panel)


def test_a_bias_is_named() -> None:
    true = np.arange(20.0)
    assert "too high" in residual_histogram(true, true + 1, unit="€")["note"]
    assert "On average -1 €: the predictions are too low." in residual_histogram(true, true - 1, unit="€")["note"]
    assert "neither" in residual_histogram(true, true + np.tile([1.0, -1.0], 10))["note"]
