"""The files below a folder, as every layout sees them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import pluralize

CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "ehthumbs.db"})
"""What operating systems leave in folders, lower case. Hidden files (a leading dot) are clutter too."""


@dataclass(frozen=True)
class Entry:
    """One file: its path relative to the root with `/`, its size in bytes, its modification time."""

    path: str
    size: int
    mtime_ns: int

    @property
    def suffix(self) -> str:
        """The extension in lower case, with its dot."""
        return os.path.splitext(self.path)[1].lower()

    @property
    def folder(self) -> str:
        """The folder relative to the root; empty for the root itself."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The file's own name without its extension."""
        return os.path.splitext(self.name)[0]


@dataclass(frozen=True)
class Tree:
    """All files below `root` in natural order of their paths.

    skipped: reason → number of files that were skipped (that of `skip_reason`, or `special`: a broken link, a device).
    splits: relative path → split, where the source knows it (a Hub dataset's card).
    only: the one file that was asked for, where the path names a file; layouts see no other table. Other files of
        its folder are ignored, without a finding.
    own: the files lie in the run's own folder, so that a layout can convert one in place.
    chosen: paths of the tables that the user chose; layouts see no other one. None: all.
    parsed, heads: relative path → table (`Sheet`), or first lines (`read_head`), of files that were read: several
        layouts look into a file.
    """

    root: Path
    files: tuple[Entry, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)
    only: str | None = None
    own: bool = False
    chosen: frozenset[str] | None = None
    parsed: dict[str, Any] = field(default_factory=dict, compare=False)
    heads: dict[str, str] = field(default_factory=dict, compare=False)

    @cached_property
    def by_path(self) -> dict[str, Entry]:
        """Relative path → file."""
        return {f.path: f for f in self.files}

    def with_suffix(self, suffixes: Iterable[str]) -> list[Entry]:
        """Return the files with one of these extensions (lower case, with the dot)."""
        wanted = frozenset(suffixes)
        return [f for f in self.files if f.suffix in wanted]

    def tables(self, suffixes: Iterable[str]) -> list[Entry]:
        """Return the files with one of these extensions, or those of them that were asked for."""
        found = self.with_suffix(suffixes)
        if self.chosen is not None:
            found = [f for f in found if f.path in self.chosen]
        return [f for f in found if f.path == self.only] if self.only else found

    def read(self, path: str) -> bytes:
        """Return the content of a file. path: relative.

        Raises:
            DataError: it cannot be read.
        """
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            message = f"The file cannot be read: {error.strerror}."
            raise DataError(message, "Check its permissions.", path, "file-unreadable") from None

    def describe(self) -> str:
        """Return the most frequent extensions with their number of files, for messages."""
        counts = Counter(f.suffix or "(no extension)" for f in self.files).most_common(5)
        return ", ".join(pluralize(n, f"{suffix} file") for suffix, n in counts) or "no files at all"


_DIGITS = re.compile(r"([0-9]+)")


def natural(path: str) -> tuple[list[str], str]:
    """Return a sort key under which `img2` comes before `img10`; case matters last."""
    # Numbers with their length as a prefix compare correctly as text.
    parts = [f"{len(p.lstrip('0')):09}{p.lstrip('0')}" if p.isdecimal() else p for p in _DIGITS.split(path.lower())]
    return parts, path


def scan(
    root: Path,
    *,
    limit: int,
    splits: Mapping[str, str] | None = None,
    own: bool = False,
    keep: frozenset[str] | None = None,
) -> Tree:
    """List the files below a folder (or the folder of a file); links are followed, cycles are not.

    limit: maximum number of files.
    keep: relative paths of the files that count; None: all. If the root is a file, only these are checked.

    Raises:
        DataError: the folder does not exist or cannot be read, or it has too many files.
    """
    only: str | None = None
    if root.is_file():
        root, only = root.parent, root.name
        if keep is not None:
            found = [(path, (root / path).stat()) for path in sorted(keep, key=natural)]
            entries = tuple(Entry(path, info.st_size, info.st_mtime_ns) for path, info in found)
            return Tree(root, entries, {}, splits or {}, only, own)
    files: list[Entry] = []
    skipped: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    waiting = [""]  # folders, relative to the root, with a `/` at the end
    while waiting:
        prefix = waiting.pop()
        folder = os.path.join(root, prefix)
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                for entry in listing:
                    relative = f"{prefix}{entry.name}"
                    why = skip_reason(relative) or ("" if entry.is_dir() or entry.is_file() else "special")
                    if entry.is_dir():
                        waiting.append(f"{relative}/")
                    elif why:
                        skipped[why] += 1
                    elif keep is None or relative in keep:
                        info = entry.stat()
                        files.append(Entry(relative, info.st_size, info.st_mtime_ns))
        except OSError as error:
            message = f"The folder cannot be read: {error.strerror}."
            hint = "Check its name and its permissions."
            raise DataError(message, hint, folder.rstrip("/"), "folder-unreadable") from None
        if len(files) > limit:
            hint = "Name the folder that holds the data, not one far above it."
            raise DataError(f"There are more than {limit:,} files.", hint, str(root), "too-many-files")
    files.sort(key=lambda f: natural(f.path))
    return Tree(root, tuple(files), {} if only else dict(skipped), splits or {}, only, own)


def skip_reason(path: str) -> str:
    """Return why a file is skipped (`hidden`, `clutter`, `unreadable-name`), or "". path: relative, with `/`."""
    for part in path.lower().split("/"):
        if part.startswith(".") and part not in {".", ".."}:
            return "hidden"
        if part in CLUTTER:
            return "clutter"
    return "unreadable-name" if re.search("[\ud800-\udfff]", path) else ""


def inside(relative: str) -> bool:
    """Return whether a relative path, as written in a table, stays below the folder it is relative to."""
    return not relative.startswith(("/", "\\")) and os.path.normpath(relative).split("/")[0] != ".."
