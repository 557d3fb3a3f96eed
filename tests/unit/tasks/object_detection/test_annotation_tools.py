"""What Label Studio and LabelMe write besides upright boxes, and what the check says about it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import UserError
from tests.trials import Trial
from tests.unit.tasks.object_detection.conftest import SIZE, draw_all
from tests.unit.tasks.object_detection.test_data import codes, rows_of

Detect = Callable[..., Trial]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_all(tmp_path / "images")


def region(label: str, **value: Any) -> dict[str, Any]:
    size = {"original_width": SIZE[0], "original_height": SIZE[1], "image_rotation": value.pop("image_rotation", 0)}
    names = {} if not label else {value.pop("key", "rectanglelabels"): [label]}
    return {"id": "r", "type": "rectanglelabels", **size, "value": {**value, **names}}


def task(number: int, image: str, *annotations: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "data": {"text": "a caption.", "image": image}, "annotations": list(annotations), **more}


def annotation(*regions: Any, **more: Any) -> dict[str, Any]:
    return {"result": list(regions), "was_cancelled": False, **more}


BOX = region("red", x=10, y=10, width=50, height=50)
BLUE = region("blue", x=50, y=50, width=25, height=25)


def label_studio(folder: Path, *tasks: Any) -> None:
    (folder / "project.json").write_text(json.dumps(list(tasks)))


def test_the_hull_of_turned_rectangles_polygons_and_ellipses(folder: Path, detect: Detect) -> None:
    turned = region("red", x=50, y=25, width=20, height=30, rotation=90)  # about its upper left corner, clockwise
    corners = region("blue", points=[[10, 10], [50, 20], [30, 60]], key="polygonlabels")
    round_ = region("blue", x=50, y=50, radiusX=20, radiusY=30, rotation=90, key="ellipselabels")
    label_studio(
        folder,
        task(1, "a.png", annotation(turned)),
        task(2, "b.png", annotation(corners)),
        task(3, "c.png", annotation(round_)),
    )
    trial = detect(folder)
    # 20 % of the width are 24 pixels, 30 % of the height are 24 pixels
    assert rows_of(trial) == {
        "a.png": [([36.0, 20.0, 24.0, 24.0], "red")],
        "b.png": [([12.0, 8.0, 48.0, 40.0], "blue")],
        "c.png": [([36.0, 16.0, 48.0, 48.0], "blue")],
    }
    assert "project.json, task 1, region r" in codes(trial)["boxes-hull"]["message"]


def test_a_diagonal_rectangle_has_a_square_hull(folder: Path, detect: Detect) -> None:
    side = 40 / math.sqrt(2)
    turned = region("red", x=50, y=25, width=side / SIZE[0] * 100, height=side / SIZE[1] * 100, rotation=45)
    label_studio(folder, task(1, "a.png", annotation(turned)), task(2, "b.png", annotation(BLUE)))
    box = rows_of(detect(folder))["a.png"][0][0]
    assert box == pytest.approx([40, 20, 40, 40], abs=0.02)


def test_one_annotation_of_several_is_used_and_cancelled_ones_are_not(folder: Path, detect: Detect) -> None:
    early, late = {"updated_at": "2024-01-02T10:00:00Z"}, {"updated_at": "2024-03-01T10:00:00Z"}
    label_studio(
        folder,
        task(1, "a.png", annotation(BOX, **early), annotation(BLUE, **late)),
        task(2, "b.png", annotation(BOX, ground_truth=True, **early), annotation(BLUE, **late)),
        task(3, "c.png", annotation(BOX, was_cancelled=True), predictions=[annotation(BOX)]),
        task(4, "d.png", annotation()),
    )
    trial = detect(folder)
    found, rows = codes(trial), rows_of(trial)
    assert [label for _, label in rows["a.png"]] == ["blue"] and [label for _, label in rows["b.png"]] == ["red"]
    assert rows["d.png"] == [] and "c.png" not in rows
    assert "2 images have several annotations" in found["several-annotations"]["message"]
    assert "project.json, task 3" in found["task-without-annotation"]["message"]


def test_regions_that_are_no_boxes_are_named(folder: Path, detect: Detect) -> None:
    point = region("red", x=10, y=10, width=1, key="keypointlabels")
    brush = region("red", rle=[1, 2], format="rle", key="brushlabels")
    damaged = region("red", x=None, y=10, width=5, height=5)
    unlabelled = region("", x=10, y=10, width=50, height=50)
    choice = {"type": "choices", "value": {"choices": ["good"]}}
    label_studio(
        folder,
        task(1, "a.png", annotation(point, brush, BOX, choice)),
        task(2, "b.png", annotation(damaged, {**unlabelled, "id": "u"}, BLUE)),
        task(3, "c.png", annotation({**BOX, "image_rotation": 90})),
    )
    trial = detect(folder)
    found = codes(trial)
    assert found["shapes-without-box"]["message"].startswith("2 regions are")
    assert "task 2, region r, project.json, task 2, region u" in found["object-damaged"]["message"]
    assert "task 3" in found["image-turned"]["message"]
    assert {name: len(boxes) for name, boxes in rows_of(trial).items()} == {"a.png": 1, "b.png": 1}


def test_labels_of_a_separate_tag_belong_to_the_rectangle_of_the_same_id(folder: Path, detect: Detect) -> None:
    plain = {**region("", x=10, y=10, width=50, height=50), "type": "rectangle"}
    names = {"id": "r", "type": "labels", "value": {"labels": ["red", "blue"]}}
    label_studio(folder, task(1, "a.png", annotation(plain, names)), task(2, "b.png", annotation(BLUE)))
    assert [label for _, label in rows_of(detect(folder))["a.png"]] == ["red", "blue"]


def test_each_region_is_one_box_although_every_tag_repeats_it(folder: Path, detect: Detect) -> None:
    plain = region("", x=10, y=10, width=50, height=50)
    place = {k: v for k, v in plain["value"].items() if not k.endswith("labels")}
    rectangle = {"id": "r", "type": "rectangle", "value": place}
    names = {"id": "r", "type": "labels", "value": {**place, "labels": ["red"]}}
    text = {"id": "r", "type": "textarea", "value": {**place, "text": ["STOP"]}}
    rated = {**BLUE, "id": "s"}
    choice = {"id": "s", "type": "choices", "value": {**BLUE["value"], "choices": ["broken"]}}
    choice["value"].pop("rectanglelabels")
    label_studio(
        folder,
        task(1, "a.png", annotation(rectangle, names, text, {**rectangle, "id": "t"}, {**names, "id": "t"})),
        task(2, "b.png", annotation(rated, choice)),
    )
    trial = detect(folder)
    rows = rows_of(trial)
    assert [label for _, label in rows["a.png"]] == ["red", "red"] and [label for _, label in rows["b.png"]] == ["blue"]
    assert "object-damaged" not in codes(trial)


def test_regions_of_json_min_get_the_labels_of_their_own_geometry(folder: Path, detect: Detect) -> None:
    places = [{"x": 10 * n, "y": 10, "width": 20, "height": 20, "rotation": 0} for n in range(1, 4)]
    labels = [{**place, "labels": [name]} for place, name in zip(places, ("red", "blue"), strict=False)]
    other = [{**places[0], "rectanglelabels": ["red"]}]  # by which the file is recognized
    entry = {"id": 1, "image": "a.png", "bbox": places, "label": labels}
    (folder / "project.json").write_text(json.dumps([entry, {"id": 2, "image": "b.png", "bbox": other}]))
    trial = detect(folder)
    rows = rows_of(trial)
    assert [label for _, label in rows["a.png"]] == ["red", "blue"] and len(rows["b.png"]) == 1
    assert "region 3" in codes(trial)["object-damaged"]["message"], "it has no label"


def test_images_are_found_by_the_names_that_label_studio_gives_them(folder: Path, detect: Detect) -> None:
    (folder / "a.png").rename(folder / "my (first) picture.png")
    (folder / "b.png").rename(folder / "3f2a1b9c-b.png")
    label_studio(
        folder,
        task(1, "/data/upload/1/0a1b2c3d-my_first_picture.png", annotation(BOX)),
        task(2, "/data/upload/1/3f2a1b9c-b.png", annotation(BLUE)),
        task(3, "s3://bucket/folder/c.png?X-Amz-Expires=9", annotation(BOX)),
        task(4, "https://example.com/photos/x.png", annotation(BOX)),
        task(5, "/data/local-files/?d=photos/y.png", annotation(BOX)),
    )
    trial = detect(folder)
    found = codes(trial)
    assert set(rows_of(trial)) == {"my (first) picture.png", "3f2a1b9c-b.png", "c.png"}
    assert "task 4 (https://example.com/photos/x.png)" in found["image-urls"]["message"]
    assert "task 5" in found["annotated-image-missing"]["message"] and "files-elsewhere" in found


def test_addresses_alone_are_refused_with_the_remedy(folder: Path, detect: Detect) -> None:
    label_studio(folder, task(1, "https://example.com/x.png", annotation(BOX)))
    with pytest.raises(UserError) as error:
        detect(folder)
    assert error.value.code == "image-urls" and "Download" in error.value.hint


def labelme(folder: Path, name: str, *shapes: Any, **more: Any) -> None:
    document = {"version": "5.5.0", "shapes": list(shapes), "imagePath": f"{name}.png", "imageData": None, **more}
    (folder / f"{name}.json").write_text(json.dumps(document))


def shape(kind: str, *points: Any, label: str = "red", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": list(points), "shape_type": kind, **more}


def test_shapes_of_labelme(folder: Path, detect: Detect) -> None:
    labelme(folder, "a", shape("circle", [40, 30], [43, 34]), shape("line", [1, 1], [9, 9]))
    parts = [shape("rectangle", [10 * n, 10], [10 * n + 5, 20], group_id=4) for n in (1, 5)]
    labelme(folder, "b", *parts, shape("mask", [60, 20], [90, 60], label="blue", mask="AAAA"))
    labelme(folder, "c", shape("polygon", [1, 1], [9, 9]), shape("rectangle", [5, 5], [25, 45]))
    (folder / "d.json").write_text('{"shapes": [], "imagePath": "d.png", ')
    trial = detect(folder)
    assert rows_of(trial) == {
        "a.png": [([35.0, 25.0, 10.0, 10.0], "red")],
        "b.png": [([10.0, 10.0, 45.0, 10.0], "red"), ([60.0, 20.0, 30.0, 40.0], "blue")],
        "c.png": [([5.0, 5.0, 20.0, 40.0], "red")],
    }
    found = codes(trial)
    assert "a.json, shape 2 (line)" in found["shapes-without-box"]["message"]
    assert "c.json, shape 1" in found["object-damaged"]["message"] and "d.json" in found["object-damaged"]["message"]


def test_a_damaged_image_inside_a_json_is_skipped_and_named(folder: Path, detect: Detect) -> None:
    labelme(folder, "a", shape("rectangle", [5, 5], [25, 45]))
    labelme(folder, "x", shape("rectangle", [5, 5], [25, 45]), imageData="nothing that is an image")
    labelme(folder, "y", shape("rectangle", [5, 5], [25, 45]))
    trial = detect(folder)
    found = codes(trial)
    assert (
        "x.json" in found["image-unknown"]["message"]
        and "y.png (y.json)" in found["annotated-image-missing"]["message"]
    )
    assert len(rows_of(trial)) == 1
