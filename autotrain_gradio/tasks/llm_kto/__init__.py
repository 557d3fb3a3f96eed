"""Kahneman-Tversky Optimization (KTO): language models that learn from single answers judged good or bad."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from autotrain_gradio.data.catalog import DUPLICATES, HUB, JUDGEMENTS, PATH, SAMPLE, SAVED_DATASET, UPLOAD
from autotrain_gradio.tasks import chat
from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Input, Metric, Task, param
from autotrain_gradio.tasks.language_model_params import (
    MODELS,
    ChatTemplateParams,
    LanguageModelParams,
    language_model_defaults,
    uncounted,
)
from autotrain_gradio.tasks.llm_sft import TASK as CHAT
from autotrain_gradio.tasks.preference_params import LOSS_CHART, NO_DROPOUT, renamed
from autotrain_gradio.tasks.preferences import JUDGED_ALIASES, JUDGED_FORMATS, JUDGED_TABLE, SAMPLE_JUDGED
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class LlmKtoParams(ChatTemplateParams, LanguageModelParams):
    """Parameters of Kahneman-Tversky Optimization."""

    no_effect: ClassVar[dict[str, str]] = {**LanguageModelParams.no_effect, "lora_dropout": NO_DROPOUT}

    too_long: Literal["truncate", "truncate_left", "drop"] = param(
        "truncate", "basic", title="Rows above the maximum length"
    )
    """What happens to rows above the maximum length: `truncate` drops their last tokens, `truncate_left` their first
    ones, `drop` skips the rows. The preview and the log say how many there are."""
    lr: float = param(1e-6, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 1e-6 suits the training of all weights, 1e-5 LoRA."""
    batch_size: int = param(4, "basic", title="Batch size per device", ge=2, le=4096)
    """Batch size per device (GPU, or the CPU) in training and evaluation: at least 2, better 4 or more, since the
    distance from the reference model is estimated on each batch. 16 or more with gradient accumulation is common."""
    beta: float = param(0.1, "basic", title="Beta", gt=0, le=100)
    """Beta of KTO: how strongly the model is kept near the reference model. A lower beta allows larger changes."""
    desirable_weight: float | None = param(None, "basic", title="Weight of good answers", gt=0, le=1000)
    """Weight of the loss of good answers. Empty: so that good and bad answers count as much."""
    undesirable_weight: float | None = param(None, "basic", title="Weight of bad answers", gt=0, le=1000)
    """Weight of the loss of bad answers. Empty: so that good and bad answers count as much."""
    loss_type: Literal["kto", "apo_zero_unpaired"] = param("kto", "training", title="Loss")
    """Loss, by its name in TRL: `kto` (Ethayarajh et al. 2024), or `apo_zero_unpaired` (D'Oosterlinck et al. 2024),
    which needs less time, for good answers that are better than those of the model."""
    model_ref: str | None = param(None, "training", title="Reference model", names="model")
    """Reference model: a Hub id or a folder, of the same family. Empty: the model as it is before the training (with
    LoRA, the model without the adapter). Its log-probabilities are computed once, before the training."""
    lora_dropout: float = param(0.05, "adapters", ge=0, lt=1, title="LoRA dropout")
    """Accepted for configurations of AutoTrain; it has no effect here: TRL disables dropout, because the
    log-probabilities of answers are compared."""

    @field_validator("model_ref", mode="before")
    @classmethod
    def _no_reference(cls, value: Any) -> Any:
        return None if value in (False, "no", "none", "") else value

    @model_validator(mode="before")
    @classmethod
    def _beta_of_autotrain(cls, values: Any) -> Any:
        return renamed(values, "dpo_beta", "beta")


TASK = Task(
    name="llm-kto",
    title="Judged answers (KTO)",
    modality="Language models",
    summary="Kahneman-Tversky Optimization: a language model learns from single answers that were judged good or bad.",
    module="autotrain_gradio.tasks.llm_kto.train",
    requires=from_extra("language-models", *TRAINER, "trl"),
    preview_module="autotrain_gradio.tasks.llm_kto.preview",
    params=LlmKtoParams,
    formats=JUDGED_FORMATS,
    column_aliases=JUDGED_ALIASES,
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, JUDGED_TABLE),
    checks=(JUDGEMENTS, DUPLICATES),
    metrics=(
        Metric(
            "reward_auc",
            "Reward AUC",
            percent=True,
            help="Probability that a good answer has a higher reward than a bad one (area under the ROC curve); 50% is "
            "chance.",
        ),
        Metric("reward_margin", "Reward margin", help="Mean reward of good answers minus that of bad ones."),
        Metric("loss", "Loss", higher_is_better=False, help="Mean weighted loss of the validation rows."),
        Metric(
            "kl",
            "KL divergence",
            higher_is_better=False,
            help="Estimated distance from the reference model, in nats: the mean log-ratio of mismatched answers.",
        ),
    ),
    headline="reward_auc",
    charts=(
        LOSS_CHART,
        Chart("Reward margin", {"rewards/margins": "training", "eval_reward_margin": "validation"}),
        Chart("Reward AUC", {"eval_reward_auc": "validation"}),
        Chart("Rewards", {"rewards/chosen": "good answers", "rewards/rejected": "bad answers"}),
        Chart("Log-probabilities", {"logps/chosen": "good answers", "logps/rejected": "bad answers"}),
        Chart("KL divergence", {"kl": "training", "eval_kl": "validation"}),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("prompt", "A message", "text"),),
    loader_example=CHAT.loader_example,
    answer="text",
    models=MODELS,
    defaults=partial(language_model_defaults, lora_lr=1e-5, lr=1e-3, epochs=4, block_size=256, max_new_tokens=48),
    model_filter="text-generation",
    uncounted=uncounted,
    shown=("block_size", "model_max_length", "too_long", "chat_template"),
    samples=(SAMPLE_JUDGED,),
    verbs=(chat.CHAT,),
    position=45,
    aliases=("llm:kto",),
    can=frozenset({"preview", "predict", "probe", "step", "tiny_model", "checkpoints", "distributed"}),
)
