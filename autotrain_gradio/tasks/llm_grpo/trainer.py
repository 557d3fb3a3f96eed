"""TRL's trainer for GRPO with the rewards of a run, and an evaluation by greedy completions."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from transformers.trainer_utils import EvalLoopOutput
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import add_fused_lm_head

from autotrain_gradio.data.kinds.conversation_messages import Message
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.llm_grpo.evaluation import GreedyEvaluation
from autotrain_gradio.tasks.llm_grpo.rewards import Batch, Reward, Score
from autotrain_gradio.training import cpu_log_probs, trainer_internals
from autotrain_gradio.training.arguments import arguments, device

CONSTANT_LOGS = 10
"""Logged values from the beginning without a reward that differs within a group, after which a note says so."""


def grpo_arguments(run: Reporter, *, prompts: int, validates: bool, best: Metric, rewards: Sequence[Reward]) -> Any:
    """Return TRL's arguments. prompts: number of training prompts. Others: as in `arguments.arguments`."""
    cpu_log_probs.install()
    params = run.params
    more: dict[str, Any] = {}
    if params.mixed_precision is None or device() == "cpu":
        more["bf16"] = False  # TRL's default is bf16
    args = arguments(
        params,
        GRPOConfig,
        run,
        train_rows=prompts * params.num_generations,
        validates=validates,
        best=best,
        auto_find_batch_size=False,  # GRPO needs whole groups
        remove_unused_columns=False,
        num_generations=params.num_generations,
        num_generations_eval=1,  # the evaluation generates by itself
        max_completion_length=params.max_completion_length,
        temperature=params.temperature,
        top_p=params.top_p,
        top_k=params.top_k,
        beta=0.0,  # see `PolicyTrainer`
        loss_type=params.loss_type,
        scale_rewards=params.scale_rewards,
        epsilon=params.epsilon,
        mask_truncated_completions=params.mask_truncated_completions,
        reward_weights=[reward.weight for reward in rewards],
        activation_checkpointing=params.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if params.gradient_checkpointing else None,
        max_steps=params.max_steps,
        batch_eval_metrics=False,
        **more,
    )
    trainer_internals.use_one_gpu(args)
    return args


class TrlReward:
    """A reward function as TRL calls it. `__name__`: by which TRL reports it."""

    def __init__(self, reward: Reward) -> None:
        self.__name__ = reward.name
        self._reward = reward

    def __call__(
        self,
        prompts: Sequence[Sequence[Message]],
        completions: Sequence[Sequence[Mapping[str, Any]]],
        answer: Sequence[str | None],
        extra: Sequence[Mapping[str, Any]],
        **others: Any,
    ) -> list[Score]:
        """Return the reward of each completion, whose only message is the assistant's."""
        texts = [str(messages[0].get("content") or "").strip() for messages in completions]
        names = dict.fromkeys(name for row in extra for name in row)
        columns = {name: [row.get(name) for row in extra] for name in names}
        return self._reward.score(Batch(prompts, texts, answer, columns))


class PolicyTrainer(trainer_internals.PromptGroups, GRPOTrainer):
    """A trainer that evaluates by greedy completions of all validation prompts, and keeps the base model in memory.

    beta: coefficient of the KL divergence from the model as it is now. TRL would load the base model again, by a name
    that the tiny model does not have; adapters are switched off instead.
    """

    control: Any

    def __init__(self, run: Reporter, evaluation: GreedyEvaluation | None, *, beta: float, **settings: Any) -> None:
        model = settings["model"]
        reference = copy.deepcopy(model) if beta and not hasattr(model, "peft_config") else None
        super().__init__(**settings)
        self._run, self._evaluation = run, evaluation
        self._constant: int | None = 0
        self.beta = beta
        if reference is not None:
            add_fused_lm_head(reference, temperature=self.temperature)
            self.ref_model = self.accelerator.prepare_model(reference, evaluation_mode=True)

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Answer each validation prompt greedily, and score the completions."""
        assert self._evaluation is not None

        def after_batch() -> None:
            self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)

        self.model.eval()  # TRL logs what was measured meanwhile as of the training otherwise
        with self.accelerator.autocast():
            values = self._evaluation.score(self.accelerator.unwrap_model(self.model), after_batch)
        named = {f"{metric_key_prefix}_{name}": value for name, value in values.items()}
        count = len(self._evaluation.prompts)
        return EvalLoopOutput(predictions=None, label_ids=None, metrics=named, num_samples=count)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log, and say once if no group has had rewards that differ, so that there is nothing to learn."""
        super().log(logs, start_time)
        share = logs.get("frac_reward_zero_std")
        if share is None or self._constant is None:
            return
        self._constant = self._constant + 1 if share == 1.0 else None
        if self._constant == CONSTANT_LOGS:
            message = "All completions of a prompt get the same reward: there is nothing to learn from so far."
            hint = (
                "Look at the sample completions. Add a reward that is easier to get, such as one for the form of the "
                "answer, raise temperature or num_generations, or begin with supervised fine-tuning."
            )
            self._run.note(message, level="warning", hint=hint)
            self._constant = None
