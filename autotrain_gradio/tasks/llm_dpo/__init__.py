"""Direct Preference Optimization (DPO) of language models."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

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


class LlmDpoParams(PreferenceParams):
    """Parameters of Direct Preference Optimization."""

    lr: float = param(1e-6, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 1e-6 suits the training of all weights, 1e-5 LoRA: much
    lower than in fine-tuning on answers."""
    dpo_beta: float = param(0.1, "basic", title="Beta", gt=0, le=100)
    """Beta of DPO: how strongly the model is kept near the reference model. A lower beta allows larger changes; of the
    loss `ipo` it is the regularization."""
    loss_type: Literal[
        "sigmoid", "ipo", "hinge", "robust", "exo_pair", "nca_pair", "sppo_hard", "apo_zero", "apo_down", "sigmoid_norm"
    ] = param("sigmoid", "training", title="Loss")
    """Loss, by its name in TRL: `sigmoid` (DPO, Rafailov et al. 2023), `ipo` (Azar et al. 2023: less overfitting to
    clear preferences), `hinge` (SLiC), `robust` and `exo_pair` (with label smoothing), `nca_pair`, `sppo_hard`,
    `apo_zero`, `apo_down`, `sigmoid_norm` (per token)."""
    label_smoothing: float = param(0.0, "training", title="Label smoothing", ge=0, lt=0.5)
    """Label smoothing of the losses `robust` (the share of wrong preferences, such as 0.1) and `exo_pair` (such as
    0.001), which needs it."""
    model_ref: str | None = param(None, "training", title="Reference model", names="model")
    """Reference model: a Hub id or a folder, of the same family. Empty: the model as it is before the training (with
    LoRA, the model without the adapter). Its log-probabilities are computed once, before the training."""

    @field_validator("model_ref", mode="before")
    @classmethod
    def _no_reference(cls, value: Any) -> Any:
        return None if value in (False, "no", "none", "") else value

    @model_validator(mode="before")
    @classmethod
    def _beta_of_trl(cls, values: Any) -> Any:
        return renamed(values, "beta", "dpo_beta")

    @model_validator(mode="after")
    def _smoothing_of_exo(self) -> Self:
        if self.loss_type == "exo_pair" and not self.label_smoothing:
            raise ValueError("The loss exo_pair needs label_smoothing above 0, such as 0.001.")
        return self


TASK = Task(
    name="llm-dpo",
    title="Preferences (DPO)",
    modality="Language models",
    summary="Direct Preference Optimization: a language model learns from pairs of a preferred and a rejected answer.",
    module="autotrain_gradio.tasks.llm_dpo.train",
    requires=from_extra("language-models", *TRAINER, "trl"),
    preview_module="autotrain_gradio.tasks.llm_dpo.preview",
    params=LlmDpoParams,
    formats=FORMATS,
    column_aliases=COLUMN_ALIASES,
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, PREFERENCE_TABLE),
    checks=(PREFERENCES, DUPLICATES),
    metrics=(
        REWARD_ACCURACY,
        REWARD_MARGIN,
        Metric("loss", "Loss", higher_is_better=False, help="Mean loss of the validation rows."),
        *LOGPS,
    ),
    headline="reward_accuracy",
    charts=CHARTS,
    inputs=(Input("prompt", "A message", "text"),),
    loader_example=CHAT.loader_example,
    answer="text",
    models=MODELS,
    defaults=partial(language_model_defaults, lora_lr=1e-5, lr=1e-3, epochs=3, block_size=256, max_new_tokens=48),
    model_filter="text-generation",
    uncounted=uncounted,
    shown=("block_size", "model_max_length", "too_long", "max_prompt_length", "max_completion_length", "chat_template"),
    samples=(SAMPLE_PAIRS,),
    verbs=(chat.CHAT,),
    position=30,
    aliases=("llm:dpo",),
    can=frozenset({"preview", "predict", "probe", "step", "tiny_model", "checkpoints", "distributed"}),
)
