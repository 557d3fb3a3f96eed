"""Evaluation of regression models with one or several targets: 16 bytes a row and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import in_sentence, in_unit
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics, regression_panels
from autotrain_gradio.training.evaluators.classes import first_output
from autotrain_gradio.training.scaling import Scaling

PLOTTED = 6
"""Maximum number of targets with plots of their own."""


def reduce_outputs(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
    """Reduce the outputs of a model to standardized numbers float32 (batch, targets)."""
    return first_output(outputs).float().reshape(labels.shape)


class NumberPredictions:
    """The predictions of one evaluation, updated with outputs of `reduce_outputs`.

    Attributes:
        predicted, targets: float64 (rows, targets), in the units of the targets. names: of the targets.
        units: target → its unit, if it has one.
    """

    def __init__(
        self, targets: np.ndarray, names: Sequence[str], units: Mapping[str, str], scaling: Scaling, noun: str
    ) -> None:
        self.targets, self.names, self.units, self.noun = targets, list(names), units, noun
        self.predicted = np.zeros(targets.shape)
        self._scaling = scaling

    def update(self, outputs: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> None:
        """Add a batch; outputs and targets are standardized.

        Raises:
            RuntimeError: the targets of the batch are not those of the rows, so the order of the rows is wrong.
        """
        if not np.array_equal(targets, self._scaling.scale(self.targets[rows])):
            raise RuntimeError("the batches of the evaluation are not in the order of the validation rows")
        self.predicted[rows] = self._scaling.unscale(outputs)

    def metrics(self) -> dict[str, float]:
        """Return the metrics of `metrics.numbers`: of several targets the mean over those that have it.

        Empty if predictions are not finite: the loss is not finite either, which is reported as an error.
        """
        each = self.each()
        names = dict.fromkeys(name for found in each for name in found)
        return {name: float(np.mean([found[name] for found in each if name in found])) for name in names}

    def each(self) -> list[dict[str, float]]:
        """Return the metrics of each target."""
        if not np.isfinite(self.predicted).all():
            return []
        return [metrics.numbers(*pair) for pair in zip(self.predicted.T, self.targets.T, strict=True)]

    def target_note(self) -> str:
        """Return R² and mean absolute error of each target in a sentence; empty for a single one."""
        each = self.each()
        if len(each) < 2:
            return ""
        parts = [
            f"{name}: " + (f"R² {found['r2']:.3f}, " if "r2" in found else "") + f"MAE {found['mae']:.4g}"
            for name, found in zip(self.names, each, strict=True)
        ]
        return f"Metrics are means over the targets. {'; '.join(parts)}."

    def worst(self, count: int) -> list[tuple[int, int]]:
        """Return row and target of the largest errors, measured in standard deviations of each target."""
        errors = np.abs(self.predicted - self.targets) / self._scaling.deviations
        order = np.argsort(-errors, axis=None, kind="stable")[:count]
        rows, columns = np.unravel_index(order, errors.shape)
        return list(zip(rows.tolist(), columns.tolist(), strict=True))

    def baseline_errors(self) -> np.ndarray:
        """Return the mean absolute error of always predicting the mean of the training rows (targets,)."""
        errors: np.ndarray = np.abs(self.targets - self._scaling.means).mean(axis=0)
        return errors

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with the error of always predicting the mean."""
        of = f"On {len(self.targets):,} validation {self.noun}."
        if len(self.names) > 1:
            note = f"{of} Means over the {len(self.names)} targets."
        else:
            unit = self.units.get(self.names[0], "")
            mean, error = float(self._scaling.means[0]), float(self.baseline_errors()[0])
            note = f"{of} Always predicting the mean of the training {self.noun}, {mean:,.4g}, "
            note += f"has a mean absolute error of {error:,.4g}.{f' All {in_unit(unit)}.' if unit else ''}"
        same = [name for name, column in zip(self.names, self.targets.T, strict=True) if (column == column[0]).all()]
        if same and len(self.targets) > 1:
            shown = "" if len(self.names) == 1 else f" of {', '.join(same)}"
            note += f" All validation {self.noun} have the same value{shown}, so R² and Spearman are undefined."
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def targets_panel(self, declared: Sequence[Metric]) -> list[Panel]:
        """Return the table of the metrics of each target, with the baseline; no panel for a single one."""
        each = self.each()
        if len(self.names) < 2 or not each:
            return []
        shown = [m for m in declared if any(m.name in found for found in each)]
        head = ["", *(in_sentence(m.title) for m in shown), "MAE of the mean"]
        rows = [
            [
                f"{name} ({self.units[name]})" if self.units.get(name) else name,
                *(round(found[m.name], 4) if m.name in found else None for m in shown),
                round(float(error), 4),
            ]
            for name, found, error in zip(self.names, each, self.baseline_errors(), strict=True)
        ]
        note = f"MAE of the mean: the error of always predicting the mean of the training {self.noun}."
        return [panels.table("Each target", head, rows, note=note)]

    def plots(self) -> list[Panel]:
        """Return predicted against true values and the distribution of the residuals, for the first targets."""
        found = []
        for name, true, predicted in list(zip(self.names, self.targets.T, self.predicted.T, strict=True))[:PLOTTED]:
            about = {"name": name if len(self.names) > 1 else "", "unit": self.units.get(name, "")}
            found.append(regression_panels.predicted_against_true(true, predicted, **about))
            found.append(regression_panels.residual_histogram(true, predicted, **about))
        return found
