"""Object detection: boxes around the objects of images, and the class of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from autotrain_gradio.core.panels import PanelKind
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    DUPLICATES,
    EMBEDDED,
    HUB,
    IMAGE,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE_WITH_FILES,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Check, Column, Kind, Layout, SourceOption
from autotrain_gradio.tasks.base import (
    PROGRESS_CHARTS,
    Chart,
    Input,
    Metric,
    Sample,
    SuggestedModel,
    Task,
    TrainerParams,
    param,
)
from autotrain_gradio.tasks.requirements import TRAINER, from_extra

_HERE = "autotrain_gradio.tasks.object_detection."


class ObjectDetectionParams(TrainerParams):
    """Parameters of object detection."""

    epochs: int = param(30, "basic", title="Epochs", ge=1, le=10_000)
    """Number of training epochs (passes over the training split). More epochs fit the training data better and can
    overfit."""
    image_square_size: int = param(640, "basic", title="Image size (pixels)", ge=32, le=4096)
    """Side in pixels of the square to which images are resized for the model. Larger images show small objects better,
    and need more memory. RT-DETR and D-FINE need multiples of 32."""
    horizontal_flip: bool = param(True, "augmentation", title="Horizontal flip")
    """Random horizontal flip of half of the training images. Switch it off where left and right matter, as in text."""
    random_crop: bool = param(True, "augmentation", title="Random crop")
    """Random crop of half of the training images, between 30 and 100 % of the area. Boxes of which less than 30 % is
    left are removed."""
    random_brightness_contrast: bool = param(True, "augmentation", title="Random brightness and contrast")
    """Small random change of brightness and contrast of half of the training images."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained convolutional backbone (DETR, RT-DETR, D-FINE): faster, and often enough for few images."""
    metric_for_best_model: Literal["loss", "map", "map_50"] = param(
        "map", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and small images for the model that is trained from scratch."""
    if model != TINY:
        return {}
    return {"lr": 4e-3, "epochs": 50, "image_square_size": 64, "early_stopping_patience": 0, "random_crop": False}


OBJECTS = Kind("objects", "boxes", _HERE + "object_cells")
_BOX_FORMAT = SourceOption(
    "box_format",
    "xywh (left, top, width, height), xyxy (corners) or cxcywh (centre, width, height), in pixels; with -normalized, "
    "relative to the size of the image; empty: detected.",
)
_EXIF_BOXES = SourceOption(
    "exif_boxes",
    "Of images that EXIF rotates: displayed (boxes were drawn on the image as displayed) or stored (on the pixels as "
    "stored); empty: stored where the annotations give the size before the rotation.",
)
COCO = Layout(
    "coco",
    "COCO JSON",
    _HERE + "coco",
    "train/_annotations.coco.json   (any name; also annotations/instances_train.json)\ntrain/1.jpg\n\n"
    '{"images": [{"id": 1, "file_name": "1.jpg", "width": 640, "height": 480}],\n'
    ' "categories": [{"id": 1, "name": "cat"}],\n'
    ' "annotations": [{"image_id": 1, "category_id": 1, "bbox": [10, 20, 100, 50]}]}',
    files=(".json",),
    options=(_EXIF_BOXES,),
)
YOLO = Layout(
    "yolo",
    "YOLO",
    _HERE + "yolo",
    "data.yaml            names: [cat, dog]\ntrain/images/1.jpg\ntrain/labels/1.txt   class cx cy width height, "
    "relative to the image\n\n0 0.5 0.5 0.2 0.3",
    files=(".txt", ".yaml", ".yml"),
    options=(_EXIF_BOXES,),
)
VOC = Layout(
    "pascal-voc",
    "Pascal VOC",
    _HERE + "pascal_voc",
    "1.jpg\n1.xml\n\n<annotation><object><name>cat</name><bndbox><xmin>10</xmin><ymin>20</ymin>"
    "<xmax>110</xmax><ymax>70</ymax></bndbox></object></annotation>",
    files=(".xml",),
    options=(_EXIF_BOXES,),
)
LABELME = Layout(
    "labelme",
    "LabelMe",
    _HERE + "labelme",
    "1.jpg               (or the image inside the JSON, as imageData)\n1.json\n\n"
    '{"imagePath": "1.jpg", "shapes": [{"label": "cat", "shape_type": "rectangle", '
    '"points": [[10, 20], [110, 70]]}]}',
    files=(".json",),
    options=(_EXIF_BOXES,),
)
LABEL_STUDIO = Layout(
    "label-studio",
    "Label Studio",
    _HERE + "label_studio",
    "project.json        (exported as JSON or JSON-MIN)\n1.jpg               (or the upload, 3f2a1b9c-1.jpg)\n\n"
    '[{"data": {"image": "/data/upload/1/3f2a1b9c-1.jpg"}, "annotations": [{"result": [{"type": "rectanglelabels",\n'
    '  "original_width": 640, "original_height": 480,\n'
    '  "value": {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["cat"]}}]}]}]',
    files=(".json",),
    options=(_EXIF_BOXES,),
)
TABLE = replace(
    TABLE_WITH_FILES,
    example="metadata.jsonl       (beside the images, or with their paths)\n1.jpg\n\n"
    '{"file_name": "1.jpg", "objects": {"bbox": [[10, 20, 100, 50]], "category": ["cat"]}}',
    options=(*TABLE_WITH_FILES.options, _BOX_FORMAT, _EXIF_BOXES),
)
ROWS = replace(
    EMBEDDED,
    example="train-00000-of-00001.parquet\n\nimage: {bytes, path}    objects: {bbox: [[x, y, width, height]], "
    "category: [class]}",
    options=(*EMBEDDED.options, _BOX_FORMAT, _EXIF_BOXES),
)

TASK = Task(
    name="object-detection",
    title="Object detection",
    modality="Images",
    summary="Find objects in images: a box and a class for each.",
    module="autotrain_gradio.tasks.object_detection.train",
    requires=from_extra("detection", *TRAINER, "albumentations", "faster_coco_eval=faster-coco-eval", "scipy"),
    preview_module=_HERE + "preview",
    params=ObjectDetectionParams,
    columns=(
        Column(
            "image",
            "Image",
            IMAGE,
            "The image, or the name of its file.",
            purpose="input",
            names=("image", "img", "file_name", "filename", "file", "image_path", "path", "picture", "photo"),
        ),
        Column(
            "objects",
            "Objects",
            OBJECTS,
            "The boxes of the objects and their classes.",
            purpose="target",
            names=("objects", "annotations", "labels", "boxes", "bboxes", "target"),
        ),
    ),
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, ROWS, TABLE, COCO, YOLO, VOC, LABEL_STUDIO, LABELME),
    checks=(Check("boxes", "Boxes that do not fit their images", _HERE + "boxes_check"), DUPLICATES),
    metrics=(
        Metric(
            "map",
            "mAP",
            percent=True,
            help="Mean average precision over the classes and over IoU thresholds from 0.5 to 0.95 (COCO).",
        ),
        Metric("map_50", "mAP50", percent=True, help="Mean average precision at an IoU of 0.5."),
        Metric("map_75", "mAP75", percent=True, help="Mean average precision at an IoU of 0.75: of exact boxes."),
        Metric("map_small", "mAP (small)", percent=True, help="mAP of objects under 32² pixels."),
        Metric("map_medium", "mAP (medium)", percent=True, help="mAP of objects of 32² to 96² pixels."),
        Metric("map_large", "mAP (large)", percent=True, help="mAP of objects over 96² pixels."),
        Metric("mar_100", "mAR", percent=True, help="Mean average recall with at most 100 boxes in each image."),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="map",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart("Validation metrics", {"eval_map": "mAP", "eval_map_50": "mAP50", "eval_map_75": "mAP75"}),
        *PROGRESS_CHARTS,
    ),
    inputs=(
        Input("image", "An image", "image"),
        Input("threshold", "Confidence threshold", "number", setting=True),
    ),
    loader_example="""\
import torch
from transformers import AutoImageProcessor, AutoModelForObjectDetection
from transformers.image_utils import load_image

processor = AutoImageProcessor.from_pretrained(model)
detector = AutoModelForObjectDetection.from_pretrained(model)
image = load_image(value)
with torch.inference_mode():
    outputs = detector(**processor(images=image, return_tensors="pt"))
size = [(image.height, image.width)]
found = processor.post_process_object_detection(outputs, threshold=0.5, target_sizes=size)[0]
answer = [
    {"label": detector.config.id2label[int(label)], "score": float(score), "box": box.tolist()}
    for label, score, box in zip(found["labels"], found["scores"], found["boxes"])
]
""",
    answer="objects",
    models=(
        SuggestedModel("ustc-community/dfine-small-coco", "Small and accurate; a good default.", 10.4, gpu=True),
        SuggestedModel("PekingU/rtdetr_v2_r18vd", "RT-DETRv2: fast, and trains well with few images.", 20.2, gpu=True),
        SuggestedModel("PekingU/rtdetr_v2_r50vd", "More accurate; a larger GPU.", 42.9, gpu=True),
        SuggestedModel("facebook/detr-resnet-50", "DETR: needs more images and epochs.", 41.6, gpu=True),
        SuggestedModel("hustvl/yolos-tiny", "The smallest; for a first test.", 6.5),
    ),
    defaults=defaults,
    model_filter="object-detection",
    shown=("image_square_size",),
    position=20,
    panel_kinds=(PanelKind("boxes", _HERE + "boxes_panel"),),
    samples=(
        Sample(
            "shapes-in-scenes", "Drawn shapes", "object_detection/shapes", "60 small images with circles and squares."
        ),
    ),
    aliases=("object_detection", "image-object-detection", "image_object_detection"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
