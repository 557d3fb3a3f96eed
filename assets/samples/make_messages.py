"""Write the bundled samples of text classification: messages that customers might send to a shop.

    python assets/samples/make_messages.py [FOLDER]

Needs Python only; the same seed writes the same bytes. A message is made of clauses by the grammar below. What it is
about stands in one clause; the others may name the parcel, the invoice or the shoes whatever it is about, so that no
single word gives the class away. The last lines of each class are written by hand.

`messages/`: one of four classes. `message_topics/`: clauses about none, one or several of four topics.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path

SLOTS: dict[str, tuple[str, ...]] = {
    "item": (
        "kettle",
        "desk lamp",
        "rucksack",
        "pair of boots",
        "raincoat",
        "blender",
        "headset",
        "tent",
        "keyboard",
        "bicycle pump",
        "coffee grinder",
        "office chair",
        "yoga mat",
        "watch",
        "toaster",
        "speaker",
        "drill",
        "camera",
    ),
    "day": ("Monday", "Tuesday", "last Thursday", "Friday", "the weekend", "the third", "yesterday morning"),
    "time": ("two days", "a week", "nearly a fortnight", "ten days", "three weeks", "ages", "since May"),
    "sum": ("19.90", "34 euros", "120 dollars", "8.50", "75 pounds", "240 euros", "12.99"),
    "number": ("4471", "20938", "A-118", "7702", "55-031", "91266", "C40"),
    "town": ("Leeds", "Graz", "Aarhus", "Porto", "Lyon", "Bergen"),
    "place": ("Leeds", "my office", "Graz", "Aarhus", "our summer house", "my brother's flat"),
    "keeper": ("the village shop", "my neighbour", "the bakery next door", "somebody at number 12"),
    "device": (
        "kettle",
        "desk lamp",
        "blender",
        "headset",
        "keyboard",
        "coffee grinder",
        "toaster",
        "speaker",
        "camera",
    ),
    "bag": ("rucksack", "raincoat", "tent", "left boot"),
    "vessel": ("kettle", "blender", "coffee grinder"),
}
OPENERS = (
    "",
    "",
    "",
    "Hi,",
    "Hello there,",
    "Good morning,",
    "Dear team,",
    "Hey!",
    "To whom it may concern:",
    "Sorry to bother you:",
    "Second time I write:",
    "Quick one:",
)
CONTEXTS = (
    "",
    "",
    "",
    "It is about the {item}.",
    "Order {number}.",
    "I bought a {item} for my sister.",
    "The {item} was a present.",
    "I paid for the {item} by card on {day}.",
    "My parcel with the {item} came on {day}.",
    "You sent me an invoice for order {number}.",
    "I live in {town}.",
    "I have the {item} here in front of me.",
    "We ordered a {item} and a {item}.",
    "The website says order {number} is complete.",
    "The {item} has cost {sum}.",
    "My old {item} came from you too.",
    "I returned a {item} last year.",
)
CLOSERS = (
    "",
    "",
    "",
    "Thanks.",
    "Thank you in advance!",
    "Please answer soon.",
    "Best, Ana",
    "Greetings from {place}.",
    "I hope you can help.",
    "Not the first time.",
    "What now?",
    "Kind regards, T. Novak",
    "Waiting for your reply.",
)
USUAL: dict[str, tuple[str, ...]] = {
    "delivery": (
        "Where is my package?",
        "The tracking has not changed for {time}.",
        "It should have arrived on {day} and did not.",
        "The courier left it with {keeper} without asking.",
        "Can you ship it to {place} instead?",
        "The delivery is {time} late.",
        "When will the {item} be delivered?",
        "The driver never rang the bell.",
        "Tracking number {number} is not known to the carrier.",
        "Is there express shipping to {place}?",
    ),
    "payment": (
        "My card was charged twice.",
        "I was billed {sum} too much.",
        "The invoice shows the wrong address.",
        "The payment of {sum} was declined.",
        "Can I pay by bank transfer?",
        "The discount code was not applied to the total.",
        "Why is there a fee of {sum} on my bill?",
        "I need a receipt for order {number}.",
        "You charged {sum} although I cancelled.",
        "My account statement lists {sum} from you that I do not recognise.",
    ),
    "return": (
        "I want to send it back.",
        "How do I return the {item}?",
        "The {bag} is too small, can I exchange it?",
        "I changed my mind and would like my money back.",
        "Where do I find a return label?",
        "I sent the {item} back {time} ago and have no refund.",
        "Can I swap it for another colour?",
        "Do you accept returns after {time}?",
        "It does not fit, please take it back.",
        "The {item} is not what I expected, I would rather return it.",
    ),
    "fault": (
        "It stopped working after {time}.",
        "The {item} arrived broken.",
        "There is a crack in the {item}.",
        "The {device} does not switch on.",
        "It makes a loud noise and gets hot.",
        "A part of the {item} is missing.",
        "The zip of the {bag} is torn.",
        "The battery of the {device} dies within an hour.",
        "The {vessel} is leaking.",
        "The display of the {device} shows error {number}.",
    ),
}
OTHER: dict[str, tuple[str, ...]] = {
    "delivery": (
        "Nobody has brought anything to my door so far.",
        "The postman seems to have lost it on the way.",
        "Still waiting for it to turn up, {time} already.",
        "It has been sitting in a depot near {place} for {time}.",
        "Could somebody drop it off in the evening?",
        "What is taking so long for it to get here?",
        "The van drove past our house again.",
        "I moved to {town}, so please send it there.",
    ),
    "payment": (
        "There is a mistake in what I owe you.",
        "Money left my account two times for one purchase.",
        "The price at checkout was higher than advertised.",
        "May I settle this in instalments?",
        "My voucher worth {sum} was ignored.",
        "Your system refuses my credit.",
        "Tax was added although our company is exempt.",
        "I would like a copy of the bill for our bookkeeping.",
    ),
    "return": (
        "I do not want to keep it after all.",
        "I would prefer a larger size of the same {bag}.",
        "Please collect it from me and reimburse me.",
        "I wish to withdraw from the purchase.",
        "Is a trade for a blue one possible?",
        "Unused and still boxed: may I give it up?",
        "I picked the wrong model, can we switch?",
        "My reimbursement for the {item} is overdue.",
    ),
    "fault": (
        "After a few uses it is dead.",
        "One of its legs snapped off.",
        "It smells of burning plastic.",
        "The buttons are stuck and nothing happens.",
        "The stitching came apart on the first walk.",
        "It rattles as if something inside were loose.",
        "Water drips out at the bottom.",
        "The screws were not in the box and one side is dented.",
    ),
}
BY_HAND: dict[str, tuple[str, ...]] = {
    "delivery": (
        "The app says delivered, my hallway says otherwise.",
        "You promised the birthday present by Saturday. It is Sunday and the birthday is over.",
        "Two parcels, one arrived. The one without the invoice is still on a truck somewhere, it seems.",
        "Would it be possible to leave the box behind the shed? I work nights and sleep when the courier comes.",
        "Your carrier wants me to fetch it 30 km away. I paid for it to come to me.",
        "My neighbour signed for something. I have no neighbour.",
    ),
    "payment": (
        "I got a reminder for an invoice that I settled a month ago, with proof.",
        "The basket said 40, the mail says 46, my bank says 52. Which is it?",
        "Our accountant needs the VAT number on the bill, otherwise we cannot book the headset.",
        "The voucher from my broken blender was refused at the checkout.",
        "I cancelled on the same day and you still took the money.",
        "Is it safe to give you my card number by mail?",
    ),
    "return": (
        "My husband had already bought the same tent. One of the two has to leave the house.",
        "The printer ate your label, could you make a new one so that I can post the boots?",
        "It works and it is pretty, it is just not for us. How does that go?",
        "Thirty days are over tomorrow: does the date on the parcel count or the day it reaches you?",
        "The blue is a green. Can I have the blue?",
        "I sent three things and got the money for two.",
    ),
    "fault": (
        "The kettle boils when it likes to, mostly at night.",
        "I have now tried three sockets, two phones and one prayer. It stays dark.",
        "The box was perfect. What was inside it was in pieces.",
        "Since the update the headset speaks Portuguese and nothing else.",
        "The left boot is a 42 and the right one has no sole.",
        "It worked for exactly as long as I was on the phone with you.",
    ),
}
TOPICS: dict[str, tuple[str, ...]] = {
    "late": USUAL["delivery"][:8] + OTHER["delivery"][:4],
    "price": USUAL["payment"][:8] + OTHER["payment"][:4],
    "quality": USUAL["fault"][:9] + OTHER["fault"][:5],
    "praise": (
        "The lady on the phone was wonderful.",
        "The {item} itself is great.",
        "I love the colour.",
        "Very friendly staff.",
        "Apart from that I am happy with you.",
        "The best {item} I ever had.",
        "Well done with the packaging!",
        "Your shop is a pleasure to use.",
        "My daughter adores the {item}.",
        "Thank you for the quick answer last time.",
    ),
}
NO_TOPIC = (
    "What are your opening hours?",
    "Do you have a shop in {town}?",
    "Is the {item} made of wood?",
    "Please delete my account.",
    "Do you still sell the {item} from your old catalogue?",
    "How do I change my password?",
    "Are you hiring?",
    "Which {item} do you recommend for a beginner?",
)


def filled(draw: random.Random, template: str) -> str:
    """Put a word into each slot of a clause."""
    return re.sub(r"\{(\w+)\}", lambda found: draw.choice(SLOTS[found[1]]), template)


def scruffy(draw: random.Random, text: str) -> str:
    """Write as people do: now and then without capitals, without a full stop, or with two letters swapped."""
    if draw.random() < 0.2:
        text = text.lower()
    if draw.random() < 0.15:
        text = text.rstrip(".!")
    if draw.random() < 0.2 and len(text) > 12:
        at = draw.randrange(3, len(text) - 3)
        if text[at : at + 2].isalpha():
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text


def message(draw: random.Random, clauses: Sequence[str]) -> str:
    """Put clauses between an opener, a context and a closer."""
    body = [draw.choice(CONTEXTS), *clauses]
    draw.shuffle(body)
    parts = [draw.choice(OPENERS), *body, draw.choice(CLOSERS)]
    return scruffy(draw, " ".join(filled(draw, p) for p in parts if p))


def messages(
    seed: int, each: int, wordings: Sequence[dict[str, tuple[str, ...]]] = (USUAL, OTHER), *, by_hand: bool = True
) -> list[tuple[str, str]]:
    """Make `each` different messages of each class: (text, class), in random order.

    wordings: the clauses to choose from. A model that is trained on one wording and asked about the other has to
    know what words mean.
    """
    draw, found, seen = random.Random(seed), [], set()
    for name in USUAL:
        mine = list(BY_HAND[name]) if by_hand else []
        clauses = [c for w in wordings for c in w[name]]
        while len(mine) < each:
            text = message(draw, [draw.choice(clauses)])
            if text not in seen:
                seen.add(text)
                mine.append(text)
        found += [(text, name) for text in mine]
    draw.shuffle(found)
    return found


def topics(seed: int, count: int) -> list[tuple[str, list[str]]]:
    """Make different messages with none to three topics: (text, topics)."""
    draw, found, seen = random.Random(seed), [], set()
    while len(found) < count:
        names = sorted(draw.sample(sorted(TOPICS), draw.choices((0, 1, 2, 3), (1, 3, 4, 2))[0]))
        text = message(draw, [draw.choice(TOPICS[n]) for n in names] or [draw.choice(NO_TOPIC)])
        if text not in seen:
            seen.add(text)
            found.append((text, names))
    return found


def main(folder: Path) -> None:
    """Write both samples."""
    rows, single = messages(7, 120), folder / "messages"
    single.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", rows[96:]), ("valid", rows[:96])):
        with (single / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([("text", "label"), *part])
    several, multi = topics(11, 300), folder / "message_topics"
    multi.mkdir(parents=True, exist_ok=True)
    for name, chosen in (("train", several[60:]), ("valid", several[:60])):
        lines = [json.dumps({"text": text, "labels": names}, ensure_ascii=False) for text, names in chosen]
        (multi / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "text_classification")
