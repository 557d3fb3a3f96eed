"""A folder for each class, perhaps below a folder for each split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.table_with_files import path_cells
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.split_names import is_split, match, wanted

LABEL = "label"


@dataclass
class _Folder:
    """One folder with the media files in it, and its folders by name."""

    path: str
    files: list[Entry] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)

    def all(self) -> Iterator[Entry]:
        yield from self.files
        for folder in self.folders.values():
            yield from folder.all()

    def leaves(self) -> Iterator[_Folder]:
        """Yield the outermost folders that hold files."""
        if self.files:
            yield self
        else:
            for folder in self.folders.values():
                yield from folder.leaves()

    def find(self, path: str) -> _Folder | None:
        name, _, rest = path.partition("/")
        inner = self.folders.get(name)
        return inner.find(rest) if inner and rest else inner


@dataclass
class Plan:
    """Split → (file, class or None), and path → class of folders inside class folders."""

    rows: dict[str, list[tuple[Entry, str | None]]] = field(default_factory=lambda: defaultdict(list))
    nested: dict[str, str] = field(default_factory=dict)

    def add(self, split: str, files: Iterable[Entry], label: str | None) -> None:
        """Add files of a class, or of none, to a split."""
        self.rows[split] += [(entry, label) for entry in files]

    @property
    def labels(self) -> list[str]:
        """The class of each file that has one."""
        return [label for rows in self.rows.values() for _, label in rows if label is not None]

    def describe(self, noun: str) -> str:
        """Return the classes and splits as text. noun: of the files, in the singular."""
        classes = sorted(set(self.labels))
        splits = [repr(s) for s in self.rows if s]
        in_splits = f" in the splits {join_examples(splits)}" if splits else ""
        return f"{pluralize(len(classes), 'folder')} with {noun}s{in_splits}: {join_examples(classes)}"


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether files of the wanted kind lie in folders that can be classes."""
    if request.class_column is None:
        return Rejected("this task does not sort files into classes")
    if tree.only is not None:
        return Rejected("one file was named, not a folder of them")
    kind = request.files.name
    media = tree.with_suffix(request.files.suffixes)
    if not media:
        suffixes = " ".join(request.files.suffixes)
        return Rejected(f"there are no {kind} files ({suffixes}); found: {tree.describe()}")
    plan = classes_of(media, request, tree.splits)
    if not plan.labels:
        return Rejected(f"{count_with_verb(len(media), kind, 'lies')} in no folders that could name their classes")
    labels = plan.labels
    return Recognized(0.6, plan.describe(kind), len(labels) if len(set(labels)) > 1 else None)


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each file; its class is the name of its folder."""
    assert request.class_column is not None  # recognize() has seen it
    kind = request.files.name
    plan = classes_of(tree.with_suffix(request.files.suffixes), request, tree.splits)
    raw = RawTables({}, kinds={kind: kind, LABEL: request.class_column.kind.name})
    for split, rows in plan.rows.items():
        paths = [entry.path for entry, _ in rows]
        labels = pa.array([label for _, label in rows], pa.string())
        raw.splits[split] = pa.table({kind: path_cells(paths), LABEL: labels, LOCATION: pa.array(paths, pa.string())})
    report_files(raw, plan, tree, kind, f"{kind}s-beside-folders", request.files.suffixes, request.files.relatives)
    return raw


def report_files(
    raw: RawTables, plan: Plan, tree: Tree, kind: str, code: str, suffixes: tuple[str, ...], relatives: tuple[str, ...]
) -> None:
    """Report files outside of class folders (with this code), folders inside folders, and files of other kinds."""
    labelled = [rows for rows in plan.rows.values() if any(label is not None for _, label in rows)]
    loose = [entry.path for rows in labelled for entry, label in rows if label is None]
    text = "{n} {lies} beside the class folders, not in one, and {was} skipped"
    hint = "Move them into the folder of their class."
    raw.findings += report_examples("warning", code, text, loose, kind, hint)
    if loose:
        raw.redundant_codes = frozenset({"label-missing"})
    if plan.nested:
        shown = join_examples([f"{path} → {name}" for path, name in sorted(plan.nested.items())])
        message = f"Folders inside folders: the classes were read as {shown}."
        hint = "Rename the classes below if they should be others."
        raw.findings.append(Finding("info", "nested-folders", message, hint))
    others = sorted((f for f in tree.files if f.suffix not in suffixes), key=lambda f: f.suffix not in relatives)
    near = sorted({f.suffix for f in others if f.suffix in relatives})
    hint = f"Save {', '.join(near)} files as {' or '.join(suffixes[:2])} to use them." if near else ""
    text, paths = "{n} of other kinds {was} skipped", [f.path for f in others]
    raw.findings += report_examples("warning" if near else "info", "other-files", text, paths, "file", hint)
    raw.reported.update(paths)


def classes_of(media: list[Entry], request: Request, known: Mapping[str, str]) -> Plan:
    """Sort files into splits and classes by the folders they lie in.

    known: relative path → split, if the source knows it.
    """
    plan = Plan()
    root = _folders(media)
    base = _below_wrappers(root, request)
    named = {n: f for n in wanted(request.spec) if "/" in n and (f := root.find(n) or base.find(n)) is not None}
    if known:
        for split in dict.fromkeys(known.get(entry.path, "") for entry in media):
            part = _folders([entry for entry in media if known.get(entry.path, "") == split])
            _add_classes(plan, split, _below_wrappers(part, request, splits_too=True))
    elif named:  # the spec names folders such as images/training
        for name, folder in named.items():
            _add_classes(plan, name, folder)
        taken = {entry.path for folder in named.values() for entry in folder.all()}
        plan.add("", (entry for entry in root.all() if entry.path not in taken), None)
    else:
        _add_splits(plan, base, request)
    plan.rows = {split: rows for split, rows in plan.rows.items() if rows}
    return plan


def _add_splits(plan: Plan, base: _Folder, request: Request) -> None:
    """Find the splits above or below the classes; without splits, all files belong to the split ''."""
    folders = base.folders.items()
    named = {name for name, _ in folders if is_split(name, request.spec)}
    splits = {name for name in named if base.folders[name].folders}
    trains = match(request.spec.train_split, splits) is not None
    others = {name for name, _ in folders if name not in named}
    if others and not trains:  # invalid/ and valid/, whose folders are not those of a split (cat/, dog/ and valid/cat/)
        splits = {name for name in splits if others & set(_below_wrappers(base.folders[name], request).folders)}
    if (
        not splits
        and folders
        and all(f.folders and all(is_split(n, request.spec) for n in f.folders) for _, f in folders)
    ):
        for label, folder in folders:  # cat/train/1.jpg
            for split, part in folder.folders.items():
                plan.add(split, part.all(), label)
            plan.add("", folder.files, label)
    elif splits:
        for name, folder in folders:
            if name in splits:
                _add_classes(plan, name, _below_wrappers(folder, request))
            elif not trains and name not in named:
                plan.add("", folder.all(), name)  # cat/, dog/ and valid/cat/, valid/dog/
            else:
                # `test/1.jpg` beside `train/cat/2.jpg`: a split without classes; `extra/` belongs to no split.
                plan.add(name if name in named else "", folder.all(), None)
    elif len(folders) > 1 and len(named) == len(folders):
        for name, folder in folders:  # train/1.jpg, valid/2.jpg: no classes anywhere
            plan.add(name, folder.files, None)
    else:
        _add_classes(plan, "", base)
        return
    plan.add("", base.files, None)


def _folders(media: list[Entry]) -> _Folder:
    root = _Folder("")
    for entry in media:
        folder = root
        for part in entry.path.split("/")[:-1]:
            folder = folder.folders.setdefault(part, _Folder(f"{folder.path}/{part}".lstrip("/")))
        folder.files.append(entry)
    return root


def _below_wrappers(folder: _Folder, request: Request, *, splits_too: bool = False) -> _Folder:
    """Descend while there is a single folder that is neither a class nor, unless `splits_too`, a split."""
    while not folder.files and len(folder.folders) == 1:
        name, only = next(iter(folder.folders.items()))
        # wrapper/1.jpg beside wrapper/cat/2.jpg: the wrapper holds classes and some loose files.
        if not only.folders or (not splits_too and is_split(name, request.spec) and not only.files):
            break
        folder = only
    return folder


def _add_classes(plan: Plan, split: str, base: _Folder) -> None:
    """Add the files with their class: their top folder, or, where folders only sort classes, the innermost one."""
    plan.add(split, base.files, None)
    leaves = {name: [] if folder.files else list(folder.leaves()) for name, folder in base.folders.items()}
    inner = Counter(leaf.path.rpartition("/")[2] for found in leaves.values() for leaf in found)
    inner.update(name for name, found in leaves.items() if not found)
    # cat/2020/1.jpg and dog/2020/2.jpg: the same inner names again, so the outer ones are the classes.
    sorts = all(count == 1 for count in inner.values()) and any(len(found) > 1 for found in leaves.values())
    for name, folder in base.folders.items():
        if sorts and leaves[name]:
            for leaf in leaves[name]:
                label = plan.nested[leaf.path] = leaf.path.rpartition("/")[2]
                plan.add(split, leaf.all(), label)
        else:
            if folder.folders:
                plan.nested.update({leaf.path: name for leaf in folder.leaves() if leaf is not folder})
            plan.add(split, folder.all(), name)
