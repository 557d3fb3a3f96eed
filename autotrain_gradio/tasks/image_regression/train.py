"""Image regression: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import DatasetDict
from transformers import AutoImageProcessor, AutoModelForImageClassification, Trainer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.image_regression import TASK
from autotrain_gradio.tasks.image_regression.evaluation import ImageNumberEvaluator, evaluation
from autotrain_gradio.tasks.image_regression.preview import preview
from autotrain_gradio.training import card, distributed, image_explanation, image_models, saved, vision
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.image_prediction import predict_logits, save_white_level
from autotrain_gradio.training.image_probe import probe
from autotrain_gradio.training.image_splits import read_images
from autotrain_gradio.training.images import collate
from autotrain_gradio.training.number_outputs import (
    COMPARED,
    NumberHead,
    about_targets,
    best_metric,
    fold_scaling,
)
from autotrain_gradio.training.number_targets import Targets
from autotrain_gradio.training.regression_loss import loss_function
from autotrain_gradio.training.scaling import Scaling
from autotrain_gradio.training.text_models import last_linear
from autotrain_gradio.training.tiny_image_model import tiny_model

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

PREDICTION_BATCH_SIZE = 32
"""Batch size of predictions."""
RAISED = "the number"
"""What the bright parts of a gradient map raise."""


def train(run: Reporter) -> None:
    """Fine-tune a regression model on the run's images, and write the model and a report.

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
        best=best_metric(run, values.get("validation"), TASK.declared_metric, "images"),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        model, processor, geometry = image_models.open_model(
            run.spec.model, targets.names, seed=params.seed, scratch=folder, problem_type=image_models.NUMBERS
        )
    last_linear(model, len(targets.names))  # before the training: without it the model cannot be saved
    if params.freeze_backbone:
        image_models.freeze_backbone(model)
    elif note := image_models.batch_norm_note(model, distributed.world_size(), params.batch_size):
        run.note(note, hint="If the metrics are worse, raise the batch size, or train in one process.")
    train_set, valid_set = read_images(run, rows, geometry, lambda part: scaling.scale(targets.values(part)))
    if run.stop_requested():
        return
    evaluations = evaluation(
        run, valid_set, values.get("validation", np.empty((0, len(targets.names)))), targets, scaling
    )
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=collate,
        compute_loss_func=loss_function(params.loss_function),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    sample = collate([train_set[i] for i in range(min(COMPARED, len(train_set)))])
    fold_scaling(trainer.model, targets, scaling, {"pixel_values": sample["pixel_values"]})
    save_white_level(run, trainer.model)
    write = saved.writer(
        trainer.model, processor, AutoModelForImageClassification, AutoImageProcessor, classes=len(targets.names)
    )
    note = evaluations.best.target_note() if isinstance(evaluations.best, ImageNumberEvaluator) else ""
    card.save(run, write, model_card(run, rows, about_targets(targets, scaling), found, done, note))
    if valid_set is not None and isinstance(evaluations.best, ImageNumberEvaluator):
        shown = evaluations.best.largest_errors(params.gradient_maps)
        maps = image_explanation.report_panel(run, trainer.model, valid_set, shown, what=RAISED)
        report = [*report[:-1], *maps, report[-1]]  # in front of the panel about the training
    run.report(report)


def model_card(
    run: Reporter, rows: DatasetDict, about: list[str], found: Mapping[str, float], done: Fit, note: str
) -> str:
    """Write the model card. about: description of each target. note: the metrics of each target."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    return card.card(
        run,
        task="image-classification",
        title="Image regression model",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"photo.jpg"'),
        data={
            "targets" if len(about) > 1 else "target": "; ".join(about),
            "training images": len(rows["train"]),
            "validation images": validation,
            "steps": f"{done.steps} of {done.planned}",
        },
        metrics=found,
        measured_on=f"{validation} validation images",
        note=" ".join(filter(None, [done.selection_note("images") if found else "", note])),
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The regression model that a run has trained.

    Inputs: `{"image": path}`. Predictions: `{"values": {target: number}, "panels"}`, and `"units": {target: unit}` of
    targets that have one. Images are preprocessed as the validation images of the training.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._model, processor = saved.load_model(
            directory / "model", AutoModelForImageClassification, AutoImageProcessor
        )
        self._geometry = vision.Geometry.of(processor)
        self._head = NumberHead.of_config(self._model.config)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Predict the numbers of images.

        Raises:
            UserError: an image is missing or cannot be read.
        """
        batches = predict_logits(self._model, self._geometry, inputs, batch_size=PREDICTION_BATCH_SIZE)
        return [self._head.prediction(row) for logits in batches for row in logits.cpu().numpy()]

    def explain(self, path: str) -> Panel:
        """Return the gradient maps of the numbers of an image.

        Raises:
            UserError: the image is missing or cannot be read.
        """
        outputs = dict(enumerate(self._head.names))
        return image_explanation.prediction_panel(
            self._directory, self._model, self._geometry, path, outputs, what=RAISED
        )
