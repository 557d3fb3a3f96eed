"""Labels that a person would read as the same: they differ by case, spaces or signs only."""

from __future__ import annotations

import re
import unicodedata

from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows, listed
from autotrain_gradio.errors import Finding, Fix


def check(rows: Rows, request: Request) -> list[Finding]:
    """Warn once, with a fix that renames every variant to the one used most."""
    classes = rows.classes()
    if classes is None:
        return []
    cells = classes[1]
    counts = dict(zip(cells.labels.names, cells.labels.counts(rows.indices()).tolist(), strict=True))
    same: dict[str, list[str]] = {}
    for name in cells.names or []:
        same.setdefault(_bare(name), []).append(name)
    change: dict[str, str] = {}
    shown = []
    for variants in same.values():
        if len(variants) > 1:
            best = max(variants, key=lambda n: (counts[n], n == n.strip(), n))
            target = " ".join(best.split())
            shown.append(" = ".join(f"'{v}' ({counts[v]:,})" for v in variants))
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
            f"Labels differ only by case, spaces or signs and count as different classes: {listed(shown)}.",
            "Give them one name, unless they are really different.",
            "data.labels",
            Fix("Merge them", {"labels": change}),
        )
    ]


def _bare(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-.]+", "", text) or name
