"""Names of splits: which of those found in the data are trained and validated on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autotrain_gradio.core.errors import Finding, Fix, Level, did_you_mean
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.core.text_format import inflect, join_examples, pluralize
from autotrain_gradio.data.files.tree import Entry, Tree

ALIASES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
_CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
_SHARD = re.compile(r"[-_.]?\d+-of-\d+$")
_SEPARATOR = re.compile(r"[-_. ]")
DEFAULT_TRAIN = "train"
KEEP = "Keep a part of the training rows"
TABLES = "tables"
"""Name of the option that says which of several tables are used."""


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
    parts = [p for p in _SEPARATOR.split(bare) if canonical(p)]
    return parts[0] if len(parts) == 1 else None


def of_entries(
    entries: Sequence[Entry], tree: Tree, spec: DataSpec, *, by_name: bool = True
) -> tuple[dict[str, str], list[Finding]]:
    """Return path → split of files ("" for none), by the source, their names or their folders, and findings.

    A word within a longer name (`cats_train`) is a split only beside files of another split (`cats_valid`) or a file
    of the same name without it (`cats`): trains and test tubes exist, too. Words that are not used are reported.

    by_name: whether the names of the files count, or their folders alone.
    """
    candidates: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        names = [*([entry.stem] if by_name else []), *reversed(entry.folder.split("/"))]
        if entry.path in tree.splits or tree.only == entry.path:
            names = []
        candidates[entry.path] = [(name, split) for name in names if name and (split := of_file(name, spec))]
    sure = {split for found in candidates.values() for name, split in found if _SHARD.sub("", name) == split}
    kinds = {canonical(split) or split for found in candidates.values() for _, split in found}
    stems = {_SEPARATOR.sub("", entry.stem) for entry in entries}

    def counts(name: str, split: str) -> bool:
        rest = "".join(part for part in _SEPARATOR.split(name) if part != split)
        return bool(sure) or len(kinds) > 1 or rest in stems

    splits, ignored = {}, {}
    for entry in entries:
        found = candidates[entry.path]
        used = next((split for name, split in found if counts(name, split)), "")
        splits[entry.path] = tree.splits.get(entry.path, used)
        if found and not used:
            ignored[entry.path] = found[0][1]
    return splits, _ignored_words(ignored, entries, by_name)


def _ignored_words(ignored: dict[str, str], entries: Sequence[Entry], by_name: bool) -> list[Finding]:
    """Report names of splits in names of files that were not used as such. ignored: path → the name of a split."""
    words = sorted(set(ignored.values()))
    if not words or (len(ignored) == len(entries) and all(canonical(word) == "train" for word in words)):
        return []
    shown, fix = " and ".join(f"'{word}'" for word in words), None
    message = (
        f"{shown} in {join_examples(list(ignored))} {inflect(len(words), 'was')} not used as a split: no other file "
        "belongs to another split."
    )
    if by_name and len(ignored) < len(entries):
        fix = Fix(f"Use only {join_examples(list(ignored), limit=2)}", {"options": {TABLES: list(ignored)}})
    hint = "All rows are used. Name the files train and valid if they are splits."
    return [Finding("info", "split-word", message, hint, fix=fix)]


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


def choose(
    found: Mapping[str, int],
    spec: DataSpec,
    files: Callable[[str], str] = lambda split: "",
    no_target: Mapping[str, str] | None = None,
) -> Choice:
    """Choose the splits to use among those found (name → rows; "" for data without splits).

    A missing split that the spec names is an error finding, and `train` is then None.

    files: returns the files of a split, for messages. no_target: split whose rows have no target → the target: it is
    never used for validation.
    """
    no_target = no_target or {}
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
            fix = Fix(KEEP, {"valid_split": None})
            findings.append(Finding("error", "same-split", message, hint, "data.valid_split", fix))
            validation = None
        elif validation in no_target:
            message = f"The split '{validation}' has no {no_target[validation]}: nothing can be evaluated on it."
            hint, fix = "Choose another split for validation.", Fix(KEEP, {"valid_split": None})
            findings.append(Finding("error", "split-without-target", message, hint, "data.valid_split", fix))
            validation = None
    elif train is not None:
        usual = (
            n for alias in ALIASES["validation"] for n in names if n.lower() == alias and n not in {train, *no_target}
        )
        validation = next(usual, None)
    unused = tuple(n for n in found if n not in {train, validation})
    for name in unused if train is not None else ():
        rows, of = pluralize(found[name], "row"), f" ({shown})" if (shown := files(name)) else ""
        message = f"The split '{name}' is not used: {rows}{of}."
        if name in no_target:
            message = f"The split '{name}' has no {no_target[name]} and is not used: {rows}{of}."
        level: Level = "warning" if name in no_target and canonical(name) == "validation" else "info"
        finding = Finding(level, "split-unused", message)
        if not name:
            hint = f"Move them into '{train}' to train on them, or remove them. Rename '{train}' if it is not a split."
            finding = Finding("warning", "split-unused", f"{rows} in no split are not used{of}.", hint)
        elif canonical(name) == "test" and validation is None and name not in no_target:
            hint = "Keep it for a final evaluation, or choose it as the validation split."
            fix = Fix(f"Validate on '{name}'", {"valid_split": name})
            finding = Finding("info", "split-unused", message, hint, "data.valid_split", fix)
        findings.append(finding)
    return Choice(train, validation, unused, findings)


def _missing(name: str, found: list[str], setting: str) -> Finding:
    shown = join_examples([f"'{n}'" for n in found], limit=20) or "none: the data has no splits"
    hint = did_you_mean(name, found) if found else f"Remove '{setting}' to use all rows."
    fix = None
    if len(found) == 1 and setting == "train_split":
        fix = Fix(f"Train on '{found[0]}'", {setting: found[0]})
    message = f"The data has no split '{name}'. Found: {shown}."
    return Finding("error", "split-missing", message, hint, f"data.{setting}", fix)
