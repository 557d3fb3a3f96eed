"""Cells that are images: each is decoded once, completely, to ensure that the training can read it."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import datasets
import numpy as np
import pyarrow as pa
from PIL import Image, UnidentifiedImageError

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data.kinds.image_panels import gallery, profile
from autotrain_gradio.data.media import content_type, media_cells
from autotrain_gradio.data.media.image_formats import DEEP, DEPTHS, READABLE, white_level
from autotrain_gradio.data.media.media_cache import Scan
from autotrain_gradio.data.rows import Cells, Context

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
"""First bytes of image formats."""
BITS = "bits"
"""Name of the option with the bit depth of images of more than 8 bits."""
LARGE = 16_000_000
"""Pixels from which images are decoded one at a time, for memory's sake."""
SMALL = 32
"""Pixels of the shorter side under which an image is too small to show much."""


class Fact(NamedTuple):
    """Properties of one image; width and height after its EXIF rotation.

    brightest: greatest value of a pixel, of images with more than 8 bits.
    flags: words, separated by spaces: `animated`, `rotated`.
    orientation: EXIF orientation, 1 to 8; 1: the image is displayed as it is stored.
    """

    width: int | None = None
    height: int | None = None
    mode: str | None = None
    format: str | None = None
    digest: str | None = None
    bytes: int = 0
    brightest: float | None = None
    flags: str = ""
    problem: str | None = None
    detail: str = ""
    orientation: int = 1


DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error, OverflowError)
"""What Pillow's decoders raise on damaged files."""
_one_large = threading.Lock()


def look(data: bytes | memoryview, limit: int) -> Fact:
    """Decode an image completely and return its properties, or why it cannot be used.

    limit: maximum number of pixels; a larger image is not decoded.
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
                    known = known._replace(orientation=int(turned))
            brightest = float(np.nanmax(np.asarray(image), initial=0)) if image.mode in DEEP else None
            return known._replace(brightest=brightest, flags=" ".join(flags))
    except UnidentifiedImageError:
        head = bytes(data[:64])
        for magic, name in MAGIC.items():
            if head.startswith(magic):
                return known._replace(
                    problem="image-corrupt", detail=f"it begins as a {name}, but its header is damaged"
                )
        return known._replace(problem="image-unknown", detail=content_type.describe(head))
    except Image.DecompressionBombError as error:
        return known._replace(problem="image-too-large", detail=str(error))
    except DECODER_ERRORS as error:
        detail = str(error) or type(error).__name__
        cut = "truncated" in detail.lower() or "unexpected end" in detail.lower()
        return known._replace(problem="image-truncated" if cut else "image-corrupt", detail=detail[:120])


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Decode every image that is still used, in a few threads; results of an earlier check are reused."""
    scan = Scan(context.draft / "data" / "scan.parquet", Fact, context.stamp)
    limit = context.request.limits.image_pixels
    # `look` checks the limit on pixels before decoding; Pillow would print a warning for each image.
    Image.MAX_IMAGE_PIXELS = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files = media_cells.open_each(
            cells,
            context,
            scan,
            Fact,
            lambda item: _look_at(item, context.root, limit, context.request.limits.media_bytes),
            "image",
        )
    files.remember(scan, files.opened)
    facts = files.facts(Fact())
    result = Cells(files.paths, [f.problem for f in facts], media=True, feature=datasets.Image(decode=False))
    for name in ("width", "height", "mode", "format", "digest", "bytes", "flags", "orientation"):
        result.facts[name] = [getattr(f, name) for f in facts]
    result.findings = _findings(facts, context)
    deep = [i for i, f in enumerate(facts) if f.brightest is not None and not f.problem]
    if deep:
        white, findings = _white_level(facts, deep, context)
        result.about["white_level"] = white
        result.findings += findings
    return result


def _white_level(facts: list[Fact], deep: list[int], context: Context) -> tuple[float, list[Finding]]:
    """Return the value that is white in all images of more than 8 bits, and findings about it. deep: these images.

    One level for the dataset keeps dark images darker than bright ones. `data.options.bits` sets the bit depth.
    """
    brightest = max(facts[i].brightest or 0.0 for i in deep)
    asked, where = context.request.spec.options.get(BITS), f"data.options.{BITS}"
    white, findings = white_level(brightest), list[Finding]()
    if str(asked).isdecimal() and 1 <= int(str(asked)) <= 32:
        white = float(2 ** int(str(asked)) - 1)
    elif asked is not None:
        message, hint = f"'{asked}' is not a bit depth.", f"Write one of {', '.join(map(str, DEPTHS))}."
        findings.append(Finding("error", "bits-invalid", message, hint, where))
    text = f"{{n}} {{has}} more than 8 bits a pixel, {brightest:,g} at most: {white:,g} becomes white in all of them "
    text += "and in predictions"
    others = tuple(
        Fix(
            f"Use {bits} bits",
            {"options": {BITS: bits}},
            f"With {bits} bits, {2**bits - 1:,} would be white: the images would be darker.",
        )
        for bits in (DEPTHS if asked is None and brightest > 1 else ())
        if 2**bits - 1 > white
    )
    found = context.findings("info", "deep-images", text, deep, noun="image", where=where)
    return white, findings + [replace(f, alternatives=others) for f in found]


def _look_at(item: media_cells.Item, root: Path, limit: int, most_bytes: int) -> Fact:
    source = item.source(root)
    try:
        if isinstance(source, Path) and (size := source.stat().st_size) > most_bytes:
            return Fact(problem="image-too-large", detail=f"the file has {format_bytes(size)}", bytes=size)
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        return Fact(problem="image-unreadable", detail=error.strerror or str(error))
    return look(data, limit)


PROBLEMS = {
    "image-unknown": ("{n} {is} not an image", "Remove the files, or save them as JPEG or PNG."),
    "image-truncated": ("{n} {is} truncated", "Copy or download the files again."),
    "image-corrupt": ("{n} {is} damaged", "Open and save the files again in an image program, or remove them."),
    "image-too-large": ("{n} {is} too large", "Make the files smaller: at most {limit:,.0f} megapixels are opened."),
}
"""Reasons why a row is skipped → what happened, and what to do."""


def _findings(facts: list[Fact], context: Context) -> list[Finding]:
    limit = context.request.limits.image_pixels / 1e6
    findings = media_cells.skipped_rows(facts, PROBLEMS, "image", context, limit=limit)
    good = [i for i, f in enumerate(facts) if f.format and not f.problem]
    findings += media_cells.wrong_extensions([f.format for f in facts], good, EXTENSIONS, "image", context)

    def note(code: str, wanted: Callable[[Fact], bool], text: str, hint: str = "") -> None:
        hit = [i for i in good if wanted(facts[i])]
        findings.extend(context.findings("info", code, text, hit, hint, noun="image"))

    note("animated", lambda f: "animated" in f.flags, "{n} {is} animated; the first frame is used")
    note(
        "small-images",
        lambda f: min(f.width or 0, f.height or 0) < SMALL,
        f"{{n}} {{is}} smaller than {SMALL} pixels and will be enlarged",
        "Use larger originals where there are some.",
    )
    note(
        "converted",
        lambda f: f.mode not in {"RGB", "L", *DEEP},
        "{n} {has} transparency, a palette or CMYK, and {is} converted to RGB",
    )
    return findings
