"""Vision-language models: answer questions about images, or write captions."""

from __future__ import annotations

from functools import partial

from pydantic import field_validator

from autotrain_gradio.data.catalog import DUPLICATES, HUB, PATH, SAMPLE, SAVED_DATASET, UPLOAD
from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Input, Metric, Sample, SuggestedModel, Task, param
from autotrain_gradio.tasks.language_model_params import CausalModelParams, language_model_defaults
from autotrain_gradio.tasks.requirements import TRAINER, from_extra
from autotrain_gradio.tasks.vlm.formats import (
    CAPTION,
    CAPTIONS,
    COLUMN_ALIASES,
    IMAGE_QUESTIONS,
    IMAGES_EMBEDDED,
    IMAGES_WITH_TABLE,
    MESSAGES,
    QUESTION,
    QUESTION_ANSWER,
)

INSTRUCTION = "Describe the image."


class VlmParams(CausalModelParams):
    """Parameters of vision-language models."""

    lr: float = param(2e-5, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 2e-5 suits the training of all weights, 2e-4 LoRA."""
    batch_size: int = param(2, "basic", title="Batch size per device", ge=1, le=4096)
    """Batch size per device (GPU, or the CPU) in training and evaluation. Smaller batches need less memory, most of
    which the tokens of the images take."""
    prompt: str = param(INSTRUCTION, "basic", title="Instruction for captions")
    """Instruction of images with captions: the same for all rows, and in predictions without a question. PaliGemma was
    trained with `caption en`."""
    model_max_length: int = param(4096, "basic", title="Maximum sequence length (tokens)", ge=8, le=1_048_576)
    """Maximum length of a row in tokens, those of its image included, or the limit of the model if that is lower.
    Longer rows are dropped and counted: a truncated image could not be used."""
    image_longest_edge: int | None = param(None, "basic", title="Longest edge of images (pixels)", ge=1, le=16_384)
    """Larger images are downscaled to this length of their longer side. Smaller images have fewer tokens with most
    models, and need less memory and time. Empty: as the image processor of the model does."""
    freeze_vision: bool = param(True, "training", title="Freeze the vision encoder")
    """Freeze the weights of the vision encoder, and train the language model with its projector alone. With LoRA: the
    vision encoder gets no adapters."""
    max_new_tokens: int = param(128, "evaluation", title="Maximum length of answers (tokens)", ge=1, le=32_768)
    """Maximum number of generated tokens, in evaluations and in the generation config of the trained model."""
    generation_rows: int = param(200, "evaluation", title="Answered validation rows", ge=0, le=100_000)
    """Maximum number of validation rows that each evaluation answers for exact match, ANLS and chrF: a random sample
    if there are more. 0: none; then only the loss and the token accuracy are computed."""
    generation_seconds: float = param(120.0, "evaluation", title="Time for answers (seconds)", gt=0, le=86_400)
    """Time budget of the answers of the base model, in seconds. Rows that it has no time for are not answered in later
    evaluations either, so that all evaluations compare the same rows."""

    @field_validator("prompt", mode="after")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("The instruction is empty.")
        return value


TASK = Task(
    name="vlm",
    title="Vision-language model",
    modality="Images",
    summary="Fine-tune a vision-language model to answer questions about images, or to write captions.",
    module="autotrain_gradio.tasks.vlm.train",
    requires=from_extra("vision-language", *TRAINER, "sacrebleu"),
    preview_module="autotrain_gradio.tasks.vlm.preview",
    params=VlmParams,
    formats=(QUESTION_ANSWER, CAPTIONS, MESSAGES),
    column_aliases=COLUMN_ALIASES,
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, IMAGES_EMBEDDED, IMAGES_WITH_TABLE),
    checks=(IMAGE_QUESTIONS, DUPLICATES),
    metrics=(
        Metric(
            "chrf",
            "chrF",
            help="Character n-gram F-score (Popović 2015), 0 to 100: for short answers and for captions.",
        ),
        Metric(
            "exact_match",
            "Exact match",
            percent=True,
            help="Share of answers that equal the reference, without regard to case and surrounding white space.",
        ),
        Metric(
            "anls",
            "ANLS",
            percent=True,
            help="Average normalized Levenshtein similarity (Biten et al. 2019): 1 for equal answers, 0 for those of "
            "which half of the characters differ.",
        ),
        Metric(
            "token_accuracy",
            "Token accuracy",
            percent=True,
            help="Share of the tokens of the reference answers that the model considers the most likely.",
        ),
        Metric("loss", "Loss", higher_is_better=False, help="Mean cross-entropy of the tokens of the answers."),
    ),
    headline="chrf",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart("chrF", {"eval_chrf": "chrF"}),
        Chart(
            "Validation metrics",
            {"eval_exact_match": "exact match", "eval_anls": "ANLS", "eval_token_accuracy": "token accuracy"},
        ),
        *PROGRESS_CHARTS,
    ),
    inputs=(
        Input("image", "An image", "image"),
        Input("prompt", "A question about it", "text", optional=True),
    ),
    loader_example="""\
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.image_utils import load_image

processor = AutoProcessor.from_pretrained(model)
generator = AutoModelForImageTextToText.from_pretrained(model)
image = load_image(value["image"])
content = [{"type": "image", "image": image}, {"type": "text", "text": value["prompt"]}]
inputs = processor.apply_chat_template(
    [{"role": "user", "content": content}],
    add_generation_prompt=True,
    tokenize=True,
    return_dict=True,
    return_tensors="pt",
)
output = generator.generate(**inputs)[0][inputs["input_ids"].shape[1] :]
answer = processor.decode(output, skip_special_tokens=True).strip()
""",
    answer="text",
    models=(
        SuggestedModel("HuggingFaceTB/SmolVLM-256M-Instruct", "The smallest; English; also on a CPU.", 256),
        SuggestedModel("HuggingFaceTB/SmolVLM-500M-Instruct", "English; small; a GPU.", 507, gpu=True),
        SuggestedModel("HuggingFaceTB/SmolVLM2-2.2B-Instruct", "English; a GPU with 24 GB, with LoRA.", 2250, gpu=True),
        SuggestedModel("Qwen/Qwen3-VL-2B-Instruct", "Many languages, text in images; a GPU.", 2130, gpu=True),
        SuggestedModel("Qwen/Qwen3-VL-8B-Instruct", "The most accurate; a large GPU, with LoRA.", 8770, gpu=True),
        SuggestedModel(
            "google/paligemma2-3b-pt-224", "Short answers and captions; access on request; a GPU.", 3030, gpu=True
        ),
    ),
    defaults=partial(language_model_defaults, epochs=30, batch_size=16, freeze_vision=False, max_new_tokens=12),
    model_filter="image-text-to-text",
    shown=("prompt", "model_max_length", "image_longest_edge"),
    samples=(
        Sample("shape-questions", "Questions about shapes", "vlm/shape_questions", "192 questions about 96 drawings."),
    ),
    position=110,
    aliases=("image-text-to-text", "visual-question-answering", "image-to-text"),
    alias_formats={"vlm:vqa": QUESTION, "vlm:captioning": CAPTION},
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
