"""Names of labels: those that a person would read as the same, that are whole texts, or hold control characters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows
from autotrain_gradio.data.values.labels import CONTROL, canonical_mapping, quoted, spelling

LONG = 100
"""Maximum number of characters of a class name."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Warn once of each; a fix renames every variant to the one used most, and takes control characters out."""
    classes = rows.classes()
    if classes is None:
        return
    role, cells = classes
    counts = {n: c for n, c in zip(cells.labels.names, rows.label_counts(cells.labels), strict=True) if c}
    variants: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        variants[spelling(name)].append(name)
    same = [names for names in variants.values() if len(names) > 1]
    if same:
        renamed: dict[str, str] = {}
        for names in same:
            best = max(names, key=lambda n: (counts[n], n == n.strip(), n))
            renamed |= dict.fromkeys(names, " ".join(best.split()))
        shown = join_examples([" = ".join(f"{quoted(n)} ({counts[n]:,})" for n in names) for names in same])
        message = f"Labels differ only by case, spaces or hyphens and count as different classes: {shown}."
        hint = "Give them one name, unless they are really different."
        fix = Fix("Merge them", {"labels": _changes(renamed, cells, request)})
        yield Finding("warning", "label-spelling", message, hint, "data.labels", fix)
    clean = {n: " ".join(CONTROL.sub(_plain, n).split()) for n in counts if CONTROL.search(n)}
    if clean:
        change = _changes({name: new for name, new in clean.items() if new}, cells, request)
        message = f"{count_with_verb(len(clean), 'label', 'has')} line breaks or other control characters in the name: "
        message += f"{join_examples([f'{quoted(name)} ({counts[name]:,})' for name in clean])}."
        hint = "Remove them from the names, and check how the file was written."
        fix_ = Fix("Remove them", {"labels": change}) if change else None
        yield Finding("warning", "label-control-characters", message, hint, "data.labels", fix_)
    long = [name for name in counts if len(name) > LONG]
    if long:
        message = f"{pluralize(len(long), 'label')} of {len(counts):,} {inflect(len(long), 'is')} longer than {LONG} "
        message += f"characters (the longest {max(map(len, long)):,}), like whole texts: "
        message += f"{join_examples([quoted(n) for n in long])}."
        hint = "Choose another column of labels, or give these labels short names."
        if any(kind.texts for kind in rows.kinds.values()):
            hint = "That usually means that the columns of texts and of labels are swapped: choose them anew, or give "
            hint += "these labels short names."
        yield Finding("warning", "label-long", message, hint, f"data.columns.{role.partition(':')[0]}")


def _changes(renamed: Mapping[str, str], cells: Cells, request: Request) -> dict[str, str]:
    """Return value as written in the data → new name, given the names that labels have now and are to have."""
    mapping = canonical_mapping(request.spec.labels)
    names = {raw: renamed.get(mapping.get(raw, raw) or "") for raw in cells.raw}
    return {raw: name for raw, name in names.items() if name is not None and name != raw}


def _plain(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ""
