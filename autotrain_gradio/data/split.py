"""Deciding which rows are trained and which validated on."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows, counted, listed
from autotrain_gradio.errors import Finding


def groups(rows: Rows) -> list[str]:
    """Return per row the name of the group that must not be parted: rows with the same content."""
    for cells in rows.cells.values():
        if "digest" in cells.facts:
            return [d or f"#{i}" for i, d in enumerate(cells.facts["digest"])]
    return [f"#{i}" for i in range(len(rows))]


def split(rows: Rows, request: Request, given: str | None) -> tuple[str, list[Finding]]:
    """Move a part of the training rows to validation where none was given, then keep `max_samples`.

    given: name of the validation split of the data, or None. Returns how it was done, in words.
    """
    spec, findings = request.spec, list[Finding]()
    if given is not None:
        how = f"The data's own split '{given}' is used for validation."
        if not any(True for _ in rows.used("validation")):
            findings.append(
                Finding(
                    "warning",
                    "no-validation",
                    f"No row of the validation split '{given}' can be used: the model will not be measured.",
                    "Mend its rows, or remove the split: then a part of the training rows is kept for validation.",
                    "data.valid_split",
                )
            )
    elif spec.valid_fraction == 0:
        how = "No validation: all rows are trained on."
    else:
        _take(rows, request)
        share = (
            f"{spec.valid_fraction:.0%}"
            if round(spec.valid_fraction * 100, 6).is_integer()
            else f"{spec.valid_fraction}"
        )
        by = " of each class" if rows.classes() else ""
        how = f"{share}{by} kept for validation (seed {request.seed})."
        if not any(True for _ in rows.used("validation")) and any(True for _ in rows.used("train")):
            findings.append(
                Finding(
                    "warning",
                    "no-validation",
                    "There are too few rows to keep any for validation: the model will not be measured.",
                    "Add more rows, two different ones of each class at least.",
                    "data.valid_fraction",
                )
            )
    if spec.max_samples is not None:
        how += _cap(rows, request, given)
    findings += _unseen(rows)
    return how, findings


def _labels(rows: Rows) -> Sequence[str]:
    classes = rows.classes()
    return [str(v) for v in classes[1].values] if classes else [""] * len(rows)


def _take(rows: Rows, request: Request) -> None:
    """Stratified split by class; rows with the same content stay on one side."""
    labels, group = _labels(rows), groups(rows)
    members: dict[str, list[int]] = defaultdict(list)
    for i in rows.used("train"):
        members[group[i]].append(i)
    by_class: dict[str, list[str]] = defaultdict(list)
    for name, indices in members.items():
        of = {labels[i] for i in indices}
        # The same content under two labels cannot be measured fairly: it stays in training.
        by_class["" if len(of) > 1 else of.pop()].append(name)
    single = not rows.classes()
    for label, names in sorted(by_class.items()):
        if label == "" and not single:
            continue
        total = sum(len(members[n]) for n in names)
        target = max(1, round(total * request.spec.valid_fraction))
        order = sorted(names)
        random.Random(f"{request.seed} {label}").shuffle(order)
        taken = 0
        for name in order[:-1]:  # at least one group stays in training
            if taken >= target:
                break
            if taken and taken + len(members[name]) > target * 1.5:
                continue
            for i in members[name]:
                rows.split[i] = "validation"
            taken += len(members[name])


def _cap(rows: Rows, request: Request, given: str | None) -> str:
    """Leave out rows beyond `max_samples`, as many of each class as possible."""
    limit = request.spec.max_samples or 0
    parts = {"train": limit}
    if given is None and request.spec.valid_fraction:
        parts["validation"] = max(1, round(limit * request.spec.valid_fraction / (1 - request.spec.valid_fraction)))
    labels = _labels(rows)
    said = ""
    for part, most in parts.items():
        by_class: dict[str, list[int]] = defaultdict(list)
        for i in rows.used(part):
            by_class[labels[i]].append(i)
        total = sum(len(v) for v in by_class.values())
        if total <= most:
            continue
        quota = balanced({k: len(v) for k, v in by_class.items()}, most)
        for label, indices in by_class.items():
            order = list(indices)
            random.Random(f"{request.seed} max {label}").shuffle(order)
            for i in order[quota[label] :]:
                rows.drop(i, "over-max-samples")
        if part == "train":
            said = f" {most:,} of {total:,} training rows are used (max_samples), as many of each class as possible."
    return said


def balanced(counts: dict[str, int], limit: int) -> dict[str, int]:
    """Share `limit` rows among classes as evenly as their sizes allow."""
    quota = dict.fromkeys(counts, 0)
    left, open_ = limit, sorted(counts, key=lambda k: (counts[k], k))
    while open_:
        share = left // len(open_)
        name = open_[0]
        if counts[name] <= share:
            quota[name] = counts[name]
            left -= counts[name]
            open_.pop(0)
            continue
        extra = left % len(open_)
        for position, rest in enumerate(open_):
            quota[rest] = share + (position < extra)
        break
    return quota


def _unseen(rows: Rows) -> list[Finding]:
    classes = rows.classes()
    if classes is None:
        return []
    trained = {classes[1].values[i] for i in rows.used("train")}
    measured = Counter(classes[1].values[i] for i in rows.used("validation"))
    missing = sorted(str(n) for n in measured if n not in trained)
    if not missing:
        return []
    return [
        Finding(
            "warning",
            "class-not-trained",
            f"{counted(len(missing), 'class', 'classes')} of the validation rows "
            f"{'has' if len(missing) == 1 else 'have'} "
            f"no training rows and cannot be learnt: {listed(missing)}.",
            "Add training rows of it, or correct the labels.",
            "data.labels",
        )
    ]
