"""Write the bundled samples of sentence transformers and reranking: questions to a workshop for coffee machines.

    python assets/samples/make_workshop.py [FOLDER]

Needs Python only; the same seed writes the same bytes. The workshop has words of its own for parts and faults ("the
gribble sulks"), and the manual has its own ("pressure valve … does not open"), which no pretrained model knows.

`sentence_transformers/workshop/`: questions, each with the paragraph of the manual that answers it.
`sentence_transformers/workshop_scores/`: pairs of questions with a similarity from 0 to 5: 5 for the same part and
fault, 3 for the same part, 1 or 2 for the same fault, 0 for nothing in common.
`text_reranking/manual/`: questions that name the part as the manual does, each with five passages that a search for
words finds: its page, that of another fault of the part, and three entries of the catalogue, which answer nothing.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Sequence
from pathlib import Path

PARTS: tuple[tuple[str, str, str], ...] = (
    ("gribble", "pressure valve", "on top of the boiler"),
    ("snoot", "steam wand", "at the right side"),
    ("toggie", "filter holder", "below the brew head"),
    ("wumper", "vibration pump", "behind the water tank"),
    ("moonie", "group head gasket", "inside the brew head"),
    ("prattle", "burr grinder", "under the bean hopper"),
    ("sloosh", "drip tray", "at the bottom of the front"),
    ("glimmer", "heating element", "at the base of the boiler"),
    ("tickler", "flow meter", "between tank and pump"),
    ("noddy", "control board", "behind the front panel"),
    ("burper", "descaling valve", "at the lower left"),
    ("lanky", "milk hose", "at the frother"),
    ("pokey", "portafilter spout", "at the end of the handle"),
    ("dozer", "standby timer", "beside the main switch"),
)
"""Word of the workshop, word of the manual, place of the part."""
FAULTS: tuple[tuple[str, str, str], ...] = (
    ("sulks", "does not open at working temperature", "Clean the seat and replace the spring."),
    ("weeps", "leaks at the joint", "Fit a new sealing ring and tighten it by hand."),
    ("sings", "vibrates loudly under load", "Fasten the four screws of the mount."),
    ("dawdles", "works far too slowly", "Flush it with warm water for two minutes."),
    ("grumps", "is blocked by deposits", "Remove the deposits with citric acid."),
    ("hiccups", "interrupts its work at intervals", "Measure the supply voltage, and renew the plug."),
    ("bites", "has a worn edge that can injure", "Replace the part; do not file the edge."),
    ("fibs", "reports wrong values", "Calibrate it with the service menu."),
    ("faints", "fails after warming up", "Let it cool, and exchange the thermal fuse."),
    ("wanders", "has moved out of its position", "Align it with the mark and lock the nut."),
    ("stinks", "smells of burnt plastic", "Disconnect it, and look for a melted cable."),
    ("shivers", "has a loose bearing", "Press in a new bearing with the mandrel."),
)
"""Word of the workshop, words of the manual, what to do."""
QUESTIONS = (
    "my {part} {fault} since Monday, what now?",
    "customer says the {part} {fault}",
    "{part} {fault} again",
    "what do I do when the {part} {fault}?",
    "the {part} {fault} and the queue is long",
    "help, the {part} of the big machine {fault}",
    "no idea why this {part} {fault}",
    "does anybody know a {part} that {fault}?",
)
PAGES = (
    "Fault: the {part} ({place}) {fault}. {cure}",
    "{cure} Applies where the {part}, {place}, {fault}.",
    "The {part} {fault}. It is found {place}. {cure}",
)
CATALOGUE = (
    "The {part} of the series {number} is sold in brass or steel, from {price}.50 euros.",
    "Order number {number}: {part}, with delivery within a week, {price} euros.",
    "New in the shop: the {part} {number} for the big machine, now {price} euros.",
    "The {part} {number} replaces the {part} of earlier years. Price on request.",
    "Customers who bought the {part} {number} also bought cups, spoons and filter paper.",
)
ROWS, SCORED, ASKED = 320, 300, 100


def main(folder: Path) -> None:
    """Write all samples below a folder."""
    pairs, texts = ("query", "answer"), folder / "sentence_transformers"
    write(texts / "workshop" / "questions.csv", pairs, questions(random.Random(1)))
    write(texts / "workshop_scores" / "pairs.csv", ("sentence1", "sentence2", "score"), scored(random.Random(2)))
    rows = labelled(random.Random(3))
    write(folder / "text_reranking" / "manual" / "passages.csv", ("query", "passage", "label"), rows)


def questions(draw: random.Random) -> list[tuple[str, str]]:
    """Return questions and the pages that answer them; each part and each fault occurs in many."""
    pages = {}
    for part in range(len(PARTS)):
        for fault in range(len(FAULTS)):
            pages[part, fault] = page(draw, part, fault)
    asked = [(pair, template) for pair in pages for template in draw.sample(QUESTIONS, 2)]
    draw.shuffle(asked)
    return [(question(template, *pair), pages[pair]) for pair, template in asked[:ROWS]]


def labelled(draw: random.Random) -> list[tuple[str, str, int]]:
    """Return questions with passages and whether they answer them."""
    combinations = [(part, fault) for part in range(len(PARTS)) for fault in range(len(FAULTS))]
    rows = []
    for part, fault in draw.sample(combinations, ASKED):
        asked = question(draw.choice(QUESTIONS), part, fault, slang=False)
        other = (fault + draw.randrange(1, len(FAULTS))) % len(FAULTS)
        passages = [(page(draw, part, fault), 1), (page(draw, part, other), 0)]
        for form in draw.sample(CATALOGUE, 3):
            number, price = draw.randrange(1000, 9999), draw.randrange(8, 90)
            passages.append((form.format(part=PARTS[part][1], number=number, price=price), 0))
        draw.shuffle(passages)
        rows += [(asked, passage, label) for passage, label in passages]
    return rows


def scored(draw: random.Random) -> list[tuple[str, str, str]]:
    """Return pairs of questions with their similarity."""
    rows = []
    for number in range(SCORED):
        part, fault = draw.randrange(len(PARTS)), draw.randrange(len(FAULTS))
        other_part = (part + draw.randrange(1, len(PARTS))) % len(PARTS)
        other_fault = (fault + draw.randrange(1, len(FAULTS))) % len(FAULTS)
        second, score = (
            ((part, fault), 5.0),
            ((part, other_fault), 3.0),
            ((other_part, fault), 1.5),
            ((other_part, other_fault), 0.0),
        )[number % 4]
        first_form, second_form = draw.sample(QUESTIONS, 2)
        noise = draw.choice((-0.2, 0.0, 0.2))
        value = min(5.0, max(0.0, score + noise))
        rows.append((question(first_form, part, fault), question(second_form, *second), f"{value:.1f}"))
    return rows


def question(template: str, part: int, fault: int, *, slang: bool = True) -> str:
    """Return a question in the words of the workshop. slang: also for the part."""
    return template.format(part=PARTS[part][0 if slang else 1], fault=FAULTS[fault][0])


def page(draw: random.Random, part: int, fault: int) -> str:
    """Return a paragraph in the words of the manual."""
    (_, name, place), (_, words, cure) = PARTS[part], FAULTS[fault]
    return draw.choice(PAGES).format(part=name, place=place, fault=words, cure=cure)


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
