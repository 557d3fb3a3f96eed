"""Image classification: validation images with their predictions."""

from __future__ import annotations

from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training.images import Images
from autotrain_gradio.training.vision import thumbnail


def image_item(run: Reporter, images: Images, row: int, folder: str) -> dict[str, str]:
    """Write the thumbnail of an image into a folder of the run, unless it is there; return a gallery item."""
    file = run.directory / folder / f"{row}.jpg"
    if not file.exists():
        thumbnail(images.image(row), file)
    return {"file": f"{folder}/{file.name}"}
