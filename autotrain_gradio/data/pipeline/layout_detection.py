"""Detect the layout of the files."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from autotrain_gradio.core.errors import DataError, did_you_mean
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.declarations import Layout
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Recognized

ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2"})


def _only_media(tree: Tree, request: Request) -> bool:
    """Return whether the data is only media files; for a task of classes, outside of folders."""
    if request.media is None or not tree.files:
        return False
    media = tree.with_suffix(request.media.suffixes)
    if len(media) < len(tree.files):
        return False
    return request.class_column is None or all("/" not in f.path for f in media)


def recognize(tree: Tree, request: Request) -> tuple[Layout, ModuleType, str]:
    """Return the layout that fits best, its module, and the reason.

    Raises:
        DataError: none fits; the message gives the reason of each layout.
    """
    layouts: Sequence[Layout] = request.layouts
    asked = request.spec.options.get("layout")
    if asked is not None:
        layouts = [x for x in layouts if x.name == asked]
        if not layouts:
            known = [x.name for x in request.layouts]
            raise DataError(
                f"'{asked}' is not a layout.",
                did_you_mean(str(asked), known),
                "data.options.layout",
                "unknown-layout",
            )
    best: tuple[float, Layout, ModuleType, str] | None = None
    reasons = []
    for layout in layouts:
        module = layout.load()
        answer = module.recognize(tree, request)
        if isinstance(answer, Recognized):
            if best is None or answer.confidence > best[0]:
                best = (answer.confidence, layout, module, answer.reason)
        else:
            reasons.append(f"{layout.title}: {answer.reason}")
    if best is None and (inner := [f.path for f in tree.files if f.suffix in ARCHIVES]):
        raise DataError(
            f"There are archives inside, which are not opened: {join_examples(inner)}.",
            "Unpack them, and pack the files in one archive.",
            str(request.spec.path),
            "archive-in-archive",
        )
    if best is None and _only_media(tree, request) and request.class_column is None and request.media is not None:
        role = next((c.title.lower() for c in request.columns if c.required and not c.kind.suffixes), "label")
        noun = request.media.noun or request.media.name
        raise DataError(
            f"Your {pluralize(len(tree.files), noun)} have no {role}s.",
            f"Add a table, such as metadata.csv, with the columns file_name and {role}.",
            str(request.spec.path),
            "nothing-but-files",
        )
    if best is None and _only_media(tree, request):
        kind = request.media.name if request.media else "file"
        raise DataError(
            f"Your {pluralize(len(tree.files), kind)} have no classes.",
            f"Put the {kind}s of each class into a folder named after it, pack the folders into a zip, and drop that. "
            "Or add a table, such as metadata.csv, with the columns file_name and label.",
            str(request.spec.path),
            "no-classes",
        )
    if best is None:
        found = join_examples([f"{count:,} {suffix}" for suffix, count in tree.count().items()], limit=4)
        # First what is needed; then why each layout does not fit.
        hint = (
            "For example: a folder for each class, with its images inside."
            if request.media is not None and request.class_column is not None
            else "Is this the right task? 'Supported file formats' in the first step lists them."
        )
        raise DataError(
            f"No data for {request.title.lower()} was found in these files: {found}."
            if tree.files
            else "The data has no files.",
            f"{hint} Layouts that were tried: {'; '.join(reasons)}." if tree.files else hint,
            str(request.spec.path),
            "layout-unknown",
        )
    return best[1], best[2], best[3]
