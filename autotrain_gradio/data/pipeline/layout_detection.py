"""Detect the layout of the files."""

from __future__ import annotations

from types import ModuleType

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.file_types import ARCHIVE_SUFFIXES, REFUSED_ARCHIVE_SUFFIXES
from autotrain_gradio.core.text_format import in_sentence, join_examples, pluralize
from autotrain_gradio.data.declarations import Layout
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Recognized


def recognize(tree: Tree, request: Request) -> tuple[Layout, ModuleType, str, list[Finding]]:
    """Return the layout that fits best, its module, the reason, and findings.

    A layout that gives targets to less than half of the files of another one does not win against it: a template of
    answers names the test images beside folders of classes.

    Raises:
        DataError: none fits; the message gives the reason of each layout.
    """
    asked = request.spec.options.get("layout")
    layouts = [x for x in request.layouts if asked is None or x.name == asked]
    if not layouts:
        hint = did_you_mean(str(asked), [x.name for x in request.layouts])
        raise DataError(f"'{asked}' is not a layout.", hint, "data.options.layout", "unknown-layout")
    answers = [(layout, layout.load().recognize(tree, request)) for layout in layouts]
    fitting = [(layout, answer) for layout, answer in answers if isinstance(answer, Recognized)]
    if not fitting:
        raise _unknown(tree, request, [f"{layout.title}: {answer.reason}" for layout, answer in answers])
    layout, best = max(fitting, key=lambda item: item[1].confidence)
    findings: list[Finding] = []
    counted = [(x, a) for x, a in fitting if a.covers]
    other, rival = max(counted, key=lambda item: item[1].covers or 0, default=(layout, best))
    covered, most = best.covers, rival.covers
    if covered is not None and most is not None and most > covered:
        few = most > 2 * covered
        if few:
            layout, best, other, rival = other, rival, layout, best
        message = f"Two layouts fit the data. Used: {_covered(layout, best)}. Not used: {_covered(other, rival)}."
        fix = Fix(f"Use the layout: {in_sentence(other.title)}", {"options": {"layout": other.name}})
        hint = "Choose the other layout if this one is wrong."
        findings.append(Finding("warning" if few else "info", "layout-unclear", message, hint, fix=fix))
    return layout, layout.load(), best.reason, findings


def _covered(layout: Layout, answer: Recognized) -> str:
    return f"{in_sentence(layout.title)}, {pluralize(answer.covers or 0, 'file')} ({answer.reason})"


def _unknown(tree: Tree, request: Request, reasons: list[str]) -> DataError:
    """Return the error for files that no layout fits. reasons: of each layout."""
    where, media = str(request.spec.path), request.media
    suffixes = (*ARCHIVE_SUFFIXES, *REFUSED_ARCHIVE_SUFFIXES)
    if archives := [f.path for f in tree.files if f.name.lower().endswith(suffixes)]:
        message = f"There are archives inside, which are not opened: {join_examples(archives)}."
        return DataError(message, "Unpack them, and pack the files in one archive.", where, "archive-in-archive")
    if media is not None and tree.files and len(tree.with_suffix(media.suffixes)) == len(tree.files):
        count = len(tree.files)
        if request.class_column is None:
            role = next((c.title.lower() for c in request.columns if c.required and not c.kind.suffixes), "label")
            hint = f"Add a table, such as metadata.csv, with the columns file_name and {role}."
            message = f"Your {pluralize(count, media.noun or media.name)} have no {role}s."
            return DataError(message, hint, where, "nothing-but-files")
        if all("/" not in f.path for f in tree.files):
            hint = (
                f"Put the {media.name}s of each class into a folder named after it, pack the folders into a zip, and "
            )
            hint += "drop that. Or add a table, such as metadata.csv, with the columns file_name and label."
            return DataError(f"Your {pluralize(count, media.name)} have no classes.", hint, where, "no-classes")
    # First what is needed; then why each layout does not fit.
    hint = "Is this the right task? 'Supported file formats' in the first step lists them."
    if media is not None and request.class_column is not None:
        hint = f"For example: a folder for each class, with its {media.noun or media.name}s inside."
    if not tree.files:
        return DataError("The data has no files.", hint, where, "layout-unknown")
    message = f"No data for {request.title.lower()} was found in these files: {tree.describe()}."
    return DataError(message, f"{hint} Layouts that were tried: {'; '.join(reasons)}.", where, "layout-unknown")
