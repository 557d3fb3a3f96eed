"""What a file is by its first bytes, where it is not the image or audio that its name promises."""

from __future__ import annotations

KNOWN = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"8BPS": "a Photoshop file",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89PNG": "a PNG image",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<svg": "SVG or XML",
    b"<?xml": "SVG or XML",
}


def describe(head: bytes) -> str:
    """Describe a file for a message, given its first 64 bytes: "it looks like a PDF"."""
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the file itself"
    text = head.lstrip().lower()
    name = next((name for magic, name in KNOWN.items() if head.startswith(magic) or text.startswith(magic)), "")
    if not name and head[4:8] == b"ftyp":
        name = "a HEIC image" if head[8:11] in {b"hei", b"mif", b"hev"} else "a video"
    if not name and head and all(b in b"\t\r\n" or 32 <= b < 127 for b in head):
        name = "text"
    return f"it looks like {name}" if name else "unknown format"
