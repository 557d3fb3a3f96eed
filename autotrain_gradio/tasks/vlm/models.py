"""Vision-language models: load one with its processor, limit its images, freeze, add adapters, and answer."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as TYPES

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.vlm.encoders import Encoder, encoder_of
from autotrain_gradio.tasks.vlm.tiny import tiny_configuration, tiny_model
from autotrain_gradio.training import (
    distributed,
    loaded_weights,
    lora,
    plausibility,
    pretrained,
    quantization,
    text_models,
)
from autotrain_gradio.training.image_files import open_image
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.tokens import longest

WHAT = "fine-tuning vision-language models"
NO_HEAD = -1
"""Number of outputs of a new head: these models get none."""
LONGEST_EDGE = "image_longest_edge"
"""Entry of a saved image processor: the longest edge that images are downscaled to before it."""
MOST_PIXELS = 16_384
"""Above, the `longest_edge` of an image processor is a number of pixels of the whole image (Qwen-VL), not of a side."""
BATCH_SIZE = 8
"""Batch size of answers."""


@dataclass
class VisionLanguageModel:
    """A model, its encoder, its maximum length in tokens (None: unlimited), and messages for the user."""

    model: Any
    encoder: Encoder
    limit: int | None
    notes: list[str] = field(default_factory=list)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of its processor."""
        return self.encoder.processor.tokenizer


def open_model(run: Reporter, texts: Iterable[str], scratch: Path) -> VisionLanguageModel:
    """Return a model that is ready for the training, float32 unless it is quantized.

    texts: on which the tokenizer of the tiny model is trained. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged; or
            quantization is not possible here.
    """
    params, name = run.params, run.spec.model
    torch.manual_seed(params.seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, texts=texts, seed=params.seed)))
    config = open_config(name)
    encoder = open_encoder(name)
    limit_images(encoder.processor, params.image_longest_edge)
    tokenizer = encoder.processor.tokenizer
    loading = quantization.loading_settings(run)
    with pretrained.translated_errors(name):
        plausibility.require_weights(name, lambda: count_parameters(AutoModelForImageTextToText, config))
        # Train in float32 even if the weights are saved in 16 bits; mixed precision is a separate setting.
        model, info = AutoModelForImageTextToText.from_pretrained(
            name, config=config, dtype=torch.float32, output_loading_info=True, trust_remote_code=False, **loading
        )
    loaded_weights.require_match(name, model, info, outputs=NO_HEAD)
    embeddings = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > embeddings:
        message = (
            f"The tokenizer of '{name}' has {len(tokenizer):,} tokens, but the model only {embeddings:,} embeddings."
        )
        raise pretrained.ModelError(message, "Choose another one.", "model", "model-broken")
    if loading:
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=params.gradient_checkpointing)
    return VisionLanguageModel(model, encoder, limit_of(config, tokenizer), [encoder.note] if encoder.note else [])


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained, as `text_models.open_config`."""
    return tiny_configuration() if name == TINY else text_models.open_config(name, TYPES, WHAT)


def open_encoder(name: str, *, local: bool = False) -> Encoder:
    """Return the encoder of a model's processor. local: nothing is downloaded.

    Raises:
        UserError: it cannot be loaded, needs a package, or has no placeholder for images.
    """
    with pretrained.translated_errors(name):
        processor = AutoProcessor.from_pretrained(name, trust_remote_code=False, local_files_only=local)
        tokenizer = getattr(processor, "tokenizer", None)
        if tokenizer is not None and tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
        return encoder_of(processor, name)


def limit_of(config: Any, tokenizer: Any) -> int | None:
    """Return the maximum length of a row in tokens; None: unlimited."""
    return longest(config.get_text_config(), tokenizer)


def sequence_limit(most: int | None, params: Any) -> int:
    """Return the maximum length of training rows in tokens. most: that of the model; None: unlimited."""
    return min(params.model_max_length, most or params.model_max_length)


def limit_images(processor: Any, edge: int | None) -> None:
    """Limit the longest edge of images in pixels: by the image processor, else before it (`longest_edge`).

    An image processor that scales all images to a longest edge (Idefics3, SmolVLM) gets a smaller one.
    """
    if edge is None:
        return
    images = processor.image_processor
    size = getattr(images, "size", None) or {}
    sides = dict(size)
    side = sides.get("longest_edge")
    if isinstance(side, int) and side <= MOST_PIXELS and not sides.get("shortest_edge"):
        images.size = type(size)(longest_edge=min(side, edge))
    else:
        setattr(images, LONGEST_EDGE, edge)


def longest_edge(processor: Any) -> int | None:
    """Return the longest edge that images are downscaled to before the image processor; None: unlimited."""
    edge: int | None = getattr(processor.image_processor, LONGEST_EDGE, None)
    return edge


def read_image(cell: Mapping[str, Any], processor: Any, white: float | None) -> Image.Image:
    """Return an image as RGB, at most `longest_edge` large. white: as in `open_image`.

    Raises:
        DataError: it cannot be decoded.
    """
    image, edge = open_image(cell, white=white), longest_edge(processor)
    if edge is not None:
        image.thumbnail((edge, edge))
    return image


def limited_size(size: tuple[int, int], processor: Any) -> tuple[int, int]:
    """Return the size that `read_image` gives an image of (width, height) pixels."""
    edge = longest_edge(processor)
    if edge is None or max(size) <= edge:
        return size
    image = Image.new("1", size)
    image.thumbnail((edge, edge), Image.Resampling.NEAREST)
    return image.size


def vision_encoder(model: Any) -> torch.nn.Module | None:
    """Return the vision encoder of a model; None: it cannot be identified."""
    found = model.get_encoder(modality="image")
    return None if found is model or found is model.base_model else found


def adapt(run: Reporter, found: VisionLanguageModel) -> Any:
    """Return the model with the weights trainable that the parameters name, and report them.

    With `peft` these are LoRA adapters of the language model (and of the vision encoder, unless it is frozen).

    Raises:
        UserError: the model does not have the target modules.
    """
    params, model = run.params, found.model
    encoder = vision_encoder(model)
    if params.freeze_vision and encoder is None:
        message = f"The vision encoder of {type(model).__name__} cannot be identified: it is trained, too."
        run.note(message, level="warning", hint="Set freeze_vision to false.")
    frozen = encoder if params.freeze_vision else None
    if not params.peft:
        if frozen is not None:
            frozen.requires_grad_(False)
            run.note(
                "The vision encoder is frozen: {:,} of {:,} parameters are trainable.".format(*lora.trainable(model))
            )
        return model
    options: dict[str, Any] = {"use_dora": params.use_dora, "use_rslora": params.use_rslora}
    if frozen is not None:
        names = [name for name, module in model.named_modules() if module is frozen]
        options["exclude_modules"] = "|".join(rf"{re.escape(name)}\..*" for name in names)
    model = text_models.adapt(run, model, task_type="CAUSAL_LM", **options)
    if params.gradient_checkpointing:
        model.enable_input_require_grads()
    return model


def keeps_logits(model: Any) -> bool:
    """Whether the model can compute the logits of some positions only (`logits_to_keep`)."""
    inner = model.get_base_model() if lora.is_adapted(model) else model
    return "logits_to_keep" in inspect.signature(inner.forward).parameters


@dataclass(frozen=True)
class Question:
    """What a model is asked. text: rendered, with a placeholder for each image.

    images: returns their cells, when they are needed: cells may hold the bytes of the images.
    """

    text: str
    images: Callable[[], Sequence[Mapping[str, Any]]]


@torch.inference_mode()
def answer(
    model: Any, encoder: Encoder, questions: Sequence[Question], white: float | None
) -> Iterator[tuple[str, bool]]:
    """Yield the answer to each question, and whether it was ended at the maximum length. Padded on the left."""
    tokenizer = encoder.processor.tokenizer
    stops = model.generation_config.eos_token_id or []
    ends = set(stops if isinstance(stops, list) else [stops])
    for start in range(0, len(questions), BATCH_SIZE):
        part = questions[start : start + BATCH_SIZE]
        images = [[read_image(cell, encoder.processor, white) for cell in q.images()] for q in part]
        batch = encoder.batch([q.text for q in part], images, side="left")
        inputs = {k: v.to(model.device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
        width = inputs["input_ids"].shape[1]
        made = model.generate(**inputs, use_cache=True)
        for row in made[:, width:].tolist():
            length = next((i for i, token in enumerate(row) if token in ends), None)
            text = tokenizer.decode(row if length is None else row[:length], skip_special_tokens=True)
            yield text.strip(), length is None


def answer_within(
    model: Any, encoder: Encoder, questions: Sequence[Question], white: float | None, seconds: float = float("inf")
) -> list[str]:
    """Return the answers to the questions until the time is over; those of the first batch always."""
    began, found = time.monotonic(), list[str]()
    for start in range(0, len(questions), BATCH_SIZE):
        if start and time.monotonic() - began > seconds:
            break
        found += [text for text, _ in answer(model, encoder, questions[start : start + BATCH_SIZE], white)]
    return found
