"""Reinforcement learning of language models: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio import data
from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.core.text_format import count_with_verb
from autotrain_gradio.data.kinds.conversation_messages import messages_of
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_grpo import TASK
from autotrain_gradio.tasks.llm_grpo.evaluation import NOUN, GreedyEvaluation, RewardResults
from autotrain_gradio.tasks.llm_grpo.preview import preview
from autotrain_gradio.tasks.llm_grpo.rewards import Reward, in_use, make_rewards
from autotrain_gradio.tasks.llm_grpo.rows import PREDICTED, Prompt, as_dataset, ends_of_answers, load_prompts, texts_of
from autotrain_gradio.tasks.llm_grpo.tokens import prompt_limit, token_counter
from autotrain_gradio.tasks.llm_grpo.trainer import PolicyTrainer, TrlReward, grpo_arguments
from autotrain_gradio.training import language_models, language_probe
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.chat_prediction import LanguagePredictor
from autotrain_gradio.training.chat_template_support import use_template
from autotrain_gradio.training.chat_templates import ChatTemplate
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import fit
from autotrain_gradio.training.language_memory import Workload
from autotrain_gradio.training.language_models import tiny_model
from autotrain_gradio.training.language_run import open_model, report_skipped, write_model

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

ROWS_FOR_ENDS = 20
"""Prompts in which the tokens that end answers are looked up."""
REWARD_FILES = "reward_files"
"""Folder of the run: copies of the file with the reward function, named by the attempt that used it first."""


def train(run: Reporter) -> None:
    """Train a language model on its own completions of the run's prompts, and write the model and a report.

    Raises:
        UserError: the model or a reward cannot be used, no prompt is left, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    found = open_model(run, texts_of(rows["train"]))
    tokenizer = found.tokenizer
    conversations = ((messages_of(cell), None) for cell in rows["train"][PREDICTED])
    template = use_template(run, tokenizer, conversations, "training prompt")
    limit = prompt_limit(found.limit, params)
    if found.limit is not None and found.limit <= params.max_completion_length:
        message = f"The model supports {found.limit:,} tokens, which leaves none for prompts."
        hint = f"Reduce max_completion_length (it is {params.max_completion_length:,})."
        raise UserError(message, hint, "params.max_completion_length", "no-room-for-prompts")
    prompts = {str(name): _prompts(run, str(name), tokenizer, template, part, limit) for name, part in rows.items()}
    rewards = open_rewards(run, tokenizer, prompts["train"])
    ends = ends_of_answers(tokenizer, template, prompts["train"][:ROWS_FOR_ENDS])
    language_models.set_generation(found.model, tokenizer, ends, params.max_completion_length)
    if not getattr(found.model, "is_quantized", False):
        found.model.to(device())

    valid = prompts.get("validation", [])
    evaluation = GreedyEvaluation(run, tokenizer, valid, rewards, token_counter(tokenizer)) if valid else None
    model = language_models.adapt(run, found)
    trainer = PolicyTrainer(
        run,
        evaluation,
        beta=params.beta,
        model=model,
        reward_funcs=[TrlReward(reward) for reward in rewards],
        args=grpo_arguments(
            run,
            prompts=len(prompts["train"]),
            validates=bool(valid),
            best=TASK.declared_metric("reward"),
            rewards=rewards,
        ),
        train_dataset=as_dataset(prompts["train"]),
        eval_dataset=as_dataset(valid) if valid else None,
        processing_class=tokenizer,
    )
    if evaluation is not None:
        with trainer.accelerator.autocast():  # as the trained model is evaluated
            if not evaluation.score_base(trainer.accelerator.unwrap_model(trainer.model)):
                return

    def results(values: dict[str, float]) -> RewardResults:
        assert evaluation is not None
        return RewardResults(values, evaluation, params.generation_rows)

    evaluations = Evaluation(run, len(valid), NOUN, from_metrics=results, declared=TASK.metrics)
    done = fit(trainer, run, evaluations)
    values, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    write_model(
        run,
        found,
        trainer.accelerator.unwrap_model(trainer.model),
        [p.ids for p in valid[: params.generation_rows]],
        usage=TASK.loader_example,
        title="Language model, trained by reinforcement learning (GRPO)",
        data={
            "training prompts": len(prompts["train"]),
            "validation prompts": len(valid),
            "maximum length of prompts in tokens": limit,
            "rewards": ", ".join(f"{r.title.lower()} (weight {r.weight:g})" for r in rewards),
            "steps": f"{done.steps} of {done.planned}",
        },
        metrics=values,
        measured_on=f"{len(valid)} validation prompts",
        note=done.selection_note(NOUN) if values else "",
    )
    run.report(report)


def _prompts(run: Reporter, name: str, tokenizer: Any, template: ChatTemplate, rows: Any, limit: int) -> list[Prompt]:
    """Return the prompts of a split, with messages about those that are dropped.

    Raises:
        UserError: none is left.
    """
    run.state("preparing", f"Tokenizing {len(rows):,} prompts")
    found = load_prompts(tokenizer, template, rows, limit)
    what = "training prompt" if name == "train" else "validation prompt"
    report_skipped(run, found.failed, what)
    if found.longer:
        dropped = count_with_verb(len(found.longer), what, "was")
        message = f"{dropped} dropped: longer than {limit:,} tokens; the longest has {max(found.longer):,}."
        run.note(message, hint="Raise max_prompt_length, or shorten the prompts.", level="warning")
    if not found.kept:
        raise UserError(f"No {what} is left.", "Raise max_prompt_length.", "params.max_prompt_length", "no-rows-left")
    return found.kept


def open_rewards(run: Reporter, tokenizer: Any, prompts: Sequence[Prompt]) -> list[Reward]:
    """Return the reward functions of a run, with messages about what they cannot be applied to.

    Raises:
        UserError: one is wrong, or needs reference answers that no prompt has.
    """
    params = run.params
    missing = sum(prompt.answer is None for prompt in prompts)
    if "exact_answer" in in_use(params) and missing:
        if missing == len(prompts):
            message = "The reward for the exact answer needs reference answers, and no prompt has one."
            hint = "Map the column with the answers, or set exact_answer_weight to 0."
            raise UserError(message, hint, "params.exact_answer_weight", "reward-without-answers")
        message = f"{count_with_verb(missing, 'training prompt', 'has')} no reference answer: without that reward."
        run.note(message, level="warning", hint="Fill in the answers, or remove the rows.")
    run.state("preparing", "Loading the rewards")

    def note(message: str) -> None:
        run.note(message, level="warning")

    if "python" not in in_use(params):
        return make_rewards(params, token_counter(tokenizer), note=note)
    file = _reward_file(run, Path(params.reward_file))
    rewards = make_rewards(params.model_copy(update={"reward_file": str(file)}), token_counter(tokenizer), note=note)
    _keep_reward_file(run, file)
    return rewards


def _kept_reward_files(run: Reporter) -> list[Path]:
    """Return the copies of the file with the reward function, the oldest first."""
    return sorted((run.directory / REWARD_FILES).glob("attempt-*.py"), key=lambda f: int(f.stem.split("-")[1]))


def _reward_file(run: Reporter, given: Path) -> Path:
    """Return the file with the reward function: if it does not exist any more, the copy of an earlier attempt."""
    kept = _kept_reward_files(run)
    if given.is_file() or not kept:
        return given
    name = kept[-1].relative_to(run.directory).as_posix()
    run.note(f"{given} does not exist any more: the copy of it in the run is used ({name}).", level="warning")
    return kept[-1]


def _keep_reward_file(run: Reporter, file: Path) -> None:
    """Copy the file with the reward function into the run, and report if it has changed since an earlier attempt."""
    kept, content = _kept_reward_files(run), file.read_bytes()
    if kept and kept[-1].read_bytes() == content:
        return
    copy = run.directory / REWARD_FILES / f"attempt-{run.attempt}.py"
    if kept:
        message = f"{file.name} has changed since the training began: rewards may differ."
        hint = f"The run keeps both versions in {REWARD_FILES}/, the new one as {copy.name}."
        run.note(message, hint=hint, level="warning")
    copy.parent.mkdir(exist_ok=True)
    partial = copy.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(copy)


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect the model as `language_probe.probe`, and the reward functions; no weights are downloaded."""
    length = params.max_prompt_length + params.max_completion_length
    found: list[Finding] = []
    try:
        make_rewards(params, len, with_model=False)
    except UserError as error:
        found += error.findings
    judge = 0
    if "reward_model" in in_use(params):
        from autotrain_gradio.tasks.llm_grpo import reward_model

        problems = reward_model.model_findings(params.reward_model)
        found += problems
        judge = 0 if problems else reward_model.parameters(params.reward_model)
    work = Workload(
        companions=judge,
        copies=1 if params.beta and not params.peft else 0,  # see `PolicyTrainer`
        generated=max(params.batch_size * params.gradient_accumulation, params.eval_batch_size),
    )
    facts = language_probe.probe(spec, params, context, work=work, length=length)
    facts["findings"] = [*(f.to_dict() for f in found), *facts["findings"]]
    return facts


def load(directory: Path) -> LanguagePredictor:
    """Return the model that a run has trained, as a predictor."""
    return LanguagePredictor(directory, PREDICTED, chat=True)
