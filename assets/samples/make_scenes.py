"""Draw the bundled sample of object detection: circles and squares on a plain background, with their boxes.

    python assets/samples/make_scenes.py [FOLDER]

Needs Pillow only. The same version of Pillow writes the same bytes.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 120, 90
COUNT = 60
SCALE = 4
"""Images are drawn this many times larger and resized, for smooth edges."""
NAMES = ("circle", "square")


def scene(draw: random.Random) -> tuple[Image.Image, list[list[int]], list[str]]:
    """Return an image with up to two shapes that do not overlap, their boxes (left, top, width, height) and names."""
    shade = draw.randint(215, 245)
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), (shade, shade, shade - draw.randint(0, 15)))
    pen = ImageDraw.Draw(image)
    boxes, names = [], []
    halves = draw.sample((0, 1), draw.choice((1, 2)))
    for half in halves:
        side = draw.randint(26, 46)
        left = half * WIDTH // 2 + draw.randint(2, WIDTH // 2 - side - 2)
        top = draw.randint(2, HEIGHT - side - 2)
        name = draw.choice(NAMES)
        corners = [v * SCALE for v in (left, top, left + side, top + side)]
        if name == "circle":
            pen.ellipse(corners, fill=(draw.randint(180, 230), draw.randint(30, 80), draw.randint(30, 80)))
        else:
            pen.rectangle(corners, fill=(draw.randint(30, 80), draw.randint(50, 100), draw.randint(170, 220)))
        boxes.append([left, top, side, side])
        names.append(name)
    return image.resize((WIDTH, HEIGHT), Image.Resampling.BOX), boxes, names


def main(folder: Path) -> None:
    """Write the images and metadata.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(7)
    lines = []
    for number in range(1, COUNT + 1):
        image, boxes, names = scene(draw)
        file = f"{number:02}.png"
        image.save(folder / file, optimize=True)
        lines.append(json.dumps({"file_name": file, "objects": {"bbox": boxes, "category": names}}))
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    here = Path(__file__).parent / "object_detection" / "shapes"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here)
