"""Parameters, column and models that the tasks with one image per row share."""

from __future__ import annotations

from autotrain_gradio.core.inputs import Input
from autotrain_gradio.data.catalog import IMAGE
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import SuggestedModel, TrainerParams, param
from autotrain_gradio.tasks.verbs import Verb


class AugmentationParams(TrainerParams):
    """Parameters of the training of images: the augmentation."""

    random_resized_crop: bool = param(True, "augmentation", title="Random resized crop")
    """Random resized crop of the training images, so that size and position of the subject do not matter."""
    random_rotate90: bool = param(True, "augmentation", title="Random 90° rotation")
    """Random rotation of the training images by a multiple of 90 degrees. Switch it off where the orientation matters,
    as in digits."""
    horizontal_flip: bool = param(True, "augmentation", title="Horizontal flip")
    """Random horizontal flip of half of the training images. Switch it off where left and right matter, as in text."""
    random_brightness_contrast: bool = param(True, "augmentation", title="Random brightness and contrast")
    """Small random change of brightness and contrast of a fifth of the training images."""


class GradientMapParams(TrainerParams):
    """Parameters of the report on models of images."""

    gradient_maps: int = param(8, "evaluation", title="Gradient maps", ge=0, le=24)
    """Number of validation images with the largest errors for which the report shows a gradient map: which parts of the
    image the prediction depends on. At most 20 seconds. 0: none."""


EXPLAIN = Verb(
    "explain",
    "autotrain_gradio.training.explain_verb",
    inputs=(Input("image", "An image", "image"),),
    title="What the model looks at",
    button="Show",
    help="Returns the prediction for an image with gradient maps: which parts of the image it depends on.",
)

IMAGE_COLUMN = Column(
    "image",
    "Image",
    IMAGE,
    "The image, or the name of its file.",
    purpose="input",
    names=("image", "img", "file_name", "filename", "file", "image_path", "path", "picture", "photo"),
)

IMAGE_MODELS = (
    SuggestedModel("google/vit-base-patch16-224", "A good default with a GPU; accurate with few images.", 86, gpu=True),
    SuggestedModel("microsoft/resnet-50", "A convolutional network that trains well on a CPU.", 25.6),
    SuggestedModel("microsoft/resnet-18", "The fastest; for a CPU, a free Space, or a first test.", 11.7),
    SuggestedModel("facebook/convnext-tiny-224", "More accurate than ResNet at about the same speed.", 28.6),
    SuggestedModel(
        "microsoft/swin-base-patch4-window7-224",
        "For fine detail and over 1,000 images; needs a GPU.",
        88,
        gpu=True,
    ),
    SuggestedModel("google/vit-large-patch16-224", "For over 10,000 images and a large GPU.", 304, gpu=True),
)
