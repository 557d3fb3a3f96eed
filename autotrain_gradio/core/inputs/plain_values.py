"""Values of Python, NumPy and pandas as plain JSON values, as which they are sent to a worker."""

from __future__ import annotations

import datetime
import decimal
import math
from pathlib import PurePath
from typing import Any

from autotrain_gradio.core.errors import UserError

ACCEPTED = "texts, numbers, boolean values, dates, times, durations, and None or NaN for a missing value"


def plain(value: Any, where: str = "", accepted: str = ACCEPTED) -> str | int | float | bool | None:
    """Return a cell as JSON data: dates in ISO 8601, durations in seconds, None for a missing value (NaN, NaT, NA).

    An infinite number becomes text, which is an invalid number in a file, too.

    where, accepted: name of the column, and what may be given there, for the message.

    Raises:
        UserError: it is of another type.
    """
    name = type(value).__name__
    if name == "datetime64":
        value = str(value)
        return None if value == "NaT" else value
    if name == "timedelta64":
        value = value.astype("timedelta64[us]").item()
    elif type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or name in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        value = float(value)
    texts = isinstance(value, str | PurePath) or name in ("Period", "Interval")
    if texts or (isinstance(value, float) and math.isinf(value)):
        return str(value)
    if isinstance(value, bool | int | float):
        return value
    raise wrong_type(value, accepted, where)


def wrong_type(value: Any, accepted: str, where: str = "") -> UserError:
    """Return the error about a value of a type that is not accepted."""
    of = type(value)
    name = of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__.partition('.')[0]}.{of.__qualname__}"
    return UserError(f"A value of the type {name} is not accepted here.", f"Accepted: {accepted}.", where, "wrong-type")
