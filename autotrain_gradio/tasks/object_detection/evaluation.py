"""Object detection: metrics, sample predictions and the report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.object_detection import TASK
from autotrain_gradio.tasks.object_detection.average_precision import (
    Detections,
    Precision,
    average_precision,
    iou,
)
from autotrain_gradio.tasks.object_detection.batches import DetectionImages
from autotrain_gradio.tasks.object_detection.boxes_panel import LEAST_SHOWN, boxes_panel
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.vision import thumbnail

SHOWN = 8
"""Validation images whose predictions are shown at each evaluation."""
WORST = 16
THRESHOLD = 0.5
"""Score from which boxes are shown at first, and counted in the confusion matrix."""
STORED = 30
"""Best boxes of an image that are stored with any score, for the slider of the threshold."""
LEAST_IOU = 0.5
SIDE = 480
"""Longest side in pixels of the images that are shown."""
MATRIX_CLASSES = 25
BACKGROUND = "background"


def evaluation(run: Reporter, images: DetectionImages | None, names: list[str]) -> Evaluation:
    """Return the evaluation of a detector of these classes on the validation images; None: there are none."""
    if images is None:
        return Evaluation(run, 0, "images", declared=TASK.metrics)
    shown = sorted(np.random.default_rng(run.params.seed).permutation(len(images))[:SHOWN].tolist())
    make = lambda: DetectionEvaluator(run, images, names, shown)  # noqa: E731
    return Evaluation(run, len(images), "images", make=make, declared=TASK.metrics)


class DetectionEvaluator:
    """The state of one evaluation on the validation images. shown: rows of the sample predictions."""

    def __init__(self, run: Reporter, images: DetectionImages, names: list[str], shown: list[int]) -> None:
        self._run, self._images, self._names, self._shown = run, images, names, shown
        self._predicted: dict[int, Detections] = {}
        self._true: dict[int, Detections] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._precision: Precision | None = None

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of what `trainer.decode` returns. targets: row, height and width (batch, 3)."""
        for found, (row, height, width) in zip(outputs, targets.tolist(), strict=True):
            self._sizes[row] = width, height
            kept = found[found[:, 1] >= 0]
            corners = np.clip(kept[:, 2:], 0, 1) * np.array([width, height, width, height])
            self._predicted[row] = Detections(corners, kept[:, 1].astype(np.int64), kept[:, 0])
            boxes, labels = self._images.annotations(row)
            ends = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
            self._true[row] = Detections(ends, labels, np.ones(len(labels)))

    def compute(self) -> dict[str, float]:
        """Return the metrics of COCO."""
        order = sorted(self._true)
        self._precision = average_precision(
            [self._true[row] for row in order], [self._predicted[row] for row in order], len(self._names)
        )
        return dict(self._precision.metrics)

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few images."""
        items = [self._item(row, "samples") for row in self._shown]
        note, title = "Annotated boxes are dashed.", "Predictions on the same validation images"
        return boxes_panel(title, items, note=note, threshold=THRESHOLD)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        return panels.numbers("Results", metrics.formatted(values, declared))

    def report(self) -> list[Panel]:
        """Return the metrics of each class, precision over recall, confusions, and the images with most mistakes."""
        assert self._precision is not None
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        counts = self._confusions()
        made = [self._classes_panel(), self._curve_panel()]
        if len(self._names) <= MATRIX_CLASSES:
            note = f"Boxes with a score of at least {THRESHOLD}, matched at an IoU of at least {LEAST_IOU}. "
            note += "Background: an object that was not found, or a box where there is none."
            names = [*self._names, BACKGROUND]
            matrix = panels.matrix("Confusion matrix", names, counts.tolist(), rows="true", columns="predicted")
            made.append({**matrix, "note": note})
        ranked = sorted(self._true, key=lambda row: -self._mistakes(row))
        worst = [row for row in ranked if self._mistakes(row)][:WORST]
        if worst:
            note = "Annotated boxes are dashed."
            items = [self._item(row, "report") for row in worst]
            made.append(boxes_panel("Images with most mistakes", items, note=note, threshold=THRESHOLD))
        return made

    def _classes_panel(self) -> Panel:
        assert self._precision is not None
        objects = np.bincount(np.concatenate([t.labels for t in self._true.values()]), minlength=len(self._names))
        rows = [
            [name, *(None if v is None else round(v, 4) for v in found), int(count)]
            for name, found, count in zip(self._names, self._precision.classes, objects, strict=True)
        ]
        return panels.table("Each class", ["class", "mAP", "mAP50", "objects"], rows)

    def _curve_panel(self) -> Panel:
        assert self._precision is not None
        curves = self._precision.curves
        known = curves[(curves > -1).all(axis=1)]
        mean = known.mean(axis=0) if len(known) else np.zeros(len(self._precision.recalls))
        points = [(round(float(r), 2), round(float(p), 4)) for r, p in zip(self._precision.recalls, mean, strict=True)]
        return panels.lines("Precision and recall", {"precision": points}, x="recall", y="precision")

    def _matches(self, row: int) -> list[tuple[int, int]]:
        """Return pairs of true and predicted class of an image; the number of classes means background."""
        true, found = self._true[row], self._predicted[row]
        sure = np.flatnonzero(found.scores >= THRESHOLD)
        overlaps = iou(true.boxes, found.boxes[sure])
        free, pairs, none = set(range(len(true.labels))), [], len(self._names)
        for place, box in enumerate(sure.tolist()):  # the best scores first
            best = max(free, key=lambda t: (overlaps[t, place], -t), default=None)
            if best is not None and overlaps[best, place] >= LEAST_IOU:
                free.discard(best)
                pairs.append((int(true.labels[best]), int(found.labels[box])))
            else:
                pairs.append((none, int(found.labels[box])))
        return pairs + [(int(true.labels[t]), none) for t in sorted(free)]

    def _mistakes(self, row: int) -> int:
        return sum(true != predicted for true, predicted in self._matches(row))

    def _confusions(self) -> np.ndarray:
        counts = np.zeros((len(self._names) + 1, len(self._names) + 1), dtype=int)
        for row in self._true:
            for true, predicted in self._matches(row):
                counts[true, predicted] += 1
        return counts

    def _item(self, row: int, folder: str) -> dict[str, Any]:
        file = self._run.directory / folder / f"{row}.jpg"
        if not file.exists():
            thumbnail(self._images.image(row), file, SIDE)
        width, height = self._sizes[row]
        true, found = self._true[row], self._predicted[row]
        boxes: list[dict[str, Any]] = [
            {"box": b, "label": self._names[n], "true": True}
            for b, n in zip(true.boxes.tolist(), true.labels.tolist(), strict=True)
        ]
        predicted = [
            {"box": b, "label": self._names[n], "score": s}
            for b, n, s in zip(found.boxes.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True)
        ]  # the best first
        boxes += [
            b for place, b in enumerate(predicted) if b["score"] >= (LEAST_SHOWN if place < STORED else THRESHOLD)
        ]
        return {"file": f"{folder}/{file.name}", "width": width, "height": height, "boxes": boxes}
