"""Parameters of the fine-tuning of language models, with the names of AutoTrain Advanced; metrics and models."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Metric, Params, SuggestedModel, TrainerParams, param
from autotrain_gradio.tasks.lora import QuantizedLoraParams


class CausalModelParams(TrainerParams, QuantizedLoraParams):
    """Parameters of all tasks that train a language model, also of those that train it on its own answers."""

    max_steps: int = param(-1, "training", title="Maximum number of steps", ge=-1)
    """Maximum number of optimizer steps, which takes precedence over the epochs. -1: none."""
    merge_adapter: bool = param(True, "adapters", title="Merge the adapter")
    """Merge the adapter into the weights at the end: the model is loaded without PEFT and its base model. Otherwise
    the adapter alone is saved, which is much smaller."""
    use_dora: bool = param(False, "adapters", title="DoRA")
    """DoRA (Liu et al. 2024): LoRA with a trained magnitude. Often better at a low rank, and slower."""
    use_rslora: bool = param(False, "adapters", title="rsLoRA")
    """Rank-stabilized LoRA (Kalajdzievski 2023): scales by the square root of the rank, for high ranks."""
    disable_gradient_checkpointing: bool = param(False, "hardware", title="No activation checkpointing", in_form=False)
    """Accepted for configurations of AutoTrain; it takes precedence over `gradient_checkpointing`."""
    gradient_checkpointing: bool = param(False, "hardware", title="Activation checkpointing")
    """Activation (gradient) checkpointing: recompute activations in the backward pass. Much less memory, about a third
    slower."""

    @field_validator("gradient_checkpointing")
    @classmethod
    def _disabled(cls, value: bool, info: ValidationInfo) -> bool:
        return value and not info.data.get("disable_gradient_checkpointing")


class AutoTrainParams(CausalModelParams):
    """Parameters of AutoTrain's language models that have no effect here, and are named where a file sets them."""

    no_effect: ClassVar[dict[str, str]] = {
        "unsloth": "the training uses TRL",
        "liger_kernel": "the loss is computed in chunks, which saves its memory too",
        "use_flash_attention_2": "PyTorch's scaled dot product attention is used",
        "add_eos_token": "the token that ends a text is always added",
        "distributed_backend": "the number of processes is set in resources",
    }

    unsloth: bool = param(False, "hardware", title="Unsloth")
    """Accepted for configurations of AutoTrain; it has no effect here: the training uses TRL."""
    liger_kernel: bool = param(False, "hardware", title="Liger kernel")
    """Accepted for configurations of AutoTrain; it has no effect here: the loss is computed in chunks, which saves its
    memory too."""
    use_flash_attention_2: bool = param(False, "hardware", title="FlashAttention-2")
    """Accepted for configurations of AutoTrain; it has no effect here: PyTorch's scaled dot product attention
    is used."""
    add_eos_token: bool = param(True, "hardware", title="End token")
    """Accepted for configurations of AutoTrain; it has no effect here: the token that ends a text is always added."""
    distributed_backend: Literal["ddp", "deepspeed"] | None = param(None, "hardware", title="Distributed backend")
    """Accepted for configurations of AutoTrain; it has no effect here: the number of processes is set in
    `resources`."""

    @field_validator("distributed_backend", mode="before")
    @classmethod
    def _no_backend(cls, value: Any) -> Any:
        return None if value in (False, "no", "none", "") else value


class ChatTemplateParams(Params):
    """Parameters of all tasks that render conversations."""

    chat_template: Literal["auto", "tokenizer", "chatml", "zephyr", "none"] = param(
        "auto", "basic", title="Chat template", in_data=True
    )
    """Chat template that renders conversations. `auto`: that of the model, else `chatml` or `zephyr`; `tokenizer`: that
    of the model, which must have one; `none`: the contents alone, one message per line. It is saved with the model."""


class SequenceParams(AutoTrainParams):
    """Parameters of all tasks that train on sequences of tokens of limited length."""

    lr: float = param(2e-5, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 2e-5 suits the training of all weights, 2e-4 LoRA."""
    batch_size: int = param(2, "basic", title="Batch size per device", ge=1, le=4096)
    """Batch size per device (GPU, or the CPU) in training and evaluation. Smaller batches need less memory; with
    gradient accumulation the effective batch size stays the same."""
    block_size: int = param(-1, "basic", title="Block size (tokens)", ge=-1, le=1_048_576)
    """Maximum length of a training sequence in tokens. -1: `model_max_length`."""
    model_max_length: int = param(2048, "basic", title="Maximum sequence length (tokens)", ge=8, le=1_048_576)
    """Maximum length of a sequence in tokens, the same as the limit of the model if that is lower. Batches are padded
    to their longest sequence only."""
    too_long: Literal["truncate", "truncate_left", "drop", "chunk"] = param(
        "truncate", "basic", title="Rows above the maximum length"
    )
    """What happens to rows above the maximum length: `truncate` drops their last tokens, `truncate_left` their first
    ones, `drop` skips the rows, `chunk` splits them. The preview and the log say how many there are."""
    neftune_noise_alpha: float = param(0.0, "training", title="NEFTune noise", ge=0, le=100)
    """NEFTune (Jain et al. 2023): noise that is added to the embeddings in the training. 0: none; 5 is common."""
    padding: Literal["left", "right"] | None = param(None, "basic", title="Padding side")
    """Padding side of the saved tokenizer. No effect on the training: padding is neither attended to nor trained on."""

    @field_validator("block_size", mode="before")
    @classmethod
    def _one_size(cls, value: Any) -> Any:
        # AutoTrain takes a list too, of which it uses the first.
        return value[0] if isinstance(value, list) and value else -1 if value is None else value

    @field_validator("padding", mode="before")
    @classmethod
    def _none_is_none_too(cls, value: Any) -> Any:
        return None if value in (False, "no", "none", "") else value


class LanguageModelParams(SequenceParams):
    """Parameters of all tasks that train a language model on texts."""

    max_new_tokens: int = param(128, "evaluation", title="Maximum length of answers (tokens)", ge=1, le=32_768)
    """Maximum number of generated tokens, in sample answers and in the generation config of the trained model."""
    generation_rows: int = param(4, "evaluation", title="Sample answers", ge=0, le=64)
    """Number of validation rows for which each evaluation generates an answer, beside that of the base model."""
    generation_seconds: float = param(120.0, "evaluation", title="Time for sample answers (seconds)", gt=0, le=86_400)
    """Time budget of the sample answers of the base model, in seconds. Rows that it has no time for are not generated
    in later evaluations either."""


class PackedLanguageModelParams(LanguageModelParams):
    """Parameters of tasks that train on texts, several of which can be packed into one sequence."""

    packing: bool = param(False, "training", title="Packing")
    """Packing: several short rows are put into one sequence of the maximum length, without attending to each other.
    Much faster for rows of mixed length. The batch size counts sequences, so each step has more rows."""


def uncounted(params: Any) -> str:
    """Return why the tokens of the rows decide how many training examples there are; empty: they do not."""
    if getattr(params, "packing", False):
        return "Packing makes fewer sequences of the rows."
    return {
        "chunk": "Rows above the maximum length are split into several sequences.",
        "drop": "Rows above the maximum length are dropped.",
    }.get(params.too_long, "")


METRICS = (
    Metric(
        "perplexity",
        "Perplexity",
        higher_is_better=False,
        help="Exponential of the mean loss of a token: between how many tokens the model hesitates; 1 is the best.",
    ),
    Metric(
        "token_accuracy",
        "Token accuracy",
        percent=True,
        help="Share of the trained tokens that the model considers the most likely.",
    ),
    Metric("loss", "Loss", higher_is_better=False, help="Mean cross-entropy of the trained tokens."),
)
CHARTS = (
    Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
    Chart("Token accuracy", {"mean_token_accuracy": "training", "eval_token_accuracy": "validation"}),
    *PROGRESS_CHARTS,
)
MODELS = (
    SuggestedModel("HuggingFaceTB/SmolLM2-135M-Instruct", "English; the smallest, also on a CPU.", 135),
    SuggestedModel("Qwen/Qwen3-0.6B", "119 languages; small; a GPU.", 596, gpu=True),
    SuggestedModel("Qwen/Qwen3-1.7B", "119 languages; a GPU with 16 GB, with LoRA.", 1720, gpu=True),
    SuggestedModel("Qwen/Qwen3-4B-Instruct-2507", "119 languages; a large GPU, with LoRA.", 4020, gpu=True),
    SuggestedModel("HuggingFaceTB/SmolLM3-3B", "Six European languages; a large GPU, with LoRA.", 3080, gpu=True),
    SuggestedModel("google/gemma-3-1b-it", "140 languages; access on request; a GPU.", 1000, gpu=True),
    SuggestedModel("meta-llama/Llama-3.2-1B-Instruct", "Eight languages; access on request; a GPU.", 1240, gpu=True),
)
LARGE = re.compile(r"(\d+(?:\.\d+)?)b\b", re.IGNORECASE)
"""The size in the name of a model, in billions of parameters."""


def language_model_defaults(model: str, *, lora_lr: float = 2e-4, **tiny: Any) -> dict[str, Any]:
    """Return defaults for a model: the tiny one, or LoRA where the name says that it has a billion parameters.

    lora_lr: learning rate with LoRA. tiny: defaults of the task for the tiny model.
    """
    if model == TINY:
        shared = {"lr": 3e-3, "batch_size": 8, "early_stopping_patience": 0, "warmup_ratio": 0.05}
        return {**shared, **tiny}
    size = LARGE.search(model.rsplit("/", 1)[-1])
    return {"peft": True, "lr": lora_lr} if size and float(size[1]) >= 1 else {}
