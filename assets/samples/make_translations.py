"""Write the bundled sample of text to text: short English sentences and their translations into Esperanto.

    python assets/samples/make_translations.py [FOLDER]

Needs Python only; the same seed writes the same bytes. The sentences are combined by the grammar below. Esperanto is
regular: objects end in -n, plurals in -j, adjectives agree, there is no word for "a", and "ĉu" begins a question. So a
small model that is trained from scratch can learn it within a minute, from words that it has seen in other sentences.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

ROWS = 480
SUBJECTS = {
    "cat": "kato",
    "dog": "hundo",
    "girl": "knabino",
    "boy": "knabo",
    "woman": "virino",
    "man": "viro",
    "teacher": "instruisto",
    "child": "infano",
    "friend": "amiko",
    "doctor": "kuracisto",
    "neighbour": "najbaro",
    "cook": "kuiristo",
}
OBJECTS = {
    "book": "libro",
    "apple": "pomo",
    "letter": "letero",
    "cup": "taso",
    "flower": "floro",
    "house": "domo",
    "tree": "arbo",
    "picture": "bildo",
    "key": "ŝlosilo",
    "hat": "ĉapelo",
    "bird": "birdo",
    "horse": "ĉevalo",
    "ship": "ŝipo",
    "chair": "seĝo",
}
ABOUT_SUBJECTS = {
    "young": "juna",
    "tall": "alta",
    "happy": "feliĉa",
    "tired": "laca",
    "good": "bona",
    "small": "malgranda",
}
ABOUT_OBJECTS = {
    "red": "ruĝa",
    "green": "verda",
    "white": "blanka",
    "black": "nigra",
    "new": "nova",
    "big": "granda",
    "beautiful": "bela",
    "small": "malgranda",
}
VERBS = (
    ("sees", "saw", "see", "vid"),
    ("finds", "found", "find", "trov"),
    ("buys", "bought", "buy", "aĉet"),
    ("paints", "painted", "paint", "pentr"),
    ("takes", "took", "take", "pren"),
    ("wants", "wanted", "want", "vol"),
    ("forgets", "forgot", "forget", "forges"),
    ("needs", "needed", "need", "bezon"),
)
NUMBERS = {"two": "du", "three": "tri", "five": "kvin", "many": "multaj"}
TAILS = {
    "in the garden": "en la ĝardeno",
    "in the city": "en la urbo",
    "near the river": "apud la rivero",
    "on the table": "sur la tablo",
    "at home": "hejme",
    "in the evening": "vespere",
    "in the morning": "matene",
    "again": "denove",
    "today": "hodiaŭ",
}


def pick(rng: random.Random, words: dict[str, str]) -> tuple[str, str]:
    """Return an English word and its translation."""
    return rng.choice(list(words.items()))


def subject(rng: random.Random) -> tuple[str, str]:
    """Return a noun phrase in the nominative."""
    determiner = rng.choice((("the", "la"), ("the", "la"), ("my", "mia"), ("her", "ŝia")))
    noun = pick(rng, SUBJECTS)
    adjective = pick(rng, ABOUT_SUBJECTS) if rng.random() < 0.4 else ("", "")
    return phrase(determiner, adjective, noun)


def thing(rng: random.Random) -> tuple[str, str]:
    """Return a noun phrase in the accusative, in the singular or the plural."""
    noun, adjective = pick(rng, OBJECTS), pick(rng, ABOUT_OBJECTS) if rng.random() < 0.5 else ("", "")
    if rng.random() < 0.3:
        number, own = pick(rng, NUMBERS)
        counted = (number, own + ("n" if own.endswith("j") else ""))
        return phrase(counted, ending(adjective, "jn"), (noun[0] + "s", noun[1] + "jn"))
    determiner = rng.choice((("the", "la"), ("a", ""), ("a", ""), ("my", "mian")))
    english, own = phrase(determiner, ending(adjective, "n"), (noun[0], noun[1] + "n"))
    return english.replace("a apple", "an apple"), own


def ending(word: tuple[str, str], letters: str) -> tuple[str, str]:
    """Return a word, if there is one, with an ending in Esperanto."""
    return (word[0], word[1] + letters) if word[0] else word


def phrase(*parts: tuple[str, str]) -> tuple[str, str]:
    """Return parts joined by spaces, empty ones skipped, in both languages."""
    english, own = (" ".join(part[side] for part in parts if part[side]) for side in (0, 1))
    return english, own


def sentence(rng: random.Random) -> tuple[str, str]:
    """Return a sentence and its translation."""
    who, what = subject(rng), thing(rng)
    present, past, infinitive, root = rng.choice(VERBS)
    tail = pick(rng, TAILS) if rng.random() < 0.6 else ("", "")
    form, mark = rng.random(), "."
    if form < 0.15:
        parts, mark = (("does", "ĉu"), who, (infinitive, f"{root}as"), what, tail), "?"
    elif form < 0.3:
        parts = (who, ("does not", "ne"), (infinitive, f"{root}as"), what, tail)
    elif form < 0.65:
        parts = (who, (past, f"{root}is"), what, tail)
    else:
        parts = (who, (present, f"{root}as"), what, tail)
    english, own = phrase(*parts)
    return english[0].upper() + english[1:] + mark, own[0].upper() + own[1:] + mark


def main(folder: Path) -> None:
    """Write the sample."""
    rng, rows = random.Random(7), dict[str, str]()
    while len(rows) < ROWS:
        english, own = sentence(rng)
        rows.setdefault(english, own)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sentences.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("english", "esperanto"), *rows.items()])
    print(f"{len(rows)} sentences in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parent / "seq2seq" / "esperanto"))
