"""Report classes with few pixels, and classes that are in one split only; store the pixels for class weights."""

from __future__ import annotations

from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import inflect, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.tasks.image_segmentation.class_panels import COUNTS, counts_by_split

FEW_IMAGES = 10
"""Training images with a class under which it is rare, if there are clearly more images."""
FEW_PIXELS = 0.0005
"""Share of the training pixels under which a class is rare."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Compare the classes of both splits."""
    role = next((r for r, c in rows.cells.items() if COUNTS in c.facts), None)
    if role is None:
        return
    names, found = rows.cells[role].about["classes"], counts_by_split(rows, role)
    train, valid = found["train"], found["validation"]
    rows.cells[role].settings["pixels"] = train.sum(axis=0).tolist()
    images, shares = (train > 0).sum(axis=0), train.sum(axis=0) / max(1, train.sum())
    seen, validated = images > 0, (valid > 0).any(axis=0)

    def listed(wanted: list[int]) -> str:
        return join_examples([f"'{names[k]}'" for k in wanted])

    never = [k for k in range(len(names)) if not seen[k] and not validated[k]]
    if never:
        message = f"{pluralize(len(never), 'class', 'classes')} {inflect(len(never), 'has')} no pixel: {listed(never)}."
        yield Finding("info", "classes-without-pixels", message, "They count neither in training nor in the metrics.")
    missing = [k for k in range(len(names)) if validated[k] and not seen[k]]
    if missing:
        verb = inflect(len(missing), "is")
        message = f"{pluralize(len(missing), 'class', 'classes')} {verb} in validation images only: {listed(missing)}."
        hint = "They cannot be learned: add training images with them, or use another seed for the split."
        yield Finding("warning", "classes-not-in-training", message, hint)
    absent = [k for k in range(len(names)) if seen[k] and not validated[k]]
    if absent and len(valid):
        verb = inflect(len(absent), "is")
        message = f"{pluralize(len(absent), 'class', 'classes')} {verb} in no validation image: {listed(absent)}."
        hint = "They are not evaluated: use more validation rows, or another seed for the split."
        yield Finding("warning", "classes-not-in-validation", message, hint)
    rare = [
        k
        for k in range(len(names))
        if seen[k] and ((images[k] < FEW_IMAGES <= len(train) / 2) or shares[k] < FEW_PIXELS)
    ]
    if rare:
        shown = join_examples(
            [f"'{names[k]}' ({pluralize(int(images[k]), 'image')}, {100 * shares[k]:.2g} %)" for k in rare]
        )
        count = f"{pluralize(len(rare), 'class', 'classes')} {inflect(len(rare), 'is')}"
        message = f"{count} rare in the training split: {shown}."
        hint = "Add images with them, or set class_weights to balanced."
        yield Finding("warning", "classes-rare", message, hint)
