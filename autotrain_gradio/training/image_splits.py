"""The training and validation images of a run, decoded once into a cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from datasets import Dataset, DatasetDict

from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import vision
from autotrain_gradio.training.images import Budget, Images


def read_images(
    run: Reporter, rows: DatasetDict, geometry: vision.Geometry, targets: Callable[[Dataset], Any]
) -> tuple[Images, Images | None]:
    """Return the data sets of the augmented training images and the validation images, if any, with a cache.

    targets: returns the targets of a split, as `Images` takes them.
    """
    budget, side = Budget(), min(geometry.height, geometry.width)
    white = vision.white_level(run.directory, "image")
    transforms = {"train": vision.train_transform(geometry, run.params), "validation": vision.valid_transform(geometry)}
    sets = {
        n: Images(rows[n]["image"], targets(rows[n]), t, side, budget=budget, white=white)
        for n, t in transforms.items()
        if n in rows
    }
    total, before = sum(len(s) for s in sets.values()), 0
    for images in sets.values():

        def should_continue(done: int, before: int = before) -> bool:
            if done % 1024 == 0:
                run.state("preparing", f"Decoding images: {before + done:,} of {total:,}")
            return not run.stop_requested()

        if not images.preload(should_continue) and not run.stop_requested():
            run.note(
                f"The {total:,} images do not all fit into the free memory: some are decoded again in each epoch.",
                hint="The training is slower, with the same result.",
            )
            break
        before += len(images)
    return sets["train"], sets.get("validation")
