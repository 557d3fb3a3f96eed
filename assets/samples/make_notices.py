"""Write the bundled sample of token classification: notices that a town might publish, with their entities.

    python assets/samples/make_notices.py [FOLDER]

Needs Python only; the same seed writes the same bytes. A notice is one or two sentences of the templates below, whose
slots are entities. First names, surnames, streets and days are combined, so that most names of the validation rows do
not occur in the training rows. Words of the slots occur outside of entities, too ("the bridge", "a holm", "may").
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path

FIRST = [
    "Clara",
    "Jonas",
    "Mira",
    "Peter",
    "Agnes",
    "Tobias",
    "Lena",
    "Oskar",
    "Ines",
    "Felix",
    "Nora",
    "Hugo",
    "Edda",
    "Ruben",
    "Selma",
    "Anton",
    "Paula",
    "Emil",
    "Greta",
    "Karl",
    "Ylva",
]
LAST = [
    "Holm",
    "Berger",
    "Lindt",
    "Marsh",
    "Novak",
    "Field",
    "Sorensen",
    "Winter",
    "Bridge",
    "Okafor",
    "Rossi",
    "Hale",
    "Kowalski",
    "Young",
    "Petit",
    "Dahl",
]
TITLES = ("", "", "", "", "Dr ", "Mrs ", "Mr ")
STREETS = [
    "Mill",
    "Harbour",
    "Church",
    "Station",
    "Orchard",
    "Lower",
    "Castle",
    "Garden",
    "Bridge",
    "North",
    "Linden",
    "Winter",
]
KINDS = ("Street", "Lane", "Square", "Road", "Hill")
TOWNS = ["Ashby", "Kirkham", "Brenau", "Oldport", "Vellin", "Marburgh", "Saint-Leon", "Tarn", "Norwick", "Elmstedt"]
ROOMS = ("Town Hall", "Old Library", "Sports Hall", "Corn Exchange", "Assembly Rooms", "Market Hall")
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
OF = ("Ashby", "Harbour", "Kirkham", "Riverside", "Brenau", "Northern", "Oldport", "County")
BODIES = ("Rowing Club", "Music Society", "Fire Brigade", "Water Board", "Youth Choir", "Garden Trust", "Bus Company")

TEMPLATES = (
    "{PERSON} opens the exhibition in the {PLACE} on {DATE}.",
    "The {ORG} meets on {DATE} in {PLACE}; everybody may come.",
    "{PLACE} will be closed from {DATE} to {DATE} because the bridge is repaired.",
    "Please return the keys to {PERSON}, {PLACE}, before {DATE}.",
    "{PERSON} and {PERSON} were elected to the board of the {ORG}.",
    "On {DATE} the {ORG} collects old paper in {PLACE} and {PLACE}.",
    "Lost near {PLACE}: a brown winter coat. Whoever finds it may call {PERSON}.",
    "The bus to {PLACE} leaves from {PLACE} until {DATE}.",
    "{PERSON} ({ORG}) answers questions about the new water meters.",
    "The young orchestra of the {ORG} plays in the {PLACE}.",
    "Since {DATE}, {PERSON} has been head of the {ORG}.",
    "No market on {DATE}: the square is needed by the {ORG}.",
    "A field behind {PLACE} is for sale; ask {PERSON} at the {ORG}.",
    "The council thanks {PERSON} for thirty years of work in {PLACE}.",
    "In {PLACE}, the street lights stay off on {DATE}.",
    "{ORG}: volunteers wanted for {DATE}, please write to {PERSON}.",
    "The mill garden is open again, and the old church too.",
    "Dogs may be off the lead in the orchard until the end of the season.",
)


def slot(draw: random.Random, kind: str) -> str:
    """Return an entity of a kind."""
    if kind == "PERSON":
        return f"{draw.choice(TITLES)}{draw.choice(FIRST)} {draw.choice(LAST)}"
    if kind == "PLACE":
        street = f"{draw.choice(STREETS)} {draw.choice(KINDS)}"
        return draw.choice((street, street, draw.choice(TOWNS), draw.choice(ROOMS), f"{draw.randint(1, 90)} {street}"))
    if kind == "DATE":
        day, month = draw.randint(1, 28), draw.choice(MONTHS)
        return draw.choice(
            (f"{day} {month}", f"{draw.choice(DAYS)}, {day} {month}", draw.choice(DAYS), f"{month} {day}")
        )
    return f"{draw.choice(OF)} {draw.choice(BODIES)}"


def sentence(draw: random.Random, template: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Fill a template; return the text and its entities."""
    text, spans, place = "", [], 0
    for found in re.finditer(r"\{(\w+)\}", template):
        text += template[place : found.start()]
        entity = slot(draw, found[1])
        spans.append((len(text), len(text) + len(entity), found[1]))
        text += entity
        place = found.end()
    return text + template[place:], spans


def notice(draw: random.Random) -> dict[str, object]:
    """Return a notice of one or two sentences."""
    text, entities = "", []
    for template in draw.sample(TEMPLATES, draw.choice((1, 2, 2))):
        part, spans = sentence(draw, template)
        text += " " if text else ""
        entities += [[start + len(text), end + len(text), label] for start, end, label in spans]
        text += part
    return {"text": text, "entities": entities}


def main(folder: Path) -> None:
    """Write the sample."""
    draw, rows, seen = random.Random(5), [], set()
    while len(rows) < 360:
        row = notice(draw)
        if row["text"] not in seen:
            seen.add(row["text"])
            rows.append(row)
    target = folder / "notices"
    target.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", rows[60:]), ("valid", rows[:60])):
        lines = [json.dumps(row, ensure_ascii=False) for row in part]
        (target / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "token_classification")
