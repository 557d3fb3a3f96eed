"""Draw the bundled sample of image classification: leaves, stars and hearts.

    python assets/samples/make_shapes.py [FOLDER]

Needs Pillow only. The same version of Pillow writes the same bytes. Each shape has its own range of
hues, but size, place, rotation, shading and background vary, so that a picture is never a copy.
"""

from __future__ import annotations

import colorsys
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIDE = 96
SCALE = 4
PER_CLASS = 30
Point = tuple[float, float]


def leaf(draw: random.Random) -> list[Point]:
    """Outline of a pointed leaf, about one unit long to each side."""
    width = draw.uniform(0.55, 0.72)
    right = [(math.sin(math.pi * t) ** 0.85 * width * (1.12 - 0.5 * t), -1 + 2 * t) for t in _steps(40)]
    return right + [(-x, y) for x, y in reversed(right)]


def star(draw: random.Random) -> list[Point]:
    """Outline of a star with five points."""
    inner = draw.uniform(0.42, 0.52)
    radius = (1.0, inner)
    return [(radius[i % 2] * math.sin(math.pi * i / 5), -radius[i % 2] * math.cos(math.pi * i / 5)) for i in range(10)]


def heart(draw: random.Random) -> list[Point]:
    """Outline of a heart."""
    points = []
    for t in _steps(80):
        a = 2 * math.pi * t
        x = 16 * math.sin(a) ** 3
        y = 13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)
        points.append((x / 16.5, -(y + 2) / 15.5))
    return points


SHAPES: dict[str, tuple[Callable[[random.Random], list[Point]], tuple[float, float]]] = {
    "leaf": (leaf, (0.24, 0.40)),
    "star": (star, (0.105, 0.155)),
    "heart": (heart, (0.93, 1.0)),
}
"""Class → outline, range of hues."""


def _steps(count: int) -> list[float]:
    return [i / count for i in range(count + 1)]


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _gradient(side: int, first: tuple[int, int, int], second: tuple[int, int, int], angle: float) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((side * 2, side * 2)).rotate(angle, Image.Resampling.BICUBIC)
    ramp = ramp.crop((side // 2, side // 2, side // 2 + side, side // 2 + side))
    return Image.composite(Image.new("RGB", (side, side), first), Image.new("RGB", (side, side), second), ramp)


def _background(draw: random.Random, side: int) -> Image.Image:
    hue, dark = draw.random(), draw.random() < 0.3
    value = draw.uniform(0.16, 0.34) if dark else draw.uniform(0.82, 0.98)
    saturation = draw.uniform(0.04, 0.22)
    picture = _gradient(
        side,
        _colour(hue, saturation, value),
        _colour(hue + draw.uniform(-0.1, 0.1), saturation, value * draw.uniform(0.8, 1.0)),
        draw.uniform(0, 360),
    )
    pen = ImageDraw.Draw(picture, "RGBA")
    for _ in range(draw.randint(2, 6)):
        radius, x, y = draw.uniform(0.05, 0.2) * side, draw.uniform(0, side), draw.uniform(0, side)
        shade = 255 if draw.random() < 0.6 else 0
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(shade, shade, shade, draw.randint(8, 26)))
    return picture


def picture(name: str, draw: random.Random) -> Image.Image:
    """Draw one picture of a class: RGB, 96 by 96 pixels."""
    outline, (low, high) = SHAPES[name]
    side = SIDE * SCALE
    canvas = _background(draw, side)
    angle, size = draw.uniform(-0.7, 0.7), draw.uniform(0.30, 0.43) * side
    x0, y0 = (side / 2 + draw.uniform(-0.09, 0.09) * side for _ in range(2))
    stretch = draw.uniform(0.88, 1.1)
    cos, sin = math.cos(angle), math.sin(angle)

    def place(x: float, y: float) -> Point:
        x *= stretch
        return x0 + size * (x * cos - y * sin), y0 + size * (x * sin + y * cos)

    points = [place(x, y) for x, y in outline(draw)]
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(SCALE * 0.9)).point(lambda v: min(255, max(0, (v - 96) * 4)))
    shadow = mask.filter(ImageFilter.GaussianBlur(SCALE * 3)).point(lambda v: v * 2 // 5)
    canvas.paste((20, 20, 30), (round(SCALE * 1.5), round(SCALE * 2)), shadow)
    hue, saturation, value = draw.uniform(low, high), draw.uniform(0.7, 0.95), draw.uniform(0.75, 0.98)
    fill = _gradient(
        side,
        _colour(hue, saturation * 0.8, min(1.0, value * 1.12)),
        _colour(hue, saturation, value * 0.8),
        draw.uniform(0, 360),
    )
    if name == "leaf":
        pen = ImageDraw.Draw(fill)
        vein = _colour(hue, saturation * 0.55, min(1.0, value * 1.2))
        pen.line([place(0, -0.95), place(0, 1.0)], fill=vein, width=SCALE)
        for t in (-0.45, -0.05, 0.35):
            for way in (-1, 1):
                pen.line([place(0, t + 0.22), place(way * 0.4, t - 0.1)], fill=vein, width=max(1, SCALE // 2))
    canvas.paste(fill, (0, 0), mask)
    return canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def make(folder: Path) -> int:
    """Write all pictures as `<folder>/<class>/<class>_NN.jpg`; return how many."""
    count = 0
    for name in SHAPES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, PER_CLASS + 1):
            file = folder / name / f"{name}_{number:02d}.jpg"
            picture(name, random.Random(f"{name} {number}")).save(file, quality=86, optimize=True)
            count += 1
    return count


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "image_classification" / "shapes"
    made = make(target)
    sys.stdout.write(f"{made} pictures in {target}\n")
