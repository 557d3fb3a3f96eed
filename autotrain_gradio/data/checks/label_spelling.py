"""Names of labels: those that a person would read as the same, that are whole texts, or hold control characters."""

from __future__ import annotations

import re
import unicodedata

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows
from autotrain_gradio.data.values.labels import CONTROL, quoted

LONG = 100
"""Maximum number of characters of a class name."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Warn once of each; a fix renames every variant to the one used most, and takes control characters out."""
    classes = rows.classes()
    if classes is None:
        return []
    role, cells = classes
    counts = rows.label_counts(cells.labels)
    used = {name: count for name, count in zip(cells.labels.names, counts, strict=True) if count}
    return [*_spelling(used, cells, request), *_control(used, cells, request), *_long(used, role, rows)]


def _spelling(counts: dict[str, int], cells: Cells, request: Request) -> list[Finding]:
    same: dict[str, list[str]] = {}
    for name in counts:
        same.setdefault(_bare(name), []).append(name)
    change: dict[str, str] = {}
    shown = []
    for variants in same.values():
        if len(variants) > 1:
            best = max(variants, key=lambda n: (counts[n], n == n.strip(), n))
            target = " ".join(best.split())
            shown.append(" = ".join(f"{quoted(v)} ({counts[v]:,})" for v in variants))
            for raw in cells.raw:
                now = request.spec.labels.get(raw, raw)
                if now in variants and raw != target:
                    change[raw] = target
    if not shown:
        return []
    return [
        Finding(
            "warning",
            "label-spelling",
            f"Labels differ only by case, spaces or signs and count as different classes: {join_examples(shown)}.",
            "Give them one name, unless they are really different.",
            "data.labels",
            Fix("Merge them", {"labels": change}),
        )
    ]


def _control(counts: dict[str, int], cells: Cells, request: Request) -> list[Finding]:
    clean = {name: " ".join(CONTROL.sub(_plain, name).split()) for name in counts if CONTROL.search(name)}
    if not clean:
        return []
    change: dict[str, str] = {}
    for raw in cells.raw:
        target = clean.get(request.spec.labels.get(raw) or raw)
        if target:
            change[raw] = target
    shown = [f"{quoted(name)} ({counts[name]:,})" for name in clean]
    return [
        Finding(
            "warning",
            "label-control-characters",
            f"{count_with_verb(len(clean), 'label', 'has')} line breaks or other control "
            f"characters in the name: {join_examples(shown)}.",
            "Take them out of the names; where the labels should be plain ones, look at how the file was written.",
            "data.labels",
            Fix("Take them out", {"labels": change}) if change else None,
        )
    ]


def _plain(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ""


def _long(counts: dict[str, int], role: str, rows: Rows) -> list[Finding]:
    long = [name for name in counts if len(name) > LONG]
    if not long:
        return []
    longest = max(map(len, long))
    texts = any(kind.texts for kind in rows.kinds.values())
    swapped = "That usually means that the columns of texts and of labels are swapped: choose them anew"
    return [
        Finding(
            "warning",
            "label-long",
            f"{pluralize(len(long), 'label')} of {len(counts):,} {inflect(len(long), 'is')} longer than "
            f"{LONG} characters (the longest {longest:,}), like whole texts: "
            f"{join_examples([quoted(n) for n in long])}.",
            f"{swapped if texts else 'Choose another column of labels'}, or give these labels short names.",
            f"data.columns.{role.partition(':')[0]}",
        )
    ]


def _bare(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-.]+", "", text) or name
