"""Names of months in dates: 31-May-24, 31. März 2024, 31 de enero de 2024, 1er févr. 2024."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.values.arrow_columns import matches

_NAMES = {
    "Jan": "january januar janner jaenner janvier januari janeiro gennaio enero",
    "Feb": "february februar feber februari fevrier fevereiro febbraio febrero",
    "Mar": "march marz maerz mrz mars marzo marco maart mrt",
    "Apr": "april avril aprile abril",
    "May": "may mai mayo maggio maio mei",
    "Jun": "june juni juin junio junho giugno",
    "Jul": "july juli juillet julio julho luglio",
    "Aug": "august aout agosto augustus",
    "Sep": "september septembre septiembre setiembre setembro settembre",
    "Oct": "october oktober octobre octubre ottobre outubro",
    "Nov": "november novembre noviembre novembro",
    "Dec": "december dezember decembre diciembre dicembre dezembro",
}
"""Names of months in English, German, French, Spanish, Italian, Portuguese and Dutch, without accents; shorter forms
are beginnings of them, of three letters at least, that fit one month."""
_OF = {
    name[:letters]: month
    for month, names in _NAMES.items()
    for name in names.split()
    for letters in range(3, len(name) + 1)
    if name[:letters] != "jui"  # June or July
}
_DAY = r"^(?P<day>\d{1,2})(?:er|\.|º|st|nd|rd|th)?[ ./-]*(?:de |of )?"
_MONTH = r"(?P<month>\pL+)\.?,?[ ./-]*(?:de |del )?"
_YEAR = r"(?P<year>\d{4}|\d{2})(?P<time>[ T,].*)?$"
NAMED = _DAY + _MONTH + _YEAR
FIRST = r"^(?P<month>\pL+)\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})(?P<time>[ T,].*)?$"
"""The month first: Jan. 5, 2024."""


def in_english(text: pa.Array) -> pa.Array:
    """Convert dates with a month name to `31 May 2024`, keeping the rest of the text; other texts are unchanged."""
    for pattern in (NAMED, FIRST):
        named = matches(text, pattern)
        if named.any():
            found = text.filter(pa.array(named))
            parts = pc.extract_regex(found, pattern).to_pylist()
            written = [_date(p["day"], p["month"], p["year"], p["time"]) for p in parts]
            plain = [new or old for new, old in zip(written, found.to_pylist(), strict=True)]
            text = pc.replace_with_mask(text, pa.array(named), pa.array(plain, text.type))
    return text


def _date(day: str, name: str, year: str, time: str) -> str:
    month = _month(name)
    return f"{day} {month} {year}{time}" if month else ""


def _month(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.lower())
    bare = "".join(c for c in letters if not unicodedata.combining(c))
    return _OF.get(bare, "")
