"""The tiny model: a small Idefics3 with random weights, a SigLIP encoder beside a Llama, and its processor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AddedToken, Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from autotrain_gradio.training.language_models import TINY_POSITIONS, TINY_VOCABULARY, tiny_chat_tokenizer, tiny_config

SIDE = 32
"""Side of its images in pixels."""
PATCH = 8
SCALE = 2
"""Factor by which the projector joins patches, of both sides."""
IMAGE_TOKENS = (SIDE // PATCH // SCALE) ** 2
TAG = "<global-img>"
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image>' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tiny_model(folder: Path, labels: Sequence[str] = (), *, texts: Iterable[str] = (), seed: int = 42) -> Path:
    """Write a small Idefics3 with random weights (under a million) and its processor; return the folder.

    labels: not used. texts: on which its tokenizer is trained.
    """
    torch.manual_seed(seed)
    processor = tiny_processor(texts)
    model = Idefics3ForConditionalGeneration(tiny_configuration(processor.tokenizer))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return Path(folder)


def tiny_processor(texts: Iterable[str]) -> Any:
    """Return the processor of the tiny model, with a tokenizer trained on the texts."""
    tokenizer = tiny_chat_tokenizer(texts)
    tokenizer.chat_template = None
    tokenizer.add_tokens([AddedToken(TAG, normalized=False, special=True)])
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": SIDE},
        max_image_size={"longest_edge": SIDE},
        do_image_splitting=False,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    return Idefics3Processor(images, tokenizer, image_seq_len=IMAGE_TOKENS, chat_template=TEMPLATE)


def tiny_configuration(tokenizer: Any = None) -> Idefics3Config:
    """Return the configuration of the tiny model; None: for the count of its parameters alone."""
    vocabulary = len(tokenizer) if tokenizer else TINY_VOCABULARY
    image = tokenizer.convert_tokens_to_ids("<image>") if tokenizer else 0
    vision = {
        **{"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
        **{"image_size": SIDE, "patch_size": PATCH},
    }
    text = tiny_config(vocabulary, tokenizer)
    return Idefics3Config(
        vision_config=vision,
        text_config=text.to_dict(),
        scale_factor=SCALE,
        image_token_id=image,
        tie_word_embeddings=True,
        pad_token_id=text.pad_token_id,
    )


__all__ = ["IMAGE_TOKENS", "TINY_POSITIONS", "tiny_configuration", "tiny_model", "tiny_processor"]
