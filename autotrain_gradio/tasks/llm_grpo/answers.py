"""Final answers in completions: find them by their marker, and compare them with reference answers."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

ANSWER_TAGS = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
HASHES = re.compile(r"####[ \t]*([^\n]*)")
"""Marker of GSM8K (Cobbe et al. 2021)."""
NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*\d+)?|[-+]?\.\d+")
BOXED = re.compile(r"\\f?boxed\s*\{")
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
    pattern = {"tags": ANSWER_TAGS, "hashes": HASHES, "last_number": NUMBER}[marker]
    matches = list(pattern.finditer(text))
    return matches[-1][pattern.groups] if matches else None


def _boxed(text: str) -> str | None:
    r"""Return the content of the last complete \boxed{}, whose braces may be nested."""
    for match in reversed(list(BOXED.finditer(text))):
        depth = 1
        for place in range(match.end(), len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                return text[match.end() : place]
    return None


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
