"""Image segmentation: the class of each pixel of an image (semantic segmentation)."""

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
from autotrain_gradio.data.declarations import Check, Column, Format, Kind, Layout, SourceOption
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
from autotrain_gradio.tasks.images import IMAGE_COLUMN
from autotrain_gradio.tasks.requirements import TRAINER, from_extra

_HERE = "autotrain_gradio.tasks.image_segmentation."


class ImageSegmentationParams(TrainerParams):
    """Parameters of image segmentation."""

    epochs: int = param(30, "basic", title="Epochs", ge=1, le=10_000)
    """Number of training epochs (passes over the training split). More epochs fit the training data better and can
    overfit."""
    lr: float = param(6e-5, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. If it is too high the loss diverges; if it is too low the
    model hardly learns."""
    image_square_size: int = param(512, "basic", title="Image size (pixels)", ge=32, le=4096)
    """Side in pixels of the square to which images are resized for the model. Larger images show fine outlines better,
    and need more memory. Multiples of 32 fit every model."""
    random_resized_crop: bool = param(True, "augmentation", title="Random resized crop")
    """Random crop of the training images, between 30 and 100 % of the area, so that size and position of the objects
    do not matter."""
    horizontal_flip: bool = param(True, "augmentation", title="Horizontal flip")
    """Random horizontal flip of half of the training images. Switch it off where left and right matter, as in text."""
    random_rotate90: bool = param(False, "augmentation", title="Random 90° rotation")
    """Random rotation of the training images by a multiple of 90 degrees. Switch it on where no direction is up, as in
    aerial images and under a microscope."""
    random_brightness_contrast: bool = param(True, "augmentation", title="Random brightness and contrast")
    """Small random change of brightness and contrast of half of the training images."""
    class_weights: Literal["none", "balanced"] = param("none", "training", title="Class weights")
    """Class weights of the loss. `balanced`: rare classes count more, by the inverse square root of their pixels, at
    most ten times as much. Not for Mask2Former and MaskFormer, whose loss compares whole masks."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained encoder, and train the decoder alone: faster, and often enough for few images."""
    metric_for_best_model: Literal["loss", "miou", "mean_accuracy", "pixel_accuracy"] = param(
        "miou", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and small images for the model that is trained from scratch."""
    if model != TINY:
        return {}
    return {"lr": 3e-3, "epochs": 40, "image_square_size": 64, "early_stopping_patience": 0}


# Its name is that of images: the cells are image files, which a layout cannot tell from photos.
MASK = replace(IMAGE, title="mask", module=_HERE + "mask_cells", noun="mask")
"""An image file whose pixels are values or colours of classes."""
SEGMENTS = Kind("polygons", "polygons", _HERE + "segment_cells")
"""JSON of the polygons or run lengths of an image and their classes."""

_OPTIONS = (
    SourceOption(
        "class_names",
        "names of the classes, in the order of the values from 0; or as value=name or #rrggbb=name; empty: those that "
        "the data declares.",
        many=True,
    ),
    SourceOption(
        "ignore_values",
        "values or colours (#rrggbb) of pixels that are not learned or evaluated, or 'none'; empty: 255, if it occurs.",
        many=True,
    ),
    SourceOption(
        "other_pixels",
        "pixels whose value or colour is not one of the classes: ignore, nearest (the class of the most similar value "
        "or colour) or class (each value becomes a class); empty: detected.",
    ),
    SourceOption(
        "mask_pixels",
        "what the pixels of masks are: values or colours; empty: detected.",
    ),
    SourceOption(
        "rotate_masks",
        "whether masks are rotated as the EXIF orientation of their images says: true or false; empty: only where "
        "width and height differ otherwise.",
    ),
)
_UNLABELLED = SourceOption(
    "unlabelled",
    "pixels in no polygon: background (a class, the default) or ignore (not learned or evaluated).",
)

MASK_FOLDERS = Layout(
    "mask-folders",
    "Folders of images and masks",
    _HERE + "mask_folders",
    "photos.zip\n├── images/           (also JPEGImages)\n│   ├── train/        (optional; also val, test)\n"
    "│   │   └── 1.jpg\n├── masks/            (same names; also annotations, labels, SegmentationClass)\n"
    "│   ├── train/\n│   │   └── 1.png     (PNG: values or colours of classes)\n"
    "└── classes.txt       (optional; also labelmap.txt, id2label.json, class_dict.csv)",
    files=(
        "classes.txt",
        "labels.txt",
        "labelmap.txt",
        "class_names.txt",
        "label_colors.txt",
        "id2label.json",
        "objectinfo150.txt",
        "imagesets/segmentation/train.txt",
        "imagesets/segmentation/val.txt",
    ),
    options=_OPTIONS,
)
COCO = Layout(
    "coco-segments",
    "COCO JSON with polygons or RLE",
    _HERE + "coco",
    "train/_annotations.coco.json   (any name; also annotations/instances_train.json)\ntrain/1.jpg\n\n"
    '{"images": [{"id": 1, "file_name": "1.jpg", "width": 640, "height": 480}],\n'
    ' "categories": [{"id": 1, "name": "cat"}],\n'
    ' "annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[10, 20, 110, 20, 60, 70]]}]}',
    files=(".json",),
    options=(_UNLABELLED,),
)
TABLE = replace(
    TABLE_WITH_FILES,
    module=_HERE + "mask_tables",
    example="photos.zip\n├── metadata.csv      (any .csv, .tsv or .jsonl)\n├── images/ …\n└── masks/ …\n\n"
    "file_name,mask\nimages/1.jpg,masks/1.png\nimages/2.jpg,masks/2.png",
    options=(*TABLE_WITH_FILES.options, *_OPTIONS),
)
ROWS = replace(
    EMBEDDED,
    module=_HERE + "mask_rows",
    example="train-00000-of-00001.parquet\n\nimage: {bytes, path}    mask: {bytes, path}",
    options=(*EMBEDDED.options, *_OPTIONS),
)

_MASK_COLUMN = Column(
    "mask",
    "Mask",
    MASK,
    "The mask: an image of the same size, whose pixels are values or colours of classes.",
    purpose="target",
    names=(
        "mask",
        "label",
        "annotation",
        "segmentation",
        "segmentation_mask",
        "semantic_mask",
        "semantic",
        "mask_path",
        "mask_file",
        "mask_file_name",
        "mask_filename",
        "label_path",
        "label_file",
        "labels",
        "masks",
        "annotation_path",
        "gt",
        "ground_truth",
        "target",
    ),
)
_SEGMENTS_COLUMN = Column(
    "polygons",
    "Polygons",
    SEGMENTS,
    "The polygons or run lengths of an image, and their classes.",
    purpose="target",
    names=("polygons",),
)

TASK = Task(
    name="image-segmentation",
    title="Image segmentation",
    modality="Images",
    summary="Assign a class to each pixel of an image.",
    module=_HERE + "train",
    requires=from_extra("segmentation", *TRAINER, "albumentations", "faster_coco_eval=faster-coco-eval", "scipy"),
    preview_module=_HERE + "preview",
    params=ImageSegmentationParams,
    formats=(
        Format("masks", "Masks", (IMAGE_COLUMN, _MASK_COLUMN), "An image and its mask in each row."),
        Format("polygons", "Polygons", (IMAGE_COLUMN, _SEGMENTS_COLUMN), "An image and its polygons in each row."),
    ),
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(replace(SAVED_DATASET, options=_OPTIONS), ROWS, TABLE, MASK_FOLDERS, COCO),
    checks=(
        Check("masks", "Masks that do not fit their images or classes", _HERE + "masks_check"),
        DUPLICATES,
        Check(
            "mask-classes", "Classes with few pixels, or in one split only", _HERE + "classes_check", after_split=True
        ),
    ),
    metrics=(
        Metric(
            "miou",
            "mIoU",
            percent=True,
            help="Mean over the classes of the intersection over union (IoU) of predicted and true pixels.",
        ),
        Metric("mean_accuracy", "Mean accuracy", percent=True, help="Mean over the classes of the recall of pixels."),
        Metric("pixel_accuracy", "Pixel accuracy", percent=True, help="Share of the pixels with the right class."),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="miou",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart(
            "Validation metrics",
            {"eval_miou": "mIoU", "eval_mean_accuracy": "mean accuracy", "eval_pixel_accuracy": "pixel accuracy"},
        ),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("image", "An image", "image"),),
    loader_example="""\
import torch
import transformers
from transformers.image_utils import load_image

processor = transformers.AutoImageProcessor.from_pretrained(model)
config = transformers.AutoConfig.from_pretrained(model)
segmenter = getattr(transformers, config.architectures[0]).from_pretrained(model)
image = load_image(value)
with torch.inference_mode():
    outputs = segmenter(**processor(images=image, return_tensors="pt"))
size = [(image.height, image.width)]
mask = processor.post_process_semantic_segmentation(outputs, target_sizes=size)[0]  # (height, width), class numbers
pixels = torch.bincount(mask.flatten(), minlength=config.num_labels).tolist()
answer = {config.id2label[number]: count / mask.numel() for number, count in enumerate(pixels)}
""",
    answer="shares",
    models=(
        SuggestedModel("nvidia/segformer-b0-finetuned-ade-512-512", "Small and fast; a good default.", 3.8),
        SuggestedModel("nvidia/mit-b2", "More accurate; a GPU. Only its encoder is pretrained.", 24.7, gpu=True),
        SuggestedModel(
            "nvidia/segformer-b4-finetuned-ade-512-512", "For fine detail and many images; a large GPU.", 64.1, gpu=True
        ),
        SuggestedModel(
            "facebook/mask2former-swin-tiny-ade-semantic",
            "Mask2Former: often the best outlines; needs more memory.",
            47.4,
            gpu=True,
        ),
        SuggestedModel("openmmlab/upernet-convnext-tiny", "UPerNet with a ConvNeXt backbone.", 60.1, gpu=True),
    ),
    defaults=defaults,
    model_filter="image-segmentation",
    shown=("image_square_size",),
    position=30,
    panel_kinds=(PanelKind("masks", _HERE + "masks_panel"),),
    samples=(
        Sample(
            "shapes-in-masks", "Drawn shapes", "image_segmentation/shapes", "60 small images with circles and squares."
        ),
    ),
    aliases=("image_segmentation", "semantic-segmentation", "semantic_segmentation"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
