"""mAP: mean average precision of boxes (COCO), by the public loaders; trivial is to find nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MARGIN = 0.05


def measure_model(rows: Any, folder: Path) -> float:
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModelForObjectDetection

    processor = AutoImageProcessor.from_pretrained(folder)
    model = AutoModelForObjectDetection.from_pretrained(folder).eval()
    true, found = [], []
    for row in rows["validation"]:
        image = Image.open(row["image"]["path"]).convert("RGB")
        with torch.inference_mode():
            outputs = model(**processor(images=image, return_tensors="pt"))
        size = [(image.height, image.width)]
        one = processor.post_process_object_detection(outputs, threshold=0.0, target_sizes=size)[0]
        boxes = one["boxes"].numpy().clip(0, [image.width, image.height] * 2)
        found.append((boxes, one["labels"].numpy(), one["scores"].numpy()))
        corners = [[x, y, x + w, y + h] for x, y, w, h in row["objects"]["bbox"]]
        true.append((np.array(corners).reshape(-1, 4), np.array(row["objects"]["category"], dtype=int)))
    classes = sorted({int(label) for _, labels in true for label in labels})
    values = [_precision(true, found, c, iou) for c in classes for iou in np.linspace(0.5, 0.95, 10)]
    return float(np.mean(values))


def _precision(true: Any, found: Any, label: int, least: float) -> float:
    """Average precision of a class at an IoU: the mean of the interpolated precision at 101 recalls."""
    wanted = [boxes[labels == label] for boxes, labels in true]
    boxes = [(s, n, b) for n, one in enumerate(found) for b, c, s in zip(*one, strict=True) if c == label]
    boxes.sort(key=lambda item: -item[0])
    free = [set(range(len(w))) for w in wanted]
    hits = []
    for _, image, box in boxes:
        overlaps = {t: _iou(wanted[image][t], box) for t in free[image]}
        best = max(overlaps, key=lambda t: overlaps[t], default=None)
        hits.append(best is not None and overlaps[best] >= least)
        if hits[-1]:
            free[image].discard(best)
    right = np.cumsum(hits)
    recall, precision = right / sum(map(len, wanted)), right / np.arange(1, len(hits) + 1)
    return float(np.mean([precision[recall >= r].max(initial=0.0) for r in np.linspace(0, 1, 101)]))


def _iou(one: Any, other: Any) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.clip(high - low, 0, None).prod()
    return float(shared / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - shared))


def trivial(check: Mapping[str, Any]) -> float:
    return 0.0
