"""Check the sizes in a model's configuration before the model is built: a few bytes of JSON can ask for terabytes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import MIB, format_bytes
from autotrain_gradio.training.safetensors_header import safetensors_header

CONFIG_BYTES = 16 * MIB
"""Maximum size of a `config.json`: those with 20,000 labels have about one."""
SIZES = (
    (re.compile(r"num_labels|num_classes"), 1_000_000),
    (re.compile(r"(?:layers?|blocks|stages|depths?)$"), 10_000),
    (re.compile(r"(?:_heads|_experts|n_head)$"), 100_000),
    (re.compile(r"vocab_size|_size$|_sizes$|_dim$|_dims$|^d_model$|^n_embd$|^n_inner$|channels$"), 100_000_000),
)
"""Names of settings whose value is a number of parts or rows of a model → the largest plausible value."""
FACTOR, SPARE = 4, 100_000_000
"""A model may have so many times the weights of its file, and so many more: new heads, tied or packed weights."""
WHERE = "model"


def require_sizes(config: Mapping[str, Any], model: str) -> None:
    """Check each number in a configuration that is a number of layers, labels, rows …

    Raises:
        UserError: one is not plausible (`model-broken`).
    """
    for name, value in _numbers(config):
        key = name.rpartition(".")[2]
        limit = next((most for pattern, most in SIZES if pattern.search(key)), None)
        if limit is not None and value > limit:
            message = f"The config.json of '{model}' is not plausible: {name} is {value:,.0f}; at most {limit:,} is."
            raise UserError(message, "Download the model again, or choose another one.", WHERE, "model-broken")


def require_weights(model: str, count: Callable[[], int]) -> None:
    """Compare the number of weights that a configuration implies with the weights file of a folder.

    count: returns the number of weights without allocating them. It is called only if the model is a folder with
    safetensors files; Hub ids have been looked up, but not downloaded.

    Raises:
        UserError: the model would be far larger than its file (`model-broken`).
    """
    stored = stored_weights(Path(model).expanduser())
    if stored is None:
        return
    implied = count()
    if implied > FACTOR * stored + SPARE:
        message = (
            f"The config.json of '{model}' is not plausible: it describes a model of {implied:,} weights "
            f"({format_bytes(4 * implied)} of memory), and its weights file has {stored:,}."
        )
        raise UserError(message, "Download the model again, or choose another one.", WHERE, "model-broken")


def stored_weights(folder: Path) -> int | None:
    """Return the number of weights in a folder's safetensors files, from their headers; None if there are none.

    Raises:
        UserError: a header is damaged (`model-broken`).
    """
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    return sum(_weights_of(file) for file in files) if files else None


def _weights_of(file: Path) -> int:
    try:
        return sum(math.prod(map(int, entry["shape"])) for entry in safetensors_header(file)[0].values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"The weights of '{file.parent}' are damaged: {file.name}, {error}."
        raise UserError(message, "Download or save the model again.", WHERE, "model-broken") from None


def _numbers(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    """Yield (dotted name, number) of all numbers in JSON; those of a list have its name."""
    if isinstance(value, bool) or depth > 8:
        return
    if isinstance(value, int | float):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item, name, depth + 1)
