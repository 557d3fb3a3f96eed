"""Draw the bundled sample of image regression: discs, of which a sector is filled, with the filled share in percent.

    python assets/samples/make_gauges.py [FOLDER]

Needs Pillow only. The same version of Pillow writes the same bytes. Colours, size, place and start of the sector vary.
"""

from __future__ import annotations

import colorsys
import json
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SIDE, SCALE, COUNT = 64, 4, 120


def gauge(share: int, draw: random.Random) -> Image.Image:
    """Draw a disc of which a share in percent is filled: RGB, 64 by 64 pixels."""
    side = SIDE * SCALE
    hue = draw.random()

    def colour(saturation: float, value: float) -> tuple[int, int, int]:
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
        return round(red * 255), round(green * 255), round(blue * 255)

    canvas = Image.new("RGB", (side, side), colour(draw.uniform(0.02, 0.1), draw.uniform(0.85, 0.95)))
    radius = draw.uniform(0.36, 0.44) * side
    x, y = (side / 2 + draw.uniform(-0.04, 0.04) * side for _ in range(2))
    box, start = (x - radius, y - radius, x + radius, y + radius), draw.uniform(0, 360)
    pen = ImageDraw.Draw(canvas)
    pen.ellipse(box, fill=(255, 255, 255), outline=colour(0.5, 0.3), width=SCALE)
    pen.pieslice(box, start, start + 3.6 * share, fill=colour(draw.uniform(0.7, 0.9), draw.uniform(0.35, 0.6)))
    return canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main(folder: Path) -> None:
    """Write `gauges/images/NNN.jpg` and `gauges/metadata.jsonl` into a folder."""
    (folder / "gauges" / "images").mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(1, COUNT + 1):
        draw = random.Random(f"gauge {number}")
        share, name = draw.randint(2, 98), f"images/{number:03d}.jpg"
        gauge(share, draw).save(folder / "gauges" / name, quality=86, optimize=True)
        lines.append(json.dumps({"file_name": name, "filled": share}) + "\n")
    (folder / "gauges" / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "image_regression")
