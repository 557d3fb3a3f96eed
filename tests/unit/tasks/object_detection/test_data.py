"""Formats of boxes, and what the check says about them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.object_detection.boxes import corners, detect_format
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.training.image_files import open_image
from tests.trials import Trial
from tests.unit.tasks.object_detection.conftest import BOXES, SIZE, draw_all, picture, write_lines

NAMES = ["blue", "red"]


def as_table(folder: Path) -> None:
    rows = [(n, {"bbox": [b for b, _ in boxes], "category": [c for _, c in boxes]}) for n, boxes in BOXES.items()]
    write_lines(folder, rows)


def as_coco(folder: Path) -> None:
    images = [{"id": n, "file_name": name, "width": SIZE[0], "height": SIZE[1]} for n, name in enumerate(BOXES, 5)]
    found = [
        {"id": 1, "image_id": n, "category_id": 10 + 7 * NAMES.index(label), "bbox": list(box)}
        for n, boxes in enumerate(BOXES.values(), 5)
        for box, label in boxes
    ]
    categories = [{"id": 10 + 7 * n, "name": name} for n, name in enumerate(NAMES)]
    document = {"images": images, "annotations": found, "categories": categories}
    (folder / "_annotations.coco.json").write_text(json.dumps(document))


def as_yolo(folder: Path) -> None:
    (folder / "data.yaml").write_text("names: [red, blue]\n")
    for name, boxes in BOXES.items():
        lines = []
        for number, ((x, y, w, h), label) in enumerate(boxes):
            left, right, top, bottom = x / SIZE[0], (x + w) / SIZE[0], y / SIZE[1], (y + h) / SIZE[1]
            values = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
            if number:  # the same as a polygon
                values = [left, top, right, top, right, bottom, left, bottom]
            lines.append(" ".join(map(str, [["red", "blue"].index(label), *values])))
        (folder / name).with_suffix(".txt").write_text("\n".join(lines))


def as_voc(folder: Path) -> None:
    for name, boxes in BOXES.items():
        objects = "".join(
            f"<object><name>{label}</name><bndbox><xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x + w}</xmax>"
            f"<ymax>{y + h}</ymax></bndbox></object>"
            for (x, y, w, h), label in boxes
        )
        (folder / name).with_suffix(".xml").write_text(f"<annotation><filename>{name}</filename>{objects}</annotation>")


def as_label_studio(folder: Path) -> None:
    tasks = []
    for number, (name, boxes) in enumerate(BOXES.items()):
        regions = [
            {
                "id": f"r{n}",
                "type": "rectanglelabels",
                "original_width": SIZE[0],
                "original_height": SIZE[1],
                "image_rotation": 0,
                "value": {**percent(box), "rotation": 0, "rectanglelabels": [label]},
            }
            for n, (box, label) in enumerate(boxes)
        ]
        data = {"image": f"/data/upload/7/{number:08x}-{name}"}
        tasks.append({"id": number, "data": data, "annotations": [{"result": regions, "was_cancelled": False}]})
    (folder / "project.json").write_text(json.dumps(tasks))


def percent(box: Any) -> dict[str, float]:
    x, y, w, h = box
    return {"x": x / SIZE[0] * 100, "y": y / SIZE[1] * 100, "width": w / SIZE[0] * 100, "height": h / SIZE[1] * 100}


def as_label_studio_min(folder: Path) -> None:
    rows = []
    for number, (name, boxes) in enumerate(BOXES.items()):
        found = [{**percent(b), "rotation": 0, "rectanglelabels": [c], "original_width": SIZE[0]} for b, c in boxes]
        more = {"tag": [{**r, "original_height": SIZE[1]} for r in found]} if found else {}
        rows.append({"image": f"/data/local-files/?d=pictures%2F{name}", "id": number, "annotator": 1, **more})
    (folder / "project.json").write_text(json.dumps(rows))


def as_labelme(folder: Path) -> None:
    for name, boxes in BOXES.items():
        shapes = []
        for number, ((x, y, w, h), label) in enumerate(boxes):
            points = [[x + w, y + h], [x, y]]  # drawn from the lower right corner
            kind = "rectangle"
            if number:
                kind, points = "polygon", [[x, y], [x + w, y + h / 2], [x + w / 2, y + h]]
            shapes.append({"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}})
        document = {"version": "5.5.0", "shapes": shapes, "imagePath": f"..\\images\\{name}", "imageData": None}
        size = {"imageWidth": SIZE[0], "imageHeight": SIZE[1]}
        (folder / name).with_suffix(".json").write_text(json.dumps(document | size))


def as_embedded_labelme(folder: Path) -> None:
    as_labelme(folder)
    for file in list(folder.glob("*.json"))[1:]:
        image = file.with_suffix(".png")
        document = json.loads(file.read_text())
        file.write_text(json.dumps(document | {"imageData": base64.b64encode(image.read_bytes()).decode()}))
        image.unlink()


def rows_of(trial: Trial) -> dict[str, Any]:
    """Return file → boxes and names of classes, of all splits."""
    found = {}
    for part in data.load(trial.directory).values():
        names = part.features["objects"]["category"].feature.names
        for row in part:
            objects = row["objects"]
            boxes = [[round(v, 2) for v in box] for box in objects["bbox"]]
            found[name_of(row["image"])] = list(zip(boxes, [names[c] for c in objects["category"]], strict=True))
    return found


def name_of(image: dict[str, Any]) -> str:
    """Return the name of the picture, by its content where an image has no path."""
    if image["path"]:
        return Path(image["path"]).name
    pixels = np.asarray(Image.open(io.BytesIO(image["bytes"])))
    return next(name for number, (name, boxes) in enumerate(BOXES.items()) if (pixels == picture(boxes, number)).all())


def codes(trial: Trial) -> dict[str, dict[str, Any]]:
    found = data.check(trial.directory, Request.of(trial.resolved))
    return {f["code"]: f for f in found["findings"]}


EXPECTED = {name: [([float(v) for v in box], label) for box, label in boxes] for name, boxes in BOXES.items()}


WRITERS = [
    *(as_table, as_coco, as_yolo, as_voc),
    *(as_label_studio, as_label_studio_min, as_labelme, as_embedded_labelme),
]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_same_rows(write: Callable[[Path], None], tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    write(folder)
    assert rows_of(detect(folder)) == EXPECTED


@pytest.mark.parametrize("name", ["xyxy", "cxcywh-normalized", "xywh-normalized", "xywh"])
def test_the_convention_of_boxes_is_detected(name: str, tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    rows = []
    for file, boxes in BOXES.items():
        found = []
        for (x, y, w, h), _ in boxes:
            box = {"xywh": [x, y, w, h], "xyxy": [x, y, x + w, y + h], "cxcywh": [x + w / 2, y + h / 2, w, h]}
            values = box[name.partition("-")[0]]
            sides = [*SIZE, *SIZE] if "-" in name else [1] * 4
            found.append([v / s for v, s in zip(values, sides, strict=True)])
        rows.append((file, {"bbox": found, "category": [label for _, label in boxes]}))
    write_lines(folder, rows)
    options = {} if name != "cxcywh-normalized" else {"data": {"options": {"box_format": name}}}
    trial = detect(folder, **options)
    assert {k: [([pytest.approx(v, abs=0.02) for v in b], c) for b, c in x] for k, x in EXPECTED.items()} == rows_of(
        trial
    )


def test_detection_prefers_what_fits() -> None:
    sizes = np.tile([100.0, 80.0], (2, 1))
    assert detect_format(np.array([[50.0, 40, 90, 70], [60, 10, 95, 60]]), sizes)[0] == "xyxy"
    assert detect_format(np.array([[50.0, 40, 20, 30], [60, 50, 30, 20]]), sizes)[0] == "xywh"
    assert corners(np.array([[0.5, 0.5, 0.2, 0.5]]), "cxcywh-normalized", sizes[:1]).tolist() == [[40, 20, 60, 60]]


def test_boxes_outside_and_without_area_are_counted(tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    wide = {"bbox": [[100, 60, 60, 40], [10, 10, 0, 20]], "category": ["red", "blue"]}
    good = {"bbox": [[1, 2, 30, 40]], "category": ["red"]}
    write_lines(
        folder, [("a.png", wide), ("b.png", good), ("c.png", {"bbox": [[1, 2]], "category": ["red"]}), ("d.png", None)]
    )
    trial = detect(folder, data={"options": {"box_format": "xywh"}})
    found = codes(trial)
    assert "1 box" in found["boxes-outside"]["message"] and "1 box" in found["boxes-empty"]["message"]
    assert "objects-unreadable" in found and "images-without-boxes" in found
    rows = rows_of(trial)
    assert rows["a.png"] == [([100.0, 60.0, 20.0, 20.0], "red")] and rows["d.png"] == [] and "c.png" not in rows


def test_autotrains_names_resolve() -> None:
    for name in ("object_detection", "image-object-detection"):
        given = {"task": name, "model": "x/y", "project_name": "p", "data": {"source": "path", "path": "/x"}}
        found = resolve({**given, "params": {"image_square_size": 600}})
        assert found.task.name == "object-detection" and found.params.image_square_size == 600


def test_images_with_a_yolo_class_without_a_name_are_counted_and_skipped(tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    as_yolo(folder)
    with (folder / "b.txt").open("a") as file:
        file.write("\n80 0.5 0.5 0.2 0.2")
    trial = detect(folder)
    found = codes(trial)["category-unknown"]["message"]
    assert "1 line has" in found and "b.txt, line 2 (class 80)" in found and "categories-without-names" not in found
    assert rows_of(trial) == {k: v for k, v in EXPECTED.items() if k != "b.png"}


def test_yolo_classes_without_names_are_reported(tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    as_yolo(folder)
    (folder / "data.yaml").unlink()
    with (folder / "b.txt").open("a") as file:
        file.write("\n99999999999 0.5 0.5 0.2 0.2")
    found = codes(detect(folder))
    assert "0 to 99999999999" in found["categories-without-names"]["message"] and "category-unknown" not in found


def test_only_the_settings_of_yolo_name_classes(tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    as_yolo(folder)
    (folder / "a-tag.yaml").write_text("names: !mine [x]\n")
    (folder / "a-service.yml").write_text("names: {web: 1}\n")
    assert rows_of(detect(folder)) == EXPECTED


@pytest.mark.parametrize("names", ["{red: 0, blue: 1}", "red"])
def test_yolo_names_of_another_form_are_refused(names: str, tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    as_yolo(folder)
    (folder / "data.yaml").write_text(f"names: {names}\n")
    with pytest.raises(UserError) as error:
        detect(folder)
    assert error.value.code == "names-invalid" and "{0: cat, 1: dog}" in error.value.hint


def test_a_list_is_not_coco(tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    as_coco(folder)
    file = folder / "_annotations.coco.json"
    file.write_text(f"[{file.read_text()}]")
    with pytest.raises(UserError) as error:
        detect(folder)
    assert error.value.code == "json-not-coco"


def test_a_class_that_is_not_a_whole_number_is_not_rounded(tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    box = [1, 2, 30, 40]
    write_lines(folder, [(n, {"bbox": [box], "category": [c]}) for n, c in zip(BOXES, (0.0, 1.7, 1, 1), strict=True)])
    trial = detect(folder, data={"options": {"box_format": "xywh"}})
    assert "1 row has" in codes(trial)["objects-unreadable"]["message"]
    assert {name: found[0][1] for name, found in rows_of(trial).items()} == {"a.png": "0", "c.png": "1", "d.png": "1"}


def test_classes_are_renamed_merged_and_excluded(tmp_path: Path, detect: Any) -> None:
    folder = draw_all(tmp_path / "images")
    as_coco(folder)
    trial = detect(folder, data={"labels": {"red": None, "blue": "sea", "gren": "x"}})
    rows, found = rows_of(trial), codes(trial)
    assert rows["c.png"] == [([4.0, 40.0, 36.0, 30.0], "sea")] and rows["a.png"] == []
    assert "2 boxes were excluded by data.labels (red: 2)" in found["boxes-excluded"]["message"]
    assert "'gren'" in found["label-mapping-unused"]["message"]
    result = data.check(trial.directory, Request.of(trial.resolved))
    assert [(r["name"], r["rows"], r["to"]) for r in result["raw_labels"]] == [("blue", 2, "sea"), ("red", 2, None)]
    merged = detect(folder, run="merged", data={"labels": {"red": "thing", "blue": "thing"}})
    assert {label for boxes in rows_of(merged).values() for _, label in boxes} == {"thing"}


def rotated_coco(folder: Path, orientation: int, sizes: tuple[int, int] | None) -> None:
    """Write images of 60 × 40 stored pixels with a white box, which EXIF rotates, and the box in stored pixels."""
    folder.mkdir()
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[5:15, 20:50] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "b.png"):
        Image.fromarray(pixels + (name == "b.png")).save(folder / name, exif=exif)
    size = {"width": sizes[0], "height": sizes[1]} if sizes else {}
    images = [{"id": n, "file_name": name, **size} for n, name in enumerate(("a.png", "b.png"))]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [20, 5, 30, 10]} for n in range(2)]
    document = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "x"}]}
    (folder / "a.json").write_text(json.dumps(document))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_of_stored_pixels_are_rotated_with_their_image(orientation: int, tmp_path: Path, detect: Any) -> None:
    rotated_coco(tmp_path / "images", orientation, None)
    trial = detect(tmp_path / "images", data={"options": {"exif_boxes": "stored"}, "valid_fraction": 0})
    row = data.load(trial.directory)["train"][0]
    pixels = np.asarray(open_image(row["image"]))
    white = np.argwhere(pixels[..., 0] == 255)
    (top, left), (bottom, right) = white.min(axis=0), white.max(axis=0) + 1
    assert row["objects"]["bbox"] == [[left, top, right - left, bottom - top]]


def test_the_size_before_the_rotation_tells_that_boxes_are_of_stored_pixels(tmp_path: Path, detect: Any) -> None:
    rotated_coco(tmp_path / "before", 6, (60, 40))
    trial = detect(tmp_path / "before", data={"valid_fraction": 0})
    box = data.load(trial.directory)["train"][0]["objects"]["bbox"][0]
    assert box == [25.0, 20.0, 10.0, 30.0]
    fix = codes(trial)["boxes-rotated"]["fix"]
    assert fix["change"] == {"options": {"exif_boxes": "displayed"}}
    again = detect(tmp_path / "before", run="fixed", data={**fix["change"], "valid_fraction": 0})
    assert data.load(again.directory)["train"][0]["objects"]["bbox"][0] == [20.0, 5.0, 20.0, 10.0]
    assert "boxes-rotated" not in codes(again)

    rotated_coco(tmp_path / "after", 6, (40, 60))
    assert "boxes-displayed" in codes(detect(tmp_path / "after", run="after"))
    with pytest.raises(UserError) as error:
        detect(tmp_path / "after", run="wrong", data={"options": {"exif_boxes": "sored"}})
    assert error.value.code == "invalid-setting" and "stored" in error.value.hint
