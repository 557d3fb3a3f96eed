"""Data of text regression: columns, numbers as people write them, and what is odd about targets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.tasks.registry import resolve

Check = Callable[..., dict[str, Any]]
WORDS = ["north", "south", "east", "west", "wind", "rain", "snow", "sun", "cloud", "storm"]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that checks files (name → content) as text regression."""

    def run(files: dict[str, str] | str, **given: Any) -> dict[str, Any]:
        folder = tmp_path / "data"
        for name, text in ({"rows.csv": files} if isinstance(files, str) else files).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        draft = tmp_path / "draft"
        draft.mkdir(exist_ok=True)
        spec = {"task": "text-regression", "data": {"source": "path", "path": str(folder), **given}}
        return dict(data.check(draft, data.Request.of(resolve(spec))))

    return run


def text(i: int) -> str:
    return f"{WORDS[i % 10]} and {WORDS[i // 10 % 10]} on day {i}"


def table(values: list[Any], head: str = "text,score") -> str:
    return head + "\n" + "".join(f'{text(i)},"{v}"\n' for i, v in enumerate(values))


def codes(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f["code"]: f for f in result["findings"]}


def columns(result: dict[str, Any]) -> Any:
    return result["mapping"].get("target")


def test_a_table_is_recognized(check: Check) -> None:
    result = check(table([i / 10 for i in range(40)]))
    assert result["mapping"] == {"text": ["text"], "target": ["score"]} and not codes(result)
    assert result["splits"] == {"train": 32, "validation": 8}
    (examples,) = result["gallery"]
    assert examples["columns"] == ["Text", "score", "Used for"] and len(examples["rows"]) == 6
    numbers = [row[1] for row in examples["rows"]]
    assert numbers == sorted(numbers) and (numbers[0], numbers[-1]) == (0.0, 3.9)


def test_each_of_a_few_numbers_has_a_bar(check: Check) -> None:
    def bars(values: list[Any]) -> dict[str, Any]:
        return next(p for p in check(table(values))["profile"] if p["title"] == "score")

    panel = bars([i % 5 + 1 for i in range(40)])
    assert panel["labels"] == ["1", "2", "3", "4", "5"]
    assert [sum(counts) for counts in zip(*panel["series"].values(), strict=True)] == [8] * 5
    panel = bars([i / 7 for i in range(40)])
    assert " to " in panel["labels"][0] and len(panel["labels"]) == 20


def test_all_columns_of_numbers_are_targets_unless_one_counts_the_rows(check: Check) -> None:
    rows = "".join(f"{i},{text(i)},{i % 7},{(i * 3) % 11}.5\n" for i in range(40))
    result = check("nr,text,room,food\n" + rows)
    assert columns(result) == ["room", "food"]
    said = codes(result)["column-guessed"]
    assert said["message"] == "'room', 'food' were taken as the target: they are the columns of numbers."


def test_numbers_written_as_texts_are_recognized(check: Check) -> None:
    result = check("comment;cost\n" + "".join(f"{text(i)};{i},50 €\n" for i in range(40)))
    assert columns(result) == ["cost"]
    assert "unit-taken-off" in codes(result) and not [f for f in result["findings"] if f["level"] == "error"]


@pytest.mark.parametrize(
    "written", ["1.234,5", "1,234.5", "1'234.5", "1234.5", "1 234,5", "1.234,50 €", "$1,234.50", "+1234.5"]
)
def test_notations_of_numbers_are_parsed(check: Check, tmp_path: Path, written: str) -> None:
    values = [written.replace("234", f"{100 + i}") for i in range(30)]
    result = check({"rows.tsv": "text\tscore\n" + "".join(f"{text(i)}\t{v}\n" for i, v in enumerate(values))})
    assert not [f for f in result["findings"] if f["level"] == "error"]
    rows = data.load(tmp_path / "draft")
    found = {t: v for part in rows.values() for t, v in zip(part["text"], part["target:score"], strict=True)}
    assert found == {text(i): pytest.approx(1100.5 + i) for i in range(30)}


def test_missing_and_invalid_numbers_are_skipped_with_their_rows(check: Check) -> None:
    values: list[Any] = [i / 10 for i in range(40)]
    values[3], values[4], values[5], values[6] = "", "n/a", "very good", "inf"
    result = check(table(values))
    found = codes(result)
    assert "row 5" in found["number-missing"]["message"] and "row 6" in found["number-missing"]["message"]
    assert "row 7: 'very good'" in found["number-unreadable"]["message"]
    assert "row 8" in found["number-not-finite"]["message"]
    assert all(found[c]["level"] == "warning" and found[c]["hint"] for c in ("number-missing", "number-unreadable"))
    assert sum(d["count"] for d in result["dropped"]) == 4 and sum(result["splits"].values()) == 36


def test_a_row_without_one_of_several_targets_is_skipped(check: Check) -> None:
    rows = [f"{text(i)},{i},{i * 2 if i != 8 else ''}\n" for i in range(30)]
    result = check("text,a,b\n" + "".join(rows), columns={"target": ["a", "b"]})
    assert codes(result)["number-missing"]["where"] == "column b" and sum(result["splits"].values()) == 29


@pytest.mark.parametrize(
    ("values", "code", "level"),
    [
        ([5] * 30, "one-value", "error"),
        (["good", "bad", "fair"] * 10, "no-numbers", "error"),
        (["3 kg", "2 lb", "5 m"] * 10, "no-numbers", "error"),
        (["2024-01-05", "2024-02-06"] * 15, "target-is-date", "error"),
        (["true", "false"] * 15, "target-is-truth-value", "error"),
        ([0, 1] * 20, "two-values", "warning"),
        ([i % 7 for i in range(39)] + [9e6], "target-outliers", "warning"),
        ([i % 7 for i in range(39)] + [-999], "target-outliers", "warning"),
        ([1e9 + i / 10 for i in range(40)], "target-far-from-zero", "warning"),
        (["<5", *range(1, 40)], "number-limit", "warning"),
    ],
)
def test_odd_targets_are_findings(check: Check, values: list[Any], code: str, level: str) -> None:
    found = codes(check(table(values), columns={"text": "text", "target": "score"}))
    assert code in found, found
    assert found[code]["level"] == level and found[code]["where"] and found[code]["message"]


def test_outliers_are_named_with_row_and_value(check: Check) -> None:
    values = [i % 7 for i in range(40)]
    values[20], values[30] = 5000, -80_000
    said = codes(check(table(values)))["target-outliers"]
    assert said["message"] == (
        "2 rows have a value far from the others, half of which are between 1 and 4.25: "
        "rows.csv, row 32: -80000, rows.csv, row 22: 5000."
    )
    assert "Huber" in said["hint"] and said["where"] == "column score"
    values[20] = values[30] = -999
    assert "missing value" in codes(check(table(values)))["target-outliers"]["hint"]


def test_skewed_numbers_and_counts_are_not_outliers(check: Check) -> None:
    assert "target-outliers" not in codes(check(table([round(1.1**i, 2) for i in range(60)])))
    assert "target-outliers" not in codes(check(table([0] * 35 + [1, 2, 9, 50, 400])))


def test_a_constant_training_split_is_an_error(check: Check) -> None:
    files = {"train.csv": table([4] * 20), "valid.csv": table([1, 2, 3, 5])}
    said = codes(check(files))["one-value-to-train-on"]
    assert said["level"] == "error" and "All 20 training rows have the value 4" in said["message"]


def test_one_value_in_all_rows_is_reported_once(check: Check) -> None:
    found = codes(check({"train.csv": table([4] * 20), "valid.csv": table([4] * 5)}))
    assert "one-value" in found and "one-value-to-train-on" not in found


def test_the_same_text_with_different_numbers_is_reported(check: Check) -> None:
    rows = [f"{text(i)},{i}\n" for i in range(30)] + [f"{text(3)},99\n", f"{text(4)},4\n"]
    found = codes(check("text,score\n" + "".join(rows)))
    said = found["same-input-other-number"]
    assert said["level"] == "warning" and said["hint"]
    assert said["message"] == "1 text occurs more than once with different values: rows.csv, rows 5 (3) = 32 (99)."
    assert "1 duplicate text" in found["duplicates"]["message"]
    many = codes(check("text,score\n" + "".join(f"{text(0 if i < 8 else i)},{i}\n" for i in range(40))))
    assert "rows 2 (0) = 3 (1) = 4 (2) and 5 more." in many["same-input-other-number"]["message"]


def test_the_same_text_with_a_different_second_number_is_reported(check: Check) -> None:
    rows = [f"{text(i)},{i},{2 * i}\n" for i in range(30)] + [f"{text(3)},3,99\n", f"{text(4)},4,8\n"]
    found = codes(check("text,room,food\n" + "".join(rows), columns={"text": "text", "target": ["room", "food"]}))
    said = found["same-input-other-number"]["message"]
    assert said == "1 text occurs more than once with different values: rows.csv, rows 5 (3, 6) = 32 (3, 99)."
    assert "1 duplicate text" in found["duplicates"]["message"]


def test_texts_in_both_splits_are_reported(check: Check) -> None:
    files = {"train.csv": table(list(range(20))), "valid.csv": table([0, 1, 2])}
    said = codes(check(files))["same-in-train-and-validation"]
    assert "3 validation texts are also in the training rows" in said["message"]


def test_empty_texts_and_missing_columns_are_reported(check: Check) -> None:
    result = check("text,score\n" + "".join(f"{text(i) if i else ' '},{i}\n" for i in range(20)))
    assert codes(result)["text-empty"]["level"] == "warning"
    said = codes(check({"rows.csv": "a,b\nx,y\nz,w\n"}))["column-unclear"]
    assert said["level"] == "error" and said["hint"]


def test_a_column_cannot_be_text_and_target(check: Check) -> None:
    found = codes(check(table(list(range(20))), columns={"text": "score", "target": "score"}))
    assert found["column-twice-used"]["level"] == "error"


def test_rows_of_json_lines_with_nested_numbers_are_refused(check: Check) -> None:
    lines = "".join(json.dumps({"text": text(i), "score": [i, i]}) + "\n" for i in range(20))
    found = codes(check({"rows.jsonl": lines}, columns={"target": "score"}))
    assert any(f["level"] == "error" for f in found.values())
