"""Baseline: a tuned plain transformers script for image classification.

Images are decoded once and cached, the collator stacks arrays. Run as
`python -m benchmarks.plain_image_classification FOLDER MODEL OUTPUT EPOCHS BATCH_SIZE`; prints one JSON line with the
seconds from the process's start to the first optimizer step, and the training's samples per second.
"""

from __future__ import annotations

import json
import sys
import time

import albumentations as A
import numpy as np
import psutil
import torch
from datasets import load_dataset
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    Trainer,
    TrainingArguments,
)

from benchmarks.plain_watch import Watch


def main(folder: str, model_name: str, output: str, epochs: int, batch_size: int) -> None:
    data = load_dataset("imagefolder", data_dir=folder, split="train").train_test_split(
        0.2, seed=42, stratify_by_column="label"
    )
    names = data["train"].features["label"].names
    processor = AutoImageProcessor.from_pretrained(model_name)
    size = processor.size
    side = size.get("height") or size["shortest_edge"]
    normalize = A.Normalize(mean=processor.image_mean, std=processor.image_std)
    train_transform = A.Compose(
        [
            A.RandomResizedCrop(size=(side, side)),
            A.RandomRotate90(),
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(p=0.2),
            normalize,
        ]
    )
    eval_transform = A.Compose([A.Resize(side, side), normalize])

    class Images(torch.utils.data.Dataset):
        def __init__(self, rows, transform) -> None:  # noqa: ANN001
            self.images = [np.array(row["image"].convert("RGB")) for row in rows]
            self.labels = rows["label"]
            self.transform = transform

        def __len__(self) -> int:
            return len(self.images)

        def __getitem__(self, i: int) -> dict:
            image = self.transform(image=self.images[i])["image"]
            return {"pixel_values": np.ascontiguousarray(image.transpose(2, 0, 1)), "labels": self.labels[i]}

    def collate(rows: list[dict]) -> dict:
        return {
            "pixel_values": torch.from_numpy(np.stack([r["pixel_values"] for r in rows])),
            "labels": torch.tensor([r["labels"] for r in rows]),
        }

    model = AutoModelForImageClassification.from_pretrained(
        model_name,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={n: i for i, n in enumerate(names)},
        ignore_mismatched_sizes=True,
    )
    watch = Watch()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=output,
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=batch_size,
            learning_rate=5e-5,
            warmup_steps=0.1,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            load_best_model_at_end=True,
            optim="adamw_torch_fused",
            logging_steps=5,
            disable_tqdm=True,
            remove_unused_columns=False,
            seed=42,
        ),
        train_dataset=Images(data["train"], train_transform),
        eval_dataset=Images(data["test"], eval_transform),
        data_collator=collate,
        callbacks=[watch],
    )
    began = time.time()
    trainer.train()
    print(
        json.dumps(
            {
                "first_step_seconds": watch.first - psutil.Process().create_time(),
                "train_seconds": time.time() - began,
                **watch.facts(),
                "rows": len(data["train"]),
                "peak_rss": psutil.Process().memory_info().rss,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
