"""Image classification: training and prediction. Workers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import DatasetDict
from transformers import AutoImageProcessor, AutoModelForImageClassification, Trainer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.image_classification import TASK
from autotrain_gradio.tasks.image_classification.evaluation import evaluation
from autotrain_gradio.tasks.image_classification.preview import preview
from autotrain_gradio.training import card, distributed, saved, vision
from autotrain_gradio.training import image_models as models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.image_prediction import predict_logits, save_white_level
from autotrain_gradio.training.image_probe import probe
from autotrain_gradio.training.image_splits import read_images
from autotrain_gradio.training.images import collate
from autotrain_gradio.training.tiny_image_model import tiny_model

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

PREDICTION_BATCH_SIZE = 32
"""Batch size of predictions."""


def train(run: Reporter) -> None:
    """Fine-tune a classifier on the run's images, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    rows = data.load(run.directory)
    names = list(rows["train"].features["target"].names)
    if len(names) < 2:
        raise DataError("There is only one class.", "Add images of at least one other.", "data", "one-class")
    metric = (
        "f1_macro" if run.params.metric_for_best_model == "f1" and len(names) > 2 else run.params.metric_for_best_model
    )
    args = arguments(
        run.params,
        TrainingArguments,
        run,
        train_rows=len(rows["train"]),
        validates="validation" in rows,
        best=TASK.declared_metric(metric),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        model, processor, geometry = models.open_model(run.spec.model, names, seed=run.params.seed, scratch=folder)
    if run.params.freeze_backbone:
        models.freeze_backbone(model)
    elif note := models.batch_norm_note(model, distributed.world_size(), run.params.batch_size):
        run.note(note, hint="If the metrics are worse, raise the batch size, or train in one process.")
    train_set, valid_set = read_images(run, rows, geometry, lambda part: part["target"])
    if run.stop_requested():
        return
    evaluations = evaluation(run, valid_set, names)
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=collate,
        compute_loss_func=loss_function(run.params, train_set.targets, len(names)),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    save_white_level(run, trainer.model)
    write = saved.writer(
        trainer.model, processor, AutoModelForImageClassification, AutoImageProcessor, classes=len(names)
    )
    card.save(run, write, model_card(run, rows, names, found, done))
    run.report(report)


def loss_function(params: Any, targets: Sequence[int], classes: int) -> Callable[..., torch.Tensor]:
    """Return the cross-entropy loss with class weights and label smoothing.

    Balanced weights are rows / (classes that occur × rows of the class), as scikit-learn's `class_weight="balanced"`:
    their mean over the training rows is 1. The loss is the mean over all rows of an optimizer step, accumulated
    batches included.
    """
    weights = None
    if params.class_weights == "balanced":
        counts = Counter(targets)
        weights = torch.tensor(
            [len(targets) / (len(counts) * counts[i]) if i in counts else 0.0 for i in range(classes)]
        )

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs.logits
        scale = None if weights is None else weights.to(logits)
        total = torch.nn.functional.cross_entropy(
            logits, labels, weight=scale, label_smoothing=params.label_smoothing, reduction="sum"
        )
        return total / (len(labels) if num_items_in_batch is None else num_items_in_batch)

    return loss


def model_card(run: Reporter, rows: DatasetDict, names: list[str], found: Mapping[str, float], done: Fit) -> str:
    """Write the model card."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    shown = names if len(names) <= 50 else [*names[:50], f"and {len(names) - 50} more"]
    facts = {"classes": ", ".join(shown), "training images": len(rows["train"]), "validation images": validation}
    return card.card(
        run,
        task="image-classification",
        title="Image classifier",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"photo.jpg"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation images",
        note=done.selection_note("images") if found else "",
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The classifier that a run has trained.

    Inputs: `{"image": path}`. Predictions: `{"label", "scores": {label: probability}, "panels"}`, the most likely
    first. Images are preprocessed as the validation images of the training.
    """

    def __init__(self, directory: Path) -> None:
        self._model, processor = saved.load_model(
            directory / "model", AutoModelForImageClassification, AutoImageProcessor
        )
        self._geometry = vision.Geometry.of(processor)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Classify images.

        Raises:
            UserError: an image is missing or cannot be read.
        """
        batches = predict_logits(self._model, self._geometry, inputs, batch_size=PREDICTION_BATCH_SIZE)
        return [self._prediction(row) for logits in batches for row in logits.softmax(-1).cpu().numpy()]

    def _prediction(self, row: np.ndarray) -> dict[str, Any]:
        names = self._model.config.id2label
        scores = {names[int(i)]: float(row[i]) for i in np.argsort(-row, kind="stable")}
        return {"label": next(iter(scores)), "scores": scores, "panels": [panels.scores("Prediction", scores)]}
