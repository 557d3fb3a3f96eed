"""Which table of a folder is the data: not a template of answers, not one without targets, not one beside folders."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.ui.messages import changes_of_fixes
from tests.cases.conftest import CheckCase, Checked, check_path
from tests.unit.data.conftest import picture, plant
from tests.unit.data.sounds import sound

TABLES, IMAGES = "tabular-classification", "image-classification"


def checked(folder: Path, files: dict[str, Any], task: str = TABLES, **settings: Any) -> Checked:
    return check_path(folder, task, plant(folder / "in", files), **settings)


def people(rows: int, *, start: int = 0, target: str | None = "survived", first: str = "id") -> str:
    names = [first, *([target] if target else []), "age", "fare", "sex"]
    lines = [
        ",".join(
            str(c)
            for c in (k, *([k % 2] if target else []), k * 7 % 60, k * 13 % 90 + 0.5, "male" if k % 3 else "female")
        )
        for k in range(start, start + rows)
    ]
    return "\n".join([",".join(names), *lines]) + "\n"


def answers(rows: int, start: int = 0) -> str:
    return "id,survived\n" + "".join(f"{k},0\n" for k in range(start, start + rows))


def fixes(found: Checked, code: str) -> list[dict[str, Any]]:
    return changes_of_fixes([f for f in found.result["findings"] if f["code"] == code])


def test_a_folder_of_kaggle(check_case: CheckCase) -> None:
    found = check_case("03-kaggle-folder", TABLES)
    assert not found.errors and found.result["mapping"]["target"] == ["Survived"]
    assert found.result["splits"] == {"train": 80, "validation": 20}
    assert "the split 'test' does not have it" in found.message("column-guessed")
    unused = [f for f in found.result["findings"] if f["code"] == "split-unused"]
    assert [f["level"] for f in unused] == ["warning", "info"] and not fixes(found, "split-unused")
    assert "gender_submission.csv" in unused[0]["message"] and "test.csv" in unused[1]["message"]


@pytest.mark.parametrize(
    ("files", "target"),
    [
        pytest.param(
            {"train.csv": people(60), "test.csv": people(20, start=60, target=None)}, "survived", id="two files"
        ),
        pytest.param(
            {"x_train.csv": people(60, target="exited"), "x_test.csv": people(20, start=60, target=None)},
            "exited",
            id="words in names",
        ),
        pytest.param(
            {"train/a.csv": people(60, target="Fraud"), "test/b.csv": people(20, start=60, target=None)},
            "Fraud",
            id="folders",
        ),
        pytest.param(
            {"train.csv": people(60, target="category"), "test.csv": people(20, start=60, target=None)},
            "category",
            id="a usual name",
        ),
    ],
)
def test_the_column_that_the_test_split_lacks_is_the_target(tmp_path: Path, files: dict[str, str], target: str) -> None:
    found = checked(tmp_path, files)
    assert not found.errors and found.result["mapping"]["target"] == [target]
    assert "column-guessed" not in found.codes("warning")
    assert not fixes(found, "split-unused"), "rows without a target are not offered for validation"


@pytest.mark.parametrize(
    "test",
    [
        pytest.param(people(20, start=60, target=None), id="no column"),
        pytest.param(people(20, start=60).replace(",0,", ",,").replace(",1,", ",,"), id="no cell"),
    ],
)
def test_a_split_without_targets_is_never_validated_on(tmp_path: Path, test: str) -> None:
    files = {"train.csv": people(60), "valid.csv": test}
    columns = {"target": ["survived"]}
    found = checked(tmp_path, files, columns=columns)
    assert found.result["splits"] == {"train": 48, "validation": 12}
    assert "'valid' has no 'survived'" in found.message("split-unused") and "split-unused" in found.codes("warning")
    asked = checked(tmp_path / "asked", files, columns=columns, valid_split="valid")
    assert "split-without-target" in asked.errors and fixes(asked, "split-without-target") == [{"valid_split": None}]


def test_targets_of_a_test_split_make_it_an_offer(tmp_path: Path) -> None:
    found = checked(
        tmp_path, {"train.csv": people(60), "test.csv": people(20, start=60)}, columns={"target": ["survived"]}
    )
    assert fixes(found, "split-unused") == [{"valid_split": "test"}]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        pytest.param(
            "sample_submission.csv", people(20, start=60), "template of answers", id="a template with all columns"
        ),
        pytest.param("SampleSubmission.csv", answers(90, 60), "template of answers", id="a template with more rows"),
        pytest.param(
            "cities.csv", "city,country\nRome,Italy\nOslo,Norway\n", "it has 0 of the 5 columns", id="another table"
        ),
        pytest.param("answers.csv", answers(20, 60), "it has 2 of the 5 columns", id="two of the columns"),
    ],
)
def test_tables_that_are_not_joined(tmp_path: Path, name: str, content: str, why: str) -> None:
    found = checked(tmp_path, {"people.csv": people(60), name: content}, columns={"target": ["survived"]})
    assert not found.errors and found.result["rows"] == 60
    assert name in found.message("table-not-joined") and why in found.message("table-not-joined")
    chosen = fixes(found, "table-not-joined")[0]["options"]
    assert sorted(chosen["tables"]) == sorted(["people.csv", name])
    both = checked(
        tmp_path / "both", {"people.csv": people(60), name: content}, columns={"target": ["survived"]}, options=chosen
    )
    assert both.result["rows"] > 60


def test_joined_tables_are_reported_and_one_can_be_chosen(tmp_path: Path) -> None:
    files = {"north.csv": people(40), "south.csv": people(30, start=40)}
    found = checked(tmp_path, files, columns={"target": ["survived"]})
    assert "north.csv (40 rows), south.csv (30 rows)" in found.message("tables-joined")
    assert fixes(found, "tables-joined") == [{"options": {"tables": ["north.csv"]}}]
    one = checked(tmp_path / "one", files, columns={"target": ["survived"]}, options={"tables": ["south.csv"]})
    assert one.result["rows"] == 30
    unknown = checked(tmp_path / "no", files, options={"tables": "sout.csv"})
    assert "Did you mean 'south.csv'" in unknown.message("table-unknown")


def test_class_folders_beat_a_table_of_few_pictures(check_case: CheckCase) -> None:
    found = check_case("30-kaggle-images", IMAGES)
    assert not found.errors and len(found.rows()) == 24
    assert found.classes == ["Black-grass", "Charlock", "Sugar beet"]
    assert fixes(found, "layout-unclear") == [{"options": {"layout": "table-with-files"}}]


def pictures(*names: str) -> dict[str, bytes]:
    return {name: picture(name) for name in names}


FOLDERS = pictures(*(f"train/{c}/{k}.jpg" for c in ("cat", "dog") for k in range(8)))
TESTS = pictures(*(f"test/t{k}.jpg" for k in range(6)))


@pytest.mark.parametrize(
    ("table", "rows", "layout"),
    [
        pytest.param(
            "id,label\n" + "".join(f"t{k}.jpg,cat\n" for k in range(6)), 16, "class-folders", id="names of test images"
        ),
        pytest.param(
            "id,label\n" + "".join(f"t{k},cat\n" for k in range(6)), 16, "class-folders", id="without extensions"
        ),
        pytest.param("file,label\ntrain/cat/1.jpg,tabby\n", 16, "class-folders", id="one picture of a class"),
        pytest.param(
            "file,label\n" + "".join(f"train/{c}/{k}.jpg,{'ab'[k % 2]}\n" for c in ("cat", "dog") for k in range(8)),
            16,
            "table-with-files",
            id="all pictures",
        ),
    ],
)
def test_tables_beside_class_folders(tmp_path: Path, table: str, rows: int, layout: str) -> None:
    found = checked(tmp_path, {**FOLDERS, **TESTS, "labels.csv": table}, IMAGES)
    assert not found.errors and found.result["layout"]["name"] == layout and len(found.rows()) == rows
    assert ("layout-unclear" in found.codes("warning")) == (layout == "class-folders")
    if layout == "table-with-files":
        assert "test/t0.jpg" in found.message("files-unused")


def test_a_second_table_of_other_files_is_not_joined_silently(tmp_path: Path) -> None:
    files = pictures(*(f"{k}.jpg" for k in range(20)))
    rows = [f"{k}.jpg,{'cat' if k % 2 else 'dog'}\n" for k in range(20)]
    tables = {
        "labels.csv": "file,label\n" + "".join(rows[:14]),
        "sample_submission.csv": "file,label\n" + "".join(rows[14:]),
    }
    found = checked(tmp_path, {**files, **tables}, IMAGES)
    assert len(found.rows()) == 14 and "sample_submission.csv" in found.message("table-not-joined")
    assert "14.jpg" in found.message("files-unused")
    tables["more.csv"] = tables.pop("sample_submission.csv")
    found = checked(tmp_path / "more", {**files, **tables}, IMAGES)
    assert len(found.rows()) == 20 and "more.csv (6 rows)" in found.message("tables-joined")


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_beside_a_table_is_named(check_case: CheckCase) -> None:
    found = check_case("53-zip-beside-metadata", IMAGES)
    assert "archive-beside" in found.errors and "images.zip" in found.message("archive-beside")


@pytest.mark.parametrize(
    ("files", "task"),
    [
        pytest.param(
            {"metadata.csv": "file_name,label\na.jpg,x\nb.jpg,y\n", "data/images.tar.gz": b"\x1f\x8b"}, IMAGES, id="tar"
        ),
        pytest.param(
            {"metadata.csv": "file_name,label\na.jpg,x\nb.jpg,y\n", "a.jpg": picture(1), "part2.7z": b"7z"},
            IMAGES,
            id="some files are there",
        ),
        pytest.param(
            {
                "metadata.jsonl": "".join(json.dumps({"file_name": f"{k}.wav", "text": "a"}) + "\n" for k in range(3)),
                "0.wav": sound(1.0),
                "clips.zip": b"PK\x03\x04",
            },
            "automatic-speech-recognition",
            id="audio",
        ),
    ],
)
def test_archives_beside_files_that_are_missing_are_named(tmp_path: Path, files: dict[str, Any], task: str) -> None:
    found = checked(tmp_path, files, task)
    assert next(n for n in files if n.endswith((".gz", ".7z", ".zip"))) in found.message("archive-beside")


def test_a_feature_called_class_is_asked_about(check_case: CheckCase) -> None:
    found = check_case("47-class-is-a-feature", TABLES, "titanic.csv")
    assert "column-guessed" in found.codes("warning") and "by its name" in found.message("column-guessed")
    assert {"columns": {"target": ["alive"]}} in fixes(found, "column-guessed")
    assert {"columns": {"target": ["survived"]}} in fixes(found, "column-guessed")


@pytest.mark.parametrize(
    ("header", "task", "asked"),
    [
        pytest.param("age,category,fare,sex", TABLES, True, id="category among features"),
        pytest.param("age,price,fare,rooms", "tabular-regression", True, id="price among features"),
        pytest.param("age,target,fare,sex", TABLES, False, id="a column called target"),
        pytest.param("age,fare,sex,class", TABLES, False, id="the last column"),
    ],
)
def test_a_target_by_its_name_among_features(tmp_path: Path, header: str, task: str, asked: bool) -> None:
    rows = "".join(f"{k * 7 % 60},{k % 3},{k * 3 % 50},{k % 2}\n" for k in range(60))
    found = checked(tmp_path, {"a.csv": f"{header}\n{rows}"}, task)
    assert not found.errors
    assert ("column-guessed" in found.codes("warning")) == asked == bool(fixes(found, "column-guessed"))
