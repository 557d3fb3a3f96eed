"""Continued pretraining of language models on plain texts."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from autotrain_gradio.data.catalog import DOCUMENTS, DUPLICATES, HUB, PATH, SAMPLE, SAVED_DATASET, TABLE, UPLOAD
from autotrain_gradio.tasks.base import Input, Sample, Task, param
from autotrain_gradio.tasks.chat import COMPLETE
from autotrain_gradio.tasks.conversations import TEXT
from autotrain_gradio.tasks.language_model_params import (
    CHARTS,
    METRICS,
    MODELS,
    PackedLanguageModelParams,
    language_model_defaults,
    uncounted,
)
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class LlmGenericParams(PackedLanguageModelParams):
    """Parameters of continued pretraining."""

    no_effect: ClassVar[dict[str, str]] = {
        **PackedLanguageModelParams.no_effect,
        "chat_template": "texts are trained on as they are",
    }

    too_long: Literal["truncate", "truncate_left", "drop", "chunk"] = param(
        "chunk", "basic", title="Rows above the maximum length"
    )
    """What happens to texts above the maximum length: `chunk` splits them, so that nothing is lost; `truncate` drops
    their last tokens, `truncate_left` their first ones, `drop` skips them."""
    chat_template: Literal["none"] | None = param(None, "training", title="Chat template", in_data=True)
    """Accepted for configurations of AutoTrain, and only as `none`: it has no effect, texts are trained on as they
    are."""

    @field_validator("chat_template", mode="before")
    @classmethod
    def _no_template(cls, value: Any) -> Any:
        if value in (None, "", "none"):
            return value or None
        raise ValueError(
            f"Plain texts have no chat template ('{value!s:.40}'). Leave it out, or train a chat model, which renders "
            "conversations with it."
        )


TASK = Task(
    name="llm-generic",
    title="Language model (plain text)",
    modality="Language models",
    summary="Continued pretraining of a language model on plain texts, split into blocks of tokens.",
    module="autotrain_gradio.tasks.llm_generic.train",
    requires=from_extra("language-models", *TRAINER, "trl", "pypdf", "docx=python-docx"),
    preview_module="autotrain_gradio.tasks.llm_generic.preview",
    params=LlmGenericParams,
    columns=TEXT.columns,
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, TABLE, DOCUMENTS),
    checks=(DUPLICATES,),
    metrics=METRICS,
    headline="perplexity",
    charts=CHARTS,
    inputs=(Input("text", "The beginning of a text", "text"),),
    loader_example="""\
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(model)
generator = AutoModelForCausalLM.from_pretrained(model)
inputs = tokenizer(value, return_tensors="pt")
output = generator.generate(**inputs)[0][inputs["input_ids"].shape[1] :]
answer = tokenizer.decode(output, skip_special_tokens=True).strip()
""",
    answer="text",
    models=MODELS,
    defaults=partial(language_model_defaults, epochs=15, block_size=128, max_new_tokens=32),
    model_filter="text-generation",
    uncounted=uncounted,
    shown=("block_size", "model_max_length", "too_long", "packing"),
    samples=(Sample("recipes", "Recipes", "llm_generic/recipes", "200 short recipes."),),
    verbs=(COMPLETE,),
    position=20,
    aliases=("llm", "llm:default", "llm:generic", "llm-default"),
    can=frozenset({"preview", "predict", "probe", "step", "tiny_model", "checkpoints", "distributed"}),
)
