"""Conversations with images as tokens: exact masks without decoding, and packages that a processor needs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import AutoProcessor, Idefics3Processor, SmolVLMProcessor
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.tasks.vlm import models
from autotrain_gradio.tasks.vlm.conversations import ImageConversation, prompt_messages
from autotrain_gradio.tasks.vlm.encoders import PLAIN_NOTE, encoder_of
from autotrain_gradio.tasks.vlm.tiny import TEMPLATE, tiny_model, tiny_processor
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.chat_templates import TemplateFailure
from autotrain_gradio.training.language_models import tiny_chat_tokenizer

TEXTS = ["What colour is it?", "It is red."] * 5


def conversation(question: str, answer: str, *sizes: tuple[int, int]) -> ImageConversation:
    messages = [*prompt_messages(question), {"role": "assistant", "content": [{"type": "text", "text": answer}]}]
    return ImageConversation(messages, [{}] * len(sizes), sizes)


def splitting_processor() -> Any:
    """Return a processor that divides large images into tiles, as SmolVLM does: their tokens depend on the size."""
    images = Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    tokenizer = tiny_chat_tokenizer(TEXTS)
    tokenizer.chat_template = None
    return Idefics3Processor(images, tokenizer, image_seq_len=4, chat_template=TEMPLATE)


@pytest.mark.parametrize("size", [(48, 40), (20, 90), (64, 64)])
def test_the_tokens_are_those_of_the_processor_with_the_image(size: tuple[int, int]) -> None:
    encoder = encoder_of(splitting_processor(), "x")
    row = encoder.encode(conversation("What colour is it?", "It is red.", size))
    batch = encoder.batch([row.text], [[Image.new("RGB", size, "red")]])
    assert batch["input_ids"][0].tolist() == row.tokens.ids.tolist()
    tokenizer = encoder.processor.tokenizer
    assert tokenizer.decode(row.tokens.ids[row.tokens.trained]) == "It is red.<|im_end|>"
    assert tokenizer.decode(row.tokens.ids).count("<image>") > 4


def test_an_answer_between_two_images_is_masked_exactly() -> None:
    encoder = encoder_of(splitting_processor(), "x")
    one, two = conversation("First?", "red", (64, 40)), conversation("Second?", "blue", (30, 64))
    whole = ImageConversation([*one.messages, *two.messages], [{}, {}], [*one.sizes, *two.sizes])
    row = encoder.encode(whole)
    trained = encoder.processor.tokenizer.decode(row.tokens.ids[row.tokens.trained])
    assert trained == "red<|im_end|>blue<|im_end|>"


def test_a_template_is_added_where_the_processor_has_none() -> None:
    processor = tiny_processor(TEXTS)
    processor.chat_template = None
    encoder = encoder_of(processor, "x")
    row = encoder.encode(conversation("What colour is it?", "It is red.", (32, 32)))
    assert encoder.note == PLAIN_NOTE and row.text == "<image>What colour is it?\nIt is red.<|im_end|>\n"
    assert processor.tokenizer.decode(row.tokens.ids[row.tokens.trained]) == "It is red.<|im_end|>"
    assert encoder.prompt(prompt_messages("What?")) == "<image>What?\n"


def test_texts_with_a_placeholder_of_the_model_are_refused() -> None:
    encoder = encoder_of(tiny_processor(TEXTS), "x")
    with pytest.raises(TemplateFailure, match="2 placeholders <image> for 1 image"):
        encoder.encode(conversation("What?", "An <image>.", (32, 32)))


def test_a_question_can_refer_to_its_image() -> None:
    assert prompt_messages("<image>\nWhat?")[0]["content"] == [{"type": "image"}, {"type": "text", "text": "What?"}]
    texts = [part.get("text", part["type"]) for part in prompt_messages("Look at <image> now")[0]["content"]]
    assert texts == ["Look at ", "image", " now"]


def test_processors_without_images_or_placeholders_are_refused() -> None:
    class Other:
        tokenizer = tiny_chat_tokenizer(TEXTS)

    with pytest.raises(UserError, match="no placeholder for images"):
        encoder_of(Other(), "x")


@pytest.mark.parametrize("edge", [16, 24])
def test_images_are_limited_by_the_image_processor_or_before_it(edge: int, tmp_path: Path) -> None:
    processor = tiny_processor(TEXTS)
    models.limit_images(processor, edge)
    assert processor.image_processor.size["longest_edge"] == edge and models.longest_edge(processor) is None
    other = tiny_processor(TEXTS)
    other.image_processor.size = type(other.image_processor.size)(height=32, width=32)
    models.limit_images(other, edge)
    other.save_pretrained(tmp_path)
    assert models.longest_edge(AutoProcessor.from_pretrained(tmp_path)) == edge
    Image.new("RGB", (97, 41)).save(tmp_path / "a.png")
    cell = {"path": str(tmp_path / "a.png"), "bytes": None}
    read = models.read_image(cell, other, None)
    assert read.size == models.limited_size((97, 41), other) and max(read.size) == edge
    assert models.limited_size((9, 12), other) == (9, 12)


@pytest.mark.skipif(bool(importlib.util.find_spec("torchvision")), reason="torchvision is installed")
@pytest.mark.parametrize("family", ["SmolVLM", "Qwen3VL"])
def test_a_package_that_a_processor_needs_is_named(family: str, tmp_path: Path) -> None:
    tiny_model(tmp_path, texts=TEXTS)
    kind = f"{family}Processor"
    changes = {
        "processor_config.json": {
            "processor_class": kind,
            "video_processor": {"video_processor_type": f"{family}VideoProcessor"},
        },
        "tokenizer_config.json": {"processor_class": kind},
    }
    for name, change in changes.items():
        path = tmp_path / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(MissingExtra) as caught:
        models.open_encoder(str(tmp_path))
    assert caught.value.findings[0].hint == "pip install torchvision"


@pytest.mark.skipif(bool(importlib.util.find_spec("num2words")), reason="num2words is installed")
def test_the_package_of_smolvlm_is_named() -> None:
    processor = tiny_processor(TEXTS)
    with pytest.raises(MissingExtra) as caught, pretrained.translated_errors("x"):
        SmolVLMProcessor(processor.image_processor, processor.tokenizer, None)
    assert caught.value.findings[0].hint == "pip install num2words"


def test_masks_are_boolean_and_as_long_as_the_tokens() -> None:
    row = encoder_of(tiny_processor(TEXTS), "x").encode(conversation("What?", "red", (32, 32)))
    assert row.tokens.trained.dtype == np.bool_ and len(row.tokens.trained) == len(row.tokens.ids)
