"""Section of the model card: which information about the training rows the files of the model contain."""

from __future__ import annotations

from collections.abc import Sequence

from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.training.tabular.families import Family
from autotrain_gradio.training.tabular.frame import MAX_CHOICES, Form
from autotrain_gradio.training.tabular.prepare import CATEGORY_STEP, TEXT_STEP
from autotrain_gradio.training.tabular.saving import FILE, SavedModel

SHOWN = 20


def describe(model: SavedModel, form: Form, family: Family) -> str:
    """Return Markdown that lists what `form.json` and the model file contain, by column."""
    parts = {name: list(columns) for name, _, columns in model.transformer.transformers_ if name != "remainder"}
    known = parts.get(CATEGORY_STEP, [])
    letters = [c for name, columns in parts.items() if name.startswith(TEXT_STEP) for c in columns]
    offered = [f.name for f in form.features if f.choices]
    ranges = [f.name for f in form.features if f.low is not None]
    lines = [
        "- `form.json`: the names of the columns"
        + (" and of the classes" if form.problem_type == "classification" else "")
    ]
    if ranges:
        lines.append(f"- `form.json`: the smallest, the median and the largest value of {_named(ranges)}")
    if offered:
        lines.append(f"- `form.json`: the categories of {_named(offered)} (of columns with up to {MAX_CHOICES})")
    if known:
        lines.append(f"- `{FILE}`: all categories of {_named(known)}")
    if letters:
        lines.append(f"- `{FILE}`: character n-grams (3 and 4 characters) of the cells of {_named(letters)}")
    if family.stores_rows:
        lines.append(f"- `{FILE}`: training rows in numeric form, with which the model compares new rows")
    advice = (
        "If these are personal data such as names or addresses, do not publish the model: train it again without "
        "such columns (`data.options.kinds`, column: `ignore`)."
    )
    return "\n".join(lines) + f"\n\n{advice}"


def _named(columns: Sequence[str]) -> str:
    return join_examples([f"'{c}'" for c in columns], limit=SHOWN)
