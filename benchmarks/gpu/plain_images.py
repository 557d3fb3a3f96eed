"""Baseline: a tuned plain transformers script for image classification without augmentation.

Images are decoded once and cached, the collator stacks arrays. Run as `python -m benchmarks.gpu.plain_images SETTINGS`,
a JSON object with `data model output epochs batch_size lr logging_steps bf16 workers`; prints one JSON line
(`LogWatch.facts`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification, Trainer, TrainingArguments

from benchmarks.plain_watch import LogWatch, exit_now

cv2.setNumThreads(0)


class Images(torch.utils.data.Dataset):
    """Images and their classes."""

    def __init__(self, files: list[Path], names: list[str], transform: Any) -> None:
        self.images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
        self.labels = [names.index(file.parent.name) for file in files]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> dict[str, Any]:
        image = self.transform(image=self.images[i])["image"]
        return {"pixel_values": np.ascontiguousarray(image.transpose(2, 0, 1)), "labels": self.labels[i]}


def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Stack a batch."""
    return {
        "pixel_values": torch.from_numpy(np.stack([r["pixel_values"] for r in rows])),
        "labels": torch.tensor([r["labels"] for r in rows]),
    }


def main(settings: dict[str, Any]) -> None:
    files = sorted(Path(settings["data"]).glob("*/*.jpg"))
    names = sorted({file.parent.name for file in files})
    processor = AutoImageProcessor.from_pretrained(settings["model"])
    side = processor.size["height"]
    normalize = A.Normalize(mean=processor.image_mean, std=processor.image_std)
    watch, workers = LogWatch(), settings["workers"]
    trainer = Trainer(
        model=AutoModelForImageClassification.from_pretrained(settings["model"], dtype=torch.float32),
        args=TrainingArguments(
            output_dir=settings["output"],
            num_train_epochs=settings["epochs"],
            per_device_train_batch_size=settings["batch_size"],
            learning_rate=settings["lr"],
            warmup_steps=0.1,
            optim="adamw_torch_fused",
            bf16=settings["bf16"],
            save_strategy="no",
            logging_steps=settings["logging_steps"],
            logging_first_step=True,
            dataloader_num_workers=workers,
            dataloader_persistent_workers=workers > 0,
            remove_unused_columns=False,
            report_to=[],
            disable_tqdm=True,
            seed=42,
            data_seed=42,
        ),
        train_dataset=Images(files, names, A.Compose([A.Resize(side, side), normalize])),
        data_collator=collate,
        callbacks=[watch],
    )
    trainer.train()
    print(json.dumps(watch.facts()))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    exit_now()
