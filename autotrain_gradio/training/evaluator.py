"""What is measured of a training, shown on the way, and reported at the end: the part that all tasks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from transformers import Trainer, TrainerCallback

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import metrics
from autotrain_gradio.training.fit import Fit

MATRIX_CLASSES = 40
"""Most classes of a confusion matrix that a person can read; of more, the most frequent confusions are told."""
TABLE_CLASSES = 200


class Judge:
    """Measures each evaluation, shows its predictions on the same few rows, and reports on the kept weights.

    rows: the validation rows; None: there are none. noun: what they are, in the plural.
    measure: what the model gave for all of them → figures. show: the same → a panel of a few of them. report: the
        same → panels of the results. order: what the Trainer gave → in the order that the others want. results: the
        figures, and what the model gave → the panel with which the report begins; None: one that lists them all.

    outputs: what the weights that are kept gave, once `conclude` has measured them.
    """

    def __init__(
        self,
        run: Reporter,
        rows: Any | None,
        noun: str,
        *,
        measure: Callable[[np.ndarray], dict[str, float]],
        show: Callable[[np.ndarray], Panel],
        report: Callable[[np.ndarray], list[Panel]],
        order: Callable[[np.ndarray], np.ndarray] = lambda outputs: outputs,
        results: Callable[[dict[str, float], np.ndarray], Panel] | None = None,
    ) -> None:
        self.outputs: np.ndarray | None = None
        self._run, self._rows, self._noun = run, rows, noun
        self._measure, self._show, self._report, self._order = measure, show, report, order
        self._results = results or self._all_figures
        self._latest: np.ndarray | None = None
        self._by_step: dict[int, np.ndarray] = {}

    def compute_metrics(self, prediction: Any) -> dict[str, float]:
        """Measure an evaluation of the Trainer."""
        self._latest = self._order(prediction.predictions)
        return self._measure(self._latest)

    def show(self, step: int, best_step: int | None) -> None:
        """Record the predictions of the evaluation that was just made at a step.

        best_step: the best one before it; its predictions are kept, and those of this one.
        """
        if self._latest is None or self._rows is None:
            return
        self._by_step = {k: v for k, v in self._by_step.items() if k == best_step}
        self._by_step[step] = self._latest
        self._run.sample(step, self._show(self._latest))

    def conclude(self, trainer: Trainer, done: Fit) -> tuple[dict[str, float], list[Panel]]:
        """Judge the weights that are kept; return their figures and the report.

        Where nothing was measured the report says so, and there are no figures.
        """
        if self._rows is None:
            text = f"No {self._noun} were kept for validation, so nothing was measured. Try the model on new ones."
            return {}, [panels.markdown(text, title="Results"), training_panel(self._run, done)]
        step = done.best_step if done.best_step is not None else done.steps
        outputs, loss = self._by_step.get(step), _loss_at(trainer, step)
        if outputs is None and not done.stopped:
            self._run.state("running", f"Measuring on the validation {self._noun}")
            stop = _Stop(self._run)
            trainer.add_callback(stop)
            try:
                given = trainer.predict(self._rows)
                outputs, loss = self._order(given.predictions), float((given.metrics or {})["test_loss"])
            except _Stopped:
                pass
            finally:
                trainer.remove_callback(stop)
        if outputs is None:
            text = "The training was stopped before these weights were measured. Resume it, or try the model."
            return {}, [panels.markdown(text, title="Results"), training_panel(self._run, done)]
        self.outputs = outputs
        found = self._measure(outputs)
        if loss is not None:
            found["loss"] = loss
        self._run.result(**{f"eval_{name}": value for name, value in found.items()})
        results = self._results(found, outputs)
        results["note"] = " ".join(filter(None, [results.get("note"), done.chosen(self._noun)]))
        return found, [results, *self._report(outputs), training_panel(self._run, done)]

    def _all_figures(self, found: dict[str, float], outputs: np.ndarray) -> Panel:
        note = f"On {len(self._rows or ()):,} validation {self._noun}."
        return panels.numbers("Results", metrics.shown(found), note=note)


def class_results(
    found: Mapping[str, float], logits: np.ndarray, targets: np.ndarray, names: Sequence[str], noun: str
) -> Panel:
    """List the figures where each row has one class, beside what guessing would have reached."""
    note = metrics.against_guessing(logits, targets, names, f"validation {noun}")
    return panels.numbers("Results", metrics.shown(found, one_class=True), note=note)


def training_panel(run: Reporter, done: Fit) -> Panel:
    """Say how the training went, and which weights are kept."""
    facts: dict[str, Any] = {
        "mean training loss": round(done.train_loss, 4),
        "steps": f"{done.steps:,} of {done.planned:,}",
        "epochs": round(done.epochs, 2),
        "minutes": round(done.seconds / 60, 1),
    }
    notes = []
    if done.best_step is not None and done.best_value is not None:
        facts["weights of step"] = f"{done.best_step:,}"
        notes.append(
            f"The weights kept are those with the best validation {run.params.metric_for_best_model}: "
            f"{done.best_value:.4f}."
        )
    if done.stopped:
        notes.append("It was stopped.")
    elif done.early:
        notes.append("It ended early: the validation figures did not improve any more.")
    return panels.numbers("Training", facts, note=" ".join(notes))


def confusion_panel(logits: np.ndarray, targets: np.ndarray, names: Sequence[str], noun: str) -> Panel:
    """Draw which classes are taken for which: logits (rows, classes) against classes (rows,)."""
    counts = metrics.confusion(logits, targets)
    if len(names) <= MATRIX_CLASSES:
        return panels.matrix("Confusion matrix", names, counts.tolist(), rows="true", columns="predicted")
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MATRIX_CLASSES]
    pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, counts.shape), strict=True)]
    rows = [[names[i], names[j], int(counts[i, j])] for i, j in pairs if counts[i, j]]
    return panels.table("Most frequent confusions", ["true", "predicted", noun], rows)


def classes_panel(logits: np.ndarray, targets: np.ndarray, names: Sequence[str], noun: str) -> Panel:
    """List the figures of each class; of very many, of those with the lowest F1."""
    rows = metrics.per_class(logits, targets, list(names))
    note = ""
    if len(rows) > TABLE_CLASSES:
        rows.sort(key=lambda r: (r[3] is None, r[3] or 0.0))
        note = f"The {TABLE_CLASSES} of {len(rows):,} classes with the lowest F1."
    head = ["class", "precision", "recall", "F1", noun]
    return panels.table("Each class", head, rows[:TABLE_CLASSES], note=note)


def only_logits(logits: Any, labels: Any) -> Any:
    """Leave out what some models return beside their logits (rows, classes)."""
    return logits[0] if isinstance(logits, tuple | list) else logits


def _loss_at(trainer: Trainer, step: int) -> float | None:
    entries = (
        e["eval_loss"] for e in reversed(trainer.state.log_history) if e.get("step") == step and "eval_loss" in e
    )
    return next(entries, None)


class _Stopped(Exception):
    """The user asked to stop while the weights that are kept were measured."""


class _Stop(TrainerCallback):
    def __init__(self, run: Reporter) -> None:
        self._run = run

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._run.stop_requested():
            raise _Stopped
