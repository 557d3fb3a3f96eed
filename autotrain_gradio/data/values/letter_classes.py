"""Classes of letters for the regular expressions of Arrow, which are RE2's.

RE2 prepares a pattern anew at each call. Its own classes of all letters have hundreds of ranges: with a repetition they
take 20 to 40 ms each time, and these some hundredths of that. They hold the letters of the scripts in use, and in the
blocks of those also signs and digits that are none.
"""

from __future__ import annotations

LETTER = (
    r"A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{24F}"
    r"\x{370}-\x{1FFF}\x{2C00}-\x{2DFF}\x{3040}-\x{D7FF}"
)
"""Letters, to stand inside square brackets."""
CURRENCY = r"$\x{A2}-\x{A5}\x{58F}\x{60B}\x{E3F}\x{17DB}\x{20A0}-\x{20CF}\x{FF04}\x{FFE0}-\x{FFE6}"
"""Signs of currencies, to stand inside square brackets."""
