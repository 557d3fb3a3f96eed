"""Vision-language models: prediction with a trained model, and the code that loads it elsewhere. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import AutoModelForImageTextToText, AutoProcessor, GenerationConfig

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.tasks.vlm import INSTRUCTION, TASK, models
from autotrain_gradio.tasks.vlm.conversations import prompt_messages
from autotrain_gradio.tasks.vlm.encoders import ChatEncoder, Encoder, encoder_of
from autotrain_gradio.training import card, saved
from autotrain_gradio.training.image_files import white_level

EXAMPLE = '{"image": "photo.jpg", "prompt": "What is shown?"}'
"""The value of the input in a model card."""
OPENED = 'image = load_image(value["image"])\n'


def usage_of(encoder: Encoder, project: str) -> str:
    """Return the code of a model card that answers a question: by the chat template, or as a prefix."""
    code = TASK.loader_example
    if not isinstance(encoder, ChatEncoder):
        begin, end = code.index("content = "), code.index("output = ")
        given = f'text="{encoder.processor.image_token}" + value["prompt"], images=image, return_tensors="pt"'
        code = f"{code[:begin]}inputs = processor({given})\n{code[end:]}"
    if edge := models.longest_edge(encoder.processor):
        code = code.replace(OPENED, f"{OPENED}image.thumbnail(({edge}, {edge}))\n")
    return card.usage_code(code, f"./{project}", EXAMPLE)


def load_trained(folder: Path) -> tuple[Any, Encoder]:
    """Return a saved model, or the base model with a saved adapter, and its encoder, as `saved.load_model`."""
    model, processor = saved.load_model(folder, AutoModelForImageTextToText, AutoProcessor)
    # With an adapter, transformers loads the generation config of the base model.
    model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return model, encoder_of(processor, folder.name)


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The model that a run has trained.

    Inputs: `{"image": path, "prompt": str}`; without a prompt the instruction for captions is used.
    Predictions: `{"text": str, "panels"}`. `note`: the answer was ended at the maximum length.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._encoder = load_trained(directory / "model")
        self._longest = int(self._model.generation_config.max_new_tokens)
        self._white = white_level(directory, "image")
        trained = read_json(directory / "model" / "training_params.json") or {}
        self._instruction = str(trained.get("params", {}).get("prompt") or INSTRUCTION)

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answer each question about an image.

        Raises:
            UserError: an image is missing or cannot be read, or the model does not support the question.
        """
        questions = []
        for given in inputs:
            path, prompt = str(given.get("image") or ""), str(given.get("prompt") or "")
            if not path or not Path(path).is_file():
                message = "No image was given, or the file does not exist."
                raise UserError(message, "Give the path of an image.", path, "no-image")
            text = self._encoder.prompt(prompt_messages(prompt if prompt.strip() else self._instruction))
            cells = [{"path": path, "bytes": None}]
            questions.append(models.Question(text, lambda cells=cells: cells))  # type: ignore[misc]
        found = []
        for text, ended in models.answer(self._model, self._encoder, questions, self._white):
            note = f"The answer was ended at {self._longest:,} tokens (max_new_tokens)." if ended else ""
            answer = {"text": text, **({"note": note} if note else {})}
            found.append({**answer, "panels": [panels.text_block("Answer", text, note=note)]})
        return found
