"""Split the rows into training and validation rows, and limit their number."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
import pandas as pd

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import format_count, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import short

MAX_OVERSHOOT = 1.5
"""A group is not chosen if validation would exceed its target size by more than this factor."""


def split(rows: Rows, request: Request, given: str | None) -> tuple[str, list[Finding]]:
    """Move a share of the training rows to validation if the data has no validation split; apply `max_samples`.

    given: name of the validation split of the data, or None. Returns a description of the split, and findings.
    """
    if request.files_only:
        return "", []
    fraction, findings = request.spec.valid_fraction, list[Finding]()
    if given is not None:
        how = f"The data's own split '{given}' is used for validation."
        if not rows.count("validation"):
            text = f"No row of the validation split '{given}' can be used: the model will not be evaluated."
            hint = "Correct its rows, or remove the split: then a share of the training rows is used for validation."
            findings.append(Finding("warning", "no-validation", text, hint, "data.valid_split"))
    elif fraction == 0:
        how = "No validation: all rows are used for training."
    else:
        by, unfair = _sample_validation(rows, request)
        how = f"{round(fraction * 100, 6):g}%{by} used for validation (seed {request.seed})."
        if not rows.count("validation") and rows.count("train"):
            findings.append(_no_validation(rows, unfair))
    if request.spec.max_samples is not None:
        how += _limit_samples(rows, request, request.spec.max_samples, given)
    if classes := rows.classes():
        labels = classes[1].labels
        trained, validated = (rows.label_counts(labels, part) for part in ("train", "validation"))
        missing = sorted(n for n, t, v in zip(labels.names, trained, validated, strict=True) if v and not t)
        if missing:
            text = "{n} of the validation rows {has} no training rows and cannot be learned"
            shown = join_examples([short(n) for n in missing])
            text = f"{format_count(text, len(missing), 'class', 'classes')}: {shown}."
            hint = "Add training rows of it, or correct the labels."
            findings.append(Finding("warning", "class-not-trained", text, hint, "data.labels"))
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
    elif (
        total > 1
        and (content := rows.content_groups()[rows.indices("train")])[0] >= 0
        and (content == content[0]).all()
    ):
        text = f"All {total:,} rows have the same content, which stays in one split: {end}"
        hint = "Add other rows."
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
    of_content = pd.Series(strata).groupby(content)
    fair = (content < 0) | (of_content.transform("min") == of_content.transform("max")).to_numpy()
    for number in np.unique(strata[fair]).tolist():  # -1: without a class
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
    `file`), or other groups that a kind knows (the fact `group`), such as rows with the same context.
    """
    fraction = request.spec.valid_fraction
    named = [(r, c) for r in rows.having("group") if (c := rows.cells[r].content()) is not None]
    known = [("file", c.facts["file"]) for c in rows.cells.values() if "file" in c.facts]
    known += [(role, c.facts["group"]) for role, c in rows.cells.items() if "group" in c.facts]
    for groups, whole in ((named, True), (named, False), (known, True)):
        for role, found in groups:
            group = found[used]
            sizes = np.unique(group[group >= 0], return_counts=True)[1]
            largest = max(1, round(len(used) * fraction)) * MAX_OVERSHOOT
            enough = len(sizes) >= max(2, math.ceil(1 / fraction))
            if enough if whole else len(sizes) >= 2 and sizes.min() <= largest:
                return role, group
    return None


def _sample_groups(group: Any, fraction: float, seed: str) -> Any:
    """Return the rows for validation: whole groups in a random order, until the target size is reached.

    group: per row its number; -1: a group of its own. At least one group stays in training. A group is not chosen if
    the target would be exceeded by more than `MAX_OVERSHOOT`, unless all are too large.
    """
    target = max(1, round(len(group) * fraction))
    alone, shared = np.flatnonzero(group < 0), np.flatnonzero(group >= 0)
    _, number, counts = np.unique(group[shared], return_inverse=True, return_counts=True)
    sizes = np.concatenate((np.ones(len(alone), dtype=np.int64), counts))
    order = _shuffled(seed, len(sizes))[:-1]
    if not len(shared):
        return np.sort(order[:target])
    chosen, taken = [], 0
    fits = len(order) and sizes[order].min() <= target * MAX_OVERSHOOT
    for one, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        if taken < target and (taken + size <= target * MAX_OVERSHOOT or not (taken or fits)):
            chosen.append(one)
            taken += size
    wanted = np.isin(np.arange(len(sizes)), chosen[:target])
    return np.concatenate((alone[wanted[: len(alone)]], shared[wanted[len(alone) :][number]]))


def _limit_samples(rows: Rows, request: Request, limit: int, given: str | None) -> str:
    """Drop rows beyond `max_samples`, balanced by class; return a sentence about it."""
    parts, fraction = {"train": limit}, request.spec.valid_fraction
    if given is None and fraction:
        parts["validation"] = max(1, round(limit * fraction / (1 - fraction)))
    note = ""
    for part, most in parts.items():
        used = rows.indices(part)
        if len(used) <= most:
            continue
        strata, names = _strata(rows, used)
        label = {n: names[n] if n >= 0 else "" for n in np.unique(strata).tolist()}
        quota = balanced({name: int((strata == n).sum()) for n, name in label.items()}, most)
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
    quota, left = {}, limit
    order = sorted(counts, key=lambda name: (counts[name], name))
    for position, name in enumerate(order):
        # Of a rest that cannot be shared evenly, the first classes get one more.
        quota[name] = min(counts[name], -(-left // (len(order) - position)))
        left -= quota[name]
    return quota
