"""Evaluation by a library's own evaluator: a callable that is given the model and returns metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accelerate.utils import broadcast_object_list
from transformers import Trainer
from transformers.trainer_utils import EvalLoopOutput

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.training.evaluator import ComputedResults

NativeEvaluate = Callable[[Any], Mapping[str, float]]
"""The model, in evaluation mode → metrics."""


class NativeEvaluatorTrainer(Trainer):
    """A Trainer that calls `native_evaluate` at each evaluation and adds its metrics to the loss.

    For libraries whose Trainer takes no evaluator itself; that of sentence-transformers does (`evaluator=`). With
    several processes rank 0 evaluates, and the others receive its metrics.
    """

    def __init__(self, *args: Any, native_evaluate: NativeEvaluate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._native_evaluate = native_evaluate

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Compute the loss on the validation rows, then the metrics of the native evaluator."""
        output = super().evaluation_loop(dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix)
        found: list[Any] = [None]
        if self.is_world_process_zero():
            model = self.accelerator.unwrap_model(self.model)
            found = [{name: float(value) for name, value in self._native_evaluate(model).items()}]
        values = broadcast_object_list(found)[0]
        named = {f"{metric_key_prefix}_{k.removeprefix(f'{metric_key_prefix}_')}": v for k, v in values.items()}
        assert output.metrics is not None
        output.metrics.update(named)
        return output


class NativeResults(ComputedResults):
    """The metrics that a library's evaluator has computed; `Evaluation(from_metrics=…)` makes one for each evaluation.

    The report lists the metrics that the task declares; without any, all of them. panels: metrics → more panels of the
    report. sample: metrics → the panel shown after each evaluation.
    """

    def __init__(
        self,
        values: Mapping[str, float],
        *,
        noun: str,
        rows: int,
        panels: Callable[[Mapping[str, float]], list[Panel]] | None = None,
        sample: Callable[[Mapping[str, float]], Panel | None] | None = None,
    ) -> None:
        super().__init__(values)
        self._noun, self._rows = noun, rows
        self._panels, self._sample = panels, sample

    def sample_panel(self) -> Panel | None:
        """Return the value of `sample`."""
        return self._sample(self._values) if self._sample is not None else None

    def results_note(self) -> str:
        """Return on what the metrics were computed."""
        return f"On {self._rows:,} validation {self._noun}."

    def report(self) -> list[Panel]:
        """Return the value of `panels`."""
        return self._panels(self._values) if self._panels is not None else []
