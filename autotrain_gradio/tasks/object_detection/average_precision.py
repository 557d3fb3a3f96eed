"""Average precision of boxes as COCO defines it, by faster-coco-eval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from autotrain_gradio.tasks.object_detection.boxes import to_xywh

MOST_DETECTIONS = 100
IOU_50 = 0


@dataclass
class Detections:
    """The boxes of an image: corners in pixels (n, 4), classes (n,), and scores (n,) of predicted ones."""

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


@dataclass
class Precision:
    """The metrics of all images, of each class, and the curves of precision over recall at an IoU of 0.5.

    classes: average precision (IoU 0.5 to 0.95; 0.5) of each class; None: the class has no object.
    recalls: (101,). curves: precision at each recall (classes, 101); -1 where the class has no object.
    """

    metrics: dict[str, float]
    classes: list[tuple[float | None, float | None]]
    recalls: np.ndarray
    curves: np.ndarray


def average_precision(true: Sequence[Detections], predicted: Sequence[Detections], classes: int) -> Precision:
    """Compare the predicted boxes of images with the annotated ones."""
    annotations: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image, (one, other) in enumerate(zip(true, predicted, strict=True), 1):
        for box, label in zip(to_xywh(one.boxes).tolist(), one.labels.tolist(), strict=True):
            number = len(annotations) + 1
            annotations.append({"id": number, "image_id": image, "category_id": label + 1, "bbox": box, "iscrowd": 0})
            annotations[-1]["area"] = box[2] * box[3]
        for box, label, score in zip(
            to_xywh(other.boxes).tolist(), other.labels.tolist(), other.scores.tolist(), strict=True
        ):
            found.append({"image_id": image, "category_id": label + 1, "bbox": box, "score": score})
    if not found or not annotations:
        return _nothing(true, classes)
    truth = COCO(
        {
            "images": [{"id": n} for n in range(1, len(true) + 1)],
            "categories": [{"id": n + 1, "name": str(n)} for n in range(classes)],
            "annotations": annotations,
        }
    )
    evaluation = COCOeval_faster(truth, truth.loadRes(found), "bbox", print_function=lambda *words: None)
    evaluation.evaluate()
    evaluation.accumulate()
    precision = np.asarray(evaluation.eval["precision"])  # (IoU, recall, class, area, number of detections)
    recall = np.asarray(evaluation.eval["recall"])  # (IoU, class, area, number of detections)
    overall = precision[:, :, :, 0, -1]
    values = {"map": _mean(overall), "map_50": _mean(overall[IOU_50]), "map_75": _mean(overall[5])}
    for number, name in enumerate(("small", "medium", "large"), 1):
        part = precision[:, :, :, number, -1]
        if (part > -1).any():
            values[f"map_{name}"] = _mean(part)
    values["mar_100"] = _mean(recall[:, :, 0, -1])
    each = [(_or_none(overall[:, :, c]), _or_none(overall[IOU_50, :, c])) for c in range(classes)]
    return Precision(values, each, np.linspace(0, 1, overall.shape[1]), overall[IOU_50].T)


def _nothing(true: Sequence[Detections], classes: int) -> Precision:
    """Return the metrics where nothing was predicted."""
    having = {int(label) for one in true for label in one.labels}
    each: list[tuple[float | None, float | None]] = [
        (0.0, 0.0) if c in having else (None, None) for c in range(classes)
    ]
    metrics = dict.fromkeys(("map", "map_50", "map_75", "mar_100"), 0.0)
    return Precision(metrics, each, np.linspace(0, 1, 101), np.zeros((classes, 101)))


def _mean(values: np.ndarray) -> float:
    known = values[values > -1]
    return float(known.mean()) if known.size else 0.0


def _or_none(values: np.ndarray) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None


def iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the intersection over union of corners (n, 4) and (m, 4), as (n, m)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(axis=1) for b in (one, other)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9))
