"""Parameters of the training of language models on preferences, with AutoTrain's names; metrics and charts."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Metric, param
from autotrain_gradio.tasks.language_model_params import ChatTemplateParams, LanguageModelParams, SequenceParams

NO_DROPOUT = "TRL disables dropout, because the log-probabilities of answers are compared"


class PairParams(ChatTemplateParams, SequenceParams):
    """Parameters of all tasks that train on a prompt with a preferred and a rejected answer."""

    no_effect: ClassVar[dict[str, str]] = {**SequenceParams.no_effect, "lora_dropout": NO_DROPOUT}

    too_long: Literal["truncate", "truncate_left", "drop"] = param(
        "truncate", "basic", title="Rows above the maximum length"
    )
    """What happens to rows of which the prompt with the longer answer is above the maximum length: `truncate` drops the
    last tokens of the answers, `truncate_left` the first ones of the prompt, `drop` skips the rows. The preview and the
    log say how many there are."""
    max_prompt_length: int | None = param(None, "basic", title="Maximum prompt length (tokens)", ge=1, le=1_048_576)
    """Maximum length of a prompt in tokens. The first tokens of longer prompts are dropped, or their rows if `too_long`
    is `drop`. Empty: limited by the maximum sequence length only."""
    max_completion_length: int | None = param(None, "basic", title="Maximum answer length (tokens)", ge=1, le=1_048_576)
    """Maximum length of an answer in tokens. The last tokens of longer answers are dropped, or their rows if `too_long`
    is `drop`. Empty: limited by the maximum sequence length only."""
    lora_dropout: float = param(0.05, "adapters", ge=0, lt=1, title="LoRA dropout")
    """Accepted for configurations of AutoTrain; it has no effect here: TRL disables dropout, because the
    log-probabilities of answers are compared."""


class PreferenceParams(PairParams, LanguageModelParams):
    """Parameters of all tasks that train a language model on preferences."""


REWARD_ACCURACY = Metric(
    "reward_accuracy",
    "Reward accuracy",
    percent=True,
    help="Share of the validation rows in which the preferred answer has the higher reward; 50% is chance.",
)
REWARD_MARGIN = Metric(
    "reward_margin",
    "Reward margin",
    help="Mean difference between the rewards of the preferred and of the rejected answer.",
)
LOGPS = (
    Metric("logps_chosen", "Log-probability of preferred answers", help="Mean over the validation rows."),
    Metric(
        "logps_rejected",
        "Log-probability of rejected answers",
        higher_is_better=False,
        help="Mean over the validation rows.",
    ),
)
LOSS_CHART = Chart("Loss", {"loss": "training", "eval_loss": "validation"})
CHARTS = (
    LOSS_CHART,
    Chart("Reward accuracy", {"rewards/accuracies": "training", "eval_reward_accuracy": "validation"}),
    Chart("Reward margin", {"rewards/margins": "training", "eval_reward_margin": "validation"}),
    Chart("Log-probability of preferred answers", {"logps/chosen": "training", "eval_logps_chosen": "validation"}),
    Chart("Log-probability of rejected answers", {"logps/rejected": "training", "eval_logps_rejected": "validation"}),
    *PROGRESS_CHARTS,
)


def renamed(values: Any, other: str, name: str) -> Any:
    """Return parameters in which a parameter has its name of here instead of that of TRL or AutoTrain."""
    if not isinstance(values, dict) or other not in values or name in values:
        return values
    return {name: values[other], **{key: value for key, value in values.items() if key != other}}
