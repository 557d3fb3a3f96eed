"""Runs of vision-language models on drawn squares."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.trials import COLOURS, Trial

QUESTION = "What colour is the square?"
Make = Callable[..., Trial]


def square(colour: str, seed: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Draw a square of a colour at a random place on a light background."""
    draw = random.Random(seed)
    image = Image.new("RGB", size, (draw.randint(220, 255),) * 3)
    side = draw.randint(18, 26)
    x, y = draw.randint(0, size[0] - side), draw.randint(0, size[1] - side)
    fill = tuple(min(255, max(0, v + draw.randint(-20, 20))) for v in COLOURS[colour])
    ImageDraw.Draw(image).rectangle((x, y, x + side, y + side), fill=fill)
    return image


def squares(folder: Path, count: int, seed: int = 0, **columns: Any) -> list[dict[str, Any]]:
    """Draw squares of all colours below a folder; return the rows: file_name, question and answer."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        colour = list(COLOURS)[number % len(COLOURS)]
        name = f"{seed}-{number}.png"
        square(colour, seed + number).save(folder / name)
        rows.append({"file_name": name, "question": QUESTION, "answer": colour, **columns})
    return rows


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def image_trial(tmp_path: Path) -> Make:
    """Return a function that prepares a run on squares: 24 to train on, and 9 others for validation.

    change: changes the training rows before they are written.
    """

    def make(
        change: Callable[[list[dict[str, Any]]], Any] = lambda rows: rows, run: str = "run", **params: Any
    ) -> Trial:
        folder = tmp_path / f"{run}-squares"
        for name, count, seed in (("train", 24, 0), ("validation", 9, 1000)):
            rows = squares(folder / name, count, seed)
            change(rows)
            write_rows(folder / name / "metadata.jsonl", rows)
        spec = {
            "task": params.pop("task", "vlm"),
            "model": params.pop("model", "tiny"),
            "project_name": "squares",
            "data": {"source": "path", "path": str(folder), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 8, "max_new_tokens": 6, **params},
        }
        return Trial(tmp_path / run, spec)

    return make


@pytest.fixture(scope="session")
def paligemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny PaliGemma with random weights: its processor has no chat template."""
    from transformers import (
        GemmaConfig,
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        PaliGemmaProcessor,
        PreTrainedTokenizerFast,
        SiglipVisionConfig,
    )
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer

    folder = tmp_path_factory.mktemp("paligemma")
    backend = tiny_tokenizer([QUESTION, *COLOURS] * 5, vocabulary=400, lowercase=False).backend_tokenizer
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", bos_token="[CLS]", eos_token="[SEP]"
    )
    images = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    images.image_seq_length = 16
    processor = PaliGemmaProcessor(images, tokenizer)
    sizes = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = GemmaConfig(
        vocab_size=len(tokenizer), num_key_value_heads=1, head_dim=12, max_position_embeddings=512, **sizes
    )
    config = PaliGemmaConfig(
        vision_config=SiglipVisionConfig(image_size=32, patch_size=8, projection_dim=48, **sizes).to_dict(),
        text_config=text.to_dict(),
        image_token_index=processor.image_token_id,
        projection_dim=48,
    )
    PaliGemmaForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
