"""Cells that say how similar or relevant something is: numbers, rescaled to 0 to 1."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, Fix
from autotrain_gradio.data.kinds import number
from autotrain_gradio.data.kinds.number import profile
from autotrain_gradio.data.kinds.text import text_option
from autotrain_gradio.data.rows import Cells, Context, show_cell

__all__ = ["inspect", "profile"]

OPTION = "score_range"
RANGE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:-|to|–|,)\s*(-?\d+(?:\.\d+)?)\s*")
HIGHEST = (1.0, 5.0, 10.0, 100.0)
"""Usual highest scores; the range ends at the first one that is not exceeded."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the numbers, and rescale those of another range to 0 to 1.

    `data.options.score_range` names the range, such as `0-5`; by default it is inferred from the lowest and the highest
    score, and a finding says so.

    Raises:
        DataError: the option is not a range.
    """
    found = number.inspect(cells, context)
    values = found.values.to_numpy(zero_copy_only=False)
    used = values[context.needed & ~np.isnan(values)]
    if not len(used):
        return found
    low, high = float(used.min()), float(used.max())
    asked = given_range(context)
    bottom, top = asked or likely_range(used)
    outside = np.flatnonzero(context.needed & ((values < bottom) | (values > top)))
    if (bottom, top) != (0.0, 1.0):
        values = (values - bottom) / (top - bottom)
        found.findings += _rescaled(low, high, bottom, top, asked is not None, context)
    text, hint = "{n} {has} a score outside the range", f"Correct them, or change {OPTION}."
    found.findings += context.skipped("score-outside-range", text, outside, hint, show_cell(cells))
    problems = {**found.dropped_rows(), "score-outside-range": outside}
    rescaled = pa.array(values, mask=np.isnan(values))
    return Cells(rescaled, problems, found.facts, found.findings, about=found.about)


def likely_range(values: np.ndarray) -> tuple[float, float]:
    """Return the range that scores probably have: 0 to 1, -1 to 1, or 0 (or 1) to 5, 10 or 100."""
    low, high = float(values.min()), float(values.max())
    if low < 0:
        return (-1.0, 1.0) if max(-low, high) <= 1 else (low, high)
    top = next((limit for limit in HIGHEST if high <= limit), high)
    return (1.0 if top > 1 and low >= 1 else 0.0), top


def given_range(context: Context) -> tuple[float, float] | None:
    """Return the range of the option; None: it is not given.

    Raises:
        DataError: it is not a range.
    """
    text = text_option(context, OPTION, "range of the similarities", "0-5")
    if text is None:
        return None
    found = RANGE.fullmatch(text)
    bottom, top = (float(n) for n in found.groups()) if found else (0.0, 0.0)
    if bottom >= top:
        message, hint = (
            f"'{text}' is not a range of similarities.",
            f'Write the lowest and the highest: {OPTION}: "0-5".',
        )
        raise DataError(message, hint, f"data.options.{OPTION}", "invalid-setting")
    return bottom, top


def _rescaled(low: float, high: float, bottom: float, top: float, asked: bool, context: Context) -> list[Finding]:
    """Report the range, and offer the other likely one."""
    where = f"column {context.column}"
    message = f"The scores are from {low:g} to {high:g}. They were read as a scale of {bottom:g} to {top:g}, and "
    message += "rescaled to 0 to 1."
    if asked:
        return [Finding("info", "score-rescaled", message, "", where)]
    other = 1.0 - bottom
    hint, fix = f"If the scale is another one, set {OPTION} in the options of the data, such as '0-5'.", None
    if top in HIGHEST[1:] and bottom in (0.0, 1.0) and low >= other:
        fix = Fix(f"The scale is {other:g} to {top:g}", {"options": {OPTION: f"{other:g}-{top:g}"}})
    elif top in HIGHEST[1:] and bottom == 0.0 and high < top and high.is_integer():
        fix = Fix(f"The scale is 0 to {high:g}", {"options": {OPTION: f"0-{high:g}"}})
    return [Finding("info", "score-rescaled", message, hint, where, fix)]
