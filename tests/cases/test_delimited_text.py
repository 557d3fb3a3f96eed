"""Delimited text as people have it: quotes that quote nothing, no header, more than one, lines above it, encodings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.conftest import CheckCase, Checked, check_path

CLASSES, NUMBERS = "tabular-classification", "tabular-regression"
TEXT, SPEECH = "text-classification", "automatic-speech-recognition"


def written(tmp_path: Path, task: str, content: str | bytes, name: str = "a.csv", **settings: object) -> Checked:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return check_path(tmp_path, task, folder / name, **settings)


@pytest.mark.parametrize("file", ["iris.csv", "iris-tab.txt"])
def test_row_shape_names_of_rows_without_a_name(check_case: CheckCase, file: str) -> None:
    found = check_case("02-r-write-table", CLASSES, file)
    assert len(found.classes) == 3 and "versicolor" in found.classes and not found.errors
    assert "'1', '2', '3'" in found.message("row-names")
    assert not {"row-too-long", "empty-column", "id-like"} & {*found.codes()}
    assert found.rows()[0]["features:Sepal.Length"] in {8.0, 7.2, 9.6}
    assert not any("row name" in name for name in found.rows()[0])


def test_row_shape_names_of_rows_beside_a_number(check_case: CheckCase) -> None:
    found = check_case("02-r-write-table", NUMBERS, "price.csv")
    assert all(90_000 <= price <= 600_000 for price in found.column("target:price")) and not found.errors


@pytest.mark.parametrize("change", ["a name twice", "spaces", "a missing cell"])
def test_row_shape_variants_of_names_of_rows(tmp_path: Path, change: str) -> None:
    rows = [f'"{i}",{i * 37 % 11}.5,"{"ab"[i % 2]}"' for i in range(60)]
    if change == "a name twice":
        rows[7] = rows[7].replace('"7"', '"8"')
    if change == "a missing cell":
        rows[7] = '"7",NA,"b"'
    content = "\n".join(['"size","kind"', *rows, ""])
    content = content.replace(",", " ") if change == "spaces" else content
    found = written(tmp_path, CLASSES, content, columns={"target": "kind"})
    assert found.classes == ["a", "b"] and "row-names" in found.codes() and not found.errors
    assert set(found.rows()[0]) == {"target:kind", "features:size", "_place"}


@pytest.mark.parametrize("file", ["orders.csv", "utf16.csv"])
def test_row_shape_a_line_that_names_the_delimiter(check_case: CheckCase, file: str) -> None:
    found = check_case("04-sep-line", CLASSES, file, columns={"target": "late"})
    assert found.result["rows"] == 40 and found.classes == ["no", "yes"] and not found.errors
    assert "sep=" in found.message("delimiter-line")


def test_row_shape_two_headers(check_case: CheckCase) -> None:
    found = check_case("13-excel-two-headers", CLASSES, "plants.csv", columns={"target": "Result"})
    assert found.result["rows"] == 50 and "2 rows (1, 2)" in found.message("header-joined") and not found.errors
    assert "features:Measurements height (cm)" in found.rows()[0]


def test_row_shape_a_row_of_units(check_case: CheckCase) -> None:
    found = check_case("13-excel-two-headers", NUMBERS, "units-row.csv", columns={"target": "yield"})
    assert found.result["rows"] == 40 and "'°C', 'bar', '%'" in found.message("units-row") and not found.errors


def test_row_shape_a_title_above(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * 7 % 5},{'ab'[i % 2]}\n" for i in range(40))
    found = written(tmp_path, CLASSES, f"Results, spring\n\nx,y,class\n{rows}")
    assert found.result["rows"] == 40 and found.classes == ["a", "b"] and not found.errors
    assert "Results" in found.message("title-above")


def test_quotes_common_voice(check_case: CheckCase) -> None:
    found = check_case("20-commonvoice-quotes", SPEECH)
    assert found.result["rows"] == 24 and not found.codes("error", "warning")
    assert '"Good bye" and "thanks" she said' in found.column("text")
    assert '"Come here at once' in found.message("quotes-literal")


def test_quotes_ljspeech(check_case: CheckCase) -> None:
    found = check_case("43-ljspeech", SPEECH)
    assert found.result["rows"] == 20 and not found.errors
    assert {'"Alpha foxtrot.', "Golf golf."} <= set(found.column("text"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize("closed", [True, False])
def test_quotes_of_a_text_with_any_line_end(tmp_path: Path, end: str, closed: bool) -> None:
    lines = [f"{i}\tthe train number {i} is late\t{'ab'[i % 2]}" for i in range(30)]
    lines[20] = '20\t"Come here, said the boy\ta'
    if closed:
        lines[25] = '25\t"Go away" he said\tb'
    found = written(tmp_path, TEXT, end.join(["id\ttext\tlabel", *lines, ""]), "a.tsv")
    assert found.result["rows"] == 30 and found.classes == ["a", "b"] and not found.errors
    assert '"Come here, said the boy' in found.column("text")
    (fix,) = [f["fix"] for f in found.result["findings"] if f["code"] == "quotes-literal"]
    other = check_path(tmp_path / "2", TEXT, tmp_path / "in" / "a.tsv", **fix["change"])
    assert other.result["rows"] < 30


def test_quotes_around_several_lines_stay(tmp_path: Path) -> None:
    rows = "".join(f'"a text, of day {i}\nwith ""two"" lines","{"ab"[i % 2]}"\n' for i in range(30))
    found = written(tmp_path, TEXT, f"text,label\n{rows}")
    assert found.result["rows"] == 30 and 'a text, of day 3\nwith "two" lines' in found.column("text")
    assert not found.codes("warning", "error") and "quotes-literal" not in found.codes()


def test_a_missing_header_numbers_and_a_class(check_case: CheckCase) -> None:
    found = check_case("39-no-header", CLASSES, "iris.data.csv", columns={"target": "column 4"})
    assert found.result["rows"] == 60 and found.classes == ["Iris-setosa", "Iris-virginica"]
    assert not found.errors and "no header" in found.message("no-header")
    assert found.result["mapping"]["features"] == ["column 1", "column 2", "column 3"]


def test_a_missing_header_texts_and_a_class(check_case: CheckCase) -> None:
    found = check_case("39-no-header", TEXT, "tweets.csv")
    assert found.result["rows"] == 60 and found.classes == ["0", "4"] and not found.errors
    assert "@friend0 loving the sunshine out here 0" in found.column("text")


def test_a_missing_header_can_be_denied(check_case: CheckCase) -> None:
    found = check_case("39-no-header", TEXT, "tweets.csv", options={"header": "true"})
    assert found.result["rows"] == 59 and "no-header" not in found.codes()


def test_an_old_choice_of_columns_by_the_first_row_still_holds(check_case: CheckCase) -> None:
    columns = {"text": "@friend0 loving the sunshine out here 0", "target": "0"}
    found = check_case("39-no-header", TEXT, "tweets.csv", columns=columns)
    assert found.result["rows"] == 59 and not found.errors


def test_words_above_words_are_a_header(tmp_path: Path) -> None:
    rows = "".join(f"{'cat' if i % 2 else 'dog'},{'meow' if i % 2 else 'woof'}\n" for i in range(30))
    found = written(tmp_path, CLASSES, f"animal,sound\n{rows}", columns={"target": "animal"})
    assert found.result["rows"] == 30 and "no-header" not in found.codes()


@pytest.mark.parametrize(
    "file, text",
    [
        ("cp1250.csv", "pudełko było podarte"),
        ("cp1251.csv", "посылка пришла"),
        ("gbk.csv", "包裹来得太晚了"),
        ("koi8r.csv", "посылка пришла"),
        ("sjis.csv", "荷物が届くのが"),
    ],
)
def test_encodings(check_case: CheckCase, tmp_path: Path, file: str, text: str) -> None:
    found = check_case("29-encodings", TEXT, file)
    assert any(t.startswith(text) for t in found.column("text")) and not found.errors
    (guess,) = [f for f in found.result["findings"] if f["code"] == "encoding-guessed"]
    assert guess["level"] == "warning"
    path = tmp_path / "29-encodings" / file
    confirmed = check_path(tmp_path / "2", TEXT, path, **guess["fix"]["change"])
    assert "encoding-guessed" not in confirmed.codes() and confirmed.rows() == found.rows()
    changed = check_path(tmp_path / "3", TEXT, path, **guess["alternatives"][0]["change"])
    assert not any(t.startswith(text) for t in changed.column("text"))
