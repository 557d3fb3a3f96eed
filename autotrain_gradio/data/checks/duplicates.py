"""The same content twice: in two classes, in training and validation, or simply twice."""

from __future__ import annotations

from collections import defaultdict

from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows, counted, listed
from autotrain_gradio.errors import Finding


def check(rows: Rows, request: Request) -> list[Finding]:
    """Compare the digests of all rows that are used. Runs before the split: `validation` rows were given."""
    digests = next((c.facts["digest"] for c in rows.cells.values() if "digest" in c.facts), None)
    if digests is None:
        return []
    classes = rows.classes()
    same: dict[str, list[int]] = defaultdict(list)
    for i in rows.used():
        if digests[i]:
            same[digests[i]].append(i)
    twice = [v for v in same.values() if len(v) > 1]
    findings = []
    mixed = [v for v in twice if classes and len({classes[1].values[i] for i in v}) > 1]
    if mixed:
        assert classes is not None  # only then rows can differ in their class
        shown = [" = ".join(f"{rows.where[i]} ({classes[1].values[i]})" for i in v[:3]) for v in mixed[:5]]
        findings.append(
            Finding(
                "warning",
                "same-in-two-classes",
                f"{counted(len(mixed), 'image')} {'stands' if len(mixed) == 1 else 'stand'} in two "
                f"classes: {listed(shown, len(mixed))}.",
                "Remove the wrong one: a model cannot learn both.",
                rows.where[mixed[0][0]],
            )
        )
    leaked = [v for v in twice if len({rows.split[i] for i in v}) > 1]
    if leaked:
        shown = [" = ".join(rows.where[i] for i in v[:3]) for v in leaked[:5]]
        measured = sum(rows.split[i] == "validation" for v in leaked for i in v)
        findings.append(
            Finding(
                "warning",
                "same-in-train-and-validation",
                f"{counted(measured, 'validation image')} {'is' if measured == 1 else 'are'} also in the "
                "training rows: "
                f"{listed(shown, len(leaked))}. The results will look better than they are.",
                "Remove them from one of the two.",
                rows.where[leaked[0][0]],
            )
        )
    spare = sum(len(v) - 1 for v in twice)
    if twice and spare and not (mixed and len(mixed) == len(twice)):
        shown = [" = ".join(rows.where[i] for i in v[:3]) for v in twice[:5]]
        findings.append(
            Finding(
                "info",
                "duplicates",
                f"{counted(spare, 'image')} {'is a copy' if spare == 1 else 'are copies'} of another "
                f"one: {listed(shown, len(twice))}. "
                "Copies stay on the same side of the split.",
            )
        )
    return findings
