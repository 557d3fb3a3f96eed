"""Supervised fine-tuning (SFT) of language models on conversations, or on texts that are already rendered."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from autotrain_gradio.data.catalog import CONVERSATIONS, DUPLICATES, HUB, PATH, SAMPLE, SAVED_DATASET, UPLOAD
from autotrain_gradio.tasks.base import Input, Sample, Task, param
from autotrain_gradio.tasks.chat import CHAT
from autotrain_gradio.tasks.conversations import CHATS, COLUMN_ALIASES, MESSAGES, PROMPT_ANSWER, TEXT
from autotrain_gradio.tasks.language_model_params import (
    CHARTS,
    METRICS,
    MODELS,
    ChatTemplateParams,
    PackedLanguageModelParams,
    language_model_defaults,
    uncounted,
)
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class LlmSftParams(ChatTemplateParams, PackedLanguageModelParams):
    """Parameters of supervised fine-tuning."""

    no_effect: ClassVar[dict[str, str]] = {
        **PackedLanguageModelParams.no_effect,
        "max_prompt_length": "prompt and answer are one sequence, which block_size limits",
    }

    assistant_only_loss: bool = param(True, "basic", title="Train on answers only")
    """Compute the loss on the assistant's messages only, with the tokens that end them. Otherwise the model also learns
    to write the user's messages. No effect on texts that are already rendered."""
    max_prompt_length: int | None = param(None, "training", title="Maximum prompt length (tokens)", ge=1)
    """Accepted for configurations of AutoTrain; it has no effect here: prompt and answer are one sequence, which
    `block_size` limits."""


TASK = Task(
    name="llm-sft",
    title="Chat model (SFT)",
    modality="Language models",
    summary="Supervised fine-tuning of a language model on conversations, instructions or questions with answers.",
    module="autotrain_gradio.tasks.llm_sft.train",
    requires=from_extra("language-models", *TRAINER, "trl"),
    preview_module="autotrain_gradio.tasks.llm_sft.preview",
    params=LlmSftParams,
    formats=(MESSAGES, PROMPT_ANSWER, TEXT),
    column_aliases=COLUMN_ALIASES,
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, CHATS),
    checks=(CONVERSATIONS, DUPLICATES),
    metrics=METRICS,
    headline="perplexity",
    charts=CHARTS,
    inputs=(Input("conversation", "A message", "text"),),
    loader_example="""\
import json

from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(model)
generator = AutoModelForCausalLM.from_pretrained(model)
messages = json.loads(value) if value.startswith("[{") else [{"role": "user", "content": value}]
messages = messages[:-1] if messages[-1]["role"] == "assistant" else messages
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
output = generator.generate(**inputs)[0][inputs["input_ids"].shape[1] :]
answer = tokenizer.decode(output, skip_special_tokens=True).strip()
""",
    answer="text",
    models=MODELS,
    defaults=partial(language_model_defaults, epochs=6, block_size=256, max_new_tokens=48),
    model_filter="text-generation",
    uncounted=uncounted,
    shown=("block_size", "model_max_length", "too_long", "packing", "chat_template", "assistant_only_loss"),
    samples=(
        Sample("kitchen-helper", "Kitchen helper", "llm_sft/kitchen_helper", "240 short chats about cooking times."),
    ),
    verbs=(CHAT,),
    position=10,
    aliases=("llm:sft",),
    can=frozenset({"preview", "predict", "probe", "step", "tiny_model", "checkpoints", "distributed"}),
)
