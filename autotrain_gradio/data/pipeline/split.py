"""Deciding which rows are trained and which validated on."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import short

TOO_MANY = 1.5
"""A group by which validation would have more than so many times the rows it should have is passed over."""


def split(rows: Rows, request: Request, given: str | None) -> tuple[str, list[Finding]]:
    """Move a part of the training rows to validation where none was given, then keep `max_samples`.

    given: name of the validation split of the data, or None. Returns how it was done, in words.
    """
    spec, findings = request.spec, list[Finding]()
    if given is not None:
        how = f"The data's own split '{given}' is used for validation."
        if not rows.count("validation"):
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
        by, unfair = _take(rows, request)
        share = (
            f"{spec.valid_fraction:.0%}"
            if round(spec.valid_fraction * 100, 6).is_integer()
            else f"{spec.valid_fraction}"
        )
        how = f"{share}{by} kept for validation (seed {request.seed})."
        if not rows.count("validation") and rows.count("train"):
            findings.append(_none_kept(rows, unfair))
    if spec.max_samples is not None:
        how += _cap(rows, request, given)
    findings += _unseen(rows)
    return how, findings


def _strata(rows: Rows, used: Any) -> tuple[Any, list[str]]:
    """Return per used row the number of the class by which it is balanced, and the classes' names."""
    classes = rows.classes()
    if classes is None:
        return np.zeros(len(used), dtype=np.int64), [""]
    return classes[1].labels.strata(used).astype(np.int64), classes[1].labels.names


def _order(seed: str, count: int) -> Any:
    """Return the numbers up to `count`, shuffled: the same order for the same words, on every machine."""
    return np.random.RandomState(zlib.crc32(seed.encode())).permutation(count)


def _none_kept(rows: Rows, unfair: int) -> Finding:
    """Say why no row was kept for validation. unfair: rows whose content stands under several labels."""
    total, end = rows.count("train"), "the model will not be measured."
    if unfair:
        others = "" if unfair == total else f", and of the other {total - unfair:,} there are too few"
        text = f"{unfair:,} of {pluralize(total, 'row')} hold a content that stands under more than one label: "
        text += f"none of them can be kept for validation{others}, so {end}"
        hint = "Correct the labels, so that each content has one, or has all of its labels in one row."
    else:
        text = f"There are too few rows to keep any for validation: {end}"
        hint = "Add more rows, two different ones of each class at least." if rows.classes() else "Add more rows."
    return Finding("warning", "no-validation", text, hint, "data.labels" if unfair else "data.valid_fraction")


def _take(rows: Rows, request: Request) -> tuple[str, int]:
    """Move rows to validation; return in words by what they were chosen, and how many rows could not be.

    By groups (speakers, recordings) where the data has enough of them. Else stratified by class; rows with the same
    content stay on one side.
    """
    used = rows.indices("train")
    named = _groups(rows, request, used)
    if named is not None:
        role, group = named
        taken = _choose(group, request.spec.valid_fraction, f"{request.seed}")
        rows.validate(used[taken])
        return f", by whole groups of '{role}' that are never parted,", 0
    content = rows.content_groups()[used]
    strata, names = _strata(rows, used)
    # The same content under two labels cannot be measured fairly: it stays in training.
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
        taken = _choose(content[here], request.spec.valid_fraction, f"{request.seed} {name}")
        rows.validate(used[here[taken]])
    unfair = int(np.count_nonzero(~fair))
    if rows.classes():
        return " of each class", unfair
    # Where speakers might have been known, it is said that they do not decide.
    return ", chosen at random," if any(c.is_group for c in request.columns) else "", unfair


def _groups(rows: Rows, request: Request, used: Any) -> tuple[str, Any] | None:
    """Return the first role of groups that has enough of them to part, and per used row the number of its group.

    Then the first that has fewer, but a group that is small enough. After those, the files of which the rows are parts
    (the fact `file`).
    """
    fraction = request.spec.valid_fraction
    least = max(2, math.ceil(1 / fraction))
    named = [(r, c) for r in rows.having("group") if (c := rows.cells[r].content()) is not None]
    files = [("file", c.facts["file"]) for c in rows.cells.values() if "file" in c.facts]
    asked = ((named, _many), (named, _small), (files, _many))
    for groups, enough in asked:
        for role, found in groups:
            group = found[used]
            sizes = np.unique(group[group >= 0], return_counts=True)[1]
            if enough(sizes, least, max(1, round(len(used) * fraction))):
                return role, group
    return None


def _many(sizes: Any, least: int, target: int) -> bool:
    return len(sizes) >= least


def _small(sizes: Any, least: int, target: int) -> bool:
    return len(sizes) >= 2 and bool(sizes.min() <= target * TOO_MANY)


def _choose(group: Any, fraction: float, seed: str) -> Any:
    """Return which of these rows are validated on: whole groups, in a shuffled order, until there are enough.

    group: per row its number; -1: a group of its own. At least one group stays in training. A group that would make
    half as many again too many is passed over.
    """
    if not (group >= 0).any():
        return np.sort(_order(seed, len(group))[:-1][: max(1, round(len(group) * fraction))])
    alone, shared = np.flatnonzero(group < 0), np.flatnonzero(group >= 0)
    _, number, counts = np.unique(group[shared], return_inverse=True, return_counts=True)
    sizes = np.concatenate((np.ones(len(alone), dtype=np.int64), counts))
    target = max(1, round(len(group) * fraction))
    order = _order(seed, len(sizes))[:-1]
    order = _until(order, sizes, target)
    wanted = np.zeros(len(sizes), dtype=bool)
    wanted[order[:target]] = True
    return np.concatenate((alone[wanted[: len(alone)]], shared[wanted[len(alone) :][number.reshape(-1)]]))


def _until(order: Any, sizes: Any, target: int) -> Any:
    chosen, taken = [], 0
    fits = len(order) and sizes[order].min() <= target * TOO_MANY
    for one, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        if taken >= target:
            break
        if (taken or fits) and taken + size > target * TOO_MANY:
            continue
        chosen.append(one)
        taken += size
    return np.array(chosen, dtype=np.int64)


def _cap(rows: Rows, request: Request, given: str | None) -> str:
    """Leave out rows beyond `max_samples`, as many of each class as possible."""
    limit = request.spec.max_samples or 0
    parts = {"train": limit}
    if given is None and request.spec.valid_fraction:
        parts["validation"] = max(1, round(limit * request.spec.valid_fraction / (1 - request.spec.valid_fraction)))
    said = ""
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
            spare = here[_order(f"{request.seed} max {name}", len(here))[quota[name] :]]
            rows.drop(used[spare], "over-max-samples")
        if part == "train":
            evenly = ", as many of each class as possible" if rows.classes() else ""
            said = f" {most:,} of {len(used):,} training rows are used (max_samples){evenly}."
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
            f"{'has' if len(missing) == 1 else 'have'} "
            f"no training rows and cannot be learnt: {join_examples([short(n) for n in missing])}.",
            "Add training rows of it, or correct the labels.",
            "data.labels",
        )
    ]
