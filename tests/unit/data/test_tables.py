"""Tables that name files: delimiters, encodings, headers, places, splits, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from tests.unit.data.conftest import Check, classes, codes, errors, finding, names, plant

ROWS = [(f"{i}.jpg", "cat" if i % 2 else "dog") for i in range(12)]
IMAGES: dict[str, Any] = {f"{i}.jpg": i for i in range(12)}


def table(delimiter: str = ",", header: str = "file_name{d}label", rows: list[tuple[str, str]] = ROWS) -> str:
    lines = [header.format(d=delimiter)] if header else []
    return "\n".join([*lines, *(delimiter.join(r) for r in rows)]) + "\n"


def objects(rows: list[tuple[str, str]] = ROWS) -> list[dict[str, str]]:
    return [{"file_name": f, "label": c} for f, c in rows]


@pytest.mark.parametrize(
    "name, content",
    [
        ("metadata.csv", table()),
        ("labels.csv", table(";")),
        ("labels.csv", table("|")),
        ("labels.tsv", table("\t")),
        ("labels.csv", table("\t")),
        ("labels.txt", table("\t")),
        ("metadata.jsonl", "\n".join(json.dumps(o) for o in objects())),
        ("labels.json", json.dumps(objects())),
        ("labels.json", json.dumps({"images": objects()})),
        ("labels.csv", table().encode("utf-8-sig")),
        ("labels.csv", table().encode("utf-16")),
        ("labels.csv", table().encode("utf-16-le")),
        ("labels.csv", table().replace("\n", "\r\n")),
    ],
)
def test_table_formats_give_the_same_rows(
    tmp_path: Path, draft: Path, check: Check, name: str, content: bytes | str
) -> None:
    result = check(plant(tmp_path / "in", {**IMAGES, name: content}))
    assert result["layout"]["name"] == "table-with-files" and not errors(result)
    assert names(result) == ["cat", "dog"] and result["rows"] == 12
    assert result["mapping"] == {"image": ["file_name"], "target": ["label"]}
    rows = [r for part in data.load(draft).values() for r in part]
    features = data.load(draft)["train"].features["target"]
    assert {(Path(r["image"]["path"]).name, features.int2str(r["target"])) for r in rows} == set(ROWS)


def test_detected_encoding_is_reported(tmp_path: Path, check: Check) -> None:
    rows = [(f, "Kätzchen" if c == "cat" else c) for f, c in ROWS]
    result = check(plant(tmp_path / "in", {**IMAGES, "labels.csv": table(rows=rows).encode("cp1252")}))
    assert "Kätzchen" in names(result)
    assert finding(result, "encoding-guessed")["where"] == "labels.csv, line 3"


@pytest.mark.parametrize(
    "column, label",
    [("image_path", "category"), ("IMG", "Species"), ("where it lies", "class"), ("photo", "y")],
)
def test_columns_are_detected_by_name_or_content(tmp_path: Path, check: Check, column: str, label: str) -> None:
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table(header=f"{column}{{d}}{label}")}))
    assert result["mapping"] == {"image": [column], "target": [label]}


def test_only_column_with_repeated_values_is_the_guessed_label(tmp_path: Path, check: Check) -> None:
    text = "file,id,what is seen\n" + "".join(f"{f},{1000 + i},{c}\n" for i, (f, c) in enumerate(ROWS))
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": text}))
    assert result["mapping"]["target"] == ["what is seen"]
    assert "what is seen" in finding(result, "column-guessed")["message"]


def test_two_possible_label_columns_are_an_error(tmp_path: Path, check: Check) -> None:
    text = "file,a,b\n" + "".join(f"{f},{c},{c}\n" for f, c in ROWS)
    folder = plant(tmp_path / "in", {**IMAGES, "t.csv": text})
    found = finding(check(folder), "column-unclear")
    assert "a, b" in found["hint"] and found["where"] == "data.columns.target"
    assert check(folder, columns={"target": "b"})["mapping"]["target"] == ["b"]


def test_missing_mapped_column_is_an_error(tmp_path: Path, check: Check) -> None:
    found = finding(
        check(plant(tmp_path / "in", {**IMAGES, "t.csv": table()}), columns={"target": "lable"}), "column-missing"
    )
    assert "'label'" in found["hint"] and "file_name, label" in found["message"]


@pytest.mark.parametrize(
    "prefix, folder", [("images/", "images/"), ("", "images/"), ("./images/", "images/"), ("images\\", "images/")]
)
def test_file_paths_are_resolved(tmp_path: Path, check: Check, prefix: str, folder: str) -> None:
    files: dict[str, Any] = {f"{folder}{name}": seed for name, seed in IMAGES.items()}
    result = check(plant(tmp_path / "in", {**files, "sub/t.csv": table(rows=[(prefix + f, c) for f, c in ROWS])}))
    assert not errors(result) and sum(result["splits"].values()) == 12


def test_names_without_extension_are_completed_and_reported(tmp_path: Path, check: Check) -> None:
    rows = [(f.removesuffix(".jpg"), c) for f, c in ROWS]
    files: dict[str, Any] = {f"images/{name}": seed for name, seed in IMAGES.items()}
    result = check(plant(tmp_path / "in", {**files, "t.csv": table(header="id{d}label", rows=rows)}))
    assert sum(result["splits"].values()) == 12 and "12 names" in finding(result, "extension-added")["message"]


def test_missing_files_are_listed_with_their_rows(tmp_path: Path, check: Check) -> None:
    rows = [*ROWS, *[(f"gone{i}.jpg", "cat") for i in range(8)]]
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table(rows=rows)}))
    found = finding(result, "image-missing")
    assert (
        "8 images" in found["message"]
        and "t.csv, row 14: gone0.jpg" in found["message"]
        and "and 3 more" in found["message"]
    )
    assert result["dropped"] == [{"code": "image-missing", "count": 8}]


def test_table_whose_files_are_all_missing_is_detected(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {"t.csv": table()}))
    assert result["layout"]["name"] == "table-with-files"
    assert "no-rows" in errors(result) and "12 images" in finding(result, "image-missing")["message"]


@pytest.mark.parametrize("bad", ["../secret.jpg", "/etc/secret.jpg", "..\\secret.jpg", "a/../../secret.jpg"])
def test_paths_outside_the_folder_are_refused(tmp_path: Path, check: Check, bad: str) -> None:
    plant(tmp_path, {"secret.jpg": 99, "etc/secret.jpg": 99})
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table(rows=[*ROWS, (bad, "cat")])}))
    assert errors(result) == ["file-outside"]
    assert "row 14" in finding(result, "file-outside")["message"]
    assert result["dropped"] == [{"code": "file-outside", "count": 1}]


def test_absolute_paths_inside_the_folder_are_resolved(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", IMAGES)
    plant(folder, {"t.csv": table(rows=[(str(folder / f), c) for f, c in ROWS])})
    assert sum(check(folder)["splits"].values()) == 12


def test_web_addresses_are_not_downloaded(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table(rows=[*ROWS, ("https://x.org/a.jpg", "cat")])}))
    assert "row 14" in finding(result, "web-address")["message"] and "web-address" in errors(result)


def test_splits_by_name_of_the_table(tmp_path: Path, check: Check) -> None:
    files = {
        **IMAGES,
        "train.csv": table(rows=ROWS[:8]),
        "valid.csv": table(rows=ROWS[8:10]),
        "test.csv": table(rows=ROWS[10:]),
    }
    result = check(plant(tmp_path / "in", files))
    assert result["splits"] == {"train": 8, "validation": 2}
    assert {"code": "split-unused", "count": 2} in result["dropped"]
    named = check(tmp_path / "in", train_split="train.csv", valid_split="test.csv")
    assert named["splits"] == {"train": 8, "validation": 2}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_train_split_means_the_file_of_that_name(tmp_path: Path, check: Check, suffix: str) -> None:
    folder = plant(tmp_path / "in", IMAGES)
    for name, rows in (("train", ROWS[:8]), ("other", ROWS[8:])):
        if suffix == "parquet":
            pq.write_table(pa.Table.from_pylist(objects(rows)), folder / f"{name}.parquet")
        else:
            plant(
                folder,
                {
                    f"{name}.{suffix}": table(rows=rows)
                    if suffix == "csv"
                    else "\n".join(json.dumps(o) for o in objects(rows))
                },
            )
    result = check(folder, train_split="train", valid_fraction=0)
    assert result["splits"] == {"train": 8}
    assert check(folder, train_split="other", valid_fraction=0)["splits"] == {"train": 4}


def test_metadata_in_split_folders(tmp_path: Path, check: Check) -> None:
    files: dict[str, Any] = {}
    for split, rows in (("train", ROWS[:8]), ("validation", ROWS[8:])):
        files |= {f"{split}/{f}": IMAGES[f] for f, _ in rows}
        files[f"{split}/metadata.csv"] = table(rows=rows)
    result = check(plant(tmp_path / "in", files))
    assert result["splits"] == {"train": 8, "validation": 4} and not errors(result)


def test_a_column_of_splits(tmp_path: Path, check: Check) -> None:
    text = "file_name,label,split\n" + "".join(
        f"{f},{c},{'train' if i < 8 else 'val'}\n" for i, (f, c) in enumerate(ROWS)
    )
    assert check(plant(tmp_path / "in", {**IMAGES, "t.csv": text}))["splits"] == {"train": 8, "validation": 4}


def test_the_path_may_be_the_table_itself(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", {**IMAGES, "a.csv": table(rows=ROWS[:8]), "b.csv": table(rows=ROWS[8:])})
    assert check(folder / "a.csv", valid_fraction=0)["splits"] == {"train": 8}


def test_metadata_is_preferred_and_other_tables_are_listed(tmp_path: Path, check: Check) -> None:
    result = check(
        plant(
            tmp_path / "in",
            {**IMAGES, "metadata.csv": table(), "old.csv": table(rows=ROWS[:4]), "prices.csv": "a,b\n1,2\n"},
        )
    )
    assert result["rows"] == 12
    assert (
        "prices.csv" in finding(result, "tables-not-used")["message"]
        and "old.csv" in finding(result, "tables-not-used")["message"]
    )


def test_same_table_of_files_in_two_formats_is_read_once(tmp_path: Path, check: Check) -> None:
    lines = "\n".join(json.dumps(o) for o in objects())
    result = check(plant(tmp_path / "in", {**IMAGES, "metadata.csv": table(), "metadata.jsonl": lines}))
    assert result["rows"] == 12 and "metadata.jsonl" in finding(result, "same-table-twice")["message"]
    assert "other-tables" not in codes(result)


def test_column_has_the_type_text_in_all_splits_if_one_holds_text(tmp_path: Path, check: Check) -> None:
    files = {"train.jsonl": [{**o, "label": 1 + i % 2} for i, o in enumerate(objects())], "valid.jsonl": objects()[8:]}
    lines = {name: "\n".join(map(json.dumps, rows)) for name, rows in files.items()}
    result = check(plant(tmp_path / "in", {**IMAGES, **lines}))
    assert [label["name"] for label in result["raw_labels"]] == ["1", "2", "cat", "dog"]


def test_row_with_a_very_large_cell_is_counted(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table() + f"1.jpg,{'x' * 2_000_000}\n"}))
    assert {"code": "cell-too-large", "count": 1} in result["dropped"]


def test_class_folders_with_an_unrelated_table(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**classes("cat", "dog"), "notes.csv": "who,when\nme,today\n"}))
    assert result["layout"]["name"] == "class-folders"


def test_a_table_without_header(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table(header="")}))
    assert result["rows"] == 12 and names(result) == ["cat", "dog"]
    assert finding(result, "no-header")["where"] == "t.csv"


def test_rows_without_label_are_counted_and_listed(tmp_path: Path, check: Check) -> None:
    rows = [*ROWS[:10], (ROWS[10][0], ""), (ROWS[11][0], "  ")]
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table(rows=rows)}))
    assert result["dropped"] == [{"code": "label-missing", "count": 2}]
    assert "t.csv, row 12" in finding(result, "label-missing")["message"]


def test_integer_labels_sort_as_numbers(tmp_path: Path, check: Check) -> None:
    text = "file,label\n" + "".join(f"{i}.jpg,{i % 12}\n" for i in range(24))
    result = check(plant(tmp_path / "in", {**{f"{i}.jpg": i for i in range(24)}, "t.csv": text}))
    assert names(result) == [str(i) for i in range(12)]


def test_numbers_in_json_with_gaps_stay_whole(tmp_path: Path, check: Check) -> None:
    lines = [json.dumps({"file_name": f, "label": None if i == 3 else i % 2}) for i, (f, _) in enumerate(ROWS)]
    result = check(plant(tmp_path / "in", {**IMAGES, "t.jsonl": "\n".join(lines)}))
    assert names(result) == ["0", "1"] and result["dropped"] == [{"code": "label-missing", "count": 1}]


def test_continuous_numbers_are_not_classes(tmp_path: Path, check: Check) -> None:
    lines = [json.dumps({"file_name": f, "label": i / 7}) for i, (f, _) in enumerate(ROWS)]
    assert "label-is-measurement" in errors(check(plant(tmp_path / "in", {**IMAGES, "t.jsonl": "\n".join(lines)})))


def test_lists_of_labels_are_multi_label(tmp_path: Path, check: Check) -> None:
    lines = [json.dumps({"file_name": f, "label": [c]}) for f, c in ROWS]
    result = check(plant(tmp_path / "in", {**IMAGES, "t.jsonl": "\n".join(lines)}), columns={"target": "label"})
    assert not errors(result) and names(result) == sorted({c for _, c in ROWS})


@pytest.mark.parametrize(
    "name, content, where",
    [
        ("t.jsonl", '{"file_name": "1.jpg", "label": "cat"}\n{oops\n', "t.jsonl, row 2"),
        ("t.csv", "file_name,label,label\n1.jpg,a,b\n", "t.csv, row 1"),
        ("t.csv", "", "t.csv"),
        ("t.csv", b"file\0name", "t.csv"),
    ],
)
def test_damaged_table_error_states_the_location(
    tmp_path: Path, check: Check, name: str, content: bytes | str, where: str
) -> None:
    found = finding(check(plant(tmp_path / "in", {**IMAGES, name: content})), "layout-unknown")
    assert where in found["hint"]


def test_rows_that_are_too_long_are_listed(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": table() + "1.jpg,cat,extra\n"}))
    assert "row 14" in finding(result, "row-too-long")["message"]


def test_quoted_cells_with_line_breaks(tmp_path: Path, check: Check) -> None:
    text = "file_name,note,label\n" + "".join(f'{f},"two\nlines, and a comma",{c}\n' for f, c in ROWS)
    result = check(plant(tmp_path / "in", {**IMAGES, "t.csv": text}))
    assert result["rows"] == 12 and names(result) == ["cat", "dog"] and "row-too-long" not in codes(result)


def test_label_mapping_renames_merges_and_drops(tmp_path: Path, check: Check) -> None:
    text = "file,label\n" + "".join(f"{i}.jpg,{'abcd'[i % 4]}\n" for i in range(24))
    folder = plant(tmp_path / "in", {**{f"{i}.jpg": i for i in range(24)}, "t.csv": text})
    result = check(folder, labels={"a": "vowel", "b": "consonant", "c": "consonant", "d": None})
    assert {label["name"]: label["rows"] for label in result["labels"]} == {"consonant": 12, "vowel": 6}
    assert result["dropped"] == [{"code": "label-left-out", "count": 6}]
    assert {r["name"]: r["to"] for r in result["raw_labels"]} == {
        "a": "vowel",
        "b": "consonant",
        "c": "consonant",
        "d": None,
    }
    assert "'x'" in finding(check(folder, labels={"x": "y"}), "label-mapping-unused")["message"]


def test_a_changed_table_is_not_trained_on(tmp_path: Path, draft: Path, check: Check) -> None:
    from tests.unit.data.conftest import resolved

    folder = plant(tmp_path / "in", {**IMAGES, "t.csv": table()})
    check(folder)
    plant(folder, {"t.csv": table(rows=[*ROWS[:11], (ROWS[11][0], "dog")])})
    with pytest.raises(DataError) as caught:
        data.ensure(draft, resolved(source="path", path=str(folder)))
    assert caught.value.code == "files-changed" and "t.csv" in caught.value.message


def test_mapped_file_column_is_used(tmp_path: Path, check: Check) -> None:
    text = "small,large,label\n" + "".join(f"s/{f},{f},{c}\n" for f, c in ROWS)
    files: dict[str, Any] = {**IMAGES, **{f"s/{n}": 100 + i for i, n in enumerate(IMAGES)}, "t.csv": text}
    folder = plant(tmp_path / "in", files)
    assert check(folder, columns={"image": "large"})["columns"][0]["examples"] == ["0.jpg", "1.jpg", "2.jpg"]
    assert check(folder, columns={"image": "small"})["columns"][0]["examples"] == ["s/0.jpg", "s/1.jpg", "s/2.jpg"]
    assert "'large'" in finding(check(folder, columns={"image": "larg"}), "column-missing")["hint"]


def test_a_column_of_the_wrong_kind_is_refused(tmp_path: Path, check: Check) -> None:
    found = finding(
        check(plant(tmp_path / "in", {**IMAGES, "t.csv": table()}), columns={"target": "file_name"}),
        "column-wrong-kind",
    )
    assert "'file_name' holds image" in found["message"] and found["where"] == "data.columns.target"
