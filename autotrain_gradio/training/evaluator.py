"""Evaluation during and after a training: metrics, sample predictions and the report, with bounded memory.

A Trainer of any library is evaluated in one of three ways, all through `Evaluation`:

1. a batch evaluator (`Evaluator`), which is fed each batch of outputs as it is computed, already reduced to what the
   metrics need (`evaluators.classes`, `evaluators.labels`, `evaluators.tokens`);
2. generation: a batch evaluator whose outputs are token ids that the model has generated (`evaluators.generation`);
3. a native evaluator of the library, called with the model and returning metrics (`evaluators.native`).

With several processes every process sees the gathered batches in the order of the rows, without the rows that pad the
last batch. Rank 0 evaluates them, and the others receive its metrics, by which all select the same checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from transformers import Trainer, TrainerCallback

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import in_sentence
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import distributed, metrics
from autotrain_gradio.training.fit import Fit, is_metric

Reduce = Callable[[Any, torch.Tensor], Any]
"""(outputs of the model, labels) of a batch → the tensors, or tuple of tensors, that an evaluator is fed with."""
NO_VALIDATION = "No metrics were computed, because the data has no validation split. Try the model on new {noun}."
NOT_EVALUATED = "The training was stopped before these weights were evaluated. Resume it, or try the model."


class Evaluator(Protocol):
    """The state of one evaluation; a new one is made for each.

    Its memory may grow by a few bytes per row, but not with rows × classes.
    """

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch.

        outputs: the values of `reduce`, as numpy arrays (batch, …). targets: the labels (batch, …). rows: the row
            numbers (batch,) in the validation split.
        """

    def compute(self) -> dict[str, float]:
        """Return the metrics of all rows; names as the task declares them, without `eval_`."""

    def sample_panel(self) -> Panel | None:
        """Return the predictions on the same few rows; None: no panel."""

    def results_panel(self, metrics: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """Return the panel of the metrics, the first one of the report. declared: the metrics of the task."""

    def report(self) -> list[Panel]:
        """Return the other panels of the report."""


class ComputedResults:
    """Base of an evaluator whose metrics the trainer or a library has computed; see `Evaluation(from_metrics=…)`."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = dict(values)

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Ignore the batches."""

    def compute(self) -> dict[str, float]:
        """Return the metrics."""
        return self._values

    def results_note(self) -> str:
        """Return on what the metrics were computed, a sentence."""
        raise NotImplementedError

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics that the task declares; without any, all of them."""
        shown = {metric.name: values[metric.name] for metric in declared if metric.name in values} or dict(values)
        return panels.numbers("Results", metrics.formatted(shown, declared), note=self.results_note())


class Evaluation:
    """The evaluations of a training: connects an evaluator, the Trainer and the run.

    Attributes:
        best: the evaluator of the final weights, set by `finish`; None: they were not evaluated, or this is not rank 0.
    """

    def __init__(
        self,
        run: Reporter,
        rows: int,
        noun: str,
        *,
        make: Callable[[], Evaluator] | None = None,
        reduce: Reduce | None = None,
        order: np.ndarray | None = None,
        from_metrics: Callable[[dict[str, float]], Evaluator] | None = None,
        declared: Sequence[Metric],
    ) -> None:
        """Prepare the evaluations.

        Args:
            run: the run to report to.
            rows: number of validation rows; 0: no evaluation.
            noun: name of the rows in the plural, such as `images`.
            make: creates the evaluator that is fed with the batches.
            reduce: called on the device with each batch, before batches of several processes are gathered.
            order: row number of each item of the Trainer's validation data set (rows,); None: 0, 1, 2, …
            from_metrics: instead of `make`: creates the evaluator from the metrics that the library's own evaluator
                has computed (names without `eval_`).
            declared: the metrics of the task, for their titles and formats.
        """
        self.best: Evaluator | None = None
        self._run, self._rows, self._noun, self._declared = run, rows, noun, declared
        self._make, self._reduce, self._order, self._from_metrics = make, reduce, order, from_metrics
        self._partial: Evaluator | None = None
        self._seen = 0
        self._latest: tuple[Evaluator, dict[str, float]] | None = None
        self._by_step: dict[int, tuple[Evaluator, dict[str, float]]] = {}

    def trainer_arguments(self) -> dict[str, Any]:
        """Return the `Trainer` arguments that compute the metrics; needs `TrainingArguments.batch_eval_metrics`."""
        if not self._rows or self._make is None:
            return {}
        return {"compute_metrics": self.compute_metrics, "preprocess_logits_for_metrics": self._reduce}

    def compute_metrics(self, prediction: Any, compute_result: bool) -> dict[str, float]:
        """Add a gathered batch of the Trainer; with the last one return the metrics.

        Raises:
            RuntimeError: there were more or fewer rows than in the validation split, apart from the rows with which
                several processes fill the last batch.
        """
        assert self._make is not None
        if self._partial is None:
            self._partial, self._seen = self._make(), 0
        outputs, targets = _arrays(prediction.predictions), _arrays(prediction.label_ids)
        size = len(_first(targets))
        count = min(size, self._rows - self._seen)
        # Trainers that gather with `Accelerator.gather` (Seq2SeqTrainer) keep the rows that pad the last batch.
        padded = compute_result and count > 0 and distributed.world_size() > 1
        if size > count and not padded:
            seen = self._seen + size
            self.reset()
            raise RuntimeError(f"{seen} rows were evaluated, and there are {self._rows} validation {self._noun}")
        positions = np.arange(self._seen, self._seen + count)
        rows = positions if self._order is None else self._order[positions]
        if distributed.rank() == 0:
            self._partial.update(_head(outputs, count), _head(targets, count), rows)
        self._seen += count
        if not compute_result:
            return {}
        if self._seen != self._rows:
            self.reset()
            raise RuntimeError(f"{self._seen} of {self._rows} validation {self._noun} were evaluated")
        values = distributed.on_first_rank(self._partial.compute)
        self._latest, self._partial = (self._partial, values), None
        return dict(values)

    def reset(self) -> None:
        """Discard an interrupted evaluation."""
        self._partial = None

    def after_evaluation(self, step: int, best_step: int | None, metrics: Mapping[str, float]) -> None:
        """Record the sample predictions of the latest evaluation.

        best_step: the step of the best evaluation before it, whose evaluator is kept. metrics: of the Trainer, with
            `eval_`.
        """
        evaluator, values = self._collect(metrics)
        if evaluator is None:
            return
        self._by_step = {k: v for k, v in self._by_step.items() if k == best_step}
        self._by_step[step] = evaluator, values
        panel = evaluator.sample_panel() if self._run.rank == 0 else None
        if panel is not None:
            self._run.sample(step, panel)

    def finish(self, trainer: Trainer, fit: Fit) -> tuple[dict[str, float], list[Panel]]:
        """Evaluate the final weights, unless they were evaluated already; return their metrics and the report.

        Without a validation split, or after a stop, the metrics are empty and the report says why. On
        ranks other than 0 the report is empty.
        """
        if not self._rows:
            text = NO_VALIDATION.format(noun=self._noun)
            return {}, [panels.markdown(text, title="Results"), training_panel(fit, self._declared)]
        evaluated = self._by_step.get(fit.best_step if fit.best_step is not None else fit.steps)
        if evaluated is None and not fit.stopped:
            evaluated = self._evaluate_now(trainer)
        if evaluated is None:
            return {}, [panels.markdown(NOT_EVALUATED, title="Results"), training_panel(fit, self._declared)]
        evaluator, values = evaluated
        if self._run.rank:
            return values, []  # rank 0 writes the report and its files
        self.best = evaluator
        self._run.result(**{f"eval_{name}": value for name, value in values.items()})
        results = evaluator.results_panel(values, self._declared)
        results["note"] = " ".join(filter(None, [results.get("note"), fit.selection_note(self._noun)]))
        return values, [results, *evaluator.report(), training_panel(fit, self._declared)]

    def _collect(self, metrics: Mapping[str, float]) -> tuple[Evaluator | None, dict[str, float]]:
        """Return the evaluator of the latest evaluation, and its metrics: the loss last."""
        if self._from_metrics is not None:
            values = {k.removeprefix("eval_"): float(v) for k, v in metrics.items() if is_metric(k)}
            return self._from_metrics(values), values
        if self._latest is None:
            return None, {}
        (evaluator, values), self._latest = self._latest, None
        return evaluator, {**values, "loss": float(metrics["eval_loss"])} if "eval_loss" in metrics else values

    def _evaluate_now(self, trainer: Trainer) -> tuple[Evaluator, dict[str, float]] | None:
        self.reset()
        self._run.state("running", f"Evaluating on the validation {self._noun}")
        callback = _StopCallback(self._run)
        trainer.add_callback(callback)
        try:
            # `Trainer.predict` would collect all outputs, whatever `batch_eval_metrics` says (transformers 5.23).
            metrics = trainer.evaluate()
        except _Stopped:
            return None
        finally:
            trainer.remove_callback(callback)
        evaluator, values = self._collect(metrics)
        return None if evaluator is None else (evaluator, values)


def training_panel(fit: Fit, declared: Sequence[Metric]) -> Panel:
    """Return the summary of the training and of the selected checkpoint. declared: the metrics of the task."""
    facts: dict[str, Any] = {
        "mean training loss": round(fit.train_loss, 4),
        "steps": f"{fit.steps:,} of {fit.planned:,}",
        "epochs": round(fit.epochs, 2),
        "minutes": round(fit.seconds / 60, 1),
    }
    notes = []
    if fit.best_step is not None and fit.best_value is not None:
        facts["weights of step"] = f"{fit.best_step:,}"
        title = in_sentence(metrics.title(fit.best_metric, declared))
        notes.append(f"The model has the weights with the best validation {title}: {fit.best_value:.4f}.")
    if fit.stopped:
        notes.append("The training was stopped.")
    elif fit.early:
        notes.append("Early stopping: the validation metric did not improve.")
    return panels.numbers("Training", facts, note=" ".join(notes))


def _arrays(values: Any) -> Any:
    """Return tensors, in tuples or not, as numpy arrays."""
    if isinstance(values, tuple | list):
        return tuple(_arrays(v) for v in values)
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _first(values: Any) -> np.ndarray:
    return values[0] if isinstance(values, tuple) else values


def _head(values: Any, count: int) -> Any:
    return tuple(_head(v, count) for v in values) if isinstance(values, tuple) else values[:count]


class _Stopped(Exception):
    """The user asked to stop during the last evaluation."""


class _StopCallback(TrainerCallback):
    def __init__(self, run: Reporter) -> None:
        self._run = run

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if distributed.decision(self._run).decide(evaluating=True)[0]:
            raise _Stopped
