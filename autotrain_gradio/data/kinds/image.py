"""Cells that are pictures: decoded once, whole, to know that a training can read them."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, UnidentifiedImageError

from autotrain_gradio.data.kinds.image_panels import gallery, profile
from autotrain_gradio.data.picture_formats import READABLE
from autotrain_gradio.data.rows import Cells, Context, counted, listed
from autotrain_gradio.data.scan import Scan
from autotrain_gradio.data.tree import inside
from autotrain_gradio.errors import Finding, Level

__all__ = ["gallery", "inspect", "profile"]

EXTENSIONS = {
    "JPEG": {".jpg", ".jpeg"},
    "MPO": {".jpg", ".jpeg"},
    "PNG": {".png"},
    "WEBP": {".webp"},
    "BMP": {".bmp"},
    "DIB": {".bmp"},
    "GIF": {".gif"},
    "TIFF": {".tif", ".tiff"},
}
MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"RIFF": "WebP",
}
"""First bytes of picture formats."""
LARGE = 16_000_000
"""Pixels from which images are decoded one at a time, for memory's sake."""
SMALL = 32
"""Pixels of the shorter side under which an image is too small to show much."""
THREADS = 4

FIELDS = {
    "width": pa.int32(),
    "height": pa.int32(),
    "mode": pa.string(),
    "format": pa.string(),
    "digest": pa.string(),
    "bytes": pa.int64(),
    "flags": pa.string(),
    "problem": pa.string(),
    "detail": pa.string(),
}


class Fact(NamedTuple):
    """What is known of one image; width and height as it is shown (after its EXIF rotation).

    flags: words, separated by spaces: `animated`, `rotated`.
    """

    width: int | None = None
    height: int | None = None
    mode: str | None = None
    format: str | None = None
    digest: str | None = None
    bytes: int = 0
    flags: str = ""
    problem: str | None = None
    detail: str = ""


class _Item(NamedTuple):
    number: int
    key: tuple[str, int, int]
    path: str | None
    data: Any


_one_large = threading.Lock()


def look(data: bytes | memoryview, limit: int) -> Fact:
    """Decode an image whole and return what it is, or why it cannot be used.

    limit: most pixels; a larger one is not decoded.
    """
    size = len(data)
    if size == 0:
        return Fact(problem="image-empty", detail="0 bytes")
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    known = Fact(digest=digest, bytes=size)
    try:
        with Image.open(io.BytesIO(data), formats=READABLE) as image:
            width, height = image.size
            known = known._replace(width=width, height=height, mode=image.mode, format=image.format)
            if width * height > limit:
                detail = f"{width:,} × {height:,}, {width * height / 1e6:,.0f} megapixels"
                return known._replace(problem="image-too-large", detail=detail)
            flags = []
            if image.format in {"GIF", "WEBP", "PNG"} and getattr(image, "is_animated", False):
                flags.append("animated")
            if width * height > LARGE:
                with _one_large:
                    image.load()
            else:
                image.load()
            if "exif" in image.info or image.format == "TIFF":
                turned = image.getexif().get(0x0112, 1)
                if turned in (5, 6, 7, 8):
                    known = known._replace(width=height, height=width)
                if turned in (2, 3, 4, 5, 6, 7, 8):
                    flags.append("rotated")
            return known._replace(flags=" ".join(flags))
    except UnidentifiedImageError:
        head = bytes(data[:64])
        for magic, name in MAGIC.items():
            if head.startswith(magic):
                return known._replace(
                    problem="image-corrupt", detail=f"it begins as a {name}, but its header is damaged"
                )
        return known._replace(problem="image-unknown", detail=_content(head))
    except Image.DecompressionBombError as error:
        return known._replace(problem="image-too-large", detail=str(error))
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        struct.error,
        OverflowError,
    ) as error:
        # What Pillow's decoders raise on damaged files is not one kind of error.
        detail = str(error) or type(error).__name__
        cut = "truncated" in detail.lower() or "unexpected end" in detail.lower()
        return known._replace(problem="image-truncated" if cut else "image-corrupt", detail=detail[:120])


def _content(head: bytes) -> str:
    """Say what a file that is no image seems to be."""
    known = {
        b"%PDF": "a PDF",
        b"PK\x03\x04": "a zip",
        b"\x1f\x8b": "a gzip archive",
        b"8BPS": "a Photoshop file",
        b"Rar!": "a RAR archive",
    }
    for magic, name in known.items():
        if head.startswith(magic):
            return f"it looks like {name}"
    if head[4:8] == b"ftyp":
        return "it looks like a HEIC picture" if head[8:11] in {b"hei", b"mif", b"hev"} else "it looks like a video"
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "it looks like a web page"
    if text.startswith((b"<svg", b"<?xml")):
        return "it looks like SVG or XML"
    return (
        "it looks like text"
        if head and all(b in b"\t\r\n" or 32 <= b < 127 for b in head)
        else "no known picture format"
    )


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Look at every picture that is still needed, in a few threads; those known from before are not opened."""
    count = len(cells)
    facts = [Fact()] * count
    values: list[str | None] = [None] * count
    scan = Scan(context.draft / "data" / "scan.parquet", FIELDS, context.stamp)
    limit, root = context.request.limits.image_pixels, str(context.root)
    total = max(1, int(context.needed.sum()))
    keys: list[tuple[str, int, int]] = []
    found: list[Fact] = []

    def work(batch: list[_Item]) -> list[tuple[_Item, Fact]]:
        return [(item, _look_at(item, root, limit)) for item in batch]

    def take(future: Future[list[tuple[_Item, Fact]]]) -> None:
        for item, fact in future.result():
            facts[item.number] = fact
            if fact.problem != "image-unreadable":
                keys.append(item.key)
                found.append(fact)
        context.progress(f"Looking at {counted(total, 'image')}", len(found) / total)

    # The limit on pixels is ours and looked at before decoding; Pillow would print a warning for each image.
    Image.MAX_IMAGE_PIXELS = None
    with warnings.catch_warnings(), ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore")
        running: deque[Future[list[tuple[_Item, Fact]]]] = deque()
        try:
            for batch in _batches(_items(cells, context, values, facts, scan), 16):
                running.append(pool.submit(work, batch))
                if len(running) > 2 * THREADS:
                    take(running.popleft())
            while running:
                take(running.popleft())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if found:
        scan.write(keys, found)
    result = Cells(values, [f.problem for f in facts], media=True)
    for name in ("width", "height", "mode", "format", "digest", "bytes"):
        result.facts[name] = [getattr(f, name) for f in facts]
    result.findings = _findings(facts, context)
    return result


def _items(
    cells: pa.ChunkedArray, context: Context, values: list[str | None], facts: list[Fact], scan: Scan
) -> Iterator[_Item]:
    """Yield the pictures that must be opened; fill in the paths of all, and the facts of those known."""
    start = 0
    for chunk in cells.chunks:
        paths = pc.struct_field(chunk, "path").to_pylist()
        blobs = pc.struct_field(chunk, "bytes")
        inner = blobs.null_count < len(blobs)
        for j, path in enumerate(paths):
            i = start + j
            if not context.needed[i]:
                continue
            data = blobs[j].as_buffer() if inner and blobs[j].is_valid else None
            if data is not None:
                key = (context.where[i], data.size, 0)
            elif path and path not in context.fingerprint and not inside(path):
                facts[i] = Fact(problem="file-outside", detail=path[:80])
                continue
            elif path:
                values[i] = path
                key = (path, *context.fingerprint.get(path, (-1, 0)))
            else:
                facts[i] = Fact(problem="image-missing", detail="no picture in this row")
                continue
            known = scan.get(*key)
            if known is not None:
                facts[i] = Fact(*known)
            else:
                yield _Item(i, key, path, data)
        start += len(paths)


def _look_at(item: _Item, root: str, limit: int) -> Fact:
    if item.data is not None:
        return look(memoryview(item.data), limit)
    if item.key[1] < 0:
        return Fact(problem="image-missing", detail="there is no such file")
    try:
        with open(f"{root}/{item.path}", "rb", buffering=0) as file:
            data = file.read()
    except OSError as error:
        return Fact(problem="image-unreadable", detail=error.strerror or str(error))
    return look(data, limit)


def _batches(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while batch := list(islice(items, size)):
        yield batch


PROBLEMS = {
    "image-empty": ("{n} {is} empty (0 bytes)", "Copy the files again: they were probably cut off while being saved."),
    "image-missing": ("{n} {is} not there", "Add the files, or correct the names in the table."),
    "image-unreadable": ("{n} cannot be opened", "Check the permissions of the files."),
    "image-unknown": ("{n} {is} no picture", "Remove the files, or save them as JPEG or PNG."),
    "image-truncated": ("{n} {is} cut off before the end", "Copy or download the files again."),
    "image-corrupt": ("{n} {is} damaged", "Open and save the files again in an image program, or remove them."),
    "image-too-large": ("{n} {is} too large", "Make the files smaller: at most {limit:,.0f} megapixels are opened."),
    "file-outside": (
        "{n} {is} outside the folder of the data, and {is} not opened",
        "Name files by their path from the table.",
    ),
}
"""Reasons why a row is left out → what happened, and what to do."""


def _findings(facts: list[Fact], context: Context) -> list[Finding]:
    findings = []
    by_problem: dict[str, list[int]] = {}
    for i, fact in enumerate(facts):
        if fact.problem:
            by_problem.setdefault(fact.problem, []).append(i)
    limit = context.request.limits.image_pixels / 1e6
    for code, indices in by_problem.items():
        text, hint = PROBLEMS[code]
        one = len(indices) == 1
        said = text.format(n=counted(len(indices), "image"), **{"is": "is" if one else "are"})
        names = [f"{context.where[i]} ({facts[i].detail})" for i in indices[:5]]
        findings.append(
            Finding(
                "error" if code == "file-outside" else "warning",
                code,
                f"{said} and {'is' if one else 'are'} left out: {listed(names, len(indices))}.",
                hint.format(limit=limit),
                context.where[indices[0]] if one else f"{counted(len(indices), 'row')}",
            )
        )
    good = [i for i, f in enumerate(facts) if f.format and not f.problem]

    def note(level: Level, code: str, wanted: Callable[[Fact, int], bool], text: str, hint: str = "") -> None:
        hit = [i for i in good if wanted(facts[i], i)]
        if hit:
            said = text.format(
                n=counted(len(hit), "image"),
                **{"is": "is" if len(hit) == 1 else "are", "has": "has" if len(hit) == 1 else "have"},
            )
            findings.append(
                Finding(level, code, f"{said}: {listed([context.where[i] for i in hit[:5]], len(hit))}.", hint)
            )

    paths = [_suffix(context.where[i]) for i in range(len(facts))]
    note(
        "warning",
        "wrong-extension",
        lambda f, i: paths[i] in _IMAGE_SUFFIXES and paths[i] not in EXTENSIONS.get(str(f.format), {paths[i]}),
        "{n} {is} of another format than the name says, and {is} read all the same",
        "Rename the files, so that other programs open them too.",
    )
    note("info", "animated", lambda f, i: "animated" in f.flags, "{n} {is} animated; the first frame is used")
    note(
        "info",
        "small-images",
        lambda f, i: min(f.width or 0, f.height or 0) < SMALL,
        f"{{n}} {{is}} smaller than {SMALL} pixels and will be enlarged",
        "Use larger originals where there are some.",
    )
    note(
        "info",
        "converted",
        lambda f, i: f.mode not in {"RGB", "L"},
        "{n} {has} transparency, a palette, CMYK or 16 bits, and {is} turned into ordinary colour",
    )
    return findings


_IMAGE_SUFFIXES = frozenset().union(*EXTENSIONS.values())


def _suffix(where: str) -> str:
    return os.path.splitext(where)[1].lower()
