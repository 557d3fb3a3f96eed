"""Image classification: what is measured, shown on the way, and reported at the end."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from autotrain_gradio import panels
from autotrain_gradio.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import metrics
from autotrain_gradio.training.fit import Fit
from autotrain_gradio.training.images import Images, spread
from autotrain_gradio.training.vision import thumbnail

SHOWN = 8
"""Validation images whose predictions are shown at each evaluation."""
MISTAKES = 24
MATRIX_CLASSES = 40
"""Most classes of a confusion matrix that a person can read; of more, the most frequent confusions are told."""
TABLE_CLASSES = 200


def only_logits(logits: Any, labels: Any) -> torch.Tensor:
    """Leave out what some models return beside their logits (rows, classes)."""
    return logits[0] if isinstance(logits, tuple | list) else logits


class Judge:
    """Measures each evaluation, shows its predictions on the same few images, and reports on the kept weights."""

    def __init__(self, run: Reporter, images: Images | None, names: list[str]) -> None:
        self._run, self._images, self._names = run, images, names
        self._latest: np.ndarray | None = None
        self._by_step: dict[int, np.ndarray] = {}
        self._targets = np.asarray(images.targets if images is not None else [], dtype=np.int64)
        self._chosen = spread(self._targets, SHOWN, run.params.seed)

    def compute_metrics(self, prediction: Any) -> dict[str, float]:
        """Measure an evaluation of the Trainer."""
        self._latest = prediction.predictions
        return metrics.classification(prediction.predictions, prediction.label_ids)

    def show(self, step: int, best_step: int | None) -> None:
        """Record the predictions of the evaluation that was just made at a step.

        best_step: the best one before it; its predictions are kept, and those of this one.
        """
        if self._latest is None or self._images is None:
            return
        self._by_step = {k: v for k, v in self._by_step.items() if k == best_step}
        self._by_step[step] = self._latest
        shares = metrics.softmax(self._latest[self._chosen])
        items = []
        for place, row in enumerate(self._chosen):
            file = self._run.samples / f"{row}.jpg"
            if not file.exists():
                thumbnail(self._images.image(row), file)
            items.append({"file": f"samples/{file.name}", **self._caption(shares[place], row)})
        self._run.sample(step, panels.gallery("Predictions on the same validation images", items))

    def conclude(self, trainer: Any, done: Fit) -> tuple[dict[str, float], list[Panel]]:
        """Judge the weights that are kept; return their figures and the report.

        Where nothing was measured the report says so, and there are no figures.
        """
        training = self._training(done)
        if self._images is None:
            text = "No images were kept for validation, so nothing was measured. Try the model on new images."
            return {}, [panels.markdown(text, title="Results"), training]
        step = done.best_step if done.best_step is not None else done.steps
        logits, loss = self._by_step.get(step), _loss_at(trainer, step)
        if logits is None and done.stopped:
            text = "The training was stopped before these weights were measured. Resume it, or try the model."
            return {}, [panels.markdown(text, title="Results"), training]
        if logits is None:
            self._run.state("running", "Measuring on the validation images")
            trainer.add_callback(_Stop(self._run))
            try:
                output = trainer.predict(self._images)
            except _Stopped:
                text = "The training was stopped before these weights were measured. Try the model."
                return {}, [panels.markdown(text, title="Results"), training]
            logits, loss = output.predictions, float(output.metrics["test_loss"])
        found = metrics.classification(logits, self._targets)
        if len(self._names) == 2 and "auc" not in found:
            self._run.note("The validation images are all of one class: there is no AUC.", level="warning")
        if loss is not None:
            found["loss"] = loss
        self._run.result(**{f"eval_{name}": value for name, value in found.items()})
        note = f"On {len(self._targets):,} validation images."
        shown = {name.replace("_", " "): round(value, 4) for name, value in found.items()}
        return found, [
            panels.numbers("Results", shown, note=note),
            self._confusion(logits),
            self._classes(logits),
            self._mistakes(logits),
            training,
        ]

    def _caption(self, shares: np.ndarray, row: int) -> dict[str, str]:
        guess, truth = int(shares.argmax()), int(self._targets[row])
        caption = f"{self._names[guess]} {shares[guess]:.2f} ({self._names[truth]})"
        return {"caption": caption, "tone": "good" if guess == truth else "bad"}

    def _training(self, done: Fit) -> Panel:
        facts: dict[str, Any] = {
            "training loss": round(done.train_loss, 4),
            "steps": f"{done.steps:,} of {done.planned:,}",
            "epochs": round(done.epochs, 2),
            "minutes": round(done.seconds / 60, 1),
        }
        notes = []
        if done.best_step is not None and done.best_value is not None:
            name = self._run.params.metric_for_best_model
            facts["weights of step"] = f"{done.best_step:,}"
            notes.append(f"The weights kept are those with the best validation {name}: {done.best_value:.4f}.")
        if done.stopped:
            notes.append("It was stopped.")
        elif done.early:
            notes.append("It ended early: the validation figures did not improve any more.")
        return panels.numbers("Training", facts, note=" ".join(notes))

    def _confusion(self, logits: np.ndarray) -> Panel:
        counts, names = metrics.confusion(logits, self._targets), self._names
        if len(names) <= MATRIX_CLASSES:
            return panels.matrix("Confusion matrix", names, counts.tolist(), rows="true", columns="predicted")
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:MATRIX_CLASSES]
        pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, counts.shape), strict=True)]
        rows = [[names[i], names[j], int(counts[i, j])] for i, j in pairs if counts[i, j]]
        return panels.table("Most frequent confusions", ["true", "predicted", "images"], rows)

    def _classes(self, logits: np.ndarray) -> Panel:
        rows = metrics.per_class(logits, self._targets, self._names)
        note = ""
        if len(rows) > TABLE_CLASSES:
            rows.sort(key=lambda r: (r[3] is None, r[3] or 0.0))
            note = f"The {TABLE_CLASSES} of {len(rows):,} classes with the lowest F1."
        head = ["class", "precision", "recall", "F1", "images"]
        return panels.table("Each class", head, rows[:TABLE_CLASSES], note=note)

    def _mistakes(self, logits: np.ndarray) -> Panel:
        assert self._images is not None
        shares = metrics.softmax(logits)
        wrong = np.flatnonzero(shares.argmax(axis=1) != self._targets)
        worst = wrong[np.argsort(-shares[wrong].max(axis=1), kind="stable")][:MISTAKES]
        folder = self._run.directory / "report"
        shutil.rmtree(folder, ignore_errors=True)
        items = []
        for row in map(int, worst):
            thumbnail(self._images.image(row), folder / f"{row}.jpg")
            items.append({"file": f"report/{row}.jpg", **self._caption(shares[row], row)})
        of = f"of {len(self._targets):,} validation images"
        note = f"{len(wrong):,} {of} are wrong." if len(wrong) else f"None {of} is wrong."
        return panels.gallery("Most confident mistakes", items, note=note)


def _loss_at(trainer: Any, step: int) -> float | None:
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
