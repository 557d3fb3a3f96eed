"""Draw the bundled sample of image segmentation: circles and squares on a plain background, with their masks.

    python assets/samples/make_masks.py [FOLDER]

Needs Pillow only. The same version of Pillow writes the same bytes.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 120, 90
COUNT = 60
SCALE = 4
"""Images are drawn this many times larger and resized, for smooth edges; masks have exact ones."""
NAMES = ("background", "circle", "square")
PALETTE = ((0, 0, 0), (200, 60, 50), (50, 80, 200))


def scene(draw: random.Random) -> tuple[Image.Image, Image.Image]:
    """Return an image with up to two shapes that do not overlap, and its mask, a palette image of class numbers."""
    shade = draw.randint(215, 245)
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), (shade, shade, shade - draw.randint(0, 15)))
    mask = Image.new("P", (WIDTH, HEIGHT), 0)
    mask.putpalette([value for colour in PALETTE for value in colour])
    pens = ImageDraw.Draw(image), ImageDraw.Draw(mask)
    for half in draw.sample((0, 1), draw.choice((1, 2, 2))):
        side = draw.randint(26, 46)
        left = half * WIDTH // 2 + draw.randint(2, WIDTH // 2 - side - 2)
        top = draw.randint(2, HEIGHT - side - 2)
        number = draw.choice((1, 2))
        low, high = ((180, 30, 30), (230, 80, 80)) if number == 1 else ((30, 50, 170), (80, 100, 220))
        fill = tuple(draw.randint(a, b) for a, b in zip(low, high, strict=True))
        for pen, scale, colour in ((pens[0], SCALE, fill), (pens[1], 1, number)):
            corners = [v * scale for v in (left, top)] + [v * scale - 1 for v in (left + side, top + side)]
            (pen.ellipse if number == 1 else pen.rectangle)(corners, fill=colour)
    return image.resize((WIDTH, HEIGHT), Image.Resampling.BOX), mask


def main(folder: Path) -> None:
    """Write images, masks and classes.txt."""
    draw = random.Random(11)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(1, COUNT + 1):
        image, mask = scene(draw)
        image.save(folder / "images" / f"{number:02}.png", optimize=True)
        mask.save(folder / "masks" / f"{number:02}.png", optimize=True)
    (folder / "classes.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")


if __name__ == "__main__":
    here = Path(__file__).parent / "image_segmentation" / "shapes"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here)
