"""Object detection: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import DatasetDict
from transformers import AutoImageProcessor, AutoModelForObjectDetection, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.object_detection import TASK, models
from autotrain_gradio.tasks.object_detection.augmentation import BoxTransform
from autotrain_gradio.tasks.object_detection.average_precision import MOST_DETECTIONS
from autotrain_gradio.tasks.object_detection.batches import Collator, DetectionImages
from autotrain_gradio.tasks.object_detection.boxes_panel import LEAST_SHOWN, boxes_panel
from autotrain_gradio.tasks.object_detection.evaluation import SIDE, THRESHOLD, evaluation
from autotrain_gradio.tasks.object_detection.preview import preview
from autotrain_gradio.tasks.object_detection.probe import probe
from autotrain_gradio.tasks.object_detection.tiny import tiny_model
from autotrain_gradio.tasks.object_detection.trainer import DetectionTrainer
from autotrain_gradio.training import card, distributed, prediction_files, saved, vision
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.image_prediction import WHITE, save_white_level

__all__ = ["load", "preview", "probe", "tiny_model", "train"]


def train(run: Reporter) -> None:
    """Fine-tune a detector on the run's images, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    rows = data.load(run.directory)
    names = list(rows["train"].features["objects"]["category"].feature.names)
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
    train_set = DetectionImages(rows["train"], side, transform=BoxTransform(run.params), white=white)
    valid_set = DetectionImages(rows["validation"], side, white=white) if "validation" in rows else None
    evaluations = evaluation(run, valid_set, names)
    trainer = DetectionTrainer(
        model=model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=Collator(processor),
        processor=processor,
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    save_white_level(run, trainer.model)
    write = saved.writer(trainer.model, processor, AutoModelForObjectDetection, AutoImageProcessor, classes=len(names))
    card.save(run, write, model_card(run, rows, names, found, done))
    run.report(report)


def model_card(run: Reporter, rows: DatasetDict, names: list[str], found: Mapping[str, float], done: Fit) -> str:
    """Write the model card."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    shown = names if len(names) <= 50 else [*names[:50], f"and {len(names) - 50} more"]
    facts = {"classes": ", ".join(shown), "training images": len(rows["train"]), "validation images": validation}
    return card.card(
        run,
        task="object-detection",
        title="Object detector",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"photo.jpg"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation images",
        note=done.selection_note("images") if found else "",
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The detector that a run has trained.

    Inputs: `{"image": path}`, and perhaps `threshold`, the least score (default 0.5). Predictions: `{"objects":
    [{"label", "score", "box": [left, top, right, bottom] in pixels}], "panels"}`, the most likely first.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._model, self._processor = saved.load_model(
            directory / "model", AutoModelForObjectDetection, AutoImageProcessor
        )

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Find the objects of images.

        Raises:
            UserError: an image is missing or cannot be read, or a threshold is not a number from 0 to 1.
        """
        return [self._prediction(str(given.get("image") or ""), _threshold(given.get("threshold"))) for given in inputs]

    def _prediction(self, path: str, threshold: float) -> dict[str, Any]:
        if not path or not Path(path).is_file():
            raise UserError(
                "No image was given, or the file does not exist.", "Give the path of an image.", path, "no-image"
            )
        white = getattr(self._model.config, WHITE, None)
        image = vision.open_image({"path": path, "bytes": None}, white=white)
        made = self._processor(images=image, return_tensors="pt").to(self._model.device)
        size = [(image.height, image.width)]
        outputs = self._model(**made)
        # The page's slider can show boxes under the threshold: they are part of the panel, not of the answer.
        least = min(threshold, LEAST_SHOWN)
        found = self._processor.post_process_object_detection(outputs, threshold=least, target_sizes=size)[0]
        names = self._model.config.id2label
        drawn = [
            {"label": names[int(label)], "score": float(score), "box": box.tolist()}
            for label, score, box in zip(found["labels"], found["scores"], found["boxes"], strict=True)
        ]
        drawn.sort(key=lambda one: -one["score"])
        objects = [one for one in drawn if one["score"] >= threshold]
        file = prediction_files.new_folder(self._directory / prediction_files.FOLDER) / "image.jpg"
        vision.thumbnail(image, file, SIDE)
        shown = file.relative_to(self._directory).as_posix()
        boxes = drawn[: max(len(objects), MOST_DETECTIONS)]
        item = {"file": shown, "width": image.width, "height": image.height, "boxes": boxes}
        note = "" if objects else f"No object has a score of at least {threshold:g}"
        note += f"; the best score is {drawn[0]['score']:.2f}." if note and drawn else "." if note else ""
        return {"objects": objects, "panels": [boxes_panel("Objects", [item], note=note, threshold=threshold)]}


def _threshold(value: Any) -> float:
    if value in (None, ""):
        return THRESHOLD
    try:
        threshold = float(value)
    except (TypeError, ValueError):
        threshold = -1.0
    if not 0 <= threshold <= 1:
        message = f"The confidence threshold must be a number from 0 to 1 (got {value!r})."
        raise UserError(message, "For example: 0.5.", "threshold", "invalid-threshold")
    return threshold
