"""Reinforcement learning of language models with declared rewards: group relative policy optimization (GRPO)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from autotrain_gradio.data.catalog import DUPLICATES, HUB, PATH, SAMPLE, SAVED_DATASET, UPLOAD, VALUE
from autotrain_gradio.data.declarations import Check, Column, Format
from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Input, Metric, Sample, Task, param
from autotrain_gradio.tasks.chat import CHAT
from autotrain_gradio.tasks.conversations import CHATS, COLUMN_ALIASES, MESSAGES, PROMPT_ANSWER
from autotrain_gradio.tasks.language_model_params import (
    MODELS,
    AutoTrainParams,
    ChatTemplateParams,
    language_model_defaults,
)
from autotrain_gradio.tasks.parameter_groups import ParameterGroup
from autotrain_gradio.tasks.preference_params import renamed
from autotrain_gradio.tasks.requirements import TRAINER, from_extra

REWARDS = {
    "exact_answer": "Exact answer",
    "regex": "Regular expression",
    "json_schema": "JSON schema",
    "length": "Length",
    "reward_model": "Reward model",
    "python": "Python function",
}
"""Name of each reward function, the beginning of the names of its parameters → title."""
LIMITS = "max_prompt_length and max_completion_length are the limits"
NEAREST = 2
"""Number of valid batch sizes that a message names."""


TINY_DEFAULTS = {
    **{"epochs": 2, "batch_size": 64, "gradient_accumulation": 1, "max_completion_length": 2},
    **{"regex_weight": 1.0, "regex_pattern": "odd|even"},
}
"""The tiny model learns the words of the sample's answers by the regular expression, then which are right."""


class GrpoParams(ChatTemplateParams, AutoTrainParams):
    """Parameters of GRPO (Shao et al. 2024, DeepSeekMath)."""

    no_effect: ClassVar[dict[str, str]] = {
        **AutoTrainParams.no_effect,
        "block_size": LIMITS,
        "model_max_length": LIMITS,
        "padding": "prompts are padded on the left, as generation needs it",
        "auto_find_batch_size": "GRPO needs whole groups of completions",
    }

    epochs: int = param(1, "basic", title="Epochs", ge=1, le=10_000)
    """Number of training epochs (passes over the prompts). Each prompt is answered `num_generations` times in one."""
    batch_size: int = param(8, "basic", title="Batch size per device (completions)", ge=1, le=4096)
    """Number of completions per device (GPU, or the CPU) in a forward pass. With gradient accumulation, it must be a
    multiple of `num_generations`."""
    gradient_accumulation: int = param(4, "training", title="Gradient accumulation steps", ge=1, le=4096)
    """Number of batches whose gradients are accumulated before each optimizer step. `batch_size` times this number of
    completions are generated for a step, `num_generations` for each prompt."""
    lr: float = param(1e-6, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 1e-6 suits the training of all weights, 1e-5 LoRA."""
    num_generations: int = param(8, "basic", title="Completions per prompt", ge=2, le=1024, validate_default=True)
    """Number of completions that are sampled for each prompt (the group). A completion is learned from by how much its
    reward differs from the mean of its group."""
    max_completion_length: int = param(256, "basic", title="Maximum length of completions (tokens)", ge=1, le=32_768)
    """Maximum number of generated tokens of a completion, and in the generation config of the trained model. Generation
    takes most of the time of the training."""
    max_prompt_length: int = param(1024, "basic", title="Maximum length of prompts (tokens)", ge=8, le=1_048_576)
    """Maximum length of a prompt in tokens. Longer prompts are dropped; the preview and the log say how many."""

    exact_answer_weight: float = param(1.0, "rewards", title="Exact answer: weight", ge=-1000, le=1000)
    """Weight of the reward for the exact answer: 1 if the final answer equals that of the reference, else 0. Case,
    spaces, quotes and the notation of numbers do not matter. 0: not used."""
    answer_marker: Literal["auto", "boxed", "tags", "hashes", "last_number", "whole"] = param(
        "auto", "rewards", title="Exact answer: place"
    )
    """Place of the final answer in a completion: `boxed`: in \\boxed{}; `tags`: in <answer></answer>; `hashes`: after
    ####; `last_number`: the last number; `whole`: the whole text; `auto`: one of the first three, or else the whole."""
    regex_weight: float = param(0.0, "rewards", title="Regular expression: weight", ge=-1000, le=1000)
    """Weight of the reward for a regular expression: 1 if the completion matches, else 0. Negative: a penalty. 0: not
    used."""
    regex_pattern: str = param("", "rewards", title="Regular expression", validate_default=True)
    """Regular expression in Python's syntax, such as `<answer>.+</answer>`. `(?s)` at its beginning lets a dot match
    line breaks, `(?i)` ignores case."""
    regex_mode: Literal["search", "full_match"] = param("search", "rewards", title="Regular expression: match")
    """Whether the regular expression matches anywhere in the completion (`search`) or all of it (`full_match`)."""
    json_schema_weight: float = param(0.0, "rewards", title="JSON schema: weight", ge=-1000, le=1000)
    """Weight of the reward for JSON: 1 if the completion is JSON that fits the schema, 0.5 if it is other JSON, else 0.
    A Markdown code fence around it is allowed. 0: not used."""
    json_schema: str = param("", "rewards", title="JSON schema", validate_default=True)
    """JSON schema (json-schema.org), such as {"type": "object", "required": ["city"]}."""
    length_weight: float = param(0.0, "rewards", title="Length: weight", ge=-1000, le=1000)
    """Weight of the reward for the length: 1 at the target, falling linearly to 0 at no text and at twice the target.
    0: not used."""
    length_target: int = param(50, "rewards", title="Length: target", ge=1, le=100_000)
    """Length of a completion with the highest reward, in `length_unit`."""
    length_unit: Literal["words", "tokens"] = param("words", "rewards", title="Length: unit")
    """Unit of the length: words (separated by spaces), or tokens of the model."""
    reward_model_weight: float = param(0.0, "rewards", title="Reward model: weight", ge=-1000, le=1000)
    """Weight of the output of a reward model. 0: not used."""
    reward_model: str = param("", "rewards", title="Reward model", names="model", validate_default=True)
    """Reward model: the Hub id, or the folder, of a sequence classifier with one output, which scores the conversation
    with its answer."""
    python_weight: float = param(0.0, "rewards", title="Python function: weight", ge=-1000, le=1000)
    """Weight of the reward that a Python function of your own computes. 0: not used."""
    reward_file: str = param("", "rewards", title="Python function: file", names="file", validate_default=True)
    """Path of a Python file with `def reward(prompts, completions, **columns)`, which returns a list with a number, or
    None where it does not apply, for each completion. `prompts` are lists of messages, `completions` texts; `columns`
    has `answer` and the additional columns. The run keeps a copy of the file. It runs on this computer with your
    permissions; on a shared page it is not available."""

    temperature: float = param(1.0, "policy", title="Sampling temperature", gt=0, le=10)
    """Sampling temperature of the completions. Lower values vary them less, and there is less to learn from."""
    top_p: float = param(1.0, "policy", title="Top-p (nucleus sampling)", gt=0, le=1)
    """Total probability of the most likely tokens that are sampled from. 1: all tokens."""
    top_k: int = param(0, "policy", title="Top-k sampling", ge=0, le=1_000_000)
    """Number of the most likely tokens that are sampled from. 0: all tokens."""
    beta: float = param(0.0, "policy", title="KL coefficient (beta)", ge=0, le=100)
    """Coefficient of the KL divergence from the base model. 0: none, which saves the memory of a second model; 0.04 is
    that of DeepSeekMath."""
    loss_type: Literal["dapo", "grpo", "dr_grpo", "bnpo", "cispo"] = param("dapo", "policy", title="Loss type")
    """How the losses of tokens are averaged: `dapo` over all tokens of a step (Yu et al. 2025); `grpo` over each
    completion first, which favors short ones; `dr_grpo` by the maximum length (Liu et al. 2025); `bnpo` over the tokens
    of a batch; `cispo` with clipped weights instead of a clipped loss (MiniMax 2025)."""
    scale_rewards: Literal["group", "batch", "none"] = param("group", "policy", title="Scaling of rewards")
    """Standard deviation that advantages are divided by: of each `group`, of the `batch`, or `none`, as in Dr. GRPO."""
    epsilon: float = param(0.2, "policy", title="Clipping (epsilon)", gt=0, le=10)
    """Clipping range of the probability ratio."""
    mask_truncated_completions: bool = param(False, "policy", title="Ignore truncated completions")
    """Exclude completions that were ended at the maximum length from the loss."""

    eval_batch_size: int = param(16, "evaluation", title="Evaluation batch size (prompts)", ge=1, le=4096)
    """Number of prompts that are answered together in evaluations."""
    generation_rows: int = param(8, "evaluation", title="Sample completions", ge=1, le=64)
    """Number of validation prompts whose completions are shown at each evaluation, beside those of the base model."""

    block_size: int | None = param(None, "hardware", title="Block size (tokens)")
    """Accepted for configurations of AutoTrain; it has no effect here: `max_prompt_length` and `max_completion_length`
    are the limits."""
    model_max_length: int | None = param(None, "hardware", title="Maximum sequence length (tokens)")
    """Accepted for configurations of AutoTrain; it has no effect here: `max_prompt_length` and `max_completion_length`
    are the limits."""
    auto_find_batch_size: bool = param(False, "hardware", title="Find batch size automatically")
    """Accepted for configurations of AutoTrain; it has no effect here: GRPO needs whole groups of completions."""
    padding: Literal["left", "right"] | None = param(None, "hardware", title="Padding side")
    """Accepted for configurations of AutoTrain; it has no effect here: prompts are padded on the left, as generation
    needs it."""

    @model_validator(mode="before")
    @classmethod
    def _names_of_autotrain(cls, values: Any) -> Any:
        return renamed(values, "num_completions", "num_generations")

    @field_validator("num_generations")
    @classmethod
    def _whole_groups(cls, value: int, info: ValidationInfo) -> int:
        size, steps = info.data.get("batch_size"), info.data.get("gradient_accumulation")
        if size is None or steps is None or size * steps % value == 0:
            return value
        divisors = [n for n in range(2, size * steps + 1) if size * steps % n == 0]
        near = sorted(sorted(divisors, key=lambda n: abs(n - value))[:NEAREST])
        sizes = [n for n in range(1, size + 2 * value) if n * steps % value == 0]
        nearest = sorted(sorted(sizes, key=lambda n: abs(n - size))[:NEAREST])
        raise ValueError(
            f"batch_size times gradient_accumulation ({size} × {steps} = {size * steps}) is not a multiple of "
            f"num_generations ({value}). Set batch_size to {_either(nearest)}"
            + (f", or num_generations to {_either(near)}." if near else ".")
        )

    @field_validator("regex_pattern", "reward_model", "reward_file")
    @classmethod
    def _given_if_used(cls, value: str, info: ValidationInfo) -> str:
        name = {"regex_pattern": "regex", "reward_file": "python"}.get(str(info.field_name), str(info.field_name))
        if info.data.get(f"{name}_weight") and not value.strip():
            raise ValueError(f"{REWARDS[name]}: it has a weight, but {info.field_name} is empty. Fill it in.")
        if info.field_name == "reward_file" and not any(info.data.get(f"{n}_weight", True) for n in REWARDS):
            raise ValueError("No reward is used: give at least one of them a weight, such as exact_answer_weight.")
        return value if info.field_name == "regex_pattern" else value.strip()

    @field_validator("json_schema", mode="before")
    @classmethod
    def _as_json(cls, value: Any) -> Any:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value  # YAML may have a mapping

    @field_validator("json_schema")
    @classmethod
    def _is_json(cls, value: str, info: ValidationInfo) -> str:
        if not info.data.get("json_schema_weight"):
            return value
        try:
            parsed = json.loads(value)
        except ValueError as error:
            raise ValueError(f"The JSON schema is not JSON: {error}.") from error
        if not isinstance(parsed, dict):
            raise ValueError("The JSON schema is not a JSON object.")
        return value


def _either(values: list[int]) -> str:
    return " or ".join(map(str, values))


def defaults(model: str) -> dict[str, Any]:
    """Return defaults for the tiny model, or for others."""
    return language_model_defaults(model, lora_lr=1e-5, **TINY_DEFAULTS)


_ANSWER = replace(
    next(c for c in PROMPT_ANSWER.columns if c.role == "completion"),
    title="Reference answer",
    help="The right answer, which the reward for the exact answer compares with.",
    purpose="meta",
    required=False,
    names=("answer", "solution", "completion", "response", "output", "ground_truth", "reference", "label", "target"),
)
_EXTRA = Column(
    "additional",
    "Additional columns",
    VALUE,
    "Columns for the reward function in Python, which gets them by their names.",
    purpose="meta",
    required=False,
    many=True,
)


def _without_tools(format: Format) -> tuple[Column, ...]:
    """Return the columns of a format without the tools, which are not called while completions are sampled."""
    return tuple(column for column in format.columns if column.role != "tools")


PROMPTS = Format(
    "prompts",
    "Prompts",
    (*(_ANSWER if c.role == _ANSWER.role else c for c in _without_tools(PROMPT_ANSWER)), _EXTRA),
    "A prompt in each row: a text, or a list of messages; perhaps with a reference answer.",
    '{"prompt": "What is 17 + 25?", "answer": "42"}',
)
CONVERSATIONS = replace(
    MESSAGES,
    columns=(*_without_tools(MESSAGES), _EXTRA),
    help="A list of messages in each row; the last one of the assistant is the reference answer.",
)
PROMPTS_CHECK = Check("grpo-prompts", "Prompts", "autotrain_gradio.tasks.llm_grpo.prompts")

TASK = Task(
    name="llm-grpo",
    title="Reinforcement learning (GRPO)",
    modality="Language models",
    summary="Reinforcement learning of a language model: it answers prompts, and learns from rewards that you declare.",
    module="autotrain_gradio.tasks.llm_grpo.train",
    requires=from_extra("language-models", *TRAINER, "trl", "jsonschema"),
    preview_module="autotrain_gradio.tasks.llm_grpo.preview",
    params=GrpoParams,
    parameter_groups=(
        ParameterGroup("rewards", "Rewards", after="basic", main=True, previewed=True),
        ParameterGroup("policy", "Sampling and policy optimization", after="rewards"),
    ),
    formats=(CONVERSATIONS, PROMPTS),
    column_aliases={**COLUMN_ALIASES, "text": "prompt"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, CHATS),
    checks=(PROMPTS_CHECK, DUPLICATES),
    metrics=(
        Metric("reward", "Reward", help="Mean weighted sum of the rewards of greedy completions of all prompts."),
        *(Metric(f"reward_{name}", f"Reward: {title.lower()}") for name, title in REWARDS.items()),
        Metric("completion_tokens", "Completion length (tokens)", higher_is_better=False),
        Metric("clipped", "Truncated completions", higher_is_better=False, percent=True),
    ),
    headline="reward",
    charts=(
        Chart("Reward", {"reward": "training (sampled)", "eval_reward": "validation (greedy)"}),
        Chart("Rewards in training", {f"rewards/{name}/mean": title.lower() for name, title in REWARDS.items()}),
        Chart("Rewards in validation", {f"eval_reward_{name}": title.lower() for name, title in REWARDS.items()}),
        Chart("Standard deviation of the reward", {"reward_std": "training"}),
        Chart(
            "Completion length",
            {"completions/mean_length": "training (sampled)", "eval_completion_tokens": "validation (greedy)"},
            unit="tokens",
        ),
        Chart("Truncated completions", {"completions/clipped_ratio": "training", "eval_clipped": "validation"}),
        Chart("Groups with equal rewards", {"frac_reward_zero_std": "training"}),
        Chart("Entropy", {"entropy": "training"}),
        Chart("KL divergence from the base model", {"kl": "training"}),
        Chart("Loss", {"loss": "training"}),
        *PROGRESS_CHARTS,
    ),
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
    defaults=defaults,
    examples_per_row=lambda params, format: params.num_generations,
    model_filter="text-generation",
    shown=("max_prompt_length", "chat_template", "num_generations", "batch_size", "gradient_accumulation"),
    samples=(
        Sample("odd-or-even", "Odd or even", "llm_grpo/odd_or_even", "240 questions about numbers, with the answers."),
    ),
    verbs=(CHAT,),
    position=60,
    aliases=("llm:grpo", "grpo"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
