"""Layouts and forms of masks, and what the check says about them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.image_segmentation import segments as segments_module
from autotrain_gradio.tasks.image_segmentation.mask_reader import MaskReader
from autotrain_gradio.tasks.registry import resolve
from tests.unit.tasks.image_segmentation.conftest import BOXES, SIZE, draw_all, mask_of, picture_of, save

VALUES = np.array([0, 7, 9], np.uint8)
TABLE = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255)], np.uint8)
CLASS_NAMES = "background\nred\nblue\n"


def check(folder: Path, tmp_path: Path, **given: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the result of a check, and its findings by code."""
    spec = {"task": "image-segmentation", "model": "tiny", "data": {"source": "path", "path": str(folder), **given}}
    draft = tmp_path / "draft"
    draft.mkdir(exist_ok=True)
    result = data.check(draft, Request.of(resolve(spec)))
    return result, {f["code"]: f for f in result["findings"]}


def errors(found: dict[str, dict[str, Any]]) -> list[str]:
    return [code for code, f in found.items() if f["level"] == "error"]


def masks_of(directory: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the names of the classes, and stem of an image → the mask that the training reads."""
    reader, made = MaskReader.of(directory), {}
    for part in data.load(directory).values():
        for row in part:
            cell = row["image"]
            with Image.open(io.BytesIO(cell["bytes"]) if cell["bytes"] else cell["path"]) as image:
                size = image.height, image.width
            name = Path(cell["path"]).stem if cell["path"] else str(len(made))
            made[name] = reader.read(row, size)
    return reader.names, made


def require_truth(directory: Path, names: list[str] | None = None) -> None:
    found, masks = masks_of(directory)
    assert names is None or found == names
    assert len(masks) == len(BOXES)
    for name, mask in masks.items():
        assert (mask == mask_of(BOXES[name])).all(), name


def as_palette(mask: np.ndarray, order: tuple[int, ...] = (0, 1, 2)) -> Image.Image:
    """Return a palette image. order: class → its value; the palette gives every class its colour of `TABLE`."""
    image = Image.fromarray(np.array(order, np.uint8)[mask], "P")
    palette = np.zeros((3, 3), np.uint8)
    palette[list(order)] = TABLE
    image.putpalette(palette.reshape(-1).tolist())
    return image


def with_names(folder: Path, name: str = "classes.txt", text: str = CLASS_NAMES) -> None:
    (folder / name).write_text(text)


def coco(folder: Path, form: str) -> None:
    """Write annotations as polygons or run lengths of every box."""
    images, found = [], []
    for number, (name, boxes) in enumerate(BOXES.items(), 3):
        save(picture_of(mask_of(boxes), number), folder / f"{name}.png")
        images.append({"id": number, "file_name": f"{name}.png", "width": SIZE[0], "height": SIZE[1]})
        for (x, y, w, h), label in boxes:
            mask = mask_of([((x, y, w, h), 1)])
            segmentation: Any = [[x, y, x + w, y, x + w, y + h, x, y + h]]
            if form == "rle":
                flat = mask.T.reshape(-1)
                ends = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
                starts = np.diff(np.concatenate([[0], ends, [flat.size]]))
                segmentation = {"size": [SIZE[1], SIZE[0]], "counts": starts.tolist()}
            found.append({"id": len(found), "image_id": number, "category_id": label, "segmentation": segmentation})
    categories = [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}]
    document = {"images": images, "annotations": found, "categories": categories}
    (folder / "_annotations.coco.json").write_text(json.dumps(document))


def as_values(folder: Path) -> None:
    draw_all(folder)
    with_names(folder)


def as_palettes(folder: Path) -> None:
    draw_all(folder, as_palette)
    with_names(folder)


def as_colours(folder: Path) -> None:
    draw_all(folder, lambda mask: TABLE[mask])
    with_names(folder, "class_dict.csv", "name,r,g,b\nbackground,0,0,0\nred,255,0,0\nblue,0,0,255\n")


def as_cvat(folder: Path) -> None:
    for number, (name, boxes) in enumerate(BOXES.items()):
        save(picture_of(mask_of(boxes), number), folder / "JPEGImages" / f"{name}.png")
        save(TABLE[mask_of(boxes)], folder / "SegmentationClass" / f"{name}.png")
        save(TABLE[mask_of(boxes)], folder / "SegmentationObject" / f"{name}.png")
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "default.txt").write_text("\n".join(BOXES))
    text = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nred:255,0,0::\nblue:0,0,255::\n"
    with_names(folder, "labelmap.txt", text)


def as_roboflow(folder: Path) -> None:
    for number, (name, boxes) in enumerate(BOXES.items()):
        part = folder / ("train" if name != "d" else "valid")
        save(picture_of(mask_of(boxes), number), part / f"{name}.png")
        save(mask_of(boxes), part / f"{name}_mask.png")
        with_names(part, "_classes.csv", "Pixel Value, Class\n0, background\n1, red\n2, blue\n")


def as_ade(folder: Path) -> None:
    for number, (name, boxes) in enumerate(BOXES.items()):
        part = "training" if name != "d" else "validation"
        save(picture_of(mask_of(boxes), number), folder / "images" / part / f"{name}.png")
        save(mask_of(boxes) + 1, folder / "annotations" / part / f"{name}.png")
    lines = ["Idx\tRatio\tTrain\tVal\tName", *(f"{n}\t0.1\t1\t1\t{x}" for n, x in enumerate(CLASS_NAMES.split(), 1))]
    with_names(folder, "objectInfo150.txt", "\n".join(lines))


def as_table(folder: Path) -> None:
    draw_all(folder)
    with_names(folder, "id2label.json", json.dumps({"0": "background", "1": "red", "2": "blue"}))
    lines = ["mask,picture", *(f"masks/{n}.png,images/{n}.png" for n in BOXES)]
    (folder / "metadata.csv").write_text("\n".join(lines))


def as_parquet(folder: Path) -> None:
    draw_all(folder / "files")
    cells = [
        [{"bytes": (folder / "files" / kind / f"{n}.png").read_bytes(), "path": f"{n}.png"} for n in BOXES]
        for kind in ("images", "masks")
    ]
    pq.write_table(pa.table({"annotation": cells[1], "pixel_values": cells[0]}), folder / "train.parquet")
    import shutil

    shutil.rmtree(folder / "files")
    with_names(folder)


def as_polygons(folder: Path) -> None:
    coco(folder, "polygons")


def as_run_lengths(folder: Path) -> None:
    coco(folder, "rle")


@pytest.mark.parametrize(
    "write",
    [
        as_values,
        as_palettes,
        as_colours,
        as_cvat,
        as_roboflow,
        as_ade,
        as_table,
        as_polygons,
        as_run_lengths,
    ],
)
def test_every_layout_gives_the_same_masks(tmp_path: Path, write: Callable[[Path], None]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder)
    result, found = check(folder, tmp_path)
    assert not errors(found), found
    require_truth(tmp_path / "draft", ["background", "red", "blue"])
    if write in (as_roboflow, as_ade):
        assert result["splits"] == {"train": 3, "validation": 1}
    assert result["profile"] and "Share of the pixels" in json.dumps(result["profile"])


def test_masks_inside_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    as_parquet(folder)
    _, found = check(folder, tmp_path, columns={"image": "pixel_values"})
    assert not errors(found), found
    names, masks = masks_of(tmp_path / "draft")
    assert names == ["background", "red", "blue"]
    wanted = sorted(mask_of(boxes).tobytes() for boxes in BOXES.values())
    assert sorted(mask.tobytes() for mask in masks.values()) == wanted


def binary(folder: Path, change: Callable[[np.ndarray], Any], suffix: str = ".png", **options: Any) -> None:
    """Write masks of two classes: all boxes are the foreground."""
    for number, (name, boxes) in enumerate(BOXES.items()):
        mask = (mask_of(boxes) > 0).astype(np.uint8)
        save(picture_of(mask, number), folder / "images" / f"{name}.png")
        save(change(mask), folder / "masks" / f"{name}{suffix}", **options)


def apply(finding: dict[str, Any], number: int | None = None) -> dict[str, Any]:
    """Return the change of the data that a finding's button makes."""
    chosen = finding["fix"] if number is None else finding["alternatives"][number]
    change: dict[str, Any] = chosen["change"]
    return change


def test_binary_masks_of_0_and_255(tmp_path: Path) -> None:
    binary(tmp_path / "data", lambda mask: mask * 255)
    _, found = check(tmp_path / "data", tmp_path)
    assert not errors(found) and "mask-binary" in found and "mask-ignored-value" not in found
    names, masks = masks_of(tmp_path / "draft")
    assert names == ["background", "foreground"]
    assert all((m == (mask_of(BOXES[n]) > 0)).all() for n, m in masks.items())


def test_a_table_of_grey_colours_names_the_values_of_masks_and_not_its_lines(tmp_path: Path) -> None:
    binary(tmp_path / "data", lambda mask: mask * 255)
    with_names(tmp_path / "data", "class_dict.csv", "name,r,g,b\nroad,255,255,255\nbackground,0,0,0\n")
    _, found = check(tmp_path / "data", tmp_path)
    names, masks = masks_of(tmp_path / "draft")
    assert not errors(found) and sorted(names) == ["background", "road"]
    assert all(
        (m == np.where(mask_of(BOXES[n]) > 0, *map(names.index, ("road", "background")))).all()
        for n, m in masks.items()
    )


@pytest.mark.parametrize("end", ["_l", "_rgb", "_gt"])
def test_an_end_that_image_and_mask_share_belongs_to_the_name(tmp_path: Path, end: str) -> None:
    folder = draw_all(tmp_path / "data")
    with_names(folder)
    for part in ("images", "masks"):
        for file in (folder / part).iterdir():
            file.rename(file.with_stem(file.stem + end))
        (folder / part).rename(folder / f"training_{part}")
    result, found = check(folder, tmp_path)
    assert not errors(found) and sum(result["splits"].values()) == len(BOXES)
    masks = masks_of(tmp_path / "draft")[1]
    assert all((masks[name + end] == mask_of(boxes)).all() for name, boxes in BOXES.items())


def test_many_segments_are_drawn_within_a_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [(n, n, 40 - n, 40 - n) for n in range(30)]
    segments = [
        {"class": n, "polygons": [[x, y, x + w, y, x + w, y + h, x, y + h]]} for n, (x, y, w, h) in enumerate(boxes)
    ]
    whole = segments_module.draw(segments, (64, 64), 255, 254)
    monkeypatch.setattr(segments_module, "KEPT_BYTES", 3 * 64 * 64)
    assert (segments_module.draw(segments[::-1], (64, 64), 255, 254) == whole).all() and len(np.unique(whole)) == 31


def test_255_beside_other_values_is_ignored_and_can_be_a_class(tmp_path: Path) -> None:
    def border(mask: np.ndarray) -> np.ndarray:
        made = mask.copy()
        made[:3] = 255
        return made

    draw_all(tmp_path / "data", border)
    with_names(tmp_path / "data")
    _, found = check(tmp_path / "data", tmp_path)
    assert not errors(found)
    masks = masks_of(tmp_path / "draft")[1]
    assert all((m[:3] == 255).all() and (m[3:] == mask_of(BOXES[n])[3:]).all() for n, m in masks.items())
    change = apply(found["mask-ignored-value"], 0)
    change["options"]["other_pixels"] = "class"
    _, found = check(tmp_path / "data", tmp_path, **change)
    assert not errors(found) and masks_of(tmp_path / "draft")[0] == ["background", "red", "blue", "class 255"]


def test_values_above_the_number_of_classes_are_an_error_with_choices(tmp_path: Path) -> None:
    draw_all(tmp_path / "data", lambda mask: VALUES[mask])
    with_names(tmp_path / "data")
    _, found = check(tmp_path / "data", tmp_path)
    finding = found["mask-values-unknown"]
    assert finding["level"] == "error" and "7 (" in finding["message"] and "9 (" in finding["message"]
    _, found = check(tmp_path / "data", tmp_path, options={"class_names": ["0=sky", "7=red", "9=blue"]})
    assert not errors(found)
    require_truth(tmp_path / "draft", ["sky", "red", "blue"])
    _, found = check(tmp_path / "data", tmp_path, **apply(finding, 0))
    assert masks_of(tmp_path / "draft")[0] == ["background", "red", "blue", "class 7", "class 9"]


def test_masks_that_count_from_one(tmp_path: Path) -> None:
    def counted(mask: np.ndarray) -> np.ndarray:
        made = mask + 1
        made[:2] = 0
        return made

    draw_all(tmp_path / "data", counted)
    with_names(tmp_path / "data", text="sky\nred\nblue\n")
    _, found = check(tmp_path / "data", tmp_path)
    assert not errors(found) and "1 is 'sky'" in found["mask-starts-at-one"]["message"]
    names, masks = masks_of(tmp_path / "draft")
    assert names == ["sky", "red", "blue"] and (masks["a"][2:] == mask_of(BOXES["a"])[2:]).all()
    assert (masks["a"][:2] == 255).all()
    check(tmp_path / "data", tmp_path, **apply(found["mask-starts-at-one"], 0))
    assert masks_of(tmp_path / "draft")[0] == ["background", "sky", "red", "blue"]


def test_masks_without_names(tmp_path: Path) -> None:
    draw_all(tmp_path / "data", lambda mask: VALUES[mask])
    _, found = check(tmp_path / "data", tmp_path)
    assert not errors(found) and found["mask-classes-unnamed"]["level"] == "warning"
    require_truth(tmp_path / "draft", ["class 0", "class 7", "class 9"])


def test_jpeg_masks_are_an_error_and_can_be_cleaned(tmp_path: Path) -> None:
    draw_all(tmp_path / "data", lambda mask: TABLE[mask], ".jpg")
    _, found = check(tmp_path / "data", tmp_path)
    assert errors(found) == ["mask-jpeg"]
    _, found = check(tmp_path / "data", tmp_path, **apply(found["mask-jpeg"]))
    assert not errors(found)
    names, masks = masks_of(tmp_path / "draft")
    assert len(names) == 3
    order = [np.bincount(masks["d"][mask_of(BOXES["d"]) == n]).argmax() for n in range(3)]
    assert sorted(order) == [0, 1, 2]
    for name, mask in masks.items():
        assert (mask == np.array(order)[mask_of(BOXES[name])]).mean() > 0.97


@pytest.mark.parametrize("named", [False, True])
def test_colours_at_smoothed_edges_get_the_nearest_class_or_are_ignored(tmp_path: Path, named: bool) -> None:
    def edges(mask: np.ndarray) -> np.ndarray:
        pixels = TABLE[mask].astype(int)
        pixels[20, 5:15] = [(9 * k + 30, 0, 0) for k in range(10)]  # blends of red and black
        return pixels.astype(np.uint8)

    draw_all(tmp_path / "data", edges)
    if named:
        with_names(tmp_path / "data", "label_colors.txt", "0 0 0 background\n255 0 0 red\n0 0 255 blue\n")
    _, found = check(tmp_path / "data", tmp_path)
    assert not errors(found) and found["mask-smoothed"]["level"] == "warning"
    names, masks = masks_of(tmp_path / "draft")
    assert len(names) == 3 and set(np.unique(masks["b"])) <= {0, 1, 2}
    check(tmp_path / "data", tmp_path, **apply(found["mask-smoothed"], 0))
    masks = masks_of(tmp_path / "draft")[1]
    assert (masks["b"] == 255).sum() == 10


def test_palettes_in_another_order_use_the_colours(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number, (name, boxes) in enumerate(BOXES.items()):
        mask = mask_of(boxes)
        save(picture_of(mask, number), folder / "images" / f"{name}.png")
        save(as_palette(mask, (0, 1, 2) if number % 2 else (2, 0, 1)), folder / "masks" / f"{name}.png")
    _, found = check(folder, tmp_path)
    assert not errors(found) and found["mask-palettes-differ"]["level"] == "warning"
    names, masks = masks_of(tmp_path / "draft")
    order = [names.index(f"class {c}") for c in ("#000000", "#ff0000", "#0000ff")]
    for name, mask in masks.items():
        assert (mask == np.array(order)[mask_of(BOXES[name])]).all()


def test_masks_of_another_size(tmp_path: Path) -> None:
    folder = draw_all(tmp_path / "data")
    with_names(folder)
    for name, boxes in BOXES.items():
        save(Image.fromarray(mask_of(boxes)).resize((48, 32), Image.Resampling.NEAREST), folder / f"masks/{name}.png")
    save(np.zeros((40, 40), np.uint8), folder / "masks" / "a.png")
    result, found = check(folder, tmp_path)
    assert not errors(found) and "mask-resized" in found and "40 × 40" in found["mask-size"]["message"]
    assert {"code": "mask-size", "count": 1}.items() <= result["dropped"][0].items()
    masks = masks_of(tmp_path / "draft")[1]
    assert sorted(masks) == ["b", "c", "d"] and (masks["b"] == mask_of(BOXES["b"])).mean() > 0.97


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_masks_of_images_that_exif_rotates(tmp_path: Path, orientation: int) -> None:
    folder = draw_all(tmp_path / "data")
    with_names(folder)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for number, (name, boxes) in enumerate(BOXES.items()):
        (folder / "images" / f"{name}.png").unlink()
        save(picture_of(mask_of(boxes), number), folder / "images" / f"{name}.jpg", exif=exif)
    _, found = check(folder, tmp_path)
    code = "mask-rotation-unclear" if orientation == 3 else "mask-rotated"
    assert not errors(found) and found[code]["level"] == "warning"
    if orientation == 3:
        check(folder, tmp_path, **apply(found[code], 0))
    reader, rows = MaskReader.of(tmp_path / "draft"), data.load(tmp_path / "draft")["train"]
    from autotrain_gradio.training.image_files import open_image

    for row in rows:
        image = np.asarray(open_image(row["image"])).astype(int)
        mask = reader.read(row, image.shape[:2])
        red = (image[..., 0] - image[..., 2]) > 80
        assert mask.shape == image.shape[:2] and ((mask == 1) == red).mean() > 0.99


def test_images_without_masks_and_masks_without_images(tmp_path: Path) -> None:
    folder = draw_all(tmp_path / "data")
    with_names(folder)
    (folder / "masks" / "a.png").unlink()
    (folder / "images" / "b.png").unlink()
    result, found = check(folder, tmp_path)
    assert "images/a.png" in found["image-without-mask"]["message"]
    assert "masks/b.png" in found["mask-without-image"]["message"]
    assert sum(result["splits"].values()) == 2 and "files-unused" not in found


def test_transparent_pixels_are_black(tmp_path: Path) -> None:
    def clear(mask: np.ndarray) -> np.ndarray:
        return np.dstack([TABLE[mask] + (mask == 0)[..., None].astype(np.uint8) * 90, (mask > 0) * np.uint8(255)])

    draw_all(tmp_path / "data", clear)
    with_names(tmp_path / "data", "label_colors.txt", "0 0 0 background\n255 0 0 red\n0 0 255 blue\n")
    _, found = check(tmp_path / "data", tmp_path)
    assert not errors(found) and "mask-transparent" in found
    require_truth(tmp_path / "draft", ["background", "red", "blue"])


def test_photos_are_no_masks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    draw_all(tmp_path / "data", lambda mask: rng.integers(0, 255, (*mask.shape, 3)).astype(np.uint8))
    _, found = check(tmp_path / "data", tmp_path)
    assert errors(found) == ["mask-too-many-values"]


def test_a_class_in_one_split_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for part, names in (("train", "ac"), ("val", "bd")):
        for name in names:
            mask = mask_of([b for b in BOXES[name] if part == "val" or b[1] == 1])
            save(picture_of(mask), folder / part / "images" / f"{name}.png")
            save(mask, folder / part / "masks" / f"{name}.png")
    with_names(folder)
    _, found = check(folder, tmp_path)
    assert "'blue'" in found["classes-not-in-training"]["message"]


def test_pixels_in_no_polygon_can_be_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    coco(folder, "polygons")
    _, found = check(folder, tmp_path)
    check(folder, tmp_path, **apply(found["segments-unlabelled"], 0))
    names, masks = masks_of(tmp_path / "draft")
    assert names == ["red", "blue"] and (masks["a"][mask_of(BOXES["a"]) == 0] == 255).all()
    assert (masks["c"][mask_of(BOXES["c"]) == 2] == names.index("blue")).all()


def test_damaged_annotations_are_reported_and_take_no_memory(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    coco(folder, "polygons")
    path = folder / "_annotations.coco.json"
    document = json.loads(path.read_text())
    bad: list[Any] = [
        {"size": [64, 96], "counts": [0, 10**12]},
        {"size": [10**6, 10**6], "counts": "0" * 9},
        {"size": [64, 96], "counts": "PPPPPPP\u00ff"},
        [[1, 2, 3, 4]],
        [["x", 2, 3, 4, 5, 6]],
        [[-1e9, -1e9, 1e9, -1e9, 1e9, -0.9e9]],
        {"counts": 7},
    ]
    document["annotations"] += [
        {"id": 90 + n, "image_id": 3, "category_id": 1, "segmentation": s} for n, s in enumerate(bad)
    ]
    document["images"].append({"id": 99, "file_name": "a.png", "width": 10**6, "height": 10**6})
    path.write_text(json.dumps(document))
    result, found = check(folder, tmp_path)
    assert not errors(found) and {"segments-damaged", "segments-too-large"} <= set(found)
    require_truth(tmp_path / "draft", ["background", "red", "blue"])


@pytest.mark.parametrize(
    ("option", "value"),
    [("other_pixels", "x"), ("mask_pixels", "x"), ("ignore_values", ["x"]), ("class_names", ["0=a", "b"])],
)
def test_wrong_options_are_errors(tmp_path: Path, option: str, value: Any) -> None:
    draw_all(tmp_path / "data")
    _, found = check(tmp_path / "data", tmp_path, options={option: value})
    assert found["invalid-setting"]["where"] == f"data.options.{option}"


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_named_binary_masks_with_smoothed_edges_are_split_in_the_middle(tmp_path: Path, suffix: str) -> None:
    def edges(mask: np.ndarray) -> np.ndarray:
        made = mask * 255
        made[20, 5:15] = np.arange(10) * 12 + 3  # 3 to 111: nearer to the background
        return made

    binary(tmp_path / "data", edges, suffix)
    with_names(tmp_path / "data", text="background\nobject\n")
    _, found = check(tmp_path / "data", tmp_path)
    if suffix == ".jpg":
        _, found = check(tmp_path / "data", tmp_path, **apply(found["mask-jpeg"]))
    assert not errors(found), found
    names, masks = masks_of(tmp_path / "draft")
    assert names == ["background", "object"]
    for name, mask in masks.items():
        wanted = (mask_of(BOXES[name]) > 0).astype(np.uint8)
        wanted[20, 5:15] = 0
        assert (mask == wanted).all() if suffix == ".png" else (mask == wanted).mean() > 0.98


def test_named_class_numbers_that_jpeg_has_destroyed_stay_an_error(tmp_path: Path) -> None:
    draw_all(tmp_path / "data", lambda mask: mask, ".jpg")
    with_names(tmp_path / "data")
    _, found = check(tmp_path / "data", tmp_path, options={"other_pixels": "nearest"})
    assert errors(found) == ["mask-jpeg"]


def test_a_saved_dataset(tmp_path: Path) -> None:
    folder = draw_all(tmp_path / "files")
    cells = {
        role: [{"bytes": (folder / name / f"{n}.png").read_bytes(), "path": None} for n in BOXES]
        for role, name in (("annotation", "masks"), ("image", "images"))
    }
    features = datasets.Features({"annotation": datasets.Image(), "image": datasets.Image()})
    datasets.Dataset.from_dict(cells, features).save_to_disk(str(tmp_path / "data"))
    _, found = check(tmp_path / "data", tmp_path, options={"class_names": CLASS_NAMES.split()})
    assert not errors(found), found
    names, masks = masks_of(tmp_path / "draft")
    assert names == ["background", "red", "blue"]
    assert sorted(m.tobytes() for m in masks.values()) == sorted(mask_of(b).tobytes() for b in BOXES.values())
