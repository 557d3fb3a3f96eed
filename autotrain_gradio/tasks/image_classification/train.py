"""Image classification: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import DatasetDict
from transformers import AutoImageProcessor, AutoModelForImageClassification, Trainer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.image_classification import TASK
from autotrain_gradio.tasks.image_classification.evaluation import image_item
from autotrain_gradio.tasks.image_classification.preview import preview
from autotrain_gradio.training import card, distributed, image_explanation, saved, vision
from autotrain_gradio.training import image_models as models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.class_labels import Labels, thresholds_of
from autotrain_gradio.training.classification_loss import loss_function
from autotrain_gradio.training.evaluators.classifier import (
    ClassEvaluator,
    LabelEvaluator,
    best_metric,
    classifier_evaluation,
    store_thresholds,
)
from autotrain_gradio.training.evaluators.gallery_view import GalleryView
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.image_prediction import predict_logits, save_white_level
from autotrain_gradio.training.image_probe import probe
from autotrain_gradio.training.image_splits import read_images
from autotrain_gradio.training.images import collate
from autotrain_gradio.training.tiny_image_model import tiny_model

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

PREDICTION_BATCH_SIZE = 32
"""Batch size of predictions."""
RAISED = "the score of the class that is named first"
"""What the bright parts of a gradient map raise."""


def train(run: Reporter) -> None:
    """Fine-tune a classifier on the run's images, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    labels = Labels.of(rows["train"], "images")
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(rows["train"]),
        validates="validation" in rows,
        best=TASK.declared_metric(best_metric(params, labels)),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        model, processor, geometry = models.open_model(
            run.spec.model,
            labels.names,
            seed=params.seed,
            scratch=folder,
            problem_type=models.LABELS if labels.multi_label else models.CLASSES,
        )
    if params.freeze_backbone:
        models.freeze_backbone(model)
    elif note := models.batch_norm_note(model, distributed.world_size(), params.batch_size):
        run.note(note, hint="If the metrics are worse, raise the batch size, or train in one process.")
    train_set, valid_set = read_images(run, rows, geometry, labels.targets)
    if run.stop_requested():
        return
    evaluations = classifier_evaluation(
        run,
        None if valid_set is None else valid_set.targets,
        labels,
        None if valid_set is None else GalleryView(run, partial(image_item, run, valid_set), "images"),
        noun="images",
        declared=TASK.metrics,
    )
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=collate,
        compute_loss_func=loss_function(params, train_set.targets),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    save_white_level(run, trainer.model)
    note = store_thresholds(trainer.model.config, labels, params, evaluations.best, "images")
    write = saved.writer(
        trainer.model, processor, AutoModelForImageClassification, AutoImageProcessor, classes=len(labels.names)
    )
    card.save(run, write, model_card(run, rows, labels, found, done, note))
    if valid_set is not None and isinstance(evaluations.best, ClassEvaluator | LabelEvaluator):
        wrong = evaluations.best.mistakes()[0][: params.gradient_maps]
        shown = [(m.row, m.label, f"{m.name} {m.score:.2f} ({m.truth})") for m in wrong]
        maps = image_explanation.report_panel(run, trainer.model, valid_set, shown, what=RAISED)
        report = [*report[:-1], *maps, report[-1]]  # in front of the panel about the training
    run.report(report)


def model_card(
    run: Reporter, rows: DatasetDict, labels: Labels, found: Mapping[str, float], done: Fit, note: str
) -> str:
    """Write the model card. note: about the thresholds."""
    names = labels.names
    validation = len(rows["validation"]) if "validation" in rows else 0
    shown = names if len(names) <= 50 else [*names[:50], f"and {len(names) - 50} more"]
    facts = {
        "labels (multi-label)" if labels.multi_label else "classes": ", ".join(shown),
        "training images": len(rows["train"]),
        "validation images": validation,
    }
    return card.card(
        run,
        task="image-classification",
        title="Image classifier",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"photo.jpg"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation images",
        note=" ".join(filter(None, [done.selection_note("images") if found else "", note])),
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The classifier that a run has trained.

    Inputs: `{"image": path}`. Predictions: `{"label", "scores": {label: probability}, "panels"}`, the most likely
    first; of a multi-label model `{"labels", "scores", "thresholds", "panels"}`, `labels` being those whose score
    reaches their threshold. Images are preprocessed as the validation images of the training.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._model, processor = saved.load_model(
            directory / "model", AutoModelForImageClassification, AutoImageProcessor
        )
        self._geometry, config = vision.Geometry.of(processor), self._model.config
        self._labels = Labels.of_config(config)
        self._limits = thresholds_of(config, self._labels)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Classify images.

        Raises:
            UserError: an image is missing or cannot be read.
        """
        batches = predict_logits(self._model, self._geometry, inputs, batch_size=PREDICTION_BATCH_SIZE)
        scores = (self._labels.scores(logits.cpu().numpy()) for logits in batches)
        return [self._labels.prediction(row, self._limits) for batch in scores for row in batch]

    def explain(self, path: str) -> Panel:
        """Return the gradient maps of the predicted class of an image, or of its labels.

        Raises:
            UserError: the image is missing or cannot be read.
        """
        found = self([{"image": path}])[0]
        names = found["labels"] if self._labels.multi_label else [found["label"]]
        outputs = {self._labels.names.index(name): f"{name} {found['scores'][name]:.2f}" for name in names}
        return image_explanation.prediction_panel(
            self._directory, self._model, self._geometry, path, outputs, what=RAISED
        )
