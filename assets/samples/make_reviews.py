"""Write the bundled samples of text regression: reviews that guests might write about a hotel.

    python assets/samples/make_reviews.py [FOLDER]

Needs Python only; the same seed writes the same bytes. A review has a sentence or two about the room, the food and the
service, each of which says how good it was, and sentences that say nothing of that.

`reviews/`: the rating of the whole stay, 1 to 10. `review_scores/`: a score of 1 to 5 each for room, food and service.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from pathlib import Path

SENTENCES: dict[str, dict[int, tuple[str, ...]]] = {
    "room": {
        1: (
            "The room was filthy and smelled of damp.",
            "There was mould in the shower and hair on the pillow.",
            "We found a mouse under the bed.",
            "The ceiling of our room was dripping all night.",
        ),
        2: (
            "The room was small and rather dark.",
            "The mattress was too soft, and the walls are thin.",
            "Our window faced the bins, and the heating rattled.",
            "The carpet in the room has seen better days.",
        ),
        3: (
            "The room was plain, but it had all we needed.",
            "The room is what you expect of this category.",
            "An ordinary room with an ordinary bed.",
            "The bathroom is old but clean enough.",
        ),
        4: (
            "The room was clean and quiet, with a good bed.",
            "We had a bright room with plenty of space.",
            "I slept well in the large bed.",
            "The bathroom was modern and the shower hot.",
        ),
        5: (
            "The room was spotless, with a breathtaking view of the lake.",
            "It was the most beautiful room that I ever slept in.",
            "A dream of a room, with a balcony and a bathtub.",
            "The bed was heavenly and everything in the room was perfect.",
        ),
    },
    "food": {
        1: (
            "The breakfast was inedible.",
            "The soup was cold and the fish made me ill.",
            "The eggs were grey and the bread was stale.",
            "Never eat in this restaurant, it is a disgrace.",
        ),
        2: (
            "There was little choice at breakfast.",
            "Dinner was bland and overpriced.",
            "The coffee came out of a machine and tasted like it.",
            "The vegetables were overcooked.",
        ),
        3: (
            "The breakfast was average.",
            "The food was neither good nor bad.",
            "Dinner is the usual hotel fare.",
            "You get bread, cheese and eggs in the morning.",
        ),
        4: (
            "The breakfast was good, with fresh fruit.",
            "We liked the dinner in the garden.",
            "Tasty food at a fair price.",
            "Nice bread, and they make good coffee.",
        ),
        5: (
            "The breakfast was outstanding, with homemade jam and warm rolls.",
            "The cook is a genius, each course was delicious.",
            "I would come back for the cake alone, it is superb.",
            "We had the best meal of the whole year here.",
        ),
    },
    "service": {
        1: (
            "The man at the desk shouted at us.",
            "Nobody answered the bell, and then they were rude.",
            "They lost our booking and blamed us for it.",
            "The staff insulted my wife.",
        ),
        2: (
            "We waited an hour for the key.",
            "The waiter forgot half of our order.",
            "The staff seemed tired and not very helpful.",
            "Nobody told us that the lift was out of order.",
        ),
        3: (
            "The staff did their job.",
            "Check-in took the usual ten minutes.",
            "The people at the desk were neither friendly nor unfriendly.",
            "We hardly saw any staff.",
        ),
        4: (
            "The staff were friendly and helped with the bags.",
            "The receptionist gave us good tips for the town.",
            "They answered all our questions with patience.",
            "A kind welcome and a quick check-in.",
        ),
        5: (
            "The staff were wonderful and thought of everything.",
            "They surprised us with flowers on our anniversary, so thoughtful.",
            "I have never been looked after so warmly, a marvellous team.",
            "The host drove us to the station himself, what a generous man.",
        ),
    },
}
NEUTRAL = (
    "We stayed for {nights} nights.",
    "I was there on business.",
    "We travelled with our {guests}.",
    "The hotel is {minutes} minutes from the station.",
    "It was our {time} visit.",
    "We had booked in {month}.",
    "There is a car park behind the house.",
    "The hotel has {rooms} rooms.",
    "It rained most of the time.",
    "We came by {vehicle}.",
)
SLOTS: dict[str, tuple[str, ...]] = {
    "nights": ("two", "three", "four", "five", "seven", "ten"),
    "guests": ("two children", "dog", "parents", "friends from Lyon", "neighbours", "grandmother"),
    "minutes": ("five", "ten", "fifteen", "twenty", "thirty"),
    "time": ("first", "second", "third", "fourth"),
    "month": ("January", "March", "May", "June", "August", "October"),
    "rooms": ("12", "20", "35", "48", "60", "110"),
    "vehicle": ("car", "train", "bicycle", "bus", "boat"),
}
TARGETS = tuple(SENTENCES)
WEIGHTS = {"room": 0.45, "food": 0.25, "service": 0.3}
"""Weights of the three scores in the rating of the whole stay."""


def review(draw: random.Random) -> tuple[str, dict[str, int]]:
    """Make a review and its scores."""
    scores = {name: draw.choices((1, 2, 3, 4, 5), (2, 3, 3, 4, 3))[0] for name in TARGETS}
    parts = [draw.choice(SENTENCES[name][score]) for name, score in scores.items()]
    parts += [
        neutral.format(**{name: draw.choice(words) for name, words in SLOTS.items()})
        for neutral in draw.sample(NEUTRAL, draw.choice((0, 1, 1, 2, 3)))
    ]
    draw.shuffle(parts)
    return " ".join(parts), scores


def rating(draw: random.Random, scores: dict[str, int]) -> float:
    """Return the rating of the whole stay: the weighted scores, and the mood of the guest."""
    mean = sum(WEIGHTS[name] * score for name, score in scores.items())
    return round(min(10.0, max(1.0, 2.25 * mean - 1.25 + draw.gauss(0, 0.35))), 1)


def reviews(seed: int, count: int) -> list[tuple[str, dict[str, int], float]]:
    """Make different reviews: (text, scores, rating)."""
    draw, found = random.Random(seed), dict[str, tuple[dict[str, int], float]]()
    while len(found) < count:
        text, scores = review(draw)
        found.setdefault(text, (scores, rating(draw, scores)))
    return [(text, *about) for text, about in found.items()]


def main(folder: Path) -> None:
    """Write both samples."""
    single, several = folder / "reviews", folder / "review_scores"
    for made in (single, several):
        made.mkdir(parents=True, exist_ok=True)
    rows = reviews(5, 480)
    for name, part in (("train", rows[96:]), ("valid", rows[:96])):
        with (single / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("text", "rating"))
            writer.writerows((text, value) for text, _, value in part)
    rows = reviews(6, 400)
    for name, part in (("train", rows[80:]), ("valid", rows[:80])):
        lines = [json.dumps({"text": text, **scores}) for text, scores, _ in part]
        (several / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "text_regression")
