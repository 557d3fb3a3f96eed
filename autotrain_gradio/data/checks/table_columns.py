"""Columns of a table that are constant, mostly empty, or of mixed types."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.errors import Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values import dates, units

MOSTLY = 0.5
"""Share of missing cells from which a column is pointed out."""
MANY = 1000
"""Categories from which a column of them is pointed out."""

About = dict[str, Any]
"""What the inspection of a column found: see `kinds/feature.py`."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Report problems that the inspection found; one finding per problem, with the names of the columns."""
    about = [c.about for c in rows.cells.values() if "feature" in c.about]
    if not about:
        return []
    used = [a for a in about if a["feature"] not in {"id", "ignore"}]
    total = max(1, rows.count())
    findings = [*_names(about, request), *_unused(about), *_constant(used), *_missing(used, total)]
    findings += [*_mixed(used), *_dates(used), *_zones(used), *_united(about), *_commas(used), *_many(used, total)]
    findings += [*_failed(used), *_answers(used)]
    if not any(a["distinct"] > 1 for a in used):
        findings.append(
            Finding(
                "error",
                "no-useful-column",
                "No column is left that a model could learn from.",
                "Add columns, or set the kinds of those that were not used (data.options.kinds).",
                "data.options.kinds",
            )
        )
    return findings


def _named(columns: list[About]) -> str:
    return join_examples([f"'{a['name']}'" for a in columns], limit=10)


def _as(columns: list[About], kind: str) -> dict[str, Any]:
    return {"options": {"kinds": {a["name"]: kind for a in columns}}}


def _names(about: list[About], request: Request) -> list[Finding]:
    kinds = request.spec.options.get("kinds")
    if kinds is None:
        return []
    if not isinstance(kinds, dict):
        return [
            Finding(
                "error",
                "invalid-setting",
                f"The kinds of columns must be a mapping (got {kinds!r:.60}).",
                "Write column: kind, such as age: number.",
                "data.options.kinds",
            )
        ]
    known = [a["name"] for a in about]
    return [
        Finding(
            "warning",
            "unknown-column",
            f"data.options.kinds names '{name}', which is not a feature column.",
            did_you_mean(str(name), known),
            f"data.options.kinds.{name}",
        )
        for name in kinds
        if name not in known
    ]


def _unused(about: list[About]) -> list[Finding]:
    findings = []
    ids = [a for a in about if a["feature"] == "id" and a["guessed"]]
    if ids:
        findings.append(
            Finding(
                "info",
                "id-like",
                f"{_named(ids)} {inflect(len(ids), 'looks')} like an id, different in every row, and "
                f"{inflect(len(ids), 'is')} not used as a feature.",
                "Choose its kind if that is wrong.",
                "data.options.kinds",
            )
        )
    nested = [a for a in about if "nested" in a and a["feature"] == "ignore" and a["guessed"]]
    if nested:
        message = f"{_named(nested)} {inflect(len(nested), 'holds')} lists or objects and "
        message += f"{inflect(len(nested), 'is')} not used as a feature."
        findings.append(Finding("warning", "nested-column", message, "Put each value into a column of its own."))
    empty = [a for a in about if not a["distinct"] and a["feature"] == "ignore" and a["guessed"] and "nested" not in a]
    if empty:
        findings.append(Finding("info", "empty-column", f"Nothing is in {_named(empty)}.", "Fill in, or remove it."))
    return findings


def _constant(used: list[About]) -> list[Finding]:
    same = [a for a in used if a["distinct"] == 1 and not a["missing"]]
    if not same:
        return []
    return [
        Finding(
            "warning",
            "constant-column",
            f"{_named(same)} {inflect(len(same), 'has')} the same value in every row: a model learns nothing from it.",
            "Exclude it.",
            "data.options.kinds",
            Fix("Exclude", _as(same, "ignore")),
        )
    ]


def _missing(used: list[About], total: int) -> list[Finding]:
    sparse = [a for a in used if a["missing"] > MOSTLY * total]
    if not sparse:
        return []
    shown = [f"'{a['name']}' ({min(1.0, a['missing'] / total):.0%} missing)" for a in sparse]
    return [
        Finding(
            "warning",
            "mostly-missing",
            f"More than half of the cells are missing: {join_examples(shown, limit=10)}.",
            "Exclude these columns, or fill them in.",
            "data.options.kinds",
            Fix("Exclude them", _as(sparse, "ignore")),
        )
    ]


def _mixed(used: list[About]) -> list[Finding]:
    findings = []
    texts = {
        "number": "some are not numbers and count as missing",
        "date": "some are not dates and count as missing",
        "category": "some are numbers among words",
    }
    for kind, text in texts.items():
        mixed = [a for a in used if a["feature"] == kind and (a.get("invalid") or {}).get("count")]
        if mixed:
            shown = [
                f"'{a['name']}': {a['invalid']['count']:,} ({join_examples(a['invalid']['examples'])})" for a in mixed
            ]
            lost = kind != "category"
            findings.append(
                Finding(
                    "warning" if lost else "info",
                    "mixed-types",
                    f"The cells of a column are not of one kind: {text}. {join_examples(shown)}.",
                    "Correct the cells, or choose the kind of the column.",
                    "data.options.kinds",
                    Fix("Take it as a category", _as(mixed, "category")) if lost else None,
                )
            )
    return findings


def _dates(used: list[About]) -> list[Finding]:
    findings = []
    several = [a for a in used if len(a.get("ways") or {}) > 1]
    if several:
        shown = [f"'{a['name']}' ({', '.join(f'{w}: {n:,}' for w, n in a['ways'].items())})" for a in several]
        findings.append(
            Finding(
                "warning",
                "dates-in-two-formats",
                f"Dates are written in several ways, and were read as such: {join_examples(shown)}.",
                "Write all dates alike, best as 2024-05-31: 01/02/2024 can be read in two ways.",
            )
        )
    unclear = [a for a in used if a.get("unclear")]
    if unclear:
        findings.append(
            Finding(
                "warning",
                "day-or-month-first",
                f"The dates of {_named(unclear)} could have the day or the month first; the day was taken.",
                "Write dates as 2024-05-31.",
            )
        )
    return findings


def _united(about: list[About]) -> list[Finding]:
    findings = []
    united = [a for a in about if a.get("unit") and not a.get("times")]
    if united:
        shown = [f"'{a['name']}' {units.format_unit_counts(a['united'], a['unitless'], a['unit'])}" for a in united]
        message = f"Numbers were read without their unit: {join_examples(shown, limit=10)}."
        hint = "If they are names and not amounts, use the column as a category."
        findings.append(Finding("info", "unit-taken-off", message, hint, "data.options.kinds"))
    several = [a for a in about if a.get("units")]
    if several:
        shown = [f"'{a['name']}' ({', '.join(repr(e[:40]) for e in a['units'])})" for a in several]
        findings.append(
            Finding(
                "warning",
                "numbers-with-units",
                f"Numbers with different units are not used as numbers: {join_examples(shown, limit=10)}.",
                "Convert them to one unit, the same in every row; or write the numbers alone, and the unit into the "
                "column's name.",
                "data.options.kinds",
            )
        )
    return findings


def _failed(used: list[About]) -> list[Finding]:
    failed = [a for a in used if (a.get("failed") or {}).get("count")]
    if not failed:
        return []
    shown = [f"'{a['name']}': {a['failed']['count']:,} ({join_examples(a['failed']['examples'])})" for a in failed]
    message = f"Cells in which a formula has failed count as missing. {join_examples(shown, limit=10)}."
    return [Finding("warning", "failed-formulas", message, "Correct the formulas, and export the table again.")]


def _answers(used: list[About]) -> list[Finding]:
    several = [a for a in used if a["feature"] == "category" and a.get("answers")]
    if not several:
        return []
    shown = [
        f"'{a['name']}' ({a['answers']['example'][:60]!r}: {a['answers']['combinations']:,} combinations of "
        f"{a['answers']['answers']} answers)"
        for a in several
    ]
    return [
        Finding(
            "info",
            "several-answers",
            f"Cells hold several answers, and each combination is a category of its own: {join_examples(shown)}.",
            "Give each answer a column of its own, with yes or no in it; or take it as text, so that its words count.",
            "data.options.kinds",
            Fix("Take it as text", _as(several, "text")),
        )
    ]


def _zones(used: list[About]) -> list[Finding]:
    """Tell of moments that were changed to be in UTC, and of those of which it is only assumed that they are."""
    found = [a for a in used if any(z != dates.UTC for z in a.get("zones") or {}) or (a.get("zones") and a["unzoned"])]
    if not found:
        return []
    shown = []
    for about in found:
        texts = [f"{zone}: {count:,}" for zone, count in about["zones"].items()]
        if about["unzoned"]:
            texts.append(f"without a zone, taken as UTC: {about['unzoned']:,}")
        shown.append(f"'{about['name']}' ({join_examples(texts, limit=4)})")
    message = (
        f"Dates with a time zone were brought to UTC, so that all of a column can be compared: {join_examples(shown)}."
    )
    hint = "If the hour of the place matters, put it into a column of its own."
    return [Finding("info", "time-zones", message, hint)]


def _commas(used: list[About]) -> list[Finding]:
    findings = []
    point = "Write a point before the decimals, and nothing between the thousands."
    for code, key, text, hint in (
        ("decimal-comma", "comma", "Numbers have a decimal comma: 1,5 was read as 1.5", point),
        ("thousands-comma", "thousands", "Numbers have commas between the thousands: 1,234 was read as 1234", point),
        (
            "thousands-marks",
            "grouped",
            "Numbers have spaces or apostrophes between the thousands: 1'234 is 1234",
            point,
        ),
        ("thousands-points", "points", "Numbers have points between the thousands: 1.234 was read as 1234", point),
        (
            "negative-in-brackets",
            "negated",
            "Numbers in brackets, or with a minus behind, were read as negative: (5) as -5",
            "",
        ),
        ("clock-times", "times", "Times and durations were read as numbers of hours: 14:30 as 14.5", ""),
        (
            "limits",
            "limited",
            "Numbers of which only a limit is known were read as the limit: <5, >5 and 5+ as 5",
            "If that is too coarse, take the column as a category.",
        ),
    ):
        found = [a for a in used if a.get(key)]
        if found:
            shown = join_examples([f"'{a['name']}' ({a[key]:,})" for a in found], limit=10)
            findings.append(Finding("info", code, f"{text}. {shown}.", hint))
    return findings


def _many(used: list[About], total: int) -> list[Finding]:
    categories = [a for a in used if a["feature"] == "category" and not a.get("units")]
    many = [a for a in categories if a["distinct"] > min(MANY, max(20, total / 2))]
    if not many:
        return []
    shown = [f"'{a['name']}' ({a['distinct']:,})" for a in many]
    return [
        Finding(
            "info",
            "many-categories",
            f"Columns with very many categories: {join_examples(shown, limit=10)}.",
            "If they are ids, say so; if they are texts, say that.",
            "data.options.kinds",
            Fix("Take it as text", _as(many, "text")),
        )
    ]
