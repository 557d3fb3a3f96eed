"""A folder for each class: wrappers, splits, clutter, nesting."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio import data
from tests.unit.data.conftest import Check, classes, codes, errors, finding, names, picture, plant


@pytest.mark.parametrize("wrapper", ["", "photos/", "photos/all my photos/"])
def test_wrapper_folders_are_not_classes(tmp_path: Path, check: Check, wrapper: str) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog", prefix=wrapper)))
    assert result["layout"]["name"] == "class-folders"
    assert names(result) == ["cat", "dog"]
    assert result["rows"] == 12
    assert result["splits"] == {"train": 10, "validation": 2}


@pytest.mark.parametrize(
    "train, valid",
    [("train", "valid"), ("Train", "VALIDATION"), ("training", "val"), ("TRAIN", "dev"), ("train", "Val")],
)
def test_given_splits_are_used(tmp_path: Path, check: Check, train: str, valid: str) -> None:
    files = classes("cat", "dog", prefix=f"set/{train}/") | classes("cat", "dog", count=3, prefix=f"set/{valid}/")
    result = check(plant(tmp_path / "in", files))
    assert result["splits"] == {"train": 12, "validation": 6}
    assert valid in result["split_how"]
    assert names(result) == ["cat", "dog"]


def test_a_test_split_is_used_only_when_it_is_named(tmp_path: Path, check: Check) -> None:
    folder = plant(
        tmp_path / "in", classes("cat", "dog", prefix="train/") | classes("cat", "dog", count=3, prefix="test/")
    )
    result = check(folder)
    assert result["splits"] == {"train": 10, "validation": 2}
    assert result["dropped"] == [{"code": "split-unused", "count": 6}]
    assert finding(result, "split-unused")["fix"]["change"] == {"valid_split": "test"}
    assert check(folder, valid_split="test")["splits"] == {"train": 12, "validation": 6}


def test_missing_split_error_lists_the_existing_splits(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog", prefix="train/") | classes("cat", "dog", prefix="valid/"))
    found = finding(check(folder, train_split="trian"), "split-missing")
    assert "'train', 'valid'" in found["message"] and "'train'" in found["hint"]
    assert finding(check(folder, valid_split="holdout"), "split-missing")["where"] == "data.valid_split"
    assert errors(check(plant(tmp_path / "whole", classes("cat", "dog")), train_split="part1")) == ["split-missing"]


def test_folders_of_any_name_can_be_named_as_splits(tmp_path: Path, check: Check) -> None:
    files = (
        classes("cat", "dog", prefix="part1/")
        | classes("cat", "dog", count=2, prefix="part2/")
        | classes("cat", "dog", prefix="x/")
    )
    result = check(plant(tmp_path / "in", files), train_split="part1", valid_split="part2")
    assert result["splits"] == {"train": 12, "validation": 4}
    assert {"code": "split-unused", "count": 12} in result["dropped"]


def test_subfolders_can_be_named_as_splits(tmp_path: Path, check: Check) -> None:
    files = classes("cat", "dog", prefix="images/one/") | classes("cat", "dog", count=2, prefix="images/two/")
    result = check(plant(tmp_path / "in", files), train_split="images/one", valid_split="images/two")
    assert result["splits"] == {"train": 12, "validation": 4}


def test_a_class_may_be_called_test(tmp_path: Path, check: Check) -> None:
    assert names(check(plant(tmp_path / "in", classes("cat", "dog", "test")))) == ["cat", "dog", "test"]


def test_splits_below_classes(tmp_path: Path, check: Check) -> None:
    files = {
        f"{c}/{s}/{i}.jpg": picture(f"{c}{s}{i}") for c in ("cat", "dog") for s in ("train", "val") for i in range(5)
    }
    result = check(plant(tmp_path / "in", files))
    assert names(result) == ["cat", "dog"]
    assert result["splits"] == {"train": 10, "validation": 10}


def test_class_folders_beside_a_validation_folder_are_the_training_data(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog") | classes("cat", "dog", count=2, prefix="valid/")))
    assert result["splits"] == {"train": 12, "validation": 4}
    assert names(result) == ["cat", "dog"]


def test_class_folders_beside_a_train_folder_are_reported(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", classes("steam", "electric", prefix="train/") | classes("bus", "car")))
    found = finding(result, "split-unused")
    assert found["level"] == "warning" and "Rename 'train' if it is not a split" in found["hint"]


@pytest.mark.parametrize("name", ["a.JPG", "a.jpeg", "a.Png", "a.webp", "a.bmp", "a.GIF", "a.tiff", "a.TIF"])
def test_extensions_in_any_case(tmp_path: Path, check: Check, name: str) -> None:
    format = {"jpg": "JPEG", "tif": "TIFF"}.get(name[2:].lower(), name[2:].upper())
    result = check(plant(tmp_path / "in", classes("cat", "dog") | {f"cat/{name}": picture("x", format=format)}))
    assert result["rows"] == 13
    assert not errors(result) and "wrong-extension" not in codes(result)


def test_clutter_is_skipped_and_counted(tmp_path: Path, check: Check) -> None:
    clutter = {
        "__MACOSX/cat/._1.jpg": b"x",
        "cat/.DS_Store": b"x",
        "cat/Thumbs.db": b"x",
        ".hidden/dog/1.jpg": 7,
        "dog/desktop.ini": b"x",
    }
    result = check(plant(tmp_path / "in", classes("cat", "dog") | clutter))
    assert result["rows"] == 12 and names(result) == ["cat", "dog"]
    said = finding(result, "passed-over")["message"]
    assert "2 hidden" in said and "3 left by the operating system" in said


def test_other_files_are_named(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog") | {"readme.md": "hello", "cat/movie.mp4": b"x"}))
    assert "readme.md" in finding(result, "other-files")["message"]


def test_images_beside_class_folders_are_skipped_and_listed(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog") | {"loose.jpg": 77}))
    assert result["rows"] == 13 and result["dropped"] == [{"code": "label-missing", "count": 1}]
    assert "loose.jpg" in finding(result, "images-beside-folders")["message"]


def test_class_is_the_innermost_folder_below_grouping_folders(tmp_path: Path, check: Check) -> None:
    files = classes("cat", "dog", prefix="animals/") | classes("rose", "tulip", prefix="plants/")
    result = check(plant(tmp_path / "in", files))
    assert names(result) == ["cat", "dog", "rose", "tulip"]
    assert "animals/cat → cat" in finding(result, "nested-folders")["message"]


def test_class_is_the_outer_folder_if_inner_names_repeat(tmp_path: Path, check: Check) -> None:
    files = classes("2020", "2021", prefix="cat/") | classes("2020", "2021", prefix="dog/")
    assert names(check(plant(tmp_path / "in", files))) == ["cat", "dog"]


def test_images_without_folders_report_no_classes(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {f"{i}.jpg": i for i in range(5)}))
    assert errors(result) == ["no-classes"] and result["layout"] is None
    found = finding(result, "no-classes")
    assert "5 images have no classes" in found["message"] and "folder named after it" in found["hint"]


def test_missing_images_error_lists_the_files_found(tmp_path: Path, check: Check) -> None:
    found = finding(check(plant(tmp_path / "in", {"a/b.pdf": b"x", "c.docx": b"y"})), "layout-unknown")
    assert "1 .pdf file, 1 .docx file" in found["message"] and ".jpg" in found["hint"]


def test_an_empty_or_missing_folder(tmp_path: Path, check: Check) -> None:
    (tmp_path / "in").mkdir()
    assert errors(check(tmp_path / "in")) == ["layout-unknown"]
    found = finding(check(tmp_path / "nowhere"), "path-missing")
    assert "nowhere" in found["message"] and str(tmp_path) in found["hint"]


def test_files_of_a_server_folder_are_read_where_they_are(tmp_path: Path, draft: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    check(folder)
    rows = data.load(draft)["train"]
    assert all(Path(r["image"]["path"]).is_relative_to(folder) for r in rows)
    assert not (draft / "data" / "media").exists()


def test_images_beside_folders_are_reported_once(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog") | {"loose.jpg": 77}))
    assert "images-beside-folders" in codes(result) and "label-missing" not in codes(result)


def test_validation_split_without_classes_is_reported(tmp_path: Path, check: Check) -> None:
    files = classes("cat", "dog", prefix="train/") | {f"valid/{i}.jpg": 500 + i for i in range(4)}
    result = check(plant(tmp_path / "in", files))
    assert result["splits"] == {"train": 10, "validation": 2}
    assert result["dropped"] == [{"code": "split-unused", "count": 4}]
    found = finding(result, "split-unused")
    assert found["level"] == "warning" and "'valid' has no 'label'" in found["message"]
    left = next(p for p in result["profile"] if p["title"] == "Skipped rows")
    assert left["rows"] == [["in a split that is not used", 4]]


def test_unsupported_image_formats_are_reported(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog") | {"cat/IMG_1.HEIC": b"x", "a.txt": b"x"}))
    found = finding(result, "other-files")
    assert found["level"] == "warning" and "cat/IMG_1.HEIC" in found["message"] and ".heic" in found["hint"]


def test_path_of_one_image_is_rejected(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    assert errors(check(folder / "cat" / "1.jpg")) == ["path-one-file"]


def test_cyclic_links_are_followed_once(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    (folder / "cat" / "round").symlink_to(folder, target_is_directory=True)
    (folder / "dog" / "broken.jpg").symlink_to(tmp_path / "nowhere")
    result = check(folder)
    assert result["rows"] == 12 and "1 broken links" in finding(result, "passed-over")["message"]
