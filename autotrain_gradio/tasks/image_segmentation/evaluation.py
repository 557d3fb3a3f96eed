"""Image segmentation: metrics, sample predictions and the report."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.image_segmentation import TASK
from autotrain_gradio.tasks.image_segmentation.batches import SegmentationImages
from autotrain_gradio.tasks.image_segmentation.mask_classes import IGNORE
from autotrain_gradio.tasks.image_segmentation.masks_panel import masks_panel
from autotrain_gradio.tasks.image_segmentation.overlays import item_of
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Evaluation

SHOWN = 8
"""Validation images whose predictions are shown at each evaluation."""
WORST = 12
SIDE = 480
"""Longest side in pixels of the images that are shown."""
MATRIX_CLASSES = 25
CONFUSED = 12
"""Pairs of classes that are listed as confused."""


def scores_of_classes(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return IoU, accuracy (recall) and precision of each class, NaN where they are not defined.

    counts: pixels of each true (rows) and predicted class (columns).
    """
    hits, true, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return hits / (true + predicted - hits), hits / true, hits / predicted


def summarize(counts: np.ndarray) -> dict[str, float]:
    """Return mIoU and mean accuracy (over the classes that occur), and the share of the right pixels."""
    overlap, accuracy, _ = scores_of_classes(counts)
    return {
        "miou": _mean(overlap),
        "mean_accuracy": _mean(accuracy),
        "pixel_accuracy": float(np.trace(counts) / max(1, counts.sum())),
    }


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def evaluation(run: Reporter, images: SegmentationImages | None, names: list[str]) -> Evaluation:
    """Return the evaluation of a model of these classes on the validation images; None: there are none."""
    if images is None:
        return Evaluation(run, 0, "images", declared=TASK.metrics)
    shown = sorted(np.random.default_rng(run.params.seed).permutation(len(images))[:SHOWN].tolist())
    make = lambda: SegmentationEvaluator(run, images, names, shown)  # noqa: E731
    return Evaluation(run, len(images), "images", make=make, declared=TASK.metrics)


class SegmentationEvaluator:
    """The state of one evaluation on the validation images. shown: rows of the sample predictions.

    It keeps the counts of all pixels, and the predicted classes of a few images.
    """

    def __init__(self, run: Reporter, images: SegmentationImages, names: list[str], shown: list[int]) -> None:
        self._run, self._images, self._names, self._shown = run, images, names, shown
        self._counts = np.zeros((len(names), len(names)), dtype=np.int64)
        self._maps: dict[int, np.ndarray] = {}
        self._worst: list[tuple[float, int, np.ndarray]] = []
        """Heap of (-mIoU, row, predicted classes): the best of the worst first."""

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of `SegmentationTrainer.prediction_step`. targets: the row numbers (batch,)."""
        for counts, found, row in zip(*outputs, targets.tolist(), strict=True):
            counts = counts.reshape(self._counts.shape)
            self._counts += counts
            if row in self._shown:
                self._maps[row] = found.copy()
            if not counts.sum() or np.trace(counts) == counts.sum():
                continue
            entry = (-summarize(counts)["miou"], row, found)
            if len(self._worst) < WORST:
                heapq.heappush(self._worst, (entry[0], row, found.copy()))
            elif entry[:2] > self._worst[0][:2]:
                heapq.heapreplace(self._worst, (entry[0], row, found.copy()))

    def compute(self) -> dict[str, float]:
        """Return the metrics of all pixels."""
        return summarize(self._counts)

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few images."""
        items = [self._item(row, self._maps[row], "samples") for row in self._shown if row in self._maps]
        return masks_panel("Predictions on the same validation images", items, self._names)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        return panels.numbers("Results", metrics.formatted(values, declared))

    def report(self) -> list[Panel]:
        """Return the metrics of each class, the confused classes, and the worst images."""
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        made = [self._classes_panel()]
        shares = 100 * self._counts / np.maximum(1, self._counts.sum(axis=1, keepdims=True))
        if len(self._names) <= MATRIX_CLASSES:
            note = "Percent of the pixels of each true class."
            rounded = shares.round(1).tolist()
            matrix = panels.matrix("Confusion matrix", self._names, rounded, rows="true", columns="predicted")
            made.append({**matrix, "note": note})
        made += self._confused_panel(shares)
        if self._worst:
            ranked = sorted(self._worst, key=lambda entry: (-entry[0], entry[1]))
            items = [self._item(row, found, "report", f"mIoU {-score:.2f}") for score, row, found in ranked]
            note = "mIoU: of the classes in the image. Ignored pixels are grey."
            made.append(masks_panel("Images with the lowest mIoU", items, self._names, note=note))
        return made

    def _classes_panel(self) -> Panel:
        overlap, accuracy, precision = scores_of_classes(self._counts)
        pixels = 100 * self._counts.sum(axis=1) / max(1, self._counts.sum())
        rows = [
            [name, *(None if np.isnan(v) else round(float(v), 4) for v in found), round(float(share), 2)]
            for name, *found, share in zip(self._names, overlap, accuracy, precision, pixels, strict=True)
        ]
        columns = ["class", "IoU", "accuracy (recall)", "precision", "percent of pixels"]
        note = "Classes without a value are neither in the masks nor in the predictions, and do not count in the means."
        return panels.table("Each class", columns, rows, note=note if np.isnan(overlap).any() else "")

    def _confused_panel(self, shares: np.ndarray) -> list[Panel]:
        """Return the pairs of classes with most wrong pixels."""
        wrong = self._counts.copy()
        np.fill_diagonal(wrong, 0)
        total = max(1, int(self._counts.sum()))
        order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSED]
        pairs = [(int(n) // len(self._names), int(n) % len(self._names)) for n in order]
        rows = [
            [self._names[t], self._names[p], round(100 * wrong[t, p] / total, 3), round(float(shares[t, p]), 1)]
            for t, p in pairs
            if wrong[t, p]
        ]
        columns = ["true", "predicted", "percent of all pixels", "percent of the true class"]
        return [panels.table("Confused classes", columns, rows)] if rows else []

    def _item(self, row: int, found: np.ndarray, folder: str, caption: str = "") -> dict[str, Any]:
        root = self._run.directory
        image = self._images.image(row)
        size = image.shape[:2]
        true = self._images.mask(row, size)
        predicted = cv2.resize(found, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)
        masks = [("annotated", true), ("predicted", np.where(true == IGNORE, IGNORE, predicted))]
        wrong = (true != IGNORE) & (true != predicted)
        return item_of(
            root / folder, root, str(row), image, masks, self._names, side=SIDE, caption=caption, wrong=wrong
        )
