"""Write the bundled sample of extractive question answering: descriptions of places, with questions.

    python assets/samples/make_questions.py [FOLDER]

Needs Python only; the same seed writes the same bytes. A description consists of sentences of the facts below, in
another order and with other values each time. A question asks for one fact; where the description lacks it, the
question has no answer. `places/train.json` and `places/valid.json` are written as SQuAD 2.0 has them, and share no
description.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

PLACES = (
    "museum", "railway station", "public library", "mountain hut", "fish market", "lighthouse", "botanical garden",
    "swimming pool", "observatory", "town theatre", "old mill", "cable car",
)  # fmt: skip
TOWNS = (
    "Bergen", "Graz", "Porto", "Aarhus", "Lucerne", "Tartu", "Galway", "Bruges", "Trieste", "Uppsala", "Cork", "Metz",
    "Ronda", "Turku", "Krems", "Delft",
)  # fmt: skip
FIRST = ("Anna", "Marek", "Helen", "Tomas", "Ingrid", "Paolo", "Ruth", "Viktor", "Clara", "Jonas", "Maud", "Oskar")
LAST = (
    "Lindqvist",
    "Moretti",
    "Kowal",
    "Brandt",
    "Ferrer",
    "Novak",
    "Holm",
    "Adler",
    "Costa",
    "Byrne",
    "Weiss",
    "Sand",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
COLOURS = ("dark green", "pale yellow", "white", "brick red", "light blue", "black", "orange", "silver grey")
MEALS = ("pea soup", "apple cake", "grilled fish", "potato salad", "cheese toast", "lemon ice cream", "rye bread")
BUSES = ("bus 4", "bus 12", "bus 27", "tram 3", "tram 9", "the night bus", "the ferry", "bus 55")
FACTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "year": (
        ("It was opened in {}.", "The doors first opened in {}.", "It has been open to visitors since {}."),
        ("When was the {place} opened?", "In which year did the {place} open?", "Since when is the {place} open?"),
    ),
    "founder": (
        ("It was founded by {}.", "The founder was {}, a teacher.", "It goes back to {}, who paid for it."),
        ("Who founded the {place}?", "Who was the founder of the {place}?", "Who paid for the {place}?"),
    ),
    "price": (
        ("A ticket costs {}.", "Visitors pay {} at the gate.", "Entry is {} for adults."),
        ("How much is a ticket?", "What does a ticket cost?", "How much do visitors pay?"),
    ),
    "closed": (
        ("On {} it stays closed.", "It is open every day except {}.", "The staff are off on {}."),
        (
            "On which day is the {place} closed?",
            "Which day of the week is it closed?",
            "When do the staff have a day off?",
        ),
    ),
    "colour": (
        ("Its walls are painted {}.", "The front is {}.", "Since the repair the building has been {}."),
        (
            "What colour is the {place}?",
            "In what colour are the walls painted?",
            "Which colour is the building?",
        ),
    ),
    "visitors": (
        ("About {} people come each year.", "It counts {} visitors a year.", "In a good year {} guests are counted."),
        ("How many people visit the {place}?", "How many visitors come each year?", "How many guests are counted?"),
    ),
    "food": (
        ("The café is known for its {}.", "In the kitchen {} is made every morning.", "Hungry guests order {}."),
        ("What food is the café known for?", "What is made in the kitchen?", "What do hungry guests order?"),
    ),
    "transport": (
        ("From the centre {} takes you there.", "You get there by {}.", "The stop of {} is in front of it."),
        ("How do you get to the {place}?", "What takes you to the {place}?", "Which line stops in front of it?"),
    ),
}
"""Fact → sentences about it, and questions that ask for it."""
TRAIN, VALID, PER_PLACE = 80, 20, 8
MISSING = 0.25
"""Share of the questions without an answer."""


def value(fact: str, rng: random.Random) -> str:
    """Return a value of a fact."""
    return {
        "year": lambda: str(rng.randint(1780, 2019)),
        "founder": lambda: f"{rng.choice(FIRST)} {rng.choice(LAST)}",
        "price": lambda: f"{rng.randint(2, 24)} {rng.choice(('euros', 'francs', 'crowns'))}",
        "closed": lambda: rng.choice(DAYS),
        "colour": lambda: rng.choice(COLOURS),
        "visitors": lambda: f"{rng.randint(3, 90)},{rng.choice(('000', '500', '200'))}",
        "food": lambda: rng.choice(MEALS),
        "transport": lambda: rng.choice(BUSES),
    }[fact]()


def paragraph(number: int, rng: random.Random) -> dict[str, object]:
    """Return a description with its questions, as a paragraph of SQuAD."""
    place, town = rng.choice(PLACES), rng.choice(TOWNS)
    facts = rng.sample(sorted(FACTS), 5)
    text, answers = f"The {place} of {town} stands near the old harbour.", {}
    for fact in facts:
        before, after = rng.choice(FACTS[fact][0]).split("{}")
        answer = value(fact, rng)
        answers[fact] = {"text": answer, "answer_start": len(text) + 1 + len(before)}
        text += f" {before}{answer}{after}"
    missing = [fact for fact in sorted(FACTS) if fact not in facts]
    asked = [rng.choice(missing) if rng.random() < MISSING else rng.choice(facts) for _ in range(PER_PLACE)]
    questions = []
    for fact in dict.fromkeys(asked):
        one = {"id": f"{number}-{fact}", "question": rng.choice(FACTS[fact][1]).format(place=place)}
        found = [answers[fact]] if fact in answers else []
        questions.append({**one, "answers": found, "is_impossible": not found})
    for found in answers.values():
        begin = int(found["answer_start"])
        assert text[begin : begin + len(str(found["text"]))] == found["text"]
    return {"context": text, "qas": questions}


def main(folder: Path) -> None:
    """Write both splits."""
    rng = random.Random(13)
    (folder / "places").mkdir(parents=True, exist_ok=True)
    seen: set[object] = set()
    for name, count in (("train", TRAIN), ("valid", VALID)):
        paragraphs = []
        while len(paragraphs) < count:
            made = paragraph(len(seen), rng)
            if made["context"] not in seen:
                seen.add(made["context"])
                paragraphs.append(made)
        content = {"version": "v2.0", "data": [{"title": "Places", "paragraphs": paragraphs}]}
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        (folder / "places" / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "extractive_question_answering")
