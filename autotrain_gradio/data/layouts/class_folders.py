"""A folder for each class, perhaps below a folder for each split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.table_with_files import path_cells
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

    def all(self) -> Iterable[Entry]:
        yield from self.files
        for folder in self.folders.values():
            yield from folder.all()


@dataclass
class Plan:
    """Split → (file, class or None), and folders inside class folders."""

    rows: dict[str, list[tuple[Entry, str | None]]] = field(default_factory=lambda: defaultdict(list))
    nested: dict[str, str] = field(default_factory=dict)


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether files of the wanted kind lie in folders that can be classes."""
    if request.media is None or request.class_column is None:
        return Rejected("this task does not sort files into classes")
    if tree.only is not None:
        return Rejected("one file was named, not a folder of them")
    kind = request.media.name
    media = tree.with_suffix(request.media.suffixes)
    if not media:
        seen = ", ".join(f"{pluralize(n, s + ' file')}" for s, n in list(tree.count().items())[:5])
        return Rejected(
            f"there are no {kind} files ({' '.join(request.media.suffixes)}); found: {seen or 'no files at all'}"
        )
    plan = classes_of(media, request, tree.splits)
    classes = {c for rows in plan.rows.values() for _, c in rows if c is not None}
    if not classes:
        return Rejected(f"{pluralize(len(media), kind)} lie in no folders that could name their classes")
    splits = [s for s in plan.rows if s]
    in_splits = f" in the splits {join_examples([repr(s) for s in splits])}" if splits else ""
    return Recognized(
        0.6, f"{pluralize(len(classes), 'folder')} with {kind}s{in_splits}: {join_examples(sorted(classes))}"
    )


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each file; its class is the name of its folder."""
    assert request.media is not None  # recognize() has seen it
    kind = request.media.name
    plan = classes_of(tree.with_suffix(request.media.suffixes), request, tree.splits)
    raw = RawTables({}, kinds={kind: kind, LABEL: request.class_column.kind.name if request.class_column else ""})
    for split, rows in plan.rows.items():
        paths = [entry.path for entry, _ in rows]
        labels = pa.array([label for _, label in rows], pa.string())
        raw.splits[split] = pa.table({kind: path_cells(paths), LABEL: labels, LOCATION: pa.array(paths, pa.string())})
    raw.findings = folder_findings(plan, tree, kind, request.media.suffixes, request.media.relatives)
    if any(f.code == f"{kind}s-beside-folders" for f in raw.findings):
        raw.redundant_codes = frozenset({"label-missing"})
    return raw


def folder_findings(
    plan: Plan, tree: Tree, kind: str, suffixes: tuple[str, ...], relatives: tuple[str, ...]
) -> list[Finding]:
    """Report files outside of class folders, of folders inside folders, and of files of other kinds."""
    findings = []
    labelled = [rows for rows in plan.rows.values() if any(label is not None for _, label in rows)]
    loose = [entry.path for rows in labelled for entry, label in rows if label is None]
    if loose:
        findings.append(
            Finding(
                "warning",
                f"{kind}s-beside-folders",
                f"{count_with_verb(len(loose), kind, 'lies')} beside the class folders, not in one, and "
                f"{inflect(len(loose), 'was')} skipped: {join_examples(loose)}.",
                "Move them into the folder of their class.",
            )
        )
    if plan.nested:
        shown = join_examples([f"{path} → {name}" for path, name in sorted(plan.nested.items())])
        findings.append(
            Finding(
                "info",
                "nested-folders",
                f"Folders inside folders: the classes were read as {shown}.",
                "Rename the classes below if they should be others.",
            )
        )
    others = [f for f in tree.files if f.suffix not in suffixes]
    near = sorted({f.suffix for f in others if f.suffix in relatives})
    if others:
        findings.append(
            Finding(
                "warning" if near else "info",
                "other-files",
                f"{pluralize(len(others), 'file')} of other kinds {inflect(len(others), 'was')} skipped: "
                f"{join_examples([f.path for f in sorted(others, key=lambda f: f.suffix not in near)])}.",
                f"Save {', '.join(near)} files as {' or '.join(suffixes[:2])} to use them." if near else "",
            )
        )
    return findings


def classes_of(media: list[Entry], request: Request, known: Mapping[str, str]) -> Plan:
    """Sort files into splits and classes by the folders they lie in.

    known: relative path → split, if the source knows it.
    """
    plan = Plan()
    if known:  # the source knows the split of each file
        for split in dict.fromkeys(known.get(entry.path, "") for entry in media):
            part = _folders([entry for entry in media if known.get(entry.path, "") == split])
            _classes(_below_wrappers(part, request, splits_too=True), split, plan, request)
        return plan
    root = _folders(media)
    base = _below_wrappers(root, request)
    named = {n: f for n in wanted(request.spec) if "/" in n and (f := _find(root, n) or _find(base, n)) is not None}
    if named:  # the spec names folders such as images/training
        for name, folder in named.items():
            _classes(folder, name, plan, request)
        taken = {id(e) for f in named.values() for e in f.all()}
        plan.rows[""] += [(e, None) for e in root.all() if id(e) not in taken]
        if not plan.rows[""]:
            del plan.rows[""]
        return plan
    splits = {n for n, f in base.folders.items() if is_split(n, request.spec) and f.folders}
    inner = [f for f in base.folders.values() if f.folders and all(is_split(n, request.spec) for n in f.folders)]
    if not splits and inner and len(inner) == len(base.folders):
        _splits_below_classes(base, plan)
    elif splits:
        trains = match(request.spec.train_split, splits) is not None
        for name, folder in base.folders.items():
            if name in splits:
                _classes(_below_wrappers(folder, request), name, plan, request)
            elif not trains and not is_split(name, request.spec):
                plan.rows[""] += [(entry, name) for entry in folder.all()]  # cat/, dog/ and valid/cat/, valid/dog/
            else:
                # `test/1.jpg` beside `train/cat/2.jpg`: a split without classes; `extra/` belongs to no split.
                split = name if is_split(name, request.spec) else ""
                plan.rows[split] += [(entry, None) for entry in folder.all()]
        if base.files:
            plan.rows[""] += [(entry, None) for entry in base.files]
    elif (
        base.folders
        and all(is_split(n, request.spec) and not f.folders for n, f in base.folders.items())
        and len(base.folders) > 1
    ):
        for name, folder in base.folders.items():  # train/1.jpg, valid/2.jpg: no classes anywhere
            plan.rows[name] += [(entry, None) for entry in folder.files]
    else:
        _classes(base, "", plan, request)
    return plan


def _folders(media: list[Entry]) -> _Folder:
    root = _Folder("")
    known = {"": root}
    for entry in media:
        folder = known.get(entry.folder)
        if folder is None:
            folder = root
            for part in entry.folder.split("/"):
                path = f"{folder.path}/{part}" if folder.path else part
                if part not in folder.folders:
                    folder.folders[part] = known[path] = _Folder(path)
                folder = folder.folders[part]
        folder.files.append(entry)
    return root


def _find(base: _Folder, path: str) -> _Folder | None:
    folder: _Folder | None = base
    for part in path.split("/"):
        folder = folder.folders.get(part) if folder else None
    return folder


def _below_wrappers(folder: _Folder, request: Request, *, splits_too: bool = False) -> _Folder:
    """Descend while there is a single folder that is neither a class nor, unless `splits_too`, a split."""
    while not folder.files and len(folder.folders) == 1:
        name, only = next(iter(folder.folders.items()))
        if not only.folders or (not splits_too and is_split(name, request.spec) and not only.files):
            break
        if only.files:
            # wrapper/1.jpg beside wrapper/cat/2.jpg: the wrapper holds classes and some loose files
            return only
        folder = only
    return folder


def _splits_below_classes(base: _Folder, plan: Plan) -> None:
    for label, folder in base.folders.items():
        for split, part in folder.folders.items():
            plan.rows[split] += [(entry, label) for entry in part.all()]
        plan.rows[""] += [(entry, label) for entry in folder.files]
    plan.rows[""] += [(entry, None) for entry in base.files]
    if not plan.rows[""]:
        del plan.rows[""]


def _classes(base: _Folder, split: str, plan: Plan, request: Request) -> None:
    """Name the class of each file: its top folder, or, where folders only sort classes, the innermost one."""
    rows = plan.rows[split]
    rows += [(entry, None) for entry in base.files]
    leaves: dict[str, list[_Folder]] = {}
    for name, folder in base.folders.items():
        leaves[name] = [] if folder.files else list(_leaves(folder))
    inner = Counter(leaf.path.rpartition("/")[2] for found in leaves.values() for leaf in found)
    inner.update(name for name, found in leaves.items() if not found)
    # cat/2020/1.jpg and dog/2020/2.jpg: the same inner names again, so the outer ones are the classes.
    sorts = all(count == 1 for count in inner.values()) and any(len(found) > 1 for found in leaves.values())
    for name, folder in base.folders.items():
        if sorts and leaves[name]:
            for leaf in leaves[name]:
                label = leaf.path.rpartition("/")[2]
                plan.nested[leaf.path] = label
                rows += [(entry, label) for entry in leaf.all()]
        else:
            if folder.folders:
                plan.nested.update({leaf.path: name for leaf in _leaves(folder) if leaf is not folder})
            rows += [(entry, name) for entry in folder.all()]


def _leaves(folder: _Folder) -> Iterable[_Folder]:
    """Yield the outermost folders that hold files."""
    if folder.files:
        yield folder
        return
    for inner in folder.folders.values():
        yield from _leaves(inner)
