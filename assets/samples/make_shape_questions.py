"""Draw the bundled sample of vision-language models: coloured shapes, with questions about colour and shape.

    python assets/samples/make_shape_questions.py [FOLDER]

Needs Pillow only. The same version of Pillow writes the same bytes. Size, place, rotation and shade vary.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SIDE = 48
SCALE = 4
IMAGES = 96
COLOURS = {"red": (214, 40, 40), "green": (46, 160, 67), "blue": (36, 84, 214), "yellow": (240, 200, 30)}
SHAPES = {"triangle": 3, "square": 4, "circle": 40}
"""Shape → number of its corners."""
QUESTIONS = ("What colour is the shape?", "Which shape is it?")


def picture(colour: str, shape: str, draw: random.Random) -> Image.Image:
    """Draw a shape on a light background: RGB, 48 by 48 pixels."""
    side = SIDE * SCALE
    light = draw.randint(225, 255)
    canvas = Image.new("RGB", (side, side), (light, light, light))
    radius, corners = draw.uniform(0.34, 0.42) * side, SHAPES[shape]
    x, y = (side / 2 + draw.uniform(-0.06, 0.06) * side for _ in range(2))
    turn = draw.uniform(-0.12, 0.12) + (math.pi / 4 if corners == 4 else -math.pi / 2)
    angles = [turn + 2 * math.pi * i / corners for i in range(corners)]
    shade = draw.uniform(0.85, 1.0)
    fill = tuple(round(value * shade) for value in COLOURS[colour])
    points = [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
    ImageDraw.Draw(canvas).polygon(points, fill=fill)
    return canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def make(folder: Path) -> int:
    """Write the pictures and `metadata.csv`, two questions for each picture; return the number of rows."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    pairs = [(colour, shape) for colour in COLOURS for shape in SHAPES]
    rows = []
    for number in range(IMAGES):
        colour, shape = pairs[number % len(pairs)]
        name = f"images/{number + 1:03d}.png"
        picture(colour, shape, random.Random(f"{number} {colour} {shape}")).save(folder / name, optimize=True)
        rows += [(name, question, answer) for question, answer in zip(QUESTIONS, (colour, shape), strict=True)]
    with open(folder / "metadata.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file_name", "question", "answer"))
        writer.writerows(rows)
    return len(rows)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "vlm" / "shape_questions"
    made = make(target)
    sys.stdout.write(f"{made} questions in {target}\n")
