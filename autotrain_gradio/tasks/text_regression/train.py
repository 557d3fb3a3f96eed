"""Text regression: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import DatasetDict
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.text_regression import TASK, models
from autotrain_gradio.tasks.text_regression.evaluation import NumberEvaluator, evaluation
from autotrain_gradio.tasks.text_regression.models import tiny_model
from autotrain_gradio.tasks.text_regression.preview import preview
from autotrain_gradio.tasks.text_regression.probe import probe
from autotrain_gradio.training import card, distributed, saved, text_models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.number_outputs import COMPARED, NumberHead, about_targets, best_metric, fold_scaling
from autotrain_gradio.training.number_targets import Targets
from autotrain_gradio.training.regression_loss import loss_function
from autotrain_gradio.training.scaling import Scaling
from autotrain_gradio.training.text import Collate, tokenize_splits
from autotrain_gradio.training.text_models import last_linear
from autotrain_gradio.training.text_prediction import predict_logits, texts_of
from autotrain_gradio.training.tokens import longest
from autotrain_gradio.training.trainer_internals import LengthGroupedTrainer

__all__ = ["load", "preview", "probe", "tiny_model", "train"]


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
        best=best_metric(run, values.get("validation"), TASK.declared_metric, "texts"),
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
    sample = Collate(tokenizer)([sets["train"][i] for i in range(min(COMPARED, len(sets["train"])))])
    fold_scaling(model, targets, scaling, {k: v for k, v in sample.items() if k != "labels"})
    write = saved.writer(
        model, tokenizer, AutoModelForSequenceClassification, AutoTokenizer, classes=len(targets.names)
    )
    note = evaluations.best.target_note() if isinstance(evaluations.best, NumberEvaluator) else ""
    card.save(run, write, model_card(run, rows, targets, scaling, found, done, note))
    run.report(report)


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
    about = about_targets(targets, scaling)
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
        self._head = NumberHead.of_config(self._model.config)

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Predict the numbers of texts.

        Raises:
            UserError: a text is missing or empty.
        """
        outputs = predict_logits(self._model, self._tokenizer, texts_of(inputs, "text"))
        return [self._head.prediction(logits, note) for logits, note in outputs]
