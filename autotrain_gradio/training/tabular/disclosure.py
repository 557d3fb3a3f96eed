"""What the files of a table's model tell of the rows that it has learnt from, for its card."""

from __future__ import annotations

from collections.abc import Sequence

from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.training.tabular.families import Family
from autotrain_gradio.training.tabular.frame import CHOICES, Form
from autotrain_gradio.training.tabular.prepare import CATEGORIES, LETTERS
from autotrain_gradio.training.tabular.saving import FILE, Saved

SHOWN = 20


def describe(model: Saved, form: Form, family: Family) -> str:
    """Return Markdown: what `form.json` and the model's own file hold, column by column."""
    parts = {name: list(columns) for name, _, columns in model.transformer.transformers_ if name != "remainder"}
    known = parts.get(CATEGORIES, [])
    letters = [c for name, columns in parts.items() if name.startswith(LETTERS) for c in columns]
    offered = [f.name for f in form.features if f.choices]
    ranges = [f.name for f in form.features if f.low is not None]
    lines = [
        "- `form.json`: the names of the columns" + (" and of the classes" if form.task == "classification" else "")
    ]
    if ranges:
        lines.append(f"- `form.json`: the smallest, the median and the largest value of {_named(ranges)}")
    if offered:
        lines.append(f"- `form.json`: the categories of {_named(offered)} (of columns with up to {CHOICES})")
    if known:
        lines.append(f"- `{FILE}`: all categories of {_named(known)}, since the model knows them by their names")
    if letters:
        lines.append(f"- `{FILE}`: of {_named(letters)} the pieces of three and four letters that the cells consist of")
    if family.keeps_rows:
        lines.append(
            f"- `{FILE}`: rows that it was trained on, as numbers, since the model compares new rows with them"
        )
    advice = (
        "If these are names, addresses or other data of people, do not give the model away: train it again without "
        "such columns (`data.options.kinds`, column: `ignore`)."
    )
    return "\n".join(lines) + f"\n\n{advice}"


def _named(columns: Sequence[str]) -> str:
    return join_examples([f"'{c}'" for c in columns], limit=SHOWN)
