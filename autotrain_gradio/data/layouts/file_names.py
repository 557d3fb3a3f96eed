"""Finding the files that the cells of tables, manifests and annotations name."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.locations import report_examples

COMPARED = 5000
"""Most names that one that does not exist is compared with."""


class Resolver:
    """Finds the files that cells name: beside the table, from the root, by the end of their path."""

    def __init__(self, tree: Tree, suffixes: Sequence[str]) -> None:
        self._known = tree.by_path
        self._root = str(tree.root)
        self._by_name: dict[str, list[tuple[str, str]]] = {}
        """Name of a file in lower case, with its extension and without → (its path in lower case likewise, its path)"""
        self._folded: dict[bool, dict[str, list[tuple[str, str]]]] = {}
        self._entries = tree.with_suffix(suffixes)
        for entry in self._entries:
            lower = entry.path.lower()
            for known in (lower, os.path.splitext(lower)[0]):
                self._by_name.setdefault(os.path.basename(known), []).append((f"/{known}", entry.path))

    def find(self, value: Any, folder: str) -> str | None:
        """Return the relative path of the file that a cell of a table in `folder` names, or None."""
        if not isinstance(value, str | int):
            return None
        text = str(value).strip()
        if not text or looks_like_url(text):
            return None
        for name in dict.fromkeys((text, text.replace("\\", "/"))):
            if name.startswith("/") and not name.startswith(f"{self._root}/"):
                return None
            name = name.removeprefix(f"{self._root}/")
            for path in (os.path.normpath(os.path.join(folder, name)), os.path.normpath(name)):
                if path in self._known:
                    return path
        return _by_end(self._by_name, text.replace("\\", "/").lower())

    def find_moved(self, path: str, folder: str) -> str | None:
        """Find the file that a path of another computer means, by as many of its last folders as exist here.

        Returns None where no file fits, or several.
        """
        parts = [p for p in path.strip().replace("\\", "/").split("/") if p not in {"", "."}]
        if ".." in parts:
            return None
        ends = ("/".join(parts[k:]) for k in range(len(parts)))
        return next((found for end in ends if (found := self.find(end, folder))), None)

    def find_alike(self, value: Any, *, zeros: bool) -> str | None:
        """Find the only file whose name differs in its Unicode form, in %20 for a space, or (zeros) in leading zeros.

        A spreadsheet writes 0007 as 7 or 7.0.
        """
        if not isinstance(value, str | int | float) or looks_like_url(str(value)):
            return None
        if zeros not in self._folded:
            by_name = self._folded.setdefault(zeros, {})
            for entry in self._entries:
                whole = _fold(entry.path, zeros)
                for known in dict.fromkeys((whole, _fold(os.path.splitext(entry.path)[0], zeros))):
                    by_name.setdefault(os.path.basename(known), []).append((f"/{known}", entry.path))
        return _by_end(self._folded[zeros], _fold(unquote(str(value)), zeros))

    def nearest(self, name: str) -> str | None:
        """Return the name of a file that one that does not exist may be a misspelling of."""
        names = [e.name for e in self._entries if abs(len(e.name) - len(name)) <= 3][:COMPARED]
        return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.8)), None)

    def outside(self, value: str, folder: str) -> bool:
        """Return whether a cell names a place outside the folder of the data."""
        name = value.replace("\\", "/")
        if is_absolute(name):
            return not name.startswith(f"{self._root}/")
        return os.path.normpath(os.path.join(folder, name)).startswith("..")


def _by_end(by_name: dict[str, list[tuple[str, str]]], end: str) -> str | None:
    """Return the only file whose path ends like this. by_name: name → (path with a leading slash, file)."""
    end = end.removeprefix("./")
    found = [path for known, path in by_name.get(os.path.basename(end), ()) if known.endswith(f"/{end}")]
    return found[0] if len(found) == 1 and ".." not in end.split("/") else None


def _fold(path: str, zeros: bool) -> str:
    """Return a path without differences of Unicode form and case, and of leading zeros."""
    text = unicodedata.normalize("NFC", path.strip().replace("\\", "/")).casefold()
    if zeros:
        text = re.sub(r"^(\d+)\.0$", r"\1", text)
        text = re.sub(r"(?<!\d)0+(?=\d)", "", text)
    return text


def is_absolute(path: str) -> bool:
    """Return whether a path starts at a root or a drive."""
    return re.match(r"([A-Za-z]:)?[/\\]", path.strip()) is not None and not looks_like_url(path)


def looks_like_url(value: str) -> bool:
    """Return whether a cell is an address on the web."""
    return re.match(r"[a-z][a-z0-9+.-]*://", value, re.IGNORECASE) is not None


def found_elsewhere(files: list[str], where: str = "") -> list[Finding]:
    """Report files that were found by the end of their paths. files: each as "path → found"."""
    text = "{n} {comes} from another computer; the files were found by the end of the path"
    return report_examples(
        "info", "files-elsewhere", text, files, "path", "Check that these are the right files.", where
    )
