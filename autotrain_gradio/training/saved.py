"""Save a trained model, verify that the saved one equals it, and load it for prediction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import pretrained


def writer(
    model: Any, reader: Any, auto: Any, auto_reader: Any, *, classes: int | None = None
) -> Callable[[Path], None]:
    """Return a function that saves a model and its tokenizer or processor into a folder, and verifies them.

    For `card.save`. auto, auto_reader, classes: see `verify`.
    """

    def write(folder: Path) -> None:
        model.save_pretrained(folder)
        reader.save_pretrained(folder)
        verify(folder, model, auto, auto_reader, classes=classes)

    return write


def verify(folder: Path, model: Any, auto: Any, reader: Any, *, classes: int | None = None) -> None:
    """Load the saved model with the public loaders, and compare all weights with the one in memory.

    auto, reader: the auto classes of the model and of its tokenizer or processor. classes: expected number of classes.

    Raises:
        UserError: weights are missing or differ, or the number of classes is wrong.
    """
    saved, info = auto.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float32, local_files_only=True, trust_remote_code=False
    )
    reader.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    problem = ", ".join(sorted(map(str, {*info["missing_keys"], *info["unexpected_keys"]}))[:5])
    if classes is not None and saved.config.num_labels != classes:
        problem = f"{saved.config.num_labels} classes instead of {classes}"
    elif not problem:
        mine = model.state_dict()
        different = [k for k, v in saved.state_dict().items() if k not in mine or not torch.equal(v, mine[k].to(v))]
        problem = f"{different[0]} differs" if different else ""
    if problem:
        message = f"The saved model differs from the trained one: {problem}."
        raise UserError(
            message, "The checkpoints still exist: resume the run to save the model again.", "model", "model-incomplete"
        )


def load_model(folder: Path, auto: Any, reader: Any) -> tuple[Any, Any]:
    """Return a trained model in float32 and evaluation mode, on the GPU if available, and its tokenizer or processor.

    Raises:
        UserError: the folder's files are missing or damaged.
    """
    with pretrained.translated_errors(folder.name):
        model = auto.from_pretrained(folder, local_files_only=True, dtype=torch.float32, trust_remote_code=False).eval()
        read = reader.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    return (model.cuda() if torch.cuda.is_available() else model), read
