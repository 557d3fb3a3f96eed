"""Final answers in completions: find them by their marker, and compare them with reference answers."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

OPEN_TAG, CLOSE_TAG = "<answer>", "</answer>"
HASHES = re.compile(r"####[ \t]*([^\n]*)")
"""Marker of GSM8K (Cobbe et al. 2021)."""
NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*\d+)?|[-+]?\.\d+")
BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|[{}]")
LATEX_FRACTION = re.compile(r"\\[dt]?frac\{([-+]?\d+)\}\{(\d+)\}")
WRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}]*)\}")
MOST_DIGITS = 1000
"""Digits of a number above which it is compared as a text."""


def find_answer(text: str, marker: str) -> str | None:
    r"""Return the final answer in a text; None: it has no such marker.

    marker: `hashes` (after the last ####), `boxed` (in the last \boxed{}), `tags` (in the last <answer></answer>),
    `last_number`, `whole` (the whole text), or `auto`: the first of boxed, tags and hashes that the text has, else the
    whole text.
    """
    if marker == "whole":
        return text
    if marker == "auto":
        found = (find_answer(text, one) for one in ("boxed", "tags", "hashes"))
        return next((answer for answer in found if answer is not None), text)
    if marker == "boxed":
        return _boxed(text)
    if marker == "tags":
        return _tagged(text)
    pattern = {"hashes": HASHES, "last_number": NUMBER}[marker]
    matches = list(pattern.finditer(text))
    return matches[-1][pattern.groups] if matches else None


# A model that collapses repeats markers thousands of times: both functions read a text once.


def _boxed(text: str) -> str | None:
    r"""Return the content of the last complete \boxed{}, whose braces may be nested."""
    opened: list[int | None] = []
    last: tuple[int, int] | None = None
    for match in BRACES.finditer(text):
        if match[0] != "}":
            opened.append(None if match[0] == "{" else match.end())
        elif opened and (begin := opened.pop()) is not None:
            last = max(last or (0, 0), (begin, match.start()))
    return text[last[0] : last[1]] if last is not None else None


def _tagged(text: str) -> str | None:
    """Return the content of the last complete pair of tags, in any case."""
    lower = text.lower() if len(text.lower()) == len(text) else text
    end = lower.rfind(CLOSE_TAG)
    begin = lower.rfind(OPEN_TAG, 0, end) if end >= 0 else -1
    return text[begin + len(OPEN_TAG) : end] if begin >= 0 else None


def normalize_answer(text: str) -> str | Fraction:
    """Return a form in which equal answers are equal: a number, or a text without case, quotes and a final period.

    Numbers may have thousands separators (1,234), a currency or percent sign, or be fractions, also of LaTeX.
    """
    plain = unicodedata.normalize("NFKC", text).strip().strip("$").strip()
    plain = WRAPPED.sub(r"\1", plain).replace("\\$", "$").replace("\\%", "%").replace("\\,", "")
    plain = LATEX_FRACTION.sub(r"\1/\2", plain)
    plain = " ".join(plain.casefold().split()).strip("\"'`*").rstrip(".").strip()
    bare = plain.strip("$€£¥%").strip()
    if bare and len(bare) < MOST_DIGITS and NUMBER.fullmatch(bare):
        try:
            return Fraction(bare.replace(",", "").replace(" ", ""))
        except (ValueError, ZeroDivisionError):
            return plain
    return plain


def same_answer(completion: str, reference: str, marker: str) -> bool:
    """Whether the final answer of a completion equals that of the reference; marker: see `find_answer`.

    In the reference a marker is found by itself, so that whole solutions can be references.
    """
    found = find_answer(completion, marker)
    wanted = find_answer(reference, "auto")
    if found is None or wanted is None:
        return False
    return normalize_answer(found) == normalize_answer(wanted)
