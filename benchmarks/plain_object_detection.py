"""Baseline: a tuned plain transformers script for object detection, after the official example.

Images are decoded once and cached, augmented by albumentations and prepared by the model's image processor; mAP is
computed after every epoch. Run as
`python -m benchmarks.plain_object_detection FOLDER MODEL OUTPUT EPOCHS BATCH_SIZE SIDE`; prints one JSON line with the
optimizer steps, their seconds and the best validation loss.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import albumentations as A
import numpy as np
import torch
from faster_coco_eval import COCO, COCOeval_faster
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForObjectDetection, Trainer, TrainingArguments

from benchmarks.plain_watch import Watch


class Scenes(torch.utils.data.Dataset):
    """The images of a folder with COCO annotations, as the processor prepares them."""

    def __init__(self, folder: Path, processor: Any, transform: Any) -> None:
        document = json.loads((folder / "_annotations.coco.json").read_text())
        self.images = [np.array(Image.open(folder / i["file_name"]).convert("RGB")) for i in document["images"]]
        self.objects: list[list[dict]] = [[] for _ in self.images]
        for one in document["annotations"]:
            self.objects[one["image_id"]].append(one)
        self.processor, self.transform = processor, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> dict:
        boxes, labels = [o["bbox"] for o in self.objects[i]], [o["category_id"] for o in self.objects[i]]
        found = self.transform(image=self.images[i], bboxes=boxes, labels=labels)
        annotations = [
            {"image_id": i, "category_id": int(c), "bbox": list(b), "area": b[2] * b[3], "iscrowd": 0}
            for b, c in zip(found["bboxes"], found["labels"], strict=True)
        ]
        made = self.processor(
            images=found["image"], annotations={"image_id": i, "annotations": annotations}, return_tensors="pt"
        )
        return {"pixel_values": made["pixel_values"][0], "labels": made["labels"][0]}


def collate(rows: list[dict]) -> dict:
    return {"pixel_values": torch.stack([r["pixel_values"] for r in rows]), "labels": [r["labels"] for r in rows]}


def mean_average_precision(processor: Any, classes: int) -> Any:
    """Return `compute_metrics` for batches that are not concatenated."""

    class Outputs:
        def __init__(self, logits: Any, boxes: Any) -> None:
            self.logits, self.pred_boxes = torch.tensor(logits), torch.tensor(boxes)

    def compute(prediction: Any) -> dict[str, float]:
        images, true, found = [], [], []
        for targets, outputs in zip(prediction.label_ids, prediction.predictions, strict=True):
            sizes = [tuple(int(v) for v in t["orig_size"]) for t in targets]
            boxes = processor.post_process_object_detection(Outputs(outputs[1], outputs[2]), 0.0, sizes)
            for target, (height, width), one in zip(targets, sizes, boxes, strict=True):
                number = len(images) + 1
                images.append({"id": number})
                for (x, y, w, h), c in zip(target["boxes"], target["class_labels"], strict=True):
                    box = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
                    entry = {"id": len(true) + 1, "image_id": number, "category_id": int(c) + 1, "iscrowd": 0}
                    true.append({**entry, "bbox": [float(v) for v in box], "area": float(box[2] * box[3])})
                for (x, y, r, b), c, s in zip(one["boxes"].tolist(), one["labels"], one["scores"], strict=True):
                    entry = {"image_id": number, "category_id": int(c) + 1, "score": float(s)}
                    found.append({**entry, "bbox": [x, y, r - x, b - y]})
        categories = [{"id": n + 1, "name": str(n)} for n in range(classes)]
        truth = COCO({"images": images, "annotations": true, "categories": categories})
        evaluation = COCOeval_faster(truth, truth.loadRes(found), "bbox", print_function=lambda *words: None)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return {"map": float(evaluation.stats[0])}

    return compute


def main(folder: str, model_name: str, output: str, epochs: int, batch_size: int, side: int) -> None:
    names = ["circle", "square", "bar"]
    processor = AutoImageProcessor.from_pretrained(model_name)
    processor.size = {"height": side, "width": side}
    boxes = A.BboxParams(format="coco", label_fields=["labels"], clip=True, min_width=1, min_height=1)
    steps = [A.RandomSizedBBoxSafeCrop(480, 640, p=0.5), A.HorizontalFlip(p=0.5), A.RandomBrightnessContrast(p=0.5)]
    torch.manual_seed(42)
    model = AutoModelForObjectDetection.from_pretrained(
        model_name, id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)}
    )
    watch = Watch()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=output,
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=batch_size,
            learning_rate=5e-4,
            warmup_steps=0.1,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            load_best_model_at_end=True,
            optim="adamw_torch",
            logging_steps=5,
            disable_tqdm=True,
            remove_unused_columns=False,
            eval_do_concat_batches=False,
            label_names=["labels"],
            seed=42,
        ),
        train_dataset=Scenes(Path(folder) / "train", processor, A.Compose(steps, bbox_params=boxes)),
        eval_dataset=Scenes(Path(folder) / "valid", processor, A.Compose([], bbox_params=boxes)),
        data_collator=collate,
        compute_metrics=mean_average_precision(processor, len(names)),
        callbacks=[watch],
    )
    trainer.train()
    losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    scores = [entry["eval_map"] for entry in trainer.state.log_history if "eval_map" in entry]
    print(json.dumps({**watch.facts(), "loss": min(losses), "map": max(scores)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
