"""A first row that is a row of data, and headers that look like one."""

from __future__ import annotations

import pytest

from autotrain_gradio.data.tables.missing_header import first_row_of_data, resolve_header
from autotrain_gradio.data.tables.types import ReadOptions

WORDS = ["good", "bad", "fine", "poor", "great", "dull", "warm", "cold", "new", "old"]


def rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.strip().split("\n")]


DATA = {
    "numbers and a class": "8.6,3.6,Iris-a\n"
    + "".join(f"{i / 7:.1f},{i / 3:.1f},Iris-{'ab'[i % 2]}\n" for i in range(20)),
    "numbers alone": "".join(f"{(i * 7) % 11},{(i * 5) % 13},{i % 2}\n" for i in range(3, 20)),
    "two rows of decimals": "5.1,3.5,1\n4.9,3.0,0\n",
    "pixels": "5,0,0,0,7\n" + "".join(f"{i % 10},0,0,{i},0\n" for i in range(20)),
    "texts and a label": "".join(f"I saw it on day {i},{'pos' if i % 2 else 'neg'}\n" for i in range(20)),
    "texts and a number": "".join(f"I saw it on day {i},{i % 2}\n" for i in range(20)),
    "ids and sentences": "".join(f"LJ001-{i:04},Some words {i} of it.\n" for i in range(20)),
    "names of files": "".join(f"clip{i * i}_x.wav,word{i % 3}\n" for i in range(20)),
    "one column of sentences": "".join(f"This is {WORDS[i]} news for the {WORDS[-i]} town\n" for i in range(10)),
    "sentences in two languages": "Hello.,Hallo.\nGo on.,Weiter.\nYes.,Ja.\nI see.,Ich verstehe.\n",
    "dates": "".join(f"2024-05-{i + 10},{i * 3}\n" for i in range(12)),
    "words that repeat": "".join(f"{'cat' if i % 2 else 'dog'},{WORDS[i % 5]}\n" for i in range(30)),
    "a name and a number": "Anna,34\nBen,25\nCleo,29\nDave,31\n",
}
NAMED = {
    "names": "text,label\n" + "".join(f"I saw it on day {i},{'pos' if i % 2 else 'neg'}\n" for i in range(20)),
    "names over numbers": "a,b,c\n" + "".join(f"{i},{i * 2},{i % 2}\n" for i in range(20)),
    "one column of sentences": "text\n" + "".join(f"This is {w} news for the town\n" for w in WORDS),
    "a question as the name": "What did you like about the course?\n"
    + "".join(f"I liked the {w} parts\n" for w in WORDS),
    "words above words": "animal,sound\ncat,meow\ndog,woof\ncow,moo\nduck,quack\n",
    "numbered columns": "0,1,2\n" + "".join(f"{i / 7:.2f},{i},{i % 2}\n" for i in range(20)),
    "two numbered columns": "0,1\n" + "".join(f"I saw it on day {i},{i % 2}\n" for i in range(20)),
    "years": "country,2019,2020\n" + "".join(f"land {WORDS[i]},{i * 3},{i * 5}\n" for i in range(10)),
    "one year": "country,2019\n" + "".join(f"{WORDS[i]}land,{i * 3.5}\n" for i in range(10)),
    "wavelengths": "400,410,420,430,class\n" + "".join(f"{i},{i + 2},{i * 3},{i},{'ab'[i % 2]}\n" for i in range(20)),
    "too few rows to say": "3,7\n4,9\n",
    "missing values": "?,a\n?,x\n?,y\n?,z\n",
}


@pytest.mark.parametrize("name", DATA)
def test_first_row_is_data(name: str) -> None:
    why, certain = first_row_of_data(rows(DATA[name]))
    assert certain and why


@pytest.mark.parametrize("name", NAMED)
def test_first_row_is_a_header(name: str) -> None:
    assert first_row_of_data(rows(NAMED[name])) == ("", False)


def test_a_name_that_is_a_value_too() -> None:
    table = "text,spam\n" + "".join(f"I saw it on day {i},{'spam' if i % 2 else 'ham'}\n" for i in range(20))
    why, certain = first_row_of_data(rows(table))
    assert not certain and "'spam' is in it and 10 times below it" in why


def test_a_header_that_is_repeated_in_the_file() -> None:
    part = NAMED["words above words"]
    assert first_row_of_data(rows(part * 5)) == ("", False)


def test_names_that_the_user_has_chosen() -> None:
    table = rows(DATA["texts and a label"])
    assert first_row_of_data(table, {"neg"}) == ("", False) and first_row_of_data(table, {"other"})[1]


def test_a_title_above_rows_without_a_header() -> None:
    table = [["Results of spring"], *rows(DATA["numbers and a class"])]
    header = resolve_header(list(enumerate(table, 1)), "a.csv", ReadOptions())
    assert header.names == ["column 1", "column 2", "column 3"] and header.rows == 1
    assert [f.code for f in header.findings] == ["title-above"] and "row 1: 'Results" in header.findings[0].message


def test_a_table_like_the_one_of_the_training_has_no_header_either() -> None:
    records = [(1, ["5", "2"]), (2, ["4", "1"])]
    assert resolve_header(records, "a.csv", ReadOptions()).names == ["5", "2"]
    assert resolve_header(records, "a.csv", ReadOptions(columns=frozenset({"column 1", "column 2"}))).rows == 0
    named = [(1, ["column 1", "column 2"]), *records]
    assert resolve_header(named, "a.csv", ReadOptions(columns=frozenset({"column 1", "column 2"}))).rows == 1


def test_the_user_decides() -> None:
    records = list(enumerate(rows(DATA["texts and a label"]), 1))
    assert resolve_header(records, "a.csv", ReadOptions()).findings[0].fix.change == {"options": {"header": True}}  # type: ignore[union-attr]
    assert resolve_header(records, "a.csv", ReadOptions(header=True)).rows == 1
    assert resolve_header(records, "a.csv", ReadOptions(header=False)).rows == 0
