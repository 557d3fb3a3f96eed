"""Evaluation of numeric predictions, compared with scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.metrics import explained_variance_score, mean_absolute_error, r2_score, root_mean_squared_error

from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluators.numbers import NumberPredictions, reduce_outputs
from autotrain_gradio.training.scaling import Scaling

DECLARED = [Metric("r2", "R²"), Metric("mae", "MAE", higher_is_better=False)]
RNG = np.random.default_rng(1)
TARGETS = RNG.normal([10, -100], [3, 40], (50, 2))
PREDICTED = TARGETS + RNG.normal(0, [1, 30], (50, 2))


def predictions(targets: np.ndarray = TARGETS, predicted: np.ndarray = PREDICTED) -> NumberPredictions:
    """Feed predictions in batches, in another order than that of the rows."""
    scaling = Scaling.of(targets)
    names = ["size", "depth"][: targets.shape[1]]
    found = NumberPredictions(targets, names, {"size": "cm"}, scaling, "texts")
    order = np.random.default_rng(0).permutation(len(targets))
    for rows in np.array_split(order, 7):
        found.update(scaling.scale(predicted[rows]), scaling.scale(targets[rows]), rows)
    return found


def test_metrics_are_those_of_scikit_learn_and_scipy() -> None:
    found = predictions()
    for number, each in enumerate(found.each()):
        true, predicted = TARGETS[:, number], PREDICTED[:, number]
        assert each["mae"] == pytest.approx(mean_absolute_error(true, predicted), rel=1e-5)
        assert each["rmse"] == pytest.approx(root_mean_squared_error(true, predicted), rel=1e-5)
        assert each["r2"] == pytest.approx(r2_score(true, predicted), rel=1e-5)
        assert each["explained_variance"] == pytest.approx(explained_variance_score(true, predicted), rel=1e-5)
        assert each["spearman"] == pytest.approx(spearmanr(true, predicted).statistic, rel=1e-5)
    means = found.metrics()
    assert means["r2"] == pytest.approx(np.mean([r2_score(t, p) for t, p in zip(TARGETS.T, PREDICTED.T, strict=True)]))
    assert "rmsle" not in means


def test_rank_correlation_with_ties_and_with_equal_predictions() -> None:
    true, predicted = np.array([1.0, 1, 2, 3, 3, 3]), np.array([2.0, 1, 1, 5, 4, 5])
    found = metrics.numbers(predicted, true)
    assert found["spearman"] == pytest.approx(spearmanr(true, predicted).statistic)
    assert metrics.numbers(np.ones(6), true)["spearman"] == 0.0


def test_metrics_that_are_undefined_are_left_out() -> None:
    assert set(metrics.numbers(np.array([2.0]), np.array([1.0]))) == {"mse", "mae", "rmse"}
    assert set(metrics.numbers(np.array([2.0, 3.0]), np.array([1.0, 1.0]))) == {"mse", "mae", "rmse"}
    constant = np.column_stack([TARGETS[:, 0], np.ones(50)])
    found = predictions(constant, constant + 1)
    assert found.metrics()["r2"] == pytest.approx(found.each()[0]["r2"]), "the mean over those that have it"
    assert "have the same value of depth, so R² and Spearman" in found.results_panel(found.metrics(), DECLARED)["note"]


def test_predictions_that_are_not_finite_have_no_metrics() -> None:
    wrong = PREDICTED.copy()
    wrong[3, 1] = np.nan
    assert predictions(predicted=wrong).metrics() == {}


def test_batches_in_a_wrong_order_are_refused() -> None:
    found = predictions()
    scaled = Scaling.of(TARGETS).scale(TARGETS[:2])
    with pytest.raises(RuntimeError, match="order of the validation rows"):
        found.update(scaled, scaled, np.array([1, 0]))


def test_the_baseline_is_the_mean_of_the_training_rows() -> None:
    found = NumberPredictions(
        np.array([[1.0], [3.0]]), ["size"], {"size": "cm"}, Scaling.of(np.array([[5.0]])), "texts"
    )
    panel = found.results_panel({"r2": 0.5}, DECLARED)
    assert panel["items"] == [{"label": "R²", "value": 0.5}]
    assert panel["note"] == (
        "On 2 validation texts. Always predicting the mean of the training texts, 5, has a mean absolute error of 3. "
        "All in cm."
    )


def test_panels_of_several_targets() -> None:
    found = predictions()
    (table,) = found.targets_panel(DECLARED)
    assert table["columns"] == ["", "R²", "MAE", "MAE of the mean"]
    assert [row[0] for row in table["rows"]] == ["size (cm)", "depth"]
    titles = [p["title"] for p in found.plots()]
    assert titles[0] == "Predicted against true: size" and len(titles) == 4
    assert predictions(TARGETS[:, :1], PREDICTED[:, :1]).targets_panel(DECLARED) == []


def test_the_largest_errors_are_compared_in_standard_deviations() -> None:
    targets, predicted = np.array([[0.0, 0], [2, 200], [1, 100]]), np.array([[0.0, 10], [2, 200], [2, 100]])
    found = predictions(targets, predicted)
    assert found.worst(2) == [(2, 0), (0, 1)]


def test_outputs_are_reduced_to_the_shape_of_the_labels() -> None:
    labels = torch.zeros(3, 1)
    assert reduce_outputs((torch.ones(3, 1, dtype=torch.bfloat16), "hidden"), labels).dtype == torch.float32
    assert reduce_outputs(torch.ones(3), labels).shape == (3, 1)
