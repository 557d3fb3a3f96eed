"""Reward models: language models that score how good an answer is."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from autotrain_gradio.data.catalog import DUPLICATES, HUB, PATH, PREFERENCES, SAMPLE, SAVED_DATASET, UPLOAD
from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Input, Metric, Task, param
from autotrain_gradio.tasks.language_model_params import MODELS, language_model_defaults, uncounted
from autotrain_gradio.tasks.preference_params import LOSS_CHART, REWARD_ACCURACY, REWARD_MARGIN, PairParams
from autotrain_gradio.tasks.preferences import COLUMN_ALIASES, FORMATS, PREFERENCE_TABLE, SAMPLE_PAIRS
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class LlmRewardParams(PairParams):
    """Parameters of the training of reward models."""

    no_effect: ClassVar[dict[str, str]] = {
        **PairParams.no_effect,
        "merge_adapter": "the adapter is merged always, since the head is trained too",
    }

    lr: float = param(1e-5, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 1e-5 suits the training of all weights, 1e-4 LoRA."""
    merge_adapter: bool = param(True, "adapters", title="Merge the adapter")
    """Accepted for configurations of AutoTrain; it has no effect here: the adapter is merged always, since the head of
    the model is trained too."""
    center_rewards_coefficient: float | None = param(None, "training", title="Centering of rewards", ge=0, le=10)
    """Coefficient of a loss that keeps the mean of the rewards near 0 (Eisenstein et al. 2023), such as 0.01. Empty:
    none; only differences of rewards have a meaning."""


TASK = Task(
    name="llm-reward",
    title="Reward model",
    modality="Language models",
    summary="A model that scores answers, trained on pairs of a preferred and a rejected answer.",
    module="autotrain_gradio.tasks.llm_reward.train",
    requires=from_extra("language-models", *TRAINER, "trl"),
    preview_module="autotrain_gradio.tasks.llm_reward.preview",
    params=LlmRewardParams,
    formats=FORMATS,
    column_aliases=COLUMN_ALIASES,
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, PREFERENCE_TABLE),
    checks=(PREFERENCES, DUPLICATES),
    metrics=(
        REWARD_ACCURACY,
        REWARD_MARGIN,
        Metric("loss", "Loss", higher_is_better=False, help="Mean loss of the validation rows."),
    ),
    headline="reward_accuracy",
    charts=(
        LOSS_CHART,
        Chart("Reward accuracy", {"accuracy": "training", "eval_reward_accuracy": "validation"}),
        Chart("Reward margin", {"margin": "training", "eval_reward_margin": "validation"}),
        Chart("Rewards", {"min_reward": "lowest", "mean_reward": "mean", "max_reward": "highest"}),
        *PROGRESS_CHARTS,
    ),
    inputs=(
        Input("prompt", "A message", "text"),
        Input("chosen", "An answer", "text"),
        Input("rejected", "Another answer, to compare", "text"),
    ),
    loader_example="""\
import json

from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(model)
scorer = AutoModelForSequenceClassification.from_pretrained(model)
messages = [*json.loads(value["prompt"]), *json.loads(value["chosen"])]
text = tokenizer.apply_chat_template(messages, tokenize=False).rstrip()
inputs = tokenizer(text, add_special_tokens=False, return_tensors="pt")
answer = scorer(**inputs).logits[0, 0].item()
""",
    answer="reward",
    models=MODELS,
    defaults=partial(language_model_defaults, lora_lr=1e-4, lr=1e-3, epochs=2, block_size=256),
    model_filter="text-generation",
    uncounted=uncounted,
    shown=("block_size", "model_max_length", "too_long", "max_prompt_length", "max_completion_length", "chat_template"),
    samples=(SAMPLE_PAIRS,),
    position=50,
    aliases=("llm:reward",),
    can=frozenset({"preview", "predict", "probe", "step", "tiny_model", "checkpoints", "distributed"}),
)
