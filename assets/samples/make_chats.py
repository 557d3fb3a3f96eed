"""Make the sample of chats: questions about cooking times and their answers, from parts.

Run it from the root of the repository: `python assets/samples/make_chats.py`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent / "llm_sft" / "kitchen_helper"
SYSTEM = "You are the kitchen helper. Answer in one sentence."
FOODS = {
    "carrots": ("boil", 8),
    "potatoes": ("boil", 20),
    "green beans": ("boil", 9),
    "red lentils": ("boil", 12),
    "brown rice": ("boil", 35),
    "an egg": ("boil", 7),
    "beetroot": ("boil", 45),
    "salmon": ("bake", 18),
    "a pumpkin": ("bake", 40),
    "bread rolls": ("bake", 15),
    "an apple pie": ("bake", 50),
    "chicken legs": ("bake", 42),
    "mushrooms": ("fry", 6),
    "onions": ("fry", 10),
    "pancakes": ("fry", 3),
    "tofu": ("fry", 11),
}
QUESTIONS = (
    "How long do I {verb} {food}?",
    "I want to {verb} {food}. How many minutes?",
    "Tell me the time for {food}, please.",
    "What do I do with {food}?",
    "When is it done if I {verb} {food}?",
)
THANKS = (("Thank you!", "Enjoy your meal!"), ("Thanks, that helps.", "You are welcome!"))
ROWS = 240


def answer(food: str) -> str:
    """Return the answer to any question about a food."""
    verb, minutes = FOODS[food]
    return f"{verb.capitalize()} {food} for {minutes} minutes."


def chat(draw: random.Random) -> list[dict[str, str]]:
    """Make a chat of one to three questions."""
    messages = [{"role": "system", "content": SYSTEM}] if draw.random() < 0.3 else []
    foods = draw.sample(list(FOODS), draw.choice((1, 1, 2, 3)))
    for number, food in enumerate(foods):
        question = draw.choice(QUESTIONS) if number == 0 else "And {food}?"
        messages.append({"role": "user", "content": question.format(verb=FOODS[food][0], food=food)})
        messages.append({"role": "assistant", "content": answer(food)})
    if draw.random() < 0.25:
        said, reply = draw.choice(THANKS)
        messages += [{"role": "user", "content": said}, {"role": "assistant", "content": reply}]
    return messages


def main() -> None:
    """Write the file."""
    draw, rows = random.Random(11), {}
    while len(rows) < ROWS:
        line = json.dumps({"messages": chat(draw)}, ensure_ascii=False)
        rows[line] = None
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "chats.jsonl").write_text("".join(f"{line}\n" for line in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
