"""Praat TextGrids beside their audio.

Source of the format: Praat's manual, "TextGrid file formats" and "Intro 3.2: the text format". Praat itself reads
only the numbers, the texts in quotes and the flags between whitespace; so the long and the short form are parsed alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.layouts import tiers
from autotrain_gradio.data.layouts.tiers import Annotated, Interval, Tier, TierFormat

_TOKEN = re.compile(
    r'"((?:[^"]|"")*)"'  # a text; a quote in it is doubled
    r"|<(exists|absent)>"
    r"|![^\n]*"  # a comment
    r"|(?<!\S)([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)"  # a number between whitespace
)


def parse(text: str, name: str) -> Annotated:
    """Parse a TextGrid in its long or short form. Tiers of points have no intervals.

    Raises:
        DataError: the file is not a TextGrid, or damaged.
    """
    if text.startswith("ooBinaryFile"):
        raise _damaged(name, "it is in Praat's binary form", "In Praat, save it as a text file.")
    tokens = _tokens(text)
    try:
        if not str(next(tokens)).startswith("ooTextFile") or next(tokens) != "TextGrid":
            raise _damaged(name, "its first lines are not those of a TextGrid")
        _number(tokens)
        _number(tokens)
        count = int(_number(tokens)) if next(tokens) is True else 0
        return Annotated([_tier(tokens) for _ in range(count)])
    except StopIteration:
        raise _damaged(name, "it ends too early") from None
    except (ValueError, OverflowError) as error:
        raise _damaged(name, str(error)) from None


def _damaged(name: str, why: str, hint: str = "Open it in Praat and save it again.") -> DataError:
    return DataError(f"The TextGrid cannot be read: {why}.", hint, name, "textgrid-damaged")


def _tokens(text: str) -> Iterator[str | float | bool]:
    for found in _TOKEN.finditer(text):
        if found[1] is not None:
            yield found[1].replace('""', '"')
        elif found[2] is not None:
            yield found[2] == "exists"
        elif found[3] is not None:
            yield float(found[3])


def _number(tokens: Iterator[str | float | bool]) -> float:
    token = next(tokens)
    if not isinstance(token, float):
        raise ValueError(f"there is {str(token)[:40]!r} where a number should be")
    return token


def _text(tokens: Iterator[str | float | bool]) -> str:
    token = next(tokens)
    if not isinstance(token, str):
        raise ValueError(f"there is {token} where a text should be")
    return token


def _tier(tokens: Iterator[str | float | bool]) -> Tier:
    kind, name = _text(tokens), _text(tokens)
    _, _, count = _number(tokens), _number(tokens), _number(tokens)
    intervals = []
    for _ in range(int(count)):
        if kind == "IntervalTier":
            intervals.append(Interval(_number(tokens), _number(tokens), _text(tokens)))
        elif kind == "TextTier":
            _number(tokens)
            _text(tokens)
        else:
            raise ValueError(f"a tier of the unknown kind {kind[:40]!r}")
    return Tier(name, intervals)


FORMAT = TierFormat("TextGrid", (".textgrid",), parse)
recognize = partial(tiers.recognize, format=FORMAT)
read = partial(tiers.read, format=FORMAT)
