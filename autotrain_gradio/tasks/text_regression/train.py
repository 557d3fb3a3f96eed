"""Text regression: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import DatasetDict
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.text_regression import TASK, models
from autotrain_gradio.tasks.text_regression.evaluation import NumberEvaluator, evaluation
from autotrain_gradio.tasks.text_regression.loss import loss_function
from autotrain_gradio.tasks.text_regression.models import tiny_model
from autotrain_gradio.tasks.text_regression.preview import preview
from autotrain_gradio.tasks.text_regression.probe import probe
from autotrain_gradio.tasks.text_regression.targets import Targets
from autotrain_gradio.training import card, distributed, saved, text_models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.scaling import Scaling
from autotrain_gradio.training.text import Collate, Texts, tokenize_splits
from autotrain_gradio.training.text_models import last_linear
from autotrain_gradio.training.text_prediction import predict_logits, texts_of
from autotrain_gradio.training.tokens import longest
from autotrain_gradio.training.trainer_internals import LengthGroupedTrainer

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

OFFSETS, UNITS = "target_offsets", "target_units"
"""Keys of the model's config.json: target → what must be added to its output (of a last layer without bias), and
target → unit."""
MEANS, DEVIATIONS = "target_means", "target_deviations"
"""Keys of config.json: target → mean and standard deviation of the training split."""
COMPARED = 4
"""Texts on which the outputs of the model with folded scaling are compared with those before."""


def train(run: Reporter) -> None:
    """Fine-tune a regression model on the run's texts, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    targets = Targets.of(run.directory, rows["train"])
    values = {name: targets.values(part) for name, part in rows.items()}
    scaling = Scaling.of(values["train"])
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(rows["train"]),
        validates="validation" in rows,
        best=best_metric(run, values.get("validation")),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        model, tokenizer, fresh = models.open_model(
            run.spec.model,
            targets.names,
            texts=(text for text in rows["train"]["text"]),
            seed=params.seed,
            scratch=folder,
        )
    last_linear(model, len(targets.names))  # before the training: without it the model cannot be saved
    most = longest(model.config, tokenizer, model)
    sets = tokenize_splits(
        run, rows, tokenizer, most, column="text", targets=lambda part: scaling.scale(targets.values(part))
    )
    if sets is None:
        return
    model = text_models.adapt(run, model, task_type="SEQ_CLS", fresh=fresh)
    valid = sets.get("validation")
    evaluations = evaluation(
        run,
        rows["validation"]["text"] if valid is not None else [],
        values.get("validation", np.empty((0, len(targets.names)))),
        targets,
        scaling,
        None if valid is None else valid.rows,
    )
    trainer = LengthGroupedTrainer(
        model=model,
        args=args,
        train_dataset=sets["train"],
        eval_dataset=valid,
        data_collator=Collate(tokenizer),
        compute_loss_func=loss_function(params.loss_function),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    model = text_models.merge_adapters(run, trainer.model)
    fold_scaling(model, targets, scaling, sets["train"], tokenizer)
    write = saved.writer(
        model, tokenizer, AutoModelForSequenceClassification, AutoTokenizer, classes=len(targets.names)
    )
    note = evaluations.best.target_note() if isinstance(evaluations.best, NumberEvaluator) else ""
    card.save(run, write, model_card(run, rows, targets, scaling, found, done, note))
    run.report(report)


def best_metric(run: Reporter, validation: np.ndarray | None) -> Metric:
    """Return the metric that selects the checkpoint: the loss where the chosen one is undefined.

    validation: the numbers (texts, targets) of the validation split, if there is one.
    """
    name = run.params.metric_for_best_model
    if name in {"r2", "spearman"} and validation is not None and (validation == validation[:1]).all():
        run.note(
            f"All validation texts have the same target, so {TASK.declared_metric(name).title} is undefined: "
            "the best checkpoint is selected by the loss.",
            level="warning",
        )
        name = "loss"
    return TASK.declared_metric(name)


@torch.inference_mode()
def fold_scaling(model: Any, targets: Targets, scaling: Scaling, texts: Texts, tokenizer: Any) -> None:
    """Change the model so that its outputs are in the units of the targets, and describe them in its config.

    Raises:
        RuntimeError: the outputs on a few of the texts are not those of before, in other units.
    """
    model.eval()
    batch = Collate(tokenizer)([texts[i] for i in range(min(COMPARED, len(texts)))])
    inputs = {k: v.to(model.device) for k, v in batch.items() if k != "labels"}
    before = scaling.unscale(model(**inputs).logits.float().cpu().numpy())
    offsets = scaling.fold_into(last_linear(model, len(targets.names))[1])
    after = model(**inputs).logits.double().cpu().numpy() + (0.0 if offsets is None else offsets)
    if not np.allclose(after, before, rtol=1e-4, atol=1e-3 * float(scaling.deviations.min())):
        raise RuntimeError(f"the scaling of the targets was not folded into {type(model).__name__} correctly")

    def named(numbers: np.ndarray) -> dict[str, float]:
        return {name: float(n) for name, n in zip(targets.names, numbers, strict=True)}

    setattr(model.config, MEANS, named(scaling.means))
    setattr(model.config, DEVIATIONS, named(scaling.deviations))
    setattr(model.config, UNITS, dict(targets.units))
    if offsets is not None:
        setattr(model.config, OFFSETS, named(offsets))


def model_card(
    run: Reporter,
    rows: DatasetDict,
    targets: Targets,
    scaling: Scaling,
    found: Mapping[str, float],
    done: Fit,
    note: str,
) -> str:
    """Write the model card. note: the metrics of each target."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    about = [
        f"{name}{f' ({targets.units[name]})' if name in targets.units else ''}: mean {mean:.5g}, "
        f"standard deviation {deviation:.5g}"
        for name, mean, deviation in zip(targets.names, scaling.means, scaling.deviations, strict=True)
    ]
    return card.card(
        run,
        task="text-classification",
        title="Text regression model",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"Your text"'),
        data={
            "targets" if len(about) > 1 else "target": "; ".join(about),
            "training texts": len(rows["train"]),
            "validation texts": validation,
            "steps": f"{done.steps} of {done.planned}",
        },
        metrics=found,
        measured_on=f"{validation} validation texts",
        note=" ".join(filter(None, [done.selection_note("texts") if found else "", note])),
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The regression model that a run has trained.

    Inputs: `{"text": str}`. Predictions: `{"values": {target: number}, "panels"}`, and `"units": {target: unit}` of
    targets that have one. `note`: the text was truncated.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._tokenizer = saved.load_model(
            directory / "model", AutoModelForSequenceClassification, AutoTokenizer
        )
        config = self._model.config
        self._names = [config.id2label[i] for i in range(config.num_labels)]
        self._units = getattr(config, UNITS, None) or {}
        offsets = getattr(config, OFFSETS, None) or {}
        self._offsets = np.asarray([offsets.get(name, 0.0) for name in self._names])

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Predict the numbers of texts.

        Raises:
            UserError: a text is missing or empty.
        """
        outputs = predict_logits(self._model, self._tokenizer, texts_of(inputs, "text"))
        return [self._prediction(logits + self._offsets, note) for logits, note in outputs]

    def _prediction(self, numbers: np.ndarray, note: str) -> dict[str, Any]:
        values = {name: float(n) for name, n in zip(self._names, numbers, strict=True)}
        more = {**({"units": self._units} if self._units else {}), **({"note": note} if note else {})}
        panel = panels.numbers("Prediction", values, units=self._units, note=note)
        return {"values": values, **more, "panels": [panel]}
