"""Check the weights that were loaded into a model: complete, of the model that its config describes, and finite."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import format_count, pluralize

WHERE = "model"
INDEX = "*.index.json"
"""Files that say which weights are in which shard, as `save_pretrained` writes them."""
MIN_LOADED = 0.5
"""Smallest share of a model's weights that its file must have; a new head is a few percent."""
AGAIN = "Download or save the model again, or choose another one."


def require_shards(folder: Path, model: str) -> None:
    """Check that the weights files that an index lists exist.

    Raises:
        UserError: the index is damaged, or some of them are missing (`model-broken`).
    """
    for index in sorted(folder.glob(INDEX)):
        try:
            names = sorted(set(map(str, json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            message = f"The file {index.name} of '{model}' is damaged: {type(error).__name__}: {str(error)[:100]}."
            raise UserError(message, AGAIN, WHERE, "model-broken") from None
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
            listed = format_count("{n} that {is} missing", len(missing), "file")
            message = f"{index.name} of '{model}' lists {listed}: {shown}."
            raise UserError(message, "Copy the missing files into the folder, or save it again.", WHERE, "model-broken")


def require_match(model: str, module: Any, info: Mapping[str, Any], *, outputs: int | Collection[int]) -> None:
    """Check that the weights belong to the model that its config describes.

    info: loading info of `from_pretrained`. With `ignore_mismatched_sizes`, weights of other sizes are replaced by
    random ones; that is meant for a new head only.
    outputs: of the new head; of several heads, or of one with a class for none, the sizes that they may have.

    Raises:
        UserError: weights other than the head's have another size, or most weights are missing (`model-broken`).
    """
    sizes_of_heads = {outputs} if isinstance(outputs, int) else set(outputs)
    wrong = [
        (str(name), tuple(stored), tuple(described))
        for name, stored, described in info["mismatched_keys"]
        if tuple(stored)[1:] != tuple(described)[1:] or tuple(described)[0] not in sizes_of_heads
    ]
    if wrong:
        name, stored, described = min(wrong)
        message = (
            f"The config.json of '{model}' does not match its weights: '{name}' has the size {_size(stored)} in the "
            f"weights file, and {_size(described)} by the config ({pluralize(len(wrong), 'such weight')})."
        )
        raise UserError(message, AGAIN, WHERE, "model-broken")
    sizes = {name: weight.numel() for name, weight in module.named_parameters()}
    fresh = sum(sizes.get(str(name), 0) for name in info["missing_keys"])
    if fresh > (1 - MIN_LOADED) * sum(sizes.values()):
        message = (
            f"The weights file of '{model}' belongs to another model: it has none of the values of "
            f"{len(list(info['missing_keys']))} of its {len(sizes)} weights."
        )
        raise UserError(message, AGAIN, WHERE, "model-broken")


def require_finite(model: str, weights: Iterable[tuple[str, Any]]) -> None:
    """Check that no weight is NaN or infinite before the training begins.

    weights: names and tensors.

    Raises:
        UserError: some are (`weights-not-finite`).
    """
    for name, weight in weights:
        if weight.is_floating_point() and not bool(weight.isfinite().all()):
            message = f"The weights of '{model}' contain NaN or infinite values, for instance in '{name}'."
            hint = "The file is damaged or was saved after a training that diverged. " + AGAIN
            raise UserError(message, hint, WHERE, "weights-not-finite")


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
