"""Draws the two sample tables: `python assets/samples/make_tables.py`. The people and the flats are invented.

Prices and decisions follow rules with some chance, so that a model has something to find: see `flats` and `customers`.
"""

from __future__ import annotations

import csv
import datetime
import math
import random
from pathlib import Path

HERE = Path(__file__).parent / "tabular"
DISTRICTS = {"Centre": 17.5, "Harbour": 15.5, "University": 14.5, "North": 12.0, "Old Mills": 11.0, "Garden Town": 13.0}
HEATING = ("gas", "district heating", "heat pump", "oil")
PLANS = ("basic", "family", "premium")
WAYS = ("e-mail", "phone", "chat", "none")
NOTES = (
    "asked for a lower price",
    "praised the support",
    "wants to hear of new plans",
    "complained that the connection is slow",
    "could not log in for two days",
    "moved to another town",
)


def flats(draw: random.Random, count: int) -> list[dict[str, object]]:
    """Rent in euros a month: size times the district's price, more for new houses and balconies, a little chance."""
    rows = []
    for number in range(1, count + 1):
        district = draw.choice(list(DISTRICTS))
        rooms = draw.choices((1, 2, 3, 4, 5), (2, 4, 5, 3, 1))[0]
        size = round(rooms * draw.uniform(17, 27) + draw.uniform(8, 20), 1)
        built = draw.randint(1890, 2023)
        floor = draw.randint(0, 7)
        balcony = draw.random() < 0.55
        heating = draw.choice(HEATING)
        listed = datetime.date(2023, 1, 1) + datetime.timedelta(days=draw.randrange(720))
        price = DISTRICTS[district] * (1 + 0.02 * math.sqrt(max(0, built - 1960)) - 0.0012 * size)
        price *= 1 + 0.05 * (listed.year - 2023) + 0.04 * balcony - 0.06 * (heating == "oil")
        rent = size * price * draw.gauss(1, 0.05) + 6 * floor
        rows.append(
            {
                "id": f"F{number:04}",
                "district": district,
                "rooms": rooms,
                "size_m2": size if draw.random() > 0.03 else "",
                "built": built if draw.random() > 0.06 else "",
                "floor": floor,
                "balcony": "yes" if balcony else "no",
                "heating": heating if draw.random() > 0.05 else "",
                "listed": listed.isoformat(),
                "rent": round(rent),
            }
        )
    return rows


def customers(draw: random.Random, count: int) -> list[dict[str, object]]:
    """Who leaves: rather those who are new, pay much, complain, and have not called the service for help."""
    rows = []
    for number in range(1, count + 1):
        joined = datetime.date(2019, 1, 1) + datetime.timedelta(days=draw.randrange(2100))
        months = (datetime.date(2025, 1, 1) - joined).days / 30.4
        plan = draw.choices(PLANS, (5, 3, 2))[0]
        bill = round({"basic": 18, "family": 34, "premium": 52}[plan] * draw.gauss(1, 0.15), 2)
        faults = min(9, int(draw.expovariate(0.7)))
        contact = draw.choices(WAYS, (3, 2, 3, 4))[0]
        note = draw.choice(NOTES) if draw.random() < 0.5 else ""
        unhappy = -2.6 - 0.035 * months + 0.05 * bill + 0.8 * faults - 0.9 * (contact == "phone")
        unhappy += 2.5 * (note.startswith("complained") or note.startswith("could not")) + 3 * note.startswith("moved")
        left = draw.random() < 1 / (1 + math.exp(-unhappy))
        rows.append(
            {
                "id": f"C{number:05}",
                "age": draw.randint(18, 84) if draw.random() > 0.07 else "",
                "plan": plan,
                "monthly_bill": bill if draw.random() > 0.04 else "",
                "joined": joined.isoformat(),
                "faults": faults,
                "last_contact": contact if draw.random() > 0.05 else "",
                "note": note,
                "outcome": "left" if left else "stayed",
            }
        )
    return rows


def main() -> None:
    """Write both tables; the same each time."""
    for name, make, count in (("flats", flats, 500), ("customers", customers, 600)):
        rows = make(random.Random(7), count)
        folder = HERE / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
