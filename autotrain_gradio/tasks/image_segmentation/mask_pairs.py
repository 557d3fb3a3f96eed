"""Pair images with masks by the names of their files and folders."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from autotrain_gradio.data.files.tree import Entry, Tree

IMAGE_FOLDERS = frozenset(
    [
        "images",
        "image",
        "imgs",
        "img",
        "jpegimages",
        "leftimg8bit",
        "photos",
        "photo",
        "rgb",
        "input",
        "inputs",
        "pictures",
    ]
)
MASK_FOLDERS = frozenset(
    [
        "masks",
        "mask",
        "annotations",
        "annotation",
        "annot",
        "annots",
        "labels",
        "label",
        "segmentationclass",
        "segmentationclasspng",
        "segmentationclassraw",
        "segmentation",
        "segmentations",
        "seg",
        "gtfine",
        "gtcoarse",
        "gt",
        "ground_truth",
        "groundtruth",
        "targets",
        "target",
        "label_images",
        "masks_png",
        "labelled",
        "semantic",
    ]
)
OTHER_FOLDERS = frozenset({"segmentationobject", "segmentationclassvisualization", "instances", "instance"})
"""Folders of masks of instances, and of drawings, beside those of classes."""
IMAGE_ENDS = ("_leftimg8bit", "_image", "_img", "_rgb", "_sat")
MASK_ENDS = (
    *("_gtfine_labeltrainids", "_gtfine_labelids", "_gtcoarse_labelids", "_segmentation", "_annotation", "_mask"),
    *("_masks", "_labels", "_label", "_seg", "_gt", "_l"),
)
"""Ends of names without their extension, lower case; of several masks of an image the first end is used."""
OTHER_ENDS = ("_instanceids", "_color", "_colour", "_gtfine_polygons")
_SPLIT = re.compile(r"(training|train|validation|valid|val|dev|testing|test)[-_]?(.*)")
SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".jpg", ".jpeg")
"""Extensions of masks, the surest ones first."""


@dataclass
class Pairs:
    """Images with their masks, images without one, masks without an image (entries), and files of other kinds."""

    pairs: list[tuple[Entry, Entry]] = field(default_factory=list)
    images: list[Entry] = field(default_factory=list)
    masks: list[Entry] = field(default_factory=list)
    others: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """What a file's path says. folder: without the part that names images or masks. stem: without its end."""

    kind: str
    folder: str
    stem: str
    rank: int = 0


def pair(tree: Tree, suffixes: tuple[str, ...]) -> Pairs:
    """Pair the images of a tree with their masks. suffixes: of image files.

    A mask belongs to the image of the same name in the corresponding folder (`images/train/1.jpg` and
    `masks/train/1.png`), or else to the only image of its name.
    """
    entries = tree.with_suffix(suffixes)
    places = {e.path: _place(e) for e in entries}
    in_folders = any(p.kind == "mask" for p in places.values())
    if not in_folders:
        stems = {(e.folder, e.stem.lower()) for e in entries}
        places = {e.path: _beside(e, stems) for e in entries}
    made = Pairs(others=[e for e in entries if places[e.path].kind == "other"])
    masks: dict[tuple[str, str], list[Entry]] = {}
    whole: dict[tuple[str, str], list[Entry]] = {}
    named: dict[str, list[Entry]] = {}
    for entry in entries:
        place = places[entry.path]
        if place.kind == "mask":
            masks.setdefault((place.folder, place.stem), []).append(entry)
            whole.setdefault((place.folder, entry.stem.lower()), []).append(entry)
            named.setdefault(place.stem, []).append(entry)
    images = [e for e in entries if places[e.path].kind == "image"]
    count: dict[str, int] = {}
    for entry in images:
        count[places[entry.path].stem] = count.get(places[entry.path].stem, 0) + 1
    used: set[str] = set()
    for entry in images:
        place = places[entry.path]
        # An end such as `_l` may belong to the name: then the mask has it, too.
        found = masks.get((place.folder, place.stem)) or whole.get((place.folder, entry.stem.lower()))
        if (
            found is None
            and count[place.stem] == 1
            and len({places[m.path].folder for m in named.get(place.stem, ())}) == 1
        ):
            found = named[place.stem]
        if not found:
            made.images.append(entry)
            continue
        best = min(found, key=lambda m: (places[m.path].rank, SUFFIXES.index(m.suffix), m.path))
        made.pairs.append((entry, best))
        used.update(m.path for m in found)
        made.others += [m for m in found if m is not best]
    made.masks = [m for found in masks.values() for m in found if m.path not in used]
    return made


def _place(entry: Entry) -> _Place:
    """Return what the folders of a file say; the last folder with a known name decides."""
    parts = entry.folder.split("/") if entry.folder else []
    stem = entry.stem.lower()
    for k in reversed(range(len(parts))):
        name = parts[k].lower()
        split = _SPLIT.fullmatch(name)
        bare, rest = (split[2], [split[1]]) if split and split[2] else (name, [])
        kinds = (("other", OTHER_FOLDERS), ("mask", MASK_FOLDERS), ("image", IMAGE_FOLDERS))
        kind = next((kind for kind, known in kinds if bare in known), None)
        if kind is None:
            continue
        if kind != "image" and stem.endswith(OTHER_ENDS):
            kind = "other"
        folder = "/".join([*parts[:k], *rest, *parts[k + 1 :]]).lower()
        return _Place(kind, folder, *_stem(stem, kind))
    return _Place("image", entry.folder.lower(), *_stem(stem, "image"))


def _stem(stem: str, kind: str) -> tuple[str, int]:
    """Return a name without its end, and the rank of that end."""
    ends = MASK_ENDS if kind == "mask" else IMAGE_ENDS
    for rank, end in enumerate(ends):
        if stem.endswith(end) and len(stem) > len(end):
            return stem.removesuffix(end), rank
    return stem, len(ends)


def _beside(entry: Entry, stems: set[tuple[str, str]]) -> _Place:
    """Return whether a file is the mask of an image beside it: `1_mask.png` of `1.jpg`."""
    stem, rank = _stem(entry.stem.lower(), "mask")
    if rank < len(MASK_ENDS) and (entry.folder, stem) in stems:
        return _Place("mask", entry.folder.lower(), stem, rank)
    return _Place("image", entry.folder.lower(), entry.stem.lower())
