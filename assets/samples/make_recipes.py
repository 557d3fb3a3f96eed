"""Make the sample of recipes: short texts about dishes, made of parts.

Run it from the root of the repository: `python assets/samples/make_recipes.py`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent / "llm_generic" / "recipes"
DISHES = {
    "Carrot soup": ("carrots", "boil", 20, "parsley"),
    "Leek soup": ("leeks", "boil", 25, "nutmeg"),
    "Lentil stew": ("red lentils", "boil", 15, "cumin"),
    "Pumpkin stew": ("a pumpkin", "boil", 30, "ginger"),
    "Onion tart": ("onions", "bake", 40, "thyme"),
    "Apple tart": ("apples", "bake", 45, "cinnamon"),
    "Potato cakes": ("potatoes", "fry", 10, "chives"),
    "Corn cakes": ("corn", "fry", 8, "paprika"),
}
BEGINNINGS = ("For {people}, take {amount} grams of {food}.", "{people} people need {amount} grams of {food}.")
STEPS = ("Wash {food}, and cut everything into small pieces.", "Peel {food}, and chop everything finely.")
ENDS = ("Serve it with bread.", "Serve it while it is hot.", "It tastes even better on the next day.")
ROWS = 200


def recipe(draw: random.Random) -> str:
    """Make a recipe of a title and four sentences."""
    dish = draw.choice(list(DISHES))
    food, verb, minutes, spice = DISHES[dish]
    people = draw.choice((2, 4, 6))
    parts = {"food": food, "people": people, "amount": people * 150}
    sentences = [
        draw.choice(BEGINNINGS).format(**parts),
        draw.choice(STEPS).format(**parts),
        f"{verb.capitalize()} it for {minutes} minutes, and add {spice} and salt.",
        draw.choice(ENDS),
    ]
    return f"# {dish}\n\n{' '.join(sentences)}\n"


def main() -> None:
    """Write the file."""
    draw = random.Random(5)
    texts: dict[str, None] = {}
    while len(texts) < ROWS:
        texts[recipe(draw)] = None
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    (FOLDER / "recipes.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
