"""Image segmentation: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import DatasetDict
from PIL import Image
from transformers import AutoImageProcessor, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.image_segmentation import TASK, models
from autotrain_gradio.tasks.image_segmentation.augmentation import MaskTransform
from autotrain_gradio.tasks.image_segmentation.batches import Collator, SegmentationImages
from autotrain_gradio.tasks.image_segmentation.evaluation import SIDE, evaluation
from autotrain_gradio.tasks.image_segmentation.mask_reader import MaskReader
from autotrain_gradio.tasks.image_segmentation.masks_panel import masks_panel
from autotrain_gradio.tasks.image_segmentation.outputs import label_map, scores_of
from autotrain_gradio.tasks.image_segmentation.overlays import item_of
from autotrain_gradio.tasks.image_segmentation.preview import preview
from autotrain_gradio.tasks.image_segmentation.probe import probe
from autotrain_gradio.tasks.image_segmentation.tiny import tiny_model
from autotrain_gradio.tasks.image_segmentation.trainer import SegmentationTrainer
from autotrain_gradio.training import card, distributed, prediction_files, saved, vision
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.image_prediction import WHITE, save_white_level

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

MOST_WEIGHT = 10.0
"""Greatest class weight, relative to the smallest."""


def train(run: Reporter) -> None:
    """Fine-tune a model on the run's images and masks, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    rows = data.load(run.directory)
    reader = MaskReader.of(run.directory)
    names = reader.names
    args = arguments(
        run.params,
        TrainingArguments,
        run,
        train_rows=len(rows["train"]),
        validates="validation" in rows,
        best=TASK.declared_metric(run.params.metric_for_best_model),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    run.state("preparing", "Loading the model")
    side = run.params.image_square_size
    with distributed.temporary_folder() as folder:
        model, processor = models.open_model(run.spec.model, names, side=side, seed=run.params.seed, scratch=folder)
    if run.params.freeze_backbone:
        models.freeze_backbone(model)
    white = vision.white_level(run.directory, "image")
    train_set = SegmentationImages(rows["train"], reader, transform=MaskTransform(run.params), white=white)
    valid_set = SegmentationImages(rows["validation"], reader, white=white) if "validation" in rows else None
    evaluations = evaluation(run, valid_set, names)
    trainer = SegmentationTrainer(
        model=model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=Collator(processor),
        class_weights=_class_weights(run, reader, model.config.model_type),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    save_white_level(run, trainer.model)
    write = saved.writer(trainer.model, processor, models.Segmenter, AutoImageProcessor, classes=len(names))
    card.save(run, write, model_card(run, rows, names, found, done))
    run.report(report)


def _class_weights(run: Reporter, reader: MaskReader, model_type: str) -> torch.Tensor | None:
    """Return the class weights of the loss, of mean 1 over the pixels; None: all are equal.

    Raises:
        UserError: the loss of the model has none.
    """
    if run.params.class_weights == "none":
        return None
    if model_type in models.QUERIES:
        message = f"The loss of {model_type} compares whole masks, and has no class weights."
        raise UserError(message, "Set class_weights to none.", "params.class_weights", "no-class-weights")
    counts = np.asarray(reader.pixels, dtype=np.float64)
    weights = 1 / np.sqrt(np.maximum(counts, 1))
    weights = np.minimum(weights, MOST_WEIGHT * weights[counts > 0].min())
    mean = (weights * counts).sum() / counts.sum()
    return torch.tensor(weights / mean, dtype=torch.float32)


def model_card(run: Reporter, rows: DatasetDict, names: list[str], found: Mapping[str, float], done: Fit) -> str:
    """Write the model card."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    shown = names if len(names) <= 50 else [*names[:50], f"and {len(names) - 50} more"]
    facts = {"classes": ", ".join(shown), "training images": len(rows["train"]), "validation images": validation}
    return card.card(
        run,
        task="image-segmentation",
        title="Image segmentation model",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"photo.jpg"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation images",
        note=done.selection_note("images") if found else "",
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The segmentation model that a run has trained.

    Inputs: `{"image": path}`. Predictions: `{"shares": {class: share of the pixels}, "mask": file, "panels"}`. The mask
    is a PNG of the size of the image with class numbers as values, kept in the run for an hour.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._model, self._processor = saved.load_model(directory / "model", models.Segmenter, AutoImageProcessor)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Segment images.

        Raises:
            UserError: an image is missing or cannot be read.
        """
        return [self._prediction(str(given.get("image") or "")) for given in inputs]

    def _prediction(self, path: str) -> dict[str, Any]:
        if not path or not Path(path).is_file():
            message = "No image was given, or the file does not exist."
            raise UserError(message, "Give the path of an image.", path, "no-image")
        config = self._model.config
        image = vision.open_image({"path": path, "bytes": None}, white=getattr(config, WHITE, None))
        made = self._processor(images=image, return_tensors="pt")
        outputs = self._model(pixel_values=made["pixel_values"].to(self._model.device))
        scores = scores_of(outputs, config.model_type)[0]
        mask = label_map(scores, (image.height, image.width)).cpu().numpy()
        names = [str(config.id2label[n]) for n in range(config.num_labels)]
        counts = np.bincount(mask.reshape(-1), minlength=len(names)) / mask.size
        folder = prediction_files.new_folder(self._directory / prediction_files.FOLDER)
        file = folder / "mask.png"
        Image.fromarray(mask, "L").save(file)
        item = item_of(folder, self._directory, "image", image, [("predicted", mask)], names, side=SIDE)
        shares = {name: float(share) for name, share in zip(names, counts, strict=True)}
        present = sorted((n for n in shares if shares[n]), key=lambda n: -shares[n])
        note = "Share of the pixels: " + ", ".join(f"{n} {100 * shares[n]:.1f} %" for n in present[:10]) + "."
        where = file.relative_to(self._directory).as_posix()
        return {"shares": shares, "mask": where, "panels": [masks_panel("Segmentation", [item], names, note=note)]}
