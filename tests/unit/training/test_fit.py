"""The fit: stopping at awkward moments, what is kept, threads and thresholds, any Trainer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainingArguments
from transformers.modeling_outputs import ImageClassifierOutput

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.image_classification import train as task
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.training import arguments as engine
from autotrain_gradio.training import checkpoints, failures, fit

LOSS = Metric("loss", "Loss", higher_is_better=False)
Make = Callable[..., Any]


def reporter(tmp_path: Any, **params: Any) -> Reporter:
    resolved = resolve({"task": "image-classification", "model": "tiny", "params": params})
    (tmp_path / "spec.json").write_text("{}")
    (tmp_path / "spec.json").write_text("{}")
    return Reporter(tmp_path, resolved.spec, resolved.params)


def arguments(tmp_path: Any, rows: int = 100, validates: bool = True, **params: Any) -> TrainingArguments:
    run = reporter(tmp_path, **params)
    return engine.arguments(run.params, TrainingArguments, run, train_rows=rows, validates=validates, best=LOSS)


def test_arguments_follow_the_parameters(tmp_path: Any) -> None:
    args = arguments(tmp_path, epochs=4, batch_size=8, gradient_accumulation=2, warmup_ratio=0.25, lr=1e-4, seed=7)
    assert (args.num_train_epochs, args.per_device_train_batch_size, args.gradient_accumulation_steps) == (4, 8, 2)
    assert args.get_warmup_steps(100) == 25 and args.learning_rate == 1e-4 and args.seed == args.data_seed == 7
    assert args.load_best_model_at_end and args.metric_for_best_model == "eval_loss" and not args.greater_is_better
    assert not args.logging_nan_inf_filter and args.report_to == [] and args.logging_steps == 1
    none = arguments(tmp_path, validates=False)
    assert none.eval_strategy == "no" and none.save_strategy == "epoch" and not none.load_best_model_at_end
    steps = arguments(tmp_path, rows=1000, eval_strategy="steps", epochs=4, batch_size=10)
    assert steps.eval_steps == steps.save_steps == 40 and steps.save_strategy == "steps"
    assert arguments(tmp_path, logging_steps=7).logging_steps == 7


def test_the_default_optimizer_is_the_fused_one_and_others_are_kept(tmp_path: Any) -> None:
    assert arguments(tmp_path).optim == "adamw_torch_fused"
    assert arguments(tmp_path, optimizer="adafactor").optim == "adafactor"


def test_an_unknown_optimizer_is_refused_with_a_suggestion(tmp_path: Any) -> None:
    with pytest.raises(UserError) as caught:
        arguments(tmp_path, optimizer="adamw_troch")
    assert "adamw_torch" in caught.value.hint


def test_a_stop_during_an_evaluation_does_not_wait_for_its_end(trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trial(epochs=6)
    run = made.reporter()
    original = Trainer.prediction_step
    seen = []

    def stopping(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 8:
            seen.append(self.state.global_step)
            run.request_stop()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "prediction_step", stopping)
    task.train(run)
    assert seen == [8] and max(made.steps()) == 8
    assert checkpoints.is_complete(run.checkpoints / "checkpoint-8")
    assert (run.model / "model.safetensors").is_file()
    # Measured after the first epoch: these are the weights that are kept, and their figures are reported.
    report = {p["title"]: p for p in json.loads((run.directory / "report.json").read_text())}
    assert {i["label"]: i["value"] for i in report["Training"]["items"]}["weights of step"] == "4"
    again = made.reporter(attempt=2)
    monkeypatch.undo()
    task.train(again)
    assert made.steps(2)[0] == 9 and max(made.steps(2)) == 24


def test_a_stop_before_the_first_evaluation_saves_the_latest_weights(trial: Make) -> None:
    made = trial(epochs=2)
    run = made.reporter()
    run.progress = lambda *_: run.request_stop()
    task.train(run)
    assert made.steps() == [1]
    assert (run.model / "model.safetensors").is_file()
    assert "stopped before" in json.loads((run.directory / "report.json").read_text())[0]["text"]
    assert any("weights are saved" in n["message"] for n in made.events("note"))


def test_a_stop_while_images_are_decoded_trains_nothing(trial: Make) -> None:
    made = trial()
    run = made.reporter()
    run.request_stop()
    task.train(run)
    assert not run.model.exists() and not made.events("metric")


def test_the_best_checkpoint_is_saved(trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trial(epochs=4)
    original = Trainer.evaluate

    def worse_and_worse(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        found = original(self, *args, **kwargs)
        found["eval_loss"] = float(self.state.global_step)
        return found

    monkeypatch.setattr(Trainer, "evaluate", worse_and_worse)
    task.train(made.reporter())
    from safetensors.torch import load_file

    saved = load_file(made.directory / "model" / "model.safetensors")
    best = load_file(made.directory / "checkpoints" / "checkpoint-4" / "model.safetensors")
    assert all(torch.equal(saved[k], best[k]) for k in saved)
    assert [e["step"] for e in made.events("checkpoint") if e["best"]] == [4]


@pytest.mark.parametrize(
    ("losses", "best"), [([3.0, 1.0, 2.0, 1.0], 16), ([3.0, 1.0, 2.0, 2.0], 8), ([1.0, 1.0, 1.0, 1.0], 16)]
)
def test_of_equal_metrics_the_lowest_loss_and_then_the_latest_step_is_the_best(
    trial: Make, monkeypatch: pytest.MonkeyPatch, losses: list[float], best: int
) -> None:
    made = trial(epochs=4, metric_for_best_model="accuracy", eval_strategy="epoch")
    original = Trainer.log

    def tied(self: Trainer, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        if "eval_loss" in logs:  # before the Trainer compares it
            logs |= {"eval_accuracy": 0.75, "eval_loss": losses[self.state.global_step // 4 - 1]}
        original(self, logs, *args, **kwargs)

    monkeypatch.setattr(Trainer, "log", tied)
    task.train(made.reporter())
    assert [e["step"] for e in made.events("checkpoint") if e["best"]][-1] == best
    steps = [e["step"] for e in made.events("metric") if "eval_loss" in e["values"]]
    assert steps == [4, 8, 12, 16]


def test_resuming_within_an_epoch_gives_the_same_weights(trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trial(epochs=3, eval_strategy="steps", eval_steps=3, each=10)
    original = Trainer.training_step

    def dies(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 7:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "training_step", dies)
    with pytest.raises(KeyboardInterrupt):
        task.train(made.reporter())
    monkeypatch.undo()
    task.train(made.reporter(attempt=2))
    assert made.steps(2) == list(range(7, 13))
    before, resumed = (
        {e["step"]: e["values"]["loss"] for e in made.events("metric") if e["attempt"] == n and "loss" in e["values"]}
        for n in (1, 2)
    )
    assert resumed[7] == pytest.approx(before[7], rel=1e-4)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_the_optimizer_step(
    trial: Make, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    made = trial(epochs=2, logging_steps=1000)
    original = Trainer.compute_loss
    trainers = []

    def broken(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        trainers.append(self)
        loss = original(self, *args, **kwargs)
        return loss * value if self.model.training and self.state.global_step == 2 else loss

    monkeypatch.setattr(Trainer, "compute_loss", broken)
    with pytest.raises(UserError) as caught:
        task.train(made.reporter())
    assert caught.value.findings[0].code == "loss-not-finite" and caught.value.findings[0].where == "step 3"
    assert all(torch.isfinite(p).all() for p in trainers[0].model.parameters())


def test_the_batch_size_is_lowered_when_memory_runs_out(trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trial(auto_find_batch_size=True)
    original = Trainer.training_step

    def hungry(self: Trainer, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if len(inputs["labels"]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return original(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(Trainer, "training_step", hungry)
    task.train(made.reporter())
    notes = [n["message"] for n in made.events("note")]
    assert any("batch size 4" in n and "with 3" in n for n in notes)
    assert max(made.steps()) == 2 * 6


def test_a_missing_package_of_an_optimizer_is_named() -> None:
    args: Any = SimpleNamespace()
    error = failures.translate(ImportError("You need lomo_optim: `pip install lomo-optim`."), args, 8)
    assert error is not None and error.hint == "pip install lomo-optim"
    assert failures.translate(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), args, 8) is None


def test_logs_of_any_trainer_are_recorded(tmp_path: Any) -> None:
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> ImageClassifierOutput:
            logits = self.layer(x)
            return ImageClassifierOutput(loss=torch.nn.functional.cross_entropy(logits, labels), logits=logits)

    class Special(Trainer):
        def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
            super().log({**logs, "reward": 0.5}, *args, **kwargs)

    run = reporter(tmp_path, epochs=2, batch_size=4)
    rows = [{"x": torch.ones(2), "labels": torch.tensor(i % 2)} for i in range(8)]
    args = engine.arguments(run.params, TrainingArguments, run, train_rows=8, validates=False, best=LOSS)
    done = fit.fit(Special(model=Model(), args=args, train_dataset=rows), run)
    assert (done.steps, done.planned, done.stopped, done.early, done.best_step) == (4, 4, False, False, None)
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    metrics = [e for e in lines if e["kind"] == "metric"]
    assert [m["step"] for m in metrics] == [1, 2, 3, 4] and all(m["values"]["reward"] == 0.5 for m in metrics)
    assert {"samples_per_second", "learning_rate", "memory_mib"} <= set(metrics[-1]["values"])
    assert [e["step"] for e in lines if e["kind"] == "checkpoint"] == [2, 4]
    assert [(e["step"], e["total"]) for e in lines if e["kind"] == "progress"][-1] == (4, 4)
