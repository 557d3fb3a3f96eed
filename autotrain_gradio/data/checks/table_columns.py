"""Columns of a table that are constant, mostly empty, or of mixed types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from autotrain_gradio.core.errors import Finding, Fix, Level, did_you_mean
from autotrain_gradio.core.text_format import format_count, inflect, join_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import ROW_NAME, Rows
from autotrain_gradio.data.values import dates, numbers, units

MOSTLY = 0.5
"""Share of missing cells from which a column is pointed out."""
MANY = 1000
"""Categories from which a column of them is pointed out."""
KINDS = "data.options.kinds"
MIXED = {
    "number": "some are not numbers and count as missing",
    "date": "some are not dates and count as missing",
    "category": "some are numbers among words",
}
"""Kind of a column → what is odd about its invalid cells."""
About = dict[str, Any]
"""What the inspection of a column found: see `kinds/feature.py`."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report problems that the inspection found; one finding per problem, with the names of the columns."""
    about = [c.about for c in rows.cells.values() if "feature" in c.about]
    if not about:
        return
    used = [a for a in about if a["feature"] not in {"id", "ignore"}]
    yield from _given_kinds([a["name"] for a in about], request)
    yield from _unused(about)
    yield from _cells(used, max(1, rows.count()))
    yield from _dates(used)
    yield from _numbers(about, used)
    if not any(a["distinct"] > 1 for a in used):
        message = "No column is left that a model could learn from."
        hint = f"Add columns, or set the kinds of those that were not used ({KINDS})."
        yield Finding("error", "no-useful-column", message, hint, KINDS)


def _report(
    level: Level,
    code: str,
    columns: list[About],
    message: str,
    hint: str,
    show: Callable[[About], str] = lambda a: f"'{a['name']}'",
    *,
    where: str = KINDS,
    fix: tuple[str, str] | None = None,
) -> Iterator[Finding]:
    """Report columns, if there are any.

    message: template of `format_count`, with `{columns}` for them. fix: label of the button, kind that it gives them.
    """
    if columns:
        shown = join_examples([show(a) for a in columns], limit=10)
        message = shown.join(format_count(part, len(columns), "column") for part in message.split("{columns}"))
        kinds = {a["name"]: fix[1] for a in columns} if fix else {}
        yield Finding(level, code, message, hint, where, Fix(fix[0], {"options": {"kinds": kinds}}) if fix else None)


def _given_kinds(known: list[str], request: Request) -> Iterator[Finding]:
    kinds = request.spec.options.get("kinds", {})
    if not isinstance(kinds, dict):
        message = f"The kinds of columns must be a mapping (got {kinds!r:.60})."
        yield Finding("error", "invalid-setting", message, "Write column: kind, such as age: number.", KINDS)
        return
    for name in kinds:
        if name not in known:
            message = f"{KINDS} names '{name}', which is not a feature column."
            yield Finding("warning", "unknown-column", message, did_you_mean(str(name), known), f"{KINDS}.{name}")


def _unused(about: list[About]) -> Iterator[Finding]:
    guessed = [a for a in about if a["guessed"]]
    ids = [a for a in guessed if a["feature"] == "id" and a["name"] != ROW_NAME]
    text = "{columns} {looks} like an id, different in every row, and {is} not used as a feature."
    numeric = [a["name"] for a in ids if a.get("numeric")]
    for finding in _report("info", "id-like", ids, text, "Choose its kind if that is wrong."):
        shown = join_examples([f"'{name}'" for name in numeric], limit=10)
        fix = Fix(f"Use {shown} as numbers", {"options": {"kinds": dict.fromkeys(numeric, "number")}})
        message = f"{finding.message} {shown} {inflect(len(numeric), 'holds')} numbers."
        yield replace(finding, message=message, fix=fix) if numeric else finding
    for code, kind in (("mostly-dates", "date"), ("mostly-numbers", "number")):
        mostly = [a for a in guessed if (a.get("mostly") or {}).get("kind") == kind]
        text = f"Most cells look like {kind}s, but not all, and {{columns}} {{is}} not used as {kind}s."
        hint = "Correct the other cells, or choose the kind: then they count as missing."
        label = f"Take the column as {kind}s"
        yield from _report("warning", code, mostly, text, hint, _mostly, fix=(label, kind))
    text = "{columns} {looks} like dates in a form that is not known, and {is} not used as dates."
    hint = "Write dates as 2024-05-31, or 2024-05-31 10:30 with a time."
    unknown = [a for a in guessed if a.get("dates")]
    yield from _report("warning", "unknown-dates", unknown, text, hint, _as_kind, where="")
    nested = [a for a in guessed if a["feature"] == "ignore" and "nested" in a]
    text = "{columns} {holds} lists or objects and {is} not used as a feature."
    yield from _report("warning", "nested-column", nested, text, "Put each value into a column of its own.", where="")
    empty = [a for a in guessed if a["feature"] == "ignore" and "nested" not in a and not a["distinct"]]
    text = "{columns} {has} no values."
    yield from _report("info", "empty-column", empty, text, "Fill in the column, or remove it.", where="")


def _mostly(about: About) -> str:
    found = about["mostly"]
    return f"'{about['name']}' ({found['share']:.0%}, but not {found['other']!r}; taken as {about['feature']})"


def _as_kind(about: About) -> str:
    return f"'{about['name']}' ({about['dates'][:40]!r}, taken as {about['feature']})"


def _cells(used: list[About], total: int) -> Iterator[Finding]:
    """Report what is odd about the cells of feature columns, other than how numbers and dates are written."""
    same = [a for a in used if a["distinct"] == 1 and not a["missing"]]
    text = "{columns} {has} the same value in every row: a model learns nothing from it."
    yield from _report("warning", "constant-column", same, text, "Exclude it.", fix=("Exclude", "ignore"))
    yield from _report(
        "warning",
        "mostly-missing",
        [a for a in used if a["missing"] > MOSTLY * total],
        "More than half of the cells are missing: {columns}.",
        "Exclude these columns, or fill them in.",
        lambda a: f"'{a['name']}' ({min(1.0, a['missing'] / total):.0%} missing)",
        fix=("Exclude them", "ignore"),
    )
    for kind, odd in MIXED.items():
        mixed = [a for a in used if a["feature"] == kind and (a.get("invalid") or {}).get("count")]
        text = f"The cells of a column are not of one kind: {odd}. {{columns}}."
        hint = "Correct the cells, or choose the kind of the column."
        if kind == "category":
            yield from _report("info", "mixed-types", mixed, text, hint, lambda a: _counted(a, "invalid"))
        else:
            fix = ("Use it as a category", "category")
            yield from _report("warning", "mixed-types", mixed, text, hint, lambda a: _counted(a, "invalid"), fix=fix)
    failed = [a for a in used if (a.get("failed") or {}).get("count")]
    text = "Cells in which a formula has failed count as missing. {columns}."
    hint = "Correct the formulas, and export the table again."
    yield from _report("warning", "failed-formulas", failed, text, hint, lambda a: _counted(a, "failed"), where="")
    categories = [a for a in used if a["feature"] == "category"]
    alike = [a for a in categories if a.get("alike")]
    text = "Categories differ only by case, spaces, hyphens or Unicode form, and count as different: {columns}."
    hint = "Use one spelling for each category."
    yield from _report("warning", "category-spelling", alike, text, hint, _spellings, where="")
    yield from _report(
        "info",
        "several-answers",
        [a for a in categories if a.get("answers")],
        "Cells hold several values, and each combination is a category of its own: {columns}.",
        "Give each value a column of its own, with yes or no in it; or use it as text, so that its words are features.",
        _answers,
        fix=("Use it as text", "text"),
    )
    yield from _report(
        "info",
        "many-categories",
        [a for a in categories if not a.get("units") and a["distinct"] > min(MANY, max(20, total / 2))],
        "Columns with very many categories: {columns}.",
        "If they are ids or texts, choose that kind.",
        lambda a: f"'{a['name']}' ({a['distinct']:,})",
        fix=("Use it as text", "text"),
    )


def _answers(about: About) -> str:
    found = about["answers"]
    counts = f"{found['combinations']:,} combinations of {found['answers']} answers"
    return f"'{about['name']}' ({found['example'][:60]!r}: {counts})"


def _spellings(about: About) -> str:
    return f"'{about['name']}': {join_examples(about['alike'])}"


def _counted(about: About, key: str) -> str:
    """Return name, count and examples of cells of a column."""
    return f"'{about['name']}': {about[key]['count']:,} ({join_examples(about[key]['examples'])})"


def _dates(used: list[About]) -> Iterator[Finding]:
    yield from _report(
        "warning",
        "dates-in-two-formats",
        [a for a in used if len(a.get("ways") or {}) > 1],
        "Dates have several formats, and each was parsed in its own: {columns}.",
        "Write all dates as 2024-05-31: 01/02/2024 is ambiguous.",
        lambda a: f"'{a['name']}' ({', '.join(f'{way}: {n:,}' for way, n in a['ways'].items())})",
        where="",
    )
    unclear = [a for a in used if a.get("unclear")]
    text = "The dates of {columns} could have the day or the month first: parsed with the day first."
    yield from _report("warning", "day-or-month-first", unclear, text, "Write dates as 2024-05-31.", where="")
    # Those that were converted, and those of which it is only assumed that they are in UTC.
    zones = [a for a in used if a.get("zones") and (a["unzoned"] or set(a["zones"]) != {dates.UTC})]
    text = "Dates with a time zone were converted to UTC, so that all of a column can be compared: {columns}."
    hint = "If the local time matters, put it into a column of its own."
    yield from _report("info", "time-zones", zones, text, hint, _zones, where="")


def _zones(about: About) -> str:
    texts = [f"{zone}: {count:,}" for zone, count in about["zones"].items()]
    if about["unzoned"]:
        texts.append(f"without a time zone, assumed to be UTC: {about['unzoned']:,}")
    return f"'{about['name']}' ({join_examples(texts, limit=4)})"


def _numbers(about: list[About], used: list[About]) -> Iterator[Finding]:
    """Report how numbers were read."""
    yield from _report(
        "info",
        "unit-taken-off",
        [a for a in about if a.get("unit") and not a.get("times")],
        "Numbers were parsed without their unit: {columns}.",
        "If they are names and not amounts, set the kind of the column to category.",
        lambda a: f"'{a['name']}' {units.format_unit_counts(a['united'], a['unitless'], a['unit'])}",
    )
    yield from _report(
        "warning",
        "numbers-with-units",
        [a for a in about if a.get("units")],
        "Numbers with different units are not used as numbers: {columns}.",
        "Convert them to one unit, the same in every row; or write the numbers alone, and the unit into the column's "
        "name.",
        lambda a: f"'{a['name']}' ({', '.join(repr(e[:40]) for e in a['units'])})",
    )
    for notation in numbers.NOTATIONS:
        found = [a for a in used if a.get(notation.attribute)]
        shown = lambda a, key=notation.attribute: f"'{a['name']}' ({a[key]:,})"  # noqa: E731
        text = f"Numbers have {notation.what}: {notation.example}. {{columns}}."
        yield from _report(notation.level, notation.code, found, text, notation.hint, shown, where="")
