"""Pictures that are damaged, odd, or not what they say."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.kinds import image as image_kind
from autotrain_gradio.data.media.image_formats import as_rgb
from tests.unit.data.conftest import Check, classes, codes, errors, finding, picture, plant


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG that says it is huge and holds nearly nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def gif(frames: int) -> bytes:
    buffer = io.BytesIO()
    pictures = [Image.open(io.BytesIO(picture(i))) for i in range(frames)]
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:])
    return buffer.getvalue()


SOUND = picture("sound", size=(200, 150))


@pytest.mark.parametrize(
    "name, content, code",
    [
        ("empty.jpg", b"", "image-empty"),
        ("text.jpg", b"this is no picture at all", "image-unknown"),
        ("page.png", b"<!DOCTYPE html><html></html>", "image-unknown"),
        ("cut.jpg", SOUND[: len(SOUND) // 2], "image-truncated"),
        ("cut.png", picture("p", size=(200, 150), format="PNG")[:-3000], "image-truncated"),
        ("head.jpg", SOUND[:20], "image-corrupt"),
        ("broken.png", picture("p", format="PNG").replace(b"IDAT", b"IDAX"), "image-corrupt"),
        ("bomb.png", huge_png(10_000, 10_000), "image-too-large"),
        ("bomb2.png", huge_png(100_000, 100_000), "image-too-large"),
        ("script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image-unknown"),
    ],
)
def test_images_that_cannot_be_decoded_are_skipped_and_reported(
    tmp_path: Path, check: Check, name: str, content: bytes, code: str
) -> None:
    result = check(plant(tmp_path / "in", {**classes("cat", "dog"), f"cat/{name}": content}))
    found = finding(result, code)
    assert (
        f"cat/{name}" in found["message"]
        and found["where"] == f"cat/{name}"
        and found["hint"]
        and found["level"] == "warning"
    )
    assert result["rows"] == 13 and result["dropped"] == [{"code": code, "count": 1}]
    assert sum(result["splits"].values()) == 12


def test_hundred_megapixels_name_the_size_and_the_limit(tmp_path: Path, check: Check) -> None:
    found = finding(
        check(plant(tmp_path / "in", {**classes("cat", "dog"), "cat/x.png": huge_png(10_000, 10_000)})),
        "image-too-large",
    )
    assert "100 megapixels" in found["message"] and "89 megapixels" in found["hint"]
    assert "image-too-large" in codes(check(tmp_path / "in", limits=Limits(image_pixels=1000)))


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    with (folder / "cat" / "0.jpg").open("r+b") as file:
        file.truncate(8 * 2**30)  # sparse
    found = finding(check(folder), "image-too-large")
    assert "the file has 8.0 GiB" in found["message"]


def test_many_of_one_kind_are_one_finding(tmp_path: Path, check: Check) -> None:
    files: dict[str, Any] = {**classes("cat", "dog"), **{f"dog/bad{i}.jpg": b"" for i in range(20)}}
    found = finding(check(plant(tmp_path / "in", files)), "image-empty")
    assert "20 images" in found["message"] and "and 15 more" in found["message"]


def test_all_errors_come_at_once(tmp_path: Path, check: Check) -> None:
    files: dict[str, Any] = {
        **classes("cat"),
        "cat/a.jpg": b"",
        "cat/b.jpg": b"text",
        "cat/c.png": huge_png(10_000, 10_000),
    }
    result = check(plant(tmp_path / "in", files))
    assert {"one-class", "image-empty", "image-unknown", "image-too-large"} <= set(codes(result))


def test_images_with_a_wrong_extension_are_used_and_reported(tmp_path: Path, check: Check) -> None:
    files: dict[str, Any] = {**classes("cat", "dog"), "cat/really_png.jpg": picture("x", format="PNG")}
    result = check(plant(tmp_path / "in", files))
    assert sum(result["splits"].values()) == 13
    assert "cat/really_png.jpg" in finding(result, "wrong-extension")["message"]


def test_animated_pictures_use_their_first_frame(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**classes("cat", "dog"), "cat/a.gif": gif(3), "cat/b.gif": gif(1)}))
    assert "1 image is animated" in finding(result, "animated")["message"]
    assert sum(result["splits"].values()) == 14


def test_small_images_are_reported(tmp_path: Path, check: Check) -> None:
    files: dict[str, Any] = {
        f"{c}/{i}.jpg": picture(f"{c}{i}", size=(32, 32)) for c in ("cat", "dog") for i in range(6)
    }
    result = check(plant(tmp_path / "in", {**files, "cat/t.png": picture("t", size=(31, 50), format="PNG")}))
    assert "1 image is smaller than 32 pixels" in finding(result, "small-images")["message"]
    assert "cat/t.png" in finding(result, "small-images")["message"]


@pytest.mark.parametrize(
    "mode, format",
    [
        ("CMYK", "JPEG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("I;16", "PNG"),
        ("I;16", "TIFF"),
        ("1", "PNG"),
        ("L", "JPEG"),
    ],
)
def test_all_colour_modes_are_decoded(tmp_path: Path, check: Check, mode: str, format: str) -> None:
    buffer = io.BytesIO()
    if mode == "I;16":
        Image.frombytes("I;16", (40, 40), b"\x00\xf0" * 1600).save(buffer, format)
    else:
        Image.open(io.BytesIO(picture("m"))).convert(mode).save(buffer, format)
    result = check(plant(tmp_path / "in", {**classes("cat", "dog"), f"cat/m.{format.lower()}": buffer.getvalue()}))
    assert sum(result["splits"].values()) == 13 and not errors(result)
    assert ("converted" in codes(result)) == (mode not in {"L", "I;16"})
    assert ("deep-images" in codes(result)) == (mode == "I;16")


def test_sixteen_bits_keep_their_brightness() -> None:
    bright = as_rgb(Image.frombytes("I;16", (4, 4), b"\x00\xf0" * 16))
    assert bright.mode == "RGB" and bright.getpixel((0, 0)) == (239, 239, 239)


def test_transparency_becomes_white() -> None:
    assert as_rgb(Image.new("RGBA", (2, 2), (255, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_exif_rotation_turns_width_and_height() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    fact = image_kind.look(picture("r", size=(60, 20), exif=exif), 10**8)
    assert (fact.width, fact.height) == (20, 60) and fact.orientation == 6 and "rotated" in fact.flags


def test_each_image_is_decoded_once_and_not_again_for_another_split(
    tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    look = image_kind.look

    def counting(content: bytes | memoryview, limit: int) -> image_kind.Fact:
        opened.append(1)
        return look(content, limit)

    monkeypatch.setattr(image_kind, "look", counting)
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    check(folder)
    assert len(opened) == 12
    check(folder, valid_fraction=0.5, labels={"cat": "lion"})
    assert len(opened) == 12
    plant(folder, {"cat/0.jpg": 12345})
    check(folder)
    assert len(opened) == 13


def test_the_gallery_shows_a_few_of_each_class_and_always_the_same(tmp_path: Path, draft: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes(*(f"c{i}" for i in range(30)), count=10))
    first = check(folder)["gallery"]
    items = first[0]["items"]
    assert len(items) == 24 * 8 and len({i["group"] for i in items}) == 24 and "6 more" in first[0]["note"]
    for item in items:
        with Image.open(draft / item["file"]) as small:
            assert small.format == "JPEG" and max(small.size) <= 160
    assert check(folder)["gallery"] == first


def test_the_profile_has_counts_sizes_and_formats(tmp_path: Path, check: Check) -> None:
    files: dict[str, Any] = {**classes("cat", "dog"), "cat/w.png": picture("w", size=(600, 300), format="PNG")}
    panels = {p["title"]: p for p in check(plant(tmp_path / "in", files))["profile"]}
    numbers = {i["label"]: i["value"] for i in panels["Overview"]["items"]}
    assert numbers["Rows"] == 13 and numbers["Classes"] == 2 and numbers["Training"] + numbers["Validation"] == 13
    balance = panels["Rows in each class"]
    assert balance["labels"] == ["cat", "dog"]
    assert [sum(v) for v in zip(*balance["series"].values(), strict=True)] == [7, 6]
    assert panels["Shorter side in pixels"]["labels"] == [
        "under 32",
        "32 to 63",
        "64 to 127",
        "128 to 223",
        "224 to 383",
    ]
    assert panels["Shorter side in pixels"]["series"]["images"] == [12, 0, 0, 0, 1]
    assert dict(zip(panels["Formats"]["labels"], panels["Formats"]["series"]["images"], strict=True)) == {
        "JPEG": 12,
        "PNG": 1,
    }


def test_thumbnails_are_rotated_upright(tmp_path: Path, draft: Path, check: Check) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = picture("r", size=(900, 300), exif=exif)
    result = check(plant(tmp_path / "in", {**classes("cat", "dog"), "cow/turned.jpg": turned}))
    item = next(i for i in result["gallery"][0]["items"] if i["group"] == "cow")
    with Image.open(draft / item["file"]) as small:
        assert small.height == 160 and small.width < 60
