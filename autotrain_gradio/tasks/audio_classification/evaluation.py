"""Audio classification: metrics, sample predictions and the report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soundfile

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.audio_classification import TASK
from autotrain_gradio.tasks.audio_classification.clips import Clips
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics
from autotrain_gradio.training.class_labels import Labels, groups
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators import classes, labels
from autotrain_gradio.training.evaluators.classes import ClassPredictions
from autotrain_gradio.training.evaluators.labels import LabelPredictions
from autotrain_gradio.training.sample_selection import balanced_sample

SHOWN = 8
"""Validation clips whose predictions are shown at each evaluation."""
MISTAKES = 24
SECONDS = 20.0
"""Maximum number of seconds of a clip that are played."""
SAMPLES_TITLE = "Predictions on the same validation clips"
MISTAKES_TITLE = "Most confident mistakes"


def evaluation(run: Reporter, clips: Clips | None, names: Labels) -> Evaluation:
    """Return the evaluation of a classifier on the validation clips; None: there are none."""
    if clips is None:
        return Evaluation(run, 0, "clips", declared=TASK.metrics)
    same_labels = groups(clips.targets)
    shown = balanced_sample(same_labels, SHOWN, run.params.seed)
    evaluator = LabelEvaluator if names.multi_label else ClassEvaluator
    return Evaluation(
        run,
        len(clips),
        "clips",
        make=lambda: evaluator(run, clips, same_labels, names, shown),
        reduce=labels.reduce_logits if names.multi_label else classes.reduce_logits,
        order=clips.rows,
        declared=TASK.metrics,
    )


class ClassEvaluator:
    """The state of one evaluation with one class per clip. shown: rows of the sample predictions."""

    def __init__(self, run: Reporter, clips: Clips, targets: np.ndarray, names: Labels, shown: list[int]) -> None:
        self._run, self._clips, self._names, self._shown = run, clips, names.names, shown
        self._predictions = ClassPredictions(targets, names.names, "clips")

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `classes.reduce_logits`."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `metrics.classification`."""
        return self._predictions.metrics()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few clips."""
        return panels.gallery(SAMPLES_TITLE, [self._item(row, "samples") for row in self._shown])

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with a trivial baseline."""
        return self._predictions.results_panel(values, declared)

    def report(self) -> list[Panel]:
        """Return confusion matrix, metrics of each class, and the most confident mistakes."""
        warning = self._predictions.single_class_note()
        if warning:
            self._run.note(warning, level="warning")
        rows, note = self._predictions.mistakes(MISTAKES)
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        return [
            self._predictions.confusion_panel(),
            self._predictions.classes_panel(),
            panels.gallery(MISTAKES_TITLE, [self._item(row, "report") for row in rows], note=note),
        ]

    def _item(self, row: int, folder: str) -> dict[str, str]:
        predictions = self._predictions
        name, true = (self._names[int(values[row])] for values in (predictions.predicted, predictions.targets))
        tone = "good" if name == true else "bad"
        return clip_item(self._run, self._clips, row, folder, f"{name} {predictions.probability[row]:.2f}", true, tone)


class LabelEvaluator:
    """The state of one multi-label evaluation.

    same_labels: a group id of each clip, equal for clips with the same labels. shown: rows of the sample predictions.
    """

    def __init__(self, run: Reporter, clips: Clips, same_labels: np.ndarray, names: Labels, shown: list[int]) -> None:
        params = run.params
        self._run, self._clips, self._names, self._shown = run, clips, names, shown
        self._predictions = LabelPredictions(
            same_labels,
            names.names,
            "clips",
            threshold=params.threshold,
            tune=params.tune_thresholds,
            seed=params.seed,
            shown=shown,
            folder=run.directory,
        )

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `labels.reduce_logits`."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `LabelPredictions`."""
        return self._predictions.metrics()

    def thresholds(self) -> np.ndarray:
        """Return the threshold of each label (labels,)."""
        return self._predictions.thresholds()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few clips."""
        items = []
        for row in self._shown:
            scores, true_ids = self._predictions.shown_row(row)
            predicted = self._names.predicted(scores, self.thresholds())
            true = [self._names.names[i] for i in true_ids]
            shown = [f"{name} {scores[self._names.names.index(name)]:.2f}" for name in predicted]
            tone = "good" if set(predicted) == set(true) else "bad"
            items.append(clip_item(self._run, self._clips, row, "samples", _listed(shown), _listed(true), tone))
        return panels.gallery(SAMPLES_TITLE, items)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        note = f"On {len(self._clips):,} validation clips. Accuracy: the share of clips whose labels are all right."
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def report(self) -> list[Panel]:
        """Return the metrics of each label, and the most confident wrong labels."""
        mistakes, note = self._predictions.mistakes()
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        items = []
        for mistake in mistakes:
            how = "assigned, but not true" if mistake.assigned else "true, but not assigned"
            caption = f"{self._names.names[mistake.label]} {mistake.score:.2f}"
            items.append(clip_item(self._run, self._clips, mistake.row, "report", caption, how, "bad"))
        return [
            self._predictions.labels_panel(labels.threshold_note(self._run.params, "clips", evaluated=True)),
            panels.gallery(MISTAKES_TITLE, items, note=note),
        ]


def clip_item(
    run: Reporter, clips: Clips, row: int, folder: str, predicted: str, true: str, tone: str
) -> dict[str, str]:
    """Write the first `SECONDS` of a clip into a folder of the run, unless they are there; return a gallery item."""
    file = run.directory / folder / f"{row}.wav"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, clips.part(row, 0.0, SECONDS), clips.rate, subtype="PCM_16")
    detail = f"row {row + 1}, {clips.seconds[row]:.1f} s"
    return {"file": f"{folder}/{file.name}", "caption": f"{predicted} ({true})", "detail": detail, "tone": tone}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no label"
