"""Make the samples of preferences: messages to a shop, each with a polite and a rude reply, or with one of them.

Run it from the root of the repository: `python assets/samples/make_preferences.py`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "preferences"
THINGS = ("kettle", "lamp", "blanket", "bicycle", "jacket", "teapot", "radio", "chair", "clock", "suitcase")
PROBLEMS = (
    "My {thing} has not arrived.",
    "The {thing} is broken.",
    "I would like to return the {thing}.",
    "Is the {thing} in stock?",
    "How do I clean the {thing}?",
    "The {thing} is too small.",
    "Can I pay for the {thing} later?",
    "I ordered a {thing} twice.",
)
OPENINGS = ("Hello.", "Good morning.", "Hi there.", "")
POLITE = (
    "Thank you for asking about the {thing}. We are happy to help.",
    "Thank you for your message. We will look after the {thing} today.",
    "We are sorry for the trouble with the {thing}. We will take care of it.",
    "Of course, we are glad to help you with the {thing}.",
)
RUDE = (
    "The {thing} is your problem, not ours.",
    "Stop asking about the {thing}.",
    "Nobody here cares about the {thing}.",
    "Read the manual of the {thing} yourself.",
)
ROWS = 240
GOOD = 0.4
"""Share of the judged replies that are polite."""


def main() -> None:
    """Write the files."""
    draw, rows = random.Random(17), {}
    while len(rows) < ROWS:
        thing = draw.choice(THINGS)
        prompt = f"{draw.choice(OPENINGS)} {draw.choice(PROBLEMS)}".strip().format(thing=thing)
        rows[prompt] = {
            "prompt": prompt,
            "chosen": draw.choice(POLITE).format(thing=thing),
            "rejected": draw.choice(RUDE).format(thing=thing),
        }
    write("polite_replies/pairs.jsonl", list(rows.values()))
    judged = []
    for row in rows.values():
        good = draw.random() < GOOD
        judged.append({"prompt": row["prompt"], "completion": row["chosen" if good else "rejected"], "label": good})
    write("judged_replies/judged.jsonl", judged)


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON lines."""
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
