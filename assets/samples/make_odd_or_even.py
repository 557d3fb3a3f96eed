"""Make the sample of prompts for reinforcement learning: questions about numbers, with their answers.

Run it from the root of the repository: `python assets/samples/make_odd_or_even.py`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent / "llm_grpo" / "odd_or_even"
QUESTIONS = (
    "Is {number} odd or even?",
    "Odd or even: {number}?",
    "Tell me whether {number} is odd or even.",
    "Which is {number}, even or odd?",
)
INSTRUCTION = "Answer with one word."
LARGEST = 99
ROWS = 240


def main() -> None:
    """Write the file."""
    draw, rows = random.Random(7), {}
    while len(rows) < ROWS:
        number = draw.randint(0, LARGEST)
        question = draw.choice(QUESTIONS).format(number=number)
        rows[f"{question} {INSTRUCTION}"] = "odd" if number % 2 else "even"
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"prompt": prompt, "answer": answer}) + "\n" for prompt, answer in rows.items())
    (FOLDER / "prompts.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
