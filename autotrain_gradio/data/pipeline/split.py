"""Split the rows into training and validation rows, and limit their number."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import inflect, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import short

MAX_OVERSHOOT = 1.5
"""A group is not chosen if validation would exceed its target size by more than this factor."""


def split(rows: Rows, request: Request, given: str | None) -> tuple[str, list[Finding]]:
    """Move a share of the training rows to validation if the data has no validation split; apply `max_samples`.

    given: name of the validation split of the data, or None. Returns a description of the split, and findings.
    """
    spec, findings = request.spec, list[Finding]()
    if given is not None:
        how = f"The data's own split '{given}' is used for validation."
        if not rows.count("validation"):
            findings.append(
                Finding(
                    "warning",
                    "no-validation",
                    f"No row of the validation split '{given}' can be used: the model will not be evaluated.",
                    "Correct its rows, or remove the split: then a share of the training rows is used for validation.",
                    "data.valid_split",
                )
            )
    elif spec.valid_fraction == 0:
        how = "No validation: all rows are used for training."
    else:
        by, unfair = _sample_validation(rows, request)
        share = (
            f"{spec.valid_fraction:.0%}"
            if round(spec.valid_fraction * 100, 6).is_integer()
            else f"{spec.valid_fraction}"
        )
        how = f"{share}{by} used for validation (seed {request.seed})."
        if not rows.count("validation") and rows.count("train"):
            findings.append(_no_validation(rows, unfair))
    if spec.max_samples is not None:
        how += _limit_samples(rows, request, given)
    findings += _untrained_classes(rows)
    return how, findings


def _strata(rows: Rows, used: Any) -> tuple[Any, list[str]]:
    """Return per used row the number of its stratum (its class), and the names of the classes."""
    classes = rows.classes()
    if classes is None:
        return np.zeros(len(used), dtype=np.int64), [""]
    return classes[1].labels.strata(used).astype(np.int64), classes[1].labels.names


def _shuffled(seed: str, count: int) -> Any:
    """Return the numbers up to `count` in a random order that only depends on the seed."""
    return np.random.RandomState(zlib.crc32(seed.encode())).permutation(count)


def _no_validation(rows: Rows, unfair: int) -> Finding:
    """Report why no row was used for validation. unfair: rows whose content has several labels."""
    total, end = rows.count("train"), "the model will not be evaluated."
    if unfair:
        others = "" if unfair == total else f", and of the other {total - unfair:,} there are too few"
        text = f"{unfair:,} of {pluralize(total, 'row')} have a content with more than one label: "
        text += f"none of them can be used for validation{others}, so {end}"
        hint = "Correct the labels, so that each content has one, or has all of its labels in one row."
    else:
        text = f"There are too few rows to use any for validation: {end}"
        hint = "Add more rows, two different ones of each class at least." if rows.classes() else "Add more rows."
    return Finding("warning", "no-validation", text, hint, "data.labels" if unfair else "data.valid_fraction")


def _sample_validation(rows: Rows, request: Request) -> tuple[str, int]:
    """Move rows to validation; return how they were chosen, in words, and how many rows could not be.

    By groups (speakers, recordings) if the data has enough of them, else stratified by class. Rows with the same
    content stay in one split.
    """
    used = rows.indices("train")
    named = _group_column(rows, request, used)
    if named is not None:
        role, group = named
        taken = _sample_groups(group, request.spec.valid_fraction, f"{request.seed}")
        rows.validate(used[taken])
        return f", by whole groups of '{role}',", 0
    content = rows.content_groups()[used]
    strata, names = _strata(rows, used)
    # The same content with two labels cannot be evaluated fairly: it stays in training.
    fair = np.ones(len(used), dtype=bool)
    shared = np.flatnonzero(content >= 0)
    if len(shared):
        _, group = np.unique(content[shared], return_inverse=True)
        group = group.reshape(-1)
        order = np.argsort(group, kind="stable")
        begins = np.flatnonzero(np.diff(group[order], prepend=-1))
        lowest, highest = (f.reduceat(strata[shared][order], begins) for f in (np.minimum, np.maximum))
        fair[shared] = (lowest == highest)[group]
    for number in (np.flatnonzero(np.bincount(strata[fair] + 1)) - 1).tolist():  # -1: without a class
        here = np.flatnonzero(fair & (strata == number))
        name = names[number] if number >= 0 else ""
        taken = _sample_groups(content[here], request.spec.valid_fraction, f"{request.seed} {name}")
        rows.validate(used[here[taken]])
    unfair = int(np.count_nonzero(~fair))
    if rows.classes():
        return " of each class", unfair
    # If the task has group columns, say that none was used.
    return ", chosen at random," if any(c.is_group for c in request.columns) else "", unfair


def _group_column(rows: Rows, request: Request, used: Any) -> tuple[str, Any] | None:
    """Return the first group column with enough groups, and per used row the number of its group.

    Else the first with fewer groups of which one is small enough. Else the files whose segments the rows are (the fact
    `file`).
    """
    fraction = request.spec.valid_fraction
    least = max(2, math.ceil(1 / fraction))
    named = [(r, c) for r in rows.having("group") if (c := rows.cells[r].content()) is not None]
    files = [("file", c.facts["file"]) for c in rows.cells.values() if "file" in c.facts]
    asked = ((named, _enough_groups), (named, _small_enough_group), (files, _enough_groups))
    for groups, enough in asked:
        for role, found in groups:
            group = found[used]
            sizes = np.unique(group[group >= 0], return_counts=True)[1]
            if enough(sizes, least, max(1, round(len(used) * fraction))):
                return role, group
    return None


def _enough_groups(sizes: Any, least: int, target: int) -> bool:
    return len(sizes) >= least


def _small_enough_group(sizes: Any, least: int, target: int) -> bool:
    return len(sizes) >= 2 and bool(sizes.min() <= target * MAX_OVERSHOOT)


def _sample_groups(group: Any, fraction: float, seed: str) -> Any:
    """Return the rows for validation: whole groups in a random order, until the target size is reached.

    group: per row its number; -1: a group of its own. At least one group stays in training. A group is not chosen if
    the target would be exceeded by more than `MAX_OVERSHOOT`.
    """
    if not (group >= 0).any():
        return np.sort(_shuffled(seed, len(group))[:-1][: max(1, round(len(group) * fraction))])
    alone, shared = np.flatnonzero(group < 0), np.flatnonzero(group >= 0)
    _, number, counts = np.unique(group[shared], return_inverse=True, return_counts=True)
    sizes = np.concatenate((np.ones(len(alone), dtype=np.int64), counts))
    target = max(1, round(len(group) * fraction))
    order = _shuffled(seed, len(sizes))[:-1]
    order = _until_target(order, sizes, target)
    wanted = np.zeros(len(sizes), dtype=bool)
    wanted[order[:target]] = True
    return np.concatenate((alone[wanted[: len(alone)]], shared[wanted[len(alone) :][number.reshape(-1)]]))


def _until_target(order: Any, sizes: Any, target: int) -> Any:
    chosen, taken = [], 0
    fits = len(order) and sizes[order].min() <= target * MAX_OVERSHOOT
    for one, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        if taken >= target:
            break
        if (taken or fits) and taken + size > target * MAX_OVERSHOOT:
            continue
        chosen.append(one)
        taken += size
    return np.array(chosen, dtype=np.int64)


def _limit_samples(rows: Rows, request: Request, given: str | None) -> str:
    """Drop rows beyond `max_samples`, balanced by class."""
    limit = request.spec.max_samples or 0
    parts = {"train": limit}
    if given is None and request.spec.valid_fraction:
        parts["validation"] = max(1, round(limit * request.spec.valid_fraction / (1 - request.spec.valid_fraction)))
    note = ""
    for part, most in parts.items():
        used = rows.indices(part)
        if len(used) <= most:
            continue
        strata, names = _strata(rows, used)
        numbers, counts = np.unique(strata, return_counts=True)
        label = {int(n): names[n] if n >= 0 else "" for n in numbers}
        quota = balanced({label[int(n)]: int(c) for n, c in zip(numbers, counts, strict=True)}, most)
        for n, name in label.items():
            here = np.flatnonzero(strata == n)
            spare = here[_shuffled(f"{request.seed} max {name}", len(here))[quota[name] :]]
            rows.drop(used[spare], "over-max-samples")
        if part == "train":
            evenly = ", as many of each class as possible" if rows.classes() else ""
            note = f" {most:,} of {len(used):,} training rows are used (max_samples){evenly}."
    return note


def balanced(counts: dict[str, int], limit: int) -> dict[str, int]:
    """Distribute `limit` rows among classes as evenly as their sizes allow."""
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


def _untrained_classes(rows: Rows) -> list[Finding]:
    classes = rows.classes()
    if classes is None:
        return []
    labels = classes[1].labels
    counts = zip(labels.names, rows.label_counts(labels, "train"), rows.label_counts(labels, "validation"), strict=True)
    missing = sorted(name for name, trained, measured in counts if measured and not trained)
    if not missing:
        return []
    return [
        Finding(
            "warning",
            "class-not-trained",
            f"{pluralize(len(missing), 'class', 'classes')} of the validation rows "
            f"{inflect(len(missing), 'has')} "
            f"no training rows and cannot be learned: {join_examples([short(n) for n in missing])}.",
            "Add training rows of it, or correct the labels.",
            "data.labels",
        )
    ]
