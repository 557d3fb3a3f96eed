"""Names of splits: which of those found in the data are trained and validated on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autotrain_gradio.core.errors import Finding, Fix, did_you_mean
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.files.tree import Entry, Tree

ALIASES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
_CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
_SHARD = re.compile(r"[-_.]?\d+-of-\d+$")
DEFAULT_TRAIN = "train"


def canonical(name: str) -> str | None:
    """Return `train`, `validation` or `test` for one of their names in any case, else None."""
    return _CANONICAL.get(name.strip().lower())


def wanted(spec: DataSpec) -> list[str]:
    """Return the names of splits that the spec asks for, without a Hub config's prefix."""
    names = [spec.train_split, spec.valid_split or ""]
    return [n.rpartition(":")[2].strip().strip("/") for n in names if n]


def is_split(name: str, spec: DataSpec) -> bool:
    """Return whether a folder or file of this name may be a split: a usual name, or one that the spec asks for."""
    return canonical(name) is not None or name.lower() in {w.lower() for w in wanted(spec)}


def of_file(stem: str, spec: DataSpec) -> str | None:
    """Return the split that a file's name says (`train`, `train-00000-of-00002`, `cats_valid`), or None."""
    bare = _SHARD.sub("", stem)
    if is_split(bare, spec):
        return bare
    parts = [p for p in re.split(r"[-_. ]", bare) if canonical(p)]
    return parts[0] if len(parts) == 1 else None


def of_entry(entry: Entry, tree: Tree, spec: DataSpec) -> str:
    """Return the split that the source, the name or the folder of a file says; "" for none."""
    if entry.path in tree.splits:
        return tree.splits[entry.path]
    if tree.only == entry.path:
        return ""
    by_name = of_file(entry.stem, spec)
    if by_name:
        return by_name
    # train/metadata.csv
    return next((p for p in reversed(entry.folder.split("/")) if p and is_split(p, spec)), "")


def match(name: str, found: Iterable[str]) -> str | None:
    """Find a split by its name: exactly, in any case, then under another of its usual names."""
    names = list(found)
    asked = name.rpartition(":")[2].strip().strip("/")
    stem = re.sub(r"\.(csv|tsv|jsonl|json|parquet|arrow)$", "", asked, flags=re.IGNORECASE)
    for one in (asked, stem, *ALIASES.get(canonical(stem) or "", ())):
        same = [n for n in names if n == one] or [n for n in names if n.lower() == one.lower()]
        if same:
            return same[0]
    return None


@dataclass
class Choice:
    """Which splits are used: names as found, `validation` None where there is none, and what is left."""

    train: str | None
    validation: str | None = None
    unused: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)


def choose(found: Mapping[str, int], spec: DataSpec) -> Choice:
    """Choose the splits to use among those found (name → rows; "" for data without splits).

    A missing split that the spec names is an error finding, and `train` is then None.
    """
    names, findings = [n for n in found if n], list[Finding]()
    train = match(spec.train_split, names)
    if train is None and "" in found and match(spec.train_split, [DEFAULT_TRAIN]):
        train = ""  # cat/, dog/ and valid/: what is in no split is the training data
    if train is None:
        findings.append(_missing(spec.train_split, names, "train_split"))
    validation = None
    if spec.valid_split:
        validation = match(spec.valid_split, names)
        if validation is None:
            findings.append(_missing(spec.valid_split, names, "valid_split"))
        elif validation == train:
            message = f"The split '{train}' is named for training and for validation."
            hint = "Name another one for validation, or none: then a part of the training rows is kept for it."
            fix = Fix("Keep a part of the training rows", {"valid_split": None})
            findings.append(Finding("error", "same-split", message, hint, "data.valid_split", fix))
            validation = None
    elif train is not None:
        usual = (n for alias in ALIASES["validation"] for n in names if n.lower() == alias and n != train)
        validation = next(usual, None)
    unused = tuple(n for n in found if n not in {train, validation})
    for name in unused if train is not None else ():
        rows = pluralize(found[name], "row")
        message = f"The split '{name}' ({rows}) is not used." if name else f"{rows} in no split are not used."
        finding = Finding("info", "split-unused", message)
        if canonical(name) == "test" and validation is None:
            hint = "Keep it for a last measurement, or choose it as the validation split."
            fix = Fix(f"Validate on '{name}'", {"valid_split": name})
            finding = Finding("info", "split-unused", message, hint, "data.valid_split", fix)
        findings.append(finding)
    return Choice(train, validation, unused, findings)


def _missing(name: str, found: list[str], setting: str) -> Finding:
    shown = join_examples([f"'{n}'" for n in found], limit=20) or "none: the data is one whole"
    hint = did_you_mean(name, found) if found else f"Remove '{setting}' to use all rows."
    fix = None
    if len(found) == 1 and setting == "train_split":
        fix = Fix(f"Train on '{found[0]}'", {setting: found[0]})
    message = f"The data has no split '{name}'. Found: {shown}."
    return Finding("error", "split-missing", message, hint, f"data.{setting}", fix)
