"""Folders of images and masks, as ADE20K, Pascal VOC, Cityscapes, CamVid, Roboflow, labelme and CVAT have them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts.table_with_files import path_cells
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.image_segmentation import class_files
from autotrain_gradio.tasks.image_segmentation.mask_pairs import IMAGE_ENDS, Pairs, pair

IMAGE, MASK = "image", "mask"
LISTS = "imagesets/segmentation"
"""Folder of Pascal VOC with lists of the images of each split, lower case."""
WHOLE = ("trainval", "default", "all")
"""Lists of all images; used where there is none of a split."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether most masks have an image of their name."""
    if tree.only is not None:
        return Rejected("one file was named, not a folder")
    found = pair(tree, request.files.suffixes)
    if not found.pairs:
        return Rejected("no image has a mask of its name in a folder such as masks, or with the end _mask")
    image, mask = found.pairs[0]
    count = count_with_verb(len(found.pairs), "image", "has")
    sure = len(found.pairs) >= len(found.masks)
    return Recognized(
        0.85 if sure else 0.4,
        f"{count} a mask of {'its' if len(found.pairs) == 1 else 'their'} name, such as {image.path} and {mask.path}",
    )


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each image with a mask."""
    found = pair(tree, request.files.suffixes)
    table, class_file, findings = class_files.find(tree, request)
    splits, lists, more = _splits(found, tree, request)
    raw = RawTables({}, kinds={IMAGE: request.files.name, MASK: request.files.name}, findings=[*findings, *more])
    raw.files_read = [p for p in (class_file, *lists) if p]
    if table:
        raw.features[MASK] = {"class_table": table}
    by_split: dict[str, list[tuple[str, str]]] = {}
    unlisted = []
    for image, mask in found.pairs:
        split = splits.get(image.path)
        if split is None:
            unlisted.append(image.path)
        else:
            by_split.setdefault(split, []).append((image.path, mask.path))
    for split, rows in by_split.items():
        images, masks = [image for image, _ in rows], [mask for _, mask in rows]
        columns = {IMAGE: path_cells(images), MASK: path_cells(masks), LOCATION: pa.array(masks, pa.string())}
        raw.splits[split] = pa.table(columns)
    _report(raw, found, unlisted)
    stems = tuple(image.stem.lower().removesuffix(IMAGE_ENDS[0]) for image, _ in found.pairs)
    named = [f for f in tree.with_suffix([".json"]) if f.stem.lower().startswith(stems)]
    raw.reported.update(f.path for f in named)  # polygons of the same masks, as Cityscapes and labelme have them
    return raw


def _report(raw: RawTables, found: Pairs, unlisted: list[str]) -> None:
    paths = {name: [e.path for e in getattr(found, name)] for name in ("images", "masks", "others")}
    text, hint = "{n} {has} no mask and {was} skipped", "Add their masks, with the same names as the images."
    raw.findings += report_examples("warning", "image-without-mask", text, paths["images"], "image", hint)
    text, hint = "{n} {has} no image and {was} skipped", "Add the images, with the same names as the masks."
    raw.findings += report_examples("warning", "mask-without-image", text, paths["masks"], "mask", hint)
    text = "{n} {is} of instances, or another form of a mask that is used, and {was} skipped"
    raw.findings += report_examples("info", "mask-other-forms", text, paths["others"], "file")
    text, hint = "{n} {is} in no list of ImageSets and {was} skipped", "Add the names to train.txt or val.txt."
    raw.findings += report_examples("info", "mask-not-listed", text, unlisted, "image", hint)
    if found.images:
        raw.skipped["image-without-mask"] += len(found.images)
    raw.reported.update(*paths.values(), unlisted, (m.path for i, m in found.pairs if i.path in set(unlisted)))


def _splits(found: Pairs, tree: Tree, request: Request) -> tuple[dict[str, str], list[str], list[Finding]]:
    """Return path of an image → split, the lists that were read, and findings; images in no list are absent."""
    lists = [f for f in tree.with_suffix([".txt"]) if f.folder.lower().endswith(LISTS)]
    if not lists:
        images = [image for image, _ in found.pairs]
        names, ignored = split_names.of_entries(images, tree, request.spec, by_name=False)
        return names, [], ignored
    named = [f for f in lists if split_names.is_split(f.stem, request.spec)]
    used = named or [f for f in lists if f.stem.lower() in WHOLE]
    members: dict[str, str] = {}
    findings: list[Finding] = []
    for entry in used:
        text, more = decode(tree.read(entry.path), entry.path, request.spec.encoding)
        findings += more
        split = entry.stem if named else ""
        for line in text.splitlines():
            if line.strip():
                members.setdefault(line.split()[0].rpartition("/")[2].lower(), split)
    stems: dict[str, str] = {image.path: image.stem.lower() for image, _ in found.pairs}
    return {path: members[stem] for path, stem in stems.items() if stem in members}, [f.path for f in lists], findings
