"""Odds Ratio Preference Optimization (ORPO) of language models."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import model_validator

from autotrain_gradio.data.catalog import DUPLICATES, HUB, PATH, PREFERENCES, SAMPLE, SAVED_DATASET, UPLOAD
from autotrain_gradio.tasks import chat
from autotrain_gradio.tasks.base import Input, Metric, Task, param
from autotrain_gradio.tasks.language_model_params import MODELS, language_model_defaults, uncounted
from autotrain_gradio.tasks.llm_sft import TASK as CHAT
from autotrain_gradio.tasks.preference_params import (
    CHARTS,
    LOGPS,
    REWARD_ACCURACY,
    REWARD_MARGIN,
    PreferenceParams,
    renamed,
)
from autotrain_gradio.tasks.preferences import COLUMN_ALIASES, FORMATS, PREFERENCE_TABLE, SAMPLE_PAIRS
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class LlmOrpoParams(PreferenceParams):
    """Parameters of Odds Ratio Preference Optimization."""

    lr: float = param(8e-6, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 8e-6 (Hong et al. 2024) suits the training of all weights,
    5e-5 LoRA."""
    beta: float = param(0.1, "basic", title="Beta", gt=0, le=100)
    """Weight of the odds ratio loss (lambda in the paper), beside the loss of the preferred answers."""

    @model_validator(mode="before")
    @classmethod
    def _beta_of_autotrain(cls, values: Any) -> Any:
        return renamed(values, "dpo_beta", "beta")


TASK = Task(
    name="llm-orpo",
    title="Preferences (ORPO)",
    modality="Language models",
    summary="Odds Ratio Preference Optimization: fine-tuning on preferred answers that also avoids the rejected ones.",
    module="autotrain_gradio.tasks.llm_orpo.train",
    requires=from_extra("language-models", *TRAINER, "trl"),
    preview_module="autotrain_gradio.tasks.llm_orpo.preview",
    params=LlmOrpoParams,
    formats=FORMATS,
    column_aliases=COLUMN_ALIASES,
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, PREFERENCE_TABLE),
    checks=(PREFERENCES, DUPLICATES),
    metrics=(
        REWARD_ACCURACY,
        REWARD_MARGIN,
        Metric("loss", "Loss", higher_is_better=False, help="Mean loss of the validation rows."),
        *(replace(metric, help="Mean over the validation rows, per token.") for metric in LOGPS),
    ),
    headline="reward_accuracy",
    charts=CHARTS,
    inputs=(Input("prompt", "A message", "text"),),
    loader_example=CHAT.loader_example,
    answer="text",
    models=MODELS,
    defaults=partial(language_model_defaults, lora_lr=5e-5, lr=1e-3, epochs=3, block_size=256, max_new_tokens=48),
    model_filter="text-generation",
    uncounted=uncounted,
    shown=("block_size", "model_max_length", "too_long", "max_prompt_length", "max_completion_length", "chat_template"),
    samples=(SAMPLE_PAIRS,),
    verbs=(chat.CHAT,),
    position=40,
    aliases=("llm:orpo",),
    can=frozenset({"preview", "predict", "probe", "step", "tiny_model", "checkpoints", "distributed"}),
)
